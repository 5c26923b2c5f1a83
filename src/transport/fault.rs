//! Making calls fail on purpose.

use std::sync::Mutex;
use std::time::Duration;

use super::{Cancel, Request, Response, StatusCode, Transport, TransportError};

/// What happens to a call.
#[derive(Debug, Clone)]
pub enum Failure {
    /// The service is not reached; this status is answered.
    Status(StatusCode),
    /// The call goes through, this much later.
    Delay(Duration),
    /// The call goes through, but its answer is lost.
    DropAnswer,
    /// The connection breaks before the service sees the call.
    DropRequest,
}

/// One planned failure.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Which call, counted from 1 among those that match.
    pub call: u64,
    /// Only calls whose address contains this text count; `None` counts all.
    pub address: Option<String>,
    /// What happens to it.
    pub failure: Failure,
}

/// A transport that fails at planned calls and otherwise passes everything on.
pub struct Fault<T> {
    inner: T,
    cancel: Cancel,
    plans: Mutex<Vec<(Plan, u64)>>,
}

impl<T: Transport> Fault<T> {
    /// Wraps `inner`. A delay ends at once when `cancel` is raised.
    pub fn new(inner: T, plans: Vec<Plan>, cancel: Cancel) -> Self {
        let plans = Mutex::new(plans.into_iter().map(|plan| (plan, 0)).collect());
        Self {
            inner,
            cancel,
            plans,
        }
    }

    /// Counts this call for every plan and returns the failure that it meets, if any.
    fn failure_of(&self, request: &Request) -> Option<Failure> {
        let mut plans = self
            .plans
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut met = None;
        for (plan, seen) in plans.iter_mut() {
            let matches = plan
                .address
                .as_ref()
                .is_none_or(|part| request.url.as_str().contains(part));
            if matches {
                *seen += 1;
                if *seen == plan.call && met.is_none() {
                    met = Some(plan.failure.clone());
                }
            }
        }
        met
    }
}

impl<T: Transport> Transport for Fault<T> {
    fn send(&self, request: Request) -> Result<Response, TransportError> {
        let dropped = |request: &Request| TransportError::Unreachable {
            host: request.url.host_str().unwrap_or_default().to_owned(),
            reason: "the connection was dropped on purpose".to_owned(),
        };
        match self.failure_of(&request) {
            None => self.inner.send(request),
            Some(Failure::Status(status)) => Ok(Response::new(status)),
            Some(Failure::Delay(duration)) => {
                self.cancel.wait(duration)?;
                self.inner.send(request)
            }
            Some(Failure::DropRequest) => Err(dropped(&request)),
            Some(Failure::DropAnswer) => {
                let error = dropped(&request);
                self.inner.send(request)?;
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::transport::{InProcess, Method, Service};

    #[derive(Default)]
    struct Counting(AtomicU32);

    impl Service for Counting {
        fn answer(&self, _: Request) -> Response {
            self.0.fetch_add(1, Ordering::SeqCst);
            Response::new(StatusCode::OK)
        }
    }

    #[test]
    fn the_planned_call_fails_and_the_others_pass() {
        let service = Arc::new(Counting::default());
        let plan = |call, address: &str, failure| Plan {
            call,
            address: Some(address.into()),
            failure,
        };
        let plans = vec![
            plan(2, "/rows", Failure::Status(StatusCode::BAD_GATEWAY)),
            plan(3, "/rows", Failure::DropAnswer),
            plan(1, "/other", Failure::DropRequest),
        ];
        let fault = Fault::new(InProcess::new(service.clone()), plans, Cancel::new());
        let send = |path: &str| {
            let url = format!("https://host{path}").parse().unwrap();
            fault
                .send(Request::new(Method::GET, url))
                .map(|r| r.status.as_u16())
        };
        assert_eq!(send("/rows").unwrap(), 200);
        assert!(send("/other").is_err());
        assert_eq!(send("/rows").unwrap(), 502);
        assert!(send("/rows").is_err());
        assert_eq!(send("/rows").unwrap(), 200);
        assert_eq!(
            service.0.load(Ordering::SeqCst),
            3,
            "only the lost answer reached the service"
        );
    }
}
