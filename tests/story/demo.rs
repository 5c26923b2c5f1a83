//! `alm demo`.

use super::{alm, git};

#[test]
fn the_story_plays_to_its_end_and_leaves_a_workspace_to_look_at() {
    let folder = tempfile::tempdir().unwrap();
    let told = alm(folder.path(), &["demo", "story"]);
    assert_eq!(told.code, Some(0), "{}", told.text);
    for claim in [
        "the commit on her own branch carries her name",
        "work item 123 is linked to the commit",
        "validation has PowerAutomateSamples 1.0.",
        "the merge is on the solution's branch",
        "exp_SPOSiteCollection_PowerUsers is https://contoso.sharepoint.com/sites/power-users there",
        "the variable exp_ArchiveLibrary is in prod",
        "the variable exp_ArchiveLibrary is gone from prod",
        "dev2 has no solution PowerAutomateSamples",
    ] {
        assert!(told.text.contains(claim), "no `{claim}` in:\n{}", told.text);
    }
    let workspace = folder.path().join("story");
    let history = alm(&workspace, &["history"]);
    assert_eq!(history.code, Some(0), "{}", history.text);
    let repository = workspace.join(".alm/tenant/repositories/contoso/ALM/apps.git");
    git(&repository, &["fsck", "--strict"]);
}

#[test]
fn the_story_refuses_a_folder_that_holds_something() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mine.txt"), "mine").unwrap();
    let told = alm(folder.path(), &["demo", "."]);
    assert_eq!(told.code, Some(4), "{}", told.text);
    assert!(told.text.contains("is not empty"), "{}", told.text);
    assert_eq!(
        std::fs::read_to_string(folder.path().join("mine.txt")).unwrap(),
        "mine"
    );
}

/// The README shows what the story really prints, but for numbers that differ from day to day.
#[test]
fn the_readme_shows_the_storys_real_output() {
    let folder = tempfile::tempdir().unwrap();
    let output = super::command(folder.path(), &["demo", "contoso"])
        .output()
        .unwrap();
    // What is told and how a run goes are two streams; every line of the README is in one of them.
    let told = super::workspace::both(&output);
    let told: Vec<String> = told.lines().map(undated).collect();
    let readme = include_str!("../../README.md");
    let shown = readme
        .split("```text\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    for line in shown.lines().filter(|line| !line.is_empty()) {
        assert!(
            told.contains(&undated(line)),
            "the story does not say `{line}`"
        );
    }
}

/// A line without its commit ids and dates.
fn undated(line: &str) -> String {
    let hexadecimal = |word: &str| word.len() >= 8 && word.chars().all(|c| c.is_ascii_hexdigit());
    let words = line.split(' ').map(|word| {
        let word: Vec<&str> = word
            .split('.')
            .map(|part| if hexadecimal(part) { "…" } else { part })
            .collect();
        word.join(".")
    });
    words.collect::<Vec<_>>().join(" ")
}
