//! Sign-in: the token endpoint, and what a token says about its bearer.
//!
//! Tokens are JSON Web Tokens. Inside the process they have no signature, and tests can make their
//! own; over a socket only those count that this tenant has signed ([`super::credentials`]). Expiry,
//! tenant and identity are checked always; for which service a token was made, that service checks
//! ([`super::audience`]).
//! Wire format: facts/dataverse-web-api.md, section 2.1.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::audience::BASIC;
use super::call::{Call, not_emulated};
use super::credentials::{Credentials, one_way};
use super::definition::derived_id;
use super::directory::{self, Identity, IdentityKind};
use super::store::{StoreError, Transaction};
use crate::transport::{Method, Response, StatusCode};

/// The password of every emulated user inside the process, where it protects nothing. Over a socket
/// it is worth nothing: there the tenant has one of its own ([`super::credentials`]).
pub const EMULATED_PASSWORD: &str = "emulated";
/// How long a token is valid, in seconds; what Microsoft Entra ID mostly answers.
const LIFETIME: i64 = 3599;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The tenant's id.
    pub tid: Uuid,
    /// The resource that the token is for, for example `https://contoso-dev.crm4.dynamics.com`.
    #[serde(default)]
    pub aud: String,
    /// The object id of the user or service principal.
    pub oid: Uuid,
    /// A user's sign-in name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upn: Option<String>,
    /// An application's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appid: Option<Uuid>,
    /// The display name.
    #[serde(default)]
    pub name: String,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
}

impl Claims {
    /// The claims of a token for `identity` to use `audience`, made at `now`.
    pub fn new(tenant: Uuid, identity: &Identity, audience: &str, now: Timestamp) -> Self {
        Self {
            tid: tenant,
            aud: audience.to_owned(),
            oid: identity.object_id,
            upn: identity.upn.clone(),
            appid: identity.app_id,
            name: identity.name.clone(),
            exp: now.as_second() + LIFETIME,
        }
    }

    /// The token as it travels inside the process: nobody has signed it.
    pub fn encode(&self) -> String {
        // Some clients insist on three parts that are not empty.
        let signature = BASE64_URL_SAFE_NO_PAD.encode("unsigned");
        format!("{}.{signature}", self.unsigned("none"))
    }

