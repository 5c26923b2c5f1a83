//! What can go wrong between this client and an environment.

use serde::Serialize;
use serde_json::Value;

use super::import_report::ImportReport;
use super::missing_dependency::MissingDependency;
use super::odata::InvalidName;
use crate::problem::{FailedRequest, Problem};
use crate::transport::{Response, StatusCode, TransportError};

/// A request that a service answered with an error.
#[derive(Debug, Clone, Serialize)]
pub struct Refusal {
    /// The verb.
    pub method: String,
    /// The address without its query.
    pub address: String,
    /// The HTTP status.
    pub status: u16,
    /// The service's own code, such as `0x80040217`; empty when it gave none.
    pub service_code: String,
    /// What the service said.
    pub message: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} ({} {} answered {}",
            self.message, self.method, self.address, self.status
        )?;
        if !self.service_code.is_empty() {
            write!(f, ", {}", self.service_code)?;
        }
        f.write_str(")")
    }
}

impl Refusal {
    /// Reads the error body of `response` (Dataverse Web API notes, 1.4).
    pub fn read(method: &str, address: &str, response: &Response) -> Self {
        let body = response.to_json().unwrap_or(Value::Null);
        let error = &body["error"];
        let message = [&error["message"], &body["Message"], &body["message"]]
            .into_iter()
            .find_map(Value::as_str)
            .map_or_else(
                || format!("the service answered {}", response.status),
                str::to_owned,
            );
        Self {
            method: method.to_owned(),
            address: address.to_owned(),
            status: response.status.as_u16(),
            service_code: error["code"].as_str().unwrap_or_default().to_owned(),
            message,
        }
    }
}

/// Why something could not be done in an environment.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// No answer at all, see [`TransportError`].
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The service refused a request for a reason of its own.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The caller is not signed in, or not known in this environment, or lacks a privilege.
    #[error("not allowed: {0}")]
    NotAllowed(Box<Refusal>),
    /// A row or resource does not exist.
    #[error("not found: {0}")]
    NotFound(Box<Refusal>),
    /// Another solution operation runs in the environment and did not end in time.
    #[error("another solution operation is running: {0}")]
    Locked(Box<Refusal>),
    /// An answer does not have the expected shape.
    #[error("{operation}: the answer of the service cannot be read: {reason}")]
    Unreadable {
        /// What was being done.
        operation: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// A text that should be a name is none.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// An asynchronous operation did not end within the time allowed for it.
    #[error("{operation} did not end within {minutes} minutes; it may still be running")]
    TooSlow {
        /// What was being done.
        operation: String,
        /// The limit.
        minutes: u64,
    },
    /// An asynchronous operation ended as failed or cancelled.
    #[error("{operation} failed: {message}")]
    JobFailed {
        /// What was being done.
        operation: String,
        /// What the service said.
        message: String,
        /// The service's own code; empty when it gave none.
        service_code: String,
    },
    /// An import failed; the report says for each component what happened.
    #[error("the import of {} failed: {message}", report.solution)]
    ImportFailed {
        /// What the service said about the whole import.
        message: String,
        /// The service's own code; empty when it gave none.
        service_code: String,
        /// The report of the import job.
        report: Box<ImportReport>,
    },
    /// The environment lacks components that the solution needs.
    #[error(
        "{solution} needs {} that the environment does not have: {}",
        count(missing),
        list(missing)
    )]
    MissingDependencies {
        /// The solution to import.
        solution: String,
        /// What is missing, and for what.
        missing: Vec<MissingDependency>,
    },
    /// A solution is not installed.
    #[error("there is no solution {name:?} in {environment}")]
    NoSolution {
        /// Its unique name.
        name: String,
        /// The environment.
        environment: String,
    },
    /// There is no staged upgrade to apply.
    #[error("{solution} has no upgrade that waits to be applied in {environment}")]
    NoUpgrade {
        /// The solution.
        solution: String,
        /// The environment.
        environment: String,
    },
    /// Other components need what was to be deleted.
    #[error("{what} cannot be deleted because other components depend on it: {0}", refusal.message)]
    InUse {
        /// What was to be deleted.
        what: String,
        /// The refusal.
        refusal: Box<Refusal>,
    },
    /// Something that a setting names does not exist in the environment.
    #[error("there is no {kind} {name:?} in {environment}")]
    Missing {
        /// The kind of thing, for example "connection reference".
        kind: &'static str,
        /// The name that was looked for.
        name: String,
        /// The environment.
        environment: String,
    },
    /// Rows were to be written to something that is no table.
    #[error("`{name}` is no table of {environment}")]
    NoTable {
        /// What was named.
        name: String,
        /// The environment.
        environment: String,
    },
    /// More than one thing has the name.
    #[error("{count} things of kind {kind} are called {name:?} in {environment}; use the id")]
    Ambiguous {
        /// The kind of thing.
        kind: &'static str,
        /// The name that was looked for.
        name: String,
        /// How many have it.
        count: usize,
        /// The environment.
        environment: String,
    },
    /// A connection exists but the caller may not use it.
    #[error(
        "the connection {connection} ({connector}) is not shared with the identity of this run"
    )]
    ConnectionNotShared {
        /// The connection's id.
        connection: String,
        /// The connector's id.
        connector: String,
    },
    /// A value of a setting cannot be used.
    #[error("{what}: {reason}")]
    InvalidValue {
        /// The setting.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A flow did not turn on.
    #[error("the flow {flow:?} cannot be turned on: {}", refusal.message)]
    FlowStaysOff {
        /// The flow's name.
        flow: String,
        /// The refusal.
        refusal: Box<Refusal>,
    },
    /// Flows call each other in a circle, so no order of activation exists.
    #[error("these flows call each other in a circle: {}", flows.join(" → "))]
    FlowCycle {
        /// The names of the flows, the first one again at the end.
        flows: Vec<String>,
    },
    /// A configuration data package cannot be read.
    #[error("{file}: {reason}")]
    DataPackage {
        /// The file in the package.
        file: String,
        /// What is wrong, with its line where known.
        reason: String,
    },
    /// Some rows of a configuration data package were not written.
    #[error("{} of the rows could not be written; the first: {}", failures.len(), failures.first().map_or("", String::as_str))]
    DataRows {
        /// One message for each row.
        failures: Vec<String>,
    },
}

