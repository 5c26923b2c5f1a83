//! `[hosts.NAME]` and `[repositories.NAME]`: where solution source lives.

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

/// A git host: an Azure DevOps organisation or a GitHub owner.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Which product it is.
    pub kind: HostKind,
    /// Its address: `https://dev.azure.com/contoso`, `https://github.com/contoso`.
    #[schemars(with = "String", extend("format" = "uri"))]
    pub url: Url,
    /// The identity that scripts work with there.
    pub identity: String,
}

/// Which product a git host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HostKind {
    /// An Azure DevOps organisation.
    AzureDevops,
    /// A GitHub user or organisation, or an Enterprise server.
    Github,
}

/// A git repository that holds solution source.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// The host that it lives on.
    pub host: String,
    /// Its Azure DevOps project; not used on GitHub.
    pub project: Option<String>,
    /// Its name there; left out: its name here.
    pub repository: Option<String>,
}
