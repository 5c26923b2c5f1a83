//! Site maps: what people find on the left of an app.

use serde::Serialize;

use super::{label_of, text};
use crate::solution::keyed::Node;

/// A site map of an app, or the classic one of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SiteMap {
    /// Unique name; empty for the classic one.
    pub name: String,
    /// What people see; empty for the classic one.
    pub display_name: String,
    /// Its areas in their order.
    pub areas: Vec<Area>,
}

/// An area of a site map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Area {
    /// Id.
    pub id: String,
    /// What people see, where the site map says it.
    pub title: Option<String>,
    /// Its groups in their order.
    pub groups: Vec<Group>,
}

/// A group of an area.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Id.
    pub id: String,
    /// What people see, where the site map says it.
    pub title: Option<String>,
    /// Its subareas in their order.
    pub subareas: Vec<Subarea>,
}

/// An entry of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subarea {
    /// Id.
    pub id: String,
    /// What people see, where the site map says it; else it is the name of what it opens.
    pub title: Option<String>,
    /// The table that it opens.
    pub table: Option<String>,
    /// The page that it opens.
    pub url: Option<String>,
    /// The id of the dashboard that it opens first, without braces.
    pub dashboard: Option<String>,
}

impl SiteMap {
    /// Reads an `AppModuleSiteMap` or `SiteMap` element; both hold the `SiteMap` proper.
    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        let areas = node.child("SiteMap").unwrap_or(node);
        if node.name != "SiteMap" && areas.name != "SiteMap" {
            return None;
        }
        let name = text(node, "SiteMapUniqueName");
        Some(Self {
            display_name: label_of(node, "LocalizedNames").unwrap_or_else(|| name.clone()),
            areas: called(areas, "Area").map(Area::read).collect(),
            name,
        })
    }
}

impl Area {
    fn read(node: &Node<'_>) -> Self {
        Self {
            id: text(node, "@Id"),
            title: title(node),
            groups: called(node, "Group").map(Group::read).collect(),
        }
    }
}

impl Group {
    fn read(node: &Node<'_>) -> Self {
        Self {
            id: text(node, "@Id"),
            title: title(node),
            subareas: called(node, "SubArea").map(Subarea::read).collect(),
        }
    }
}

impl Subarea {
    fn read(node: &Node<'_>) -> Self {
        let attribute = |name: &str| {
            let value = node.attribute(name).filter(|value| !value.is_empty());
            value.map(str::to_owned)
        };
        Self {
            id: text(node, "@Id"),
            title: title(node),
            table: attribute("Entity"),
            url: attribute("Url"),
            dashboard: attribute("DefaultDashboard").map(|id| super::id_of(&id)),
        }
    }
}

fn called<'n>(node: &'n Node<'n>, name: &'static str) -> impl Iterator<Item = &'n Node<'n>> {
    node.children()
        .iter()
        .filter(move |child| child.name == name)
}

/// Newer site maps have a title for each language, older ones one attribute.
fn title(node: &Node<'_>) -> Option<String> {
    node.at_path("Titles/Title/@Title")
        .or_else(|| node.attribute("Title"))
        .filter(|title| !title.is_empty())
        .map(str::to_owned)
}
