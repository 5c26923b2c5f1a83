//! Git: bare repositories, the emulated Azure DevOps organisation, and real git clients.

mod azure_devops;
mod client;
mod objects;
mod scripting;
#[cfg(feature = "serve")]
mod served;
mod tenant;
