//! Takes a component out of a package or a source tree, with all that is nothing without it.

use std::collections::HashSet;
use std::ops::Range;

use roxmltree::{Document, Node, NodeId};

use super::edit::{EditError, Spot, editable, locate};
use super::files::Files;
use crate::solution::component::fragment::{Edits, child, content_range, elements};
use crate::solution::component::{
    Component, ComponentError, Identity, code, manifest_identity, references,
};

/// What was taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// The component and those that cannot exist without it: a table's parts and relationships, a
    /// variable's value.
    pub components: Vec<Identity>,
    /// Components that stay and refer to one that is gone.
    pub still_refer: Vec<Identity>,
}

/// Takes the component `wanted` out of `files`, whose components these are: its definition, its
/// files, its root component, what cannot exist without it, and what the manifest says that it
/// needs. Every other byte stays.
///
/// # Errors
/// [`EditError::NoComponent`] when it is not there.
pub fn remove<F: Files>(
    files: &mut F,
    components: &[Component],
    wanted: &Identity,
) -> Result<Removed, EditError> {
    let mut gone = HashSet::from([wanted.clone()]);
    let edges: Vec<(Identity, Vec<_>)> = components
        .iter()
        .map(|component| (component.identity(), references(component)))
        .collect();
    loop {
        let before = gone.len();
        for (identity, needs) in &edges {
            if needs
                .iter()
                .any(|need| need.inside && gone.contains(&need.to))
            {
                gone.insert(identity.clone());
            }
        }
        if gone.len() == before {
            break;
        }
    }
    let mut changed = files.clone();
    // What is inside of something that goes is gone with it.
    let spots = locate(files, &gone)?;
    for file in spots
        .iter()
        .map(|spot| spot.file.as_str())
        .collect::<HashSet<_>>()
    {
        let own: Vec<&Spot> = spots.iter().filter(|spot| spot.file == file).collect();
        let wholly = own
            .iter()
            .any(|spot| spot.alone && !is_column(&spot.identity));
        if wholly {
            changed.take_out(file);
            continue;
        }
        let bytes = files.content(file).unwrap_or_default();
        let (lead, text) = editable(file, &bytes)?;
        let left = without(
            text,
            own.iter().map(|spot| spot.range.clone()).collect(),
            file,
        )?;
        match left {
            Some(left) => changed.set(file, [&bytes[..lead], left.as_bytes()].concat())?,
            None => changed.take_out(file),
        }
    }
    let going = || {
        components
            .iter()
            .filter(|component| gone.contains(&component.identity()))
    };
    for part in going().flat_map(|component| &component.payload) {
        changed.take_out(&part.name);
    }
    let names: Vec<&str> = going()
        .filter(|component| component.component_type.code() == Some(code::RELATIONSHIP))
        .filter_map(|component| component.schema_name.as_deref())
        .collect();
    unlist(&mut changed, &names)?;
    in_manifest(&mut changed, &gone)?;
    *files = changed;
    let refer = edges.iter().filter(|(identity, needs)| {
        !gone.contains(identity) && needs.iter().any(|need| gone.contains(&need.to))
    });
    let mut components: Vec<Identity> = gone.iter().cloned().collect();
    components.sort();
    Ok(Removed {
        components,
        still_refer: refer.map(|(identity, _)| identity.clone()).collect(),
    })
}

fn is_column(identity: &Identity) -> bool {
    identity.component_type.code() == Some(code::COLUMN)
}

/// A document without these elements and the white space before them; nothing if none is left
/// below its root. A group of forms goes with its last form.
fn without(text: &str, ranges: Vec<Range<usize>>, file: &str) -> Result<Option<String>, EditError> {
    let document = Document::parse(text).map_err(|error| ComponentError::Xml {
        part: file.to_owned(),
        reason: error.to_string(),
    })?;
    let going = |node: Node<'_, '_>| ranges.contains(&node.range());
    let root = document.root_element();
    if root.tag_name().name() != "ImportExportXml" && elements(root).all(going) {
        return Ok(None);
    }
    let groups = document
        .descendants()
        .filter(|node| node.has_tag_name("forms") && node.has_attribute("type"))
        .filter(|group| elements(*group).all(going) && elements(*group).next().is_some());
    let single = document.descendants().filter(|node| going(*node));
    Ok(Some(cut(text, groups.chain(single).collect())))
}

/// A text without these elements and the white space before them; a list that loses all of its
/// elements is left empty, as the packager writes it.
fn cut(text: &str, going: Vec<Node<'_, '_>>) -> String {
    let goes: HashSet<NodeId> = going.iter().map(|node| node.id()).collect();
    let is_inside = |node: &Node<'_, '_>| {
        node.ancestors()
            .skip(1)
            .any(|above| goes.contains(&above.id()))
    };
    let mut edits = Edits::default();
    let mut emptied = HashSet::new();
    for node in going.iter().filter(|node| !is_inside(node)) {
        let range = node.range();
        let parent = node.parent_element();
        let whole = parent
            .filter(|list| elements(*list).all(|child| goes.contains(&child.id())))
            .and_then(|list| Some((list.id(), content_range(text, list)?)));
        match whole {
            Some((list, content)) => {
                if emptied.insert(list) {
                    edits.replace(content.0, content.1, "");
                }
            }
            None => edits.replace(text[..range.start].trim_end().len(), range.end, ""),
        }
    }
    edits.apply(text)
}

/// Takes relationships out of the list that a source tree has of them (facts §7.1).
fn unlist<F: Files>(files: &mut F, names: &[&str]) -> Result<(), EditError> {
    const LIST: &str = "Other/Relationships.xml";
    let Some(bytes) = files.content(LIST).filter(|_| !names.is_empty()) else {
        return Ok(());
    };
    let (lead, text) = editable(LIST, &bytes)?;
    let document = Document::parse(text).map_err(|error| ComponentError::Xml {
        part: LIST.into(),
        reason: error.to_string(),
    })?;
    let listed = elements(document.root_element())
        .filter(|entry| {
            entry
                .attribute("Name")
                .is_some_and(|name| names.contains(&name))
        })
        .map(|entry| entry.range());
    match without(text, listed.collect(), LIST)? {
        Some(left) => files.set(LIST, [&bytes[..lead], left.as_bytes()].concat())?,
        None => files.take_out(LIST),
    }
    Ok(())
}

/// Takes the root components of what is gone out of the manifest, and what it needed.
fn in_manifest<F: Files>(files: &mut F, gone: &HashSet<Identity>) -> Result<(), EditError> {
    let file = files.manifest_path();
    let Some(bytes) = files.content(&file) else {
        return Ok(());
    };
    let (lead, text) = editable(&file, &bytes)?;
    let document = Document::parse(text).map_err(|error| ComponentError::Xml {
        part: file.clone(),
        reason: error.to_string(),
    })?;
    let list = |name: &str| {
        child(document.root_element(), "SolutionManifest")
            .and_then(|manifest| child(manifest, name))
            .into_iter()
            .flat_map(elements)
    };
    let roots = list("RootComponents").filter(|root| gone.contains(&manifest_identity(*root)));
    let needs = list("MissingDependencies").filter(|missing| {
        child(*missing, "Dependent").is_some_and(|end| gone.contains(&manifest_identity(end)))
    });
    let left = cut(text, roots.chain(needs).collect());
    let data = [&bytes[..lead], left.as_bytes()].concat();
    files.set(&file, data)?;
    Ok(())
}
