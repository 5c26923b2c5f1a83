//! A write into a folder that happens as a whole or not at all, even if the process is killed.
//!
//! New bytes are staged in a folder beside their places. Then a journal in that folder says what is
//! about to be moved, everything is moved, and the journal is taken away, which is the moment from
//! which the write has happened. If a move fails, everything is moved back. If the process dies,
//! the next one that reads or writes the folder finds the journal and moves everything back.
//!
//! What somebody has changed in between is not touched by that: each new file is known by its digest,
//! and one that is another by now stays where it is. The folder is hidden from git by a `.gitignore`
//! of its own.
//!
//! A process that dies is not a machine that loses power: nothing here waits for the disk.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::PackageError;

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
/// How often it is looked whether another process has finished, and how long a pause is.
const LOOKS: u32 = 200;
const PAUSE: Duration = Duration::from_millis(25);

/// What is moved into and out of a folder. All paths are relative to it, with `/`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Moves {
    /// Files that give way.
    pub displaced: Vec<String>,
    /// Folders that do not exist yet and are moved into place as a whole.
    pub folders: Vec<String>,
    /// Files that are moved into place one by one.
    pub files: Vec<String>,
    /// Folders that are made for these files, upper ones first.
    made: Vec<String>,
    /// The SHA-256 of every new file, those in new folders too.
    #[serde(default)]
    digests: BTreeMap<String, String>,
}

/// What was moved back after a process that had died.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Repair {
    /// Whether an unfinished write was undone.
    pub undone: bool,
    /// Files that somebody has changed or made since; they stay as they are.
    pub kept: Vec<String>,
}

impl Moves {
    /// Moves into `dir`: what gives way, new folders, files.
    pub fn new(
        dir: &Path,
        displaced: Vec<String>,
        folders: Vec<String>,
        files: Vec<String>,
    ) -> Self {
        let mut made: Vec<String> = Vec::new();
        let mut last = "";
        for path in &files {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            // Files of one folder mostly follow each other.
            if folder == last {
                continue;
            }
            last = folder;
            let ends = folder.match_indices('/').map(|(at, _)| at);
            for end in ends.chain([folder.len()]).filter(|end| *end > 0) {
                if !join(dir, &folder[..end]).exists() {
                    made.push(folder[..end].to_owned());
                }
            }
        }
        made.sort();
        made.dedup();
        Self {
            displaced,
            folders,
            files,
            made,
            digests: BTreeMap::new(),
        }
    }

    /// Notes the digest of every file below `fresh`.
    fn with_digests(mut self, fresh: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        files_below(fresh, "", &mut files)?;
        self.digests = files
            .into_par_iter()
            .map(|path| Ok((path.clone(), digest(&join(fresh, &path))?)))
            .collect::<io::Result<_>>()?;
        Ok(self)
    }
}

