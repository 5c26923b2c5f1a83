//! The types of `alm.toml`, one file per topic.
//!
//! They say what may be written; [`crate::workspace::check`] says where something is wrong, and
//! the JSON Schema ([`crate::workspace::schema`]) is made from them. Doc comments of fields become
//! the descriptions that an editor shows, so they speak to whoever writes the file.

mod environment;
mod identity;
mod limits;
mod named;
mod persona;
mod policy;
mod profile;
mod repository;
mod tenant;

pub use environment::{Environment, EnvironmentKind};
pub use identity::{Identity, SecretSource, SignIn};
pub use limits::{Agent, DuringRun, Limits, TimeSpan, Watch};
pub use named::Named;
pub use persona::{Choice, ParameterRule, Permissions, PersonaRules};
pub use policy::Policy;
pub use profile::{
    Approval, BranchRule, BuildStart, KeyVaultSecret, Profile, SolutionChoice, Stage, StageBuild,
    StageKind, StageValue,
};
pub use repository::{Host, HostKind, Repository};
pub use tenant::Tenant;

use schemars::JsonSchema;
use serde::Deserialize;

/// The whole of `alm.toml`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "alm.toml")]
pub struct Config {
    /// What holds for the whole workspace: its name and what is used when nothing is said.
    pub workspace: General,
    /// The Entra tenant: a real one, or the emulated one that lives in `.alm/`.
    pub tenant: Tenant,
    /// Who signs in: applications, people, tokens. Secrets are only referred to.
    pub identities: Named<Identity>,
    /// The Dataverse environments by the names that scripts, folders and profiles use.
    pub environments: Named<Environment>,
    /// Where repositories live: Azure DevOps organisations, GitHub owners, folders.
    pub hosts: Named<Host>,
    /// The git repositories that hold solution source.
    pub repositories: Named<Repository>,
    /// Deployment profiles: a repository and the stages that a solution goes through.
    pub profiles: Named<Profile>,
    /// Choices for single solutions, by unique name.
    pub solutions: Named<SolutionChoice>,
    /// Groups of people: each a list of sign-in names or identities, for `groups` of personas. Groups of
    /// the directory are not looked up.
    pub groups: Named<Vec<String>>,
    /// What different people see and may do.
    pub personas: Named<PersonaRules>,
    /// What nobody may do, whatever the persona says.
    pub policy: Policy,
    /// How much a script may use before it is stopped.
    pub limits: Limits,
    /// How `alm watch` behaves.
    pub watch: Watch,
    /// How `alm agent` runs queued builds.
    pub agent: Agent,
}

/// `[workspace]`: what holds for the whole workspace.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct General {
    /// The workspace's name, shown in lists; left out: the folder's name.
    pub name: Option<String>,
    /// The profile that is used when none is named.
    pub default_profile: Option<String>,
    /// The persona that is taken when `--as` is not given.
    pub default_persona: Option<String>,
    /// The environment that makers work in; needed when several are of kind `development`.
    pub development: Option<String>,
}

impl Config {
    /// The environment that makers work in: the one that `[workspace]` names, or the first whose
    /// kind is `development`.
    pub fn development(&self) -> Option<(&str, &Environment)> {
        match &self.workspace.development {
            Some(name) => self.environments.entry(name),
            None => self
                .environments
                .iter()
                .find(|(_, environment)| environment.kind == EnvironmentKind::Development),
        }
    }

    /// The profiles by which `solution` may travel in `repository`: its own choice alone, where it
    /// has one, else all of that repository.
    pub fn profiles_of<'a>(
        &'a self,
        solution: &str,
        repository: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Profile)> {
        let chosen = self
            .solutions
            .get(solution)
            .and_then(|choice| choice.profile.as_deref());
        self.profiles.iter().filter(move |(name, profile)| {
            profile.repository == repository && chosen.is_none_or(|chosen| chosen == *name)
        })
    }

    /// The profile for `solution`: its own choice, else the workspace's default, else the only
    /// profile that there is.
    pub fn profile_for(&self, solution: Option<&str>) -> Option<(&str, &Profile)> {
        let chosen = solution
            .and_then(|solution| self.solutions.get(solution))
            .and_then(|choice| choice.profile.as_ref())
            .or(self.workspace.default_profile.as_ref());
        match chosen {
            Some(name) => self.profiles.entry(name),
            None if self.profiles.len() == 1 => self.profiles.iter().next(),
            None => None,
        }
    }
}
