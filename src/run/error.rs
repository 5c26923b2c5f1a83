//! Why a run could not start, or could not be written down.

use crate::database::DatabaseError;
use crate::problem::Problem;
use crate::run::RunId;
use crate::script::LibraryError;
use crate::script::api::HostError;
use crate::script::parameters::ParameterError;
use crate::workspace::WorkspaceError;

/// Why a run could not start, or could not be written down. What goes wrong inside a script is no
/// error here: it is the outcome of the run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The history cannot be opened, read or written.
    #[error("the history cannot be used")]
    Store(#[from] rusqlite::Error),
    /// A file of the state folder cannot be written.
    #[error("{what} cannot be written")]
    State {
        /// Which file or folder.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The history was written by a newer version of the program.
    #[error("the history has version {found}, this program knows version {known}")]
    Newer {
        /// The version of the file.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// No run has this number.
    #[error("there is no run {0}")]
    NoRun(RunId),
    /// The run has not ended.
    #[error("run {0} is still going on")]
    Running(RunId),
    /// The run ended well, so there is nothing to resume.
    #[error("run {0} succeeded; there is nothing left to resume")]
    Succeeded(RunId),
    /// The script is no longer the one that the run began with.
    #[error("`{script}` was changed since run {run} began")]
    Changed {
        /// The run.
        run: RunId,
        /// Its script.
        script: String,
    },
    /// The run does not wait for an answer.
    #[error("run {0} does not wait for anything")]
    NotWaiting(RunId),
    /// An artifact is not there, or not what it was.
    #[error("artifact {address} {reason}")]
    Artifact {
        /// Its SHA-256.
        address: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The persona has no such script.
    #[error("persona `{persona}` has no script `{script}`")]
    NotForPersona {
        /// The persona.
        persona: String,
        /// The script.
        script: String,
    },
    /// The script cannot be found or read.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// What was given does not fit what the script declares.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// There is no workspace to run in.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// A part of the host refused, such as the emulated tenant.
    #[error("{0}")]
    Host(HostError),
}

impl From<DatabaseError> for RunError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Sqlite(error) => Self::Store(error),
            DatabaseError::Newer { found, known } => Self::Newer { found, known },
        }
    }
}

impl From<crate::branch::BranchError> for RunError {
    fn from(error: crate::branch::BranchError) -> Self {
        Self::Host(HostError::from(error))
    }
}

impl Problem for RunError {
    fn code(&self) -> &'static str {
        match self {
            Self::Store(_) => "ALM-R001",
            Self::State { .. } => "ALM-R002",
            Self::Newer { .. } => "ALM-R003",
            Self::NoRun(_) => "ALM-R004",
            Self::Running(_) => "ALM-R005",
            Self::Succeeded(_) => "ALM-R006",
            Self::Changed { .. } => "ALM-R007",
            Self::NotWaiting(_) => "ALM-R008",
            Self::Artifact { .. } => "ALM-R009",
            Self::NotForPersona { .. } => "ALM-R010",
            Self::Library(error) => error.code(),
            Self::Parameter(error) => error.code(),
            Self::Workspace(error) => error.code(),
            Self::Host(_) => "ALM-R011",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Store(_) | Self::State { .. } => {
                Some("check that the folder `.alm` of the workspace can be written".into())
            }
            Self::Newer { .. } => Some("use the newer program, or move `.alm` away".into()),
            Self::NoRun(_) | Self::NotWaiting(_) => Some("`alm history` lists the runs".into()),
            Self::Running(_) => Some("wait for its end, or cancel it where it runs".into()),
            Self::Succeeded(_) => None,
            Self::Changed { script, .. } => Some(format!(
                "start it anew: `alm run {script}`; its steps may do things again"
            )),
            Self::Artifact { .. } => Some("start the run anew instead of resuming it".into()),
            Self::NotForPersona { .. } => {
                Some("`alm scripts` lists the scripts that there are".into())
            }
            Self::Library(error) => error.hint(),
            Self::Parameter(error) => error.hint(),
            Self::Workspace(error) => error.hint(),
            Self::Host(error) => error.hint.clone(),
        }
    }
}

impl From<HostError> for RunError {
    fn from(error: HostError) -> Self {
        Self::Host(error)
    }
}
