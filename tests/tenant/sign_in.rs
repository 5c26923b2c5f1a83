//! Tokens, who gets in, and whom a caller can stand for.

use crate::tenant::{ADA, DEV, Fixture, MAYA, PIPELINE, SAM, TEST};
use almscript::transport::{Method, Request, Service};
use serde_json::json;

#[test]
fn applications_and_users_sign_in_and_are_who_they_are() {
    let fixture = Fixture::new();
    for who in [PIPELINE, MAYA] {
        let client = fixture.client(DEV, who);
        let me = client.get("WhoAmI");
        let user = client.get(&format!("systemusers({})", me["UserId"].as_str().unwrap()));
        let own = if who == PIPELINE {
            &user["applicationid"]
        } else {
            &user["domainname"]
        };
        assert_eq!(own, who);
        assert_eq!(
            me["@odata.context"],
            format!("{DEV}/api/data/v9.2/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse")
        );
    }
}

#[test]
fn wrong_credentials_are_refused_as_entra_refuses_them() {
    let fixture = Fixture::new();
    let scope = format!("scope={DEV}/.default");
    for (form, error, number) in [
        (
            format!("grant_type=client_credentials&client_id={PIPELINE}&client_secret=no&{scope}"),
            "invalid_client",
            7_000_215,
        ),
        (
            format!("grant_type=client_credentials&client_id=x&client_secret=no&{scope}"),
            "unauthorized_client",
            700_016,
        ),
        (
            format!("grant_type=password&username={ADA}&password=no&{scope}"),
            "invalid_grant",
            50_126,
        ),
        (
            format!("grant_type=password&username=x@y&password=no&{scope}"),
            "invalid_grant",
            50_034,
        ),
        (
            format!("grant_type=magic&{scope}"),
            "unsupported_grant_type",
            70_003,
        ),
        (
            format!("grant_type=password&username={ADA}&password=emulated"),
            "invalid_scope",
            70_011,
        ),
    ] {
        let answer = fixture.sign_in(&form);
        assert_eq!(answer["error"], error, "{form}");
        assert_eq!(answer["error_codes"], json!([number]), "{form}");
    }
}

#[test]
fn a_refresh_token_gets_a_token_for_another_resource() {
    let fixture = Fixture::new();
    let first = fixture.sign_in(&format!(
        "grant_type=password&username={MAYA}&password=emulated&scope={DEV}/.default offline_access"
    ));
    let refresh = first["refresh_token"].as_str().unwrap();
    let second = fixture.sign_in(&format!(
        "grant_type=refresh_token&refresh_token={refresh}&scope=https://service.powerapps.com//.default"
    ));
    assert!(second["access_token"].is_string(), "{second}");
}

#[test]
fn no_token_an_old_one_and_one_for_another_environment_get_401_with_the_way_to_sign_in() {
    let fixture = Fixture::new();
    let url = format!("{DEV}/api/data/v9.2/WhoAmI");
    let answer = fixture
        .tenant
        .answer(Request::new(Method::GET, url.parse().unwrap()));
    assert_eq!(answer.status, 401);
    let challenge = answer.headers["www-authenticate"].to_str().unwrap();
    assert!(
        challenge.contains("authorization_uri=https://login.microsoftonline.com/"),
        "{challenge}"
    );
    let client = fixture.client(TEST, PIPELINE);
    assert_eq!(client.send("GET", &url, None, &[]).status, 401);
    assert_eq!(client.send("GET", "WhoAmI", None, &[]).status, 200);
    fixture
        .tenant
        .clock()
        .advance(jiff::SignedDuration::from_hours(2));
    assert_eq!(client.send("GET", "WhoAmI", None, &[]).status, 401);
}

#[test]
fn strangers_and_users_without_a_role_get_403() {
    let fixture = Fixture::new();
    let stranger = fixture.client(TEST, ADA).send("GET", "WhoAmI", None, &[]);
    assert_eq!(stranger.refusal(403).0, "0x80072560");
    let no_role = fixture.client(TEST, MAYA).send("GET", "WhoAmI", None, &[]);
    let (code, message) = no_role.refusal(403);
    assert_eq!(code, "0x80048306");
    assert!(
        message.contains("is missing prvReadOrganization"),
        "{message}"
    );
}

#[test]
fn members_of_a_group_come_in_through_its_team_with_its_roles() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    assert_eq!(
        fixture
            .client(DEV, SAM)
            .send("GET", "WhoAmI", None, &[])
            .status,
        403
    );
    let group = almscript::emulator::definition::derived_id("group", "Everybody").to_string();
    let team = client.create(
        "teams",
        json!({
            "name": "Everybody", "teamtype": 2, "azureactivedirectoryobjectid": group,
        }),
    );
    let role = &client.rows("roles?$select=roleid&$filter=name eq 'Basic User'")[0]["roleid"];
    let role = format!("{DEV}/api/data/v9.2/roles({})", role.as_str().unwrap());
    let path = format!("teams({team})/teamroles_association/$ref");
    assert_eq!(client.post(&path, json!({ "@odata.id": role })).status, 204);
    let sam = fixture.client(DEV, SAM);
    assert_eq!(
        sam.get("WhoAmI()")["OrganizationId"],
        client.get("WhoAmI")["OrganizationId"]
    );
    // A basic user works with rows but does not customize.
    sam.create("accounts", json!({ "name": "Sam's" }));
    let flow = json!({ "name": "f", "category": 5, "type": 1 });
    assert_eq!(sam.post("workflows", flow).refusal(403).0, "0x80048306");
    assert_eq!(
        sam.post("PublishAllXml", json!({})).refusal(403).0,
        "0x80048306"
    );
}

#[test]
fn an_administrator_can_stand_for_another_user_and_nobody_else_can() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let maya = almscript::emulator::definition::derived_id("user", MAYA).to_string();
    let answer = client.send(
        "POST",
        "accounts",
        Some(json!({ "name": "a" })),
        &[
            ("CallerObjectId", maya.as_str()),
            ("Prefer", "return=representation"),
        ],
    );
    assert_eq!(answer.status, 201, "{}", answer.body);
    let me = client.get("WhoAmI")["UserId"].clone();
    assert_eq!(answer.body["_createdonbehalfby_value"], me);
    assert_ne!(answer.body["_createdby_value"], me);
    assert_eq!(
        answer.body["_ownerid_value"],
        answer.body["_createdby_value"]
    );
    let by_row = answer.body["_createdby_value"].as_str().unwrap();
    let who = client.send("GET", "WhoAmI", None, &[("MSCRMCallerID", by_row)]);
    assert_eq!(who.body["UserId"], by_row);
    let refused = fixture.client(DEV, MAYA).send(
        "GET",
        "WhoAmI",
        None,
        &[("MSCRMCallerID", me.as_str().unwrap())],
    );
    assert!(
        refused
            .refusal(403)
            .1
            .contains("prvActOnBehalfOfAnotherUser")
    );
    let unknown = client.send("GET", "WhoAmI", None, &[("CallerObjectId", "not-an-id")]);
    assert_eq!(unknown.status, 403);
}

#[test]
fn a_host_that_the_tenant_lacks_does_not_answer() {
    use almscript::transport::{InProcess, Transport};
    let fixture = Fixture::new();
    let transport = InProcess::new(std::sync::Arc::new(fixture.tenant));
    let request = Request::new(
        Method::GET,
        "https://fabrikam.crm.dynamics.com/".parse().unwrap(),
    );
    let error = transport.send(request).unwrap_err();
    assert!(
        error.to_string().contains("fabrikam.crm.dynamics.com"),
        "{error}"
    );
}
