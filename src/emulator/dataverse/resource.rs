//! Addresses of rows: `solutions(<id>)`, `teams(key=…)`, absolute, relative, in bodies.

use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::catalogue::Table;
use super::failure::ServiceError;
use super::odata::{Parameter, parameters, segments};
use super::payload::convert;
use super::row::{self, Row};
use super::session::Session;
use crate::transport::StatusCode;

/// How an address names a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Key {
    /// By its id.
    Id(Uuid),
    /// By an alternate key: the values that it must have, in stored form.
    Values(Row),
}

impl Key {
    /// Reads what stands in the parentheses after the set of `table`.
    ///
    /// # Errors
    /// `400` when it is neither an id nor a key of the table.
    pub(super) fn read(
        table: &Arc<Table>,
        text: &str,
        aliases: &[(String, String)],
    ) -> Result<Self, ServiceError> {
        let given = parameters(text, aliases)?;
        if let [Parameter { name, value, .. }] = &given[..]
            && name.as_ref().is_none_or(|name| *name == table.key)
        {
            let id = value.as_str().and_then(|text| Uuid::parse_str(text).ok());
            return id.map(Self::Id).ok_or_else(|| {
                ServiceError::bad_query(format!(
                    "Bad Request - Error in query syntax: '{text}' is not the id of a row."
                ))
            });
        }
        let mut values = Row::new();
        for parameter in given {
            let Some(name) = parameter.name else {
                return Err(ServiceError::bad_query(format!("'{text}' is not a key.")));
            };
            let column = table.column(&name).or_else(|| table.lookup_by_value(&name));
            let Some(column) = column else {
                return Err(ServiceError::no_property(&name, &table.name));
            };
            let value = match column.targets().is_empty() {
                // A number may stand where the column holds text, and be meant as text.
                true => match (convert(table, column, &parameter.value), &parameter.value) {
                    (Err(_), Value::Number(number)) => number.to_string().into(),
                    (converted, _) => converted?,
                },
                false => parameter.value,
            };
            values.insert(column.property(), value);
        }
        let columns: Vec<&str> = values.keys().map(String::as_str).collect();
        let is_key = table.alternate_keys.iter().any(|key| {
            key.columns.len() == columns.len()
                && key.columns.iter().all(|name| {
                    let property = table.column(name).map(|column| column.property());
                    property.is_some_and(|property| columns.contains(&property.as_str()))
                })
        });
        if !is_key {
            return Err(ServiceError::new(
                StatusCode::BAD_REQUEST,
                "0x80060890",
                format!(
                    "Invalid entity key: the columns {} are not an alternate key of {}.",
                    columns.join(", "),
                    table.name
                ),
            ));
        }
        Ok(Self::Values(values))
    }

    /// The id of the row, if there is such a row.
    pub(super) fn find(
        &self,
        session: &Session<'_>,
        table: &Table,
    ) -> Result<Option<Uuid>, ServiceError> {
        match self {
            Self::Id(id) => Ok(session.row(&table.name, *id)?.map(|_| *id)),
            Self::Values(values) => {
                let same = |left: Option<&Value>, right: &Value| match (left, right) {
                    (Some(Value::String(left)), Value::String(right)) => {
                        left.to_lowercase() == right.to_lowercase()
                    }
                    (left, right) => left == Some(right),
                };
                let rows = session.rows(&table.name)?;
                let found = rows.iter().find(|row| {
                    values
                        .iter()
                        .all(|(name, value)| same(row.get(name), value))
                });
                Ok(found.and_then(|row| row::id(row, &table.key)))
            }
        }
    }

    /// The id of the row.
    ///
    /// # Errors
    /// `404` when there is no such row.
    pub(super) fn existing(
        &self,
        session: &Session<'_>,
        table: &Table,
    ) -> Result<Uuid, ServiceError> {
        match (self.find(session, table)?, self) {
            (Some(id), _) => Ok(id),
            (None, Self::Id(id)) => Err(ServiceError::no_row(&table.name, *id)),
            (None, Self::Values(_)) => Err(ServiceError::new(
                StatusCode::NOT_FOUND,
                "0x80060891",
                format!(
                    "A record with the specified key values does not exist in {} entity",
                    table.name
                ),
            )),
        }
    }
}

/// The row that a reference in a body or a query means: relative with or without a slash at its
/// start, or absolute. A row named by its id need not exist.
///
/// # Errors
/// `400` when it is no reference, `404` for an unknown set or key.
pub(super) fn row_at(
    session: &Session<'_>,
    reference: &str,
) -> Result<(Arc<Table>, Uuid), ServiceError> {
    // Whatever host and version the caller wrote, the set begins after the version.
    let relative = match reference.find("/api/data/v") {
        Some(at) => {
            let rest = &reference[at + "/api/data/v".len()..];
            rest.split_once('/').map_or("", |(_, rest)| rest)
        }
        None => reference,
    };
    let wrong = || {
        ServiceError::bad_query(format!(
            "Invalid reference '{reference}': it must look like 'set(id)'."
        ))
    };
    let found = segments(relative)?;
    let [segment] = &found[..] else {
        return Err(wrong());
    };
    let arguments = segment.arguments.as_deref().ok_or_else(wrong)?;
    let table = session.table_of_set(&segment.name)?;
    match Key::read(&table, arguments, &[])? {
        Key::Id(id) => Ok((table, id)),
        key => {
            let id = key.existing(session, &table)?;
            Ok((table, id))
        }
    }
}

/// The row that an operation's parameter means: an object with `@odata.id`, or with `@odata.type`
/// and the table's key.
///
/// # Errors
/// `400` when it is neither.
pub(super) fn row_in(
    session: &Session<'_>,
    value: &Value,
) -> Result<(Arc<Table>, Uuid), ServiceError> {
    if let Some(reference) = value.get("@odata.id").and_then(Value::as_str) {
        return row_at(session, reference);
    }
    let wrong = || {
        ServiceError::invalid_argument(format!(
            "'{value}' does not name a row: it needs @odata.id, or @odata.type and the key column."
        ))
    };
    let kind = value
        .get("@odata.type")
        .and_then(Value::as_str)
        .ok_or_else(wrong)?;
    let name = kind
        .trim_start_matches('#')
        .rsplit('.')
        .next()
        .unwrap_or(kind);
    let table = session.table(name)?;
    // Users and teams may be named by the key of their common base type.
    let id = value
        .get(&table.key)
        .or_else(|| value.get("ownerid"))
        .and_then(Value::as_str);
    let id = id
        .and_then(|text| Uuid::parse_str(text).ok())
        .ok_or_else(wrong)?;
    Ok((table, id))
}
