//! Building commits from a base and a set of changes.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::{BareRepository, EntryKind, GitError, ObjectId, check_entries, check_path};

/// Who wrote or recorded a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name that the history shows.
    pub name: String,
    /// The e-mail address.
    pub email: String,
}

/// A commit, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitInfo {
    /// Its id.
    pub id: ObjectId,
    /// The id of its root tree.
    pub tree: ObjectId,
    /// Its parents, the branch that it was made on first.
    pub parents: Vec<ObjectId>,
    /// Who wrote it.
    pub author: Person,
    /// When it was written, in seconds since 1970.
    pub authored: i64,
    /// Who recorded it.
    pub committer: Person,
    /// When it was recorded, in seconds since 1970.
    pub committed: i64,
    /// The whole message.
    pub message: String,
}

/// What a commit changes in its base. Deletions and replaced folders are applied before files are
/// put, so a folder can be replaced and a file in it set in one go.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    put: BTreeMap<String, Vec<u8>>,
    delete: BTreeSet<String>,
    replace: Vec<String>,
}

impl Changes {
    /// No change.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a file, new or not.
    ///
    /// # Errors
    /// [`GitError::BadPath`]; so for all methods here.
    pub fn put(&mut self, path: &str, bytes: Vec<u8>) -> Result<(), GitError> {
        check_path(path)?;
        self.put.insert(path.to_owned(), bytes);
        Ok(())
    }

    /// Deletes a file, or a folder with all that is in it. It is no error when it is not there.
    pub fn delete(&mut self, path: &str) -> Result<(), GitError> {
        check_entries(path)?;
        self.delete.insert(path.to_owned());
        Ok(())
    }

    /// Makes `folder` hold exactly `files` (paths relative to it), deleting whatever else is in
    /// it. The empty folder name is the root.
    pub fn replace_folder(
        &mut self,
        folder: &str,
        files: impl IntoIterator<Item = (String, Vec<u8>)>,
    ) -> Result<(), GitError> {
        if !folder.is_empty() {
            check_path(folder)?;
        }
        self.replace.push(folder.to_owned());
        for (path, bytes) in files {
            let path = if folder.is_empty() {
                path
            } else {
                format!("{folder}/{path}")
            };
            self.put(&path, bytes)?;
        }
        Ok(())
    }

    /// Whether nothing was asked for.
    pub fn is_empty(&self) -> bool {
        self.put.is_empty() && self.delete.is_empty() && self.replace.is_empty()
    }

    /// Whether the file `path` of the base goes away, unless it is put again.
    fn removes(&self, path: &str) -> bool {
        let within = |folder: &str| {
            folder.is_empty()
                || path
                    .strip_prefix(folder)
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        self.delete.contains(path)
            || self.replace.iter().any(|folder| within(folder))
            || self.delete.iter().any(|folder| within(folder))
    }
}

impl Person {
    /// The name under which this program itself writes.
    pub fn service() -> Self {
        Self {
            name: "alm".into(),
            email: "alm@localhost".into(),
        }
    }

    pub(super) fn signature(&self, seconds: i64) -> gix::actor::Signature {
        gix::actor::Signature {
            name: one_field(&self.name).into(),
            email: one_field(&self.email).into(),
            time: gix::date::Time::new(seconds, 0),
        }
    }
}

/// As git writes people: `Maya Lind <maya@contoso.example>`.
impl std::fmt::Display for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} <{}>", one_field(&self.name), one_field(&self.email))
    }
}

/// A text without what ends a field of the commit format: line breaks and angle brackets.
fn one_field(text: &str) -> String {
    text.replace(['\n', '\r', '<', '>', '\0'], " ")
        .trim()
        .to_owned()
}

impl BareRepository {
    /// Writes the tree that results from applying `changes` to the commit `base` (or to nothing).
    ///
    /// # Errors
    /// When the base is not there or the repository cannot be written.
    pub fn apply(&self, base: Option<ObjectId>, changes: &Changes) -> Result<ObjectId, GitError> {
        let repository = self.local();
        let root = match base {
            Some(commit) => self.tree(&repository, commit)?,
            None => repository.empty_tree(),
        };
        let mut editor = root.edit().map_err(|error| self.failed(&error))?;
        let mut known = BTreeMap::new();
        for entry in self.files_of_tree(&repository, root, "")? {
            if changes.removes(&entry.path) && !changes.put.contains_key(&entry.path) {
                editor
                    .remove_leaf(entry.path.as_str())
                    .map_err(|error| self.failed(&error))?;
            }
            known.insert(entry.path, (entry.kind, entry.id));
        }
        for (path, id) in self.write_blobs(&changes.put)? {
            let kind = match known.get(path) {
                Some((_, old)) if *old == id => continue,
                Some((EntryKind::Executable, _)) => EntryKind::Executable,
                _ => EntryKind::File,
            };
            editor
                .upsert(path, kind.into(), id)
                .map_err(|error| self.failed(&error))?;
        }
        Ok(editor
            .write()
            .map_err(|error| self.failed(&error))?
            .detach())
    }

