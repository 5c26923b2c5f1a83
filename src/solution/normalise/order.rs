//! Puts lists without an order into one.

use std::cmp::Ordering;

use super::Edits;
use crate::solution::keyed::{Content, Node, xml};
use crate::solution::order::by_culture;
use crate::solution::{CUSTOMIZATIONS_FILE, PackageError, SOLUTION_FILE, SourceTree};

/// By what the pieces of a list are sorted: one text after the other.
type Key = fn(&Node<'_>) -> Vec<String>;

/// A list: the name of the element around it (empty for any), its own name, its sort key.
type List = (&'static str, &'static str, Key);

pub(super) fn components(tree: &SourceTree) -> Result<Edits, PackageError> {
    let lists: &[List] = &[
        ("SolutionManifest", "RootComponents", |node| {
            texts(node, &["@type", "@schemaName", "@id"])
        }),
        ("SolutionManifest", "MissingDependencies", |node| {
            texts(node, &["Required/@type", "Required/@schemaName"])
        }),
        ("AppModule", "AppModuleComponents", |node| {
            texts(node, &["@type", "@schemaName"])
        }),
    ];
    sorted(tree, lists, |path| {
        path == SOLUTION_FILE || path.starts_with("AppModules/")
    })
}

pub(super) fn relationships(tree: &SourceTree) -> Result<Edits, PackageError> {
    let lists: &[List] = &[("", "EntityRelationships", |node| texts(node, &["@Name"]))];
    sorted(tree, lists, |path| path.starts_with("Other/Relationships"))
}

pub(super) fn columns(tree: &SourceTree) -> Result<Edits, PackageError> {
    let lists: &[List] = &[("entity", "attributes", |node| {
        texts(node, &["@PhysicalName"])
    })];
    sorted(tree, lists, |path| {
        path.starts_with("Entities/") && path.ends_with("/Entity.xml")
    })
}

pub(super) fn labels(tree: &SourceTree) -> Result<Edits, PackageError> {
    const LISTS: &[&str] = &[
        "LocalizedNames",
        "LocalizedCollectionNames",
        "Descriptions",
        "displaynames",
        "labels",
        "Titles",
    ];
    let key: Key = |node| {
        let code = node
            .attribute("languagecode")
            .or_else(|| node.attribute("LCID"));
        // As a number: 1031 before 10249.
        vec![format!("{:0>8}", code.unwrap_or_default())]
    };
    let lists: Vec<List> = LISTS.iter().map(|name| ("", *name, key)).collect();
    sorted(tree, &lists, |path| {
        path.starts_with("Other/")
            || path.starts_with("Entities/")
            || path.starts_with("OptionSets/")
            || path.starts_with("AppModule")
            || path.starts_with("Workflows/")
            || path.contains("ashboards/")
    })
}

pub(super) fn permissions(tree: &SourceTree) -> Result<Edits, PackageError> {
    let lists: &[List] = &[
        ("Role", "RolePrivileges", |node| texts(node, &["@name"])),
        ("FieldSecurityProfile", "FieldPermissions", |node| {
            texts(node, &["AttributeName", "EntityName"])
        }),
        ("AppModule", "AppModuleRoleMaps", |node| {
            texts(node, &["@id"])
        }),
    ];
    sorted(tree, lists, |path| {
        path.starts_with("Roles/")
            || path.starts_with("AppModules/")
            || path == "Other/FieldSecurityProfiles.xml"
    })
}

pub(super) fn references(tree: &SourceTree) -> Result<Edits, PackageError> {
    let lists: &[List] = &[("ImportExportXml", "connectionreferences", |node| {
        texts(node, &["@connectionreferencelogicalname"])
    })];
    sorted(tree, lists, |path| path == CUSTOMIZATIONS_FILE)
}

fn texts(node: &Node<'_>, places: &[&str]) -> Vec<String> {
    places
        .iter()
        .map(|place| node.at_path(place).unwrap_or_default().to_owned())
        .collect()
}

/// Sorts lists in the files that `wanted` accepts.
fn sorted(
    tree: &SourceTree,
    lists: &[List],
    wanted: impl Fn(&str) -> bool,
) -> Result<Edits, PackageError> {
    let mut edits = Vec::new();
    for (path, data) in tree.iter().filter(|(path, _)| wanted(path)) {
        // Files in another encoding than UTF-8 are left alone.
        let Ok(text) = std::str::from_utf8(data) else {
            continue;
        };
        if !text.trim_start_matches('\u{feff}').starts_with('<') {
            continue;
        }
        if !lists.iter().any(|(_, list, _)| text.contains(list)) {
            continue;
        }
        let document = xml::read(text).map_err(|fault| fault.in_file(path, text))?;
        if !has_disorder(&document.root, "", lists) {
            continue;
        }
        let mut out = document.before.to_owned();
        write(&document.root, "", lists, &mut out);
        out.push_str(document.after);
        edits.push((path.to_owned(), Some(out.into_bytes())));
    }
    Ok(edits)
}

fn list_of<'l>(node: &Node<'_>, parent: &str, lists: &'l [List]) -> Option<&'l List> {
    lists
        .iter()
        .find(|(around, name, _)| node.name == *name && (around.is_empty() || *around == parent))
}

fn compare(a: &[String], b: &[String]) -> Ordering {
    a.iter()
        .zip(b)
        .map(|(a, b)| by_culture(a, b))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// The pieces of a list in their order, if they are not in it.
fn in_order<'n>(node: &'n Node<'n>, parent: &str, lists: &[List]) -> Option<Vec<&'n Node<'n>>> {
    let (_, _, key) = list_of(node, parent, lists)?;
    let mut pieces: Vec<(Vec<String>, &Node<'_>)> = node
        .children()
        .iter()
        .map(|child| (key(child), child))
        .collect();
    if pieces.is_sorted_by(|a, b| compare(&a.0, &b.0).is_le()) {
        return None;
    }
    pieces.sort_by(|a, b| compare(&a.0, &b.0));
    Some(pieces.into_iter().map(|(_, child)| child).collect())
}

fn has_disorder(node: &Node<'_>, parent: &str, lists: &[List]) -> bool {
    in_order(node, parent, lists).is_some()
        || node
            .children()
            .iter()
            .any(|child| has_disorder(child, &node.name, lists))
}

/// Writes a piece with its lists sorted; every other byte stays.
fn write(node: &Node<'_>, parent: &str, lists: &[List], out: &mut String) {
    let Content::Nodes(children) = &node.content else {
        out.push_str(node.whole);
        return;
    };
    if !has_disorder(node, parent, lists) {
        out.push_str(node.whole);
        return;
    }
    out.push_str(node.head);
    for attribute in &node.attributes {
        out.push_str(attribute.lead);
        out.push_str(attribute.whole);
    }
    out.push_str(node.mid);
    let order = in_order(node, parent, lists).unwrap_or_else(|| children.iter().collect());
    // White space belongs to the place, a comment to the piece that it stands before.
    let plain = children.iter().all(|child| child.lead.trim().is_empty());
    for (place, child) in order.into_iter().enumerate() {
        out.push_str(if plain {
            children[place].lead
        } else {
            child.lead
        });
        write(child, &node.name, lists, out);
    }
    out.push_str(node.tail);
    out.push_str(node.close);
}
