//! Forms and dashboards: tabs, sections and fields.

use serde::Serialize;

use super::{id_of, label_of};
use crate::solution::keyed::Node;

/// A form of a table, or a dashboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Form {
    /// Id, without braces.
    pub id: String,
    /// What people see.
    pub name: String,
    /// `main`, `quick`, `card`, `quickCreate` …, and `dashboard`; empty where nothing says it.
    #[serde(rename = "type")]
    pub form_type: String,
    /// Whether it is active.
    pub active: bool,
    /// Its tabs in their order; the header and the footer stand behind them as tabs of these names.
    pub tabs: Vec<Tab>,
    /// The script libraries it loads.
    pub libraries: Vec<String>,
}

/// A tab of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tab {
    /// What people see, else its name or id.
    pub name: String,
    /// Its sections, column by column.
    pub sections: Vec<Section>,
}

/// A section of a tab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Section {
    /// What people see, else its name or id.
    pub name: String,
    /// Its fields, row by row.
    pub fields: Vec<Field>,
}

/// A field or another control on a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// The id of its cell, which stays when it moves.
    pub cell: String,
    /// The column it shows, if any.
    pub column: Option<String>,
    /// What people see, else the control's id.
    pub label: String,
    /// What it shows, if that is no column: rows, a chart, a page.
    pub shown: Option<Shown>,
}

/// What a control on a form or dashboard shows. At least one of these is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// The table whose rows it shows.
    pub table: Option<String>,
    /// The id of the view that chooses the rows, without braces.
    pub view: Option<String>,
    /// The id of the chart that draws them, without braces.
    pub chart: Option<String>,
    /// The relationship that the rows come by.
    pub relationship: Option<String>,
    /// The page or web resource that it shows.
    pub url: Option<String>,
}

impl Form {
    /// Reads a `systemform` or dashboard element.
    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        let id = node.at_path("formid").or_else(|| node.at_path("FormId"))?;
        let form = node
            .child("form")
            .or_else(|| {
                node.child("FormXml")
                    .and_then(|inner| inner.child("forms")?.child("form"))
            })
            .or_else(|| node.child("FormXml").and_then(|inner| inner.child("form")));
        let list = |name: &str| {
            form.and_then(|form| form.child(name))
                .map(Node::children)
                .unwrap_or_default()
        };
        let mut tabs: Vec<Tab> = list("tabs").iter().map(Tab::read).collect();
        for name in ["header", "footer"] {
            let Some(edge) = form.and_then(|form| form.child(name)) else {
                continue;
            };
            let fields = edge.child("rows").map(fields).unwrap_or_default();
            if !fields.is_empty() {
                let section = Section {
                    name: String::new(),
                    fields,
                };
                tabs.push(Tab {
                    name: name.to_owned(),
                    sections: vec![section],
                });
            }
        }
        Some(Self {
            id: id_of(id),
            name: label_of(node, "LocalizedNames").unwrap_or_else(|| id.to_owned()),
            form_type: node
                .at_path("FormXml/forms/@type")
                .unwrap_or_default()
                .to_owned(),
            active: node.at_path("FormActivationState") != Some("0"),
            tabs,
            libraries: list("formLibraries")
                .iter()
                .filter_map(|library| library.attribute("name").map(str::to_owned))
                .collect(),
        })
    }
}

impl Tab {
    fn read(node: &Node<'_>) -> Self {
        let columns = node
            .child("columns")
            .map(Node::children)
            .unwrap_or_default();
        let sections = columns
            .iter()
            .filter_map(|column| column.child("sections"))
            .flat_map(Node::children);
        Self {
            name: part_name(node),
            sections: sections
                .map(|section| Section {
                    name: part_name(section),
                    fields: section.child("rows").map(fields).unwrap_or_default(),
                })
                .collect(),
        }
    }
}

impl Field {
    /// Reads a `cell`; one without a control is a gap and no field.
    pub(crate) fn read(cell: &Node<'_>) -> Option<Self> {
        let control = cell.child("control")?;
        let column = control.attribute("datafieldname").map(str::to_owned);
        let id = control.attribute("id").unwrap_or_default();
        Some(Self {
            cell: cell.key.clone().unwrap_or_default(),
            label: label_of(cell, "labels")
                .or_else(|| column.clone())
                .unwrap_or_else(|| id.to_owned()),
            column,
            shown: Shown::read(control),
        })
    }
}

impl Shown {
    /// Reads the parameters of a `control`.
    fn read(control: &Node<'_>) -> Option<Self> {
        let parameters = control.child("parameters")?;
        let value = |name: &str| {
            let value = parameters.at_path(name).map(str::trim);
            value.filter(|value| !value.is_empty()).map(str::to_owned)
        };
        let shown = Self {
            table: value("TargetEntityType"),
            view: value("ViewId").map(|id| id_of(&id)),
            chart: value("VisualizationId").map(|id| id_of(&id)),
            relationship: value("RelationshipName"),
            url: value("Url"),
        };
        (shown != Self::default()).then_some(shown)
    }
}

fn fields(rows: &Node<'_>) -> Vec<Field> {
    rows.children()
        .iter()
        .flat_map(Node::children)
        .filter_map(Field::read)
        .collect()
}

/// What a person calls a tab or section.
pub(crate) fn part_name(node: &Node<'_>) -> String {
    label_of(node, "labels")
        .or_else(|| node.attribute("name").map(str::to_owned))
        .or_else(|| node.key.clone())
        .filter(|name| uuid::Uuid::try_parse(name.trim_matches(['{', '}'])).is_err())
        .unwrap_or_else(|| "without a name".to_owned())
}
