//! Hostile packages and folders at the command line: the message names what is wrong, the exit code
//! is the documented one, and the target is as it was.

use std::fs;
use std::path::Path;

use crate::command::alm;
use crate::hostile::minimal;
use crate::raw_zip::{Entry, archive};
use crate::{corpus, state};

/// A folder with a good package `good.zip`, unpacked into `src` and packed into `out.zip`.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let good = corpus::path("04-column-security", "unmanaged.zip");
    fs::copy(good, home.path().join("good.zip")).unwrap();
    assert_eq!(
        alm(home.path(), &["unpack", "-z", "good.zip", "-f", "src"]).code,
        0
    );
    assert_eq!(
        alm(home.path(), &["pack", "-z", "out.zip", "-f", "src"]).code,
        0
    );
    home
}

/// Runs a command that must be refused with this code and these words, and change nothing.
fn refused(here: &Path, arguments: &[&str], code: &str, words: &[&str]) {
    let before = state::of(here);
    let ended = alm(here, arguments);
    assert_eq!(ended.code, 1, "{arguments:?}: {}{}", ended.out, ended.err);
    for word in words.iter().chain([&code]) {
        assert!(ended.err.contains(word), "no `{word}` in: {}", ended.err);
    }
    state::assert_same(&before, &state::of(here), &ended.err);
}

/// The minimal parts and these.
fn with(entries: &[Entry]) -> Vec<u8> {
    archive(&[minimal(), entries.to_vec()].concat())
}

fn customizations(xml: &[u8]) -> Vec<u8> {
    let mut entries = minimal();
    entries[0].data = xml.to_vec();
    archive(&entries)
}

#[test]
fn hostile_archives_are_refused_by_name_and_leave_the_folder() {
    let whole = with(&[]);
    let zeros = Entry {
        deflate: true,
        ..Entry::new("bots/bomb", &vec![0; 40 << 20])
    };
    let secret = Entry {
        flags: 1,
        ..Entry::new("bots/secret", b"0123456789abcdef")
    };
    let link = Entry {
        unix_mode: Some(0o120_777),
        ..Entry::new("bots/link", b"/etc/passwd")
    };
    let size = Entry {
        deflate: true,
        size: Some(3),
        ..Entry::new("bots/size", &[7; 4000])
    };
    let sum = Entry {
        crc: Some(1),
        ..Entry::new("bots/sum", b"abc")
    };
    let packing = Entry {
        method: Some(14),
        ..Entry::new("bots/lzma", b"abc")
    };
    let rows: &[(&str, Vec<u8>, &str, &[&str])] = &[
        (
            "leaves the folder",
            with(&[Entry::new("bots/../../evil", b"")]),
            "ALM-P002",
            &["bots/../../evil"],
        ),
        (
            "leaves it with backslashes",
            with(&[Entry::new("bots\\..\\..\\evil", b"")]),
            "ALM-P002",
            &["bots\\..\\..\\evil"],
        ),
        (
            "leaves it in disguise",
            with(&[Entry::new("%2e%2e/evil", b"")]),
            "ALM-P002",
            &["%2e%2e/evil"],
        ),
        (
            "absolute",
            with(&[Entry::new("/etc/cron.d/evil", b"")]),
            "ALM-P002",
            &["/etc/cron.d/evil", "absolute"],
        ),
        (
            "a drive",
            with(&[Entry::new("C:/evil", b"")]),
            "ALM-P002",
            &["C:/evil"],
        ),
        (
            "a share",
            with(&[Entry::new("\\\\host\\share\\x", b"")]),
            "ALM-P002",
            &["\\\\host\\share\\x"],
        ),
        (
            "a device",
            with(&[Entry::new("bots/aux.json", b"")]),
            "ALM-P002",
            &["bots/aux.json", "Windows"],
        ),
        (
            "a stream",
            with(&[Entry::new("bots/a:b", b"")]),
            "ALM-P002",
            &["bots/a:b"],
        ),
        (
            "a NUL byte in a name",
            with(&[Entry::new("bots/a\0b", b"")]),
            "ALM-P002",
            &["bots/a"],
        ),
        ("a link", with(&[link]), "ALM-P003", &["bots/link"]),
        (
            "encrypted",
            with(&[secret]),
            "ALM-P004",
            &["bots/secret", "encrypted"],
        ),
        (
            "twice",
            with(&[Entry::new("bots/a", b"1"), Entry::new("bots/a", b"2")]),
            "ALM-P005",
            &["bots/a"],
        ),
        (
            "other case",
            with(&[Entry::new("bots/a", b"1"), Entry::new("BOTS/A", b"2")]),
            "ALM-P005",
            &["bots/a", "BOTS/A"],
        ),
        (
            "a bomb",
            with(&[zeros]),
            "ALM-P006",
            &["bots/bomb", "ratio"],
        ),
        ("a wrong size", with(&[size]), "ALM-P007", &["bots/size"]),
        ("a wrong check sum", with(&[sum]), "ALM-P007", &["bots/sum"]),
        (
            "another compression",
            with(&[packing]),
            "ALM-P007",
            &["bots/lzma"],
        ),
        (
            "cut off",
            whole[..whole.len() - 30].to_vec(),
            "ALM-P001",
            &["bad.zip"],
        ),
        (
            "joined",
            [whole.clone(), whole.clone()].concat(),
            "ALM-P001",
            &["bad.zip"],
        ),
        (
            "no archive",
            b"<html>Sign in</html>".to_vec(),
            "ALM-P001",
            &["bad.zip"],
        ),
        ("empty", Vec::new(), "ALM-P001", &["bad.zip"]),
        (
            "no manifest",
            archive(&minimal()[..1]),
            "ALM-P008",
            &["solution.xml"],
        ),
    ];
    let home = home();
    for (what, bytes, code, words) in rows {
        fs::write(home.path().join("bad.zip"), bytes).unwrap();
        println!("{what}");
        for folder in ["src", "new"] {
            let arguments = [
                "unpack",
                "-z",
                "bad.zip",
                "-f",
                folder,
                "--allowDelete",
                "--clobber",
            ];
            refused(home.path(), &arguments, code, words);
        }
    }
}

