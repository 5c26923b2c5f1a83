//! Faults on purpose: the tenant can be told to fail at the n-th call of a kind.
//!
//! Faults are tenant data, so they survive a restart and every process that opens the tenant sees
//! them (DESIGN, section 5).

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::call::Call;
use super::store::{StoreError, Transaction};
use crate::transport::{DELAYED, DROPPED, HeaderValue, Response, StatusCode};

const SCOPE: &str = "tenant";
const KIND: &str = "fault";
/// A longer delay than this would look like a hang; no service protection limit asks for more.
const LONGEST_DELAY: u64 = 60_000;

/// One fault that waits for its calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which calls it concerns.
    #[serde(default)]
    pub on: FaultPattern,
    /// The first matching call that fails, counted from 1.
    #[serde(default = "once")]
    pub at: u64,
    /// How many matching calls fail from then on.
    #[serde(default = "once")]
    pub times: u64,
    /// What happens to them.
    pub action: FaultAction,
}

/// Which calls a fault concerns: all its parts that are given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultPattern {
    /// The verb, for example `POST`.
    #[serde(default)]
    pub method: Option<String>,
    /// The whole host.
    #[serde(default)]
    pub host: Option<String>,
    /// A part of the path, for example `ImportSolutionAsync`. Letter case counts.
    #[serde(default)]
    pub path: Option<String>,
}

/// What a fault does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultAction {
    /// Answers with this status and an error body; nothing is done.
    Status {
        /// The HTTP status.
        status: u16,
        /// The code in the error body.
        #[serde(default)]
        code: String,
        /// The message in the error body.
        #[serde(default)]
        message: String,
        /// Seconds for `Retry-After`.
        #[serde(default)]
        retry_after: Option<u32>,
    },
    /// Does what was asked, then answers late. At most a minute.
    Delay {
        /// How late.
        milliseconds: u64,
    },
    /// Breaks the connection.
    Drop {
        /// Whether the request has its effects although no answer arrives.
        #[serde(default)]
        after_effect: bool,
    },
}

#[derive(Serialize, Deserialize)]
struct Stored {
    fault: Fault,
    seen: u64,
}

/// Adds a fault.
///
/// # Errors
/// Those of the store; so for all functions here.
pub(super) fn inject(tx: &Transaction<'_>, fault: Fault) -> Result<(), StoreError> {
    let number = tx.next("fault")?;
    let stored = serde_json::to_value(Stored { fault, seen: 0 })?;
    tx.put(SCOPE, KIND, &format!("{number:08}"), &stored)
}

/// Takes all faults away.
pub(super) fn clear(tx: &Transaction<'_>) -> Result<(), StoreError> {
    for (id, _) in tx.list(SCOPE, KIND)? {
        tx.delete(SCOPE, KIND, &id)?;
    }
    Ok(())
}

/// Counts `call` for every fault that it matches and returns what shall happen to it.
pub(super) fn strike(tx: &Transaction<'_>, call: &Call) -> Result<Option<FaultAction>, StoreError> {
    let mut strikes = None;
    for (id, body) in tx.list(SCOPE, KIND)? {
        let mut stored: Stored = serde_json::from_value(body)?;
        if !stored.fault.on.matches(call) {
            continue;
        }
        stored.seen += 1;
        let last = stored
            .fault
            .at
            .saturating_add(stored.fault.times.saturating_sub(1));
        if strikes.is_none() && (stored.fault.at..=last).contains(&stored.seen) {
            strikes = Some(stored.fault.action.clone());
        }
        if stored.seen >= last {
            tx.delete(SCOPE, KIND, &id)?;
        } else {
            tx.put(SCOPE, KIND, &id, &serde_json::to_value(&stored)?)?;
        }
    }
    Ok(strikes)
}

/// An answer that whoever carries it holds back for so many milliseconds; see [`DELAYED`].
pub(super) fn delayed(mut response: Response, milliseconds: u64) -> Response {
    if milliseconds > 0 {
        response.headers.insert(DELAYED, milliseconds.into());
    }
    response
}

/// The answer that stands for a broken connection; see [`DROPPED`].
pub fn dropped(reason: &str) -> Response {
    // Any status would do, nobody sees it; this one is what a gateway says of a dead service.
    let mut response = Response::new(StatusCode::BAD_GATEWAY);
    let reason = HeaderValue::from_str(reason)
        .unwrap_or_else(|_| HeaderValue::from_static("the connection was closed"));
    response.headers.insert(DROPPED, reason);
    response
}

impl FaultPattern {
    fn matches(&self, call: &Call) -> bool {
        let fits = |wanted: &Option<String>, test: &dyn Fn(&str) -> bool| {
            wanted.as_deref().is_none_or(test)
        };
        fits(&self.method, &|it| {
            it.eq_ignore_ascii_case(call.method.as_str())
        }) && fits(&self.host, &|it| it.eq_ignore_ascii_case(&call.host))
            && fits(&self.path, &|it| call.raw_path.contains(it))
    }
}

impl FaultAction {
    /// How long to wait before the answer, in milliseconds.
    pub(super) fn delay(&self) -> u64 {
        match self {
            Self::Delay { milliseconds } => (*milliseconds).min(LONGEST_DELAY),
            Self::Status { .. } | Self::Drop { .. } => 0,
        }
    }

    /// The answer that takes the place of doing anything, if that is what this fault does.
    pub(super) fn instead(&self) -> Option<Response> {
        match self {
            Self::Status {
                status,
                code,
                message,
                retry_after,
            } => {
                let status =
                    StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let error = json!({ "error": { "code": code, "message": message } });
                let mut response = Response::json(status, &error);
                if let Some(seconds) = retry_after {
                    response
                        .headers
                        .insert(http::header::RETRY_AFTER, (*seconds).into());
                }
                Some(response)
            }
            Self::Drop {
                after_effect: false,
            } => Some(dropped("the connection was closed")),
            Self::Drop { after_effect: true } | Self::Delay { .. } => None,
        }
    }
}

fn once() -> u64 {
    1
}
