//! Rows as they are answered: selected, annotated, expanded.
//!
//! Rules: facts/dataverse-web-api.md, section 1.7.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::catalogue::{Choice, Column, ColumnKind, Table};
use super::failure::ServiceError;
use super::odata::{Expand, Query};
use super::query;
use super::reader::Reader;
use super::row::{self, LOOKUP_TABLE, Row};

/// Columns that can be written and never read, because they hold secrets.
const SECRETS: [(&str, &str); 3] = [
    ("serviceendpoint", "authvalue"),
    ("serviceendpoint", "saskey"),
    ("serviceendpoint", "sastoken"),
];

/// Whether a column can be written and never read. What is kept of it is a digest.
pub(super) fn is_secret(table: &Table, column: &Column) -> bool {
    SECRETS.contains(&(table.name.as_str(), column.name.as_str()))
}

const FORMATTED: &str = "OData.Community.Display.V1.FormattedValue";
const ASSOCIATED: &str = "Microsoft.Dynamics.CRM.associatednavigationproperty";

/// Which annotations the caller asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Annotations {
    patterns: Vec<String>,
}

impl Annotations {
    /// Reads the value of `odata.include-annotations`.
    pub(super) fn new(list: &str) -> Self {
        let patterns = list.split(',').map(|it| it.trim().to_owned());
        Self {
            patterns: patterns.filter(|it| !it.is_empty()).collect(),
        }
    }

    /// Whether the annotation `name` is asked for.
    pub(super) fn want(&self, name: &str) -> bool {
        let fits = |pattern: &str| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == pattern,
        };
        let refused = self
            .patterns
            .iter()
            .filter_map(|it| it.strip_prefix('-'))
            .any(fits);
        !refused && self.patterns.iter().any(|it| fits(it))
    }

    /// Whether any is asked for.
    pub(super) fn any(&self) -> bool {
        !self.patterns.is_empty()
    }
}

/// Writes rows the way one request asked for.
pub(super) struct Wire<'r, 's, 'a> {
    pub(super) reader: &'r Reader<'s, 'a>,
    pub(super) annotations: &'r Annotations,
}

