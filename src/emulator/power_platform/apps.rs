//! Canvas apps: list, share, give to another owner, skip the consent dialog.
//!
//! The apps themselves are rows of `canvasapps`; only their permissions are kept here.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Visit, connections, list, not_found, principal};
use crate::emulator::dataverse::row::{self, Row, row};
use crate::emulator::dataverse::{Environment, ServiceError, Session, is_administrator};
use crate::emulator::directory::{self, Identity};
use crate::transport::{Method, Response, StatusCode};

/// The kind of stored documents with an app's permissions, by the app's id.
const PERMISSIONS: &str = "@app_permission";
const ROLES: [&str; 3] = ["CanView", "CanViewWithShare", "CanEdit"];

/// Answers below `/providers/Microsoft.PowerApps`.
pub(super) fn answer(visit: &Visit<'_>, path: &[&str]) -> Result<Response, ServiceError> {
    let method = &visit.call.method;
    match (method, path) {
        (_, ["scopes", "admin", "environments", id, rest @ ..]) => {
            let environment = visit.environment(id)?;
            let session = visit.administer(&environment)?;
            match (method, rest) {
                (&Method::GET, ["apps"]) => Ok(list(apps(&session)?)),
                (_, ["apps", app, rest @ ..]) => App::find(&session, app)?.answer(visit, rest),
                _ => connections::classic(visit, &environment, rest, true),
            }
        }
        (&Method::GET, ["apps"]) => {
            let mut found = Vec::new();
            for environment in Environment::all(visit.tx)? {
                // Environments that are not the caller's are not in the list.
                let Ok(session) = visit.session(&environment) else {
                    continue;
                };
                for app in session.rows("canvasapp")? {
                    let app = App::of(&session, app);
                    if app.role(visit)?.is_some() {
                        found.push(app.on_the_wire()?);
                    }
                }
            }
            Ok(list(found))
        }
        (_, ["apps", app, rest @ ..]) => {
            for environment in Environment::all(visit.tx)? {
                let Ok(session) = visit.session(&environment) else {
                    continue;
                };
                if let Ok(app) = App::find(&session, app) {
                    return app.answer(visit, rest);
                }
            }
            Err(no_app(app))
        }
        (_, ["connections" | "apis", ..]) => {
            let environment = visit.filtered_environment()?;
            connections::classic(visit, &environment, path, false)
        }
        (&Method::GET, ["environments"]) => super::environments::list_all(visit, false),
        _ => Err(visit.not_emulated()),
    }
}

fn apps(session: &Session<'_>) -> Result<Vec<Value>, ServiceError> {
    let rows = session.rows("canvasapp")?.into_iter();
    rows.map(|row| App::of(session, row).on_the_wire())
        .collect()
}

/// One app with its environment.
struct App<'s, 'v> {
    session: &'s Session<'v>,
    id: String,
    row: Row,
}

impl<'s, 'v> App<'s, 'v> {
    fn of(session: &'s Session<'v>, row: Row) -> Self {
        let id = row::text(&row, "canvasappid")
            .unwrap_or_default()
            .to_owned();
        Self { session, id, row }
    }

    fn find(session: &'s Session<'v>, name: &str) -> Result<Self, ServiceError> {
        let id = Uuid::parse_str(name).map_err(|_| no_app(name))?;
        let row = session.row("canvasapp", id)?.ok_or_else(|| no_app(name))?;
        Ok(Self::of(session, row))
    }

    fn answer(&self, visit: &Visit<'_>, path: &[&str]) -> Result<Response, ServiceError> {
        match (&visit.call.method, path) {
            (&Method::GET, []) => {
                self.may(visit, "CanView")?;
                Ok(Response::json(StatusCode::OK, &self.on_the_wire()?))
            }
            (&Method::GET, ["permissions"]) => {
                self.may(visit, "CanView")?;
                Ok(list(self.permissions()?))
            }
            (&Method::POST, ["modifyPermissions"]) => {
                self.may(visit, "CanEdit")?;
                self.modify(&visit.body()?)
            }
            (&Method::POST, ["modifyAppOwner"]) => {
                self.may(visit, "Owner")?;
                self.give(&visit.body()?)
            }
            (&Method::POST, ["setPowerAppConnectionDirectConsentBypass"]) => {
                self.may(visit, "Owner")?;
                let bypass = visit.body()?["bypassconsent"].as_bool().unwrap_or(true);
                self.session
                    .update("canvasapp", self.uuid()?, row! { "bypassconsent": bypass })?;
                Ok(Response::json(
                    StatusCode::OK,
                    &json!({ "bypassconsent": bypass }),
                ))
            }
            _ => Err(visit.not_emulated()),
        }
    }

