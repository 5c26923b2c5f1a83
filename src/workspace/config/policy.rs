//! `[policy]`: what nobody may do, whatever the persona says.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Named;
use crate::workspace::action::Actions;

/// Rules that hold for everybody, the agent included.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// The most that anybody may do to an environment; one that is not named is open.
    pub environments: Named<Actions>,
    /// Branches that change by pull request only: names, with `*` for any text.
    pub protected_branches: Vec<String>,
}
