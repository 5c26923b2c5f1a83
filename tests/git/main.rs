//! Git: bare repositories, the emulated Azure DevOps organisation, and real git clients.

mod azure_devops;
mod objects;
mod tenant;
