//! Names that become files.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path};

use almscript::portable_path::{DotNames, check, check_git_entry, fold, hide_dots, show_dots};
use almscript::solution::{SourceTree, WriteOptions};
use unicode_normalization::UnicodeNormalization;

use super::archives::assert_name;

/// More names than these in one input only take longer.
const MOST_NAMES: usize = 12;

/// What the gate lets through stays inside of its folder and is git's own on no file system, an
/// escaped name is read back, and a tree with such names is written as it is.
pub fn names(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let names: Vec<&str> = text.split('\n').take(MOST_NAMES).collect();
    for name in &names {
        one(name);
    }
    write(&names);
}

fn one(name: &str) {
    let hidden = hide_dots(name);
    assert_eq!(show_dots(&hidden), name, "{hidden:?}");
    let plain = check(name, DotNames::Refused);
    let dotted = check(name, DotNames::Allowed);
    if dotted.is_ok() {
        assert_name(name);
        let inside = Path::new(name).components();
        assert!(
            inside
                .into_iter()
                .all(|it| matches!(it, Component::Normal(_))),
            "{name:?} leaves its folder"
        );
        for part in name.split('/') {
            assert!(!opens_git(part), "{name:?} is git's own folder");
            assert_eq!(check_git_entry(part.as_bytes()), Ok(()), "{name:?}");
        }
        // The escapes take room of their own.
        if hidden.split('/').all(|part| part.len() < 255) && hidden.len() < 4096 {
            assert_eq!(check(&hidden, DotNames::Refused), Ok(()), "{name:?}");
        }
    } else {
        assert!(plain.is_err(), "{name:?} may not begin with a dot, but may");
    }
    if plain.is_ok() {
        let dot = name.split('/').any(|part| part.starts_with('.'));
        assert!(!dot, "{name:?} is hidden");
    }
    if check_git_entry(name.as_bytes()).is_ok() {
        for part in name.split('\\') {
            assert!(!opens_git(part), "{name:?} is git's own folder in a tree");
        }
    }
    let folded = fold(name);
    let forms: [String; 4] = [
        name.nfc().collect(),
        name.nfd().collect(),
        name.to_ascii_lowercase(),
        folded.clone(),
    ];
    for form in forms {
        assert_eq!(fold(&form), folded, "{name:?} and {form:?} are one file");
    }
}

/// What git's own `is_hfs_dotgit` and `is_ntfs_dotgit` take for `.git` (utf8.c, path.c), and what
/// only differs from it by characters outside of ASCII that HFS+ passes over.
fn opens_git(part: &str) -> bool {
    let hfs: String = part
        .chars()
        .filter(|c| {
            !matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{206a}'..='\u{206f}' | '\u{feff}')
        })
        .collect();
    [part, &hfs].iter().any(|name| {
        let lower = name.to_ascii_lowercase();
        let rest = lower
            .strip_prefix(".git")
            .or_else(|| lower.strip_prefix("git~1"));
        rest.is_some_and(|rest| {
            let rest = rest.trim_start_matches([' ', '.']);
            rest.is_empty() || rest.starts_with([':', '\\'])
        })
    })
}

/// Writes what a tree takes of the names, and looks around.
fn write(names: &[&str]) {
    let mut tree = SourceTree::new();
    let mut folds = BTreeSet::new();
    for name in names {
        // Which names are one file is for the packer to say, which makes trees.
        if !folds.contains(&fold(name)) && tree.insert(*name, name.as_bytes().to_vec()).is_ok() {
            folds.insert(fold(name));
        }
    }
    let home = tempfile::tempdir().expect("a folder");
    let root = home.path().join("root");
    // A name may be a file and a folder, and longer than this system takes: then nothing is written.
    let written = tree.write_to_dir(&root, &WriteOptions::default());
    let beside: Vec<_> = fs::read_dir(home.path()).expect("the folder").collect();
    assert!(
        beside.len() <= 1,
        "{beside:?} was written beside the folder"
    );
    let read = SourceTree::from_dir(&root);
    if written.is_ok() {
        let read = read.expect("what was written is read");
        let paths = |tree: &SourceTree| tree.paths().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(paths(&read), paths(&tree), "other names on disk");
    } else if let Ok(read) = read {
        assert_eq!(
            read.paths().count(),
            0,
            "a tree is written by half: {written:?}"
        );
    }
}
