//! Source trees on disk: reading a folder, and writing into one so that all or nothing changes.
//!
//! What is to be done is planned first; `staging.rs` does it. Files with the same bytes are not
//! touched, so their times stay.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;
use cap_fs_ext::DirExt;
use cap_std::fs::{Dir, Metadata};
use rayon::prelude::*;
use serde::Serialize;

use super::layout;
use super::limits;
use super::names;
use super::staging::{self, Kept, Moves, Staging};
use super::{Finding, Limits, PackageError, SourceTree};
use crate::place::{Folder, Place};
use crate::portable_path::{DotNames, UnsafePath, hide_dots};

/// The code of what is told of a write that was cut off.
const UNDONE: &str = "ALM-P142";

/// How [`SourceTree::write_to_dir`] treats what is already there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// Delete files in the known folders that the tree does not have. Dot files and files
    /// elsewhere are never deleted.
    pub delete_unneeded: bool,
    /// Replace read-only files too.
    pub overwrite_read_only: bool,
    /// Change nothing; only report what would be done.
    pub dry_run: bool,
    /// Files that are never deleted although the tree does not have them, such as the copies of
    /// mapped files.
    pub keep: BTreeSet<String>,
}

/// Undoes a write into a folder that was cut off, because its process was killed, and tells it.
/// What somebody has changed since stays as it is. Reading and writing the folder do the same, and
/// cannot tell.
///
/// # Errors
///
/// [`PackageError::Busy`], [`PackageError::Io`].
pub fn repair(dir: &Path) -> Result<Vec<Finding>, PackageError> {
    match Folder::named(dir) {
        Ok(folder) => repair_in(&folder),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(PackageError::io("list", dir, error)),
    }
}

/// As [`repair`], for a folder that is held open.
///
/// # Errors
///
/// As [`repair`].
pub fn repair_in(folder: &Folder) -> Result<Vec<Finding>, PackageError> {
    let repair = staging::recover(folder)?;
    let mut findings = Vec::new();
    if repair.undone {
        let message = "an earlier write into this folder was cut off; it has been undone";
        let folder = folder.path().display().to_string();
        findings.push(Finding::warning(UNDONE, folder, message.to_owned()));
    }
    for Kept { path, before } in repair.kept {
        let stays = "the file has changed since the write that was cut off, so it stays as it is";
        let message = match before {
            Some(before) => format!("{stays}; what it was before that write is in {before}"),
            None => stays.to_owned(),
        };
        findings.push(Finding::warning(UNDONE, path, message));
    }
    Ok(findings)
}

/// What writing a tree did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WriteReport {
    /// Files that are new or have other bytes.
    pub written: Vec<String>,
    /// How many files were already as they should be.
    pub unchanged: usize,
    /// Files that the tree does not have and that were deleted.
    pub deleted: Vec<String>,
    /// Files that the tree does not have and that were left.
    pub unneeded: Vec<String>,
}

impl SourceTree {
    /// Reads a folder with the default [`Limits`]; dot files and dot folders are left out, but for
    /// files of components that other packagers have called so (a role `.NET Developers`).
    ///
    /// A write that was cut off, because its process was killed, is undone first.
    ///
    /// # Errors
    ///
    /// [`PackageError::Io`], [`PackageError::Link`], [`PackageError::UnsafeName`],
    /// [`PackageError::Limit`], [`PackageError::Busy`].
    pub fn from_dir(dir: &Path) -> Result<Self, PackageError> {
        Self::from_dir_within(dir, &Limits::default())
    }

    /// Reads a folder with limits of your own.
    ///
    /// # Errors
    ///
    /// As [`SourceTree::from_dir`].
    pub fn from_dir_within(dir: &Path, limits: &Limits) -> Result<Self, PackageError> {
        let folder = Folder::named(dir).map_err(|e| PackageError::io("list", dir, e))?;
        Self::from_folder(&folder, limits)
    }

