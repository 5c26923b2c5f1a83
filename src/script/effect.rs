//! What a primitive is about to do, and who may forbid it.
//!
//! Every primitive that changes something outside the run asks first, in one way:
//! `context.permit(Effect::on_environment(Action::Install, "prod"))?`. The policy itself
//! (`alm.toml` and the persona) is data that the workspace owns; this file only knows the question.

use serde::{Deserialize, Serialize};

use super::api::HostError;

/// A kind of effect, in the words that `alm.toml` uses (`kebab-case`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Read rows, components, solutions, files or pull requests.
    Read,
    /// Export a solution from an environment.
    Export,
    /// Publish all customizations.
    Publish,
    /// Import a solution: install, update, upgrade or apply a held upgrade.
    Install,
    /// Delete or uninstall a solution.
    Delete,
    /// Change settings: variables, connection references, teams, shares, owners, flow states.
    Configure,
    /// Write rows of tables.
    WriteRows,
    /// Create a branch.
    CreateBranch,
    /// Commit to a branch.
    Commit,
    /// Open or change a pull request.
    OpenPullRequest,
    /// Approve a pull request or a deployment.
    Approve,
    /// Complete a pull request.
    CompletePullRequest,
    /// Abandon a pull request.
    AbandonPullRequest,
    /// Queue or cancel a build.
    QueueBuild,
    /// Create or change pipelines and branch policies.
    ManagePipelines,
}

impl Action {
    /// The word for this action in `alm.toml` and in messages, for example `create-branch`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Export => "export",
            Self::Publish => "publish",
            Self::Install => "install",
            Self::Delete => "delete",
            Self::Configure => "configure",
            Self::WriteRows => "write-rows",
            Self::CreateBranch => "create-branch",
            Self::Commit => "commit",
            Self::OpenPullRequest => "open-pull-request",
            Self::Approve => "approve",
            Self::CompletePullRequest => "complete-pull-request",
            Self::AbandonPullRequest => "abandon-pull-request",
            Self::QueueBuild => "queue-build",
            Self::ManagePipelines => "manage-pipelines",
        }
    }
}

/// Where an effect happens, by the name that `alm.toml` gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// An environment of the workspace.
    Environment(String),
    /// A repository of the workspace.
    Repository(String),
}

/// One effect that a primitive is about to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// What is done.
    pub action: Action,
    /// Where.
    pub target: Target,
    /// The branch that is touched, in a repository.
    pub branch: Option<String>,
}

impl Effect {
    /// `action` in the environment called `name`.
    pub fn on_environment(action: Action, name: impl Into<String>) -> Self {
        Self {
            action,
            target: Target::Environment(name.into()),
            branch: None,
        }
    }

    /// `action` in the repository called `name`.
    pub fn on_repository(action: Action, name: impl Into<String>) -> Self {
        Self {
            action,
            target: Target::Repository(name.into()),
            branch: None,
        }
    }

    /// The same effect, on one branch.
    #[must_use]
    pub fn branch(mut self, branch: impl Into<String>) -> Self {
        self.branch = Some(branch.into());
        self
    }
}

impl std::fmt::Display for Effect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (kind, name) = match &self.target {
            Target::Environment(name) => ("environment", name),
            Target::Repository(name) => ("repository", name),
        };
        write!(f, "{} in {kind} `{name}`", self.action.word())?;
        match &self.branch {
            Some(branch) => write!(f, ", branch `{branch}`"),
            None => Ok(()),
        }
    }
}

/// Decides about effects. One per run; a script cannot change it.
pub trait Policy: Send + Sync {
    /// Allows `effect` or says why not.
    ///
    /// # Errors
    /// The refusal, worded for the person who runs the script.
    fn permit(&self, effect: &Effect) -> Result<(), HostError>;
}

/// The policy of a host that has none: everything is allowed.
#[derive(Debug, Clone, Copy, Default)]
pub struct AllowAll;

impl Policy for AllowAll {
    fn permit(&self, _effect: &Effect) -> Result<(), HostError> {
        Ok(())
    }
}
