//! Writes as a caller makes them: checked, completed, with everything that follows from them.
//!
//! Rules: facts/dataverse-web-api.md, section 1.8. How single tables behave is in `rules`.

use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::catalogue::Table;
use super::extension::{Deletion, EXTENSIONS};
use super::failure::ServiceError;
use super::payload::{Payload, drop_read_only};
use super::resource::row_at;
use super::row::{self, Row};
use super::rules;
use super::security;
use super::session::Session;

/// Deeper bodies than this are not meant seriously.
const DEEPEST_INSERT: usize = 8;

/// Creates a row from a caller's body.
///
/// # Errors
/// The service's, for everything that is wrong with body, caller or state; so for all here.
pub fn create(session: &Session<'_>, table: &Arc<Table>, body: &Row) -> Result<Uuid, ServiceError> {
    create_at(session, table, body, 0)
}

fn create_at(
    session: &Session<'_>,
    table: &Arc<Table>,
    body: &Row,
    depth: usize,
) -> Result<Uuid, ServiceError> {
    if depth > DEEPEST_INSERT {
        return Err(ServiceError::bad_query("The body is nested too deeply."));
    }
    writable(table)?;
    security::may_write(session, table, "Create")?;
    let mut payload = Payload::read(session, table, body)?;
    drop_read_only(table, &mut payload.values, true);
    for (column, target, body) in std::mem::take(&mut payload.before) {
        let other = session.table(&target.table)?;
        let id = create_at(session, &other, &body, depth + 1)?;
        if let Some(column) = table.column(&column) {
            payload.point(column, &other, id);
        }
    }
    let mut values = payload.values;
    for extension in EXTENSIONS {
        extension.writing(session, table, None, &mut values)?;
    }
    rules::creating(session, table, &mut values)?;
    require(table, &values)?;
    if let Some(id) = row::id(&values, &table.key)
        && session.row(&table.name, id)?.is_some()
    {
        return Err(ServiceError::duplicate("Cannot insert duplicate key."));
    }
    unique(session, table, None, &values)?;
    let id = session.insert(&table.name, values)?;
    for (navigation, bodies) in payload.after {
        for body in bodies {
            let Some(other) = other_side(session, table, &navigation)? else {
                continue;
            };
            let other_id = create_at(session, &other, &body, depth + 1)?;
            relate(session, table, id, &navigation, &other, other_id)?;
        }
    }
    let new = session.existing(&table.name, id)?;
    for extension in EXTENSIONS {
        extension.written(session, table, id, None, &new)?;
    }
    Ok(id)
}

/// Changes a row by a caller's body.
pub fn change(
    session: &Session<'_>,
    table: &Arc<Table>,
    id: Uuid,
    body: &Row,
) -> Result<(), ServiceError> {
    writable(table)?;
    security::may_write(session, table, "Write")?;
    let payload = Payload::read(session, table, body)?;
    if let Some((column, _, _)) = payload.before.first() {
        return Err(ServiceError::bad_payload(
            &table.set,
            format_args!("A deep insert under '{column}' is only possible when creating."),
        ));
    }
    if !payload.after.is_empty() {
        return Err(ServiceError::bad_payload(
            &table.set,
            "A deep insert is only possible when creating.",
        ));
    }
    let mut values = payload.values;
    drop_read_only(table, &mut values, false);
    values.shift_remove(&table.key);
    change_values(session, table, id, values)
}

/// Changes a row by values in stored form, with everything that follows.
fn change_values(
    session: &Session<'_>,
    table: &Arc<Table>,
    id: Uuid,
    mut values: Row,
) -> Result<(), ServiceError> {
    let old = session.existing(&table.name, id)?;
    for extension in EXTENSIONS {
        extension.writing(session, table, Some(&old), &mut values)?;
    }
    rules::changing(session, table, &old, &mut values)?;
    unique(session, table, Some(&old), &values)?;
    let new = session.update(&table.name, id, values)?;
    for extension in EXTENSIONS {
        extension.written(session, table, id, Some(&old), &new)?;
    }
    Ok(())
}

