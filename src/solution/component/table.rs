//! A table in a package: what stands for the table itself, and its columns, forms, views, charts.
//!
//! The parts are components of their own: they have layers, can be removed one by one, and a
//! package can bring a form without its table. So they are cut out of the `Entity` element here,
//! which leaves a *shell*, and are put back when a package is written.

use std::fmt::Write as _;

use roxmltree::Node;

use super::fragment::{
    Edits, Wrapped, attribute_text, child, content_range, elements, escape_attribute, escape_text,
    plain_id, text_of, top, value,
};
use super::kind::code;
use super::names::display_name;
use super::{Component, ComponentError, ComponentType, Identity, Place};

/// One kind of part: where it stands in `Entity`, its element, its number, its key, its depth.
struct Slot {
    path: &'static [&'static str],
    element: &'static str,
    code: u16,
    key: &'static str,
    indent: usize,
}

const SLOTS: [Slot; 4] = [
    Slot {
        path: &["EntityInfo", "entity", "attributes"],
        element: "attribute",
        code: code::COLUMN,
        key: "LogicalName",
        indent: 12,
    },
    Slot {
        path: &["FormXml", "forms"],
        element: "systemform",
        code: code::FORM,
        key: "formid",
        indent: 10,
    },
    Slot {
        path: &["SavedQueries", "savedqueries"],
        element: "savedquery",
        code: code::VIEW,
        key: "savedqueryid",
        indent: 10,
    },
    Slot {
        path: &["Visualizations"],
        element: "visualization",
        code: code::CHART,
        key: "savedqueryvisualizationid",
        indent: 8,
    },
];

/// The order of the children of `Entity` that this module may have to add.
const CHILDREN: [&str; 6] = [
    "Name",
    "ObjectTypeCode",
    "EntityInfo",
    "FormXml",
    "SavedQueries",
    "Visualizations",
];

/// Cuts the parts out of `entity`, appends them to `found` and returns the shell.
pub(super) fn split<'a, 'input>(
    source: &str,
    entity: Node<'a, 'input>,
    table: &Identity,
    found: &mut Vec<(Component, Node<'a, 'input>)>,
) -> String {
    let mut edits = Edits::default();
    for slot in &SLOTS {
        for holder in holders(entity, slot.path) {
            let group = holder.attribute("type").map(str::to_owned);
            let (parts, others): (Vec<_>, Vec<_>) =
                elements(holder).partition(|element| element.tag_name().name() == slot.element);
            for part in &parts {
                let text = text_of(source, *part);
                found.push((component(*part, text, slot, table, group.clone()), *part));
            }
            if parts.is_empty() {
                continue;
            }
            if !others.is_empty() {
                // Something unknown stands between them and stays.
                for part in parts {
                    let range = part.range();
                    edits.replace(source[..range.start].trim_end().len(), range.end, "");
                }
            } else if slot.code == code::FORM {
                // The group goes with its forms and is rebuilt from them.
                let range = holder.range();
                edits.replace(source[..range.start].trim_end().len(), range.end, "");
            } else if let Some((start, end)) = content_range(source, holder) {
                edits.replace(start, end, "");
            }
        }
    }
    edits.apply_within(source, entity.range())
}

fn holders<'a, 'input>(entity: Node<'a, 'input>, path: &[&str]) -> Vec<Node<'a, 'input>> {
    let mut at = vec![entity];
    for step in path {
        at = at
            .into_iter()
            .flat_map(elements)
            .filter(|element| element.tag_name().name() == *step)
            .collect();
    }
    at
}

/// The parts that `entity` holds, each with its element.
pub(super) fn parts<'a, 'input>(
    entity: Node<'a, 'input>,
    table: &Identity,
) -> impl Iterator<Item = (Identity, Node<'a, 'input>)> {
    SLOTS.iter().flat_map(move |slot| {
        let held = holders(entity, slot.path).into_iter().flat_map(elements);
        held.filter(|element| element.tag_name().name() == slot.element)
            .map(|part| (identity(part, slot, table), part))
            .collect::<Vec<_>>()
    })
}

