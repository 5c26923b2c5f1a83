//! Where a deployment's files come from: a branch, a folder, a test's map.

use std::collections::BTreeMap;

use super::DeploymentError;

/// A tree of files that can be listed and read. Paths have `/` between their parts.
pub trait Files {
    /// The paths of all files, in any order.
    ///
    /// # Errors
    /// [`DeploymentError::Unreadable`] when the tree cannot be listed.
    fn paths(&self) -> Result<Vec<String>, DeploymentError>;

    /// The bytes of one file that [`Files::paths`] named.
    ///
    /// # Errors
    /// [`DeploymentError::Unreadable`] when it cannot be read.
    fn read(&self, path: &str) -> Result<Vec<u8>, DeploymentError>;
}

/// Files in memory, by path.
pub type FileMap = BTreeMap<String, Vec<u8>>;

impl Files for FileMap {
    fn paths(&self) -> Result<Vec<String>, DeploymentError> {
        Ok(self.keys().cloned().collect())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, DeploymentError> {
        self.get(path)
            .cloned()
            .ok_or_else(|| DeploymentError::Unreadable {
                file: path.to_owned(),
                reason: "there is no such file".to_owned(),
            })
    }
}

/// The path in `paths` that equals `wanted` but for case, as Windows agents find it.
pub(super) fn find<'a>(paths: &'a [String], wanted: &str) -> Option<&'a str> {
    let exact = paths.iter().find(|path| *path == wanted);
    exact
        .or_else(|| paths.iter().find(|path| path.eq_ignore_ascii_case(wanted)))
        .map(String::as_str)
}

/// `folder/name`, or `name` at the root.
pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}
