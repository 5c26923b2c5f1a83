//! Model-driven apps.

use serde::Serialize;

use super::{id_of, label_of, list};
use crate::solution::component::{ComponentType, type_name};
use crate::solution::keyed::Node;

/// A model-driven app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct App {
    /// Unique name.
    pub name: String,
    /// What people see.
    pub display_name: String,
    /// Whether it is on.
    pub active: bool,
    /// What it is made of.
    pub components: Vec<AppComponent>,
    /// Ids of the roles that may use it.
    pub roles: Vec<String>,
}

/// Something that an app shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AppComponent {
    /// What a person calls its kind: `table`, `site map`.
    pub kind: String,
    /// The number of its kind, as written.
    pub type_code: String,
    /// Its schema name, else its id without braces.
    pub name: String,
}

impl App {
    /// Reads an `AppModule` element.
    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        let name = node.at_path("UniqueName")?.to_owned();
        Some(Self {
            display_name: label_of(node, "LocalizedNames").unwrap_or_else(|| name.clone()),
            active: node.at_path("statecode") != Some("1"),
            components: list(node, "AppModuleComponents")
                .iter()
                .map(|component| {
                    let type_code = component.attribute("type").unwrap_or_default();
                    let name = component.attribute("schemaName").map(str::to_owned);
                    AppComponent {
                        kind: type_name(&ComponentType::named(type_code)).to_owned(),
                        type_code: type_code.to_owned(),
                        name: name.unwrap_or_else(|| {
                            id_of(component.attribute("id").unwrap_or_default())
                        }),
                    }
                })
                .collect(),
            roles: list(node, "AppModuleRoleMaps")
                .iter()
                .filter_map(|role| Some(id_of(role.attribute("id").or(role.attribute("Id"))?)))
                .collect(),
            name,
        })
    }
}