    /// The token as it travels over a socket.
    pub fn sign(&self, credentials: &Credentials) -> String {
        let message = self.unsigned("HS256");
        let signature = BASE64_URL_SAFE_NO_PAD.encode(credentials.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    fn unsigned(&self, algorithm: &str) -> String {
        let part = |value: String| BASE64_URL_SAFE_NO_PAD.encode(value);
        let header = part(json!({ "typ": "JWT", "alg": algorithm }).to_string());
        // A struct of strings, numbers and ids has no way to fail to be JSON.
        let claims = part(serde_json::to_string(self).unwrap_or_default());
        format!("{header}.{claims}")
    }

    /// Reads a token if it counts where `call` came from: over a socket only if it is signed.
    fn read(call: &Call, tx: &Transaction<'_>, token: &str) -> Result<Option<Self>, StoreError> {
        if call.over_socket && !is_signed(&Credentials::of(tx)?, token) {
            return Ok(None);
        }
        Ok(Self::decode(token))
    }

    /// Reads a token, whoever signed it. `None` when it is not a token.
    pub fn decode(token: &str) -> Option<Self> {
        let claims = token.split('.').nth(1)?;
        let bytes = BASE64_URL_SAFE_NO_PAD
            .decode(claims.trim_end_matches('='))
            .ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

/// Whether the last part of a token is this tenant's signature. What the token says of its
/// algorithm is not asked: there is one.
fn is_signed(credentials: &Credentials, token: &str) -> bool {
    let Some((message, signature)) = token.rsplit_once('.') else {
        return false;
    };
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature.trim_end_matches('='));
    signature.is_ok_and(|signature| credentials.verify(message.as_bytes(), &signature))
}

/// Who sent a request, according to its `Authorization` header, and for which audience.
///
/// `Bearer` takes a token of this module; `Basic` takes as its password a personal access token or
/// such a token, as Azure DevOps does, and over a socket the tenant's password of the person that
/// it names. `None` for everything that is not valid now.
///
/// # Errors
/// Those of the store.
pub fn bearer(
    tx: &Transaction<'_>,
    tenant: Uuid,
    call: &Call,
) -> Result<Option<(Identity, String)>, StoreError> {
    let authorization = call.header("authorization");
    let Some((scheme, credentials)) = authorization.and_then(|text| text.split_once(' ')) else {
        return Ok(None);
    };
    let credentials = credentials.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return by_token(tx, tenant, call, credentials);
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Ok(None);
    }
    let decoded = BASE64_STANDARD
        .decode(credentials)
        .ok()
        .and_then(|it| String::from_utf8(it).ok());
    let Some((user, password)) = decoded.as_deref().and_then(|text| text.split_once(':')) else {
        return Ok(None);
    };
    if let Some(identity) = directory::by_access_token(tx, password)? {
        return Ok(Some((identity, BASIC.into())));
    }
    if call.over_socket && Credentials::of(tx)?.is_password(password) {
        let identity = directory::by_user_name(tx, user)?;
        return Ok(identity.map(|identity| (identity, BASIC.into())));
    }
    by_token(tx, tenant, call, password)
}

fn by_token(
    tx: &Transaction<'_>,
    tenant: Uuid,
    call: &Call,
    token: &str,
) -> Result<Option<(Identity, String)>, StoreError> {
    let Some(claims) = Claims::read(call, tx, token)? else {
        return Ok(None);
    };
    if claims.exp <= call.now.as_second() || claims.tid != tenant {
        return Ok(None);
    }
    let identity = directory::by_object_id(tx, claims.oid)?;
    let found = identity.filter(|identity| identity.kind != IdentityKind::Group);
    Ok(found.map(|identity| (identity, claims.aud)))
}

/// Whether `password` is that of the people of the tenant, where `call` came from.
fn is_password(call: &Call, tx: &Transaction<'_>, password: &str) -> Result<bool, StoreError> {
    if call.over_socket {
        return Ok(Credentials::of(tx)?.is_password(password));
    }
    Ok(password == EMULATED_PASSWORD)
}

/// Answers as `login.microsoftonline.com` for the tenant `tenant` with its first domain.
///
/// # Errors
/// Those of the store.
pub fn answer(
    call: &Call,
    tx: &Transaction<'_>,
    tenant: Uuid,
    domain: &str,
) -> Result<Response, StoreError> {
    let segments = call.segments();
    let Some((named, rest)) = segments.split_first() else {
        return Ok(not_emulated("the sign-in page"));
    };
    let known = named.eq_ignore_ascii_case(domain)
        || Uuid::parse_str(named) == Ok(tenant)
        || ["organizations", "common"].contains(named);
    if !known {
        let message = format!("AADSTS90002: Tenant '{named}' not found.");
        return Ok(refuse(
            call,
            StatusCode::BAD_REQUEST,
            "invalid_request",
            90002,
            &message,
        ));
    }
    match (call.method.clone(), rest) {
        (Method::POST, ["oauth2", "v2.0", "token"] | ["oauth2", "token"]) => {
            token(call, tx, tenant)
        }
        (Method::GET, ["v2.0", ".well-known", "openid-configuration"]) => {
            let authority = format!("{}/{tenant}", call.base);
            Ok(Response::json(
                StatusCode::OK,
                &json!({
                    "issuer": format!("{authority}/v2.0"),
                    "token_endpoint": format!("{authority}/oauth2/v2.0/token"),
                    "authorization_endpoint": format!("{authority}/oauth2/v2.0/authorize"),
                    "device_authorization_endpoint": format!("{authority}/oauth2/v2.0/devicecode"),
                    "response_types_supported": ["code", "token"],
                    "tenant_region_scope": null,
                }),
            ))
        }
        _ => Ok(not_emulated(format_args!(
            "signing in through /{}",
            rest.join("/")
        ))),
    }
}

fn token(call: &Call, tx: &Transaction<'_>, tenant: Uuid) -> Result<Response, StoreError> {
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&call.body)
        .into_owned()
        .collect();
    let field = |name: &str| {
        form.iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .unwrap_or_default()
    };
    // A scope names the resource; the older endpoint has it in a field of its own.
    let scopes = field("scope");
    let audience = if field("resource").is_empty() {
        let named = scopes.split_whitespace().find(|scope| scope.contains('/'));
        named
            .and_then(|scope| scope.rsplit_once('/'))
            .map(|(resource, _)| resource)
    } else {
        Some(field("resource"))
    };
    let audience = audience.map(|resource| resource.trim_end_matches('/').to_owned());
    let identity = match field("grant_type") {
        "client_credentials" => match client_credentials(call, tx, &form)? {
            Ok(identity) => identity,
            Err(refusal) => return Ok(refusal),
        },
        "password" => {
            let found = directory::by_name(tx, field("username"))?;
            let Some(user) = found.filter(|it| it.kind == IdentityKind::User) else {
                let message = "AADSTS50034: The user account does not exist in the directory.";
                let status = StatusCode::BAD_REQUEST;
                return Ok(refuse(call, status, "invalid_grant", 50034, message));
            };
            if !is_password(call, tx, field("password"))? {
                let message = "AADSTS50126: Error validating credentials due to invalid username \
                               or password.";
                let status = StatusCode::BAD_REQUEST;
                return Ok(refuse(call, status, "invalid_grant", 50126, message));
            }
            user
        }
        "refresh_token" => {
            let refreshed = Claims::read(call, tx, field("refresh_token"))?
                .filter(|claims| claims.tid == tenant && claims.aud == "refresh")
                .map(|claims| directory::by_object_id(tx, claims.oid))
                .transpose()?;
            let Some(identity) = refreshed.flatten() else {
                let message = "AADSTS9002313: Invalid request. The refresh token is malformed.";
                let status = StatusCode::BAD_REQUEST;
                return Ok(refuse(call, status, "invalid_grant", 9_002_313, message));
            };
            identity
        }
        "urn:ietf:params:oauth:grant-type:device_code" | "authorization_code" => {
            return Ok(not_emulated(format_args!(
                "the grant {}",
                field("grant_type")
            )));
        }
        other => {
            let message = format!("AADSTS70003: The app requested an unsupported grant '{other}'.");
            let status = StatusCode::BAD_REQUEST;
            return Ok(refuse(
                call,
                status,
                "unsupported_grant_type",
                70003,
                &message,
            ));
        }
    };
    let Some(audience) = audience else {
        let message = format!(
            "AADSTS70011: The provided value for the input parameter 'scope' is not valid. The \
             scope '{scopes}' is not valid."
        );
        return Ok(refuse(
            call,
            StatusCode::BAD_REQUEST,
            "invalid_scope",
            70011,
            &message,
        ));
    };
    let claims = Claims::new(tenant, &identity, &audience, call.now);
    let encode = |claims: &Claims| -> Result<String, StoreError> {
        if call.over_socket {
            return Ok(claims.sign(&Credentials::of(tx)?));
        }
        Ok(claims.encode())
    };
    let mut body = json!({
        "token_type": "Bearer",
        "expires_in": LIFETIME,
        "ext_expires_in": LIFETIME,
        "access_token": encode(&claims)?,
    });
    if scopes
        .split_whitespace()
        .any(|scope| scope == "offline_access")
    {
        let refresh = Claims {
            aud: "refresh".into(),
            ..claims
        };
        body["refresh_token"] = encode(&refresh)?.into();
    }
    Ok(Response::json(StatusCode::OK, &body))
}

/// The application that signs in with its secret: in form fields, or as HTTP Basic, which some
/// libraries prefer.
fn client_credentials(
    call: &Call,
    tx: &Transaction<'_>,
    form: &[(String, String)],
) -> Result<Result<Identity, Response>, StoreError> {
    let field = |name: &str| {
        form.iter()
            .find(|(key, _)| key == name)
            .map(|(_, it)| it.clone())
    };
    if field("client_assertion").is_some() {
        return Ok(Err(not_emulated("signing in with a certificate")));
    }
    let basic = call
        .header("authorization")
        .and_then(|text| text.strip_prefix("Basic "))
        .and_then(|text| BASE64_STANDARD.decode(text.trim()).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let (id, secret) = match basic.as_deref().and_then(|text| text.split_once(':')) {
        Some((id, secret)) => {
            let plain = |text: &str| {
                percent_encoding::percent_decode_str(text)
                    .decode_utf8_lossy()
                    .into_owned()
            };
            (plain(id), plain(secret))
        }
        None => (
            field("client_id").unwrap_or_default(),
            field("client_secret").unwrap_or_default(),
        ),
    };
    let application = match Uuid::parse_str(&id) {
        Ok(id) => directory::application(tx, id)?,
        Err(_) => None,
    };
    let Some(application) = application else {
        let message = format!(
            "AADSTS700016: Application with identifier '{id}' was not found in the directory."
        );
        let status = StatusCode::BAD_REQUEST;
        return Ok(Err(refuse(
            call,
            status,
            "unauthorized_client",
            700_016,
            &message,
        )));
    };
    if application.secret != one_way(&secret) {
        let message = format!(
            "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the \
             request is the client secret value, not the client secret ID, for a secret added to \
             app '{id}'."
        );
        let status = StatusCode::UNAUTHORIZED;
        return Ok(Err(refuse(
            call,
            status,
            "invalid_client",
            7_000_215,
            &message,
        )));
    }
    Ok(Ok((&application).into()))
}

fn refuse(call: &Call, status: StatusCode, error: &str, number: u32, message: &str) -> Response {
    // The same failure has the same trace id, so that recorded answers can be compared.
    let trace = derived_id("trace", message);
    Response::json(
        status,
        &json!({
            "error": error,
            "error_description": format!("{message} Trace ID: {trace}"),
            "error_codes": [number],
            "timestamp": super::clock::on_the_wire(call.now),
            "trace_id": trace,
            "correlation_id": trace,
        }),
    )
}
