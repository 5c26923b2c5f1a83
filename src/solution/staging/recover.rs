//! What processes that are gone have left in a folder, and undoing it.

use std::fs::TryLockError;
use std::io;
use std::time::Duration;

use uuid::Uuid;

use super::moves::Changed;
use super::{IGNORE, JOURNAL, LOCK, Moves, PREFIX, empty};
use crate::place::Folder;
use crate::solution::PackageError;

/// How the names of folders begin in which old versions of files are kept.
const BEFORE: &str = ".alm-before-";
/// How often it is looked whether another process has finished, and how long a pause is.
const LOOKS: u32 = 200;
pub(super) const PAUSE: Duration = Duration::from_millis(25);

/// What was moved back after a process that had died.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Repair {
    /// Whether an unfinished write was undone.
    pub undone: bool,
    /// Files that somebody has changed or made since; they stay as they are.
    pub kept: Vec<Kept>,
}

/// A file that was not moved back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its path in the folder.
    pub path: String,
    /// The path in the folder where the version lies now that was there before the write.
    pub before: Option<String>,
}

/// Undoes what a process began in `dir` that is gone, and waits for one that is at it.
///
/// Tells what was undone, and what was left alone because it has changed since.
///
/// # Errors
///
/// [`PackageError::Busy`] if another process keeps writing, [`PackageError::Io`].
pub(in crate::solution) fn recover(dir: &Folder) -> Result<Repair, PackageError> {
    let mut repair = Repair::default();
    for stage in left_behind(dir)? {
        let mut looks = 0;
        loop {
            match clear(dir, &stage)? {
                Cleared::Undone { kept } => {
                    repair.undone = true;
                    repair.kept.extend(kept);
                }
                Cleared::Nothing => {}
                Cleared::Alive if looks < LOOKS => {
                    looks += 1;
                    std::thread::sleep(PAUSE);
                    continue;
                }
                Cleared::Alive => {
                    return Err(PackageError::Busy {
                        folder: dir.path().to_owned(),
                    });
                }
            }
            break;
        }
    }
    Ok(repair)
}

/// Deletes what processes that are gone left in a folder in which they made other folders.
pub(in crate::solution) fn tidy(home: &Folder) -> Result<(), PackageError> {
    for stage in left_behind(home)? {
        clear(home, &stage)?;
    }
    Ok(())
}

/// The names of the staging folders in a folder.
fn left_behind(dir: &Folder) -> Result<Vec<String>, PackageError> {
    let failed = |e| PackageError::io("list", dir.path(), e);
    let mut found = Vec::new();
    for entry in dir.entries().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if name.starts_with(PREFIX) && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push(name.to_owned());
        }
    }
    Ok(found)
}

pub(super) enum Cleared {
    /// Files were moved back, but for those that have changed since.
    Undone { kept: Vec<Kept> },
    /// There was nothing to move back, or nothing at all.
    Nothing,
    /// Its process lives.
    Alive,
}

/// Deletes a staging folder whose process is gone, after moving back what it had moved.
pub(super) fn clear(dir: &Folder, name: &str) -> Result<Cleared, PackageError> {
    let failed = |e| PackageError::io("undo the unfinished write in", &dir.shown(name), e);
    let stage = match dir.folder(name) {
        Ok(stage) => stage,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Cleared::Nothing),
        Err(error) => return Err(failed(error)),
    };
    let lock = match stage.open_file(LOCK) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Just made by a process that goes on, or just finished, or left by one that was killed
            // before it could begin. Only an empty folder can go without harm.
            let _ = dir.remove_dir(name);
            return Ok(Cleared::Nothing);
        }
        Err(error) => return Err(failed(error)),
    };
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(Cleared::Alive),
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let undone = match stage.read(JOURNAL) {
        Ok(text) => {
            let moves: Moves = serde_json::from_slice(&text).map_err(|e| failed(e.into()))?;
            let changed = moves.back(dir, &stage).map_err(failed)?;
            let kept = keep_before(dir, &stage, changed).map_err(failed)?;
            // First of all, since from here on the folder must not be taken for an unfinished write.
            stage.remove_file(JOURNAL).map_err(failed)?;
            Cleared::Undone { kept }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Cleared::Nothing,
        Err(error) => return Err(failed(error)),
    };
    empty(&stage);
    let _ = dir.remove_dir_all(name);
    Ok(undone)
}

/// Moves what was there before files that stay as they are into a folder of its own, since it may
/// be nowhere else.
fn keep_before(dir: &Folder, stage: &Folder, changed: Vec<Changed>) -> io::Result<Vec<Kept>> {
    let home = format!("{BEFORE}{}", Uuid::new_v4().simple());
    if changed.iter().any(|change| change.before.is_some()) {
        dir.create_dir(&home)?;
        dir.write(format!("{home}/{IGNORE}"), "*\n")?;
    }
    let moved = changed.into_iter().map(|Changed { path, before }| {
        let before = match before {
            Some(old) => {
                let to = format!("{home}/{path}");
                if let Some((folder, _)) = to.rsplit_once('/') {
                    dir.create_dir_all(folder)?;
                }
                stage.rename(old, dir, &to)?;
                Some(to)
            }
            None => None,
        };
        Ok(Kept { path, before })
    });
    moved.collect()
}
