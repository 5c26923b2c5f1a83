//! From the address of one request to what answers it.

mod property;

use std::sync::Arc;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::catalogue::Table;
use super::extension::Reply;
use super::failure::ServiceError;
use super::odata::{Query, Segment, segments};
use super::operations::{self, aliases};
use super::payload::object;
use super::preferences::Preferences;
use super::query::{self, Paging};
use super::reader::Reader;
use super::resource::Key;
use super::row::{self, Row};
use super::session::Session;
use super::wire::{Wire, selection};
use super::{metadata, write};
use crate::emulator::call::Call;
use crate::transport::{HeaderValue, Method, Response, StatusCode};

/// Answers one request below the API's root.
///
/// # Errors
/// The service's refusal.
pub(super) fn answer(
    session: &Session<'_>,
    call: &Call,
    below_root: &str,
    preferences: &Preferences,
) -> Result<Response, ServiceError> {
    let segments = segments(below_root)?;
    for unknown in ["fetchXml", "sql", "savedQuery", "userQuery"] {
        if call.parameter(unknown).is_some() {
            return Err(ServiceError::not_emulated(format_args!(
                "queries with {unknown}"
            )));
        }
    }
    let request = Request {
        session,
        call,
        preferences,
    };
    let Some((first, rest)) = segments.split_first() else {
        request.only(&Method::GET)?;
        return request.service_document();
    };
    if metadata::answers(&first.name) {
        request.only(&Method::GET)?;
        return metadata::answer(session, call, &segments);
    }
    let catalogue = session.catalogue()?;
    if let Some(table) = catalogue.by_set(&first.name) {
        return request.table(table, first, rest);
    }
    if rest.is_empty()
        && let Some(reply) = operations::run(session, call, first, None)?
    {
        return request.reply(&first.name, reply);
    }
    Err(ServiceError::no_resource(&first.name))
}

/// One request with its session.
struct Request<'r, 'a> {
    session: &'r Session<'a>,
    call: &'r Call,
    preferences: &'r Preferences,
}

impl Request<'_, '_> {
    fn table(
        &self,
        table: &Arc<Table>,
        first: &Segment,
        rest: &[Segment],
    ) -> Result<Response, ServiceError> {
        let Some(key) = &first.arguments else {
            return self.set(table, rest);
        };
        let key = Key::read(table, key, &aliases(&self.call.query))?;
        match rest {
            [] => self.row(table, &key),
            [second] if second.name.starts_with("Microsoft.Dynamics.CRM.") => {
                let id = key.existing(self.session, table)?;
                self.operation(second, table, Some(id))
            }
            [property] => self.property(table, &key, property),
            [property, last] if last.name == "$ref" => self.reference(table, &key, property),
            [property, last] if last.name == "$value" => {
                self.only(&Method::GET)?;
                self.raw_value(table, &key, &property.name)
            }
            [property, last] if last.name == "$count" => self.count_related(table, &key, property),
            [_, unknown, ..] => Err(ServiceError::no_resource(&unknown.name)),
        }
    }

    /// A request for a whole set.
    fn set(&self, table: &Arc<Table>, rest: &[Segment]) -> Result<Response, ServiceError> {
        match (rest, self.call.method.clone()) {
            ([], Method::GET) => {
                let query = Query::parse(&self.call.query)?;
                let reader = Reader::new(self.session)?;
                let rows = reader.all(table, &query)?;
                self.collection(&reader, table, rows, &query)
            }
            ([], Method::POST) => {
                let body = object(&self.call.body)?;
                let id = write::create(self.session, table, &body)?;
                self.written(table, id, true)
            }
            ([], _) => Err(ServiceError::wrong_verb(
                "The set supports GET and POST only.",
            )),
            ([last], Method::GET) if last.name == "$count" => {
                let query = Query::parse(&self.call.query)?;
                let reader = Reader::new(self.session)?;
                let rows = reader.all(table, &query)?;
                let rows = query::matching(&reader, table, rows, query.filter.as_ref())?;
                Ok(plain_text(rows.len().min(query::LARGEST_PAGE).to_string()))
            }
            ([operation], _) => self.operation(operation, table, None),
            ([_, second, ..], _) => Err(ServiceError::no_resource(&second.name)),
        }
    }

    fn operation(
        &self,
        segment: &Segment,
        table: &Arc<Table>,
        id: Option<Uuid>,
    ) -> Result<Response, ServiceError> {
        let bound = Some((table.clone(), id));
        match operations::run(self.session, self.call, segment, bound)? {
            Some(reply) => self.reply(&segment.name, reply),
            None => Err(ServiceError::no_resource(&segment.name)),
        }
    }

    /// A request for one row.
    fn row(&self, table: &Arc<Table>, key: &Key) -> Result<Response, ServiceError> {
        match self.call.method {
            Method::GET => {
                let id = key.existing(self.session, table)?;
                let row = self.session.existing(&table.name, id)?;
                let query = Query::parse(&self.call.query)?;
                let etag = etag(&row);
                let unchanged = self.call.header("if-none-match") == Some(&etag);
                if unchanged && query.expand.is_empty() && !self.preferences.annotations.any() {
                    return Ok(Response::new(StatusCode::NOT_MODIFIED));
                }
                self.one(table, &row, &query)
            }
            Method::PATCH => {
                let body = object(&self.call.body)?;
                let found = key.find(self.session, table)?;
                match (
                    found,
                    self.call.header("if-match"),
                    self.call.header("if-none-match"),
                ) {
                    (None, Some(_), _) => return Err(not_there(self.session, table, key)),
                    (Some(_), _, Some("*")) => {
                        return Err(ServiceError::duplicate(
                            "A record with matching key values already exists.",
                        ));
                    }
                    (Some(id), Some(wanted), _) => self.matches(table, id, wanted)?,
                    _ => {}
                }
                if found.is_none() && !self.preferences.allow_upsert {
                    return Err(not_there(self.session, table, key));
                }
                let (id, created) = operations::upsert(self.session, table, key, &body)?;
                self.written(table, id, created)
            }
            Method::DELETE => {
                let id = key.existing(self.session, table)?;
                if let Some(wanted) = self.call.header("if-match") {
                    self.matches(table, id, wanted)?;
                }
                write::delete(self.session, table, id)?;
                Ok(Response::new(StatusCode::NO_CONTENT))
            }
            _ => Err(ServiceError::wrong_verb(
                "A row supports GET, PATCH and DELETE only.",
            )),
        }
    }

