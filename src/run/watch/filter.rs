//! Drops changes that are none: paths that nobody asked for, and files whose content is the same.
//!
//! Reading a file is an event on some systems, and editors write the same bytes again; comparing
//! content makes sure that one save is one run (rust-dependencies §8).

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::whole_file;

/// What a watch is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched {
    /// Single files; they need not exist.
    pub files: BTreeSet<PathBuf>,
    /// Folders with everything in them.
    pub folders: BTreeSet<PathBuf>,
    /// Names of files and folders that are never watched, with `*` for any text. What editors,
    /// git and this program write for themselves is among them already.
    pub ignore: Vec<String>,
}

/// Names that tools use for themselves.
const NEVER: [&str; 9] = [
    ".alm", ".git", "target", "*~", "*.swp", "*.swx", "*.tmp", ".#*", "#*#",
];

/// The content of a file as far as the filter cares; none for a file that is not there.
type Content = Option<[u8; 32]>;

/// Tells real changes from the rest.
pub(super) struct Filter {
    watched: Watched,
    known: HashMap<PathBuf, Content>,
    look: fn(&Path) -> Content,
}

impl Filter {
    /// A filter that knows what everything holds now.
    pub(super) fn new(watched: Watched) -> Self {
        Self::with(watched, look)
    }

    fn with(watched: Watched, look: fn(&Path) -> Content) -> Self {
        let mut filter = Self {
            watched: Watched::default(),
            known: HashMap::new(),
            look,
        };
        filter.watched.ignore.clone_from(&watched.ignore);
        filter.add(watched);
        filter
    }

    pub(super) fn watched(&self) -> &Watched {
        &self.watched
    }

    /// Watches more; what it holds now is no change.
    pub(super) fn add(&mut self, more: Watched) {
        for file in more.files {
            if self.watched.files.insert(file.clone()) && !self.known.contains_key(&file) {
                let content = (self.look)(&file);
                self.known.insert(file, content);
            }
        }
        for folder in more.folders {
            if self.watched.folders.insert(folder.clone()) {
                self.walk(&folder);
            }
        }
    }

    /// Those of `paths` that are watched and hold something else than when they were last seen.
    pub(super) fn changed(&mut self, paths: BTreeSet<PathBuf>) -> Vec<PathBuf> {
        let mut changed = Vec::new();
        for path in paths {
            if !self.is_watched(&path) {
                continue;
            }
            let now = (self.look)(&path);
            let before = self.known.insert(path.clone(), now).flatten();
            if now != before {
                changed.push(path);
            }
        }
        changed
    }

    fn is_watched(&self, path: &Path) -> bool {
        if self.watched.files.contains(path) {
            return true;
        }
        self.watched.folders.iter().any(|folder| {
            let inside = path.strip_prefix(folder).ok();
            inside.is_some_and(|inside| {
                inside
                    .components()
                    .all(|part| !self.ignores(&part.as_os_str().to_string_lossy()))
            })
        })
    }

    fn ignores(&self, name: &str) -> bool {
        let own = self.watched.ignore.iter().map(String::as_str);
        NEVER
            .into_iter()
            .chain(own)
            .any(|pattern| fits(pattern, name))
    }

    fn walk(&mut self, folder: &Path) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if self.ignores(&entry.file_name().to_string_lossy()) {
                continue;
            }
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.walk(&path),
                _ => {
                    let content = (self.look)(&path);
                    self.known.insert(path, content);
                }
            }
        }
    }
}

fn look(path: &Path) -> Content {
    let mut file = whole_file::open_regular(path).ok()?;
    let mut digest = Sha256::new();
    std::io::copy(&mut file, &mut digest).ok()?;
    Some(digest.finalize().into())
}

/// Whether `name` is what `pattern` says, `*` standing for any text.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            let ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            let mut ends = ends;
            ends.any(|at| fits(rest, &name[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(paths: &[&Path]) -> BTreeSet<PathBuf> {
        paths.iter().map(|path| path.to_path_buf()).collect()
    }

    #[test]
    fn only_other_content_is_a_change_and_only_once() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.rhai");
        std::fs::write(&file, "1").unwrap();
        let watched = Watched {
            folders: set(&[dir.path()]),
            ..Watched::default()
        };
        let mut filter = Filter::new(watched);
        assert!(filter.changed(set(&[&file])).is_empty());
        std::fs::write(&file, "2").unwrap();
        assert_eq!(filter.changed(set(&[&file])), std::slice::from_ref(&file));
        assert!(filter.changed(set(&[&file])).is_empty());
        std::fs::remove_file(&file).unwrap();
        assert_eq!(filter.changed(set(&[&file])), std::slice::from_ref(&file));
        let new = dir.path().join("deep/new.rhai");
        std::fs::create_dir(new.parent().unwrap()).unwrap();
        std::fs::write(&new, "").unwrap();
        assert_eq!(filter.changed(set(&[&new, new.parent().unwrap()])), [new]);
    }

    #[test]
    fn what_nobody_asked_for_is_no_change() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let watched = Watched {
            files: set(&[&at("alm.toml")]),
            folders: set(&[&at("scripts")]),
            ignore: vec!["*.log".into()],
        };
        let mut filter = Filter::new(watched);
        for name in [
            "alm.toml",
            "other",
            "scripts/a",
            "scripts/x.log",
            "scripts/.a.swp",
            "scripts/.git/a",
        ] {
            std::fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            std::fs::write(at(name), "x").unwrap();
        }
        let all = [
            "alm.toml",
            "other",
            "scripts/a",
            "scripts/x.log",
            "scripts/.a.swp",
            "scripts/.git/a",
        ];
        let all = all.iter().map(|name| at(name)).collect();
        assert_eq!(filter.changed(all), [at("alm.toml"), at("scripts/a")]);
    }
}
