//! `ComponentParameters`: values that an import gives to connection references and environment
//! variables (facts/dataverse-web-api.md, section 4.4).

use serde_json::json;

use super::import::Import;
use crate::emulator::dataverse::row::{id, row, text};
use crate::emulator::dataverse::{Row, ServiceError, Session, rules};

/// Applies the parameters of `import`. What they name and nobody has is left out with a warning.
pub(super) fn apply(
    session: &Session<'_>,
    import: &Import,
    warnings: &mut Vec<String>,
) -> Result<(), ServiceError> {
    for parameter in &import.switches.component_parameters {
        let kind = text(parameter, "@odata.type").unwrap_or_default();
        let done = match kind.rsplit('.').next().unwrap_or(kind) {
            "connectionreference" => connect(session, parameter)?,
            "environmentvariablevalue" => set_value(session, parameter)?,
            other => {
                let message = format!("ComponentParameters of type '{other}' are not supported.");
                return Err(ServiceError::invalid_argument(message));
            }
        };
        if !done {
            let name = text(parameter, "connectionreferencelogicalname")
                .or(text(parameter, "schemaname"))
                .unwrap_or_default();
            warnings.push(format!(
                "There is no component '{name}' to set a value for."
            ));
        }
    }
    Ok(())
}

fn connect(session: &Session<'_>, parameter: &Row) -> Result<bool, ServiceError> {
    let name = text(parameter, "connectionreferencelogicalname").unwrap_or_default();
    let found = session.find(
        "connectionreference",
        "connectionreferencelogicalname",
        &json!(name),
    )?;
    let Some(row) = found else { return Ok(false) };
    let Some(reference) = id(&row, "connectionreferenceid") else {
        return Ok(false);
    };
    let mut changes = Row::new();
    for column in ["connectionid", "connectorid"] {
        if let Some(value) = text(parameter, column).filter(|value| !value.is_empty()) {
            changes.insert(column.into(), value.into());
        }
    }
    // The connection must be one that the importing user may use, as when it is set in the row.
    let table = session.table("connectionreference")?;
    rules::changing(session, &table, &row, &mut changes)?;
    session.update("connectionreference", reference, changes)?;
    Ok(true)
}

fn set_value(session: &Session<'_>, parameter: &Row) -> Result<bool, ServiceError> {
    let name = text(parameter, "schemaname").unwrap_or_default();
    let found = session.find("environmentvariabledefinition", "schemaname", &json!(name))?;
    let Some(definition) = found.and_then(|row| id(&row, "environmentvariabledefinitionid")) else {
        return Ok(false);
    };
    let value = text(parameter, "value").unwrap_or_default();
    let there = session.find(
        "environmentvariablevalue",
        "_environmentvariabledefinitionid_value",
        &json!(definition.to_string()),
    )?;
    match there.and_then(|row| id(&row, "environmentvariablevalueid")) {
        Some(id) => {
            session.update("environmentvariablevalue", id, row! { "value": value })?;
        }
        None => {
            let wanted = id(parameter, "environmentvariablevalueid");
            let new = row! {
                "environmentvariablevalueid": wanted,
                "schemaname": name,
                "value": value,
                "_environmentvariabledefinitionid_value": definition,
            };
            session.insert("environmentvariablevalue", new)?;
        }
    }
    Ok(true)
}
