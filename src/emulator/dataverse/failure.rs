//! How the Web API says no: status, code, message.
//!
//! Codes and wordings: facts/dataverse-web-api.md, sections 1.4 and 1.5.

use std::borrow::Cow;
use std::fmt::Display;

use serde_json::json;
use uuid::Uuid;

use super::odata::SyntaxError;
use crate::emulator::store::StoreError;
use crate::transport::{Response, StatusCode};

/// A refusal as the service words it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ServiceError {
    /// The HTTP status.
    pub status: StatusCode,
    /// The service's code, for example `0x80040217`.
    pub code: Cow<'static, str>,
    /// The message for people.
    pub message: String,
    /// Whether what the request wrote before it failed stays. Mostly it does not; a failed import
    /// leaves its import job.
    pub keeps_effects: bool,
    /// The seconds of `Retry-After`.
    pub retry_after: Option<u32>,
}

impl ServiceError {
    /// A refusal with any status and code.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let (code, message) = (Cow::Borrowed(code), message.into());
        Self {
            status,
            code,
            message,
            keeps_effects: false,
            retry_after: None,
        }
    }

    /// `400` with the service's code.
    pub fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// `400`, an address or query option that cannot be understood.
    pub fn bad_query(message: impl Into<String>) -> Self {
        Self::bad_request("0x80060888", message)
    }

    /// `400`, a payload that does not fit the table whose set is `set`.
    pub fn bad_payload(set: &str, detail: impl Display) -> Self {
        let message = format!(
            "Error identified in Payload provided by the user for Entity :'{set}', For more \
             information on this error please follow this help link \
             https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : \
             Microsoft.OData.ODataException: {detail}"
        );
        Self::bad_request("0x80048d19", message)
    }

    /// `400`, InvalidArgument.
    pub fn invalid_argument(message: impl Into<String>) -> Self {
        Self::bad_request("0x80040203", message)
    }

    /// `404`, a row that does not exist.
    pub fn no_row(table: &str, id: Uuid) -> Self {
        let message = format!("{table} With Id = {id} Does Not Exist");
        Self::new(StatusCode::NOT_FOUND, "0x80040217", message)
    }

    /// `404`, a set, action, function or property that does not exist.
    pub fn no_resource(segment: &str) -> Self {
        let message = format!("Resource not found for the segment '{segment}'.");
        Self::new(StatusCode::NOT_FOUND, "0x8006088a", message)
    }

    /// `400`, a column that the table does not have.
    pub fn no_property(name: &str, table: &str) -> Self {
        Self::bad_query(format!(
            "Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table}'."
        ))
    }

    /// `403`.
    pub fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    /// `412`, a row with the same key is there already.
    pub fn duplicate(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "0x80040237", message)
    }

    /// `405`, the wrong verb.
    pub fn wrong_verb(message: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "0x80060888", message)
    }

    /// `501`, naming what the emulated tenant does not do.
    pub fn not_emulated(feature: impl Display) -> Self {
        let message = format!("The emulated tenant does not have this feature: {feature}");
        Self::new(StatusCode::NOT_IMPLEMENTED, "NotEmulated", message)
    }

    /// The same refusal, but what was written stays.
    #[must_use]
    pub fn keeping_effects(mut self) -> Self {
        self.keeps_effects = true;
        self
    }

    /// The same refusal with `Retry-After`.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The answer that carries it. With `annotated` the error has the members that
    /// `Prefer: odata.include-annotations="*"` asks for.
    pub fn to_response(&self, annotated: bool) -> Response {
        let mut error = json!({ "code": self.code, "message": self.message });
        if annotated {
            let prefix = "@Microsoft.PowerApps.CDS";
            error[format!("{prefix}.ErrorDetails.OperationStatus")] = "0".into();
            error[format!("{prefix}.ErrorDetails.SubErrorCode")] = "-2146233088".into();
            error[format!("{prefix}.HelpLink")] = "https://go.microsoft.com/fwlink/".into();
            error[format!("{prefix}.TraceText")] = "".into();
            error[format!("{prefix}.InnerError.Message")] = self.message.clone().into();
        }
        let mut response = Response::json(self.status, &json!({ "error": error }));
        if let Some(seconds) = self.retry_after {
            response
                .headers
                .insert(http::header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<SyntaxError> for ServiceError {
    fn from(error: SyntaxError) -> Self {
        Self::bad_query(error.0)
    }
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        let message = format!("An unexpected error occurred. {error}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "0x80040216", message)
    }
}
