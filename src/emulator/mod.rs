//! The emulated tenant: Dataverse environments, an Azure DevOps organisation, a directory.
//!
//! A product, not a mock (DESIGN, section 5): it speaks the services' wire formats and answers from
//! what was really imported. What it does not emulate it refuses with `501` and the feature's name.

pub mod store;
