//! Unpacking a large package again into the same folder: quick, and never wrong about the folder.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

use crate::command::{Ended, copy};

/// A folder with a large package, unpacked once; the program's cache lies in it too.
struct Place {
    home: tempfile::TempDir,
    first: Ended,
}

impl Place {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        copy("07-nonprofit-core", "managed.zip", home.path(), "a.zip");
        let first = unpack(home.path(), &[]);
        assert_eq!(first.code, 0, "{}", first.err);
        assert!(first.out.starts_with("wrote 997 of 997"), "{}", first.out);
        Self { home, first }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.home.path().join("src").join(file)
    }

    fn again(&self, arguments: &[&str]) -> Ended {
        let ended = unpack(self.home.path(), arguments);
        assert_eq!(ended.code, 0, "{}", ended.err);
        assert_eq!(ended.err, self.first.err, "the same is told each time");
        ended
    }

    /// The one file in which the program remembers the folder.
    fn memory(&self) -> PathBuf {
        let folder = self.home.path().join("cache/almscript/unpacked");
        let mut files = fs::read_dir(folder).unwrap();
        let file = files.next().unwrap().unwrap().path();
        assert!(files.next().is_none(), "one file for one folder");
        file
    }
}

fn unpack(home: &Path, arguments: &[&str]) -> Ended {
    let output = Command::new(env!("CARGO_BIN_EXE_alm"))
        .current_dir(home)
        .env("XDG_CACHE_HOME", home.join("cache"))
        .args(["solution", "unpack", "-z", "a.zip", "-f", "src"])
        .args(arguments)
        .output()
        .unwrap();
    Ended {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

// Only there does the program look for its cache where the test says.
#[cfg(target_os = "linux")]
#[test]
fn an_unchanged_folder_is_recognised_without_unpacking() {
    let place = Place::new();
    let memory = place.memory();
    let remembered = fs::metadata(&memory).unwrap().modified().unwrap();
    assert!(place.again(&[]).out.starts_with("wrote 0 of 997"));
    let now = fs::metadata(place.memory()).unwrap().modified().unwrap();
    assert_eq!(now, remembered, "it had nothing new to remember");
    // A memory that was damaged is of no use and does no harm.
    fs::write(&memory, "nonsense").unwrap();
    assert!(place.again(&[]).out.starts_with("wrote 0 of 997"));
    assert!(fs::metadata(memory).unwrap().len() > 1000);
}

#[test]
fn whatever_changed_in_the_folder_is_put_right() {
    let place = Place::new();
    let role = place.path("Other/Solution.xml");
    let good = fs::read(&role).unwrap();
    let modified = fs::metadata(&role).unwrap().modified().unwrap();
    let mut bad = good.clone();
    bad[100] ^= 1;
    fs::write(&role, bad).unwrap();
    let file = fs::File::options().append(true).open(&role).unwrap();
    file.set_modified(modified).unwrap();
    assert!(
        place.again(&[]).out.starts_with("wrote 1 of 997"),
        "an edit that kept size and time"
    );
    assert_eq!(fs::read(&role).unwrap(), good);

    fs::remove_file(place.path("Other/Relationships.xml")).unwrap();
    assert!(
        place.again(&[]).out.starts_with("wrote 1 of 997"),
        "a file that is gone"
    );

    let stray = place.path("OptionSets/stray.xml");
    fs::write(&stray, "<optionset />").unwrap();
    let told = place.again(&[]).out;
    assert!(told.contains("1 unnecessary files were left"), "{told}");
    let told = place.again(&["--allowDelete", "true"]).out;
    assert!(told.contains("deleted 1"), "{told}");
    assert!(!stray.exists());
}

#[test]
fn other_arguments_are_another_call() {
    let place = Place::new();
    let told = place.again(&["--lineEnds", "lf"]).out;
    assert!(!told.starts_with("wrote 0"), "{told}");
    let told = place.again(&[]).out;
    assert!(!told.starts_with("wrote 0"), "{told}");
    assert!(place.again(&[]).out.starts_with("wrote 0 of 997"));
}
