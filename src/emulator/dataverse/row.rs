//! A row as it is stored: a JSON object in the form that goes over the wire.
//!
//! Lookups are stored as `_name_value`, where several tables are possible with the target's name
//! in `_name_value@Microsoft.Dynamics.CRM.lookuplogicalname`. A column without a value is left out.

use serde_json::{Map, Value};
use uuid::Uuid;

/// One row.
pub type Row = Map<String, Value>;

/// What a lookup's property has behind it when it says which table it points to.
pub const LOOKUP_TABLE: &str = "@Microsoft.Dynamics.CRM.lookuplogicalname";

/// Makes a [`Row`] from JSON members.
macro_rules! row {
    ($($members:tt)*) => {
        match serde_json::json!({ $($members)* }) {
            serde_json::Value::Object(row) => row,
            // The macro's braces make an object.
            _ => serde_json::Map::new(),
        }
    };
}
pub(crate) use row;

/// The id in `property`.
pub fn id(row: &Row, property: &str) -> Option<Uuid> {
    row.get(property)
        .and_then(Value::as_str)
        .and_then(|text| Uuid::parse_str(text).ok())
}

/// The text in `property`.
pub fn text<'a>(row: &'a Row, property: &str) -> Option<&'a str> {
    row.get(property).and_then(Value::as_str)
}

/// The whole number in `property`.
pub fn number(row: &Row, property: &str) -> Option<i64> {
    row.get(property).and_then(Value::as_i64)
}

/// Whether `property` is `true`.
pub fn flag(row: &Row, property: &str) -> bool {
    row.get(property)
        .and_then(Value::as_bool)
        .unwrap_or_default()
}

/// The table that the lookup `column` points to in this row, where the row says it.
pub fn lookup_table<'a>(row: &'a Row, column: &str) -> Option<&'a str> {
    text(row, &format!("_{column}_value{LOOKUP_TABLE}"))
}
