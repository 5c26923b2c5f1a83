//! Waiting for asynchronous operations (Dataverse Web API notes, 3.7 and 4.13).

use std::time::{Duration, Instant};

use serde_json::Value;
use uuid::Uuid;

use super::odata::Query;
use super::rows::text;
use super::{Environment, EnvironmentError, Waits};
use crate::transport::TransportError;

/// Right after an upgrade the row of the operation can be unreadable for a moment; so many looks
/// in a row may fail.
const FAILED_LOOKS: u32 = 8;

/// How an operation ended.
#[derive(Debug)]
pub(super) enum JobEnd {
    /// It did what it should.
    Succeeded,
    /// It failed or was cancelled.
    Failed {
        /// What the service said.
        message: String,
        /// The service's own code as `0x…`; empty when it gave none.
        service_code: String,
    },
}

/// The pauses between looks at something that takes its time.
pub(super) struct Looks<'a> {
    environment: &'a Environment,
    operation: &'a str,
    started: Instant,
    pause: Duration,
    waits: Waits,
}

impl<'a> Looks<'a> {
    pub(super) fn new(environment: &'a Environment, operation: &'a str) -> Self {
        let waits = environment.0.waits;
        Self {
            environment,
            operation,
            started: Instant::now(),
            pause: waits.first,
            waits,
        }
    }

    /// Waits until the next look is due.
    pub(super) fn pause(&mut self) -> Result<(), EnvironmentError> {
        if self.started.elapsed() >= self.waits.limit {
            return Err(EnvironmentError::TooSlow {
                operation: self.operation.to_owned(),
                minutes: self.waits.limit.as_secs() / 60,
            });
        }
        self.environment
            .cancel()
            .wait(self.pause)
            .map_err(TransportError::from)?;
        self.pause = (self.pause * 3 / 2).min(self.waits.longest);
        Ok(())
    }
}

impl Environment {
    /// Waits until the asynchronous operation `id` has ended. `percent` is asked after each look,
    /// so that a caller who knows more can report it.
    pub(super) fn wait_for_job(
        &self,
        id: Uuid,
        operation: &str,
        mut percent: impl FnMut(&Self) -> Option<f64>,
    ) -> Result<JobEnd, EnvironmentError> {
        let query = Query::new().select(&[
            "statecode",
            "statuscode",
            "message",
            "friendlymessage",
            "errorcode",
        ])?;
        let mut looks = Looks::new(self, operation);
        let mut failed = 0;
        loop {
            match self.row("asyncoperations", &id.into(), &query) {
                Ok(Some(row)) => {
                    failed = 0;
                    match row.get("statuscode").and_then(Value::as_i64) {
                        Some(30) => return Ok(JobEnd::Succeeded),
                        Some(31 | 32) => {
                            let friendly = text(&row, "friendlymessage");
                            let message = text(&row, "message");
                            return Ok(JobEnd::Failed {
                                message: pick(friendly, message),
                                service_code: code_text(row.get("errorcode")),
                            });
                        }
                        _ => {}
                    }
                }
                Ok(None) if failed < FAILED_LOOKS => failed += 1,
                Err(error) if failed < FAILED_LOOKS && is_passing(&error) => failed += 1,
                Ok(None) => {
                    return Err(EnvironmentError::JobFailed {
                        operation: operation.to_owned(),
                        message: "the operation disappeared".to_owned(),
                        service_code: String::new(),
                    });
                }
                Err(error) => return Err(error),
            }
            self.report(percent(self), operation);
            looks.pause()?;
        }
    }

    /// Waits like [`Environment::wait_for_job`] and turns a failed end into an error.
    pub(super) fn finish_job(&self, id: Uuid, operation: &str) -> Result<(), EnvironmentError> {
        match self.wait_for_job(id, operation, |_| None)? {
            JobEnd::Succeeded => Ok(()),
            JobEnd::Failed {
                message,
                service_code,
            } => Err(EnvironmentError::JobFailed {
                operation: operation.to_owned(),
                message,
                service_code,
            }),
        }
    }
}

/// Whether a look may simply be repeated: a server error, or a connection that broke.
fn is_passing(error: &EnvironmentError) -> bool {
    matches!(
        error,
        EnvironmentError::Transport(TransportError::Unreachable { .. })
    ) || error
        .refusal()
        .is_some_and(|refusal| refusal.status >= 500 && refusal.status != 501)
}

fn pick(friendly: String, message: String) -> String {
    match (friendly.is_empty(), message.is_empty()) {
        // The long one has the missing dependencies and the stack; the friendly one may be generic.
        (_, false) => message,
        (false, true) => friendly,
        (true, true) => "the service gave no reason".to_owned(),
    }
}

/// A code that is stored as a signed number, in the usual `0x…` form.
pub(super) fn code_text(value: Option<&Value>) -> String {
    match value {
        Some(Value::Number(number)) => number.as_i64().filter(|n| *n != 0).map_or_else(
            String::new,
            // The low 32 bits are the code; the sign is how a signed column shows them.
            |number| format!("0x{:08x}", number & 0xffff_ffff),
        ),
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_signed_code_is_shown_in_the_documented_form() {
        assert_eq!(code_text(Some(&json!(-2_147_188_707_i64))), "0x8004801d");
        assert_eq!(code_text(Some(&json!(0))), "");
        assert_eq!(code_text(Some(&Value::Null)), "");
    }
}
