//! What the rows of a table are: somebody's data, or parts of the system itself.
//!
//! In Dataverse everything is a row: deleting one of `solution` uninstalls, one of `systemuserroles`
//! gives a right, one of `webresource` changes an app. Whoever may write rows must not get all that
//! with it, so this says from the definitions of the environment itself what a table is. No list of
//! names is kept; a table that the environment gets later is known by what it says of itself:
//!
//! | The definition says | Kind |
//! |---|---|
//! | it is the table of solutions | [`TableKind::Solutions`] |
//! | its rows can be components of solutions | [`TableKind::Components`] |
//! | the same, and a deployment sets its rows to the environment's own values | [`TableKind::Values`] |
//! | users, teams and business units own nothing of it (`BusinessOwned`), or it is a system table that nobody can customise | [`TableKind::System`] |
//! | anything else: a custom table, or a standard one that can be customised | [`TableKind::Data`] |
//!
//! (Dataverse Web API notes, 1.11, 3.4 and 3.5.)

use std::sync::{Arc, PoisonError};

use serde_json::Value;

use super::odata::{Filter, Query, check_name};
use super::{Environment, EnvironmentError, Row};
use crate::solution::component::ComponentType;

/// What the rows of a table are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableKind {
    /// Data of people: accounts, permits, price lists.
    Data,
    /// Components that carry what an environment itself says: the connection of a connection
    /// reference, the value of an environment variable.
    Values,
    /// Components of solutions: flows, web resources, security roles, plug-in steps.
    Components,
    /// Solutions.
    Solutions,
    /// The system: users, teams, jobs, settings of the organisation.
    System,
}

/// A table by which rows are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowTable {
    /// The logical name.
    pub name: String,
    /// The entity set, as the environment spells it.
    pub set: String,
    /// What its rows are.
    pub kind: TableKind,
}

/// The table that holds the solutions themselves.
const SOLUTION: &str = "solution";

/// The kinds of components that hold an environment's own value. No definition tells them from
/// those that hold a design; these are the ones that every deployment has to set.
const VALUES: [&str; 2] = ["connectionreference", "environmentvariablevalue"];

impl Environment {
    /// The table whose entity set is `set`. Actions and functions are no entity sets, whatever
    /// their address looks like. Asked once for each table, then remembered.
    ///
    /// # Errors
    /// [`EnvironmentError::NoTable`], and see [`EnvironmentError`].
    pub fn table_of_set(&self, set: &str) -> Result<Arc<RowTable>, EnvironmentError> {
        self.row_table("EntitySetName", set)
    }

    /// The table with this logical name; see [`table_of_set`](Self::table_of_set).
    ///
    /// # Errors
    /// [`EnvironmentError::NoTable`], and see [`EnvironmentError`].
    pub fn table_named(&self, name: &str) -> Result<Arc<RowTable>, EnvironmentError> {
        self.row_table("LogicalName", name)
    }

    fn row_table(&self, by: &'static str, name: &str) -> Result<Arc<RowTable>, EnvironmentError> {
        let is_it = |table: &&Arc<RowTable>| match by {
            "LogicalName" => table.name == name,
            _ => table.set == name,
        };
        let lock = || {
            self.0
                .row_tables
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(table) = lock().iter().find(is_it) {
            return Ok(table.clone());
        }
        let table = Arc::new(self.read_row_table(by, name)?);
        lock().push(table.clone());
        Ok(table)
    }

    fn read_row_table(&self, by: &str, name: &str) -> Result<RowTable, EnvironmentError> {
        check_name(name)?;
        let query = Query::new()
            .select(&[
                "LogicalName",
                "EntitySetName",
                "OwnershipType",
                "IsCustomEntity",
                "IsCustomizable",
                "IsIntersect",
            ])?
            .filter(Filter::equals(by, name)?);
        let found = self.rows("EntityDefinitions", &query)?;
        let spelled_so = |row: &&Row| row.get(by).and_then(Value::as_str) == Some(name);
        let Some(definition) = found.iter().find(spelled_so) else {
            return Err(EnvironmentError::NoTable {
                name: name.to_owned(),
                environment: self.name().to_owned(),
            });
        };
        let text = |name: &str| {
            let text = definition.get(name).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let (name, set) = (text("LogicalName"), text("EntitySetName"));
        let kind = if name == SOLUTION {
            TableKind::Solutions
        } else if VALUES.contains(&name.as_str()) {
            TableKind::Values
        } else if self.holds_components(&name)? {
            TableKind::Components
        } else if is_data(definition) {
            TableKind::Data
        } else {
            TableKind::System
        };
        Ok(RowTable { name, set, kind })
    }

    /// Whether rows of the table can be components of solutions: its kind is one that packages are
    /// known to hold, or the environment lists it among its kinds of components.
    fn holds_components(&self, table: &str) -> Result<bool, EnvironmentError> {
        if ComponentType::named(table).code().is_some() {
            return Ok(true);
        }
        let columns = ["primaryentityname"];
        let found = self.rows_with(
            "solutioncomponentdefinitions",
            "primaryentityname",
            table,
            &columns,
        )?;
        Ok(!found.is_empty())
    }
}

/// Whether a table that holds no components holds data.
fn is_data(definition: &Row) -> bool {
    let flag = |name: &str| definition.get(name).and_then(Value::as_bool) == Some(true);
    let customizable = definition
        .get("IsCustomizable")
        .and_then(|it| it["Value"].as_bool())
        == Some(true);
    let ownership = definition.get("OwnershipType").and_then(Value::as_str);
    // The pairs of an N:N relationship are not written as rows, and may be users and roles.
    !flag("IsIntersect")
        && ownership != Some("BusinessOwned")
        && (flag("IsCustomEntity") || customizable)
}
