//! The mechanisms that set something: each looks first, and a second time changes nothing.

use almscript::environment::{GroupTeam, StepConfiguration};
use almscript::problem::Problem;
use almscript::transport::{Response, Secret, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::service::Written;

const VARIABLE: &str = "GET environmentvariabledefinitions?";

fn variable(kind: i64, value: Value) -> Value {
    let values = match value {
        Value::Null => json!([]),
        value => json!([{ "environmentvariablevalueid": Uuid::from_u128(2), "value": value }]),
    };
    json!([{ "environmentvariabledefinitionid": Uuid::from_u128(1), "schemaname": "new_Url",
             "type": kind, "defaultvalue": "default",
             "environmentvariabledefinition_environmentvariablevalue": values }])
}

#[test]
fn a_variable_gets_a_value_row_once_and_keeps_it() {
    let service = Written::new()
        .rows(VARIABLE, variable(100_000_000, Value::Null))
        .on("POST environmentvariablevalues", |_| {
            let mut response = Response::new(StatusCode::NO_CONTENT);
            let id = Uuid::from_u128(3);
            let at = format!("https://h/environmentvariablevalues({id})");
            response
                .headers
                .insert("odata-entityid", at.parse().unwrap());
            response
        });
    assert!(
        service
            .environment()
            .set_variable("new_Url", "it's \"new\"")
            .unwrap()
            .changed
    );
    let body = service.body("POST environmentvariablevalues");
    assert_eq!(body["value"], "it's \"new\"");
    let binding = &body["EnvironmentVariableDefinitionId@odata.bind"];
    assert_eq!(
        *binding,
        format!("/environmentvariabledefinitions({})", Uuid::from_u128(1))
    );

    let same = Written::new().rows(VARIABLE, variable(100_000_000, json!("v")));
    assert!(
        !same
            .environment()
            .set_variable("new_Url", "v")
            .unwrap()
            .changed
    );
    assert!(same.writes().is_empty());
}

#[test]
fn a_value_that_does_not_fit_its_type_is_refused_before_it_is_written() {
    for (kind, value) in [
        (100_000_001, "many"),
        (100_000_003, "{"),
        (100_000_005, "hunter2"),
    ] {
        let service = Written::new().rows(VARIABLE, variable(kind, Value::Null));
        let error = service
            .environment()
            .set_variable("new_Url", value)
            .unwrap_err();
        assert_eq!(error.code(), "ALM-E017");
        assert!(
            !error.to_string().contains("hunter2"),
            "a secret is never repeated"
        );
        assert!(service.writes().is_empty());
    }
}

#[test]
fn an_unknown_variable_is_named_with_its_environment() {
    let service = Written::new().rows(VARIABLE, json!([]));
    let error = service
        .environment()
        .set_variable("new_O'Neil", "x")
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no environment variable \"new_O'Neil\" in test"
    );
    assert!(service.lines()[0].contains("schemaname eq 'new_O''Neil'"));
}

fn team() -> GroupTeam {
    GroupTeam {
        name: "Sales".into(),
        group_id: Uuid::from_u128(0xa),
        business_unit_id: Some(Uuid::from_u128(0xb)),
        roles: vec!["Basic User".into()],
        remove_other_roles: false,
    }
}

fn present_team() -> Value {
    json!([{ "teamid": Uuid::from_u128(1), "name": "Sales", "teamtype": 2,
             "azureactivedirectoryobjectid": Uuid::from_u128(0xa),
             "_businessunitid_value": Uuid::from_u128(0xb) }])
}

#[test]
fn a_team_loses_other_roles_only_when_asked() {
    let roles = json!([{ "roleid": Uuid::from_u128(7), "name": "Basic User" },
                       { "roleid": Uuid::from_u128(8), "name": "Extra" }]);
    let service = || {
        Written::new()
            .rows("GET teams?", present_team())
            .rows("GET teams(", roles.clone())
            .done("DELETE teams(")
    };
    let kept = service();
    assert!(
        !kept
            .environment()
            .ensure_group_team(&team())
            .unwrap()
            .changed
    );
    let removing = service();
    let wanted = GroupTeam {
        remove_other_roles: true,
        ..team()
    };
    assert!(
        removing
            .environment()
            .ensure_group_team(&wanted)
            .unwrap()
            .changed
    );
    let id = Uuid::from_u128(1);
    let gone = Uuid::from_u128(8);
    assert_eq!(
        removing.writes(),
        [format!(
            "DELETE teams({id})/teamroles_association({gone})/$ref"
        )]
    );
}