impl Wire<'_, '_, '_> {
    /// Refuses a query that selects or expands what `table` does not have.
    ///
    /// # Errors
    /// `400` for the first such name.
    pub(super) fn check(&self, table: &Arc<Table>, query: &Query) -> Result<(), ServiceError> {
        for name in &query.select {
            let known = table.column(name).is_some_and(|it| it.targets().is_empty())
                || table.lookup_by_value(name).is_some()
                || table.navigation(name).is_some()
                || self.reader.collection_table(table, name)?.is_some();
            if !known {
                return Err(ServiceError::no_property(name, &table.name));
            }
        }
        for expand in &query.expand {
            let name = &expand.navigation;
            let is_collection = match table.navigation(name) {
                Some((_, target)) => {
                    // An owner may be a user or a team; its columns are checked row by row.
                    if target.table != "principal" {
                        self.check(&self.reader.session.table(&target.table)?, &expand.query)?;
                    }
                    false
                }
                None => match self.reader.collection_table(table, name)? {
                    Some(target) => {
                        self.check(&target, &expand.query)?;
                        true
                    }
                    None => return Err(ServiceError::no_property(name, &table.name)),
                },
            };
            if expand.reference && is_collection {
                return Err(ServiceError::bad_query(
                    "Expand with $ref is only supported on lookup type navigation property.",
                ));
            }
            let inner = &expand.query;
            if !is_collection
                && (inner.filter.is_some() || !inner.order.is_empty() || inner.top.is_some())
            {
                return Err(ServiceError::bad_query(
                    "Only $select and $filter clause can be provided while doing $expand on \
                     many-to-one relationship or nested one-to-many relationship.",
                ));
            }
        }
        Ok(())
    }

    /// A row with the columns and related rows that `query` asks for.
    pub(super) fn row(
        &self,
        table: &Arc<Table>,
        row: &Row,
        query: &Query,
    ) -> Result<Map<String, Value>, ServiceError> {
        let mut out = Map::new();
        if let Some(version) = row.get("versionnumber") {
            out.insert("@odata.etag".into(), format!("W/\"{version}\"").into());
        }
        if query.select.is_empty() {
            for column in &table.columns {
                self.column(table, row, column, &mut out)?;
            }
        } else {
            for name in &query.select {
                let column = table
                    .column(name)
                    .filter(|column| column.targets().is_empty());
                let by_navigation = || table.navigation(name).map(|(column, _)| column);
                let column = column
                    .or_else(|| table.lookup_by_value(name))
                    .or_else(by_navigation);
                if let Some(column) = column {
                    self.column(table, row, column, &mut out)?;
                }
            }
            if !out.contains_key(&table.key)
                && let Some(id) = row.get(&table.key)
            {
                out.insert(table.key.clone(), id.clone());
            }
        }
        for expand in &query.expand {
            self.expand(table, row, expand, &mut out)?;
        }
        Ok(out)
    }

    fn column(
        &self,
        table: &Table,
        row: &Row,
        column: &Column,
        out: &mut Map<String, Value>,
    ) -> Result<(), ServiceError> {
        let property = column.property();
        let secret = is_secret(table, column);
        let value = match row.get(&property) {
            Some(value) if !secret => value.clone(),
            _ => Value::Null,
        };
        let value = match (&column.kind, value) {
            (ColumnKind::ManagedProperty, value) => managed_property(&column.name, value),
            (_, value) => value,
        };
        if !value.is_null() && self.annotations.any() {
            if let ColumnKind::Lookup(targets) = &column.kind {
                let id = row::id(row, &property);
                let target = match id {
                    Some(id) => self.reader.target_table(row, column, id)?,
                    None => None,
                };
                if let Some(name) = target {
                    let navigation = targets.iter().find(|it| it.reaches(&name));
                    if let Some(navigation) = navigation
                        && self.annotations.want(ASSOCIATED)
                    {
                        let key = format!("{property}@{ASSOCIATED}");
                        out.insert(key, navigation.navigation.clone().into());
                    }
                    if self.annotations.want(&LOOKUP_TABLE[1..]) {
                        out.insert(format!("{property}{LOOKUP_TABLE}"), name.into());
                    }
                }
            }
            if self.annotations.want(FORMATTED)
                && let Some(text) = self.formatted(row, column, &value)?
            {
                out.insert(format!("{property}@{FORMATTED}"), text.into());
            }
        }
        out.insert(property, value);
        Ok(())
    }

    /// The value for people, where it differs in kind from what is stored.
    fn formatted(
        &self,
        row: &Row,
        column: &Column,
        value: &Value,
    ) -> Result<Option<String>, ServiceError> {
        let label = |choices: &[Choice], number: i64| {
            let found = choices.iter().find(|choice| choice.value == number);
            found.map(|choice| choice.label.clone())
        };
        Ok(match (&column.kind, value) {
            (ColumnKind::Choice(choices), Value::Number(number)) => {
                let number = number.as_i64().unwrap_or_default();
                Some(label(choices, number).unwrap_or_else(|| number.to_string()))
            }
            (ColumnKind::MultiChoice(choices), Value::String(text)) => {
                let labels = text
                    .split(',')
                    .filter_map(|it| label(choices, it.trim().parse().ok()?));
                Some(labels.collect::<Vec<_>>().join("; "))
            }
            (ColumnKind::Boolean, Value::Bool(value)) => {
                Some(if *value { "Yes" } else { "No" }.into())
            }
            (ColumnKind::DateTime, Value::String(text)) => text
                .parse::<Timestamp>()
                .ok()
                .map(|it| it.strftime("%-m/%-d/%Y %-I:%M %p").to_string()),
            (ColumnKind::Lookup(_), _) => match self.reader.target(row, column)? {
                Some((table, target)) => primary_name(&table, &target),
                None => None,
            },
            (ColumnKind::Integer | ColumnKind::BigInteger, Value::Number(number)) => {
                Some(with_thousands(&number.to_string()))
            }
            (
                ColumnKind::Money | ColumnKind::Decimal | ColumnKind::Double,
                Value::Number(number),
            ) => number
                .as_f64()
                .map(|it| with_thousands(&format!("{it:.2}"))),
            _ => None,
        })
    }

    fn expand(
        &self,
        table: &Arc<Table>,
        row: &Row,
        expand: &Expand,
        out: &mut Map<String, Value>,
    ) -> Result<(), ServiceError> {
        let name = expand.navigation.clone();
        let root = &self.reader.session.root;
        if let Some((column, wanted)) = table.navigation(&name) {
            let found = self.reader.target(row, column)?;
            let found = found.filter(|(table, _)| wanted.reaches(&table.name));
            let value = match found {
                None => Value::Null,
                Some((target, row)) if expand.reference => {
                    let id = row::text(&row, &target.key).unwrap_or_default();
                    json!({ "@odata.id": format!("{root}/{}({id})", target.set) })
                }
                Some((target, row)) => Value::Object(self.row(&target, &row, &expand.query)?),
            };
            out.insert(name, value);
            return Ok(());
        }
        let Some((target, rows)) = self.reader.related(table, row, &name)? else {
            return Err(ServiceError::no_property(&name, &table.name));
        };
        let mut rows = query::matching(self.reader, &target, rows, expand.query.filter.as_ref())?;
        query::sort(self.reader, &target, &mut rows, &expand.query.order)?;
        rows.truncate(expand.query.top.unwrap_or(query::LARGEST_PAGE));
        let rows = rows.iter().map(|row| self.row(&target, row, &expand.query));
        let rows = rows
            .map(|row| row.map(Value::Object))
            .collect::<Result<Vec<_>, _>>()?;
        out.insert(name.clone(), rows.into());
        let id = row::text(row, &table.key).unwrap_or_default();
        let mut link = format!("{root}/{}({id})/{name}", table.set);
        if !expand.query.select.is_empty() {
            link = format!("{link}?$select={}", expand.query.select.join(","));
        }
        out.insert(format!("{name}@odata.nextLink"), link.into());
        Ok(())
    }
}