#[test]
fn hostile_xml_is_refused_with_its_line() {
    let deep = format!(
        "<ImportExportXml>\n{}{}</ImportExportXml>",
        "<a>".repeat(600),
        "</a>".repeat(600)
    );
    let laughs = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]>\n<ImportExportXml>&b;</ImportExportXml>";
    let rows: &[(&str, &[u8], &str)] = &[
        ("a document type", laughs.as_bytes(), ":1:"),
        (
            "an outer entity",
            b"<ImportExportXml>\n<Roles>&file;</Roles></ImportExportXml>",
            ":2:",
        ),
        ("deep", deep.as_bytes(), ":2:"),
        (
            "not UTF-8",
            b"<ImportExportXml>\n\xc3\x28</ImportExportXml>",
            ":2:",
        ),
        (
            "a NUL byte",
            b"<ImportExportXml>\n\n\0</ImportExportXml>",
            ":3:",
        ),
        ("half UTF-16", b"\xff\xfe<\0a", ":1:"),
    ];
    let home = home();
    for (what, xml, line) in rows {
        println!("{what}");
        fs::write(home.path().join("bad.zip"), customizations(xml)).unwrap();
        let arguments = ["unpack", "-z", "bad.zip", "-f", "src", "--allowDelete"];
        refused(
            home.path(),
            &arguments,
            "ALM-P009",
            &["customizations.xml", line],
        );
        // The same in a folder that is to be packed.
        let own = home.path().join("src/Other/Customizations.xml");
        let kept = fs::read(&own).unwrap();
        fs::write(&own, xml).unwrap();
        let arguments = ["pack", "-z", "out.zip", "-f", "src"];
        refused(
            home.path(),
            &arguments,
            "ALM-P009",
            &["Other/Customizations.xml", line],
        );
        fs::write(&own, kept).unwrap();
    }
}

