//! Actions and functions that belong to no other part.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::catalogue::Table;
use super::extension::{EXTENSIONS, Operation, OperationVerb, Parameters, Reply};
use super::failure::ServiceError;
use super::odata::{Segment, parameters};
use super::payload::object;
use super::resource::{Key, row_at};
use super::row::{self, Row, row};
use super::session::Session;
use super::{security, sharing, write};
use crate::emulator::call::Call;
use crate::emulator::directory;
use crate::transport::Method;

/// The version of the emulated service.
pub const SERVICE_VERSION: &str = "9.2.24074.216";
/// What one request for many rows may hold.
const MOST_TARGETS: usize = 1_000;

/// The operation called `name` that another part adds.
fn added(name: &str) -> Option<Operation> {
    EXTENSIONS
        .iter()
        .find_map(|extension| extension.operation(name))
}

/// The operation called `name`.
pub(super) fn find(name: &str) -> Option<Operation> {
    if let Some(found) = added(name) {
        return Some(found);
    }
    Some(match name {
        "WhoAmI" => Operation::function(who_am_i),
        "RetrieveVersion" => {
            Operation::function(|_, _| Ok(Reply::Members(row! { "Version": SERVICE_VERSION })))
        }
        "RetrieveCurrentOrganization" => Operation::function(current_organization),
        "RetrieveProvisionedLanguages" => Operation::function(|session, _| {
            Ok(Reply::Members(
                row! { "RetrieveProvisionedLanguages": [session.environment.language] },
            ))
        }),
        "RetrieveTotalRecordCount" => Operation::function(total_record_count),
        "RetrieveEnvironmentVariableValue" => Operation::function(environment_variable),
        "RetrieveAadUserRoles" => Operation::function(directory_user_roles),
        "RetrieveUnpublishedMultiple" => Operation::function(unpublished),
        "GrantAccess" | "ModifyAccess" => Operation::action(sharing::grant),
        "RevokeAccess" => Operation::action(sharing::revoke),
        "RetrieveSharedPrincipalsAndAccess" => Operation::function(sharing::principals),
        "RetrievePrincipalAccess" => Operation::function(sharing::access),
        "CreateMultiple" => Operation::action(create_multiple),
        "UpdateMultiple" => Operation::action(update_multiple),
        "UpsertMultiple" => Operation::action(upsert_multiple),
        _ => return None,
    })
}

/// Runs the operation that `segment` names, if there is one.
///
/// # Errors
/// The operation's, and `404` for an operation called with the wrong verb.
pub(super) fn run(
    session: &Session<'_>,
    call: &Call,
    segment: &Segment,
    bound_to: Option<(Arc<Table>, Option<Uuid>)>,
) -> Result<Option<Reply>, ServiceError> {
    let name = segment
        .name
        .strip_prefix("Microsoft.Dynamics.CRM.")
        .unwrap_or(&segment.name);
    let Some(operation) = find(name) else {
        return Ok(None);
    };
    // What other parts add changes solutions and customizations.
    if operation.verb == OperationVerb::Action && added(name).is_some() {
        security::may_customize(session, name)?;
    }
    let fits = match operation.verb {
        OperationVerb::Action => call.method == Method::POST,
        OperationVerb::Function => call.method == Method::GET,
    };
    if !fits {
        return Err(ServiceError::no_resource(name));
    }
    let values = match operation.verb {
        OperationVerb::Action => object(&call.body)?,
        OperationVerb::Function => {
            let text = segment.arguments.as_deref().unwrap_or_default();
            let given = parameters(text, &aliases(&call.query))?;
            given
                .into_iter()
                .filter_map(|it| Some((it.name?, it.value)))
                .collect()
        }
    };
    let query = call.query.clone();
    let given = Parameters {
        name: name.to_owned(),
        values,
        bound_to,
        query,
    };
    (operation.run)(session, &given).map(Some)
}

/// The parameter aliases of a query.
pub(super) fn aliases(query: &[(String, String)]) -> Vec<(String, String)> {
    query
        .iter()
        .filter(|(name, _)| name.starts_with('@'))
        .cloned()
        .collect()
}

