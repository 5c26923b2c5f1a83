//! What an upgrade of a managed solution deletes: what the installed version has and the new one
//! lacks, unless somebody else brought it (facts, dataverse-web-api: an upgrade removes what the new
//! version lacks; an update and an unmanaged import delete nothing).

use std::collections::{HashMap, HashSet};

use super::Deletion;
use crate::solution::component::fragment::{Wrapped, top, value};
use crate::solution::component::{
    Component, ComponentError, Identity, code, components_of_tree, declared_components, references,
};
use crate::solution::model::is_platform;
use crate::solution::{Managed, Manifest, SourceTree};

/// Whether the question makes sense: one solution in two versions, at least one of them managed.
pub(super) fn are_upgrade(old: &Manifest, new: &Manifest) -> bool {
    let is_managed = |side: &Manifest| side.kind != Managed::Unmanaged;
    old.unique_name == new.unique_name && (is_managed(old) || is_managed(new))
}

/// What an upgrade from `old` to `new` deletes, in the order of the old side.
///
/// # Errors
/// When a side cannot be cut into its components.
pub fn deletions(old: &SourceTree, new: &SourceTree) -> Result<Vec<Deletion>, ComponentError> {
    let before = components_of_tree(old)?;
    let staying: HashSet<Identity> = components_of_tree(new)?
        .iter()
        .map(Component::identity)
        .collect();
    let foreign: HashSet<Identity> = declared_components(&old.manifest()?).into_iter().collect();
    let gone: Vec<&Component> = before
        .iter()
        .filter(|component| !staying.contains(&component.identity()))
        .filter(|component| !component.is_unmodified())
        .collect();
    // What another solution brought, or every environment has, only loses what was changed in it.
    let is_own = |component: &Component| {
        let identity = component.identity();
        !foreign.contains(&identity) && !is_platform(&identity) && !is_system_column(component)
    };
    let deleted: HashMap<Identity, bool> = gone
        .iter()
        .map(|component| (component.identity(), is_own(component)))
        .collect();
    let goes = |identity: &Identity| deleted.get(identity) == Some(&true);
    let mut found = Vec::new();
    for component in gone {
        let own = deleted[&component.identity()];
        let number = component.component_type.code();
        // Parts of a table that goes, and relationships of a column that goes, are not told twice.
        let is_told = references(component)
            .iter()
            .any(|need| need.inside && goes(&need.to))
            || lookup_of(component).is_some_and(|column| goes(&column));
        if is_told {
            continue;
        }
        found.push(Deletion {
            kind: match (number, own) {
                (_, true) => component.kind().to_owned(),
                (Some(code::TABLE), false) => "customizations of the table".to_owned(),
                (_, false) => format!("customizations of the {}", component.kind()),
            },
            name: component.display_name.clone(),
            table: component.parent.as_ref().map(|parent| parent.key.clone()),
            loses_data: own
                && matches!(
                    number,
                    Some(code::TABLE | code::COLUMN | code::VARIABLE_VALUE)
                ),
            identity: component.identity(),
        });
    }
    Ok(found)
}

/// Whether a component is a column of Microsoft's, which the package only changes.
fn is_system_column(component: &Component) -> bool {
    component.component_type.code() == Some(code::COLUMN)
        && text_of(component, "IsCustomField").as_deref() == Some("0")
}

/// The lookup column that a relationship makes.
fn lookup_of(component: &Component) -> Option<Identity> {
    if component.component_type.code() != Some(code::RELATIONSHIP) {
        return None;
    }
    let table = text_of(component, "ReferencingEntityName")?;
    let column = text_of(component, "ReferencingAttributeName")?;
    Some(Identity::coded(code::COLUMN, &format!("{table}.{column}")))
}

fn text_of(component: &Component, place: &str) -> Option<String> {
    let wrapped = Wrapped::new(&component.fragment);
    let document = wrapped.document().ok()?;
    value(top(&document)?, place).map(str::to_owned)
}
