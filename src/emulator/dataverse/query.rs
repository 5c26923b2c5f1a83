//! Queries on one table: filter, order, page, aggregate.

use std::collections::BTreeSet;
use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::catalogue::Table;
use super::condition::{self, ColumnPath, Scalar};
use super::failure::ServiceError;
use super::odata::{Aggregate, Expression, Method, Order, Query, Transformation};
use super::reader::Reader;
use super::row::{self, Row};
use super::wire::{Wire, selection};
use crate::emulator::call::Call;

/// The most rows of one answer; also the most that `$count` counts.
pub(super) const LARGEST_PAGE: usize = 5_000;
/// The most rows that `$apply` takes.
const MOST_AGGREGATED: usize = 50_000;

/// How the answer is cut into pages.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Paging {
    /// `Prefer: odata.maxpagesize`
    pub(super) size: Option<usize>,
}

/// Those of `rows` for which the filter holds.
pub(super) fn matching(
    reader: &Reader<'_, '_>,
    table: &Arc<Table>,
    rows: Vec<Row>,
    filter: Option<&Expression>,
) -> Result<Vec<Row>, ServiceError> {
    let Some(filter) = filter else {
        return Ok(rows);
    };
    let condition = condition::bind(reader, table, filter)?;
    let mut found = Vec::new();
    for row in rows {
        if condition.holds(reader, &[&row])? {
            found.push(row);
        }
    }
    Ok(found)
}

/// Sorts rows; those that are equal keep their order.
pub(super) fn sort(
    reader: &Reader<'_, '_>,
    table: &Arc<Table>,
    rows: &mut Vec<Row>,
    order: &[Order],
) -> Result<(), ServiceError> {
    if order.is_empty() {
        return Ok(());
    }
    let columns = order
        .iter()
        .map(|it| condition::bind_path(reader, table, &it.path))
        .collect::<Result<Vec<_>, _>>()?;
    let mut keyed = Vec::with_capacity(rows.len());
    for row in rows.drain(..) {
        let key = columns.iter().map(|column| column.value(reader, &[&row]));
        keyed.push((key.collect::<Result<Vec<_>, _>>()?, row));
    }
    keyed.sort_by(|(left, _), (right, _)| {
        let pairs = left.iter().zip(right).zip(order);
        pairs.fold(
            std::cmp::Ordering::Equal,
            |decided, ((left, right), order)| {
                decided.then_with(|| match order.descending {
                    true => right.order(left),
                    false => left.order(right),
                })
            },
        )
    });
    rows.extend(keyed.into_iter().map(|(_, row)| row));
    Ok(())
}

/// Answers a query with `rows` of `table` as its candidates.
pub(super) fn answer(
    wire: &Wire<'_, '_, '_>,
    call: &Call,
    table: &Arc<Table>,
    rows: Vec<Row>,
    query: &Query,
    paging: Paging,
) -> Result<Value, ServiceError> {
    let reader = wire.reader;
    let root = &reader.session.root;
    if !query.apply.is_empty() {
        let rows = matching(reader, table, rows, query.filter.as_ref())?;
        let rows = apply(reader, table, rows, &query.apply)?;
        let context = format!("{root}/$metadata#{}", table.set);
        return Ok(json!({ "@odata.context": context, "value": rows }));
    }
    wire.check(table, query)?;
    let mut rows = matching(reader, table, rows, query.filter.as_ref())?;
    sort(reader, table, &mut rows, &query.order)?;
    let total = rows.len();
    let (size, top) = match paging.size {
        // A page size makes the service ignore `$top`.
        Some(size) => (size.clamp(1, LARGEST_PAGE), usize::MAX),
        None => (LARGEST_PAGE, query.top.unwrap_or(usize::MAX)),
    };
    let cookie = call.parameter("$skiptoken").map(Cookie::read).transpose()?;
    let start = cookie
        .as_ref()
        .map_or(0, |cookie| cookie.start(&rows, table, size));
    let page: Vec<&Row> = rows.iter().take(top).skip(start).take(size).collect();
    let end = start + page.len();
    let mut out = Map::new();
    let context = format!("{root}/$metadata#{}{}", table.set, selection(query));
    out.insert("@odata.context".into(), context.into());
    if query.count {
        out.insert("@odata.count".into(), total.min(LARGEST_PAGE).into());
    }
    if wire
        .annotations
        .want("Microsoft.Dynamics.CRM.totalrecordcount")
    {
        let count = if query.count {
            total.min(LARGEST_PAGE) as i64
        } else {
            -1
        };
        out.insert(
            "@Microsoft.Dynamics.CRM.totalrecordcount".into(),
            count.into(),
        );
        let exceeded = query.count && total > LARGEST_PAGE;
        let name = "@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded";
        out.insert(name.into(), exceeded.into());
    }
    let written = page.iter().map(|row| wire.row(table, row, query));
    let written = written
        .map(|row| row.map(Value::Object))
        .collect::<Result<Vec<_>, _>>()?;
    out.insert("value".into(), written.into());
    if end < total.min(top)
        && let Some(last) = page.last()
    {
        let number = cookie.map_or(1, |cookie| cookie.page) + 1;
        let last = row::text(last, &table.key).unwrap_or_default();
        let link = next_link(call, &table.set, &table.key, number, last);
        out.insert("@odata.nextLink".into(), link.into());
    }
    Ok(Value::Object(out))
}

