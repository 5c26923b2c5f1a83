//! Cloud flows: created off; turned on only if their connections and child flows allow it.
//!
//! facts/dataverse-web-api.md, section 6.3. The wording of the refusals is the flow service's
//! manner; their number is not documented.

use serde_json::Value;
use uuid::Uuid;

use crate::emulator::dataverse::failure::ServiceError;
use crate::emulator::dataverse::row::{self, Row};
use crate::emulator::dataverse::session::Session;
use crate::emulator::directory;
use crate::emulator::power_platform::Connection;

const MODERN_FLOW: i64 = 5;
const REFUSED: &str = "0x80060467";
/// Nested deeper than any designer lets people nest actions.
const DEEPEST_ACTIONS: usize = 64;

/// A process is always created as a draft.
pub(super) fn creating(values: &mut Row) -> Result<(), ServiceError> {
    values.insert("statecode".into(), 0.into());
    values.insert("statuscode".into(), 1.into());
    if row::number(values, "category") == Some(MODERN_FLOW) {
        values
            .entry("primaryentity")
            .or_insert_with(|| "none".into());
        if let Some(text) = row::text(values, "clientdata") {
            check_definition(text)?;
        }
    }
    Ok(())
}

/// Checks the definition when it changes and everything that the flow needs when it is turned on.
pub(super) fn changing(
    session: &Session<'_>,
    old: &Row,
    values: &mut Row,
) -> Result<(), ServiceError> {
    if row::number(old, "category") != Some(MODERN_FLOW) {
        return Ok(());
    }
    if let Some(text) = row::text(values, "clientdata") {
        check_definition(text)?;
    }
    let turns_on =
        row::number(values, "statecode") == Some(1) && row::number(old, "statecode") != Some(1);
    if !turns_on {
        return Ok(());
    }
    let mut row = old.clone();
    row.extend(values.clone());
    can_run(session, &row)
}

/// A process that is on cannot be deleted.
pub(super) fn deleting(row: &Row) -> Result<(), ServiceError> {
    if row::number(row, "category") == Some(MODERN_FLOW) || row::number(row, "statecode") != Some(1)
    {
        return Ok(());
    }
    Err(ServiceError::bad_request(
        "0x80045003",
        "Cannot delete an active workflow definition.",
    ))
}

/// Refuses turning the flow on when a connection is missing or not the user's to use, or when a
/// child flow is missing or off.
fn can_run(session: &Session<'_>, flow: &Row) -> Result<(), ServiceError> {
    let name = row::text(flow, "name").unwrap_or_default();
    let Some(client_data) = row::text(flow, "clientdata") else {
        return Err(refused(format!("The flow '{name}' has no definition.")));
    };
    let client_data = check_definition(client_data)?;
    let properties = &client_data["properties"];
    for reference in connection_references(properties) {
        connected(session, name, &reference)?;
    }
    for child in child_flows(&properties["definition"]) {
        let row = session.row("workflow", child)?.ok_or_else(|| {
            refused(format!(
                "The flow '{name}' calls a child flow {child} that does not exist."
            ))
        })?;
        if row::number(&row, "statecode") != Some(1) {
            let child = row::text(&row, "name").unwrap_or_default();
            return Err(refused(format!(
                "ChildFlowNeverPublished: the flow '{name}' calls the child flow '{child}', which \
                 is turned off. Turn the child flow on first."
            )));
        }
    }
    Ok(())
}

/// Checks that a connection reference has a connection and that the session's user may use it.
fn connected(session: &Session<'_>, flow: &str, logical_name: &str) -> Result<(), ServiceError> {
    let wanted = Value::from(logical_name);
    let found = session.find(
        "connectionreference",
        "connectionreferencelogicalname",
        &wanted,
    )?;
    let Some(reference) = found else {
        return Err(refused(format!(
            "The flow '{flow}' uses the connection reference '{logical_name}', which does not exist."
        )));
    };
    let id = row::text(&reference, "connectionid").filter(|id| !id.is_empty());
    let Some(id) = id else {
        return Err(refused(format!(
            "ConnectionAuthorizationFailed: the connection reference '{logical_name}' that the \
             flow '{flow}' uses has no connection."
        )));
    };
    let connection = Connection::by_id(session.tx, session.scope(), id)?;
    let Some(connection) = connection else {
        return Err(refused(format!(
            "ConnectionNotFound: the connection '{id}' of the connection reference \
             '{logical_name}' does not exist in this environment."
        )));
    };
    if !usable(session, &connection)? {
        return Err(refused(format!(
            "ConnectionAuthorizationFailed: the caller does not own the connection '{id}' of the \
             connection reference '{logical_name}', nor is it shared with the caller."
        )));
    }
    Ok(())
}