/// The list of columns in a context: `(a,b,c())`, or nothing when all were asked for.
pub(super) fn selection(query: &Query) -> String {
    if query.select.is_empty() && query.expand.is_empty() {
        return String::new();
    }
    let mut parts = query.select.clone();
    for expand in &query.expand {
        let inner = selection(&expand.query);
        let inner = if inner.is_empty() { "()".into() } else { inner };
        parts.push(format!("{}{inner}", expand.navigation));
    }
    format!("({})", parts.join(","))
}

/// The name of a row for people.
pub(super) fn primary_name(table: &Table, row: &Row) -> Option<String> {
    let column = table.primary_name.as_deref()?;
    row::text(row, column).map(str::to_owned)
}

/// A managed property as an object; one that nobody set can be changed.
fn managed_property(name: &str, value: Value) -> Value {
    let logical_name = match name {
        "iscustomizable" => "iscustomizableanddeletable",
        other => other,
    };
    match value {
        Value::Object(_) => value,
        Value::Bool(value) => json!({
            "Value": value, "CanBeChanged": true, "ManagedPropertyLogicalName": logical_name,
        }),
        _ => json!({
            "Value": true, "CanBeChanged": true, "ManagedPropertyLogicalName": logical_name,
        }),
    }
}

fn with_thousands(number: &str) -> String {
    let (sign, number) = match number.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", number),
    };
    let (whole, fraction) = number.split_at(number.find('.').unwrap_or(number.len()));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_are_asked_for_by_name_by_start_or_all() {
        assert!(Annotations::new("*").want(FORMATTED));
        let some = Annotations::new("Microsoft.Dynamics.CRM.*");
        assert!(some.want(ASSOCIATED) && !some.want(FORMATTED));
        assert!(!Annotations::new("*,-OData.*").want(FORMATTED));
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(with_thousands("-1234567.50"), "-1,234,567.50");
        assert_eq!(with_thousands("123"), "123");
    }
}
