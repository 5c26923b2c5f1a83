//! The files that a script means: a folder of the workspace, or whatever holds files.

use std::path::{Path, PathBuf};

use rhai::{Dynamic, ImmutableString};

use super::super::HostError;
use super::super::branch::Branch;
use crate::deployment::{DeploymentError, Files};
use crate::script::Context;
use crate::whole_file;

/// The files behind a value of a script: a text is a folder in the workspace.
///
/// # Errors
/// For a value that holds no files, or a folder outside of the workspace.
pub(super) fn files_of(context: &Context, source: &Dynamic) -> Result<Box<dyn Files>, HostError> {
    if let Some(path) = source.read_lock::<ImmutableString>() {
        return Ok(Box::new(Folder::open(context.root(), &path)?));
    }
    if let Some(branch) = source.read_lock::<Branch>() {
        return Ok(Box::new(branch.version()?));
    }
    let message = format!("a `{}` holds no deployment files", source.type_name());
    Err(HostError::new("ALM-D013", message)
        .with_hint("pass a branch, or a folder of the workspace as text"))
}

/// A folder on disk.
struct Folder(PathBuf);

/// Folders that hold no source: state, git's own, build output.
const SKIPPED: [&str; 4] = [".git", ".alm", "target", "node_modules"];

impl Folder {
    /// Opens a folder inside the workspace. Links that lead out of it are refused.
    fn open(root: &Path, path: &str) -> Result<Self, HostError> {
        let unreadable = |reason: String| DeploymentError::Unreadable {
            file: path.to_owned(),
            reason,
        };
        let root = root
            .canonicalize()
            .map_err(|error| unreadable(error.to_string()))?;
        let folder = root
            .join(path)
            .canonicalize()
            .map_err(|error| unreadable(error.to_string()))?;
        if !folder.starts_with(&root) {
            return Err(unreadable("it is outside of the workspace".to_owned()).into());
        }
        Ok(Self(folder))
    }

    fn walk(&self, folder: &Path, found: &mut Vec<String>) -> std::io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            let name = entry.file_name();
            if kind.is_dir() && !SKIPPED.iter().any(|skipped| name == *skipped) {
                self.walk(&entry.path(), found)?;
            } else if kind.is_file()
                && let Ok(path) = entry.path().strip_prefix(&self.0)
            {
                let parts: Vec<_> = path
                    .components()
                    .map(|part| part.as_os_str().to_string_lossy())
                    .collect();
                found.push(parts.join("/"));
            }
        }
        Ok(())
    }
}

impl Files for Folder {
    fn paths(&self) -> Result<Vec<String>, DeploymentError> {
        let mut found = Vec::new();
        self.walk(&self.0, &mut found)
            .map_err(|error| DeploymentError::Unreadable {
                file: self.0.display().to_string(),
                reason: error.to_string(),
            })?;
        found.sort();
        Ok(found)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, DeploymentError> {
        whole_file::read_regular(&self.0.join(path), whole_file::MOST).map_err(|error| {
            DeploymentError::Unreadable {
                file: path.to_owned(),
                reason: error.to_string(),
            }
        })
    }
}
