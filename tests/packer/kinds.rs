//! Managed, unmanaged, both (facts §10).

use almscript::solution::{
    Kind, PackOptions, PackageError, SourceTree, UnpackOptions, pack, unpack, unpack_both,
};

use crate::crafted::{
    TABLE_ROOT, codes, customizations, lf, package, root, table, text, there_and_back, tree_of,
};
use crate::rows::rows;

/// Collections and a table with one thing of each kind, told apart by `mark`.
fn all_of(mark: &str) -> String {
    table(&format!(
        "<FormXml><forms type=\"main\"><systemform><formid>{{f}}</formid><x k=\"{mark}\" /></systemform></forms></FormXml>\
         <SavedQueries><savedqueries><savedquery><savedqueryid>{{q}}</savedqueryid><x k=\"{mark}\" /></savedquery></savedqueries></SavedQueries>\
         <Visualizations><visualization><savedqueryvisualizationid>{{v}}</savedqueryvisualizationid><x k=\"{mark}\" /></visualization></Visualizations>\
         <RibbonDiffXml><x k=\"{mark}\" /></RibbonDiffXml><y k=\"{mark}\" />"
    )) + &*format!(
        "<Roles><Role id=\"{{r}}\" name=\"R\" k=\"{mark}\" /></Roles><optionsets><optionset Name=\"pub_o\" k=\"{mark}\" /></optionsets>\
         <Workflows><Workflow WorkflowId=\"{{w}}\" k=\"{mark}\"><JsonFileName>/Workflows/w.json</JsonFileName></Workflow></Workflows>\
         <WebResources><WebResource k=\"{mark}\"><Name>pub_w</Name><FileName>/WebResources/w</FileName></WebResource></WebResources>\
         <SiteMap><SiteMap k=\"{mark}\" /></SiteMap><RibbonDiffXml><x k=\"{mark}\" /></RibbonDiffXml>\
         <Dashboards><Dashboard k=\"{mark}\"><FormId>{{d}}</FormId></Dashboard></Dashboards>\
         <EntityRelationships><EntityRelationship Name=\"a\" k=\"{mark}\"><ReferencedEntityName>T</ReferencedEntityName></EntityRelationship></EntityRelationships>\
         <EntityMaps><EntityMap k=\"{mark}\" /></EntityMaps>\
         <AppModuleSiteMaps><AppModuleSiteMap k=\"{mark}\"><SiteMapUniqueName>pub_a</SiteMapUniqueName></AppModuleSiteMap></AppModuleSiteMaps>\
         <AppModules><AppModule k=\"{mark}\"><UniqueName>pub_a</UniqueName></AppModule></AppModules>\
         <Languages><Language>{mark}</Language></Languages>"
    )
}

fn all_roots() -> String {
    [
        TABLE_ROOT.to_owned(),
        root(20, "{r}"),
        root(9, "pub_o"),
        root(29, "{w}"),
        root(61, "pub_w"),
        root(62, "{s}"),
        root(60, "{d}"),
        root(62, "pub_a"),
        root(80, "pub_a"),
    ]
    .concat()
}