/// The relative paths of all files below a folder.
fn files_below(folder: &Path, prefix: &str, found: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // Our own names, which are text.
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = match prefix {
            "" => name,
            prefix => format!("{prefix}/{name}"),
        };
        if entry.file_type()?.is_dir() {
            files_below(&entry.path(), &path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

fn digest(path: &Path) -> io::Result<String> {
    Ok(format!("{:x}", Sha256::digest(fs::read(path)?)))
}

/// A folder for new bytes beside the places where they belong; deleted when dropped.
pub(super) struct Staging {
    folder: TempDir,
    /// Whether it stays when dropped, since it holds what could not be moved back.
    kept: bool,
    /// Held until the folder is deleted.
    _lock: File,
}

impl Staging {
    /// Makes a staging folder in `home`, which exists.
    pub fn begin(home: &Path) -> Result<Self, PackageError> {
        let failed = |e| PackageError::io("create a staging folder in", home, e);
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(home)
            .map_err(failed)?;
        let lock = File::create_new(folder.path().join(LOCK)).map_err(failed)?;
        lock.lock().map_err(failed)?;
        fs::write(folder.path().join(IGNORE), "*\n").map_err(failed)?;
        Ok(Self {
            folder,
            kept: false,
            _lock: lock,
        })
    }

    /// Where new bytes are staged, under their paths in the folder.
    pub fn fresh(&self) -> PathBuf {
        fresh(self.folder.path())
    }

    /// Moves everything into `dir`, in which this staging folder lies, or nothing. Folders that held
    /// nothing but `deleted` files go with them.
    pub fn carry_out(
        mut self,
        dir: &Path,
        moves: Moves,
        deleted: &[String],
    ) -> Result<(), PackageError> {
        let stage = &self.folder.path().to_owned();
        let failed = |e| PackageError::io("write", &stage.join(JOURNAL), e);
        let part = stage.join(PART);
        let moves = &moves.with_digests(&fresh(stage)).map_err(failed)?;
        serde_json::to_vec(moves)
            .map_err(io::Error::from)
            .and_then(|text| fs::write(&part, text))
            .and_then(|()| fs::rename(&part, stage.join(JOURNAL)))
            .map_err(failed)?;
        let outcome = forward(dir, stage, moves);
        if outcome.is_err()
            && let Err(failed) = back(dir, stage, moves, &mut Vec::new())
        {
            // Leaving the staging folder behind is what saves the files in it; the next process
            // that looks at the folder tries again.
            self.keep();
            return Err(PackageError::io(
                "move back the files kept in",
                stage,
                failed,
            ));
        }
        if outcome.is_ok() {
            deleted
                .iter()
                .for_each(|path| remove_empty_folders(dir, path));
        }
        fs::remove_file(stage.join(JOURNAL)).map_err(failed)?;
        outcome
    }

    fn keep(&mut self) {
        self.kept = true;
        self.folder.disable_cleanup(true);
    }

    /// Moves everything to `dir`, which does not exist yet, in one step.
    pub fn become_folder(self, dir: &Path) -> Result<(), PackageError> {
        fs::rename(self.fresh(), dir).map_err(|e| PackageError::io("move into place", dir, e))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.kept {
            empty(self.folder.path());
        }
    }
}

/// Deletes what is in a staging folder but the lock, which is the last to go: without it nobody
/// could tell whether its process still lives.
fn empty(stage: &Path) {
    // What stays has no journal and can do no harm.
    let _ = fs::remove_dir_all(fresh(stage));
    let _ = fs::remove_dir_all(backup(stage));
    let _ = fs::remove_file(stage.join(PART));
    let _ = fs::remove_file(stage.join(IGNORE));
}

/// Undoes what a process began in `dir` that is gone, and waits for one that is at it.
///
/// Tells what was undone, and what was left alone because it has changed since.
///
/// # Errors
///
/// [`PackageError::Busy`] if another process keeps writing, [`PackageError::Io`].
pub(super) fn recover(dir: &Path) -> Result<Repair, PackageError> {
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
                        folder: dir.to_owned(),
                    });
                }
            }
            break;
        }
    }
    Ok(repair)
}

/// Deletes what processes that are gone left in a folder in which they made other folders.
pub(super) fn tidy(home: &Path) -> Result<(), PackageError> {
    for stage in left_behind(home)? {
        clear(home, &stage)?;
    }
    Ok(())
}

fn left_behind(dir: &Path) -> Result<Vec<PathBuf>, PackageError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(PackageError::io("list", dir, error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| PackageError::io("list", dir, e))?;
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && entry.file_name().to_string_lossy().starts_with(PREFIX) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

enum Cleared {
    /// Files were moved back, but for those that have changed since.
    Undone { kept: Vec<String> },
    /// There was nothing to move back, or nothing at all.
    Nothing,
    /// Its process lives.
    Alive,
}

/// Deletes a staging folder whose process is gone, after moving back what it had moved.
fn clear(dir: &Path, stage: &Path) -> Result<Cleared, PackageError> {
    let failed = |e| PackageError::io("undo the unfinished write in", stage, e);
    let lock = match File::open(stage.join(LOCK)) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Just made by a process that goes on, or just finished, or left by one that was killed
            // before it could begin. Only an empty folder can go without harm.
            let _ = fs::remove_dir(stage);
            return Ok(Cleared::Nothing);
        }
        Err(error) => return Err(failed(error)),
    };
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(Cleared::Alive),
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let journal = stage.join(JOURNAL);
    let undone = match fs::read(&journal) {
        Ok(text) => {
            let moves: Moves = serde_json::from_slice(&text).map_err(|e| failed(e.into()))?;
            let mut kept = Vec::new();
            back(dir, stage, &moves, &mut kept).map_err(failed)?;
            // First of all, since from here on the folder must not be taken for an unfinished write.
            fs::remove_file(&journal).map_err(failed)?;
            Cleared::Undone { kept }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Cleared::Nothing,
        Err(error) => return Err(failed(error)),
    };
    empty(stage);
    let _ = fs::remove_dir_all(stage);
    Ok(undone)
}

