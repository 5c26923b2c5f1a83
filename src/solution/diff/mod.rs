//! What differs between two solutions, told by component.
//!
//! Both sides are source trees; whoever has a zip unpacks it, whoever has a revision reads its
//! folder. Files that are equal are not read. What is told is complete: a difference that no rule
//! words well is shown by its place in the file.

mod canvas;
mod component;
mod deletions;
mod lines;
mod named;
pub mod render;
mod vocabulary;
pub(crate) mod words;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

pub use deletions::deletions;

use super::component::{ComponentType, Identity};
use super::{PackageError, SourceTree};

/// The differences between two solutions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Diff {
    /// The side that is compared with.
    pub old: Side,
    /// The side that is told about.
    pub new: Side,
    /// The components that differ, by kind and name.
    pub components: Vec<ComponentDiff>,
    /// What an upgrade of the managed solution from the old to the new side would delete; absent
    /// where the sides are no two versions of one managed solution and nobody asked all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletions: Option<Vec<Deletion>>,
}

/// One of the two solutions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Side {
    /// Unique name.
    pub name: String,
    /// Version.
    pub version: String,
}

/// What happened to a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Only the new side has it.
    Added,
    /// Only the old side has it.
    Removed,
    /// Both have it, and it differs.
    Changed,
}

/// A component that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ComponentDiff {
    /// Which one.
    #[serde(flatten)]
    pub identity: Identity,
    /// What a person calls its kind: `table`, `form`, `cloud flow`.
    pub kind: String,
    /// What a person calls it.
    pub name: String,
    /// The table it belongs to, for forms, views and charts.
    pub table: Option<String>,
    /// What happened to it.
    pub status: Status,
    /// Of an added or removed component, what it is, in lines.
    pub details: Vec<String>,
    /// Of a changed one, what changed.
    pub changes: Vec<Change>,
    /// The files that differ, of the new side where it has them.
    pub files: Vec<String>,
}

/// What happened to a piece of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has another value.
    Changed,
    /// It is somewhere else.
    Moved,
    /// Its pieces have another order.
    Reordered,
}

/// One change of a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change {
    /// What happened.
    pub what: What,
    /// The column, field, step or other piece it happened to; empty for the component itself.
    pub subject: String,
    /// What is around it: the tab and section of a field, the branch of a step.
    pub within: String,
    /// What about it changed; empty when all of it came or went.
    pub property: String,
    /// The old value, place or order.
    pub old: Option<String>,
    /// The new value, place or order.
    pub new: Option<String>,
    /// The changed lines of a text, as a unified diff.
    pub lines: Option<String>,
    /// The file it stands in.
    pub file: String,
    /// Line in that file, of the new side unless it is gone there.
    pub line: Option<u32>,
    /// The exact place in the document: `EntityInfo/entity/attributes/attribute[contoso_Fee]/Type`.
    pub place: String,
}

/// Something that an upgrade would delete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Deletion {
    /// Which component.
    #[serde(flatten)]
    pub identity: Identity,
    /// What a person calls its kind.
    pub kind: String,
    /// What a person calls it.
    pub name: String,
    /// The table it belongs to, where it is a part of one.
    pub table: Option<String>,
    /// Whether data of users is lost with it.
    pub loses_data: bool,
}

impl Diff {
    /// Whether the sides mean the same.
    pub fn is_empty(&self) -> bool {
        self.components.is_empty()
    }

    /// How many components were added, removed and changed.
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |status| {
            self.components
                .iter()
                .filter(|c| c.status == status)
                .count()
        };
        (
            count(Status::Added),
            count(Status::Removed),
            count(Status::Changed),
        )
    }
}

/// The JSON Schema (draft 2020-12) of what [`render::json`] writes.
pub fn json_schema() -> serde_json::Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings
        .into_generator()
        .into_root_schema_for::<Diff>()
        .to_value()
}

/// Compares two source trees.
///
/// # Errors
/// [`PackageError::NotATree`] if a side has no manifest. A file that is not well formed is no
/// error; it is compared by lines.
pub fn diff(old: &SourceTree, new: &SourceTree) -> Result<Diff, PackageError> {
    let side = |tree: &SourceTree| -> Result<Side, PackageError> {
        let manifest = tree.manifest()?;
        Ok(Side {
            name: manifest.unique_name,
            version: manifest.version.to_string(),
        })
    };
    let (old_side, new_side) = (side(old)?, side(new)?);
    let upgrade = deletions::are_upgrade(&old.manifest()?, &new.manifest()?);
    let mut components = component::compare(old, new);
    named::put_names(&mut components, [old, new]);
    components.sort_by_cached_key(sort_key);
    Ok(Diff {
        old: old_side,
        new: new_side,
        // A side that cannot be cut into components was compared by lines.
        deletions: upgrade.then(|| deletions(old, new).unwrap_or_default()),
        components,
    })
}

/// The solution first, then tables with what belongs to them, then the other kinds by name.
fn sort_key(component: &ComponentDiff) -> (u8, String, ComponentType, String, String) {
    let identity = &component.identity;
    let table = component.table.clone().unwrap_or_default();
    let (rank, table) = match &identity.component_type {
        ComponentType::Table(name) if name == "solution" => (0, String::new()),
        ComponentType::Code(1) => (1, identity.key.clone()),
        _ if !table.is_empty() => (1, table),
        _ => (2, String::new()),
    };
    (
        rank,
        table,
        identity.component_type.clone(),
        component.name.clone(),
        identity.key.clone(),
    )
}