    fn uuid(&self) -> Result<Uuid, ServiceError> {
        Uuid::parse_str(&self.id).map_err(|_| no_app(&self.id))
    }

    /// The owner in the directory.
    fn owner(&self) -> Result<Option<Identity>, ServiceError> {
        let Some(owner) = row::id(&self.row, "_ownerid_value") else {
            return Ok(None);
        };
        let user = self.session.row("systemuser", owner)?.unwrap_or_default();
        match row::id(&user, "azureactivedirectoryobjectid") {
            Some(id) => Ok(directory::by_object_id(self.session.tx, id)?),
            None => Ok(None),
        }
    }

    /// The permissions that were given: principals' ids and what is known of each.
    fn given(&self) -> Result<Map<String, Value>, ServiceError> {
        let stored = self
            .session
            .tx
            .get(self.session.scope(), PERMISSIONS, &self.id)?;
        Ok(stored
            .and_then(|body| body.as_object().cloned())
            .unwrap_or_default())
    }

    fn store(&self, given: Map<String, Value>) -> Result<(), ServiceError> {
        let (tx, scope) = (self.session.tx, self.session.scope());
        Ok(tx.put(scope, PERMISSIONS, &self.id, &Value::Object(given))?)
    }

    /// The highest role that the caller has on the app.
    fn role(&self, visit: &Visit<'_>) -> Result<Option<String>, ServiceError> {
        let own = visit.caller.object_id;
        if self.owner()?.is_some_and(|owner| owner.object_id == own)
            || is_administrator(self.session)?
        {
            return Ok(Some("Owner".into()));
        }
        let mut ids: Vec<String> = vec![own.to_string()];
        ids.extend(
            directory::groups_of(visit.tx, visit.caller)?
                .iter()
                .map(Uuid::to_string),
        );
        ids.push(format!("tenant-{}", self.session.environment.tenant_id));
        let given = self.given()?;
        let roles = ids
            .iter()
            .filter_map(|id| given.get(id)?["roleName"].as_str());
        let highest = roles.max_by_key(|role| ROLES.iter().position(|it| it == role));
        Ok(highest.map(str::to_owned))
    }

    fn may(&self, visit: &Visit<'_>, needed: &str) -> Result<(), ServiceError> {
        let rank = |role: &str| match role {
            "Owner" => ROLES.len(),
            other => ROLES.iter().position(|it| *it == other).unwrap_or_default(),
        };
        let role = self.role(visit)?;
        if role.is_some_and(|role| rank(&role) >= rank(needed)) {
            return Ok(());
        }
        Err(ServiceError::forbidden(
            "AppAccessDenied",
            format!(
                "The caller does not have the permission '{needed}' on the app '{}'.",
                self.id
            ),
        ))
    }

    fn permissions(&self) -> Result<Vec<Value>, ServiceError> {
        let mut all = Vec::new();
        if let Some(owner) = self.owner()? {
            all.push(self.permission(&owner.object_id.to_string(), "Owner", principal(&owner)));
        }
        for (id, given) in self.given()? {
            let role = given["roleName"].as_str().unwrap_or_default();
            all.push(self.permission(&id, role, given["principal"].clone()));
        }
        Ok(all)
    }

    fn permission(&self, id: &str, role: &str, principal: Value) -> Value {
        let scope = format!("/providers/Microsoft.PowerApps/apps/{}", self.id);
        json!({
            "name": id,
            "id": format!("{scope}/permissions/{id}"),
            "type": "/providers/Microsoft.PowerApps/apps/permissions",
            "properties": {
                "roleName": role,
                "scope": scope,
                "principal": principal,
                "notifyShareTargetOption": "NotSpecified",
                "inviteGuestToTenant": false,
            },
        })
    }

    fn modify(&self, body: &Value) -> Result<Response, ServiceError> {
        let mut given = self.given()?;
        let mut put = Vec::new();
        for item in body["put"].as_array().into_iter().flatten() {
            let properties = &item["properties"];
            let role = properties["roleName"].as_str().unwrap_or_default();
            if !ROLES.contains(&role) {
                return Err(invalid(format!("'{role}' is no role of an app.")));
            }
            let (id, who) = self.recipient(&properties["principal"], role)?;
            put.push(self.permission(&id, role, who.clone()));
            given.insert(id, json!({ "roleName": role, "principal": who }));
        }
        let mut deleted = Vec::new();
        for item in body["delete"].as_array().into_iter().flatten() {
            let id = item["id"].as_str().unwrap_or_default();
            // A whole permission id ends with the principal's.
            let id = id.rsplit('/').next().unwrap_or(id).to_lowercase();
            if given.shift_remove(&id).is_some() {
                deleted.push(json!({ "id": id }));
            }
        }
        self.store(given)?;
        Ok(Response::json(
            StatusCode::OK,
            &json!({ "put": put, "delete": deleted }),
        ))
    }

