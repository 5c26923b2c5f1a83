//! Environments as the administration service (BAP) lists them. They are made with the tenant.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Visit, list};
use crate::emulator::call::Call;
use crate::emulator::dataverse::{Environment, SERVICE_VERSION, ServiceError};
use crate::emulator::directory::{self, IdentityKind};
use crate::transport::{Method, Response, StatusCode};

/// Answers below `/providers/Microsoft.BusinessAppPlatform`.
pub(super) fn answer(visit: &Visit<'_>, path: &[&str]) -> Result<Response, ServiceError> {
    match (&visit.call.method, path) {
        (&Method::GET, ["environments"]) => list_all(visit, false),
        (&Method::GET, ["scopes", "admin", "environments"]) => list_all(visit, true),
        (&Method::GET, ["environments", id]) => {
            let environment = visit.environment(id)?;
            visit.session(&environment)?;
            Ok(Response::json(
                StatusCode::OK,
                &on_the_wire(visit.call, &environment, false),
            ))
        }
        (&Method::GET, ["scopes", "admin", "environments", id]) => {
            let environment = visit.environment(id)?;
            visit.administer(&environment)?;
            Ok(Response::json(
                StatusCode::OK,
                &on_the_wire(visit.call, &environment, true),
            ))
        }
        (&Method::POST, ["scopes", "admin", "environments", id, "addUser"]) => {
            let environment = visit.environment(id)?;
            let session = visit.administer(&environment)?;
            let body = visit.body()?;
            let text = body["objectId"].as_str().unwrap_or_default();
            let known = match Uuid::parse_str(text) {
                Ok(id) => directory::by_object_id(visit.tx, id)?,
                Err(_) => None,
            };
            let Some(identity) = known.filter(|it| it.kind != IdentityKind::Group) else {
                return Err(ServiceError::bad_request(
                    "InvalidUser",
                    format!("The user '{text}' does not exist in the directory."),
                ));
            };
            session.add_user(&identity)?;
            Ok(Response::json(StatusCode::OK, &json!({})))
        }
        _ => Err(visit.not_emulated()),
    }
}

/// The environments of the caller, or those that the caller administers.
pub(super) fn list_all(visit: &Visit<'_>, administered: bool) -> Result<Response, ServiceError> {
    let mut found = Vec::new();
    for environment in Environment::all(visit.tx)? {
        let allowed = match administered {
            true => visit.administer(&environment),
            false => visit.session(&environment),
        };
        match allowed {
            Ok(_) => found.push(on_the_wire(visit.call, &environment, administered)),
            Err(error) if error.status == StatusCode::FORBIDDEN => {}
            Err(error) => return Err(error),
        }
    }
    Ok(list(found))
}

/// An environment as it is described (facts/dataverse-web-api.md, section 8.1).
fn on_the_wire(call: &Call, environment: &Environment, administered: bool) -> Value {
    let id = &environment.environment_id;
    let scope = if administered { "scopes/admin/" } else { "" };
    let address = call.address_of(&environment.host);
    let api = match environment.host.split_once('.') {
        // Served on loopback there is one address for both.
        Some((name, rest)) if address.starts_with("https://") => {
            format!("https://{name}.api.{rest}")
        }
        _ => address.clone(),
    };
    json!({
        "id": format!("/providers/Microsoft.BusinessAppPlatform/{scope}environments/{id}"),
        "type": format!("Microsoft.BusinessAppPlatform/{scope}environments"),
        "location": "europe",
        "name": id,
        "properties": {
            "tenantId": environment.tenant_id,
            "azureRegion": "northeurope",
            "displayName": environment.name,
            "createdTime": environment.created_on,
            "environmentSku": environment.sku,
            "isDefault": false,
            "provisioningState": "Succeeded",
            "databaseType": "CommonDataService",
            "linkedEnvironmentMetadata": {
                "resourceId": environment.organization_id,
                "friendlyName": environment.name,
                "uniqueName": environment.unique_name(),
                "domainName": environment.domain_name(),
                "version": SERVICE_VERSION,
                "instanceUrl": format!("{address}/"),
                "instanceApiUrl": api,
                "baseLanguage": environment.language,
                "instanceState": "Ready",
                "backgroundOperationsState": "Enabled",
                "currency": { "code": "EUR" },
            },
            "states": { "management": { "id": "Ready" }, "runtime": { "id": "Enabled" } },
            "runtimeEndpoints": {
                "microsoft.BusinessAppPlatform": call.address_of("api.bap.microsoft.com"),
                "microsoft.PowerApps": call.address_of("api.powerapps.com"),
                "microsoft.Flow": call.address_of("api.flow.microsoft.com"),
            },
            "updateCadence": { "id": "Frequent" },
        },
    })
}
