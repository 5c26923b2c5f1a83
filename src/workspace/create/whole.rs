//! A workspace that comes to be as a whole or not at all, even if the process is killed.
//!
//! It is made in a staging folder. Where the workspace's own folder does not exist yet, the staging
//! folder lies beside its place and is moved there in one step. Where the folder is there and empty
//! it may be the one in which somebody's shell stands, so it cannot be replaced: the staging folder
//! lies in it, what was made is moved out one by one, `alm.toml` last, and whoever makes a workspace
//! there next finishes what was cut off.

use std::io;
use std::path::Path;

use super::{CreateError, unwritable};
use crate::place::{Folder, Place};
use crate::staging_folder::{self, Found, StagingFolder};
use crate::workspace::FILE_NAME;

/// How the names of staging folders begin that lie beside the place.
const BESIDE: &str = ".alm-new-";
/// How the names of staging folders begin that lie in it.
const INSIDE: &str = ".alm-fill-";
/// Says what was made, once everything is.
const READY: &str = "ready";
/// What is made.
const MADE: &str = "workspace";

/// Makes a workspace at `dir`, which must be new or empty. `fill` writes it into the folder that it
/// is given; `what` says what it writes, for whoever has to finish it.
///
/// # Errors
/// When the folder holds something or cannot be written, and what `fill` returns: then nothing stays.
pub(super) fn make<E: From<CreateError>>(
    dir: &Path,
    what: &str,
    fill: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let place = Place::named(dir).map_err(unwritable(dir))?;
    match place.folder() {
        Ok(Some(folder)) => make_inside(&folder, what, fill),
        Ok(None) => place.within(
            |path, error| unwritable(path)(error).into(),
            |home, name| {
                let failed = |error| E::from(unwritable(dir)(error));
                for left in staging_folder::names(home, BESIDE).map_err(failed)? {
                    if let Found::Left(left) = staging_folder::look(home, &left).map_err(failed)? {
                        left.clear_away(home);
                    }
                }
                let staging = StagingFolder::begin(home, BESIDE).map_err(failed)?;
                staging.folder().create_dir(MADE).map_err(failed)?;
                fill(&staging.folder().shown(MADE))?;
                staging.folder().rename(MADE, home, name).map_err(failed)
            },
        ),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            Err(CreateError::NotAFolder(dir.to_owned()).into())
        }
        Err(error) => Err(unwritable(dir)(error).into()),
    }
}

fn make_inside<E: From<CreateError>>(
    folder: &Folder,
    what: &str,
    fill: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let failed = |error| E::from(unwritable(folder.path())(error));
    for left in staging_folder::names(folder, INSIDE).map_err(failed)? {
        let left = match staging_folder::look(folder, &left).map_err(failed)? {
            Found::Left(left) => left,
            Found::Gone => continue,
            Found::Alive => return Err(CreateError::NotEmpty(folder.path().to_owned()).into()),
        };
        let ready = left.folder().read_to_string(READY).ok();
        if ready.is_some() {
            move_out(left.folder(), folder).map_err(failed)?;
        }
        left.clear_away(folder);
        if ready.as_deref() == Some(what) {
            return Ok(());
        }
    }
    if folder.entries().map_err(failed)?.next().is_some() {
        return Err(CreateError::NotEmpty(folder.path().to_owned()).into());
    }
    let mut staging = StagingFolder::begin(folder, INSIDE).map_err(failed)?;
    staging.folder().create_dir(MADE).map_err(failed)?;
    fill(&staging.folder().shown(MADE))?;
    staging.folder().write(READY, what).map_err(failed)?;
    let moved = move_out(staging.folder(), folder);
    if moved.is_err() {
        // What is not moved out yet is here only.
        staging.stay();
    }
    moved.map_err(failed)
}

/// Moves everything that was made to where it belongs; `alm.toml`, by which others know a
/// workspace, last.
fn move_out(stage: &Folder, to: &Folder) -> io::Result<()> {
    let made = stage.folder(MADE)?;
    let mut names = Vec::new();
    for entry in made.entries()? {
        names.push(entry?.file_name());
    }
    names.sort_by_key(|name| name == FILE_NAME);
    for name in names {
        if to.symlink_metadata(&name).is_ok() {
            let message = format!("{} is there already", name.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
        }
        made.rename(&name, to, &name)?;
    }
    Ok(())
}
