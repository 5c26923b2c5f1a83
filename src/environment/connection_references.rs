//! Connection references: which connection stands behind a name that flows and apps use (Dataverse
//! Web API notes, 6.1).

use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::connections::Access;
use super::odata::{Filter, Query};
use super::rows::{Row, guid, text};
use super::{Change, Environment, EnvironmentError};

/// A row of `connectionreferences`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConnectionReference {
    /// The row's id.
    pub id: Uuid,
    /// The logical name.
    pub logical_name: String,
    /// The name that people see.
    pub display_name: String,
    /// The connector's id.
    pub connector: String,
    /// The connection behind it, if one is set.
    pub connection: Option<String>,
}

const COLUMNS: [&str; 5] = [
    "connectionreferenceid",
    "connectionreferencelogicalname",
    "connectionreferencedisplayname",
    "connectorid",
    "connectionid",
];

impl Environment {
    /// The connection references with these logical names, or all of the environment when `names`
    /// is empty; sorted by logical name.
    ///
    /// # Errors
    /// See [`EnvironmentError`].
    pub fn connection_references(
        &self,
        names: &[String],
    ) -> Result<Vec<ConnectionReference>, EnvironmentError> {
        let rows = self.rows("connectionreferences", &Query::new().select(&COLUMNS)?)?;
        let mut references: Vec<_> = rows
            .iter()
            .filter_map(read)
            .filter(|reference| {
                names.is_empty()
                    || names
                        .iter()
                        .any(|name| name.eq_ignore_ascii_case(&reference.logical_name))
            })
            .collect();
        references.sort_by(|a, b| a.logical_name.cmp(&b.logical_name));
        Ok(references)
    }

    /// The reference with this logical name.
    ///
    /// # Errors
    /// [`EnvironmentError::Missing`] when the environment has no such reference.
    pub fn connection_reference(
        &self,
        name: &str,
    ) -> Result<ConnectionReference, EnvironmentError> {
        let filter = Filter::equals("connectionreferencelogicalname", name)?;
        let query = Query::new().select(&COLUMNS)?.filter(filter);
        let found = self
            .rows("connectionreferences", &query)?
            .iter()
            .filter_map(read)
            .collect();
        self.only("connection reference", name, found)
    }

    /// Puts the connection `connection` behind the reference `logical_name`. The connection is
    /// looked for first, so that a flow does not find out later that there is none.
    ///
    /// # Errors
    /// [`EnvironmentError::Missing`] for an unknown reference or connection,
    /// [`EnvironmentError::ConnectionNotShared`] when it belongs to somebody else.
    pub fn connect_reference(
        &self,
        logical_name: &str,
        connection: &str,
    ) -> Result<Change, EnvironmentError> {
        let reference = self.connection_reference(logical_name)?;
        let name = &reference.logical_name;
        let connected = reference.connection.as_deref() == Some(connection);
        if connected {
            return Ok(Change::none(format!(
                "connection reference {name} is connected"
            )));
        }
        match self.connection_access(connection, &reference.connector)? {
            Access::Usable | Access::Unknown => {}
            Access::Absent => return Err(self.missing("connection", connection)),
            Access::NotShared => {
                return Err(EnvironmentError::ConnectionNotShared {
                    connection: connection.to_owned(),
                    connector: reference.connector,
                });
            }
        }
        let columns = json!({ "connectionid": connection });
        self.update_row("connectionreferences", &reference.id.into(), &columns)?;
        Ok(Change::made(format!(
            "connection reference {name} connected to {connection}"
        )))
    }
}

fn read(row: &Row) -> Option<ConnectionReference> {
    let connection = text(row, "connectionid");
    Some(ConnectionReference {
        id: guid(row, "connectionreferenceid")?,
        logical_name: text(row, "connectionreferencelogicalname"),
        display_name: text(row, "connectionreferencedisplayname"),
        connector: text(row, "connectorid"),
        connection: (!connection.is_empty()).then_some(connection),
    })
}
