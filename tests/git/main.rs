//! Git: bare repositories, the emulated Azure DevOps organisation, and real git clients.

mod objects;