    /// Reads a folder that is held open.
    ///
    /// # Errors
    ///
    /// As [`SourceTree::from_dir`].
    pub fn from_folder(folder: &Folder, limits: &Limits) -> Result<Self, PackageError> {
        staging::recover(folder)?;
        let mut found = Vec::new();
        walk(folder, folder, "", &mut found)?;
        check_limits(folder.path(), &found, limits)?;
        found
            .into_par_iter()
            .map(|file| {
                let data = read(folder, &file.on_disk, limits)?;
                Ok((file.path, Bytes::from(data)))
            })
            .collect::<Result<Vec<_>, PackageError>>()?
            .into_iter()
            .try_fold(Self::new(), |mut tree, (path, data)| {
                tree.insert(path, data)?;
                Ok(tree)
            })
    }

    /// Writes the tree into a folder: only what changed is touched, and either everything is
    /// written or the folder stays as it was. A write before it that was cut off is undone first.
    ///
    /// The folder is created if it does not exist.
    ///
    /// # Errors
    ///
    /// [`PackageError::ReadOnly`] before anything is changed, [`PackageError::Link`] if the folder
    /// holds a link where a file belongs, [`PackageError::Busy`], [`PackageError::Io`].
    pub fn write_to_dir(
        &self,
        dir: &Path,
        options: &WriteOptions,
    ) -> Result<WriteReport, PackageError> {
        let place = Place::named(dir).map_err(|e| PackageError::io("open", dir, e))?;
        self.write_to(&place, options)
    }

    /// Writes the tree as [`SourceTree::write_to_dir`] does, at a place that is held open.
    ///
    /// # Errors
    ///
    /// As [`SourceTree::write_to_dir`].
    pub fn write_to(
        &self,
        place: &Place,
        options: &WriteOptions,
    ) -> Result<WriteReport, PackageError> {
        let folder = place.folder();
        let folder = folder.map_err(|e| PackageError::io("list", place.path(), e))?;
        if let Some(folder) = &folder {
            staging::recover(folder)?;
        }
        let plan = Plan::make(self, folder.as_ref(), options)?;
        if !options.dry_run {
            match &folder {
                Some(folder) => plan.carry_out(self, folder)?,
                None => plan.create(self, place)?,
            }
        }
        Ok(plan.report)
    }
}

/// A file met on disk.
pub(super) struct Found {
    /// Relative path with `/`, as in a tree.
    pub path: String,
    /// The path as it is called on disk; another one only if it begins with a dot there.
    pub on_disk: String,
    /// Bytes.
    pub size: u64,
    read_only: bool,
}

/// Lists the files below `dir`, without dot files and dot folders that no component has. A link is an
/// error, and so is what is no regular file: a pipe would be waited for, a device never ends.
fn walk(
    home: &Folder,
    dir: &Dir,
    prefix: &str,
    found: &mut Vec<Found>,
) -> Result<(), PackageError> {
    let below = |name: &str| match prefix {
        "" => name.to_owned(),
        prefix => format!("{prefix}/{name}"),
    };
    let failed = |doing, path: &str| {
        let path = match path {
            "" => home.path().to_owned(),
            path => home.shown(path),
        };
        move |e| PackageError::io(doing, &path, e)
    };
    let mut hidden = Vec::new();
    for entry in dir.entries().map_err(failed("list", prefix))? {
        let entry = entry.map_err(failed("list", prefix))?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            return Err(PackageError::UnsafeName {
                entry: home
                    .shown(&below(&name.to_string_lossy()))
                    .display()
                    .to_string(),
                reason: UnsafePath::NotUnicode,
            });
        };
        if name.starts_with('.') {
            hidden.push((name.to_owned(), entry));
            continue;
        }
        let path = below(name);
        // Metadata of the entry itself, so that a link shows as a link.
        let meta = entry.metadata().map_err(failed("inspect", &path))?;
        if meta.is_symlink() {
            return Err(PackageError::Link { path });
        }
        if meta.is_dir() {
            let inner = dir.open_dir_nofollow(name).map_err(failed("list", &path))?;
            walk(home, &inner, &path, found)?;
        } else if meta.is_file() {
            found.push(Found::new(path, &meta));
        } else {
            return Err(PackageError::NotAFile { path });
        }
    }
    for (name, entry) in &hidden {
        let of_component = layout::is_known_folder(prefix.split('/').next().unwrap_or_default())
            && (is_xml(dir, name)
                || hidden
                    .iter()
                    .any(|(beside, _)| beside.strip_prefix(name.as_str()) == Some(".data.xml")));
        let Some(meta) = entry
            .metadata()
            .ok()
            .filter(|meta| of_component && meta.is_file())
        else {
            continue;
        };
        found.push(Found {
            path: below(&hide_dots(name)),
            ..Found::new(below(name), &meta)
        });
    }
    Ok(())
}

