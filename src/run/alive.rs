//! Tells whether the process that carries a run is still there.
//!
//! Each run holds a lock on a file of its own for as long as it goes on. The system frees the lock
//! when the process ends, however it ends, on every platform; a process number could belong to
//! another program by now.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The lock of one run that goes on. Dropping it lets go.
#[derive(Debug)]
pub(super) struct Alive {
    file: Option<File>,
    path: PathBuf,
    token: String,
}

impl Alive {
    /// Takes a new lock in `folder`.
    pub(super) fn take(folder: &Path) -> io::Result<Self> {
        crate::owner_only::folder(folder)?;
        let token = uuid::Uuid::new_v4().simple().to_string();
        let path = folder.join(format!("{token}.lock"));
        let file = File::create_new(&path)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::Error(error) => error,
            TryLockError::WouldBlock => io::Error::from(io::ErrorKind::WouldBlock),
        })?;
        Ok(Self {
            file: Some(file),
            path,
            token,
        })
    }

    /// What the history remembers the lock by.
    pub(super) fn token(&self) -> &str {
        &self.token
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        // Closed first: Windows does not remove a file that is open.
        self.file = None;
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether whoever took the lock `token` in `folder` is still there.
pub(super) fn is_alive(folder: &Path, token: &str) -> bool {
    match File::open(folder.join(format!("{token}.lock"))) {
        Ok(file) => match file.try_lock_shared() {
            Ok(()) => false,
            Err(TryLockError::WouldBlock) => true,
            // A file system without locks cannot tell; calling a living run dead would be worse.
            Err(TryLockError::Error(_)) => true,
        },
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// Removes what a dead run left behind.
pub(super) fn clear(folder: &Path, token: &str) {
    let _ = fs::remove_file(folder.join(format!("{token}.lock")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_alive_until_it_is_let_go() {
        let dir = tempfile::tempdir().unwrap();
        let lock = Alive::take(dir.path()).unwrap();
        let token = lock.token().to_owned();
        assert!(is_alive(dir.path(), &token));
        drop(lock);
        assert!(!is_alive(dir.path(), &token));
    }

    #[test]
    fn a_lock_file_that_nobody_holds_is_dead() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("t.lock"), "").unwrap();
        assert!(!is_alive(dir.path(), "t"));
    }
}
