//! The audit log of a workspace: what somebody may have to answer for, each entry chained to the one
//! before.
//!
//! The log only grows. Its table refuses every change and removal of a row, and each entry has a
//! digest over itself and the digest of the entry before, so that whoever changes one past these
//! refusals has to make all later ones anew. Whoever owns the machine can do that, or delete the whole
//! file. Against her helps the digest of the newest entry, kept somewhere else: [`History::verify`]
//! finds it again in a log that was only added to.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction, TransactionBehavior, params};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::redaction::redacted;
use super::rows::{json, time};
use super::{History, RunError};
use crate::transport::redact::Redactor;
use crate::workspace::Workspace;
use crate::workspace::audit::{AuditError, AuditEvent, Auditor};

/// The log's table; see [`crate::database::open_shared`].
pub(super) const TABLE: &str = "
CREATE TABLE audit (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  time TEXT NOT NULL, who TEXT NOT NULL, persona TEXT, event TEXT NOT NULL,
  previous TEXT NOT NULL, digest TEXT NOT NULL
);
CREATE INDEX audit_policy ON audit(number) WHERE event ->> '$.event' = 'policy-changed';
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN
  SELECT RAISE(ABORT, 'the audit log only grows'); END;
CREATE TRIGGER audit_grows BEFORE DELETE ON audit BEGIN
  SELECT RAISE(ABORT, 'the audit log only grows'); END;
";

/// What the first entry is chained to.
const BEGINNING: &str = "";

/// How many refusals of effects one process has kept: a script can be refused as often as it likes.
const REFUSALS: u32 = 200;

/// One entry.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditEntry {
    /// Its number, from one.
    pub number: i64,
    /// When it was written.
    pub time: Timestamp,
    /// Who caused it: a sign-in name, where the program knows one.
    pub who: String,
    /// The persona that she acted as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persona: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub event: AuditEvent,
    /// The digest of the entry before; empty for the first.
    pub previous: String,
    /// The SHA-256 over all of this.
    pub digest: String,
}

/// What verifying the log came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    /// Every entry is as it was written and follows the one before.
    Whole {
        /// How many there are.
        entries: i64,
        /// The digest of the newest; empty where there is none.
        head: String,
    },
    /// The first entry that is not, or where one is missing.
    Broken {
        /// Its number.
        number: i64,
    },
    /// All entries follow each other, and none has the digest that was looked for.
    NotFound,
}

impl History {
    /// The newest entries of the audit log, the newest first, without secrets in their texts.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn audit(&self, limit: Option<usize>) -> Result<Vec<AuditEntry>, RunError> {
        let connection = self.lock();
        let limit = limit
            .and_then(|limit| i64::try_from(limit).ok())
            .unwrap_or(-1);
        let mut query =
            connection.prepare_cached("SELECT * FROM audit ORDER BY number DESC LIMIT ?1")?;
        let rows = query.query_map([limit], |row| {
            Ok(AuditEntry {
                number: row.get("number")?,
                time: time(row, "time")?,
                who: row.get("who")?,
                persona: row.get("persona")?,
                event: shown(row)?,
                previous: row.get("previous")?,
                digest: row.get("digest")?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Follows the chain of the audit log from its beginning, and looks for an entry with the digest
    /// `known`, if one is given.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn verify(&self, known: Option<&str>) -> Result<Verified, RunError> {
        let connection = self.lock();
        let mut query = connection.prepare("SELECT * FROM audit ORDER BY number")?;
        let mut rows = query.query([])?;
        let (mut entries, mut head) = (0, BEGINNING.to_owned());
        let mut found = known.is_none();
        // As text, just as it was written, so that an entry of a newer program can be followed too.
        while let Some(row) = rows.next()? {
            let number: i64 = row.get("number")?;
            let (previous, digest): (String, String) = (row.get("previous")?, row.get("digest")?);
            let kept = Kept {
                number,
                time: row.get("time")?,
                who: row.get("who")?,
                persona: row.get("persona")?,
                event: row.get("event")?,
            };
            if number != entries + 1 || previous != head || kept.digest(&previous) != digest {
                return Ok(Verified::Broken {
                    number: entries + 1,
                });
            }
            found |= known == Some(digest.as_str());
            (entries, head) = (number, digest);
        }
        Ok(if found {
            Verified::Whole { entries, head }
        } else {
            Verified::NotFound
        })
    }

    /// Adds an entry; see [`add`].
    pub(super) fn add_to_audit(
        &self,
        policy: Option<&str>,
        who: &str,
        persona: Option<&str>,
        event: &AuditEvent,
    ) -> Result<(), RunError> {
        let mut connection = self.lock();
        let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        add(&change, policy, who, persona, event)?;
        change.commit()?;
        Ok(())
    }
}

/// Adds an entry within a change of the history, and before it one about `alm.toml` where that is
/// another one by now.
pub(super) fn add(
    change: &Transaction<'_>,
    policy: Option<&str>,
    who: &str,
    persona: Option<&str>,
    event: &AuditEvent,
) -> Result<(), RunError> {
    note_policy(change, policy)?;
    append(change, who, persona, event)
}

/// Adds an entry about `alm.toml` if it is another one than the log knows.
fn note_policy(change: &Transaction<'_>, policy: Option<&str>) -> Result<(), RunError> {
    let Some(now) = policy else { return Ok(()) };
    let before: Option<String> = change
        .query_row(
            "SELECT event ->> '$.now' FROM audit WHERE event ->> '$.event' = 'policy-changed' \
             ORDER BY number DESC LIMIT 1",
            [],
            |row| row.get(0),
        )
        .optional()?;
    if before.as_deref() == Some(now) {
        return Ok(());
    }
    let event = AuditEvent::PolicyChanged {
        before,
        now: now.to_owned(),
    };
    // Who wrote the file is not known: whoever can, can write it.
    append(change, NOBODY, None, &event)
}

/// Who is named where nobody is known.
const NOBODY: &str = "somebody";

fn append(
    change: &Transaction<'_>,
    who: &str,
    persona: Option<&str>,
    event: &AuditEvent,
) -> Result<(), RunError> {
    let last: Option<(i64, String)> = change
        .query_row(
            "SELECT number, digest FROM audit ORDER BY number DESC LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let (last, previous) = last.unwrap_or((0, BEGINNING.to_owned()));
    let kept = Kept {
        number: last + 1,
        time: Timestamp::now().to_string(),
        who: who.to_owned(),
        persona: persona.map(str::to_owned),
        event: serde_json::to_string(event).unwrap_or_default(),
    };
    let digest = kept.digest(&previous);
    change.execute(
        "INSERT INTO audit (number, time, who, persona, event, previous, digest) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            kept.number,
            kept.time,
            kept.who,
            kept.persona,
            kept.event,
            previous,
            digest
        ],
    )?;
    Ok(())
}

/// An event as it is shown: what looks like a secret in a comment or a reason is not.
fn shown(row: &rusqlite::Row<'_>) -> rusqlite::Result<AuditEvent> {
    let kept = redacted(&Redactor::new(), json(row, "event")?);
    serde_json::from_value(kept).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error.into())
    })
}