#[test]
fn names_of_components_cannot_leave_the_folder() {
    let rows = [
        "<WebResources><WebResource><Name>../../evil.js</Name><FileName>/WebResources/w</FileName></WebResource></WebResources>",
        "<WebResources><WebResource><Name>a/../../../evil.js</Name><FileName>/WebResources/w</FileName></WebResource></WebResources>",
        "<WebResources><WebResource><Name>/evil.js</Name><FileName>/WebResources/w</FileName></WebResource></WebResources>",
        "<AppModules><AppModule><UniqueName>..</UniqueName></AppModule></AppModules>",
        "<Entities><Entity><Name>..</Name></Entity></Entities>",
        "<Workflows><Workflow WorkflowId=\"{e}\"><JsonFileName>/../WebResources/w</JsonFileName></Workflow></Workflows>",
        "<Workflows><Workflow WorkflowId=\"{e}\"><JsonFileName>/Workflows/../../evil</JsonFileName></Workflow></Workflows>",
    ];
    let home = home();
    for collection in rows {
        let xml = format!("<ImportExportXml>{collection}</ImportExportXml>");
        let mut entries = minimal();
        entries[0].data = xml.into_bytes();
        entries.push(Entry::new("WebResources/w", b"alert(1)"));
        fs::write(home.path().join("bad.zip"), archive(&entries)).unwrap();
        let before = state::of(home.path());
        let ended = alm(home.path(), &["unpack", "-z", "bad.zip", "-f", "src"]);
        assert_eq!(ended.code, 1, "{collection}: {}{}", ended.out, ended.err);
        assert!(ended.err.contains("ALM-P0"), "{}", ended.err);
        state::assert_same(&before, &state::of(home.path()), collection);
    }
}

#[test]
fn two_components_of_one_file_are_refused_before_one_is_lost() {
    let home = home();
    let xml = b"<ImportExportXml><Roles><Role name=\"A/B\" id=\"1\" /><Role name=\"a_b\" id=\"2\" /></Roles></ImportExportXml>";
    fs::write(home.path().join("bad.zip"), customizations(xml)).unwrap();
    let arguments = ["unpack", "-z", "bad.zip", "-f", "src"];
    refused(
        home.path(),
        &arguments,
        "ALM-P005",
        &["Roles/A_B.xml", "Roles/a_b.xml"],
    );
}

#[test]
fn zip64_archives_are_packages_like_others() {
    let home = home();
    let large = Entry {
        zip64: true,
        deflate: true,
        ..Entry::new("bots/a/bot.xml", b"<bot />")
    };
    fs::write(home.path().join("large.zip"), with(&[large])).unwrap();
    let ended = alm(home.path(), &["unpack", "-z", "large.zip", "-f", "new"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(
        fs::read(home.path().join("new/bots/a/bot.xml")).unwrap(),
        b"<bot />"
    );
}

#[cfg(unix)]
#[test]
fn links_in_the_target_are_refused_and_not_followed() {
    let home = home();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("mine.xml"), "mine").unwrap();
    let src = home.path().join("src");
    fs::rename(src.join("Roles"), outside.path().join("Roles")).unwrap();
    let before = state::of(outside.path());
    for (at, to) in [
        ("Roles", outside.path().join("Roles")),
        ("Entities/loop", src.join("Entities")),
        ("Other/gone.xml", "nowhere".into()),
        ("Other/mine.xml", outside.path().join("mine.xml")),
    ] {
        std::os::unix::fs::symlink(to, src.join(at)).unwrap();
        refused(
            home.path(),
            &["unpack", "-z", "good.zip", "-f", "src", "--allowDelete"],
            "ALM-P003",
            &[at],
        );
        refused(
            home.path(),
            &["pack", "-z", "out.zip", "-f", "src"],
            "ALM-P003",
            &[at],
        );
        fs::remove_file(src.join(at)).unwrap();
    }
    state::assert_same(&before, &state::of(outside.path()), "outside");
}

#[cfg(unix)]
#[test]
fn folders_with_names_that_not_every_system_has_are_not_packed() {
    let home = home();
    let folder = home.path().join("src/bots");
    for name in ["aux.json", "a:b", "a ", "b.", "tab\tbed"] {
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), "x").unwrap();
        refused(
            home.path(),
            &["pack", "-z", "out.zip", "-f", "src"],
            "ALM-P002",
            &["bots/"],
        );
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("a.json"), "1").unwrap();
    fs::write(folder.join("A.json"), "2").unwrap();
    if fs::read_dir(&folder).unwrap().count() == 2 {
        refused(
            home.path(),
            &["pack", "-z", "out.zip", "-f", "src"],
            "ALM-P005",
            &["bots/A.json", "bots/a.json"],
        );
    }
}

