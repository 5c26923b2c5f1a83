//! Views: their columns and what they show.

use serde::Serialize;

use super::label_of;
use crate::solution::keyed::Node;

/// A view of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct View {
    /// Id, without braces.
    pub id: String,
    /// What people see.
    pub name: String,
    /// The columns it shows, in their order.
    pub columns: Vec<ViewColumn>,
    /// Which rows it shows, for a person: `statecode eq 0 and name like A%`.
    pub filter: String,
    /// What it sorts by; `-` before a column means downwards.
    pub order: Vec<String>,
}

/// A column of a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ViewColumn {
    /// Its name; of a column of a joined table with the alias before a dot.
    pub name: String,
    /// Its width in pixels.
    pub width: Option<u32>,
}

impl View {
    /// Reads a `savedquery` element.
    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        let id = node.at_path("savedqueryid")?;
        let cells = node
            .child("layoutxml")
            .and_then(|layout| layout.child("grid")?.child("row"))
            .map(Node::children)
            .unwrap_or_default();
        let entity = node
            .child("fetchxml")
            .and_then(|fetch| fetch.child("fetch")?.child("entity"));
        let inside = |name: &'static str| {
            entity
                .map(Node::children)
                .unwrap_or_default()
                .iter()
                .filter(move |child| child.name == name)
        };
        let filters: Vec<String> = inside("filter")
            .map(filter)
            .filter(|f| !f.is_empty())
            .collect();
        Some(Self {
            id: id.trim_matches(['{', '}']).to_lowercase(),
            name: label_of(node, "LocalizedNames").unwrap_or_else(|| id.to_owned()),
            columns: cells
                .iter()
                .filter_map(|cell| {
                    let width = cell.attribute("width").and_then(|width| width.parse().ok());
                    let name = cell.attribute("name")?.to_owned();
                    Some(ViewColumn { name, width })
                })
                .collect(),
            filter: filters.join(" and "),
            order: inside("order")
                .filter_map(|order| {
                    let column = order.attribute("attribute")?;
                    let down = order.attribute("descending") == Some("true");
                    Some(format!("{}{column}", if down { "-" } else { "" }))
                })
                .collect(),
        })
    }
}

/// A filter with the filters inside it, as one line.
fn filter(node: &Node<'_>) -> String {
    let word = node.attribute("type").unwrap_or("and");
    let parts: Vec<String> = node
        .children()
        .iter()
        .filter_map(|child| match &*child.name {
            "condition" => Some(condition(child)),
            "filter" => Some(format!("({})", filter(child))),
            _ => None,
        })
        .collect();
    parts.join(&format!(" {word} "))
}

/// A condition of a FetchXML filter as a person reads it.
pub(crate) fn condition(node: &Node<'_>) -> String {
    let mut out: Vec<&str> = ["entityname", "attribute", "operator", "value"]
        .iter()
        .filter_map(|name| node.attribute(name))
        .collect();
    out.extend(node.children().iter().filter_map(Node::value));
    out.join(" ")
}
