//! Definitions: which tables, columns and relationships there are, as JSON and as CSDL.
//!
//! facts/dataverse-web-api.md, section 1.11. Reading only: definitions come with solutions.

mod csdl;
mod definition;

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::catalogue::Table;
use super::condition::Scalar;
use super::failure::ServiceError;
use super::odata::{Comparison, Expand, Expression, Query, Segment, parameters};
use super::operations::aliases;
use super::session::Session;
use crate::emulator::call::Call;
use crate::transport::{HeaderValue, Response, StatusCode};

/// Whether an address that begins with this segment asks for definitions.
pub(super) fn answers(name: &str) -> bool {
    matches!(
        name,
        "$metadata"
            | "EntityDefinitions"
            | "RelationshipDefinitions"
            | "GlobalOptionSetDefinitions"
            | "ManagedPropertyDefinitions"
    )
}

/// Answers a request for definitions.
///
/// # Errors
/// The service's refusal, `501` for kinds of definitions that are not emulated.
pub(super) fn answer(
    session: &Session<'_>,
    call: &Call,
    segments: &[Segment],
) -> Result<Response, ServiceError> {
    let Some((first, rest)) = segments.split_first() else {
        return Err(ServiceError::no_resource(""));
    };
    match first.name.as_str() {
        "$metadata" => {
            let mut response = Response::new(StatusCode::OK);
            let kind = HeaderValue::from_static("application/xml");
            response.headers.insert(http::header::CONTENT_TYPE, kind);
            response.body = csdl::document(&*session.catalogue()?);
            Ok(response)
        }
        "EntityDefinitions" => tables(session, call, first, rest),
        "RelationshipDefinitions" => relationships(session, call, first, rest),
        other => Err(ServiceError::not_emulated(format_args!("reading {other}"))),
    }
}

fn tables(
    session: &Session<'_>,
    call: &Call,
    first: &Segment,
    rest: &[Segment],
) -> Result<Response, ServiceError> {
    let query = Query::parse(&call.query)?;
    let catalogue = session.catalogue()?;
    let Some(key) = &first.arguments else {
        if let Some(unknown) = rest.first() {
            return Err(ServiceError::no_resource(&unknown.name));
        }
        // Columns are only built where they are asked for; there are very many.
        let tables = catalogue
            .tables()
            .map(|table| definition::table(&catalogue, table, &query));
        return list(session, "EntityDefinitions", tables.collect(), &query);
    };
    let table = table_named(session, call, key)?;
    let Some((part, rest)) = rest.split_first() else {
        let whole = definition::table(&catalogue, &table, &query);
        return one(session, "EntityDefinitions", whole, &query);
    };
    let items = match part.name.as_str() {
        "Attributes" => {
            let columns = table.columns.iter();
            columns.map(|it| definition::column(&table, it)).collect()
        }
        "Keys" => definition::keys(&table),
        "OneToManyRelationships" => definition::one_to_many(&catalogue, &table),
        "ManyToOneRelationships" => definition::many_to_one(&table),
        "ManyToManyRelationships" => definition::many_to_many(&catalogue, Some(&table)),
        property => {
            let whole = definition::table(&catalogue, &table, &Query::default());
            let Some(value) = whole.get(property) else {
                return Err(ServiceError::no_resource(property));
            };
            return property_answer(session, property, value, rest);
        }
    };
    items_answer(session, call, &part.name, part, rest, items, &query)
}

