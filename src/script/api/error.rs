//! The one error that primitives raise in a script.

use rhai::{Dynamic, EvalAltResult, Map, Position};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::problem::{FailedRequest, Problem};

/// A failure of the host, as a script sees it: `catch (err) { err.code, err.message, err.hint }`.
///
/// Every [`Problem`] turns into one. It is thrown as a run-time error with itself as the value,
/// since Rhai's system errors cannot be caught (rhai-host §4.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HostError {
    /// The stable code, `ALM-E012`.
    pub code: String,
    /// What went wrong, in one sentence.
    pub message: String,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The request that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Box<FailedRequest>>,
    /// Facts for programs; null where there are none.
    #[serde(default, skip_serializing_if = "is_null")]
    pub details: Box<Value>,
}

fn is_null(details: &Value) -> bool {
    details.is_null()
}

/// What a registered function returns.
pub type Scripted<T> = Result<T, Box<EvalAltResult>>;

impl HostError {
    /// An error with a code and a message.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            hint: None,
            request: None,
            details: Box::default(),
        }
    }

    /// The same with the next thing to do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with facts for programs.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.details = Box::new(details);
        self
    }

    /// What a script sees of `problem`: its message with the causes that it does not name itself.
    pub fn of(problem: &dyn Problem) -> Self {
        let mut message = problem.to_string();
        let mut cause = problem.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !message.contains(&text) {
                message = format!("{message}: {text}");
            }
            cause = error.source();
        }
        Self {
            code: problem.code().into(),
            message,
            hint: problem.hint(),
            request: problem.request().map(Box::new),
            details: Box::new(problem.details()),
        }
    }

    /// The host error inside an evaluation error, however deep the calls around it.
    pub fn within(error: &EvalAltResult) -> Option<Self> {
        match error.unwrap_inner() {
            EvalAltResult::ErrorRuntime(value, _) => {
                value.read_lock::<Self>().map(|error| error.clone())
            }
            _ => None,
        }
    }
}

impl std::fmt::Display for HostError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} [{}]", self.message, self.code)
    }
}

impl<P: Problem> From<P> for HostError {
    fn from(problem: P) -> Self {
        Self::of(&problem)
    }
}

impl From<HostError> for Box<EvalAltResult> {
    fn from(error: HostError) -> Self {
        Box::new(EvalAltResult::ErrorRuntime(
            Dynamic::from(error),
            Position::NONE,
        ))
    }
}

/// `result.thrown()?` in a registered function: any problem becomes a catchable error.
pub trait Thrown<T> {
    /// The same result with its error as a script error.
    ///
    /// # Errors
    /// The error that was there.
    fn thrown(self) -> Scripted<T>;
}

impl<T, E: Into<HostError>> Thrown<T> for Result<T, E> {
    fn thrown(self) -> Scripted<T> {
        self.map_err(|error| error.into().into())
    }
}

/// The request as a map for scripts, or `()`.
pub(super) fn request_map(request: Option<&FailedRequest>) -> Dynamic {
    let Some(request) = request else {
        return Dynamic::UNIT;
    };
    let mut map = Map::new();
    map.insert("method".into(), request.method.clone().into());
    map.insert("url".into(), request.url.clone().into());
    let status = request
        .status
        .map_or(Dynamic::UNIT, |status| i64::from(status).into());
    map.insert("status".into(), status);
    let code = request
        .service_code
        .clone()
        .map_or(Dynamic::UNIT, Dynamic::from);
    map.insert("service_code".into(), code);
    map.into()
}
