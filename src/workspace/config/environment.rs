//! `[environments.NAME]`: a Dataverse environment.

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

/// A Dataverse environment. Its name is also the name of its folder under a solution's `config`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// The address of its Dataverse, such as `https://contoso-dev.crm4.dynamics.com`.
    #[schemars(with = "String", extend("format" = "uri"))]
    pub url: Url,
    /// What it is for.
    #[serde(default)]
    pub kind: EnvironmentKind,
    /// The identity that scripts work with there.
    pub identity: String,
    /// What it is called in lists; left out: its name here.
    pub display_name: Option<String>,
    /// The Azure DevOps service connection for generated pipelines; left out: the address, as
    /// AA4PP does.
    pub service_connection: Option<String>,
    /// The variable group for generated pipelines; left out: `alm-accelerator-variable-group`.
    pub variable_group: Option<String>,
}

/// What an environment is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EnvironmentKind {
    /// Makers change unmanaged solutions here.
    Development,
    /// Pull requests are tried here.
    Validation,
    /// Managed solutions are released to it.
    #[default]
    Target,
}

impl EnvironmentKind {
    /// The word that `alm.toml` uses for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Validation => "validation",
            Self::Target => "target",
        }
    }
}