fn fresh(stage: &Path) -> PathBuf {
    stage.join("new")
}

fn backup(stage: &Path) -> PathBuf {
    stage.join("old")
}

/// Moves what gives way into the backup and what is new into its place.
fn forward(dir: &Path, stage: &Path, moves: &Moves) -> Result<(), PackageError> {
    let (fresh, backup) = (fresh(stage), backup(stage));
    let rename = |from: &Path, to: &Path, place: &Path| {
        fs::rename(from, to).map_err(|e| PackageError::io("move into place", place, e))
    };
    for path in &moves.displaced {
        let (from, to) = (join(dir, path), join(&backup, path));
        make_parent(&to)?;
        rename(&from, &to, &from)?;
    }
    for folder in &moves.folders {
        let to = dir.join(folder);
        rename(&fresh.join(folder), &to, &to)?;
    }
    for path in &moves.files {
        let to = join(dir, path);
        make_parent(&to)?;
        rename(&join(&fresh, path), &to, &to)?;
    }
    Ok(())
}

/// Moves everything back, wherever [`forward`] or an earlier attempt to move back had stopped: what
/// is no longer staged is in its place, and what is in the backup is not. What has changed in its
/// place since is `kept` there.
fn back(dir: &Path, stage: &Path, moves: &Moves, kept: &mut Vec<String>) -> io::Result<()> {
    let (fresh, backup) = (fresh(stage), backup(stage));
    for (path, written) in &moves.digests {
        let (staged, place) = (join(&fresh, path), join(dir, path));
        if exists(&staged) {
            continue;
        }
        // Somebody may have taken it away since, or put something else there.
        if !fs::symlink_metadata(&place).is_ok_and(|meta| meta.is_file()) {
            continue;
        }
        if digest(&place)? == *written {
            staged.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::rename(place, staged)?;
        } else {
            kept.push(path.clone());
        }
    }
    for path in &moves.displaced {
        let (old, place) = (join(&backup, path), join(dir, path));
        if !exists(&old) {
            continue;
        }
        if exists(&place) {
            if !kept.contains(path) {
                kept.push(path.clone());
            }
            continue;
        }
        place.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::rename(&old, place)?;
    }
    // Folders go as far as they hold nothing: not if they were not made after all, or if somebody
    // has put something there since.
    for folder in moves.made.iter().rev() {
        let _ = fs::remove_dir(join(dir, folder));
    }
    for path in moves.digests.keys() {
        let top = path.split('/').next().unwrap_or_default();
        if moves.folders.iter().any(|folder| folder == top) {
            remove_empty_folders(dir, path);
        }
    }
    Ok(())
}

fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

fn make_parent(path: &Path) -> Result<(), PackageError> {
    match path.parent() {
        Some(parent) => {
            fs::create_dir_all(parent).map_err(|e| PackageError::io("create", parent, e))
        }
        None => Ok(()),
    }
}

/// Removes the folders above a deleted file as far as they are empty.
fn remove_empty_folders(dir: &Path, path: &str) {
    let mut folder = path;
    while let Some((above, _)) = folder.rsplit_once('/') {
        // Fails for a folder that still holds something, which is the end of the way up.
        if fs::remove_dir(join(dir, above)).is_err() {
            return;
        }
        folder = above;
    }
}

