//! Sharing rows with teams (Dataverse Web API notes, 6.8). Flows and connectors are shared for
//! reading only, as in the ALM Accelerator (notes, 1.8 and 2.3).

use serde_json::{Value, json};
use uuid::Uuid;

use super::odata::{Filter, Literal, Query};
use super::rows::{guid, text};
use super::{Change, Environment, EnvironmentError, Team};

/// A row that can be shared.
struct Shared<'a> {
    set: &'static str,
    table: &'static str,
    key: &'static str,
    id: Uuid,
    label: &'a str,
}

impl Environment {
    /// Lets a team read a flow.
    ///
    /// # Errors
    /// [`EnvironmentError::Missing`] for an unknown flow or team.
    pub fn share_flow(&self, flow: &str, team: &str) -> Result<Change, EnvironmentError> {
        let flow = self.flow(flow)?;
        let label = format!("flow {}", flow.name);
        let row = Shared {
            set: "workflows",
            table: "workflow",
            key: "workflowid",
            id: flow.id,
            label: &label,
        };
        self.share(&row, &self.team(team)?)
    }

    /// Lets a team read a custom connector, named by its id, name or display name.
    ///
    /// # Errors
    /// [`EnvironmentError::Missing`] for an unknown connector or team.
    pub fn share_connector(&self, connector: &str, team: &str) -> Result<Change, EnvironmentError> {
        let filter = match connector.parse::<Uuid>() {
            Ok(id) => Filter::equals("connectorid", id)?,
            Err(_) => Filter::equals("name", connector)?
                .or(Filter::equals("displayname", connector)?)
                .or(Filter::equals("connectorinternalid", connector)?),
        };
        let query = Query::new()
            .select(&["connectorid", "name"])?
            .filter(filter);
        let found: Vec<_> = self
            .rows("connectors", &query)?
            .iter()
            .filter_map(|row| Some((guid(row, "connectorid")?, text(row, "name"))))
            .collect();
        let (id, name) = self.only("custom connector", connector, found)?;
        let label = format!("connector {name}");
        let row = Shared {
            set: "connectors",
            table: "connector",
            key: "connectorid",
            id,
            label: &label,
        };
        self.share(&row, &self.team(team)?)
    }

    fn share(&self, row: &Shared<'_>, team: &Team) -> Result<Change, EnvironmentError> {
        if self.can_read(row, team)? {
            return Ok(Change::none(format!(
                "{} is shared with {}",
                row.label, team.name
            )));
        }
        let mut target = json!({ "@odata.type": format!("Microsoft.Dynamics.CRM.{}", row.table) });
        target[row.key] = json!(row.id);
        let body = json!({
            "Target": target,
            "PrincipalAccess": {
                "Principal": { "@odata.type": "Microsoft.Dynamics.CRM.team", "teamid": team.id },
                "AccessMask": "ReadAccess",
            },
        });
        self.action("GrantAccess", &body)?;
        Ok(Change::made(format!(
            "{} shared with {}",
            row.label, team.name
        )))
    }

    fn can_read(&self, row: &Shared<'_>, team: &Team) -> Result<bool, EnvironmentError> {
        let target = Literal::Row {
            set: row.set,
            id: row.id,
        };
        let answer = self.function("RetrieveSharedPrincipalsAndAccess", &[("Target", target)])?;
        let accesses = answer["PrincipalAccesses"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        Ok(accesses.iter().any(|access| {
            let principal = &access["Principal"];
            let is_team = ["teamid", "ownerid"].into_iter().any(|name| {
                principal[name]
                    .as_str()
                    .and_then(|id| id.parse::<Uuid>().ok())
                    == Some(team.id)
            });
            is_team && reads(&access["AccessMask"])
        }))
    }
}

/// Whether an access mask, comma separated, includes reading.
fn reads(mask: &Value) -> bool {
    mask.as_str()
        .is_some_and(|mask| mask.split(',').any(|right| right.trim() == "ReadAccess"))
}
