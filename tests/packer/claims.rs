//! Which folders belong to component types, what is passed through and what is left out (facts §7.4,
//! §7.5, §8).

use almscript::solution::{Finding, PackOptions, PackageError, pack, unpack};

use crate::crafted::{
    codes, customizations, lf, names, package, packed, root, text, there_and_back, tree_of,
};

#[test]
fn a_collection_that_is_there_claims_its_folder_and_one_that_is_not_does_not() {
    let stray: &[(&str, &[u8])] = &[("Reports/notes/a.txt", b"x")];
    let claimed = unpack(&package("0", "<Reports />", "", stray), &lf()).unwrap();
    assert_eq!(claimed.tree.get("Reports/notes/a.txt"), None);
    assert_eq!(
        codes(&claimed.findings),
        [("ALM-P101", "Reports/notes/a.txt")]
    );
    let free = unpack(&package("0", "<Roles />", "", stray), &lf()).unwrap();
    assert_eq!(free.tree.get("Reports/notes/a.txt"), Some(&b"x"[..]));
    let packed = pack(&free.tree, &PackOptions::default()).unwrap();
    assert_eq!(
        codes(&packed.findings),
        [("ALM-P123", "Reports/notes/a.txt")]
    );
    assert!(packed.into_package().part("Reports/notes/a.txt").is_some());
}

/// What a stray file in the folder of a component type does on packing.
#[test]
fn strays_are_read_as_components_in_some_folders_and_passed_over_in_others() {
    for (collection, folder) in [
        ("Roles", "Roles"),
        ("optionsets", "OptionSets"),
        ("Dashboards", "Dashboards"),
        ("SdkMessageProcessingSteps", "SdkMessageProcessingSteps"),
    ] {
        let mut tree = tree_of(&package("0", &format!("<{collection} />"), "", &[]));
        tree.insert(format!("{folder}/notes.txt"), b"no XML".to_vec())
            .unwrap();
        let error = pack(&tree, &PackOptions::default()).unwrap_err();
        assert!(
            matches!(&error, PackageError::Xml { file, .. } if file.contains("notes")),
            "{error}"
        );
    }
    for (collection, folder) in [
        ("Workflows", "Workflows"),
        ("WebResources", "WebResources"),
        ("CanvasApps", "CanvasApps"),
        ("SolutionPluginAssemblies", "PluginAssemblies"),
        ("Connectors", "Connectors"),
        ("CustomControls", "Controls"),
        ("AppModules", "AppModules"),
    ] {
        let mut tree = tree_of(&package("0", &format!("<{collection} />"), "", &[]));
        let stray = format!("{folder}/a/notes.txt");
        tree.insert(stray.clone(), b"no XML".to_vec()).unwrap();
        let packed = pack(&tree, &PackOptions::default()).unwrap();
        assert_eq!(
            names(&packed.into_package()).len(),
            3,
            "{folder}: the stray is not packed"
        );
    }
}

/// Facts §7.4: what names a component of a collection that is not known, and what does not.
#[test]
fn unknown_collections_are_split_by_name_or_stay() {
    for (component, file) in [
        ("<Thing Name=\"a\" />", Some("a")),
        ("<Thing><name>b</name></Thing>", Some("b")),
        ("<Thing><Name>c</Name></Thing>", Some("c")),
        ("<Thing><schemaname>d</schemaname></Thing>", Some("d")),
        ("<Thing Name=\"x/y: z\" />", Some("x_y_ z")),
        ("<Thing Name=\"v1.0\" />", Some("v1.0")),
        ("<Thing name=\"a\" />", None),
        ("<Thing uniquename=\"a\" />", None),
        ("<Thing UniqueName=\"a\" />", None),
        ("<Thing id=\"a\" />", None),
        ("<Thing><uniquename>a</uniquename></Thing>", None),
        ("<Thing><displayname>a</displayname></Thing>", None),
        ("<Thing><msdyn_name>a</msdyn_name></Thing>", None),
        ("<Thing><name></name></Thing>", None),
    ] {
        let source = package("0", &format!("<Things>{component}</Things>"), "", &[]);
        let tree = tree_of(&source);
        let left = text(&tree, "Other/Customizations.xml").to_owned();
        match file {
            Some(file) => {
                text(&tree, &format!("Things/{file}.meta.xml"));
                assert!(left.contains("  <Things />\n"), "{component}: {left}");
            }
            None => {
                assert_eq!(tree.len(), 2, "{component}");
                assert!(left.contains("<Thing"), "{component}: {left}");
            }
        }
        assert_eq!(tree_of(&packed(&tree)), tree, "{component}");
    }
    // Two of one name would overwrite each other.
    let twice = "<Things><Thing Name=\"a\" k=\"1\" /><Thing Name=\"A\" k=\"2\" /></Things>";
    let unpacked = unpack(&package("0", twice, "", &[]), &lf()).unwrap();
    assert_eq!(
        codes(&unpacked.findings),
        [("ALM-P105", "customizations.xml")]
    );
    assert_eq!(unpacked.tree.len(), 2);
    // One without a name keeps all of them together.
    let tree = tree_of(&package(
        "0",
        "<Things><Thing Name=\"a\" /><Thing /></Things>",
        "",
        &[],
    ));
    assert_eq!(tree.len(), 2);
}

