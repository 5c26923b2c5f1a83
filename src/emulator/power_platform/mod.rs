//! The Power Platform's own services beside Dataverse: apps, connections, environments, flows.
//!
//! Wire facts: facts/dataverse-web-api.md, sections 6.3, 6.4 and 8. Each service answers at a host
//! of its own; the `api-version` of a request is not looked at, as clients mix them.

mod apps;
mod connection;
mod connections;
mod environments;
mod flows;

pub use connection::{Connection, ConnectionShare};

use http::header::WWW_AUTHENTICATE;
use serde_json::{Value, json};

use super::audience;
use super::call::Call;
use super::dataverse::{self, Environment, ServiceError, Session};
use super::directory::Identity;
use super::store::{StoreError, Transaction};
use crate::transport::{HeaderValue, Response, StatusCode};

const CONNECTIVITY: &str = ".environment.api.powerplatform.com";

/// A service of the Power Platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PowerService {
    /// `api.powerapps.com`
    PowerApps,
    /// `api.bap.microsoft.com`
    Administration,
    /// `api.flow.microsoft.com`
    Flow,
    /// The connectivity service of the environment with this id, without dashes.
    Connectivity(String),
}

impl PowerService {
    /// The service that answers at `host`.
    pub fn at(host: &str) -> Option<Self> {
        match host {
            "api.powerapps.com" => Some(Self::PowerApps),
            "api.bap.microsoft.com" => Some(Self::Administration),
            "api.flow.microsoft.com" => Some(Self::Flow),
            _ => {
                let id = host.strip_suffix(CONNECTIVITY)?;
                Some(Self::Connectivity(id.replace('.', "")))
            }
        }
    }

    /// The hosts whose tokens the service takes (facts/dataverse-web-api.md, section 2.2).
    fn audiences(&self) -> &'static [&'static str] {
        match self {
            Self::PowerApps | Self::Administration => &["service.powerapps.com"],
            Self::Flow => &["service.flow.microsoft.com", "management.azure.com"],
            Self::Connectivity(_) => &["api.powerplatform.com", "service.powerapps.com"],
        }
    }

    /// Answers a call.
    ///
    /// # Errors
    /// Those of the store.
    pub fn answer(&self, call: &Call, tx: &Transaction<'_>) -> Result<Response, StoreError> {
        let fits = audience::is_for_host(call, self.audiences());
        let Some(caller) = call.caller.as_ref().filter(|_| fits) else {
            return Ok(unauthorized());
        };
        let visit = Visit { call, tx, caller };
        let result = tx.attempt(|| match self {
            Self::PowerApps => match visit.call.segments()[..] {
                ["providers", "Microsoft.PowerApps", ref rest @ ..] => apps::answer(&visit, rest),
                _ => Err(visit.not_emulated()),
            },
            Self::Administration => match visit.call.segments()[..] {
                ["providers", "Microsoft.BusinessAppPlatform", ref rest @ ..] => {
                    environments::answer(&visit, rest)
                }
                _ => Err(visit.not_emulated()),
            },
            Self::Flow => match visit.call.segments()[..] {
                ["providers", "Microsoft.ProcessSimple", ref rest @ ..] => {
                    flows::answer(&visit, rest)
                }
                _ => Err(visit.not_emulated()),
            },
            Self::Connectivity(id) => {
                let plain = |text: &str| text.replace('-', "").to_lowercase();
                let mut all = Environment::all(tx)?.into_iter();
                let environment = all.find(|it| plain(&it.environment_id) == *id);
                let environment = environment.ok_or_else(|| {
                    not_found(
                        "ServiceToServiceEnvironmentNotFound",
                        "There is no such environment.",
                    )
                })?;
                connections::answer(&visit, &environment, &visit.call.segments())
            }
        });
        Ok(result.unwrap_or_else(|error| error.to_response(false)))
    }
}

/// A call of somebody who is known.
struct Visit<'v> {
    call: &'v Call,
    tx: &'v Transaction<'v>,
    caller: &'v Identity,
}

impl<'v> Visit<'v> {
    /// The environment with this id.
    fn environment(&self, id: &str) -> Result<Environment, ServiceError> {
        Environment::by_id(self.tx, id)?.ok_or_else(|| {
            not_found(
                "EnvironmentNotFound",
                &format!("The environment '{id}' could not be found."),
            )
        })
    }

    /// The environment that the query names, `$filter=environment eq '<id>'`.
    fn filtered_environment(&self) -> Result<Environment, ServiceError> {
        let filter = self.call.parameter("$filter").unwrap_or_default();
        let quoted = filter
            .split('\'')
            .nth(1)
            .filter(|_| filter.contains("environment eq"));
        match quoted {
            Some(id) => self.environment(id),
            None => Err(ServiceError::bad_request(
                "EnvironmentFilterMissing",
                "The query needs $filter=environment eq '<id>'.",
            )),
        }
    }

    /// The caller's session in `environment`.
    fn session(&self, environment: &Environment) -> Result<Session<'v>, ServiceError> {
        let root = format!("https://{}/api/data/v9.2", environment.host);
        dataverse::sign_in(self.call, self.tx, environment.clone(), self.caller, root)
    }

    /// The caller's session in `environment`, for what only its administrators may do.
    fn administer(&self, environment: &Environment) -> Result<Session<'v>, ServiceError> {
        let session = self.session(environment)?;
        if dataverse::is_administrator(&session)? {
            return Ok(session);
        }
        Err(ServiceError::forbidden(
            "EnvironmentAccess",
            format!("The caller is no administrator of '{}'.", environment.name),
        ))
    }

    /// The refusal that names what was asked for.
    fn not_emulated(&self) -> ServiceError {
        let Call {
            method, host, path, ..
        } = self.call;
        ServiceError::not_emulated(format_args!("{method} {host}/{}", path.join("/")))
    }

    fn body(&self) -> Result<Value, ServiceError> {
        self.call.json().map_err(|error| {
            ServiceError::bad_request("InvalidRequestContent", format!("The body: {error}"))
        })
    }
}

fn not_found(code: &'static str, message: &str) -> ServiceError {
    ServiceError::new(StatusCode::NOT_FOUND, code, message)
}

fn list(values: Vec<Value>) -> Response {
    Response::json(StatusCode::OK, &json!({ "value": values }))
}

/// A person, group or application as these services describe it.
fn principal(identity: &Identity) -> Value {
    json!({
        "id": identity.object_id,
        "displayName": identity.name,
        "email": identity.upn,
        "type": identity.kind.principal_type(),
        "userPrincipalName": identity.upn,
    })
}

fn unauthorized() -> Response {
    let error =
        json!({ "code": "AuthenticationFailed", "message": "The token is missing or not valid." });
    let mut response = Response::json(StatusCode::UNAUTHORIZED, &json!({ "error": error }));
    let challenge = HeaderValue::from_static(
        "Bearer authorization_uri=https://login.microsoftonline.com/common",
    );
    response.headers.insert(WWW_AUTHENTICATE, challenge);
    response
}
