//! One Dataverse environment, in the words of ALM.
//!
//! [`Environment`] is a client of the Dataverse Web API and of the Power Apps services beside it.
//! It reads and writes rows, moves solutions, and has one mechanism for each thing that must be
//! set after a deployment. Each mechanism can be run again: it looks first, writes only what
//! differs, and says so in a [`Change`]. In which order they run, and when, is a script's business
//! (ARCHITECTURE, D2); who may do what is asked by `script/api`.
//!
//! Signing in and repeating requests is left to the transport that the client is given.

mod batch;
mod canvas_apps;
mod components;
mod connection_references;
mod connections;
pub mod data;
mod environment_variables;
mod error;
mod export;
mod flow_order;
mod flows;
mod group_teams;
mod import;
mod import_report;
mod job;
mod missing_dependency;
pub mod odata;
mod people;
mod plugin_steps;
mod rows;
mod service_hosts;
mod sharing;
mod solutions;
mod staging;
mod table_kinds;
mod tables;
mod uninstall;
mod webhooks;

pub use batch::{BatchItem, BatchOutcome};
pub use canvas_apps::{AppRole, CanvasApp};
pub use components::{Dependency, SolutionComponent};
pub use connection_references::ConnectionReference;
pub use connections::Connection;
pub use environment_variables::EnvironmentVariable;
pub use error::{EnvironmentError, Refusal};
pub use export::ExportOptions;
pub use flow_order::flow_order;
pub use flows::Flow;
pub use group_teams::GroupTeam;
pub use import::{ComponentParameter, ImportMode, ImportOptions};
pub use import_report::{ComponentMessage, ImportReport};
pub use missing_dependency::{ComponentName, MissingDependency};
pub use people::{Team, User};
pub use plugin_steps::StepConfiguration;
pub use rows::Row;
pub use service_hosts::ServiceHosts;
pub use solutions::InstalledSolution;
pub use staging::{StagedSolution, Validation};
pub use table_kinds::{RowTable, TableKind};

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use serde::Serialize;
use url::Url;
use uuid::Uuid;

use crate::transport::{Cancel, Transport};
use odata::Addresses;

/// Hears how far long work has come. A run implements it.
pub trait Progress: Send + Sync {
    /// `percent` is 0 to 100 where the service tells it; `message` names the work.
    fn progress(&self, percent: Option<f64>, message: &str);
}

/// A [`Progress`] that nobody listens to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn progress(&self, _: Option<f64>, _: &str) {}
}

/// How long this client waits for asynchronous operations.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    /// The first pause between two looks; each further one is half as long again.
    pub first: Duration,
    /// The longest pause between two looks.
    pub longest: Duration,
    /// The most time for one operation. 120 minutes as in the ALM Accelerator (notes, 1.8).
    pub limit: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(20),
            longest: Duration::from_secs(8),
            limit: Duration::from_secs(120 * 60),
        }
    }
}

/// What [`Environment::connect`] needs to know.
pub struct Connect {
    /// The name of the environment in the workspace, for messages.
    pub name: String,
    /// Its address, for example `https://contoso-dev.crm4.dynamics.com`.
    pub url: Url,
    /// Where requests go. It adds the token and repeats what may be repeated.
    pub transport: Arc<dyn Transport>,
    /// Looked at in every wait.
    pub cancel: Cancel,
    /// Hears of long work.
    pub progress: Arc<dyn Progress>,
    /// Where the services beside Dataverse answer.
    pub hosts: ServiceHosts,
    /// How long to wait.
    pub waits: Waits,
}

impl Connect {
    /// The usual: hosts of the cloud that `url` belongs to, nobody listening, usual waits.
    pub fn new(name: impl Into<String>, url: Url, transport: Arc<dyn Transport>) -> Self {
        let hosts = ServiceHosts::beside(&url);
        Self {
            name: name.into(),
            url,
            transport,
            cancel: Cancel::new(),
            progress: Arc::new(Silent),
            hosts,
            waits: Waits::default(),
        }
    }
}

/// A client of one environment. Cloning is cheap and shares everything.
#[derive(Clone)]
pub struct Environment(Arc<Inner>);

