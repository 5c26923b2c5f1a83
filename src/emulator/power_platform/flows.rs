//! Cloud flows as the Power Automate service shows them. They are rows of `workflows`.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Visit, list, not_found};
use crate::emulator::dataverse::row::{self, Row, row};
use crate::emulator::dataverse::{Environment, ServiceError, write};
use crate::transport::{Method, Response, StatusCode};

const MODERN_FLOW: i64 = 5;

/// Answers below `/providers/Microsoft.ProcessSimple`.
pub(super) fn answer(visit: &Visit<'_>, path: &[&str]) -> Result<Response, ServiceError> {
    let (administered, path) = match path {
        ["scopes", "admin", rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    match path {
        ["environments"] if visit.call.method == Method::GET => {
            super::environments::list_all(visit, administered)
        }
        ["environments", id, "flows" | "v2", rest @ ..] => {
            // The second version of the address has a segment of its own.
            let rest = rest.strip_prefix(&["flows"]).unwrap_or(rest);
            flows(visit, &visit.environment(id)?, administered, rest)
        }
        _ => Err(visit.not_emulated()),
    }
}

fn flows(
    visit: &Visit<'_>,
    environment: &Environment,
    administered: bool,
    path: &[&str],
) -> Result<Response, ServiceError> {
    let session = match administered {
        true => visit.administer(environment)?,
        false => visit.session(environment)?,
    };
    let is_flow = |row: &Row| row::number(row, "category") == Some(MODERN_FLOW);
    let (id, rest) = match path {
        [] if visit.call.method == Method::GET => {
            let rows = session.rows("workflow")?.into_iter().filter(is_flow);
            return Ok(list(
                rows.map(|row| on_the_wire(environment, &row)).collect(),
            ));
        }
        [id, rest @ ..] => (*id, rest),
        [] => return Err(visit.not_emulated()),
    };
    let missing = || not_found("FlowNotFound", &format!("Could not find flow '{id}'."));
    let id = Uuid::parse_str(id).map_err(|_| missing())?;
    let flow = session
        .row("workflow", id)?
        .filter(is_flow)
        .ok_or_else(missing)?;
    match (&visit.call.method, rest) {
        (&Method::GET, []) => Ok(Response::json(
            StatusCode::OK,
            &on_the_wire(environment, &flow),
        )),
        (&Method::POST, [verb @ ("start" | "stop")]) => {
            let state = i64::from(*verb == "start");
            let table = session.table("workflow")?;
            write::change(&session, &table, id, &row! { "statecode": state })?;
            Ok(Response::new(StatusCode::OK))
        }
        (&Method::DELETE, []) => {
            let table = session.table("workflow")?;
            write::delete(&session, &table, id)?;
            Ok(Response::new(StatusCode::OK))
        }
        _ => Err(visit.not_emulated()),
    }
}

fn on_the_wire(environment: &Environment, row: &Row) -> Value {
    let id = row::text(row, "workflowid").unwrap_or_default();
    let state = match row::number(row, "statecode") {
        Some(1) => "Started",
        Some(2) => "Suspended",
        _ => "Stopped",
    };
    let data: Value = row::text(row, "clientdata")
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let environment = &environment.environment_id;
    let scope = format!("/providers/Microsoft.ProcessSimple/environments/{environment}");
    json!({
        "name": id,
        "id": format!("{scope}/flows/{id}"),
        "type": "Microsoft.ProcessSimple/environments/flows",
        "properties": {
            "displayName": row.get("name"),
            "state": state,
            "createdTime": row.get("createdon"),
            "lastModifiedTime": row.get("modifiedon"),
            "workflowEntityId": id,
            "environment": { "name": environment, "id": scope },
            "definition": data["properties"]["definition"],
            "connectionReferences": data["properties"]["connectionReferences"],
        },
    })
}
