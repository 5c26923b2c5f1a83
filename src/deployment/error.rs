//! What can be wrong with the files of a deployment.

use crate::branch::BranchError;
use crate::environment::EnvironmentError;
use crate::problem::{FailedRequest, Problem};

/// Why a deployment's files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DeploymentError {
    /// A file cannot be read.
    #[error("{file} cannot be read: {reason}")]
    Unreadable {
        /// The file's path.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A settings file is not JSON.
    #[error("{file} is not JSON: {reason}")]
    NotJson {
        /// The file's path.
        file: String,
        /// What the parser said, with line and column.
        reason: String,
    },
    /// A settings file has a value of the wrong kind.
    #[error("{file}: {place}: {reason}")]
    Setting {
        /// The file's path.
        file: String,
        /// Where in the file, for example `AadGroupTeamConfiguration[2].aadSecurityGroupId`.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// Tokens have no value.
    #[error("no value for {}", list(.0))]
    MissingTokens(Vec<MissingToken>),
    /// A repository has no folder for a solution.
    #[error("there is no solution {name:?} in the source; found: {}", found.join(", "))]
    NoSolution {
        /// The solution that was looked for.
        name: String,
        /// The folders that there are.
        found: Vec<String>,
    },
    /// A solution has no settings under the name that was given.
    #[error(
        "{solution} has no settings in {config}/{wanted}; there are: {}",
        names(found)
    )]
    NoSettingsFolder {
        /// The solution.
        solution: String,
        /// The folder with all of its settings.
        config: String,
        /// The folder that was looked for.
        wanted: String,
        /// The folders that there are.
        found: Vec<String>,
    },
    /// The environment could not be asked.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// The branch could not be read.
    #[error(transparent)]
    Branch(#[from] BranchError),
}

/// A token `#{name}#` without a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingToken {
    /// The token's name.
    pub name: String,
    /// The file that has it.
    pub file: String,
}

fn list(tokens: &[MissingToken]) -> String {
    let words: Vec<_> = tokens
        .iter()
        .map(|token| format!("#{{{}}}# in {}", token.name, token.file))
        .collect();
    words.join(", ")
}

impl Problem for DeploymentError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "ALM-D001",
            Self::NotJson { .. } => "ALM-D002",
            Self::Setting { .. } => "ALM-D003",
            Self::MissingTokens(_) => "ALM-D004",
            Self::NoSolution { .. } => "ALM-D005",
            Self::NoSettingsFolder { .. } => "ALM-D006",
            Self::Environment(error) => error.code(),
            Self::Branch(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::MissingTokens(tokens) => {
                let name = tokens.first().map_or("", |token| token.name.as_str());
                Some(format!(
                    "add `{name:?} = \"…\"` to the variables of the stage in alm.toml"
                ))
            }
            Self::NoSolution { .. } => Some(
                "a solution's folder holds SolutionPackage with Other/Solution.xml in it".into(),
            ),
            Self::NoSettingsFolder { .. } => Some(
                "correct `settings` of the stage in alm.toml or `--configuration`, or add the folder to the \
                 source"
                    .into(),
            ),
            Self::Environment(error) => error.hint(),
            Self::Branch(error) => error.hint(),
            Self::Unreadable { .. } | Self::NotJson { .. } | Self::Setting { .. } => None,
        }
    }

    fn request(&self) -> Option<FailedRequest> {
        match self {
            Self::Environment(error) => error.request(),
            Self::Branch(error) => error.request(),
            _ => None,
        }
    }

    fn details(&self) -> serde_json::Value {
        match self {
            Self::Environment(error) => error.details(),
            Self::Branch(error) => error.details(),
            Self::MissingTokens(tokens) => {
                let tokens: Vec<_> = tokens
                    .iter()
                    .map(|token| serde_json::json!({ "token": token.name, "file": token.file }))
                    .collect();
                serde_json::json!({ "tokens": tokens })
            }
            _ => serde_json::Value::Null,
        }
    }
}

fn names(found: &[String]) -> String {
    match found {
        [] => "none".to_owned(),
        found => found.join(", "),
    }
}
