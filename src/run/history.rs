//! The history of a workspace: every run, its steps, its events and what it waits for.
//!
//! One SQLite file in WAL mode, `.alm/history.sqlite`. Each change is one transaction, so a
//! process that is killed leaves the state before the change or after it. Several processes may
//! use it at once.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::alive::{self, Alive};
use super::audit;
use super::rows::{json, run_record, step_record, time};
use super::{Answer, Event, Outcome, RunError, RunId, RunRecord, StepRecord};
use crate::database;
use crate::owner_only;
use crate::script::diagnostics::Failure;
use crate::script::{Record, Wait};
use crate::workspace::audit::AuditEvent;

/// What brings the tables from each version to the next; see [`database::open_shared`].
const VERSIONS: &[&str] = &[
    "
CREATE TABLE run (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  script TEXT NOT NULL, label TEXT NOT NULL, hash TEXT NOT NULL,
  who TEXT NOT NULL, persona TEXT,
  parameters TEXT NOT NULL, about TEXT NOT NULL,
  started TEXT NOT NULL, finished TEXT, outcome TEXT,
  value TEXT, failure TEXT, waiting TEXT,
  attempts INTEGER NOT NULL DEFAULT 1, lock TEXT
);
CREATE INDEX run_open ON run(outcome) WHERE outcome IS NULL;
CREATE TABLE step (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run INTEGER NOT NULL REFERENCES run(id), parent INTEGER, path TEXT NOT NULL,
  name TEXT NOT NULL, depth INTEGER NOT NULL,
  started TEXT NOT NULL, finished TEXT, state TEXT NOT NULL,
  result TEXT, error TEXT,
  UNIQUE (run, path)
);
CREATE TABLE event (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run INTEGER NOT NULL REFERENCES run(id), time TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX event_of_run ON event(run, id);
CREATE TABLE answer (
  run INTEGER NOT NULL REFERENCES run(id), question TEXT NOT NULL, answer TEXT NOT NULL,
  PRIMARY KEY (run, question)
);
",
    "
ALTER TABLE run ADD COLUMN identity TEXT;
ALTER TABLE run ADD COLUMN scripts TEXT;
ALTER TABLE run ADD COLUMN workspace TEXT;
ALTER TABLE run ADD COLUMN sandbox INTEGER NOT NULL DEFAULT 0;
",
    audit::TABLE,
    "ALTER TABLE run ADD COLUMN key TEXT;",
];

/// The history of one workspace.
pub struct History {
    connection: Mutex<Connection>,
    locks: Option<PathBuf>,
}

/// Which runs a list is about.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Only runs of this script.
    pub script: Option<String>,
    /// Only runs about this solution.
    pub solution: Option<String>,
    /// Only runs that ended like this.
    pub outcome: Option<Outcome>,
    /// At most this many, the newest.
    pub limit: Option<usize>,
}

/// What is known when a run begins.
pub(super) struct NewRun<'a> {
    pub(super) script: &'a str,
    pub(super) label: &'a str,
    pub(super) hash: &'a str,
    pub(super) who: &'a str,
    pub(super) persona: Option<&'a str>,
    /// The name of the identity that the persona acts as.
    pub(super) identity: Option<&'a str>,
    pub(super) parameters: &'a Map<String, Value>,
    pub(super) about: &'a Record,
    /// The artifact with all texts in reach.
    pub(super) scripts: &'a str,
    /// The SHA-256 of `alm.toml`.
    pub(super) workspace: Option<&'a str>,
    pub(super) sandbox: bool,
    /// What the ids of its effects are derived from.
    pub(super) key: Uuid,
}

/// What a run began with, as it was: for going on with it, not for showing.
pub(super) struct BegunRun {
    pub(super) identity: Option<String>,
    pub(super) parameters: Map<String, Value>,
    pub(super) scripts: Option<String>,
    pub(super) workspace: Option<String>,
    pub(super) sandbox: bool,
    /// What the ids of its effects are derived from; none for a run of an older program.
    pub(super) key: Option<Uuid>,
}

