//! A change concerns the bytes that it must, in a package and in a tree alike.

use std::collections::BTreeMap;

use almscript::solution::component::{Component, components, components_of_tree};
use almscript::solution::model::{Draft, Files, put, remove, set_variable_value};
use almscript::solution::{PackOptions, Package, SourceTree, UnpackOptions, pack, unpack};

use crate::corpus;

fn files_of_package(package: &Package) -> BTreeMap<String, Vec<u8>> {
    let parts = package.parts().iter();
    parts
        .map(|part| (part.name.clone(), part.data.to_vec()))
        .collect()
}

fn files_of_tree(tree: &SourceTree) -> BTreeMap<String, Vec<u8>> {
    tree.iter()
        .map(|(path, data)| (path.to_owned(), data.to_vec()))
        .collect()
}

type Contents = BTreeMap<String, Vec<u8>>;

/// The files that differ, each with the lines that do: old and new.
fn changed(old: &Contents, new: &Contents) -> Vec<(String, Vec<(String, String)>)> {
    assert!(old.keys().eq(new.keys()), "files came or went");
    old.iter()
        .filter(|(path, data)| new[*path] != **data)
        .map(|(path, data)| {
            let lines = |data: &[u8]| -> Vec<String> {
                let text = String::from_utf8(data.to_vec()).unwrap();
                text.split('\n').map(str::to_owned).collect()
            };
            let (before, after) = (lines(data), lines(&new[path]));
            assert_eq!(before.len(), after.len(), "{path} has other lines");
            let pairs = before.into_iter().zip(after);
            (path.clone(), pairs.filter(|(a, b)| a != b).collect())
        })
        .collect()
}

/// Gives every component of `files` another name, description and managed property, one after the
/// other, and takes it back. Returns how many changes were made.
fn every_component_there_and_back<F: Files>(
    what: &str,
    files: &F,
    components: &[Component],
    contents: impl Fn(&F) -> Contents,
) -> usize {
    type Set = fn(&mut Draft, &str) -> bool;
    let sets: [(&str, Set); 3] = [
        ("display name", |draft, text| {
            draft.set_display_name(text).is_ok()
        }),
        ("description", |draft, text| {
            draft.description().is_some() && draft.set_description(text).is_ok()
        }),
        ("customizable", |draft, text| {
            draft
                .set_managed_property("iscustomizable", text.len() % 2 == 0)
                .is_ok()
        }),
    ];
    const NASTY: &str = "Nöw \"quoted\" & <tag> 'x'";
    let before = contents(files);
    let mut made = 0;
    for component in components {
        for (property, set) in sets {
            let mut draft = Draft::new(component.clone(), 1033);
            if !set(&mut draft, NASTY) {
                continue;
            }
            let mut edited = files.clone();
            put(&mut edited, std::slice::from_ref(&draft)).unwrap_or_else(|error| {
                panic!("{what}: {property} of {}: {error}", component.identity())
            });
            let told = changed(&before, &contents(&edited));
            assert!(
                told.len() <= 1,
                "{what}: {property} of {} in {told:?}",
                component.identity()
            );
            let lines: usize = told.iter().map(|(_, lines)| lines.len()).sum();
            // A workflow, a table and a variable repeat their name once or twice.
            assert!(
                lines <= 3,
                "{what}: {property} of {} in {told:?}",
                component.identity()
            );
            for (old, new) in told.iter().flat_map(|(_, lines)| lines) {
                // What stands before and behind the value is as it was.
                let same_start = old
                    .chars()
                    .zip(new.chars())
                    .take_while(|(a, b)| a == b)
                    .count();
                let same_end = old
                    .chars()
                    .rev()
                    .zip(new.chars().rev())
                    .take_while(|(a, b)| a == b)
                    .count();
                assert!(same_start >= 1 && same_end >= 1, "{old:?} {new:?}");
            }
            made += told.len();
        }
    }
    made
}

