//! What the normalising rules take out, and that they change no meaning.

use std::collections::BTreeMap;

use almscript::solution::component::components;
use almscript::solution::normalise::{NormaliseOptions, RULES, normalise};
use almscript::solution::{PackOptions, Package, SourceTree, pack};

use crate::corpus;
use crate::edits::{file, permits, replace};

/// Every tree of the corpus with a name for it.
fn trees() -> Vec<(String, SourceTree)> {
    let mut found: Vec<(String, SourceTree)> = corpus::singles()
        .into_iter()
        .map(|(folder, kind)| {
            let tree = corpus::tree(&folder, &format!("{kind}.unpacked.tar.gz"));
            (format!("{folder} {kind}"), tree)
        })
        .collect();
    for folder in corpus::pairs() {
        let tree = corpus::tree(&folder, "both.unpacked.tar.gz");
        found.push((format!("{folder} both"), tree));
    }
    let installer = corpus::tree(
        "14-automation-kit-installer",
        "both.as-published.unpacked.tar.gz",
    );
    found.push(("14 both".into(), installer));
    found
}

fn only(name: &str) -> NormaliseOptions {
    NormaliseOptions {
        with: vec![name.to_owned()],
        without: vec!["all".to_owned()],
    }
}

#[test]
fn twice_is_once_for_every_rule_on_the_whole_corpus() {
    for (name, tree) in trees() {
        // The large trees have nothing that the small ones lack, and take a minute for each rule.
        let alone = if tree.len() < 200 { RULES } else { &[] };
        for rule in alone {
            let once = normalise(&tree, &only(rule.name)).unwrap().tree;
            let twice = normalise(&once, &only(rule.name)).unwrap();
            assert!(
                twice.changed.is_empty(),
                "{name}: {} {:?}",
                rule.name,
                twice.changed
            );
        }
        let all = normalise(&tree, &NormaliseOptions::default()).unwrap().tree;
        assert!(
            normalise(&all, &NormaliseOptions::default())
                .unwrap()
                .changed
                .is_empty(),
            "{name}"
        );
    }
}

/// What an XML text means to somebody who knows no order: names, attributes, texts, and children as
/// a bag. Written without the crate's own reader.
fn bag(node: roxmltree::Node<'_, '_>) -> String {
    let mut attributes: Vec<String> = node
        .attributes()
        .map(|a| format!("{}={:?}", a.name(), a.value()))
        .collect();
    attributes.sort();
    let mut children: Vec<String> = node
        .children()
        .filter(roxmltree::Node::is_element)
        .map(bag)
        .collect();
    children.sort();
    let text = if children.is_empty() {
        node.text().unwrap_or("").trim()
    } else {
        ""
    };
    format!(
        "<{} {attributes:?} {text:?} {children:?}>",
        node.tag_name().name()
    )
}

/// The components of a package by identity, each as what it means.
fn meanings(package: &Package) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for component in components(package).unwrap() {
        let text = component.fragment.trim_start_matches('\u{feff}');
        let wrapped = match text.strip_prefix("<?xml").and_then(|rest| rest.find("?>")) {
            Some(end) => text[end + 7..].to_owned(),
            None => text.to_owned(),
        };
        let mut meaning = match text.trim_start().starts_with('<') {
            true => {
                let whole = format!(
                    "<r xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>{wrapped}</r>"
                );
                bag(roxmltree::Document::parse(&whole).unwrap().root_element())
            }
            false => text.to_owned(),
        };
        for part in &component.payload {
            match serde_json::from_slice::<serde_json::Value>(&part.bytes) {
                Ok(mut json) => {
                    json.sort_all_objects();
                    meaning.push_str(&json.to_string());
                }
                // The name of a process's class is made from its id and means nothing itself.
                Err(_) => match String::from_utf8(part.bytes.clone()) {
                    Ok(text) => meaning.push_str(&without_class_ids(&text)),
                    Err(_) => meaning.push_str(&format!("{:?}", part.bytes)),
                },
            }
        }
        found.insert(component.identity().to_string(), meaning);
    }
    let manifest = String::from_utf8(package.part("solution.xml").unwrap().to_vec()).unwrap();
    let manifest = roxmltree::Document::parse(manifest.trim_start_matches('\u{feff}'))
        .map(|d| bag(d.root_element()))
        .unwrap();
    found.insert("manifest".into(), manifest);
    found
}

fn without_class_ids(text: &str) -> String {
    let mut parts = text.split("XrmWorkflow");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("XrmWorkflow");
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
    }
    out
}

#[test]
fn packing_before_and_after_the_usual_rules_gives_the_same_components() {
    let mut changed = 0;
    for (name, tree) in trees() {
        let normalised = normalise(&tree, &NormaliseOptions::default()).unwrap();
        changed += normalised.changed.len();
        let packed = |tree: &SourceTree| {
            let packed = pack(tree, &PackOptions::default())
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            [packed.unmanaged, packed.managed]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
        };
        let (before, after) = (packed(&tree), packed(&normalised.tree));
        assert_eq!(before.len(), after.len());
        for (before, after) in before.iter().zip(&after) {
            assert!(
                meanings(before) == meanings(after),
                "{name} means something else: {:?}",
                normalised.changed
            );
            let names = |package: &Package| {
                package
                    .parts()
                    .iter()
                    .map(|part| part.name.clone())
                    .collect::<Vec<_>>()
            };
            assert_eq!(names(before), names(after), "{name}");
        }
    }
    assert!(
        changed > 5,
        "the rules had next to nothing to do, so this test shows little: {changed}"
    );
}