#[test]
fn a_collection_stays_whole_when_a_component_lacks_what_names_its_file() {
    for collection in [
        "<Roles><Role id=\"{1}\" /></Roles>",
        "<optionsets><optionset /></optionsets>",
        "<Dashboards><Dashboard /></Dashboards>",
        "<SdkMessageProcessingSteps><SdkMessageProcessingStep /></SdkMessageProcessingSteps>",
        "<AppModules><AppModule /></AppModules>",
        "<AppModuleSiteMaps><AppModuleSiteMap /></AppModuleSiteMaps>",
        "<EntityDataProviders><EntityDataProvider /></EntityDataProviders>",
        "<MobileOfflineProfiles><MobileOfflineProfile /></MobileOfflineProfiles>",
        "<ComplexControls><ComplexControl /></ComplexControls>",
    ] {
        let unpacked = unpack(&package("0", collection, "", &[]), &lf()).unwrap();
        assert_eq!(
            codes(&unpacked.findings),
            [("ALM-P105", "customizations.xml")],
            "{collection}"
        );
        assert_eq!(unpacked.tree.len(), 2, "{collection}");
        let flat: String = customizations(&packed(&unpacked.tree))
            .split("\r\n")
            .map(str::trim_start)
            .collect();
        assert!(flat.contains(collection), "{flat}");
    }
}

#[test]
fn files_beside_a_code_app_and_a_report_without_file_are_kept() {
    let xml = "<CanvasApps><CanvasApp><Name>pub_code</Name><CodeAppPackageUris>\
        <CodeAppPackageUri>/CanvasApps/pub_code_CodeAppPackages/assets/index.js</CodeAppPackageUri></CodeAppPackageUris></CanvasApp></CanvasApps>\
        <Reports><Report><name>Web: page</name><languagecode>1033</languagecode><reportid>{1}</reportid></Report></Reports>";
    there_and_back(
        &package(
            "0",
            xml,
            &root(300, "pub_code"),
            &[("CanvasApps/pub_code_CodeAppPackages/assets/index.js", b"1")],
        ),
        &[
            "CanvasApps/pub_code_CodeAppPackages/assets/index.js",
            "Reports/1033/{1}/Web_ page.data.xml",
        ],
    );
}

#[test]
fn an_address_of_a_canvas_app_that_is_no_part_is_left_alone() {
    let xml = "<CanvasApps><CanvasApp><Name>pub_a</Name><LogoUri>https://x/y.png</LogoUri></CanvasApp></CanvasApps>";
    there_and_back(
        &package("0", xml, &root(300, "pub_a"), &[]),
        &["CanvasApps/pub_a.meta.xml"],
    );
}

#[test]
fn a_collection_that_stands_twice_is_filled_once() {
    let xml = "<Roles><Role id=\"{1}\" name=\"R\" /></Roles><Entities /><Roles />";
    let source = package("0", xml, &root(20, "{1}"), &[]);
    let again = customizations(&packed(&tree_of(&source)));
    assert_eq!(again.matches("<Role ").count(), 1);
    assert_eq!(again.matches("<Roles />").count(), 1);
}

#[test]
fn a_part_that_two_components_name_is_kept_once() {
    let xml = "<Connectors><Connector><name>a</name><iconblob>/Connector/icon.Png</iconblob></Connector>\
               <Connector><name>b</name><iconblob>/Connector/icon.Png</iconblob></Connector></Connectors>\
               <Roles><Role id=\"{1}\" name=\"R\" /><Role id=\"{1}\" name=\"R\" /></Roles>";
    let source = package(
        "0",
        xml,
        &root(20, "{1}"),
        &[("Connector/icon.Png", b"PNG")],
    );
    let unpacked = unpack(&source, &lf()).unwrap();
    assert_eq!(codes(&unpacked.findings), [("ALM-P106", "Roles/R.xml")]);
    assert_eq!(names(&packed(&unpacked.tree)), names(&source));
}

