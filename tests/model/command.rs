//! `alm solution version`.

use std::fs;
use std::path::Path;

use almscript::git::{BareRepository, Changes, Expected, Person};
use assert_cmd::Command;

use crate::corpus;

fn alm(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::cargo_bin("alm")
        .unwrap()
        .current_dir(folder)
        .args(["solution", "version"])
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code().unwrap(), text)
}

#[test]
fn the_version_is_shown_set_raised_dated_and_planned() {
    let folder = tempfile::tempdir().unwrap();
    let zip = folder.path().join("p.zip");
    fs::copy(corpus::path("05-permit-management", "unmanaged.zip"), &zip).unwrap();
    let told = |arguments: &[&str]| {
        let (code, text) = alm(folder.path(), arguments);
        assert_eq!(code, 0, "{text}");
        text.trim().to_owned()
    };
    assert_eq!(told(&["p.zip"]), "1.0.0.11");
    assert_eq!(
        told(&["p.zip", "--bump", "minor", "--plan"]),
        "1.0.0.11 -> 1.1.0.0"
    );
    assert_eq!(told(&["p.zip", "--bump", "Minor"]), "1.0.0.11 -> 1.1.0.0");
    let dated = ["p.zip", "--from-date", "2026-01-31", "--number", "7"];
    assert_eq!(told(&dated), "1.1.0.0 -> 1.1.20260131.7");
    assert_eq!(
        told(&["p.zip", "--from-date", "20260131"]),
        "1.1.20260131.7 -> 1.1.20260131.8"
    );
    let pac = [
        "-s",
        "p.zip",
        "--strategy",
        "Solution",
        "--revisionversion",
        "3",
    ];
    assert_eq!(told(&pac), "1.1.20260131.8 -> 1.1.20260132.3");
    assert_eq!(
        told(&["p.zip", "--from-tag", "v2.0.1"]),
        "1.1.20260132.3 -> 2.0.1.0"
    );
    assert_eq!(told(&["p.zip", "--set", "2.0.1.0"]), "2.0.1.0");
    assert_eq!(alm(folder.path(), &["p.zip", "--from-tag", "latest"]).0, 1);
    assert_eq!(
        alm(folder.path(), &["p.zip", "--set", "1.0", "--bump", "build"]).0,
        2
    );
}

#[test]
fn the_newest_tag_before_what_is_checked_out_counts() {
    let folder = tempfile::tempdir().unwrap();
    let tree = corpus::tree("05-permit-management", "unmanaged.unpacked.tar.gz");
    let source = folder.path().join("src");
    tree.write_to_dir(&source, &Default::default()).unwrap();
    let repository = BareRepository::init(&folder.path().join(".git"), "main").unwrap();
    let person = Person::service();
    let mut parent = None;
    for (text, tags) in [
        ("a", &["v1.2.0", "v1.10.0", "latest"][..]),
        ("b", &[]),
        ("c", &["v9"]),
    ] {
        let mut changes = Changes::new();
        changes.put("a.txt", text.into()).unwrap();
        parent = repository
            .commit(parent, &changes, text, &person, 0)
            .unwrap();
        for tag in tags {
            let name = format!("refs/tags/{tag}");
            repository
                .update_reference(&name, Expected::Absent, parent)
                .unwrap();
        }
    }
    repository
        .update_reference("refs/heads/main", Expected::Any, parent)
        .unwrap();
    let (code, text) = alm(folder.path(), &["src", "--from-tag"]);
    assert_eq!((code, text.trim()), (0, "1.0.0.11 -> 1.10.0.0"));
}

#[test]
fn info_counts_the_components_by_kind_for_people_and_for_programs() {
    let info = |path: &Path, more: &[&str]| {
        let output = Command::cargo_bin("alm")
            .unwrap()
            .args(["solution", "info"])
            .arg(path)
            .args(more)
            .output()
            .unwrap();
        assert!(output.status.success());
        let told = |bytes| String::from_utf8(bytes).unwrap();
        (told(output.stdout), told(output.stderr))
    };
    let zip = corpus::path("05-permit-management", "unmanaged.zip");
    let (text, _) = info(&zip, &[]);
    let line = |kind: &str| {
        let line = text.lines().find(|line| line.starts_with(kind));
        let line = line.unwrap_or_else(|| panic!("no {kind} in {text}"));
        line.split_whitespace().last().unwrap().to_owned()
    };
    assert_eq!(line("table "), "7");
    assert_eq!(line("cloud flow"), "2");
    assert_eq!(line("business process flow"), "1");
    assert_eq!(line("code component"), "1");
    let counts = |path: &Path| -> serde_json::Value {
        let (json, _) = info(path, &["--json"]);
        let told: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
        told["components"].clone()
    };
    let of_package = counts(&zip);
    assert_eq!(of_package["relationship"], 36);
    let folder = tempfile::tempdir().unwrap();
    let tree = corpus::tree("05-permit-management", "unmanaged.unpacked.tar.gz");
    tree.write_to_dir(folder.path(), &Default::default())
        .unwrap();
    assert_eq!(counts(folder.path()), of_package);

    // Components that cannot be read are no reason to keep the manifest back.
    let choice = folder.path().join("OptionSets/contoso_inspectiontype.xml");
    fs::write(&choice, "<optionset>").unwrap();
    let (text, warning) = info(folder.path(), &[]);
    assert!(text.contains("PermitManagement 1.0.0.11"), "{text}");
    assert!(
        warning.contains("the components are not counted"),
        "{warning}"
    );
    assert_eq!(counts(folder.path()), serde_json::Value::Null);
}