    fn reply(&self, name: &str, reply: Reply) -> Result<Response, ServiceError> {
        let name = name.strip_prefix("Microsoft.Dynamics.CRM.").unwrap_or(name);
        match reply {
            Reply::Nothing => Ok(Response::new(StatusCode::NO_CONTENT)),
            Reply::Whole(response) => Ok(response),
            Reply::Members(members) => {
                let mut out = Map::new();
                let root = &self.session.root;
                let context = format!("{root}/$metadata#Microsoft.Dynamics.CRM.{name}Response");
                out.insert("@odata.context".into(), context.into());
                out.extend(members);
                Ok(Response::json(StatusCode::OK, &Value::Object(out)))
            }
            Reply::Rows(table, rows) => {
                let query = Query::parse(&self.call.query)?;
                let reader = Reader::new(self.session)?;
                self.collection(&reader, &table, rows, &query)
            }
        }
    }

    fn collection(
        &self,
        reader: &Reader<'_, '_>,
        table: &Arc<Table>,
        rows: Vec<Row>,
        query: &Query,
    ) -> Result<Response, ServiceError> {
        let paging = Paging {
            size: self.preferences.page_size,
        };
        let wire = self.wire(reader);
        let body = query::answer(&wire, self.call, table, rows, query, paging)?;
        Ok(Response::json(StatusCode::OK, &body))
    }

    fn one(&self, table: &Arc<Table>, row: &Row, query: &Query) -> Result<Response, ServiceError> {
        self.one_as(StatusCode::OK, table, row, query)
    }

    fn one_as(
        &self,
        status: StatusCode,
        table: &Arc<Table>,
        row: &Row,
        query: &Query,
    ) -> Result<Response, ServiceError> {
        let reader = Reader::new(self.session)?;
        let wire = self.wire(&reader);
        wire.check(table, query)?;
        let mut out = Map::new();
        let root = &self.session.root;
        let context = format!("{root}/$metadata#{}{}/$entity", table.set, selection(query));
        out.insert("@odata.context".into(), context.into());
        out.extend(wire.row(table, row, query)?);
        Ok(Response::json(status, &Value::Object(out)))
    }

    /// The answer to a write: nothing, or the row where that is preferred.
    fn written(
        &self,
        table: &Arc<Table>,
        id: Uuid,
        created: bool,
    ) -> Result<Response, ServiceError> {
        let mut response = if self.preferences.representation {
            let row = self.session.existing(&table.name, id)?;
            let mut query = Query::parse(&self.call.query)?;
            if self.call.method == Method::PATCH {
                query.expand.clear();
            }
            let status = if created {
                StatusCode::CREATED
            } else {
                StatusCode::OK
            };
            self.one_as(status, table, &row, &query)?
        } else {
            Response::new(StatusCode::NO_CONTENT)
        };
        let address = format!("{}/{}({id})", self.session.root, table.set);
        if let Ok(address) = HeaderValue::from_str(&address) {
            response.headers.insert("odata-entityid", address.clone());
            response.headers.insert(http::header::LOCATION, address);
        }
        Ok(response)
    }

    fn matches(&self, table: &Table, id: Uuid, wanted: &str) -> Result<(), ServiceError> {
        if wanted == "*" || etag(&self.session.existing(&table.name, id)?) == wanted {
            return Ok(());
        }
        Err(ServiceError::new(
            StatusCode::PRECONDITION_FAILED,
            "0x80060882",
            "The version of the existing record doesn't match the RowVersion property provided.",
        ))
    }

    fn wire<'w>(&'w self, reader: &'w Reader<'w, 'w>) -> Wire<'w, 'w, 'w> {
        Wire {
            reader,
            annotations: &self.preferences.annotations,
        }
    }

    fn only(&self, method: &Method) -> Result<(), ServiceError> {
        if self.call.method == *method {
            return Ok(());
        }
        Err(ServiceError::wrong_verb(format!(
            "This resource supports {method} only."
        )))
    }

    fn service_document(&self) -> Result<Response, ServiceError> {
        let catalogue = self.session.catalogue()?;
        let sets: Vec<Value> = catalogue
            .tables()
            .map(|it| json!({ "name": it.set, "kind": "EntitySet", "url": it.set }))
            .collect();
        let context = format!("{}/$metadata", self.session.root);
        Ok(Response::json(
            StatusCode::OK,
            &json!({ "@odata.context": context, "value": sets }),
        ))
    }
}

fn not_there(session: &Session<'_>, table: &Table, key: &Key) -> ServiceError {
    match key.existing(session, table) {
        Err(error) => error,
        Ok(id) => ServiceError::no_row(&table.name, id),
    }
}

fn etag(row: &Row) -> String {
    format!(
        "W/\"{}\"",
        row::number(row, "versionnumber").unwrap_or_default()
    )
}

fn plain_text(text: String) -> Response {
    let mut response = Response::new(StatusCode::OK);
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers.insert(http::header::CONTENT_TYPE, kind);
    response.body = text.into_bytes();
    response
}
