//! Imports: no second one beside a running one, fallbacks, reports, errors.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use almscript::environment::{ComponentParameter, EnvironmentError, ImportMode, ImportOptions};
use almscript::problem::Problem;
use almscript::transport::{Cancel, Response, StatusCode};
use serde_json::{Value, json};

use crate::service::Written;

const JOB: &str = "00000000-0000-0000-0000-0000000000a1";
const OPERATION: &str = "00000000-0000-0000-0000-0000000000b1";

fn installed(version: &str) -> Value {
    json!([{ "solutionid": "00000000-0000-0000-0000-000000000001", "uniquename": "Sales",
             "version": version, "ismanaged": true }])
}

/// A service where an import succeeds at the second look.
fn importing(solutions: Value) -> Arc<Written> {
    let looks = AtomicU32::new(0);
    let started = json!({ "AsyncOperationId": OPERATION, "ImportJobKey": JOB });
    Written::new()
        .rows("GET importjobs?", json!([]))
        .rows("GET solutions?", solutions)
        .json("POST ImportSolutionAsync", started.clone())
        .json("POST StageAndUpgradeAsync", started)
        .on("GET asyncoperations(", move |_| {
            let done = looks.fetch_add(1, Ordering::SeqCst) > 0;
            let code = if done { 30 } else { 20 };
            Response::json(
                StatusCode::OK,
                &json!({ "statuscode": code, "statecode": 3 }),
            )
        })
        .json(
            "GET importjobs(",
            json!({ "progress": 100.0, "data": "<importexportxml/>" }),
        )
}

#[test]
fn an_import_is_waited_for_and_reported() {
    let service = importing(installed("1.0.0.2"));
    let report = service
        .environment()
        .import_solution("Sales", b"zip", &ImportOptions::default())
        .unwrap();
    assert_eq!(
        (report.action.as_str(), report.version.as_str()),
        ("updated", "1.0.0.2")
    );
    let body = service.body("POST ImportSolutionAsync");
    assert_eq!(body["CustomizationFile"], "emlw");
    assert_eq!(body["OverwriteUnmanagedCustomizations"], true);
    assert_eq!(body.get("HoldingSolution"), None);
}

#[test]
fn modes_choose_their_actions() {
    let run = |solutions: Value, mode| {
        let service = importing(solutions);
        let options = ImportOptions {
            mode,
            ..ImportOptions::default()
        };
        let report = service
            .environment()
            .import_solution("Sales", b"zip", &options)
            .unwrap();
        (report.action, service.writes()[0].clone())
    };
    let expect = |action: &str, post: &str| (action.to_owned(), format!("POST {post}"));
    assert_eq!(
        run(installed("1.0"), ImportMode::Upgrade),
        expect("upgraded", "StageAndUpgradeAsync")
    );
    assert_eq!(
        run(installed("1.0"), ImportMode::Hold),
        expect("held", "ImportSolutionAsync")
    );
    assert_eq!(
        run(json!([]), ImportMode::Upgrade),
        expect("installed", "ImportSolutionAsync")
    );
    assert_eq!(
        run(json!([]), ImportMode::Hold),
        expect("installed", "ImportSolutionAsync")
    );
}

#[test]
fn a_running_import_of_the_same_solution_is_waited_for_first() {
    let now = jiff::Timestamp::now().to_string();
    let looks = Arc::new(AtomicU32::new(0));
    let counted = looks.clone();
    let service = Written::new()
        .rows(
            "GET importjobs?",
            json!([{ "importjobid": JOB, "startedon": now }]),
        )
        .on("GET importjobs(", move |_| {
            let done = counted.fetch_add(1, Ordering::SeqCst) >= 3;
            let completed = if done {
                json!("2026-01-01T00:00:00Z")
            } else {
                Value::Null
            };
            Response::json(
                StatusCode::OK,
                &json!({ "completedon": completed, "progress": 50.0 }),
            )
        })
        .rows("GET solutions?", installed("1.0.0.2"))
        .json(
            "POST ImportSolutionAsync",
            json!({ "AsyncOperationId": OPERATION, "ImportJobKey": JOB }),
        )
        .json("GET asyncoperations(", json!({ "statuscode": 30 }));
    service
        .environment()
        .import_solution("Sales", b"zip", &ImportOptions::default())
        .unwrap();
    let lines = service.lines();
    let post = lines
        .iter()
        .position(|line| line.starts_with("POST"))
        .unwrap();
    let waits = lines[..post]
        .iter()
        .filter(|line| line.starts_with("GET importjobs("))
        .count();
    assert_eq!(waits, 4, "{lines:?}");
    assert!(
        lines[0].contains("(solutionname eq 'Sales') and (completedon eq null)"),
        "{}",
        lines[0]
    );
}

