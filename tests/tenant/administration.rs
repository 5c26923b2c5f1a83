//! Power Apps, connections, environments, flows: the Power Platform's own services.

use crate::tenant::{ADA, Client, DEV, Fixture, MAYA, OFFICE, PIPELINE, SHAREPOINT, TEST};
use almscript::emulator::definition::derived_id;
use serde_json::{Value, json};

const APPS: &str = "https://api.powerapps.com/providers/Microsoft.PowerApps";
const ADMIN: &str = "https://api.bap.microsoft.com/providers/Microsoft.BusinessAppPlatform";

fn service<'t>(fixture: &'t Fixture, who: &str) -> Client<'t> {
    fixture.client("https://service.powerapps.com", who)
}

fn environment_id(url: &str) -> String {
    derived_id("environment", &format!("{url}/")).to_string()
}

fn connectivity(url: &str) -> String {
    let id = environment_id(url).replace('-', "");
    let (start, end) = id.split_at(30);
    format!("https://{start}.{end}.environment.api.powerplatform.com/connectivity")
}

#[test]
fn environments_are_listed_for_those_who_belong_there() {
    let fixture = Fixture::new();
    let names = |who: &str, path: &str| -> Vec<Value> {
        let rows = service(&fixture, who).rows(&format!("{ADMIN}{path}?api-version=2020-10-01"));
        rows.iter()
            .map(|row| row["properties"]["displayName"].clone())
            .collect()
    };
    assert_eq!(names(PIPELINE, "/environments"), ["Development", "Test"]);
    assert_eq!(names(MAYA, "/environments"), ["Development"]);
    assert_eq!(
        names(MAYA, "/scopes/admin/environments"),
        Vec::<Value>::new()
    );
    assert_eq!(names(ADA, "/scopes/admin/environments"), ["Development"]);
    let id = environment_id(DEV);
    let one = service(&fixture, MAYA).get(&format!("{ADMIN}/environments/{id}?api-version=1"));
    let linked = &one["properties"]["linkedEnvironmentMetadata"];
    assert_eq!(
        linked["instanceApiUrl"],
        "https://contoso-dev.api.crm4.dynamics.com"
    );
    let me = fixture
        .client("https://contoso-dev.api.crm4.dynamics.com", MAYA)
        .send("GET", "WhoAmI", None, &[]);
    assert_eq!(me.body["OrganizationId"], linked["resourceId"]);
    let unknown = service(&fixture, ADA).send("GET", &format!("{ADMIN}/environments/x"), None, &[]);
    assert_eq!(unknown.refusal(404).0, "EnvironmentNotFound");
    let unsupported =
        service(&fixture, ADA).send("POST", &format!("{ADMIN}/environments"), None, &[]);
    assert!(
        unsupported
            .refusal(501)
            .1
            .contains("POST api.bap.microsoft.com/")
    );
}

#[test]
fn a_user_can_be_added_to_an_environment() {
    let fixture = Fixture::new();
    let path = format!(
        "{ADMIN}/scopes/admin/environments/{}/addUser?api-version=1",
        environment_id(TEST)
    );
    let body = json!({ "objectId": derived_id("user", ADA) });
    assert_eq!(service(&fixture, ADA).post(&path, body.clone()).status, 403);
    assert_eq!(service(&fixture, PIPELINE).post(&path, body).status, 200);
    let users = fixture
        .client(TEST, PIPELINE)
        .rows("systemusers?$filter=fullname eq 'Ada Admin'");
    assert_eq!(users.len(), 1);
}

#[test]
fn an_app_is_shared_given_away_and_opened_without_asking() {
    let fixture = Fixture::new();
    let app = fixture.client(DEV, MAYA).create(
        "canvasapps",
        json!({ "name": "new_app_1", "displayname": "App" }),
    );
    let admin = format!(
        "{APPS}/scopes/admin/environments/{}/apps",
        environment_id(DEV)
    );
    let pipeline = service(&fixture, PIPELINE);
    assert_eq!(pipeline.rows(&admin)[0]["properties"]["displayName"], "App");
    let permissions = |client: &Client<'_>| -> Vec<(String, String)> {
        let rows = client.rows(&format!("{admin}/{app}/permissions?api-version=2022-11-01"));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let pairs = rows.iter().map(|row| &row["properties"]);
        pairs
            .map(|it| (text(&it["principal"]["displayName"]), text(&it["roleName"])))
            .collect()
    };
    let maya_owns = ("Maya Maker".to_owned(), "Owner".to_owned());
    assert_eq!(permissions(&pipeline), std::slice::from_ref(&maya_owns));
    let sales = derived_id("group", "Sales").to_string();
    let put = |role: &str, kind: &str| {
        json!({ "put": [{ "properties": {
        "principal": { "id": sales, "type": kind }, "NotifyShareTargetOption": "DoNotNotify", "roleName": role,
    } }] })
    };
    let modify = format!("{admin}/{app}/modifyPermissions?api-version=2022-11-01");
    assert_eq!(pipeline.post(&modify, put("CanFly", "Group")).status, 400);
    assert_eq!(pipeline.post(&modify, put("CanView", "User")).status, 400);
    assert_eq!(pipeline.post(&modify, put("CanView", "Group")).status, 200);
    assert_eq!(pipeline.post(&modify, put("CanEdit", "Group")).status, 200);
    assert_eq!(
        permissions(&pipeline),
        [maya_owns, ("Sales".into(), "CanEdit".into())]
    );
    assert_eq!(
        service(&fixture, MAYA)
            .send("GET", &admin, None, &[])
            .status,
        403
    );
    let own = service(&fixture, MAYA).rows(&format!("{APPS}/apps?api-version=2017-08-01"));
    assert_eq!(own[0]["name"], app);
    let delete = json!({ "delete": [{ "id": sales }] });
    pipeline.post(&modify, delete);
    let body = json!({ "roleForOldAppOwner": "CanView", "newAppOwner": derived_id("user", ADA) });
    let owner = format!("{admin}/{app}/modifyAppOwner?api-version=2022-11-01");
    assert_eq!(pipeline.post(&owner, body).status, 200);
    let after = [
        ("Ada Admin".into(), "Owner".into()),
        ("Maya Maker".into(), "CanView".into()),
    ];
    assert_eq!(permissions(&pipeline), after);
    let row = fixture.dev().get(&format!(
        "canvasapps({app})?$expand=owninguser($select=fullname)"
    ));
    assert_eq!(row["owninguser"]["fullname"], "Ada Admin");
    let bypass =
        format!("{admin}/{app}/setPowerAppConnectionDirectConsentBypass?api-version=2021-02-01");
    assert_eq!(
        pipeline
            .post(&bypass, json!({ "bypassconsent": true }))
            .status,
        200
    );
    assert_eq!(
        fixture.dev().get(&format!("canvasapps({app})"))["bypassconsent"],
        true
    );
    let refused =
        service(&fixture, MAYA).post(&format!("{APPS}/apps/{app}/modifyAppOwner"), json!({}));
    assert_eq!(refused.refusal(403).0, "AppAccessDenied");
}

