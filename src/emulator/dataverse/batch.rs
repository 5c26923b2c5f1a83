//! `$batch`: several requests in one, change sets that happen whole or not at all.
//!
//! facts/dataverse-web-api.md, sections 1.10 and 10.1.

use std::collections::HashMap;

use http::header::{CONTENT_TYPE, LOCATION};

use super::failure::ServiceError;
use super::session::Session;
use crate::emulator::call::Call;
use crate::emulator::definition::derived_id;
use crate::emulator::store::StoreError;
use crate::transport::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Url};

/// More requests than this are refused.
const MOST_REQUESTS: usize = 1_000;

/// Answers one request inside of a batch: the service as it answers outside of one.
pub(super) type Inner<'f> = &'f dyn Fn(&Call) -> Result<Response, StoreError>;

/// Answers a batch; `inner` answers its single requests.
///
/// # Errors
/// `400` for a batch that cannot be read.
pub(super) fn answer(
    session: &Session<'_>,
    call: &Call,
    continue_on_error: bool,
    inner: Inner<'_>,
) -> Result<Response, ServiceError> {
    let boundary = boundary(call.header(CONTENT_TYPE).unwrap_or_default())
        .ok_or_else(|| wrong("The Content-Type of a batch must be multipart with a boundary."))?;
    let items = read(&call.body, &boundary)?;
    let count: usize = items.iter().map(Item::count).sum();
    if count > MOST_REQUESTS {
        return Err(wrong(&format!(
            "The maximum number of operations in a batch, {MOST_REQUESTS}, is exceeded."
        )));
    }
    let mark = derived_id(
        "batch",
        &format!("{}/{}", call.base, session.tx.next("batch")?),
    );
    let mut out = Multipart::new(format!("batchresponse_{mark}"));
    let mut status = StatusCode::OK;
    for (number, item) in items.iter().enumerate() {
        let failed = match item {
            Item::Single(part) => {
                let response = perform(call, part, &HashMap::new(), inner)?;
                let failed = response.status.is_client_error() || response.status.is_server_error();
                out.http(&response, None);
                failed.then_some(response.status)
            }
            Item::ChangeSet(parts) => match change_set(session, call, parts, inner)? {
                Ok(responses) => {
                    let mut nested = Multipart::new(format!("changesetresponse_{mark}_{number}"));
                    for (id, response) in &responses {
                        nested.http(response, Some(id));
                    }
                    out.nested(nested);
                    None
                }
                Err(response) => {
                    out.http(&response, None);
                    Some(response.status)
                }
            },
        };
        if let Some(failed) = failed
            && !continue_on_error
        {
            status = failed;
            break;
        }
    }
    Ok(out.response(status))
}

enum Item {
    Single(Part),
    ChangeSet(Vec<Part>),
}

impl Item {
    fn count(&self) -> usize {
        match self {
            Self::Single(_) => 1,
            Self::ChangeSet(parts) => parts.len(),
        }
    }
}

/// One request of a batch, as it was written.
struct Part {
    id: Option<String>,
    method: Method,
    address: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: String,
}

