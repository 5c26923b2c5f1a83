//! Pass-through components: those that have folders instead of a place in `customizations.xml`.
//!
//! `bots/<name>/bot.xml`, `customapis/<name>/customapirequestparameters/<name>/….xml`: a component
//! is a folder whose own folder is called like its file, in the plural. The other files in it are
//! its payload. What follows no such pattern is a component by itself, so nothing is lost.

use super::fragment::{Wrapped, elements, plain_id, top, value};
use super::names::display_name;
use super::{Component, ComponentType, Identity, Payload, Place, code};

/// Appends the components that the parts `left` make up, in their order.
pub(super) fn split(left: &[(&str, &[u8])], found: &mut Vec<Component>) {
    let mut homes: Vec<Home<'_>> = left
        .iter()
        .enumerate()
        .filter_map(|(index, (name, bytes))| Home::of(name, bytes, index))
        .collect();
    // The deepest folder that holds a part owns it.
    homes.sort_by_key(|home| std::cmp::Reverse(home.folder.len()));
    let mut payload: Vec<Vec<Payload>> = homes.iter().map(|_| Vec::new()).collect();
    let mut single = Vec::new();
    let mut made: Vec<(usize, Component)> = Vec::new();
    for (index, (name, bytes)) in left.iter().enumerate() {
        if let Some(value) = variable_value(name, bytes) {
            made.push((index, value));
            continue;
        }
        if homes.iter().any(|home| home.index == index) {
            continue;
        }
        let part = Payload {
            name: (*name).to_owned(),
            bytes: bytes.to_vec(),
        };
        let owner = homes.iter().position(|home| {
            name.strip_prefix(home.folder)
                .is_some_and(|rest| rest.starts_with('/'))
        });
        match owner {
            Some(owner) => payload[owner].push(part),
            None => single.push((index, part)),
        }
    }
    let folders: Vec<(String, Identity)> = homes
        .iter()
        .map(|home| (home.folder.to_owned(), home.identity()))
        .collect();
    for (home, payload) in homes.iter().zip(payload) {
        made.push((home.index, home.component(&folders, payload)));
    }
    for (index, part) in single {
        let Identity {
            component_type,
            key,
        } = single_identity(&part.name);
        let shown = part
            .name
            .split_once('/')
            .map_or(&*part.name, |(_, rest)| rest);
        made.push((
            index,
            Component {
                component_type,
                key,
                id: None,
                schema_name: None,
                display_name: shown.to_owned(),
                parent: None,
                place: Place::Part(part.name.clone()),
                fragment: String::new(),
                payload: vec![part],
            },
        ));
    }
    made.sort_by_key(|(index, _)| *index);
    found.extend(made.into_iter().map(|(_, component)| component));
}

/// The file beside an environment variable's definition that holds its current value
/// (facts, solution-package-format §2.7): a component of its own, of which the package may have none.
fn variable_value(name: &str, bytes: &[u8]) -> Option<Component> {
    let definition = value_of(name)?;
    let text = std::str::from_utf8(bytes).ok()?;
    let read: serde_json::Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let row = read.pointer("/environmentvariablevalues/environmentvariablevalue")?;
    let id = row
        .get("@environmentvariablevalueid")
        .and_then(serde_json::Value::as_str);
    Some(Component {
        component_type: ComponentType::Code(code::VARIABLE_VALUE),
        key: definition.to_ascii_lowercase(),
        id: id.and_then(|id| plain_id(id).parse().ok()),
        schema_name: Some(definition.to_owned()),
        display_name: definition.to_owned(),
        parent: Some(Identity::coded(code::VARIABLE, definition)),
        place: Place::Part(name.to_owned()),
        fragment: text.to_owned(),
        payload: Vec::new(),
    })
}

