//! Environment variables: one value for each definition.

use uuid::Uuid;

use crate::emulator::dataverse::failure::ServiceError;
use crate::emulator::dataverse::row::{self, Row};
use crate::emulator::dataverse::session::Session;
use crate::transport::StatusCode;

const DEFINITION: &str = "_environmentvariabledefinitionid_value";

/// Refuses a second value for a definition and gives the value the definition's name.
pub(super) fn creating_value(session: &Session<'_>, values: &mut Row) -> Result<(), ServiceError> {
    let Some(definition) = row::id(values, DEFINITION) else {
        return Ok(());
    };
    let wanted = definition.to_string().into();
    if session
        .find("environmentvariablevalue", DEFINITION, &wanted)?
        .is_some()
    {
        return Err(ServiceError::new(
            StatusCode::PRECONDITION_FAILED,
            "0x80060892",
            "A record that has the attribute values Environment Variable Definition already \
             exists. The entity key environmentvariabledefinitionidkey requires that this set of \
             attributes contains unique values. Select unique values and try again.",
        ));
    }
    if let Some(definition) = session.row("environmentvariabledefinition", definition)?
        && let Some(name) = definition.get("schemaname")
    {
        values.entry("schemaname").or_insert_with(|| name.clone());
    }
    Ok(())
}

/// A definition takes its value with it.
pub(super) fn deleting(session: &Session<'_>, id: Uuid) -> Result<(), ServiceError> {
    for value in session.rows("environmentvariablevalue")? {
        if row::id(&value, DEFINITION) == Some(id)
            && let Some(value) = row::id(&value, "environmentvariablevalueid")
        {
            session.remove("environmentvariablevalue", value)?;
        }
    }
    Ok(())
}
