//! The transport that really goes over the network.
//!
//! One `ureq` agent keeps the connections. Every status is an answer, redirects included: none of
//! the services that this crate calls redirects an API request, and a followed redirect could carry
//! a token to another host.

use std::sync::mpsc;
use std::time::Duration;

use super::{Cancel, Request, Response, Transport, TransportError};

/// The longest body that is read, in bytes. The service's own limit for a solution is 128 MB.
const LARGEST_BODY: u64 = 1 << 30;

/// How often a request under way looks at the cancel flag.
const CANCEL_LOOK: Duration = Duration::from_millis(50);

/// How long each phase of a request may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// Name lookup and connection, TLS included.
    pub connect: Duration,
    /// Sending the whole body.
    pub send: Duration,
    /// From the end of the request to the first byte of the answer. Some actions of Dataverse,
    /// such as `PublishAllXml`, answer only after minutes.
    pub wait: Duration,
    /// Receiving the whole body.
    pub receive: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            send: Duration::from_secs(300),
            wait: Duration::from_secs(900),
            receive: Duration::from_secs(300),
        }
    }
}

/// Sends requests over HTTP and HTTPS.
#[derive(Clone)]
pub struct Https {
    agent: ureq::Agent,
    cancel: Cancel,
}

impl Https {
    /// A transport with its own pool of connections. A request under way is given up as soon as
    /// `cancel` is raised; what the service makes of it is then unknown.
    pub fn new(timeouts: Timeouts, cancel: Cancel) -> Self {
        let tls = ureq::tls::TlsConfig::builder()
            .root_certs(ureq::tls::RootCerts::PlatformVerifier)
            .build();
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("almscript/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .timeout_resolve(Some(timeouts.connect))
            .timeout_connect(Some(timeouts.connect))
            .timeout_send_request(Some(timeouts.connect))
            .timeout_send_body(Some(timeouts.send))
            .timeout_recv_response(Some(timeouts.wait))
            .timeout_recv_body(Some(timeouts.receive))
            .allow_non_standard_methods(true)
            .build();
        Self {
            agent: config.new_agent(),
            cancel,
        }
    }
}

impl Transport for Https {
    fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.cancel.check()?;
        let agent = self.agent.clone();
        let host = host_of(&request);
        let (sender, answer) = mpsc::channel();
        // ureq cannot be interrupted, so the request runs on its own thread and is left behind
        // when the run is cancelled; its timeouts end it.
        std::thread::spawn(move || {
            let _ = sender.send(exchange(&agent, request));
        });
        loop {
            match answer.recv_timeout(CANCEL_LOOK) {
                Ok(result) => return result,
                Err(mpsc::RecvTimeoutError::Timeout) => self.cancel.check()?,
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    let reason = "the request ended without a result".to_owned();
                    return Err(TransportError::Unreachable { host, reason });
                }
            }
        }
    }
}

/// Sends one request and reads the whole answer.
fn exchange(agent: &ureq::Agent, request: Request) -> Result<Response, TransportError> {
    let host = host_of(&request);
    let unreachable = |error: ureq::Error| TransportError::Unreachable {
        host: host.clone(),
        reason: describe(&error),
    };
    let mut outgoing = http::Request::new(request.body);
    *outgoing.method_mut() = request.method;
    *outgoing.uri_mut() = request.url.as_str().parse().map_err(|_| {
        let reason = "the address is not one that HTTP can carry".to_owned();
        TransportError::Unreachable {
            host: host.clone(),
            reason,
        }
    })?;
    *outgoing.headers_mut() = request.headers;
    let answer = if outgoing.body().is_empty() && !sends_length(outgoing.method()) {
        agent.run(outgoing.map(|_| ()))
    } else {
        agent.run(outgoing)
    };
    let (parts, body) = answer.map_err(unreachable)?.into_parts();
    let body = body
        .into_with_config()
        .limit(LARGEST_BODY)
        .read_to_vec()
        .map_err(unreachable)?;
    Ok(Response {
        status: parts.status,
        headers: parts.headers,
        body,
    })
}

/// Whether a request with this verb states the length of its body even when that is zero.
fn sends_length(method: &http::Method) -> bool {
    matches!(
        *method,
        http::Method::POST | http::Method::PUT | http::Method::PATCH
    )
}

/// The host of `request`, for messages. The query is never shown: it can hold a signature.
fn host_of(request: &Request) -> String {
    request.url.host_str().unwrap_or("(no host)").to_owned()
}

/// What went wrong, without anything that the request carried.
fn describe(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(phase) => format!("timed out ({phase})"),
        ureq::Error::HostNotFound => "the host name is unknown".to_owned(),
        ureq::Error::ConnectionFailed => "no connection".to_owned(),
        ureq::Error::BodyExceedsLimit(limit) => format!("the answer is longer than {limit} bytes"),
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::Tls(reason) => format!("TLS: {reason}"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::time::Instant;

    use super::*;
    use crate::transport::{Method, StatusCode, Url};

    fn serve_once(answer: &'static [u8]) -> (Url, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/path", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut seen = Vec::new();
            let mut buffer = [0; 1024];
            while !seen.windows(4).any(|w| w == b"\r\n\r\n") {
                let read = stream.read(&mut buffer).unwrap();
                if read == 0 {
                    break;
                }
                seen.extend_from_slice(&buffer[..read]);
            }
            stream.write_all(answer).unwrap();
            String::from_utf8_lossy(&seen).into_owned()
        });
        (url, server)
    }

    #[test]
    fn a_server_error_is_an_answer_with_its_body() {
        let (url, server) = serve_once(
            b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\nRetry-After: 7\r\n\r\nbusy",
        );
        let https = Https::new(Timeouts::default(), Cancel::new());
        let response = https.send(Request::new(Method::GET, url)).unwrap();
        assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.body, b"busy");
        assert_eq!(response.headers["retry-after"], "7");
        assert!(server.join().unwrap().starts_with("GET /path HTTP/1.1"));
    }

    #[test]
    fn a_redirect_is_returned_and_not_followed() {
        let (url, server) = serve_once(
            b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://127.0.0.1:1/\r\n\r\n",
        );
        let https = Https::new(Timeouts::default(), Cancel::new());
        let response = https.send(Request::new(Method::GET, url)).unwrap();
        assert_eq!(response.status, StatusCode::FOUND);
        server.join().unwrap();
    }

    #[test]
    fn a_dropped_connection_is_reported_without_the_token() {
        let (url, server) = serve_once(b"");
        let https = Https::new(Timeouts::default(), Cancel::new());
        let request = Request::new(Method::GET, url).header(
            http::header::AUTHORIZATION,
            "Bearer top-secret".parse().unwrap(),
        );
        let error = https.send(request).unwrap_err();
        assert!(matches!(error, TransportError::Unreachable { .. }));
        assert!(!format!("{error:?} {error}").contains("top-secret"));
        server.join().unwrap();
    }

    #[test]
    fn cancelling_ends_a_request_that_gets_no_answer() {
        // A listener that accepts nothing: the request waits for its answer.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let cancel = Cancel::new();
        let https = Https::new(Timeouts::default(), cancel.clone());
        let started = Instant::now();
        let waiting = std::thread::spawn(move || https.send(Request::new(Method::GET, url)));
        cancel.cancel();
        assert!(matches!(
            waiting.join().unwrap(),
            Err(TransportError::Cancelled(_))
        ));
        assert!(started.elapsed() < Duration::from_secs(5));
    }
}