/// The folder and the table of the component that a part of this name makes its folder: it is
/// called like the folder around it, in the singular.
fn home(name: &str) -> Option<(&str, &str)> {
    let (folder, file) = name.rsplit_once('/')?;
    let table = file.strip_suffix(".xml")?;
    let (outer, _) = folder.rsplit_once('/')?;
    let plural = outer.rsplit('/').next().unwrap_or(outer);
    let is_plural = plural
        .strip_prefix(table)
        .is_some_and(|end| end == "s" || end == "es")
        || plural
            .strip_suffix("ies")
            .zip(table.strip_suffix('y'))
            .is_some_and(|(a, b)| a == b);
    is_plural.then_some((folder, table))
}

/// The path of a component's folder inside the top folder without the names of inner collections.
fn key(folder: &str) -> String {
    let steps: Vec<&str> = folder.split('/').skip(1).step_by(2).collect();
    steps.join("/").to_ascii_lowercase()
}

/// Which pass-through component a part of this name would define; a part that belongs to one of
/// another name defines none.
pub(crate) fn passed_through(name: &str) -> Identity {
    if let Some(definition) = value_of(name) {
        return Identity::coded(code::VARIABLE_VALUE, definition);
    }
    match home(name) {
        Some((folder, table)) => Identity {
            component_type: ComponentType::named(table),
            key: key(folder),
        },
        None => single_identity(name),
    }
}

/// A part that follows no pattern is a component by itself.
fn single_identity(name: &str) -> Identity {
    let (top, rest) = name.split_once('/').unwrap_or(("", name));
    Identity {
        component_type: ComponentType::table(&top.to_ascii_lowercase()),
        key: rest.to_ascii_lowercase(),
    }
}

/// The environment variable whose current value a part of this name holds.
fn value_of(name: &str) -> Option<&str> {
    let (folder, file) = name.rsplit_once('/')?;
    let definition = folder.strip_prefix("environmentvariabledefinitions/")?;
    (file == "environmentvariablevalues.json" && !definition.contains('/')).then_some(definition)
}

/// A part that makes its folder a component.
struct Home<'a> {
    index: usize,
    name: &'a str,
    /// The folder, without a slash at its end.
    folder: &'a str,
    /// The name of the table: the file's name without its extension.
    table: &'a str,
    text: &'a str,
}

impl<'a> Home<'a> {
    fn of(name: &'a str, bytes: &'a [u8], index: usize) -> Option<Self> {
        let (folder, table) = home(name)?;
        let text = std::str::from_utf8(bytes).ok()?;
        Wrapped::new(text).document().ok()?;
        Some(Self {
            index,
            name,
            folder,
            table,
            text,
        })
    }

    fn identity(&self) -> Identity {
        Identity {
            component_type: ComponentType::named(self.table),
            key: key(self.folder),
        }
    }

    fn component(&self, folders: &[(String, Identity)], payload: Vec<Payload>) -> Component {
        let parent = folders
            .iter()
            .filter(|(folder, _)| {
                self.folder
                    .strip_prefix(folder.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
            })
            .max_by_key(|(folder, _)| folder.len())
            .map(|(_, identity)| identity.clone());
        let wrapped = Wrapped::new(self.text);
        let document = wrapped.document().ok();
        let node = document.as_ref().and_then(top);
        let written = self.folder.rsplit('/').next().unwrap_or(self.folder);
        let id = node.and_then(|node| {
            let id = format!("{}id", self.table);
            value(node, &format!("@{id}"))
                .or_else(|| value(node, &id))
                .and_then(|id| plain_id(id).parse().ok())
        });
        let schema = node.and_then(|node| {
            ["@schemaname", "@uniquename"]
                .iter()
                .find_map(|place| value(node, place))
        });
        Component {
            component_type: ComponentType::named(self.table),
            key: key(self.folder),
            id,
            schema_name: Some(schema.unwrap_or(written).to_owned()),
            display_name: node
                .and_then(|node| display_name(node).filter(|_| elements(node).next().is_some()))
                .unwrap_or_else(|| written.to_owned()),
            parent,
            place: Place::Part(self.name.to_owned()),
            fragment: self.text.to_owned(),
            payload,
        }
    }
}
