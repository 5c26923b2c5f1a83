//! Asynchronous operations: started by an action, advanced by the requests that follow.
//!
//! A job is first *ready*; the first request after it finds it *in progress*, the second one
//! *completed* (facts/dataverse-web-api.md, section 4.13). Its work is done whole at that moment,
//! inside the transaction that also writes its end, so a process that is killed leaves a job that
//! the next request takes up again, never half an import.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::import::{Import, Switches};
use super::install::{self, InstallKind, Installed};
use super::{checks, dependencies, export, history, publish, report};
use crate::emulator::dataverse::row::row;
use crate::emulator::dataverse::{Row, ServiceError, Session};
use crate::emulator::store::StoreError;
use crate::transport::StatusCode;

/// The kind of the stored documents.
const KIND: &str = "@job";

/// What a job does.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Work {
    /// Imports the package with this hash.
    Import {
        zip: String,
        switches: Box<Switches>,
        import_job: Uuid,
        message: String,
    },
    /// Exports a solution.
    Export {
        solution: String,
        managed: bool,
        export_job: Uuid,
    },
    /// Deletes a solution.
    Uninstall { solution: String },
    /// Applies the upgrade that waits beside a solution.
    Promote { solution: String },
    /// Publishes everything.
    PublishAll,
}

/// A job that is not finished.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Job {
    work: Work,
    user: Uuid,
    started: bool,
    history: Option<Uuid>,
}

impl Work {
    /// What the job is called.
    fn name(&self) -> &str {
        match self {
            Self::Import { message, .. } => message,
            Self::Export { .. } => "ExportSolution",
            Self::Uninstall { .. } => "UninstallSolution",
            Self::Promote { .. } => "DeleteAndPromote",
            Self::PublishAll => "PublishAllXml",
        }
    }

    /// What the customization lock calls it.
    fn lock(&self) -> &'static str {
        match self {
            Self::Import { .. } => "Import",
            Self::Export { .. } => "Export",
            Self::Uninstall { .. } => "Uninstall",
            Self::Promote { .. } => "Upgrade",
            Self::PublishAll => "PublishAll",
        }
    }
}

/// Refuses to begin `what` while a job changes the environment. Exports do not hinder exports.
///
/// # Errors
/// `429` with the code of the customization lock.
pub(super) fn free_for(session: &Session<'_>, what: &str) -> Result<(), ServiceError> {
    for (_, body) in session.tx.list(session.scope(), KIND)? {
        let job: Job = serde_json::from_value(body).map_err(StoreError::from)?;
        let running = job.work.lock();
        if what == "Export" && running == "Export" {
            continue;
        }
        let message = format!(
            "Cannot start another [{what}] because there is a previous [{running}] running at \
             this moment. Use Solution History for more details."
        );
        let status = StatusCode::TOO_MANY_REQUESTS;
        return Err(ServiceError::new(status, "0x80071151", message).retry_after(5));
    }
    Ok(())
}

/// Starts a job and returns the id of its system job.
///
/// # Errors
/// `429` while another one runs.
pub(super) fn start(session: &Session<'_>, work: Work) -> Result<Uuid, ServiceError> {
    free_for(session, work.lock())?;
    let name = work.name().to_owned();
    let id = session.insert(
        "asyncoperation",
        row! {
            "name": name,
            "messagename": format!("{name}Async"),
            "operationtype": 54,
            "statecode": 0,
            "statuscode": 0,
            "subtype": 1,
            "depth": 1,
            "retrycount": 0,
            "sequence": session.tx.next(&format!("sequence:{}", session.scope()))?,
            "correlationid": session.new_id("correlation")?,
            "dependencytoken": format!(
                "SolutionOperation_{}", session.environment.organization_id
            ),
        },
    )?;
    if let Work::Import {
        zip, import_job, ..
    } = &work
    {
        report::begin(session, *import_job, &zip_bytes(session, zip)?)?;
    }
    let job = Job {
        work,
        user: session.user,
        started: false,
        history: None,
    };
    put(session, id, &job)?;
    Ok(id)
}

/// Moves every unfinished job one step on.
pub(super) fn advance(session: &Session<'_>) -> Result<(), ServiceError> {
    for (key, body) in session.tx.list(session.scope(), KIND)? {
        let mut job: Job = serde_json::from_value(body).map_err(StoreError::from)?;
        let Ok(id) = Uuid::parse_str(&key) else {
            continue;
        };
        let worker = Session::new(
            session.tx,
            session.environment.clone(),
            session.root.clone(),
            session.now,
            job.user,
        );
        if is_cancelled(session, id)? {
            session.tx.delete(session.scope(), KIND, &key)?;
        } else if job.started {
            finish(&worker, id, &job)?;
            session.tx.delete(session.scope(), KIND, &key)?;
            // The work may have changed which tables there are.
            session.catalogue_changed();
        } else {
            job.started = true;
            job.history = Some(history::begin(&worker, &job.work)?);
            let begun = row! { "statecode": 2, "statuscode": 20, "startedon": session.moment() };
            worker.update("asyncoperation", id, begun)?;
            if let Work::Import { import_job, .. } = &job.work {
                worker.update("importjob", *import_job, row! { "progress": 35.0 })?;
            }
            put(session, id, &job)?;
        }
    }
    Ok(())
}

/// Whether somebody cancelled the job, or deleted its row.
fn is_cancelled(session: &Session<'_>, id: Uuid) -> Result<bool, ServiceError> {
    let row = session.row("asyncoperation", id)?;
    Ok(row.is_none_or(|row| row.get("statecode").and_then(Value::as_i64) == Some(3)))
}

