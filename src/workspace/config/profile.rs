//! `[profiles.NAME]`: a repository and the stages that a solution goes through.
//!
//! The fields are those of AA4PP's deployment profile, deployment step and deployment solution
//! profile (`facts/alm-accelerator.md`, 3.1); a *step* there is a *stage* here.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::SecretSource;

/// A deployment profile.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// One line that says what it is for.
    pub description: Option<String>,
    /// The repository that holds the source.
    pub repository: String,
    /// The branch that work is merged into: `solution` for the branch named as the solution, or a
    /// branch's name.
    #[serde(default)]
    pub target_branch: BranchRule,
    /// The Azure DevOps project whose pipelines are used; left out: the repository's project.
    pub pipelines_project: Option<String>,
    /// The agent pool for generated pipelines.
    pub agent_pool: Option<String>,
    /// The virtual machine image for generated pipelines.
    pub vm_image: Option<String>,
    /// The stages, in the order in which a solution goes through them.
    #[serde(default)]
    pub stages: Vec<Stage>,
}

/// One stage of a profile: one environment and how a solution gets there.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Its name, unique in the profile.
    pub name: String,
    /// The environment that it deploys to.
    pub environment: String,
    /// Whether it deploys managed to a target or unmanaged to a development environment.
    #[serde(default)]
    pub kind: StageKind,
    /// What must happen before it runs.
    #[serde(default)]
    pub approval: Approval,
    /// Whether a maker may choose it in `deploy`; a validation stage usually may not be chosen,
    /// since pull requests run it.
    #[serde(default = "yes")]
    pub deployable: bool,
    /// The branch that a deployment starts from; left out: the maker's own branch.
    pub source_branch: Option<BranchRule>,
    /// The branch that a deployment merges into; left out: the profile's target branch.
    pub target_branch: Option<BranchRule>,
    /// The stage that a solution must have passed before.
    pub prerequisite: Option<String>,
    /// Who has to approve a deployment of approval type `environment`: names of people or groups.
    #[serde(default)]
    pub approvers: Vec<String>,
    /// Whether whoever asks for a deployment may approve it too. Left out: somebody else has to.
    #[serde(default)]
    pub self_approval: bool,
    /// Whether components that are gone from the source are removed (an upgrade); left out: the
    /// pull request's label `solution-upgrade` decides.
    pub upgrade: Option<bool>,
    /// Whether people are spared the consent dialogue of canvas apps there.
    #[serde(default)]
    pub bypass_consent: bool,
    /// The folder under the solution's `config` with its settings; left out: the environment's
    /// name.
    pub settings: Option<String>,
    /// A pipeline file to generate from instead of the usual one.
    pub build_template: Option<String>,
    /// Values for the tokens `#{name}#` in settings files: texts, or where secrets are kept.
    #[serde(default)]
    pub variables: BTreeMap<String, StageValue>,
}

/// The value of a stage's variable.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum StageValue {
    /// A text.
    Text(String),
    /// A secret, read from where it is kept when a deployment to the stage needs it.
    Secret(SecretSource),
    /// A secret in Azure Key Vault, for an environment variable of the type *secret*. Such a
    /// variable holds the reference, and Dataverse itself reads the secret
    /// (`facts/dataverse-web-api.md`, environment variables), so nobody here ever sees it.
    KeyVault(KeyVaultSecret),
}

/// The reference of a secret in Azure Key Vault.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyVaultSecret {
    /// `/subscriptions/…/resourceGroups/…/providers/Microsoft.KeyVault/vaults/…/secrets/…`, or the
    /// secret's address.
    #[schemars(extend("format" = "key-vault-secret"))]
    pub keyvault: String,
}

/// What must happen before a stage runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Approval {
    /// A pull request is opened; its policies and its completion are the gate.
    #[default]
    PullRequest,
    /// A deployment is queued and waits until somebody approves it.
    Environment,
    /// A deployment is queued and runs.
    None,
}

impl Approval {
    /// The word that `alm.toml` uses for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PullRequest => "pull-request",
            Self::Environment => "environment",
            Self::None => "none",
        }
    }
}

/// What a stage deploys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StageKind {
    /// The unmanaged solution, into a development environment.
    Development,
    /// The managed solution, into a target.
    #[default]
    Deployment,
}

