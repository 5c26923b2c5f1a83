//! Connections of makers (Dataverse Web API notes, 8.4). They live beside Dataverse; a deployment
//! needs them to exist and to be shared with whoever deploys.

use serde::Serialize;
use serde_json::Value;

use super::{Environment, EnvironmentError};

/// One connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Connection {
    /// Its id, 32 hexadecimal digits or a guid.
    pub id: String,
    /// The connector's id, `/providers/Microsoft.PowerApps/apis/shared_…`.
    pub connector: String,
    /// The name that people see, usually the account.
    pub display_name: String,
    /// `Connected`, `Error`, …
    pub status: String,
    /// The Entra object id of who made it.
    pub owner: String,
}

/// What the caller may do with a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Access {
    /// It exists and can be used.
    Usable,
    /// It exists and belongs to somebody else.
    NotShared,
    /// It does not exist.
    Absent,
    /// The service does not let the caller look.
    Unknown,
}

impl Environment {
    /// The connections that the caller can use, sorted by connector and name.
    ///
    /// # Errors
    /// See [`EnvironmentError`].
    pub fn connections(&self) -> Result<Vec<Connection>, EnvironmentError> {
        let id = self.environment_id()?;
        let path = ["connectivity", "connections"];
        let url = self
            .0
            .hosts
            .connectivity(&id, &path, &[("api-version", "1")]);
        let mut connections: Vec<_> = self.get_pages(url)?.iter().filter_map(read).collect();
        connections.sort_by(|a: &Connection, b| {
            (&a.connector, &a.display_name, &a.id).cmp(&(&b.connector, &b.display_name, &b.id))
        });
        Ok(connections)
    }

    /// Whether the caller can use a connection.
    pub(super) fn connection_access(
        &self,
        connection: &str,
        connector: &str,
    ) -> Result<Access, EnvironmentError> {
        match self.connections() {
            Ok(usable) if usable.iter().any(|c| c.id.eq_ignore_ascii_case(connection)) => {
                return Ok(Access::Usable);
            }
            Ok(_) => {}
            // Tenants without the permission for this API still deploy.
            Err(error) if is_closed(&error) => return Ok(Access::Unknown),
            Err(error) => return Err(error),
        }
        let id = self.environment_id()?;
        let filter = format!("environment eq '{}'", id.replace('\'', "''"));
        let connector = connector.rsplit('/').next().unwrap_or_default();
        let url = self.0.hosts.connectivity(
            &id,
            &[
                "connectivity",
                "connectors",
                connector,
                "connections",
                connection,
            ],
            &[("api-version", "1"), ("$filter", &filter)],
        );
        match self.get(url) {
            // Readable but not in the list of what the caller can use.
            Ok(_) | Err(EnvironmentError::NotAllowed(_)) => Ok(Access::NotShared),
            Err(EnvironmentError::NotFound(_)) => Ok(Access::Absent),
            Err(error) => Err(error),
        }
    }
}

/// Whether the connectivity service does not let this caller, or anybody, look.
fn is_closed(error: &EnvironmentError) -> bool {
    matches!(error, EnvironmentError::NotAllowed(_)) || error.is_unsupported()
}

fn read(value: &Value) -> Option<Connection> {
    let properties = &value["properties"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Some(Connection {
        id: value["name"].as_str()?.to_owned(),
        connector: text(&properties["apiId"]),
        display_name: text(&properties["displayName"]),
        status: text(&properties["statuses"][0]["status"]),
        owner: text(&properties["createdBy"]["id"]),
    })
}
