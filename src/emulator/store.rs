//! Where the emulated tenant keeps its state: one SQLite file.
//!
//! Rows are JSON documents grouped by *scope* (an environment, an organisation, the directory) and
//! *set* (a table). Every request is answered inside one transaction, so a killed process leaves
//! either all of a request's effects or none of them.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::database::{self, DatabaseError};

/// The tenant's database.
pub struct Store {
    connection: Mutex<Connection>,
}

/// One transaction. It is rolled back when dropped without [`Store::write`] committing it.
pub struct Transaction<'a> {
    inner: rusqlite::Transaction<'a>,
}

/// The database could not be read or written, or holds something that this program did not write.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused.
    #[error("the emulated tenant's database: {0}")]
    Database(#[from] rusqlite::Error),
    /// A newer program has changed its tables.
    #[error(
        "the emulated tenant's database is from a newer program (version {found}, not {known})"
    )]
    Newer {
        /// The version of the file.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// A stored document is not JSON.
    #[error("the emulated tenant's database holds a damaged row: {0}")]
    Damaged(#[from] serde_json::Error),
}

impl From<DatabaseError> for StoreError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Sqlite(error) => Self::Database(error),
            DatabaseError::Newer { found, known } => Self::Newer { found, known },
        }
    }
}

/// What brings the tables from each version to the next. A file from before versions were counted
/// has the tables of the first.
const VERSIONS: &[&str] = &["
    CREATE TABLE IF NOT EXISTS row (
        scope TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL,
        body TEXT NOT NULL, PRIMARY KEY (scope, kind, id)) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS row_by_seq ON row (scope, kind, seq);
    CREATE TABLE IF NOT EXISTS blob (hash TEXT PRIMARY KEY, bytes BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"];

impl Store {
    /// Opens the database at `path`, creating it when it is not there.
    ///
    /// # Errors
    /// When the file cannot be opened or is not such a database.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        // Several processes share the file: `alm tenant serve` beside `alm run`.
        let connection = database::open_shared(path, VERSIONS)?;
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    /// Runs `work` in one transaction and commits it when `work` returns `Ok`.
    ///
    /// The transaction takes the write lock at its start, so what `work` reads stays true until
    /// it is done, whatever other processes do.
    ///
    /// # Errors
    /// Those of `work`, and of the database.
    pub fn write<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let inner = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(StoreError::from)?;
        let transaction = Transaction { inner };
        let result = work(&transaction)?;
        transaction.inner.commit().map_err(StoreError::from)?;
        Ok(result)
    }
}

impl Transaction<'_> {
    /// The document `id` of `kind` in `scope`.
    ///
    /// # Errors
    /// Those of the database; so for all methods here.
    pub fn get(&self, scope: &str, kind: &str, id: &str) -> Result<Option<Value>, StoreError> {
        let text: Option<String> = self
            .inner
            .prepare_cached("SELECT body FROM row WHERE scope = ?1 AND kind = ?2 AND id = ?3")?
            .query_row(params![scope, kind, id], |row| row.get(0))
            .optional()?;
        Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
    }

    /// Every document of `kind` in `scope` with its id, in the order in which they were created.
    pub fn list(&self, scope: &str, kind: &str) -> Result<Vec<(String, Value)>, StoreError> {
        let mut statement = self.inner.prepare_cached(
            "SELECT id, body FROM row WHERE scope = ?1 AND kind = ?2 ORDER BY seq",
        )?;
        let mut rows = statement.query(params![scope, kind])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let body: String = row.get(1)?;
            found.push((row.get(0)?, serde_json::from_str(&body)?));
        }
        Ok(found)
    }

    /// Creates or replaces a document. A replaced one keeps its place in [`Transaction::list`].
    pub fn put(&self, scope: &str, kind: &str, id: &str, body: &Value) -> Result<(), StoreError> {
        self.inner
            .prepare_cached(
                "INSERT INTO row (scope, kind, id, seq, body)
                 VALUES (?1, ?2, ?3, (SELECT COALESCE(MAX(seq), 0) + 1 FROM row
                                      WHERE scope = ?1 AND kind = ?2), ?4)
                 ON CONFLICT (scope, kind, id) DO UPDATE SET body = excluded.body",
            )?
            .execute(params![scope, kind, id, body.to_string()])?;
        Ok(())
    }

    /// Deletes a document and says whether it was there.
    pub fn delete(&self, scope: &str, kind: &str, id: &str) -> Result<bool, StoreError> {
        let changed = self
            .inner
            .prepare_cached("DELETE FROM row WHERE scope = ?1 AND kind = ?2 AND id = ?3")?
            .execute(params![scope, kind, id])?;
        Ok(changed > 0)
    }

    /// The names of all kinds that have documents in `scope`.
    pub fn kinds(&self, scope: &str) -> Result<Vec<String>, StoreError> {
        let mut statement = self
            .inner
            .prepare_cached("SELECT DISTINCT kind FROM row WHERE scope = ?1 ORDER BY kind")?;
        let kinds = statement.query_map(params![scope], |row| row.get(0))?;
        Ok(kinds.collect::<Result<_, _>>()?)
    }

    /// Keeps `bytes` and returns their SHA-256 in lower-case hexadecimal, the key to get them back.
    pub fn put_blob(&self, bytes: &[u8]) -> Result<String, StoreError> {
        let hash: String = Sha256::digest(bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.inner
            .prepare_cached("INSERT OR IGNORE INTO blob (hash, bytes) VALUES (?1, ?2)")?
            .execute(params![hash, bytes])?;
        Ok(hash)
    }

    /// The bytes kept under `hash`.
    pub fn get_blob(&self, hash: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self
            .inner
            .prepare_cached("SELECT bytes FROM blob WHERE hash = ?1")?
            .query_row(params![hash], |row| row.get(0))
            .optional()?)
    }

    /// Runs `work` so that its effects vanish when it fails, while the transaction goes on.
    ///
    /// # Errors
    /// Those of `work`, and of the database.
    pub fn attempt<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.inner
            .execute_batch("SAVEPOINT attempt")
            .map_err(StoreError::from)?;
        let result = work();
        let end = if result.is_ok() {
            "RELEASE attempt"
        } else {
            "ROLLBACK TO attempt; RELEASE attempt"
        };
        self.inner.execute_batch(end).map_err(StoreError::from)?;
        result
    }

    /// The next number of the counter `name`; the first is 1.
    pub fn next(&self, name: &str) -> Result<i64, StoreError> {
        Ok(self
            .inner
            .prepare_cached(
                "INSERT INTO counter (name, value) VALUES (?1, 1)
                 ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            )?
            .query_row(params![name], |row| row.get(0))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_fails_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("tenant.sqlite")).unwrap();
        let failed: Result<(), StoreError> = store.write(|tx| {
            tx.put("dev", "solutions", "a", &json!({"n": 1}))?;
            Err(rusqlite::Error::InvalidQuery.into())
        });
        assert!(failed.is_err());
        let rows = store.write(|tx| tx.list("dev", "solutions")).unwrap();
        assert_eq!(rows, []);
    }

    #[test]
    fn a_failed_attempt_takes_back_only_its_own_effects() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("tenant.sqlite")).unwrap();
        let rows = store.write(|tx| {
            tx.put("dev", "solutions", "a", &json!(1))?;
            let inner: Result<(), StoreError> = tx.attempt(|| {
                tx.put("dev", "solutions", "b", &json!(2))?;
                let deeper: Result<(), StoreError> =
                    tx.attempt(|| tx.put("dev", "solutions", "c", &json!(3)));
                deeper?;
                Err(rusqlite::Error::InvalidQuery.into())
            });
            assert!(inner.is_err());
            tx.list("dev", "solutions")
        });
        assert_eq!(rows.unwrap(), [("a".into(), json!(1))]);
    }

    #[test]
    fn rows_keep_the_order_of_creation_when_they_change() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("tenant.sqlite")).unwrap();
        let rows = store
            .write(|tx| {
                tx.put("dev", "solutions", "b", &json!(1))?;
                tx.put("dev", "solutions", "a", &json!(2))?;
                tx.put("dev", "solutions", "b", &json!(3))?;
                tx.list("dev", "solutions")
            })
            .unwrap();
        assert_eq!(rows, [("b".into(), json!(3)), ("a".into(), json!(2))]);
    }
}
