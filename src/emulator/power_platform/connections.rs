//! Connections over the connectivity service and over the classic Power Apps service.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Connection, ConnectionShare, Visit, list, not_found, principal};
use crate::emulator::clock::on_the_wire;
use crate::emulator::dataverse::{Environment, ServiceError, is_administrator};
use crate::emulator::directory;
use crate::transport::{Method, Response, StatusCode};

const ROLES: [&str; 3] = ["CanView", "CanViewWithShare", "CanEdit"];

/// Answers as the connectivity service of `environment`.
pub(super) fn answer(
    visit: &Visit<'_>,
    environment: &Environment,
    path: &[&str],
) -> Result<Response, ServiceError> {
    match (&visit.call.method, path) {
        (&Method::GET, ["connectivity", "connections"]) => list_all(visit, environment, false),
        (
            _,
            [
                "connectivity",
                "connectors",
                connector,
                "connections",
                id,
                rest @ ..,
            ],
        ) => one(visit, environment, connector, id, rest),
        _ => Err(visit.not_emulated()),
    }
}

/// Answers as the classic service, below the environment or with it in the query's filter.
/// Administrators see all connections, others those that they may use.
pub(super) fn classic(
    visit: &Visit<'_>,
    environment: &Environment,
    path: &[&str],
    administrator: bool,
) -> Result<Response, ServiceError> {
    match (&visit.call.method, path) {
        (&Method::GET, ["connections"]) => list_all(visit, environment, administrator),
        (&Method::GET, ["apis"]) => list_connectors(visit, environment),
        (_, ["apis", connector, "connections", id, rest @ ..]) => {
            one(visit, environment, connector, id, rest)
        }
        _ => Err(visit.not_emulated()),
    }
}

fn list_all(
    visit: &Visit<'_>,
    environment: &Environment,
    all: bool,
) -> Result<Response, ServiceError> {
    visit.session(environment)?;
    let mut found = Vec::new();
    for connection in Connection::all(visit.tx, &environment.scope())? {
        if all || connection.usable_by(visit.tx, visit.caller)? {
            found.push(connection.on_the_wire(&environment.environment_id));
        }
    }
    Ok(list(found))
}

/// The connectors: those that connections of the environment use, and the custom ones.
fn list_connectors(visit: &Visit<'_>, environment: &Environment) -> Result<Response, ServiceError> {
    let session = visit.session(environment)?;
    let connector = |name: &str, display: &str, custom: bool| {
        json!({
            "name": name,
            "id": format!("/providers/Microsoft.PowerApps/apis/{name}"),
            "type": "Microsoft.PowerApps/apis",
            "properties": { "displayName": display, "isCustomApi": custom },
        })
    };
    let mut found: Vec<Value> = Vec::new();
    let mut names: Vec<String> = Connection::all(visit.tx, &environment.scope())?
        .into_iter()
        .map(|connection| connection.connector)
        .collect();
    names.sort();
    names.dedup();
    let filter = visit
        .call
        .parameter("$filter")
        .unwrap_or_default()
        .to_lowercase();
    if !filter.contains("iscustomapi eq 'true'") {
        let plain = |name: &str| name.trim_start_matches("shared_").to_owned();
        found.extend(
            names
                .iter()
                .map(|name| connector(name, &plain(name), false)),
        );
    }
    for row in session.rows("connector")? {
        let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
        let name = match text("connectorinternalid") {
            "" => text("name"),
            internal => internal,
        };
        found.push(connector(name, text("displayname"), true));
    }
    Ok(list(found))
}