#[test]
fn connections_are_seen_by_those_who_may_use_them() {
    let fixture = Fixture::new();
    let base = connectivity(DEV);
    let names = |who: &str, url: &str| -> Vec<Value> {
        service(&fixture, who)
            .rows(url)
            .iter()
            .map(|row| row["name"].clone())
            .collect()
    };
    let all = format!("{base}/connections?api-version=1");
    assert_eq!(names(PIPELINE, &all), [OFFICE]);
    assert_eq!(names(ADA, &all), [SHAREPOINT]);
    let classic = format!(
        "{APPS}/connections?api-version=2016-11-01&$filter=environment eq '{}'",
        environment_id(DEV)
    );
    assert_eq!(names(MAYA, &classic), [OFFICE]);
    let admin = format!(
        "{APPS}/scopes/admin/environments/{}/connections?api-version=2016-11-01",
        environment_id(DEV)
    );
    assert_eq!(names(ADA, &admin), [OFFICE, SHAREPOINT]);
    let office = format!("{base}/connectors/shared_office365/connections/{OFFICE}");
    let refused = service(&fixture, MAYA).send("GET", &office.replace("office365", "x"), None, &[]);
    assert_eq!(refused.refusal(404).0, "ConnectionNotFound");
    let files = format!("{base}/connectors/shared_sharepointonline/connections/{SHAREPOINT}");
    let refused = service(&fixture, MAYA).send("GET", &files, None, &[]);
    assert_eq!(refused.refusal(403).0, "ConnectionAuthorizationFailed");
    let share = json!({ "put": [{ "properties": { "roleName": "CanView",
        "principal": { "id": derived_id("user", MAYA), "type": "User" } } }] });
    let modify = format!("{files}/modifyPermissions?api-version=1");
    assert_eq!(
        service(&fixture, MAYA).post(&modify, share.clone()).status,
        403
    );
    assert_eq!(service(&fixture, ADA).post(&modify, share).status, 200);
    assert_eq!(names(MAYA, &all), [OFFICE, SHAREPOINT]);
    let permissions = service(&fixture, ADA).rows(&format!("{files}/permissions?api-version=1"));
    assert_eq!(permissions.len(), 3);
    let made = service(&fixture, MAYA).send(
        "PUT",
        &format!("{base}/connectors/shared_teams/connections/aaaa2c3d4e5f60718293a4b5c6d7e8f9?api-version=1"),
        Some(json!({ "properties": { "displayName": "Teams" } })),
        &[],
    );
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(service(&fixture, ADA).delete(&files).status, 204);
    assert_eq!(service(&fixture, ADA).delete(&files).status, 404);
}

#[test]
fn a_flow_starts_and_stops_through_its_own_service() {
    let fixture = Fixture::new();
    let data = json!({ "properties": { "definition": { "actions": {} } } }).to_string();
    let flow = json!({ "name": "F", "category": 5, "type": 1, "clientdata": data });
    let id = fixture.dev().create("workflows", flow);
    let client = fixture.client("https://service.flow.microsoft.com", PIPELINE);
    let base = "https://api.flow.microsoft.com/providers/Microsoft.ProcessSimple";
    let flows = format!("{base}/environments/{}/flows", environment_id(DEV));
    let state = || {
        client.rows(&format!("{flows}?api-version=2016-11-01"))[0]["properties"]["state"].clone()
    };
    assert_eq!(state(), "Stopped");
    assert_eq!(
        client
            .send("POST", &format!("{flows}/{id}/start"), None, &[])
            .status,
        200
    );
    assert_eq!(state(), "Started");
    assert_eq!(
        client
            .send("POST", &format!("{flows}/{id}/stop"), None, &[])
            .status,
        200
    );
    assert_eq!(
        fixture.dev().get(&format!("workflows({id})"))["statecode"],
        0
    );
}
