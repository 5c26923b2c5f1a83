//! Environment variables.

use bytes::Bytes;
use serde::Serialize;

use super::text;
use crate::solution::SourceTree;
use crate::solution::keyed::{Node, with_document};

/// An environment variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Variable {
    /// Schema name.
    pub name: String,
    /// What people see.
    pub display_name: String,
    /// 100000000 text, 100000001 number, 100000002 yes/no, 100000003 JSON, 100000004 data source,
    /// 100000005 secret.
    #[serde(rename = "type")]
    pub variable_type: String,
    /// The value where an environment has none of its own.
    pub default_value: Option<String>,
    /// The value that the package brings along.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl Variable {
    /// Reads an `environmentvariabledefinition` element; the value stands in another file.
    pub(crate) fn read(node: &Node<'_>, value: Option<String>) -> Option<Self> {
        let name = node.attribute("schemaname")?.to_owned();
        Some(Self {
            display_name: node
                .at_path("displayname/@default")
                .unwrap_or(&name)
                .to_owned(),
            variable_type: text(node, "type"),
            default_value: node.at_path("defaultvalue").map(str::to_owned),
            value,
            name,
        })
    }
}

/// The environment variables of a tree with the values that it brings along. Files that cannot be
/// read are left out.
pub(crate) fn variables(tree: &SourceTree) -> Vec<Variable> {
    let read = |(path, data): (&str, &Bytes)| {
        let folder = path.strip_prefix("environmentvariabledefinitions/")?;
        let name = folder.strip_suffix("/environmentvariabledefinition.xml")?;
        let value = format!("environmentvariabledefinitions/{name}/environmentvariablevalues.json");
        let value = tree
            .get(&value)
            .and_then(|data| std::str::from_utf8(data).ok());
        let value = value.and_then(current_value);
        with_document(path, data, |document, _| {
            Variable::read(&document.root, value)
        })
        .ok()??
    };
    tree.iter().filter_map(read).collect()
}

/// The value in the text of an `environmentvariablevalues.json` (facts, solution-package-format
/// §2.7).
pub(super) fn current_value(text: &str) -> Option<String> {
    let read: serde_json::Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let value = read.pointer(CURRENT_VALUE)?;
    let text = value.as_str().map(str::to_owned);
    Some(text.unwrap_or_else(|| value.to_string()))
}

/// Where that value stands.
pub(super) const CURRENT_VALUE: &str = "/environmentvariablevalues/environmentvariablevalue/value";
