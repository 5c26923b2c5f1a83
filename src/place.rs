//! Where something is written: a name in a folder that is held open.
//!
//! Between the moment in which a path is looked at and the moment in which a file is written there,
//! somebody can put a link in the place of a folder. What is done through a [`Place`] is done in the
//! folder that was looked at, wherever its name leads by now, and nothing that lies in it leads out
//! of it: `cap-std` asks the system to resolve each name beneath the folder that is held.

use std::fmt;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use cap_fs_ext::DirExt;
use cap_std::ambient_authority;
use cap_std::fs::Dir;

/// A folder that is held open, and what it was called when it was opened.
#[derive(Debug)]
pub struct Folder {
    dir: Dir,
    path: PathBuf,
}

impl Folder {
    /// Opens a folder that a person named; links are followed, as any program does.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn named(path: &Path) -> io::Result<Self> {
        Ok(Self {
            dir: Dir::open_ambient_dir(path, ambient_authority())?,
            path: path.to_owned(),
        })
    }

    /// Opens a folder in this one by one name. A link is refused.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn folder(&self, name: &str) -> io::Result<Self> {
        Ok(Self {
            dir: self.dir.open_dir_nofollow(name)?,
            path: self.path.join(name),
        })
    }

    /// Opens a file in this folder for reading, by a name with `/` between its parts.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn open_file(&self, name: &str) -> io::Result<std::fs::File> {
        Ok(self.dir.open(name)?.into_std())
    }

    /// What the folder was called when it was opened, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What a name in the folder is called, with `/` between its parts, for messages.
    pub fn shown(&self, name: &str) -> PathBuf {
        let mut full = self.path.clone();
        full.extend(name.split('/'));
        full
    }
}

impl Deref for Folder {
    type Target = Dir;

    fn deref(&self) -> &Dir {
        &self.dir
    }
}

/// A name in a folder that is held open; what has the name, and folders above it, may be missing.
pub struct Place {
    /// The deepest folder above that exists.
    above: Folder,
    /// The folders that are missing below it.
    missing: Vec<String>,
    name: String,
    path: PathBuf,
    /// Whether a person named it, who may have links.
    named: bool,
}

impl Place {
    /// A place that a person named; links on the way are followed, as any program does.
    ///
    /// # Errors
    ///
    /// Those of the file system, and [`io::ErrorKind::InvalidInput`] for a name that is no text.
    pub fn named(path: &Path) -> io::Result<Self> {
        let text = |name: &std::ffi::OsStr| {
            let name = name.to_str().map(str::to_owned);
            name.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it is not Unicode"))
        };
        // `.` and `/` have no name, and are folders that are there.
        let name = path.file_name().map_or(Ok(String::new()), text)?;
        let parent = if name.is_empty() {
            Some(path)
        } else {
            path.parent()
        };
        let mut missing = Vec::new();
        let mut parent = parent.filter(|parent| !parent.as_os_str().is_empty());
        let above = loop {
            let at = parent.unwrap_or_else(|| Path::new("."));
            match (Folder::named(at), at.file_name()) {
                (Err(error), Some(name)) if error.kind() == io::ErrorKind::NotFound => {
                    missing.push(text(name)?);
                    parent = at.parent().filter(|above| !above.as_os_str().is_empty());
                }
                (found, _) => break found?,
            }
        };
        missing.reverse();
        Ok(Self {
            above,
            missing,
            name,
            path: path.to_owned(),
            named: true,
        })
    }

