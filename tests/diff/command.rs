//! `alm solution diff`, `normalise` and `check`.

use std::fs;
use std::path::Path;

use almscript::git::{BareRepository, Changes, Expected, Person};
use almscript::solution::{SourceTree, WriteOptions};
use assert_cmd::Command;

use crate::corpus;
use crate::edits::{afternoon, permits, replace};
use crate::merging::rivals;

fn alm(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::cargo_bin("alm")
        .unwrap()
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let problem = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), format!("{text}{problem}"))
}

fn write(tree: &SourceTree, folder: &Path) {
    tree.write_to_dir(folder, &WriteOptions::default()).unwrap();
}

#[test]
fn a_package_a_folder_and_a_revision_compare_with_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let repository = BareRepository::init(&folder.path().join(".git"), "main").unwrap();
    let person = Person::service();
    let mut parent = None;
    for tree in [permits(), afternoon()] {
        let mut changes = Changes::new();
        let files: Vec<_> = tree
            .iter()
            .map(|(path, data)| (path.to_owned(), data.to_vec()))
            .collect();
        changes
            .replace_folder("Permits/SolutionPackage/src", files)
            .unwrap();
        parent = repository
            .commit(parent, &changes, "x", &person, 0)
            .unwrap();
    }
    repository
        .update_reference("refs/heads/main", Expected::Any, parent)
        .unwrap();
    write(
        &afternoon(),
        &folder.path().join("Permits/SolutionPackage/src"),
    );

    let zip = corpus::path("05-permit-management", "unmanaged.zip");
    let zip = zip.to_str().unwrap();
    let (code, told) = alm(folder.path(), &["solution", "diff", zip, "Permits"]);
    assert_eq!(code, 0, "{told}");
    assert!(
        told.contains("~ privilege prvReadcontoso_Inspection: depth organisation → business unit"),
        "{told}"
    );
    let (_, from_git) = alm(
        folder.path(),
        &["solution", "diff", "main~1:Permits", "main:Permits"],
    );
    assert_eq!(from_git, told);
    let inside = folder.path().join("Permits");
    let (_, relative) = alm(
        &inside,
        &["solution", "diff", "HEAD~:./SolutionPackage", "."],
    );
    assert_eq!(relative, told);
    let (code, same) = alm(
        folder.path(),
        &["solution", "diff", "main:Permits", "Permits"],
    );
    assert!(code == 0 && same.contains("no differences"), "{same}");
    let (code, wrong) = alm(
        folder.path(),
        &["solution", "diff", "other:Permits", "Permits"],
    );
    assert!(
        code != 0 && wrong.contains("`other` is not in the repository"),
        "{wrong}"
    );
}

#[test]
fn a_managed_package_is_compared_with_the_managed_half_of_a_folder_that_holds_both() {
    let folder = tempfile::tempdir().unwrap();
    write(
        &corpus::tree("05-permit-management", "both.unpacked.tar.gz"),
        folder.path(),
    );
    let zip = corpus::path("05-permit-management", "both.repacked_managed.zip");
    let (code, told) = alm(
        folder.path(),
        &["solution", "diff", zip.to_str().unwrap(), "."],
    );
    assert!(code == 0 && told.contains("no differences"), "{told}");
}

#[test]
fn normalise_plans_checks_and_writes_only_what_changes() {
    let folder = tempfile::tempdir().unwrap();
    let mut tree = permits();
    replace(
        &mut tree,
        "Inspection Router.xml",
        "    <RolePrivilege name=\"prvAppendToUser\" level=\"Global\" />\n",
        "",
    );
    replace(
        &mut tree,
        "Inspection Router.xml",
        "    <RolePrivilege name=\"prvAppendcontoso_Inspection\" level=\"Global\" />\n",
        "    <RolePrivilege name=\"prvAppendToUser\" level=\"Global\" />\n    <RolePrivilege name=\"prvAppendcontoso_Inspection\" level=\"Global\" />\n",
    );
    write(&tree, folder.path());
    let role = folder.path().join("Roles/Inspection Router.xml");
    let before = fs::read(&role).unwrap();
    let (code, told) = alm(folder.path(), &["solution", "normalise", "--check"]);
    assert!(
        code == 3 && told.contains("permission-order:"),
        "{code} {told}"
    );
    assert_eq!(fs::read(&role).unwrap(), before);
    let (code, told) = alm(folder.path(), &["solution", "normalise"]);
    assert!(code == 0 && told.contains("changed 2 of"), "{told}");
    assert_eq!(
        fs::read(&role).unwrap(),
        permits().get("Roles/Inspection Router.xml").unwrap()
    );
    let (code, _) = alm(folder.path(), &["solution", "normalise", "--check"]);
    assert_eq!(code, 0);
    let (code, told) = alm(folder.path(), &["solution", "normalise", "--with", "json"]);
    assert!(code != 0 && told.contains("ALM-P201"), "{told}");
}

