//! A write into a folder that happens as a whole or not at all, even if the process is killed.
//!
//! New bytes are staged in a folder beside their places. Then a journal in that folder says what is
//! about to be moved, everything is moved, and the journal is taken away, which is the moment from
//! which the write has happened. If a move fails, everything is moved back. If the process dies,
//! the next one that reads or writes the folder finds the journal and moves everything back.
//!
//! While things are moved the folder holds some of the old and some of the new. That takes one call
//! of the system for each file: a new folder is moved as a whole, and a file that replaces another is
//! changed for it in one step, so that its name is never missing.
//!
//! What somebody has changed in between is not touched by moving back: each new file is known by its
//! digest, and one that is another by now stays where it is; what was there before the write is kept
//! beside. The folder is hidden from git by a `.gitignore` of its own.
//!
//! A process that dies is not a machine that loses power: nothing here waits for the disk.

mod moves;
mod recover;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;

use uuid::Uuid;

use super::PackageError;
use crate::place::Folder;

pub(super) use moves::Moves;
pub(super) use recover::{Kept, recover, tidy};

/// How the names of staging folders begin.
const PREFIX: &str = ".alm-staging-";
/// What is about to be moved; there is one only while things are moved.
const JOURNAL: &str = "journal.json";
/// The journal while it is written.
const PART: &str = "journal.part";
/// Hides the folder from git.
const IGNORE: &str = ".gitignore";
/// Locked for as long as the process lives.
const LOCK: &str = "lock";
/// Where new bytes are staged, and where what a new file replaced is afterwards.
const FRESH: &str = "new";
/// Where files are that gave way.
const BACKUP: &str = "old";

/// A folder for new bytes beside the places where they belong; deleted when dropped.
pub(super) struct Staging<'home> {
    home: &'home Folder,
    name: String,
    folder: Folder,
    /// Whether it stays when dropped, since it holds what could not be moved back.
    kept: bool,
    /// Held until the folder is deleted.
    _lock: File,
}

impl<'home> Staging<'home> {
    /// Makes a staging folder in `home`.
    pub fn begin(home: &'home Folder) -> Result<Self, PackageError> {
        let failed = |e| PackageError::io("create a staging folder in", home.path(), e);
        let name = format!("{PREFIX}{}", Uuid::new_v4().simple());
        home.create_dir(&name).map_err(failed)?;
        let folder = home.folder(&name).map_err(failed)?;
        let lock = folder.create(LOCK).map_err(failed)?.into_std();
        lock.lock().map_err(failed)?;
        folder.write(IGNORE, "*\n").map_err(failed)?;
        folder.create_dir(FRESH).map_err(failed)?;
        Ok(Self {
            home,
            name,
            folder,
            kept: false,
            _lock: lock,
        })
    }

    /// Where new bytes are staged, under their paths in the folder.
    pub fn fresh(&self) -> Result<Folder, PackageError> {
        let failed = |e| PackageError::io("open", &self.folder.shown(FRESH), e);
        self.folder.folder(FRESH).map_err(failed)
    }

    /// Moves everything into the folder in which this staging folder lies, or nothing. Folders that
    /// held nothing but `deleted` files go with them.
    pub fn carry_out(mut self, moves: Moves, deleted: &[String]) -> Result<(), PackageError> {
        let failed = |e| PackageError::io("write", &self.folder.shown(JOURNAL), e);
        let moves = moves.with_digests(&self.fresh()?).map_err(failed)?;
        serde_json::to_vec(&moves)
            .map_err(io::Error::from)
            .and_then(|text| self.folder.write(PART, text))
            .and_then(|()| self.folder.rename(PART, &self.folder, JOURNAL))
            .map_err(failed)?;
        let outcome = moves.forward(self.home, &self.folder);
        if outcome.is_err()
            && let Err(failed) = moves.back(self.home, &self.folder)
        {
            // Leaving the staging folder behind is what saves the files in it; the next process
            // that looks at the folder tries again.
            self.kept = true;
            let stage = self.folder.path();
            return Err(PackageError::io(
                "move back the files kept in",
                stage,
                failed,
            ));
        }
        if outcome.is_ok() {
            deleted
                .iter()
                .for_each(|path| moves::remove_empty_folders(self.home, path));
        }
        self.folder.remove_file(JOURNAL).map_err(failed)?;
        outcome
    }

    /// Moves everything to `name` beside this folder, which does not exist yet, in one step.
    pub fn become_folder(self, name: &str) -> Result<(), PackageError> {
        let place = self.home.shown(name);
        // A folder that came to be in the meantime is somebody's, even if it is empty by now.
        if self.home.symlink_metadata(name).is_ok() {
            let there = io::Error::from(io::ErrorKind::AlreadyExists);
            return Err(PackageError::io("move into place", &place, there));
        }
        self.folder
            .rename(FRESH, self.home, name)
            .map_err(|e| PackageError::io("move into place", &place, e))
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        if !self.kept {
            empty(&self.folder);
            let _ = self.home.remove_dir_all(&self.name);
        }
    }
}

/// Deletes what is in a staging folder but the lock, which is the last to go: without it nobody
/// could tell whether its process still lives.
fn empty(stage: &Folder) {
    // What stays has no journal and can do no harm.
    let _ = stage.remove_dir_all(FRESH);
    let _ = stage.remove_dir_all(BACKUP);
    let _ = stage.remove_file(PART);
    let _ = stage.remove_file(IGNORE);
}
