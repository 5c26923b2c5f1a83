//! Where a repository's objects are, and how they get to its host.
//!
//! Two ways: a mirror on this machine that the `git` program keeps in step with a real remote
//! ([`GitProgram`]), and the bare repository of an emulated organisation, which is on this machine
//! already ([`SharedStore`]) and needs no `git`.

mod git_program;
mod shared_store;

pub use git_program::{GitProgram, SignIn};
pub use shared_store::SharedStore;

use super::BranchError;
use crate::git::{BareRepository, ObjectId};
use crate::transport::Cancel;

/// The objects of a remote repository, and its references.
pub trait Remote: Send + Sync {
    /// The bare repository on this machine. Its references are the remote's as of the last
    /// [`Remote::refresh`].
    fn store(&self) -> &BareRepository;

    /// Brings the references and their objects up to date. `more` names references that are not
    /// branches or tags, such as `refs/pull/7/merge`.
    ///
    /// # Errors
    /// When the remote cannot be reached or read, or `cancel` is raised.
    fn refresh(&self, more: &[&str], cancel: &Cancel) -> Result<(), BranchError>;

    /// Creates (`old` left out), moves or deletes (`new` left out) a reference of the remote, if it
    /// is what `old` says; the objects go first.
    ///
    /// # Errors
    /// [`BranchError::Changed`] when it is not, [`BranchError::Policy`] when the branch takes no
    /// pushes, and those of reaching the remote.
    fn publish(
        &self,
        name: &str,
        old: Option<ObjectId>,
        new: Option<ObjectId>,
        cancel: &Cancel,
    ) -> Result<(), BranchError>;
}
