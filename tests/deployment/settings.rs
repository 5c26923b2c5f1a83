//! Both settings files, with the quirks that exist in the field (ALM Accelerator notes, 2.2, 2.3).

use std::collections::BTreeMap;

use almscript::deployment::{DeploymentError, FileMap, Settings, SolutionFolder, layout};
use almscript::problem::Problem;
use uuid::Uuid;

/// A repository with one solution and the given files under its `config`.
fn repository(config: &[(&str, &str)]) -> (FileMap, SolutionFolder) {
    let mut files = FileMap::new();
    files.insert(
        "Sales/SolutionPackage/src/Other/Solution.xml".to_owned(),
        Vec::new(),
    );
    for (path, text) in config {
        files.insert(format!("Sales/config/{path}"), text.as_bytes().to_vec());
    }
    let paths: Vec<_> = files.keys().cloned().collect();
    let folder = layout(&paths).remove(0);
    (files, folder)
}

fn load(config: &[(&str, &str)], environment: &str) -> Result<Settings, DeploymentError> {
    let (files, folder) = repository(config);
    Settings::load(&files, &folder, environment, &BTreeMap::new())
}

const CUSTOM: &str = r##"{
  "ActivateFlowConfiguration": [
    {"solutionComponentName": "Child", "solutionComponentUniqueName": "{00000000-0000-0000-0000-000000000001}", "sortOrder": "2", "activate": "true"},
    {"solutionComponentName": "Off", "solutionComponentUniqueName": "00000000-0000-0000-0000-000000000002", "sortOrder": 1, "activate": false},
    {"solutionComponentName": "Old file", "solutionComponentUniqueName": "00000000-0000-0000-0000-000000000003", "sortOrder": "", "activateAsUser": "x@y"}
  ],
  "SolutionComponentOwnershipConfiguration": [
    {"solutionComponentType": 29, "solutionComponentName": "Child", "solutionComponentUniqueName": "00000000-0000-0000-0000-000000000001", "ownerEmail": "maya@contoso.example"},
    {"solutionComponentType": "300", "solutionComponentName": "App", "solutionComponentUniqueName": "new_app_1", "ownerEmail": "alex@contoso.example"},
    {"solutionComponentType": 29, "solutionComponentName": "Nobody's", "solutionComponentUniqueName": "00000000-0000-0000-0000-000000000009", "ownerEmail": ""}
  ],
  "AadGroupCanvasConfiguration": [
    {"aadGroupId": "00000000-0000-0000-0000-00000000000a", "canvasNameInSolution": "new_app_1", "canvasDisplayName": "App", "roleName": "CanView"},
    {"aadGroupId": "", "canvasNameInSolution": "new_app_2", "roleName": "CanEdit"}
  ],
  "AadGroupTeamConfiguration": [
    {"aadGroupTeamName": "Sales", "aadGroupTeamBusinessUnitId": "", "aadSecurityGroupId": "00000000-0000-0000-0000-00000000000a", "dataverseSecurityRoleNames": ["Basic User", "Sales Røle"], "skipRolesDeletion": "false"},
    {"aadGroupTeamName": "Guests", "aadSecurityGroupId": "00000000-0000-0000-0000-00000000000b", "dataverseSecurityRoleNames": "One, Two"}
  ],
  "FlowShareWithGroupTeamConfiguration": [{"solutionComponentName": "Child", "solutionComponentUniqueName": "00000000-0000-0000-0000-000000000001", "aadGroupTeamName": "Sales"}],
  "ConnectorShareWithGroupTeamConfiguration": [{"solutionComponentName": "ERP", "solutionComponentUniqueName": "00000000-0000-0000-0000-0000000000cc", "aadGroupTeamName": ""}],
  "WebhookUrls": {"SchemaName": "Order placed", "Value": "https://hooks.example/?a=1&b=\"2\""},
  "SDKMessages": [
    {"Config": "unsec.00000000-0000-0000-0000-0000000000d1", "Value": "<a b=\"c\"/>"},
    {"Config": "sec.00000000-0000-0000-0000-0000000000d1", "Value": "geheim"}
  ],
  "DefaultEnvironmentVariables": [["new_Url", "https://dev"]],
  "SomethingNew": 1
}"##;

#[test]
fn every_list_of_the_custom_file_is_read() {
    let settings = load(&[("test/customDeploymentSettings.json", CUSTOM)], "test").unwrap();
    let id = |n| Uuid::from_u128(n);
    let flows: Vec<_> = settings
        .flows
        .iter()
        .map(|f| (f.id, f.order, f.activate))
        .collect();
    assert_eq!(
        flows,
        [
            (Some(id(1)), Some(2.0), true),
            (Some(id(2)), Some(1.0), false),
            (Some(id(3)), None, true)
        ]
    );
    assert_eq!(settings.flow_owners.len(), 1);
    assert_eq!(settings.flow_owners[0].owner, "maya@contoso.example");
    assert_eq!(settings.app_owners[0].id, "new_app_1");
    assert_eq!(settings.app_shares.len(), 1);
    assert_eq!(settings.app_shares[0].group, id(0xa));
    assert_eq!(settings.group_teams[0].roles, ["Basic User", "Sales Røle"]);
    assert!(settings.group_teams[0].remove_other_roles);
    assert_eq!(settings.group_teams[1].roles, ["One", "Two"]);
    assert!(
        !settings.group_teams[1].remove_other_roles,
        "only an explicit \"false\" removes roles"
    );
    assert_eq!(settings.flow_shares[0].team, "Sales");
    assert_eq!(
        settings.webhooks[0].url,
        "https://hooks.example/?a=1&b=\"2\""
    );
    let steps: Vec<_> = settings
        .steps
        .iter()
        .map(|s| (s.secure, s.value.as_str()))
        .collect();
    assert_eq!(steps, [(false, "<a b=\"c\"/>"), (true, "geheim")]);
    assert_eq!(settings.default_variables[0].name, "new_Url");
    assert_eq!(
        settings.empty,
        [
            "owner of Nobody's",
            "share of canvas app new_app_2",
            "team for connector ERP"
        ]
    );
}

