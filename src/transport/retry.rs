//! Repeating a request that a service turned away for a while.
//!
//! Only what is safe to repeat is repeated: a request that the service says it did not process
//! (429), and, for lost answers and gateway errors, verbs that mean the same when sent twice. A
//! POST whose answer was lost may have created something, so its failure is the caller's to judge.

use std::time::{Duration, Instant};

use super::{Cancel, HeaderMap, Method, Request, Response, StatusCode, Transport, TransportError};

/// The Dataverse error code of a solution operation refused because another one is running.
/// It comes with status 429 but lasts minutes (Dataverse Web API notes, 1.5 and 1.6).
const CUSTOMIZATION_LOCK: &str = "0x80071151";

/// How patiently a kind of failure is repeated.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// The most times that a request is sent.
    pub attempts: u32,
    /// The most time that one request may take with all its repetitions and pauses.
    pub total: Duration,
    /// The first pause where the service names none; each further one is twice as long.
    pub first_pause: Duration,
    /// The longest pause where the service names none.
    pub longest_pause: Duration,
}

/// When [`Retry`] repeats.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// For limits, gateway errors and lost connections.
    pub transient: Patience,
    /// For a read that the service itself broke on (500): that may be over in a moment, or stay.
    pub broken: Patience,
    /// For the customization lock of Dataverse.
    pub lock: Patience,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            transient: Patience {
                attempts: 8,
                total: Duration::from_secs(300),
                first_pause: Duration::from_millis(500),
                longest_pause: Duration::from_secs(30),
            },
            broken: Patience {
                attempts: 3,
                total: Duration::from_secs(30),
                first_pause: Duration::from_millis(500),
                longest_pause: Duration::from_secs(5),
            },
            lock: Patience {
                attempts: 120,
                total: Duration::from_secs(30 * 60),
                first_pause: Duration::from_millis(500),
                longest_pause: Duration::from_secs(30),
            },
        }
    }
}

/// A transport that repeats requests, see the module.
pub struct Retry<T> {
    inner: T,
    policy: RetryPolicy,
    cancel: Cancel,
}

impl<T: Transport> Retry<T> {
    /// Wraps `inner`; pauses end at once when `cancel` is raised.
    pub fn new(inner: T, policy: RetryPolicy, cancel: Cancel) -> Self {
        Self {
            inner,
            policy,
            cancel,
        }
    }
}

impl<T: Transport> Transport for Retry<T> {
    fn send(&self, request: Request) -> Result<Response, TransportError> {
        let started = Instant::now();
        let mut attempt = 1;
        loop {
            self.cancel.check()?;
            let result = self.inner.send(request.clone());
            let Some(patience) = self.patience_for(&request, &result) else {
                return result;
            };
            let pause = match &result {
                Ok(response) => retry_after(&response.headers),
                Err(_) => None,
            }
            .unwrap_or_else(|| patience.pause_after(attempt));
            if attempt >= patience.attempts || started.elapsed() + pause > patience.total {
                return result;
            }
            self.cancel.wait(pause)?;
            attempt += 1;
        }
    }
}

impl<T> Retry<T> {
    /// The patience for this outcome, `None` when it is final.
    fn patience_for(
        &self,
        request: &Request,
        result: &Result<Response, TransportError>,
    ) -> Option<&Patience> {
        let repeatable = is_repeatable(request);
        match result {
            Ok(response) if is_locked(response) => Some(&self.policy.lock),
            Ok(response) => match response.status {
                StatusCode::TOO_MANY_REQUESTS => Some(&self.policy.transient),
                StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT => repeatable.then_some(&self.policy.transient),
                StatusCode::INTERNAL_SERVER_ERROR => {
                    request.method.is_safe().then_some(&self.policy.broken)
                }
                _ => None,
            },
            Err(TransportError::Unreachable { .. }) => repeatable.then_some(&self.policy.transient),
            Err(
                TransportError::NotThere { .. }
                | TransportError::Cancelled(_)
                | TransportError::SignIn { .. },
            ) => None,
        }
    }
}