impl Found {
    fn new(path: String, meta: &Metadata) -> Self {
        Self {
            on_disk: path.clone(),
            path,
            size: meta.len(),
            read_only: meta.permissions().readonly(),
        }
    }
}

/// Whether a regular file begins as XML does, whatever its name says: the file of a role called
/// `.NET Developers` has no other ending (facts §4).
fn is_xml(dir: &Dir, name: &str) -> bool {
    let mut first = [0; 4];
    let is_file = dir.symlink_metadata(name).is_ok_and(|meta| meta.is_file());
    let length = if is_file {
        dir.open(name).and_then(|mut file| file.read(&mut first))
    } else {
        Ok(0)
    };
    let first = &first[..length.unwrap_or_default()];
    first
        .strip_prefix("\u{feff}".as_bytes())
        .unwrap_or(first)
        .starts_with(b"<")
}

/// The bytes of a regular file, which may have grown since it was listed, but not past the limit.
fn read(dir: &Folder, path: &str, limits: &Limits) -> Result<Vec<u8>, PackageError> {
    let failed = |e| PackageError::io("read", &dir.shown(path), e);
    let file = dir.open(path).map_err(failed)?;
    let mut data = Vec::with_capacity(
        usize::try_from(
            file.metadata()
                .map_err(failed)?
                .len()
                .min(limits.part_bytes),
        )
        .unwrap_or_default(),
    );
    file.take(limits.part_bytes.saturating_add(1))
        .read_to_end(&mut data)
        .map_err(failed)?;
    if data.len() as u64 > limits.part_bytes {
        return Err(PackageError::Limit {
            subject: dir.shown(path).display().to_string(),
            limit: limits::FILE,
            found: data.len() as u64,
            allowed: limits.part_bytes,
        });
    }
    Ok(data)
}

fn check_limits(dir: &Path, found: &[Found], limits: &Limits) -> Result<(), PackageError> {
    let refuse = |subject: &str, limit, found, allowed| {
        Err(PackageError::Limit {
            subject: subject.to_owned(),
            limit,
            found,
            allowed,
        })
    };
    if found.len() as u64 > limits.entries {
        let dir = dir.display().to_string();
        return refuse(&dir, limits::FILES, found.len() as u64, limits.entries);
    }
    let mut total = 0u64;
    for file in found {
        if file.size > limits.part_bytes {
            return refuse(&file.path, limits::FILE, file.size, limits.part_bytes);
        }
        total = total.saturating_add(file.size);
    }
    if total > limits.total_bytes {
        let dir = dir.display().to_string();
        return refuse(&dir, limits::ALL_FILES, total, limits.total_bytes);
    }
    Ok(())
}

/// The last gate before the disk: whatever made the tree, each of its paths may be written, and no
/// two of them are one file.
fn check_names(tree: &SourceTree) -> Result<(), PackageError> {
    let mut folded: HashMap<String, &str> = HashMap::with_capacity(tree.len());
    for path in tree.paths() {
        names::check(path, DotNames::Refused)?;
        if let Some(first) = folded.insert(names::fold(path), path) {
            return Err(PackageError::Collision {
                first: first.to_owned(),
                second: path.to_owned(),
            });
        }
    }
    Ok(())
}

