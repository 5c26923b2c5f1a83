//! Rows of the history's tables as records.

use jiff::Timestamp;
use rusqlite::Row;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Outcome, RunId, RunRecord, StepRecord};

pub(super) fn run_record(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    let outcome: Option<String> = row.get("outcome")?;
    Ok(RunRecord {
        id: RunId(row.get("id")?),
        script: row.get("script")?,
        label: row.get("label")?,
        hash: row.get("hash")?,
        who: row.get("who")?,
        persona: row.get("persona")?,
        parameters: json(row, "parameters")?,
        about: json(row, "about")?,
        started: time(row, "started")?,
        finished: optional_time(row, "finished")?,
        outcome: outcome.as_deref().and_then(Outcome::from_word),
        value: optional_json(row, "value")?.unwrap_or(Value::Null),
        failure: optional_json(row, "failure")?,
        waiting: optional_json(row, "waiting")?,
        attempts: row.get("attempts")?,
    })
}

pub(super) fn step_record(row: &Row<'_>) -> rusqlite::Result<StepRecord> {
    Ok(StepRecord {
        id: row.get("id")?,
        parent: row.get("parent")?,
        name: row.get("name")?,
        depth: row.get("depth")?,
        started: time(row, "started")?,
        finished: optional_time(row, "finished")?,
        state: row.get("state")?,
        result: optional_json(row, "result")?.unwrap_or(Value::Null),
        error: row.get("error")?,
    })
}

pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| unreadable(row, column, error))
}

fn optional_json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>> {
    match row.get::<_, Option<String>>(column)? {
        Some(_) => json(row, column).map(Some),
        None => Ok(None),
    }
}

pub(super) fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    let text: String = row.get(column)?;
    text.parse()
        .map_err(|error: jiff::Error| unreadable(row, column, error))
}

fn optional_time(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    match row.get::<_, Option<String>>(column)? {
        Some(_) => time(row, column).map(Some),
        None => Ok(None),
    }
}

fn unreadable<E>(row: &Row<'_>, column: &str, error: E) -> rusqlite::Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    let index = row.as_ref().column_index(column).unwrap_or_default();
    rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, Box::new(error))
}
