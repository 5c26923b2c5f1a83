//! The Dataverse Web API of one environment.
//!
//! Wire facts: facts/dataverse-web-api.md. A request comes in at [`answer`]: `security` finds who
//! calls, `route` what is called, `query` and `write` read and change rows, `wire` words them.
//! `session` is a request's view of the rows, `catalogue` what tables there are, `odata` the query
//! language, `rules` how single tables behave, [`extension`] where other parts plug in.

mod batch;
pub mod catalogue;
mod condition;
mod environment;
pub mod extension;
mod failure;
pub mod files;
mod metadata;
pub mod odata;
mod operations;
mod payload;
mod preferences;
mod query;
mod reader;
mod resource;
mod route;
pub mod row;
mod rules;
mod security;
mod session;
mod sharing;
pub mod solutions;
mod wire;
pub mod write;

pub use environment::{Environment, STANDARD_ROLES, SYSTEM_ADMINISTRATOR, establish};
pub use failure::ServiceError;
pub use operations::SERVICE_VERSION;
pub use row::Row;
pub use security::{is_administrator, may_customize, session as sign_in};
pub use session::Session;

use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use serde_json::{Value, json};

use self::extension::EXTENSIONS;
use self::preferences::Preferences;
use super::audience;
use super::call::Call;
use super::directory::Identity;
use super::store::{StoreError, Transaction};
use crate::transport::{HeaderValue, Method, Response, StatusCode};

/// Answers as the Web API of `environment`.
///
/// # Errors
/// Those of the store.
pub fn answer(
    call: &Call,
    tx: &Transaction<'_>,
    environment: Environment,
) -> Result<Response, StoreError> {
    let Some((version, below_root)) = below_root(&call.raw_path) else {
        return Ok(outside(call));
    };
    let Some(caller) = authenticated(call, &environment) else {
        return Ok(unauthorized(call, &environment));
    };
    let root = format!("{}/api/data/{version}", call.base);
    let preferences = Preferences::of(call);
    let mut response = if matches!(below_root, "/$batch" | "/%24batch") {
        let work = || {
            let session = security::session(call, tx, environment.clone(), caller, root)?;
            if call.method != Method::POST {
                return Err(ServiceError::wrong_verb("A batch is sent with POST."));
            }
            batch::answer(&session, call, preferences.continue_on_error, &|inner| {
                answer(inner, tx, environment.clone())
            })
        };
        work().unwrap_or_else(|error| error.to_response(preferences.annotations.any()))
    } else {
        single(
            call,
            tx,
            environment,
            caller,
            root,
            below_root,
            &preferences,
        )?
    };
    finish(call, &preferences, &mut response)?;
    Ok(response)
}

/// Answers one request. What it wrote vanishes when it is refused.
fn single(
    call: &Call,
    tx: &Transaction<'_>,
    environment: Environment,
    caller: &Identity,
    root: String,
    below_root: &str,
    preferences: &Preferences,
) -> Result<Response, StoreError> {
    // What time does goes on whatever becomes of this request.
    let advanced: Result<(), ServiceError> = tx.attempt(|| {
        let session = security::session(call, tx, environment.clone(), caller, root.clone())?;
        EXTENSIONS
            .iter()
            .try_for_each(|extension| extension.advance(&session))
    });
    let result = tx.attempt(|| {
        let work = || {
            advanced?;
            let session = security::session(call, tx, environment, caller, root)?;
            route::answer(&session, call, below_root, preferences)
        };
        match work() {
            // An error inside would take back what shall stay.
            Err(error) if error.keeps_effects => Ok(Err(error)),
            Err(error) => Err(error),
            Ok(response) => Ok(Ok(response)),
        }
    });
    Ok(match result {
        Ok(Ok(response)) => response,
        Ok(Err(error)) | Err(error) => error.to_response(preferences.annotations.any()),
    })
}

/// The version in the address and what follows it; `None` outside of the Web API.
fn below_root(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("/api/data/")?;
    let (version, below) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let number = version.strip_prefix("v9.")?;
    number
        .chars()
        .all(|it| it.is_ascii_digit())
        .then_some((version, below))
}

fn outside(call: &Call) -> Response {
    if call.raw_path.to_lowercase().starts_with("/xrmservices/") {
        return ServiceError::not_emulated("the SOAP endpoint").to_response(false);
    }
    let message = format!(
        "No HTTP resource was found that matches the request URI '{}'.",
        call.raw_path
    );
    Response::json(StatusCode::NOT_FOUND, &json!({ "Message": message }))
}

/// The caller, if the token was made for this environment.
fn authenticated<'c>(call: &'c Call, environment: &Environment) -> Option<&'c Identity> {
    let caller = call.caller.as_ref()?;
    let fits = audience::is_for_host(call, &[environment.host.as_str()]);
    fits.then_some(caller)
}

/// `401`, saying where to sign in (facts/dataverse-web-api.md, section 2.1).
fn unauthorized(call: &Call, environment: &Environment) -> Response {
    let message = "HTTP Error 401 - Unauthorized: Access is denied";
    let body = json!({ "Message": message, "error": { "code": "0x80048302", "message": message } });
    let mut response = Response::json(StatusCode::UNAUTHORIZED, &body);
    let challenge = format!(
        "Bearer authorization_uri=https://login.microsoftonline.com/{}/oauth2/authorize, \
         resource_id={}/",
        environment.tenant_id, call.base
    );
    if let Ok(challenge) = HeaderValue::from_str(&challenge) {
        response.headers.insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

/// Adds what every answer has (facts/dataverse-web-api.md, section 1.3).
fn finish(
    call: &Call,
    preferences: &Preferences,
    response: &mut Response,
) -> Result<(), StoreError> {
    let headers = &mut response.headers;
    headers.insert("odata-version", HeaderValue::from_static("4.0"));
    headers.insert("x-ms-dop-hint", HeaderValue::from_static("4"));
    headers.insert(
        "x-ms-ratelimit-burst-remaining-xrm-requests",
        HeaderValue::from_static("5999"),
    );
    headers.insert(
        "x-ms-ratelimit-time-remaining-xrm-requests",
        HeaderValue::from_static("1200"),
    );
    let id = call.header("x-ms-client-request-id").map_or_else(
        || super::definition::derived_id("request", &call.raw_path).to_string(),
        str::to_owned,
    );
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert("req_id", id.clone());
        headers.insert("x-ms-service-request-id", id);
    }
    let applied = preferences.applied.join(", ");
    if !applied.is_empty()
        && let Ok(applied) = HeaderValue::from_str(&applied)
    {
        headers.insert("preference-applied", applied);
    }
    let is_json = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("application/json"));
    if !is_json {
        return Ok(());
    }
    let accept = call.header("accept").unwrap_or_default().to_lowercase();
    if accept.contains("odata.metadata=none") {
        let mut body: Value = serde_json::from_slice(&response.body)?;
        without_control(&mut body);
        response.body = body.to_string().into_bytes();
        let kind = HeaderValue::from_static("application/json; odata.metadata=none");
        headers.insert(CONTENT_TYPE, kind);
    } else if response.status.is_success() {
        let kind = HeaderValue::from_static("application/json; odata.metadata=minimal");
        headers.insert(CONTENT_TYPE, kind);
    }
    Ok(())
}

/// Drops the control information of OData, except what is needed to go on reading.
fn without_control(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| {
                !name.contains("@odata.")
                    || name.ends_with("@odata.nextLink")
                    || name.ends_with("@odata.count")
            });
            members.values_mut().for_each(without_control);
        }
        Value::Array(items) => items.iter_mut().for_each(without_control),
        _ => {}
    }
}
