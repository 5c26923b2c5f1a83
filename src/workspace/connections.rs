//! Where the requests of a workspace go, and who signs them.
//!
//! [`Connections`] turns what `alm.toml` says about tenant and identities into transports: over the
//! network, or into the emulated tenant with no socket between. It is the one place that reads
//! secrets. Nothing is opened and nobody signs in before the first request, so a run that sends none
//! pays nothing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::config::{Identity, SignIn};
use super::secret::{Secret, SecretError};
use super::{Config, Workspace};
use crate::emulator::Tenant;
use crate::emulator::token::EMULATED_PASSWORD;
use crate::problem::Problem;
use crate::transport::authorize::{Authorize, Credential, EntraTokens, service_host};
use crate::transport::https::{Https, Timeouts};
use crate::transport::retry::{Retry, RetryPolicy};
use crate::transport::{
    Cancel, HeaderValue, InProcess, Request, Response, Transport, TransportError,
};

/// The transports of one workspace, one per identity.
pub struct Connections {
    root: PathBuf,
    config: Config,
    base: Arc<dyn Transport>,
    cancel: Cancel,
    signed_in: Mutex<HashMap<String, Arc<dyn Transport>>>,
}

/// Why an identity cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No identity has the name.
    #[error("there is no identity called `{0}` in alm.toml")]
    UnknownIdentity(String),
    /// A person of a real tenant.
    #[error("identity `{0}` is a person, and people cannot sign in to a real tenant from here")]
    Person(String),
    /// Its secret cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The sign-in address cannot be used.
    #[error(transparent)]
    SignIn(#[from] TransportError),
}

impl Problem for ConnectError {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownIdentity(_) => "ALM-W009",
            Self::Person(_) => "ALM-W022",
            Self::Secret(error) => error.code(),
            Self::SignIn(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownIdentity(_) => None,
            Self::Person(_) => Some(
                "name an identity with `application` and `secret`, or with `token`, instead".into(),
            ),
            Self::Secret(error) => error.hint(),
            Self::SignIn(error) => error.hint(),
        }
    }
}

impl Connections {
    /// The connections of `workspace`: into its emulated tenant or over the network. Every wait
    /// ends when `cancel` is raised.
    pub fn of(workspace: &Workspace, cancel: &Cancel) -> Self {
        let base: Arc<dyn Transport> = if workspace.config().tenant.emulated {
            Arc::new(EmulatedTenant {
                folder: workspace.tenant(),
                cancel: cancel.clone(),
                opened: OnceLock::new(),
            })
        } else {
            let https = Https::new(Timeouts::default(), cancel.clone());
            Arc::new(Retry::new(https, RetryPolicy::default(), cancel.clone()))
        };
        Self::with_base(workspace, base, cancel)
    }

    /// The connections of `workspace` over a transport of the caller's, for programs that embed the
    /// engine and for tests.
    pub fn over(workspace: &Workspace, base: Arc<dyn Transport>, cancel: &Cancel) -> Self {
        let base = Arc::new(Retry::new(base, RetryPolicy::default(), cancel.clone()));
        Self::with_base(workspace, base, cancel)
    }

    fn with_base(workspace: &Workspace, base: Arc<dyn Transport>, cancel: &Cancel) -> Self {
        Self {
            root: workspace.root().to_owned(),
            config: workspace.config().clone(),
            base,
            cancel: cancel.clone(),
            signed_in: Mutex::default(),
        }
    }

    /// The transport that signs nothing.
    pub fn base(&self) -> &Arc<dyn Transport> {
        &self.base
    }

    /// The flag that ends every wait of these transports.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// The transport that signs in as the identity called `name`; the same one at every call, so
    /// that its tokens are kept.
    ///
    /// # Errors
    /// When there is no such identity, or its secret cannot be read.
    pub fn signed_in(&self, name: &str) -> Result<Arc<dyn Transport>, ConnectError> {
        let mut signed_in = self
            .signed_in
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(transport) = signed_in.get(name) {
            return Ok(transport.clone());
        }
        let unknown = || ConnectError::UnknownIdentity(name.to_owned());
        let identity = self.config.identities.get(name).ok_or_else(unknown)?;
        let transport = self.sign_in(name, identity)?;
        signed_in.insert(name.to_owned(), transport.clone());
        Ok(transport)
    }

    fn sign_in(&self, name: &str, identity: &Identity) -> Result<Arc<dyn Transport>, ConnectError> {
        let tenant = &self.config.tenant;
        let credential = match identity.sign_in() {
            None => return Err(ConnectError::UnknownIdentity(name.to_owned())),
            Some(SignIn::Token(source)) => {
                let token = source.read(&self.root)?;
                return Ok(Arc::new(AccessToken {
                    inner: self.base.clone(),
                    token,
                }));
            }
            Some(SignIn::Application { id, secret }) => Credential::ClientSecret {
                application: id.to_string(),
                secret: secret.read(&self.root)?,
            },
            Some(SignIn::User { name: user, secret }) => {
                let password = match secret {
                    Some(secret) => secret.read(&self.root)?,
                    None if tenant.emulated => Secret::new(EMULATED_PASSWORD),
                    None => return Err(ConnectError::Person(name.to_owned())),
                };
                Credential::Password {
                    user: user.to_owned(),
                    password,
                }
            }
        };
        // The emulated tenant knows itself by any name.
        let id = tenant
            .id
            .map_or_else(|| "organizations".to_owned(), |id| id.to_string());
        let tokens = EntraTokens::new(self.base.clone(), &tenant.login, &id, credential)?;
        Ok(Arc::new(Authorize::new(
            self.base.clone(),
            Arc::new(tokens),
        )))
    }
}