/// The table of facts §10, second pass: what becomes a twin, what overwrites, what is not touched.
#[test]
fn in_both_each_file_is_a_twin_overwritten_or_left_alone() {
    let payload = |mark: &'static str| -> [(&'static str, &'static [u8]); 3] {
        [
            ("Workflows/w.json", mark.as_bytes()),
            ("WebResources/w", mark.as_bytes()),
            ("bots/b/bot.xml", mark.as_bytes()),
        ]
    };
    let plain = package("0", &all_of("plain"), &all_roots(), &payload("plain"));
    let managed = package("1", &all_of("managed"), &all_roots(), &payload("managed"));
    let both = unpack_both(&plain, &managed, &lf()).unwrap();
    let holds = |path: &str| {
        let text = text(&both.tree, path);
        match (text.contains("plain"), text.contains("managed")) {
            (true, false) => "plain",
            (false, true) => "managed",
            other => panic!("{path}: {other:?}"),
        }
    };
    for twin in [
        "Entities/pub_T/FormXml/main/{f}",
        "Other/SiteMap",
        "AppModuleSiteMaps/pub_a/AppModuleSiteMap",
        "AppModules/pub_a/AppModule",
    ] {
        assert_eq!(holds(&format!("{twin}.xml")), "plain", "{twin}");
        assert_eq!(holds(&format!("{twin}_managed.xml")), "managed", "{twin}");
    }
    for overwritten in [
        "Entities/pub_T/Entity.xml",
        "Entities/pub_T/RibbonDiff.xml",
        "bots/b/bot.xml",
        "Other/Customizations.xml",
    ] {
        assert_eq!(holds(overwritten), "managed", "{overwritten}");
    }
    for kept in [
        "Entities/pub_T/SavedQueries/{q}.xml",
        "Entities/pub_T/Visualizations/{v}.xml",
        "Roles/R.xml",
        "OptionSets/pub_o.xml",
        "Workflows/w.json",
        "Workflows/w.json.data.xml",
        "WebResources/pub_w",
        "WebResources/pub_w.data.xml",
        "Dashboards/{d}.xml",
        "Other/RibbonCustomization.xml",
        "Other/EntityMaps.xml",
        "Other/Relationships/T.xml",
    ] {
        assert_eq!(holds(kept), "plain", "{kept}");
    }
    // Twins are written also when both are the same.
    let same = unpack_both(
        &plain,
        &package("1", &all_of("plain"), &all_roots(), &payload("plain")),
        &lf(),
    );
    let same = same.unwrap();
    assert!(same.tree.get("Other/SiteMap_managed.xml").is_some());
    assert!(same.findings.is_empty(), "{:?}", same.findings);

    let packed = pack(&both.tree, &PackOptions::default()).unwrap();
    let (first, second) = (packed.unmanaged.unwrap(), packed.managed.unwrap());
    let form = |package| {
        let xml = customizations(package);
        let at = xml.find("<systemform>").unwrap();
        xml[at..at + 120].contains("plain")
    };
    assert!(form(&first) && !form(&second));
    assert!(customizations(&first).contains("<SiteMap k=\"plain\""));
    assert!(customizations(&second).contains("<SiteMap k=\"managed\""));
}

/// Facts §10, first table: from a managed package, these are written under the twin's name only.
#[test]
fn every_row_unpacks_from_a_managed_package_too() {
    for row in rows() {
        let mut source = row.package();
        let manifest = source.part("solution.xml").unwrap().to_vec();
        let manifest = String::from_utf8(manifest).unwrap();
        let managed = manifest.replace("<Managed>0<", "<Managed>1<");
        source
            .set_part("solution.xml", managed.into_bytes())
            .unwrap();
        let plain: Vec<String> = tree_of(&row.package()).paths().map(str::to_owned).collect();
        let expected: Vec<String> = plain
            .into_iter()
            .map(|path| match row.name {
                "SiteMap" | "AppModules" | "AppModuleSiteMaps"
                    if path.contains("SiteMap.xml") || path.contains("AppModule.xml") =>
                {
                    path.replace(".xml", "_managed.xml")
                }
                _ => path,
            })
            .collect();
        let tree = there_and_back(&source, &[]);
        assert_eq!(tree.paths().collect::<Vec<_>>(), expected, "{}", row.name);
    }
}

/// Facts §10, last table.
#[test]
fn twins_and_plain_files_are_chosen_by_the_type_that_is_packed() {
    let collections = "<SiteMap><SiteMap k=\"plain\" /></SiteMap>";
    let roots = root(62, "{s}");
    let plain = package("0", collections, &roots, &[]);
    let managed = package("1", &collections.replace("plain", "managed"), &roots, &[]);
    let both = unpack_both(&plain, &managed, &lf()).unwrap().tree;
    let pack_as = |tree: &SourceTree, kind, plain_for_missing_twin| {
        let options = PackOptions {
            kind: Some(kind),
            plain_for_missing_twin,
            ..PackOptions::default()
        };
        let packed = pack(tree, &options).unwrap();
        let findings = packed.findings.clone();
        (customizations(&packed.into_package()), findings)
    };
    assert!(pack_as(&both, Kind::Unmanaged, true).0.contains("plain"));
    assert!(pack_as(&both, Kind::Managed, true).0.contains("managed"));
    let mut no_twin = both.clone();
    no_twin.remove("Other/SiteMap_managed.xml");
    assert!(pack_as(&no_twin, Kind::Managed, true).0.contains("plain"));
    let (xml, findings) = pack_as(&no_twin, Kind::Managed, false);
    assert!(xml.contains("<SiteMap />"));
    assert!(
        codes(&findings).contains(&("ALM-P126", "Other/SiteMap.xml")),
        "{findings:?}"
    );
    let mut no_plain = both;
    no_plain.remove("Other/SiteMap.xml");
    let (xml, findings) = pack_as(&no_plain, Kind::Unmanaged, true);
    assert!(xml.contains("<SiteMap />"));
    assert!(
        codes(&findings).contains(&("ALM-P125", "Other/SiteMap_managed.xml")),
        "{findings:?}"
    );
}

