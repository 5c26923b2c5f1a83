//! `--localize`: resource files on unpacking, edited ones back when packing.

use std::fs;
use std::path::Path;

use crate::command::{alm, copy};

const ENGLISH: &str = "src/Resources/en-US/resources.en-US.resx";

fn unpacked(package: &str, options: &[&str]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    copy(package, "unmanaged.zip", home.path(), "a.zip");
    let arguments = [&["unpack", "-z", "a.zip", "-f", "src"][..], options].concat();
    let ended = alm(home.path(), &arguments);
    assert_eq!(ended.code, 0, "{}", ended.err);
    home
}

fn resources(path: &Path) -> Vec<(String, String, String)> {
    let text = fs::read_to_string(path).unwrap();
    let document = roxmltree::Document::parse(text.trim_start_matches('\u{feff}')).unwrap();
    let child = |node: roxmltree::Node<'_, '_>, name: &str| {
        let found = node.children().find(|child| child.has_tag_name(name));
        found.and_then(|node| node.text()).unwrap_or("").to_owned()
    };
    document
        .descendants()
        .filter(|node| node.has_tag_name("data"))
        .map(|node| {
            let name = node.attribute("name").unwrap().to_owned();
            (name, child(node, "value"), child(node, "comment"))
        })
        .collect()
}

/// `customizations.xml` and `solution.xml` of a packed folder.
fn packed(here: &Path, options: &[&str]) -> (String, String, String) {
    let arguments = [&["pack", "-z", "b.zip", "-f", "src"][..], options].concat();
    let ended = alm(here, &arguments);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let package =
        almscript::solution::Package::from_zip(&fs::read(here.join("b.zip")).unwrap()).unwrap();
    assert!(
        package
            .parts()
            .iter()
            .all(|part| !part.name.starts_with("Resources/"))
    );
    let part = |name| String::from_utf8(package.part(name).unwrap().to_vec()).unwrap();
    (part("customizations.xml"), part("solution.xml"), ended.err)
}

#[test]
fn names_comments_and_order_are_those_of_published_resource_files() {
    let home = unpacked("05-permit-management", &["--localize"]);
    let found = resources(&home.path().join(ENGLISH));
    let expected = [
        (
            "10:Description,business_unit_contoso_buildsite",
            "Unique identifier for the business unit that owns the record",
            "contoso_BuildSite Description for EntityRelationship 'business_unit_contoso_buildsite'",
        ),
        (
            "15062:LocalizedName,contosocontoso92994",
            "contoso",
            " 'contoso' : LocalizedName for Solution Publisher",
        ),
        (
            "15062:LocalizedName,PermitManagement",
            "Permit Management",
            " 'PermitManagement' : LocalizedName for Solution",
        ),
        (
            "1:displayname,contoso_Permitcontoso_Name",
            "Name",
            "'contoso_Permit' : displayname for Attribute 'contoso_Name' on Entity",
        ),
        (
            "1:label,contoso_Permitcontoso_permit_statecode0",
            "Active",
            "'contoso_Permit' : label for state '0' on Entity",
        ),
        (
            "1:LocalizedCollectionName,contoso_Permitentitycontoso_Permit",
            "Permits",
            " 'contoso_Permit' : LocalizedCollectionName for Entity",
        ),
        (
            "1:LocalizedName,Permit{c6d23e1c-44b3-4221-9b24-1ebb98fc08bb}",
            "",
            "'Permit' : LocalizedName for SavedQuery on Entity QueryId: '{c6d23e1c-44b3-4221-9b24-1ebb98fc08bb}'",
        ),
        (
            "1:LocalizedName,Permit{f30f2ef1-59b0-4dea-aba1-486a404f8362}",
            "Information",
            "'Permit' : LocalizedName for systemform in Entity FormXml ID: '{f30f2ef1-59b0-4dea-aba1-486a404f8362}'",
        ),
        (
            "29:LocalizedName,{cc4e576a-2c1f-ee11-9cbe-0022481c5f83}",
            "Reset Inspections",
            "'Reset Inspections' : LocalizedName for Workflow",
        ),
        (
            "80:LocalizedName,contoso_PermitManagement",
            "Permit Management",
            " 'contoso_PermitManagement' : LocalizedName for AppModule",
        ),
        (
            "81:LocalizedName,contoso_PermitManagement",
            "Permit Management",
            "'contoso_PermitManagement' : LocalizedName for AppModuleSiteMap",
        ),
        (
            "9:displayname,contoso_inspectiontype",
            "Inspection Type",
            "'contoso_inspectiontype' : displayname for OptionSet",
        ),
    ];
    let mut at = 0;
    for (name, value, comment) in expected {
        let place = found.iter().position(|(found, _, _)| found == name);
        let place = place.unwrap_or_else(|| panic!("{name} is missing"));
        assert!(place >= at, "{name} is not in its place");
        at = place;
        assert_eq!(found[place].2, comment);
        if !value.is_empty() {
            assert_eq!(found[place].1, value, "{name}");
        }
    }
    let bytes = fs::read(home.path().join(ENGLISH)).unwrap();
    assert!(
        bytes.starts_with(b"\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<root>\r\n")
    );
    let text = String::from_utf8(bytes).unwrap();
    for fact in [
        ">1033<",
        ">a.zip<",
        ">Unmanaged<",
        "SolutionPackager Version String",
    ] {
        assert!(text.contains(fact), "{fact}");
    }
}

