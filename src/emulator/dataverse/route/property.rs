//! Requests below one row: its columns, its files, what its navigation properties lead to.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Request, plain_text};
use crate::emulator::dataverse::catalogue::Table;
use crate::emulator::dataverse::failure::ServiceError;
use crate::emulator::dataverse::odata::{Query, Segment};
use crate::emulator::dataverse::payload::{convert, object};
use crate::emulator::dataverse::reader::Reader;
use crate::emulator::dataverse::resource::{Key, row_at};
use crate::emulator::dataverse::row::{self, Row};
use crate::emulator::dataverse::{files, query, write};
use crate::transport::{Method, Response, StatusCode};

impl Request<'_, '_> {
    /// A request for a column or for what a navigation property leads to.
    pub(super) fn property(
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

    pub(super) fn raw_value(
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
    pub(super) fn reference(
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

    /// `…/$count`: how many related rows there are.
    pub(super) fn count_related(
        &self,
        table: &Arc<Table>,
        key: &Key,
        segment: &Segment,
    ) -> Result<Response, ServiceError> {
        self.only(&Method::GET)?;
        let id = key.existing(self.session, table)?;
        let reader = Reader::new(self.session)?;
        let row = self.session.existing(&table.name, id)?;
        let (target, rows) = reader
            .related(table, &row, &segment.name)?
            .ok_or_else(|| ServiceError::no_resource(&segment.name))?;
        let query = Query::parse(&self.call.query)?;
        let rows = query::matching(&reader, &target, rows, query.filter.as_ref())?;
        Ok(plain_text(rows.len().min(query::LARGEST_PAGE).to_string()))
    }
}
