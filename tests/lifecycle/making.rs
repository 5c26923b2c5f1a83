//! What makers do row by row, and what an export then contains.

use almscript::solution::component::{
    ComponentType, Identity, assemble, code, required_components,
};
use serde_json::json;

use crate::corpus::zip;
use crate::environment::{Environment, connected, is, pieces, variant};

const FLOW: &str = "cadb39e3-2c1f-ee11-9cbe-0022481c5f83";

#[test]
fn a_changed_flow_is_exported_and_the_rest_keeps_its_bytes() {
    let zip = zip("05-permit-management/unmanaged");
    let environment = Environment::new();
    environment.import(&zip, &connected(&zip));
    let name = "Clear \"all\" <comments> & ünïcode";
    let data = r#"{"properties":{"definition":{"actions":{"x":{"type":"Compose"}}}}}"#;
    environment.patch(
        &format!("workflows({FLOW})"),
        &json!({ "name": name, "clientdata": data }),
    );
    let (before, after) = (
        pieces(&zip),
        pieces(&environment.export("PermitManagement", false)),
    );
    assert_eq!(before.components.len(), after.components.len());
    for (old, new) in before.components.iter().zip(&after.components) {
        if old.key == FLOW {
            assert_eq!(new.schema_name.as_deref(), Some(name));
            let json: serde_json::Value = serde_json::from_slice(&new.payload[0].bytes).unwrap();
            assert_eq!(
                json["properties"]["definition"]["actions"]["x"]["type"],
                "Compose"
            );
            assert_eq!(
                new.payload[0].name, old.payload[0].name,
                "the file keeps its old name"
            );
        } else {
            assert!(old == new, "{}", old.identity());
        }
    }
}

#[test]
fn a_changed_variable_is_exported_with_its_new_default() {
    let zip = zip("02-hide-folders/unmanaged");
    let environment = Environment::new();
    environment.import(&zip, &connected(&zip));
    let variable = environment.rows("environmentvariabledefinitions")[0].clone();
    let id = variable["environmentvariabledefinitionid"]
        .as_str()
        .unwrap();
    let value = "https://contoso.example/?a=<1>&b='2'\nthird";
    environment.patch(
        &format!("environmentvariabledefinitions({id})"),
        &json!({ "defaultvalue": value, "displayname": "Where \"files\" are" }),
    );
    let after = pieces(&environment.export("PowerAutomateSamples", false));
    let kind = ComponentType::Code(code::VARIABLE);
    let found = after
        .component(&kind, "exp_SPOSiteCollection_PowerUsers")
        .unwrap();
    let document = roxmltree::Document::parse(&found.fragment).unwrap();
    let text = |name: &str| {
        document
            .descendants()
            .find(|it| it.has_tag_name(name))
            .unwrap()
    };
    assert_eq!(text("defaultvalue").text(), Some(value));
    assert_eq!(
        text("displayname").attribute("default"),
        Some("Where \"files\" are")
    );
    assert_eq!(
        text("parameterkey").text(),
        Some("dataset"),
        "the rest is untouched"
    );
}

#[test]
fn new_components_go_into_the_solution_that_the_request_names() {
    let zip = zip("02-hide-folders/unmanaged");
    let environment = Environment::new();
    environment.import(&zip, &connected(&zip));
    let solution = Some("PowerAutomateSamples");
    environment.create(
        "environmentvariabledefinitions",
        &json!({
            "schemaname": "exp_Greeting", "displayname": "Greeting", "type": 100_000_000,
            "defaultvalue": "hello & <welcome>",
        }),
        solution,
    );
    environment.create(
        "connectionreferences",
        &json!({
            "connectionreferencelogicalname": "exp_mail", "connectionreferencedisplayname": "Mail",
            "connectorid": "/providers/Microsoft.PowerApps/apis/shared_office365",
        }),
        solution,
    );
    let flow = environment.create(
        "workflows",
        &json!({
            "category": 5, "type": 1, "primaryentity": "none", "name": "Say hello",
            "clientdata": json!({ "properties": { "connectionReferences": { "shared_office365": {
                "connection": { "connectionReferenceLogicalName": "exp_mail" } } },
                "definition": {} }, "schemaVersion": "1.0.0.0" }).to_string(),
        }),
        solution,
    );
    // In no solution: it is not exported.
    environment.create(
        "environmentvariabledefinitions",
        &json!({
            "schemaname": "exp_Other", "displayname": "Other", "type": 100_000_000,
        }),
        None,
    );
    let exported = environment.export("PowerAutomateSamples", false);
    let after = pieces(&exported);
    assert_eq!(after.components.len(), pieces(&zip).components.len() + 3);
    let variable = after
        .component(&ComponentType::Code(code::VARIABLE), "exp_Greeting")
        .unwrap();
    assert!(
        variable
            .fragment
            .contains("<defaultvalue>hello &amp; &lt;welcome&gt;</defaultvalue>")
    );
    let made = after
        .component(&ComponentType::Code(code::WORKFLOW), &flow)
        .unwrap();
    assert_eq!(
        made.payload[0].name,
        format!("Workflows/Sayhello-{}.json", flow.to_uppercase())
    );
    let roots = after.outline.roots().unwrap();
    assert!(
        roots
            .iter()
            .any(|root| root.identity == Identity::coded(code::WORKFLOW, &flow))
    );
    // What was exported is a package like any other.
    let other = Environment::new();
    other.import(&exported, &connected(&exported));
    assert_eq!(other.rows("workflows").len(), 2);
    assert_eq!(other.rows("environmentvariabledefinitions").len(), 2);
    let again = pieces(&other.export("PowerAutomateSamples", false));
    for (old, new) in after.components.iter().zip(&again.components) {
        // Flows are exported with the state that they have, and the new one was off.
        assert_eq!(old.fragment, new.fragment);
    }
}

