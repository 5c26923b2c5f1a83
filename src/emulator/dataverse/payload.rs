//! Bodies of writes: from what a caller sent to what is stored.
//!
//! Rules: facts/dataverse-web-api.md, sections 1.1 and 1.8.

use std::sync::Arc;

use jiff::{Timestamp, civil};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::catalogue::{Column, ColumnKind, LookupTarget, Table};
use super::condition::moment;
use super::failure::ServiceError;
use super::reader::possible_tables;
use super::resource::row_at;
use super::row::{LOOKUP_TABLE, Row};
use super::session::Session;
use super::wire::is_secret;
use crate::emulator::clock::on_the_wire;
use crate::emulator::credentials::one_way;

/// A body taken apart.
#[derive(Debug, Default)]
pub(super) struct Payload {
    /// Values in stored form; `null` clears.
    pub(super) values: Row,
    /// New rows under single-valued navigation properties: the lookup, the target, the body.
    pub(super) before: Vec<(String, LookupTarget, Row)>,
    /// New rows under collection-valued navigation properties.
    pub(super) after: Vec<(String, Vec<Row>)>,
}

impl Payload {
    /// Takes `body` apart for a row of `table`.
    ///
    /// # Errors
    /// `400` for members that the table does not have and values that do not fit.
    pub(super) fn read(
        session: &Session<'_>,
        table: &Arc<Table>,
        body: &Row,
    ) -> Result<Self, ServiceError> {
        let mut payload = Self::default();
        for (name, value) in body {
            payload.member(session, table, name, value)?;
        }
        Ok(payload)
    }

    fn member(
        &mut self,
        session: &Session<'_>,
        table: &Arc<Table>,
        name: &str,
        value: &Value,
    ) -> Result<(), ServiceError> {
        if let Some(navigation) = name.strip_suffix("@odata.bind") {
            return self.bind(session, table, navigation, value);
        }
        // What the service itself adds to rows may be sent back to it.
        if name.contains('@') {
            return Ok(());
        }
        if let Some(column) = table.column(name).filter(|it| it.targets().is_empty()) {
            let mut value = convert(table, column, value)?;
            if let Value::String(secret) = &value
                && is_secret(table, column)
            {
                value = one_way(secret).into();
            }
            self.values.insert(column.name.clone(), value);
            return Ok(());
        }
        if table.lookup_by_value(name).is_some() {
            return Err(ServiceError::bad_query(
                "CRM do not support direct update of Entity Reference properties, Use Navigation \
                 properties instead.",
            ));
        }
        if let Some((column, target)) = table.navigation(name) {
            match value {
                Value::Null => {
                    self.values.insert(column.property(), Value::Null);
                }
                Value::Object(body) => {
                    self.before
                        .push((column.name.clone(), target.clone(), body.clone()));
                }
                _ => return Err(not_an_object(table, name)),
            }
            return Ok(());
        }
        let catalogue = session.catalogue()?;
        let is_collection = catalogue.many_to_many(&table.name, name).is_some()
            || catalogue.one_to_many(&table.name, name).is_some();
        if is_collection {
            let Value::Array(items) = value else {
                return Err(not_an_object(table, name));
            };
            let bodies = items.iter().map(|item| match item {
                Value::Object(body) => Ok(body.clone()),
                _ => Err(not_an_object(table, name)),
            });
            self.after
                .push((name.to_owned(), bodies.collect::<Result<_, _>>()?));
            return Ok(());
        }
        Err(ServiceError::bad_payload(
            &table.set,
            format_args!(
                "An error occurred while validating input parameters: \
                 Microsoft.OData.ODataException: Invalid property '{name}' was found in entity \
                 'Microsoft.Dynamics.CRM.{}'.",
                table.name
            ),
        ))
    }

    fn bind(
        &mut self,
        session: &Session<'_>,
        table: &Arc<Table>,
        navigation: &str,
        value: &Value,
    ) -> Result<(), ServiceError> {
        let Some((column, target)) = table.navigation(navigation) else {
            return Err(ServiceError::bad_payload(
                &table.set,
                format_args!(
                    "An undeclared property '{navigation}' which only has property annotations in \
                     the payload but no property value was found in the payload. In OData, only \
                     declared navigation properties and declared named streams can be represented \
                     as properties without values."
                ),
            ));
        };
        let Value::String(reference) = value else {
            if value.is_null() {
                self.values.insert(column.property(), Value::Null);
                return Ok(());
            }
            return Err(not_an_object(table, navigation));
        };
        let (found, id) = row_at(session, reference)?;
        if !possible_tables(target).contains(&found.name.as_str()) {
            return Err(ServiceError::bad_payload(
                &table.set,
                format_args!(
                    "The navigation property '{navigation}' does not lead to '{}'.",
                    found.name
                ),
            ));
        }
        session.existing(&found.name, id)?;
        self.point(column, &found, id);
        Ok(())
    }

    /// Makes the lookup `column` point to the row `id` of `table`.
    pub(super) fn point(&mut self, column: &Column, table: &Table, id: Uuid) {
        let property = column.property();
        if column.targets().len() > 1 || column.targets().iter().any(|it| it.table == "principal") {
            self.values.insert(
                format!("{property}{LOOKUP_TABLE}"),
                table.name.clone().into(),
            );
        }
        self.values.insert(property, id.to_string().into());
    }
}

