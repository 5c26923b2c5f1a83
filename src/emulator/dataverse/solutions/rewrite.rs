//! A changed row as a changed component: only what callers changed is written into its text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use super::rows::{Source, Values, is_defined, same, source};
use crate::emulator::dataverse::Row;
use crate::emulator::dataverse::catalogue::{Column, ColumnKind, Table};
use crate::solution::component::fragment::{self, Wrapped, top, value};
use crate::solution::component::{Component, Place};

use Source::{At, Bytes, FormType, FullName, Inside, Json, Text, Whole};

/// `component` with what the row says otherwise than the definition, or `None` when nothing is.
pub(super) fn changed(table: &Table, component: &Component, row: &Row) -> Option<Component> {
    let values = Values::read(table, component);
    let mut new = component.clone();
    let mut differs = false;
    for column in table
        .columns
        .iter()
        .filter(|column| is_defined(table, column))
    {
        let (before, after) = (values.found.get(&column.name), row.get(&column.name));
        if same(column, before, after) {
            continue;
        }
        let text = after.and_then(|after| to_text(column, after, before.is_some()));
        if set(&mut new, &values, table, column, text.as_deref()) {
            differs = true;
        }
    }
    if let Some(name) = row.get(table.primary_name.as_deref().unwrap_or("name")) {
        new.display_name = name.as_str().unwrap_or(&new.display_name).to_owned();
    }
    differs.then_some(new)
}

/// Writes a value into the definition and says whether it has a place there.
fn set(
    new: &mut Component,
    values: &Values<'_>,
    table: &Table,
    column: &Column,
    text: Option<&str>,
) -> bool {
    let set_part = |new: &mut Component, ending: &str, bytes: Vec<u8>| {
        let name = new.payload_ending(ending).map(|part| part.name.clone());
        match new
            .payload
            .iter_mut()
            .find(|part| Some(&part.name) == name.as_ref())
        {
            Some(part) => part.bytes = bytes,
            None => return false,
        }
        true
    };
    let set_xml = |new: &mut Component, place: &str, text: Option<&str>| {
        match fragment::with_value(&new.fragment, place, text) {
            Some(fragment) => new.fragment = fragment,
            None => return false,
        }
        true
    };
    match source(table, column) {
        Some(At(place)) => set_xml(new, place, text),
        Some(Text(ending)) => {
            let text = text.unwrap_or_default();
            let bytes = if ending == ".json" {
                pretty(text)
            } else {
                text.to_owned()
            };
            set_part(new, ending, bytes.into_bytes())
        }
        Some(Bytes(ending)) => match BASE64.decode(text.unwrap_or_default()) {
            Ok(bytes) => set_part(new, ending, bytes),
            Err(_) => false,
        },
        Some(Whole(name)) => replace_element(new, name, text.unwrap_or_default(), true),
        Some(Inside(name)) => replace_element(new, name, text.unwrap_or_default(), false),
        Some(Json(name)) => {
            let Some(fragment) = with_variable_value(&new.fragment, name, text.unwrap_or_default())
            else {
                return false;
            };
            new.fragment = fragment;
            true
        }
        Some(Source::Table | FormType | FullName(_)) => false,
        None => match values.places.get(&column.name) {
            Some(place) => {
                let wrapped = Wrapped::new(&values.component.fragment);
                let old = wrapped.document().ok();
                let old = old
                    .as_ref()
                    .and_then(top)
                    .and_then(|node| value(node, place));
                if let Some(part) = old.and_then(|old| values.payload_at(old)) {
                    let bytes = match column.kind {
                        ColumnKind::Image | ColumnKind::File => {
                            BASE64.decode(text.unwrap_or_default()).unwrap_or_default()
                        }
                        _ => text.unwrap_or_default().as_bytes().to_vec(),
                    };
                    let name = part.name.clone();
                    return set_part(new, &name, bytes);
                }
                if let Some(element) = place.strip_suffix("/@default") {
                    // A label stands twice: as the default and in the base language.
                    set_xml(new, &format!("{element}/label/@description"), text);
                }
                set_xml(new, place, text)
            }
            None => match text {
                // Framework components have their columns as elements, called like the columns.
                Some(text)
                    if matches!(values.component.place, Place::Part(_))
                        || values.component.component_type.code().is_none() =>
                {
                    if ["displayname", "description"].contains(&column.name.as_str())
                        && matches!(values.component.place, Place::Part(_))
                    {
                        return add_label(new, &column.name, text);
                    }
                    set_xml(new, &column.name, Some(text))
                }
                Some(text) if column.name == "description" => {
                    set_xml(new, "@Description", Some(text))
                }
                _ => false,
            },
        },
    }
}

fn add_label(new: &mut Component, name: &str, text: &str) -> bool {
    let quoted = fragment::escape_attribute(text);
    let element = format!(
        "<{name} default=\"{quoted}\">\n    <label description=\"{quoted}\" languagecode=\"1033\" />\n  </{name}>"
    );
    let wrapped = Wrapped::new(&new.fragment);
    let Ok(document) = wrapped.document() else {
        return false;
    };
    let Some(node) = top(&document) else {
        return false;
    };
    let mut edits = fragment::Edits::default();
    fragment::insert_last(document.input_text(), node, &element, &mut edits);
    new.fragment = edits.apply_within(document.input_text(), node.range());
    true
}

fn replace_element(new: &mut Component, name: &str, text: &str, whole: bool) -> bool {
    // What callers write must be XML, or the definition could not be read again.
    if Wrapped::new(text).document().is_err() {
        return false;
    }
    let wrapped = Wrapped::new(&new.fragment);
    let Ok(document) = wrapped.document() else {
        return false;
    };
    let Some(node) = top(&document) else {
        return false;
    };
    let Some(found) = fragment::child(node, name) else {
        return false;
    };
    let mut edits = fragment::Edits::default();
    let with = if whole {
        text.to_owned()
    } else {
        format!("<{name}>{text}</{name}>")
    };
    edits.replace(found.range().start, found.range().end, with);
    new.fragment = edits.apply_within(document.input_text(), node.range());
    true
}

fn to_text(column: &Column, value: &Value, _was_there: bool) -> Option<String> {
    Some(match (&column.kind, value) {
        (_, Value::Null) => return None,
        (ColumnKind::ManagedProperty, Value::Object(property)) => {
            let on = property
                .get("Value")
                .and_then(Value::as_bool)
                .unwrap_or(true);
            String::from(if on { "1" } else { "0" })
        }
        (_, Value::Bool(on)) => String::from(if *on { "1" } else { "0" }),
        (_, Value::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    })
}

/// JSON as an export writes it; text that is not JSON stays.
fn pretty(text: &str) -> String {
    serde_json::from_str::<Value>(text)
        .ok()
        .and_then(|value| serde_json::to_string_pretty(&value).ok())
        .unwrap_or_else(|| text.to_owned())
}

fn with_variable_value(fragment: &str, name: &str, text: &str) -> Option<String> {
    let mut read: Value = serde_json::from_str(fragment.trim_start_matches('\u{feff}')).ok()?;
    let row = read.pointer_mut("/environmentvariablevalues/environmentvariablevalue")?;
    row.as_object_mut()?.insert(name.to_owned(), text.into());
    serde_json::to_string_pretty(&read).ok()
}
