//! Deleting a solution: an unmanaged one leaves its components, a managed one takes them along
//! (Dataverse Web API notes, 4.8 and 5.2).

use serde_json::json;

use super::rows::guid_of;
use super::{Change, Environment, EnvironmentError};

/// The code of "other components depend on it" (Dataverse Web API notes, 1.5).
const IN_USE: &str = "0x8004f01f";

impl Environment {
    /// Deletes the solution with this unique name and waits for the end. When it is not installed
    /// nothing is done.
    ///
    /// # Errors
    /// [`EnvironmentError::InUse`] when components of other solutions need it.
    pub fn delete_solution(&self, name: &str) -> Result<Change, EnvironmentError> {
        let Some(solution) = self.find_solution(name)? else {
            return Ok(Change::none(format!("{name} is not installed")));
        };
        let operation = format!("Deleting {name} from {}", self.name());
        let result = if solution.managed {
            match self.action(
                "UninstallSolutionAsync",
                &json!({ "SolutionUniqueName": name }),
            ) {
                Ok(answer) => {
                    let id = guid_of(&answer, "AsyncOperationId", &operation)?;
                    self.finish_job(id, &operation)
                }
                Err(error) if error.is_unsupported() => {
                    self.delete_row("solutions", solution.id).map(|_| ())
                }
                Err(error) => Err(error),
            }
        } else {
            self.report(None, &operation);
            self.delete_row("solutions", solution.id).map(|_| ())
        };
        match result {
            Ok(()) => {
                let what = if solution.managed {
                    "with its components"
                } else {
                    "without its components"
                };
                Ok(Change::made(format!(
                    "{name} {} deleted {what}",
                    solution.version
                )))
            }
            Err(error) => Err(in_use(name, error)),
        }
    }
}

/// Names the solution in an error that says that it is needed.
fn in_use(name: &str, error: EnvironmentError) -> EnvironmentError {
    match error {
        EnvironmentError::Refused(refusal) if refusal.service_code.eq_ignore_ascii_case(IN_USE) => {
            EnvironmentError::InUse {
                what: name.to_owned(),
                refusal,
            }
        }
        EnvironmentError::JobFailed {
            message,
            service_code,
            ..
        } if service_code.eq_ignore_ascii_case(IN_USE) => {
            let refusal = super::Refusal {
                method: "POST".to_owned(),
                address: "UninstallSolutionAsync".to_owned(),
                status: 200,
                service_code,
                message,
            };
            EnvironmentError::InUse {
                what: name.to_owned(),
                refusal: Box::new(refusal),
            }
        }
        other => other,
    }
}
