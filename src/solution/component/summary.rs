//! What a package holds, for people and scripts.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Component, ComponentError, ComponentType, Identity, Split, split};
use crate::solution::Package;

/// The content of a package at a glance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// How many components of each kind, the kinds by number and then by name.
    pub counts: Vec<Count>,
    /// Parts that no component names and that an import would drop.
    pub unclaimed: Vec<String>,
}

/// How many components of one kind a package holds, and which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The kind.
    #[serde(rename = "type")]
    pub component_type: ComponentType,
    /// What a person calls the kind.
    pub label: String,
    /// The names that people see, in the order of the package.
    pub names: Vec<String>,
}

/// Counts and names what `package` holds.
///
/// # Errors
/// As [`split`].
pub fn summary(package: &Package) -> Result<Summary, ComponentError> {
    let Split {
        components,
        unclaimed,
        ..
    } = split(package)?;
    Ok(Summary {
        counts: counts(&components),
        unclaimed,
    })
}

/// Counts `components` by their kind, the kinds by number and then by name.
pub fn counts(components: &[Component]) -> Vec<Count> {
    let mut kinds: BTreeMap<ComponentType, Vec<String>> = BTreeMap::new();
    for component in components {
        let names = kinds.entry(component.component_type.clone()).or_default();
        names.push(component.display_name.clone());
    }
    let counts = kinds.into_iter().map(|(component_type, names)| Count {
        label: super::type_name(&component_type).to_owned(),
        component_type,
        names,
    });
    counts.collect()
}

/// How many of `components` there are of each kind, in the words of people: kinds that share a
/// number ("cloud flow", "business rule") are told apart. The kinds stand by number and then by
/// name.
pub fn kinds(components: &[Component]) -> Vec<(String, usize)> {
    let mut kinds: BTreeMap<(&ComponentType, &str), usize> = BTreeMap::new();
    for component in components {
        *kinds
            .entry((&component.component_type, component.kind()))
            .or_default() += 1;
    }
    let kinds = kinds.into_iter();
    kinds
        .map(|((_, kind), count)| (kind.to_owned(), count))
        .collect()
}

impl Split {
    /// The component of `component_type` whose key, id or schema name is `key`, compared without
    /// case and braces.
    pub fn component(&self, component_type: &ComponentType, key: &str) -> Option<&Component> {
        let wanted = Identity::new(component_type.clone(), key);
        self.components.iter().find(|component| {
            component.component_type == *component_type
                && (component.key == wanted.key
                    || component.id.is_some_and(|id| id.to_string() == wanted.key)
                    || component
                        .schema_name
                        .as_ref()
                        .is_some_and(|name| name.eq_ignore_ascii_case(&wanted.key)))
        })
    }
}
