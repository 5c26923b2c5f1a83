//! Importing a solution, and applying a staged upgrade (Dataverse Web API notes, 4.2 to 4.6 and 5).

use base64::Engine;
use serde_json::{Value, json};
use uuid::Uuid;

use super::import_report::ImportReport;
use super::job::{JobEnd, Looks};
use super::odata::{Filter, Query};
use super::rows::{Row, guid, guid_of, text};
use super::solutions::HOLDING_SUFFIX;
use super::{Change, Environment, EnvironmentError};

/// What an import does when the solution is installed already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ImportMode {
    /// Overwrite it; components that are no longer in the package remain.
    #[default]
    Update,
    /// Replace it; components that are no longer in the package are deleted, with their data.
    Upgrade,
    /// Put the new version beside it, as the first half of an upgrade.
    Hold,
}

/// A value that the import sets for a component of the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ComponentParameter {
    /// The connection behind a connection reference.
    Connection {
        /// The reference's logical name.
        logical_name: String,
        /// The connection's id.
        connection_id: String,
        /// The connector's id; where absent, the package's own is used.
        connector_id: Option<String>,
    },
    /// The current value of an environment variable.
    Variable {
        /// The variable's schema name.
        schema_name: String,
        /// The value.
        value: String,
    },
}

/// How to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportOptions {
    /// Update, upgrade or hold.
    pub mode: ImportMode,
    /// Remove unmanaged changes from the components of the package.
    pub overwrite: bool,
    /// Activate classic processes and plug-in steps of the package. Cloud flows keep their state.
    pub activate: bool,
    /// Turn an installed unmanaged solution into a managed one.
    pub convert_to_managed: bool,
    /// Ignore missing dependencies that are product updates.
    pub skip_product_updates: bool,
    /// Values to set together with the import.
    pub parameters: Vec<ComponentParameter>,
    /// What the ids of its import jobs are derived from. An import with the same seed as one that the
    /// environment has begun before is that one: it is waited for, and not begun again unless it
    /// failed. None makes every import another one.
    pub seed: Option<Uuid>,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            mode: ImportMode::Update,
            overwrite: true,
            activate: true,
            convert_to_managed: false,
            skip_product_updates: false,
            parameters: Vec::new(),
            seed: None,
        }
    }
}

/// What became of the imports of one seed.
enum Begun {
    /// None is there, or all failed: this is the id of the next one.
    New(Uuid),
    /// One is there that goes on or has succeeded.
    There(Uuid),
}

/// An import job older than this that has no end was abandoned by the service.
const ABANDONED_AFTER: jiff::SignedDuration = jiff::SignedDuration::from_hours(4);

impl Environment {
    /// Imports `package`, whose solution has the unique name `name`, and waits for the end.
    ///
    /// An import of the same solution that runs already is waited for first. An upgrade of a
    /// solution that is not installed is a plain import.
    ///
    /// # Errors
    /// [`EnvironmentError::MissingDependencies`] and [`EnvironmentError::ImportFailed`] tell what
    /// the environment objected to; nothing is half imported then.
    pub fn import_solution(
        &self,
        name: &str,
        package: &[u8],
        options: &ImportOptions,
    ) -> Result<ImportReport, EnvironmentError> {
        let job_id = match self.begun_before(name, options.seed)? {
            Begun::There(job) => return self.take_up(name, options.mode, job),
            Begun::New(job) => job,
        };
        self.await_running_import(name)?;
        let installed = self.find_solution(name)?.is_some();
        let upgrade = options.mode == ImportMode::Upgrade && installed;
        let hold = options.mode == ImportMode::Hold && installed;
        let body = self.import_body(package, options, hold, job_id)?;
        let (action, done) = match (upgrade, hold, installed) {
            (true, ..) => ("StageAndUpgradeAsync", "upgraded"),
            (_, true, _) => ("ImportSolutionAsync", "held"),
            (.., true) => ("ImportSolutionAsync", "updated"),
            (.., false) => ("ImportSolutionAsync", "installed"),
        };
        let operation = format!("Importing {name} into {}", self.name());
        let mut report = ImportReport {
            job_id,
            solution: name.to_owned(),
            action: done.to_owned(),
            ..ImportReport::default()
        };
        let end = match self.action(action, &body) {
            Ok(answer) => {
                let operation_id = guid_of(&answer, "AsyncOperationId", &operation)?;
                if let Some(key) = answer["ImportJobKey"]
                    .as_str()
                    .and_then(|key| key.parse().ok())
                {
                    report.job_id = key;
                }
                let job_id = report.job_id;
                self.wait_for_job(operation_id, &operation, |environment| {
                    environment.import_progress(job_id)
                })?
            }
            Err(error) if error.is_unsupported() => {
                self.import_synchronously(&operation, upgrade, &body)?
            }
            Err(error) => return Err(error),
        };
        self.read_job(&mut report)?;
        let installed_as = if hold {
            format!("{name}{HOLDING_SUFFIX}")
        } else {
            name.to_owned()
        };
        finish(report, end).and_then(|mut report| {
            if let Some(solution) = self.find_solution(&installed_as)? {
                report.version = solution.version;
            }
            Ok(report)
        })
    }

