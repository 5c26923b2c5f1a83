//! Conditions on rows: a `$filter` bound to a table, then asked of each row.
//!
//! Binding finds every property once, refuses those that do not exist and brings fixed values into
//! the form of the column they are compared with, so that asking is cheap.

mod bind;
mod query_function;
mod scalar;

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::Value;

pub(super) use bind::{bind, bind_path};
pub(super) use scalar::{Kind, Scalar, moment};

use super::catalogue::Table;
use super::failure::ServiceError;
use super::odata::Comparison;
use super::reader::Reader;
use super::row::Row;
use query_function::Test;

/// A condition whose properties are known to exist.
#[derive(Debug)]
pub(super) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Compare(Comparison, Operand, Operand),
    Like {
        text: Operand,
        pattern: Operand,
        place: Place,
    },
    Test(ColumnPath, Test),
    Holds(Operand),
    Each {
        collection: CollectionPath,
        all: bool,
        condition: Option<Box<Condition>>,
    },
}

/// Where a text must be found in another.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Anywhere,
    Start,
    End,
}

/// Something with a value.
#[derive(Debug)]
pub(super) enum Operand {
    Fixed(Scalar),
    Column(ColumnPath),
}

/// A column of the row in question or of one that lookups lead to.
#[derive(Debug, Clone)]
pub(super) struct ColumnPath {
    /// Which row it starts from: 0 is the outermost, lambdas add more.
    level: usize,
    /// The lookups to follow.
    hops: Vec<Hop>,
    /// The name under which the value is stored.
    property: String,
    /// The member of an object value, `Value` of a managed property.
    member: Option<String>,
    /// The type.
    pub(super) kind: Kind,
}

#[derive(Debug, Clone)]
struct Hop {
    property: String,
    table: String,
}

/// A collection of related rows.
#[derive(Debug)]
pub(super) struct CollectionPath {
    level: usize,
    hops: Vec<Hop>,
    table: Arc<Table>,
    navigation: String,
}

impl Condition {
    /// Whether it holds for the last of `rows`; those before are the rows around it.
    pub(super) fn holds(
        &self,
        reader: &Reader<'_, '_>,
        rows: &[&Row],
    ) -> Result<bool, ServiceError> {
        Ok(match self {
            Self::And(parts) => {
                for part in parts {
                    if !part.holds(reader, rows)? {
                        return Ok(false);
                    }
                }
                true
            }
            Self::Or(parts) => {
                for part in parts {
                    if part.holds(reader, rows)? {
                        return Ok(true);
                    }
                }
                false
            }
            Self::Not(inner) => !inner.holds(reader, rows)?,
            Self::Compare(comparison, left, right) => {
                let (left, right) = (left.value(reader, rows)?, right.value(reader, rows)?);
                fits(*comparison, left.compare(&right))
            }
            Self::Like {
                text,
                pattern,
                place,
            } => match (text.value(reader, rows)?, pattern.value(reader, rows)?) {
                (Scalar::Text(text), Scalar::Text(pattern)) => {
                    let pattern = match place {
                        Place::Anywhere => format!("%{pattern}%"),
                        Place::Start => format!("{pattern}%"),
                        Place::End => format!("%{pattern}"),
                    };
                    scalar::like(&text, &pattern)
                }
                _ => false,
            },
            Self::Test(column, test) => test.passes(reader, &column.value(reader, rows)?)?,
            Self::Holds(operand) => operand.value(reader, rows)? == Scalar::Boolean(true),
            Self::Each {
                collection,
                all,
                condition,
            } => {
                let found = collection.rows(reader, rows)?;
                let Some(condition) = condition else {
                    return Ok(!found.is_empty());
                };
                let mut inner: Vec<&Row> = rows.to_vec();
                for row in &found {
                    inner.truncate(rows.len());
                    inner.push(row);
                    if condition.holds(reader, &inner)? != *all {
                        return Ok(!*all);
                    }
                }
                *all
            }
        })
    }
}

/// As the database compares: what cannot be compared, such as null, is only *not equal*.
fn fits(comparison: Comparison, ordering: Option<Ordering>) -> bool {
    match comparison {
        Comparison::Equal => ordering == Some(Ordering::Equal),
        Comparison::NotEqual => ordering != Some(Ordering::Equal),
        Comparison::Greater => ordering == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => ordering.is_some_and(Ordering::is_ge),
        Comparison::Less => ordering == Some(Ordering::Less),
        Comparison::LessOrEqual => ordering.is_some_and(Ordering::is_le),
    }
}

impl Operand {
    fn value(&self, reader: &Reader<'_, '_>, rows: &[&Row]) -> Result<Scalar, ServiceError> {
        match self {
            Self::Fixed(scalar) => Ok(scalar.clone()),
            Self::Column(column) => column.value(reader, rows),
        }
    }
}

impl ColumnPath {
    /// The value for the rows in sight.
    pub(super) fn value(
        &self,
        reader: &Reader<'_, '_>,
        rows: &[&Row],
    ) -> Result<Scalar, ServiceError> {
        let json = self.json(reader, rows)?;
        Ok(Scalar::of(&json, self.kind))
    }

    /// The value as it is stored.
    pub(super) fn json(
        &self,
        reader: &Reader<'_, '_>,
        rows: &[&Row],
    ) -> Result<Value, ServiceError> {
        let Some(start) = rows.get(self.level) else {
            return Ok(Value::Null);
        };
        let value = match follow(reader, start, &self.hops)? {
            Reached::Start => start.get(&self.property).cloned(),
            Reached::Other(row) => row.get(&self.property).cloned(),
            Reached::Nothing => None,
        };
        let value = value.unwrap_or(Value::Null);
        Ok(match &self.member {
            None => value,
            // A managed property that nobody set can be changed.
            Some(_) if value.is_null() => Value::Bool(true),
            Some(member) => value.get(member).cloned().unwrap_or(value),
        })
    }

    /// The name of the value in the answer of a grouping: `contact_fullname`.
    pub(super) fn group_name(&self) -> String {
        match self.hops.last() {
            Some(hop) => format!("{}_{}", hop.table, self.property),
            None => self.property.clone(),
        }
    }
}

impl CollectionPath {
    fn rows(&self, reader: &Reader<'_, '_>, rows: &[&Row]) -> Result<Vec<Row>, ServiceError> {
        let Some(start) = rows.get(self.level) else {
            return Ok(Vec::new());
        };
        match follow(reader, start, &self.hops)? {
            Reached::Start => reader.related(&self.table, start, &self.navigation),
            Reached::Other(row) => reader.related(&self.table, &row, &self.navigation),
            Reached::Nothing => Ok(None),
        }
        .map(|found| found.map(|(_, rows)| rows).unwrap_or_default())
    }
}

enum Reached {
    Start,
    Other(Row),
    Nothing,
}

fn follow(reader: &Reader<'_, '_>, start: &Row, hops: &[Hop]) -> Result<Reached, ServiceError> {
    let mut reached = Reached::Start;
    for hop in hops {
        let here = match &reached {
            Reached::Start => start,
            Reached::Other(row) => row,
            Reached::Nothing => return Ok(Reached::Nothing),
        };
        let id = here.get(&hop.property).and_then(Value::as_str);
        reached = match id {
            Some(id) => match reader.by_id(&hop.table, id)? {
                Some(row) => Reached::Other(row),
                None => Reached::Nothing,
            },
            None => Reached::Nothing,
        };
    }
    Ok(reached)
}
