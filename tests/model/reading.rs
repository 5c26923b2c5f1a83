//! A tree and its package tell of the same components.

use std::collections::BTreeMap;

use almscript::solution::component::{
    Component, components, components_of_tree, counts, declared_components,
};
use almscript::solution::model::{Dependency, Origin, dependencies};

use crate::corpus;

/// What identifies a component and what people see of it.
fn told(components: &[Component]) -> BTreeMap<String, (String, Option<String>, String, usize)> {
    components
        .iter()
        .map(|one| {
            let facts = (
                one.display_name.clone(),
                one.id.map(|id| id.to_string()),
                one.kind().to_owned(),
                one.payload.len(),
            );
            (one.identity().to_string(), facts)
        })
        .collect()
}

#[test]
fn a_tree_tells_of_the_components_of_its_package() {
    for (folder, kind) in corpus::singles() {
        let package = corpus::package(&folder, &format!("{kind}.repacked.zip"));
        let tree = corpus::tree(&folder, &format!("{kind}.unpacked.tar.gz"));
        let of_package = told(&components(&package).unwrap());
        let of_tree = told(&components_of_tree(&tree).unwrap());
        for (identity, facts) in &of_package {
            let other = of_tree.get(identity);
            // The ribbon of a table is a file of its own in a tree.
            let same = other.is_some_and(|other| {
                (&other.0, &other.1, &other.2) == (&facts.0, &facts.1, &facts.2)
            });
            assert!(
                same,
                "{folder} {kind}: {identity} is {facts:?}, in the tree {other:?}"
            );
            let payload = other.map_or(0, |other| other.3);
            assert!(payload >= facts.3, "{folder} {kind}: {identity} lost files");
        }
        assert_eq!(of_package.len(), of_tree.len(), "{folder} {kind}");
    }
}

#[test]
fn counts_name_what_there_is() {
    let package = corpus::package("05-permit-management", "unmanaged.zip");
    let counts: BTreeMap<String, usize> = counts(&components(&package).unwrap())
        .into_iter()
        .map(|count| (count.label, count.names.len()))
        .collect();
    insta::assert_debug_snapshot!(counts);
}

fn needs(folder: &str, kind: &str) -> Vec<Dependency> {
    let package = corpus::package(folder, &format!("{kind}.zip"));
    let declared = declared_components(&package.manifest().unwrap());
    dependencies(&components(&package).unwrap(), &declared)
}

#[test]
fn dependencies_of_the_permits_are_told_with_where_they_come_from() {
    let lines: Vec<String> = needs("05-permit-management", "unmanaged")
        .iter()
        // That parts need their tables, and roles the tables of their privileges, is much.
        .filter(|one| !one.part_of && one.dependent.component_type.code() != Some(20))
        .map(|one| format!("{} -> {} ({:?})", one.dependent, one.required, one.origin))
        .collect();
    insta::assert_debug_snapshot!(lines);
}

#[test]
fn what_real_packages_need_is_nearly_always_somewhere() {
    let mut missing = Vec::new();
    for (folder, kind) in corpus::singles() {
        let needs = needs(&folder, kind);
        let lost = needs.iter().filter(|one| one.origin == Origin::Missing);
        missing.extend(
            lost.map(|one| format!("{folder} {kind}: {} -> {}", one.dependent, one.required)),
        );
    }
    insta::assert_debug_snapshot!(missing);
}