    /// Looks for the import jobs of a seed, and waits for one that goes on.
    fn begun_before(&self, name: &str, seed: Option<Uuid>) -> Result<Begun, EnvironmentError> {
        let Some(seed) = seed else {
            return Ok(Begun::New(Uuid::new_v4()));
        };
        let operation = format!("Looking for the import of {name} into {}", self.name());
        for attempt in 0.. {
            let id = Uuid::new_v5(&seed, &u32::to_be_bytes(attempt));
            if self.job_row(id)?.is_none() {
                return Ok(Begun::New(id));
            }
            self.await_job_row(id, &operation)?;
            let mut report = ImportReport {
                job_id: id,
                ..ImportReport::default()
            };
            self.read_job(&mut report)?;
            if report.failures.is_empty() && report.progress >= 100.0 {
                return Ok(Begun::There(id));
            }
        }
        Ok(Begun::New(Uuid::new_v4()))
    }

    /// Goes on with an import that was begun before and whose job is done. What an upgrade does after
    /// its job (the old version goes, the new one takes its place) is waited for.
    fn take_up(
        &self,
        name: &str,
        mode: ImportMode,
        job_id: Uuid,
    ) -> Result<ImportReport, EnvironmentError> {
        let operation = format!("Importing {name} into {}", self.name());
        let holding = format!("{name}{HOLDING_SUFFIX}");
        let mut looks = Looks::new(self, &operation);
        let installed = loop {
            let held = self.find_solution(&holding)?;
            match mode {
                ImportMode::Upgrade if held.is_some() => {
                    self.report(None, &operation);
                    looks.pause()?;
                }
                ImportMode::Hold if held.is_some() => break held,
                _ => break self.find_solution(name)?,
            }
        };
        let mut report = ImportReport {
            job_id,
            solution: name.to_owned(),
            action: "taken up".to_owned(),
            version: installed.map(|it| it.version).unwrap_or_default(),
            ..ImportReport::default()
        };
        self.read_job(&mut report)?;
        Ok(report)
    }

    /// Replaces the installed solution by the version that was imported with
    /// [`ImportMode::Hold`].
    ///
    /// # Errors
    /// [`EnvironmentError::NoUpgrade`] when none waits.
    pub fn apply_upgrade(&self, name: &str) -> Result<Change, EnvironmentError> {
        let holding = format!("{name}{HOLDING_SUFFIX}");
        let Some(staged) = self.find_solution(&holding)? else {
            return Err(EnvironmentError::NoUpgrade {
                solution: name.to_owned(),
                environment: self.name().to_owned(),
            });
        };
        let operation = format!("Applying the upgrade of {name}");
        let body = json!({ "UniqueName": name });
        match self.action("DeleteAndPromoteAsync", &body) {
            Ok(answer) => {
                let id = guid_of(&answer, "AsyncOperationId", &operation)?;
                self.finish_job(id, &operation)?;
            }
            Err(error) if error.is_unsupported() => {
                self.report(None, &operation);
                self.action("DeleteAndPromote", &body)?;
            }
            Err(error) => return Err(error),
        }
        Ok(Change::made(format!(
            "{name} is now version {}",
            staged.version
        )))
    }

    /// Waits for the end of an import of the same solution that somebody else began.
    fn await_running_import(&self, name: &str) -> Result<(), EnvironmentError> {
        let query = Query::new()
            .select(&["importjobid", "startedon"])?
            .filter(Filter::equals("solutionname", name)?)
            .filter(Filter::equals("completedon", super::odata::Literal::Null)?);
        let newest = jiff::Timestamp::now();
        for row in self.rows("importjobs", &query)? {
            let begun: Option<jiff::Timestamp> = text(&row, "startedon").parse().ok();
            let abandoned =
                begun.is_some_and(|begun| newest.duration_since(begun) > ABANDONED_AFTER);
            if let Some(id) = guid(&row, "importjobid").filter(|_| !abandoned) {
                let operation =
                    format!("Waiting for another import of {name} into {}", self.name());
                self.await_job_row(id, &operation)?;
            }
        }
        Ok(())
    }

    /// Waits until the row of an import job has an end.
    fn await_job_row(&self, id: Uuid, operation: &str) -> Result<(), EnvironmentError> {
        let mut looks = Looks::new(self, operation);
        while let Some(row) = self.job_row(id)? {
            if !text(&row, "completedon").is_empty() {
                break;
            }
            self.report(row.get("progress").and_then(Value::as_f64), operation);
            looks.pause()?;
        }
        Ok(())
    }

    fn job_row(&self, id: Uuid) -> Result<Option<Row>, EnvironmentError> {
        let query = Query::new().select(&["importjobid", "progress", "completedon"])?;
        self.row("importjobs", &id.into(), &query)
    }

