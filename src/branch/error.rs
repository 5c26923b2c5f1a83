//! What can go wrong with branches, pull requests and builds.

use crate::git::GitError;
use crate::problem::{FailedRequest, Problem};
use crate::transport::{Cancelled, TransportError};
use crate::workspace::audit::AuditError;

/// Why something about a repository or its host failed.
#[derive(Debug, thiserror::Error)]
pub enum BranchError {
    /// The objects or references on this machine.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The host did not answer.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The host asked to sign in instead of answering.
    #[error("the git host does not accept who we are: {reason}")]
    SignIn {
        /// What it answered.
        reason: String,
        /// The request.
        request: FailedRequest,
    },
    /// The host knows who we are and says no.
    #[error("not allowed: {reason}")]
    Forbidden {
        /// What it answered.
        reason: String,
        /// The request.
        request: FailedRequest,
    },
    /// Something that is not there, or that we may not see.
    #[error("{reason}")]
    NotFound {
        /// What it answered.
        reason: String,
        /// The request.
        request: FailedRequest,
    },
    /// There is an open pull request for the same two branches.
    #[error("there is an open pull request for these two branches already")]
    PullRequestExists {
        /// The request.
        request: FailedRequest,
    },
    /// Somebody changed the source, or the branch, meanwhile.
    #[error("it has changed meanwhile: {reason}")]
    Changed {
        /// What it answered.
        reason: String,
    },
    /// The two branches cannot be merged.
    #[error("the branches have conflicts: {reason}")]
    Conflicts {
        /// The paths, or what the host says.
        reason: String,
    },
    /// A policy of the target branch is not met.
    #[error("a branch policy is not met: {reason}")]
    Policy {
        /// Which, in the host's words.
        reason: String,
    },
    /// Any other refusal of the host.
    #[error("{reason}")]
    Refused {
        /// What it answered.
        reason: String,
        /// The request.
        request: FailedRequest,
    },
    /// The host answered something that this program does not understand.
    #[error("the git host's answer cannot be read: {reason}")]
    Answer {
        /// What is wrong with it.
        reason: String,
        /// The request.
        request: FailedRequest,
    },
    /// The branch is there already.
    #[error("the branch `{0}` exists already")]
    BranchExists(String),
    /// The branch is not there.
    #[error("there is no branch `{0}`")]
    NoBranch(String),
    /// The pull request is no longer open.
    #[error("pull request {id} is {state}")]
    NotOpen {
        /// Its number.
        id: i64,
        /// What it is instead.
        state: String,
    },
    /// It took longer than the caller wanted to wait.
    #[error("{what} took longer than {seconds} s")]
    TooLong {
        /// What was waited for.
        what: String,
        /// For how long.
        seconds: u64,
    },
    /// No `git` program, or one that is too old.
    #[error("{0}")]
    GitProgram(String),
    /// `git` failed.
    #[error("git {command}: {reason}")]
    GitCommand {
        /// Which of its commands.
        command: String,
        /// What it said.
        reason: String,
    },
    /// A file of the remote's mirror on this machine.
    #[error("{path}: {source}")]
    File {
        /// Which file or folder.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The profile has pull requests validated, and the branch has no policy for it.
    #[error(
        "pull requests into `{branch}` are not validated: the build policy for {solution} is missing"
    )]
    Unvalidated {
        /// The solution.
        solution: String,
        /// The branch.
        branch: String,
    },
    /// The host has done it, and the audit log could not keep it.
    #[error("it was done, but {0}")]
    Unaudited(#[from] AuditError),
    /// What was asked for makes no sense.
    #[error("{0}")]
    Invalid(String),
}

impl From<Cancelled> for BranchError {
    fn from(cancelled: Cancelled) -> Self {
        Self::Transport(cancelled.into())
    }
}

impl Problem for BranchError {
    fn code(&self) -> &'static str {
        match self {
            Self::Git(error) => error.code(),
            Self::Transport(error) => error.code(),
            Self::SignIn { .. } => "ALM-B010",
            Self::Forbidden { .. } => "ALM-B011",
            Self::NotFound { .. } => "ALM-B012",
            Self::PullRequestExists { .. } => "ALM-B013",
            Self::Changed { .. } => "ALM-B014",
            Self::Conflicts { .. } => "ALM-B015",
            Self::Policy { .. } => "ALM-B016",
            Self::Refused { .. } => "ALM-B017",
            Self::Answer { .. } => "ALM-B018",
            Self::BranchExists(_) => "ALM-B019",
            Self::NoBranch(_) => "ALM-B020",
            Self::NotOpen { .. } => "ALM-B021",
            Self::TooLong { .. } => "ALM-B022",
            Self::GitProgram(_) => "ALM-B023",
            Self::GitCommand { .. } => "ALM-B024",
            Self::File { .. } => "ALM-B025",
            Self::Invalid(_) => "ALM-B026",
            Self::Unvalidated { .. } => "ALM-B027",
            Self::Unaudited(_) => "ALM-B039",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Git(error) => return error.hint(),
            Self::Transport(error) => return error.hint(),
            Self::SignIn { .. } => {
                "check the identity that alm.toml names for this host; an access token may have expired".into()
            }
            Self::Forbidden { .. } => "ask for this right in the project's settings".into(),
            Self::NotFound { .. } => {
                "check host, project and repository in alm.toml, and that the identity may see them".into()
            }
            Self::PullRequestExists { .. } => {
                "use the open one, or complete or abandon it first".into()
            }
            Self::Changed { .. } => "look at the new state and run it again".into(),
            Self::Conflicts { .. } => {
                "merge the target branch into the source branch, resolve the conflicts and try again".into()
            }
            Self::Policy { .. } => {
                "see the checks of the pull request; complete it when they have passed".into()
            }
            Self::Unvalidated { solution, .. } => {
                format!("`alm run commit --solution {solution}` makes it, also when nothing changed")
            }
            Self::BranchExists(_) => "choose another name, or save to the existing branch".into(),
            Self::NoBranch(_) => "look at the list of branches; names are case-sensitive".into(),
            Self::TooLong { .. } => "it may still happen; look again later".into(),
            Self::GitProgram(_) => "install git 2.41 or newer".into(),
            Self::Refused { .. }
            | Self::Answer { .. }
            | Self::NotOpen { .. }
            | Self::GitCommand { .. }
            | Self::File { .. }
            | Self::Unaudited(_)
            | Self::Invalid(_) => return None,
        })
    }

    fn request(&self) -> Option<FailedRequest> {
        match self {
            Self::SignIn { request, .. }
            | Self::Forbidden { request, .. }
            | Self::NotFound { request, .. }
            | Self::PullRequestExists { request }
            | Self::Refused { request, .. }
            | Self::Answer { request, .. } => Some(request.clone()),
            _ => None,
        }
    }
}
