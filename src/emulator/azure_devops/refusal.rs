//! How the emulated organisation says no: error bodies with the service's type keys
//! (facts/git-hosts.md, section 9).

use serde_json::json;

use crate::emulator::store::StoreError;
use crate::git::GitError;
use crate::transport::{Response, StatusCode};

/// What a route answers with.
pub(super) type Answer<T = Response> = Result<T, Refusal>;

/// Why a request was not done.
pub(super) enum Refusal {
    /// The tenant's database failed: the whole request is undone.
    Store(StoreError),
    /// A repository failed.
    Git(GitError),
    /// The service says no.
    Said(Box<Response>),
}

impl Refusal {
    /// The answer for it, or the database error that ends the request.
    pub fn into_response(self) -> Result<Response, StoreError> {
        match self {
            Self::Store(error) => Err(error),
            Self::Said(response) => Ok(*response),
            Self::Git(error) => {
                let (status, key) = match error {
                    GitError::Missing { .. } => {
                        (StatusCode::NOT_FOUND, "GitUnresolvableToCommitException")
                    }
                    GitError::Stale { .. } => (StatusCode::CONFLICT, "GitReferenceStaleException"),
                    GitError::BadName { .. } => {
                        (StatusCode::BAD_REQUEST, "InvalidGitRefNameException")
                    }
                    GitError::BadPath { .. } => {
                        (StatusCode::BAD_REQUEST, "InvalidArgumentValueException")
                    }
                    GitError::Open { .. } | GitError::Failed { .. } => {
                        (StatusCode::INTERNAL_SERVER_ERROR, "GitStorageException")
                    }
                };
                match say(status, key, &error.to_string()) {
                    Self::Said(response) => Ok(*response),
                    _ => Ok(Response::new(status)),
                }
            }
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<GitError> for Refusal {
    fn from(error: GitError) -> Self {
        Self::Git(error)
    }
}

/// A refusal with the service's error body.
pub(super) fn say(status: StatusCode, type_key: &str, message: &str) -> Refusal {
    let body = json!({
        "$id": "1",
        "innerException": null,
        "message": message,
        "typeName": format!("Microsoft.TeamFoundation.{type_key}, Microsoft.TeamFoundation"),
        "typeKey": type_key,
        "errorCode": 0,
        "eventId": 3000,
    });
    Refusal::Said(Box::new(Response::json(status, &body)))
}

/// `400`.
pub(super) fn bad_request(type_key: &str, message: &str) -> Refusal {
    say(StatusCode::BAD_REQUEST, type_key, message)
}

/// `404`.
pub(super) fn not_found(type_key: &str, message: &str) -> Refusal {
    say(StatusCode::NOT_FOUND, type_key, message)
}

/// `409`.
pub(super) fn conflict(type_key: &str, message: &str) -> Refusal {
    say(StatusCode::CONFLICT, type_key, message)
}

/// `501` for what the emulated organisation does not have.
pub(super) fn not_emulated(feature: &str) -> Refusal {
    say(
        StatusCode::NOT_IMPLEMENTED,
        "NotEmulatedException",
        &format!("The emulated tenant does not have this feature: Azure DevOps {feature}"),
    )
}

/// `200` with a JSON body.
pub(super) fn ok(value: &serde_json::Value) -> Answer {
    Ok(Response::json(StatusCode::OK, value))
}

/// `201` with a JSON body.
pub(super) fn created(value: &serde_json::Value) -> Answer {
    Ok(Response::json(StatusCode::CREATED, value))
}

/// `200` with a wrapped list.
pub(super) fn list(values: Vec<serde_json::Value>) -> Answer {
    ok(&json!({ "count": values.len(), "value": values }))
}

/// `204`.
pub(super) fn no_content() -> Answer {
    Ok(Response::new(StatusCode::NO_CONTENT))
}