/// What stops a change set: the answer that failed, or the store.
enum Stopped {
    Answer(Box<Response>),
    Store(StoreError),
    Refused(ServiceError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

type Answers = Vec<(String, Response)>;

fn change_set(
    session: &Session<'_>,
    call: &Call,
    parts: &[Part],
    inner: Inner<'_>,
) -> Result<Result<Answers, Response>, ServiceError> {
    let all = session.tx.attempt(|| {
        let mut answers = Answers::new();
        let mut made: HashMap<String, String> = HashMap::new();
        for part in parts {
            let Some(id) = &part.id else {
                return Err(Stopped::Refused(wrong("Content-ID header not present.")));
            };
            if part.method == Method::GET {
                let error = wrong("A change set must not contain GET requests.");
                return Err(Stopped::Refused(error));
            }
            let response = perform(call, part, &made, inner).map_err(Stopped::Refused)?;
            if response.status.is_client_error() || response.status.is_server_error() {
                return Err(Stopped::Answer(Box::new(response)));
            }
            let location = response
                .headers
                .get(LOCATION)
                .and_then(|it| it.to_str().ok());
            if let Some(location) = location {
                made.insert(id.clone(), location.to_owned());
            }
            answers.push((id.clone(), response));
        }
        Ok(answers)
    });
    match all {
        Ok(answers) => Ok(Ok(answers)),
        Err(Stopped::Answer(response)) => Ok(Err(*response)),
        Err(Stopped::Refused(error)) => Ok(Err(error.to_response(false))),
        Err(Stopped::Store(error)) => Err(error.into()),
    }
}

fn perform(
    call: &Call,
    part: &Part,
    made: &HashMap<String, String>,
    inner: Inner<'_>,
) -> Result<Response, ServiceError> {
    let url = match resolve(&part.address, made)? {
        address if address.contains("://") => address,
        address if address.starts_with('/') => {
            // An absolute path may or may not repeat the part of the path that names the host.
            let prefix = call
                .base
                .split_once("://")
                .and_then(|(_, rest)| rest.split_once('/'));
            let prefix = prefix.map(|(_, path)| format!("/{path}"));
            match prefix {
                Some(prefix) if address.starts_with(&prefix) => {
                    let origin = call.base.strip_suffix(&prefix).unwrap_or(&call.base);
                    format!("{origin}{address}")
                }
                _ => format!("{}{address}", call.base),
            }
        }
        address => {
            let root = call.raw_path.rsplit_once('/').map_or("", |(root, _)| root);
            format!("{}{root}/{address}", call.base)
        }
    };
    let url: Url = url
        .parse()
        .map_err(|_| wrong(&format!("'{}' is not an address.", part.address)))?;
    let mut request = Request::new(part.method.clone(), url);
    request.headers.extend(part.headers.iter().cloned());
    request.body = references(&part.body, made)?.into_bytes();
    let mut inner_call = Call::new(request, call.now);
    if inner_call.host != call.host {
        return Err(wrong(&format!(
            "'{}' is an address of another service.",
            part.address
        )));
    }
    if inner_call.raw_path.ends_with("$batch") || inner_call.raw_path.ends_with("%24batch") {
        return Err(wrong("A batch must not contain a batch."));
    }
    inner_call.caller.clone_from(&call.caller);
    inner_call.audience.clone_from(&call.audience);
    // What the whole batch says about its caller holds for every part of it.
    for name in [
        "CallerObjectId",
        "MSCRMCallerID",
        "MSCRM.SolutionUniqueName",
    ] {
        if let Some(value) = call.headers.get(name)
            && !inner_call.headers.contains_key(name)
            && let Ok(name) = HeaderName::from_bytes(name.as_bytes())
        {
            inner_call.headers.insert(name, value.clone());
        }
    }
    Ok(inner(&inner_call)?)
}

/// Replaces `$n` at the start of an address by the address of what part n made.
fn resolve(address: &str, made: &HashMap<String, String>) -> Result<String, ServiceError> {
    let Some(reference) = address.trim_start_matches('/').strip_prefix('$') else {
        return Ok(address.to_owned());
    };
    let end = reference.find(['/', '?', '(']).unwrap_or(reference.len());
    let (id, rest) = reference.split_at(end);
    if !id.chars().all(|it| it.is_ascii_digit()) || id.is_empty() {
        return Ok(address.to_owned());
    }
    match made.get(id) {
        Some(found) => Ok(format!("{found}{rest}")),
        None => Err(no_reference(id)),
    }
}

/// Replaces `"$n"` as a whole JSON string by the address of what part n made.
fn references(body: &str, made: &HashMap<String, String>) -> Result<String, ServiceError> {
    let mut out = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find("\"$") {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let inside = &after[2..];
        let digits = inside
            .find(|it: char| !it.is_ascii_digit())
            .unwrap_or(inside.len());
        let is_value = before.trim_end().ends_with(':');
        if digits > 0 && inside[digits..].starts_with('"') && is_value {
            let id = &inside[..digits];
            let found = made.get(id).ok_or_else(|| no_reference(id))?;
            out.push_str(&serde_json::Value::from(found.as_str()).to_string());
            rest = &inside[digits + 1..];
        } else {
            out.push_str("\"$");
            rest = inside;
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn no_reference(id: &str) -> ServiceError {
    wrong(&format!(
        "Content-ID Reference: '${id}' does not exist in the batch context."
    ))
}

fn wrong(message: &str) -> ServiceError {
    ServiceError::bad_query(message)
}

/// The boundary of a multipart content type, with or without quotes.
fn boundary(content_type: &str) -> Option<String> {
    if !content_type
        .trim()
        .to_ascii_lowercase()
        .starts_with("multipart/")
    {
        return None;
    }
    content_type.split(';').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (name.trim().eq_ignore_ascii_case("boundary") && !value.is_empty())
            .then(|| value.to_owned())
    })
}

fn read(body: &[u8], boundary: &str) -> Result<Vec<Item>, ServiceError> {
    let text = std::str::from_utf8(body).map_err(|_| wrong("The batch is not UTF-8 text."))?;
    // Some clients end lines with LF alone.
    let text = text.replace("\r\n", "\n");
    let mut items = Vec::new();
    for part in parts(&text, boundary)? {
        let (headers, content) = head(part);
        let kind = header(&headers, "content-type")
            .ok_or_else(|| wrong("A part of the batch has no Content-Type header."))?;
        match self::boundary(kind) {
            Some(inner) => {
                let found = parts(content, &inner)?.into_iter().map(request);
                items.push(Item::ChangeSet(found.collect::<Result<_, _>>()?));
            }
            None if essence(kind).eq_ignore_ascii_case("application/http") => {
                items.push(Item::Single(request(part)?));
            }
            None => {
                return Err(wrong(&format!(
                    "A part of the batch has the Content-Type '{kind}' instead of application/http \
                     or multipart/mixed with a boundary."
                )));
            }
        }
    }
    Ok(items)
}

/// A content type without its parameters.
fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

/// What stands between the boundary's lines.
///
/// # Errors
/// When there is no such line, or none that ends the last part: then something was lost under way.
fn parts<'t>(text: &'t str, boundary: &str) -> Result<Vec<&'t str>, ServiceError> {
    let mark = format!("--{boundary}");
    let mut found = Vec::new();
    let mut start = None;
    let mut at = 0;
    let mut ended = false;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_end();
        if trimmed == mark || trimmed.strip_prefix(&mark).is_some_and(|rest| rest == "--") {
            if let Some(start) = start {
                found.push(&text[start..at]);
            }
            start = (trimmed == mark).then_some(at + line.len());
            if start.is_none() {
                ended = true;
                break;
            }
        }
        at += line.len();
    }
    if !ended {
        return Err(wrong(&format!(
            "The batch has no line '{mark}--' that ends it."
        )));
    }
    Ok(found)
}