/// Whether the session's user may use the connection. The environment's own user may use all.
pub(super) fn usable(session: &Session<'_>, connection: &Connection) -> Result<bool, ServiceError> {
    let user = session.existing("systemuser", session.user)?;
    let Some(object_id) = row::id(&user, "azureactivedirectoryobjectid") else {
        return Ok(true);
    };
    match directory::by_object_id(session.tx, object_id)? {
        Some(identity) => Ok(connection.usable_by(session.tx, &identity)?),
        None => Ok(false),
    }
}

/// The logical names of the connection references that a flow uses, in either of the forms that
/// definitions have them in.
fn connection_references(properties: &Value) -> Vec<String> {
    let Some(references) = properties["connectionReferences"].as_object() else {
        return Vec::new();
    };
    let names = references.values().filter_map(|reference| {
        let by_connection = &reference["connection"]["connectionReferenceLogicalName"];
        by_connection
            .as_str()
            .or_else(|| reference["connectionReferenceLogicalName"].as_str())
    });
    names.map(str::to_owned).collect()
}

/// The flows that a definition runs: actions of type `Workflow`, wherever they are nested.
fn child_flows(definition: &Value) -> Vec<Uuid> {
    let mut found = Vec::new();
    collect_child_flows(&definition["actions"], &mut found, 0);
    found
}

fn collect_child_flows(actions: &Value, found: &mut Vec<Uuid>, depth: usize) {
    let Some(actions) = actions.as_object().filter(|_| depth < DEEPEST_ACTIONS) else {
        return;
    };
    for action in actions.values() {
        if action["type"].as_str() == Some("Workflow") {
            let host = &action["inputs"]["host"];
            let name = host["workflowReferenceName"].as_str();
            found.extend(name.and_then(|name| Uuid::parse_str(name).ok()));
        }
        collect_child_flows(&action["actions"], found, depth + 1);
        collect_child_flows(&action["else"]["actions"], found, depth + 1);
        collect_child_flows(&action["default"]["actions"], found, depth + 1);
        if let Some(cases) = action["cases"].as_object() {
            for case in cases.values() {
                collect_child_flows(&case["actions"], found, depth + 1);
            }
        }
    }
}

/// Refuses a definition that is not one.
fn check_definition(text: &str) -> Result<Value, ServiceError> {
    let invalid = |what: String| {
        refused(format!(
            "InvalidWorkflowDefinition: the flow's clientdata is not valid: {what}"
        ))
    };
    let value: Value = serde_json::from_str(text).map_err(|error| invalid(error.to_string()))?;
    if value["properties"]["definition"].is_object() {
        return Ok(value);
    }
    Err(invalid("properties.definition is missing".into()))
}

fn refused(message: String) -> ServiceError {
    ServiceError::bad_request(REFUSED, format!("Flow client error returned: {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn child_flows_are_found_in_every_branch() {
        let id = Uuid::from_u128(7);
        let run = json!({ "type": "Workflow",
            "inputs": { "host": { "workflowReferenceName": id.to_string() } } });
        for action in [
            run.clone(),
            json!({ "type": "If", "else": { "actions": { "a": run } } }),
            json!({ "type": "Switch", "cases": { "c": { "actions": { "a": run } } } }),
            json!({ "type": "Scope", "actions": { "b": { "type": "Foreach", "actions": { "a": run } } } }),
        ] {
            assert_eq!(
                child_flows(&json!({ "actions": { "first": action } })),
                [id]
            );
        }
    }
}