struct Inner {
    name: String,
    url: Url,
    addresses: Addresses,
    transport: Arc<dyn Transport>,
    cancel: Cancel,
    progress: Arc<dyn Progress>,
    hosts: ServiceHosts,
    waits: Waits,
    caller: OnceLock<Caller>,
    environment_id: OnceLock<String>,
    tables: Mutex<HashMap<String, Arc<tables::Table>>>,
    row_tables: Mutex<Vec<Arc<RowTable>>>,
}

/// Who this client is in the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Caller {
    /// The row of the caller in `systemusers`.
    pub user_id: Uuid,
    /// The caller's business unit.
    pub business_unit_id: Uuid,
    /// The organisation behind the environment.
    pub organization_id: Uuid,
}

/// What a mechanism did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Whether anything was written.
    pub changed: bool,
    /// What was set or found set, for the log. Never contains a value that could be secret.
    pub message: String,
}

impl Change {
    /// Something was written.
    pub(crate) fn made(message: impl Into<String>) -> Self {
        Self {
            changed: true,
            message: message.into(),
        }
    }

    /// Everything was as wanted.
    pub(crate) fn none(message: impl Into<String>) -> Self {
        Self {
            changed: false,
            message: message.into(),
        }
    }
}

impl Environment {
    /// A client for the environment that `connect` describes. Nothing is sent yet.
    pub fn connect(connect: Connect) -> Self {
        let mut root = connect.url.clone();
        root.set_query(None);
        root.set_fragment(None);
        if let Ok(mut segments) = root.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "data", "v9.2", ""]);
        }
        Self(Arc::new(Inner {
            name: connect.name,
            url: connect.url,
            addresses: Addresses::new(root),
            transport: connect.transport,
            cancel: connect.cancel,
            progress: connect.progress,
            hosts: connect.hosts,
            waits: connect.waits,
            caller: OnceLock::new(),
            environment_id: OnceLock::new(),
            tables: Mutex::default(),
            row_tables: Mutex::default(),
        }))
    }

    /// The name of the environment in the workspace.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The address of the environment.
    pub fn url(&self) -> &Url {
        &self.0.url
    }

    /// Who this client is. Asked once, then remembered.
    ///
    /// # Errors
    /// [`EnvironmentError::NotAllowed`] when the identity is no user of the environment.
    pub fn who_am_i(&self) -> Result<Caller, EnvironmentError> {
        if let Some(caller) = self.0.caller.get() {
            return Ok(caller.clone());
        }
        let answer = self.function("WhoAmI", &[])?;
        let id = |name| rows::guid_of(&answer, name, "asking who the caller is");
        let caller = Caller {
            user_id: id("UserId")?,
            business_unit_id: id("BusinessUnitId")?,
            organization_id: id("OrganizationId")?,
        };
        Ok(self.0.caller.get_or_init(|| caller).clone())
    }

    fn addresses(&self) -> &Addresses {
        &self.0.addresses
    }

    fn cancel(&self) -> &Cancel {
        &self.0.cancel
    }

    fn report(&self, percent: Option<f64>, message: &str) {
        self.0.progress.progress(percent, message);
    }

    /// The error for something that a setting names and the environment does not have.
    fn missing(&self, kind: &'static str, name: &str) -> EnvironmentError {
        EnvironmentError::Missing {
            kind,
            name: name.to_owned(),
            environment: self.name().to_owned(),
        }
    }

    /// The only one of `found`, or the error that says that there is none or more than one.
    fn only<T>(
        &self,
        kind: &'static str,
        name: &str,
        mut found: Vec<T>,
    ) -> Result<T, EnvironmentError> {
        match found.len() {
            1 => Ok(found.remove(0)),
            0 => Err(self.missing(kind, name)),
            count => Err(EnvironmentError::Ambiguous {
                kind,
                name: name.to_owned(),
                count,
                environment: self.name().to_owned(),
            }),
        }
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment")
            .field("name", &self.0.name)
            .field("url", &self.0.url.as_str())
            .finish()
    }
}
