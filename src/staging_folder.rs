//! Folders in which something is made before it is moved to its place, and telling those whose
//! process is gone from those that somebody is at.

use std::fs::{File, TryLockError};
use std::io;

use uuid::Uuid;

use crate::place::Folder;

/// Locked for as long as the process lives.
const LOCK: &str = "lock";
/// Hides the folder from git.
const IGNORE: &str = ".gitignore";

/// A folder that is deleted when it is dropped, unless it is to stay.
pub struct StagingFolder<'home> {
    home: &'home Folder,
    name: String,
    folder: Folder,
    stays: bool,
    /// Held until the folder is deleted.
    _lock: File,
}

impl<'home> StagingFolder<'home> {
    /// Makes one in `home`, with a name that begins with `prefix`.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn begin(home: &'home Folder, prefix: &str) -> io::Result<Self> {
        loop {
            let name = format!("{prefix}{}", Uuid::new_v4().simple());
            home.create_dir(&name)?;
            let lock = match home.create(format!("{name}/{LOCK}")) {
                // Somebody has cleared it away who saw no lock yet.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                lock => lock?.into_std(),
            };
            lock.lock()?;
            let folder = home.folder(&name)?;
            folder.write(IGNORE, "*\n")?;
            return Ok(Self {
                home,
                name,
                folder,
                stays: false,
                _lock: lock,
            });
        }
    }

    /// The folder in which it lies.
    pub fn home(&self) -> &'home Folder {
        self.home
    }

    /// The folder itself.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Leaves it where it is, without a lock, when it is dropped.
    pub fn stay(&mut self) {
        self.stays = true;
    }
}

impl Drop for StagingFolder<'_> {
    fn drop(&mut self) {
        if !self.stays {
            clear_away(self.home, &self.name, &self.folder);
        }
    }
}

/// What a staging folder was found to be.
pub enum Found {
    /// Its process is gone; nobody else takes it as long as this lives.
    Left(LeftFolder),
    /// Somebody is at it.
    Alive,
    /// It is gone by now.
    Gone,
}

/// A staging folder whose process is gone.
pub struct LeftFolder {
    name: String,
    folder: Folder,
    _lock: File,
}

impl LeftFolder {
    /// The folder itself.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Deletes it. What cannot be deleted stays without harm.
    pub fn clear_away(self, home: &Folder) {
        clear_away(home, &self.name, &self.folder);
    }
}

/// The names of the staging folders with this prefix in `home`.
///
/// # Errors
///
/// Those of the file system.
pub fn names(home: &Folder, prefix: &str) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in home.entries()? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if name.starts_with(prefix) && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push(name.to_owned());
        }
    }
    Ok(found)
}

/// Looks what has become of the staging folder `name` in `home`.
///
/// # Errors
///
/// Those of the file system.
pub fn look(home: &Folder, name: &str) -> io::Result<Found> {
    let folder = match home.folder(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Gone),
        folder => folder?,
    };
    let lock = match folder.open_file(LOCK) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Just made by a process that goes on, or just finished, or left by one that was killed
            // before it could begin. Only an empty folder can go without harm.
            let _ = home.remove_dir(name);
            return Ok(Found::Gone);
        }
        lock => lock?,
    };
    match lock.try_lock() {
        Ok(()) => Ok(Found::Left(LeftFolder {
            name: name.to_owned(),
            folder,
            _lock: lock,
        })),
        Err(TryLockError::WouldBlock) => Ok(Found::Alive),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Deletes a staging folder; its lock is the last to go, for without it nobody could tell whether
/// its process still lives.
fn clear_away(home: &Folder, name: &str, folder: &Folder) {
    for entry in folder.entries().into_iter().flatten().flatten() {
        let inner = entry.file_name();
        if inner == LOCK {
            continue;
        }
        let _ = match entry.file_type() {
            Ok(kind) if kind.is_dir() => folder.remove_dir_all(&inner),
            _ => folder.remove_file(&inner),
        };
    }
    let _ = home.remove_dir_all(name);
}
