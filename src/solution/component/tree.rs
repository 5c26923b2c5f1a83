//! The components of a source tree, as if they had been cut out of its package.

use std::collections::{HashMap, HashSet};

use roxmltree::Document;

use super::fragment::elements;
use super::split::{Cutter, Parts, only_once};
use super::standing::Standing;
use super::{Component, ComponentError, Identity, Payload, code, folder, table};
use crate::solution::layout::{NEVER_PACKED, rule_of};
use crate::solution::model::place::{self, Place as FilePlace};
use crate::solution::{CUSTOMIZATIONS_FILE, Package, SourceTree};

/// The components of `tree`, in the order of its files. The payload of each are its other files,
/// by their names in the tree. Of the plain and the managed version of a form, a site map or an
/// app, the plain one is told.
///
/// # Errors
/// As [`split`](super::split()), about the file at fault.
pub fn components_of_tree(tree: &SourceTree) -> Result<Vec<Component>, ComponentError> {
    let nothing = Package::new();
    let mut parts = Parts::new(&nothing);
    let mut found = Vec::new();
    let mut payload = Vec::new();
    for (path, data) in tree.iter() {
        let Some(standing) = Standing::of_file(path) else {
            payload.push(path);
            continue;
        };
        if is_twin(tree, path) {
            continue;
        }
        let text = crate::solution::xml::decode(path, data)?;
        let document = Document::parse(&text).map_err(|error| ComponentError::Xml {
            part: path.to_owned(),
            reason: error.to_string(),
        })?;
        let root = document.root_element();
        let mut cutter = Cutter {
            source: &text,
            parts: &mut parts,
            found: Vec::new(),
        };
        match standing {
            Standing::Customizations => {
                for collection in elements(root) {
                    cutter.collection(collection)?;
                }
            }
            Standing::Collection(name) => cutter.children(root, &name)?,
            Standing::One(name) if name == "Entities" => cutter.table(root)?,
            Standing::One(name) => {
                let component = cutter.component(root, &name, 0)?;
                cutter.found.push(component);
            }
            Standing::Parts { table, group } => {
                let owner = Identity::table(&table);
                let loose = table::loose_components(&text, root, &owner, group.as_deref());
                cutter.found.extend(loose);
            }
        }
        found.append(&mut cutter.found);
    }
    give_payload(tree, &payload, &mut found)?;
    only_once(&found)?;
    Ok(found)
}

/// Whether a file is the managed version of another one.
pub(crate) fn is_twin(tree: &SourceTree, path: &str) -> bool {
    path.strip_suffix("_managed.xml")
        .is_some_and(|stem| tree.get(&format!("{stem}.xml")).is_some())
}

/// Hands each file that defines nothing to its component; what lies outside the folders of
/// collections makes up pass-through components (facts §7.5).
fn give_payload(
    tree: &SourceTree,
    files: &[&str],
    found: &mut Vec<Component>,
) -> Result<(), ComponentError> {
    let claimed = claimed_folders(tree)?;
    let owners: HashMap<Identity, usize> = found
        .iter()
        .enumerate()
        .map(|(index, component)| (component.identity(), index))
        .collect();
    let mut left = Vec::new();
    for &path in files {
        let Some((top, _)) = path.split_once('/') else {
            continue;
        };
        let data = tree.get(path).unwrap_or_default();
        if !claimed.contains(top) && !NEVER_PACKED.contains(&top) {
            left.push((path, data));
            continue;
        }
        let owner = match (formula_of(path), place::of(tree, path)) {
            (Some(column), _) => owners.get(&column),
            (None, FilePlace::Of { identity, .. }) => owners.get(&identity),
            _ => None,
        };
        if let Some(&owner) = owner {
            found[owner].payload.push(Payload {
                name: path.to_owned(),
                bytes: data.to_vec(),
            });
        }
    }
    folder::split(&left, found);
    Ok(())
}

/// The column whose formula a file holds: `Entities/<Table>/Formulas/<table>-<column>.xaml`.
fn formula_of(path: &str) -> Option<Identity> {
    let (folder, file) = path.rsplit_once('/')?;
    folder
        .strip_prefix("Entities/")?
        .strip_suffix("/Formulas")?;
    let (table, column) = file.rsplit_once('.')?.0.split_once('-')?;
    Some(Identity::coded(code::COLUMN, &format!("{table}.{column}")))
}

/// The folders of the collections that `Other/Customizations.xml` has, even empty ones.
fn claimed_folders(tree: &SourceTree) -> Result<HashSet<String>, ComponentError> {
    let Some(data) = tree.get(CUSTOMIZATIONS_FILE) else {
        return Ok(HashSet::new());
    };
    let text = crate::solution::xml::decode(CUSTOMIZATIONS_FILE, data)?;
    let document = Document::parse(&text).map_err(|error| ComponentError::Xml {
        part: CUSTOMIZATIONS_FILE.to_owned(),
        reason: error.to_string(),
    })?;
    let folders = elements(document.root_element()).map(|collection| {
        let name = collection.tag_name().name();
        rule_of(name).map_or(name, |rule| rule.folder).to_owned()
    });
    Ok(folders.filter(|folder| !folder.is_empty()).collect())
}
