//! From the address of one request to what answers it.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::catalogue::Table;
use super::extension::Reply;
use super::failure::ServiceError;
use super::odata::{Query, Segment, segments};
use super::operations::{self, aliases};
use super::payload::{convert, object};
use super::query::{self, Paging};
use super::reader::Reader;
use super::resource::{Key, row_at};
use super::row::{self, Row};
use super::session::Session;
use super::wire::{Wire, selection};
use super::{files, metadata, write};
use crate::emulator::call::Call;
use crate::transport::{HeaderValue, Method, Response, StatusCode};

use super::preferences::Preferences;

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
            [property, last] if last.name == "$count" => {
                self.only(&Method::GET)?;
                let id = key.existing(self.session, table)?;
                let reader = Reader::new(self.session)?;
                let row = self.session.existing(&table.name, id)?;
                let (target, rows) = reader
                    .related(table, &row, &property.name)?
                    .ok_or_else(|| ServiceError::no_resource(&property.name))?;
                let query = Query::parse(&self.call.query)?;
                let rows = query::matching(&reader, &target, rows, query.filter.as_ref())?;
                Ok(plain_text(rows.len().min(query::LARGEST_PAGE).to_string()))
            }
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

    /// A request for a column or for what a navigation property leads to.
    fn property(
        &self,
        table: &Arc<Table>,
        key: &Key,
        segment: &Segment,
    ) -> Result<Response, ServiceError> {
        let id = key.existing(self.session, table)?;
        let name = &segment.name;
        let column = table
            .column(name)
            .filter(|column| column.targets().is_empty());
        if let Some(column) = column
            && files::is_file(column)
            && files::answers(self.call)
        {
            return files::answer(self.session, self.call, table, id, column);
        }
        match self.call.method {
            Method::GET => self.read_property(table, id, segment),
            Method::PUT => {
                let Some(column) = column else {
                    return Err(ServiceError::no_property(name, &table.name));
                };
                let body = object(&self.call.body)?;
                let value = body.get("value").cloned().unwrap_or_default();
                convert(table, column, &value)?;
                let mut changes = Row::new();
                changes.insert(column.name.clone(), value);
                write::change(self.session, table, id, &changes)?;
                Ok(Response::new(StatusCode::NO_CONTENT))
            }
            Method::DELETE => {
                let Some(column) = column else {
                    return Err(ServiceError::no_property(name, &table.name));
                };
                write::clear(self.session, table, id, &column.name)?;
                Ok(Response::new(StatusCode::NO_CONTENT))
            }
            _ => Err(ServiceError::wrong_verb(
                "A property supports GET, PUT and DELETE only.",
            )),
        }
    }

    fn read_property(
        &self,
        table: &Arc<Table>,
        id: Uuid,
        segment: &Segment,
    ) -> Result<Response, ServiceError> {
        let name = &segment.name;
        let row = self.session.existing(&table.name, id)?;
        let reader = Reader::new(self.session)?;
        if let Some((column, _)) = table.navigation(name) {
            let query = Query::parse(&self.call.query)?;
            return match reader.target(&row, column)? {
                Some((target, row)) => self.one(&target, &row, &query),
                None => Ok(Response::new(StatusCode::NO_CONTENT)),
            };
        }
        if let Some((target, rows)) = reader.related(table, &row, name)? {
            let query = Query::parse(&self.call.query)?;
            return self.collection(&reader, &target, rows, &query);
        }
        let value = self.value(&reader, table, &row, name)?;
        if value.is_null() {
            return Ok(Response::new(StatusCode::NO_CONTENT));
        }
        let context = format!("{}/$metadata#{}({id})/{name}", self.session.root, table.set);
        Ok(Response::json(
            StatusCode::OK,
            &json!({ "@odata.context": context, "value": value }),
        ))
    }

    fn raw_value(
        &self,
        table: &Arc<Table>,
        key: &Key,
        name: &str,
    ) -> Result<Response, ServiceError> {
        let id = key.existing(self.session, table)?;
        if let Some(column) = table.column(name)
            && files::is_file(column)
        {
            return files::download(self.session, table, id, column);
        }
        let row = self.session.existing(&table.name, id)?;
        let reader = Reader::new(self.session)?;
        match self.value(&reader, table, &row, name)? {
            Value::Null => Ok(Response::new(StatusCode::NO_CONTENT)),
            Value::String(text) => Ok(plain_text(text)),
            other => Ok(plain_text(other.to_string())),
        }
    }

    fn value(
        &self,
        reader: &Reader<'_, '_>,
        table: &Arc<Table>,
        row: &Row,
        name: &str,
    ) -> Result<Value, ServiceError> {
        let known = table
            .column(name)
            .is_some_and(|column| column.targets().is_empty())
            || table.lookup_by_value(name).is_some();
        if !known {
            return Err(ServiceError::no_resource(name));
        }
        let query = Query {
            select: vec![name.to_owned()],
            ..Query::default()
        };
        let mut written = self.wire(reader).row(table, row, &query)?;
        Ok(written.shift_remove(name).unwrap_or_default())
    }

    /// `…/$ref`: reading, setting and ending relations.
    fn reference(
        &self,
        table: &Arc<Table>,
        key: &Key,
        segment: &Segment,
    ) -> Result<Response, ServiceError> {
        let id = key.existing(self.session, table)?;
        let name = &segment.name;
        match self.call.method {
            Method::POST | Method::PUT => {
                let body = object(&self.call.body)?;
                let Some(reference) = row::text(&body, "@odata.id") else {
                    return Err(ServiceError::bad_payload(
                        &table.set,
                        "@odata.id is missing.",
                    ));
                };
                write::associate(self.session, table, id, name, reference)?;
                Ok(Response::new(StatusCode::NO_CONTENT))
            }
            Method::DELETE => {
                let other = match (&segment.arguments, self.call.parameter("$id")) {
                    (Some(arguments), _) => {
                        let other = write::other_side(self.session, table, name)?
                            .ok_or_else(|| ServiceError::no_property(name, &table.name))?;
                        let key = Key::read(&other, arguments, &[])?;
                        let id = key.existing(self.session, &other)?;
                        Some((other, id))
                    }
                    (None, Some(reference)) => Some(row_at(self.session, reference)?),
                    (None, None) => None,
                };
                write::disassociate(self.session, table, id, name, other)?;
                Ok(Response::new(StatusCode::NO_CONTENT))
            }
            Method::GET => {
                let row = self.session.existing(&table.name, id)?;
                let reader = Reader::new(self.session)?;
                let root = &self.session.root;
                let address = |table: &Table, row: &Row| {
                    let id = row::text(row, &table.key).unwrap_or_default();
                    json!({ "@odata.id": format!("{root}/{}({id})", table.set) })
                };
                if let Some((column, _)) = table.navigation(name) {
                    return Ok(match reader.target(&row, column)? {
                        Some((target, row)) => {
                            let mut out =
                                json!({ "@odata.context": format!("{root}/$metadata#$ref") });
                            out["@odata.id"] = address(&target, &row)["@odata.id"].take();
                            Response::json(StatusCode::OK, &out)
                        }
                        None => Response::new(StatusCode::NO_CONTENT),
                    });
                }
                let Some((target, rows)) = reader.related(table, &row, name)? else {
                    return Err(ServiceError::no_property(name, &table.name));
                };
                let rows: Vec<Value> = rows.iter().map(|row| address(&target, row)).collect();
                let context = format!("{root}/$metadata#Collection($ref)");
                Ok(Response::json(
                    StatusCode::OK,
                    &json!({ "@odata.context": context, "value": rows }),
                ))
            }
            _ => Err(ServiceError::wrong_verb(
                "A reference supports GET, POST, PUT and DELETE.",
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
