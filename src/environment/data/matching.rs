//! Which row of the environment a record of the package means (Dataverse Web API notes, 7.4
//! rule 1).

use std::collections::HashMap;

use serde_json::Value;
use uuid::Uuid;

use super::value::is_same;
use crate::environment::odata::{Filter, Literal, Query};
use crate::environment::rows::{Row, guid};
use crate::environment::tables::Table;
use crate::environment::{Environment, EnvironmentError};

/// Tables up to this size are read whole before their records are matched.
const PREFETCH: u32 = 4000;

/// The rows of one table, as far as they are in the environment.
pub(super) struct Present<'a> {
    environment: &'a Environment,
    table: &'a Table,
    columns: Vec<String>,
    /// All rows by id, when the table was small enough.
    prefetched: Option<HashMap<Uuid, Row>>,
}

impl<'a> Present<'a> {
    /// Reads the table, or prepares to ask for each record when it is large.
    pub(super) fn read(
        environment: &'a Environment,
        table: &'a Table,
        columns: Vec<String>,
    ) -> Result<Self, EnvironmentError> {
        let query = Query::new().select(&columns)?.top(PREFETCH + 1);
        let rows = environment.rows(&table.set, &query)?;
        let prefetched = (rows.len() <= PREFETCH as usize).then(|| {
            rows.into_iter()
                .filter_map(|row| Some((guid(&row, &table.primary_id)?, row)))
                .collect()
        });
        Ok(Self {
            environment,
            table,
            columns,
            prefetched,
        })
    }

    /// The row with this id.
    pub(super) fn by_id(&self, id: Uuid) -> Result<Option<Row>, EnvironmentError> {
        match &self.prefetched {
            Some(rows) => Ok(rows.get(&id).cloned()),
            None => {
                let query = Query::new().select(&self.columns)?;
                self.environment.row(&self.table.set, &id.into(), &query)
            }
        }
    }

    /// The one row with all these values; with several it is not known which one is meant.
    pub(super) fn by_values(
        &self,
        values: &[(String, Value)],
    ) -> Result<Option<Row>, EnvironmentError> {
        if values.is_empty() {
            return Ok(None);
        }
        let mut found: Vec<Row> = match &self.prefetched {
            Some(rows) => rows
                .values()
                .filter(|row| {
                    values.iter().all(|(column, value)| {
                        row.get(column)
                            .is_some_and(|present| is_equal(present, value))
                    })
                })
                .take(2)
                .cloned()
                .collect(),
            None => {
                let mut query = Query::new().select(&self.columns)?.top(2);
                for (column, value) in values {
                    query = query.filter(Filter::equals(column, literal(column, value))?);
                }
                self.environment.rows(&self.table.set, &query)?
            }
        };
        Ok(if found.len() == 1 { found.pop() } else { None })
    }
}

/// Equality as Dataverse compares: texts without regard to case.
fn is_equal(present: &Value, wanted: &Value) -> bool {
    match (present, wanted) {
        (Value::String(a), Value::String(b)) => a.to_lowercase() == b.to_lowercase(),
        _ => is_same(present, wanted),
    }
}

fn literal(column: &str, value: &Value) -> Literal {
    match value {
        Value::String(text) => match text.parse::<Uuid>() {
            // Lookup columns compare ids, which are written bare.
            Ok(id) if column.starts_with('_') => Literal::Guid(id),
            _ => Literal::Text(text.clone()),
        },
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Literal::Integer(whole),
            None => Literal::Number(number.as_f64().unwrap_or_default()),
        },
        Value::Bool(value) => Literal::Boolean(*value),
        _ => Literal::Null,
    }
}
