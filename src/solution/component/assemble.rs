//! From components to a package, written as a server export is.

use std::collections::{HashMap, HashSet};

use super::kind::{ALWAYS, ORDER};
use super::table;
use super::{Component, ComponentError, Frame, Identity, Outline, Place, code};
use crate::solution::{CONTENT_TYPES_XML, CUSTOMIZATIONS_XML, Package, SOLUTION_XML};

/// Writes a package of `components` in the frame of `outline`.
///
/// The entries come in the order of a server export: `customizations.xml`, `[Content_Types].xml`,
/// `solution.xml`, then the parts in the order of their components. Collections that the outline
/// does not have are added in their usual place. Parts of a table whose table is not among the
/// components get a shell that says that the table itself is unchanged.
///
/// # Errors
/// When a table's stored definition is not readable XML.
pub fn assemble(outline: &Outline, components: &[Component]) -> Result<Package, ComponentError> {
    let customizations = customizations(outline, components)?;
    let mut parts: Vec<(String, Vec<u8>)> = Vec::new();
    let mut pass = Vec::new();
    for collection in collection_order(outline, components) {
        for component in components
            .iter()
            .filter(|component| in_top(component, &collection))
        {
            parts.extend(
                component
                    .payload
                    .iter()
                    .map(|part| (part.name.clone(), part.bytes.clone())),
            );
        }
    }
    for component in components {
        let Place::Part(name) = &component.place else {
            continue;
        };
        pass.extend(
            component
                .payload
                .iter()
                .map(|part| (part.name.clone(), part.bytes.clone())),
        );
        if !component.payload.iter().any(|part| part.name == *name) {
            pass.push((name.clone(), component.fragment.clone().into_bytes()));
        }
    }
    parts.append(&mut pass);
    let types = content_types(parts.iter().map(|(name, _)| name.as_str()));
    let mut package = Package::new();
    package.set_part(CUSTOMIZATIONS_XML, customizations.into_bytes())?;
    package.set_part(CONTENT_TYPES_XML, types.into_bytes())?;
    package.set_part(SOLUTION_XML, outline.manifest.clone().into_bytes())?;
    for (name, bytes) in parts {
        package.set_part(name, bytes)?;
    }
    Ok(package)
}

/// The top-level collection that a component stands in.
fn top_of(component: &Component) -> Option<&str> {
    match &component.place {
        Place::Collection(path) => path.split('/').next(),
        Place::Table { .. } => Some("Entities"),
        Place::Part(_) => None,
    }
}

fn in_top(component: &Component, collection: &str) -> bool {
    top_of(component) == Some(collection)
}

fn collection_order(outline: &Outline, components: &[Component]) -> Vec<String> {
    let mut order: Vec<String> = outline
        .frames
        .iter()
        .map(|frame| frame.name.clone())
        .collect();
    let mut add = |name: &str| {
        if order.iter().any(|known| known == name) {
            return;
        }
        let rank = |name: &str| ORDER.iter().position(|known| *known == name);
        // Before the first that usually follows; what is unknown goes before the languages.
        let mine = rank(name).unwrap_or(ORDER.len() - 2);
        let at = order
            .iter()
            .position(|known| rank(known).is_some_and(|other| other > mine));
        order.insert(at.unwrap_or(order.len()), name.to_owned());
    };
    for component in components {
        if let Some(name) = top_of(component) {
            add(name);
        }
    }
    order
}

fn customizations(outline: &Outline, components: &[Component]) -> Result<String, ComponentError> {
    let end = outline.line_end.as_str();
    let mut text = format!("<ImportExportXml{}>", outline.attributes);
    for name in collection_order(outline, components) {
        let frame = outline.frames.iter().find(|frame| frame.name == name);
        let attributes = frame.map_or("", |frame| frame.attributes.as_str());
        let inner = match frame.and_then(|frame| frame.inner.clone()) {
            Some(inner) => inner,
            None => inner_text(&name, components, end)?,
        };
        text.push_str(&format!("{end}  "));
        if inner.is_empty() && closes_itself(frame, &name) {
            text.push_str(&format!("<{name}{attributes} />"));
        } else {
            text.push_str(&format!("<{name}{attributes}>{inner}</{name}>"));
        }
    }
    text.push_str(&format!("{end}</ImportExportXml>"));
    Ok(text)
}

