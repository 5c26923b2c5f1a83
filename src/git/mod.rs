//! Bare git repositories: objects, trees, commits, references and merges, without a work tree.
//!
//! This is the only module that imports `gix`, whose interface changes often. It stands on the
//! ground floor because two sides need it: `branch/`, which builds commits from solution folders,
//! and the emulated Azure DevOps, which merges pull requests. It knows no remotes: fetching and
//! pushing is the business of `branch/remote/`.

mod commit;
mod files;
mod history;
mod merge;
mod references;

use std::path::{Path, PathBuf};

pub use commit::{Changes, CommitInfo, Person};
pub use files::{Entry, EntryKind};
pub use gix::ObjectId;
pub use history::{ChangeKind, LogOptions, PathChange};
pub use merge::Merge;
pub use references::{Expected, Reference};

use crate::portable_path::{self, DotNames, UnsafePath};
use crate::problem::Problem;

/// A bare repository on this machine. It can be shared between threads, and several processes may
/// work on the same folder: objects are only added, and a reference moves by compare and set.
#[derive(Clone)]
pub struct BareRepository {
    inner: gix::ThreadSafeRepository,
    path: PathBuf,
}

/// Why work on a bare repository failed.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no repository, or it cannot be read.
    #[error("cannot open the git repository {path}: {reason}")]
    Open {
        /// The folder.
        path: PathBuf,
        /// What the git layer said.
        reason: String,
    },
    /// A branch, tag or commit that is not there.
    #[error("`{name}` is not in the repository")]
    Missing {
        /// What was looked for.
        name: String,
    },
    /// The reference moved since it was read, or exists although it should be new.
    #[error("`{name}` has moved meanwhile")]
    Stale {
        /// The reference's full name.
        name: String,
    },
    /// A name that git does not allow for a reference.
    #[error("`{name}` is not a name that git allows")]
    BadName {
        /// The name.
        name: String,
    },
    /// A file path that no repository should hold.
    #[error("`{path}` cannot be a file of a repository: {reason}")]
    BadPath {
        /// The path.
        path: String,
        /// Which rule it breaks.
        reason: UnsafePath,
    },
    /// Anything else: a damaged object, a full disk, a lock that another process holds.
    #[error("git repository {path}: {reason}")]
    Failed {
        /// The repository's folder.
        path: PathBuf,
        /// What the git layer said.
        reason: String,
    },
}

impl Problem for GitError {
    fn code(&self) -> &'static str {
        match self {
            Self::Open { .. } => "ALM-B001",
            Self::Missing { .. } => "ALM-B002",
            Self::Stale { .. } => "ALM-B003",
            Self::BadName { .. } => "ALM-B004",
            Self::BadPath { .. } => "ALM-B005",
            Self::Failed { .. } => "ALM-B006",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Open { .. } => "delete the folder: it is made again from its remote".into(),
            Self::Missing { .. } => "look at the list of branches; names are case-sensitive".into(),
            Self::Stale { .. } => {
                "someone else changed the branch; run it again on its new state".into()
            }
            Self::BadName { .. } => {
                "use letters, digits, `-`, `_`, `.` and `/`; no spaces, no `..`".into()
            }
            Self::BadPath { .. } => "rename the file".into(),
            Self::Failed { .. } => return None,
        })
    }
}

impl BareRepository {
    /// Makes an empty bare repository in `path` whose default branch is `default_branch` (a short
    /// name such as `main`).
    ///
    /// # Errors
    /// When the folder is not empty or cannot be written, or the name is not allowed.
    pub fn init(path: &Path, default_branch: &str) -> Result<Self, GitError> {
        let head = references::full_name(&format!("refs/heads/{default_branch}"))?;
        std::fs::create_dir_all(path).map_err(|error| open_error(path, &error))?;
        gix::ThreadSafeRepository::init_opts(
            path,
            gix::create::Kind::Bare,
            gix::create::Options::default(),
            gix::open::Options::isolated(),
        )
        .map_err(|error| open_error(path, &error))?;
        let repository = Self::open(path)?;
        repository.set_head(head.as_bstr().to_string().as_str())?;
        Ok(repository)
    }

    /// Opens the bare repository in `path`.
    ///
    /// The user's and the machine's git configuration are not read, so that the same calls have
    /// the same effect everywhere.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn open(path: &Path) -> Result<Self, GitError> {
        let options = gix::open::Options::isolated()
            .open_path_as_is(true)
            // Several processes share the emulated tenant's repositories; locks last microseconds.
            .config_overrides([
                "core.filesRefLockTimeout=5000",
                "core.packedRefsTimeout=5000",
            ]);
        let inner = options
            .open(path)
            .map_err(|error| open_error(path, &error))?;
        Ok(Self {
            inner,
            path: path.to_owned(),
        })
    }

    /// The repository's folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A handle for the calling thread.
    fn local(&self) -> gix::Repository {
        let mut repository = self.inner.to_thread_local();
        repository.object_cache_size_if_unset(8 * 1024 * 1024);
        repository
    }

    fn failed(&self, error: &dyn std::error::Error) -> GitError {
        GitError::Failed {
            path: self.path.clone(),
            reason: chain(error),
        }
    }
}

impl std::fmt::Debug for BareRepository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BareRepository")
            .field("path", &self.path)
            .finish()
    }
}

/// Asks [`portable_path::check`] whether `path` can be a file's path in a repository; names that
/// begin with a dot can.
///
/// # Errors
/// [`GitError::BadPath`] with the broken rule.
pub fn check_path(path: &str) -> Result<(), GitError> {
    portable_path::check(path, DotNames::Allowed).map_err(|reason| GitError::BadPath {
        path: path.to_owned(),
        reason,
    })
}

/// Checks a path that may be in a repository already, and be it only to go away: one that a system
/// cannot check out must not stay for ever.
fn check_entries(path: &str) -> Result<(), GitError> {
    path.split('/')
        .try_for_each(|name| portable_path::check_git_entry(name.as_bytes()))
        .map_err(|reason| GitError::BadPath {
            path: path.to_owned(),
            reason,
        })
}

fn open_error(path: &Path, error: &dyn std::error::Error) -> GitError {
    GitError::Open {
        path: path.to_owned(),
        reason: chain(error),
    }
}

/// The error and what caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let more = cause.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        next = cause.source();
    }
    text.replace('\n', " ")
}
