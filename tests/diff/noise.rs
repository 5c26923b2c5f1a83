//! What the normalising rules take out.

use almscript::solution::normalise::{NormaliseOptions, normalise};

use crate::edits::{file, permits, replace};
use crate::meaning::only;

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
