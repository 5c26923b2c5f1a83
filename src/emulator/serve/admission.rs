//! Which requests are heard at all: those of programs on this machine, none of web pages.
//!
//! A browser sends requests to loopback for every page that it shows. Such a page cannot forge the
//! `Host` of the address that it was loaded from (so names that somebody lets point to 127.0.0.1
//! are told apart), nor leave out `Origin` and `Sec-Fetch-Site`, nor send JSON without asking first.

use std::net::Ipv4Addr;

use http::request::Parts;
use http::uri::Authority;

use crate::transport::authorize::service_host;
use crate::transport::{HeaderMap, Method, Response, StatusCode, Url};

/// What a page may send to anywhere without asking (the Fetch standard's safelisted types).
const SENT_BY_FORMS: [&str; 3] = [
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "text/plain",
];

/// The address that an admitted request is for: that of this server as the caller wrote it.
///
/// # Errors
/// The answer that refuses the request.
pub(super) fn admit(parts: &Parts) -> Result<Url, Response> {
    let authority = authority(parts)?;
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let Ok(url) = Url::parse(&format!("http://{authority}{path}")) else {
        return Err(refuse(StatusCode::BAD_REQUEST, "The address is damaged."));
    };
    from_no_page(&parts.headers, &authority)?;
    from_no_form(parts, &url)?;
    Ok(url)
}

/// Whether `url` is one where callers sign in, who are therefore not known yet.
pub(super) fn is_sign_in(url: &Url) -> bool {
    let host = service_host(url);
    ["login.microsoftonline.com", "login.windows.net"].contains(&host.as_str())
}

/// The one `Host` of the request, which must name this machine. Its port may be another than the
/// server's, as behind a forwarded one: a page chooses names, but no name is loopback's.
fn authority(parts: &Parts) -> Result<Authority, Response> {
    let mut named = parts.headers.get_all(http::header::HOST).iter();
    let (Some(host), None) = (named.next(), named.next()) else {
        let message = "A request needs one Host header.";
        return Err(refuse(StatusCode::BAD_REQUEST, message));
    };
    let host = host.to_str().ok().and_then(|it| it.parse().ok());
    let Some(host): Option<Authority> = host.filter(|it: &Authority| !it.as_str().contains('@'))
    else {
        return Err(refuse(
            StatusCode::BAD_REQUEST,
            "The Host header is damaged.",
        ));
    };
    let is_other = |written: &Authority| written != &host;
    if !is_loopback(host.host()) || parts.uri.authority().is_some_and(is_other) {
        let message = format!(
            "This is the emulated tenant of a workspace. It answers to 127.0.0.1 and localhost, \
             with the service's host as the first part of the path; not to {}.",
            host.host()
        );
        return Err(refuse(StatusCode::MISDIRECTED_REQUEST, &message));
    }
    Ok(host)
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host == "[::1]"
        || host.parse() == Ok(Ipv4Addr::LOCALHOST)
}

/// Refuses what a page of another address has sent, and its question whether it may.
fn from_no_page(headers: &HeaderMap, authority: &Authority) -> Result<(), Response> {
    let text = |name: &str| headers.get(name).map(|it| it.to_str().unwrap_or("?"));
    let foreign_origin = text("origin").is_some_and(|origin| {
        !origin.eq_ignore_ascii_case(&format!("http://{authority}"))
            && !origin.eq_ignore_ascii_case(&format!("https://{authority}"))
    });
    let foreign_site =
        text("sec-fetch-site").is_some_and(|site| !["none", "same-origin"].contains(&site));
    if foreign_origin || foreign_site || headers.contains_key("access-control-request-method") {
        let message = "Pages of other addresses may not use the emulated tenant.";
        return Err(refuse(StatusCode::FORBIDDEN, message));
    }
    Ok(())
}

