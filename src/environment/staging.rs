//! Staging a package: the environment looks at it and installs nothing (Dataverse Web API notes,
//! 4.3). It tells what is missing before anything begins.

use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::missing_dependency::{self, MissingDependency};
use super::rows::guid_of;
use super::{Environment, EnvironmentError};

/// What the environment found in a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StagedSolution {
    /// The upload, which an import can use instead of sending the package again.
    pub upload_id: Uuid,
    /// Whether an import could begin.
    pub passed: bool,
    /// Components that the environment lacks.
    pub missing: Vec<MissingDependency>,
    /// Other objections.
    pub validations: Vec<Validation>,
    /// The connector of each connection reference in the package, by logical name.
    pub connectors: Vec<(String, String)>,
}

/// One objection of the environment to a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Validation {
    /// `Error`, `Warning` or what else the service says.
    pub severity: String,
    /// The service's code as `0x…`; empty when it gave none.
    pub service_code: String,
    /// What the service said.
    pub message: String,
}

impl Environment {
    /// Hands the package over for inspection.
    ///
    /// # Errors
    /// See [`EnvironmentError`]. A package that does not pass is not an error here.
    pub fn stage_solution(&self, package: &[u8]) -> Result<StagedSolution, EnvironmentError> {
        const OPERATION: &str = "Staging the solution";
        let body = json!({ "CustomizationFile": super::import::base64(package) });
        let answer = self.action("StageSolution", &body)?;
        let results = &answer["StageSolutionResults"];
        let list = |name: &str| results[name].as_array().cloned().unwrap_or_default();
        let connectors = list("SolutionComponentsDetails")
            .iter()
            .filter(|detail| detail["ComponentTypeName"] == "connectionreference")
            .filter_map(|detail| {
                Some((
                    attribute(detail, "connectionreferencelogicalname")?,
                    attribute(detail, "connectorid")?,
                ))
            })
            .collect();
        Ok(StagedSolution {
            upload_id: guid_of(results, "StageSolutionUploadId", OPERATION)?,
            // Published notes also show "Completed" (Dataverse Web API notes, 11).
            passed: matches!(
                results["StageSolutionStatus"].as_str(),
                Some("Passed" | "Completed")
            ),
            missing: list("MissingDependencies")
                .iter()
                .map(missing_dependency::from_stage_result)
                .collect(),
            validations: list("SolutionValidationResults")
                .iter()
                .map(validation)
                .collect(),
            connectors,
        })
    }

    /// What the environment lacks of what the package needs.
    ///
    /// # Errors
    /// See [`EnvironmentError`].
    pub fn missing_dependencies(
        &self,
        package: &[u8],
    ) -> Result<Vec<MissingDependency>, EnvironmentError> {
        Ok(self.stage_solution(package)?.missing)
    }
}

fn validation(value: &Value) -> Validation {
    Validation {
        severity: match &value["SolutionValidationResultType"] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        },
        service_code: super::job::code_text(value.get("ErrorCode")),
        message: value["Message"].as_str().unwrap_or_default().to_owned(),
    }
}

/// A value of the serialised key/value collection `Attributes`: parallel `Keys` and `Values`.
fn attribute(detail: &Value, key: &str) -> Option<String> {
    let keys = detail["Attributes"]["Keys"].as_array()?;
    let values = detail["Attributes"]["Values"].as_array()?;
    let index = keys.iter().position(|candidate| candidate == key)?;
    values.get(index)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_paired_by_position() {
        let detail = json!({"Attributes": {"Keys": ["a", "connectorid"], "Values": ["1", "/x/y"]}});
        assert_eq!(attribute(&detail, "connectorid").as_deref(), Some("/x/y"));
        assert_eq!(attribute(&detail, "b"), None);
    }
}
