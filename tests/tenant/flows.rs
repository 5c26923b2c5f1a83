//! Cloud flows, connection references, environment variables.

use crate::tenant::{ADA, Client, DEV, Fixture, MAYA, OFFICE, PIPELINE, SHAREPOINT};
use serde_json::{Value, json};

fn client_data(reference: Option<&str>, child: Option<&str>) -> String {
    let references = reference.map_or(json!({}), |name| json!({
        "shared_office365": { "runtimeSource": "embedded", "api": { "name": "shared_office365" },
            "connection": { "connectionReferenceLogicalName": name } },
    }));
    let actions = child.map_or(json!({}), |id| {
        json!({
            "If": { "type": "If", "actions": { "Run": { "type": "Workflow",
                "inputs": { "host": { "workflowReferenceName": id } } } } },
        })
    });
    json!({
        "properties": { "connectionReferences": references,
            "definition": { "triggers": {}, "actions": actions } },
        "schemaVersion": "1.0.0.0",
    })
    .to_string()
}

fn flow(client: &Client<'_>, name: &str, data: String) -> String {
    client.create(
        "workflows",
        json!({
            "name": name, "category": 5, "type": 1, "primaryentity": "none", "clientdata": data,
            "statecode": 1,
        }),
    )
}

fn reference(client: &Client<'_>) -> String {
    client.create(
        "connectionreferences",
        json!({
            "connectionreferencelogicalname": "new_mail",
            "connectorid": "/providers/Microsoft.PowerApps/apis/shared_office365",
        }),
    )
}

fn turn_on(client: &Client<'_>, id: &str) -> (u16, String) {
    let answer = client.patch(&format!("workflows({id})"), json!({ "statecode": 1 }));
    let message = answer.body["error"]["message"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    (answer.status.as_u16(), message)
}

#[test]
fn a_flow_is_created_off_and_turns_on_only_with_its_connections() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let id = flow(&client, "Mailer", client_data(Some("new_mail"), None));
    assert_eq!(client.get(&format!("workflows({id})"))["statecode"], 0);
    assert!(
        turn_on(&client, &id)
            .1
            .contains("new_mail', which does not exist")
    );
    let reference = format!("connectionreferences({})", reference(&client));
    let (status, message) = turn_on(&client, &id);
    assert_eq!(status, 400);
    assert!(message.contains("has no connection"), "{message}");
    assert_eq!(
        client
            .patch(&reference, json!({ "connectionid": OFFICE }))
            .status,
        204
    );
    assert_eq!(turn_on(&client, &id), (204, String::new()));
    let row = client.get(&format!("workflows({id})"));
    assert_eq!(
        (&row["statecode"], &row["statuscode"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(
        client
            .patch(&format!("workflows({id})"), json!({ "statecode": 0 }))
            .status,
        204
    );
    assert_eq!(client.get(&format!("workflows({id})"))["statuscode"], 1);
}

#[test]
fn only_those_who_may_use_the_connection_can_turn_the_flow_on() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let id = flow(&client, "Mailer", client_data(Some("new_mail"), None));
    let reference = format!("connectionreferences({})", reference(&client));
    let ada = fixture.client(DEV, ADA);
    let refused = ada
        .patch(&reference, json!({ "connectionid": OFFICE }))
        .refusal(403);
    assert!(refused.1.contains("not shared"), "{refused:?}");
    client.patch(&reference, json!({ "connectionid": OFFICE }));
    assert!(turn_on(&ada, &id).1.contains("does not own the connection"));
    assert_eq!(turn_on(&fixture.client(DEV, MAYA), &id).0, 204);
    let wrong = client
        .patch(&reference, json!({ "connectionid": SHAREPOINT }))
        .refusal(400);
    assert!(wrong.1.contains("shared_sharepointonline"), "{wrong:?}");
    let missing = client
        .patch(&reference, json!({ "connectionid": "0".repeat(32) }))
        .refusal(400);
    assert!(missing.1.contains("ConnectionNotFound"), "{missing:?}");
}

#[test]
fn a_parent_flow_waits_for_its_child() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let child = flow(&client, "Child", client_data(None, None));
    let parent = flow(&client, "Parent", client_data(None, Some(&child)));
    let (status, message) = turn_on(&client, &parent);
    assert_eq!(status, 400);
    assert!(message.contains("child flow 'Child'"), "{message}");
    assert_eq!(turn_on(&client, &child).0, 204);
    assert_eq!(turn_on(&client, &parent).0, 204);
    let broken = client.patch(
        &format!("workflows({parent})"),
        json!({ "clientdata": "{}" }),
    );
    assert_eq!(broken.refusal(400).0, "0x80060467");
}

#[test]
fn a_variable_has_one_value_that_goes_with_its_definition() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let id = client.create(
        "environmentvariabledefinitions",
        json!({
            "schemaname": "new_Url", "defaultvalue": "https://a", "type": 100_000_000,
        }),
    );
    let read = || {
        client.get("RetrieveEnvironmentVariableValue(DefinitionSchemaName='new_Url')")["Value"]
            .clone()
    };
    assert_eq!(read(), "https://a");
    let body = |value: &str| {
        json!({
            "value": value,
            "EnvironmentVariableDefinitionId@odata.bind": format!("/environmentvariabledefinitions({id})"),
        })
    };
    let value = client.create("environmentvariablevalues", body("https://b"));
    assert_eq!(read(), "https://b");
    assert_eq!(
        client
            .post("environmentvariablevalues", body("c"))
            .refusal(412)
            .0,
        "0x80060892"
    );
    let wrong = json!({ "environmentvariabledefinitionid@odata.bind": format!("/environmentvariabledefinitions({id})") });
    assert_eq!(
        client
            .post("environmentvariablevalues", wrong)
            .refusal(400)
            .0,
        "0x80048d19"
    );
    let path = "environmentvariabledefinitions?$select=schemaname,defaultvalue&$expand=\
                environmentvariabledefinition_environmentvariablevalue($select=value)";
    let row = client.rows(path).remove(0);
    let values = &row["environmentvariabledefinition_environmentvariablevalue"];
    assert_eq!(
        (
            &values[0]["value"],
            &values[0]["environmentvariablevalueid"]
        ),
        (&json!("https://b"), &json!(value))
    );
    assert_eq!(
        client
            .delete(&format!("environmentvariabledefinitions({id})"))
            .status,
        204
    );
    assert_eq!(client.rows("environmentvariablevalues").len(), 0);
}