/// Refuses the bodies of forms, except where people and programs sign in with one.
fn from_no_form(parts: &Parts, url: &Url) -> Result<(), Response> {
    if is_sign_in(url) || matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let kind = parts.headers.get(http::header::CONTENT_TYPE);
    let kind = kind.map(|it| it.to_str().unwrap_or_default());
    let essence = kind.and_then(|it| it.split(';').next()).map(str::trim);
    let by_form = essence.is_some_and(|it| {
        SENT_BY_FORMS
            .iter()
            .any(|form| it.eq_ignore_ascii_case(form))
    });
    if by_form {
        let message = "No service takes a body of this content type; send application/json.";
        return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    Ok(())
}

/// A refusal in plain text, as it is not known which service's words the caller expects.
pub(super) fn refuse(status: StatusCode, message: &str) -> Response {
    let mut response = Response::new(status);
    let kind = http::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers.insert(http::header::CONTENT_TYPE, kind);
    response.body = message.as_bytes().to_vec();
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = "/contoso.crm4.dynamics.com/api/data/v9.2/accounts";
    const TOKEN: &str = "/login.microsoftonline.com/common/oauth2/v2.0/token";

    fn status(method: Method, path: &str, headers: &[(&str, &str)]) -> u16 {
        let mut request = http::Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        admit(&parts).map_or_else(|refused| refused.status.as_u16(), |_| 200)
    }

    #[test]
    fn only_the_names_of_this_machine_are_answered() {
        let get = |host: &str| status(Method::GET, ROWS, &[("host", host)]);
        for host in [
            "127.0.0.1:8080",
            "localhost:9",
            "LOCALHOST",
            "[::1]:8080",
            "127.0.0.1",
        ] {
            assert_eq!(get(host), 200, "{host}");
        }
        for host in [
            "evil.example",
            "contoso.crm4.dynamics.com",
            "localhost.evil.example",
            "127.0.0.1.evil.example:8080",
            "0.0.0.0:8080",
            "192.168.1.2",
            "localhost.",
        ] {
            assert_eq!(get(host), 421, "{host}");
        }
        for host in ["", "a@127.0.0.1:8080", "127.0.0.1:8080/x", "a b"] {
            assert_eq!(get(host), 400, "{host}");
        }
        assert_eq!(status(Method::GET, ROWS, &[]), 400);
        let two = [("host", "127.0.0.1"), ("host", "evil.example")];
        assert_eq!(status(Method::GET, ROWS, &two), 400);
        let absolute = "http://evil.example/contoso.crm4.dynamics.com/api";
        let here = [("host", "127.0.0.1:8080")];
        assert_eq!(status(Method::GET, absolute, &here), 421);
        assert_eq!(status(Method::GET, "http://127.0.0.1:8080/a", &here), 200);
    }

    #[test]
    fn pages_of_other_addresses_are_refused_and_programs_are_not() {
        let with = |method: Method, path: &str, more: &[(&str, &str)]| {
            let mut headers = vec![("host", "127.0.0.1:8080")];
            headers.extend(more);
            status(method, path, &headers)
        };
        let json = ("content-type", "application/json; charset=utf-8");
        assert_eq!(with(Method::POST, ROWS, &[json]), 200);
        assert_eq!(with(Method::POST, ROWS, &[]), 200);
        let own = [("origin", "http://127.0.0.1:8080"), json];
        assert_eq!(with(Method::POST, ROWS, &own), 200);
        assert_eq!(
            with(Method::GET, ROWS, &[("sec-fetch-site", "none")]),
            200,
            "somebody typed the address"
        );
        for origin in [
            "http://evil.example",
            "null",
            "http://localhost:8080",
            "http://127.0.0.1:3000",
            "",
        ] {
            let answer = with(Method::POST, ROWS, &[("origin", origin), json]);
            assert_eq!(answer, 403, "{origin}");
        }
        for site in ["cross-site", "same-site"] {
            assert_eq!(
                with(Method::GET, ROWS, &[("sec-fetch-site", site)]),
                403,
                "{site}"
            );
        }
        let asks = [("access-control-request-method", "POST")];
        assert_eq!(with(Method::OPTIONS, ROWS, &asks), 403);
        assert_eq!(
            with(Method::OPTIONS, "/dev.azure.com/contoso/_apis", &[]),
            200
        );
        for kind in SENT_BY_FORMS {
            let kind = format!("{kind}; x=y");
            let header = ("content-type", kind.as_str());
            assert_eq!(with(Method::POST, ROWS, &[header]), 415, "{kind}");
        }
        let form = ("content-type", SENT_BY_FORMS[0]);
        assert_eq!(with(Method::POST, TOKEN, &[form]), 200);
    }
}
