//! What processes that are gone have left in a folder, and undoing it.

use std::io;
use std::time::Duration;

use uuid::Uuid;

use super::moves::Changed;
use super::{JOURNAL, Moves, PREFIX};
use crate::place::Folder;
use crate::solution::PackageError;
use crate::staging_folder::{self, Found};

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

fn left_behind(dir: &Folder) -> Result<Vec<String>, PackageError> {
    staging_folder::names(dir, PREFIX).map_err(|e| PackageError::io("list", dir.path(), e))
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
    let left = match staging_folder::look(dir, name).map_err(failed)? {
        Found::Left(left) => left,
        Found::Gone => return Ok(Cleared::Nothing),
        Found::Alive => return Ok(Cleared::Alive),
    };
    let stage = left.folder();
    let undone = match stage.read(JOURNAL) {
        Ok(text) => {
            let moves: Moves = serde_json::from_slice(&text).map_err(|e| failed(e.into()))?;
            let changed = moves.back(dir, stage).map_err(failed)?;
            let kept = keep_before(dir, stage, changed).map_err(failed)?;
            // First of all, since from here on the folder must not be taken for an unfinished write.
            stage.remove_file(JOURNAL).map_err(failed)?;
            Cleared::Undone { kept }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Cleared::Nothing,
        Err(error) => return Err(failed(error)),
    };
    left.clear_away(dir);
    Ok(undone)
}

/// Moves what was there before files that stay as they are into a folder of its own, since it may
/// be nowhere else.
fn keep_before(dir: &Folder, stage: &Folder, changed: Vec<Changed>) -> io::Result<Vec<Kept>> {
    let home = format!("{BEFORE}{}", Uuid::new_v4().simple());
    if changed.iter().any(|change| change.before.is_some()) {
        dir.create_dir(&home)?;
        dir.write(format!("{home}/.gitignore"), "*\n")?;
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
