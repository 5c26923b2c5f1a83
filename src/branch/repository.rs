//! A repository and its branches, as scripts use them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{BranchError, GitHost, Remote};
use crate::git::{BareRepository, EntryKind, ObjectId};
use crate::transport::Cancel;

/// A repository: its host and its objects. Cheap to clone.
#[derive(Clone)]
pub struct Repository(Arc<Inner>);

struct Inner {
    name: String,
    default_branch: String,
    host: Arc<dyn GitHost>,
    preparer: Option<Arc<dyn GitHost>>,
    remote: Box<dyn Remote>,
    cancel: Cancel,
}

/// A branch and its head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchHead {
    /// The name without `refs/heads/`.
    pub name: String,
    /// The commit.
    pub commit: ObjectId,
}

/// A branch of a repository, which may not exist yet. Cheap to clone.
#[derive(Clone)]
pub struct Branch {
    repository: Repository,
    name: String,
}

impl Repository {
    /// The repository called `name` in the workspace, on `host`, with its objects in `remote`.
    /// Everything that waits looks at `cancel`.
    ///
    /// # Errors
    /// When the host does not answer.
    pub fn open(
        name: impl Into<String>,
        host: Arc<dyn GitHost>,
        remote: Box<dyn Remote>,
        cancel: Cancel,
    ) -> Result<Self, BranchError> {
        Self::open_prepared(name, host, None, remote, cancel)
    }

    /// As [`Repository::open`]; `preparer` is the same host for whoever prepares it, where that is not
    /// whoever works there.
    pub(super) fn open_prepared(
        name: impl Into<String>,
        host: Arc<dyn GitHost>,
        preparer: Option<Arc<dyn GitHost>>,
        remote: Box<dyn Remote>,
        cancel: Cancel,
    ) -> Result<Self, BranchError> {
        let about = host.repository()?;
        let default_branch = about.default_branch.unwrap_or_else(|| "main".into());
        let name = name.into();
        let repository = Self(Arc::new(Inner {
            name,
            default_branch,
            host,
            preparer,
            remote,
            cancel,
        }));
        repository.refresh()?;
        Ok(repository)
    }

    /// Its name in the workspace.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The default branch, without `refs/heads/`.
    pub fn default_branch(&self) -> &str {
        &self.0.default_branch
    }

    /// The host: pull requests, builds, policies.
    pub fn host(&self) -> &dyn GitHost {
        self.0.host.as_ref()
    }

    /// The host as whoever prepares it: pipelines, policies and approval checks, which a maker need not
    /// have the right to change.
    pub(super) fn preparer(&self) -> &dyn GitHost {
        self.0.preparer.as_ref().unwrap_or(&self.0.host).as_ref()
    }

    /// The host, for whoever goes on with it alone.
    pub fn shared_host(&self) -> Arc<dyn GitHost> {
        self.0.host.clone()
    }

    /// The objects.
    pub fn store(&self) -> &BareRepository {
        self.0.remote.store()
    }

    /// The flag that every wait looks at.
    pub fn cancel(&self) -> &Cancel {
        &self.0.cancel
    }

    /// Brings branches and objects up to date with the host.
    ///
    /// # Errors
    /// When the remote cannot be reached.
    pub fn refresh(&self) -> Result<(), BranchError> {
        self.0.remote.refresh(&[], &self.0.cancel)
    }

    /// The branch called `name`, whether or not it exists.
    pub fn branch(&self, name: &str) -> Branch {
        let name = name.trim_start_matches("refs/heads/").to_owned();
        Branch {
            repository: self.clone(),
            name,
        }
    }

