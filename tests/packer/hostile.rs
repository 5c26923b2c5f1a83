//! Packages that nobody should have made: a clear error with the entry's name, and nothing written.

use almscript::problem::Problem;
use almscript::solution::{Limits, Package, PackageError, UnpackOptions, unpack};

use crate::crafted;
use crate::raw_zip::{Entry, archive};

/// The two parts without which there is no package.
pub fn minimal() -> Vec<Entry> {
    let customizations = "<ImportExportXml xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
                          <Entities /><Languages><Language>1033</Language></Languages></ImportExportXml>";
    vec![
        Entry::new("customizations.xml", customizations.as_bytes()),
        Entry::new("solution.xml", crafted::solution_xml("0", "").as_bytes()),
    ]
}

/// Reads and unpacks an archive of the minimal parts and these.
fn open(entries: &[Entry]) -> Result<(), PackageError> {
    open_bytes(&archive(&[minimal(), entries.to_vec()].concat()))
}

fn open_bytes(bytes: &[u8]) -> Result<(), PackageError> {
    let package = Package::from_zip(bytes)?;
    unpack(&package, &UnpackOptions::default()).map(|_| ())
}

fn refused(entries: &[Entry]) -> (&'static str, String) {
    let error = open(entries).expect_err("the package must be refused");
    (error.code(), error.to_string())
}

#[test]
fn the_archive_without_additions_is_fine() {
    open(&[]).unwrap();
    open(&[Entry {
        deflate: true,
        ..Entry::new("bots/a/bot.xml", b"<bot />")
    }])
    .unwrap();
    open(&[Entry {
        zip64: true,
        ..Entry::new("bots/a/bot.xml", b"<bot />")
    }])
    .unwrap();
    open(&[
        Entry::new("bots/", b""),
        Entry::new("bots\\a\\bot.xml", b"<bot />"),
    ])
    .unwrap();
}

#[test]
fn names_that_leave_the_folder_are_refused_by_name() {
    for name in [
        "../evil.js",
        "bots/../../evil",
        "/etc/passwd",
        "C:/evil",
        "\\\\server\\share",
        "bots\\..\\..\\evil",
        "%2e%2e/evil",
        "bots/%2E%2E/evil",
        "..",
        "bots//a",
        "bots/./a",
        "bots/a\0.xml",
    ] {
        let (code, message) = refused(&[Entry::new(name, b"x")]);
        assert_eq!(code, "ALM-P002", "{name}: {message}");
        let shown = name.split('/').next_back().unwrap();
        assert!(message.contains(shown), "{name}: {message}");
    }
}

#[test]
fn names_that_windows_cannot_hold_are_refused() {
    for name in [
        "bots/CON",
        "bots/nul.xml",
        "bots/a.",
        "bots/a ",
        "bots/a:b",
        "bots/a?",
        "bots/COM1.txt",
    ] {
        assert_eq!(refused(&[Entry::new(name, b"x")]).0, "ALM-P002", "{name}");
    }
}

#[test]
fn web_resources_cannot_name_a_place_outside() {
    let xml = "<ImportExportXml><WebResources><WebResource><Name>../../evil.js</Name>\
               <FileName>/WebResources/evil1</FileName></WebResource></WebResources></ImportExportXml>";
    let mut entries = minimal();
    entries[0].data = xml.as_bytes().to_vec();
    entries.push(Entry::new("WebResources/evil1", b"x"));
    let error = open_bytes(&archive(&entries)).unwrap_err();
    assert!(
        matches!(&error, PackageError::UnsafeName { entry, .. } if entry.contains("evil")),
        "{error}"
    );
}

#[test]
fn links_and_encrypted_entries_are_refused() {
    let link = Entry {
        unix_mode: Some(0o120_777),
        ..Entry::new("bots/link", b"/etc/passwd")
    };
    assert_eq!(refused(&[link]).0, "ALM-P003");
    let secret = Entry {
        flags: 1,
        ..Entry::new("bots/secret", b"0123456789abcdef")
    };
    assert_eq!(refused(&[secret]).0, "ALM-P004");
}

#[test]
fn names_that_collide_are_refused() {
    let (code, message) = refused(&[
        Entry::new("bots/a.xml", b"1"),
        Entry::new("bots/a.xml", b"2"),
    ]);
    assert_eq!(code, "ALM-P005");
    assert!(message.contains("bots/a.xml"), "{message}");
    assert_eq!(
        refused(&[
            Entry::new("bots/a.xml", b"1"),
            Entry::new("Bots/A.xml", b"2")
        ])
        .0,
        "ALM-P005"
    );
    assert_eq!(
        refused(&[Entry::new("bots/a_b", b"1"), Entry::new("bots/a%5Fb", b"2")]).0,
        "ALM-P005"
    );
}

#[test]
fn components_that_become_the_same_file_are_refused() {
    let xml = "<ImportExportXml><Roles><Role name=\"A/B\" id=\"1\" /><Role name=\"a_b\" id=\"2\" /></Roles></ImportExportXml>";
    let mut entries = minimal();
    entries[0].data = xml.as_bytes().to_vec();
    let error = open_bytes(&archive(&entries)).unwrap_err();
    assert!(matches!(error, PackageError::Collision { .. }), "{error}");
}