#[test]
fn a_deleted_component_is_gone_from_the_export_unless_others_need_it() {
    let zip = zip("02-hide-folders/unmanaged");
    let environment = Environment::new();
    environment.import(&zip, &connected(&zip));
    let flow = environment.rows("workflows")[0]["workflowid"]
        .as_str()
        .unwrap()
        .to_owned();
    let reference = environment.rows("connectionreferences")[0].clone();
    let reference = reference["connectionreferenceid"].as_str().unwrap();
    let answer = environment.delete(&format!("connectionreferences({reference})"));
    assert_eq!(answer.code(), "0x8004F01F", "{}", answer.body);
    environment.patch(&format!("workflows({flow})"), &json!({ "statecode": 0 }));
    assert_eq!(
        environment.delete(&format!("workflows({flow})")).status,
        204
    );
    assert_eq!(
        environment
            .delete(&format!("connectionreferences({reference})"))
            .status,
        204
    );
    let after = pieces(&environment.export("PowerAutomateSamples", false));
    let left: Vec<_> = after.components.iter().map(|it| it.key.as_str()).collect();
    assert_eq!(left, ["exp_spositecollection_powerusers"]);
    assert_eq!(after.outline.roots().unwrap(), []);
}

#[test]
fn an_unmanaged_import_is_exported_only_after_it_is_published() {
    let zip = zip("05-permit-management/unmanaged");
    let mut split = pieces(&zip);
    for component in split
        .components
        .iter_mut()
        .filter(|it| is(it, code::WEB_RESOURCE))
    {
        component.payload[0].bytes = b"// new".to_vec();
    }
    let newer = assemble(&split.outline, &split.components)
        .unwrap()
        .to_zip()
        .unwrap();
    let environment = Environment::new();
    let script = || {
        let exported = pieces(&environment.export("PermitManagement", false));
        let kind = ComponentType::Code(code::WEB_RESOURCE);
        exported
            .component(&kind, "contoso_PermitFormScripts.js")
            .unwrap()
            .payload[0]
            .bytes
            .clone()
    };
    environment.import(&zip, &json!({}));
    let old = script();
    environment.import(&newer, &json!({}));
    assert_eq!(script(), old);
    environment.post("PublishAllXml", &json!({}));
    assert_eq!(script(), b"// new");
    // The same for what a maker changes in the row.
    let resource = environment.rows("webresourceset")[0]["webresourceid"].clone();
    let resource = resource.as_str().unwrap();
    environment.patch(
        &format!("webresourceset({resource})"),
        &json!({ "content": "Ly8gbWluZQ==" }),
    );
    assert_eq!(script(), b"// new");
    environment.post("PublishXml", &json!({ "ParameterXml": format!(
        "<importexportxml><webresources><webresource>{{{resource}}}</webresource></webresources></importexportxml>"
    ) }));
    assert_eq!(script(), b"// mine");
}