#[test]
fn a_secure_configuration_is_not_shown() {
    let settings = load(&[("test/customDeploymentSettings.json", CUSTOM)], "test").unwrap();
    assert!(!format!("{settings:?}").contains("geheim"));
}

#[test]
fn the_deployment_file_of_pac_is_read_with_the_accelerators_owner() {
    let text = "\u{feff}{\"environmentvariables\": [{\"SchemaName\": \"new_A\", \"Value\": \"a \\\"q\\\"\\n\"}, {\"SchemaName\": \"new_Flag\", \"Value\": true}, {\"SchemaName\": \"new_Json\", \"Value\": {\"a\": [1]}}, {\"SchemaName\": \"new_Empty\", \"Value\": null}],
      \"ConnectionReferences\": [{\"LogicalName\": \"new_ref\", \"ConnectionId\": \"abc\", \"ConnectorId\": \"/providers/x\", \"ConnectionOwner\": \"maya@contoso.example\"}, {\"LogicalName\": \"new_none\", \"ConnectionId\": \"\"}]}";
    let settings = load(&[("deploymentSettings.json", text)], "test").unwrap();
    let values: Vec<_> = settings
        .variables
        .iter()
        .map(|v| v.value.as_str())
        .collect();
    assert_eq!(values, ["a \"q\"\n", "true", "{\"a\":[1]}"]);
    assert_eq!(settings.connections.len(), 1);
    assert_eq!(
        settings.connections[0].owner.as_deref(),
        Some("maya@contoso.example")
    );
    assert_eq!(
        settings.empty,
        [
            "environment variable new_Empty",
            "connection reference new_none"
        ]
    );
}

#[test]
fn the_file_of_the_environment_wins_over_the_common_one() {
    let file = |value: &str| {
        format!(
            "{{\"EnvironmentVariables\": [{{\"SchemaName\": \"new_A\", \"Value\": \"{value}\"}}]}}"
        )
    };
    let (common, own, flat) = (file("common"), file("own"), file("flat"));
    let mut config = vec![
        ("deploymentSettings.json", common.as_str()),
        ("Test/deploymentSettings.json", own.as_str()),
    ];
    let value = |config: &[(&str, &str)], environment: &str| {
        load(config, environment).unwrap().variables[0]
            .value
            .clone()
    };
    assert_eq!(
        value(&config, "test"),
        "own",
        "folders are found whatever their case"
    );
    assert_eq!(value(&config, "prod"), "common");
    assert_eq!(value(&config, ""), "common");
    config.push(("deploymentSettings-test.json", flat.as_str()));
    assert_eq!(value(&config, "test"), "flat");
}

#[test]
fn without_files_there_are_no_settings() {
    assert_eq!(load(&[], "test").unwrap(), Settings::default());
    assert_eq!(
        load(&[("deploymentSettings.json", "")], "test")
            .unwrap()
            .variables,
        []
    );
}

#[test]
fn a_wrong_value_is_shown_with_its_place() {
    let wrong = |text: &str| {
        load(&[("test/customDeploymentSettings.json", text)], "test")
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        wrong(
            r#"{"AadGroupTeamConfiguration": [{"aadGroupTeamName": "A", "aadSecurityGroupId": "nope"}]}"#
        ),
        "Sales/config/test/customDeploymentSettings.json: AadGroupTeamConfiguration[0].aadSecurityGroupId: \"nope\" is not an id"
    );
    assert!(wrong(r#"{"SDKMessages": [{"Config": "x.1"}]}"#).contains("SDKMessages[0].Config"));
    assert!(wrong(r#"{"WebhookUrls": 5}"#).contains("WebhookUrls: it is not a list"));
    let type_31 = r#"{"SolutionComponentOwnershipConfiguration": [{"solutionComponentType": 31, "solutionComponentName": "R", "ownerEmail": "a@b"}]}"#;
    assert!(wrong(type_31).contains("neither 29 (flow) nor 300 (canvas app)"));
}

#[test]
fn broken_json_has_its_own_code_and_line() {
    let error = load(&[("deploymentSettings.json", "{\n\"a\": }")], "test").unwrap_err();
    assert_eq!(error.code(), "ALM-D002");
    assert!(error.to_string().contains("line 2"), "{error}");
}
