//! Keeping what was asked and answered, for `--trace` and for tests.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::redact::Redactor;
use super::{Request, Response, Transport, TransportError};

/// The longest text of a body that is kept, in characters; packages are of no use in a log.
const LONGEST_TEXT: usize = 4096;

/// One request and what became of it, free of secrets.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Exchange {
    /// The verb.
    pub method: String,
    /// The address with its query.
    pub url: String,
    /// The body that was sent, cut and redacted; `None` when empty or not text.
    pub sent: Option<String>,
    /// The status, or `None` when no answer came.
    pub status: Option<u16>,
    /// The body that came back, cut and redacted; `None` when empty or not text.
    pub received: Option<String>,
    /// Why no answer came.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
}

/// Where the exchanges go. Cloning shares the list.
#[derive(Debug, Clone, Default)]
pub struct Recording(Arc<Mutex<Vec<Exchange>>>);

impl Recording {
    /// What was recorded so far, in the order in which the answers came.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn add(&self, exchange: Exchange) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(exchange);
    }
}

/// A transport that records every exchange. Headers are not kept.
pub struct Record<T> {
    inner: T,
    redactor: Redactor,
    recording: Recording,
}

impl<T: Transport> Record<T> {
    /// Wraps `inner`; exchanges go to `recording` after `redactor` has seen them.
    pub fn new(inner: T, redactor: Redactor, recording: Recording) -> Self {
        Self {
            inner,
            redactor,
            recording,
        }
    }

    fn text(&self, body: &[u8]) -> Option<String> {
        let text = std::str::from_utf8(body)
            .ok()
            .filter(|text| !text.is_empty())?;
        let redacted = self.redactor.redact(text);
        Some(match redacted.char_indices().nth(LONGEST_TEXT) {
            Some((end, _)) => format!("{}…", &redacted[..end]),
            None => redacted,
        })
    }
}

impl<T: Transport> Transport for Record<T> {
    fn send(&self, request: Request) -> Result<Response, TransportError> {
        let mut exchange = Exchange {
            method: request.method.to_string(),
            url: self.redactor.redact(request.url.as_str()),
            sent: self.text(&request.body),
            status: None,
            received: None,
            error: None,
            milliseconds: 0,
        };
        let started = Instant::now();
        let result = self.inner.send(request);
        exchange.milliseconds = whole_milliseconds(started.elapsed());
        match &result {
            Ok(response) => {
                exchange.status = Some(response.status.as_u16());
                exchange.received = self.text(&response.body);
            }
            Err(error) => exchange.error = Some(self.redactor.redact(&error.to_string())),
        }
        self.recording.add(exchange);
        result
    }
}

fn whole_milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::transport::{InProcess, Method, Service, StatusCode};

    struct Tokens;

    impl Service for Tokens {
        fn answer(&self, _: Request) -> Response {
            Response::json(StatusCode::OK, &json!({"access_token": "abcdefgh"}))
        }
    }

    #[test]
    fn an_exchange_is_kept_without_its_secrets() {
        let recording = Recording::default();
        let record = Record::new(
            InProcess::new(Arc::new(Tokens)),
            Redactor::new(),
            recording.clone(),
        );
        let mut request = Request::new(Method::POST, "https://h/t?sig=abc".parse().unwrap());
        request.body = b"client_secret=geheim&scope=x".to_vec();
        record.send(request).unwrap();
        let [exchange] = &recording.exchanges()[..] else {
            panic!("one exchange was sent")
        };
        assert_eq!(exchange.url, "https://h/t?sig=***");
        assert_eq!(exchange.sent.as_deref(), Some("client_secret=***&scope=x"));
        assert_eq!(
            exchange.received.as_deref(),
            Some(r#"{"access_token":"***"}"#)
        );
        assert_eq!(exchange.status, Some(200));
    }
}
