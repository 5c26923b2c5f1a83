//! A crafted package for every kind of component that the corpus lacks, and for the special rules.

use almscript::solution::{
    Finding, Kind, LineEnds, PackOptions, Package, PackageError, Part, SourceTree, UnpackOptions,
    pack, unpack, unpack_both,
};

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// A manifest with these root components.
pub fn solution_xml(managed: &str, roots: &str) -> String {
    format!(
        "<ImportExportXml version=\"9.2.0.0\" SolutionPackageVersion=\"9.2\" languagecode=\"1033\" \
         generatedBy=\"CrmLive\" xmlns:xsi=\"{XSI}\"><SolutionManifest><UniqueName>Crafted</UniqueName>\
         <LocalizedNames><LocalizedName description=\"Crafted\" languagecode=\"1033\" /></LocalizedNames>\
         <Descriptions /><Version>1.0.0.0</Version><Managed>{managed}</Managed><Publisher>\
         <UniqueName>pub</UniqueName><CustomizationPrefix>pub</CustomizationPrefix></Publisher>\
         <RootComponents>{roots}</RootComponents><MissingDependencies /></SolutionManifest></ImportExportXml>"
    )
}

fn part(name: &str, data: &[u8]) -> Part {
    Part {
        name: name.to_owned(),
        data: data.to_vec().into(),
    }
}

/// A package with these collections, root components and further parts.
pub fn package(managed: &str, collections: &str, roots: &str, parts: &[(&str, &[u8])]) -> Package {
    let customizations =
        format!("<ImportExportXml xmlns:xsi=\"{XSI}\">{collections}</ImportExportXml>");
    let mut all = vec![
        part("customizations.xml", customizations.as_bytes()),
        part("solution.xml", solution_xml(managed, roots).as_bytes()),
    ];
    all.extend(parts.iter().map(|(name, data)| part(name, data)));
    let mut package = Package::from_parts(all).unwrap();
    package.declare_content_types();
    package
}

fn lf() -> UnpackOptions {
    UnpackOptions {
        line_ends: LineEnds::Lf,
        ..UnpackOptions::default()
    }
}

fn tree_of(package: &Package) -> SourceTree {
    unpack(package, &lf()).unwrap().tree
}

fn packed(tree: &SourceTree) -> Package {
    match pack(tree, &PackOptions::default()) {
        Ok(packed) => packed.into_package(),
        Err(PackageError::Checks { findings }) => panic!("{findings:#?}"),
        Err(error) => panic!("{error}"),
    }
}

fn text<'t>(tree: &'t SourceTree, path: &str) -> &'t str {
    let all: Vec<&str> = tree.paths().collect();
    let data = tree
        .get(path)
        .unwrap_or_else(|| panic!("no `{path}` in {all:#?}"));
    std::str::from_utf8(data)
        .unwrap()
        .trim_start_matches('\u{feff}')
}

/// Unpacks, expects these files, packs and unpacks again: the same tree must come out.
fn there_and_back(package: &Package, expected: &[&str]) -> SourceTree {
    let tree = tree_of(package);
    for path in expected {
        text(&tree, path);
    }
    let again = packed(&tree);
    assert_eq!(
        tree_of(&again),
        tree,
        "unpacking what was packed gives another tree"
    );
    assert_eq!(
        packed(&tree_of(&again)),
        again,
        "packing it again gives another package"
    );
    for part in package
        .parts()
        .iter()
        .filter(|part| part.name.contains('/'))
    {
        assert_eq!(
            again.part(&part.name),
            Some(&part.data[..]),
            "{}",
            part.name
        );
    }
    tree
}