/// An entry as it is kept.
struct Kept {
    number: i64,
    time: String,
    who: String,
    persona: Option<String>,
    event: String,
}

impl Kept {
    /// The SHA-256 of the entry after the one with the digest `previous`. As a list in JSON, so that
    /// no text of one field can pass for a part of the next.
    fn digest(&self, previous: &str) -> String {
        let list = serde_json::json!([
            previous,
            self.number,
            self.time,
            self.who,
            self.persona,
            self.event
        ]);
        format!("{:x}", Sha256::digest(list.to_string()))
    }
}

/// The auditor of a workspace: it writes into the log, which it opens when something is to be kept.
pub struct AuditLog {
    folder: PathBuf,
    opened: OnceLock<Arc<History>>,
    policy: Option<String>,
    login: Option<String>,
    refusals: AtomicU32,
}

impl AuditLog {
    /// The log of `workspace`. `login` is who is named where the persona names nobody.
    pub fn of(workspace: &Workspace, login: Option<String>) -> Self {
        Self {
            folder: workspace.state(),
            opened: OnceLock::new(),
            policy: workspace.digest().map(str::to_owned),
            login,
            refusals: AtomicU32::new(0),
        }
    }

    /// The same log in a history that is open already.
    pub(super) fn in_history(workspace: &Workspace, history: Arc<History>) -> Self {
        let log = Self::of(workspace, None);
        let _ = log.opened.set(history);
        log
    }

    fn history(&self) -> Result<&Arc<History>, RunError> {
        if let Some(history) = self.opened.get() {
            return Ok(history);
        }
        let history = Arc::new(History::open(&self.folder)?);
        Ok(self.opened.get_or_init(|| history))
    }
}

impl Auditor for AuditLog {
    fn keep(
        &self,
        who: Option<&str>,
        persona: Option<&str>,
        event: &AuditEvent,
    ) -> Result<(), AuditError> {
        if matches!(event, AuditEvent::EffectRefused { .. })
            && self.refusals.fetch_add(1, Ordering::Relaxed) >= REFUSALS
        {
            return Ok(());
        }
        let who = who.or(self.login.as_deref()).unwrap_or(NOBODY);
        self.history()
            .and_then(|history| history.add_to_audit(self.policy.as_deref(), who, persona, event))
            .map_err(|error| AuditError(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(run: i64) -> AuditEvent {
        AuditEvent::RunResumed { run }
    }

    fn log() -> History {
        let history = History::in_memory().unwrap();
        for run in 1..=4 {
            history
                .add_to_audit(Some("one"), "maya", None, &entry(run))
                .unwrap();
        }
        history
    }

    #[test]
    fn entries_are_chained_and_a_changed_policy_comes_before_what_it_decides() {
        let history = log();
        history
            .add_to_audit(Some("two"), "ada", Some("admin"), &entry(9))
            .unwrap();
        let entries = history.audit(Some(3)).unwrap();
        assert_eq!(entries[0].event, entry(9));
        assert_eq!(
            entries[1].event,
            AuditEvent::PolicyChanged {
                before: Some("one".into()),
                now: "two".into()
            }
        );
        assert_eq!(entries[0].previous, entries[1].digest);
        let head = entries[0].digest.clone();
        assert_eq!(
            history.verify(Some(&entries[2].digest)).unwrap(),
            Verified::Whole { entries: 7, head }
        );
        assert_eq!(history.verify(Some("other")).unwrap(), Verified::NotFound);
    }

    #[test]
    fn the_table_refuses_changes_and_the_chain_shows_those_that_get_past_it() {
        for statement in [
            "UPDATE audit SET who = 'ada' WHERE number = 3",
            "UPDATE audit SET event = replace(event, '2', '3') WHERE number = 3",
            "DELETE FROM audit WHERE number = 3",
        ] {
            let history = log();
            let refused = history.lock().execute(statement, []).unwrap_err();
            assert!(refused.to_string().contains("only grows"), "{refused}");
            for trigger in ["audit_stays", "audit_grows"] {
                let drop = format!("DROP TRIGGER {trigger}");
                history.lock().execute(&drop, []).unwrap();
            }
            history.lock().execute(statement, []).unwrap();
            assert_eq!(
                history.verify(None).unwrap(),
                Verified::Broken { number: 3 },
                "{statement}"
            );
        }
    }
}
