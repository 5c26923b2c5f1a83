//! What a three-way merge keeps, and what it leaves to a person.

use std::collections::BTreeMap;

use almscript::solution::SourceTree;
use almscript::solution::diff::{diff, render};
use almscript::solution::merge::{Choices, Side, choices, merge};
use proptest::prelude::*;

use crate::edits::{afternoon, file, permits, replace};

/// What a colleague did on the same afternoon, elsewhere.
fn colleague() -> SourceTree {
    let mut tree = permits();
    replace(
        &mut tree,
        "Other/Solution.xml",
        "<Version>1.0.0.11</Version>",
        "<Version>1.0.0.14</Version>",
    );
    replace(
        &mut tree,
        "contoso_Permit/Entity.xml",
        "<LogicalName>contoso_name</LogicalName>\n          <RequiredLevel>required</RequiredLevel>",
        "<LogicalName>contoso_name</LogicalName>\n          <RequiredLevel>recommended</RequiredLevel>",
    );
    replace(
        &mut tree,
        "Inspection Router.xml",
        "<RolePrivilege name=\"prvReadPluginType\" level=\"Global\" />\n",
        "",
    );
    replace(
        &mut tree,
        "ClearInspectionComments-CADB39E3-2C1F-EE11-9CBE-0022481C5F83.json",
        "\"operationId\": \"GetItem\"",
        "\"operationId\": \"GetItemV2\"",
    );
    tree
}

#[test]
fn changes_in_different_places_of_the_same_files_both_stay() {
    let (base, ours, theirs) = (permits(), afternoon(), colleague());
    let merged = merge(&base, &ours, &theirs, &Choices::default());
    assert_eq!(merged.conflicts, []);
    let mirrored = merge(&base, &theirs, &ours, &Choices::default());
    assert_eq!(merged.tree, mirrored.tree);
    // The higher version wins; apart from that, each side's work is there in full.
    insta::assert_snapshot!(render::text(&diff(&ours, &merged.tree).unwrap(), false));
    assert_eq!(
        merged.tree.manifest().unwrap().version.to_string(),
        "1.0.0.14"
    );
    for (path, data) in merged.tree.iter() {
        let text = String::from_utf8_lossy(data);
        let before = String::from_utf8_lossy(base.get(path).unwrap_or_default());
        if !before.is_empty() {
            assert_eq!(
                text.starts_with('\u{feff}'),
                before.starts_with('\u{feff}'),
                "{path}"
            );
        }
    }
}

#[test]
fn the_same_place_changed_twice_is_a_choice_between_two_components() {
    let (base, ours) = (permits(), afternoon());
    let mut theirs = colleague();
    replace(
        &mut theirs,
        "9CBE-0022481C5F83.json",
        "\"entityName\": \"contoso_inspections\"",
        "\"entityName\": \"accounts\"",
    );
    let (view, text) = file(&theirs, "{48482f15-b783-4827-baf9-5b701b7e62d8}.xml");
    theirs
        .insert(
            view.as_str(),
            text.replacen("contoso_name", "contoso_title", 1),
        )
        .unwrap();
    let merged = merge(&base, &ours, &theirs, &Choices::default());
    assert_eq!(merged.conflicts.len(), 2, "{:#?}", merged.conflicts);
    let flow = merged
        .conflicts
        .iter()
        .find(|c| c.file.ends_with(".json"))
        .unwrap();
    assert_eq!(flow.base.as_deref(), Some("contoso_inspections"));
    assert_eq!(flow.ours.as_deref(), Some("contoso_permits"));
    assert_eq!(flow.theirs.as_deref(), Some("accounts"));
    assert_eq!(
        flow.place,
        "properties/definition/actions/CancelComments/inputs/parameters/entityName"
    );
    let told = choices(&merged, &base, &ours, &theirs).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&told).unwrap());

    let mut decided = Choices::default();
    decided.conflicts.insert(flow.id(), Side::Theirs);
    decided
        .components
        .insert(told[0].component.to_string(), Side::Theirs);
    let merged = merge(&base, &ours, &theirs, &decided);
    assert!(merged.is_settled());
    assert!(
        file(&merged.tree, "CADB39E3-2C1F-EE11-9CBE-0022481C5F83.json")
            .1
            .contains("\"accounts\"")
    );
    assert!(
        merged.tree.get(&view).is_some(),
        "the view that we deleted is back"
    );
}

#[test]
fn operands_of_a_condition_are_never_mixed() {
    let flow = |operand: &str| {
        let text = format!(
            "{{\"actions\":{{\"If\":{{\"expression\":{{\"equals\":[\"@a\",\"{operand}\"]}}}}}}}}"
        );
        [("Workflows/F.json".to_owned(), bytes::Bytes::from(text))]
            .into_iter()
            .collect()
    };
    let merged = merge(&flow("x"), &flow("y"), &flow("z"), &Choices::default());
    assert_eq!(merged.conflicts.len(), 1);
    assert_eq!(merged.tree, flow("y"));
}

#[test]
fn program_texts_merge_by_line_and_payloads_are_chosen_whole() {
    let tree = |js: &str, image: &[u8]| -> SourceTree {
        let file = |path: &str, data: &[u8]| (path.to_owned(), bytes::Bytes::copy_from_slice(data));
        [
            file("WebResources/a.js", js.as_bytes()),
            file("WebResources/a.png", image),
        ]
        .into_iter()
        .collect()
    };
    let base = tree("a\nb\nc\nd\n", b"\x89PNG\0");
    let ours = tree("A\nb\nc\nd\n", b"\x89PNG\0");
    let merged = merge(
        &base,
        &ours,
        &tree("a\nb\nc\nD\n", b"\x89PNG\0\x01"),
        &Choices::default(),
    );
    assert_eq!(merged.conflicts, []);
    assert_eq!(merged.tree, tree("A\nb\nc\nD\n", b"\x89PNG\0\x01"));
    let torn = merge(
        &base,
        &tree("A\nb\nc\nd\n", b"1\0"),
        &tree("Z\nb\nc\nd\n", b"2\0"),
        &Choices::default(),
    );
    let places: Vec<String> = torn.conflicts.iter().map(|c| c.id()).collect();
    assert_eq!(places, ["WebResources/a.js#line 1", "WebResources/a.png"]);
}

