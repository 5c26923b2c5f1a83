//! Signed-in transports: one per identity of `alm.toml`, made at first use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::api::HostError;
use super::context::Context;
use crate::nearest::nearest;
use crate::problem::Problem;
use crate::transport::authorize::{Authorize, Credential, EntraTokens, service_host};
use crate::transport::retry::{Retry, RetryPolicy};
use crate::transport::{HeaderValue, Request, Response, Secret, Transport, TransportError};
use crate::workspace::config::SignIn;

/// The password of every user of an emulated tenant; a real tenant never sees it.
const EMULATED_PASSWORD: &str = "emulated";

/// Why an identity cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// `alm.toml` has no such identity.
    #[error("there is no identity `{name}` in alm.toml{}", nearest.as_ref().map_or_else(String::new, |near| format!(", did you mean `{near}`?")))]
    Unknown {
        /// The name.
        name: String,
        /// The identity that looks most like it.
        nearest: Option<String>,
    },
    /// The identity does not say how it signs in.
    #[error("identity `{0}` has nothing to sign in with")]
    NoSecret(String),
}

impl Problem for ConnectionError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "ALM-S040",
            Self::NoSecret(_) => "ALM-S041",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { .. } => None,
            Self::NoSecret(name) => {
                Some(format!("give `[identities.{name}]` a `secret` in alm.toml"))
            }
        }
    }
}

/// The transports that one run has opened.
#[derive(Default)]
struct Open(Mutex<HashMap<String, Arc<dyn Transport>>>);

impl Context {
    /// A transport that signs in as `identity` of `alm.toml`, repeats what may be repeated and
    /// stops when the run is cancelled.
    ///
    /// # Errors
    /// [`ConnectionError`] or a secret that cannot be read. Signing in itself happens with the
    /// first request.
    pub fn connection(&self, identity: &str) -> Result<Arc<dyn Transport>, HostError> {
        let open = self.shared(|_| Ok::<_, HostError>(Open::default()))?;
        let mut open = open.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = open.get(identity) {
            return Ok(found.clone());
        }
        let made = self.sign_in(identity)?;
        open.insert(identity.to_owned(), made.clone());
        Ok(made)
    }

    fn sign_in(&self, name: &str) -> Result<Arc<dyn Transport>, HostError> {
        let config = self.workspace().config();
        let Some(identity) = config.identities.get(name) else {
            return Err(ConnectionError::Unknown {
                name: name.to_owned(),
                nearest: nearest(name, config.identities.names()).map(str::to_owned),
            }
            .into());
        };
        let read = |source: &crate::workspace::config::SecretSource| {
            let secret = source.read(self.root())?;
            let secret = Secret::new(secret.expose());
            self.learn_secret(secret.clone());
            Ok::<_, HostError>(secret)
        };
        let no_secret = || HostError::from(ConnectionError::NoSecret(name.to_owned()));
        let credential = match identity.sign_in().ok_or_else(no_secret)? {
            SignIn::Token(source) => {
                let token = PersonalToken {
                    inner: self.transport().clone(),
                    token: read(source)?,
                };
                return Ok(Arc::new(self.patient(token)));
            }
            SignIn::Application { id, secret } => Credential::ClientSecret {
                application: id.to_string(),
                secret: read(secret)?,
            },
            SignIn::User { name: user, secret } => Credential::Password {
                user: user.to_owned(),
                password: match secret {
                    Some(secret) => read(secret)?,
                    None if config.tenant.emulated => Secret::new(EMULATED_PASSWORD),
                    None => return Err(no_secret()),
                },
            },
        };
        let tenant = config
            .tenant
            .id
            .map_or_else(|| "organizations".into(), |id| id.to_string());
        let tokens = EntraTokens::new(
            self.transport().clone(),
            &config.tenant.login,
            &tenant,
            credential,
        )?;
        let signed = Authorize::new(self.transport().clone(), Arc::new(tokens));
        Ok(Arc::new(self.patient(signed)))
    }

    fn patient<T: Transport>(&self, inner: T) -> Retry<T> {
        Retry::new(inner, RetryPolicy::default(), self.cancel().clone())
    }
}

/// Adds a personal access token: as a password without a user for Azure DevOps (git-hosts §1),
/// as a bearer token elsewhere.
struct PersonalToken {
    inner: Arc<dyn Transport>,
    token: Secret,
}

impl Transport for PersonalToken {
    fn send(&self, mut request: Request) -> Result<Response, TransportError> {
        let host = service_host(&request.url);
        let devops = host == "dev.azure.com" || host.ends_with(".visualstudio.com");
        let value = if devops {
            format!(
                "Basic {}",
                BASE64_STANDARD.encode(format!(":{}", self.token.expose()))
            )
        } else {
            format!("Bearer {}", self.token.expose())
        };
        let mut value = HeaderValue::try_from(value).map_err(|_| TransportError::SignIn {
            host,
            reason: "the token has characters that a header cannot carry".to_owned(),
        })?;
        value.set_sensitive(true);
        request.headers.insert(http::header::AUTHORIZATION, value);
        self.inner.send(request)
    }
}
