//! The address of a webhook (a service endpoint).

use serde_json::json;

use super::rows::{guid, text};
use super::{Change, Environment, EnvironmentError};

impl Environment {
    /// Sets the address that the service endpoint with this name calls.
    ///
    /// # Errors
    /// [`EnvironmentError::Missing`] for an unknown endpoint, [`EnvironmentError::InvalidValue`]
    /// for a text that is no address.
    pub fn set_webhook(&self, name: &str, url: &str) -> Result<Change, EnvironmentError> {
        url::Url::parse(url).map_err(|error| EnvironmentError::InvalidValue {
            what: format!("address of webhook {name}"),
            reason: error.to_string(),
        })?;
        let rows = self.rows_with(
            "serviceendpoints",
            "name",
            name,
            &["serviceendpointid", "url"],
        )?;
        let found = rows
            .iter()
            .filter_map(|row| Some((guid(row, "serviceendpointid")?, text(row, "url"))))
            .collect();
        let (id, present) = self.only("service endpoint", name, found)?;
        if present == url {
            return Ok(Change::none(format!("webhook {name} has its address")));
        }
        self.update_row("serviceendpoints", &id.into(), &json!({ "url": url }))?;
        Ok(Change::made(format!("webhook {name}: address set")))
    }
}
