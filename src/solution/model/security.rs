//! Who may do what: security roles and column security profiles.

use serde::Serialize;

use super::{id_of, list, text};
use crate::solution::keyed::Node;

/// A security role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Role {
    /// Id, without braces.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it allows.
    pub privileges: Vec<Privilege>,
}

/// A privilege of a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Privilege {
    /// Its name: `prvReadcontoso_Permit`.
    pub name: String,
    /// How far it reaches: `Basic` (own rows), `Local` (business unit), `Deep` (units below too),
    /// `Global` (everything).
    pub depth: String,
}

impl Role {
    /// Reads a `Role` element.
    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        Some(Self {
            id: id_of(node.attribute("id")?),
            name: node.attribute("name")?.to_owned(),
            privileges: list(node, "RolePrivileges")
                .iter()
                .filter_map(|privilege| {
                    let attribute = |name| privilege.attribute(name).map(str::to_owned);
                    Some(Privilege {
                        name: attribute("name")?,
                        depth: attribute("level")?,
                    })
                })
                .collect(),
        })
    }
}

/// A column security profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnSecurityProfile {
    /// Id, without braces.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// What it allows, column by column.
    pub permissions: Vec<ColumnPermission>,
}

/// What a profile allows to do with one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnPermission {
    /// The table, in lower case.
    pub table: String,
    /// The column, in lower case.
    pub column: String,
    /// Whether its members may read it.
    pub read: bool,
    /// Whether they may give it a value in a new row.
    pub create: bool,
    /// Whether they may change it.
    pub update: bool,
}

impl ColumnSecurityProfile {
    /// Reads a `FieldSecurityProfile` element.
    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        Some(Self {
            id: id_of(node.attribute("fieldsecurityprofileid")?),
            name: text(node, "@name"),
            description: text(node, "@description"),
            permissions: list(node, "FieldPermissions")
                .iter()
                .map(ColumnPermission::read)
                .collect(),
        })
    }
}

impl ColumnPermission {
    fn read(node: &Node<'_>) -> Self {
        // 0 is not allowed, 4 is allowed.
        let allowed = |name: &str| !matches!(node.at_path(name), None | Some("0"));
        Self {
            table: text(node, "EntityName").to_lowercase(),
            column: text(node, "AttributeName").to_lowercase(),
            read: allowed("CanRead"),
            create: allowed("CanCreate"),
            update: allowed("CanUpdate"),
        }
    }
}
