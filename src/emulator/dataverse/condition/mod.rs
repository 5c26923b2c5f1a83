//! Conditions on rows: a `$filter` bound to a table, then asked of each row.
//!
//! Binding finds every property once, refuses those that do not exist and brings fixed values into
//! the form of the column they are compared with, so that asking is cheap.

mod query_function;
mod scalar;

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::Value;

pub(super) use scalar::{Kind, Scalar, moment};

use super::catalogue::{ColumnKind, Table};
use super::failure::ServiceError;
use super::odata::{Comparison, Expression, Literal};
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

/// The tables that are in sight while binding: the outermost without a name, then the variables.
struct Scope<'r, 's, 'a> {
    reader: &'r Reader<'s, 'a>,
    tables: Vec<(String, Arc<Table>)>,
}

/// Binds `expression` to `table`.
///
/// # Errors
/// `400` for what the table does not have, `501` for functions that are not emulated.
pub(super) fn bind(
    reader: &Reader<'_, '_>,
    table: &Arc<Table>,
    expression: &Expression,
) -> Result<Condition, ServiceError> {
    let mut scope = Scope {
        reader,
        tables: vec![(String::new(), table.clone())],
    };
    scope.condition(expression)
}

/// Binds the property that `path` names, for ordering and grouping.
///
/// # Errors
/// `400` when there is no such property.
pub(super) fn bind_path(
    reader: &Reader<'_, '_>,
    table: &Arc<Table>,
    path: &[String],
) -> Result<ColumnPath, ServiceError> {
    Scope {
        reader,
        tables: vec![(String::new(), table.clone())],
    }
    .column(path)
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

impl Scope<'_, '_, '_> {
    fn condition(&mut self, expression: &Expression) -> Result<Condition, ServiceError> {
        Ok(match expression {
            Expression::And(parts) => Condition::And(self.conditions(parts)?),
            Expression::Or(parts) => Condition::Or(self.conditions(parts)?),
            Expression::Not(inner) => Condition::Not(Box::new(self.condition(inner)?)),
            Expression::Compare(comparison, left, right) => {
                let (left, right) = self.pair(left, right)?;
                Condition::Compare(*comparison, left, right)
            }
            Expression::Call(name, arguments) => {
                let place = match name.as_str() {
                    "contains" => Some(Place::Anywhere),
                    "startswith" => Some(Place::Start),
                    "endswith" => Some(Place::End),
                    _ => None,
                };
                match (place, &arguments[..]) {
                    (Some(place), [text, pattern]) => {
                        let (text, pattern) = self.pair(&text.value, &pattern.value)?;
                        Condition::Like {
                            text,
                            pattern,
                            place,
                        }
                    }
                    (Some(_), _) => {
                        let message = format!("The function '{name}' takes two arguments.");
                        return Err(ServiceError::bad_query(message));
                    }
                    (None, _) => {
                        let now = self.reader.session.now;
                        let (path, test) = query_function::read(name, arguments, now)?;
                        let column = self.column(&path)?;
                        Condition::Test(column, test)
                    }
                }
            }
            Expression::Lambda {
                collection,
                all,
                variable,
                condition,
            } => {
                let (path, target) = self.collection(collection)?;
                self.tables.push((variable.clone(), target));
                let condition = condition.as_ref().map(|it| self.condition(it)).transpose();
                self.tables.pop();
                let condition = condition?.map(Box::new);
                Condition::Each {
                    collection: path,
                    all: *all,
                    condition,
                }
            }
            Expression::Property(path) => Condition::Holds(Operand::Column(self.column(path)?)),
            Expression::Literal(Literal::Boolean(value)) => {
                Condition::Holds(Operand::Fixed(Scalar::Boolean(*value)))
            }
            Expression::Literal(_) => {
                return Err(ServiceError::bad_query("A condition is not a value."));
            }
        })
    }

    fn conditions(&mut self, parts: &[Expression]) -> Result<Vec<Condition>, ServiceError> {
        parts.iter().map(|part| self.condition(part)).collect()
    }

    /// Two operands of one comparison; a fixed one takes the type of the other.
    fn pair(
        &mut self,
        left: &Expression,
        right: &Expression,
    ) -> Result<(Operand, Operand), ServiceError> {
        Ok(match (left, right) {
            (Expression::Literal(literal), other) => {
                let column = self.compared(other, literal)?;
                (
                    Operand::Fixed(Scalar::literal(literal, column.kind)?),
                    Operand::Column(column),
                )
            }
            (other, Expression::Literal(literal)) => {
                let column = self.compared(other, literal)?;
                let fixed = Scalar::literal(literal, column.kind)?;
                (Operand::Column(column), Operand::Fixed(fixed))
            }
            (left, right) => {
                let (left, right) = (self.operand(left)?, self.operand(right)?);
                (Operand::Column(left), Operand::Column(right))
            }
        })
    }

    fn operand(&mut self, expression: &Expression) -> Result<ColumnPath, ServiceError> {
        match expression {
            Expression::Property(path) => self.column(path),
            Expression::Call(name, _) => Err(ServiceError::not_emulated(format_args!(
                "the function {name} in $filter"
            ))),
            _ => Err(ServiceError::bad_query(
                "Only columns and values can be compared.",
            )),
        }
    }

    /// The column that is compared with `literal`. A lookup's navigation property may be compared
    /// with null only.
    fn compared(
        &mut self,
        expression: &Expression,
        literal: &Literal,
    ) -> Result<ColumnPath, ServiceError> {
        if let (Expression::Property(path), Literal::Null) = (expression, literal)
            && let [name] = &path[..]
            && let Some((column, _)) = self.innermost().navigation(name)
        {
            let property = vec![column.property()];
            return self.column(&property);
        }
        self.operand(expression)
    }

    fn innermost(&self) -> Arc<Table> {
        // The outermost table is there from the start and never popped.
        self.tables[self.tables.len() - 1].1.clone()
    }

    /// Where a path starts: at a variable that is in sight or at the outermost row.
    fn start<'p>(&self, path: &'p [String]) -> (usize, Arc<Table>, &'p [String]) {
        let named = path.first().and_then(|first| {
            let found = self.tables.iter().rposition(|(name, _)| name == first)?;
            Some((found, &path[1..]))
        });
        let (level, rest) = named.unwrap_or((0, path));
        (level, self.tables[level].1.clone(), rest)
    }

    fn column(&mut self, path: &[String]) -> Result<ColumnPath, ServiceError> {
        let (level, mut table, rest) = self.start(path);
        let mut hops = Vec::new();
        let mut names = rest
            .iter()
            .filter(|name| !name.starts_with("Microsoft.Dynamics.CRM."));
        while let Some(name) = names.next() {
            let found = table
                .column(name)
                .filter(|column| column.targets().is_empty());
            if let Some(column) = found.or_else(|| table.lookup_by_value(name)) {
                let is_last = names.clone().next().is_none();
                // The same name may be a lookup's navigation on the way to another table.
                if is_last || table.navigation(name).is_none() {
                    let managed = matches!(column.kind, ColumnKind::ManagedProperty);
                    let member = names.next().cloned();
                    let kind = if managed {
                        Kind::Boolean
                    } else {
                        Kind::of(&column.kind)
                    };
                    return Ok(ColumnPath {
                        level,
                        hops,
                        property: name.clone(),
                        member,
                        kind,
                    });
                }
            }
            let Some((column, target)) = table.navigation(name) else {
                return Err(ServiceError::no_property(name, &table.name));
            };
            let property = column.property();
            let next = match target.table.as_str() {
                // Users are asked for far more often; a team has no other columns in a filter.
                "principal" => "systemuser",
                other => other,
            };
            hops.push(Hop {
                property,
                table: next.to_owned(),
            });
            table = self.reader.session.table(next)?;
        }
        let name = path.join("/");
        Err(ServiceError::no_property(&name, &table.name))
    }

    fn collection(
        &mut self,
        path: &[String],
    ) -> Result<(CollectionPath, Arc<Table>), ServiceError> {
        let (level, mut table, rest) = self.start(path);
        let Some((last, lookups)) = rest.split_last() else {
            return Err(ServiceError::bad_query("A lambda needs a collection."));
        };
        let mut hops = Vec::new();
        for name in lookups {
            let Some((column, target)) = table.navigation(name) else {
                return Err(ServiceError::no_property(name, &table.name));
            };
            hops.push(Hop {
                property: column.property(),
                table: target.table.clone(),
            });
            table = self.reader.session.table(&target.table)?;
        }
        let Some(target) = self.reader.collection_table(&table, last)? else {
            return Err(ServiceError::no_property(last, &table.name));
        };
        Ok((
            CollectionPath {
                level,
                hops,
                table,
                navigation: last.clone(),
            },
            target,
        ))
    }
}