#[test]
fn every_row_of_the_table_has_its_place() {
    let collections = "\
        <Roles><Role id=\"{r1}\" name=\"Sales / Mkt\"><RolePrivileges /></Role><Role id=\"{r2}\" name=\"Foo v1.0\" /></Roles>\
        <Workflows><Workflow WorkflowId=\"{w1}\" Name=\"W\"><XamlFileName>/Workflows/W-1.xaml</XamlFileName></Workflow></Workflows>\
        <FieldSecurityProfiles><FieldSecurityProfile name=\"f\" fieldsecurityprofileid=\"{f1}\" /></FieldSecurityProfiles>\
        <ConnectionRoles><ConnectionRoles><ConnectionRole><connectionroleid>{c1}</connectionroleid></ConnectionRole></ConnectionRoles><ConnectionRoleAssociations /></ConnectionRoles>\
        <SiteMap><SiteMap IntroducedVersion=\"1.0\"><Area Id=\"a\" /></SiteMap></SiteMap>\
        <RibbonDiffXml><CustomActions /></RibbonDiffXml>\
        <EntityMaps><EntityMap><EntitySource>a</EntitySource></EntityMap></EntityMaps>\
        <optionsets><optionset Name=\"pub_a.b\" /><optionset Name=\"pub_c\" /></optionsets>\
        <Dashboards><Dashboard><FormId>{d1}</FormId></Dashboard></Dashboards>\
        <InteractionCentricDashboards><InteractionCentricDashboard><FormId>{d2}</FormId></InteractionCentricDashboard></InteractionCentricDashboards>\
        <WebResources><WebResource><Name>pub_/a/b.js</Name><FileName>/WebResources/pub_abjs1</FileName></WebResource></WebResources>\
        <SdkMessageProcessingSteps><SdkMessageProcessingStep SdkMessageProcessingStepId=\"{s1}\" Name=\"n\" /></SdkMessageProcessingSteps>\
        <ServiceEndpoints><ServiceEndpoint ServiceEndpointId=\"{e1}\" Name=\"n\" /></ServiceEndpoints>\
        <AppModuleSiteMaps><AppModuleSiteMap><SiteMapUniqueName>pub_App</SiteMapUniqueName></AppModuleSiteMap></AppModuleSiteMaps>\
        <AppModules><AppModule><UniqueName>pub_App</UniqueName><Uri xsi:nil=\"true\"></Uri></AppModule></AppModules>\
        <EntityDataProviders><EntityDataProvider><EntityDataProviderId>{p1}</EntityDataProviderId></EntityDataProvider></EntityDataProviders>\
        <EntityDataSources><EntityDataSource EntityDataSourceId=\"{ds}\"><Name>d</Name></EntityDataSource></EntityDataSources>\
        <MobileOfflineProfiles><MobileOfflineProfile Name=\"Offline\" /></MobileOfflineProfiles>\
        <ChannelAccessProfiles><ChannelAccessProfile Name=\"Channel\" /></ChannelAccessProfiles>\
        <ComplexControls><ComplexControl><id>{cc}</id></ComplexControl></ComplexControls>\
        <RoutingRules><RoutingRule Name=\"Route me\" /></RoutingRules>\
        <SLAs><SLA><name>Gold</name></SLA></SLAs>\
        <Oddities><Oddity code=\"1\" /><Oddity code=\"2\"><x>y</x></Oddity></Oddities>\
        <AIModels><AIModel><name>stays</name></AIModel></AIModels>\
        <OrganizationSettings />\
        <Languages><Language>1033</Language></Languages>";
    let roots = "\
        <RootComponent type=\"20\" id=\"{r1}\" /><RootComponent type=\"20\" id=\"{R2}\" />\
        <RootComponent type=\"29\" id=\"{w1}\" /><RootComponent type=\"70\" id=\"{f1}\" />\
        <RootComponent type=\"62\" id=\"{d5684797-805b-4188-b8fa-1028cfbef003}\" />\
        <RootComponent type=\"62\" schemaName=\"pub_App\" />\
        <RootComponent type=\"9\" schemaName=\"pub_a.b\" /><RootComponent type=\"9\" schemaName=\"pub_c\" />\
        <RootComponent type=\"60\" id=\"{d1}\" /><RootComponent type=\"60\" id=\"{d2}\" />\
        <RootComponent type=\"61\" schemaName=\"pub_/a/b.js\" /><RootComponent type=\"92\" id=\"{s1}\" />\
        <RootComponent type=\"95\" id=\"{e1}\" /><RootComponent type=\"80\" schemaName=\"pub_App\" />\
        <RootComponent type=\"183\" id=\"{ds}\" />";
    let parts: &[(&str, &[u8])] = &[
        ("Workflows/W-1.xaml", b"<Activity />"),
        ("WebResources/pub_abjs1", b"alert(1)"),
        ("customapis/pub_Do/customapi.xml", b"<customapi />"),
    ];
    let tree = there_and_back(
        &package("0", collections, roots, parts),
        &[
            "Roles/Sales _ Mkt.xml",
            "Roles/Foo v1.0",
            "Workflows/W-1.xaml",
            "Workflows/W-1.xaml.data.xml",
            "Other/FieldSecurityProfiles.xml",
            "Other/ConnectionRoles.xml",
            "Other/SiteMap.xml",
            "Other/RibbonCustomization.xml",
            "Other/EntityMaps.xml",
            "OptionSets/pub_a.b",
            "OptionSets/pub_c.xml",
            "Dashboards/{d1}.xml",
            "InteractionCentricDashboards/{d2}.xml",
            "WebResources/pub_/a/b.js",
            "WebResources/pub_/a/b.js.data.xml",
            "SdkMessageProcessingSteps/{s1}.xml",
            "PluginAssemblies/ServiceEndpoints.xml",
            "AppModuleSiteMaps/pub_App/AppModuleSiteMap.xml",
            "AppModules/pub_App/AppModule.xml",
            "EntityDataProviders/{p1}.xml",
            "EntityDataSources/{ds}.xml",
            "MobileOfflineProfiles/Offline.xml",
            "ChannelAccess/Profiles/Channel.xml",
            "ComplexControls/{cc}.xml",
            "RoutingRules/Route me.meta.xml",
            "SLAs/Gold.meta.xml",
            "customapis/pub_Do/customapi.xml",
        ],
    );
    let skeleton = text(&tree, "Other/Customizations.xml");
    for stays in [
        "<Oddity code=\"1\" />",
        "<name>stays</name>",
        "<OrganizationSettings />",
        "<Roles />",
        "<SLAs />",
        "<RibbonDiffXml />",
    ] {
        assert!(skeleton.contains(stays), "{stays} is not in {skeleton}");
    }
    assert!(
        text(&tree, "AppModules/pub_App/AppModule.xml")
            .contains(&format!("<Uri p2:nil=\"true\" xmlns:p2=\"{XSI}\"></Uri>"))
    );
    assert!(text(&tree, "Roles/Foo v1.0").ends_with(&format!(
        "<Role id=\"{{r2}}\" name=\"Foo v1.0\" xmlns:xsi=\"{XSI}\" />"
    )));
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
fn templates_have_their_texts_in_files() {
    let collections = "<Templates><EmailTemplates><EmailTemplate><templateid>{t1}</templateid>\
        <languagecode>1033</languagecode><subject>&lt;xsl&gt;A &amp; B&lt;/xsl&gt;</subject>\
        <body><![CDATA[<b>hi</b>]]></body><title>T</title></EmailTemplate></EmailTemplates>\
        <KBArticleTemplates><KBArticleTemplate><kbarticletemplateid>{k1}</kbarticletemplateid>\
        <languagecode>1031</languagecode><structurexml>&lt;kb/&gt;</structurexml></KBArticleTemplate></KBArticleTemplates>\
        <MailMergeTemplates><MailMergeTemplate><name>m</name></MailMergeTemplate></MailMergeTemplates></Templates>";
    let tree = there_and_back(
        &package("0", collections, "", &[]),
        &["Templates/MailMergeTemplates.xml"],
    );
    assert_eq!(
        text(&tree, "Templates/EmailDocuments/1033/{t1}/subject.xsl"),
        "<xsl>A & B</xsl>"
    );
    assert_eq!(
        text(&tree, "Templates/EmailDocuments/1033/{t1}/body.xsl"),
        "<b>hi</b>"
    );
    assert_eq!(
        text(
            &tree,
            "Templates/KbArticleDocuments/1031/{k1}/structurexml.xml"
        ),
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<kb />"
    );
    assert!(!text(&tree, "Templates/EmailTemplates.xml").contains("xsl&gt;"));
    let packed = packed(&tree);
    let customizations = std::str::from_utf8(packed.part("customizations.xml").unwrap()).unwrap();
    assert!(
        customizations.contains("<body>&lt;b&gt;hi&lt;/b&gt;</body>"),
        "{customizations}"
    );
}

fn table(extra: &str) -> String {
    format!(
        "<Entities><Entity><Name LocalizedName=\"T\">pub_T</Name><EntityInfo><entity Name=\"pub_T\" /></EntityInfo>{extra}</Entity></Entities>"
    )
}

const TABLE_ROOT: &str = "<RootComponent type=\"1\" schemaName=\"pub_t\" behavior=\"0\" />";

#[test]
fn forms_are_grouped_by_the_smallest_id_of_a_type() {
    let collections = table(
        "<FormXml><forms type=\"main\"><systemform><formid>{b}</formid></systemform><systemform><formid>{d}</formid></systemform></forms>\
         <forms type=\"quick\"><systemform><formid>{a}</formid></systemform><systemform><formid>{c}</formid></systemform></forms></FormXml>",
    );
    let tree = there_and_back(
        &package("0", &collections, TABLE_ROOT, &[]),
        &[
            "Entities/pub_T/FormXml/main/{b}.xml",
            "Entities/pub_T/FormXml/quick/{a}.xml",
        ],
    );
    let again = packed(&tree);
    let xml = std::str::from_utf8(again.part("customizations.xml").unwrap()).unwrap();
    let order: Vec<&str> = ["quick", "{a}", "{c}", "main", "{b}", "{d}"].to_vec();
    let places: Vec<usize> = order.iter().map(|what| xml.find(what).unwrap()).collect();
    assert!(places.is_sorted(), "{xml}");
}

#[test]
fn a_form_folder_without_its_placeholder_is_reported() {
    let mut tree = tree_of(&package("0", &table(""), TABLE_ROOT, &[]));
    let form = b"<forms><systemform><formid>{a}</formid></systemform></forms>".to_vec();
    tree.insert("Entities/pub_T/FormXml/main/{a}.xml", form)
        .unwrap();
    let found = pack(&tree, &PackOptions::default()).unwrap().findings;
    assert!(
        found
            .iter()
            .any(|f| f.code == "ALM-P128" && f.message.contains("<FormXml />")),
        "{found:?}"
    );
}

#[test]
fn formulas_move_into_the_folder_of_their_table() {
    let collections = "<Entities><Entity><Name>pub_T</Name><EntityInfo><entity><attributes><attribute>\
        <FormulaDefinitionFileName>/Formulas/pub_t-x.xaml</FormulaDefinitionFileName></attribute></attributes></entity></EntityInfo></Entity></Entities>";
    there_and_back(
        &package(
            "0",
            collections,
            TABLE_ROOT,
            &[("Formulas/pub_t-x.xaml", b"<f />")],
        ),
        &["Entities/pub_T/Formulas/pub_t-x.xaml"],
    );
}

#[test]
fn relationships_are_listed_and_grouped_by_table() {
    let collections = "<EntityRelationships>\
        <EntityRelationship Name=\"z_one\"><ReferencedEntityName>Account</ReferencedEntityName></EntityRelationship>\
        <EntityRelationship Name=\"many\"><FirstEntityName>pub_T</FirstEntityName></EntityRelationship>\
        <EntityRelationship Name=\"a_one\"><ReferencedEntityName>account</ReferencedEntityName></EntityRelationship>\
        <EntityRelationship Name=\"bare\" /></EntityRelationships>";
    let mut tree = there_and_back(
        &package("0", collections, "", &[]),
        &[
            "Other/Relationships/Account.xml",
            "Other/Relationships/pub_T.xml",
        ],
    );
    let list = text(&tree, "Other/Relationships.xml").to_owned();
    let places: Vec<usize> = ["z_one", "many", "a_one", "bare"]
        .iter()
        .map(|n| list.find(n).unwrap())
        .collect();
    assert!(places.is_sorted(), "{list}");

    let shorter = list.replace("  <EntityRelationship Name=\"many\" />\n", "");
    tree.insert("Other/Relationships.xml", shorter.into_bytes())
        .unwrap();
    let found = pack(&tree, &PackOptions::default()).unwrap().findings;
    assert!(
        found
            .iter()
            .any(|f| f.code == "ALM-P131" && f.message.contains("many")),
        "{found:?}"
    );

    let twice = list.replace("Name=\"many\"", "Name=\"z_one\"");
    tree.insert("Other/Relationships.xml", twice.into_bytes())
        .unwrap();
    assert!(matches!(
        pack(&tree, &PackOptions::default()),
        Err(PackageError::Component { .. })
    ));
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
            ("bots/.git/config", b"x"),
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
            ("ALM-P101", "bots/.git/config"),
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

#[test]
fn the_order_of_lists_is_normalised() {
    let roots = "<RootComponent type=\"9\" schemaName=\"b\" /><RootComponent type=\"91\" id=\"{z}\" />\
                 <RootComponent type=\"300\" schemaName=\"c\" /><RootComponent type=\"9\" schemaName=\"a_b\" />\
                 <RootComponent type=\"9\" schemaName=\"aB\" /><RootComponent type=\"9\" schemaName=\"ab\" />";
    let tree = tree_of(&package("0", "<Roles />", roots, &[]));
    let solution = text(&tree, "Other/Solution.xml");
    let wanted = [
        "schemaName=\"c\"",
        "schemaName=\"a_b\"",
        "schemaName=\"ab\"",
        "schemaName=\"aB\"",
        "schemaName=\"b\"",
        "id=\"{z}\"",
    ];
    let places: Vec<usize> = wanted
        .iter()
        .map(|what| solution.find(what).unwrap())
        .collect();
    assert!(places.is_sorted(), "{solution}");
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

#[test]
fn dot_files_and_strangers_are_never_packed() {
    let mut tree = tree_of(&package("0", "<Roles />", "", &[]));
    for path in [
        "README.md",
        ".git/config",
        "bots/.hidden/x",
        "Resources/en-US/r.resx",
        "Other/notes.txt",
    ] {
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

#[test]
fn names_that_are_no_uri_paths_survive_the_archive() {
    let source = package(
        "0",
        "<Roles />",
        "",
        &[("customapis/pub Do #1/größe 100%.xml", b"<a />")],
    );
    let again = Package::from_zip(&source.to_zip().unwrap()).unwrap();
    assert_eq!(again, source);
    assert_eq!(source.to_zip().unwrap(), again.to_zip().unwrap());
}
