//! SQLite files that several processes open at the same moment: the history of a workspace, and the
//! emulated tenant.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::owner_only;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};

/// How long a process waits for another one that writes. Writes take milliseconds; the longest is
/// the making of an example tenant.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long to wait between two attempts at what SQLite does not wait for by itself.
const PAUSE: Duration = Duration::from_millis(5);

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
    /// SQLite refused.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// A newer program has changed the tables.
    #[error("the file has version {found}, and this program knows {known}")]
    Newer {
        /// The version of the file.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
}

/// Opens the file at `path`, making it where there is none, so that others can read while this
/// process writes.
///
/// `versions` are the statements that bring the tables from each version to the next; the first
/// makes them. Never change one that was released: add another.
///
/// # Errors
/// When the file cannot be opened, is no database, stays locked for half a minute, or is newer.
pub(crate) fn open_shared(path: &Path, versions: &[&str]) -> Result<Connection, DatabaseError> {
    // SQLite gives the files beside it the rights of this one. Where that fails, opening says why.
    let _ = owner_only::file(path);
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    write_ahead(&connection)?;
    // WAL loses nothing when a process dies; NORMAL may lose the last moment when the power fails.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    bring_up_to_date(&mut connection, versions)?;
    Ok(connection)
}

/// Makes the tables of an opened file, or brings them to the newest version.
///
/// # Errors
/// As [`open_shared`].
pub(crate) fn bring_up_to_date(
    connection: &mut Connection,
    versions: &[&str],
) -> Result<(), DatabaseError> {
    let known = i64::try_from(versions.len()).unwrap_or(i64::MAX);
    let found = version(connection)?;
    if found > known {
        return Err(DatabaseError::Newer { found, known });
    }
    if found < known {
        // Two processes may come here at once; the second finds the tables made.
        let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found = usize::try_from(version(&change)?).unwrap_or_default();
        for statements in versions.iter().skip(found) {
            change.execute_batch(statements)?;
        }
        change.pragma_update(None, "user_version", known)?;
        change.commit()?;
    }
    Ok(())
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Turns write-ahead logging on. SQLite needs the file for itself to do that, and says that it is
/// locked at once, whatever the timeout, where waiting could be for ever
/// (<https://sqlite.org/c3ref/busy_handler.html>): that is the case when two processes make the file.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        let mode: rusqlite::Result<String> =
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0));
        match mode {
            Ok(_) => return Ok(()),
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && Instant::now() < until =>
            {
                std::thread::sleep(PAUSE);
            }
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_make_the_same_file_at_once_and_none_is_refused() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("shared.sqlite");
            let start = std::sync::Barrier::new(8);
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        start.wait();
                        let versions = ["CREATE TABLE t (n INTEGER)"];
                        let connection = open_shared(&path, &versions).unwrap();
                        connection.execute("INSERT INTO t VALUES (1)", []).unwrap();
                    });
                }
            });
            let rows: i64 = Connection::open(&path)
                .unwrap()
                .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
                .unwrap();
            assert_eq!(rows, 8);
        }
    }

    #[test]
    fn an_older_file_gets_what_came_later_and_a_newer_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shared.sqlite");
        let versions = ["CREATE TABLE t (n INTEGER)", "ALTER TABLE t ADD COLUMN m"];
        open_shared(&path, &versions[..1]).unwrap();
        let connection = open_shared(&path, &versions).unwrap();
        connection
            .execute("INSERT INTO t VALUES (1, 2)", [])
            .unwrap();
        let refused = open_shared(&path, &versions[..1]);
        assert!(matches!(
            refused,
            Err(DatabaseError::Newer { found: 2, known: 1 })
        ));
    }
}
