//! `alm solution pack|unpack|info`: arguments, messages and exit codes of the real program.

use std::fs;
use std::path::Path;

use assert_cmd::Command;

use crate::corpus;

/// How the program ended.
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs `alm solution …` in a folder.
pub fn alm(here: &Path, arguments: &[&str]) -> Ended {
    let output = Command::new(env!("CARGO_BIN_EXE_alm"))
        .current_dir(here)
        .arg("solution")
        .args(arguments)
        .output()
        .unwrap();
    Ended {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

pub fn copy(package: &str, file: &str, here: &Path, name: &str) {
    fs::copy(corpus::path(package, file), here.join(name)).unwrap();
}

#[test]
fn a_package_goes_through_a_folder_and_comes_back() {
    let home = tempfile::tempdir().unwrap();
    copy("04-column-security", "unmanaged.zip", home.path(), "a.zip");
    let unpacked = alm(
        home.path(),
        &["unpack", "--zipfile", "a.zip", "--folder", "src"],
    );
    assert_eq!(unpacked.code, 0, "{}", unpacked.err);
    assert!(
        unpacked.out.starts_with("wrote 27 of 27 files into src"),
        "{}",
        unpacked.out
    );
    let again = alm(
        home.path(),
        &[
            "unpack",
            "-z",
            "a.zip",
            "-f",
            "src",
            "--allowDelete",
            "true",
        ],
    );
    assert!(
        again.out.starts_with("wrote 0 of 27 files"),
        "{}",
        again.out
    );
    let packed = alm(
        home.path(),
        &["pack", "--zipfile", "b.zip", "--folder", "."],
    );
    assert_eq!(packed.code, 0, "{}", packed.err);
    let expected = corpus::package("04-column-security", "unmanaged.repacked.zip");
    let actual =
        almscript::solution::Package::from_zip(&fs::read(home.path().join("b.zip")).unwrap());
    assert_eq!(actual.unwrap(), expected);
    let info = alm(home.path(), &["info", "b.zip"]);
    assert!(info.out.contains("(unmanaged)"), "{}", info.out);
}

#[test]
fn both_reads_and_writes_two_packages() {
    let home = tempfile::tempdir().unwrap();
    copy("04-column-security", "unmanaged.zip", home.path(), "a.zip");
    copy(
        "04-column-security",
        "managed.zip",
        home.path(),
        "a_managed.zip",
    );
    let arguments = [
        "--zipfile",
        "a.zip",
        "--folder",
        "src",
        "--packagetype",
        "Both",
    ];
    let unpacked = alm(home.path(), &[&["unpack"][..], &arguments].concat());
    assert_eq!(unpacked.code, 0, "{}", unpacked.err);
    fs::remove_file(home.path().join("a.zip")).unwrap();
    fs::remove_file(home.path().join("a_managed.zip")).unwrap();
    assert_eq!(
        alm(home.path(), &[&["pack"][..], &arguments].concat()).code,
        0
    );
    assert!(home.path().join("a.zip").exists() && home.path().join("a_managed.zip").exists());
}

#[test]
fn exit_codes_are_those_of_microsofts_tool() {
    let home = tempfile::tempdir().unwrap();
    let here = home.path();
    copy("04-column-security", "unmanaged.zip", here, "a.zip");
    fs::write(here.join("no.zip"), "not a zip").unwrap();
    assert_eq!(
        alm(here, &["unpack", "--zipfile", "missing.zip", "-f", "x"]).code,
        1
    );
    assert_eq!(
        alm(here, &["unpack", "--zipfile", "no.zip", "-f", "x"]).code,
        1
    );
    assert_eq!(
        alm(here, &["unpack", "-z", "a.zip", "-f", "x", "-p", "Managed"]).code,
        1
    );
    assert_eq!(alm(here, &["unpack", "--nonsense"]).code, 2);
    assert_eq!(
        alm(
            here,
            &["unpack", "-z", "a.zip", "-f", "x", "--sourceLoc", "xx"]
        )
        .code,
        2
    );
    assert!(
        !here.join("x").exists(),
        "nothing may be written by a refused command"
    );

    assert_eq!(alm(here, &["unpack", "-z", "a.zip", "-f", "src"]).code, 0);
    let solution = here.join("src/Other/Solution.xml");
    let text = fs::read_to_string(&solution).unwrap();
    let without = text
        .lines()
        .filter(|line| !line.contains("type=\"20\""))
        .collect::<Vec<_>>();
    fs::write(&solution, without.join("\r\n")).unwrap();
    let failed = alm(here, &["pack", "-z", "b.zip", "-f", "src"]);
    assert_eq!(failed.code, 3, "{}", failed.err);
    assert!(
        failed.err.contains("Roles/"),
        "the file is named: {}",
        failed.err
    );
    assert!(!here.join("b.zip").exists());
}

#[test]
fn findings_go_to_the_log_and_the_level_filters_them() {
    let home = tempfile::tempdir().unwrap();
    let mut package = corpus::package("04-column-security", "unmanaged.zip");
    package
        .set_part("filteredcomponents.xml", b"<a/>".to_vec())
        .unwrap();
    fs::write(home.path().join("a.zip"), package.to_zip().unwrap()).unwrap();
    let told = alm(
        home.path(),
        &["unpack", "-z", "a.zip", "-f", "s", "--log", "log.txt"],
    );
    assert!(told.err.contains("filteredcomponents.xml"), "{}", told.err);
    assert!(
        fs::read_to_string(home.path().join("log.txt"))
            .unwrap()
            .contains("ALM-P102")
    );
    let quiet = alm(
        home.path(),
        &["unpack", "-z", "a.zip", "-f", "t", "--errorlevel", "Error"],
    );
    assert_eq!(
        (quiet.code, quiet.out.as_str(), quiet.err.as_str()),
        (0, "", "")
    );
}

#[test]
fn without_write_permission_nothing_is_touched() {
    let home = tempfile::tempdir().unwrap();
    copy("04-column-security", "unmanaged.zip", home.path(), "a.zip");
    let plan = alm(
        home.path(),
        &["unpack", "-z", "a.zip", "-f", "src", "--allowWrite", "No"],
    );
    assert_eq!(plan.code, 0);
    assert!(plan.out.starts_with("would write 27"), "{}", plan.out);
    assert!(!home.path().join("src").exists());
}

#[test]
fn mapped_files_are_read_from_their_originals() {
    let home = tempfile::tempdir().unwrap();
    let here = home.path();
    copy("06-pl400-demos", "unmanaged.zip", here, "a.zip");
    fs::create_dir_all(here.join("bin/Release")).unwrap();
    fs::write(here.join("bin/Release/DemoPlugin.dll"), "fresh").unwrap();
    let map =
        r#"<Mapping><FileToFile map="DemoPlugin.dll" to="..\bin\**\DemoPlugin.dll" /></Mapping>"#;
    fs::write(here.join("map.xml"), map).unwrap();
    let arguments = ["-z", "a.zip", "-f", "src", "--map", "map.xml"];
    let unpacked = alm(here, &[&["unpack"][..], &arguments].concat());
    assert_eq!(unpacked.code, 0, "{}", unpacked.err);
    assert_eq!(
        fs::read_to_string(here.join("bin/Release/DemoPlugin.dll")).unwrap(),
        "fresh"
    );
    let arguments = ["-z", "b.zip", "-f", "src", "--map", "map.xml"];
    let packed = alm(here, &[&["pack"][..], &arguments].concat());
    assert_eq!(packed.code, 0, "{}", packed.err);
    let package =
        almscript::solution::Package::from_zip(&fs::read(here.join("b.zip")).unwrap()).unwrap();
    let part = package
        .parts()
        .iter()
        .find(|part| part.name.ends_with("DemoPlugin.dll"))
        .unwrap();
    assert_eq!(&part.data[..], b"fresh");
}
