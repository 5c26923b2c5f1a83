//! Charts of tables.

use serde::Serialize;

use super::{id_of, label_of};
use crate::solution::keyed::Node;

/// A chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Chart {
    /// Id, without braces.
    pub id: String,
    /// What people see.
    pub name: String,
    /// The table whose rows it shows.
    pub table: String,
    /// How it draws them, one for each series, as written: `Column`, `pie`, `StackedBar`.
    pub types: Vec<String>,
    /// What it groups the rows by: columns, dates with their span (`createdon by month`).
    pub groups: Vec<String>,
    /// What it measures: `count of contoso_permitid`, `sum of contoso_fee`.
    pub measures: Vec<String>,
    /// Whether it is the one that people see first.
    pub default: bool,
    /// The web resource that draws it, if it is not a usual chart.
    pub web_resource: Option<String>,
}

impl Chart {
    /// Reads a `visualization` element.
    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        let id = node.at_path("savedqueryvisualizationid")?;
        let mut entities = Vec::new();
        let mut series = Vec::new();
        for part in ["datadescription", "presentationdescription"] {
            if let Some(part) = node.child(part) {
                collect(part, "entity", &mut entities);
                collect(part, "Series", &mut series);
            }
        }
        let mut columns = Vec::new();
        for entity in &entities {
            collect(entity, "attribute", &mut columns);
        }
        let column = |node: &Node<'_>| node.attribute("name").unwrap_or_default().to_owned();
        Some(Self {
            id: id_of(id),
            name: label_of(node, "LocalizedNames").unwrap_or_else(|| id.to_owned()),
            table: entities
                .first()
                .and_then(|entity| entity.attribute("name"))
                .or_else(|| node.at_path("primaryentitytypecode"))
                .unwrap_or_default()
                .to_owned(),
            types: series
                .iter()
                .filter_map(|series| series.attribute("ChartType").map(str::to_owned))
                .collect(),
            groups: columns
                .iter()
                .filter(|node| node.attribute("groupby") == Some("true"))
                .map(|node| match node.attribute("dategrouping") {
                    Some(span) => format!("{} by {span}", column(node)),
                    None => column(node),
                })
                .collect(),
            measures: columns
                .iter()
                .filter_map(|node| {
                    let aggregate = node.attribute("aggregate")?;
                    Some(format!("{aggregate} of {}", column(node)))
                })
                .collect(),
            default: matches!(node.at_path("isdefault"), Some("1" | "true")),
            web_resource: node
                .at_path("webresourcename")
                .or_else(|| node.at_path("webresourceid"))
                .filter(|name| !name.is_empty())
                .map(str::to_owned),
        })
    }
}

/// The elements called `name` below `node`; elements inside one of them are not looked for, apart
/// from lists that are called like their items.
fn collect<'n, 'a>(node: &'n Node<'a>, name: &str, found: &mut Vec<&'n Node<'a>>) {
    for child in node.children() {
        if child.name == name && !child.attributes.is_empty() {
            found.push(child);
            if name == "entity" {
                continue;
            }
        }
        collect(child, name, found);
    }
}
