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

use super::Workspace;
use super::config::{Identity, SecretSource, SignIn};
use super::secret::{Secret, SecretError};
use crate::emulator::Tenant;
use crate::emulator::token::EMULATED_PASSWORD;
use crate::problem::Problem;
use crate::transport::authorize::{Authorize, Credential, EntraTokens, service_host};
use crate::transport::https::{Https, Timeouts};
use crate::transport::retry::{Retry, RetryPolicy};
use crate::transport::{
    Cancel, HeaderValue, InProcess, Method, Request, Response, StatusCode, Transport,
    TransportError, Url,
};

/// The transports of one workspace, one per identity.
pub struct Connections {
    workspace: Workspace,
    base: Arc<dyn Transport>,
    cancel: Cancel,
    learn: Box<dyn Fn(&Secret) + Send + Sync>,
    signed_in: Mutex<HashMap<String, Arc<dyn Transport>>>,
}

impl Workspace {
    /// The transport that this workspace's requests leave by, unsigned and never repeated: into
    /// its emulated tenant or over the network.
    pub fn transport(&self, cancel: &Cancel) -> Arc<dyn Transport> {
        if self.config().tenant.emulated {
            Arc::new(EmulatedTenant {
                folder: self.tenant(),
                cancel: cancel.clone(),
                opened: OnceLock::new(),
            })
        } else {
            Arc::new(Https::new(Timeouts::default(), cancel.clone()))
        }
    }
}

/// Why an identity cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No identity has the name.
    #[error("there is no identity called `{0}` in alm.toml")]
    UnknownIdentity(String),
    /// The identity names nobody.
    #[error("identity `{0}` does not say who signs in")]
    Nobody(String),
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
            Self::Nobody(_) => "ALM-W012",
            Self::Person(_) => "ALM-W022",
            Self::Secret(error) => error.code(),
            Self::SignIn(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownIdentity(_) | Self::Nobody(_) => None,
            Self::Person(_) => Some(
                "name an identity with `application` and `secret`, or with `token`, instead".into(),
            ),
            Self::Secret(error) => error.hint(),
            Self::SignIn(error) => error.hint(),
        }
    }
}

impl Connections {
    /// The connections of `workspace` over its own transport; see [`Connections::over`].
    pub fn of(workspace: &Workspace, cancel: &Cancel) -> Self {
        Self::over(workspace, workspace.transport(cancel), cancel)
    }

    /// The connections of `workspace` over the transport `base`. Requests are repeated where that
    /// is safe, and every wait ends when `cancel` is raised.
    pub fn over(workspace: &Workspace, base: Arc<dyn Transport>, cancel: &Cancel) -> Self {
        Self {
            workspace: workspace.clone(),
            base,
            cancel: cancel.clone(),
            learn: Box::new(|_| {}),
            signed_in: Mutex::default(),
        }
    }

    /// The same, telling `learn` every secret that is read, so that it can be kept out of logs.
    #[must_use]
    pub fn telling(mut self, learn: impl Fn(&Secret) + Send + Sync + 'static) -> Self {
        self.learn = Box::new(learn);
        self
    }

    /// The workspace.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// The transport that signs nothing and repeats nothing.
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
        let identities = &self.workspace.config().identities;
        let identity = identities.get(name).ok_or_else(unknown)?;
        let transport = self.sign_in(name, identity, self.base.clone())?;
        signed_in.insert(name.to_owned(), transport.clone());
        Ok(transport)
    }

    /// The value of the `Authorization` header that the identity called `name` sends to `url`, for
    /// other programs such as `git`. Signing in happens now.
    ///
    /// # Errors
    /// Those of [`Connections::signed_in`], and when signing in fails.
    pub fn authorization(&self, name: &str, url: &Url) -> Result<Secret, ConnectError> {
        let unknown = || ConnectError::UnknownIdentity(name.to_owned());
        let identities = &self.workspace.config().identities;
        let identity = identities.get(name).ok_or_else(unknown)?;
        let listener = Arc::new(Listener::default());
        let signed = self.sign_in(name, identity, listener.clone())?;
        signed.send(Request::new(Method::GET, url.clone()))?;
        let mut heard = listener.0.lock().unwrap_or_else(PoisonError::into_inner);
        let header = heard
            .take()
            .ok_or_else(|| ConnectError::Nobody(name.to_owned()))?;
        (self.learn)(&header);
        Ok(header)
    }

    /// Signs what goes to `inner`; tokens are asked for over the workspace's own transport.
    fn sign_in(
        &self,
        name: &str,
        identity: &Identity,
        inner: Arc<dyn Transport>,
    ) -> Result<Arc<dyn Transport>, ConnectError> {
        let tenant = &self.workspace.config().tenant;
        let credential = match identity.sign_in() {
            None => return Err(ConnectError::Nobody(name.to_owned())),
            Some(SignIn::Token(source)) => {
                let token = self.secret(source)?;
                let signed = AccessToken { inner, token };
                return Ok(Arc::new(self.patient(signed)));
            }
            Some(SignIn::Application { id, secret }) => Credential::ClientSecret {
                application: id.to_string(),
                secret: self.secret(secret)?,
            },
            Some(SignIn::User { name: user, secret }) => {
                let password = match secret {
                    Some(secret) => self.secret(secret)?,
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
        let asking = Arc::new(self.patient(self.base.clone()));
        let tokens = EntraTokens::new(asking, &tenant.login, &id, credential)?;
        let signed = Authorize::new(inner, Arc::new(tokens));
        Ok(Arc::new(self.patient(signed)))
    }

    fn secret(&self, source: &SecretSource) -> Result<Secret, SecretError> {
        let secret = source.read(self.workspace.root())?;
        (self.learn)(&secret);
        Ok(secret)
    }

    fn patient<T: Transport>(&self, inner: T) -> Retry<T> {
        Retry::new(inner, RetryPolicy::default(), self.cancel.clone())
    }
}

/// The emulated tenant of a workspace, opened at the first request.
struct EmulatedTenant {
    folder: PathBuf,
    cancel: Cancel,
    opened: OnceLock<Result<InProcess, String>>,
}

impl Transport for EmulatedTenant {
    fn send(&self, request: Request) -> Result<Response, TransportError> {
        match self
            .opened
            .get_or_init(|| open_tenant(&self.folder, &self.cancel))
        {
            Ok(tenant) => tenant.send(request),
            Err(reason) => Err(TransportError::NotThere {
                host: request.url.host_str().unwrap_or_default().to_owned(),
                reason: reason.clone(),
            }),
        }
    }
}

fn open_tenant(folder: &Path, cancel: &Cancel) -> Result<InProcess, String> {
    let tenant = Tenant::open(folder).map_err(|error| match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    })?;
    Ok(InProcess::new(Arc::new(tenant)).stopped_by(cancel.clone()))
}

/// A transport that sends nothing: it keeps the header of the request that it is given.
#[derive(Default)]
struct Listener(Mutex<Option<Secret>>);

impl Transport for Listener {
    fn send(&self, request: Request) -> Result<Response, TransportError> {
        let header = request.headers.get(http::header::AUTHORIZATION);
        let header = header
            .and_then(|header| header.to_str().ok())
            .map(Secret::new);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = header;
        Ok(Response::new(StatusCode::OK))
    }
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
        // Azure DevOps takes a personal access token as the password of nobody (git-hosts §1); others
        // as a bearer.
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

impl std::fmt::Debug for Connections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connections")
            .field("workspace", &self.workspace)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::TenantDefinition;

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
        crate::owner_only::write_new(&secret, b"s&cr=t").unwrap();
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
