//! Tables and their columns.

use serde::Serialize;

use super::choice::{self, ChoiceOption};
use super::{label_of, list};
use crate::solution::keyed::Node;

/// A table as a package describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Table {
    /// Logical name, in lower case.
    pub name: String,
    /// Schema name, with capitals.
    pub schema_name: String,
    /// What people see.
    pub display_name: String,
    /// Its columns in the order of the package; empty when the package only holds the shell.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
    /// Alternate keys.
    pub keys: Vec<AlternateKey>,
}

/// Columns that together tell the rows of a table apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlternateKey {
    /// Logical name.
    pub name: String,
    /// What people see.
    pub display_name: String,
    /// The columns, in their order.
    pub columns: Vec<String>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Logical name.
    pub name: String,
    /// Schema name, with capitals.
    pub schema_name: String,
    /// What people see.
    pub display_name: String,
    /// `nvarchar`, `money`, `lookup`, `picklist` …
    #[serde(rename = "type")]
    pub column_type: String,
    /// Length of a text in characters.
    pub length: Option<u32>,
    /// Whether and how it must be filled: `none`, `recommended`, `required`, `systemrequired`.
    pub required: String,
    /// The choice it uses, if it is a global one.
    pub choice: Option<String>,
    /// The options of a choice that only this column has, also of yes and no, states and status
    /// reasons.
    pub options: Vec<ChoiceOption>,
    /// The tables a lookup points to.
    pub targets: Vec<String>,
    /// Whether it was made by a person and not by the system.
    pub custom: bool,
    /// Whether it is calculated or a rollup.
    pub computed: bool,
    /// Whether only column security profiles give access to it.
    pub secured: bool,
}

impl Table {
    /// Reads an `Entity` element.
    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        let schema_name = node.at_path("Name")?.to_owned();
        let entity = node
            .child("EntityInfo")
            .and_then(|info| info.child("entity"));
        let list = |name: &str| entity.map(|entity| list(entity, name)).unwrap_or_default();
        Some(Self {
            name: schema_name.to_lowercase(),
            display_name: node
                .at_path("Name/@LocalizedName")
                .filter(|name| !name.is_empty())
                .or_else(|| {
                    node.at_path("EntityInfo/entity/LocalizedNames/LocalizedName/@description")
                })
                .unwrap_or(&schema_name)
                .to_owned(),
            columns: list("attributes").iter().filter_map(Column::read).collect(),
            keys: list("EntityKeys")
                .iter()
                .filter_map(AlternateKey::read)
                .collect(),
            schema_name,
        })
    }
}

impl AlternateKey {
    /// Reads an `EntityKey` element.
    fn read(node: &Node<'_>) -> Option<Self> {
        let name = node.at_path("LogicalName").or(node.at_path("Name"));
        let name = name.or(node.attribute("LogicalName"))?.to_owned();
        Some(Self {
            display_name: label_of(node, "displaynames").unwrap_or_else(|| name.clone()),
            columns: list(node, "EntityKeyAttributes")
                .iter()
                .filter_map(|column| column.value().map(str::to_owned))
                .collect(),
            name,
        })
    }
}

impl Column {
    /// Reads an `attribute` element of a table.
    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        let text = |path: &str| node.at_path(path).map(str::to_owned);
        let schema_name = text("@PhysicalName")?;
        Some(Self {
            name: text("LogicalName").unwrap_or_else(|| schema_name.to_lowercase()),
            display_name: label_of(node, "displaynames").unwrap_or_else(|| schema_name.clone()),
            column_type: text("Type").unwrap_or_default(),
            length: text("MaxLength")
                .or_else(|| text("Length"))
                .and_then(|length| length.parse().ok()),
            required: text("RequiredLevel").unwrap_or_default(),
            choice: text("OptionSetName"),
            options: node
                .child("optionset")
                .map(choice::options)
                .unwrap_or_default(),
            targets: list(node, "LookupTypes")
                .iter()
                .filter_map(|target| target.value().map(str::to_owned))
                .collect(),
            custom: node.at_path("IsCustomField") == Some("1"),
            computed: node.child("FormulaDefinitionFileName").is_some(),
            secured: node.at_path("IsSecured") == Some("1"),
            schema_name,
        })
    }

    /// The column in a few words: `nvarchar(100), required`.
    pub fn summary(&self) -> String {
        let mut out = self.column_type.clone();
        if let Some(length) = self
            .length
            .filter(|_| self.column_type.contains("char") || self.column_type == "ntext")
        {
            out.push_str(&format!("({length})"));
        }
        if !self.targets.is_empty() {
            out.push_str(&format!(" to {}", self.targets.join(", ")));
        }
        if let Some(choice) = &self.choice {
            out.push_str(&format!(" of {choice}"));
        }
        if !matches!(self.required.as_str(), "" | "none") {
            out.push_str(&format!(", {}", self.required));
        }
        if self.computed {
            out.push_str(", computed");
        }
        out
    }
}