#[test]
fn a_change_of_any_component_touches_its_value_only() {
    for (folder, kind) in corpus::singles() {
        // The large ones have nothing that the small ones lack, and are walked once for each of
        // their thousands of components.
        if ["07-nonprofit-core", "12-higher-education"].contains(&folder.as_str()) {
            continue;
        }
        let package = corpus::package(&folder, &format!("{kind}.zip"));
        let own = small(components(&package).unwrap());
        let count = every_component_there_and_back(&folder, &package, &own, files_of_package);
        assert!(count > 1, "{folder} {kind}: {count}");
        let tree = corpus::tree(&folder, &format!("{kind}.unpacked.tar.gz"));
        let own = small(components_of_tree(&tree).unwrap());
        let count = every_component_there_and_back(&folder, &tree, &own, files_of_tree);
        assert!(count > 1, "{folder} {kind}: {count}");
    }
}

/// A few of each kind.
fn small(components: Vec<Component>) -> Vec<Component> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    components
        .into_iter()
        .filter(|one| {
            let count = seen.entry(one.kind().to_owned()).or_default();
            *count += 1;
            *count <= 3
        })
        .collect()
}

#[test]
fn the_same_change_means_the_same_in_a_package_and_in_its_tree() {
    for (folder, kind) in corpus::singles() {
        let mut package = corpus::package(&folder, &format!("{kind}.zip"));
        let mut tree = unpack(&package, &UnpackOptions::default()).unwrap().tree;
        let drafts = |components: Vec<Component>| -> Vec<Draft> {
            let mut drafts = Vec::new();
            for component in components {
                // A role's file is called like the role.
                let renamed = component.component_type.code() != Some(20);
                let mut draft = Draft::new(component, 1033);
                let name = format!("{} <new>", draft.component().display_name);
                if !renamed || draft.set_display_name(&name).is_err() {
                    let _ = draft.set_managed_property("IsCustomizable", false);
                }
                drafts.push(draft);
            }
            drafts
        };
        let of_package = drafts(components(&package).unwrap());
        put(&mut package, &of_package).unwrap_or_else(|error| panic!("{folder} {kind}: {error}"));
        let of_tree = drafts(components_of_tree(&tree).unwrap());
        put(&mut tree, &of_tree).unwrap_or_else(|error| panic!("{folder} {kind}: {error}"));
        let again = unpack(&package, &UnpackOptions::default()).unwrap().tree;
        for (path, data) in again.iter() {
            let own = tree
                .get(path)
                .unwrap_or_else(|| panic!("{folder} {kind}: no {path}"));
            assert_eq!(
                String::from_utf8_lossy(own),
                String::from_utf8_lossy(data),
                "{folder} {kind}: {path}"
            );
        }
        assert_eq!(again.len(), tree.len(), "{folder} {kind}");
    }
}

#[test]
fn a_removed_component_leaves_a_package_that_packs_and_unpacks_to_the_same() {
    for folder in [
        "01-timesheet",
        "05-permit-management",
        "06-pl400-demos",
        "09-resume-agent",
    ] {
        let package = corpus::package(folder, "unmanaged.zip");
        let all = components(&package).unwrap();
        let tree = unpack(&package, &UnpackOptions::default()).unwrap().tree;
        let of_tree = components_of_tree(&tree).unwrap();
        for component in small(all.clone()) {
            let identity = component.identity();
            let mut smaller = package.clone();
            let removed = remove(&mut smaller, &all, &identity)
                .unwrap_or_else(|error| panic!("{folder}: {identity}: {error}"));
            let left = components(&smaller).unwrap();
            assert_eq!(
                left.len(),
                all.len() - removed.components.len(),
                "{folder}: {identity}"
            );
            assert!(
                !left
                    .iter()
                    .any(|one| removed.components.contains(&one.identity()))
            );
            // Nothing else lost or gained a byte.
            for one in &left {
                let before = all
                    .iter()
                    .find(|old| old.identity() == one.identity())
                    .unwrap();
                assert_eq!(before, one, "{folder}: {identity}");
            }
            let mut fewer = tree.clone();
            let same = remove(&mut fewer, &of_tree, &identity)
                .unwrap_or_else(|error| panic!("{folder}: {identity} in the tree: {error}"));
            assert_eq!(same.components, removed.components, "{folder}: {identity}");
            pack(&fewer, &PackOptions::default())
                .unwrap_or_else(|error| panic!("{folder}: without {identity}: {error}"));
            let unpacked = unpack(&smaller, &UnpackOptions::default()).unwrap().tree;
            let names: Vec<&str> = unpacked.paths().collect();
            assert_eq!(
                fewer.paths().collect::<Vec<_>>(),
                names,
                "{folder}: {identity}"
            );
            for (path, data) in unpacked.iter() {
                assert_eq!(
                    String::from_utf8_lossy(fewer.get(path).unwrap()),
                    String::from_utf8_lossy(data),
                    "{folder}: without {identity}: {path}"
                );
            }
        }
    }
}

