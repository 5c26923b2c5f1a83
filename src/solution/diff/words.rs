//! Puts differences into the words of the people who made the solution.

use super::{Change, What, render};
use crate::solution::SourceTree;
use crate::solution::component::{ComponentType, Identity, process_name, type_name};
use crate::solution::keyed::compare::{Change as NodeChange, Kind};
use crate::solution::keyed::{Form, Node, with_document};
use crate::solution::model::flow::{self, Flow};
use crate::solution::model::form::{self, Field};
use crate::solution::model::{Table, View, label_of, place, view};
use crate::solution::xml::line_at;

/// The texts of both sides of a file, for line numbers.
pub(super) struct Texts<'a> {
    /// Its path.
    pub file: &'a str,
    /// The old text.
    pub old: &'a str,
    /// The new text.
    pub new: &'a str,
}

/// All changes of a document in words. `old_root` is the outermost old piece.
pub(super) fn tell(
    changes: &[NodeChange<'_>],
    texts: &Texts<'_>,
    old_root: &Node<'_>,
) -> Vec<Change> {
    let mut told: Vec<Change> = changes
        .iter()
        .map(|change| tell_one(change, texts, old_root))
        .collect();
    // The status of a process follows its state, and a label repeats a default.
    let has = |told: &[Change], place: &str| told.iter().any(|change| change.place == place);
    if has(&told, "StateCode") {
        told.retain(|change| change.place != "StatusCode");
    }
    for text in ["displayname", "description"] {
        if has(&told, &format!("{text}/@default")) {
            let label = format!("{text}/label[");
            told.retain(|change| !change.place.starts_with(&label));
        }
    }
    told
}

fn tell_one(change: &NodeChange<'_>, texts: &Texts<'_>, old_root: &Node<'_>) -> Change {
    let (around, rest) = split(&change.path);
    let (subject, within) = match around.split_last() {
        Some((own, outer)) => (own.clone(), outer.join(" / ")),
        None => (String::new(), String::new()),
    };
    let is_piece = rest.is_empty() && !around.is_empty();
    let mut property = property(&rest);
    if change.kind == Kind::Reordered && property == "rows" {
        property = "fields".to_owned();
    }
    let (what, old, new) = match change.kind {
        Kind::Added => (What::Added, None, change.new.and_then(about)),
        Kind::Removed => (What::Removed, change.old.and_then(about), None),
        Kind::Changed => (
            What::Changed,
            change.old.map(|node| value(node)),
            change.new.map(|node| value(node)),
        ),
        Kind::Moved => {
            let before = change
                .from
                .as_deref()
                .map(|path| split(path).0)
                .unwrap_or_default();
            let before = before.split_last().map(|(_, outer)| outer.join(" / "));
            let top = |place: String| {
                if place.is_empty() {
                    "the top".to_owned()
                } else {
                    place
                }
            };
            (What::Moved, before.map(top), Some(top(within.clone())))
        }
        Kind::Reordered => (
            What::Reordered,
            change.old.map(|node| order(node)),
            change.new.map(|node| order(node)),
        ),
    };
    let place: Vec<String> = change
        .path
        .iter()
        .skip(1)
        .map(|node| node.label())
        .collect();
    let node = change.new.or(change.old).unwrap_or(old_root);
    let text = if change.new.is_some() {
        texts.new
    } else {
        texts.old
    };
    Change {
        what,
        subject,
        within,
        property: if is_piece && what != What::Reordered {
            String::new()
        } else {
            property
        },
        old,
        new,
        lines: None,
        file: texts.file.to_owned(),
        line: Some(line_at(text, node.at)),
        place: place.join("/"),
    }
}

/// A place in a document in words, and what stands there.
pub(crate) struct Spot {
    /// `field contoso_name in tab General: label (1033)`.
    pub place: String,
    /// What stands there; nothing if the document has no such piece.
    pub value: Option<String>,
}

/// What a person calls the place of a merge's conflict: labels joined by `/`, as
/// [`Node::label`] gives them, below the outermost piece. `component` is the key of the component
/// that is spoken of; where it is one of several in the document, its own name is not repeated.
pub(crate) fn spot(root: &Node<'_>, place: &str, component: &str) -> Spot {
    let mut path = vec![root];
    let mut rest = place;
    while let Some(node) = path.last().copied().filter(|_| !rest.is_empty()) {
        let pieces = node.attributes.iter().chain(node.children());
        let longest = pieces
            .filter_map(|piece| {
                let label = piece.label();
                let after = rest.strip_prefix(&label)?;
                let is_whole = after.is_empty() || after.starts_with(['/', '#']);
                is_whole.then_some((label.len(), piece))
            })
            .max_by_key(|(length, _)| *length);
        let Some((length, piece)) = longest else {
            break;
        };
        path.push(piece);
        rest = rest[length..].trim_start_matches('/');
    }
    let is_there = rest.is_empty() || rest == "#order";
    let node = path.last().copied().unwrap_or(root);
    let is_component = |node: &&Node<'_>| {
        let key = node.key.as_deref();
        key.is_some_and(|key| key.eq_ignore_ascii_case(component))
    };
    let own = path.iter().position(is_component).unwrap_or_default();
    let (around, below) = split(&path[own..]);
    let (subject, within) = match around.split_last() {
        Some((own, outer)) => (own.clone(), outer.join(" / ")),
        None => (String::new(), String::new()),
    };
    let mut property = property(&below);
    if !is_there {
        let name = rest.trim_start_matches('@');
        property = [property.as_str(), name]
            .iter()
            .filter(|part| !part.is_empty())
            .copied()
            .collect::<Vec<_>>()
            .join(".");
    }
    let mut words = render::where_about(&subject, &within, &property);
    let value = match rest {
        "#order" => {
            words.push_str(if words.is_empty() { "order" } else { ": order" });
            Some(order(node))
        }
        _ => is_there.then(|| about(node).unwrap_or_else(|| value(node))),
    };
    Spot {
        place: words,
        value: value.map(|value| render::readable(&property, value)),
    }
}

