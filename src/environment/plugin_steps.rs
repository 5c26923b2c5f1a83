//! The configuration texts of plug-in steps (Dataverse Web API notes, 6.9).

use serde_json::json;
use uuid::Uuid;

use super::odata::Query;
use super::rows::{guid, text};
use super::{Change, Environment, EnvironmentError};
use crate::transport::Secret;

/// What to set on a plug-in step. An absent part stays as it is.
#[derive(Debug, Clone, Default)]
pub struct StepConfiguration {
    /// The unsecure configuration, which is part of the solution.
    pub unsecure: Option<String>,
    /// The secure configuration, which stays in the environment.
    pub secure: Option<Secret>,
}

impl Environment {
    /// Sets the configuration of the step with this id.
    ///
    /// # Errors
    /// [`EnvironmentError::Missing`] for an unknown step.
    pub fn configure_step(
        &self,
        id: Uuid,
        wanted: &StepConfiguration,
    ) -> Result<Change, EnvironmentError> {
        let query = Query::new().select(&[
            "name",
            "configuration",
            "_sdkmessageprocessingstepsecureconfigid_value",
        ])?;
        let row = self
            .row("sdkmessageprocessingsteps", &id.into(), &query)?
            .ok_or_else(|| self.missing("plug-in step", &id.to_string()))?;
        let mut done = Vec::new();
        if let Some(unsecure) = &wanted.unsecure
            && text(&row, "configuration") != *unsecure
        {
            let columns = json!({ "configuration": unsecure });
            self.update_row("sdkmessageprocessingsteps", &id.into(), &columns)?;
            done.push("configuration");
        }
        if let Some(secure) = &wanted.secure {
            let present = guid(&row, "_sdkmessageprocessingstepsecureconfigid_value");
            if self.set_secure_configuration(id, present, secure)? {
                done.push("secure configuration");
            }
        }
        let name = text(&row, "name");
        if done.is_empty() {
            return Ok(Change::none(format!("plug-in step {name} is configured")));
        }
        Ok(Change::made(format!(
            "plug-in step {name}: {} set",
            done.join(" and ")
        )))
    }

    fn set_secure_configuration(
        &self,
        step: Uuid,
        present: Option<Uuid>,
        secure: &Secret,
    ) -> Result<bool, EnvironmentError> {
        const SET: &str = "sdkmessageprocessingstepsecureconfigs";
        let columns = json!({ "secureconfig": secure.expose() });
        match present {
            Some(id) => {
                let query = Query::new().select(&["secureconfig"])?;
                let row = self.row(SET, &id.into(), &query)?;
                if row.is_some_and(|row| text(&row, "secureconfig") == secure.expose()) {
                    return Ok(false);
                }
                self.update_row(SET, &id.into(), &columns)?;
            }
            None => {
                let id = self.create_row(SET, &columns)?;
                let binding = Self::binding(SET, id)?;
                let columns =
                    json!({ "sdkmessageprocessingstepsecureconfigid@odata.bind": binding });
                self.update_row("sdkmessageprocessingsteps", &step.into(), &columns)?;
            }
        }
        Ok(true)
    }
}