    /// A place below `root`, by the names that lead to it. No link is followed on the way, so links
    /// must have been resolved before.
    ///
    /// # Errors
    ///
    /// Those of the file system; a link on the way is none of a folder.
    pub fn beneath(root: &Path, parts: &[String]) -> io::Result<Self> {
        let (name, folders) = parts.split_last().ok_or(io::ErrorKind::InvalidInput)?;
        let mut above = Folder::named(root)?;
        let mut folders = folders.iter();
        let mut missing = Vec::new();
        while let Some(folder) = folders.next() {
            match above.folder(folder) {
                Ok(found) => above = found,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    missing.push(folder.clone());
                    missing.extend(folders.by_ref().cloned());
                }
                Err(error) => return Err(error),
            }
        }
        let mut path = root.to_owned();
        path.extend(parts);
        Ok(Self {
            above,
            missing,
            name: name.clone(),
            path,
            named: false,
        })
    }

    /// What the place was called, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that is at the place, if there is one.
    ///
    /// # Errors
    ///
    /// Those of the file system; something else that is there is no folder.
    pub fn folder(&self) -> io::Result<Option<Folder>> {
        if !self.missing.is_empty() {
            return Ok(None);
        }
        let found = if self.named {
            Folder::named(&self.path)
        } else {
            self.above.folder(&self.name)
        };
        match found {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            found => found.map(Some),
        }
    }

    /// Does something in the folder that holds the name, given that folder and the name. Folders are
    /// made for it, and taken away again if it fails.
    ///
    /// # Errors
    ///
    /// What `work` returns, and what `failed` makes of an error of the file system.
    pub fn within<T, E>(
        &self,
        failed: impl Fn(&Path, io::Error) -> E,
        work: impl FnOnce(&Folder, &str) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut made: Vec<Folder> = Vec::new();
        let outcome = self.missing.iter().try_for_each(|name| {
            let above = made.last().unwrap_or(&self.above);
            let shown = above.path.join(name);
            let opened = match above.create_dir(name) {
                // Another process may be making the same folders.
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _ => above.folder(name),
            };
            made.push(opened.map_err(|error| failed(&shown, error))?);
            Ok(())
        });
        let outcome =
            outcome.and_then(|()| work(made.last().unwrap_or(&self.above), self.name.as_str()));
        if outcome.is_err() {
            while made.pop().is_some() {
                let above = made.last().unwrap_or(&self.above);
                // What somebody has put there in the meantime stays.
                let _ = above.remove_dir(&self.missing[made.len()]);
            }
        }
        outcome
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").field(&self.path).finish()
    }
}

/// Changes what has two names for each other, in one step. Both names have `/` between their parts.
///
/// # Errors
///
/// Those of the file system; [`io::ErrorKind::Unsupported`] where it cannot do that.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
pub fn exchange(one: &Dir, first: &str, other: &Dir, second: &str) -> io::Result<()> {
    use rustix::fs::{RenameFlags, renameat_with};
    // Each name in the folder that holds it, so that no link is followed on the way to it.
    let held = |dir: &Dir, path: &str| match path.rsplit_once('/') {
        None => Ok((dir.try_clone()?, path.to_owned())),
        Some((folders, name)) => Ok::<_, io::Error>((dir.open_dir(folders)?, name.to_owned())),
    };
    let ((one, first), (other, second)) = (held(one, first)?, held(other, second)?);
    match renameat_with(&one, first, &other, second, RenameFlags::EXCHANGE) {
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {
            Err(io::ErrorKind::Unsupported.into())
        }
        done => Ok(done?),
    }
}

/// Changes what has two names for each other: not here.
///
/// # Errors
///
/// [`io::ErrorKind::Unsupported`].
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
pub fn exchange(_: &Dir, _: &str, _: &Dir, _: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(_: &Path, error: io::Error) -> io::Error {
        error
    }

    #[test]
    fn folders_are_made_for_a_place_and_taken_away_when_it_comes_to_nothing() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path();
        let parts: Vec<String> = ["a", "b", "c.txt"].map(str::to_owned).to_vec();
        for place in [
            Place::named(&root.join("a/b/c.txt")).unwrap(),
            Place::beneath(root, &parts).unwrap(),
        ] {
            assert!(place.folder().unwrap().is_none());
            let none: io::Result<()> = place.within(failed, |_, _| Err(io::Error::other("no")));
            assert!(none.is_err() && !root.join("a").exists());
            place
                .within(failed, |folder, name| folder.write(name, "text"))
                .unwrap();
            assert_eq!(std::fs::read(root.join("a/b/c.txt")).unwrap(), b"text");
            std::fs::remove_dir_all(root.join("a")).unwrap();
        }
        assert!(Place::named(Path::new(".")).unwrap().folder().is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_made_after_the_look_changes_nothing() {
        use std::os::unix::fs::symlink;
        let home = tempfile::tempdir().unwrap();
        let root = home.path();
        for folder in ["out", "scripts"] {
            std::fs::create_dir(root.join(folder)).unwrap();
        }
        let parts: Vec<String> = ["out", "deep", "x.rhai"].map(str::to_owned).to_vec();
        let place = Place::beneath(root, &parts).unwrap();
        std::fs::rename(root.join("out"), root.join("aside")).unwrap();
        symlink("scripts", root.join("out")).unwrap();
        place
            .within(failed, |folder, name| folder.write(name, "text"))
            .unwrap();
        assert!(root.join("aside/deep/x.rhai").exists());
        assert!(!root.join("scripts/deep").exists());
        assert!(Place::beneath(root, &parts).is_err(), "it is a link by now");
        // A person who has links means what they lead to.
        let named = Place::named(&root.join("out/x.rhai")).unwrap();
        named
            .within(failed, |folder, name| folder.write(name, "text"))
            .unwrap();
        assert!(root.join("scripts/x.rhai").exists());
    }
}