/// What is to be done to a folder, decided before anything is touched.
struct Plan {
    /// Files to place, as in the report.
    report: WriteReport,
    /// Files on disk that give way: unneeded ones, ones with another letter case.
    displaced: Vec<String>,
    /// Files on disk that get other bytes.
    replaced: BTreeSet<String>,
    /// Top-level folders that do not exist yet; each is moved into place as a whole.
    new_folders: BTreeSet<String>,
}

impl Plan {
    /// What is to be done in `dir`, or where there is no folder yet.
    fn make(
        tree: &SourceTree,
        dir: Option<&Folder>,
        options: &WriteOptions,
    ) -> Result<Self, PackageError> {
        check_names(tree)?;
        let tops: BTreeSet<&str> = tree
            .paths()
            .filter_map(|path| path.split_once('/').map(|(top, _)| top))
            .collect();
        let (present, existing) = match dir {
            Some(dir) => existing_files(dir, &tops, |name| tree.get(name).is_some())?,
            None => Default::default(),
        };
        let by_fold: BTreeMap<String, &Found> = existing
            .iter()
            .map(|file| (names::fold(&file.path), file))
            .collect();
        let files = tree.files();
        let changed = files
            .par_iter()
            .map(|(path, data)| {
                let Some(file) = by_fold.get(&names::fold(path)) else {
                    return Ok(Some((path, None)));
                };
                if let Some(dir) = dir
                    && file.on_disk == **path
                    && same(dir, path, file.size, data)?
                {
                    return Ok(None);
                }
                Ok(Some((path, Some(*file))))
            })
            .collect::<Result<Vec<_>, PackageError>>()?;
        let mut report = WriteReport::default();
        let (mut displaced, mut locked) = (Vec::new(), Vec::new());
        let mut replaced = BTreeSet::new();
        for outcome in changed {
            match outcome {
                None => report.unchanged += 1,
                Some((path, old)) => {
                    report.written.push(path.to_string());
                    if let Some(old) = old {
                        if old.on_disk == **path {
                            replaced.insert(path.to_string());
                        } else {
                            displaced.push(old.on_disk.clone());
                        }
                        if old.read_only && !options.overwrite_read_only {
                            locked.push(old.on_disk.clone());
                        }
                    }
                }
            }
        }
        let wanted: BTreeSet<String> = tree.paths().map(names::fold).collect();
        for file in existing
            .iter()
            .filter(|file| !wanted.contains(&names::fold(&file.path)))
        {
            if options.keep.contains(&file.path) {
                continue;
            }
            if !options.delete_unneeded {
                report.unneeded.push(file.on_disk.clone());
            } else {
                report.deleted.push(file.on_disk.clone());
                displaced.push(file.on_disk.clone());
                if file.read_only && !options.overwrite_read_only {
                    locked.push(file.on_disk.clone());
                }
            }
        }
        if !locked.is_empty() && !options.dry_run {
            return Err(PackageError::ReadOnly { paths: locked });
        }
        let new_folders = tops
            .into_iter()
            .filter(|top| !present.contains(&names::fold(top)))
            .map(str::to_owned)
            .collect();
        Ok(Self {
            report,
            displaced,
            replaced,
            new_folders,
        })
    }

    fn carry_out(&self, tree: &SourceTree, dir: &Folder) -> Result<(), PackageError> {
        if self.report.written.is_empty() && self.displaced.is_empty() {
            return Ok(());
        }
        let staging = Staging::begin(dir)?;
        self.stage(tree, &staging.fresh()?)?;
        let one_by_one = |path: &&String| {
            let top = path.split_once('/').map_or("", |(top, _)| top);
            !self.new_folders.contains(top) && !self.replaced.contains(*path)
        };
        let new = self.report.written.iter().filter(one_by_one);
        let moves = Moves::new(
            dir,
            self.displaced.clone(),
            self.new_folders.iter().cloned().collect(),
            new.cloned().collect(),
            self.replaced.iter().cloned().collect(),
        );
        staging.carry_out(moves, &self.report.deleted)
    }