fn finish(worker: &Session<'_>, id: Uuid, job: &Job) -> Result<(), ServiceError> {
    let begun = worker.row("asyncoperation", id)?.unwrap_or_default();
    let result = carry_out(worker, &job.work);
    let mut end = row! {
        "statecode": 3,
        "completedon": worker.moment(),
        "executiontimespan": seconds_since(worker, &begun),
    };
    end.extend(match &result {
        Ok(()) => row! { "statuscode": 30 },
        Err(error) => row! {
            "statuscode": 31,
            "errorcode": decimal(&error.code),
            "message": error.message,
            "friendlymessage": error.message,
        },
    });
    worker.update("asyncoperation", id, end)?;
    if let Some(history) = job.history {
        history::end(worker, history, result.as_ref().err())?;
    }
    Ok(())
}

fn carry_out(worker: &Session<'_>, work: &Work) -> Result<(), ServiceError> {
    match work {
        Work::Import {
            zip,
            switches,
            import_job,
            ..
        } => {
            let zip = zip_bytes(worker, zip)?;
            import(worker, *import_job, &zip, Switches::clone(switches)).map(|_| ())
        }
        Work::Export {
            solution,
            managed,
            export_job,
        } => {
            let zip = export::zip(worker, solution, *managed)?;
            let hash = worker.tx.put_blob(&zip)?;
            worker.insert(
                "exportsolutionupload",
                row! {
                    "exportsolutionuploadid": export_job,
                    "name": solution,
                    "solutionname": solution,
                    "managed": managed,
                    "solutionfile": hash,
                },
            )?;
            Ok(())
        }
        Work::Uninstall { solution } => worker.tx.attempt(|| {
            let row = dependencies::existing_solution(worker, solution)?;
            install::uninstall(worker, &row)
        }),
        Work::Promote { solution } => worker
            .tx
            .attempt(|| install::apply_upgrade(worker, solution).map(|_| ())),
        Work::PublishAll => publish::all(worker),
    }
}

/// Imports `zip` and writes what happened into the import job. When it fails, nothing else is
/// changed.
pub(super) fn import(
    session: &Session<'_>,
    import_job: Uuid,
    zip: &[u8],
    switches: Switches,
) -> Result<Installed, ServiceError> {
    let about = Import::open(zip, Switches::default());
    let result = match &about {
        Err(error) => Err(error.clone()),
        Ok(_) => session
            .tx
            .attempt(|| install::run(session, Import::open(zip, switches)?)),
    };
    if result.is_err() {
        // What was rolled back may have changed the tables.
        session.catalogue_changed();
    }
    report::end(session, import_job, about.as_ref().ok(), &result)?;
    result
}

/// A code as the number that rows hold: `0x80048033` is -2147188685.
pub(super) fn decimal(code: &str) -> Option<i32> {
    let digits = code.strip_prefix("0x")?;
    let number = u32::from_str_radix(digits, 16).ok()?;
    Some(i32::from_ne_bytes(number.to_ne_bytes()))
}

fn seconds_since(session: &Session<'_>, row: &Row) -> f64 {
    let began = row.get("startedon").and_then(Value::as_str);
    let began: Option<jiff::Timestamp> = began.and_then(|text| text.parse().ok());
    began.map_or(0.0, |began| {
        session.now.duration_since(began).as_secs_f64().max(0.0)
    })
}

fn zip_bytes(session: &Session<'_>, hash: &str) -> Result<Vec<u8>, ServiceError> {
    session.tx.get_blob(hash)?.ok_or_else(|| {
        ServiceError::bad_request("0x80048000", "The package to import is no longer there.")
    })
}

fn put(session: &Session<'_>, id: Uuid, job: &Job) -> Result<(), ServiceError> {
    let body = serde_json::to_value(job).map_err(StoreError::from)?;
    Ok(session
        .tx
        .put(session.scope(), KIND, &id.to_string(), &body)?)
}

/// What the history calls the work: the solution, the operation and the sub-operation
/// (facts/dataverse-web-api.md, section 3.9).
pub(super) fn told(session: &Session<'_>, work: &Work) -> Result<(String, i64, i64), ServiceError> {
    Ok(match work {
        Work::Import { zip, switches, .. } => {
            let name = Import::open(&zip_bytes(session, zip)?, Switches::default())
                .map(|import| import.manifest.unique_name)
                .unwrap_or_default();
            let there = checks::installed(session, &name)?.is_some();
            let kind = match (there, switches.upgrade) {
                (false, _) => InstallKind::New,
                (true, true) => InstallKind::Upgrade,
                (true, false) => InstallKind::Update,
            };
            (name, 0, kind.number())
        }
        Work::Export { solution, .. } => (solution.clone(), 2, 0),
        Work::Uninstall { solution } => (solution.clone(), 1, 4),
        Work::Promote { solution } => (solution.clone(), 0, InstallKind::Upgrade.number()),
        Work::PublishAll => (String::new(), 4, 0),
    })
}

impl InstallKind {
    /// The number of the history's sub-operation.
    pub(super) fn number(self) -> i64 {
        match self {
            Self::New => 1,
            Self::Upgrade => 2,
            Self::Update => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_the_numbers_that_the_service_writes() {
        assert_eq!(decimal("0x80048033"), Some(-2_147_188_685));
        assert_eq!(decimal("0x8004801D"), Some(-2_147_188_707));
        assert_eq!(decimal("NotEmulated"), None);
    }
}
