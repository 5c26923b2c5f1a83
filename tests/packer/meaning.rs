//! Normalising, comparing and merging change no meaning on the crafted packages either: every row of
//! the table of facts §4, as the corpus has only some.

use almscript::solution::merge::{Choices, merge};
use almscript::solution::normalise::{NormaliseOptions, RULES, normalise};

use crate::crafted::{packed, tree_of};
use crate::rows::rows;

#[test]
fn normalising_a_crafted_package_twice_is_once_and_keeps_what_is_packed() {
    for row in rows() {
        let tree = tree_of(&row.package());
        for rule in RULES.iter().filter(|rule| rule.keeps_meaning) {
            let only = NormaliseOptions {
                with: vec![rule.name.to_owned()],
                without: vec!["all".to_owned()],
            };
            let once = normalise(&tree, &only).unwrap().tree;
            let twice = normalise(&once, &only).unwrap();
            assert!(twice.changed.is_empty(), "{}: {}", row.name, rule.name);
        }
        let once = normalise(&tree, &NormaliseOptions::default()).unwrap().tree;
        let (before, after) = (packed(&tree), packed(&once));
        let meaning = |package: &almscript::solution::Package| -> Vec<(String, Vec<u8>)> {
            let mut parts: Vec<(String, Vec<u8>)> = package
                .parts()
                .iter()
                .filter(|part| part.name != "customizations.xml" && part.name != "solution.xml")
                .map(
                    |part| match serde_json::from_slice::<serde_json::Value>(&part.data) {
                        Ok(json) => (part.name.clone(), json.to_string().into_bytes()),
                        Err(_) => (part.name.clone(), part.data.to_vec()),
                    },
                )
                .collect();
            for name in ["customizations.xml", "solution.xml"] {
                // The rows have nothing twice, so order is all that a rule could change.
                let text = String::from_utf8(package.part(name).unwrap().to_vec()).unwrap();
                let mut pieces: Vec<String> = text
                    .split('<')
                    .map(|piece| piece.trim_end().to_owned())
                    .collect();
                pieces.sort();
                parts.push((name.to_owned(), pieces.concat().into_bytes()));
            }
            parts
        };
        assert_eq!(meaning(&before), meaning(&after), "{}", row.name);
    }
}

#[test]
fn merging_a_crafted_tree_with_itself_and_with_one_change_gives_what_was_changed() {
    for row in rows() {
        let tree = tree_of(&row.package());
        let merged = merge(&tree, &tree, &tree, &Choices::default());
        assert!(merged.conflicts.is_empty(), "{}", row.name);
        assert_eq!(merged.tree, tree, "{}", row.name);
        let nothing = tree_of(&crate::crafted::package("0", "<Roles />", "", &[]));
        let merged = merge(&nothing, &tree, &nothing, &Choices::default());
        assert!(merged.conflicts.is_empty(), "{}", row.name);
        for path in tree.paths() {
            assert_eq!(
                merged.tree.get(path),
                tree.get(path),
                "{}: {path}",
                row.name
            );
        }
    }
}