#[test]
fn an_empty_collection_keeps_its_form_in_the_folder_and_is_short_in_the_package() {
    let tree = tree_of(&package(
        "0",
        "<OrganizationSettings></OrganizationSettings>",
        "",
        &[],
    ));
    let kept = text(&tree, "Other/Customizations.xml");
    assert!(
        kept.contains("<OrganizationSettings></OrganizationSettings>"),
        "{kept}"
    );
    let packed = packed(&tree);
    let xml = std::str::from_utf8(packed.part("customizations.xml").unwrap()).unwrap();
    assert!(xml.contains("  <OrganizationSettings />"), "{xml}");
}

#[test]
fn what_is_dropped_is_reported() {
    let mut source = package(
        "0",
        "<Roles /><CanvasApps><CanvasApp><Name>pub_app</Name><DocumentUri>/CanvasApps/a.msapp</DocumentUri>\
         <AdditionalUris><AdditionalUri>/CanvasApps/gone.json</AdditionalUri></AdditionalUris></CanvasApp></CanvasApps>\
         <Workflows><Workflow WorkflowId=\"{1}\" unmodified=\"1\" /></Workflows>",
        "<RootComponent type=\"300\" schemaName=\"pub_app\" />",
        &[
            ("CanvasApps/a.msapp", b"app"),
            ("CanvasApps/stray", b"x"),
            ("Roles/stray", b"x"),
            ("Other/x", b"x"),
            ("__MACOSX/bots/._x", b"x"),
            ("bots/.DS_Store", b"x"),
        ],
    );
    source
        .set_part("filteredcomponents.xml", b"<a/>".to_vec())
        .unwrap();
    let unpacked = unpack(&source, &lf()).unwrap();
    let mut codes: Vec<(&str, &str)> = unpacked
        .findings
        .iter()
        .map(|f: &Finding| (f.code, f.file.as_str()))
        .collect();
    codes.sort();
    assert_eq!(
        codes,
        [
            ("ALM-P101", "CanvasApps/stray"),
            ("ALM-P101", "Other/x"),
            ("ALM-P101", "Roles/stray"),
            ("ALM-P101", "__MACOSX/bots/._x"),
            ("ALM-P101", "bots/.DS_Store"),
            ("ALM-P102", "filteredcomponents.xml"),
            ("ALM-P103", "customizations.xml"),
            ("ALM-P104", "customizations.xml"),
        ]
    );
    assert!(unpacked.tree.get("CanvasApps/a.msapp").is_some());
}

#[test]
fn additional_uris_are_kept() {
    let source = package(
        "0",
        "<CanvasApps><CanvasApp><Name>pub_app</Name><DocumentUri>/CanvasApps/a.msapp</DocumentUri>\
         <AdditionalUris><AdditionalUri>/CanvasApps/a0_identity.json</AdditionalUri></AdditionalUris></CanvasApp></CanvasApps>",
        "<RootComponent type=\"300\" schemaName=\"pub_app\" />",
        &[
            ("CanvasApps/a.msapp", b"app"),
            ("CanvasApps/a0_identity.json", b"{}"),
        ],
    );
    there_and_back(
        &source,
        &["CanvasApps/a0_identity.json", "CanvasApps/pub_app.meta.xml"],
    );
}

#[test]
fn workflows_without_a_file_are_refused() {
    let source = package(
        "0",
        "<Workflows>\n<Workflow WorkflowId=\"{1}\" /></Workflows>",
        "",
        &[],
    );
    let error = unpack(&source, &lf()).unwrap_err();
    assert!(
        matches!(error, PackageError::Component { line: 2, .. }),
        "{error}"
    );
    let source = package(
        "0",
        "<Workflows><Workflow><JsonFileName>/Workflows/gone.json</JsonFileName></Workflow></Workflows>",
        "",
        &[],
    );
    assert!(
        matches!(unpack(&source, &lf()), Err(PackageError::MissingFile { path, .. }) if path == "Workflows/gone.json")
    );
}

#[test]
fn dot_files_are_refused_and_strangers_are_never_packed() {
    let mut tree = tree_of(&package("0", "<Roles />", "", &[]));
    for path in [".git/config", "bots/.hidden/x"] {
        assert!(tree.insert(path, b"x".to_vec()).is_err(), "{path}");
    }
    for path in ["README.md", "Resources/en-US/r.resx", "Other/notes.txt"] {
        tree.insert(path, b"x".to_vec()).unwrap();
    }
    tree.insert("bots/b/bot.xml", b"<bot />".to_vec()).unwrap();
    let packed = packed(&tree);
    let names: Vec<&str> = packed
        .parts()
        .iter()
        .map(|part| part.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "customizations.xml",
            "solution.xml",
            "bots/b/bot.xml",
            "[Content_Types].xml"
        ]
    );
}
