//! Connection references: which connection stands behind a name that flows and apps use (Dataverse
//! Web API notes, 6.1).

use std::collections::HashSet;

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
    /// The connection references of the environment, sorted by logical name.
    ///
    /// # Errors
    /// See [`EnvironmentError`].
    pub fn connection_references(&self) -> Result<Vec<ConnectionReference>, EnvironmentError> {
        let rows = self.rows("connectionreferences", &Query::new().select(&COLUMNS)?)?;
        let mut references: Vec<_> = rows.iter().filter_map(read).collect();
        references.sort_by(|a, b| a.logical_name.cmp(&b.logical_name));
        Ok(references)
    }

    /// The connection references of a solution, sorted by logical name. Their component type has
    /// another number in every environment, so they are told by their ids.
    ///
    /// # Errors
    /// [`EnvironmentError::NoSolution`] when it is not installed.
    pub fn connection_references_of(
        &self,
        solution: &str,
    ) -> Result<Vec<ConnectionReference>, EnvironmentError> {
        let solution = self.solution(solution)?;
        let query = Query::new()
            .select(&["objectid"])?
            .filter(Filter::equals("_solutionid_value", solution.id)?);
        let rows = self.rows("solutioncomponents", &query)?;
        let ids: HashSet<_> = rows
            .iter()
            .filter_map(|row| guid(row, "objectid"))
            .collect();
        let mut references = self.connection_references()?;
        references.retain(|reference| ids.contains(&reference.id));
        Ok(references)
    }

    /// Whether a connection is there and can be used by the caller. Where the service does not let
    /// the caller look, it counts as usable.
    ///
    /// # Errors
    /// [`EnvironmentError::Missing`] when there is no such connection,
    /// [`EnvironmentError::ConnectionNotShared`] when it belongs to somebody else.
    pub fn check_connection(
        &self,
        connection: &str,
        connector: &str,
    ) -> Result<(), EnvironmentError> {
        match self.connection_access(connection, connector)? {
            Access::Usable | Access::Unknown => Ok(()),
            Access::Absent => Err(self.missing("connection", connection)),
            Access::NotShared => Err(EnvironmentError::ConnectionNotShared {
                connection: connection.to_owned(),
                connector: connector.to_owned(),
            }),
        }
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
        self.check_connection(connection, &reference.connector)?;
        let columns = json!({ "connectionid": connection });
        match self.update_row("connectionreferences", &reference.id.into(), &columns) {
            // Where the caller could not look, the environment itself has the last word.
            Err(EnvironmentError::NotAllowed(refusal))
                if refusal.message.contains("ConnectionAuthorizationFailed") =>
            {
                return Err(EnvironmentError::ConnectionNotShared {
                    connection: connection.to_owned(),
                    connector: reference.connector,
                });
            }
            other => other?,
        }
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
