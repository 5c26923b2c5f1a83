//! What a write moves, there and back.

use std::collections::BTreeMap;
use std::io;

use cap_std::fs::Dir;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{BACKUP, FRESH};
use crate::place::{Folder, exchange};
use crate::solution::PackageError;

/// What is moved into and out of a folder. All paths are relative to it, with `/`.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(in crate::solution) struct Moves {
    /// Files that give way.
    pub displaced: Vec<String>,
    /// Folders that do not exist yet and are moved into place as a whole.
    pub folders: Vec<String>,
    /// Files that are moved into place one by one.
    pub files: Vec<String>,
    /// Files that are there and are replaced.
    #[serde(default)]
    pub replaced: Vec<String>,
    /// Folders that are made for these files, upper ones first.
    pub(super) made: Vec<String>,
    /// The SHA-256 of every new file, those in new folders too.
    #[serde(default)]
    pub(super) digests: BTreeMap<String, String>,
}

/// A file that stays as it is, since it has changed after it was written, and where in the staging
/// folder the one lies that it replaced.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Changed {
    pub path: String,
    pub before: Option<String>,
}

impl Moves {
    /// Moves into `dir`: what gives way, new folders, new files, and files that replace others.
    pub fn new(
        dir: &Folder,
        displaced: Vec<String>,
        folders: Vec<String>,
        files: Vec<String>,
        replaced: Vec<String>,
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
                if !dir.exists(&folder[..end]) {
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
            replaced,
            made,
            digests: BTreeMap::new(),
        }
    }

    /// Notes the digest of every file below `fresh`.
    pub(super) fn with_digests(mut self, fresh: &Folder) -> io::Result<Self> {
        let mut files = Vec::new();
        files_below(fresh, "", &mut files)?;
        self.digests = files
            .into_par_iter()
            .map(|path| {
                let digest = digest(fresh, &path)?;
                Ok((path, digest))
            })
            .collect::<io::Result<_>>()?;
        Ok(self)
    }

    /// Moves what gives way into the backup and what is new into its place.
    pub(super) fn forward(&self, dir: &Folder, stage: &Folder) -> Result<(), PackageError> {
        let inside = |top: &str, path: &str| format!("{top}/{path}");
        let failed = |path: &str| {
            let place = dir.shown(path);
            move |e| PackageError::io("move into place", &place, e)
        };
        for path in &self.displaced {
            let to = inside(BACKUP, path);
            make_parent(stage, &to)
                .and_then(|()| dir.rename(path, stage, &to))
                .map_err(failed(path))?;
        }
        for path in &self.folders {
            stage
                .rename(inside(FRESH, path), dir, path)
                .map_err(failed(path))?;
        }
        for path in &self.files {
            make_parent(dir, path)
                .and_then(|()| stage.rename(inside(FRESH, path), dir, path))
                .map_err(failed(path))?;
        }
        for path in &self.replaced {
            let from = inside(FRESH, path);
            let done = match exchange(stage, &from, dir, path) {
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                    let to = inside(BACKUP, path);
                    make_parent(stage, &to)
                        .and_then(|()| dir.rename(path, stage, &to))
                        .and_then(|()| stage.rename(&from, dir, path))
                }
                done => done,
            };
            done.map_err(failed(path))?;
        }
        Ok(())
    }

    /// Moves everything back, wherever [`Moves::forward`] or an earlier attempt to move back had
    /// stopped. What is where is read from the disk: a staged file has the digest of the new one as
    /// long as it was not changed for the old one, and what gave way lies in the backup. What has
    /// changed in its place since stays there, and is returned.
    pub(super) fn back(&self, dir: &Folder, stage: &Folder) -> io::Result<Vec<Changed>> {
        let mut changed = Vec::new();
        for (path, written) in &self.digests {
            let staged = format!("{FRESH}/{path}");
            let is_staged = stage.symlink_metadata(&staged).is_ok();
            if is_staged && digest(stage, &staged)? == *written {
                continue;
            }
            // Somebody may have taken it away since, or put something else there.
            let there = dir.symlink_metadata(path).ok();
            let is_ours =
                there.as_ref().is_some_and(|meta| meta.is_file()) && digest(dir, path)? == *written;
            match (is_staged, there.is_some()) {
                // What was there before, which goes back over ours in one step.
                (true, false) => {
                    make_parent(dir, path)?;
                    stage.rename(&staged, dir, path)?;
                }
                (true, true) if is_ours => stage.rename(&staged, dir, path)?,
                (true, true) => changed.push(Changed {
                    path: path.clone(),
                    before: Some(staged),
                }),
                (false, true) if is_ours => {
                    make_parent(stage, &staged)?;
                    dir.rename(path, stage, &staged)?;
                }
                // An earlier attempt has moved the old one back.
                (false, true) if self.was_returned(stage, path) => {}
                (false, true) => changed.push(Changed {
                    path: path.clone(),
                    before: None,
                }),
                (false, false) => {}
            }
        }
        for path in self.displaced.iter().chain(&self.replaced) {
            let old = format!("{BACKUP}/{path}");
            if stage.symlink_metadata(&old).is_err() {
                continue;
            }
            if dir.symlink_metadata(path).is_ok() {
                match changed.iter_mut().find(|change| change.path == *path) {
                    Some(change) => change.before = Some(old),
                    None => changed.push(Changed {
                        path: path.clone(),
                        before: Some(old),
                    }),
                }
                continue;
            }
            make_parent(dir, path)?;
            stage.rename(&old, dir, path)?;
        }
        // Folders go as far as they hold nothing: not if they were not made after all, or if
        // somebody has put something there since.
        for folder in self.made.iter().rev() {
            let _ = dir.remove_dir(folder);
        }
        for path in self.digests.keys() {
            let top = path.split('/').next().unwrap_or_default();
            if self.folders.iter().any(|folder| folder == top) {
                remove_empty_folders(dir, path);
            }
        }
        Ok(changed)
    }

    /// Whether a file that replaced another is no longer staged because the old one went back.
    fn was_returned(&self, stage: &Folder, path: &str) -> bool {
        self.replaced.iter().any(|replaced| replaced == path)
            && stage.symlink_metadata(format!("{BACKUP}/{path}")).is_err()
    }
}

/// The relative paths of all files below a folder.
fn files_below(folder: &Dir, prefix: &str, found: &mut Vec<String>) -> io::Result<()> {
    for entry in folder.entries()? {
        let entry = entry?;
        // Our own names, which are text.
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = match prefix {
            "" => name,
            prefix => format!("{prefix}/{name}"),
        };
        if entry.file_type()?.is_dir() {
            files_below(&entry.open_dir()?, &path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

fn digest(dir: &Dir, path: &str) -> io::Result<String> {
    Ok(format!("{:x}", Sha256::digest(dir.read(path)?)))
}

fn make_parent(dir: &Dir, path: &str) -> io::Result<()> {
    match path.rsplit_once('/') {
        // Mostly it is there, and asking costs less than making.
        Some((folder, _)) if !dir.is_dir(folder) => dir.create_dir_all(folder),
        _ => Ok(()),
    }
}

/// Removes the folders above a deleted file as far as they are empty.
pub(super) fn remove_empty_folders(dir: &Dir, path: &str) {
    let mut folder = path;
    while let Some((above, _)) = folder.rsplit_once('/') {
        // Fails for a folder that still holds something, which is the end of the way up.
        if dir.remove_dir(above).is_err() {
            return;
        }
        folder = above;
    }
}