/// Splits the header lines from what follows their empty line.
fn head(part: &str) -> (Vec<(&str, &str)>, &str) {
    // A part may begin with an empty line.
    let part = part.trim_start_matches('\n');
    let (head, content) = part.split_once("\n\n").unwrap_or((part, ""));
    let headers = head.lines().filter_map(|line| line.split_once(':'));
    (
        headers
            .map(|(name, value)| (name.trim(), value.trim()))
            .collect(),
        content,
    )
}

fn header<'t>(headers: &[(&'t str, &'t str)], wanted: &str) -> Option<&'t str> {
    headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
        .map(|(_, value)| *value)
}

fn request(part: &str) -> Result<Part, ServiceError> {
    let (headers, content) = head(part);
    let id = header(&headers, "content-id").map(str::to_owned);
    let content = content.trim_start_matches('\n');
    let (line, rest) = content.split_once('\n').unwrap_or((content, ""));
    let mut words = line.split_whitespace();
    let (Some(method), Some(address)) = (words.next(), words.next()) else {
        return Err(wrong("A part of the batch has no request line."));
    };
    let version = words.next().unwrap_or_default();
    if !version.starts_with("HTTP/1.") || words.next().is_some() {
        return Err(wrong(&format!(
            "'{line}' is no request line: a verb, an address and HTTP/1.1."
        )));
    }
    let method = Method::from_bytes(method.as_bytes())
        .map_err(|_| wrong(&format!("'{method}' is not a verb.")))?;
    // Without headers the body follows the first empty line at once.
    let (inner, body) = match rest.strip_prefix('\n') {
        Some(body) => (Vec::new(), body),
        None => head(rest),
    };
    let headers = inner.iter().map(|(name, value)| {
        let read = HeaderName::from_bytes(name.as_bytes()).ok();
        let read = read.zip(HeaderValue::from_str(value).ok());
        read.ok_or_else(|| wrong(&format!("'{name}: {value}' is no header.")))
    });
    let headers = headers.collect::<Result<_, _>>()?;
    let (address, body) = (address.to_owned(), body.trim_end_matches('\n').to_owned());
    Ok(Part {
        id,
        method,
        address,
        headers,
        body,
    })
}