/// Takes out of `values` what callers may not set when a row is created, or changed.
pub(super) fn drop_read_only(table: &Table, values: &mut Row, creating: bool) {
    // The service ignores such members without a word.
    values.retain(|name, _| {
        let name = name.strip_suffix(LOOKUP_TABLE).unwrap_or(name);
        let column = table.column(name).or_else(|| table.lookup_by_value(name));
        column.is_none_or(|column| {
            if creating {
                column.on_create
            } else {
                column.on_update
            }
        })
    });
}

/// A value as the column stores it.
///
/// # Errors
/// `400` when it does not fit the column's type, length or choices.
pub(super) fn convert(
    table: &Table,
    column: &Column,
    value: &Value,
) -> Result<Value, ServiceError> {
    let wrong = |kind: &str| {
        let shown = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        ServiceError::bad_payload(
            &table.set,
            format_args!("Cannot convert the literal '{shown}' to the expected type '{kind}'."),
        )
    };
    if value.is_null() {
        return Ok(Value::Null);
    }
    match &column.kind {
        ColumnKind::Text(longest) | ColumnKind::Memo(longest) => {
            let text = value.as_str().ok_or_else(|| wrong("Edm.String"))?;
            // The service counts UTF-16 units, as .NET does.
            if text.encode_utf16().count() > *longest {
                return Err(ServiceError::bad_request(
                    "0x80044331",
                    format!(
                        "A validation error occurred.  The length of the '{}' attribute of the \
                         '{}' entity exceeded the maximum allowed length of '{longest}'.",
                        column.name, table.name
                    ),
                ));
            }
            Ok(value.clone())
        }
        ColumnKind::Integer => match value.as_i64() {
            Some(number) if i32::try_from(number).is_ok() => Ok(value.clone()),
            Some(_) => Err(wrong("Edm.Int32")),
            None => whole_in_quotes(value).ok_or_else(|| wrong("Edm.Int32")),
        },
        ColumnKind::BigInteger => match value.as_i64() {
            Some(_) => Ok(value.clone()),
            None => whole_in_quotes(value).ok_or_else(|| wrong("Edm.Int64")),
        },
        ColumnKind::Choice(choices) => {
            let number = match value.as_i64() {
                Some(_) => value.clone(),
                None => whole_in_quotes(value).ok_or_else(|| wrong("Edm.Int32"))?,
            };
            let known = choices.is_empty()
                || choices
                    .iter()
                    .any(|choice| number.as_i64() == Some(choice.value));
            if known {
                return Ok(number);
            }
            let accepted: Vec<_> = choices.iter().map(|it| it.value.to_string()).collect();
            Err(ServiceError::bad_request(
                "0x8004431a",
                format!(
                    "A validation error occurred. The value {number} of '{}' on record of type \
                     '{}' is outside the valid range. Accepted Values: {}",
                    column.name,
                    table.name,
                    accepted.join(",")
                ),
            ))
        }
        ColumnKind::Decimal | ColumnKind::Double | ColumnKind::Money => match value {
            Value::Number(_) => Ok(value.clone()),
            _ => Err(wrong("Edm.Decimal")),
        },
        ColumnKind::Boolean => match value {
            Value::Bool(_) => Ok(value.clone()),
            Value::String(text) if text == "true" || text == "false" => Ok((text == "true").into()),
            _ => Err(wrong("Edm.Boolean")),
        },
        ColumnKind::DateTime => {
            let text = value.as_str().ok_or_else(|| wrong("Edm.DateTimeOffset"))?;
            let moment: Timestamp = moment(text).ok_or_else(|| wrong("Edm.DateTimeOffset"))?;
            Ok(on_the_wire(moment).into())
        }
        ColumnKind::Date => {
            let text = value.as_str().ok_or_else(|| wrong("Edm.Date"))?;
            let day = text.get(..10).unwrap_or(text);
            let day: civil::Date = day.parse().map_err(|_| wrong("Edm.Date"))?;
            Ok(day.to_string().into())
        }
        ColumnKind::Guid | ColumnKind::File => {
            let text = value.as_str().ok_or_else(|| wrong("Edm.Guid"))?;
            let id = Uuid::parse_str(text).map_err(|_| wrong("Edm.Guid"))?;
            Ok(id.to_string().into())
        }
        ColumnKind::MultiChoice(_) | ColumnKind::Image => match value {
            Value::String(_) => Ok(value.clone()),
            _ => Err(wrong("Edm.String")),
        },
        ColumnKind::ManagedProperty => match value {
            Value::Object(_) | Value::Bool(_) => Ok(value.clone()),
            _ => Err(wrong("Microsoft.Dynamics.CRM.BooleanManagedProperty")),
        },
        ColumnKind::Lookup(_) => Err(wrong("Microsoft.Dynamics.CRM.crmbaseentity")),
    }
}

fn whole_in_quotes(value: &Value) -> Option<Value> {
    value.as_str()?.trim().parse::<i64>().ok().map(Value::from)
}

fn not_an_object(table: &Table, name: &str) -> ServiceError {
    ServiceError::bad_payload(
        &table.set,
        format_args!("The property '{name}' has a value of the wrong kind."),
    )
}

/// The body of a write.
///
/// # Errors
/// `400` when it is not a JSON object.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, ServiceError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(ServiceError::bad_payload(
            "",
            "The body is not a JSON object.",
        )),
        Err(error) => Err(ServiceError::bad_payload(
            "",
            format_args!("Invalid JSON. {error}"),
        )),
    }
}