#[test]
fn every_rule_that_is_on_by_default_keeps_the_meaning() {
    for rule in RULES.iter().filter(|rule| rule.by_default) {
        assert!(rule.keeps_meaning, "{}", rule.name);
    }
}

#[test]
fn an_export_in_another_order_is_the_same_after_the_rules() {
    let tree = permits();
    let usual = normalise(&tree, &NormaliseOptions::default()).unwrap().tree;
    let mut shuffled = tree.clone();
    for end in [
        "contoso_Permit/Entity.xml",
        "Other/Solution.xml",
        "Inspection Router.xml",
    ] {
        let (path, text) = file(&shuffled, end);
        shuffled.insert(path, reversed(&text)).unwrap();
    }
    let (path, text) = file(
        &shuffled,
        "ClearInspectionComments-CADB39E3-2C1F-EE11-9CBE-0022481C5F83.json",
    );
    let one_line = serde_json::from_str::<serde_json::Value>(&text)
        .unwrap()
        .to_string();
    shuffled.insert(path, one_line).unwrap();
    assert_ne!(shuffled, tree);
    let again = normalise(&shuffled, &NormaliseOptions::default())
        .unwrap()
        .tree;
    for (path, data) in usual.iter() {
        assert_eq!(again.get(path), Some(&data[..]), "{path}");
    }
}

/// The text with the lines of its one-line lists in the opposite order.
fn reversed(text: &str) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    for mark in ["<RootComponent ", "<RolePrivilege "] {
        let places: Vec<usize> = (0..lines.len())
            .filter(|at| lines[*at].trim_start().starts_with(mark))
            .collect();
        if let (Some(first), Some(last)) = (places.first(), places.last()) {
            lines[*first..=*last].reverse();
        }
    }
    let starts: Vec<usize> = (0..lines.len())
        .filter(|at| {
            lines[*at]
                .trim_start()
                .starts_with("<attribute PhysicalName=")
        })
        .collect();
    if let (Some(first), true) = (starts.first(), starts.len() > 1) {
        let end = (starts[starts.len() - 1]..lines.len())
            .find(|at| lines[*at].trim_start().starts_with("</attribute>"))
            .unwrap();
        let mut blocks: Vec<Vec<&str>> = starts
            .windows(2)
            .map(|two| lines[two[0]..two[1]].to_vec())
            .chain([lines[starts[starts.len() - 1]..=end].to_vec()])
            .collect();
        blocks.reverse();
        let flat: Vec<&str> = blocks.concat();
        lines.splice(*first..=end, flat);
    }
    lines.concat()
}

#[test]
fn rules_that_leave_something_out_do_just_that() {
    let mut tree = permits();
    tree.insert(
        "environmentvariabledefinitions/a/environmentvariablevalues.json",
        "{}",
    )
    .unwrap();
    tree.insert(
        "Connectors/c.xml",
        "<Connector>\r\n  <name>c</name>\r\n  <scriptoperations>[\"Get\"]</scriptoperations>\r\n  \
         <customcodeblobcontent>/Connector/c_customcode.csx</customcodeblobcontent>\r\n</Connector>",
    )
    .unwrap();
    tree.insert("Connectors/c_customcode.csx", "code").unwrap();
    let options = NormaliseOptions {
        with: ["version-zero", "no-variable-values", "no-connector-code"]
            .map(str::to_owned)
            .to_vec(),
        without: vec!["all".to_owned()],
    };
    let done = normalise(&tree, &options).unwrap();
    assert_eq!(done.tree.manifest().unwrap().version.to_string(), "0.0.0.0");
    assert_eq!(done.tree.len(), tree.len() - 2);
    assert_eq!(
        done.tree.get("Connectors/c.xml").unwrap(),
        b"<Connector>\r\n  <name>c</name>\r\n</Connector>"
    );
    assert_eq!(done.changed.len(), 3);
}

#[test]
fn a_zero_class_id_is_repaired_in_processes_and_left_in_formulas() {
    let mut tree = permits();
    replace(
        &mut tree,
        "NewBuildSite-59A54DAD-2D1F-EE11-9CBE-0022481C5F83.xaml",
        "XrmWorkflow59a54dad2d1fee119cbe0022481c5f83",
        "XrmWorkflow00000000000000000000000000000000",
    );
    let done = normalise(&tree, &only("class-id")).unwrap();
    assert_eq!(done.tree, permits());
    assert_eq!(done.changed[0].1.len(), 1);
}

#[test]
fn a_misspelt_rule_is_named_with_the_nearest() {
    let error = normalise(&permits(), &only("version-zeros")).unwrap_err();
    assert_eq!(
        almscript::problem::Problem::hint(&error).as_deref(),
        Some("did you mean `version-zero`?")
    );
}
