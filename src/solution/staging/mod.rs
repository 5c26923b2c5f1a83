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

use std::io;

use super::PackageError;
use crate::place::Folder;
use crate::staging_folder::StagingFolder;

pub(super) use moves::Moves;
pub(super) use recover::{Kept, recover, tidy};

/// How the names of staging folders begin.
const PREFIX: &str = ".alm-staging-";
/// What is about to be moved; there is one only while things are moved.
const JOURNAL: &str = "journal.json";
/// The journal while it is written.
const PART: &str = "journal.part";
/// Where new bytes are staged, and where what a new file replaced is afterwards.
const FRESH: &str = "new";
/// Where files are that gave way.
const BACKUP: &str = "old";

/// A folder for new bytes beside the places where they belong; deleted when dropped.
pub(super) struct Staging<'home>(StagingFolder<'home>);

impl<'home> Staging<'home> {
    /// Makes a staging folder in `home`.
    pub fn begin(home: &'home Folder) -> Result<Self, PackageError> {
        let failed = |e| PackageError::io("create a staging folder in", home.path(), e);
        let staging = StagingFolder::begin(home, PREFIX).map_err(failed)?;
        staging.folder().create_dir(FRESH).map_err(failed)?;
        Ok(Self(staging))
    }

    /// Where new bytes are staged, under their paths in the folder.
    pub fn fresh(&self) -> Result<Folder, PackageError> {
        let stage = self.0.folder();
        let failed = |e| PackageError::io("open", &stage.shown(FRESH), e);
        stage.folder(FRESH).map_err(failed)
    }

    /// Moves everything into the folder in which this staging folder lies, or nothing. Folders that
    /// held nothing but `deleted` files go with them.
    pub fn carry_out(mut self, moves: Moves, deleted: &[String]) -> Result<(), PackageError> {
        let (home, stage) = (self.0.home(), self.0.folder());
        let failed = |e| PackageError::io("write", &stage.shown(JOURNAL), e);
        let moves = moves.with_digests(&self.fresh()?).map_err(failed)?;
        serde_json::to_vec(&moves)
            .map_err(io::Error::from)
            .and_then(|text| stage.write(PART, text))
            .and_then(|()| stage.rename(PART, stage, JOURNAL))
            .map_err(failed)?;
        let outcome = moves.forward(home, stage);
        if outcome.is_err()
            && let Err(failed) = moves.back(home, stage)
        {
            let error = PackageError::io("move back the files kept in", stage.path(), failed);
            // Leaving the staging folder behind is what saves the files in it; the next process
            // that looks at the folder tries again.
            self.0.stay();
            return Err(error);
        }
        if outcome.is_ok() {
            deleted
                .iter()
                .for_each(|path| moves::remove_empty_folders(home, path));
        }
        stage.remove_file(JOURNAL).map_err(failed)?;
        outcome
    }

    /// Moves everything to `name` beside this folder, which does not exist yet, in one step.
    pub fn become_folder(self, name: &str) -> Result<(), PackageError> {
        let (home, stage) = (self.0.home(), self.0.folder());
        let place = home.shown(name);
        // A folder that came to be in the meantime is somebody's, even if it is empty by now.
        if home.symlink_metadata(name).is_ok() {
            let there = io::Error::from(io::ErrorKind::AlreadyExists);
            return Err(PackageError::io("move into place", &place, there));
        }
        stage
            .rename(FRESH, home, name)
            .map_err(|e| PackageError::io("move into place", &place, e))
    }
}
