//! Binding: finding the properties that an expression names, and refusing those that do not exist.

use std::sync::Arc;

use super::query_function;
use super::scalar::{Kind, Scalar};
use super::{CollectionPath, ColumnPath, Condition, Hop, Operand, Place};
use crate::emulator::dataverse::catalogue::{ColumnKind, Table};
use crate::emulator::dataverse::failure::ServiceError;
use crate::emulator::dataverse::odata::{Expression, Literal};
use crate::emulator::dataverse::reader::Reader;

/// The tables that are in sight while binding: the outermost without a name, then the variables.
struct Scope<'r, 's, 'a> {
    reader: &'r Reader<'s, 'a>,
    tables: Vec<(String, Arc<Table>)>,
}

/// Binds `expression` to `table`.
///
/// # Errors
/// `400` for what the table does not have, `501` for functions that are not emulated.
pub(in crate::emulator::dataverse) fn bind(
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
pub(in crate::emulator::dataverse) fn bind_path(
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
