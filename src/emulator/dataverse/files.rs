//! File columns: upload in one piece or in many, download.
//!
//! facts/dataverse-web-api.md, section 1.8.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::catalogue::{Column, ColumnKind, Table};
use super::failure::ServiceError;
use super::row::{self, Row};
use super::security;
use super::session::Session;
use crate::emulator::call::Call;
use crate::emulator::definition::derived_id;
use crate::transport::{HeaderValue, Method, Response, StatusCode};

/// The kind of stored documents that say where a file's bytes are.
const FILES: &str = "@file";
/// The kind of stored documents about uploads that are not complete.
const UPLOADS: &str = "@upload";
/// How much the service takes at once.
const CHUNK: usize = 4 * 1024 * 1024;
const MISSING: &str = "0x80048d19";

/// Whether the column holds files.
pub(super) fn is_file(column: &Column) -> bool {
    matches!(column.kind, ColumnKind::File)
}

/// Whether the request uploads a file rather than sends JSON.
pub(super) fn answers(call: &Call) -> bool {
    call.method == Method::PATCH
        || call.method == Method::PUT && call.header("x-ms-file-name").is_some()
}

/// Takes an upload, or a piece of one.
///
/// # Errors
/// The service's refusal; so for all functions here.
pub(super) fn answer(
    session: &Session<'_>,
    call: &Call,
    table: &Arc<Table>,
    id: Uuid,
    column: &Column,
) -> Result<Response, ServiceError> {
    security::may_write(session, table, "Write")?;
    if let Some(token) = call.parameter("sessiontoken") {
        return piece(session, call, table, id, column, token);
    }
    let name = call
        .header("x-ms-file-name")
        .or_else(|| call.parameter("x-ms-file-name"))
        .ok_or_else(|| {
            ServiceError::bad_request(MISSING, "The header x-ms-file-name is missing.")
        })?;
    if call.header("x-ms-transfer-mode") == Some("chunked") {
        let token = derived_id(
            "upload",
            &format!("{}/{id}/{}", table.name, session.tx.next("upload")?),
        );
        let upload = json!({ "name": name, "pieces": [], "received": 0 });
        session
            .tx
            .put(session.scope(), UPLOADS, &token.to_string(), &upload)?;
        let address = format!(
            "{}/{}({id})/{}?sessiontoken={token}",
            session.root, table.set, column.name
        );
        let mut response = Response::new(StatusCode::OK);
        if let Ok(address) = HeaderValue::from_str(&address) {
            response.headers.insert(http::header::LOCATION, address);
        }
        response.headers.insert("x-ms-chunk-size", CHUNK.into());
        response.headers.insert(
            http::header::ACCEPT_RANGES,
            HeaderValue::from_static("bytes"),
        );
        return Ok(response);
    }
    store(session, table, id, column, name, &call.body)?;
    Ok(Response::new(StatusCode::NO_CONTENT))
}

/// The bytes of a file.
pub(super) fn download(
    session: &Session<'_>,
    table: &Arc<Table>,
    id: Uuid,
    column: &Column,
) -> Result<Response, ServiceError> {
    let row = session.existing(&table.name, id)?;
    let Some((name, bytes)) = content(session, &row, &column.name)? else {
        return Ok(Response::new(StatusCode::NO_CONTENT));
    };
    let mut response = Response::new(StatusCode::OK);
    let kind = HeaderValue::from_static("application/octet-stream");
    response.headers.insert(http::header::CONTENT_TYPE, kind);
    response
        .headers
        .insert("x-ms-file-size", bytes.len().into());
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers.insert("x-ms-file-name", name);
    }
    response.body = bytes;
    Ok(response)
}

/// The name and bytes of the file in a column of `row`.
pub fn content(
    session: &Session<'_>,
    row: &Row,
    column: &str,
) -> Result<Option<(String, Vec<u8>)>, ServiceError> {
    let Some(file) = row::text(row, column) else {
        return Ok(None);
    };
    let Some(stored) = session.tx.get(session.scope(), FILES, file)? else {
        return Ok(None);
    };
    let name = stored["name"].as_str().unwrap_or_default().to_owned();
    let bytes = session
        .tx
        .get_blob(stored["hash"].as_str().unwrap_or_default())?;
    Ok(bytes.map(|bytes| (name, bytes)))
}

/// Puts a file into a column.
pub fn store(
    session: &Session<'_>,
    table: &Table,
    id: Uuid,
    column: &Column,
    name: &str,
    bytes: &[u8],
) -> Result<(), ServiceError> {
    let file = session.new_id("file")?;
    let hash = session.tx.put_blob(bytes)?;
    let stored = json!({ "name": name, "hash": hash, "size": bytes.len() });
    session
        .tx
        .put(session.scope(), FILES, &file.to_string(), &stored)?;
    let mut changes = Row::new();
    changes.insert(column.name.clone(), file.to_string().into());
    session.update(&table.name, id, changes)?;
    Ok(())
}

fn piece(
    session: &Session<'_>,
    call: &Call,
    table: &Arc<Table>,
    id: Uuid,
    column: &Column,
    token: &str,
) -> Result<Response, ServiceError> {
    let wrong = |what: &str| ServiceError::bad_request(MISSING, what.to_owned());
    let upload = session.tx.get(session.scope(), UPLOADS, token)?;
    let mut upload = upload.ok_or_else(|| wrong("The upload's session is over or unknown."))?;
    let range = call
        .header("content-range")
        .ok_or_else(|| wrong("Content-Range is missing."))?;
    let (first, total) = range_of(range).ok_or_else(|| wrong("Content-Range is not valid."))?;
    let received = upload["received"].as_u64().unwrap_or_default();
    if first != received {
        return Err(wrong("The pieces of an upload must come in their order."));
    }
    let received = received + call.body.len() as u64;
    if received > total || call.body.len() > CHUNK {
        return Err(wrong(
            "The piece is longer than the range or the size of a chunk.",
        ));
    }
    let hash = session.tx.put_blob(&call.body)?;
    if let Some(pieces) = upload["pieces"].as_array_mut() {
        pieces.push(hash.into());
    }
    upload["received"] = received.into();
    if received < total {
        session.tx.put(session.scope(), UPLOADS, token, &upload)?;
        return Ok(Response::new(StatusCode::PARTIAL_CONTENT));
    }
    let mut bytes = Vec::new();
    for hash in upload["pieces"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        bytes.extend(session.tx.get_blob(hash)?.unwrap_or_default());
    }
    session.tx.delete(session.scope(), UPLOADS, token)?;
    store(
        session,
        table,
        id,
        column,
        upload["name"].as_str().unwrap_or_default(),
        &bytes,
    )?;
    Ok(Response::new(StatusCode::NO_CONTENT))
}

/// The first byte and the total of `bytes a-b/total`.
fn range_of(text: &str) -> Option<(u64, u64)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    Some((first.trim().parse().ok()?, total.trim().parse().ok()?))
}