/// A path in a folder from one with `/`.
pub(super) fn join(dir: &Path, path: &str) -> PathBuf {
    let mut full = dir.to_owned();
    full.extend(path.split('/'));
    full
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn files(dir: &Path) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let mut open = vec![dir.to_owned()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path
                    .strip_prefix(dir)
                    .unwrap()
                    .to_string_lossy()
                    .into_owned();
                if path.is_dir() {
                    found.insert(name, "folder".to_owned());
                    open.push(path);
                } else {
                    found.insert(name, fs::read_to_string(path).unwrap());
                }
            }
        }
        found
    }

    fn put(dir: &Path, path: &str, text: &str) {
        let full = join(dir, path);
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(full, text).unwrap();
    }

    /// A folder with a write that changes `a/1`, removes `a/2`, adds `a/new/3` and the folder `b`.
    fn begun() -> (TempDir, Staging, Moves) {
        let home = tempfile::tempdir().unwrap();
        put(home.path(), "a/1", "old");
        put(home.path(), "a/2", "gone");
        put(home.path(), "c/d/5", "gone");
        let mut moves = Moves::new(
            home.path(),
            vec!["a/1".into(), "a/2".into(), "c/d/5".into()],
            vec!["b".into()],
            vec!["a/1".into(), "a/new/deep/3".into()],
        );
        let staging = Staging::begin(home.path()).unwrap();
        for path in ["a/1", "a/new/deep/3", "b/4"] {
            put(&staging.fresh(), path, "new");
        }
        moves = moves.with_digests(&staging.fresh()).unwrap();
        (home, staging, moves)
    }

    /// Kills a process after so many moves there and, if the way back was begun, so many back; then
    /// the folder must be as it was.
    fn killed(there: usize, returned: usize) {
        let (home, staging, moves) = begun();
        let visible = |dir: &Path| {
            let mut found = files(dir);
            found.retain(|path, _| !path.starts_with('.'));
            found
        };
        let before = visible(home.path());
        let stage = staging.folder.path().to_owned();
        fs::write(stage.join(JOURNAL), serde_json::to_vec(&moves).unwrap()).unwrap();
        let first = |list: &[String], count: usize| list.iter().take(count).cloned().collect();
        let begun = Moves {
            displaced: first(&moves.displaced, there),
            folders: first(&moves.folders, there.saturating_sub(3)),
            files: first(&moves.files, there.saturating_sub(4)),
            ..Moves::default()
        };
        forward(home.path(), &stage, &begun).unwrap();
        if there == 6 {
            remove_empty_folders(home.path(), "c/d/5");
            assert!(!home.path().join("c").exists());
        }
        let undone = Moves {
            digests: moves.digests.clone().into_iter().take(returned).collect(),
            displaced: first(&moves.displaced, returned.saturating_sub(3)),
            ..Moves::default()
        };
        back(home.path(), &stage, &undone, &mut Vec::new()).unwrap();
        // A killed process lets go of its lock and deletes nothing.
        let mut staging = staging;
        staging.keep();
        drop(staging);
        let repair = recover(home.path()).unwrap();
        assert!(repair.undone && repair.kept.is_empty());
        assert_eq!(
            visible(home.path()),
            before,
            "{there} there, {returned} back"
        );
        assert!(!stage.exists() && !recover(home.path()).unwrap().undone);
    }

    #[test]
    fn whatever_step_was_the_last_everything_is_moved_back() {
        for there in 0..=6 {
            for returned in 0..=6 {
                killed(there, returned);
            }
        }
    }

    #[test]
    fn what_was_changed_since_is_not_overwritten() {
        let (home, mut staging, moves) = begun();
        let (dir, stage) = (home.path(), staging.folder.path().to_owned());
        assert!(stage.join(IGNORE).exists());
        fs::write(stage.join(JOURNAL), serde_json::to_vec(&moves).unwrap()).unwrap();
        forward(dir, &stage, &moves).unwrap();
        staging.keep();
        drop(staging);
        put(dir, "a/1", "edited");
        put(dir, "b/mine", "made");
        let repair = recover(dir).unwrap();
        assert_eq!(repair.kept, ["a/1"]);
        let found = files(dir);
        let text = |path: &str| found.get(path).map(String::as_str);
        assert_eq!(text("a/1"), Some("edited"));
        assert_eq!(text("a/2"), Some("gone"));
        assert_eq!(text("b/mine"), Some("made"));
        assert_eq!(text("b/4"), None);
        assert!(!stage.exists());
    }

    #[test]
    fn a_write_that_is_done_leaves_nothing_to_undo() {
        let (home, staging, moves) = begun();
        staging.carry_out(home.path(), moves, &[]).unwrap();
        let found = files(home.path());
        assert_eq!(found.get("a/1").map(String::as_str), Some("new"));
        assert_eq!(found.get("b/4").map(String::as_str), Some("new"));
        assert!(!found.contains_key("a/2") && !found.keys().any(|path| path.starts_with('.')));
        assert!(!recover(home.path()).unwrap().undone);
    }

    #[test]
    fn a_process_that_is_at_it_is_left_alone() {
        let (home, staging, moves) = begun();
        let stage = staging.folder.path().to_owned();
        assert!(matches!(clear(home.path(), &stage), Ok(Cleared::Alive)));
        tidy(home.path()).unwrap();
        assert!(stage.exists());
        let waiting = std::thread::spawn({
            let dir = home.path().to_owned();
            move || recover(&dir)
        });
        std::thread::sleep(PAUSE * 2);
        staging.carry_out(home.path(), moves, &[]).unwrap();
        assert!(
            !waiting.join().unwrap().unwrap().undone,
            "the write went on to its end"
        );
    }
}
