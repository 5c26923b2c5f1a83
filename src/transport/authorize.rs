//! Signing in: which token a request needs, where it comes from, and adding it.
//!
//! Flows implemented: client credentials with a secret, and the password grant, which only the
//! emulated tenant's users have. Endpoint, scopes and the habit to ask once more after a 401 follow
//! the Dataverse Web API notes, 2.1 and 2.2.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{
    HeaderValue, Method, Request, Response, Secret, StatusCode, Transport, TransportError, Url,
};

/// A token is renewed this long before it ends, so that no request carries one that ends under way.
const EARLY: Duration = Duration::from_secs(300);

/// The application id of Azure DevOps, which is its audience.
const AZURE_DEVOPS: &str = "499b84ac-1321-427f-aa17-267ca6975798";

/// The API that a token is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Audience(String);

impl Audience {
    /// The audience of the API that answers at `url`.
    ///
    /// An emulated tenant on loopback serves each host under a path segment with the host's name;
    /// the audience is then that of the host meant.
    pub fn of(url: &Url) -> Self {
        let host = service_host(url);
        Self(match host.as_str() {
            "dev.azure.com" | "vssps.dev.azure.com" | "app.vssps.visualstudio.com" => {
                AZURE_DEVOPS.to_owned()
            }
            "api.powerapps.com" | "api.bap.microsoft.com" => {
                "https://service.powerapps.com".to_owned()
            }
            "api.flow.microsoft.com" => "https://service.flow.microsoft.com".to_owned(),
            host if host.ends_with(".api.powerapps.com")
                || host.ends_with(".api.bap.microsoft.com") =>
            {
                "https://service.powerapps.com".to_owned()
            }
            host if host.ends_with(".visualstudio.com") => AZURE_DEVOPS.to_owned(),
            host if host.ends_with("api.powerplatform.com") => {
                "https://api.powerplatform.com".to_owned()
            }
            host => format!("https://{host}"),
        })
    }

    /// The scope that asks for a token for this audience.
    pub fn scope(&self) -> String {
        format!("{}/.default", self.0)
    }

    /// The audience as text, for example `https://contoso.crm4.dynamics.com`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The host that `url` means: its own, or on loopback the one named by the first path segment.
pub fn service_host(url: &Url) -> String {
    let own = url.host_str().unwrap_or_default();
    let loopback = matches!(own, "localhost" | "[::1]") || own.starts_with("127.");
    let named = url.path_segments().and_then(|mut segments| segments.next());
    match named {
        Some(named) if loopback && named.contains('.') => named.to_ascii_lowercase(),
        _ => own.to_ascii_lowercase(),
    }
}

/// Where tokens come from.
pub trait TokenSource: Send + Sync {
    /// A token for `audience`, from the cache where it is good for some minutes more.
    ///
    /// # Errors
    /// [`TransportError::SignIn`] when none can be had.
    fn token(&self, audience: &Audience) -> Result<Secret, TransportError>;

    /// Drops the cached token for `audience`: the service did not take it.
    fn forget(&self, audience: &Audience);
}

/// What proves who the caller is.
#[derive(Debug, Clone)]
pub enum Credential {
    /// An application and its secret.
    ClientSecret {
        /// The application (client) id.
        application: String,
        /// Its secret.
        secret: Secret,
    },
    /// A user of the emulated tenant. Entra ID refuses this grant for most real users.
    Password {
        /// The user principal name.
        user: String,
        /// The password.
        password: Secret,
    },
}

/// The public client that users sign in through (Dataverse Web API notes, 2.1).
const USER_CLIENT: &str = "51f81489-12ee-4a9e-aaae-a2591f45987d";

/// Tokens from the Microsoft Entra ID v2 endpoint, kept in memory until shortly before they end.
pub struct EntraTokens {
    transport: Arc<dyn Transport>,
    endpoint: Url,
    credential: Credential,
    cache: Mutex<HashMap<Audience, (Secret, Instant)>>,
}

impl EntraTokens {
    /// Tokens for `credential` in `tenant` (its id or domain), asked for through `transport` at
    /// the sign-in host `login`, for example `https://login.microsoftonline.com`.
    ///
    /// # Errors
    /// [`TransportError::SignIn`] when `login` cannot be a base address.
    pub fn new(
        transport: Arc<dyn Transport>,
        login: &Url,
        tenant: &str,
        credential: Credential,
    ) -> Result<Self, TransportError> {
        let mut endpoint = login.clone();
        endpoint
            .path_segments_mut()
            .map_err(|()| TransportError::SignIn {
                host: login.to_string(),
                reason: "the sign-in address is not an http address".to_owned(),
            })?
            .pop_if_empty()
            .extend([tenant, "oauth2", "v2.0", "token"]);
        Ok(Self {
            transport,
            endpoint,
            credential,
            cache: Mutex::default(),
        })
    }

