//! `[personas.NAME]`: what a kind of user sees, and what may be done in her name.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Named;
use crate::workspace::action::Actions;

/// What a persona sees and may do. Everything that is not said is allowed, as in AA4PP.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PersonaRules {
    /// One line that says who this is.
    pub description: Option<String>,
    /// The person who acts when nobody else is named: author of commits, owner of branches.
    pub identity: Option<String>,
    /// The people who may act as this persona, by sign-in name or identity. Left out, like `groups`:
    /// everybody.
    pub people: Vec<String>,
    /// The groups whose members may act as this persona, by their names in `[groups]`.
    pub groups: Vec<String>,
    /// The scripts that exist for this persona; left out: all.
    pub scripts: Option<Vec<String>>,
    /// The profiles that exist for this persona; left out: all.
    pub profiles: Option<Vec<String>>,
    /// What scripts are called, by script: `commit = "Save solution"`.
    pub labels: BTreeMap<String, String>,
    /// Which script runs instead of another: `commit = "team-commit"`.
    pub replace: BTreeMap<String, String>,
    /// Rules for parameters, by script and parameter.
    pub parameters: Named<Named<ParameterRule>>,
    /// The functions of AA4PP that can be switched.
    pub permissions: Permissions,
    /// What may be done to which environment; `"*"` is for those that are not named. Left out:
    /// what the permissions allow.
    pub environments: Named<Actions>,
    /// What may be done to which repository; `"*"` is for those that are not named. Left out:
    /// what the permissions allow.
    pub repositories: Named<Actions>,
}

/// How a persona meets one parameter of a script.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ParameterRule {
    /// The parameter is not offered; the script's default or `default` holds.
    pub hidden: bool,
    /// The value that the parameter always has.
    pub fixed: Option<serde_json::Value>,
    /// The value that the parameter has when it is left out.
    pub default: Option<serde_json::Value>,
    /// What the parameter is called in forms and help.
    pub label: Option<String>,
}

/// A function that can be switched and that has a default: `true`, `false`, or both parts, as in
/// `{ allowed = false, default = true }`: it always happens and nobody chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Choice {
    /// Whether the person may choose; the script's own default holds.
    Allowed(bool),
    /// Whether the person may choose, and what happens when she does not.
    WithDefault {
        /// Whether the person may choose.
        #[serde(default = "yes")]
        allowed: bool,
        /// What happens when nothing is chosen.
        default: Option<bool>,
    },
}

impl Choice {
    /// Whether the person may choose.
    pub fn allowed(self) -> bool {
        match self {
            Self::Allowed(allowed) | Self::WithDefault { allowed, .. } => allowed,
        }
    }

    /// What happens when nothing is chosen, if the file says so.
    pub fn fallback(self) -> Option<bool> {
        match self {
            Self::Allowed(_) => None,
            Self::WithDefault { default, .. } => default,
        }
    }

    /// Whether it can happen at all: the person may choose it, or it is the fixed outcome.
    pub fn possible(self) -> bool {
        self.allowed() || self.fallback() == Some(true)
    }
}

impl Default for Choice {
    fn default() -> Self {
        Self::Allowed(true)
    }
}

/// The functions of AA4PP that can be switched (`facts/alm-accelerator.md`, 3.2). What each of them
/// refuses and hides stands in `workspace/functions.rs`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Permissions {
    /// Import solutions into a development environment.
    pub import: bool,
    /// Delete solutions.
    pub delete: bool,
    /// Commit (promote) solutions.
    pub commit: bool,
    /// See links to the solution in the maker portal.
    pub manage_solutions: bool,
    /// See links to builds and pull requests on the git host.
    pub drill_through: bool,
    /// Create profiles.
    pub create_profiles: bool,
    /// Change profiles; not allowed forbids their creation too.
    pub update_profiles: bool,
    /// Choose branches when committing; otherwise one's own branch is used.
    pub advanced_commit: bool,
    /// Choose source, target and title when deploying; otherwise the stage's are used.
    pub advanced_deploy: bool,
    /// Leave out the preparation of deployment settings.
    pub bypass_prepare: Choice,
    /// Change deployment settings; not allowed means that preparation is left out.
    pub deployment_configuration: bool,
    /// See all solutions, also those that others made.
    pub show_all_solutions: bool,
    /// Have a pull request completed by itself.
    pub bypass_approval: Choice,
    /// Commit Power Pages sites.
    pub commit_power_pages: Choice,
    /// Publish all customizations before an export.
    pub publish: Choice,
    /// Import into a development environment as managed.
    pub import_managed: Choice,
    /// Change a stage's upgrade and consent settings.
    pub environment_settings: bool,
}

impl Default for Permissions {
    fn default() -> Self {
        Self {
            import: true,
            delete: true,
            commit: true,
            manage_solutions: true,
            drill_through: true,
            create_profiles: true,
            update_profiles: true,
            advanced_commit: true,
            advanced_deploy: true,
            bypass_prepare: Choice::default(),
            deployment_configuration: true,
            show_all_solutions: true,
            bypass_approval: Choice::default(),
            commit_power_pages: Choice::default(),
            publish: Choice::default(),
            import_managed: Choice::default(),
            environment_settings: true,
        }
    }
}

fn yes() -> bool {
    true
}