#[test]
fn every_bound_can_be_lowered_and_raised() {
    let home = home();
    let here = home.path();
    let zeros = vec![0; 20 << 20];
    let bomb = Entry {
        deflate: true,
        ..Entry::new("bots/zeros", &zeros)
    };
    fs::write(here.join("bad.zip"), with(&[bomb])).unwrap();
    let unpack = ["unpack", "-z", "bad.zip", "-f", "new"];
    refused(here, &unpack, "ALM-P006", &["bots/zeros", "--maxRatio"]);
    let raised = alm(here, &[&unpack[..], &["--maxRatio", "2000"]].concat());
    assert_eq!(raised.code, 0, "{}", raised.err);
    assert_eq!(fs::read(here.join("new/bots/zeros")).unwrap(), zeros);
    for (bound, value, word) in [
        ("--maxEntries", "1", "number"),
        ("--maxPartSize", "100", "100"),
        ("--maxTotalSize", "1k", "1024"),
        ("--maxXmlDepth", "1", "--maxXmlDepth"),
    ] {
        let lowered = ["-f", "src", bound, value];
        let unpack = ["unpack", "-z", "good.zip"];
        let pack = ["pack", "-z", "out.zip"];
        let code = if bound == "--maxXmlDepth" {
            "ALM-P009"
        } else {
            "ALM-P006"
        };
        refused(here, &[&unpack[..], &lowered].concat(), code, &[word]);
        refused(here, &[&pack[..], &lowered].concat(), code, &[word]);
    }
    let wrong = alm(here, &["unpack", "-z", "good.zip", "--maxPartSize", "much"]);
    assert_eq!(wrong.code, 2, "{}", wrong.err);
}

#[test]
fn deep_xml_is_read_when_asked_to() {
    let home = home();
    let deep = format!(
        "<ImportExportXml><Languages>{}{}</Languages></ImportExportXml>",
        "<a>".repeat(3000),
        "</a>".repeat(3000)
    );
    let path = home.path().join("deep.zip");
    fs::write(path, customizations(deep.as_bytes())).unwrap();
    let arguments = ["unpack", "-z", "deep.zip", "-f", "new"];
    refused(
        home.path(),
        &arguments,
        "ALM-P009",
        &["512", "--maxXmlDepth"],
    );
    let raised = [&arguments[..], &["--maxXmlDepth", "4000"]].concat();
    let raised = alm(home.path(), &raised);
    assert_eq!(raised.code, 0, "{}", raised.err);
}

#[test]
fn indentation_cannot_make_a_bomb_of_a_small_text() {
    let home = home();
    let bomb = format!(
        "<ImportExportXml><Languages>{}{}{}</Languages></ImportExportXml>",
        "<a>".repeat(400),
        "<b/>".repeat(20_000),
        "</a>".repeat(400)
    );
    fs::write(home.path().join("bad.zip"), customizations(bomb.as_bytes())).unwrap();
    let unpack = [
        "unpack",
        "-z",
        "bad.zip",
        "-f",
        "src",
        "--maxTotalSize",
        "10M",
    ];
    refused(
        home.path(),
        &unpack,
        "ALM-P006",
        &["customizations.xml", "--maxTotalSize"],
    );
}
