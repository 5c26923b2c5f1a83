//! Rows of the history's tables as records.

use jiff::Timestamp;
use rusqlite::Row;
use serde::de::DeserializeOwned;

use super::redaction::{redacted, redacted_map};
use super::{Outcome, RunId, RunRecord, StepRecord};
use crate::transport::redact::Redactor;

pub(super) fn run_record(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    let outcome: Option<String> = row.get("outcome")?;
    Ok(RunRecord {
        id: RunId(row.get("id")?),
        script: row.get("script")?,
        label: row.get("label")?,
        hash: row.get("hash")?,
        who: row.get("who")?,
        persona: row.get("persona")?,
        // Kept as they were, and shown without secrets.
        parameters: redacted_map(&Redactor::new(), shown(row, "parameters")?),
        about: shown(row, "about")?,
        started: time(row, "started")?,
        finished: optional_time(row, "finished")?,
        outcome: outcome.as_deref().and_then(Outcome::from_word),
        value: shown(row, "value")?,
        failure: shown(row, "failure")?,
        waiting: shown(row, "waiting")?,
        answers: Vec::new(),
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
        result: redacted(&Redactor::new(), shown(row, "result")?),
        error: row.get("error")?,
    })
}

pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| unreadable(row, column, error))
}

/// The same for showing: what cannot be read (it is nested too deep, or somebody else wrote it) is
/// shown as nothing, so that one row does not hide all the others.
fn shown<T: DeserializeOwned + Default>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let text: Option<String> = row.get(column)?;
    let read = text.and_then(|text| serde_json::from_str(&text).ok());
    Ok(read.unwrap_or_default())
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