/// A list of parts of a definition: whole, of one type only, or one of them by its name.
fn items_answer(
    session: &Session<'_>,
    call: &Call,
    context: &str,
    part: &Segment,
    rest: &[Segment],
    mut items: Vec<Value>,
    query: &Query,
) -> Result<Response, ServiceError> {
    let mut rest = rest;
    let mut key = part.arguments.clone();
    if let Some((cast, after)) = rest.split_first()
        && let Some(wanted) = cast.name.strip_prefix("Microsoft.Dynamics.CRM.")
    {
        let full = format!("#Microsoft.Dynamics.CRM.{wanted}");
        items.retain(|item| item["@odata.type"].as_str() == Some(&full));
        key = key.or_else(|| cast.arguments.clone());
        rest = after;
    }
    if let Some(key) = key {
        let (name, value) = named(call, &key)?;
        let text = value.as_str().unwrap_or_default();
        let found = items.into_iter().find(|item| {
            let own = match &name {
                Some(name) => item[name.as_str()].as_str(),
                None => item["MetadataId"].as_str(),
            };
            own.is_some_and(|own| own.eq_ignore_ascii_case(text))
        });
        let Some(found) = found else {
            return Err(ServiceError::new(
                StatusCode::NOT_FOUND,
                "0x80060888",
                format!("Could not find '{text}' in {context}."),
            ));
        };
        return match rest {
            [] => one(session, context, found, query),
            [property, rest @ ..] => {
                let value = found.get(&property.name);
                let value = value.ok_or_else(|| ServiceError::no_resource(&property.name))?;
                property_answer(session, &property.name, value, rest)
            }
        };
    }
    match rest {
        [] => list(session, context, items, query),
        [unknown, ..] => Err(ServiceError::no_resource(&unknown.name)),
    }
}

fn relationships(
    session: &Session<'_>,
    call: &Call,
    first: &Segment,
    rest: &[Segment],
) -> Result<Response, ServiceError> {
    let query = Query::parse(&call.query)?;
    let catalogue = session.catalogue()?;
    let mut items: Vec<Value> = catalogue
        .tables()
        .flat_map(|it| definition::many_to_one(it))
        .collect();
    items.extend(definition::many_to_many(&catalogue, None));
    items_answer(
        session,
        call,
        "RelationshipDefinitions",
        first,
        rest,
        items,
        &query,
    )
}

fn table_named(session: &Session<'_>, call: &Call, key: &str) -> Result<Arc<Table>, ServiceError> {
    let (name, value) = named(call, key)?;
    let text = value.as_str().unwrap_or_default();
    let catalogue = session.catalogue()?;
    let found = match name.as_deref() {
        Some("LogicalName") => catalogue.table(text).cloned(),
        None | Some("MetadataId") => {
            let text = text.to_lowercase();
            catalogue
                .tables()
                .find(|table| table.metadata_id.to_string() == text)
                .cloned()
        }
        Some(other) => return Err(ServiceError::no_property(other, "EntityMetadata")),
    };
    found.ok_or_else(|| {
        ServiceError::new(
            StatusCode::NOT_FOUND,
            "0x80060888",
            format!("Could not find an entity with the specified key: {key}"),
        )
    })
}

fn named(call: &Call, key: &str) -> Result<(Option<String>, Value), ServiceError> {
    let mut given = parameters(key, &aliases(&call.query))?;
    match (given.pop(), given.is_empty()) {
        (Some(parameter), true) => Ok((parameter.name, parameter.value)),
        _ => Err(ServiceError::bad_query(format!(
            "'{key}' is not a key of a definition."
        ))),
    }
}

fn property_answer(
    session: &Session<'_>,
    name: &str,
    value: &Value,
    rest: &[Segment],
) -> Result<Response, ServiceError> {
    match rest {
        [] => {
            let context = format!("{}/$metadata#{name}", session.root);
            Ok(Response::json(
                StatusCode::OK,
                &json!({ "@odata.context": context, "value": value }),
            ))
        }
        [last] if last.name == "$value" => {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            let mut response = Response::new(StatusCode::OK);
            let kind = HeaderValue::from_static("text/plain; charset=utf-8");
            response.headers.insert(http::header::CONTENT_TYPE, kind);
            response.body = text.into_bytes();
            Ok(response)
        }
        [unknown, ..] => Err(ServiceError::no_resource(&unknown.name)),
    }
}

