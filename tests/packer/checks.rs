//! What packing checks (facts §11).

use almscript::solution::{PackOptions, Package, PackageError, SourceTree, pack};

use crate::crafted::{codes, package, root, solution_xml, tree_of};
use crate::rows::rows;

/// The tree of a package without its root components.
fn without_roots(source: &Package) -> SourceTree {
    let mut source = source.clone();
    source
        .set_part("solution.xml", solution_xml("0", "").into_bytes())
        .unwrap();
    tree_of(&source)
}

/// Facts §11: which components must have a root component, and for which its lack is nothing.
#[test]
fn a_component_without_root_component_is_an_error_for_these_types() {
    let required = [
        "Entities",
        "Roles",
        "Workflows",
        "FieldSecurityProfiles",
        "SiteMap",
        "optionsets",
        "Dashboards",
        "InteractionCentricDashboards",
        "WebResources",
        "CustomControls",
        "SolutionPluginAssemblies",
        "SdkMessageProcessingSteps",
        "ServiceEndpoints",
        "AppModuleSiteMaps",
        "AppModules",
        "CanvasApps",
        "EntityDataSources",
    ];
    for row in rows() {
        let result = pack(&without_roots(&row.package()), &PackOptions::default());
        if required.contains(&row.name) {
            let error = result.expect_err(row.name);
            assert!(error.is_failed_check(), "{}: exit code 3", row.name);
            let PackageError::Checks { findings } = error else {
                panic!("{error}")
            };
            assert!(
                findings.iter().all(|f| f.code == "ALM-P121"),
                "{}: {findings:?}",
                row.name
            );
        } else {
            let findings = result
                .unwrap_or_else(|e| panic!("{}: {e}", row.name))
                .findings;
            assert!(findings.is_empty(), "{}: {findings:?}", row.name);
        }
    }
}

#[test]
fn a_root_component_without_component_is_a_warning_or_nothing() {
    let every = [1, 9, 20, 29, 31, 61, 66, 70, 80, 91, 92, 95, 183, 300];
    let unseen = [60, 63, 372, 401, 431, 432];
    let roots: String = every
        .iter()
        .chain(&unseen)
        .map(|kind| root(*kind, "pub_gone"))
        .collect();
    let packed = pack(
        &tree_of(&package("0", "<Roles />", &roots, &[])),
        &PackOptions::default(),
    );
    let findings = packed.unwrap().findings;
    assert_eq!(findings.len(), every.len(), "{findings:?}");
    assert!(
        findings
            .iter()
            .all(|f| f.code == "ALM-P122" && !f.is_error())
    );
}

#[test]
fn one_of_several_without_its_root_component_is_an_error() {
    let xml = "<Roles><Role id=\"{1}\" name=\"a\" /><Role id=\"{2}\" name=\"b\" /></Roles>";
    let error = pack(
        &tree_of(&package("0", xml, &root(20, "{1}"), &[])),
        &PackOptions::default(),
    )
    .unwrap_err();
    let PackageError::Checks { findings } = error else {
        panic!("{error}")
    };
    assert_eq!(codes(&findings), [("ALM-P121", "Roles/b.xml")]);
}

/// A manifest that names components in another way, or lists parts of a table only, as patches do,
/// is no proof that one is missing.
#[test]
fn where_the_manifest_leaves_a_doubt_it_is_a_warning() {
    let site_map = "<AppModuleSiteMaps><AppModuleSiteMap><SiteMapUniqueName>pub_A</SiteMapUniqueName></AppModuleSiteMap></AppModuleSiteMaps>";
    let table = "<Entities><Entity><Name>pub_T</Name></Entity></Entities>";
    for (xml, roots, file) in [
        (
            site_map,
            root(62, "{1}"),
            "AppModuleSiteMaps/pub_A/AppModuleSiteMap.xml",
        ),
        (table, root(2, "pub_column"), "Entities/pub_T/Entity.xml"),
    ] {
        let packed = pack(
            &tree_of(&package("0", xml, &roots, &[])),
            &PackOptions::default(),
        );
        let findings = packed.unwrap().findings;
        assert!(
            codes(&findings).contains(&("ALM-P121", file)),
            "{findings:?}"
        );
    }
}

#[test]
fn each_missing_payload_is_an_error_with_exit_code_one() {
    for row in rows() {
        let tree = tree_of(&row.package());
        for path in tree.paths().map(str::to_owned).collect::<Vec<_>>() {
            let xml = path.ends_with(".xml") && !path.ends_with("ControlManifest.xml");
            let tolerated = path.contains("AdditionalUris")
                || path.starts_with("Controls/") && !path.ends_with("ControlManifest.xml")
                || row.name == "(pass-through)";
            if xml || tolerated {
                continue;
            }
            let mut tree = tree.clone();
            tree.remove(&path);
            let error = pack(&tree, &PackOptions::default()).expect_err(&path);
            assert!(!error.is_failed_check(), "{path}");
            let PackageError::Checks { findings } = error else {
                panic!("{error}")
            };
            let missing = findings.iter().filter(|f| f.code == "ALM-P120");
            assert!(missing.count() == 1, "{path}: {findings:?}");
        }
    }
}

