//! A solution package as scripts hold it.

use std::ops::Deref;
use std::sync::Arc;

use serde_json::Value;

use super::HostError;
use crate::script::Context;
use crate::script::kept::Keep;
use crate::solution;

/// A package in a script: cheap to clone, never changed. As a step's result it is kept by its
/// hash.
#[derive(Debug, Clone)]
pub struct Package(Arc<solution::Package>);

impl Package {
    /// Hands a package to scripts.
    pub fn new(package: solution::Package) -> Self {
        Self(Arc::new(package))
    }

    /// The archive.
    ///
    /// # Errors
    /// As [`solution::Package::to_zip`].
    pub fn zip(&self) -> Result<Vec<u8>, HostError> {
        Ok(self.0.to_zip()?)
    }
}

impl Deref for Package {
    type Target = solution::Package;

    fn deref(&self) -> &solution::Package {
        &self.0
    }
}

impl Keep for Package {
    const KIND: &'static str = "package";

    fn keep(&self, context: &Context) -> Result<Value, HostError> {
        Ok(context.artifacts().put(&self.zip()?)?.into())
    }

    fn revive(kept: &Value, context: &Context) -> Result<Self, HostError> {
        let bytes = context.artifacts().get(kept.as_str().unwrap_or_default())?;
        Ok(Self::new(solution::Package::from_zip(&bytes)?))
    }
}
