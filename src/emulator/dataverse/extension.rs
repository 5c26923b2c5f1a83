//! What other parts add to an environment's Web API: operations, virtual tables, reactions to rows.
//!
//! The solution lifecycle plugs in here, so that OData and rows know nothing of solutions.

use std::sync::Arc;

use uuid::Uuid;

use super::catalogue::Table;
use super::failure::ServiceError;
use super::odata::Query;
use super::row::Row;
use super::session::Session;
use crate::transport::Response;

/// All extensions, asked in this order.
pub static EXTENSIONS: &[&dyn Extension] = &[&super::solutions::Solutions];

/// A part that takes part in answering. Each method has a default that does nothing.
pub trait Extension: Sync {
    /// Called before every request is answered: what time does, such as jobs, goes on here.
    ///
    /// # Errors
    /// Refuses the request.
    fn advance(&self, _session: &Session<'_>) -> Result<(), ServiceError> {
        Ok(())
    }

    /// The action or function called `name`, without the prefix `Microsoft.Dynamics.CRM.`.
    fn operation(&self, _name: &str) -> Option<Operation> {
        None
    }

    /// The rows of a virtual table, or `None` when another part has them. `query` may be used to
    /// compute only what is asked for; it is applied to the returned rows in any case.
    ///
    /// # Errors
    /// Refuses the request, for example when a condition is missing that the table insists on.
    fn virtual_rows(
        &self,
        _session: &Session<'_>,
        _table: &Table,
        _query: &Query,
    ) -> Result<Option<Vec<Row>>, ServiceError> {
        Ok(None)
    }

    /// Called before a caller's row is created (`old` is `None`) or changed. `changes` are the
    /// members to be written, in stored form, and may be amended.
    ///
    /// # Errors
    /// Refuses the request.
    fn writing(
        &self,
        _session: &Session<'_>,
        _table: &Arc<Table>,
        _old: Option<&Row>,
        _changes: &mut Row,
    ) -> Result<(), ServiceError> {
        Ok(())
    }

    /// Called after a caller's row was created (`old` is `None`) or changed. Here the row becomes
    /// a component of [`Session::solution`] and of the unmanaged layer.
    ///
    /// # Errors
    /// Refuses the request.
    fn written(
        &self,
        _session: &Session<'_>,
        _table: &Arc<Table>,
        _id: Uuid,
        _old: Option<&Row>,
        _new: &Row,
    ) -> Result<(), ServiceError> {
        Ok(())
    }

    /// Called before a caller's row is deleted.
    ///
    /// # Errors
    /// Refuses the request.
    fn deleting(
        &self,
        _session: &Session<'_>,
        _table: &Arc<Table>,
        _id: Uuid,
        _row: &Row,
    ) -> Result<Deletion, ServiceError> {
        Ok(Deletion::Ordinary)
    }
}

/// Who deletes a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// It is deleted like every other row.
    Ordinary,
    /// The extension did all that there is to do.
    Done,
}

/// An action or function.
#[derive(Clone, Copy)]
pub struct Operation {
    /// How it is called.
    pub verb: OperationVerb,
    /// What it does.
    pub run: fn(&Session<'_>, &Parameters) -> Result<Reply, ServiceError>,
}

/// How an operation is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationVerb {
    /// With `POST`.
    Action,
    /// With `GET`.
    Function,
}

/// What an operation was called with.
#[derive(Debug, Clone, Default)]
pub struct Parameters {
    /// The name it was called by.
    pub name: String,
    /// The parameters: members of an action's body, or what stands in a function's parentheses
    /// with aliases resolved. An entity reference is an object with `@odata.id`.
    pub values: Row,
    /// The table, and for a single row its id, that it is bound to.
    pub bound_to: Option<(Arc<Table>, Option<Uuid>)>,
    /// Query parameters of the address, such as `SolutionUniqueName`.
    pub query: Vec<(String, String)>,
}

/// What an operation answers.
#[derive(Debug, Clone)]
pub enum Reply {
    /// `204`.
    Nothing,
    /// `200` with these members and the context of the response type called like the operation.
    Members(Row),
    /// `200` with a collection of rows of this table, to which query options apply.
    Rows(Arc<Table>, Vec<Row>),
    /// Anything else.
    Whole(Response),
}

impl Operation {
    /// An action.
    pub const fn action(run: fn(&Session<'_>, &Parameters) -> Result<Reply, ServiceError>) -> Self {
        Self {
            verb: OperationVerb::Action,
            run,
        }
    }

    /// A function.
    pub const fn function(
        run: fn(&Session<'_>, &Parameters) -> Result<Reply, ServiceError>,
    ) -> Self {
        Self {
            verb: OperationVerb::Function,
            run,
        }
    }
}

impl Parameters {
    /// The text of a parameter, `None` when it is missing or `null`.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).and_then(serde_json::Value::as_str)
    }

    /// The text of a parameter that must be there.
    ///
    /// # Errors
    /// `400` when it is missing.
    pub fn required(&self, name: &str) -> Result<&str, ServiceError> {
        self.text(name).ok_or_else(|| self.missing(name))
    }

    /// Whether a parameter is `true`.
    pub fn flag(&self, name: &str) -> bool {
        self.values
            .get(name)
            .and_then(serde_json::Value::as_bool)
            .unwrap_or_default()
    }

    /// The id in a parameter, `None` when it is missing or `null`.
    ///
    /// # Errors
    /// `400` when it is not an id.
    pub fn id(&self, name: &str) -> Result<Option<Uuid>, ServiceError> {
        match self.text(name) {
            None => Ok(None),
            Some(text) => Uuid::parse_str(text).map(Some).map_err(|_| {
                let message = format!("The value '{text}' of parameter '{name}' is not a guid.");
                ServiceError::invalid_argument(message)
            }),
        }
    }

    /// The refusal of a call without the parameter `name`.
    pub fn missing(&self, name: &str) -> ServiceError {
        let message = format!(
            "The parameter '{name}' in the request payload is not a valid parameter for the \
             operation '{}', or it is missing.",
            self.name
        );
        ServiceError::bad_request("0x80048d19", message)
    }
}