/// A multipart body under construction.
struct Multipart {
    boundary: String,
    text: Vec<u8>,
}

impl Multipart {
    fn new(boundary: String) -> Self {
        Self {
            boundary,
            text: Vec::new(),
        }
    }

    fn http(&mut self, response: &Response, id: Option<&str>) {
        let mut head = format!(
            "--{}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n",
            self.boundary
        );
        if let Some(id) = id {
            head.push_str(&format!("Content-ID: {id}\r\n"));
        }
        let status = response.status;
        let reason = status.canonical_reason().unwrap_or_default();
        head.push_str(&format!("\r\nHTTP/1.1 {} {reason}\r\n", status.as_u16()));
        self.text.extend(head.into_bytes());
        for (name, value) in &response.headers {
            self.text
                .extend(format!("{}: ", capitalized(name.as_str())).into_bytes());
            self.text.extend(value.as_bytes());
            self.text.extend(b"\r\n");
        }
        self.text.extend(b"\r\n");
        self.text.extend(&response.body);
        self.text.extend(b"\r\n");
    }

    fn nested(&mut self, inner: Self) {
        let head = format!(
            "--{}\r\nContent-Type: multipart/mixed; boundary={}\r\n\r\n",
            self.boundary, inner.boundary
        );
        self.text.extend(head.into_bytes());
        self.text.extend(inner.finish());
    }

    fn finish(mut self) -> Vec<u8> {
        self.text
            .extend(format!("--{}--\r\n", self.boundary).into_bytes());
        self.text
    }

    fn response(self, status: StatusCode) -> Response {
        let mut response = Response::new(status);
        let kind = format!("multipart/mixed; boundary={}", self.boundary);
        if let Ok(kind) = HeaderValue::from_str(&kind) {
            response.headers.insert(CONTENT_TYPE, kind);
        }
        response.body = self.finish();
        response
    }
}

/// Clients read these headers from text and some of them look for the usual spelling.
fn capitalized(name: &str) -> String {
    match name {
        "odata-entityid" => "OData-EntityId".into(),
        "odata-version" => "OData-Version".into(),
        other => other
            .split('-')
            .map(|word| {
                let (first, rest) = word.split_at(word.len().min(1));
                first.to_ascii_uppercase() + rest
            })
            .collect::<Vec<_>>()
            .join("-"),
    }
}
