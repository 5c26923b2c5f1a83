//! Single documents: XML and the JSON of flows.

use almscript::solution::component::flow_references;
use almscript::solution::diff::{diff, render};
use almscript::solution::model::{Flow, Model};
use almscript::solution::normalise::{NormaliseOptions, RULES, normalise};
use almscript::solution::{PackOptions, PackageError, UnpackOptions, pack, secrets, unpack};
use roxmltree::Document;

use super::meaning::{is_about_namespaces, meaning};
use super::samples;

/// Any text as a document, and as the content of a collection that is copied as it is.
pub fn xml(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        // Not UTF-8: refused, or UTF-16 with a mark, which only must not break.
        let _ = unpack(&raw(data), &UnpackOptions::default());
        return;
    };
    let _ = unpack(
        &samples::with_customizations(text),
        &UnpackOptions::default(),
    );
    let whole = format!(
        "<ImportExportXml xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><Languages>{text}</Languages></ImportExportXml>"
    );
    let theirs = Document::parse(&whole);
    let mut package = samples::package();
    let manifest = package.part("solution.xml").unwrap_or_default().to_vec();
    let without_roots = String::from_utf8(manifest).unwrap();
    let (before, rest) = without_roots.split_once("<RootComponents>").unwrap();
    let after = rest.split_once("</RootComponents>").unwrap().1;
    let manifest = format!("{before}<RootComponents />{after}");
    package
        .set_part("solution.xml", manifest.into_bytes())
        .unwrap();
    package
        .set_part("customizations.xml", whole.clone().into_bytes())
        .unwrap();
    match (unpack(&package, &UnpackOptions::default()), theirs) {
        (Ok(unpacked), theirs) => {
            let tree = unpacked.tree;
            let written = tree.get("Other/Customizations.xml").unwrap();
            let written = std::str::from_utf8(written)
                .unwrap()
                .trim_start_matches('\u{feff}');
            match theirs {
                Ok(theirs) => {
                    let again = Document::parse(written);
                    let again = again
                        .unwrap_or_else(|error| panic!("{text:?} became {written:?}: {error}"));
                    assert_eq!(
                        meaning(&again),
                        meaning(&theirs),
                        "{text:?} became {written:?}"
                    );
                }
                Err(error) => assert!(
                    is_about_namespaces(&error),
                    "{text:?} was accepted as {written:?}: {error}"
                ),
            }
            let packed = pack(&tree, &PackOptions::default())
                .unwrap_or_else(|error| panic!("what was unpacked cannot be packed: {error}"))
                .into_package();
            let again = unpack(&packed, &UnpackOptions::default())
                .unwrap_or_else(|error| panic!("what was packed cannot be unpacked: {error}"));
            // The first packing may still say the same shorter (`<Roles></Roles>`), the second not.
            let twice = pack(&again.tree, &PackOptions::default())
                .unwrap()
                .into_package();
            let last = unpack(&twice, &UnpackOptions::default()).unwrap();
            for path in ["Other/Customizations.xml", "Other/Solution.xml"] {
                assert!(
                    last.tree.get(path) == again.tree.get(path),
                    "{path} changes on the way:\n{:?}\n{:?}",
                    again.tree.get(path).map(String::from_utf8_lossy),
                    last.tree.get(path).map(String::from_utf8_lossy)
                );
            }
            let after = again.tree.get("Other/Customizations.xml").unwrap();
            let after = std::str::from_utf8(after)
                .unwrap()
                .trim_start_matches('\u{feff}');
            // An empty collection is written in its short form, without a comment in it.
            let has_comment = written.contains("<!--") || text.contains("<?");
            if let (Ok(before), Ok(after)) = (Document::parse(written), Document::parse(after))
                && !has_comment
            {
                assert_eq!(
                    meaning(&before),
                    meaning(&after),
                    "packing changes the meaning"
                );
            }
        }
        (Err(PackageError::Xml { reason, .. }), Ok(_)) => assert!(
            reason.contains("nested"),
            "an independent parser reads {text:?}: {reason}"
        ),
        (Err(_), _) => {}
    }
}

fn raw(data: &[u8]) -> almscript::solution::Package {
    let mut package = samples::package();
    package
        .set_part("customizations.xml", data.to_vec())
        .unwrap();
    package
}

/// Any bytes as the JSON of a flow, and of everything else that is JSON.
pub fn flow(data: &[u8]) {
    let mut tree = samples::TREE.clone();
    let path = "Workflows/F-A0000000-0000-0000-0000-000000000002.json";
    let values = "environmentvariabledefinitions/pub_v/environmentvariablevalues.json";
    for path in [path, values, "Connectors/pub_5Fcon_openapidefinition.json"] {
        assert!(tree.get(path).is_some(), "the sample has no `{path}`");
        tree.insert(path, data.to_vec()).unwrap();
    }
    flow_references(data);
    if let Ok(flow) = Flow::read(path, data) {
        flow.outline();
        flow.all_steps();
    }
    secrets::secrets(&tree);
    secrets::limits(&tree);
    let _ = Model::read(&tree);
    let told = diff(&samples::TREE, &tree).expect("a flow that is not JSON is told as text");
    let _ = (
        render::text(&told, true),
        render::markdown(&told),
        render::html(&told),
        render::json(&told),
    );
    let all = NormaliseOptions {
        with: RULES.iter().map(|rule| rule.name.to_owned()).collect(),
        ..NormaliseOptions::default()
    };
    for options in [NormaliseOptions::default(), all] {
        let once = normalise(&tree, &options)
            .expect("only the JSON is strange")
            .tree;
        let twice = normalise(&once, &options)
            .expect("what was normalised is fine")
            .tree;
        assert!(
            once.get(path) == twice.get(path) && once == twice,
            "normalising twice changes {:?} to {:?}",
            once.get(path).map(String::from_utf8_lossy),
            twice.get(path).map(String::from_utf8_lossy)
        );
        let kept = |data: &[u8]| serde_value(data);
        if let Some(after) = once.get(path) {
            assert_eq!(kept(data), kept(after), "the flow means something else");
        }
    }
}

/// The value with its members in order; none for what is not JSON.
fn serde_value(data: &[u8]) -> Option<serde_json::Value> {
    let data = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    serde_json::from_slice(data).ok()
}
