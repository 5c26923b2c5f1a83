//! Users and teams: finding the row that a setting means (Dataverse Web API notes, 6.6).

use serde::Serialize;
use uuid::Uuid;

use super::odata::{Filter, Query};
use super::rows::{Row, guid, text};
use super::{Environment, EnvironmentError};

/// A row of `systemusers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct User {
    /// The row's id in this environment.
    pub id: Uuid,
    /// The full name.
    pub name: String,
    /// The sign-in name.
    pub domain_name: String,
    /// The e-mail address.
    pub email: String,
    /// The id in Entra ID; absent for some system users.
    pub object_id: Option<Uuid>,
}

/// A row of `teams`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Team {
    /// The row's id in this environment.
    pub id: Uuid,
    /// The name.
    pub name: String,
    /// The Entra group behind it, if there is one.
    pub group_id: Option<Uuid>,
    /// 0 owner, 1 access, 2 security group, 3 office group.
    pub kind: i64,
    /// The business unit that it belongs to.
    pub business_unit_id: Option<Uuid>,
}

const USER_COLUMNS: [&str; 5] = [
    "systemuserid",
    "fullname",
    "domainname",
    "internalemailaddress",
    "azureactivedirectoryobjectid",
];
pub(super) const TEAM_COLUMNS: [&str; 5] = [
    "teamid",
    "name",
    "teamtype",
    "azureactivedirectoryobjectid",
    "_businessunitid_value",
];

impl Environment {
    /// The user that `who` names: an e-mail address, a sign-in name, an Entra object id or the id
    /// of the row.
    ///
    /// # Errors
    /// [`EnvironmentError::Missing`] when the environment has no such user.
    pub fn user(&self, who: &str) -> Result<User, EnvironmentError> {
        let filter = match who.trim().parse::<Uuid>() {
            Ok(id) => Filter::equals("azureactivedirectoryobjectid", id)?
                .or(Filter::equals("systemuserid", id)?),
            Err(_) => Filter::equals("internalemailaddress", who.trim())?
                .or(Filter::equals("domainname", who.trim())?),
        };
        let query = Query::new().select(&USER_COLUMNS)?.filter(filter);
        let users = self
            .rows("systemusers", &query)?
            .iter()
            .filter_map(read_user)
            .collect();
        self.only("user", who, users)
    }

    /// The team that `which` names: its name or id.
    ///
    /// # Errors
    /// [`EnvironmentError::Missing`] when the environment has no such team,
    /// [`EnvironmentError::Ambiguous`] when several have the name.
    pub fn team(&self, which: &str) -> Result<Team, EnvironmentError> {
        let which = which.trim();
        let filter = match which.parse::<Uuid>() {
            Ok(id) => Filter::equals("teamid", id)?,
            Err(_) => Filter::equals("name", which)?,
        };
        let query = Query::new().select(&TEAM_COLUMNS)?.filter(filter);
        let teams = self
            .rows("teams", &query)?
            .iter()
            .filter_map(read_team)
            .collect();
        self.only("team", which, teams)
    }
}

fn read_user(row: &Row) -> Option<User> {
    Some(User {
        id: guid(row, "systemuserid")?,
        name: text(row, "fullname"),
        domain_name: text(row, "domainname"),
        email: text(row, "internalemailaddress"),
        object_id: guid(row, "azureactivedirectoryobjectid"),
    })
}

pub(super) fn read_team(row: &Row) -> Option<Team> {
    Some(Team {
        id: guid(row, "teamid")?,
        name: text(row, "name"),
        group_id: guid(row, "azureactivedirectoryobjectid"),
        kind: row
            .get("teamtype")
            .and_then(serde_json::Value::as_i64)
            .unwrap_or_default(),
        business_unit_id: guid(row, "_businessunitid_value"),
    })
}
