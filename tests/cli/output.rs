//! Output that cannot be written: an error, but for a reader that has gone away.

#![cfg(unix)]

use std::fs::OpenOptions;
use std::process::{Command, Stdio};

use crate::Place;

#[test]
fn a_full_disk_is_an_error_of_every_command() {
    if !std::path::Path::new("/dev/full").exists() {
        eprintln!("not tested: this system has no /dev/full");
        return;
    }
    let place = Place::empty();
    place.alm(&["new", "contoso", "--example"]).ends_with(0);
    place.write("contoso/scripts/look.rhai", "1");
    let look = ["run", "look", "--as", "admin", "--workspace", "contoso"];
    place.alm(&look).ends_with(0);
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["run", "--help"],
        &["run", "commit", "--help"],
        &["explain"],
        &["explain", "ALM-W009"],
        &["reference"],
        &["schema"],
        &["completions", "bash"],
        &["scripts"],
        &["scripts", "--json"],
        &["env", "list"],
        &["env", "show", "dev"],
        &["history"],
        &["audit"],
        &["new", "other"],
        &["solution", "version", "--help"],
    ] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_alm"))
            .current_dir(place.path().join("contoso"))
            .args(arguments)
            .stdout(full)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {told}");
        assert!(told.contains("ALM-C008"), "{arguments:?}: {told}");
    }
}

#[test]
fn a_reader_that_has_gone_away_is_none() {
    for arguments in [&["explain"][..], &["reference"], &["schema"]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_alm"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {told}");
        assert_eq!(told, "", "{arguments:?}");
    }
}
