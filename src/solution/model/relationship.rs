//! Relationships between tables.

use std::collections::BTreeMap;

use serde::Serialize;

use super::text;
use crate::solution::keyed::Node;

/// A relationship.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Relationship {
    /// Its name.
    pub name: String,
    /// `OneToMany` or `ManyToMany`.
    #[serde(rename = "type")]
    pub relationship_type: String,
    /// The table on the side of one, or the first of two, in lower case.
    pub from: String,
    /// The table on the side of many, or the second of two, in lower case.
    pub to: String,
    /// The lookup column on the side of many, in lower case.
    pub column: Option<String>,
    /// The table that holds the pairs of a many-to-many relationship.
    pub intersect: Option<String>,
    /// What happens to the rows on the side of many, by operation (`Assign`, `Delete`,
    /// `Reparent` …): `NoCascade`, `Cascade`, `RemoveLink`, `Restrict` …
    pub cascades: BTreeMap<String, String>,
}

impl Relationship {
    /// Reads an `EntityRelationship` element; a bare name, as the list of a source tree has it, is
    /// none.
    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        let lower = |name: &str| {
            let value = node.at_path(name).filter(|value| !value.is_empty());
            value.map(str::to_lowercase)
        };
        Some(Self {
            name: node.attribute("Name")?.to_owned(),
            relationship_type: node.at_path("EntityRelationshipType")?.to_owned(),
            from: lower("ReferencedEntityName")
                .or_else(|| lower("FirstEntityName"))
                .unwrap_or_default(),
            to: lower("ReferencingEntityName")
                .or_else(|| lower("SecondEntityName"))
                .unwrap_or_default(),
            column: lower("ReferencingAttributeName"),
            intersect: lower("IntersectEntityName"),
            cascades: node
                .children()
                .iter()
                .filter_map(|child| {
                    let operation = child.name.strip_prefix("Cascade")?;
                    Some((operation.to_owned(), text(child, ".")))
                })
                .collect(),
        })
    }
}