/// The named things on a path, outermost first, and what lies below the last one.
fn split<'n, 'p>(path: &'p [&'n Node<'n>]) -> (Vec<String>, Vec<&'p Node<'n>>) {
    let mut things = Vec::new();
    let mut last = 0;
    for (index, node) in path.iter().enumerate() {
        let above = &path[..index];
        if let Some(thing) = thing(above, node) {
            things.push(thing);
            last = index;
        }
    }
    let from = if things.is_empty() { 1 } else { last + 1 };
    let rest = path.iter().skip(from).copied().collect();
    (things, rest)
}

/// What a person calls a piece, if it is something that has a name of its own.
fn thing(above: &[&Node<'_>], node: &Node<'_>) -> Option<String> {
    let parent = above.last();
    let parent_name = parent.map_or("", |parent| &*parent.name);
    let key = || node.key.clone().unwrap_or_default();
    if node.form == Form::Json {
        let grandparent = above.len().checked_sub(2).map_or("", |at| &*above[at].name);
        let word = match parent_name {
            "actions" => "step",
            "triggers" => "trigger",
            "connectionReferences" => "connection",
            "cases" => "case",
            "parameters" if grandparent == "definition" => "parameter",
            _ => return (parent_name.is_empty() && node.name == "else").then(|| "no".to_owned()),
        };
        return Some(format!("{word} {}", node.name.replace('_', " ")));
    }
    if node.form != Form::Element {
        return None;
    }
    let told = match &*node.name {
        "attribute" if parent_name == "attributes" => {
            format!(
                "column {}",
                node.at_path("LogicalName")
                    .map_or_else(|| key().to_lowercase(), str::to_owned)
            )
        }
        "attribute" if node.key.is_some() => format!("fetched column {}", key()),
        "cell" if node.attribute("name").is_some() && node.attribute("id").is_none() => {
            format!("column {}", key())
        }
        "cell" => match Field::read(node) {
            Some(Field {
                column: Some(column),
                ..
            }) => format!("field {column}"),
            Some(field) => format!("control {}", field.label),
            None => "gap".to_owned(),
        },
        "tab" => format!("tab {}", form::part_name(node)),
        "section" => format!("section {}", form::part_name(node)),
        "condition" => format!("condition on {}", key()),
        "order" if node.key.is_some() => format!("sorting by {}", key()),
        "link-entity" => format!("join with {}", node.attribute("name").unwrap_or_default()),
        "option" | "status" | "state" => match label_of(node, "labels") {
            Some(label) => format!("{} {} {label}", node.name, key()),
            None => format!("{} {}", node.name, key()),
        },
        "RolePrivilege" => format!("privilege {}", key()),
        "RootComponent" => format!("root component {}", listed(node)),
        "AppModuleComponent" => format!("component {}", listed(node)),
        "MissingDependency" => {
            let end = |name: &str| node.child(name).map(listed).unwrap_or_default();
            format!(
                "missing dependency of {} on {}",
                end("Dependent"),
                end("Required")
            )
        }
        "Area" | "Group" | "SubArea" => {
            let word = match &*node.name {
                "Area" => "area",
                "Group" => "group",
                _ => "page",
            };
            format!("{word} {}", title(node).unwrap_or_else(key))
        }
        "Handler" => format!(
            "handler {}",
            node.attribute("functionName").unwrap_or_default()
        ),
        "Library" => format!("library {}", key()),
        "event" => format!("event {}", key()),
        "PluginType" => format!(
            "plug-in type {}",
            node.attribute("Name").unwrap_or_default()
        ),
        "FieldPermission" => format!("permission for {}", key()),
        "LookupType" => format!("target {}", key()),
        "EntityKey" => format!("key {}", key()),
        "EntityRelationship" if parent_name == "EntityRelationships" => {
            format!("relationship {}", key())
        }
        "FormXml" | "SavedQueries" | "Visualizations" | "RibbonDiffXml"
            if parent_name == "Entity" =>
        {
            let word = match &*node.name {
                "FormXml" => "place for forms",
                "SavedQueries" => "place for views",
                "Visualizations" => "place for charts",
                _ => "ribbon",
            };
            word.to_owned()
        }
        "Role" if parent_name == "AppModuleRoleMaps" => format!("role {}", key()),
        "AttributeMap" => format!("mapping {}", key()),
        "SdkMessageProcessingStepImage" => {
            format!("image {}", node.attribute("Name").unwrap_or_default())
        }
        _ => return None,
    };
    Some(told)
}

/// `table contoso_permit`, from an element with a type and a key.
fn listed(node: &Node<'_>) -> String {
    let text = |name: &str| node.attribute(name).filter(|text| !text.is_empty());
    let kind = text("type").unwrap_or_default();
    let label = match kind.parse() {
        Ok(code) => label(&Identity::new(ComponentType::Code(code), "")),
        Err(_) => kind.to_owned(),
    };
    let key = text("schemaName")
        .or_else(|| text("displayName"))
        .or_else(|| text("id"))
        .or_else(|| text("id.connectionreferencelogicalname"))
        .unwrap_or_default();
    format!("{label} {key}")
}

fn title(node: &Node<'_>) -> Option<String> {
    let titles = node.child("Titles").map(Node::children).unwrap_or_default();
    titles
        .iter()
        .find_map(|title| title.attribute("Title"))
        .or_else(|| node.attribute("Entity"))
        .map(str::to_owned)
}

/// Pieces of a path that say nothing to a person.
const SILENT: &[&str] = &[
    "EntityInfo",
    "entity",
    "attributes",
    "forms",
    "form",
    "systemform",
    "columns",
    "rows",
    "row",
    "sections",
    "tabs",
    "labels",
    "LocalizedNames",
    "displaynames",
    "Descriptions",
    "options",
    "control",
    "RootComponents",
    "MissingDependencies",
    "SolutionManifest",
    "layoutxml",
    "grid",
    "fetchxml",
    "fetch",
    "savedquery",
    "RolePrivileges",
    "AppModuleComponents",
    "AppModuleRoleMaps",
    "properties",
    "definition",
    "actions",
    "triggers",
    "inputs",
    "Titles",
    "optionset",
    "statuses",
    "states",
    "LocalizedCollectionNames",
    "SiteMap",
    "AppModuleSiteMap",
    "FormXml",
];

/// What lies below a thing, as a dotted name: `Length`, `label (1033)`, `parameters.to`.
fn property(rest: &[&Node<'_>]) -> String {
    let mut out: Vec<String> = Vec::new();
    for (index, node) in rest.iter().enumerate() {
        let is_last = index + 1 == rest.len();
        let language = node
            .attribute("languagecode")
            .or_else(|| node.attribute("LCID"));
        match (&*node.name, language) {
            ("description" | "Title", None) if node.form == Form::Attribute && !out.is_empty() => {}
            ("LocalizedName", Some(code)) => out.push(format!("name ({code})")),
            ("LocalizedCollectionName", Some(code)) => out.push(format!("plural name ({code})")),
            ("displayname", Some(code)) => out.push(format!("display name ({code})")),
            ("label", Some(code)) => out.push(format!("label ({code})")),
            ("Description", Some(code)) => out.push(format!("description ({code})")),
            ("Title", Some(code)) => out.push(format!("title ({code})")),
            ("parameters", _) if !is_last => {}
            (name, _) if SILENT.contains(&name) && !is_last => {}
            ("", _) => out.push(
                node.key
                    .clone()
                    .unwrap_or_else(|| format!("{}", node.ordinal + 1)),
            ),
            (name, _) => match &node.key {
                Some(key) if node.form == Form::Element => out.push(format!("{name} {key}")),
                _ if node.positional => out.push(format!("{name} {}", node.ordinal + 1)),
                _ => out.push(name.to_owned()),
            },
        }
    }
    out.join(".")
}

/// The value of a piece, or what it is made of.
fn value(node: &Node<'_>) -> String {
    match node.value() {
        Some(value) => value.to_owned(),
        None if node.children().is_empty()
            && node.attributes.is_empty()
            && !node.is_container() =>
        {
            String::new()
        }
        None => compact(node),
    }
}

/// What came or went, in a few words; nothing if its name says it all.
pub(super) fn about(node: &Node<'_>) -> Option<String> {
    if node.form == Form::Json && node.is_container() {
        let text = &node.whole[node.head.len()..];
        if let Ok(step) = serde_json::from_str::<serde_json::Value>(text)
            && step.get("type").is_some_and(serde_json::Value::is_string)
        {
            return Some(flow::describe(&step));
        }
    }
    let told = match &*node.name {
        "attribute" => crate::solution::model::Column::read(node).map(|column| column.summary()),
        "RolePrivilege" => node.attribute("level").map(str::to_owned),
        "option" | "status" | "state" => Some(String::new()),
        "RootComponent" | "AppModuleComponent" | "MissingDependency" | "LookupType" => {
            Some(String::new())
        }
        // A mere mention; where it is defined, it has more.
        "EntityRelationship" if node.children().is_empty() => Some(String::new()),
        "cell" if node.child("control").is_some() => Some(String::new()),
        "cell" if node.attribute("name").is_some() => node
            .attribute("width")
            .map(|width| format!("{width} pixels wide")),
        "Role" => Some(String::new()),
        "FormXml" | "SavedQueries" | "Visualizations" | "RibbonDiffXml" | "EntityInfo" => {
            Some(String::new())
        }
        "section" | "tab" => {
            let mut fields = Vec::new();
            collect_fields(node, &mut fields);
            Some(fields.join(", "))
        }
        "condition" => Some(view::condition(node)),
        "connectionreference" => node.at_path("connectorid").map(str::to_owned),
        "environmentvariabledefinition" => node.at_path("defaultvalue").map(str::to_owned),
        _ if node.attribute("languagecode").is_some() => {
            node.attribute("description").map(str::to_owned)
        }
        _ => None,
    };
    let told = told.unwrap_or_else(|| value(node));
    (!told.is_empty()).then_some(told)
}

fn collect_fields(node: &Node<'_>, found: &mut Vec<String>) {
    for child in node.children() {
        if child.name == "cell" {
            found.extend(Field::read(child).map(|field| field.column.unwrap_or(field.label)));
        } else {
            collect_fields(child, found);
        }
    }
}

/// A piece with pieces inside, in one line.
fn compact(node: &Node<'_>) -> String {
    if node.form == Form::Json {
        let text = &node.whole[node.head.len()..];
        return serde_json::from_str::<serde_json::Value>(text)
            .map_or_else(|_| text.to_owned(), |value| value.to_string());
    }
    let mut parts: Vec<String> = Vec::new();
    for piece in node.attributes.iter().chain(node.children()) {
        let text = match piece.value() {
            Some(value) => format!("{}={value}", piece.name),
            None if piece.children().is_empty() && piece.attributes.is_empty() => continue,
            None => format!("{}({})", piece.name, compact(piece)),
        };
        parts.push(text);
    }
    parts.join(", ")
}

/// The pieces inside a list in their order.
fn order(node: &Node<'_>) -> String {
    let names = node.children().iter().flat_map(|child| {
        if child.name == "row" {
            child.children().iter().collect::<Vec<_>>()
        } else {
            vec![child]
        }
    });
    let names: Vec<String> = names
        .map(|child| match &*child.name {
            "cell" | "tab" | "section" | "option" => thing(&[], child)
                .map(|thing| {
                    thing
                        .split_once(' ')
                        .map_or(thing.clone(), |(_, name)| name.to_owned())
                })
                .unwrap_or_else(|| child.label()),
            _ => child.key.clone().unwrap_or_else(|| child.label()),
        })
        .collect();
    names.join(", ")
}

/// What an added or removed component is, from one of its files.
pub(super) fn details(path: &str, data: &[u8]) -> Vec<String> {
    if path.starts_with("Workflows/") && path.ends_with(".json") {
        return Flow::read(path, data)
            .map(|flow| flow.outline().lines().map(str::to_owned).collect())
            .unwrap_or_default();
    }
    with_document(path, data, |document, _| {
        let node = place::inner(&document.root);
        match &*node.name {
            "Entity" => Table::read(node)
                .map(|table| {
                    let own = table.columns.iter().filter(|column| column.custom);
                    own.map(|column| format!("column {}: {}", column.name, column.summary()))
                        .collect()
                })
                .unwrap_or_default(),
            "savedquery" => View::read(node)
                .map(|view| {
                    let columns: Vec<String> =
                        view.columns.into_iter().map(|column| column.name).collect();
                    let mut lines = vec![format!("columns: {}", columns.join(", "))];
                    if !view.filter.is_empty() {
                        lines.push(format!("where {}", view.filter));
                    }
                    lines
                })
                .unwrap_or_default(),
            "systemform" => {
                let mut fields = Vec::new();
                collect_fields(node, &mut fields);
                vec![format!("fields: {}", fields.join(", "))]
            }
            "optionset" => {
                let options = node
                    .child("options")
                    .map(Node::children)
                    .unwrap_or_default();
                options
                    .iter()
                    .filter_map(|option| thing(&[], option))
                    .collect()
            }
            "Role" => {
                let privileges = node
                    .child("RolePrivileges")
                    .map(Node::children)
                    .unwrap_or_default();
                vec![format!("{} privileges", privileges.len())]
            }
            _ => Vec::new(),
        }
    })
    .ok()
    .flatten()
    .unwrap_or_default()
}

/// What a person calls the kind of a component.
pub(super) fn label(identity: &Identity) -> String {
    type_name(&identity.component_type).to_owned()
}

/// What a person calls a form of the type that its folder names.
fn form_kind(main: &str) -> &str {
    match main.split('/').rev().nth(1) {
        Some("main") => "main form",
        Some("quick") => "quick view form",
        Some("quickCreate") => "quick create form",
        Some("card") => "card form",
        Some("mobile") => "mobile form",
        _ => "form",
    }
}

/// The same, telling kinds apart that share a number.
pub(super) fn kind_of(
    identity: &Identity,
    tree: &SourceTree,
    main: &str,
    files: &[String],
) -> String {
    if main.starts_with("Workflows/") {
        let category = tree
            .get(main)
            .and_then(|data| {
                with_document(main, data, |document, _| {
                    document.root.at_path("Category").map(str::to_owned)
                })
                .ok()?
            })
            .flatten();
        return process_name(category.as_deref()).to_owned();
    }
    match identity.component_type.code() {
        Some(60) if files.iter().any(|file| file.contains("ashboards/")) => "dashboard".to_owned(),
        Some(60) => form_kind(main).to_owned(),
        _ => label(identity),
    }
}
