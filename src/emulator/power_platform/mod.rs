//! The Power Platform's own services beside Dataverse: apps, connections, environments, flows.

mod connection;

pub use connection::Connection;