/// The parts that a file of a source tree holds, each with its element: `root` is a chart, or a
/// list of forms or views.
pub(super) fn loose_parts<'a, 'input>(
    root: Node<'a, 'input>,
    table: &Identity,
) -> impl Iterator<Item = (Identity, Node<'a, 'input>)> {
    let own = |element: &Node<'_, '_>| {
        SLOTS
            .iter()
            .find(|slot| slot.element == element.tag_name().name())
    };
    let parts: Vec<Node<'_, '_>> = match own(&root) {
        Some(_) => vec![root],
        None => elements(root).collect(),
    };
    parts
        .into_iter()
        .filter_map(move |part| Some((identity(part, own(&part)?, table), part)))
}

/// The parts that a file of a source tree holds; forms are of the type `group`.
pub(super) fn loose_components(
    source: &str,
    root: Node<'_, '_>,
    table: &Identity,
    group: Option<&str>,
) -> Vec<Component> {
    let slot = |part: &Node<'_, '_>| {
        SLOTS
            .iter()
            .find(|slot| slot.element == part.tag_name().name())
    };
    let parts = loose_parts(root, table);
    parts
        .filter_map(|(_, part)| {
            let text = text_of(source, part);
            let group = group.map(str::to_owned);
            Some(component(part, text, slot(&part)?, table, group))
        })
        .collect()
}

/// Where an element says who it is.
fn written<'a>(part: Node<'a, '_>, slot: &Slot) -> &'a str {
    let written = value(part, slot.key).or_else(|| part.attribute("PhysicalName"));
    written.unwrap_or_default()
}

fn identity(part: Node<'_, '_>, slot: &Slot, table: &Identity) -> Identity {
    let written = written(part, slot);
    let key = if slot.code == code::COLUMN {
        format!("{}.{}", table.key, written.to_ascii_lowercase())
    } else {
        plain_id(written)
    };
    Identity {
        component_type: ComponentType::Code(slot.code),
        key,
    }
}

fn component(
    part: Node<'_, '_>,
    text: &str,
    slot: &Slot,
    table: &Identity,
    group: Option<String>,
) -> Component {
    let written = written(part, slot);
    let Identity {
        component_type,
        key,
    } = identity(part, slot, table);
    let (id, schema_name) = if slot.code == code::COLUMN {
        let schema = part.attribute("PhysicalName").unwrap_or(written).to_owned();
        (None, Some(schema))
    } else {
        (key.parse().ok(), None)
    };
    Component {
        component_type,
        key,
        id,
        schema_name,
        display_name: display_name(part).unwrap_or_else(|| written.to_owned()),
        parent: Some(table.clone()),
        place: Place::Table { group },
        fragment: text.to_owned(),
        payload: Vec::new(),
    }
}

/// The `Entity` element made of `shell` and its `parts`, written with `line_end`.
///
/// # Errors
/// When the shell is not readable XML.
pub(super) fn assemble(
    shell: &str,
    parts: &[&Component],
    line_end: &str,
) -> Result<String, ComponentError> {
    let mut text = shell.to_owned();
    for slot in &SLOTS {
        let mine: Vec<&Component> = parts
            .iter()
            .copied()
            .filter(|part| part.component_type == ComponentType::Code(slot.code))
            .collect();
        if !mine.is_empty() {
            text = with_parts(&text, slot, &mine, line_end)?;
        }
    }
    Ok(text)
}

/// A shell for a table whose own definition is not in the package.
pub(super) fn bare_shell(schema_name: &str, line_end: &str) -> String {
    let name = escape_text(schema_name);
    format!(
        "<Entity>{line_end}      <Name LocalizedName=\"\" OriginalName=\"\">{name}</Name>{line_end}    </Entity>"
    )
}