    /// With whom an app shall be shared: somebody in the directory, or everybody in the tenant.
    fn recipient(&self, wanted: &Value, role: &str) -> Result<(String, Value), ServiceError> {
        let tenant = self.session.environment.tenant_id;
        let id = wanted["id"].as_str().unwrap_or_default();
        if wanted["type"].as_str() == Some("Tenant") {
            if role != "CanView" {
                return Err(invalid(
                    "Everybody in the tenant can only get CanView.".into(),
                ));
            }
            return Ok((
                format!("tenant-{tenant}"),
                json!({ "id": tenant, "type": "Tenant" }),
            ));
        }
        let unknown = || {
            invalid(format!(
                "The principal '{id}' does not exist in the directory."
            ))
        };
        let id = Uuid::parse_str(id).map_err(|_| unknown())?;
        let identity = directory::by_object_id(self.session.tx, id)?.ok_or_else(unknown)?;
        if wanted["type"]
            .as_str()
            .is_some_and(|it| it != identity.kind.principal_type())
        {
            return Err(invalid(format!(
                "The principal '{id}' is a {}, not a {}.",
                identity.kind.principal_type(),
                wanted["type"].as_str().unwrap_or_default()
            )));
        }
        Ok((id.to_string(), principal(&identity)))
    }

    /// Gives the app to another owner; the old one keeps the role that the body says.
    fn give(&self, body: &Value) -> Result<Response, ServiceError> {
        let text = body["newAppOwner"].as_str().unwrap_or_default();
        let unknown = || {
            invalid(format!(
                "The new owner '{text}' does not exist in the directory."
            ))
        };
        let id = Uuid::parse_str(text).map_err(|_| unknown())?;
        let new = directory::by_object_id(self.session.tx, id)?.ok_or_else(unknown)?;
        let user = self.session.find(
            "systemuser",
            "azureactivedirectoryobjectid",
            &Value::from(new.object_id.to_string()),
        )?;
        let Some(user) = user.as_ref().and_then(|user| row::id(user, "systemuserid")) else {
            return Err(invalid(format!(
                "'{}' is no user of the environment.",
                new.name
            )));
        };
        let mut given = self.given()?;
        given.shift_remove(&new.object_id.to_string());
        if let Some(role) = body["roleForOldAppOwner"]
            .as_str()
            .filter(|role| ROLES.contains(role))
            && let Some(old) = self.owner()?
            && old.object_id != new.object_id
        {
            let permission = json!({ "roleName": role, "principal": principal(&old) });
            given.insert(old.object_id.to_string(), permission);
        }
        self.store(given)?;
        let owner = row! {
            "_ownerid_value": user,
            "_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "systemuser",
        };
        let changed = self.session.update("canvasapp", self.uuid()?, owner)?;
        let app = Self::of(self.session, changed);
        Ok(Response::json(StatusCode::OK, &app.on_the_wire()?))
    }

    fn on_the_wire(&self) -> Result<Value, ServiceError> {
        let environment = &self.session.environment;
        let id = &environment.environment_id;
        let owner = self.owner()?.as_ref().map(principal);
        let column = |name: &str| self.row.get(name).cloned().unwrap_or_default();
        let app_type = match row::number(&self.row, "canvasapptype") {
            Some(1) => "CanvasComponentLibrary",
            Some(2) => "CustomCanvasPage",
            _ => "ClassicCanvasApp",
        };
        Ok(json!({
            "name": self.id,
            "id": format!("/providers/Microsoft.PowerApps/apps/{}", self.id),
            "type": "Microsoft.PowerApps/apps",
            "tags": {},
            "properties": {
                "appVersion": column("appversion"),
                "createdTime": column("createdon"),
                "lastModifiedTime": column("modifiedon"),
                "displayName": column("displayname"),
                "description": column("description"),
                "owner": owner,
                "createdBy": owner,
                "bypassConsent": row::flag(&self.row, "bypassconsent"),
                "appType": app_type,
                "logicalName": column("name"),
                "environment": {
                    "id": format!("/providers/Microsoft.PowerApps/environments/{id}"),
                    "name": id,
                },
            },
        }))
    }
}

fn no_app(name: &str) -> ServiceError {
    not_found(
        "AppNotFound",
        &format!("The app '{name}' could not be found."),
    )
}

fn invalid(message: String) -> ServiceError {
    ServiceError::bad_request("InvalidPermission", message)
}
