//! The solution history: which operations ran and how they ended.

use uuid::Uuid;

use super::checks;
use super::jobs::{self, Work};
use crate::emulator::dataverse::row::{flag, id, row, text};
use crate::emulator::dataverse::{ServiceError, Session};

/// Writes that `work` began.
pub(super) fn begin(session: &Session<'_>, work: &Work) -> Result<Uuid, ServiceError> {
    let (name, operation, suboperation) = jobs::told(session, work)?;
    write(session, &name, operation, suboperation)
}

/// Writes that an operation on the solution `name` began.
pub(super) fn write(
    session: &Session<'_>,
    name: &str,
    operation: i64,
    suboperation: i64,
) -> Result<Uuid, ServiceError> {
    session.insert(
        "msdyn_solutionhistory",
        row! {
            "msdyn_name": name,
            "msdyn_operation": operation,
            "msdyn_suboperation": suboperation,
            "msdyn_status": 0,
            "msdyn_starttime": session.moment(),
            "msdyn_packagename": name,
            "msdyn_correlationid": session.new_id("correlation")?.to_string(),
            "msdyn_retrycount": 0,
            "msdyn_maxretries": 0,
        },
    )
}

/// Writes how it ended.
pub(super) fn end(
    session: &Session<'_>,
    history: Uuid,
    error: Option<&ServiceError>,
) -> Result<(), ServiceError> {
    let begun = session.existing("msdyn_solutionhistory", history)?;
    let name = text(&begun, "msdyn_name").unwrap_or_default().to_owned();
    let solution = checks::installed(session, &name)?.unwrap_or_default();
    let publisher = id(&solution, "_publisherid_value");
    let publisher_row = publisher
        .map(|id| session.row("publisher", id))
        .transpose()?
        .flatten()
        .unwrap_or_default();
    session.update(
        "msdyn_solutionhistory",
        history,
        row! {
            "msdyn_status": 1,
            "msdyn_result": error.is_none(),
            "msdyn_endtime": session.moment(),
            "msdyn_totaltime": 0,
            "msdyn_solutionid": id(&solution, "solutionid"),
            "msdyn_solutionversion": text(&solution, "version"),
            "msdyn_packageversion": text(&solution, "version"),
            "msdyn_ismanaged": flag(&solution, "ismanaged"),
            "msdyn_ispatch": solution.contains_key("_parentsolutionid_value"),
            "msdyn_publisherid": publisher,
            "msdyn_publishername": text(&publisher_row, "uniquename"),
            "msdyn_errorcode": error.map_or(Some(0), |error| jobs::decimal(&error.code)),
            "msdyn_exceptionmessage": error.map(|error| error.message.clone()),
        },
    )?;
    Ok(())
}
