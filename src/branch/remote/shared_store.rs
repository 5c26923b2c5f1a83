//! The bare repository of an emulated organisation on this machine.

use std::path::Path;
use std::sync::Arc;

use super::Remote;
use crate::branch::{BranchError, GitHost};
use crate::git::{BareRepository, ObjectId};
use crate::transport::Cancel;

/// Objects go straight into the host's own repository; references move through its Web API, so
/// that a push meets policies and sets off builds as any push does.
pub struct SharedStore {
    store: BareRepository,
    host: Arc<dyn GitHost>,
}

impl SharedStore {
    /// The repository in `folder`, which is the one of `host`.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(folder: &Path, host: Arc<dyn GitHost>) -> Result<Self, BranchError> {
        Ok(Self {
            store: BareRepository::open(folder)?,
            host,
        })
    }
}

impl Remote for SharedStore {
    fn store(&self) -> &BareRepository {
        &self.store
    }

    fn refresh(&self, _more: &[&str], cancel: &Cancel) -> Result<(), BranchError> {
        cancel.check()?;
        Ok(())
    }

    fn publish(
        &self,
        name: &str,
        old: Option<ObjectId>,
        new: Option<ObjectId>,
        cancel: &Cancel,
    ) -> Result<(), BranchError> {
        cancel.check()?;
        self.host.update_reference(name, old, new)
    }
}