/// Columns and steps by number, each with a value; what a list with keys is made of.
type Content = BTreeMap<u8, u8>;

fn tree(content: &Content) -> SourceTree {
    let mut columns = String::new();
    let mut steps = Vec::new();
    for (key, value) in content {
        columns.push_str(&format!(
            "\r\n      <attribute PhysicalName=\"c{key}\">\r\n        <Type>t{value}</Type>\r\n        <Fixed />\r\n      </attribute>"
        ));
        steps.push(format!(
            "    \"step {key}\": {{\"type\": \"Compose\", \"inputs\": \"é{value}\"}}"
        ));
    }
    let tail = if content.is_empty() { "" } else { "\r\n    " };
    let entity = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<Entity>\r\n  <Name>A</Name>\r\n  <EntityInfo>\r\n    <attributes>{columns}{tail}</attributes>\r\n  </EntityInfo>\r\n</Entity>"
    );
    let flow = if steps.is_empty() {
        "{\n  \"actions\": {}\n}".to_owned()
    } else {
        format!("{{\n  \"actions\": {{\n{}\n  }}\n}}", steps.join(",\n"))
    };
    [
        (
            "Entities/A/Entity.xml".to_owned(),
            bytes::Bytes::from(entity),
        ),
        ("Workflows/F.json".to_owned(), bytes::Bytes::from(flow)),
    ]
    .into_iter()
    .collect()
}

/// Sets or deletes some of the keys.
fn edited(base: &Content, edits: &BTreeMap<u8, Option<u8>>) -> Content {
    let mut content = base.clone();
    for (key, value) in edits {
        match value {
            Some(value) => content.insert(*key, *value),
            None => content.remove(key),
        };
    }
    content
}

fn content() -> impl Strategy<Value = Content> {
    prop::collection::btree_map(0u8..30, 0u8..4, 0..12)
}

fn edits() -> impl Strategy<Value = BTreeMap<u8, Option<u8>>> {
    prop::collection::btree_map(0u8..30, prop::option::of(0u8..4), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_side_that_did_nothing_changes_nothing(base in content(), edits in edits()) {
        let (base, edited) = (tree(&base), tree(&edited(&base, &edits)));
        let none = Choices::default();
        prop_assert_eq!(&merge(&base, &edited, &base, &none).tree, &edited);
        prop_assert_eq!(&merge(&base, &base, &edited, &none).tree, &edited);
        prop_assert_eq!(&merge(&base, &edited, &edited, &none).tree, &edited);
    }

    #[test]
    fn work_on_different_pieces_merges_the_same_from_both_sides(
        base in content(), first in edits(), second in edits(),
    ) {
        let even = |edits: &BTreeMap<u8, Option<u8>>, rest| -> BTreeMap<u8, Option<u8>> {
            edits.iter().filter(|(key, _)| **key % 2 == rest).map(|(k, v)| (*k, *v)).collect()
        };
        let (first, second) = (even(&first, 0), even(&second, 1));
        let (ours, theirs) = (edited(&base, &first), edited(&base, &second));
        let both = edited(&ours, &second);
        let none = Choices::default();
        let merged = merge(&tree(&base), &tree(&ours), &tree(&theirs), &none);
        let mirrored = merge(&tree(&base), &tree(&theirs), &tree(&ours), &none);
        prop_assert_eq!(&merged.conflicts, &[]);
        prop_assert_eq!(&merged.tree, &mirrored.tree);
        // Where both add at one place, names decide the order, which means nothing here.
        let expected = tree(&both);
        for (path, data) in merged.tree.iter() {
            let sorted = |data: &[u8]| { let mut bytes = data.to_vec(); bytes.sort_unstable(); bytes };
            prop_assert_eq!(sorted(data), sorted(expected.get(path).unwrap()), "{}", path);
        }
    }

    #[test]
    fn whatever_both_sides_do_the_result_can_be_read_and_has_ours_where_torn(
        base in content(), first in edits(), second in edits(),
    ) {
        let (ours, theirs) = (edited(&base, &first), edited(&base, &second));
        let merged = merge(&tree(&base), &tree(&ours), &tree(&theirs), &Choices::default());
        let entity = String::from_utf8(merged.tree.get("Entities/A/Entity.xml").unwrap().to_vec()).unwrap();
        roxmltree::Document::parse(&entity).unwrap();
        serde_json::from_slice::<serde_json::Value>(merged.tree.get("Workflows/F.json").unwrap()).unwrap();
        for (key, value) in &ours {
            let changed_by_us = base.get(key) != Some(value);
            if changed_by_us {
                prop_assert!(entity.contains(&format!("PhysicalName=\"c{key}\"")), "{}", key);
            }
        }
        // A conflict is there exactly where both changed a key differently.
        let torn = (0u8..30).any(|key| {
            let (was, own, other) = (base.get(&key), ours.get(&key), theirs.get(&key));
            was != own && was != other && own != other
        });
        prop_assert_eq!(!merged.conflicts.is_empty(), torn);
    }
}