#[test]
fn an_abandoned_import_job_does_not_hold_anybody_up() {
    let old = json!([{ "importjobid": JOB, "startedon": "2020-01-01T00:00:00Z" }]);
    let service =
        Written::new()
            .rows("GET importjobs?", old)
            .refuse("GET solutions?", 403, "0x1", "no");
    let environment = service.environment();
    environment
        .import_solution("Sales", b"zip", &ImportOptions::default())
        .unwrap_err();
    let lines = service.lines();
    assert_eq!(
        lines.len(),
        2,
        "the next request follows at once: {lines:?}"
    );
}

#[test]
fn missing_dependencies_are_data() {
    let data = r#"<importexportxml><solutionManifests><solutionManifest id="Sales"><result result="failure" errorcode="0x8004801D" errortext="x &lt;MissingDependencies&gt;&lt;MissingDependency&gt;&lt;Required type=&quot;1&quot; schemaName=&quot;new_base&quot; displayName=&quot;Base table&quot; solution=&quot;Base (1.2.0.0)&quot;/&gt;&lt;Dependent type=&quot;26&quot; displayName=&quot;A view&quot;/&gt;&lt;/MissingDependency&gt;&lt;/MissingDependencies&gt;"/></solutionManifest></solutionManifests></importexportxml>"#;
    let service = Written::new()
        .rows("GET importjobs?", json!([]))
        .rows("GET solutions?", json!([]))
        .json(
            "POST ImportSolutionAsync",
            json!({ "AsyncOperationId": OPERATION, "ImportJobKey": JOB }),
        )
        .json(
            "GET asyncoperations(",
            json!({ "statuscode": 31, "message": "failed", "errorcode": -2_147_188_685_i64 }),
        )
        .json("GET importjobs(", json!({ "progress": 0.0, "data": data }));
    let error = service
        .environment()
        .import_solution("Sales", b"zip", &ImportOptions::default())
        .unwrap_err();
    assert_eq!(error.code(), "ALM-E010");
    assert_eq!(
        error.hint().unwrap(),
        "install first: Base (1.2.0.0 or newer)"
    );
    let details = error.details();
    assert_eq!(details["missing"][0]["required"]["name"], "new_base");
    assert_eq!(details["missing"][0]["dependent"]["display_name"], "A view");
}