    /// Makes a folder that does not exist: staged beside its place and moved there in one step.
    fn create(&self, tree: &SourceTree, place: &Place) -> Result<(), PackageError> {
        let failed = |path: &Path, e| PackageError::io("create", path, e);
        place.within(failed, |home, name| {
            staging::tidy(home)?;
            let staging = Staging::begin(home)?;
            self.stage(tree, &staging.fresh()?)?;
            staging.become_folder(name)
        })
    }

    /// Writes all new bytes below the staging folder.
    fn stage(&self, tree: &SourceTree, fresh: &Folder) -> Result<(), PackageError> {
        let mut by_folder: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
        for path in &self.report.written {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            by_folder.entry(folder).or_default().push((name, path));
        }
        for (folder, files) in by_folder {
            // Each file by its name in a folder that is open, which is quicker than by its path.
            let opened = match folder {
                "" => fresh.try_clone(),
                folder => fresh
                    .create_dir_all(folder)
                    .and_then(|()| fresh.open_dir(folder)),
            };
            let home = opened.map_err(|e| PackageError::io("create", &fresh.shown(folder), e))?;
            files
                .par_iter()
                .with_min_len(16)
                .try_for_each(|(name, path)| {
                    let data = tree.get(path).unwrap_or_default();
                    home.write(name, data)
                        .map_err(|e| PackageError::io("write", &fresh.shown(path), e))
                })?;
        }
        Ok(())
    }
}

/// Lists what is in the folders that belong to a solution: which of its top-level entries exist
/// (folded), and the files.
pub(super) fn existing_files(
    dir: &Folder,
    tops: &BTreeSet<&str>,
    is_ours: impl Fn(&str) -> bool,
) -> Result<(BTreeSet<String>, Vec<Found>), PackageError> {
    let mut present = BTreeSet::new();
    let mut existing = Vec::new();
    let failed = |e| PackageError::io("list", dir.path(), e);
    let tops: BTreeSet<String> = tops.iter().map(|top| names::fold(top)).collect();
    for entry in dir.entries().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let folded = names::fold(name);
        let ours = tops.contains(&folded) || layout::is_known_folder(name);
        let meta = entry
            .metadata()
            .map_err(|e| PackageError::io("inspect", &dir.shown(name), e))?;
        if ours && meta.is_symlink() {
            return Err(PackageError::Link {
                path: name.to_owned(),
            });
        }
        if ours && meta.is_dir() {
            let inner = dir.open_dir_nofollow(name).map_err(failed)?;
            walk(dir, &inner, name, &mut existing)?;
        } else if meta.is_file() && is_ours(name) {
            existing.push(Found::new(name.to_owned(), &meta));
        }
        present.insert(folded);
    }
    Ok((present, existing))
}

