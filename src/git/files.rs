//! Reading files and folders of a commit.

use std::collections::BTreeMap;

use gix::objs::tree::EntryKind as Kind;

use super::{BareRepository, GitError, ObjectId};

/// One name in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path from the root, with `/`.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// The blob's or tree's id.
    pub id: ObjectId,
}

/// What a name in a folder stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A file.
    File,
    /// A file that may be executed.
    Executable,
    /// A symbolic link, whose content is its target.
    Link,
    /// A folder.
    Folder,
    /// A submodule.
    Submodule,
}

impl BareRepository {
    /// The bytes of the file `path` in `commit`; `None` when there is no such file.
    ///
    /// # Errors
    /// When the commit is not there or the repository cannot be read.
    pub fn read_file(&self, commit: ObjectId, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        match self.entry(commit, path)? {
            Some(entry) if entry.kind.is_file() => Ok(Some(self.blob(entry.id)?)),
            _ => Ok(None),
        }
    }

    /// What is at `path` in `commit`. The empty path is the root folder.
    ///
    /// # Errors
    /// When the commit is not there or the repository cannot be read.
    pub fn entry(&self, commit: ObjectId, path: &str) -> Result<Option<Entry>, GitError> {
        let repository = self.local();
        let tree = self.tree(&repository, commit)?;
        if path.is_empty() {
            let (path, id) = (String::new(), tree.id);
            return Ok(Some(Entry {
                path,
                kind: EntryKind::Folder,
                id,
            }));
        }
        let parts = path.split('/').map(str::as_bytes);
        let found = tree
            .lookup_entry(parts)
            .map_err(|error| self.failed(&error))?;
        Ok(found.map(|entry| Entry {
            path: path.to_owned(),
            kind: entry.mode().kind().into(),
            id: entry.object_id(),
        }))
    }

    /// The names directly in `folder` of `commit`, in git's order; empty when there is no such
    /// folder. The empty path is the root folder.
    ///
    /// # Errors
    /// When the commit is not there or the repository cannot be read.
    pub fn list(&self, commit: ObjectId, folder: &str) -> Result<Vec<Entry>, GitError> {
        let Some(entry) = self.entry(commit, folder)? else {
            return Ok(Vec::new());
        };
        if entry.kind != EntryKind::Folder {
            return Ok(Vec::new());
        }
        let repository = self.local();
        let tree = repository
            .find_tree(entry.id)
            .map_err(|error| self.failed(&error))?;
        let mut entries = Vec::new();
        for entry in tree.iter() {
            let entry = entry.map_err(|error| self.failed(&error))?;
            let name = entry.filename().to_string();
            let path = if folder.is_empty() {
                name
            } else {
                format!("{folder}/{name}")
            };
            let (kind, id) = (entry.kind().into(), entry.object_id());
            entries.push(Entry { path, kind, id });
        }
        Ok(entries)
    }

    /// All files at any depth below `folder` of `commit`, sorted by path; folders are left out.
    ///
    /// # Errors
    /// When the commit is not there or the repository cannot be read.
    pub fn files(&self, commit: ObjectId, folder: &str) -> Result<Vec<Entry>, GitError> {
        let repository = self.local();
        let root = self.tree(&repository, commit)?;
        self.files_of_tree(&repository, root, folder)
    }

    /// The files below `folder` of `commit` with their bytes; the keys are relative to `folder`.
    ///
    /// # Errors
    /// When the commit is not there or the repository cannot be read.
    pub fn read_folder(
        &self,
        commit: ObjectId,
        folder: &str,
    ) -> Result<BTreeMap<String, Vec<u8>>, GitError> {
        let skip = if folder.is_empty() {
            0
        } else {
            folder.len() + 1
        };
        let repository = self.local();
        let root = self.tree(&repository, commit)?;
        let mut files = BTreeMap::new();
        for entry in self.files_of_tree(&repository, root, folder)? {
            if entry.kind == EntryKind::Submodule {
                continue;
            }
            let mut blob = repository
                .find_blob(entry.id)
                .map_err(|error| self.failed(&error))?;
            files.insert(entry.path[skip..].to_owned(), blob.take_data());
        }
        Ok(files)
    }

    /// The bytes of a blob.
    ///
    /// # Errors
    /// When it is not there.
    pub fn blob(&self, id: ObjectId) -> Result<Vec<u8>, GitError> {
        let repository = self.local();
        let mut blob = repository
            .find_blob(id)
            .map_err(|error| self.failed(&error))?;
        Ok(blob.take_data())
    }

    /// Whether an object is there.
    pub fn has(&self, id: ObjectId) -> bool {
        self.local().has_object(id)
    }

    /// The files below `folder` of a tree.
    pub(super) fn files_of_tree(
        &self,
        repository: &gix::Repository,
        root: gix::Tree<'_>,
        folder: &str,
    ) -> Result<Vec<Entry>, GitError> {
        let tree = if folder.is_empty() {
            root
        } else {
            let parts = folder.split('/').map(str::as_bytes);
            match root
                .lookup_entry(parts)
                .map_err(|error| self.failed(&error))?
            {
                Some(entry) if entry.mode().is_tree() => repository
                    .find_tree(entry.object_id())
                    .map_err(|error| self.failed(&error))?,
                _ => return Ok(Vec::new()),
            }
        };
        let entries = tree
            .traverse()
            .breadthfirst
            .files()
            .map_err(|error| self.failed(&error))?;
        let mut files: Vec<Entry> = entries
            .into_iter()
            .filter(|entry| !entry.mode.is_tree())
            .map(|entry| Entry {
                path: if folder.is_empty() {
                    entry.filepath.to_string()
                } else {
                    format!("{folder}/{}", entry.filepath)
                },
                kind: entry.mode.kind().into(),
                id: entry.oid,
            })
            .collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// The root tree of a commit.
    pub(super) fn tree<'repo>(
        &self,
        repository: &'repo gix::Repository,
        commit: ObjectId,
    ) -> Result<gix::Tree<'repo>, GitError> {
        let commit = repository
            .find_commit(commit)
            .map_err(|_| GitError::Missing {
                name: commit.to_string(),
            })?;
        commit.tree().map_err(|error| self.failed(&error))
    }
}

impl EntryKind {
    /// Whether it has bytes of its own.
    pub fn is_file(self) -> bool {
        matches!(self, Self::File | Self::Executable | Self::Link)
    }
}

impl From<Kind> for EntryKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Tree => Self::Folder,
            Kind::Blob => Self::File,
            Kind::BlobExecutable => Self::Executable,
            Kind::Link => Self::Link,
            Kind::Commit => Self::Submodule,
        }
    }
}

impl From<EntryKind> for Kind {
    fn from(kind: EntryKind) -> Self {
        match kind {
            EntryKind::Folder => Self::Tree,
            EntryKind::File => Self::Blob,
            EntryKind::Executable => Self::BlobExecutable,
            EntryKind::Link => Self::Link,
            EntryKind::Submodule => Self::Commit,
        }
    }
}