fn one(
    visit: &Visit<'_>,
    environment: &Environment,
    connector: &str,
    id: &str,
    path: &[&str],
) -> Result<Response, ServiceError> {
    let session = visit.session(environment)?;
    let scope = environment.scope();
    let found = Connection::by_id(visit.tx, &scope, id)?;
    let found = found.filter(|it| it.connector.eq_ignore_ascii_case(connector));
    let method = &visit.call.method;
    let Some(mut connection) = found else {
        if *method == Method::PUT && path.is_empty() {
            return create(visit, environment, connector, id);
        }
        return Err(not_found(
            "ConnectionNotFound",
            &format!("Could not find connection '{id}' for API '{connector}'."),
        ));
    };
    let owns = connection.owner.object_id == visit.caller.object_id || is_administrator(&session)?;
    if !owns && !connection.usable_by(visit.tx, visit.caller)? {
        return Err(ServiceError::forbidden(
            "ConnectionAuthorizationFailed",
            format!("The caller does not have permission for connection '{id}'."),
        ));
    }
    match (method, path) {
        (&Method::GET, []) => Ok(Response::json(
            StatusCode::OK,
            &connection.on_the_wire(&environment.environment_id),
        )),
        (&Method::GET, ["permissions"]) => {
            let mut all = vec![permission(
                &connection,
                "Owner",
                &principal(&connection.owner),
            )];
            let shares = connection.shared_with.iter();
            all.extend(shares.map(|it| permission(&connection, &it.role, &principal(&it.with))));
            Ok(list(all))
        }
        (&Method::PUT, []) if owns => {
            if let Some(name) = visit.body()?["properties"]["displayName"].as_str() {
                connection.display_name = name.to_owned();
            }
            connection.store(visit.tx, &scope)?;
            Ok(Response::json(
                StatusCode::OK,
                &connection.on_the_wire(&environment.environment_id),
            ))
        }
        (&Method::DELETE, []) if owns => {
            connection.delete(visit.tx, &scope)?;
            Ok(Response::new(StatusCode::NO_CONTENT))
        }
        (&Method::POST, ["modifyPermissions"]) if owns => {
            modify(visit, &mut connection)?;
            connection.store(visit.tx, &scope)?;
            Ok(Response::json(StatusCode::OK, &json!({})))
        }
        (&Method::PUT | &Method::DELETE, []) | (&Method::POST, ["modifyPermissions"]) => {
            Err(ServiceError::forbidden(
                "ConnectionAuthorizationFailed",
                format!("Only the owner of connection '{id}' can do that."),
            ))
        }
        _ => Err(visit.not_emulated()),
    }
}

fn create(
    visit: &Visit<'_>,
    environment: &Environment,
    connector: &str,
    id: &str,
) -> Result<Response, ServiceError> {
    let body = visit.body()?;
    let name = body["properties"]["displayName"]
        .as_str()
        .unwrap_or(connector);
    let connection = Connection {
        id: id.to_owned(),
        connector: connector.to_owned(),
        display_name: name.to_owned(),
        owner: visit.caller.clone(),
        shared_with: Vec::new(),
        created_on: on_the_wire(visit.call.now),
    };
    connection.store(visit.tx, &environment.scope())?;
    Ok(Response::json(
        StatusCode::CREATED,
        &connection.on_the_wire(&environment.environment_id),
    ))
}

fn modify(visit: &Visit<'_>, connection: &mut Connection) -> Result<(), ServiceError> {
    let body = visit.body()?;
    let invalid = |message: String| ServiceError::bad_request("InvalidPermission", message);
    for item in body["put"].as_array().into_iter().flatten() {
        let properties = &item["properties"];
        let role = properties["roleName"].as_str().unwrap_or_default();
        if !ROLES.contains(&role) {
            return Err(invalid(format!("'{role}' is no role of a connection.")));
        }
        let id = properties["principal"]["id"].as_str().unwrap_or_default();
        let found = match Uuid::parse_str(id) {
            Ok(id) => directory::by_object_id(visit.tx, id)?,
            Err(_) => None,
        };
        let with = found.ok_or_else(|| {
            invalid(format!(
                "The principal '{id}' does not exist in the directory."
            ))
        })?;
        connection
            .shared_with
            .retain(|share| share.with.object_id != with.object_id);
        connection.shared_with.push(ConnectionShare {
            with,
            role: role.to_owned(),
        });
    }
    for item in body["delete"].as_array().into_iter().flatten() {
        let id = item["id"].as_str().unwrap_or_default();
        let id = id.rsplit('/').next().unwrap_or(id).to_lowercase();
        connection
            .shared_with
            .retain(|share| share.with.object_id.to_string() != id);
    }
    Ok(())
}

fn permission(connection: &Connection, role: &str, principal: &Value) -> Value {
    let id = principal["id"].as_str().unwrap_or_default();
    let scope = format!(
        "{}/connections/{}",
        connection.connector_id(),
        connection.id
    );
    json!({
        "name": id,
        "id": format!("{scope}/permissions/{id}"),
        "type": "/providers/Microsoft.PowerApps/apis/connections/permissions",
        "properties": {
            "roleName": role,
            "principal": principal,
            "notifyShareTargetOption": "NotSpecified",
        },
    })
}