fn same(dir: &Folder, path: &str, size: u64, data: &[u8]) -> Result<bool, PackageError> {
    if size != data.len() as u64 {
        return Ok(false);
    }
    let old = dir.read(path);
    Ok(old.map_err(|e| PackageError::io("read", &dir.shown(path), e))? == data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn tree(files: &[(&str, &str)]) -> SourceTree {
        let mut tree = SourceTree::new();
        for (path, text) in files {
            tree.insert(*path, text.as_bytes().to_vec()).unwrap();
        }
        tree
    }

    #[test]
    fn a_written_tree_reads_back_the_same() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("deep/target");
        let tree = tree(&[
            ("Other/Solution.xml", "s"),
            ("Roles/Größe.xml", "r"),
            ("bots/a/b", ""),
        ]);
        let report = tree.write_to_dir(&dir, &WriteOptions::default()).unwrap();
        assert_eq!(report.written.len(), 3);
        assert_eq!(SourceTree::from_dir(&dir).unwrap(), tree);
        let again = tree.write_to_dir(&dir, &WriteOptions::default()).unwrap();
        assert_eq!((again.written.len(), again.unchanged), (0, 3));
        assert_eq!(fs::read_dir(home.path().join("deep")).unwrap().count(), 1);
    }

    #[test]
    fn only_changed_files_are_touched_and_strangers_are_kept() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path();
        tree(&[
            ("Other/Solution.xml", "s"),
            ("Roles/a.xml", "1"),
            ("Roles/b.xml", "2"),
        ])
        .write_to_dir(dir, &WriteOptions::default())
        .unwrap();
        fs::write(dir.join("README.md"), "mine").unwrap();
        fs::write(dir.join("Roles/.keep"), "mine").unwrap();
        fs::create_dir_all(dir.join("docs")).unwrap();
        fs::write(dir.join("docs/a.md"), "mine").unwrap();
        let before = fs::metadata(dir.join("Other/Solution.xml"))
            .unwrap()
            .modified()
            .unwrap();
        let options = WriteOptions {
            delete_unneeded: true,
            ..WriteOptions::default()
        };
        let report = tree(&[("Other/Solution.xml", "s"), ("Roles/a.xml", "new")])
            .write_to_dir(dir, &options)
            .unwrap();
        assert_eq!(report.written, ["Roles/a.xml"]);
        assert_eq!(report.deleted, ["Roles/b.xml"]);
        assert_eq!(
            fs::metadata(dir.join("Other/Solution.xml"))
                .unwrap()
                .modified()
                .unwrap(),
            before
        );
        for kept in ["README.md", "Roles/.keep", "docs/a.md"] {
            assert_eq!(fs::read_to_string(dir.join(kept)).unwrap(), "mine");
        }
    }

    #[test]
    fn a_failure_half_way_leaves_the_folder_as_it_was() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path();
        let old = tree(&[("Other/Solution.xml", "old"), ("Roles/a.xml", "old")]);
        old.write_to_dir(dir, &WriteOptions::default()).unwrap();
        // A folder stands where a file must go, so that the last move fails.
        fs::create_dir_all(dir.join("Workflows/x.json")).unwrap();
        fs::write(dir.join("Workflows/x.json/inside"), "i").unwrap();
        let failed = tree(&[
            ("Other/Solution.xml", "new"),
            ("Roles/a.xml", "new"),
            ("Workflows/x.json", "n"),
        ])
        .write_to_dir(
            dir,
            &WriteOptions {
                delete_unneeded: false,
                ..WriteOptions::default()
            },
        );
        assert!(matches!(failed, Err(PackageError::Io { .. })), "{failed:?}");
        assert_eq!(fs::read_to_string(dir.join("Roles/a.xml")).unwrap(), "old");
        assert_eq!(
            fs::read_to_string(dir.join("Other/Solution.xml")).unwrap(),
            "old"
        );
        assert!(fs::read_dir(dir).unwrap().all(|entry| {
            !entry
                .unwrap()
                .file_name()
                .to_string_lossy()
                .starts_with(".alm-staging")
        }));
    }

    #[test]
    fn read_only_files_stop_the_write_before_anything_changes() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path();
        tree(&[("Roles/a.xml", "1"), ("Roles/b.xml", "1")])
            .write_to_dir(dir, &WriteOptions::default())
            .unwrap();
        let locked = dir.join("Roles/b.xml");
        let mut permissions = fs::metadata(&locked).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&locked, permissions).unwrap();
        let new = tree(&[("Roles/a.xml", "2"), ("Roles/b.xml", "2")]);
        let refused = new.write_to_dir(dir, &WriteOptions::default());
        assert!(
            matches!(refused, Err(PackageError::ReadOnly { paths }) if paths == ["Roles/b.xml"])
        );
        assert_eq!(fs::read_to_string(dir.join("Roles/a.xml")).unwrap(), "1");
        let options = WriteOptions {
            overwrite_read_only: true,
            ..WriteOptions::default()
        };
        new.write_to_dir(dir, &options).unwrap();
        assert_eq!(fs::read_to_string(locked).unwrap(), "2");
    }

    #[cfg(unix)]
    #[test]
    fn links_in_the_target_are_not_written_through() {
        let home = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), home.path().join("Roles")).unwrap();
        let refused =
            tree(&[("Roles/a.xml", "1")]).write_to_dir(home.path(), &WriteOptions::default());
        assert!(matches!(refused, Err(PackageError::Link { path }) if path == "Roles"));
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    }
}