#[test]
fn a_solution_made_here_is_filled_and_exported() {
    let environment = Environment::new();
    environment.import(&zip("05-permit-management/unmanaged"), &json!({}));
    let publisher = environment.create("publishers", &json!({
        "uniquename": "fabrikam", "friendlyname": "Fabrikam & Sons", "customizationprefix": "fab",
        "customizationoptionvalueprefix": 72_700,
    }), None);
    environment.create(
        "solutions",
        &json!({
            "uniquename": "Flows", "friendlyname": "Only <flows>", "version": "2.0.0.1",
            "publisherid@odata.bind": format!("/publishers({publisher})"),
        }),
        None,
    );
    let add = json!({
        "ComponentId": FLOW, "ComponentType": 29, "SolutionUniqueName": "Flows",
        "AddRequiredComponents": false,
    });
    environment.post("AddSolutionComponent", &add);
    let exported = pieces(&environment.export("Flows", true));
    assert_eq!(exported.components.len(), 1);
    assert_eq!(
        exported.outline.manifest_value("Managed").unwrap().unwrap(),
        "1"
    );
    assert_eq!(
        exported.outline.manifest_value("Version").unwrap().unwrap(),
        "2.0.0.1"
    );
    let prefix = exported
        .outline
        .manifest_value("Publisher/CustomizationPrefix");
    assert_eq!(prefix.unwrap().unwrap(), "fab");
    let needed = required_components(&exported.outline).unwrap();
    let reference = "contoso_sharedcommondataserviceforapps_a72bc";
    let reference = Identity::new(ComponentType::table("connectionreference"), reference);
    assert_eq!(
        needed
            .iter()
            .filter(|(identity, _, _)| *identity == reference)
            .count(),
        1
    );
    // With what it needs.
    let all = json!({
        "ComponentId": FLOW, "ComponentType": 29, "SolutionUniqueName": "Flows",
        "AddRequiredComponents": true,
    });
    environment.post("AddSolutionComponent", &all);
    let exported = pieces(&environment.export("Flows", false));
    assert!(
        exported
            .components
            .iter()
            .any(|it| it.identity() == reference)
    );
    // And out again.
    environment.post(
        "RemoveSolutionComponent",
        &json!({
            "SolutionComponent": { "@odata.type": "Microsoft.Dynamics.CRM.solutioncomponent",
                                   "solutioncomponentid": FLOW },
            "ComponentType": 29, "SolutionUniqueName": "Flows",
        }),
    );
    let exported = pieces(&environment.export("Flows", false));
    assert!(!exported.components.iter().any(|it| it.key == FLOW));
}

#[test]
fn a_version_is_set_on_unmanaged_solutions_only() {
    let zip = zip("05-permit-management/unmanaged");
    let environment = Environment::new();
    environment.import(&zip, &json!({}));
    let solution = environment.solution("PermitManagement").unwrap();
    let path = format!("solutions({})", solution["solutionid"].as_str().unwrap());
    environment.patch(&path, &json!({ "version": "3.2.1.0" }));
    let exported = pieces(&environment.export("PermitManagement", false));
    assert_eq!(
        exported.outline.manifest_value("Version").unwrap().unwrap(),
        "3.2.1.0"
    );
    let refused = environment.send(
        almscript::transport::Method::PATCH,
        &path,
        Some(&json!({ "version": "not a version" })),
        &[],
    );
    assert_eq!(refused.status, 400);
    let managed = variant(
        &environment.export("PermitManagement", true),
        None,
        "4.0.0.0",
        true,
        |_| true,
    );
    let other = Environment::new();
    other.import(&managed, &json!({}));
    let solution = other.solution("PermitManagement").unwrap();
    let path = format!("solutions({})", solution["solutionid"].as_str().unwrap());
    let refused = other.send(
        almscript::transport::Method::PATCH,
        &path,
        Some(&json!({ "version": "9.9.9.9" })),
        &[],
    );
    assert_eq!(refused.status, 400);
}

#[test]
fn an_asynchronous_export_is_downloaded_when_it_is_done() {
    use base64::Engine as _;
    let zip = zip("02-hide-folders/unmanaged");
    let environment = Environment::new();
    environment.import(&zip, &connected(&zip));
    let body = json!({ "SolutionName": "PowerAutomateSamples", "Managed": false });
    let started = environment.post("ExportSolutionAsync", &body);
    let download = json!({ "ExportJobId": started["ExportJobId"] });
    assert_eq!(
        environment
            .try_post("DownloadSolutionExportData", &download)
            .status,
        404
    );
    let job = environment.wait(started["AsyncOperationId"].as_str().unwrap());
    assert_eq!(job["statuscode"], 30, "{job}");
    let answer = environment.post("DownloadSolutionExportData", &download);
    let file = answer["ExportSolutionFile"].as_str().unwrap();
    let file = base64::engine::general_purpose::STANDARD
        .decode(file)
        .unwrap();
    assert_eq!(file, environment.export("PowerAutomateSamples", false));
}

#[test]
fn a_managed_export_holds_what_the_published_managed_package_holds() {
    for name in [
        "04-column-security",
        "05-permit-management",
        "12-higher-education",
    ] {
        let unmanaged = zip(&format!("{name}/unmanaged"));
        let environment = Environment::new();
        environment.import(&unmanaged, &connected(&unmanaged));
        let solution = pieces(&unmanaged)
            .outline
            .manifest_value("UniqueName")
            .unwrap()
            .unwrap();
        let ours = pieces(&environment.export(&solution, true));
        let published = pieces(&zip(&format!("{name}/managed")));
        let names = |split: &almscript::solution::component::Split| {
            let mut names: Vec<_> = split
                .components
                .iter()
                .map(|it| it.identity().to_string())
                .collect();
            names.sort();
            names
        };
        assert_eq!(names(&ours), names(&published), "{name}");
        assert!(
            ours.outline.manifest == published.outline.manifest,
            "{name}: the manifest differs"
        );
    }
}
