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

/// Two colleagues who change the same things in the same places, each in her own way.
pub fn rivals() -> (SourceTree, SourceTree) {
    let (mut ours, mut theirs) = (permits(), permits());
    let form = "main/{f30f2ef1-59b0-4dea-aba1-486a404f8362}.xml";
    let flow = "ClearInspectionComments-CADB39E3-2C1F-EE11-9CBE-0022481C5F83.json";
    let both = [
        (
            "Other/Solution.xml",
            "<Version>1.0.0.11<",
            ["<Version>1.0.0.12<", "<Version>1.0.0.14<"],
        ),
        (
            "Other/Solution.xml",
            "<RootComponents>",
            [
                "<RootComponents>\n      <RootComponent type=\"61\" schemaName=\"a.js\" behavior=\"0\" />",
                "<RootComponents>\n      <RootComponent type=\"61\" schemaName=\"b.js\" behavior=\"0\" />",
            ],
        ),
        (
            "Other/Relationships.xml",
            "<EntityRelationship Name=\"bpf_contoso_buildsite_contoso_newbuildsite\" />",
            [
                "<EntityRelationship Name=\"a\" />\n  <EntityRelationship Name=\"bpf_contoso_buildsite_contoso_newbuildsite\" />",
                "<EntityRelationship Name=\"b\" />\n  <EntityRelationship Name=\"bpf_contoso_buildsite_contoso_newbuildsite\" />",
            ],
        ),
        (
            "Other/Relationships/contoso_PermitType.xml",
            "<CascadeDelete>RemoveLink<",
            ["<CascadeDelete>Cascade<", "<CascadeDelete>Restrict<"],
        ),
        (
            "Other/Customizations.xml",
            "apis/shared_commondataserviceforapps",
            ["apis/shared_sql", "apis/shared_sharepointonline"],
        ),
        (
            "Inspection Router.xml",
            "\"prvReadcontoso_Inspection\" level=\"Global\"",
            [
                "\"prvReadcontoso_Inspection\" level=\"Local\"",
                "\"prvReadcontoso_Inspection\" level=\"Basic\"",
            ],
        ),
        (
            form,
            "<label description=\"Name\" languagecode=\"1033\" />",
            [
                "<label description=\"Title\" languagecode=\"1033\" />",
                "<label description=\"Subject\" languagecode=\"1033\" />",
            ],
        ),
        (
            flow,
            "\"entityName\": \"contoso_inspections\"",
            [
                "\"entityName\": \"contoso_permits\"",
                "\"entityName\": \"accounts\"",
            ],
        ),
        (
            flow,
            "\"actions\": {",
            [
                "\"actions\": {\n        \"AddNote\": {\"runAfter\": {\"GetPermit\": [\"Succeeded\"]}, \"type\": \"Compose\", \"inputs\": 1},",
                "\"actions\": {\n        \"SendMail\": {\"runAfter\": {\"GetPermit\": [\"Succeeded\"]}, \"type\": \"Compose\", \"inputs\": 2},",
            ],
        ),
    ];
    for (end, from, [own, other]) in both {
        replace(&mut ours, end, from, own);
        replace(&mut theirs, end, from, other);
    }
    // We delete a column and a view, they change them.
    let (path, text) = file(&ours, "contoso_Permit/Entity.xml");
    let from = text
        .find("        <attribute PhysicalName=\"contoso_NewSize\">")
        .unwrap();
    let to = from + text[from..].find("</attribute>\r\n").unwrap() + "</attribute>\r\n".len();
    ours.insert(path, format!("{}{}", &text[..from], &text[to..]))
        .unwrap();
    replace(
        &mut theirs,
        "contoso_Permit/Entity.xml",
        "<attribute PhysicalName=\"contoso_NewSize\">\n          <Type>int</Type>",
        "<attribute PhysicalName=\"contoso_NewSize\">\n          <Type>money</Type>",
    );
    let view = "{48482f15-b783-4827-baf9-5b701b7e62d8}.xml";
    replace(&mut theirs, view, "contoso_name", "contoso_title");
    ours.remove(&file(&ours, view).0);
    (ours, theirs)
}