/// Where a page begins, as the link to it says.
struct Cookie {
    page: usize,
    last: String,
}

impl Cookie {
    fn read(text: &str) -> Result<Self, ServiceError> {
        let wrong = || ServiceError::bad_query("Invalid skiptoken.");
        let between = |text: &str, before: &str| {
            let rest = text.split_once(before)?.1;
            Some(rest.split_once('"')?.0.to_owned())
        };
        let page = between(text, "pagenumber=\"")
            .and_then(|it| it.parse().ok())
            .ok_or_else(wrong)?;
        let cookie = between(text, "pagingcookie=\"").ok_or_else(wrong)?;
        let cookie = percent_encoding::percent_decode_str(&cookie)
            .decode_utf8_lossy()
            .into_owned();
        let last = between(&cookie, "last=\"{").ok_or_else(wrong)?;
        Ok(Self {
            page,
            last: last.trim_end_matches('}').to_lowercase(),
        })
    }

    /// The row after the last one of the page before, even if rows came or went meanwhile.
    fn start(&self, rows: &[Row], table: &Table, size: usize) -> usize {
        let last = rows
            .iter()
            .position(|row| row::text(row, &table.key) == Some(&self.last));
        last.map_or(size.saturating_mul(self.page.saturating_sub(1)), |at| {
            at + 1
        })
    }
}

fn next_link(call: &Call, set: &str, key: &str, page: usize, last: &str) -> String {
    let inner = format!("<cookie page=\"{page}\"><{key} last=\"{{{last}}}\" /></cookie>");
    let inner = utf8_percent_encode(&inner, NON_ALPHANUMERIC);
    let token =
        format!("<cookie pagenumber=\"{page}\" pagingcookie=\"{inner}\" istracking=\"False\" />");
    let mut pairs: Vec<String> = call
        .raw_query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .filter(|pair| !pair.starts_with("$skiptoken=") && !pair.starts_with("%24skiptoken="))
        .map(str::to_owned)
        .collect();
    pairs.push(format!(
        "$skiptoken={}",
        utf8_percent_encode(&token, NON_ALPHANUMERIC)
    ));
    // A query without a path never comes here; the set keeps the link right in a batch.
    let path = if call.raw_path.is_empty() {
        set
    } else {
        &call.raw_path
    };
    format!("{}{path}?{}", call.base, pairs.join("&"))
}

