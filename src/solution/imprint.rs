//! What a folder held when a package had been unpacked into it.
//!
//! Unpacking the same package into the same folder again is what watch mode and pipelines do all day.
//! An imprint tells that nothing is to be done without unpacking anything: it has a digest of every
//! file, and the folder is read and compared with them. Times and sizes are not trusted, for they
//! can stay the same when bytes change.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::SourceTree;
use super::folder::existing_files;
use super::staging;
use crate::place::Folder;

/// The files of a tree by their digests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imprint {
    files: BTreeMap<String, FileImprint>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct FileImprint {
    size: u64,
    digest: String,
}

impl Imprint {
    /// The imprint of a tree that was written as a whole.
    pub fn of(tree: &SourceTree) -> Self {
        let files = tree
            .files()
            .into_par_iter()
            .map(|(path, data)| {
                let imprint = FileImprint {
                    size: data.len() as u64,
                    digest: digest(data),
                };
                (path.clone(), imprint)
            })
            .collect::<Vec<_>>();
        Self {
            files: files.into_iter().collect(),
        }
    }

    /// Number of files.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether a folder holds these files byte for byte, and no others where a package's files go.
    ///
    /// A folder that cannot be read holds something else.
    pub fn is_in(&self, dir: &Path) -> bool {
        let Ok(dir) = Folder::named(dir) else {
            return false;
        };
        // A write that was cut off is undone before anything is compared.
        if staging::recover(&dir).is_err() {
            return false;
        }
        let tops: BTreeSet<&str> = self
            .files
            .keys()
            .filter_map(|path| path.split_once('/').map(|(top, _)| top))
            .collect();
        let Ok((_, found)) = existing_files(&dir, &tops, |name| self.files.contains_key(name))
        else {
            return false;
        };
        found.len() == self.files.len()
            && found.par_iter().all(|file| {
                self.files.get(&file.path).is_some_and(|known| {
                    known.size == file.size
                        && dir
                            .read(&file.path)
                            .is_ok_and(|data| digest(&data) == known.digest)
                })
            })
    }
}

/// Half a SHA-256: more than enough to tell two states of a file apart.
fn digest(data: &[u8]) -> String {
    let whole = Sha256::digest(data);
    whole[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solution::WriteOptions;
    use std::fs;

    #[test]
    fn only_the_same_files_and_no_others_are_the_same_folder() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("tree");
        let mut tree = SourceTree::new();
        tree.insert("Other/Solution.xml", &b"solution"[..]).unwrap();
        tree.insert("Roles/a.xml", &b"role"[..]).unwrap();
        let imprint = Imprint::of(&tree);
        assert!(!imprint.is_in(&dir));
        tree.write_to_dir(&dir, &WriteOptions::default()).unwrap();
        assert!(imprint.is_in(&dir));

        let role = dir.join("Roles/a.xml");
        let modified = fs::metadata(&role).unwrap().modified().unwrap();
        fs::write(&role, "roll").unwrap();
        let file = fs::File::options().append(true).open(&role).unwrap();
        file.set_modified(modified).unwrap();
        assert!(!imprint.is_in(&dir), "same size, same time, other bytes");
        fs::write(&role, "role").unwrap();
        assert!(imprint.is_in(&dir));

        fs::write(dir.join("Roles/b.xml"), "one more").unwrap();
        assert!(!imprint.is_in(&dir));
        fs::remove_file(dir.join("Roles/b.xml")).unwrap();
        fs::write(dir.join("README.md"), "not a package's file").unwrap();
        assert!(imprint.is_in(&dir));
        fs::remove_file(role).unwrap();
        assert!(!imprint.is_in(&dir));
    }
}