#[test]
fn a_missing_data_file_leaves_the_component_out_with_a_warning() {
    for (row, file, code) in [
        ("Entities", "Entities/pub_Permit/Entity.xml", "ALM-P122"),
        ("Roles", "Roles/Clerk.xml", "ALM-P122"),
        ("Workflows", "Workflows/Send-AA.json.data.xml", "ALM-P122"),
        ("WebResources", "WebResources/pub_logo.data.xml", "ALM-P122"),
        ("CanvasApps", "CanvasApps/pub_app_1.meta.xml", "ALM-P122"),
        ("AppModules", "AppModules/pub_App/AppModule.xml", "ALM-P122"),
        ("optionsets", "OptionSets/pub_colour.xml", "ALM-P122"),
    ] {
        let row = rows().into_iter().find(|one| one.name == row).unwrap();
        let mut tree = tree_of(&row.package());
        tree.remove(file).unwrap();
        let findings = pack(&tree, &PackOptions::default()).unwrap().findings;
        assert!(
            findings.iter().any(|f| f.code == code),
            "{file}: {findings:?}"
        );
    }
}

#[test]
fn what_nobody_asks_for_may_be_missing() {
    let row = rows()
        .into_iter()
        .find(|row| row.name == "CustomControls")
        .unwrap();
    let mut tree = tree_of(&row.package());
    tree.remove("Controls/pub_My.Own.Control/bundle.js");
    assert!(
        pack(&tree, &PackOptions::default())
            .unwrap()
            .findings
            .is_empty()
    );
}

#[test]
fn a_folder_without_its_two_files_is_no_solution() {
    for file in ["Other/Solution.xml", "Other/Customizations.xml"] {
        let mut tree = tree_of(&package("0", "<Roles />", "", &[]));
        tree.remove(file);
        let error = pack(&tree, &PackOptions::default()).unwrap_err();
        assert!(
            matches!(&error, PackageError::NotATree { missing } if missing == file),
            "{error}"
        );
    }
}

#[test]
fn a_renamed_file_of_a_role_or_choice_does_not_matter() {
    for (row, from, to) in [
        ("Roles", "Roles/Clerk.xml", "Roles/other.txt"),
        (
            "optionsets",
            "OptionSets/pub_colour.xml",
            "OptionSets/other",
        ),
    ] {
        let row = rows().into_iter().find(|one| one.name == row).unwrap();
        let mut tree = tree_of(&row.package());
        let file = tree.remove(from).unwrap();
        tree.insert(to, file).unwrap();
        let packed = pack(&tree, &PackOptions::default()).unwrap();
        assert!(packed.findings.is_empty(), "{to}: {:?}", packed.findings);
    }
}

#[test]
fn all_findings_of_the_checks_come_at_once() {
    let source = package(
        "0",
        "<Roles><Role name=\"a\" id=\"1\" /><Role name=\"b\" id=\"2\" /></Roles>",
        "<RootComponent type=\"61\" schemaName=\"pub_gone.js\" />",
        &[],
    );
    let Err(PackageError::Checks { findings }) = pack(&tree_of(&source), &PackOptions::default())
    else {
        panic!("the check must fail");
    };
    let errors: Vec<&str> = findings
        .iter()
        .filter(|f| f.is_error())
        .map(|f| f.file.as_str())
        .collect();
    assert_eq!(errors, ["Roles/a.xml", "Roles/b.xml"]);
    let warning = findings.iter().find(|f| !f.is_error()).unwrap();
    assert_eq!(
        (warning.code, warning.file.as_str()),
        ("ALM-P122", "Other/Solution.xml")
    );
    assert!(
        warning.line.unwrap() > 10,
        "the line of the root component: {warning:?}"
    );
}

#[test]
fn a_missing_payload_is_an_error_of_its_own() {
    let source = package(
        "0",
        "<WebResources><WebResource><Name>pub_a.js</Name><FileName>/WebResources/a1</FileName></WebResource></WebResources>",
        "<RootComponent type=\"61\" schemaName=\"pub_a.js\" />",
        &[("WebResources/a1", b"x")],
    );
    let mut tree = tree_of(&source);
    tree.remove("WebResources/pub_a.js");
    let error = pack(&tree, &PackOptions::default()).unwrap_err();
    assert!(!error.is_failed_check());
    let PackageError::Checks { findings } = error else {
        panic!("{error}")
    };
    assert!(
        findings[0].message.contains("WebResources/pub_a.js"),
        "{findings:?}"
    );
    assert_eq!(findings[0].file, "WebResources/pub_a.js.data.xml");
}
