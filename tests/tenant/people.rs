//! Teams, roles, business units, plug-in steps.

use crate::tenant::{DEV, Fixture, MAYA};
use almscript::emulator::definition::derived_id;
use serde_json::json;

#[test]
fn a_group_has_one_team_and_can_be_named_by_its_key() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let group = derived_id("group", "Sales").to_string();
    let body = json!({ "name": "Sales", "teamtype": 2, "membershiptype": 0, "azureactivedirectoryobjectid": group });
    client.create("teams", body.clone());
    assert_eq!(client.post("teams", body).refusal(412).0, "0x80060892");
    let unknown =
        json!({ "name": "x", "teamtype": 2, "azureactivedirectoryobjectid": uuid::Uuid::nil() });
    assert!(
        client
            .post("teams", unknown)
            .refusal(400)
            .1
            .contains("does not exist in the directory")
    );
    let key = format!("teams(azureactivedirectoryobjectid={group},membershiptype=0)");
    assert_eq!(client.get(&key)["name"], "Sales");
    let account = client.create(
        "accounts",
        json!({ "name": "A", "ownerid@odata.bind": key }),
    );
    let account = client.get(&format!(
        "accounts({account})?$expand=owningteam($select=name)"
    ));
    assert_eq!(account["owningteam"]["name"], "Sales");
    let maya = client
        .rows(&format!("systemusers?$filter=domainname eq '{MAYA}'"))
        .remove(0);
    let reference = json!({ "@odata.id": format!("{DEV}/api/data/v9.2/systemusers({})", maya["systemuserid"].as_str().unwrap()) });
    let answer = client.post(&format!("{key}/teammembership_association/$ref"), reference);
    assert_eq!(answer.status, 400, "{}", answer.body);
}

#[test]
fn roles_are_given_once_within_a_business_unit_and_taken_back() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let unit = client.create("businessunits", json!({ "name": "North" }));
    let roles =
        client.rows("roles?$select=roleid,_businessunitid_value&$filter=name eq 'Basic User'");
    assert_eq!(roles.len(), 2, "every business unit has its copy");
    let (other, own): (Vec<_>, Vec<_>) = roles
        .into_iter()
        .partition(|role| role["_businessunitid_value"] == unit);
    let team = client.create("teams", json!({ "name": "T" }));
    let path = format!("teams({team})/teamroles_association");
    let reference = |role: &serde_json::Value| json!({ "@odata.id": format!("{DEV}/api/data/v9.2/roles({})", role["roleid"].as_str().unwrap()) });
    assert_eq!(
        client
            .post(&format!("{path}/$ref"), reference(&other[0]))
            .status,
        400
    );
    assert_eq!(
        client
            .post(&format!("{path}/$ref"), reference(&own[0]))
            .status,
        204
    );
    let (code, message) = client
        .post(&format!("{path}/$ref"), reference(&own[0]))
        .refusal(412);
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("0x80040237", "Cannot insert duplicate key.")
    );
    assert_eq!(
        client.rows(&format!("{path}?$select=name"))[0]["name"],
        "Basic User"
    );
    assert_eq!(client.rows("teamrolescollection").len(), 1);
    let role = own[0]["roleid"].as_str().unwrap();
    assert_eq!(client.delete(&format!("{path}({role})/$ref")).status, 204);
    assert_eq!(client.rows(&path).len(), 0);
    client.post(&format!("{path}/$ref"), reference(&own[0]));
    let by_query = format!("{path}/$ref?$id={DEV}/api/data/v9.2/roles({role})");
    assert_eq!(client.delete(&by_query).status, 204);
    assert_eq!(client.rows(&path).len(), 0);
    assert_eq!(client.delete(&format!("roles({role})")).status, 403);
}

#[test]
fn roles_of_a_directory_user_are_told() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let maya = derived_id("user", MAYA);
    let rows = client.rows(&format!(
        "RetrieveAadUserRoles(DirectoryObjectId={maya})?$select=name"
    ));
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["name"], "Environment Maker");
}

#[test]
fn a_step_needs_a_handler_and_a_webhook_an_address() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let endpoint = |url: &str| json!({ "name": "Hook", "contract": 8, "authtype": 4, "url": url, "authvalue": "secret" });
    assert_eq!(
        client
            .post("serviceendpoints", endpoint("not a url"))
            .refusal(400)
            .0,
        "0x80050203"
    );
    let id = client.create("serviceendpoints", endpoint("https://hook.example/a?b=c"));
    let path = format!("serviceendpoints({id})");
    assert!(
        client.get(&path)["authvalue"].is_null(),
        "secrets are not told"
    );
    assert_eq!(
        client
            .patch(&path, json!({ "url": "https://hook.example/new" }))
            .status,
        204
    );
    assert_eq!(client.get(&path)["url"], "https://hook.example/new");
    let message = client
        .rows("sdkmessages?$filter=name eq 'Update'")
        .remove(0);
    let message = format!("sdkmessages({})", message["sdkmessageid"].as_str().unwrap());
    let step = |stage: u32, mode: u32| {
        json!({
            "name": "Step", "stage": stage, "mode": mode, "sdkmessageid@odata.bind": message,
            "eventhandler_serviceendpoint@odata.bind": path,
        })
    };
    assert_eq!(
        client.post("sdkmessageprocessingsteps", step(20, 1)).status,
        400
    );
    let id = client.create("sdkmessageprocessingsteps", step(40, 1));
    let secure = client.create(
        "sdkmessageprocessingstepsecureconfigs",
        json!({ "secureconfig": "s" }),
    );
    let bind = format!("sdkmessageprocessingstepsecureconfigs({secure})");
    let change = json!({ "configuration": "c", "sdkmessageprocessingstepsecureconfigid@odata.bind": bind,
        "statecode": 1, "statuscode": 2 });
    assert_eq!(
        client
            .patch(&format!("sdkmessageprocessingsteps({id})"), change)
            .status,
        204
    );
    let row = client.get(&format!(
        "sdkmessageprocessingsteps({id})?$expand=eventhandler_serviceendpoint($select=name)"
    ));
    assert_eq!(row["eventhandler_serviceendpoint"]["name"], "Hook");
    assert_eq!(row["_sdkmessageprocessingstepsecureconfigid_value"], secure);
}
