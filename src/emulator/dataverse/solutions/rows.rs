//! A component as a row of its ordinary table.
//!
//! Most columns carry the name of the element or attribute that holds their value, apart from
//! letter case, so they are found by name; [`SOURCES`] lists the others. What callers changed is
//! the difference between the row and the row that the definition makes; `rewrite` puts it back.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use roxmltree::Node;
use serde_json::{Value, json};

use crate::emulator::dataverse::Row;
use crate::emulator::dataverse::catalogue::{Column, ColumnKind, Table};
use crate::solution::component::fragment::{self, Wrapped, elements, top, value};
use crate::solution::component::{Component, Payload, Place};

/// Where the value of a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// At a place of the XML.
    At(&'static str),
    /// The XML inside a child element.
    Inside(&'static str),
    /// A child element with its tags.
    Whole(&'static str),
    /// The text of the payload part with this ending.
    Text(&'static str),
    /// The payload part with this ending, in base64.
    Bytes(&'static str),
    /// The table that the component is a part of.
    Table,
    /// The number of the form's type.
    FormType,
    /// A part of an assembly's full name: 0 is the name, others the value of `Key=value`.
    FullName(&'static str),
    /// A member of the JSON of an environment variable's value.
    Json(&'static str),
}

use Source::{At, Bytes, FormType, FullName, Inside, Json, Text, Whole};

/// The column `.1` of the table `.0` has its value at `.2`.
#[rustfmt::skip] // A table is read in columns.
const SOURCES: &[(&str, &str, Source)] = &[
    ("workflow", "clientdata", Text(".json")),
    ("workflow", "xaml", Text(".xaml")),
    ("webresource", "content", Bytes("")),
    ("systemform", "name", At("LocalizedNames/LocalizedName/@description")),
    ("systemform", "description", At("Descriptions/Description/@description")),
    ("systemform", "formxml", Whole("form")),
    ("systemform", "objecttypecode", Source::Table),
    ("systemform", "type", FormType),
    ("savedquery", "name", At("LocalizedNames/LocalizedName/@description")),
    ("savedquery", "description", At("Descriptions/Description/@description")),
    ("savedquery", "fetchxml", Inside("fetchxml")),
    ("savedquery", "layoutxml", Inside("layoutxml")),
    ("savedquery", "returnedtypecode", Source::Table),
    ("savedqueryvisualization", "name", At("LocalizedNames/LocalizedName/@description")),
    ("savedqueryvisualization", "datadescription", Inside("datadescription")),
    ("savedqueryvisualization", "presentationdescription", Inside("presentationdescription")),
    ("savedqueryvisualization", "primaryentitytypecode", Source::Table),
    ("appmodule", "name", At("LocalizedNames/LocalizedName/@description")),
    ("appmodule", "description", At("Descriptions/Description/@description")),
    ("sitemap", "sitemapname", At("LocalizedNames/LocalizedName/@description")),
    ("sitemap", "sitemapnameunique", At("SiteMapUniqueName")),
    ("sitemap", "sitemapxml", Whole("SiteMap")),
    ("pluginassembly", "name", FullName("")),
    ("pluginassembly", "version", FullName("Version")),
    ("pluginassembly", "culture", FullName("Culture")),
    ("pluginassembly", "publickeytoken", FullName("PublicKeyToken")),
    ("pluginassembly", "content", Bytes(".dll")),
    ("report", "bodytext", Text(".wdl")),
    ("customcontrol", "manifest", Text("ControlManifest.xml")),
    ("bot", "configuration", Text("/configuration.json")),
    ("botcomponent", "data", Text("/data")),
    ("botcomponent", "content", Text("/content.json")),
    ("environmentvariablevalue", "value", Json("value")),
];

/// Columns that the platform keeps or that belong to the environment rather than the definition.
const NOT_DEFINED: &[&str] = &[
    "createdon",
    "modifiedon",
    "versionnumber",
    "overriddencreatedon",
    "solutionid",
    "componentstate",
    "overwritetime",
    "ismanaged",
    "connectionid",
];

/// The form types of a package and their numbers in `systemform.type`.
const FORM_TYPES: &[(&str, i64)] = &[
    ("dashboard", 0),
    ("appointmentBook", 1),
    ("main", 2),
    ("mobile", 5),
    ("quick", 6),
    ("quickCreate", 7),
    ("dialog", 8),
    ("taskBasedForm", 9),
    ("card", 11),
];

/// A definition whose values can be looked up by column.
pub(super) struct Values<'a> {
    pub(super) component: &'a Component,
    /// Lower-case names of leaf elements and attributes, and their places.
    pub(super) places: BTreeMap<String, String>,
    pub(super) found: BTreeMap<String, Value>,
}

/// The columns that `component` gives to its row in `table`. Lookups and keys are left out.
pub(super) fn row_of(table: &Table, component: &Component) -> Row {
    let values = Values::read(table, component);
    values.found.into_iter().collect()
}

/// The columns whose values callers have changed since `component` was written, with their values.
pub(super) fn differences(table: &Table, component: &Component, row: &Row) -> Row {
    let values = Values::read(table, component);
    let defined = table
        .columns
        .iter()
        .filter(|column| is_defined(table, column));
    defined
        .filter(|column| {
            !same(
                column,
                values.found.get(&column.name),
                row.get(&column.name),
            )
        })
        .map(|column| {
            (
                column.name.clone(),
                row.get(&column.name).cloned().unwrap_or(Value::Null),
            )
        })
        .collect()
}

/// Whether the values of `column` come from the definition.
pub(super) fn is_defined(table: &Table, column: &Column) -> bool {
    column.name != table.key
        && column.targets().is_empty()
        && !NOT_DEFINED.contains(&column.name.as_str())
        && !column.name.ends_with("idunique")
}

/// Whether two values mean the same. A missing value means the column's default.
pub(super) fn same(column: &Column, left: Option<&Value>, right: Option<&Value>) -> bool {
    let plain = |value: Option<&Value>| -> Value {
        let value = match value {
            None | Some(Value::Null) => column.default.as_ref(),
            given => given,
        };
        match value {
            None => Value::Null,
            Some(Value::String(text)) if text.is_empty() => Value::Null,
            // Of a managed property only the value travels.
            Some(Value::Object(property)) => property.get("Value").cloned().unwrap_or(Value::Null),
            Some(value) => value.clone(),
        }
    };
    let (left, right) = (plain(left), plain(right));
    left == right
        || matches!(column.kind, ColumnKind::ManagedProperty) && (left.is_null() || right.is_null())
        || left
            .as_f64()
            .zip(right.as_f64())
            .is_some_and(|(left, right)| left == right)
}

impl<'a> Values<'a> {
    pub(super) fn read(table: &Table, component: &'a Component) -> Self {
        let mut values = Self {
            component,
            places: BTreeMap::new(),
            found: BTreeMap::new(),
        };
        let wrapped = Wrapped::new(&component.fragment);
        let document = wrapped.document().ok();
        let node = document.as_ref().and_then(top);
        if let Some(node) = node {
            values.places = places(node);
        }
        for column in table
            .columns
            .iter()
            .filter(|column| is_defined(table, column))
        {
            let text = match source(table, column) {
                Some(source) => {
                    values.at(source, node, document.as_ref().map(|it| it.input_text()))
                }
                None => values.named(column, node),
            };
            if let Some(found) = text.and_then(|text| from_text(column, &text)) {
                values.found.insert(column.name.clone(), found);
            }
        }
        values
    }

    fn named(&self, column: &Column, node: Option<Node<'_, '_>>) -> Option<String> {
        let text = value(node?, self.places.get(&column.name)?)?;
        let Some(part) = self.payload_at(text) else {
            return Some(text.to_owned());
        };
        Some(match column.kind {
            ColumnKind::Image | ColumnKind::File => BASE64.encode(&part.bytes),
            _ => as_text(&part.bytes),
        })
    }

    /// The payload part that a path in the XML names.
    pub(super) fn payload_at(&self, text: &str) -> Option<&Payload> {
        let name = text.trim().strip_prefix('/')?;
        self.component.payload.iter().find(|part| part.name == name)
    }

    fn at(
        &self,
        source: Source,
        node: Option<Node<'_, '_>>,
        input: Option<&str>,
    ) -> Option<String> {
        let component = self.component;
        match source {
            At(place) => value(node?, place).map(str::to_owned),
            Whole(name) => {
                let found = fragment::child(node?, name)?;
                Some(input?[found.range()].to_owned())
            }
            Inside(name) => {
                let found = fragment::child(node?, name)?;
                let (start, end) = fragment::content_range(input?, found)?;
                Some(input?[start..end].trim().to_owned())
            }
            Text(ending) => component
                .payload_ending(ending)
                .map(|part| as_text(&part.bytes)),
            Bytes(ending) => component
                .payload_ending(ending)
                .map(|part| BASE64.encode(&part.bytes)),
            Source::Table => component.parent.as_ref().map(|table| table.key.clone()),
            FormType => {
                let group = match &component.place {
                    Place::Table { group: Some(group) } => group.as_str(),
                    _ => "dashboard",
                };
                let found = FORM_TYPES.iter().find(|(name, _)| *name == group)?;
                Some(found.1.to_string())
            }
            FullName(key) => {
                let mut parts = value(node?, "@FullName")?.split(',').map(str::trim);
                if key.is_empty() {
                    return parts.next().map(str::to_owned);
                }
                parts
                    .find_map(|part| part.strip_prefix(key)?.strip_prefix('='))
                    .map(str::to_owned)
            }
            Json(name) => variable_value(&component.fragment)?
                .get(name)?
                .as_str()
                .map(Into::into),
        }
    }
}

pub(super) fn source(table: &Table, column: &Column) -> Option<Source> {
    let listed = SOURCES
        .iter()
        .find(|(of, name, _)| *of == table.name && *name == column.name);
    listed.map(|(_, _, source)| *source)
}

/// Attributes and leaf elements by lower-case name; elements win over attributes.
fn places(node: Node<'_, '_>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for attribute in node.attributes() {
        if attribute.namespace().is_none() {
            found.insert(
                attribute.name().to_ascii_lowercase(),
                format!("@{}", attribute.name()),
            );
        }
    }
    for element in elements(node) {
        let name = element.tag_name().name();
        if element.attribute("default").is_some() {
            found.insert(name.to_ascii_lowercase(), format!("{name}/@default"));
        } else if elements(element).next().is_none() {
            found.insert(name.to_ascii_lowercase(), name.to_owned());
        }
    }
    found
}

fn from_text(column: &Column, text: &str) -> Option<Value> {
    let short = text.trim();
    if short.is_empty() {
        return None;
    }
    let is_true = || short == "1" || short.eq_ignore_ascii_case("true");
    Some(match &column.kind {
        ColumnKind::Boolean => is_true().into(),
        ColumnKind::Integer | ColumnKind::BigInteger | ColumnKind::Choice(_) => {
            short.parse::<i64>().ok()?.into()
        }
        ColumnKind::Decimal | ColumnKind::Double | ColumnKind::Money => {
            short.parse::<f64>().ok()?.into()
        }
        ColumnKind::Guid => fragment::plain_id(short).into(),
        ColumnKind::ManagedProperty => managed_property(&column.name, is_true()),
        _ => text.into(),
    })
}

/// A managed property as it goes over the wire.
pub(super) fn managed_property(column: &str, value: bool) -> Value {
    let name = match column {
        "iscustomizable" => "iscustomizableanddeletable",
        other => other,
    };
    json!({ "Value": value, "CanBeChanged": true, "ManagedPropertyLogicalName": name })
}

fn as_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .trim_start_matches('\u{feff}')
        .to_owned()
}

fn variable_value(fragment: &str) -> Option<Value> {
    let read: Value = serde_json::from_str(fragment.trim_start_matches('\u{feff}')).ok()?;
    read.pointer("/environmentvariablevalues/environmentvariablevalue")
        .cloned()
}
