//! Requests to the emulated tenant.

use almscript::transport::{Response, Service, StatusCode};
use serde_json::Value;

use super::tenants::with_tenant;

/// What separates the requests of one input.
const NEXT: &[u8] = b"\n%%%\n";
/// No input sends more, so that one input does not become a long story.
const MOST_REQUESTS: usize = 8;
/// What somebody else asks afterwards.
pub(super) const HONEST: [&[u8]; 2] = [
    b"GET /api/data/v9.2/accounts?$select=name",
    b"GET /contoso/ALM/_apis/git/repositories/apps/refs\nHost: dev.azure.com",
];

/// Requests are answered, whatever they are: with a status that says whose fault it is, and with
/// what the answer claims to be. And everybody else is still served.
pub fn requests(data: &[u8]) {
    with_tenant(|visit| {
        for text in split(data, NEXT).take(MOST_REQUESTS) {
            if let Some(request) = visit.request(text) {
                let asked = format!("{} {}", request.method, request.url);
                check(&asked, &visit.tenant.answer(request));
            }
        }
        for honest in HONEST {
            let request = visit.request(honest).expect("a request");
            let asked = String::from_utf8_lossy(honest);
            check(&asked, &visit.tenant.answer(request));
        }
    });
}

/// What must hold of every answer.
pub(super) fn check(asked: &str, response: &Response) {
    let said = String::from_utf8_lossy(&response.body);
    let kind = response.headers.get("content-type");
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    assert_ne!(
        response.status,
        StatusCode::INTERNAL_SERVER_ERROR,
        "{asked}: {said}"
    );
    if kind.starts_with("application/json") {
        let body: Result<Value, _> = serde_json::from_slice(&response.body);
        assert!(body.is_ok(), "{asked}: no JSON: {said}");
    }
    if kind.starts_with("multipart/") {
        let broken = said.lines().any(|line| line.starts_with("HTTP/1.1 500"));
        assert!(!broken, "{asked}: a part is answered with 500: {said}");
    }
}

/// The pieces between `mark`s.
pub(super) fn split<'d>(data: &'d [u8], mark: &'d [u8]) -> impl Iterator<Item = &'d [u8]> {
    let mut rest = Some(data);
    std::iter::from_fn(move || {
        let all = rest?;
        let at = all.windows(mark.len()).position(|part| part == mark);
        rest = at.map(|at| &all[at + mark.len()..]);
        Some(&all[..at.unwrap_or(all.len())])
    })
}