    /// Asks the endpoint.
    fn request(&self, audience: &Audience) -> Result<(Secret, Duration), TransportError> {
        let refused = |reason: String| TransportError::SignIn {
            host: audience.as_str().to_owned(),
            reason,
        };
        let scope = audience.scope();
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("scope", &scope);
        match &self.credential {
            Credential::ClientSecret {
                application,
                secret,
            } => form
                .append_pair("grant_type", "client_credentials")
                .append_pair("client_id", application)
                .append_pair("client_secret", secret.expose()),
            Credential::Password { user, password } => form
                .append_pair("grant_type", "password")
                .append_pair("client_id", USER_CLIENT)
                .append_pair("username", user)
                .append_pair("password", password.expose()),
        };
        // One token more than is used changes nothing.
        let request = Request::new(Method::POST, self.endpoint.clone()).repeatable();
        let mut request = request.header(
            http::header::CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        request.body = form.finish().into_bytes();
        let response = self.transport.send(request)?;
        let body = response.to_json().unwrap_or(Value::Null);
        if !response.status.is_success() {
            let said = ["error_description", "error"]
                .iter()
                .find_map(|name| body[*name].as_str());
            return Err(refused(match said {
                Some(said) => said.to_owned(),
                None => format!("the sign-in service answered {}", response.status),
            }));
        }
        let token = body["access_token"]
            .as_str()
            .ok_or_else(|| refused("the sign-in service sent no token".to_owned()))?;
        // Real answers have a number here, older ones a text.
        let seconds = match &body["expires_in"] {
            Value::String(text) => text.parse().ok(),
            other => other.as_u64(),
        };
        Ok((
            Secret::new(token),
            Duration::from_secs(seconds.unwrap_or(3600)),
        ))
    }
}

impl TokenSource for EntraTokens {
    fn token(&self, audience: &Audience) -> Result<Secret, TransportError> {
        // Held while asking, so that threads that need the same token ask once.
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((token, renew)) = cache.get(audience)
            && Instant::now() < *renew
        {
            return Ok(token.clone());
        }
        let (token, lifetime) = self.request(audience)?;
        // A lifetime beyond what the clock can count is nothing to rely on.
        let lifetime = lifetime.saturating_sub(EARLY.min(lifetime / 4));
        if let Some(renew) = Instant::now().checked_add(lifetime) {
            cache.insert(audience.clone(), (token.clone(), renew));
        }
        Ok(token)
    }

    fn forget(&self, audience: &Audience) {
        self.cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(audience);
    }
}

/// A transport that adds a bearer token to each request that has no authorisation of its own.
pub struct Authorize<T> {
    inner: T,
    tokens: Arc<dyn TokenSource>,
}

impl<T: Transport> Authorize<T> {
    /// Wraps `inner` with the identity behind `tokens`.
    pub fn new(inner: T, tokens: Arc<dyn TokenSource>) -> Self {
        Self { inner, tokens }
    }

