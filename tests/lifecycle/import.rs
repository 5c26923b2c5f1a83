//! Importing: what comes into an environment, and what is refused.

use almscript::solution::component::{assemble, code};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::corpus::zip;
use crate::environment::{
    Environment, body_of, connected, connection, is, is_data_model, pieces, variant,
};

const FLOW: &str = "cadb39e3-2c1f-ee11-9cbe-0022481c5f83";

#[test]
fn every_unmanaged_package_is_exported_as_it_was_imported() {
    for name in [
        "01-timesheet",
        "02-hide-folders",
        "03-human-in-the-loop",
        "04-column-security",
        "05-permit-management",
        "06-pl400-demos",
        "08-quote-email",
        "09-resume-agent",
        "11-image-columns",
        "12-higher-education",
        "13-faq-japanese",
    ] {
        let zip = zip(&format!("{name}/unmanaged"));
        let before = pieces(&zip);
        let environment = Environment::new();
        environment.import(&zip, &connected(&zip));
        let solution = before
            .outline
            .manifest_value("UniqueName")
            .unwrap()
            .unwrap();
        let after = pieces(&environment.export(&solution, false));
        assert_eq!(before.components.len(), after.components.len(), "{name}");
        for (old, new) in before.components.iter().zip(&after.components) {
            assert_eq!(old.identity(), new.identity(), "{name}");
            assert_eq!(old.fragment, new.fragment, "{name}: {}", old.identity());
            assert!(old.payload == new.payload, "{name}: {}", old.identity());
        }
        assert!(before.outline == after.outline, "{name}: the frame changed");
    }
}

#[test]
fn every_managed_package_can_be_installed_and_uninstalled_without_a_trace() {
    for name in [
        "04-column-security",
        "05-permit-management",
        "07-nonprofit-core",
        "10-virtual-entity",
        "12-higher-education",
    ] {
        let zip = zip(&format!("{name}/managed"));
        let solution = pieces(&zip)
            .outline
            .manifest_value("UniqueName")
            .unwrap()
            .unwrap();
        let environment = Environment::new();
        let tables = environment
            .rows("EntityDefinitions?$select=LogicalName")
            .len();
        environment.import(&zip, &connected(&zip));
        assert_eq!(
            environment.solution(&solution).unwrap()["ismanaged"],
            true,
            "{name}"
        );
        let answer = environment.uninstall(&solution);
        assert_eq!(answer.status, 204, "{name}: {}", answer.body);
        assert_eq!(
            environment.rows("solutioncomponents"),
            Vec::<Value>::new(),
            "{name}"
        );
        let left = environment
            .rows("EntityDefinitions?$select=LogicalName")
            .len();
        assert_eq!(left, tables, "{name}");
    }
}

#[test]
fn an_asynchronous_import_goes_through_its_states_and_reports() {
    let zip = zip("05-permit-management/unmanaged");
    let environment = Environment::new();
    let started = environment.post("ImportSolutionAsync", &body_of(&zip, &json!({})));
    let job = format!(
        "asyncoperations({})",
        started["AsyncOperationId"].as_str().unwrap()
    );
    let import_job = format!("importjobs({})", started["ImportJobKey"].as_str().unwrap());
    let row = environment.get(&job);
    assert_eq!(
        (&row["statecode"], &row["statuscode"]),
        (&json!(2), &json!(20))
    );
    assert_eq!(row["completedon"], Value::Null);
    assert_eq!(
        environment.solution("PermitManagement").unwrap()["ismanaged"],
        false
    );
    let row = environment.get(&job);
    assert_eq!(
        (&row["statecode"], &row["statuscode"]),
        (&json!(3), &json!(30))
    );
    assert_eq!(row["operationtype"], 54);
    assert_ne!(row["completedon"], Value::Null);
    let row = environment.get(&import_job);
    assert_eq!(row["progress"], 100.0);
    assert_eq!(row["solutionname"], "PermitManagement");
    let report = roxmltree::Document::parse(row["data"].as_str().unwrap()).unwrap();
    let manifest = report
        .descendants()
        .find(|it| it.has_tag_name("solutionManifest"))
        .unwrap();
    let verdict = manifest
        .children()
        .find(|it| it.has_tag_name("result"))
        .unwrap();
    assert_eq!(verdict.attribute("result"), Some("success"));
    let tables = report
        .descendants()
        .filter(|it| it.has_tag_name("entity"))
        .count();
    assert_eq!(tables, 7);
    let key = started["ImportJobKey"].as_str().unwrap();
    let result = environment.get(&format!("RetrieveSolutionImportResult(ImportJobId={key})"));
    assert_eq!(result["SolutionOperationResult"]["Status"], "Passed");
    let history =
        environment.rows("msdyn_solutionhistories?$filter=msdyn_name eq 'PermitManagement'");
    assert_eq!(history.len(), 1);
    assert_eq!(history[0]["msdyn_result"], true);
}