#[test]
fn every_conflict_names_the_component_the_place_in_words_and_both_values() {
    let base = permits();
    let (ours, theirs) = rivals();
    let merged = merge(&base, &ours, &theirs, &Choices::default());
    let open = choices(&merged, &base, &ours, &theirs).unwrap();
    let mut told = String::new();
    for choice in &open {
        for decision in &choice.conflicts {
            let side = |value: &Option<String>| value.clone().unwrap_or("-".to_owned());
            told.push_str(&format!(
                "{} | {}: {} | {} | {}\n",
                choice.name,
                decision.place,
                side(&decision.base),
                side(&decision.ours),
                side(&decision.theirs)
            ));
        }
    }
    insta::assert_snapshot!(told);
    // What both added stays side by side: steps, root components, relationships; of two versions
    // the higher one.
    let text = |end: &str| file(&merged.tree, end).1;
    for (end, both) in [
        ("0022481C5F83.json", ["\"AddNote\"", "\"SendMail\""]),
        ("Other/Solution.xml", ["\"a.js\"", "\"b.js\""]),
        ("Other/Relationships.xml", ["Name=\"a\"", "Name=\"b\""]),
    ] {
        let path = merged.tree.paths().find(|path| {
            path.ends_with(end) && (!end.ends_with("json") || path.contains("ClearInspection"))
        });
        let text = String::from_utf8(merged.tree.get(path.unwrap()).unwrap().to_vec()).unwrap();
        assert!(both.iter().all(|piece| text.contains(piece)), "{end}");
    }
    assert!(text("Other/Solution.xml").contains("<Version>1.0.0.14<"));
    for (path, data) in merged.tree.iter() {
        let text = String::from_utf8_lossy(data);
        assert!(!text.contains("<<<<<<<"), "{path}");
    }
}

#[test]
fn taking_one_side_for_all_gives_the_same_whoever_is_called_ours() {
    let base = permits();
    let (first, second) = rivals();
    let all = |others| Choices {
        others: Some(others),
        ..Choices::default()
    };
    let forth = merge(&base, &first, &second, &all(Side::Theirs));
    let back = merge(&base, &second, &first, &all(Side::Ours));
    assert!(forth.is_settled() && back.is_settled());
    assert_eq!(forth.tree, back.tree);
    let ids = |of: &almscript::solution::merge::Merged| -> Vec<String> {
        of.conflicts.iter().map(|conflict| conflict.id()).collect()
    };
    assert_eq!(ids(&forth), ids(&back));
    for (one, other) in forth.conflicts.iter().zip(&back.conflicts) {
        assert_eq!(
            (&one.base, &one.ours, &one.theirs),
            (&other.base, &other.theirs, &other.ours)
        );
    }
}

#[test]
fn a_side_that_did_nothing_changes_no_byte_of_any_package() {
    let none = Choices::default();
    for (name, tree) in crate::meaning::trees() {
        let messy = crate::meaning::disordered(&tree);
        for (ours, theirs) in [(&messy, &tree), (&tree, &messy), (&messy, &messy)] {
            let merged = merge(&tree, ours, theirs, &none);
            assert!(
                merged.tree == messy && merged.conflicts.is_empty(),
                "{name}"
            );
        }
    }
}

#[test]
fn operands_of_a_condition_are_never_mixed() {
    let flow = |operand: &str| {
        let text = format!(
            "{{\"actions\":{{\"If\":{{\"expression\":{{\"equals\":[\"@a\",\"{operand}\"]}}}}}}}}"
        );
        tree_of([("Workflows/F.json".to_owned(), bytes::Bytes::from(text))])
    };
    let merged = merge(&flow("x"), &flow("y"), &flow("z"), &Choices::default());
    assert_eq!(merged.conflicts.len(), 1);
    assert_eq!(merged.tree, flow("y"));
}

#[test]
fn program_texts_merge_by_line_and_payloads_are_chosen_whole() {
    let tree = |js: &str, image: &[u8]| -> SourceTree {
        let file = |path: &str, data: &[u8]| (path.to_owned(), bytes::Bytes::copy_from_slice(data));
        tree_of([
            file("WebResources/a.js", js.as_bytes()),
            file("WebResources/a.png", image),
        ])
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
    tree_of([
        (
            "Entities/A/Entity.xml".to_owned(),
            bytes::Bytes::from(entity),
        ),
        ("Workflows/F.json".to_owned(), bytes::Bytes::from(flow)),
    ])
}

fn tree_of<const N: usize>(files: [(String, bytes::Bytes); N]) -> SourceTree {
    let mut tree = SourceTree::new();
    for (path, data) in files {
        tree.insert(path, data).unwrap();
    }
    tree
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
    fn it_does_not_matter_which_side_is_ours(
        base in content(), first in edits(), second in edits(),
    ) {
        let (ours, theirs) = (tree(&edited(&base, &first)), tree(&edited(&base, &second)));
        let base = tree(&base);
        let all = |others| Choices { others: Some(others), ..Choices::default() };
        let forth = merge(&base, &ours, &theirs, &all(Side::Theirs));
        let back = merge(&base, &theirs, &ours, &all(Side::Ours));
        prop_assert_eq!(&forth.tree, &back.tree);
        prop_assert_eq!(forth.conflicts.len(), back.conflicts.len());
        for (one, other) in forth.conflicts.iter().zip(&back.conflicts) {
            prop_assert_eq!(one.id(), other.id());
            prop_assert_eq!((&one.ours, &one.theirs), (&other.theirs, &other.ours));
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