fn who_am_i(session: &Session<'_>, _given: &Parameters) -> Result<Reply, ServiceError> {
    let user = session.existing("systemuser", session.user)?;
    Ok(Reply::Members(row! {
        "BusinessUnitId": user.get("_businessunitid_value"),
        "UserId": session.user,
        "OrganizationId": session.environment.organization_id,
    }))
}

fn current_organization(session: &Session<'_>, _given: &Parameters) -> Result<Reply, ServiceError> {
    let environment = &session.environment;
    // The public address of this host, as the caller reaches it.
    let web = session.root.split("/api/data/").next().unwrap_or_default();
    let endpoints = json!({
        "Count": 3,
        "IsReadOnly": false,
        "Keys": ["WebApplication", "OrganizationService", "OrganizationDataService"],
        "Values": [
            format!("{web}/"),
            format!("{web}/XRMServices/2011/Organization.svc"),
            format!("{web}/XRMServices/2011/OrganizationData.svc"),
        ],
    });
    Ok(Reply::Members(row! {
        "Detail": {
            "OrganizationId": environment.organization_id,
            "FriendlyName": environment.name,
            "OrganizationVersion": SERVICE_VERSION,
            "EnvironmentId": environment.environment_id,
            "DatacenterId": environment.own_id("datacenter", "one"),
            "Geo": "EMEA",
            "TenantId": environment.tenant_id,
            "UrlName": environment.domain_name(),
            "UniqueName": environment.unique_name(),
            "Endpoints": endpoints,
            "State": "Enabled",
        },
    }))
}

fn total_record_count(session: &Session<'_>, given: &Parameters) -> Result<Reply, ServiceError> {
    let names = given.values.get("EntityNames").and_then(Value::as_array);
    let names = names.ok_or_else(|| given.missing("EntityNames"))?;
    let (mut keys, mut values) = (Vec::new(), Vec::new());
    for name in names.iter().filter_map(Value::as_str) {
        session.table(name)?;
        keys.push(name);
        values.push(session.rows(name)?.len());
    }
    Ok(Reply::Members(row! {
        "EntityRecordCountCollection": {
            "Count": keys.len(), "IsReadOnly": false, "Keys": keys, "Values": values,
        },
    }))
}

fn environment_variable(session: &Session<'_>, given: &Parameters) -> Result<Reply, ServiceError> {
    let name = given.required("DefinitionSchemaName")?;
    let found = session.find("environmentvariabledefinition", "schemaname", &name.into())?;
    let definition = found.ok_or_else(|| {
        ServiceError::invalid_argument(format!("There is no environment variable '{name}'."))
    })?;
    let id = definition
        .get("environmentvariabledefinitionid")
        .cloned()
        .unwrap_or_default();
    let lookup = "_environmentvariabledefinitionid_value";
    let value = session.find("environmentvariablevalue", lookup, &id)?;
    let value = match value {
        Some(row) => row.get("value").cloned().unwrap_or_else(|| "".into()),
        None => definition.get("defaultvalue").cloned().unwrap_or_default(),
    };
    Ok(Reply::Members(row! { "Value": value }))
}

fn directory_user_roles(session: &Session<'_>, given: &Parameters) -> Result<Reply, ServiceError> {
    let id = given
        .id("DirectoryObjectId")?
        .ok_or_else(|| given.missing("DirectoryObjectId"))?;
    let table = session.table("role")?;
    let known = session.find(
        "systemuser",
        "azureactivedirectoryobjectid",
        &id.to_string().into(),
    )?;
    let user = match known
        .as_ref()
        .and_then(|user| row::id(user, "systemuserid"))
    {
        Some(user) => user,
        None if directory::by_object_id(session.tx, id)?.is_none() => {
            return Err(ServiceError::no_row("systemuser", id));
        }
        None => return Ok(Reply::Rows(table, Vec::new())),
    };
    let names = security::roles(session, user)?;
    let root = session.environment.business_unit_id;
    let roles = session.rows("role")?.into_iter().filter(|role| {
        row::id(role, "_businessunitid_value") == Some(root)
            && row::text(role, "name").is_some_and(|name| names.contains(name))
    });
    Ok(Reply::Rows(table, roles.collect()))
}

