//! Teams for Entra groups, with their security roles.
//!
//! Rules: ALM Accelerator notes, 1.8 "Group teams"; calls: Dataverse Web API notes, 6.6.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::odata::{Filter, Literal, Query};
use super::people::{TEAM_COLUMNS, Team, read_team};
use super::rows::{guid, text};
use super::{Change, Environment, EnvironmentError};

/// A team for an Entra security group, as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupTeam {
    /// The team's name.
    pub name: String,
    /// The Entra id of the security group.
    pub group_id: Uuid,
    /// The business unit; where absent, the team's own, or the caller's for a new team.
    pub business_unit_id: Option<Uuid>,
    /// The names of the security roles that it must have.
    pub roles: Vec<String>,
    /// Takes away roles that are not listed.
    pub remove_other_roles: bool,
}

/// Team type of an Entra security group.
const SECURITY_GROUP: i64 = 2;

impl Environment {
    /// Makes the team be as `wanted`: it is looked for by its group, then by its name, and created
    /// when there is none.
    ///
    /// # Errors
    /// [`EnvironmentError::Missing`] for an unknown role or business unit;
    /// [`EnvironmentError::InvalidValue`] when a team of another type has the name.
    pub fn ensure_group_team(&self, wanted: &GroupTeam) -> Result<Change, EnvironmentError> {
        let mut done = Vec::new();
        let team = match self.find_group_team(wanted)? {
            Some(team) => {
                self.correct_team(wanted, &team, &mut done)?;
                team
            }
            None => {
                done.push("created".to_owned());
                self.create_group_team(wanted)?
            }
        };
        let unit = wanted.business_unit_id.or(team.business_unit_id);
        self.set_team_roles(wanted, team.id, unit, &mut done)?;
        if done.is_empty() {
            return Ok(Change::none(format!("team {} is as wanted", wanted.name)));
        }
        Ok(Change::made(format!(
            "team {}: {}",
            wanted.name,
            done.join(", ")
        )))
    }

    fn find_group_team(&self, wanted: &GroupTeam) -> Result<Option<Team>, EnvironmentError> {
        let by_group = Filter::equals("azureactivedirectoryobjectid", wanted.group_id)?
            .and(Filter::equals("membershiptype", 0)?);
        let query = Query::new().select(&TEAM_COLUMNS)?.filter(by_group);
        if let Some(team) = self.rows("teams", &query)?.first().and_then(read_team) {
            return Ok(Some(team));
        }
        let by_name = self.rows_with("teams", "name", wanted.name.as_str(), &TEAM_COLUMNS)?;
        let Some(team) = by_name.first().and_then(read_team) else {
            return Ok(None);
        };
        if team.kind != SECURITY_GROUP {
            return Err(EnvironmentError::InvalidValue {
                what: format!("team {}", wanted.name),
                reason: "a team of another type has this name, and types cannot be changed"
                    .to_owned(),
            });
        }
        Ok(Some(team))
    }

    fn create_group_team(&self, wanted: &GroupTeam) -> Result<Team, EnvironmentError> {
        let caller = self.who_am_i()?;
        let unit = wanted.business_unit_id.unwrap_or(caller.business_unit_id);
        let columns = json!({
            "name": wanted.name,
            "teamtype": SECURITY_GROUP,
            "membershiptype": 0,
            "azureactivedirectoryobjectid": wanted.group_id,
            "businessunitid@odata.bind": Self::binding("businessunits", unit)?,
            "administratorid@odata.bind": Self::binding("systemusers", caller.user_id)?,
        });
        let id = self.create_row("teams", &columns)?;
        Ok(Team {
            id,
            name: wanted.name.clone(),
            group_id: Some(wanted.group_id),
            kind: SECURITY_GROUP,
            business_unit_id: Some(unit),
        })
    }

    /// Name, business unit and group of a team that exists.
    fn correct_team(
        &self,
        wanted: &GroupTeam,
        team: &Team,
        done: &mut Vec<String>,
    ) -> Result<(), EnvironmentError> {
        let mut columns = Map::new();
        if team.name != wanted.name {
            columns.insert("name".to_owned(), wanted.name.clone().into());
            done.push(format!("renamed from {}", team.name));
        }
        if team.group_id != Some(wanted.group_id) {
            columns.insert(
                "azureactivedirectoryobjectid".to_owned(),
                json!(wanted.group_id),
            );
            done.push("group set".to_owned());
        }
        if let Some(unit) = wanted.business_unit_id
            && team.business_unit_id != Some(unit)
        {
            let binding = Self::binding("businessunits", unit)?;
            columns.insert("businessunitid@odata.bind".to_owned(), binding.into());
            done.push("business unit set".to_owned());
        }
        if !columns.is_empty() {
            self.update_row("teams", &team.id.into(), &Value::Object(columns))?;
        }
        Ok(())
    }

    fn set_team_roles(
        &self,
        wanted: &GroupTeam,
        team: Uuid,
        unit: Option<Uuid>,
        done: &mut Vec<String>,
    ) -> Result<(), EnvironmentError> {
        const NAVIGATION: &str = "teamroles_association";
        let query = Query::new().select(&["roleid", "name"])?;
        let present = self.related_rows("teams", &team.into(), NAVIGATION, &query)?;
        let has = |name: &str| {
            present
                .iter()
                .any(|row| text(row, "name").eq_ignore_ascii_case(name))
        };
        // Every role is looked up before the first is given: a misspelt one changes nothing.
        let mut missing = Vec::new();
        for name in wanted.roles.iter().filter(|name| !has(name)) {
            missing.push((name, self.role(name, unit)?));
        }
        for (name, role) in missing {
            self.associate("teams", team, NAVIGATION, "roles", role)?;
            done.push(format!("role {name} given"));
        }
        if wanted.remove_other_roles {
            for row in &present {
                let name = text(row, "name");
                let listed = wanted
                    .roles
                    .iter()
                    .any(|role| role.eq_ignore_ascii_case(&name));
                if let Some(role) = guid(row, "roleid").filter(|_| !listed) {
                    self.disassociate("teams", team, NAVIGATION, role)?;
                    done.push(format!("role {name} taken away"));
                }
            }
        }
        Ok(())
    }

    /// The copy of a security role in a business unit; without one, in the root unit.
    fn role(&self, name: &str, unit: Option<Uuid>) -> Result<Uuid, EnvironmentError> {
        let unit = match unit {
            Some(unit) => unit,
            None => self.root_business_unit()?,
        };
        let filter =
            Filter::equals("name", name)?.and(Filter::equals("_businessunitid_value", unit)?);
        let query = Query::new().select(&["roleid"])?.filter(filter);
        let found = self
            .rows("roles", &query)?
            .iter()
            .filter_map(|row| guid(row, "roleid"))
            .collect();
        self.only("security role", name, found)
    }

    fn root_business_unit(&self) -> Result<Uuid, EnvironmentError> {
        let rows = self.rows_with(
            "businessunits",
            "_parentbusinessunitid_value",
            Literal::Null,
            &["businessunitid"],
        )?;
        rows.iter()
            .find_map(|row| guid(row, "businessunitid"))
            .ok_or_else(|| self.missing("business unit", "(root)"))
    }
}