/// How a run ended.
pub(super) struct RunEnd<'a> {
    pub(super) outcome: Outcome,
    pub(super) value: &'a Value,
    pub(super) failure: Option<&'a Failure>,
    pub(super) waiting: Option<&'a Wait>,
}

/// A step of an earlier attempt of the same run.
pub(super) enum Earlier {
    /// It finished with this result.
    Finished(i64, Value),
    /// It finished with a secret, which is not kept.
    Secret,
    /// It did not finish, or never began.
    Open,
}

impl History {
    /// Opens the history in `folder` (a workspace's `.alm`), making it where there is none.
    ///
    /// # Errors
    /// When the folder or the file cannot be written, or a newer program wrote it.
    pub fn open(folder: &Path) -> Result<Self, RunError> {
        owner_only::folder(folder).map_err(|source| RunError::State {
            what: folder.display().to_string(),
            source,
        })?;
        let connection = database::open_shared(&folder.join("history.sqlite"), VERSIONS)?;
        // Copying the log into the file when the last user leaves waits for the disk twice, which
        // is most of the time of a small run. The log is copied when it has two hundred pages.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.pragma_update(None, "wal_autocheckpoint", 200)?;
        Ok(Self::with(connection, Some(folder.join("running"))))
    }

    /// A history that ends with the host.
    ///
    /// # Errors
    /// When SQLite has no memory.
    pub fn in_memory() -> Result<Self, RunError> {
        let mut connection = Connection::open_in_memory()?;
        database::bring_up_to_date(&mut connection, VERSIONS)?;
        Ok(Self::with(connection, None))
    }

    fn with(connection: Connection, locks: Option<PathBuf>) -> Self {
        Self {
            connection: Mutex::new(connection),
            locks,
        }
    }

    /// Finds runs whose process is gone, writes them down as interrupted and returns them.
    ///
    /// # Errors
    /// When the history cannot be read or written.
    pub fn recover(&self) -> Result<Vec<RunRecord>, RunError> {
        let Some(locks) = &self.locks else {
            return Ok(Vec::new());
        };
        let open: Vec<(i64, Option<String>)> = {
            let connection = self.lock();
            let mut query =
                connection.prepare_cached("SELECT id, lock FROM run WHERE outcome IS NULL")?;
            query
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?
        };
        let mut found = Vec::new();
        for (id, token) in open {
            let token = token.unwrap_or_default();
            if alive::is_alive(locks, &token) {
                continue;
            }
            let changed = {
                let mut connection = self.lock();
                let change =
                    connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                let now = Timestamp::now().to_string();
                // The token makes sure that nobody resumed it meanwhile.
                let changed = change.execute(
                    "UPDATE run SET outcome = 'interrupted', finished = ?2 \
                     WHERE id = ?1 AND outcome IS NULL AND lock IS ?3",
                    params![id, now, token],
                )?;
                change.execute(
                    "UPDATE step SET state = 'interrupted', finished = ?2 \
                     WHERE run = ?1 AND state = 'running' AND ?3",
                    params![id, now, changed == 1],
                )?;
                if changed == 1 {
                    audit_end(&change, RunId(id), Outcome::Interrupted, None)?;
                }
                change.commit()?;
                changed
            };
            if changed == 1 {
                alive::clear(locks, &token);
                found.push(self.run(RunId(id))?);
            }
        }
        Ok(found)
    }

    /// Whether the process that took the lock with this token is there; one without a folder of locks
    /// cannot tell.
    pub(super) fn is_alive(&self, token: &str) -> bool {
        let locks = self.locks.as_ref();
        locks.is_none_or(|locks| alive::is_alive(locks, token))
    }