#[test]
fn a_misspelt_role_changes_nothing() {
    let service = Written::new()
        .rows("GET teams?", present_team())
        .rows("GET teams(", json!([]))
        .rows("GET roles?", json!([]));
    let error = service
        .environment()
        .ensure_group_team(&team())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no security role \"Basic User\" in test"
    );
    assert!(service.writes().is_empty());
}

#[test]
fn a_team_of_another_type_with_the_name_is_not_taken_over() {
    let owner_team = json!([{ "teamid": Uuid::from_u128(1), "name": "Sales", "teamtype": 0 }]);
    let service = Written::new()
        .rows("GET teams?$select=teamid,name,teamtype,azureactivedirectoryobjectid,_businessunitid_value&$filter=(azure", json!([]))
        .rows("GET teams?", owner_team);
    assert_eq!(
        service
            .environment()
            .ensure_group_team(&team())
            .unwrap_err()
            .code(),
        "ALM-E017"
    );
}

fn flow(on: bool) -> Value {
    json!([{ "workflowid": Uuid::from_u128(1), "name": "Report", "statecode": i64::from(on),
             "_ownerid_value": Uuid::from_u128(5) }])
}

fn user() -> Value {
    json!([{ "systemuserid": Uuid::from_u128(6), "fullname": "Maya" }])
}

#[test]
fn a_running_flow_changes_owner_while_it_is_off() {
    let service = Written::new()
        .rows("GET workflows?", flow(true))
        .rows("GET systemusers?", user())
        .done("PATCH workflows(");
    assert!(
        service
            .environment()
            .set_flow_owner("Report", "maya@contoso.example")
            .unwrap()
            .changed
    );
    let id = Uuid::from_u128(1);
    assert_eq!(service.writes(), vec![format!("PATCH workflows({id})"); 3]);
    assert_eq!(service.body("PATCH workflows(")["statecode"], 0);
    let off = Written::new()
        .rows("GET workflows?", flow(false))
        .rows("GET systemusers?", user())
        .done("PATCH workflows(");
    off.environment()
        .set_flow_owner("Report", "maya@contoso.example")
        .unwrap();
    assert_eq!(off.writes().len(), 1, "a flow that was off stays off");
}

#[test]
fn a_flow_that_was_on_is_turned_on_again_when_its_owner_is_refused() {
    let refused = |seen: &crate::service::Seen| {
        if seen.body.get("ownerid@odata.bind").is_some() {
            let body = json!({ "error": { "code": "0x80040265", "message": "no" } });
            Response::json(StatusCode::BAD_REQUEST, &body)
        } else {
            Response::new(StatusCode::NO_CONTENT)
        }
    };
    let service = Written::new()
        .rows("GET workflows?", flow(true))
        .rows("GET systemusers?", user())
        .on("PATCH workflows(", refused);
    let error = service
        .environment()
        .set_flow_owner("Report", "maya@contoso.example")
        .unwrap_err();
    assert_eq!(error.code(), "ALM-E001");
    assert_eq!(service.writes().len(), 3, "off, refused, on again");
}

#[test]
fn a_flow_that_stays_off_says_why() {
    let service = Written::new().rows("GET workflows?", flow(false)).refuse(
        "PATCH workflows(",
        400,
        "0x80060467",
        "a connection is not configured",
    );
    let error = service.environment().turn_on_flow("Report").unwrap_err();
    assert_eq!(error.code(), "ALM-E018");
    assert_eq!(
        error.to_string(),
        "the flow \"Report\" cannot be turned on: a connection is not configured"
    );
    assert_eq!(
        error.request().unwrap().service_code.as_deref(),
        Some("0x80060467")
    );
}

#[test]
fn a_step_gets_its_secure_configuration_in_a_row_of_its_own() {
    let step = Uuid::from_u128(1);
    let service = Written::new()
        .json(
            "GET sdkmessageprocessingsteps(",
            json!({ "name": "Validate", "configuration": "same" }),
        )
        .on("POST sdkmessageprocessingstepsecureconfigs", |_| {
            let mut response = Response::new(StatusCode::NO_CONTENT);
            let at = format!("https://h/x({})", Uuid::from_u128(4));
            response
                .headers
                .insert("odata-entityid", at.parse().unwrap());
            response
        })
        .done("PATCH sdkmessageprocessingsteps(");
    let wanted = StepConfiguration {
        unsecure: Some("same".into()),
        secure: Some(Secret::new("geheim")),
    };
    let change = service.environment().configure_step(step, &wanted).unwrap();
    assert_eq!(
        change.message,
        "plug-in step Validate: secure configuration set"
    );
    assert_eq!(service.writes().len(), 2);
}