fn list(
    session: &Session<'_>,
    context: &str,
    items: Vec<Value>,
    query: &Query,
) -> Result<Response, ServiceError> {
    let mut found = Vec::new();
    for item in items {
        if query
            .filter
            .as_ref()
            .map_or(Ok(true), |filter| holds(filter, &item))?
        {
            found.push(pruned(item, query));
        }
    }
    let context = format!("{}/$metadata#{context}", session.root);
    let mut out = json!({ "@odata.context": context });
    if query.count {
        out["@odata.count"] = found.len().into();
    }
    out["value"] = found.into();
    Ok(Response::json(StatusCode::OK, &out))
}

fn one(
    session: &Session<'_>,
    context: &str,
    item: Value,
    query: &Query,
) -> Result<Response, ServiceError> {
    let mut out = Map::new();
    let context = format!("{}/$metadata#{context}/$entity", session.root);
    out.insert("@odata.context".into(), context.into());
    if let Value::Object(members) = pruned(item, query) {
        out.extend(members);
    }
    Ok(Response::json(StatusCode::OK, &Value::Object(out)))
}

/// Leaves what was selected and expanded. Option sets are there only when they are expanded.
fn pruned(item: Value, query: &Query) -> Value {
    let Value::Object(members) = item else {
        return item;
    };
    let expanded = |name: &str| query.expand.iter().find(|it| it.navigation == name);
    let kept = members.into_iter().filter_map(|(name, value)| {
        if let Some(Expand { query, .. }) = expanded(&name) {
            let value = match value {
                Value::Array(items) => items.into_iter().map(|item| pruned(item, query)).collect(),
                other => pruned(other, query),
            };
            return Some((name, value));
        }
        let is_navigation = definition::NAVIGATIONS.contains(&name.as_str());
        let wanted = query.select.is_empty()
            || query.select.contains(&name)
            || name == "MetadataId"
            || name == "@odata.type";
        (wanted && !is_navigation).then_some((name, value))
    });
    Value::Object(kept.collect())
}

/// Filters on definitions are simple: comparisons of simple properties.
fn holds(filter: &Expression, item: &Value) -> Result<bool, ServiceError> {
    Ok(match filter {
        Expression::And(parts) => {
            for part in parts {
                if !holds(part, item)? {
                    return Ok(false);
                }
            }
            true
        }
        Expression::Or(parts) => {
            for part in parts {
                if holds(part, item)? {
                    return Ok(true);
                }
            }
            false
        }
        Expression::Not(inner) => !holds(inner, item)?,
        Expression::Compare(comparison, left, right) => {
            let ordering = operand(left, item)?.compare(&operand(right, item)?);
            match comparison {
                Comparison::Equal => ordering == Some(Ordering::Equal),
                Comparison::NotEqual => ordering != Some(Ordering::Equal),
                Comparison::Greater => ordering == Some(Ordering::Greater),
                Comparison::GreaterOrEqual => ordering.is_some_and(Ordering::is_ge),
                Comparison::Less => ordering == Some(Ordering::Less),
                Comparison::LessOrEqual => ordering.is_some_and(Ordering::is_le),
            }
        }
        Expression::Property(_) => operand(filter, item)? == Scalar::Boolean(true),
        other => {
            return Err(ServiceError::not_emulated(format_args!(
                "this filter on definitions: {other:?}"
            )));
        }
    })
}

fn operand(expression: &Expression, item: &Value) -> Result<Scalar, ServiceError> {
    let value = match expression {
        Expression::Literal(literal) => literal.to_json(),
        Expression::Property(path) => {
            let mut here = item;
            for name in path {
                here = match here.get(name) {
                    Some(next) => next,
                    None => return Err(ServiceError::no_property(name, "EntityMetadata")),
                };
            }
            here.clone()
        }
        other => {
            return Err(ServiceError::not_emulated(format_args!(
                "this filter on definitions: {other:?}"
            )));
        }
    };
    Ok(Scalar::of(&value, super::condition::Kind::Text))
}