    /// The newest run of a build.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub(super) fn run_of_build(&self, build: i64) -> Result<Option<RunRecord>, RunError> {
        let id: Option<i64> = {
            let connection = self.lock();
            let mut query = connection.prepare_cached(
                "SELECT id FROM run WHERE about ->> '$.build' = ?1 ORDER BY id DESC LIMIT 1",
            )?;
            query.query_row([build], |row| row.get(0)).optional()?
        };
        id.map(|id| self.run(RunId(id))).transpose()
    }

    /// One run.
    ///
    /// # Errors
    /// [`RunError::NoRun`], or the history cannot be read.
    pub fn run(&self, id: RunId) -> Result<RunRecord, RunError> {
        let connection = self.lock();
        let mut query = connection.prepare_cached("SELECT * FROM run WHERE id = ?1")?;
        query
            .query_row([id.0], run_record)
            .optional()?
            .ok_or(RunError::NoRun(id))
            .and_then(|run| answered(&connection, run))
    }

    /// What a run began with.
    pub(super) fn begun(&self, id: RunId) -> Result<BegunRun, RunError> {
        let connection = self.lock();
        let mut query = connection.prepare_cached(
            "SELECT identity, parameters, scripts, workspace, sandbox, key FROM run WHERE id = ?1",
        )?;
        let begun = query.query_row([id.0], |row| {
            Ok(BegunRun {
                identity: row.get("identity")?,
                parameters: json(row, "parameters")?,
                scripts: row.get("scripts")?,
                workspace: row.get("workspace")?,
                sandbox: row.get("sandbox")?,
                key: row
                    .get::<_, Option<String>>("key")?
                    .and_then(|key| key.parse().ok()),
            })
        });
        begun.optional()?.ok_or(RunError::NoRun(id))
    }

    /// Runs, the newest first.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRecord>, RunError> {
        let connection = self.lock();
        let mut query = connection.prepare_cached(
            "SELECT * FROM run WHERE (?1 IS NULL OR script = ?1) \
             AND (?2 IS NULL OR about ->> '$.solution' = ?2) \
             AND (?3 IS NULL OR outcome = ?3) ORDER BY id DESC LIMIT ?4",
        )?;
        let limit = filter
            .limit
            .and_then(|limit| i64::try_from(limit).ok())
            .unwrap_or(-1);
        let outcome = filter.outcome.map(Outcome::word);
        let rows = query.query_map(
            params![filter.script, filter.solution, outcome, limit],
            run_record,
        )?;
        rows.map(|run| answered(&connection, run?)).collect()
    }

    /// The steps of a run in the order in which they began first.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn steps(&self, run: RunId) -> Result<Vec<StepRecord>, RunError> {
        let connection = self.lock();
        let mut query =
            connection.prepare_cached("SELECT * FROM step WHERE run = ?1 ORDER BY id")?;
        let rows = query.query_map([run.0], step_record)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The events of a run with their times, without progress.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn events(&self, run: RunId) -> Result<Vec<(Timestamp, Event)>, RunError> {
        let connection = self.lock();
        let mut query =
            connection.prepare_cached("SELECT time, body FROM event WHERE run = ?1 ORDER BY id")?;
        let rows = query.query_map([run.0], |row| Ok((time(row, "time")?, json(row, "body")?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Answers what a waiting run waits for. Resuming it hands the answer to the script.
    pub(super) fn answer(
        &self,
        id: RunId,
        answer: &Answer,
        persona: Option<&str>,
        policy: Option<&str>,
    ) -> Result<(), RunError> {
        let run = self.run(id)?;
        let (Some(Outcome::Waiting), Some(wait)) = (run.outcome, &run.waiting) else {
            return Err(RunError::NotWaiting(id));
        };
        let mut connection = self.lock();
        let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        change.execute(
            "INSERT OR REPLACE INTO answer (run, question, answer) VALUES (?1, ?2, ?3)",
            params![id.0, question(wait), to_json_text(answer)],
        )?;
        let event = AuditEvent::RunAnswered {
            run: id.0,
            approved: answer.approved,
            comment: answer.comment.clone(),
            requester: run.who.clone(),
        };
        audit::add(&change, policy, &answer.by, persona, &event)?;
        change.commit()?;
        Ok(())
    }

    pub(super) fn answer_to(&self, id: RunId, wait: &Wait) -> Result<Option<Answer>, RunError> {
        let connection = self.lock();
        let answer = connection
            .query_row(
                "SELECT answer FROM answer WHERE run = ?1 AND question = ?2",
                params![id.0, question(wait)],
                |row| json(row, "answer"),
            )
            .optional()?;
        Ok(answer)
    }

    /// Writes a new run down. The lock is taken first, so no moment exists in which the run is on
    /// record and looks dead.
    pub(super) fn begin(&self, new: &NewRun<'_>) -> Result<(RunId, Option<Alive>), RunError> {
        let alive = self.take_lock()?;
        let mut connection = self.lock();
        let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        change.execute(
            "INSERT INTO run (script, label, hash, who, persona, parameters, about, started, lock, \
             identity, scripts, workspace, sandbox, key) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            params![
                new.script,
                new.label,
                new.hash,
                new.who,
                new.persona,
                Value::Object(new.parameters.clone()).to_string(),
                to_json_text(new.about),
                Timestamp::now().to_string(),
                alive.as_ref().map_or("", Alive::token),
                new.identity,
                new.scripts,
                new.workspace,
                new.sandbox,
                new.key.to_string(),
            ],
        )?;
        let run = change.last_insert_rowid();
        let event = AuditEvent::RunStarted {
            run,
            script: new.script.to_owned(),
            text: new.hash.to_owned(),
            sandbox: new.sandbox,
        };
        audit::add(&change, new.workspace, new.who, new.persona, &event)?;
        change.commit()?;
        Ok((RunId(run), alive))
    }

    /// Opens an ended run again, for `who` with the persona `persona`, under this `alm.toml`.
    pub(super) fn reopen(
        &self,
        id: RunId,
        who: &str,
        persona: Option<&str>,
        policy: Option<&str>,
    ) -> Result<Option<Alive>, RunError> {
        let alive = self.take_lock()?;
        let mut connection = self.lock();
        let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let changed = change.execute(
            "UPDATE run SET outcome = NULL, finished = NULL, value = NULL, failure = NULL, \
             waiting = NULL, attempts = attempts + 1, started = ?2, lock = ?3 \
             WHERE id = ?1 AND outcome IS NOT NULL AND outcome <> 'succeeded'",
            params![
                id.0,
                Timestamp::now().to_string(),
                alive.as_ref().map_or("", Alive::token)
            ],
        )?;
        // Somebody else may have been faster.
        if changed != 1 {
            return Err(RunError::Running(id));
        }
        let event = AuditEvent::RunResumed { run: id.0 };
        audit::add(&change, policy, who, persona, &event)?;
        change.commit()?;
        Ok(alive)
    }

    pub(super) fn end(&self, id: RunId, end: &RunEnd<'_>) -> Result<(), RunError> {
        let mut connection = self.lock();
        let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        change.execute(
            "UPDATE run SET outcome = ?2, finished = ?3, value = ?4, failure = ?5, waiting = ?6 \
             WHERE id = ?1",
            params![
                id.0,
                end.outcome.word(),
                Timestamp::now().to_string(),
                end.value.to_string(),
                end.failure.map(to_json_text),
                end.waiting.map(to_json_text),
            ],
        )?;
        let code = end.failure.map(|failure| failure.code.to_string());
        audit_end(&change, id, end.outcome, code)?;
        change.commit()?;
        Ok(())
    }

    pub(super) fn set_hash(&self, id: RunId, hash: &str) -> Result<(), RunError> {
        self.lock().execute(
            "UPDATE run SET hash = ?2 WHERE id = ?1",
            params![id.0, hash],
        )?;
        Ok(())
    }

    pub(super) fn set_about(&self, id: RunId, about: &Record) -> Result<(), RunError> {
        let about = to_json_text(about);
        self.lock().execute(
            "UPDATE run SET about = ?2 WHERE id = ?1",
            params![id.0, about],
        )?;
        Ok(())
    }

    pub(super) fn earlier_step(&self, run: RunId, path: &str) -> Result<Earlier, RunError> {
        let connection = self.lock();
        let mut query = connection.prepare_cached(
            "SELECT id, result FROM step WHERE run = ?1 AND path = ?2 AND state = 'finished'",
        )?;
        let found = query
            .query_row(params![run.0, path], |row| {
                let kept: Option<String> = row.get("result")?;
                let result = kept.map(|_| json(row, "result")).transpose()?;
                Ok((row.get(0)?, result))
            })
            .optional()?;
        Ok(match found {
            None => Earlier::Open,
            Some((id, Some(result))) => Earlier::Finished(id, result),
            Some((_, None)) => Earlier::Secret,
        })
    }

    pub(super) fn begin_step(
        &self,
        run: RunId,
        parent: Option<i64>,
        path: &str,
        name: &str,
        depth: i64,
    ) -> Result<i64, RunError> {
        let connection = self.lock();
        let mut insert = connection.prepare_cached(
            "INSERT INTO step (run, parent, path, name, depth, started, state) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'running') \
             ON CONFLICT (run, path) DO UPDATE SET parent = excluded.parent, \
             started = excluded.started, finished = NULL, state = 'running', result = NULL, \
             error = NULL RETURNING id",
        )?;
        let now = Timestamp::now().to_string();
        Ok(
            insert.query_row(params![run.0, parent, path, name, depth, now], |row| {
                row.get(0)
            })?,
        )
    }

    pub(super) fn end_step(
        &self,
        step: i64,
        state: &str,
        result: Option<&Value>,
        error: Option<&str>,
    ) -> Result<(), RunError> {
        let connection = self.lock();
        let mut update = connection.prepare_cached(
            "UPDATE step SET finished = ?2, state = ?3, result = ?4, error = ?5 WHERE id = ?1",
        )?;
        let now = Timestamp::now().to_string();
        update.execute(params![
            step,
            now,
            state,
            result.map(Value::to_string),
            error
        ])?;
        Ok(())
    }

    pub(super) fn note(&self, run: RunId, event: &Event) -> Result<(), RunError> {
        let connection = self.lock();
        let mut insert =
            connection.prepare_cached("INSERT INTO event (run, time, body) VALUES (?1, ?2, ?3)")?;
        insert.execute(params![
            run.0,
            Timestamp::now().to_string(),
            to_json_text(event)
        ])?;
        Ok(())
    }

    pub(super) fn take_lock(&self) -> Result<Option<Alive>, RunError> {
        let take = |folder: &PathBuf| {
            Alive::take(folder).map_err(|source| RunError::State {
                what: folder.display().to_string(),
                source,
            })
        };
        self.locks.as_ref().map(take).transpose()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps in the audit log how a run ended.
fn audit_end(
    change: &Transaction<'_>,
    id: RunId,
    outcome: Outcome,
    code: Option<String>,
) -> Result<(), RunError> {
    let (who, persona): (String, Option<String>) = change.query_row(
        "SELECT who, persona FROM run WHERE id = ?1",
        [id.0],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let event = AuditEvent::RunEnded {
        run: id.0,
        outcome: outcome.word().to_owned(),
        code,
    };
    audit::add(change, None, &who, persona.as_deref(), &event)
}

/// The run with the answers that it got, in the order of their giving.
fn answered(connection: &Connection, mut run: RunRecord) -> Result<RunRecord, RunError> {
    let mut query =
        connection.prepare_cached("SELECT answer FROM answer WHERE run = ?1 ORDER BY rowid")?;
    let answers = query.query_map([run.id.0], |row| json(row, "answer"))?;
    run.answers = answers.collect::<Result<_, _>>()?;
    Ok(run)
}

/// What an answer belongs to: a run may wait for several things, one after another.
fn question(wait: &Wait) -> String {
    to_json_text(wait)
}

fn to_json_text<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("these types have text keys and nothing that can fail")
}
