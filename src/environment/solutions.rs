//! Installed solutions: reading them, their versions, publishing.

use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::odata::{Filter, Query};
use super::rows::{Row, guid, guid_of, text, unreadable};
use super::{Change, Environment, EnvironmentError};
use crate::solution::SolutionVersion;

/// One row of `solutions` (Dataverse Web API notes, 3.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InstalledSolution {
    /// The row's id.
    pub id: Uuid,
    /// The unique name.
    pub unique_name: String,
    /// The name that people see.
    pub friendly_name: String,
    /// The installed version, as the environment writes it.
    pub version: String,
    /// Whether it is managed.
    pub managed: bool,
    /// Whether it is a patch of another solution.
    pub patch: bool,
    /// The publisher's customization prefix; empty when the environment does not tell it.
    pub prefix: String,
    /// When it was installed, as the environment writes it.
    pub installed_on: String,
}

const COLUMNS: [&str; 7] = [
    "solutionid",
    "uniquename",
    "friendlyname",
    "version",
    "ismanaged",
    "installedon",
    "_parentsolutionid_value",
];

/// The suffix of a solution that was imported beside the installed one and waits to replace it.
pub(super) const HOLDING_SUFFIX: &str = "_Upgrade";

impl Environment {
    /// The visible solutions, sorted by unique name.
    ///
    /// # Errors
    /// See [`EnvironmentError`].
    pub fn solutions(&self) -> Result<Vec<InstalledSolution>, EnvironmentError> {
        let query = solution_query()?.filter(Filter::equals("isvisible", true)?);
        let rows = self.rows("solutions", &query)?;
        let mut solutions: Vec<_> = rows.iter().map(read).collect::<Result<_, _>>()?;
        solutions.sort_by(|a, b| a.unique_name.cmp(&b.unique_name));
        Ok(solutions)
    }

    /// The solution with this unique name, if it is installed.
    ///
    /// # Errors
    /// See [`EnvironmentError`].
    pub fn find_solution(&self, name: &str) -> Result<Option<InstalledSolution>, EnvironmentError> {
        let query = solution_query()?.filter(Filter::equals("uniquename", name)?);
        self.rows("solutions", &query)?
            .first()
            .map(read)
            .transpose()
    }

    /// The solution with this unique name.
    ///
    /// # Errors
    /// [`EnvironmentError::NoSolution`] when it is not installed.
    pub fn solution(&self, name: &str) -> Result<InstalledSolution, EnvironmentError> {
        self.find_solution(name)?
            .ok_or_else(|| EnvironmentError::NoSolution {
                name: name.to_owned(),
                environment: self.name().to_owned(),
            })
    }

    /// Sets the version of an unmanaged solution.
    ///
    /// # Errors
    /// [`EnvironmentError::NoSolution`], [`EnvironmentError::InvalidValue`] for a managed one.
    pub fn set_solution_version(
        &self,
        name: &str,
        version: SolutionVersion,
    ) -> Result<Change, EnvironmentError> {
        let solution = self.solution(name)?;
        let version = version.to_string();
        if solution.version == version {
            return Ok(Change::none(format!("{name} has version {version}")));
        }
        if solution.managed {
            return Err(EnvironmentError::InvalidValue {
                what: format!("version of {name}"),
                reason: "the solution is managed; only an import changes its version".to_owned(),
            });
        }
        self.update_row(
            "solutions",
            &solution.id.into(),
            &json!({ "version": version }),
        )?;
        Ok(Change::made(format!(
            "{name}: version {} → {version}",
            solution.version
        )))
    }

    /// Publishes all customizations of the environment and waits until that is done. It concerns
    /// everybody's drafts, not one solution's (ALM Accelerator notes, 1.2 step 5).
    ///
    /// # Errors
    /// [`EnvironmentError::Locked`] while another solution operation runs.
    pub fn publish_all(&self) -> Result<(), EnvironmentError> {
        const OPERATION: &str = "Publishing all customizations";
        match self.action("PublishAllXmlAsync", &json!({})) {
            Ok(answer) => {
                let id = guid_of(&answer, "AsyncOperationId", OPERATION)?;
                self.finish_job(id, OPERATION)
            }
            Err(error) if error.is_unsupported() => {
                self.report(None, OPERATION);
                self.action("PublishAllXml", &json!({}))?;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

fn solution_query() -> Result<Query, EnvironmentError> {
    Ok(Query::new()
        .select(&COLUMNS)?
        .expand("publisherid", &["customizationprefix"])?)
}

fn read(row: &Row) -> Result<InstalledSolution, EnvironmentError> {
    let publisher = row.get("publisherid").and_then(Value::as_object);
    Ok(InstalledSolution {
        id: guid(row, "solutionid")
            .ok_or_else(|| unreadable("reading solutions", "a row has no solutionid"))?,
        unique_name: text(row, "uniquename"),
        friendly_name: text(row, "friendlyname"),
        version: text(row, "version"),
        managed: row
            .get("ismanaged")
            .and_then(Value::as_bool)
            .unwrap_or_default(),
        patch: guid(row, "_parentsolutionid_value").is_some(),
        prefix: publisher
            .map(|row| text(row, "customizationprefix"))
            .unwrap_or_default(),
        installed_on: text(row, "installedon"),
    })
}
