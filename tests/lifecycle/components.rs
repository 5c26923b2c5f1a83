//! A package as its components, and back.

use std::collections::BTreeMap;

use almscript::solution::component::{
    ComponentType, assemble, code, components, required_components, split, summary,
};
use almscript::solution::{CONTENT_TYPES_XML, Package};

use crate::corpus::{EXPORTED, PACKED, package};

fn parts(package: &Package) -> BTreeMap<&str, &[u8]> {
    let outside = ["customizations.xml", CONTENT_TYPES_XML, "solution.xml"];
    let parts = package
        .parts()
        .iter()
        .filter(|part| !outside.contains(&part.name.as_str()));
    parts
        .map(|part| (part.name.as_str(), &part.data[..]))
        .collect()
}

#[test]
fn a_server_export_comes_back_with_the_same_bytes() {
    for name in EXPORTED {
        let original = package(name);
        let pieces = split(&original).unwrap_or_else(|error| panic!("{name}: {error}"));
        let again = assemble(&pieces.outline, &pieces.components).unwrap();
        let text = |package: &Package, part: &str| {
            String::from_utf8(package.part(part).unwrap().to_vec()).unwrap()
        };
        for part in ["solution.xml", "customizations.xml"] {
            let (old, new) = (text(&original, part), text(&again, part));
            for (number, (old, new)) in old.lines().zip(new.lines()).enumerate() {
                assert_eq!(new, old, "{name}: {part}, line {}", number + 1);
            }
            assert_eq!(new.len(), old.len(), "{name}: {part}");
        }
        assert_eq!(parts(&again), parts(&original), "{name}");
        assert_eq!(pieces.unclaimed, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn what_tools_packed_comes_back_with_the_same_content() {
    for name in PACKED {
        let original = package(name);
        let pieces = split(&original).unwrap_or_else(|error| panic!("{name}: {error}"));
        let again = assemble(&pieces.outline, &pieces.components).unwrap();
        assert_eq!(parts(&again), parts(&original), "{name}");
        let ids = |package: &Package| -> Vec<_> {
            components(package)
                .unwrap()
                .into_iter()
                .map(|it| (it.identity(), it.fragment))
                .collect()
        };
        assert_eq!(ids(&again), ids(&original), "{name}");
    }
}

#[test]
fn every_root_component_is_found_among_the_components() {
    for name in EXPORTED {
        let pieces = split(&package(name)).unwrap();
        let known: Vec<_> = pieces.components.iter().map(|it| it.identity()).collect();
        for root in pieces.outline.roots().unwrap() {
            // Servers list forms of shell tables, and the site map, without writing them.
            let loose = [code::FORM, code::SITE_MAP].map(ComponentType::Code);
            let found = known.contains(&root.identity);
            assert!(
                found || loose.contains(&root.identity.component_type),
                "{name}: {} is missing",
                root.identity
            );
        }
        let same = pieces
            .outline
            .with_roots_of(&pieces.components, |_| 0, |_| false)
            .unwrap();
        assert!(
            same.manifest == pieces.outline.manifest,
            "{name}: the manifest changed"
        );
    }
}

#[test]
fn a_package_says_what_it_holds() {
    let permits = summary(&package("05-permit-management/unmanaged")).unwrap();
    let count = |label: &str| {
        permits
            .counts
            .iter()
            .find(|count| count.label == label)
            .map_or(0, |it| it.names.len())
    };
    assert_eq!(count("table"), 7);
    assert_eq!(count("process"), 3);
    assert_eq!(count("canvas app"), 1);
    assert_eq!(count("custom API"), 1);
    assert_eq!(count("connection reference"), 1);

    let pieces = split(&package("05-permit-management/unmanaged")).unwrap();
    let flow = ComponentType::Code(code::WORKFLOW);
    let flow = pieces
        .component(&flow, "{CC4E576A-2c1f-ee11-9cbe-0022481c5f83}")
        .unwrap();
    assert_eq!(flow.display_name, "Reset Inspections");
    assert!(flow.payload_ending(".JSON").is_some());
    let parameter = ComponentType::table("customapirequestparameter");
    let parameter = pieces
        .component(&parameter, "contoso_lockpermit/reason")
        .unwrap();
    assert_eq!(parameter.parent.as_ref().unwrap().key, "contoso_lockpermit");
}

#[test]
fn what_must_be_in_the_target_is_read_from_the_manifest() {
    let outline = split(&package("04-column-security/managed"))
        .unwrap()
        .outline;
    let required = required_components(&outline).unwrap();
    assert_eq!(required.len(), 3);
    assert_eq!(
        required[0].0.component_type,
        ComponentType::table("maskingrule")
    );
    assert_eq!(required[0].1, "msft_ColumnLevelSecurityData (1.2.0.28)");
}

#[test]
fn a_form_without_its_table_gets_a_shell_that_leaves_the_table_alone() {
    let mut pieces = split(&package("05-permit-management/unmanaged")).unwrap();
    let form = pieces
        .components
        .iter()
        .find(|it| it.component_type == ComponentType::Code(code::FORM))
        .unwrap()
        .clone();
    pieces.components = vec![form.clone()];
    let again = assemble(&pieces.outline, &pieces.components).unwrap();
    let found = components(&again).unwrap();
    assert_eq!(found.len(), 2, "the table's shell and the form");
    assert_eq!(found[1].fragment, form.fragment);
    assert_eq!(found[1].place, form.place);
}
