//! The Dataverse Web API of one environment.
//!
//! Wire facts: facts/dataverse-web-api.md. `session` is a request's view of the rows, `catalogue`
//! what tables there are, `odata` the query language, `extension` where other parts plug in.

pub mod catalogue;
mod environment;
pub mod extension;
mod failure;
pub mod odata;
pub mod row;
mod session;
pub mod solutions;

pub use environment::{Environment, STANDARD_ROLES, SYSTEM_ADMINISTRATOR, establish};
pub use failure::ServiceError;
pub use row::Row;
pub use session::Session;

use super::call::Call;
use super::store::{StoreError, Transaction};
use crate::transport::Response;

/// Answers as the Web API of `environment`.
///
/// # Errors
/// Those of the store.
pub fn answer(
    _call: &Call,
    _tx: &Transaction<'_>,
    _environment: Environment,
) -> Result<Response, StoreError> {
    Ok(super::call::not_emulated("the Dataverse Web API"))
}