#[test]
fn a_form_is_changed_in_its_managed_version_too() {
    let mut tree = corpus::tree("05-permit-management", "both.unpacked.tar.gz");
    let form = components_of_tree(&tree).unwrap();
    let form = form.into_iter().find(|one| one.kind() == "form").unwrap();
    let key = form.key.clone();
    let mut draft = Draft::new(form, 1033);
    draft.set_display_name("Twice").unwrap();
    let before = files_of_tree(&tree);
    put(&mut tree, &[draft]).unwrap();
    let told = changed(&before, &files_of_tree(&tree));
    let paths: Vec<&String> = told.iter().map(|(path, _)| path).collect();
    assert_eq!(paths.len(), 2, "{paths:?}");
    assert!(paths.iter().all(|path| path.contains(&key)), "{paths:?}");
    assert!(
        paths.iter().any(|path| path.ends_with("_managed.xml")),
        "{paths:?}"
    );
}

#[test]
fn a_variable_gets_a_value_where_it_has_none_and_another_where_it_has_one() {
    let mut package = corpus::package("03-human-in-the-loop", "unmanaged.zip");
    let mut tree = unpack(&package, &UnpackOptions::default()).unwrap().tree;
    for value in ["https://one.example", "https://two.example/?a=\"1\"&b=ü"] {
        let own = components(&package).unwrap();
        set_variable_value(&mut package, &own, "cat_HitlHostUrl", value).unwrap();
        let own = components_of_tree(&tree).unwrap();
        set_variable_value(&mut tree, &own, "CAT_hitlhosturl", value).unwrap();
        assert_eq!(
            unpack(&package, &UnpackOptions::default()).unwrap().tree,
            tree
        );
        let model = almscript::solution::model::Model::read(&tree).unwrap();
        assert_eq!(model.variables[0].value.as_deref(), Some(value));
    }
    // The new part is declared, or Microsoft's readers would not see it.
    let types = String::from_utf8(package.part("[Content_Types].xml").unwrap().to_vec()).unwrap();
    assert!(types.contains("Extension=\"json\""), "{types}");
    let own = components(&package).unwrap();
    assert!(set_variable_value(&mut package, &own, "cat_None", "x").is_err());
}

#[test]
fn a_flow_is_turned_off_and_a_reference_gets_another_connector() {
    let mut package = corpus::package("05-permit-management", "unmanaged.zip");
    let before = files_of_package(&package);
    let own = components(&package).unwrap();
    let mut drafts = Vec::new();
    for component in own {
        let mut draft = Draft::new(component, 1033);
        if draft.component().kind() == "cloud flow" && draft.active() == Some(true) {
            draft.set_active(false).unwrap();
            assert_eq!(draft.active(), Some(false));
            drafts.push(draft);
        } else if draft.connector().is_some() {
            let other = "/providers/Microsoft.PowerApps/apis/shared_other";
            draft.set_connector(other).unwrap();
            drafts.push(draft);
        }
    }
    assert!(drafts.len() > 2);
    put(&mut package, &drafts).unwrap();
    let told = changed(&before, &files_of_package(&package));
    let [(file, lines)] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(file, "customizations.xml");
    let mut kinds: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (old, new) in lines {
        *kinds
            .entry((old.trim().to_owned(), new.trim().to_owned()))
            .or_default() += 1;
    }
    insta::assert_debug_snapshot!(kinds);
}