#[test]
fn bombs_are_refused_before_they_are_inflated() {
    let zeros = Entry {
        deflate: true,
        ..Entry::new("bots/bomb", &vec![0; 32 << 20])
    };
    let (code, message) = refused(&[zeros]);
    assert_eq!(code, "ALM-P006");
    assert!(message.contains("bots/bomb"), "{message}");

    let bytes = archive(&minimal());
    let few = Limits {
        entries: 1,
        ..Limits::default()
    };
    assert!(matches!(
        Package::from_zip_within(&bytes, &few),
        Err(PackageError::Limit { .. })
    ));
    let small = Limits {
        part_bytes: 10,
        ..Limits::default()
    };
    assert!(matches!(
        Package::from_zip_within(&bytes, &small),
        Err(PackageError::Limit { .. })
    ));
    let total = Limits {
        total_bytes: 300,
        ..Limits::default()
    };
    assert!(matches!(
        Package::from_zip_within(&bytes, &total),
        Err(PackageError::Limit { .. })
    ));
}

#[test]
fn a_size_that_lies_is_damage_and_never_more_is_inflated() {
    let long = Entry {
        deflate: true,
        size: Some(3),
        ..Entry::new("bots/a", &vec![7; 1 << 20])
    };
    assert_eq!(refused(&[long]).0, "ALM-P007");
    let short = Entry {
        deflate: true,
        size: Some(5000),
        ..Entry::new("bots/a", b"abc")
    };
    assert_eq!(refused(&[short]).0, "ALM-P007");
}

#[test]
fn wrong_checksums_are_damage() {
    let (code, message) = refused(&[Entry {
        crc: Some(1),
        ..Entry::new("bots/a", b"abc")
    }]);
    assert_eq!(code, "ALM-P007");
    assert!(message.contains("bots/a"), "{message}");
}

#[test]
fn truncated_and_joined_archives_are_refused() {
    let bytes = archive(&minimal());
    for length in 0..bytes.len() {
        assert!(
            Package::from_zip(&bytes[..length]).is_err(),
            "cut at {length}"
        );
    }
    let joined = [bytes.clone(), bytes].concat();
    assert!(matches!(
        Package::from_zip(&joined),
        Err(PackageError::NotAnArchive { .. })
    ));
}

#[test]
fn a_changed_byte_never_panics() {
    let bytes = archive(
        &[
            minimal(),
            vec![Entry {
                deflate: true,
                ..Entry::new("bots/a", &[1; 300])
            }],
        ]
        .concat(),
    );
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x55;
        let _ = open_bytes(&changed);
    }
}

#[test]
fn xml_that_is_refused_is_named_with_its_line() {
    let deep = format!("<a>{}{}</a>", "<b>".repeat(2000), "</b>".repeat(2000));
    for (what, xml) in [
        (
            "a document type",
            "<!DOCTYPE a [<!ENTITY e \"x\">]>\n<ImportExportXml />".to_owned(),
        ),
        (
            "an entity",
            "<ImportExportXml>\n<Languages>&e;</Languages></ImportExportXml>".to_owned(),
        ),
        (
            "an illegal reference",
            "<ImportExportXml><Languages>&#x1F;</Languages></ImportExportXml>".to_owned(),
        ),
        (
            "a NUL byte",
            "<ImportExportXml><Languages>\0</Languages></ImportExportXml>".to_owned(),
        ),
        (
            "deep nesting",
            format!("<ImportExportXml><Languages>{deep}</Languages></ImportExportXml>"),
        ),
        (
            "an open element",
            "<ImportExportXml><Languages></ImportExportXml>".to_owned(),
        ),
        (
            "crossed tags",
            "<ImportExportXml><Languages><a><b></a></b></Languages></ImportExportXml>".to_owned(),
        ),
        ("two roots", "<ImportExportXml /><x />".to_owned()),
        ("text", "hello".to_owned()),
        ("nothing", String::new()),
    ] {
        let mut entries = minimal();
        entries[0].data = xml.into_bytes();
        let error = open_bytes(&archive(&entries)).expect_err(what);
        assert!(
            matches!(&error, PackageError::Xml { file, .. } if file == "customizations.xml"),
            "{what}: {error}"
        );
    }
    let mut entries = minimal();
    entries[0].data = b"<ImportExportXml>\n\xff</ImportExportXml>".to_vec();
    assert!(matches!(
        open_bytes(&archive(&entries)),
        Err(PackageError::Xml { line: 2, .. })
    ));
}

#[test]
fn a_package_without_its_two_parts_is_refused() {
    for missing in [0, 1] {
        let mut entries = minimal();
        entries.remove(missing);
        assert!(matches!(
            open_bytes(&archive(&entries)),
            Err(PackageError::MissingPart { .. })
        ));
    }
}
