//! Canvas apps: sharing, owner and consent. All three are settings of the Power Apps service, not
//! of Dataverse (Dataverse Web API notes, 6.4).

use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::odata::{Filter, Query};
use super::rows::{guid, text};
use super::{Change, Environment, EnvironmentError};
use crate::transport::Url;

const API_VERSION: (&str, &str) = ("api-version", "2022-11-01");

/// What people may do with an app that is shared with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum AppRole {
    /// Use it.
    CanView,
    /// Change it.
    CanEdit,
}

impl AppRole {
    /// Reads the role names of the settings file. `CanViewWithShare` counts as `CanView`, as in
    /// the ALM Accelerator (notes, 1.8 "Canvas share").
    ///
    /// # Errors
    /// [`EnvironmentError::InvalidValue`] for any other name.
    pub fn parse(name: &str) -> Result<Self, EnvironmentError> {
        match name {
            "CanView" | "CanViewWithShare" => Ok(Self::CanView),
            "CanEdit" => Ok(Self::CanEdit),
            other => Err(EnvironmentError::InvalidValue {
                what: "role of a shared app".to_owned(),
                reason: format!("{other:?} is none of CanView, CanViewWithShare, CanEdit"),
            }),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::CanView => "CanView",
            Self::CanEdit => "CanEdit",
        }
    }
}

/// A row of `canvasapps`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CanvasApp {
    /// The row's id, which is also the app's id in the Power Apps service.
    pub id: Uuid,
    /// The unique name, such as `new_app_ab12c`.
    pub name: String,
    /// The name that people see.
    pub display_name: String,
}

impl Environment {
    /// The app that `which` names: its id, unique name or display name.
    ///
    /// # Errors
    /// [`EnvironmentError::Missing`] when there is none, [`EnvironmentError::Ambiguous`] when
    /// several have the display name.
    pub fn canvas_app(&self, which: &str) -> Result<CanvasApp, EnvironmentError> {
        let filters = match which.parse::<Uuid>() {
            Ok(id) => vec![Filter::equals("canvasappid", id)?],
            Err(_) => vec![
                Filter::equals("name", which)?,
                Filter::equals("displayname", which)?,
            ],
        };
        let mut found = Vec::new();
        for filter in filters {
            let query = Query::new()
                .select(&["canvasappid", "name", "displayname"])?
                .filter(filter);
            found = self
                .rows("canvasapps", &query)?
                .iter()
                .filter_map(|row| {
                    Some(CanvasApp {
                        id: guid(row, "canvasappid")?,
                        name: text(row, "name"),
                        display_name: text(row, "displayname"),
                    })
                })
                .collect();
            if !found.is_empty() {
                break;
            }
        }
        self.only("canvas app", which, found)
    }

    /// Shares an app with an Entra group. A role that the group has already is not lowered.
    ///
    /// # Errors
    /// [`EnvironmentError::Missing`] for an unknown app.
    pub fn share_app(
        &self,
        app: &str,
        group: Uuid,
        role: AppRole,
    ) -> Result<Change, EnvironmentError> {
        let app = self.canvas_app(app)?;
        let label = format!("app {}", app.display_name);
        let present = self.app_permission(app.id, group)?;
        let enough = match present.as_deref() {
            Some("CanEdit" | "Owner") => true,
            Some("CanView" | "CanViewWithShare") => role == AppRole::CanView,
            _ => false,
        };
        if enough {
            return Ok(Change::none(format!(
                "{label} is shared with group {group}"
            )));
        }
        let body = json!({ "put": [{ "properties": {
            "principal": { "id": group, "type": "Group" },
            "NotifyShareTargetOption": "DoNotNotify",
            "roleName": role.name(),
        }}]});
        self.post(self.app_address(app.id, "modifyPermissions")?, &body)?;
        Ok(Change::made(format!(
            "{label} shared with group {group} ({})",
            role.name()
        )))
    }

    /// Makes a user the owner of an app. The former owner keeps the right to use it.
    ///
    /// # Errors
    /// [`EnvironmentError::Missing`] for an unknown app or user.
    pub fn set_app_owner(&self, app: &str, owner: &str) -> Result<Change, EnvironmentError> {
        let app = self.canvas_app(app)?;
        let user = self.user(owner)?;
        let object_id = user
            .object_id
            .ok_or_else(|| self.missing("Entra user", owner))?;
        let label = format!("app {}", app.display_name);
        if self.app_permission(app.id, object_id)?.as_deref() == Some("Owner") {
            return Ok(Change::none(format!("{label} belongs to {}", user.name)));
        }
        let body = json!({ "roleForOldAppOwner": "CanView", "newAppOwner": object_id });
        self.post(self.app_address(app.id, "modifyAppOwner")?, &body)?;
        Ok(Change::made(format!("{label} given to {}", user.name)))
    }

    /// Lets people open an app without being asked to allow its connections.
    ///
    /// # Errors
    /// [`EnvironmentError::Missing`] for an unknown app.
    pub fn bypass_consent(&self, app: &str) -> Result<Change, EnvironmentError> {
        let app = self.canvas_app(app)?;
        let label = format!("app {}", app.display_name);
        let query = Query::new().select(&["bypassconsent"])?;
        let row = self.row("canvasapps", &app.id.into(), &query)?;
        let bypassed = row.and_then(|row| row.get("bypassconsent").and_then(Value::as_bool));
        if bypassed == Some(true) {
            return Ok(Change::none(format!("{label} asks for no consent")));
        }
        let path = "setPowerAppConnectionDirectConsentBypass";
        let mut url = self.app_address(app.id, path)?;
        url.set_query(Some("api-version=2021-02-01"));
        self.post(url, &json!({ "bypassconsent": true }))?;
        Ok(Change::made(format!("{label} no longer asks for consent")))
    }

    /// The role that somebody has on an app.
    fn app_permission(
        &self,
        app: Uuid,
        principal: Uuid,
    ) -> Result<Option<String>, EnvironmentError> {
        let permissions = self.get_pages(self.app_address(app, "permissions")?)?;
        let principal = principal.to_string();
        Ok(permissions
            .iter()
            .map(|permission| &permission["properties"])
            .find(|properties| {
                let id = properties["principal"]["id"].as_str().unwrap_or_default();
                id.eq_ignore_ascii_case(&principal)
            })
            .and_then(|properties| properties["roleName"].as_str())
            .map(str::to_owned))
    }

    /// An address below one app, in the administrator's view of the environment.
    fn app_address(&self, app: Uuid, verb: &str) -> Result<Url, EnvironmentError> {
        let environment = self.environment_id()?;
        let app = app.to_string();
        let path = [
            "providers",
            "Microsoft.PowerApps",
            "scopes",
            "admin",
            "environments",
            &environment,
            "apps",
            &app,
            verb,
        ];
        Ok(self.0.hosts.power_apps(&path, &[API_VERSION]))
    }
}
