//! Why a run could not start, or could not be written down.

use crate::database::DatabaseError;
use crate::problem::Problem;
use crate::run::RunId;
use crate::script::LibraryError;
use crate::script::api::HostError;
use crate::script::parameters::{ParameterError, option_name};
use crate::workspace::{Refusal, WorkspaceError};

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
    /// The texts that the run began with are not on record.
    #[error("what run {0} began with is not on record")]
    NotRecorded(RunId),
    /// Somebody else's run, and no right to approve there.
    #[error("run {run} is {who}'s, and persona `{persona}` may not go on with it")]
    NotYours {
        /// The run.
        run: RunId,
        /// Who began it.
        who: String,
        /// Who wanted to go on with it.
        persona: String,
    },
    /// The run was begun with a value that its persona may no longer choose.
    #[error(
        "`{parameter}` of `{script}` is not for persona `{persona}` to choose, and the run has another value than is fixed for it"
    )]
    NotToChoose {
        /// The persona that the run was begun as.
        persona: String,
        /// The script.
        script: String,
        /// The parameter.
        parameter: String,
    },
    /// A resumed run has the parameters that it began with.
    #[error("run {run} goes on with the `{parameter}` that it began with")]
    Settled {
        /// The run.
        run: RunId,
        /// The parameter.
        parameter: String,
    },
    /// Parameters that are secrets are not kept.
    #[error("run {run} was begun with secrets, which are not kept: {}", missing.join(", "))]
    SecretsLeftOut {
        /// The run.
        run: RunId,
        /// The parameters.
        missing: Vec<String>,
    },
    /// A step ended with a secret, which is not kept.
    #[error(
        "the step `{step}` ended with a secret, which is not kept, so run {run} cannot go on after it"
    )]
    SecretResult {
        /// The run.
        run: RunId,
        /// The step.
        step: String,
    },
    /// Nobody in particular wants to approve.
    #[error("an approval is a person's, and nobody is named")]
    Nobody,
    /// The run waits for others.
    #[error("run {run} does not wait for {by} but for {}", approvers.join(", "))]
    NotApprover {
        /// The run.
        run: RunId,
        /// Who wanted to answer.
        by: String,
        /// Who may.
        approvers: Vec<String>,
    },
    /// One's own run.
    #[error("run {run} is {by}'s own, and somebody else has to approve it")]
    OwnRun {
        /// The run.
        run: RunId,
        /// Who wanted to answer.
        by: String,
    },
    /// The policy forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
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

impl RunError {
    /// Whether somebody wanted what she may not, which the audit log keeps.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::NotForPersona { .. }
                | Self::NotYours { .. }
                | Self::NotToChoose { .. }
                | Self::Nobody
                | Self::NotApprover { .. }
                | Self::OwnRun { .. }
        )
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
            Self::NotRecorded(_) => "ALM-R007",
            Self::NotWaiting(_) => "ALM-R008",
            Self::Artifact { .. } => "ALM-R009",
            Self::NotForPersona { .. } => "ALM-R010",
            Self::NotYours { .. } => "ALM-R031",
            Self::NotToChoose { .. } => "ALM-R032",
            Self::SecretsLeftOut { .. } => "ALM-R033",
            Self::SecretResult { .. } => "ALM-R034",
            Self::Settled { .. } => "ALM-R038",
            Self::Nobody => "ALM-R035",
            Self::NotApprover { .. } => "ALM-R036",
            Self::OwnRun { .. } => "ALM-R037",
            Self::Refused(error) => error.code(),
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
            Self::NotRecorded(_) | Self::SecretResult { .. } => {
                Some("start it anew; its steps may do things again".into())
            }
            Self::NotYours { .. } => Some(
                "whoever began it, or somebody who may approve there, can go on with it".into(),
            ),
            Self::Settled { .. } => Some("start it anew, or leave the parameter out".into()),
            Self::NotToChoose { script, .. } => Some(format!("start `{script}` anew")),
            Self::SecretsLeftOut { run, missing } => {
                let options = missing
                    .iter()
                    .map(|name| format!("--{} …", option_name(name)));
                let options = options.collect::<Vec<_>>().join(" ");
                Some(format!(
                    "give them again: `alm run NAME --resume {run} {options}`"
                ))
            }
            Self::Nobody => {
                Some("say who you are with `--identity NAME`, or `--as PERSONA`".into())
            }
            Self::NotApprover { .. } | Self::OwnRun { .. } => {
                Some("`alm show` tells whom it waits for".into())
            }
            Self::Refused(error) => error.hint(),
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
