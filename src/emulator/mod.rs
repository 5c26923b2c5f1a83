//! The emulated tenant: Dataverse environments, an Azure DevOps organisation, a directory.
//!
//! A product, not a mock (DESIGN, section 5): it speaks the services' wire formats and answers from
//! what was really imported. What it does not emulate it refuses with `501` and the feature's name.
//!
//! [`Tenant`] is the way in: it opens the state and answers requests as the service whose host is
//! called. [`call::Call`] is a request taken apart; each part (`token`, `dataverse`,
//! `power_platform`, …) turns one into a response inside the request's one transaction.

pub mod audience;
pub mod azure_devops;
pub mod call;
pub mod clock;
pub mod credentials;
pub mod dataverse;
pub mod definition;
pub mod directory;
pub mod fault;
pub mod power_platform;
#[cfg(feature = "serve")]
pub mod serve;
pub mod store;
mod tenant;
pub mod token;

pub use clock::Clock;
pub use definition::TenantDefinition;
pub use tenant::{EmulatorError, Tenant};