/// Where a table has twins, a plain form without one is taken unless it is unmodified: the server
/// exports unmodified forms in unmanaged packages only, and a real pair of the corpus shows that
/// Microsoft's packer leaves them out then.
#[test]
fn an_unmodified_form_without_twin_is_left_out_of_the_managed_package() {
    let forms = |list: &str| {
        table(&format!(
            "<FormXml><forms type=\"main\">{list}</forms></FormXml>"
        ))
    };
    let a = "<systemform><formid>{a}</formid></systemform>";
    let b = "<systemform unmodified=\"1\"><formid>{b}</formid></systemform>";
    let c = "<systemform><formid>{c}</formid></systemform>";
    let plain = package("0", &forms(&[a, b, c].concat()), TABLE_ROOT, &[]);
    let managed = package("1", &forms(a), TABLE_ROOT, &[]);
    let both = unpack_both(&plain, &managed, &lf()).unwrap().tree;
    let packed = pack(&both, &PackOptions::default()).unwrap();
    assert_eq!(
        codes(&packed.findings),
        [("ALM-P134", "Entities/pub_T/FormXml/main/{b}.xml")]
    );
    let xml = customizations(&packed.managed.unwrap());
    assert!(
        xml.contains("{a}") && !xml.contains("{b}") && xml.contains("{c}"),
        "{xml}"
    );
    assert!(customizations(&packed.unmanaged.unwrap()).contains("{b}"));
}

#[test]
fn a_managed_package_has_twins_only() {
    let collections = format!(
        "{}<SiteMap><SiteMap /></SiteMap><AppModules><AppModule><UniqueName>pub_App</UniqueName></AppModule></AppModules>",
        table(
            "<FormXml><forms type=\"main\"><systemform><formid>{a}</formid></systemform></forms></FormXml>"
        )
    );
    let roots = format!(
        "{TABLE_ROOT}<RootComponent type=\"62\" id=\"x\" /><RootComponent type=\"80\" schemaName=\"pub_App\" />"
    );
    there_and_back(
        &package("1", &collections, &roots, &[]),
        &[
            "Entities/pub_T/FormXml/main/{a}_managed.xml",
            "Other/SiteMap_managed.xml",
            "AppModules/pub_App/AppModule_managed.xml",
        ],
    );
}

#[test]
fn package_types_must_match() {
    let plain = package("0", "<Roles />", "", &[]);
    let managed = package("1", "<Roles />", "", &[]);
    for kind in [Kind::Managed, Kind::Both] {
        let options = UnpackOptions {
            kind: Some(kind),
            ..lf()
        };
        assert!(matches!(
            unpack(&plain, &options),
            Err(PackageError::TypeMismatch { .. })
        ));
    }
    assert!(matches!(
        unpack_both(&managed, &plain, &lf()),
        Err(PackageError::TypeMismatch { .. })
    ));
    let options = PackOptions {
        kind: Some(Kind::Managed),
        ..PackOptions::default()
    };
    assert!(matches!(
        pack(&tree_of(&plain), &options),
        Err(PackageError::TypeMismatch { .. })
    ));
    let both = unpack_both(&plain, &managed, &lf()).unwrap().tree;
    assert!(text(&both, "Other/Solution.xml").contains("<Managed>2</Managed>"));
    let packed = pack(&both, &PackOptions::default()).unwrap();
    assert!(!packed.unmanaged.unwrap().manifest().unwrap().managed);
    assert!(packed.managed.unwrap().manifest().unwrap().managed);
}

#[test]
fn both_reports_what_the_managed_pass_overrides_and_ignores() {
    let plain = package(
        "0",
        "<Roles><Role name=\"a\" id=\"1\" /></Roles>",
        "",
        &[("bots/b/bot.xml", b"1")],
    );
    let managed = package(
        "1",
        "<Roles><Role name=\"a\" id=\"1\" x=\"2\" /><Role name=\"b\" id=\"2\" /></Roles>",
        "",
        &[("bots/b/bot.xml", b"2")],
    );
    let both = unpack_both(&plain, &managed, &lf()).unwrap();
    let mut codes: Vec<(&str, &str)> = both
        .findings
        .iter()
        .map(|f| (f.code, f.file.as_str()))
        .collect();
    codes.sort();
    assert_eq!(
        codes,
        [
            ("ALM-P111", "Roles/b.xml"),
            ("ALM-P112", "Roles/a.xml"),
            ("ALM-P113", "bots/b/bot.xml")
        ]
    );
    assert_eq!(both.tree.get("bots/b/bot.xml"), Some(&b"2"[..]));
}