    /// How far the import is. The row is missing for the first seconds, and no look at it is worth
    /// failing an import that runs.
    fn import_progress(&self, id: Uuid) -> Option<f64> {
        let query = Query::new().select(&["progress"]).ok()?;
        let row = self.row("importjobs", &id.into(), &query).ok()??;
        row.get("progress")?.as_f64()
    }

    /// Reads the finished job into `report`.
    fn read_job(&self, report: &mut ImportReport) -> Result<(), EnvironmentError> {
        let query = Query::new().select(&["progress", "data"])?;
        if let Some(row) = self.row("importjobs", &report.job_id.into(), &query)? {
            report.progress = row
                .get("progress")
                .and_then(Value::as_f64)
                .unwrap_or_default();
            report.read_data(&text(&row, "data"));
        }
        Ok(())
    }

    fn import_synchronously(
        &self,
        operation: &str,
        upgrade: bool,
        body: &Value,
    ) -> Result<JobEnd, EnvironmentError> {
        self.report(None, operation);
        let action = if upgrade {
            "StageAndUpgrade"
        } else {
            "ImportSolution"
        };
        match self.action(action, body) {
            Ok(_) => Ok(JobEnd::Succeeded),
            Err(EnvironmentError::Refused(refusal)) => Ok(JobEnd::Failed {
                message: refusal.message.clone(),
                service_code: refusal.service_code,
            }),
            Err(error) => Err(error),
        }
    }

    fn import_body(
        &self,
        package: &[u8],
        options: &ImportOptions,
        hold: bool,
        job_id: Uuid,
    ) -> Result<Value, EnvironmentError> {
        let mut body = json!({
            "OverwriteUnmanagedCustomizations": options.overwrite,
            "PublishWorkflows": options.activate,
            "SkipProductUpdateDependencies": options.skip_product_updates,
            "ImportJobId": job_id,
        });
        if hold {
            body["HoldingSolution"] = true.into();
        }
        if options.convert_to_managed {
            body["ConvertToManaged"] = true.into();
        }
        let needs_connector = options.parameters.iter().any(|parameter| {
            matches!(
                parameter,
                ComponentParameter::Connection {
                    connector_id: None,
                    ..
                }
            )
        });
        let mut connectors = Vec::new();
        if needs_connector {
            let staged = self.stage_solution(package)?;
            connectors = staged.connectors;
            body["SolutionParameters"] = json!({ "StageSolutionUploadId": staged.upload_id });
        } else {
            body["CustomizationFile"] = base64(package).into();
        }
        if !options.parameters.is_empty() {
            let parameters: Vec<_> = options
                .parameters
                .iter()
                .filter_map(|parameter| component_parameter(parameter, &connectors))
                .collect();
            body["ComponentParameters"] = parameters.into();
        }
        Ok(body)
    }
}

/// The entry of `ComponentParameters`; none for a reference that the package does not have.
fn component_parameter(
    parameter: &ComponentParameter,
    connectors: &[(String, String)],
) -> Option<Value> {
    match parameter {
        ComponentParameter::Connection {
            logical_name,
            connection_id,
            connector_id,
        } => {
            let connector = connector_id.clone().or_else(|| {
                let found = connectors
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case(logical_name));
                found.map(|(_, connector)| connector.clone())
            })?;
            Some(json!({
                "@odata.type": "Microsoft.Dynamics.CRM.connectionreference",
                "connectionreferencelogicalname": logical_name,
                "connectionreferencedisplayname": "",
                "description": "",
                "connectorid": connector,
                "connectionid": connection_id,
            }))
        }
        ComponentParameter::Variable { schema_name, value } => Some(json!({
            "@odata.type": "Microsoft.Dynamics.CRM.environmentvariablevalue",
            "schemaname": schema_name,
            "value": value,
        })),
    }
}

/// The verdict: the report for a success, the fitting error for a failure.
fn finish(report: ImportReport, end: JobEnd) -> Result<ImportReport, EnvironmentError> {
    let (message, service_code) = match end {
        JobEnd::Succeeded => return Ok(report),
        JobEnd::Failed {
            message,
            service_code,
        } => (message, service_code),
    };
    let missing = if report.missing.is_empty() {
        super::missing_dependency::from_error_text(&message).unwrap_or_default()
    } else {
        report.missing.clone()
    };
    if !missing.is_empty() {
        return Err(EnvironmentError::MissingDependencies {
            solution: report.solution,
            missing,
        });
    }
    // The job's own code may be a general one; the manifest's failure is more precise.
    let service_code = report
        .failures
        .iter()
        .map(|failure| failure.service_code.clone())
        .find(|code| code.starts_with("0x"))
        .unwrap_or(service_code);
    Err(EnvironmentError::ImportFailed {
        message,
        service_code,
        report: Box::new(report),
    })
}

/// Bytes as the Web API wants them.
pub(super) fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