/// Deletes a row.
pub fn delete(session: &Session<'_>, table: &Arc<Table>, id: Uuid) -> Result<(), ServiceError> {
    writable(table)?;
    let old = session.existing(&table.name, id)?;
    security::may_write(session, table, "Delete")?;
    for extension in EXTENSIONS {
        if extension.deleting(session, table, id, &old)? == Deletion::Done {
            return Ok(());
        }
    }
    rules::deleting(session, table, id, &old)?;
    session.remove(&table.name, id)?;
    Ok(())
}

/// Clears one column, or points a lookup nowhere.
pub(super) fn clear(
    session: &Session<'_>,
    table: &Arc<Table>,
    id: Uuid,
    property: &str,
) -> Result<(), ServiceError> {
    security::may_write(session, table, "Write")?;
    let mut values = Row::new();
    values.insert(property.to_owned(), Value::Null);
    drop_read_only(table, &mut values, false);
    change_values(session, table, id, values)
}

/// Relates `id` of `table` to another row through `navigation`.
pub(super) fn associate(
    session: &Session<'_>,
    table: &Arc<Table>,
    id: Uuid,
    navigation: &str,
    reference: &str,
) -> Result<(), ServiceError> {
    session.existing(&table.name, id)?;
    let (other, other_id) = row_at(session, reference)?;
    session.existing(&other.name, other_id)?;
    relate(session, table, id, navigation, &other, other_id)
}

fn relate(
    session: &Session<'_>,
    table: &Arc<Table>,
    id: Uuid,
    navigation: &str,
    other: &Arc<Table>,
    other_id: Uuid,
) -> Result<(), ServiceError> {
    let catalogue = session.catalogue()?;
    if let Some((relationship, is_left)) = catalogue.many_to_many(&table.name, navigation) {
        security::may_write(session, table, "Append")?;
        let wanted = if is_left {
            &relationship.right
        } else {
            &relationship.left
        };
        if other.name != *wanted {
            return Err(wrong_target(navigation, &other.name));
        }
        let (left, right) = if is_left {
            (id, other_id)
        } else {
            (other_id, id)
        };
        rules::associating(session, &relationship.name, left, right)?;
        if !session.link(&relationship.name, left, right)? {
            return Err(ServiceError::duplicate("Cannot insert duplicate key."));
        }
        return Ok(());
    }
    if let Some((column, target)) = table.navigation(navigation) {
        if !target.reaches(&other.name) {
            return Err(wrong_target(navigation, &other.name));
        }
        security::may_write(session, table, "Write")?;
        let mut payload = Payload::default();
        payload.point(column, other, other_id);
        return change_values(session, table, id, payload.values);
    }
    if let Some((child, column)) = catalogue.one_to_many(&table.name, navigation) {
        if child.name != other.name {
            return Err(wrong_target(navigation, &other.name));
        }
        security::may_write(session, child, "Write")?;
        let mut payload = Payload::default();
        payload.point(column, table, id);
        return change_values(session, child, other_id, payload.values);
    }
    Err(ServiceError::no_property(navigation, &table.name))
}

/// Ends what [`associate`] began; without `reference` the navigation must be single-valued.
pub(super) fn disassociate(
    session: &Session<'_>,
    table: &Arc<Table>,
    id: Uuid,
    navigation: &str,
    other: Option<(Arc<Table>, Uuid)>,
) -> Result<(), ServiceError> {
    session.existing(&table.name, id)?;
    if let Some((column, _)) = table.navigation(navigation) {
        return clear(session, table, id, &column.property());
    }
    let Some((_, other_id)) = other else {
        return Err(ServiceError::bad_query(
            "Which row to disassociate is not said.",
        ));
    };
    let catalogue = session.catalogue()?;
    if let Some((relationship, is_left)) = catalogue.many_to_many(&table.name, navigation) {
        security::may_write(session, table, "Append")?;
        let (left, right) = if is_left {
            (id, other_id)
        } else {
            (other_id, id)
        };
        // The service does not mind when there was nothing to end.
        session.unlink(&relationship.name, left, right)?;
        return Ok(());
    }
    if let Some((child, column)) = catalogue.one_to_many(&table.name, navigation) {
        return clear(session, child, other_id, &column.property());
    }
    Err(ServiceError::no_property(navigation, &table.name))
}

