//! The packages of `tests/fixtures/corpus` and the trees and packages that Microsoft's packager
//! makes of them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use almscript::solution::{Package, SourceTree};

/// A file of the corpus.
pub fn path(package: &str, file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/corpus")
        .join(package)
        .join(file)
}

/// A package of the corpus.
pub fn package(folder: &str, file: &str) -> Package {
    let bytes = fs::read(path(folder, file)).unwrap();
    Package::from_zip(&bytes).unwrap_or_else(|error| panic!("{folder}/{file}: {error}"))
}

/// The files of an archived tree.
pub fn tree(folder: &str, file: &str) -> SourceTree {
    let archive = fs::File::open(path(folder, file)).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    let mut tree = SourceTree::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = entry
            .path()
            .unwrap()
            .to_str()
            .unwrap()
            .trim_start_matches("./")
            .to_owned();
        let mut data = Vec::new();
        entry.read_to_end(&mut data).unwrap();
        tree.insert(name, data).unwrap();
    }
    assert!(tree.len() > 2, "{folder}/{file} holds no tree");
    tree
}

/// The packages that have a zip and the tree made of it, with the name that their files share.
pub fn singles() -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    for kind in ["unmanaged", "managed"] {
        for folder in folders() {
            if path(&folder, &format!("{kind}.zip")).exists() {
                found.push((folder, kind));
            }
        }
    }
    assert!(found.len() >= 15, "the corpus is incomplete");
    found
}

/// The packages that exist as a pair.
pub fn pairs() -> Vec<String> {
    let pairs: Vec<String> = folders()
        .into_iter()
        .filter(|folder| path(folder, "both.unpacked.tar.gz").exists())
        .collect();
    assert_eq!(pairs.len(), 3, "the corpus is incomplete");
    pairs
}

fn folders() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(path("", ""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(|c: char| c.is_ascii_digit()))
        .collect();
    names.sort();
    names
}

/// What differs between two sets of files, with the first differing place of each.
pub fn differences<'a>(
    actual: impl Iterator<Item = (&'a str, &'a [u8])>,
    expected: impl Iterator<Item = (&'a str, &'a [u8])>,
) -> Vec<String> {
    let actual: BTreeMap<&str, &[u8]> = actual.collect();
    let expected: BTreeMap<&str, &[u8]> = expected.collect();
    let mut found = Vec::new();
    for (name, data) in &expected {
        match actual.get(name) {
            None => found.push(format!("missing: {name}")),
            Some(other) if other != data => {
                found.push(format!("{name}: {}", first_difference(other, data)))
            }
            Some(_) => {}
        }
    }
    found.extend(
        actual
            .keys()
            .filter(|name| !expected.contains_key(*name))
            .map(|name| format!("too many: {name}")),
    );
    found
}

fn first_difference(actual: &[u8], expected: &[u8]) -> String {
    let at = actual
        .iter()
        .zip(expected)
        .take_while(|(a, b)| a == b)
        .count();
    let show = |bytes: &[u8]| {
        let end = bytes.len().min(at + 60);
        String::from_utf8_lossy(&bytes[at.saturating_sub(60).min(end)..end]).into_owned()
    };
    format!(
        "byte {at}\n    actual   {:?}\n    expected {:?}",
        show(actual),
        show(expected)
    )
}