    fn with_token(
        &self,
        mut request: Request,
        audience: &Audience,
    ) -> Result<Request, TransportError> {
        let token = self.tokens.token(audience)?;
        let mut value =
            HeaderValue::try_from(format!("Bearer {}", token.expose())).map_err(|_| {
                TransportError::SignIn {
                    host: audience.as_str().to_owned(),
                    reason: "the token has characters that a header cannot carry".to_owned(),
                }
            })?;
        value.set_sensitive(true);
        request.headers.insert(http::header::AUTHORIZATION, value);
        Ok(request)
    }
}

impl<T: Transport> Transport for Authorize<T> {
    fn send(&self, request: Request) -> Result<Response, TransportError> {
        if request.headers.contains_key(http::header::AUTHORIZATION) {
            return self.inner.send(request);
        }
        let audience = Audience::of(&request.url);
        let response = self
            .inner
            .send(self.with_token(request.clone(), &audience)?)?;
        if response.status != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        // The token may have been revoked or the clock may be off: ask once for a new one.
        self.tokens.forget(&audience);
        self.inner.send(self.with_token(request, &audience)?)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::transport::{InProcess, Service};

    /// A sign-in service that numbers its tokens, and an API that takes only the newest.
    #[derive(Default)]
    struct Tenant {
        issued: Mutex<Vec<String>>,
        first_is_stale: bool,
    }

    impl Service for Tenant {
        fn answer(&self, request: Request) -> Response {
            let mut issued = self.issued.lock().unwrap();
            if request.url.path().ends_with("/oauth2/v2.0/token") {
                let form: HashMap<_, _> = url::form_urlencoded::parse(&request.body)
                    .into_owned()
                    .collect();
                if form["client_secret"] != "s&cr=t" {
                    let body =
                        json!({"error": "invalid_client", "error_description": "wrong secret"});
                    return Response::json(StatusCode::UNAUTHORIZED, &body);
                }
                issued.push(form["scope"].clone());
                let token = format!("token-{}", issued.len());
                return Response::json(
                    StatusCode::OK,
                    &json!({"access_token": token, "expires_in": 3599}),
                );
            }
            let stale = self.first_is_stale && request.headers["authorization"] == "Bearer token-1";
            Response::new(if stale {
                StatusCode::UNAUTHORIZED
            } else {
                StatusCode::OK
            })
        }
    }

    fn client(tenant: &Arc<Tenant>, secret: &str) -> Authorize<InProcess> {
        let transport = InProcess::new(tenant.clone());
        let login = "https://login.microsoftonline.com".parse().unwrap();
        let credential = Credential::ClientSecret {
            application: "00000000-0000-0000-0000-000000000001".into(),
            secret: Secret::new(secret),
        };
        let tokens =
            EntraTokens::new(Arc::new(transport.clone()), &login, "tenant", credential).unwrap();
        Authorize::new(transport, Arc::new(tokens))
    }

    fn get(client: &Authorize<InProcess>, url: &str) -> Result<Response, TransportError> {
        client.send(Request::new(Method::GET, url.parse().unwrap()))
    }

    #[test]
    fn one_token_per_audience_is_asked_for() {
        let tenant = Arc::new(Tenant::default());
        let client = client(&tenant, "s&cr=t");
        get(
            &client,
            "https://contoso-dev.crm4.dynamics.com/api/data/v9.2/WhoAmI",
        )
        .unwrap();
        get(
            &client,
            "https://contoso-dev.crm4.dynamics.com/api/data/v9.2/solutions",
        )
        .unwrap();
        get(&client, "https://api.powerapps.com/providers").unwrap();
        get(&client, "https://api.bap.microsoft.com/providers").unwrap();
        assert_eq!(
            *tenant.issued.lock().unwrap(),
            [
                "https://contoso-dev.crm4.dynamics.com/.default",
                "https://service.powerapps.com/.default"
            ]
        );
    }

    #[test]
    fn a_refused_token_is_renewed_once() {
        let tenant = Arc::new(Tenant {
            first_is_stale: true,
            ..Tenant::default()
        });
        let client = client(&tenant, "s&cr=t");
        assert!(
            get(&client, "https://dev.azure.com/contoso")
                .unwrap()
                .status
                .is_success()
        );
        assert_eq!(tenant.issued.lock().unwrap().len(), 2);
    }

    #[test]
    fn a_wrong_secret_is_explained_without_showing_it() {
        let error = get(
            &client(&Arc::default(), "falsch-geheim"),
            "https://x.crm.dynamics.com/",
        )
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot sign in to https://x.crm.dynamics.com: wrong secret"
        );
        assert!(!format!("{error:?}").contains("falsch-geheim"));
    }

    #[test]
    fn on_loopback_the_audience_is_that_of_the_host_in_the_path() {
        let url = "http://127.0.0.1:8080/contoso-dev.crm4.dynamics.com/api/data/v9.2/WhoAmI";
        assert_eq!(
            Audience::of(&url.parse().unwrap()).as_str(),
            "https://contoso-dev.crm4.dynamics.com"
        );
        let url = "http://localhost:1/dev.azure.com/contoso".parse().unwrap();
        assert_eq!(Audience::of(&url).as_str(), AZURE_DEVOPS);
    }
}