/// The table on the other side of a collection-valued navigation property.
pub(super) fn other_side(
    session: &Session<'_>,
    table: &Table,
    navigation: &str,
) -> Result<Option<Arc<Table>>, ServiceError> {
    let catalogue = session.catalogue()?;
    if let Some((relationship, is_left)) = catalogue.many_to_many(&table.name, navigation) {
        let name = if is_left {
            &relationship.right
        } else {
            &relationship.left
        };
        return session.table(name).map(Some);
    }
    Ok(catalogue
        .one_to_many(&table.name, navigation)
        .map(|(table, _)| table.clone()))
}

fn writable(table: &Table) -> Result<(), ServiceError> {
    if table.is_virtual || table.is_intersect || table.name == "solutioncomponent" {
        return Err(ServiceError::wrong_verb(format!(
            "The entity '{}' does not support this message.",
            table.name
        )));
    }
    Ok(())
}

fn require(table: &Table, values: &Row) -> Result<(), ServiceError> {
    for column in table.columns.iter().filter(|column| column.required) {
        let missing = match values.get(&column.property()) {
            None | Some(Value::Null) => column.default.is_none(),
            Some(Value::String(text)) => text.is_empty(),
            Some(_) => false,
        };
        if missing {
            return Err(ServiceError::bad_request(
                "0x80040203",
                format!(
                    "The required column '{}' of '{}' has no value.",
                    column.name, table.name
                ),
            ));
        }
    }
    Ok(())
}

/// Refuses values that another row has already under an alternate key.
fn unique(
    session: &Session<'_>,
    table: &Table,
    old: Option<&Row>,
    values: &Row,
) -> Result<(), ServiceError> {
    for key in &table.alternate_keys {
        let property = |name: &String| {
            table
                .column(name)
                .map_or_else(|| name.clone(), |column| column.property())
        };
        let properties: Vec<String> = key.columns.iter().map(property).collect();
        if !properties.iter().any(|name| values.contains_key(name)) {
            continue;
        }
        let value = |name: &String| {
            let default = || {
                table
                    .column(name)
                    .and_then(|column| column.default.as_ref())
            };
            values.get(name).or_else(|| old?.get(name)).or_else(default)
        };
        let wanted: Option<Vec<String>> = properties
            .iter()
            .map(|name| {
                value(name)
                    .filter(|it| !it.is_null())
                    .map(|it| it.to_string().to_lowercase())
            })
            .collect();
        // A key with an empty column does not hold anybody back.
        let Some(wanted) = wanted else { continue };
        let own = old.and_then(|row| row.get(&table.key));
        let taken = session.rows(&table.name)?.iter().any(|row| {
            row.get(&table.key) != own
                && properties.iter().zip(&wanted).all(|(name, wanted)| {
                    row.get(name)
                        .is_some_and(|it| it.to_string().to_lowercase() == *wanted)
                })
        });
        if taken {
            let names = key.columns.join(", ");
            return Err(ServiceError::new(
                crate::transport::StatusCode::PRECONDITION_FAILED,
                "0x80060892",
                format!(
                    "A record that has the attribute values {names} already exists. The entity key \
                     {} requires that this set of attributes contains unique values. Select unique \
                     values and try again.",
                    key.name
                ),
            ));
        }
    }
    Ok(())
}

fn wrong_target(navigation: &str, table: &str) -> ServiceError {
    ServiceError::bad_query(format!(
        "The navigation property '{navigation}' does not lead to '{table}'."
    ))
}