#[test]
fn a_job_survives_a_restart_and_is_done_once() {
    let zip = zip("02-hide-folders/unmanaged");
    let environment = Environment::new();
    let started = environment.post("ImportSolutionAsync", &body_of(&zip, &json!({})));
    let id = started["AsyncOperationId"].as_str().unwrap();
    assert_eq!(
        environment.get(&format!("asyncoperations({id})"))["statuscode"],
        20
    );
    let environment = environment.restarted();
    assert_eq!(environment.wait(id)["statuscode"], 30);
    assert_eq!(
        environment.version("PowerAutomateSamples").unwrap(),
        "1.0.1.0"
    );
    let environment = environment.restarted();
    assert_eq!(environment.rows("workflows").len(), 1);
    assert_eq!(environment.rows("msdyn_solutionhistories").len(), 1);
}

#[test]
fn a_second_operation_is_locked_out_while_one_runs() {
    let zip = zip("02-hide-folders/unmanaged");
    let environment = Environment::new();
    let started = environment.post("ImportSolutionAsync", &body_of(&zip, &json!({})));
    for action in ["ImportSolutionAsync", "ImportSolution"] {
        let answer = environment.try_post(action, &body_of(&zip, &json!({})));
        // The first attempt finds the job running; by the second one it has ended.
        if action == "ImportSolutionAsync" {
            assert_eq!(answer.status, 429);
            assert_eq!(answer.code(), "0x80071151");
            assert!(
                answer.message().contains("previous [Import]"),
                "{}",
                answer.message()
            );
        } else {
            assert_eq!(answer.status, 204, "{}", answer.body);
        }
    }
    let job = environment.wait(started["AsyncOperationId"].as_str().unwrap());
    assert_eq!(job["statuscode"], 30);
}

#[test]
fn a_failed_import_changes_nothing_and_its_job_says_why() {
    let package = zip("14-automation-kit-installer/both.packed_managed");
    let environment = Environment::new();
    let started = environment.post("ImportSolutionAsync", &body_of(&package, &json!({})));
    let job = environment.wait(started["AsyncOperationId"].as_str().unwrap());
    assert_eq!(job["statuscode"], 31);
    assert_eq!(job["errorcode"], -2_147_188_707_i64);
    assert!(
        job["message"].as_str().unwrap().contains("CreatorKitCore"),
        "{job}"
    );
    let key = started["ImportJobKey"].as_str().unwrap();
    let row = environment.get(&format!("importjobs({key})"));
    let report = roxmltree::Document::parse(row["data"].as_str().unwrap()).unwrap();
    let verdict = report
        .descendants()
        .find(|it| it.has_tag_name("result"))
        .unwrap();
    assert_eq!(verdict.attribute("result"), Some("failure"));
    assert_eq!(verdict.attribute("errorcode"), Some("0x8004801D"));
    assert!(
        verdict
            .attribute("errortext")
            .unwrap()
            .contains("<MissingDependency ")
    );
    assert_eq!(environment.rows("solutioncomponents"), Vec::<Value>::new());
    assert_eq!(environment.rows("workflows"), Vec::<Value>::new());

    // The synchronous form refuses, and leaves its import job too.
    let id = "7b2c1f4e-0000-4000-8000-000000000001";
    let answer = environment.try_import(&package, &json!({ "ImportJobId": id }));
    assert_eq!((answer.status.as_u16(), answer.code()), (400, "0x8004801D"));
    assert_ne!(
        environment.get(&format!("importjobs({id})"))["data"],
        Value::Null
    );
}

#[test]
fn what_is_no_package_is_refused() {
    let environment = Environment::new();
    let answer = environment.try_import(b"not a zip", &json!({}));
    assert_eq!((answer.status.as_u16(), answer.code()), (400, "0x80048000"));
    let answer = environment.try_post("ImportSolution", &json!({ "CustomizationFile": "%%%" }));
    assert_eq!(answer.status, 400);
}

