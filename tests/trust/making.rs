//! Workspaces come to be as a whole or not at all, whenever the program is killed.
//! `ALM_KILLS=40 cargo test --test trust making` is the long way.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::workspace::{alm, command};

fn kills() -> u32 {
    let kills = std::env::var("ALM_KILLS").ok();
    kills.and_then(|text| text.parse().ok()).unwrap_or(8)
}

/// Runs a command and kills it after a part of the time that it takes.
fn killed(folder: &Path, arguments: &[&str], after: Duration) {
    let mut child = command(folder, arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(after);
    let _ = child.kill();
    child.wait().unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// The workspace in `dir` can be used: its tenant answers, and git finds its repository.
fn is_whole(dir: &Path) {
    for arguments in [&["env", "show", "dev"][..], &["scripts"], &["history"]] {
        let ended = alm(dir, arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.text);
    }
}

/// A workspace in `dir`, made by commands of which each is killed at another moment, until one is
/// left to its end.
fn made_in_spite_of_kills(home: &Path, dir: &str, length: Duration) {
    for kill in 0..kills() {
        let after = length.mul_f64(f64::from(kill + 1) / f64::from(kills()));
        killed(home, &["new", dir, "--example"], after);
        let dir = home.join(dir);
        if dir.join("alm.toml").exists() {
            is_whole(&dir);
            std::fs::remove_dir_all(&dir).unwrap();
            std::fs::create_dir(&dir).unwrap();
            std::fs::remove_dir(&dir).unwrap();
        } else {
            let visible = names(&dir);
            let visible: Vec<_> = visible.iter().filter(|it| !it.starts_with('.')).collect();
            assert!(
                visible.is_empty() || visible == ["scripts"],
                "killed after {after:?}: {visible:?}"
            );
        }
    }
    let ended = alm(home, &["new", dir, "--example"]);
    assert_eq!(ended.code, Some(0), "{}", ended.text);
    is_whole(&home.join(dir));
    assert_eq!(
        names(&home.join(dir)),
        [".alm", ".gitignore", "alm.toml", "scripts"]
    );
}

/// How long the making takes here.
fn length() -> Duration {
    let home = tempfile::tempdir().unwrap();
    let started = Instant::now();
    assert_eq!(alm(home.path(), &["new", "a", "--example"]).code, Some(0));
    started.elapsed()
}

#[test]
fn a_killed_new_leaves_a_workspace_or_nothing() {
    let home = tempfile::tempdir().unwrap();
    made_in_spite_of_kills(home.path(), "deep/contoso", length());
    assert_eq!(names(&home.path().join("deep")), ["contoso"]);
}

#[test]
fn a_killed_new_in_an_empty_folder_is_finished_by_the_next() {
    let home = tempfile::tempdir().unwrap();
    let length = length();
    std::fs::create_dir(home.path().join("here")).unwrap();
    made_in_spite_of_kills(home.path(), "here", length);
    // The folder in which one stands can be filled too.
    let here = home.path().join("stand");
    std::fs::create_dir(&here).unwrap();
    killed(&here, &["new", ".", "--example"], length / 2);
    let ended = alm(&here, &["new", ".", "--example"]);
    assert_eq!(ended.code, Some(0), "{}", ended.text);
    is_whole(&here);
}

#[test]
fn a_killed_demo_leaves_a_workspace_that_can_be_used_or_nothing() {
    let home = tempfile::tempdir().unwrap();
    let length = length() * 4;
    for kill in 0..kills() {
        let after = length.mul_f64(f64::from(kill + 1) / f64::from(kills()));
        killed(home.path(), &["demo", "played"], after);
        let dir = home.path().join("played");
        if dir.exists() {
            is_whole(&dir);
            std::fs::remove_dir_all(&dir).unwrap();
        }
    }
}