/// The emulated tenant publishes at once, so that unpublished rows are the same rows.
fn unpublished(session: &Session<'_>, given: &Parameters) -> Result<Reply, ServiceError> {
    match &given.bound_to {
        Some((table, None)) => Ok(Reply::Rows(table.clone(), session.rows(&table.name)?)),
        _ => Err(ServiceError::no_resource(&given.name)),
    }
}

fn create_multiple(session: &Session<'_>, given: &Parameters) -> Result<Reply, ServiceError> {
    let (table, targets) = targets(given)?;
    let ids = targets
        .iter()
        .map(|target| write::create(session, &table, target));
    let ids = ids.collect::<Result<Vec<Uuid>, _>>()?;
    Ok(Reply::Members(row! { "Ids": ids }))
}

fn update_multiple(session: &Session<'_>, given: &Parameters) -> Result<Reply, ServiceError> {
    let (table, targets) = targets(given)?;
    for target in &targets {
        let id = row::id(target, &table.key).ok_or_else(|| {
            ServiceError::invalid_argument(format!("A target has no '{}'.", table.key))
        })?;
        write::change(session, &table, id, target)?;
    }
    Ok(Reply::Nothing)
}

fn upsert_multiple(session: &Session<'_>, given: &Parameters) -> Result<Reply, ServiceError> {
    let (table, targets) = targets(given)?;
    for target in &targets {
        let key = match row::text(target, "@odata.id") {
            Some(reference) => {
                let inside = reference
                    .split_once('(')
                    .and_then(|(_, rest)| rest.strip_suffix(')'));
                match inside {
                    Some(text) => Some(Key::read(&table, text, &[])?),
                    None => Some(Key::Id(row_at(session, reference)?.1)),
                }
            }
            None => row::id(target, &table.key).map(Key::Id),
        };
        match key {
            Some(key) => upsert(session, &table, &key, target).map(|_| ())?,
            None => write::create(session, &table, target).map(|_| ())?,
        }
    }
    Ok(Reply::Nothing)
}

/// Changes the row that `key` names or creates it; returns its id and whether it was created.
pub(super) fn upsert(
    session: &Session<'_>,
    table: &Arc<Table>,
    key: &Key,
    body: &Row,
) -> Result<(Uuid, bool), ServiceError> {
    if let Some(id) = key.find(session, table)? {
        write::change(session, table, id, body)?;
        return Ok((id, false));
    }
    let mut body = body.clone();
    match key {
        Key::Id(id) => {
            body.insert(table.key.clone(), id.to_string().into());
        }
        Key::Values(values) => {
            for (name, value) in values {
                match table
                    .lookup_by_value(name)
                    .and_then(|it| it.targets().first())
                {
                    Some(target) => {
                        let set = session.table(&target.table)?.set.clone();
                        let id = value.as_str().unwrap_or_default();
                        let bind = format!("{}@odata.bind", target.navigation);
                        body.insert(bind, format!("{set}({id})").into());
                    }
                    None => {
                        body.insert(name.clone(), value.clone());
                    }
                }
            }
        }
    }
    Ok((write::create(session, table, &body)?, true))
}

fn targets(given: &Parameters) -> Result<(Arc<Table>, Vec<Row>), ServiceError> {
    let Some((table, None)) = &given.bound_to else {
        return Err(ServiceError::no_resource(&given.name));
    };
    let Some(Value::Array(targets)) = given.values.get("Targets") else {
        return Err(given.missing("Targets"));
    };
    if targets.len() > MOST_TARGETS {
        return Err(ServiceError::invalid_argument(format!(
            "{} targets are more than the {MOST_TARGETS} that one request may have.",
            targets.len()
        )));
    }
    let rows = targets.iter().map(|target| match target {
        Value::Object(row) => Ok(row.clone()),
        _ => Err(ServiceError::bad_payload(
            &table.set,
            "A target is not an object.",
        )),
    });
    Ok((table.clone(), rows.collect::<Result<_, _>>()?))
}