fn count(missing: &[MissingDependency]) -> String {
    match missing.len() {
        1 => "a component".to_owned(),
        n => format!("{n} components"),
    }
}

/// The first few, in words.
fn list(missing: &[MissingDependency]) -> String {
    const SHOWN: usize = 3;
    let mut words: Vec<_> = missing
        .iter()
        .take(SHOWN)
        .map(ToString::to_string)
        .collect();
    if missing.len() > SHOWN {
        words.push(format!("and {} more", missing.len() - SHOWN));
    }
    words.join("; ")
}

impl EnvironmentError {
    /// The error for an answer whose status is not a success.
    pub(super) fn refused(refusal: Refusal) -> Self {
        let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
        let refusal = Box::new(refusal);
        match status {
            _ if refusal.service_code.eq_ignore_ascii_case("0x80071151") => Self::Locked(refusal),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Self::NotAllowed(refusal),
            StatusCode::NOT_FOUND => Self::NotFound(refusal),
            _ => Self::Refused(refusal),
        }
    }

    /// The refusal behind this error, if a request was refused.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal)
            | Self::NotAllowed(refusal)
            | Self::NotFound(refusal)
            | Self::Locked(refusal)
            | Self::InUse { refusal, .. }
            | Self::FlowStaysOff { refusal, .. } => Some(refusal),
            _ => None,
        }
    }

    /// Whether the service says that the addressed thing does not exist.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound(_))
    }

    /// Whether the service does not know or offer the operation itself, so that an older one may
    /// serve instead (Dataverse Web API notes, 4.1).
    pub(super) fn is_unsupported(&self) -> bool {
        self.refusal().is_some_and(|refusal| {
            refusal.status == 501
                || (refusal.status == 404 && refusal.message.contains("Resource not found"))
                || (refusal.status == 400 && refusal.message.contains("not enabled"))
        })
    }
}