/// `$apply`: what is left of the rows after each step.
fn apply(
    reader: &Reader<'_, '_>,
    table: &Arc<Table>,
    mut rows: Vec<Row>,
    steps: &[Transformation],
) -> Result<Vec<Value>, ServiceError> {
    for (at, step) in steps.iter().enumerate() {
        match step {
            Transformation::Filter(filter) => {
                rows = matching(reader, table, rows, Some(filter))?;
            }
            Transformation::Group { .. } | Transformation::Aggregate(_) if at + 1 < steps.len() => {
                return Err(ServiceError::not_emulated(
                    "a transformation after a grouping",
                ));
            }
            Transformation::Group { by, aggregates } => {
                limit(&rows)?;
                let by = by
                    .iter()
                    .map(|path| condition::bind_path(reader, table, path));
                let by = by.collect::<Result<Vec<_>, _>>()?;
                return group(reader, table, &rows, &by, aggregates);
            }
            Transformation::Aggregate(aggregates) => {
                limit(&rows)?;
                let rows: Vec<&Row> = rows.iter().collect();
                let out = aggregate(reader, table, &rows, aggregates, Map::new())?;
                return Ok(vec![Value::Object(out)]);
            }
        }
    }
    Err(ServiceError::not_emulated("$apply with a filter alone"))
}

fn limit(rows: &[Row]) -> Result<(), ServiceError> {
    if rows.len() <= MOST_AGGREGATED {
        return Ok(());
    }
    Err(ServiceError::bad_request(
        "0x8004e023",
        "The maximum record limit is exceeded. Reduce the number of records.",
    ))
}

fn group(
    reader: &Reader<'_, '_>,
    table: &Arc<Table>,
    rows: &[Row],
    by: &[ColumnPath],
    aggregates: &[Aggregate],
) -> Result<Vec<Value>, ServiceError> {
    let mut groups: Vec<(String, Map<String, Value>, Vec<&Row>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for row in rows {
        let mut values = Map::new();
        for column in by {
            let value = column.json(reader, &[row])?;
            // Groups without a value lack the member.
            if !value.is_null() {
                values.insert(column.group_name(), value);
            }
        }
        let key = Value::Object(values.clone()).to_string().to_lowercase();
        let place = *places.entry(key.clone()).or_insert_with(|| {
            groups.push((key, values, Vec::new()));
            groups.len() - 1
        });
        groups[place].2.push(row);
    }
    groups
        .into_iter()
        .map(|(_, values, rows)| {
            aggregate(reader, table, &rows, aggregates, values).map(Value::Object)
        })
        .collect()
}

fn aggregate(
    reader: &Reader<'_, '_>,
    table: &Arc<Table>,
    rows: &[&Row],
    aggregates: &[Aggregate],
    mut out: Map<String, Value>,
) -> Result<Map<String, Value>, ServiceError> {
    for it in aggregates {
        let value = match &it.path {
            None => rows.len().into(),
            Some(path) => {
                let column = condition::bind_path(reader, table, path)?;
                let values = rows.iter().map(|row| column.value(reader, &[row]));
                let values = values.collect::<Result<Vec<_>, _>>()?;
                combine(values, it.method)
            }
        };
        out.insert(it.alias.clone(), value);
    }
    Ok(out)
}

fn combine(values: Vec<Scalar>, method: Method) -> Value {
    let values: Vec<Scalar> = values
        .into_iter()
        .filter(|it| *it != Scalar::Null)
        .collect();
    let numbers = || values.iter().filter_map(Scalar::number);
    let whole = values.iter().all(|it| matches!(it, Scalar::Integer(_)));
    let number = |value: f64| match whole && value.fract() == 0.0 && value.abs() < 9e15 {
        true => Value::from(value as i64),
        false => Value::from(value),
    };
    match method {
        Method::Count => values.len().into(),
        Method::CountDistinct => {
            let texts = values.iter().map(|it| format!("{it:?}").to_lowercase());
            texts.collect::<BTreeSet<_>>().len().into()
        }
        Method::Sum => number(numbers().sum()),
        Method::Average if values.is_empty() => Value::Null,
        Method::Average => (numbers().sum::<f64>() / values.len() as f64).into(),
        Method::Minimum => numbers().reduce(f64::min).map_or(Value::Null, number),
        Method::Maximum => numbers().reduce(f64::max).map_or(Value::Null, number),
    }
}
