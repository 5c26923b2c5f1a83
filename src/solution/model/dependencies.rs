//! What the components of a solution need, computed from their definitions and not from what the
//! manifest says.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::Serialize;

use crate::solution::component::fragment::{Wrapped, top, value};
use crate::solution::component::{
    Component, ComponentType, Identity, code, flow_references, plain_id, references,
};

/// Where what a component needs comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The solution itself has it.
    Solution,
    /// The manifest says that the target must have it, and which solution brings it.
    Declared,
    /// It has a name without a publisher's prefix, as only Microsoft's own have, or is known to be
    /// in every environment.
    Platform,
    /// Neither: an import fails unless the target happens to have it.
    Missing,
}

/// That one component needs another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Dependency {
    /// Which component needs something.
    pub dependent: Identity,
    /// What it needs.
    pub required: Identity,
    /// Where that comes from.
    pub origin: Origin,
    /// Whether it is nothing without it, as a form without its table.
    pub part_of: bool,
}

/// Roles that every environment has, by the ids of their templates: System Administrator and
/// System Customizer.
const STANDARD_ROLES: [&str; 2] = [
    "627090ff-40a3-4053-8790-584edc5be201",
    "119f245c-3cc8-4b62-b31c-d1a046ced15d",
];

/// What `components` need, sorted. `declared` is what the manifest says that the target must have.
pub fn dependencies(components: &[Component], declared: &[Identity]) -> Vec<Dependency> {
    let own = Own::new(components);
    let declared: HashSet<&Identity> = declared.iter().collect();
    let mut found = BTreeSet::new();
    for component in components {
        let dependent = component.identity();
        let mut needs: Vec<(Identity, bool)> = references(component)
            .into_iter()
            .map(|reference| (reference.to, reference.inside))
            .collect();
        needs.extend(own.of_flow(component).map(|table| (table, false)));
        for (required, part_of) in needs {
            let required = own.whole(required);
            if required == dependent {
                continue;
            }
            let origin = if own.has(&required) {
                Origin::Solution
            } else if declared.contains(&required) {
                Origin::Declared
            } else if is_platform(&required) {
                Origin::Platform
            } else {
                Origin::Missing
            };
            found.insert(Dependency {
                dependent: dependent.clone(),
                required,
                origin,
                part_of,
            });
        }
    }
    found.into_iter().collect()
}

/// The components of a solution, by the names that others call them.
struct Own {
    identities: HashSet<Identity>,
    /// Names of entity sets.
    sets: HashMap<String, Identity>,
    /// Ids of plug-in types.
    plugin_types: HashMap<String, Identity>,
}

impl Own {
    fn new(components: &[Component]) -> Self {
        let mut own = Self {
            identities: components.iter().map(Component::identity).collect(),
            sets: HashMap::new(),
            plugin_types: HashMap::new(),
        };
        // A component with an id and a name is known by both.
        for component in components {
            let identity = component.identity();
            let other = component.id.map(|id| id.to_string());
            let other = other.filter(|id| *id != identity.key);
            own.identities
                .extend(other.map(|id| Identity::new(identity.component_type.clone(), &id)));
            let wrapped = Wrapped::new(&component.fragment);
            match component.component_type.code() {
                Some(code::TABLE) => {
                    if let Ok(document) = wrapped.document()
                        && let Some(set) = top(&document)
                            .and_then(|node| value(node, "EntityInfo/entity/EntitySetName"))
                    {
                        own.sets.insert(set.to_lowercase(), identity);
                    }
                }
                Some(code::PLUGIN_ASSEMBLY) => {
                    if let Ok(document) = wrapped.document() {
                        let types = document.descendants();
                        let types = types.filter_map(|node| node.attribute("PluginTypeId"));
                        own.plugin_types
                            .extend(types.map(|id| (plain_id(id), identity.clone())));
                    }
                }
                _ => {}
            }
        }
        own
    }

    fn has(&self, identity: &Identity) -> bool {
        self.identities.contains(identity)
    }

    /// What brings the thing that is needed: the assembly of a plug-in type.
    fn whole(&self, required: Identity) -> Identity {
        match required.component_type.code() {
            Some(code::PLUGIN_TYPE) => self
                .plugin_types
                .get(&required.key)
                .cloned()
                .unwrap_or(required),
            _ => required,
        }
    }

    /// The tables that a cloud flow works with.
    fn of_flow(&self, component: &Component) -> impl Iterator<Item = Identity> {
        let definition = (component.component_type.code() == Some(code::WORKFLOW))
            .then(|| component.payload_ending(".json"))
            .flatten();
        let tables = definition.map(|part| flow_references(&part.bytes).tables);
        tables.unwrap_or_default().into_iter().map(|name| {
            let known = self.sets.get(&name).cloned();
            known.unwrap_or_else(|| Identity::table(&name))
        })
    }
}

/// Whether every environment has a component: one whose name has no publisher's prefix, a standard
/// role, or a view of one of Microsoft's own tables.
pub(crate) fn is_platform(identity: &Identity) -> bool {
    let key = identity.key.as_str();
    match &identity.component_type {
        ComponentType::Code(code::TABLE | code::OPTION_SET | code::WEB_RESOURCE) => {
            !has_prefix(key)
        }
        ComponentType::Code(code::COLUMN) => {
            !has_prefix(key.split_once('.').map_or(key, |(_, column)| column))
        }
        ComponentType::Code(code::ROLE) => STANDARD_ROLES.contains(&key),
        ComponentType::Code(code::VIEW) => key.starts_with("00000000-0000-0000-00aa-"),
        _ => false,
    }
}

/// Whether a name begins with a publisher's prefix, which Dataverse makes all but Microsoft's own
/// names have: two to eight letters or digits, the first a letter, and an underscore.
fn has_prefix(name: &str) -> bool {
    name.split_once('_').is_some_and(|(prefix, _)| {
        (2..=8).contains(&prefix.len())
            && prefix.starts_with(|c: char| c.is_ascii_alphabetic())
            && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric())
            // Parts of an address: `address1_city`.
            && !matches!(prefix.strip_prefix("address"), Some("1" | "2" | "3"))
    })
}
