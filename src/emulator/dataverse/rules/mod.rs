//! How single tables behave beyond what every table does.

mod connection_reference;
mod environment_variable;
mod flow;
mod people;
mod plugin_step;
mod state;

use std::sync::Arc;

use uuid::Uuid;

use super::catalogue::Table;
use super::failure::ServiceError;
use super::row::Row;
use super::session::Session;

/// Completes and checks a row that a caller is about to create. `values` are in stored form.
///
/// # Errors
/// The service's refusal; so for all functions here.
pub(super) fn creating(
    session: &Session<'_>,
    table: &Arc<Table>,
    values: &mut Row,
) -> Result<(), ServiceError> {
    state::complete(table, values);
    match table.name.as_str() {
        "workflow" => flow::creating(values),
        "connectionreference" => connection_reference::writing(session, None, values),
        "environmentvariablevalue" => environment_variable::creating_value(session, values),
        "team" => people::creating_team(session, values),
        "systemuser" => people::creating_user(session, values),
        "role" => people::creating_role(session, values),
        "businessunit" => people::creating_unit(session, values),
        "sdkmessageprocessingstep" => plugin_step::writing(session, None, values),
        "serviceendpoint" => plugin_step::writing_endpoint(None, values),
        _ => Ok(()),
    }
}

/// Completes and checks what a caller is about to change in the row `old`.
pub(super) fn changing(
    session: &Session<'_>,
    table: &Arc<Table>,
    old: &Row,
    values: &mut Row,
) -> Result<(), ServiceError> {
    state::complete(table, values);
    match table.name.as_str() {
        "workflow" => flow::changing(session, old, values),
        "connectionreference" => connection_reference::writing(session, Some(old), values),
        "sdkmessageprocessingstep" => plugin_step::writing(session, Some(old), values),
        "serviceendpoint" => plugin_step::writing_endpoint(Some(old), values),
        _ => Ok(()),
    }
}

/// Checks that a caller may delete the row, and deletes what cannot be without it.
pub(super) fn deleting(
    session: &Session<'_>,
    table: &Arc<Table>,
    id: Uuid,
    row: &Row,
) -> Result<(), ServiceError> {
    match table.name.as_str() {
        "workflow" => flow::deleting(row),
        "environmentvariabledefinition" => environment_variable::deleting(session, id),
        "role" => people::deleting_role(session, id, row),
        "team" => people::deleting_team(row),
        _ => Ok(()),
    }
}

/// Checks that two rows may be related through an N:N relationship.
pub(super) fn associating(
    session: &Session<'_>,
    relationship: &str,
    left: Uuid,
    right: Uuid,
) -> Result<(), ServiceError> {
    match relationship {
        "systemuserroles_association" => people::giving_role(session, "systemuser", left, right),
        "teamroles_association" => people::giving_role(session, "team", left, right),
        "teammembership_association" => people::joining_team(session, left),
        _ => Ok(()),
    }
}
