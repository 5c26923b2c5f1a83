//! Reading history: log, ancestry and differences.

use gix::object::tree::diff::ChangeDetached;
use gix::revision::walk::Sorting;
use gix::traverse::commit::simple::CommitTimeOrder;

use super::{BareRepository, CommitInfo, EntryKind, GitError, ObjectId};

/// What a log leaves out.
#[derive(Debug, Clone, Default)]
pub struct LogOptions {
    /// Commits that are reachable from these are left out.
    pub hidden: Vec<ObjectId>,
    /// Only commits that change something at or below this path, compared with their first parent.
    pub path: Option<String>,
    /// How many matching commits to pass over first.
    pub skip: usize,
    /// How many to return at most.
    pub limit: Option<usize>,
}

/// A file that differs between two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathChange {
    /// The file's path; for a renamed file the new one.
    pub path: String,
    /// How it differs.
    pub kind: ChangeKind,
    /// The blob after the change, or before it for a deleted file.
    pub id: ObjectId,
}

/// How a file differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// Its content or mode changed.
    Edited,
    /// It is gone.
    Deleted,
}

impl BareRepository {
    /// The commits reachable from `from`, newest first.
    ///
    /// # Errors
    /// When a commit is not there or the repository cannot be read.
    pub fn log(&self, from: ObjectId, options: &LogOptions) -> Result<Vec<CommitInfo>, GitError> {
        let repository = self.local();
        let walk = repository
            .rev_walk([from])
            .sorting(Sorting::ByCommitTime(CommitTimeOrder::NewestFirst))
            .with_hidden(options.hidden.iter().copied())
            .all()
            .map_err(|error| self.failed(&error))?;
        let mut skip = options.skip;
        let mut found = Vec::new();
        for step in walk {
            if options.limit.is_some_and(|limit| found.len() >= limit) {
                break;
            }
            let id = step.map_err(|error| self.failed(&error))?.id;
            let info = self.commit_info(id)?;
            if let Some(path) = &options.path {
                let before = match info.parents.first() {
                    Some(parent) => self.entry(*parent, path)?.map(|entry| entry.id),
                    None => None,
                };
                if self.entry(id, path)?.map(|entry| entry.id) == before {
                    continue;
                }
            }
            if skip > 0 {
                skip -= 1;
                continue;
            }
            found.push(info);
        }
        Ok(found)
    }

    /// The best common ancestor of two commits.
    ///
    /// # Errors
    /// When a commit is not there or the repository cannot be read.
    pub fn merge_base(&self, a: ObjectId, b: ObjectId) -> Result<Option<ObjectId>, GitError> {
        let repository = self.local();
        let base = repository
            .merge_base(a, b)
            .map_err(|error| self.failed(&error))?;
        Ok(base.map(gix::Id::detach))
    }

    /// Whether `ancestor` is `commit` or one of its ancestors.
    ///
    /// # Errors
    /// When a commit is not there or the repository cannot be read.
    pub fn is_ancestor(&self, ancestor: ObjectId, commit: ObjectId) -> Result<bool, GitError> {
        Ok(ancestor == commit || self.merge_base(ancestor, commit)? == Some(ancestor))
    }

    /// How many commits `a` has that `b` has not, and the reverse.
    ///
    /// # Errors
    /// When a commit is not there or the repository cannot be read.
    pub fn ahead_behind(&self, a: ObjectId, b: ObjectId) -> Result<(usize, usize), GitError> {
        let count = |from, hidden| -> Result<usize, GitError> {
            let repository = self.local();
            let walk = repository
                .rev_walk([from])
                .with_hidden([hidden])
                .all()
                .map_err(|error| self.failed(&error))?;
            let mut count = 0;
            for step in walk {
                step.map_err(|error| self.failed(&error))?;
                count += 1;
            }
            Ok(count)
        };
        Ok((count(a, b)?, count(b, a)?))
    }

    /// The files that differ between two commits, sorted by path; without `old` all files of
    /// `new`. A renamed file appears as one deleted and one added.
    ///
    /// # Errors
    /// When a commit is not there or the repository cannot be read.
    pub fn diff(&self, old: Option<ObjectId>, new: ObjectId) -> Result<Vec<PathChange>, GitError> {
        let repository = self.local();
        let old = match old {
            Some(commit) => self.tree(&repository, commit)?,
            None => repository.empty_tree(),
        };
        let new = self.tree(&repository, new)?;
        self.diff_trees(&repository, &old, &new)
    }

    fn diff_trees(
        &self,
        repository: &gix::Repository,
        old: &gix::Tree<'_>,
        new: &gix::Tree<'_>,
    ) -> Result<Vec<PathChange>, GitError> {
        let options = gix::diff::Options::default().with_rewrites(None);
        let changes = repository
            .diff_tree_to_tree(old, new, options)
            .map_err(|error| self.failed(&error))?;
        let mut found = Vec::new();
        for change in changes {
            let (location, mode, id, kind) = match change {
                ChangeDetached::Addition {
                    location,
                    entry_mode,
                    id,
                    ..
                } => (location, entry_mode, id, ChangeKind::Added),
                ChangeDetached::Deletion {
                    location,
                    entry_mode,
                    id,
                    ..
                } => (location, entry_mode, id, ChangeKind::Deleted),
                ChangeDetached::Modification {
                    location,
                    entry_mode,
                    id,
                    ..
                }
                | ChangeDetached::Rewrite {
                    location,
                    entry_mode,
                    id,
                    ..
                } => (location, entry_mode, id, ChangeKind::Edited),
            };
            if EntryKind::from(mode.kind()) != EntryKind::Folder {
                found.push(PathChange {
                    path: location.to_string(),
                    kind,
                    id,
                });
            }
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }
}
