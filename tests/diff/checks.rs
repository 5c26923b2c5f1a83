//! Likely secrets, limits, and what is inside a canvas app.

use almscript::solution::canvas::{CanvasApp, CheckLevel, findings, mirror};
use almscript::solution::diff::{diff, render};
use almscript::solution::model::Model;
use almscript::solution::secrets::{limits, secrets};
use almscript::solution::{
    Limits, NestedBudget, PackOptions, Package, Part, Severity, SourceTree, pack,
};
use bytes::Bytes;

use crate::corpus;
use crate::edits::{file, permits, replace};

fn budget() -> NestedBudget {
    NestedBudget::new(&Limits::default())
}

#[test]
fn real_solutions_without_secrets_have_no_findings() {
    for (folder, kind) in corpus::singles() {
        let tree = corpus::tree(&folder, &format!("{kind}.unpacked.tar.gz"));
        let found = secrets(&tree);
        assert!(found.is_empty(), "{folder} {kind}: {found:#?}");
        let errors: Vec<_> = limits(&tree)
            .into_iter()
            .filter(|f| f.severity != Severity::Note)
            .collect();
        assert!(errors.is_empty(), "{folder} {kind}: {errors:#?}");
    }
}

#[test]
fn planted_secrets_are_found_at_their_line_and_not_repeated() {
    let mut tree = permits();
    let flow = "ClearInspectionComments-CADB39E3-2C1F-EE11-9CBE-0022481C5F83.json";
    replace(
        &mut tree,
        flow,
        "\"operationId\": \"UpdateRecord\"",
        "\"x-api-key\": \"s3cr3t-value-1\",\n              \"operationId\": \"UpdateRecord\"",
    );
    tree.insert(
        "environmentvariabledefinitions/new_Mail/environmentvariabledefinition.xml",
        "<environmentvariabledefinition schemaname=\"new_Mail\">\n  <defaultvalue>Server=x;User=y;Password=s3cr3t-value-2;</defaultvalue>\n  <type>100000000</type>\n</environmentvariabledefinition>",
    )
    .unwrap();
    tree.insert(
        "environmentvariabledefinitions/new_SmtpPassword/environmentvariablevalues.json",
        "{\"environmentvariablevalues\":{\n\"environmentvariablevalue\":{\n\"value\":\"s3cr3t-value-3\"}}}",
    )
    .unwrap();
    tree.insert(
        "WebResources/new_a.js",
        "// a\nvar apiKey = \"s3cr3t-value-4\";\n",
    )
    .unwrap();
    let found = secrets(&tree);
    let places: Vec<(String, Option<u32>)> =
        found.iter().map(|f| (f.file.clone(), f.line)).collect();
    let (path, text) = file(&tree, flow);
    let line = text
        .lines()
        .position(|line| line.contains("x-api-key"))
        .unwrap() as u32
        + 1;
    assert_eq!(
        places,
        [
            ("WebResources/new_a.js".to_owned(), Some(2)),
            (path, Some(line)),
            (
                "environmentvariabledefinitions/new_Mail/environmentvariabledefinition.xml"
                    .to_owned(),
                Some(2)
            ),
            (
                "environmentvariabledefinitions/new_SmtpPassword/environmentvariablevalues.json"
                    .to_owned(),
                Some(3)
            ),
        ]
    );
    assert!(
        found
            .iter()
            .all(|finding| !finding.to_string().contains("s3cr3t"))
    );
}

#[test]
fn what_a_service_refuses_is_told_before_it_is_asked() {
    let mut tree = permits();
    let many: Vec<String> = (0..501)
        .map(|n| format!("\"S{n}\":{{\"type\":\"Compose\"}}"))
        .collect();
    tree.insert(
        "Workflows/Big.json",
        format!("{{\"definition\":{{\"actions\":{{{}}}}}}}", many.join(",")),
    )
    .unwrap();
    let mut deep = "{\"type\":\"Compose\"}".to_owned();
    for level in 0..9 {
        deep = format!("{{\"type\":\"Scope\",\"actions\":{{\"L{level}\":{deep}}}}}");
    }
    tree.insert(
        "Workflows/Deep.json",
        format!("{{\"definition\":{{\"actions\":{{\"Top\":{deep}}}}}}}"),
    )
    .unwrap();
    replace(
        &mut tree,
        "Other/Solution.xml",
        "<CustomizationPrefix>contoso<",
        "<CustomizationPrefix>contosolong<",
    );
    let messages: Vec<String> = limits(&tree)
        .iter()
        .filter(|finding| finding.is_error())
        .map(ToString::to_string)
        .collect();
    insta::assert_snapshot!(messages.join("\n"));
}

/// An app with a screen whose button says `text`, saved lately.
fn app(text: &str, checks: &str) -> Vec<u8> {
    let part = |name: &str, data: String| Part {
        name: name.to_owned(),
        data: Bytes::from(data),
    };
    let sarif = format!(
        "{{\"runs\":[{{\"tool\":{{\"driver\":{{\"rules\":[{{\"id\":\"r\",\"messageStrings\":{{\"issue\":{{\"text\":\"Broken\"}}}}}}]}}}},\"results\":[{checks}]}}]}}"
    );
    Package::from_parts(vec![
        part("Src/App.pa.yaml", "App:\n".to_owned()),
        part(
            "Src/Home.pa.yaml",
            format!(
                "Screens:\n  Home:\n    Children:\n      - Button1:\n          Text: =\"{text}\"\n"
            ),
        ),
        part("AppCheckerResult.sarif", sarif),
    ])
    .unwrap()
    .to_zip()
    .unwrap()
}