impl StageKind {
    /// The word that `alm.toml` uses for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Deployment => "deployment",
        }
    }
}

/// What the builds of a stage do, and what queues them.
///
/// This is the one place that says so: pipelines are made from it, and the agent holds builds
/// against it (`facts/alm-accelerator.md`, 1.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageBuild {
    /// The script that a build runs.
    pub script: &'static str,
    /// What queues a build.
    pub starts: BuildStart,
}

/// What queues a build of a stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BuildStart {
    /// Somebody who deploys.
    #[default]
    ByHand,
    /// A pull request into a branch that the profile merges into.
    PullRequest,
    /// A push to the branch that the stage merges into, as a completed pull request makes one.
    Push,
}

impl BuildStart {
    /// The word that scripts use for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ByHand => "by-hand",
            Self::PullRequest => "pull-request",
            Self::Push => "push",
        }
    }
}

/// A branch: by its name, or the one that is named as the solution.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(from = "String")]
#[schemars(with = "String", extend("format" = "branch"))]
pub enum BranchRule {
    /// The branch named as the solution, so that one profile serves many solutions.
    #[default]
    Solution,
    /// A branch by its name, without `refs/heads/`.
    Named(String),
}

impl BranchRule {
    /// The branch's name for `solution`.
    pub fn branch<'a>(&'a self, solution: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(match self {
            Self::Solution => solution,
            Self::Named(name) => name,
        })
    }
}

impl From<String> for BranchRule {
    fn from(text: String) -> Self {
        match text.as_str() {
            // The second is what AA4PP's app writes into its tables.
            "solution" | "[Use Solution Branches]" => Self::Solution,
            name => Self::Named(name.strip_prefix("refs/heads/").unwrap_or(name).to_owned()),
        }
    }
}

/// `[solutions.UniqueName]`: choices for one solution.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SolutionChoice {
    /// The profile that the solution uses.
    pub profile: Option<String>,
    /// The development environment that it is made in.
    pub environment: Option<String>,
}

impl Stage {
    /// What the builds of this stage do; `None` for a development stage, which has none.
    ///
    /// A stage that nobody chooses is the validation: pull requests run it. A stage behind a pull
    /// request is released when that is merged. Any other is queued by whoever deploys.
    pub fn build(&self) -> Option<StageBuild> {
        let (script, starts) = match (self.kind, self.deployable, self.approval) {
            (StageKind::Development, _, _) => return None,
            (StageKind::Deployment, false, _) => ("validate", BuildStart::PullRequest),
            (StageKind::Deployment, true, Approval::PullRequest) => ("release", BuildStart::Push),
            (StageKind::Deployment, true, _) => ("release", BuildStart::ByHand),
        };
        Some(StageBuild { script, starts })
    }

    /// The folder under a solution's `config` that holds this stage's settings.
    pub fn settings_folder(&self) -> &str {
        self.settings.as_deref().unwrap_or(&self.environment)
    }
}

impl Profile {
    /// The stage called `name`.
    pub fn stage(&self, name: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.name == name)
    }

    /// The branch that a deployment of `solution` to `stage` merges into.
    pub fn target_branch_of<'a>(&'a self, stage: &'a Stage, solution: &'a str) -> Cow<'a, str> {
        stage
            .target_branch
            .as_ref()
            .unwrap_or(&self.target_branch)
            .branch(solution)
    }
}

impl Profile {
    /// The stage that validates pull requests, where the profile has one.
    pub fn validation(&self) -> Option<&Stage> {
        self.stages.iter().find(|stage| {
            stage
                .build()
                .is_some_and(|it| it.starts == BuildStart::PullRequest)
        })
    }

    /// The branches that `solution` reaches by pull request only: those that a stage behind a pull
    /// request merges into. Where the profile has none of those, its target branch.
    pub fn branches_behind_pull_requests(&self, solution: &str) -> Vec<String> {
        let mut branches: Vec<String> = self
            .stages
            .iter()
            .filter(|stage| {
                stage
                    .build()
                    .is_some_and(|it| it.starts == BuildStart::Push)
            })
            .map(|stage| self.target_branch_of(stage, solution).into_owned())
            .collect();
        if branches.is_empty() {
            branches.push(self.target_branch.branch(solution).into_owned());
        }
        branches.sort_unstable();
        branches.dedup();
        branches
    }
}

fn yes() -> bool {
    true
}