/// The emulated tenant of a workspace, opened at the first request. Requests are repeated as over
/// the network, since it can be told to fail; that it is not there is no reason to try again.
struct EmulatedTenant {
    folder: PathBuf,
    cancel: Cancel,
    opened: OnceLock<Result<Retry<InProcess>, String>>,
}

impl Transport for EmulatedTenant {
    fn send(&self, request: Request) -> Result<Response, TransportError> {
        let opened = self.opened.get_or_init(|| {
            let tenant = open_tenant(&self.folder)?;
            Ok(Retry::new(
                tenant,
                RetryPolicy::default(),
                self.cancel.clone(),
            ))
        });
        match opened {
            Ok(tenant) => tenant.send(request),
            Err(reason) => Err(TransportError::Unreachable {
                host: request.url.host_str().unwrap_or_default().to_owned(),
                reason: reason.clone(),
            }),
        }
    }
}

fn open_tenant(folder: &Path) -> Result<InProcess, String> {
    let tenant = Tenant::open(folder).map_err(|error| match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    })?;
    Ok(InProcess::new(Arc::new(tenant)))
}

/// A transport that signs with a personal access token, as git hosts take them.
struct AccessToken {
    inner: Arc<dyn Transport>,
    token: Secret,
}

impl Transport for AccessToken {
    fn send(&self, mut request: Request) -> Result<Response, TransportError> {
        if request.headers.contains_key(http::header::AUTHORIZATION) {
            return self.inner.send(request);
        }
        let host = service_host(&request.url);
        // Azure DevOps takes a personal access token as the password of nobody; GitHub as a bearer.
        let value = if host.contains("github") {
            format!("Bearer {}", self.token.reveal())
        } else {
            format!(
                "Basic {}",
                BASE64_STANDARD.encode(format!(":{}", self.token.reveal()))
            )
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

impl std::fmt::Debug for Connections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connections")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::emulator::TenantDefinition;
    use crate::transport::Method;

    const ALM_TOML: &str = r#"
[tenant]
emulated = true
[identities.pipeline]
application = "6a0c6f9e-1f5c-4c6e-9d1c-0d9d8b6f2a11"
secret = { file = "secret" }
[identities.maya]
user = "maya@contoso.example"
[identities.forgotten]
application = "6a0c6f9e-1f5c-4c6e-9d1c-0d9d8b6f2a11"
secret = { file = "no such file" }
"#;

    const TENANT: &str = r#"
domain = "contoso.example"
[[users]]
upn = "maya@contoso.example"
name = "Maya"
[[applications]]
app_id = "6a0c6f9e-1f5c-4c6e-9d1c-0d9d8b6f2a11"
name = "Pipeline"
secret = "s&cr=t"
[[environments]]
name = "Dev"
url = "https://contoso-dev.crm4.dynamics.com"
users = [
    { user = "6a0c6f9e-1f5c-4c6e-9d1c-0d9d8b6f2a11", roles = ["System Administrator"] },
    { user = "maya@contoso.example", roles = ["Basic User"] },
]
"#;

    fn place() -> (tempfile::TempDir, Workspace) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("alm.toml"), ALM_TOML).unwrap();
        let secret = dir.path().join("secret");
        super::super::secret::write_owner_only(&secret, &Secret::new("s&cr=t")).unwrap();
        let workspace = Workspace::open(dir.path()).unwrap();
        (dir, workspace)
    }

    fn who_am_i() -> Request {
        let url = Url::parse("https://contoso-dev.crm4.dynamics.com/api/data/v9.2/WhoAmI").unwrap();
        Request::new(Method::GET, url)
    }

    #[test]
    fn applications_and_people_reach_the_emulated_tenant_as_themselves() {
        let (_dir, workspace) = place();
        let definition: TenantDefinition = toml::from_str(TENANT).unwrap();
        Tenant::create(&workspace.tenant(), &definition).unwrap();
        let connections = Connections::of(&workspace, &Cancel::new());
        for identity in ["pipeline", "maya"] {
            let transport = connections.signed_in(identity).unwrap();
            let answer = transport.send(who_am_i()).unwrap();
            assert_ne!(answer.status, 401, "{identity}");
        }
    }

    #[test]
    fn a_tenant_that_is_not_there_is_no_answer_and_says_what_to_do() {
        let (_dir, workspace) = place();
        let connections = Connections::of(&workspace, &Cancel::new());
        let error = connections.base().send(who_am_i()).unwrap_err().to_string();
        assert!(error.contains("alm new DIR --example"), "{error}");
    }

    #[test]
    fn an_identity_that_cannot_sign_in_says_why_before_anything_is_sent() {
        let (_dir, workspace) = place();
        let connections = Connections::of(&workspace, &Cancel::new());
        let code = |name: &str| connections.signed_in(name).err().unwrap().code();
        assert_eq!(code("forgotten"), "ALM-W013");
        assert_eq!(code("nobody"), "ALM-W009");
    }
}