#[test]
fn a_flow_changes_its_owner_and_is_shared() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let id = flow(&client, "Mailer", client_data(None, None));
    let maya = client
        .rows("systemusers?$filter=domainname eq 'maya@contoso.example'")
        .remove(0);
    let bind = format!("systemusers({})", maya["systemuserid"].as_str().unwrap());
    let path = format!("workflows({id})");
    assert_eq!(
        client
            .patch(&path, json!({ "ownerid@odata.bind": bind }))
            .status,
        204
    );
    let row = client.get(&path);
    assert_eq!(row["_ownerid_value"], maya["systemuserid"]);
    assert_eq!(row["_owninguser_value"], maya["systemuserid"]);
    let team = client.create("teams", json!({ "name": "Owners" }));
    let target = json!({ "@odata.type": "Microsoft.Dynamics.CRM.workflow", "workflowid": id });
    let principal = json!({ "@odata.type": "Microsoft.Dynamics.CRM.team", "teamid": team });
    let grant = |mask: &str| {
        json!({
            "Target": target, "PrincipalAccess": { "Principal": principal, "AccessMask": mask },
        })
    };
    assert_eq!(client.post("GrantAccess", grant("ReadAccess")).status, 204);
    assert_eq!(client.post("GrantAccess", grant("WriteAccess")).status, 204);
    let shared = || {
        let path = format!(
            "RetrieveSharedPrincipalsAndAccess(Target=@p1)?@p1={{'@odata.id':'workflows({id})'}}"
        );
        client.get(&path)["PrincipalAccesses"].clone()
    };
    assert_eq!(shared()[0]["AccessMask"], "ReadAccess, WriteAccess");
    assert_eq!(shared()[0]["Principal"]["teamid"], team);
    assert_eq!(client.post("ModifyAccess", grant("ReadAccess")).status, 204);
    assert_eq!(shared()[0]["AccessMask"], "ReadAccess");
    let revoke = json!({ "Target": target, "Revokee": principal });
    assert_eq!(client.post("RevokeAccess", revoke).status, 204);
    assert_eq!(shared(), Value::Array(Vec::new()));
    assert_eq!(
        client.post("GrantAccess", grant("NoSuchAccess")).status,
        400
    );
    let team_owner = json!({ "ownerid@odata.bind": format!("teams({team})") });
    assert_eq!(client.patch(&path, team_owner).status, 204);
    let row = client.get(&path);
    assert_eq!(
        (&row["_owningteam_value"], &row["_owninguser_value"]),
        (&json!(team), &Value::Null)
    );
    let _ = PIPELINE;
}