#[test]
fn check_fails_with_three_when_a_secret_lies_around() {
    let folder = tempfile::tempdir().unwrap();
    let mut tree = permits();
    write(&tree, folder.path());
    let (code, told) = alm(folder.path(), &["solution", "check"]);
    assert_eq!(code, 0, "{told}");
    replace(
        &mut tree,
        "ClearInspectionComments-CADB39E3-2C1F-EE11-9CBE-0022481C5F83.json",
        "\"operationId\": \"UpdateRecord\"",
        "\"password\": \"correct horse\", \"operationId\": \"UpdateRecord\"",
    );
    write(&tree, folder.path());
    let (code, told) = alm(folder.path(), &["solution", "check"]);
    assert!(
        code == 3 && told.contains(".json:") && told.contains("ALM-P210"),
        "{code} {told}"
    );
}

#[test]
fn merge_shows_what_to_decide_and_writes_once_all_is_decided() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = rivals();
    for (name, tree) in [("base", &permits()), ("ours", &ours), ("theirs", &theirs)] {
        write(tree, &folder.path().join(name));
    }
    let merge = |more: &[&str]| {
        let mut words = vec!["solution", "merge", "base", "ours", "theirs", "-o"];
        words.extend(more);
        alm(folder.path(), &words)
    };
    let (code, told) = merge(&["out"]);
    assert_eq!(code, 1, "{told}");
    for line in [
        "main form Information of contoso_permit",
        "  field contoso_name in tab General / section General: label (1033)",
        "    before  Name",
        "    ours    Title",
        "    theirs  Subject",
        "    ours    (deleted)",
        "  choose  --choose '20:dafc3e5c-fc1f-ee11-9cbe-0022481c5f83=ours' or",
        "7 places to decide in 7 components; nothing was written",
    ] {
        assert!(told.contains(line), "{line} is not in\n{told}");
    }
    assert!(!folder.path().join("out").exists());

    let role = "20:dafc3e5c-fc1f-ee11-9cbe-0022481c5f83=theirs";
    let (code, told) = merge(&["out", "--choose", role, "--take", "ours"]);
    assert!(code == 0 && told.contains("7 places as chosen"), "{told}");
    let out = SourceTree::from_dir(&folder.path().join("out")).unwrap();
    let text = |path: &str| String::from_utf8(out.get(path).unwrap().to_vec()).unwrap();
    assert!(text("Roles/Inspection Router.xml").contains("_Inspection\" level=\"Basic\""));
    assert!(text("Other/Customizations.xml").contains("apis/shared_sql"));

    // Into our own folder, from which a file goes; never into somebody else's.
    let (code, told) = merge(&["theirs", "--take", "ours"]);
    assert!(code == 2 && told.contains("is not empty"), "{code} {told}");
    let (code, told) = merge(&["ours", "--take", "theirs"]);
    assert_eq!(code, 0, "{told}");
    let merged = SourceTree::from_dir(&folder.path().join("ours")).unwrap();
    let view = |path: &str| path.contains("48482f15");
    assert!(merged.paths().any(view) && !ours.paths().any(view));
    let (code, told) = alm(
        folder.path(),
        &[
            "solution", "merge", "base", "base", "theirs", "-o", "out.zip",
        ],
    );
    assert_eq!(code, 0, "{told}");
    let (_, told) = alm(folder.path(), &["solution", "diff", "theirs", "out.zip"]);
    assert!(told.contains("no differences"), "{told}");
    let (code, told) = merge(&["new", "--choose", "20:nobody=ours"]);
    assert!(code == 2 && told.contains("nothing to decide"), "{told}");
}