    /// All branches, sorted by name.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn branches(&self) -> Result<Vec<BranchHead>, BranchError> {
        let references = self.store().references("refs/heads/")?;
        let head = |reference: crate::git::Reference| BranchHead {
            name: reference.name.trim_start_matches("refs/heads/").to_owned(),
            commit: reference.id,
        };
        Ok(references.into_iter().map(head).collect())
    }

    /// The commit that `text` names: a branch, a tag, a reference such as `refs/pull/7/merge`, or
    /// a commit id. What is not here yet is fetched.
    ///
    /// # Errors
    /// When it names nothing.
    pub fn resolve(&self, text: &str) -> Result<ObjectId, BranchError> {
        if let Ok(id) = self.store().resolve(text) {
            return Ok(id);
        }
        if text.starts_with("refs/") {
            self.0.remote.refresh(&[text], &self.0.cancel)?;
        } else {
            self.refresh()?;
        }
        Ok(self.store().resolve(text)?)
    }

    /// The files below a folder of a commit, with paths relative to it.
    ///
    /// # Errors
    /// When the commit is not there.
    pub fn read_folder(
        &self,
        commit: ObjectId,
        folder: &str,
    ) -> Result<BTreeMap<String, Vec<u8>>, BranchError> {
        Ok(self.store().read_folder(commit, folder.trim_matches('/'))?)
    }

    /// The folders of a commit that hold a solution: those with a `SolutionPackage` folder in them
    /// (facts/alm-accelerator.md, section 2.1), sorted.
    ///
    /// # Errors
    /// When the commit is not there.
    pub fn solution_folders(&self, commit: ObjectId) -> Result<Vec<String>, BranchError> {
        let mut found = BTreeSet::new();
        for file in self.store().files(commit, "")? {
            if let Some((folder, _)) = file.path.split_once("/SolutionPackage/") {
                found.insert(folder.to_owned());
            }
        }
        Ok(found.into_iter().collect())
    }

    pub(super) fn publish(
        &self,
        name: &str,
        old: Option<ObjectId>,
        new: Option<ObjectId>,
    ) -> Result<(), BranchError> {
        self.0.remote.publish(name, old, new, &self.0.cancel)
    }
}

impl Branch {
    /// The repository.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The name without `refs/heads/`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name with `refs/heads/`.
    pub fn full_name(&self) -> String {
        format!("refs/heads/{}", self.name)
    }

    /// The head, or `None` when there is no such branch.
    ///
    /// # Errors
    /// When the name is not allowed or the repository cannot be read.
    pub fn head(&self) -> Result<Option<ObjectId>, BranchError> {
        Ok(self.repository.store().reference(&self.full_name())?)
    }

    /// The head of a branch that has to be there.
    ///
    /// # Errors
    /// [`BranchError::NoBranch`] when it is not.
    pub fn commit_id(&self) -> Result<ObjectId, BranchError> {
        self.head()?
            .ok_or_else(|| BranchError::NoBranch(self.name.clone()))
    }

    /// Makes this branch where `from` is.
    ///
    /// # Errors
    /// [`BranchError::BranchExists`], [`BranchError::NoBranch`] for `from`, and those of the host.
    pub fn create_from(&self, from: &Self) -> Result<(), BranchError> {
        self.repository.refresh()?;
        let start = from.commit_id()?;
        if self.head()?.is_some() {
            return Err(BranchError::BranchExists(self.name.clone()));
        }
        self.repository
            .publish(&self.full_name(), None, Some(start))?;
        self.repository.refresh()
    }

    /// Deletes this branch; it is no error when it is not there.
    ///
    /// # Errors
    /// Those of the host.
    pub fn delete(&self) -> Result<(), BranchError> {
        self.repository.refresh()?;
        match self.head()? {
            Some(head) => self.repository.publish(&self.full_name(), Some(head), None),
            None => Ok(()),
        }
    }

    /// The bytes of a file of this branch's head, or `None`.
    ///
    /// # Errors
    /// When there is no such branch.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>, BranchError> {
        Ok(self
            .repository
            .store()
            .read_file(self.commit_id()?, path.trim_matches('/'))?)
    }

    /// The paths of all files below a folder of this branch's head, from the root.
    ///
    /// # Errors
    /// When there is no such branch.
    pub fn files(&self, folder: &str) -> Result<Vec<String>, BranchError> {
        let files = self
            .repository
            .store()
            .files(self.commit_id()?, folder.trim_matches('/'))?;
        let files = files
            .into_iter()
            .filter(|file| file.kind != EntryKind::Submodule);
        Ok(files.map(|file| file.path).collect())
    }
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repository")
            .field("name", &self.0.name)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Branch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Branch")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