impl Problem for EnvironmentError {
    fn code(&self) -> &'static str {
        match self {
            Self::Transport(error) => error.code(),
            Self::Refused(_) => "ALM-E001",
            Self::NotAllowed(_) => "ALM-E002",
            Self::NotFound(_) => "ALM-E003",
            Self::Locked(_) => "ALM-E004",
            Self::Unreadable { .. } => "ALM-E005",
            Self::Name(_) => "ALM-E006",
            Self::TooSlow { .. } => "ALM-E007",
            Self::JobFailed { .. } => "ALM-E008",
            Self::ImportFailed { .. } => "ALM-E009",
            Self::MissingDependencies { .. } => "ALM-E010",
            Self::NoSolution { .. } => "ALM-E011",
            Self::NoUpgrade { .. } => "ALM-E012",
            Self::InUse { .. } => "ALM-E013",
            Self::Missing { .. } => "ALM-E014",
            Self::Ambiguous { .. } => "ALM-E015",
            Self::ConnectionNotShared { .. } => "ALM-E016",
            Self::InvalidValue { .. } => "ALM-E017",
            Self::FlowStaysOff { .. } => "ALM-E018",
            Self::FlowCycle { .. } => "ALM-E019",
            Self::DataPackage { .. } => "ALM-E020",
            Self::DataRows { .. } => "ALM-E021",
            Self::NoTable { .. } => "ALM-E022",
        }
    }

    fn request(&self) -> Option<FailedRequest> {
        let refusal = self.refusal()?;
        Some(FailedRequest {
            method: refusal.method.clone(),
            url: refusal.address.clone(),
            status: Some(refusal.status),
            service_code: Some(refusal.service_code.clone()).filter(|code| !code.is_empty()),
        })
    }

    fn details(&self) -> Value {
        match self {
            Self::MissingDependencies { missing, .. } => serde_json::json!({ "missing": missing }),
            Self::ImportFailed { report, .. } => serde_json::json!({ "report": report }),
            Self::FlowCycle { flows } => serde_json::json!({ "flows": flows }),
            Self::DataRows { failures } => serde_json::json!({ "failures": failures }),
            _ => Value::Null,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Transport(error) => return error.hint(),
            Self::NotAllowed(refusal)
                if refusal.service_code.eq_ignore_ascii_case("0x80072560") =>
            {
                "add the identity of this run as a user of the environment (for an application: \
                 an application user) and give it a security role"
            }
            Self::NotAllowed(_) => {
                "give the identity of this run a security role that allows this, for example \
                 System Customizer for solutions"
            }
            Self::Locked(_) => {
                "wait until the other import or publish has ended, then run it again"
            }
            Self::TooSlow { .. } => {
                "look at the environment's solution history; run it again when the operation has ended"
            }
            Self::ImportFailed { service_code, .. } => return import_hint(service_code),
            Self::JobFailed { service_code, .. } => return import_hint(service_code),
            Self::MissingDependencies { missing, .. } => return missing_hint(missing),
            Self::NoSolution { .. } => {
                "check the unique name (not the display name) with `alm env show`"
            }
            Self::NoUpgrade { .. } => {
                "import the new version with mode \"hold\" first, or use mode \"upgrade\""
            }
            Self::InUse { .. } => "remove the dependents first; `dependents_of` lists them",
            Self::Missing { kind, .. } => {
                return Some(format!("check the name of the {kind} in the settings file"));
            }
            Self::NoTable { .. } => {
                "name a table by its entity set, such as `accounts`; what changes an environment \
                 otherwise has a primitive of its own (`publish_all`, `install`, …)"
            }
            Self::ConnectionNotShared { .. } => {
                "ask the owner of the connection to share it with the identity of this run"
            }
            Self::FlowStaysOff { .. } => {
                "check that its connection references have connections and that the flows it \
                 calls are on"
            }
            Self::FlowCycle { .. } => {
                "give one of these flows a sortOrder in ActivateFlowConfiguration"
            }
            Self::DataPackage { .. } => {
                "export the data again with the Configuration Migration tool or `pac data export`"
            }
            Self::Refused(refusal) => return import_hint(&refusal.service_code),
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// What to do about the well-known codes of imports (Dataverse Web API notes, 1.5).
fn import_hint(service_code: &str) -> Option<String> {
    let hint = match service_code.to_ascii_lowercase().as_str() {
        "0x80048040" => {
            "the solution is installed unmanaged here: delete it first, or import the unmanaged package"
        }
        "0x80048041" | "0x80048038" => {
            "the solution is installed managed here: import the managed package, or uninstall it first"
        }
        "0x8004801c" => "the package has another publisher than the installed solution",
        "0x80048068" => {
            "the package was made by a newer version of Dataverse than this environment's"
        }
        "0x8004f01f" => "remove the dependents first; `dependents_of` lists them",
        "0x8004f046" => "see the report for the component that could not be removed",
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Which solutions to install first.
fn missing_hint(missing: &[MissingDependency]) -> Option<String> {
    let mut solutions: Vec<String> = Vec::new();
    for required in missing.iter().map(|missing| &missing.required) {
        let name = match (&required.solution, &required.version) {
            (Some(solution), Some(version)) => format!("{solution} ({version} or newer)"),
            (Some(solution), None) if solution != "Active" => solution.clone(),
            _ => continue,
        };
        if !solutions.contains(&name) {
            solutions.push(name);
        }
    }
    Some(if solutions.is_empty() {
        "add the required components to the solution, or install the solution that has them first"
            .to_owned()
    } else {
        format!("install first: {}", solutions.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_request_status_and_code() {
        let body = serde_json::json!({"error": {"code": "0x80040217", "message": "no such row"}});
        let response = Response::json(StatusCode::NOT_FOUND, &body);
        let refusal = Refusal::read("GET", "https://h/contacts", &response);
        let error = EnvironmentError::refused(refusal);
        assert_eq!(error.code(), "ALM-E003");
        assert_eq!(
            error.to_string(),
            "not found: no such row (GET https://h/contacts answered 404, 0x80040217)"
        );
        assert_eq!(error.request().unwrap().status, Some(404));
    }

    #[test]
    fn a_body_that_is_not_json_still_gives_a_message() {
        let mut response = Response::new(StatusCode::BAD_GATEWAY);
        response.body = b"<html>".to_vec();
        let refusal = Refusal::read("GET", "h/p", &response);
        assert_eq!(refusal.message, "the service answered 502 Bad Gateway");
    }
}