fn closes_itself(frame: Option<&Frame>, name: &str) -> bool {
    frame.map_or_else(|| !ALWAYS.contains(&name), |frame| frame.closes_itself)
}

fn inner_text(
    collection: &str,
    components: &[Component],
    end: &str,
) -> Result<String, ComponentError> {
    let mut lines: Vec<String> = Vec::new();
    if collection == "Entities" {
        lines = tables(components, end)?;
    } else {
        let mut open: Option<&str> = None;
        for component in components
            .iter()
            .filter(|component| in_top(component, collection))
        {
            let Place::Collection(path) = &component.place else {
                continue;
            };
            let inner = path.split_once('/').map(|(_, inner)| inner);
            if inner != open {
                if let Some(name) = open {
                    lines.push(format!("    </{name}>"));
                }
                if let Some(name) = inner {
                    lines.push(format!("    <{name}>"));
                }
                open = inner;
            }
            let indent = if inner.is_some() { "      " } else { "    " };
            lines.push(format!("{indent}{}", component.fragment));
        }
        if let Some(name) = open {
            lines.push(format!("    </{name}>"));
        }
    }
    if lines.is_empty() {
        return Ok(String::new());
    }
    let body: String = lines.iter().map(|line| format!("{end}{line}")).collect();
    Ok(format!("{body}{end}  "))
}

/// The `Entity` elements: a table, or what its loose parts need around them.
fn tables(components: &[Component], end: &str) -> Result<Vec<String>, ComponentError> {
    let mut parts: HashMap<Identity, Vec<&Component>> = HashMap::new();
    let mut order: Vec<Identity> = Vec::new();
    let mut seen: HashSet<Identity> = HashSet::new();
    let mut shells: HashMap<Identity, &Component> = HashMap::new();
    for component in components {
        let table = match &component.place {
            Place::Table { .. } => component.parent.clone(),
            Place::Collection(path) if path == "Entities" => Some(component.identity()),
            _ => None,
        };
        let Some(table) = table else { continue };
        if seen.insert(table.clone()) {
            order.push(table.clone());
        }
        if component.component_type.code() == Some(code::TABLE) {
            shells.insert(table, component);
        } else {
            parts.entry(table).or_default().push(component);
        }
    }
    order
        .iter()
        .map(|table| {
            let shell = match shells.get(table) {
                Some(shell) => shell.fragment.clone(),
                None => table::bare_shell(&table.key, end),
            };
            let none = Vec::new();
            let text = table::assemble(&shell, parts.get(table).unwrap_or(&none), end)?;
            Ok(format!("    {text}"))
        })
        .collect()
}

/// `[Content_Types].xml` as a server writes it: every extension once in the order met, and an
/// override for each part that has none (facts, solution-package-format §2.3).
pub(super) fn content_types<'a>(parts: impl Iterator<Item = &'a str> + Clone) -> String {
    const BYTES: &str = "application/octet-stream";
    let extension = |name: &'a str| {
        let file = name.rsplit('/').next().unwrap_or(name);
        file.rsplit_once('.').map(|(_, extension)| extension)
    };
    let mut text = String::from(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">",
    );
    let mut met: Vec<String> = Vec::new();
    for name in std::iter::once("xml").chain(parts.clone().filter_map(extension)) {
        if !met.contains(&name.to_ascii_lowercase()) {
            met.push(name.to_ascii_lowercase());
            let name = super::fragment::escape_attribute(name);
            text.push_str(&format!(
                "<Default Extension=\"{name}\" ContentType=\"{BYTES}\" />"
            ));
        }
    }
    for name in parts.filter(|name| extension(name).is_none()) {
        let name = super::fragment::escape_attribute(name);
        text.push_str(&format!(
            "<Override PartName=\"/{name}\" ContentType=\"{BYTES}\" />"
        ));
    }
    text.push_str("</Types>");
    text
}