    /// Applies `changes` to `parent` and writes a commit on top of it; `None` when nothing
    /// changes ("nothing to commit"). No reference moves.
    ///
    /// # Errors
    /// When the parent is not there or the repository cannot be written.
    pub fn commit(
        &self,
        parent: Option<ObjectId>,
        changes: &Changes,
        message: &str,
        author: &Person,
        seconds: i64,
    ) -> Result<Option<ObjectId>, GitError> {
        let tree = self.apply(parent, changes)?;
        match parent {
            Some(parent) if self.commit_info(parent)?.tree == tree => return Ok(None),
            None if changes.put.is_empty() => return Ok(None),
            _ => {}
        }
        let parents: Vec<ObjectId> = parent.into_iter().collect();
        self.commit_tree(tree, &parents, message, author, seconds)
            .map(Some)
    }

    /// Writes a commit of a tree that is already there. Author and committer are the same person.
    ///
    /// # Errors
    /// When the repository cannot be written.
    pub fn commit_tree(
        &self,
        tree: ObjectId,
        parents: &[ObjectId],
        message: &str,
        author: &Person,
        seconds: i64,
    ) -> Result<ObjectId, GitError> {
        self.commit_tree_as(tree, parents, message, (author, seconds), (author, seconds))
    }

    /// Writes a commit with an author and a committer that may differ, as a rebase does.
    pub(super) fn commit_tree_as(
        &self,
        tree: ObjectId,
        parents: &[ObjectId],
        message: &str,
        (author, authored): (&Person, i64),
        (committer, committed): (&Person, i64),
    ) -> Result<ObjectId, GitError> {
        let (author, committer) = (author.signature(authored), committer.signature(committed));
        let (mut a, mut c) = Default::default();
        let repository = self.local();
        // A zero byte ends the message for many readers, and git takes no commit that has one.
        let message = message.replace('\0', " ");
        let commit = repository
            .new_commit_as(
                committer.to_ref(&mut c),
                author.to_ref(&mut a),
                message,
                tree,
                parents.iter().copied(),
            )
            .map_err(|error| self.failed(&error))?;
        Ok(commit.id)
    }

    /// Reads a commit.
    ///
    /// # Errors
    /// [`GitError::Missing`] when it is not there.
    pub fn commit_info(&self, id: ObjectId) -> Result<CommitInfo, GitError> {
        let repository = self.local();
        let commit = repository.find_commit(id).map_err(|_| GitError::Missing {
            name: id.to_string(),
        })?;
        let decoded = commit.decode().map_err(|error| self.failed(&error))?;
        let person = |signature: gix::actor::SignatureRef<'_>| {
            let person = Person {
                name: signature.name.to_string(),
                email: signature.email.to_string(),
            };
            (person, signature.seconds())
        };
        let author = decoded.author().map_err(|error| self.failed(&error))?;
        let committer = decoded.committer().map_err(|error| self.failed(&error))?;
        let ((author, authored), (committer, committed)) = (person(author), person(committer));
        Ok(CommitInfo {
            id,
            tree: decoded.tree(),
            parents: decoded.parents().collect(),
            author,
            authored,
            committer,
            committed,
            message: decoded.message.to_string(),
        })
    }

    /// Writes blobs on all cores; each file is hashed first and written only when it is new.
    fn write_blobs<'a>(
        &self,
        files: &'a BTreeMap<String, Vec<u8>>,
    ) -> Result<Vec<(&'a str, ObjectId)>, GitError> {
        files
            .par_iter()
            .map_init(
                || self.local(),
                |repository, (path, bytes)| {
                    let id = repository
                        .write_blob(bytes)
                        .map_err(|error| self.failed(&error))?;
                    Ok((path.as_str(), id.detach()))
                },
            )
            .collect()
    }
}