const BROKEN: &str = "{\"ruleId\":\"r\",\"ruleIndex\":0,\"message\":{\"id\":\"issue\"},\"properties\":{\"level\":\"High\"},\"locations\":[{\"physicalLocation\":{\"address\":{\"fullyQualifiedName\":\"Home.Button1.Text\"}}}]}";

#[test]
fn real_apps_tell_their_formulas_and_what_the_checker_said() {
    let tree = permits();
    let data = tree
        .get("CanvasApps/contoso_inspector_b2848_DocumentUri.msapp")
        .unwrap();
    let app = CanvasApp::read(data, &budget()).unwrap();
    assert!(app.formulas.len() > 100);
    assert!(app.formulas.keys().all(|name| name.contains('.')));
    assert!(!app.checks.is_empty());
    assert!(
        app.checks
            .iter()
            .all(|check| !check.message.is_empty() && !check.place.is_empty())
    );
    assert_eq!(findings(&tree, &Limits::default()).len(), app.checks.len());
}

#[test]
fn the_source_of_an_app_is_mirrored_where_packing_passes_it_over() {
    let name = "CanvasApps/contoso_inspector_b2848_DocumentUri.msapp";
    let mut tree = permits();
    tree.insert(name, app("Save", "")).unwrap();
    tree.insert("CanvasApps/gone_src/App.pa.yaml", "old")
        .unwrap();
    let mirrored = mirror(&tree, &Limits::default()).unwrap();
    assert!(
        mirrored
            .get("CanvasApps/contoso_inspector_b2848_src/Home.pa.yaml")
            .is_some()
    );
    assert!(mirrored.get("CanvasApps/gone_src/App.pa.yaml").is_none());
    assert_eq!(mirror(&mirrored, &Limits::default()).unwrap(), mirrored);
    let packed = |tree: &SourceTree| pack(tree, &PackOptions::default()).unwrap().into_package();
    tree.remove("CanvasApps/gone_src/App.pa.yaml");
    assert_eq!(packed(&mirrored), packed(&tree));
    assert!(diff(&tree, &mirrored).unwrap().is_empty());
}

#[test]
fn a_diff_shows_the_lines_of_an_app_and_its_checker_result() {
    let name = "CanvasApps/contoso_inspector_b2848_DocumentUri.msapp";
    let (mut old, mut new) = (permits(), permits());
    let label = BROKEN
        .replace("High", "Medium")
        .replace("Button1.Text", "Icon1.AccessibleLabel");
    let other = label.replace("Icon1", "Icon2");
    old.insert(name, app("Save", &format!("{label},{other}")))
        .unwrap();
    new.insert(name, app("Save now", &format!("{BROKEN},{other}")))
        .unwrap();
    insta::assert_snapshot!(render::text(&diff(&old, &new).unwrap(), false));
    let found = findings(&new, &Limits::default());
    assert_eq!(found[0].severity, Severity::Warning);
    assert_eq!(
        CanvasApp::read(new.get(name).unwrap(), &budget())
            .unwrap()
            .checks[0]
            .level,
        CheckLevel::High
    );
}

#[test]
fn the_model_reads_what_the_packages_of_the_corpus_are_made_of() {
    let model = Model::read(&permits()).unwrap();
    let permit = model
        .tables
        .iter()
        .find(|table| table.name == "contoso_permit")
        .unwrap();
    let column = |name: &str| {
        permit
            .columns
            .iter()
            .find(|column| column.name == name)
            .unwrap()
    };
    assert_eq!(column("contoso_name").summary(), "nvarchar(100), required");
    assert_eq!(column("contoso_buildsite").targets, Vec::<String>::new());
    let form = model.forms.iter().find(|(table, form)| {
        table == "contoso_permit" && form.id == "f30f2ef1-59b0-4dea-aba1-486a404f8362"
    });
    let (_, form) = form.unwrap();
    assert_eq!(
        form.tabs[0].sections[0].fields[0].column.as_deref(),
        Some("contoso_name")
    );
    let process = model
        .processes
        .iter()
        .find(|process| process.name == "ClearInspectionComments")
        .unwrap();
    let flow = process.flow.as_ref().unwrap();
    let steps: Vec<&str> = flow.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(
        steps,
        [
            "CancelComments",
            "GetPermit",
            "Respond_to_a_PowerApp_or_flow"
        ]
    );
    assert_eq!(model.roles[0].name, "Inspection Router");
    assert_eq!(model.steps[0].stage, "20");
    assert_eq!(model.references.len(), 1);
    assert_eq!(model.choices[0].name, "contoso_inspectiontype");
    let view = model
        .views
        .iter()
        .find(|(_, view)| view.id == "48482f15-b783-4827-baf9-5b701b7e62d8")
        .unwrap();
    assert_eq!(view.1.filter, "statecode eq 0");
}
