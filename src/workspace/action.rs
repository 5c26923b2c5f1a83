//! The things that can be done to an environment or a repository.
//!
//! A primitive that has an effect names one of these; personas and policy are written in them.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// One kind of effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Look at an environment or a repository.
    Read,
    /// Take a solution out of an environment.
    Export,
    /// Publish customizations, which is environment-wide.
    Publish,
    /// Import an unmanaged solution.
    Import,
    /// Import a managed solution, stage or apply an upgrade.
    ImportManaged,
    /// Delete a solution, and with it what it holds.
    Delete,
    /// Change settings: variables, references, teams, shares, owners, flow states, webhooks, steps.
    Configure,
    /// Create, change or delete rows of tables.
    WriteRows,
    /// Write a commit to a branch.
    Commit,
    /// Create a branch.
    CreateBranch,
    /// Open a pull request, change its text or its labels.
    OpenPullRequest,
    /// Abandon a pull request.
    AbandonPullRequest,
    /// Vote for a pull request.
    ApprovePullRequest,
    /// Complete a pull request, or have it completed by itself.
    CompletePullRequest,
    /// Create pipelines and branch policies.
    ManagePipelines,
    /// Queue or cancel a build or a deployment.
    QueueBuild,
    /// Approve or reject a deployment that waits.
    Approve,
    /// Write deployment settings into the source.
    Settings,
    /// Write Power Pages sites into the source.
    PowerPages,
    /// Write a new `alm.toml` with its profiles into the source.
    CreateProfiles,
    /// Change the profiles of an `alm.toml` in the source.
    UpdateProfiles,
}

impl Action {
    /// Every action, in the order of the declaration.
    pub const ALL: [Self; 21] = [
        Self::Read,
        Self::Export,
        Self::Publish,
        Self::Import,
        Self::ImportManaged,
        Self::Delete,
        Self::Configure,
        Self::WriteRows,
        Self::Commit,
        Self::CreateBranch,
        Self::OpenPullRequest,
        Self::AbandonPullRequest,
        Self::ApprovePullRequest,
        Self::CompletePullRequest,
        Self::ManagePipelines,
        Self::QueueBuild,
        Self::Approve,
        Self::Settings,
        Self::PowerPages,
        Self::CreateProfiles,
        Self::UpdateProfiles,
    ];

    /// The actions that are done to environments.
    pub const ON_ENVIRONMENTS: [Self; 8] = [
        Self::Read,
        Self::Export,
        Self::Publish,
        Self::Import,
        Self::ImportManaged,
        Self::Delete,
        Self::Configure,
        Self::WriteRows,
    ];

    /// What a release and a validation do to their environment.
    pub const OF_RELEASES: [Self; 4] = [
        Self::Read,
        Self::ImportManaged,
        Self::Configure,
        Self::WriteRows,
    ];

    /// The word for it in `alm.toml` and in messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Export => "export",
            Self::Publish => "publish",
            Self::Import => "import",
            Self::ImportManaged => "import-managed",
            Self::Delete => "delete",
            Self::Configure => "configure",
            Self::WriteRows => "write-rows",
            Self::Commit => "commit",
            Self::CreateBranch => "create-branch",
            Self::OpenPullRequest => "open-pull-request",
            Self::AbandonPullRequest => "abandon-pull-request",
            Self::ApprovePullRequest => "approve-pull-request",
            Self::CompletePullRequest => "complete-pull-request",
            Self::ManagePipelines => "manage-pipelines",
            Self::QueueBuild => "queue-build",
            Self::Approve => "approve",
            Self::Settings => "settings",
            Self::PowerPages => "power-pages",
            Self::CreateProfiles => "create-profiles",
            Self::UpdateProfiles => "update-profiles",
        }
    }

    /// The import of a solution: which of the two depends on the package.
    pub fn install(managed: bool) -> Self {
        if managed {
            Self::ImportManaged
        } else {
            Self::Import
        }
    }

    /// The action that a word of `alm.toml` stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.word() == word)
    }

    /// The words of all actions.
    pub fn words() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(Self::word)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = Cow::<'_, str>::deserialize(deserializer)?;
        Self::from_word(&word)
            .ok_or_else(|| serde::de::Error::custom(format_args!("`{word}` is not an action")))
    }
}

impl JsonSchema for Action {
    fn schema_name() -> Cow<'static, str> {
        "Action".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<&str> = Self::words().collect();
        json_schema!({ "type": "string", "enum": words })
    }
}

/// A set of actions, written as a list of words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Actions(Vec<Action>);

impl Actions {
    /// Whether `action` is among them.
    pub fn contains(&self, action: Action) -> bool {
        self.0.contains(&action)
    }

    /// The actions in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = Action> {
        self.0.iter().copied()
    }
}

impl FromIterator<Action> for Actions {
    fn from_iter<I: IntoIterator<Item = Action>>(actions: I) -> Self {
        Self(actions.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_found_by_its_word_and_words_are_unique() {
        for action in Action::ALL {
            assert_eq!(Action::from_word(action.word()), Some(action));
        }
        let mut words: Vec<&str> = Action::words().collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Action::ALL.len());
    }
}
