//! An unpacked solution in memory: relative paths and bytes.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::names;
use super::{Manifest, PackageError, SolutionVersion};
use crate::portable_path::DotNames;

/// Path of the manifest in a folder.
pub const SOLUTION_FILE: &str = "Other/Solution.xml";
/// Path of the skeleton of `customizations.xml` in a folder.
pub const CUSTOMIZATIONS_FILE: &str = "Other/Customizations.xml";

/// The files of an unpacked solution: path with `/` to content, sorted by path.
///
/// Paths are relative, stay inside the folder and can exist on every file system. `folder.rs`
/// reads trees from folders and writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceTree {
    files: BTreeMap<String, Bytes>,
}

impl SourceTree {
    /// A tree without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// A tree of files that stood in other trees, whose paths have passed the gate there.
    pub(super) fn of_trees(files: impl IntoIterator<Item = (String, Bytes)>) -> Self {
        Self {
            files: files.into_iter().collect(),
        }
    }

    /// The content of a file.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(|data| &data[..])
    }

    /// The content of a file, to be shared.
    pub fn shared(&self, path: &str) -> Option<Bytes> {
        self.files.get(path).cloned()
    }

    /// Adds or replaces a file.
    ///
    /// # Errors
    ///
    /// [`PackageError::UnsafeName`] if the path leaves the folder or cannot exist everywhere.
    pub fn insert(
        &mut self,
        path: impl Into<String>,
        data: impl Into<Bytes>,
    ) -> Result<(), PackageError> {
        let path = path.into();
        names::check(&path, DotNames::Refused)?;
        self.files.insert(path, data.into());
        Ok(())
    }

    /// Takes a file out.
    pub fn remove(&mut self, path: &str) -> Option<Bytes> {
        self.files.remove(path)
    }

    /// Takes out the files whose paths are not to be kept.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.files.retain(|path, _| keep(path));
    }

    /// All files, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Bytes)> {
        self.files.iter().map(|(path, data)| (path.as_str(), data))
    }

    /// All files as a list, to be walked in parallel.
    pub(crate) fn files(&self) -> Vec<(&String, &Bytes)> {
        self.files.iter().collect()
    }

    /// All paths, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Number of files.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The part of the tree below a folder, with paths relative to it.
    #[must_use]
    pub fn below(&self, folder: &str) -> Self {
        let prefix = format!("{}/", folder.trim_end_matches('/'));
        let files = self
            .files
            .range(prefix.clone()..)
            .take_while(|(path, _)| path.starts_with(&prefix))
            .map(|(path, data)| (path[prefix.len()..].to_owned(), data.clone()))
            .collect();
        Self { files }
    }

    /// Who the solution is, from `Other/Solution.xml`.
    ///
    /// # Errors
    ///
    /// [`PackageError::NotATree`] if the file is missing, else as [`Manifest::parse`].
    pub fn manifest(&self) -> Result<Manifest, PackageError> {
        Manifest::parse(SOLUTION_FILE, self.solution_file()?)
    }

    /// Sets the solution's version in `Other/Solution.xml`; every other byte stays.
    ///
    /// # Errors
    ///
    /// As [`SourceTree::manifest`].
    pub fn set_version(&mut self, version: SolutionVersion) -> Result<(), PackageError> {
        let data = super::manifest::replace_version(SOLUTION_FILE, self.solution_file()?, version)?;
        self.insert(SOLUTION_FILE, data)
    }

    fn solution_file(&self) -> Result<&[u8], PackageError> {
        self.get(SOLUTION_FILE)
            .ok_or_else(|| PackageError::NotATree {
                missing: SOLUTION_FILE.to_owned(),
            })
    }
}