#[test]
fn modes_publishers_and_versions_must_fit_what_is_installed() {
    let (unmanaged, managed) = (
        zip("05-permit-management/unmanaged"),
        zip("05-permit-management/managed"),
    );
    let environment = Environment::new();
    environment.import(&unmanaged, &json!({}));
    assert_eq!(
        environment.try_import(&managed, &json!({})).code(),
        "0x80048040"
    );

    let environment = Environment::new();
    environment.import(&managed, &json!({}));
    assert_eq!(
        environment.try_import(&unmanaged, &json!({})).code(),
        "0x80048041"
    );
    let lower = variant(&managed, None, "1.0.0.10", true, |_| true);
    assert_eq!(
        environment.try_import(&lower, &json!({})).code(),
        "0x80048033"
    );
    let same = environment.try_import(&managed, &json!({}));
    assert_eq!(same.status, 204, "{}", same.body);

    let mut other = pieces(&managed);
    other.outline.manifest = other.outline.manifest.replace(
        "<UniqueName>contoso</UniqueName>",
        "<UniqueName>fabrikam</UniqueName>",
    );
    let other = assemble(&other.outline, &other.components);
    let other = other.unwrap().to_zip().unwrap();
    assert_eq!(
        environment.try_import(&other, &json!({})).code(),
        "0x8004801C"
    );
}

#[test]
fn flows_start_only_when_their_connections_are_there() {
    let zip = zip("05-permit-management/managed");
    let states = |switches: &Value| -> Vec<i64> {
        let environment = Environment::new();
        environment.import(&zip, switches);
        let flows = environment.rows("workflows?$filter=category eq 5&$select=statecode");
        flows
            .iter()
            .map(|flow| flow["statecode"].as_i64().unwrap())
            .collect()
    };
    assert_eq!(states(&json!({})), [0, 0]);
    assert_eq!(states(&connected(&zip)), [1, 1]);
}

#[test]
fn component_parameters_set_connections_and_values() {
    let zip = zip("02-hide-folders/unmanaged");
    let environment = Environment::new();
    let switches = json!({ "ComponentParameters": [
        { "@odata.type": "Microsoft.Dynamics.CRM.connectionreference",
          "connectionreferencelogicalname": "exp_sharedsharepointonline_e5efa",
          "connectorid": "/providers/Microsoft.PowerApps/apis/shared_sharepointonline",
          "connectionid": connection("shared_sharepointonline") },
        { "@odata.type": "Microsoft.Dynamics.CRM.environmentvariablevalue",
          "schemaname": "EXP_SPOSiteCollection_PowerUsers", "value": "https://x'y\"z/é" },
    ]});
    environment.import(&zip, &switches);
    let reference = &environment.rows("connectionreferences")[0];
    assert_eq!(
        reference["connectionid"],
        connection("shared_sharepointonline")
    );
    let variable = &environment.rows(
        "environmentvariabledefinitions?$expand=environmentvariabledefinition_environmentvariablevalue",
    )[0];
    let value = &variable["environmentvariabledefinition_environmentvariablevalue"][0];
    assert_eq!(value["value"], "https://x'y\"z/é");
    // A value that an import set is not part of the solution.
    let exported = pieces(&environment.export("PowerAutomateSamples", false));
    assert!(
        !exported
            .components
            .iter()
            .any(|it| is(it, code::VARIABLE_VALUE))
    );
}

#[test]
fn staging_tells_what_an_import_would_do_and_installs_nothing() {
    let zip = zip("02-hide-folders/unmanaged");
    let environment = Environment::new();
    let staged = environment.post(
        "StageSolution",
        &json!({ "CustomizationFile": BASE64.encode(&zip) }),
    );
    let results = &staged["StageSolutionResults"];
    assert_eq!(results["StageSolutionStatus"], "Passed");
    assert_eq!(results["SolutionDetails"]["SolutionVersion"], "1.0.1.0");
    let details = results["SolutionComponentsDetails"].as_array().unwrap();
    let reference = details
        .iter()
        .find(|it| it["ComponentTypeName"] == "connectionreference")
        .unwrap();
    assert_eq!(reference["IsPresentInOrg"], "False");
    assert_eq!(
        reference["Attributes"]["Keys"][1],
        "connectionreferencelogicalname"
    );
    assert!(environment.solution("PowerAutomateSamples").is_none());
    let upload = &results["StageSolutionUploadId"];
    let job = environment.run(
        "ImportSolutionAsync",
        &json!({
            "PublishWorkflows": true, "OverwriteUnmanagedCustomizations": false,
            "SkipProductUpdateDependencies": false, "ComponentParameters": null,
            "SolutionParameters": { "StageSolutionUploadId": upload },
        }),
    );
    assert_eq!(job["statuscode"], 30, "{job}");
    assert!(environment.solution("PowerAutomateSamples").is_some());
}

