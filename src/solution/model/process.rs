//! Processes: cloud flows, classic workflows, business rules, actions, business process flows.

use serde::Serialize;

use super::{Flow, id_of, label_of, text, words};
use crate::solution::component::{Component, process_name};
use crate::solution::keyed::{Node, xml};

/// A process. All kinds share the table `workflow` and are told apart by their category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Process {
    /// Id, without braces.
    pub id: String,
    /// What people see.
    pub name: String,
    /// `cloud flow`, `business rule`, `workflow`, `action`, `business process flow`,
    /// `desktop flow`.
    pub kind: String,
    /// Whether it is on.
    pub active: bool,
    /// The table that it is about; nothing for those that are about none.
    pub table: Option<String>,
    /// What sets a classic workflow off: `create`, `delete`, and `update` for columns.
    pub triggers: Vec<String>,
    /// The columns whose change sets a classic workflow off.
    pub trigger_columns: Vec<String>,
    /// Of a business rule: whether it applies to the table everywhere (`table`) or on forms only
    /// (`forms`).
    pub scope: Option<String>,
    /// The columns that a business rule looks at.
    pub reads: Vec<String>,
    /// What a business rule does, in the order of its definition.
    pub actions: Vec<RuleAction>,
    /// The definition of a cloud flow.
    pub flow: Option<Flow>,
    /// Why the definition could not be read.
    pub problem: Option<String>,
}

/// Something that a business rule does to a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleAction {
    /// What it does, as the definition calls it: `SetFieldRequiredLevel`, `SetMessage`,
    /// `SetVisibility`, `SetDisplayMode`, `SetEntityProperty`.
    pub action: String,
    /// The column.
    pub column: String,
    /// What is set, where the definition says it in a word: `Required`.
    pub value: Option<String>,
}

impl Process {
    /// Reads a `Workflow` element with the definition beside it. A definition that cannot be read
    /// is told in `problem`.
    pub(crate) fn read(node: &Node<'_>, component: &Component) -> Option<Self> {
        let category = node.at_path("Category").map(str::trim);
        let mut process = Self {
            id: id_of(node.attribute("WorkflowId")?),
            name: label_of(node, "LocalizedNames").unwrap_or_else(|| text(node, "@Name")),
            kind: process_name(category).to_owned(),
            active: node.at_path("StateCode") == Some("1"),
            table: node
                .at_path("PrimaryEntity")
                .filter(|table| !table.is_empty() && *table != "none")
                .map(str::to_owned),
            triggers: Vec::new(),
            trigger_columns: words(&text(node, "TriggerOnUpdateAttributeList")),
            scope: None,
            reads: Vec::new(),
            actions: Vec::new(),
            flow: None,
            problem: None,
        };
        for (place, word) in [("TriggerOnCreate", "create"), ("TriggerOnDelete", "delete")] {
            if node.at_path(place) == Some("1") {
                process.triggers.push(word.to_owned());
            }
        }
        if !process.trigger_columns.is_empty() {
            process.triggers.push("update".to_owned());
        }
        if let Some(file) = component.payload_ending(".json") {
            match Flow::read(&file.name, &file.bytes) {
                Ok(flow) => process.flow = Some(flow),
                Err(error) => process.problem = Some(error.to_string()),
            }
        }
        if category == Some("2") {
            process.scope = match node.at_path("ProcessTriggerScope") {
                Some("1") => Some("forms".to_owned()),
                Some("2") => Some("table".to_owned()),
                _ => None,
            };
            if let Some(file) = component.payload_ending(".xaml") {
                let definition = String::from_utf8_lossy(&file.bytes);
                match xml::read(&definition) {
                    Ok(document) => process.take(&document.root),
                    Err(fault) => {
                        let error = fault.in_file(&file.name, &definition);
                        process.problem = Some(error.to_string());
                    }
                }
            }
        }
        Some(process)
    }

    /// Takes what the definition of a business rule reads and does.
    fn take(&mut self, node: &Node<'_>) {
        let (_, name) = node.name.split_once(':').unwrap_or(("", &node.name));
        let column = node.attribute("ControlId").or(node.attribute("Attribute"));
        if let Some(column) = column {
            if name != "GetEntityProperty" {
                self.actions.push(RuleAction {
                    action: name.to_owned(),
                    column: column.to_owned(),
                    value: ["RequiredLevel", "IsVisible", "IsReadOnly"]
                        .into_iter()
                        .find_map(|name| node.attribute(name))
                        .map(str::to_owned),
                });
            } else if !self.reads.iter().any(|known| known == column) {
                self.reads.push(column.to_owned());
            }
        }
        for child in node.children() {
            self.take(child);
        }
    }
}