#[test]
fn the_template_and_the_names_by_number_are_written_when_asked_for() {
    let home = unpacked("05-permit-management", &["-loc", "-src", "-lcid"]);
    let here = home.path();
    assert!(here.join("src/Resources/1033/resources.1033.resx").exists());
    let template = fs::read(here.join("src/Resources/template_resources.resx")).unwrap();
    let english = fs::read(here.join("src/Resources/1033/resources.1033.resx")).unwrap();
    assert_eq!(template, english);
    for (language, exists) in [("en-us", true), ("1033", true), ("1031", false)] {
        let home = unpacked("05-permit-management", &["--sourceLoc", language]);
        let resources = home.path().join("src/Resources");
        assert_eq!(
            resources.join("template_resources.resx").exists(),
            exists,
            "{language}"
        );
        assert!(!resources.join("en-US").exists());
    }
}

#[test]
fn unedited_resources_change_nothing() {
    for package in [
        "05-permit-management",
        "12-higher-education",
        "13-faq-japanese",
    ] {
        let home = unpacked(package, &["--localize"]);
        let plain = packed(home.path(), &[]);
        let merged = packed(home.path(), &["--localize"]);
        assert_eq!((&plain.0, &plain.1), (&merged.0, &merged.1), "{package}");
        assert!(!merged.2.contains("ALM-P173"), "{}", merged.2);
    }
}

#[test]
fn edited_texts_and_new_languages_are_merged_and_the_rest_is_told() {
    let home = unpacked("05-permit-management", &["--localize"]);
    let here = home.path();
    let before = packed(here, &[]);
    let text = fs::read_to_string(here.join(ENGLISH)).unwrap();
    let edited = text.replacen(
        "<value>Reset Inspections</value>",
        "<value>Start &amp; \"again\"</value>",
        1,
    );
    assert_ne!(edited, text);
    fs::write(here.join(ENGLISH), edited).unwrap();
    let german = here.join("src/Resources/de-DE");
    fs::create_dir_all(&german).unwrap();
    let data = |name: &str, value: &str| {
        format!("<data name=\"{name}\" xml:space=\"preserve\"><value>{value}</value></data>")
    };
    let body = [
        data("9:displayname,contoso_inspectiontype", "Art der Prüfung"),
        data("15062:LocalizedName,PermitManagement", "Genehmigungen"),
        data("9:displayname,gone", "Fort"),
        data(&format!("100000:label,{}", "0".repeat(64)), "Irgendwas"),
    ];
    // As Visual Studio's editor leaves it: facts as `data`.
    let facts = "<data name=\"Source LCID\" xml:space=\"preserve\"><value>1031</value></data>";
    let file = format!("<root>{facts}{}</root>", body.concat());
    fs::write(german.join("resources.de-DE.resx"), file).unwrap();
    assert_eq!(
        packed(here, &[]),
        before,
        "without --localize nothing is merged"
    );

    let (customizations, solution, told) = packed(here, &["--localize"]);
    assert!(customizations.contains("description=\"Start &amp; &quot;again&quot;\""));
    assert!(
        customizations
            .contains("<displayname description=\"Art der Prüfung\" languagecode=\"1031\" />")
    );
    assert!(customizations.contains("<Language>1031</Language>"));
    assert!(
        solution.contains("<LocalizedName description=\"Genehmigungen\" languagecode=\"1031\" />")
    );
    assert!(
        solution
            .contains("<LocalizedName description=\"Permit Management\" languagecode=\"1033\" />")
    );
    let line = told.lines().find(|line| line.contains("ALM-P173")).unwrap();
    assert!(
        line.contains("resources.de-DE.resx") && line.contains("2 texts"),
        "{line}"
    );
    // The folder itself stays as it was.
    let choice =
        fs::read_to_string(here.join("src/OptionSets/contoso_inspectiontype.xml")).unwrap();
    assert!(!choice.contains("Prüfung"));
}

#[test]
fn both_forms_of_a_component_get_the_text() {
    let home = tempfile::tempdir().unwrap();
    let here = home.path();
    copy("05-permit-management", "unmanaged.zip", here, "a.zip");
    copy("05-permit-management", "managed.zip", here, "a_managed.zip");
    let both = ["-z", "a.zip", "-f", "src", "-p", "Both", "-loc"];
    assert_eq!(alm(here, &[&["unpack"][..], &both].concat()).code, 0);
    let text = fs::read_to_string(here.join(ENGLISH)).unwrap();
    assert!(text.contains(">a_managed.zip<") && text.contains(">Both<"));
    let at = text
        .find("80:LocalizedName,contoso_PermitManagement")
        .unwrap();
    let (head, tail) = text.split_at(at);
    fs::write(
        here.join(ENGLISH),
        [head, &tail.replacen("Permit Management", "Renamed", 1)].concat(),
    )
    .unwrap();
    assert_eq!(alm(here, &[&["pack"][..], &both].concat()).code, 0);
    for zip in ["a.zip", "a_managed.zip"] {
        let package =
            almscript::solution::Package::from_zip(&fs::read(here.join(zip)).unwrap()).unwrap();
        let text = String::from_utf8(package.part("customizations.xml").unwrap().to_vec()).unwrap();
        assert!(text.contains("description=\"Renamed\""), "{zip}");
    }
}

#[test]
fn an_unusable_resource_file_stops_the_pack() {
    let home = unpacked("05-permit-management", &["--localize"]);
    let here = home.path();
    for (file, text) in [
        (
            "resources.x.resx",
            "<root><data name=\"9:displayname,x\"><value>a</value></data></root>",
        ),
        ("resources.x.resx", "<root>"),
    ] {
        let folder = here.join("src/Resources/nowhere");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(file), text).unwrap();
        let failed = alm(here, &["pack", "-z", "c.zip", "-f", "src", "-loc"]);
        assert_ne!(failed.code, 0);
        assert!(
            failed.err.contains("ALM-P174") && failed.err.contains("nowhere"),
            "{}",
            failed.err
        );
        assert!(!here.join("c.zip").exists());
    }
}
