//! What `release` and `configure` set in an environment, read back from the environment itself.

use almscript::transport::{Cancel, Method, Request, StatusCode, Transport, Url};
use almscript::workspace::{Connections, Workspace as Opened};
use serde_json::{Value, json};

use super::Workspace;

const SOLUTION: &str = "PermitManagement";
const BRANCH: &str = "maya@contoso.example-PermitManagement";
const TEST: &str = "https://contoso-test.crm4.dynamics.com/api/data/v9.2/";
const INSPECTORS: &str = "5d7c0b5e-5c1f-4f0e-8f0a-3b1f6f2a9c02";
const RESET: &str = "cc4e576a-2c1f-ee11-9cbe-0022481c5f83";
const SECRET: &str = "hush-hush-4711";

/// Adds to the branch what only `test` gets, and data for every environment. The flows are turned
/// on against the order of their names. The webhook was made by hand in the environment.
const EXTEND: &str = r##"//! More to configure.
let own = branch::repository("apps").branch("maya@contoso.example-PermitManagement");
let at = "PermitManagement/config/";
let custom = parse_json(own.read(at + "customDeploymentSettings.json"));
custom.ActivateFlowConfiguration[0].sortOrder = 2;
custom.ActivateFlowConfiguration[1].sortOrder = 1;
custom.SolutionComponentOwnershipConfiguration = [
    #{ solutionComponentType: 300, solutionComponentName: "Inspector", solutionComponentUniqueName: "contoso_inspector_b2848", ownerEmail: "#{owner}#" },
    #{ solutionComponentType: 29, solutionComponentName: "Reset Inspections", solutionComponentUniqueName: "cc4e576a-2c1f-ee11-9cbe-0022481c5f83", ownerEmail: "#{owner}#" },
];
custom.SDKMessages = [
    #{ Config: "unsec.7dfee87a-f91f-ee11-9cbe-0022481c5f83", Value: "<limit>3</limit>" },
    #{ Config: "sec.7dfee87a-f91f-ee11-9cbe-0022481c5f83", Value: "hush-hush-4711" },
];
custom.WebhookUrls = [ #{ SchemaName: "Permit issued", Value: "https://hooks.contoso.example/permit?a=1&b='2'" } ];
let files = #{};
files[at + "test/customDeploymentSettings.json"] = custom.to_json();
files[at + "ConfigurationMigrationData/data_schema.xml"] = `<entities dateMode="absolute">
  <entity name="contoso_permit" displayname="Permit" primaryidfield="contoso_permitid" primarynamefield="contoso_name" disableplugins="false"><fields>
    <field name="contoso_permitid" displayname="Permit" type="guid" primaryKey="true"/><field name="contoso_name" displayname="Name" type="string"/>
    <field name="contoso_newsize" displayname="Size" type="number"/>
    <field name="contoso_permittype" displayname="Type" type="entityreference" lookupType="contoso_permittype"/>
  </fields></entity>
  <entity name="contoso_permittype" displayname="Permit Type" primaryidfield="contoso_permittypeid" primarynamefield="contoso_name" disableplugins="false"><fields>
    <field name="contoso_permittypeid" displayname="Permit Type" type="guid" primaryKey="true"/>
    <field name="contoso_name" displayname="Name" type="string" updateCompare="true"/>
  </fields></entity></entities>`;
files[at + "ConfigurationMigrationData/data.xml"] = `<entities timestamp="2026-01-01T00:00:00.0000000Z">
  <entity name="contoso_permit" displayname="Permit"><records><record id="10000000-0000-4000-8000-000000000002">
    <field name="contoso_permitid" value="10000000-0000-4000-8000-000000000002"/><field name="contoso_name" value="Garage"/><field name="contoso_newsize" value="42"/>
    <field name="contoso_permittype" value="10000000-0000-4000-8000-000000000001" lookupentity="contoso_permittype" lookupentityname="Small works"/>
  </record></records></entity>
  <entity name="contoso_permittype" displayname="Permit Type"><records><record id="10000000-0000-4000-8000-000000000001">
    <field name="contoso_permittypeid" value="10000000-0000-4000-8000-000000000001"/><field name="contoso_name" value="O&apos;Neil &amp; Söhne"/>
  </record></records></entity></entities>`;
own.commit(#{ message: "Configure more", files: files });
environment::named("test").create_row("serviceendpoints",
    #{ name: "Permit issued", contract: 8, authtype: 4, url: "https://old.example/" });
"##;

/// Reads back as a script does.
const LOOK: &str = r##"//! Look.
let test = environment::named("test");
let flows = #{};
for flow in test.flows("PermitManagement") {
    flows[flow.name] = #{ on: flow.on, owner: test.row("systemusers", flow.owner).fullname };
}
let team = test.rows("teams", #{ filter: #{ name: "Permit Inspectors" }, expand: #{ teamroles_association: ["name"] } })[0];
let roles = team.teamroles_association.map(|role| role.name);
roles.sort();
let app = test.rows("canvasapps", #{ filter: #{ name: "contoso_inspector_b2848" } })[0];
let permit = test.rows("contoso_permits", #{ filter: #{ contoso_name: "Garage" } })[0];
#{
    flows: flows,
    connection: test.connection_references("PermitManagement")[0].connection,
    team: #{ id: team.teamid, group: team.azureactivedirectoryobjectid, roles: roles },
    app: #{ id: app.canvasappid, owner: test.row("systemusers", app._ownerid_value).fullname },
    webhook: test.rows("serviceendpoints", #{ filter: #{ name: "Permit issued" } })[0].url,
    step: test.row("sdkmessageprocessingsteps", "7dfee87a-f91f-ee11-9cbe-0022481c5f83").configuration,
    size: permit.contoso_newsize,
    permit_type: test.row("contoso_permittypes", permit._contoso_permittype_value).contoso_name,
}
"##;

#[test]
fn a_release_configures_the_target_and_configuring_again_changes_nothing() {
    let workspace = Workspace::example();
    let save = ["--solution", SOLUTION, "--message", "Permits"];
    workspace.ok(&[&["run", "commit", "--as", "new-maker"], &save[..]].concat());
    workspace.script("extend", EXTEND);
    workspace.script("look", LOOK);
    workspace.ok(&["run", "extend", "--as", "admin"]);

    let steps = run(&workspace, "release", &[]);
    assert_eq!(
        steps["Turn flows on and off"]["order"],
        json!(["Reset Inspections", "ClearInspectionComments"])
    );
    assert_eq!(steps["Import configuration data"]["created"], 2);
    assert_eq!(
        steps["Configure plug-in steps"],
        json!({ "of": 2, "changed": 2 })
    );
    arrived(&workspace);

    let again = run(&workspace, "configure", &[]);
    let parts: Vec<&str> = again
        .keys()
        .map(String::as_str)
        .filter(|name| !name.contains(" the "))
        .collect();
    assert_eq!(
        parts,
        [
            "Configure plug-in steps",
            "Connect references",
            "Import configuration data",
            "Set app owners",
            "Set flow owners",
            "Set up group teams",
            "Set webhooks",
            "Share apps",
            "Share flows",
            "Turn flows on and off",
        ]
    );
    for part in parts {
        let changed = &again[part]["changed"];
        assert!(
            *changed == 0 || *changed == false,
            "{part}: {}",
            again[part]
        );
    }
    arrived(&workspace);

    workspace.script(
        "off",
        &format!("//! Turn one off.\nenvironment::named(\"test\").turn_off_flow(\"{RESET}\")"),
    );
    workspace.ok(&["run", "off", "--as", "admin"]);
    let flows = run(&workspace, "configure", &["--parts", "flows"]);
    assert!(!flows.contains_key("Share apps"), "{flows:?}");
    assert_eq!(flows["Turn flows on and off"]["changed"], 1);
    arrived(&workspace);

    let kept = ["2", "3", "4"].map(|number| workspace.ok(&["show", number, "--json"]));
    let kept = kept.concat();
    assert!(!kept.contains(SECRET), "{kept}");
}

#[test]
fn a_part_that_does_not_exist_is_refused_with_those_that_do() {
    let workspace = Workspace::example();
    workspace.ok(&[
        "run",
        "commit",
        "--as",
        "new-maker",
        "--solution",
        super::SOLUTION,
        "--message",
        "First",
    ]);
    let own = format!("maya@contoso.example-{}", super::SOLUTION);
    workspace.fails(
        1,
        &[
            "run",
            "configure",
            "--as",
            "admin",
            "--solution",
            super::SOLUTION,
            "--branch",
            &own,
            "--stage",
            "test",
            "--parts",
            "flow",
        ],
        &["there is no part flow", "flow-owners"],
    );
}

/// Runs a script for the stage `test`; returns what each step kept.
fn run(workspace: &Workspace, script: &str, more: &[&str]) -> serde_json::Map<String, Value> {
    let arguments = [
        "run",
        script,
        "--as",
        "admin",
        "--json",
        "--solution",
        SOLUTION,
        "--branch",
        BRANCH,
        "--stage",
        "test",
    ];
    let told = workspace.ok(&[&arguments, more].concat());
    let number = last(&told)["run"].to_string();
    let shown: Value = serde_json::from_str(&workspace.ok(&["show", &number, "--json"])).unwrap();
    let steps = shown["steps"].as_array().unwrap().iter();
    let kept = steps.map(|step| {
        (
            step["name"].as_str().unwrap().to_owned(),
            step["result"].clone(),
        )
    });
    let mut kept: serde_json::Map<String, Value> = kept.collect();
    kept.sort_keys();
    kept
}

/// The last of the lines of JSON.
fn last(told: &str) -> Value {
    let line = told.lines().rfind(|line| line.starts_with('{')).unwrap();
    serde_json::from_str(line).unwrap()
}

/// The target is as the settings say.
fn arrived(workspace: &Workspace) {
    let mut found =
        last(&workspace.ok(&["run", "look", "--as", "admin", "--json"]))["value"].take();
    let team = found["team"]["id"].take();
    let app = found["app"]["id"].take();
    let expected = json!({
        "flows": {
            "ClearInspectionComments": { "on": true, "owner": "# ALM pipeline" },
            "Reset Inspections": { "on": true, "owner": "Ada Russell" },
        },
        "connection": "shared-commondataser-7e000000-0000-4000-8000-000000000002",
        "team": { "id": null, "group": INSPECTORS, "roles": ["Basic User", "Inspection Router"] },
        "app": { "id": null, "owner": "Ada Russell" },
        "webhook": "https://hooks.contoso.example/permit?a=1&b='2'",
        "step": "<limit>3</limit>",
        "size": 42,
        "permit_type": "O'Neil & Söhne",
    });
    assert_eq!(found, expected);
    // What scripts cannot read: with whom a flow and an app are shared.
    let target = format!("{{\"@odata.id\":\"workflows({RESET})\"}}");
    let mut url = Url::parse(TEST)
        .unwrap()
        .join("RetrieveSharedPrincipalsAndAccess(Target=@t)")
        .unwrap();
    url.query_pairs_mut().append_pair("@t", &target);
    let shared = get(workspace, url);
    let reads = shared["PrincipalAccesses"].as_array().unwrap().iter();
    assert!(
        reads
            .map(|access| &access["Principal"]["teamid"])
            .any(|id| *id == team),
        "{shared}"
    );
    let app = app.as_str().unwrap();
    let apps = format!(
        "https://api.powerapps.com/providers/Microsoft.PowerApps/apps/{app}/permissions?api-version=2022-11-01"
    );
    let shared = get(workspace, Url::parse(&apps).unwrap());
    let mut permissions = shared["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["properties"]);
    let group = permissions
        .find(|one| one["principal"]["id"] == INSPECTORS)
        .unwrap();
    assert_eq!(group["roleName"], "CanView");
}

/// Asks the emulated tenant as its administrator.
fn get(workspace: &Workspace, url: Url) -> Value {
    let opened = Opened::open(&workspace.dir()).unwrap();
    let connections = Connections::of(&opened, &Cancel::new());
    let ada = connections.signed_in("ada").unwrap();
    let answer = ada.send(Request::new(Method::GET, url)).unwrap();
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status, StatusCode::OK, "{body}");
    serde_json::from_str(&body).unwrap()
}
