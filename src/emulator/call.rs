//! One request to the emulated tenant, taken apart once for all the services that answer.

use std::fmt::Display;

use http::header::AsHeaderName;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::directory::Identity;
use crate::transport::{HeaderMap, Method, Request, Response, StatusCode};

/// A request as the services of the emulated tenant see it.
#[derive(Debug, Clone)]
pub struct Call {
    /// The verb.
    pub method: Method,
    /// The host that is called, for example `contoso-dev.crm4.dynamics.com`, in lower case. Served
    /// on loopback it is the first segment of the path.
    pub host: String,
    /// The public address of that host without a slash at its end; absolute links start with it.
    /// `https://contoso-dev.crm4.dynamics.com` or `http://127.0.0.1:8080/contoso-dev.crm4…`.
    pub base: String,
    /// The path's segments below [`Call::base`], percent-decoded, empty ones left out.
    pub path: Vec<String>,
    /// The path below [`Call::base`] as it was sent, with its first slash, still encoded.
    pub raw_path: String,
    /// The query's pairs in their order, decoded.
    pub query: Vec<(String, String)>,
    /// The query as it was sent, without its question mark.
    pub raw_query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    /// Who calls: whom the token in `Authorization` was made for, if it is valid.
    pub caller: Option<Identity>,
    /// The resource for which the caller's token was made.
    pub audience: Option<String>,
    /// Whether it came over a socket, where callers must prove who they are
    /// ([`super::credentials`]).
    pub over_socket: bool,
    /// The time of the call.
    pub now: Timestamp,
}

impl Call {
    /// Takes `request` apart. The caller is not known yet.
    pub fn new(request: Request, now: Timestamp) -> Self {
        let Request {
            method,
            url,
            headers,
            body,
            repeatable: _,
        } = request;
        let origin = url.origin().ascii_serialization();
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        let (host, base, raw_path) = if is_loopback(&url) {
            let path = url.path().trim_start_matches('/');
            let (first, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
            (
                first.to_ascii_lowercase(),
                format!("{origin}/{first}"),
                rest.to_owned(),
            )
        } else {
            (host, origin, url.path().to_owned())
        };
        let path = raw_path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let raw_query = url.query().unwrap_or_default().to_owned();
        let query = url::form_urlencoded::parse(raw_query.as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let (caller, audience) = (None, None);
        Self {
            method,
            host,
            base,
            path,
            raw_path,
            query,
            raw_query,
            headers,
            body,
            caller,
            audience,
            over_socket: false,
            now,
        }
    }

    /// The path's segments as string slices, to be matched against a pattern.
    pub fn segments(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// The public address of another host of the tenant, as this caller reaches it.
    pub fn address_of(&self, host: &str) -> String {
        match self.base.strip_suffix(&format!("/{}", self.host)) {
            // Served on loopback: the host is the path's first segment.
            Some(origin) if origin.contains("://") && !origin.ends_with('/') => {
                format!("{origin}/{host}")
            }
            _ => format!("https://{host}"),
        }
    }

    /// The value of a header, if it is there and is text.
    pub fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The first value of a query parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When it is not JSON.
    pub fn json(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}

/// The refusal of what the emulated tenant does not do: `501`, naming the missing `feature`.
pub fn not_emulated(feature: impl Display) -> Response {
    let message = format!("The emulated tenant does not have this feature: {feature}");
    let error = serde_json::json!({ "error": { "code": "NotEmulated", "message": message } });
    Response::json(StatusCode::NOT_IMPLEMENTED, &error)
}

fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)) => true,
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(url: &str) -> Call {
        let request = Request::new(Method::GET, url.parse().unwrap());
        Call::new(request, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn the_real_address_and_the_loopback_address_reach_the_same_host() {
        let real = call("https://Contoso.crm4.dynamics.com/api/data/v9.2/WhoAmI?a=b%20c+d");
        let local = call("http://127.0.0.1:81/contoso.crm4.dynamics.com/api/data/v9.2/WhoAmI");
        assert_eq!(real.host, "contoso.crm4.dynamics.com");
        assert_eq!(local.host, real.host);
        assert_eq!(local.path, ["api", "data", "v9.2", "WhoAmI"]);
        assert_eq!(local.base, "http://127.0.0.1:81/contoso.crm4.dynamics.com");
        assert_eq!(real.parameter("a"), Some("b c d"));
        assert_eq!(real.address_of("a.b"), "https://a.b");
        assert_eq!(local.address_of("a.b"), "http://127.0.0.1:81/a.b");
    }
}
