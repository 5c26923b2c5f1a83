//! Generated packages: unpacking and packing reach a fixed point, in whatever order files come.

use almscript::solution::{
    LineEnds, PackOptions, Package, SourceTree, UnpackOptions, WriteOptions, pack, unpack,
};
use proptest::prelude::*;

use crate::crafted;

/// Text as people write it into labels and scripts, with everything that must be escaped.
fn label() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[a-zäß日😀<>&\"' .;/\\\\\n\r\t\u{a0}-]{0,30}").unwrap()
}

fn escaped(text: &str, attribute: bool) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '"' if attribute => out.push_str("&quot;"),
            '\n' if attribute => out.push_str("&#10;"),
            '\r' => out.push_str("&#xD;"),
            other => out.push(other),
        }
    }
    out
}

/// A small tree of elements with texts, comments and CDATA.
fn content() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        label().prop_map(|text| escaped(&text, false)),
        label().prop_map(|text| format!("<a k=\"{}\" />", escaped(&text, true))),
        Just("<e></e>".to_owned()),
        Just("<!-- note -->".to_owned()),
        Just("<![CDATA[ <x> & ]]>".to_owned()),
        Just("<n xsi:nil=\"true\"></n>".to_owned()),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop::collection::vec(inner, 0..4).prop_map(|parts| format!("<b>{}</b>", parts.concat()))
    })
}

/// A package with roles, choices, web resources, relationships and pass-through parts.
fn packages() -> impl Strategy<Value = Package> {
    let roles = prop::collection::vec((label(), content()), 0..4);
    let resources = prop::collection::vec((content(), any::<Vec<u8>>()), 0..4);
    let relationships = prop::collection::vec((0..3usize, content()), 0..5);
    let passed = prop::collection::btree_map("[a-zA-Z0-9 %#é!_-]{1,12}x", any::<Vec<u8>>(), 0..4);
    (roles, resources, relationships, passed, any::<bool>()).prop_map(
        |(roles, resources, relationships, passed, managed)| {
            let (mut xml, mut roots) = (String::from("<Roles>"), String::new());
            for (index, (name, content)) in roles.iter().enumerate() {
                let name = escaped(&format!("{index}{name}r"), true);
                xml.push_str(&format!("<Role id=\"{{{index}}}\" name=\"{name}\">{content}</Role>"));
                roots.push_str(&format!("<RootComponent type=\"20\" id=\"{{{index}}}\" />"));
            }
            xml.push_str("</Roles><EntityRelationships>");
            for (index, (table, content)) in relationships.iter().enumerate() {
                xml.push_str(&format!(
                    "<EntityRelationship Name=\"r{index}\"><ReferencedEntityName>T{table}</ReferencedEntityName>{content}</EntityRelationship>"
                ));
            }
            xml.push_str("</EntityRelationships><WebResources>");
            let mut parts: Vec<(String, Vec<u8>)> = Vec::new();
            for (index, (content, data)) in resources.iter().enumerate() {
                xml.push_str(&format!(
                    "<WebResource><Name>pub_/f{}/r{index}.js</Name>{content}<FileName>/WebResources/p{index}</FileName></WebResource>",
                    index % 2
                ));
                roots.push_str(&format!("<RootComponent type=\"61\" schemaName=\"pub_/f{}/r{index}.js\" />", index % 2));
                parts.push((format!("WebResources/p{index}"), data.clone()));
            }
            xml.push_str("</WebResources>");
            let mut seen = std::collections::HashSet::new();
            for (name, data) in passed {
                if seen.insert(name.to_uppercase()) {
                    parts.push((format!("customapis/{name}"), data));
                }
            }
            let parts: Vec<(&str, &[u8])> = parts.iter().map(|(name, data)| (&**name, &**data)).collect();
            crafted::package(if managed { "1" } else { "0" }, &xml, &roots, &parts)
        },
    )
}

fn options(lf: bool) -> UnpackOptions {
    let line_ends = if lf { LineEnds::Lf } else { LineEnds::CrLf };
    UnpackOptions {
        line_ends,
        ..UnpackOptions::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_package_that_went_through_a_tree_stays_the_same(source in packages(), lf: bool) {
        let tree = unpack(&source, &options(lf)).unwrap().tree;
        let once = pack(&tree, &PackOptions::default()).unwrap().into_package();
        let again = unpack(&once, &options(lf)).unwrap().tree;
        prop_assert_eq!(&again, &tree);
        let twice = pack(&again, &PackOptions::default()).unwrap().into_package();
        prop_assert_eq!(twice.to_zip().unwrap(), once.to_zip().unwrap());
        for part in source.parts().iter().filter(|part| part.name.contains('/')) {
            prop_assert_eq!(once.part(&part.name), Some(&part.data[..]));
        }
    }

    #[test]
    fn line_ends_of_the_tree_do_not_matter(source in packages()) {
        let crlf = unpack(&source, &options(false)).unwrap().tree;
        let lf = unpack(&source, &options(true)).unwrap().tree;
        let from = |tree: &SourceTree| pack(tree, &PackOptions::default()).unwrap().into_package();
        prop_assert_eq!(from(&crlf), from(&lf));
    }

    #[test]
    fn the_archive_keeps_every_part(source in packages()) {
        let zip = source.to_zip().unwrap();
        prop_assert_eq!(Package::from_zip(&zip).unwrap(), source);
    }
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let package = crate::corpus::package("05-permit-management", "unmanaged.zip");
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let tree = unpack(&package, &UnpackOptions::default()).unwrap().tree;
            let packed = pack(&tree, &PackOptions::default()).unwrap().into_package();
            (tree, packed.to_zip().unwrap())
        })
    };
    let (one, many) = (with(1), with(7));
    assert!(
        one == many,
        "the bytes differ between one and seven threads"
    );
}

#[test]
fn a_folder_on_disk_gives_the_package_that_its_tree_gives() {
    let package = crate::corpus::package("05-permit-management", "unmanaged.zip");
    let tree = unpack(&package, &UnpackOptions::default()).unwrap().tree;
    let home = tempfile::tempdir().unwrap();
    tree.write_to_dir(home.path(), &WriteOptions::default())
        .unwrap();
    let read = SourceTree::from_dir(home.path()).unwrap();
    assert!(
        read == tree,
        "reading back what was written gives another tree"
    );
}
