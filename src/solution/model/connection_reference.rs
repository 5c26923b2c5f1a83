//! Connection references.

use serde::Serialize;

use super::text;
use crate::solution::keyed::Node;

/// A connection reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConnectionReference {
    /// Logical name.
    pub name: String,
    /// What people see.
    pub display_name: String,
    /// The connector: `/providers/Microsoft.PowerApps/apis/shared_office365`.
    pub connector: String,
}

impl ConnectionReference {
    /// Reads a `connectionreference` element.
    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        let name = node.attribute("connectionreferencelogicalname")?.to_owned();
        Some(Self {
            display_name: node
                .at_path("connectionreferencedisplayname")
                .unwrap_or(&name)
                .to_owned(),
            connector: text(node, "connectorid"),
            name,
        })
    }
}