fn with_parts(
    text: &str,
    slot: &Slot,
    parts: &[&Component],
    line_end: &str,
) -> Result<String, ComponentError> {
    let wrapped = Wrapped::new(text);
    let unreadable = || ComponentError::Fragment {
        what: "a table".into(),
    };
    let document = wrapped.document().map_err(|_| unreadable())?;
    let entity = top(&document).ok_or_else(unreadable)?;
    let source = document.input_text();
    let inner = inner_text(slot, parts, line_end);

    // Down the path as far as it exists; what is missing is written around the parts.
    let path: &[&str] = if slot.code == code::FORM {
        &slot.path[..slot.path.len() - 1]
    } else {
        slot.path
    };
    let mut node = entity;
    let mut depth = 0;
    while depth < path.len()
        && let Some(next) = child(node, path[depth])
    {
        node = next;
        depth += 1;
    }
    let mut content = inner;
    for level in (depth..path.len()).rev() {
        let indent = " ".repeat(6 + 2 * level);
        let attributes = match path[level] {
            // The table itself is not in the package, so it is marked as unchanged.
            "entity" => {
                let name = escape_attribute(value(entity, "Name").unwrap_or_default());
                format!(" Name=\"{name}\" unmodified=\"1\"")
            }
            _ => String::new(),
        };
        let name = path[level];
        let close = if level + 1 == path.len() {
            String::new()
        } else {
            format!("{line_end}{indent}")
        };
        content = format!("{line_end}{indent}<{name}{attributes}>{content}{close}</{name}>");
    }

    let mut edits = Edits::default();
    if depth == 0 {
        let before = CHILDREN
            .iter()
            .position(|name| *name == path[0])
            .unwrap_or(CHILDREN.len());
        let after = elements(entity)
            .filter(|element| CHILDREN[..before].contains(&element.tag_name().name()))
            .last();
        let at = match (after, content_range(source, entity)) {
            (Some(element), _) => element.range().end,
            (None, Some((start, _))) => start,
            (None, None) => return Err(unreadable()),
        };
        edits.replace(at, at, content);
    } else {
        append(
            source,
            node,
            &content,
            &mut edits,
            line_end,
            6 + 2 * (depth - 1),
        );
    }
    let range = entity.range();
    Ok(edits.apply_within(source, range))
}

/// The parts one below the other, each on its own line, ending where the holder's end tag goes.
fn inner_text(slot: &Slot, parts: &[&Component], line_end: &str) -> String {
    let indent = " ".repeat(slot.indent);
    let outer = " ".repeat(slot.indent - 2);
    let mut text = String::new();
    let mut open: Option<&str> = None;
    for part in parts {
        if slot.code == code::FORM {
            let group = match &part.place {
                Place::Table { group: Some(group) } => group.as_str(),
                _ => "main",
            };
            if open != Some(group) {
                if open.is_some() {
                    let _ = write!(text, "{line_end}{outer}</forms>");
                }
                let name = escape_attribute(group);
                let _ = write!(text, "{line_end}{outer}<forms type=\"{name}\">");
                open = Some(group);
            }
        }
        let _ = write!(text, "{line_end}{indent}{}", part.fragment);
    }
    if open.is_some() {
        let _ = write!(
            text,
            "{line_end}{outer}</forms>{line_end}{}",
            " ".repeat(slot.indent - 4)
        );
    } else {
        let _ = write!(text, "{line_end}{outer}");
    }
    text
}

/// Puts `content` behind what `node` already holds.
fn append(
    source: &str,
    node: Node<'_, '_>,
    content: &str,
    edits: &mut Edits,
    line_end: &str,
    indent: usize,
) {
    let end_space = format!("{line_end}{}", " ".repeat(indent));
    let content = format!("{}{end_space}", content.trim_end());
    match content_range(source, node) {
        Some((start, end)) => {
            // Behind the last element, over the white space before the end tag.
            let at = start + source[start..end].trim_end().len();
            edits.replace(at, end, content);
        }
        None => {
            let name = node.tag_name().name();
            let attributes = attribute_text(source, node);
            let range = node.range();
            edits.replace(
                range.start,
                range.end,
                format!("<{name}{attributes}>{content}</{name}>"),
            );
        }
    }
}
