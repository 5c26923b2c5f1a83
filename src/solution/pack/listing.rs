//! The files of a tree as a Windows file system would list them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;

use crate::portable_path::show_dots;
use crate::solution::{PackageError, SourceTree, names, order};

/// A file of the tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct File<'t> {
    /// Path as components name it: with a dot where the tree has `%2E` at the beginning of a part.
    pub path: &'t str,
    pub data: &'t Bytes,
}

/// The files of a tree under the paths that components name them by.
pub(super) fn shown(tree: &SourceTree) -> Vec<(Cow<'_, str>, &Bytes)> {
    tree.iter()
        .map(|(path, data)| (show_dots(path), data))
        .collect()
}

/// Every file that may be packed, found by path ignoring case.
pub(super) struct Listing<'t> {
    files: BTreeMap<String, File<'t>>,
}

impl<'t> Listing<'t> {
    /// Lists the files of a tree, as [`shown`].
    ///
    /// # Errors
    ///
    /// [`PackageError::Collision`] for two paths that are one on some file system.
    pub fn new(tree: &'t [(Cow<'t, str>, &'t Bytes)]) -> Result<Self, PackageError> {
        let mut files = BTreeMap::new();
        for (path, data) in tree {
            let first: Option<File<'t>> = files.insert(names::fold(path), File { path, data });
            if let Some(first) = first {
                return Err(PackageError::Collision {
                    first: first.path.to_owned(),
                    second: path.clone().into_owned(),
                });
            }
        }
        Ok(Self { files })
    }

    /// A file by its path, ignoring case.
    pub fn get(&self, path: &str) -> Option<File<'t>> {
        self.files.get(&names::fold(path)).copied()
    }

    /// The size of all files below a folder.
    pub fn bytes_below(&self, folder: &str) -> usize {
        self.unordered(folder).map(|file| file.data.len()).sum()
    }

    fn unordered(&self, folder: &str) -> impl Iterator<Item = &File<'t>> {
        let prefix = format!("{}/", names::fold(folder));
        self.files
            .range(prefix.clone()..)
            .take_while(move |(path, _)| path.starts_with(&prefix))
            .map(|(_, file)| file)
    }

    /// All files below a folder in the order of a walk.
    pub fn below(&self, folder: &str) -> Vec<File<'t>> {
        let mut paths: Vec<&str> = self.unordered(folder).map(|file| file.path).collect();
        order::sort_walk(&mut paths);
        paths
            .into_iter()
            .filter_map(|path| self.get(path))
            .collect()
    }

    /// The files directly in a folder, by name.
    pub fn directly_in(&self, folder: &str) -> Vec<File<'t>> {
        let depth = folder.split('/').count() + 1;
        let mut found = self.below(folder);
        found.retain(|file| file.path.split('/').count() == depth);
        found
    }

    /// The folders directly in a folder, with their paths, by name.
    pub fn folders_in(&self, folder: &str) -> Vec<&'t str> {
        let prefix = format!("{}/", names::fold(folder));
        let length = prefix.len();
        let mut found: Vec<&'t str> = Vec::new();
        for (_, file) in self
            .files
            .range(prefix.clone()..)
            .take_while(|(p, _)| p.starts_with(&prefix))
        {
            // Folding keeps the number of segments, so the depth of the folder gives the end.
            let depth = prefix[..length - 1].split('/').count();
            let Some(end) = file.path.match_indices('/').nth(depth).map(|(at, _)| at) else {
                continue;
            };
            let path = &file.path[..end];
            if !found
                .iter()
                .rev()
                .take(1)
                .any(|last| names::fold(last) == names::fold(path))
                && !found.contains(&path)
            {
                found.push(path);
            }
        }
        found.sort_by(|a, b| order::by_listing(a, b));
        found.dedup_by(|a, b| names::fold(a) == names::fold(b));
        found
    }

    /// All files at least one folder deep, by top-level folder and then as a walk meets them.
    pub fn walk(&self) -> Vec<File<'t>> {
        let mut tops: Vec<&str> = self
            .files
            .values()
            .filter_map(|file| Some(file.path.split_once('/')?.0))
            .collect();
        tops.sort_by(|a, b| order::by_listing(a, b));
        tops.dedup_by(|a, b| names::fold(a) == names::fold(b));
        tops.into_iter().flat_map(|top| self.below(top)).collect()
    }
}
