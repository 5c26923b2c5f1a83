//! Connection references: their connection must exist and be the caller's to use.

use serde_json::Value;

use super::flow::usable;
use crate::emulator::dataverse::failure::ServiceError;
use crate::emulator::dataverse::row::{self, Row};
use crate::emulator::dataverse::session::Session;
use crate::emulator::power_platform::Connection;

/// Checks the connection that a reference gets (facts/dataverse-web-api.md, section 6.1; the codes
/// are not documented).
pub(super) fn writing(
    session: &Session<'_>,
    old: Option<&Row>,
    values: &mut Row,
) -> Result<(), ServiceError> {
    if old.is_none() && !values.contains_key("connectionreferencelogicalname") {
        // A maker's reference without a logical name gets one.
        let id = session.new_id("connectionreference")?.simple().to_string();
        let name = format!("new_connectionreference_{}", &id[..5]);
        values.insert("connectionreferencelogicalname".into(), name.into());
    }
    let id = match values.get("connectionid") {
        Some(Value::String(id)) if !id.is_empty() => id.clone(),
        _ => return Ok(()),
    };
    let refused = |message: String| ServiceError::bad_request("0x80040203", message);
    let Some(connection) = Connection::by_id(session.tx, session.scope(), &id)? else {
        return Err(refused(format!(
            "ConnectionNotFound: there is no connection '{id}'."
        )));
    };
    let connector = row::text(values, "connectorid")
        .or_else(|| old.and_then(|row| row::text(row, "connectorid")));
    if let Some(connector) = connector
        && !connector
            .to_lowercase()
            .ends_with(&format!("/{}", connection.connector.to_lowercase()))
    {
        return Err(refused(format!(
            "The connection '{id}' is one of the connector '{}', not of '{connector}'.",
            connection.connector
        )));
    }
    if !usable(session, &connection)? {
        return Err(ServiceError::forbidden(
            "0x80040220",
            format!(
                "ConnectionAuthorizationFailed: the connection '{id}' does not belong to the \
                 caller and is not shared with the caller."
            ),
        ));
    }
    values.insert("connectionid".into(), connection.id.into());
    Ok(())
}
