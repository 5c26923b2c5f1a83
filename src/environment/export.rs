//! Exporting a solution (Dataverse Web API notes, 4.1).

use base64::Engine;
use serde_json::{Value, json};

use super::rows::{guid_of, unreadable};
use super::{Environment, EnvironmentError};

/// How to export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExportOptions {
    /// A managed package instead of an unmanaged one.
    pub managed: bool,
}

impl Environment {
    /// Exports the solution with this unique name and returns the package's bytes. Only published
    /// customizations are in it.
    ///
    /// # Errors
    /// [`EnvironmentError::NoSolution`]; [`EnvironmentError::InvalidValue`] for a managed
    /// solution, which no environment exports.
    pub fn export_solution(
        &self,
        name: &str,
        options: ExportOptions,
    ) -> Result<Vec<u8>, EnvironmentError> {
        let solution = self.solution(name)?;
        if solution.managed {
            return Err(EnvironmentError::InvalidValue {
                what: format!("export of {name}"),
                reason: format!("it is installed managed in {}", self.name()),
            });
        }
        let kind = if options.managed {
            "managed"
        } else {
            "unmanaged"
        };
        let operation = format!("Exporting {} ({kind})", solution.unique_name);
        let body = json!({ "SolutionName": solution.unique_name, "Managed": options.managed });
        let answer = match self.action("ExportSolutionAsync", &body) {
            Ok(started) => {
                let job = guid_of(&started, "AsyncOperationId", &operation)?;
                let export = guid_of(&started, "ExportJobId", &operation)?;
                self.finish_job(job, &operation)?;
                self.action(
                    "DownloadSolutionExportData",
                    &json!({ "ExportJobId": export }),
                )?
            }
            // Old servers have only the synchronous form.
            Err(error) if error.is_unsupported() => {
                self.report(None, &operation);
                self.action("ExportSolution", &body)?
            }
            Err(error) => return Err(error),
        };
        package_of(&answer, &operation)
    }
}

fn package_of(answer: &Value, operation: &str) -> Result<Vec<u8>, EnvironmentError> {
    let text = answer["ExportSolutionFile"]
        .as_str()
        .ok_or_else(|| unreadable(operation, "it has no ExportSolutionFile"))?;
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .map_err(|error| unreadable(operation, &format!("the file is not base64: {error}")))
}