#[test]
fn a_failed_import_carries_its_report_and_the_precise_code() {
    let data = r#"<importexportxml><entities><entity id="new_a" LocalizedName="A"><result result="failure" errorcode="0x80048040" errortext="no"/></entity></entities></importexportxml>"#;
    let service = Written::new()
        .rows("GET importjobs?", json!([]))
        .rows("GET solutions?", json!([]))
        .json(
            "POST ImportSolutionAsync",
            json!({ "AsyncOperationId": OPERATION, "ImportJobKey": JOB }),
        )
        .json(
            "GET asyncoperations(",
            json!({ "statuscode": 31, "message": "the import failed", "errorcode": 1 }),
        )
        .json("GET importjobs(", json!({ "progress": 30.0, "data": data }));
    let error = service
        .environment()
        .import_solution("Sales", b"zip", &ImportOptions::default())
        .unwrap_err();
    let EnvironmentError::ImportFailed {
        report,
        service_code,
        ..
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(report.failures[0].name, "A");
    assert_eq!(service_code, "0x80048040");
    assert!(error.hint().unwrap().contains("installed unmanaged"));
}

#[test]
fn a_server_without_the_asynchronous_action_imports_synchronously() {
    let service = Written::new()
        .rows("GET importjobs?", json!([]))
        .rows("GET solutions?", json!([]))
        .refuse(
            "POST ImportSolutionAsync",
            404,
            "0x8006088a",
            "Resource not found for the segment 'ImportSolutionAsync'.",
        )
        .done("POST ImportSolution")
        .json("GET importjobs(", json!({ "progress": 100.0, "data": "" }));
    let report = service
        .environment()
        .import_solution("Sales", b"zip", &ImportOptions::default())
        .unwrap();
    assert_eq!(report.action, "installed");
    assert_eq!(
        service.writes(),
        ["POST ImportSolutionAsync", "POST ImportSolution"]
    );
}

#[test]
fn a_connection_without_connector_gets_the_packages_own_by_staging() {
    let detail = json!({ "ComponentTypeName": "connectionreference", "Attributes": {
        "Keys": ["connectionreferencelogicalname", "connectorid"],
        "Values": ["new_ref", "/providers/x/apis/shared_x"] } });
    let upload = "00000000-0000-0000-0000-0000000000c1";
    let service = importing(json!([])).json(
        "POST StageSolution",
        json!({ "StageSolutionResults": { "StageSolutionUploadId": upload,
            "StageSolutionStatus": "Passed", "SolutionComponentsDetails": [detail] } }),
    );
    let parameters = vec![
        ComponentParameter::Connection {
            logical_name: "new_ref".into(),
            connection_id: "c0ffee".into(),
            connector_id: None,
        },
        ComponentParameter::Variable {
            schema_name: "new_A".into(),
            value: "\"ü\"".into(),
        },
    ];
    let options = ImportOptions {
        parameters,
        ..ImportOptions::default()
    };
    service
        .environment()
        .import_solution("Sales", b"zip", &options)
        .unwrap();
    let body = service.body("POST ImportSolutionAsync");
    assert_eq!(body["SolutionParameters"]["StageSolutionUploadId"], upload);
    assert_eq!(body.get("CustomizationFile"), None);
    assert_eq!(
        body["ComponentParameters"][0]["connectorid"],
        "/providers/x/apis/shared_x"
    );
    assert_eq!(body["ComponentParameters"][1]["value"], "\"ü\"");
}

#[test]
fn cancelling_ends_the_wait_for_an_import() {
    let cancel = Cancel::new();
    let raised = cancel.clone();
    let service = Written::new()
        .rows("GET importjobs?", json!([]))
        .rows("GET solutions?", json!([]))
        .json(
            "POST ImportSolutionAsync",
            json!({ "AsyncOperationId": OPERATION, "ImportJobKey": JOB }),
        )
        .on("GET asyncoperations(", move |_| {
            raised.cancel();
            Response::json(StatusCode::OK, &json!({ "statuscode": 20 }))
        })
        .json("GET importjobs(", json!({ "progress": 1.0 }));
    let environment = service.environment_with(cancel);
    let error = environment
        .import_solution("Sales", b"zip", &ImportOptions::default())
        .unwrap_err();
    assert_eq!(error.code(), "ALM-T002");
}

#[test]
fn applying_an_upgrade_needs_one_that_waits() {
    let service = Written::new().rows("GET solutions?", json!([]));
    let error = service.environment().apply_upgrade("Sales").unwrap_err();
    assert_eq!(error.code(), "ALM-E012");
    assert!(service.lines()[0].contains("'Sales_Upgrade'"));
    assert!(service.writes().is_empty());
}

#[test]
fn dependents_stop_a_deletion_with_a_code_of_its_own() {
    let service = Written::new()
        .rows("GET solutions?", installed("1.0"))
        .json(
            "POST UninstallSolutionAsync",
            json!({ "AsyncOperationId": OPERATION }),
        )
        .json(
            "GET asyncoperations(",
            json!({ "statuscode": 31, "message": "used by 2", "errorcode": -2_147_160_033_i64 }),
        );
    let error = service.environment().delete_solution("Sales").unwrap_err();
    assert_eq!(error.code(), "ALM-E013");
    assert!(error.to_string().contains("used by 2"));
}