impl Patience {
    /// The pause after the `attempt`-th failure: doubling, shortened by up to a quarter so that
    /// clients that failed together do not come back together.
    fn pause_after(&self, attempt: u32) -> Duration {
        let doubled = self.first_pause.saturating_mul(1 << (attempt - 1).min(16));
        let full = doubled.min(self.longest_pause);
        let nanos = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |now| now.subsec_nanos());
        full - full.mul_f64(0.25 * f64::from(nanos % 1000) / 1000.0)
    }
}

/// Whether sending this request twice leaves the same state as sending it once.
fn is_repeatable(request: &Request) -> bool {
    request.repeatable || request.method.is_idempotent() || request.method == Method::PATCH
}

/// Whether the answer reports the customization lock.
fn is_locked(response: &Response) -> bool {
    response.status == StatusCode::TOO_MANY_REQUESTS
        && response
            .to_json()
            .is_ok_and(|body| body["error"]["code"] == CUSTOMIZATION_LOCK)
}

/// The pause that the service asks for. Dataverse sends whole seconds; the other form that HTTP
/// knows, a date, is used by none of the services here and is treated as absent.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(http::header::RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::json;

    use super::*;

    type Outcome = Result<Response, TransportError>;

    /// Gives the prepared outcomes in order, then 200.
    struct Prepared(Mutex<Vec<Outcome>>, Mutex<u32>);

    impl Prepared {
        fn new(mut outcomes: Vec<Outcome>) -> Self {
            outcomes.reverse();
            Self(Mutex::new(outcomes), Mutex::new(0))
        }
    }

    impl Transport for &Prepared {
        fn send(&self, _: Request) -> Outcome {
            *self.1.lock().unwrap() += 1;
            self.0
                .lock()
                .unwrap()
                .pop()
                .unwrap_or(Ok(Response::new(StatusCode::OK)))
        }
    }

    fn status(code: u16) -> Outcome {
        Ok(Response::new(StatusCode::from_u16(code).unwrap()))
    }

    fn lost() -> Outcome {
        Err(TransportError::Unreachable {
            host: "h".into(),
            reason: "reset".into(),
        })
    }

    fn quick(attempts: u32) -> RetryPolicy {
        let patience = Patience {
            attempts,
            total: Duration::from_secs(5),
            first_pause: Duration::from_millis(1),
            longest_pause: Duration::from_millis(2),
        };
        RetryPolicy {
            transient: patience,
            broken: patience,
            lock: patience,
        }
    }

    fn send(prepared: &Prepared, method: Method, policy: RetryPolicy) -> (Outcome, u32) {
        let retry = Retry::new(prepared, policy, Cancel::new());
        let request = Request::new(
            method,
            "https://contoso.crm4.dynamics.com/".parse().unwrap(),
        );
        let outcome = retry.send(request);
        let sent = *prepared.1.lock().unwrap();
        (outcome, sent)
    }

    #[test]
    fn a_read_is_repeated_after_every_transient_failure() {
        let prepared = Prepared::new(vec![
            status(429),
            status(502),
            status(503),
            status(504),
            lost(),
        ]);
        let (outcome, sent) = send(&prepared, Method::GET, quick(10));
        assert_eq!((outcome.unwrap().status, sent), (StatusCode::OK, 6));
    }

    #[test]
    fn a_post_is_repeated_only_when_it_was_not_processed() {
        let (outcome, sent) = send(&Prepared::new(vec![status(429)]), Method::POST, quick(10));
        assert_eq!((outcome.unwrap().status, sent), (StatusCode::OK, 2));
        let (outcome, sent) = send(&Prepared::new(vec![status(503)]), Method::POST, quick(10));
        assert_eq!(
            (outcome.unwrap().status, sent),
            (StatusCode::SERVICE_UNAVAILABLE, 1)
        );
        let (outcome, sent) = send(&Prepared::new(vec![lost()]), Method::POST, quick(10));
        assert!(outcome.is_err());
        assert_eq!(sent, 1);
    }

    #[test]
    fn a_post_that_only_asks_is_repeated_like_a_read() {
        let prepared = Prepared::new(vec![status(503), lost(), status(504)]);
        let retry = Retry::new(&prepared, quick(10), Cancel::new());
        let url = "https://login.microsoftonline.com/".parse().unwrap();
        let asked = retry.send(Request::new(Method::POST, url).repeatable());
        assert_eq!(asked.unwrap().status, StatusCode::OK);
        assert_eq!(*prepared.1.lock().unwrap(), 4);
    }

    #[test]
    fn a_read_that_broke_the_service_is_repeated_and_nothing_else_that_did() {
        let (outcome, sent) = send(&Prepared::new(vec![status(500)]), Method::GET, quick(3));
        assert_eq!((outcome.unwrap().status, sent), (StatusCode::OK, 2));
        for method in [Method::POST, Method::PATCH, Method::DELETE] {
            let (outcome, sent) = send(&Prepared::new(vec![status(500)]), method, quick(3));
            assert_eq!((outcome.unwrap().status.as_u16(), sent), (500, 1));
        }
    }

    #[test]
    fn other_statuses_are_final() {
        for code in [400, 401, 404, 412, 501] {
            let (outcome, sent) = send(&Prepared::new(vec![status(code)]), Method::GET, quick(10));
            assert_eq!((outcome.unwrap().status.as_u16(), sent), (code, 1));
        }
    }

    #[test]
    fn the_number_of_attempts_is_capped() {
        let prepared = Prepared::new((0..20).map(|_| status(429)).collect());
        let (outcome, sent) = send(&prepared, Method::GET, quick(4));
        assert_eq!((outcome.unwrap().status.as_u16(), sent), (429, 4));
    }

    #[test]
    fn a_pause_longer_than_the_total_time_is_not_begun() {
        let mut response = Response::new(StatusCode::TOO_MANY_REQUESTS);
        response
            .headers
            .insert(http::header::RETRY_AFTER, "600".parse().unwrap());
        let started = Instant::now();
        let (outcome, sent) = send(&Prepared::new(vec![Ok(response)]), Method::GET, quick(4));
        assert_eq!((outcome.unwrap().status.as_u16(), sent), (429, 1));
        assert!(started.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn the_customization_lock_has_its_own_patience() {
        let locked = || {
            let body = json!({"error": {"code": "0x80071151", "message": "Cannot start another"}});
            Ok(Response::json(StatusCode::TOO_MANY_REQUESTS, &body))
        };
        let mut policy = quick(2);
        policy.lock.attempts = 6;
        let prepared = Prepared::new((0..4).map(|_| locked()).collect());
        let (outcome, sent) = send(&prepared, Method::POST, policy);
        assert_eq!((outcome.unwrap().status, sent), (StatusCode::OK, 5));
    }

    #[test]
    fn cancelling_ends_a_pause() {
        let mut response = Response::new(StatusCode::TOO_MANY_REQUESTS);
        response
            .headers
            .insert(http::header::RETRY_AFTER, "60".parse().unwrap());
        let prepared = Prepared::new(vec![Ok(response)]);
        let cancel = Cancel::new();
        let retry = Retry::new(&prepared, RetryPolicy::default(), cancel.clone());
        std::thread::scope(|scope| {
            let url = "https://contoso.crm4.dynamics.com/".parse().unwrap();
            let waiting = scope.spawn(|| retry.send(Request::new(Method::GET, url)));
            std::thread::sleep(Duration::from_millis(20));
            cancel.cancel();
            assert!(matches!(
                waiting.join().unwrap(),
                Err(TransportError::Cancelled(_))
            ));
        });
    }
}
