//! `[identities.NAME]`: who signs in, and where the secret for it is kept.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use uuid::Uuid;

/// Who signs in. Exactly one of `application`, `user` and `token` is given.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Identity {
    /// The application (client) id of an app registration; needs `secret`.
    #[schemars(with = "Option<String>", extend("format" = "uuid"))]
    pub application: Option<Uuid>,
    /// The sign-in name of a person, such as `maya@contoso.com`.
    pub user: Option<String>,
    /// A personal access token, for a git host.
    pub token: Option<SecretSource>,
    /// Where the application's secret (or, in the emulated tenant, a person's password) is kept.
    pub secret: Option<SecretSource>,
    /// The name to show and to write into commits; left out: what the directory says.
    pub name: Option<String>,
}

/// Where a secret is kept. The secret itself never stands in `alm.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SecretSource {
    /// The name of an environment variable.
    Env(String),
    /// A file that only its owner can read; relative to the workspace.
    File(PathBuf),
}

/// How an [`Identity`] signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignIn<'a> {
    /// As an application, with its secret.
    Application {
        /// The application (client) id.
        id: Uuid,
        /// Where its secret is kept.
        secret: &'a SecretSource,
    },
    /// As a person.
    User {
        /// The sign-in name.
        name: &'a str,
        /// Where the password is kept, if the file says so.
        secret: Option<&'a SecretSource>,
    },
    /// With a personal access token.
    Token(&'a SecretSource),
}

impl Identity {
    /// How this identity signs in. A checked `alm.toml` always says it; `None` is for one that was
    /// made in code and names nobody.
    pub fn sign_in(&self) -> Option<SignIn<'_>> {
        match (self.application, &self.user, &self.token) {
            (Some(id), None, None) => self
                .secret
                .as_ref()
                .map(|secret| SignIn::Application { id, secret }),
            (None, Some(name), None) => Some(SignIn::User {
                name,
                secret: self.secret.as_ref(),
            }),
            (None, None, Some(token)) => Some(SignIn::Token(token)),
            _ => None,
        }
    }
}
