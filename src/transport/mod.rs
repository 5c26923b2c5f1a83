//! Requests and how they travel.
//!
//! Everything that talks to Dataverse, Azure DevOps or the Power Apps service builds a real HTTP
//! [`Request`] and gives it to a [`Transport`]. Over `https` it is sent; [`InProcess`] hands the
//! same request to a [`Service`], such as the emulated tenant, with no socket in between
//! (ARCHITECTURE, D1). Transports wrap one another: authorisation, retry, recording, faults.

pub mod authorize;
mod cancel;
pub mod fault;
pub mod https;
pub mod record;
pub mod redact;
pub mod retry;
mod secret;

pub use cancel::{Cancel, Cancelled};
pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
pub use secret::Secret;
pub use url::Url;

use std::sync::Arc;
use std::time::Duration;

use crate::problem::Problem;

/// One HTTP request, whole in memory.
#[derive(Debug, Clone)]
pub struct Request {
    /// The verb.
    pub method: Method,
    /// The absolute address, query included.
    pub url: Url,
    /// The headers; names are case-insensitive.
    pub headers: HeaderMap,
    /// The body, empty where there is none.
    pub body: Vec<u8>,
    /// Whether sending it twice is the same as sending it once, whatever the verb says.
    pub repeatable: bool,
}

/// One HTTP response, whole in memory.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code. Every status is a response: only a request that got none is an error.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, empty where there is none.
    pub body: Vec<u8>,
}

/// Sends requests and returns what was answered.
pub trait Transport: Send + Sync {
    /// Sends `request` and waits for the whole answer.
    ///
    /// # Errors
    /// [`TransportError`] when no answer arrived. A status such as 404 or 500 is an answer.
    fn send(&self, request: Request) -> Result<Response, TransportError>;
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send(&self, request: Request) -> Result<Response, TransportError> {
        (**self).send(request)
    }
}

/// Something that answers requests, such as the emulated tenant.
pub trait Service: Send + Sync {
    /// Answers `request`. A service has no way not to answer: what it cannot do is a status.
    fn answer(&self, request: Request) -> Response;
}

/// The header of an answer that is none: the connection broke, and its value says why.
///
/// A [`Service`] has no other way to say that. Whoever carries answers turns it into what a caller
/// would meet: [`InProcess`] into [`TransportError::Unreachable`], a server into a closed
/// connection.
pub const DROPPED: HeaderName = HeaderName::from_static("x-alm-dropped");

/// The header of an answer that is late: how many milliseconds it is held back by whoever carries it.
pub const DELAYED: HeaderName = HeaderName::from_static("x-alm-delayed");

/// Takes [`DELAYED`] off an answer: how long it is to be held back.
pub fn delay_of(response: &mut Response) -> Duration {
    let header = response.headers.remove(DELAYED);
    let milliseconds = header.and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_millis(milliseconds.unwrap_or_default())
}

/// The transport without a socket: it hands each request to a [`Service`].
#[derive(Clone)]
pub struct InProcess {
    service: Arc<dyn Service>,
    cancel: Cancel,
}

impl InProcess {
    /// A transport to `service`.
    pub fn new(service: Arc<dyn Service>) -> Self {
        Self {
            service,
            cancel: Cancel::new(),
        }
    }

    /// The same transport, which waits for a late answer no longer than `cancel` lets it.
    #[must_use]
    pub fn stopped_by(self, cancel: Cancel) -> Self {
        Self { cancel, ..self }
    }
}

impl Transport for InProcess {
    fn send(&self, request: Request) -> Result<Response, TransportError> {
        let host = request.url.host_str().unwrap_or_default().to_owned();
        self.cancel.check()?;
        let mut response = self.service.answer(request);
        self.cancel.wait(delay_of(&mut response))?;
        match response.headers.get(DROPPED) {
            Some(reason) => {
                let reason = reason
                    .to_str()
                    .unwrap_or("the connection was closed")
                    .to_owned();
                Err(TransportError::Unreachable { host, reason })
            }
            None => Ok(response),
        }
    }
}

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// No connection, or it broke before the whole answer was there.
    #[error("no answer from {host}: {reason}")]
    Unreachable {
        /// The host that was called.
        host: String,
        /// What the network layer said.
        reason: String,
    },
    /// There is nothing behind the address that could answer now or later.
    #[error("{host} is not there: {reason}")]
    NotThere {
        /// The host that was called.
        host: String,
        /// What is missing.
        reason: String,
    },
    /// The run was cancelled or its time is over.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// No token could be had for the request.
    #[error("cannot sign in to {host}: {reason}")]
    SignIn {
        /// The host that the token was for.
        host: String,
        /// What the sign-in service or the configuration said.
        reason: String,
    },
}

impl Problem for TransportError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "ALM-T001",
            Self::Cancelled(_) => "ALM-T002",
            Self::SignIn { .. } => "ALM-T003",
            Self::NotThere { .. } => "ALM-T004",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Unreachable { .. } => {
                Some("check the address in alm.toml and your network, then run it again".into())
            }
            Self::NotThere { .. } | Self::Cancelled(_) => None,
            Self::SignIn { .. } => {
                Some("check the identity that alm.toml names for this environment".into())
            }
        }
    }
}

impl Request {
    /// A request without headers or body.
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Vec::new(),
            repeatable: false,
        }
    }

    /// The same request, which may be sent again when its answer is lost: it only asks something.
    #[must_use]
    pub fn repeatable(self) -> Self {
        Self {
            repeatable: true,
            ..self
        }
    }

    /// The same request with `value` as its JSON body and the matching content type.
    #[must_use]
    pub fn json(mut self, value: &serde_json::Value) -> Self {
        self.body = value.to_string().into_bytes();
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        self.headers.insert(http::header::CONTENT_TYPE, json);
        self
    }

    /// The same request with a header set. A value that HTTP forbids is dropped by the caller's
    /// own builder, so this takes a checked [`HeaderValue`].
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

impl Response {
    /// A response without headers or body.
    pub fn new(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Vec::new(),
        }
    }

    /// A JSON response.
    pub fn json(status: StatusCode, value: &serde_json::Value) -> Self {
        let mut response = Self::new(status);
        response.body = value.to_string().into_bytes();
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        response.headers.insert(http::header::CONTENT_TYPE, json);
        response
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When the body is not JSON.
    pub fn to_json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}
