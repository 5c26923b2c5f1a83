//! Choices: lists of options, global ones and those of one column.

use serde::Serialize;

use super::{label_of, labels_of};
use crate::solution::keyed::Node;

/// A choice (option set).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// Its name.
    pub name: String,
    /// What people see.
    pub display_name: String,
    /// `picklist`, `bit` (yes or no), `state` or `status`.
    #[serde(rename = "type")]
    pub choice_type: String,
    /// Its options in their order.
    pub options: Vec<ChoiceOption>,
}

/// An option of a choice, also a state or a status reason of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChoiceOption {
    /// The number that rows hold.
    pub value: String,
    /// What people see: the first label of the package.
    pub label: String,
    /// The labels of all languages, each with the number of its language (1033 is English).
    pub labels: Vec<Label>,
    /// Its colour, `#0000ff`, where it has one.
    pub color: Option<String>,
}

/// A text in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    /// The number of the language: 1033 is English, 1031 German.
    pub language: String,
    /// The text.
    pub text: String,
}

impl Choice {
    /// Reads an `optionset` element.
    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        let name = node.attribute("Name")?.to_owned();
        Some(Self {
            display_name: label_of(node, "displaynames").unwrap_or_else(|| name.clone()),
            choice_type: node.at_path("OptionSetType").unwrap_or_default().to_owned(),
            options: options(node),
            name,
        })
    }
}

/// The options of an `optionset` element. States and status reasons stand in lists of their own.
pub(super) fn options(node: &Node<'_>) -> Vec<ChoiceOption> {
    ["options", "states", "statuses"]
        .into_iter()
        .filter_map(|list| node.child(list))
        .flat_map(Node::children)
        .map(|option| ChoiceOption {
            value: option.attribute("value").unwrap_or_default().to_owned(),
            label: label_of(option, "labels").unwrap_or_default(),
            labels: labels_of(option, "labels"),
            color: option
                .attribute("Color")
                .filter(|color| !color.is_empty())
                .map(str::to_owned),
        })
        .collect()
}