#[test]
fn rows_of_tables_that_came_with_a_solution_can_be_created_and_related() {
    let zip = zip("05-permit-management/managed");
    let environment = Environment::new();
    environment.import(&zip, &json!({}));
    let site = environment.create(
        "contoso_buildsites",
        &json!({
            "contoso_street1": "1 \"Main\" Street", "contoso_city": "København",
        }),
        None,
    );
    let permit = environment.create(
        "contoso_permits",
        &json!({
            "contoso_name": "Shed",
            "contoso_BuildSite@odata.bind": format!("/contoso_buildsites({site})"),
        }),
        None,
    );
    let row = environment.get(&format!(
        "contoso_permits({permit})?$expand=contoso_BuildSite($select=contoso_city)"
    ));
    assert_eq!(row["contoso_BuildSite"]["contoso_city"], "København");
    assert_eq!(row["statecode"], 0);
}

#[test]
fn a_package_whose_table_is_elsewhere_needs_that_table_first() {
    let zip = zip("05-permit-management/managed");
    let base = variant(&zip, Some("PermitBase"), "1.0.0.0", true, is_data_model);
    let apps = variant(&zip, Some("PermitApps"), "1.0.0.0", true, |it| {
        !is_data_model(it)
    });
    let environment = Environment::new();
    let answer = environment.try_import(&apps, &json!({}));
    assert_eq!(answer.code(), "0x8004801D");
    assert!(
        answer.message().contains("contoso_permit"),
        "{}",
        answer.message()
    );
    environment.import(&base, &json!({}));
    environment.import(&apps, &json!({}));
    let solution = environment.solution("PermitApps").unwrap()["solutionid"].clone();
    let found = environment.rows(&format!(
        "msdyn_solutioncomponentsummaries?$filter=msdyn_solutionid eq {}",
        solution.as_str().unwrap()
    ));
    assert!(
        found.iter().any(|row| row["msdyn_objectid"] == FLOW),
        "{found:?}"
    );
}

/// A package of so many web resources.
fn many(count: u32) -> Vec<u8> {
    let mut split = pieces(&zip("05-permit-management/managed"));
    let model = split
        .components
        .iter()
        .find(|it| is(it, code::WEB_RESOURCE))
        .unwrap()
        .clone();
    let make = |number| {
        let id = uuid::Uuid::from_u128(u128::from(number) + (1 << 100));
        let name = format!("contoso_script{number}.js");
        let mut one = model.clone();
        one.key.clone_from(&name);
        one.payload[0].name = format!("WebResources/contoso_script{number}js{id}");
        one.fragment = one
            .fragment
            .replace("contoso_PermitFormScripts.js", &name)
            .replace(&model.payload[0].name, &one.payload[0].name)
            .replace(&model.id.unwrap().to_string(), &id.to_string());
        one.id = Some(id);
        one.schema_name = Some(name);
        one
    };
    split.components = (0..count).map(make).collect();
    let outline = split.outline.stamped("1.0.0.0", false, None).unwrap();
    let outline = outline
        .with_roots_of(&split.components, |_| 0, |_| true)
        .unwrap();
    assemble(&outline, &split.components)
        .unwrap()
        .to_zip()
        .unwrap()
}

#[test]
fn ten_thousand_components_take_ten_times_as_long_as_a_thousand_not_a_hundred_times() {
    let time = |count: u32| {
        let zip = many(count);
        let environment = Environment::new();
        let began = std::time::Instant::now();
        environment.import(&zip, &json!({}));
        let exported = environment.export("PermitManagement", false);
        assert_eq!(pieces(&exported).components.len(), count as usize);
        began.elapsed()
    };
    let (few, all) = (time(1_000), time(10_000));
    assert!(all < few * 40, "1,000 take {few:?}, 10,000 take {all:?}");
}

#[test]
fn a_connection_that_is_not_there_refuses_the_whole_import() {
    let zip = zip("02-hide-folders/unmanaged");
    let environment = Environment::new();
    let answer = environment.try_import(
        &zip,
        &json!({ "ComponentParameters": [{
            "@odata.type": "Microsoft.Dynamics.CRM.connectionreference",
            "connectionreferencelogicalname": "exp_sharedsharepointonline_e5efa",
            "connectionid": "00000000000000000000000000000000",
        }]}),
    );
    assert_eq!(answer.status, 400);
    assert!(
        answer.message().contains("ConnectionNotFound"),
        "{}",
        answer.message()
    );
    assert_eq!(environment.rows("workflows"), Vec::<Value>::new());
}
