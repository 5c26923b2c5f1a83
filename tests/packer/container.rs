//! The archive and the two root parts, in every form in which they are met (facts §2).

use almscript::solution::{Package, unpack};

use crate::crafted::{codes, lf, package, part, solution_xml, text, tree_of};
use crate::raw_zip::{Entry, archive};

const XML: &str = "<ImportExportXml>\n<Roles><Role id=\"1\" name=\"größe\">a\nb</Role></Roles>\n</ImportExportXml>";

fn with_customizations(data: Vec<u8>) -> Package {
    let mut package = Package::from_parts(vec![
        part("customizations.xml", &data),
        part("solution.xml", solution_xml("0", "").as_bytes()),
    ])
    .unwrap();
    package.declare_content_types();
    package
}

#[test]
fn the_root_parts_are_read_in_every_encoding_and_form() {
    let expected = tree_of(&with_customizations(XML.as_bytes().to_vec()));
    let utf16 = |units: &mut dyn Iterator<Item = u16>, big: bool| -> Vec<u8> {
        units
            .flat_map(|unit| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect()
    };
    let declared = |encoding: &str| format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?>{XML}");
    for (what, data) in [
        ("a mark", format!("\u{feff}{XML}").into_bytes()),
        ("a declaration", declared("utf-8").into_bytes()),
        (
            "both",
            format!("\u{feff}{}", declared("UTF-8")).into_bytes(),
        ),
        (
            "standalone",
            format!("<?xml version='1.0' standalone='no'?>\n{XML}\n").into_bytes(),
        ),
        ("CRLF", XML.replace('\n', "\r\n").into_bytes()),
        ("CR", XML.replace('\n', "\r").into_bytes()),
        (
            "UTF-16, little end first",
            utf16(
                &mut format!("\u{feff}{}", declared("utf-16")).encode_utf16(),
                false,
            ),
        ),
        (
            "UTF-16, big end first",
            utf16(
                &mut format!("\u{feff}{}", declared("utf-16")).encode_utf16(),
                true,
            ),
        ),
        (
            "a line break at the end",
            format!("{XML}\r\n\r\n").into_bytes(),
        ),
    ] {
        assert_eq!(tree_of(&with_customizations(data)), expected, "{what}");
    }
}

/// What people and tools make by zipping a folder themselves (facts §2.1).
#[test]
fn archives_zipped_by_hand_are_read() {
    let solution = solution_xml("0", "");
    let entries = [
        Entry::new("Customizations.xml", XML.as_bytes()),
        Entry::new("SOLUTION.XML", solution.as_bytes()),
        Entry::new("customapis/", b""),
        Entry::new("customapis\\pub_Do\\customapi.xml", b"<a />"),
        Entry::new("bots/a%5Fb/bot.xml", b"<b />"),
        Entry::new("bots/c%20d/bot.xml", b"<b />"),
        Entry::new("bots/größe/bot.xml", b"<b />"),
    ];
    let package = Package::from_zip(&archive(&entries)).unwrap();
    let unpacked = unpack(&package, &lf()).unwrap();
    assert!(unpacked.findings.is_empty(), "{:?}", unpacked.findings);
    for path in [
        "Roles/größe.xml",
        "customapis/pub_Do/customapi.xml",
        "bots/a_b/bot.xml",
        "bots/c d/bot.xml",
        "bots/größe/bot.xml",
    ] {
        assert!(unpacked.tree.get(path).is_some(), "{path}");
    }
}

/// Facts §2.3: Microsoft's readers do not see such a part; it is taken, and told.
#[test]
fn a_part_that_is_not_declared_is_taken_with_a_warning() {
    let mut source = package("0", "<Roles />", "", &[("bots/a/bot.xml", b"<a />")]);
    for name in [
        "bots/a/notes.TXT",
        "bots/a/data",
        "bots/a/second.xml",
        "__MACOSX/._x",
    ] {
        source.set_part(name, b"x".to_vec()).unwrap();
    }
    let unpacked = unpack(&source, &lf()).unwrap();
    assert_eq!(
        codes(&unpacked.findings),
        [
            ("ALM-P101", "__MACOSX/._x"),
            ("ALM-P107", "bots/a/data"),
            ("ALM-P107", "bots/a/notes.TXT")
        ],
        "an .xml is declared by its extension"
    );
    assert_eq!(text(&unpacked.tree, "bots/a/data"), "x");
}

#[test]
fn names_that_are_no_uri_paths_survive_the_archive() {
    let source = package(
        "0",
        "<Roles />",
        "",
        &[("customapis/pub Do #1/größe 100%.xml", b"<a />")],
    );
    let again = Package::from_zip(&source.to_zip().unwrap()).unwrap();
    assert_eq!(again, source);
    assert_eq!(source.to_zip().unwrap(), again.to_zip().unwrap());
}
