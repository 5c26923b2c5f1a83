//! Plug-in steps and the endpoints that they may call.

use uuid::Uuid;

use crate::emulator::dataverse::failure::ServiceError;
use crate::emulator::dataverse::row::{self, LOOKUP_TABLE, Row};
use crate::emulator::dataverse::session::Session;

const WEBHOOK: i64 = 8;

/// A step needs somebody who handles it; asynchronous ones run after the operation only.
pub(super) fn writing(
    session: &Session<'_>,
    old: Option<&Row>,
    values: &mut Row,
) -> Result<(), ServiceError> {
    let now = |name: &str| {
        values
            .get(name)
            .or_else(|| old.and_then(|row| row.get(name)))
    };
    let number = |name: &str| now(name).and_then(serde_json::Value::as_i64);
    if number("mode") == Some(1) && number("stage").is_some_and(|stage| stage != 40) {
        return Err(ServiceError::bad_request(
            "0x8004418f",
            "Only steps of the stage Post-operation can be asynchronous.",
        ));
    }
    let plug_in = now("_plugintypeid_value").cloned();
    if old.is_some() || now("_eventhandler_value").is_some() {
        return Ok(());
    }
    // Older clients name the plug-in by its own lookup.
    let Some(plug_in) = plug_in else {
        return Err(ServiceError::bad_request(
            "0x80040203",
            "A step needs an event handler: a plug-in type or a service endpoint.",
        ));
    };
    let id = plug_in.as_str().and_then(|text| Uuid::parse_str(text).ok());
    if let Some(id) = id {
        session.existing("plugintype", id)?;
    }
    values.insert("_eventhandler_value".into(), plug_in);
    values.insert(
        format!("_eventhandler_value{LOOKUP_TABLE}"),
        "plugintype".into(),
    );
    Ok(())
}

/// A webhook needs an address to call.
pub(super) fn writing_endpoint(old: Option<&Row>, values: &mut Row) -> Result<(), ServiceError> {
    let contract = row::number(values, "contract")
        .or_else(|| old.and_then(|row| row::number(row, "contract")))
        .unwrap_or(WEBHOOK);
    if contract != WEBHOOK {
        return Ok(());
    }
    let Some(url) = values.get("url") else {
        return match old {
            Some(_) => Ok(()),
            None => Err(no_url("A webhook needs a url.")),
        };
    };
    let address = url.as_str().and_then(|text| url::Url::parse(text).ok());
    match address {
        Some(address) if ["http", "https"].contains(&address.scheme()) => Ok(()),
        _ => Err(no_url(
            "The url of a webhook must be an absolute http or https address.",
        )),
    }
}

fn no_url(message: &str) -> ServiceError {
    ServiceError::bad_request("0x80050203", message)
}
