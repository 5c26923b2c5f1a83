//! Rows created, changed, related and deleted.

use crate::tenant::{DEV, Fixture};
use serde_json::json;

#[test]
fn a_created_row_has_an_address_an_owner_and_dates() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let answer = client.post("accounts", json!({ "name": "Zürich \"& Co\"\n" }));
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("location"), answer.header("odata-entityid"));
    let address = answer.header("odata-entityid").to_owned();
    assert!(
        address.starts_with(&format!("{DEV}/api/data/v9.2/accounts(")),
        "{address}"
    );
    let row = client.get(&address);
    assert_eq!(row["name"], "Zürich \"& Co\"\n");
    assert_eq!(row["createdon"], "2026-03-04T05:06:07Z");
    assert_eq!(row["_ownerid_value"], client.get("WhoAmI")["UserId"]);
    assert_eq!(row["_owninguser_value"], row["_ownerid_value"]);
    assert_eq!(row["statecode"], 0);
    assert_eq!(
        row["@odata.etag"],
        format!("W/\"{}\"", row["versionnumber"])
    );
}

#[test]
fn representation_is_returned_when_it_is_preferred() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let prefer = [("Prefer", "return=representation")];
    let body = json!({ "name": "A" });
    let created = client.send("POST", "accounts?$select=name", Some(body.clone()), &prefer);
    assert_eq!(created.status, 201);
    assert_eq!(created.body["name"], "A");
    assert!(created.body.get("description").is_none());
    let path = format!("accounts({})", created.body["accountid"].as_str().unwrap());
    let changed = client.send("PATCH", &path, Some(json!({ "name": "B" })), &prefer);
    assert_eq!(
        (changed.status.as_u16(), &changed.body["name"]),
        (200, &json!("B"))
    );
}

#[test]
fn patch_changes_or_creates_as_the_conditions_say() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let id = uuid::Uuid::from_u128(42).to_string();
    let path = format!("accounts({id})");
    let body = || Some(json!({ "name": "A" }));
    let refused = client.send("PATCH", &path, body(), &[("If-Match", "*")]);
    assert_eq!(refused.refusal(404).0, "0x80040217");
    assert_eq!(client.send("PATCH", &path, body(), &[]).status, 204);
    assert_eq!(client.get(&path)["accountid"], id);
    let refused = client.send("PATCH", &path, body(), &[("If-None-Match", "*")]);
    assert_eq!(refused.refusal(412).0, "0x80040237");
    let etag = client.get(&path)["@odata.etag"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        client
            .send("PATCH", &path, body(), &[("If-Match", &etag)])
            .status,
        204
    );
    let stale = client.send("PATCH", &path, body(), &[("If-Match", &etag)]);
    assert_eq!(stale.refusal(412).0, "0x80060882");
    assert_eq!(
        client
            .send("DELETE", &path, None, &[("If-Match", &etag)])
            .status,
        412
    );
    assert_eq!(client.delete(&path).status, 204);
    assert_eq!(client.delete(&path).refusal(404).0, "0x80040217");
}

#[test]
fn an_alternate_key_names_the_row_to_change_or_create() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let path = "environmentvariabledefinitions(schemaname='new_Key''s')";
    assert_eq!(
        client.patch(path, json!({ "displayname": "One" })).status,
        204
    );
    assert_eq!(
        client.patch(path, json!({ "displayname": "Two" })).status,
        204
    );
    let rows = client.rows("environmentvariabledefinitions?$select=schemaname,displayname");
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (&rows[0]["schemaname"], &rows[0]["displayname"]),
        (&json!("new_Key's"), &json!("Two"))
    );
    let again = client.post(
        "environmentvariabledefinitions",
        json!({ "schemaname": "NEW_key's" }),
    );
    assert_eq!(again.refusal(412).0, "0x80060892");
}

#[test]
fn values_that_do_not_fit_are_refused_and_change_nothing() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    for (body, code, text) in [
        (
            json!({ "nope": 1 }),
            "0x80048d19",
            "Invalid property 'nope' was found",
        ),
        (
            json!({ "name": 5 }),
            "0x80048d19",
            "Cannot convert the literal '5'",
        ),
        (
            json!({ "numberofemployees": "many" }),
            "0x80048d19",
            "Edm.Int32",
        ),
        (
            json!({ "numberofemployees": 5_000_000_000_i64 }),
            "0x80048d19",
            "Edm.Int32",
        ),
        (
            json!({ "name": "x".repeat(161) }),
            "0x80044331",
            "maximum allowed length of '160'",
        ),
        (
            json!({ "statecode": 9 }),
            "0x8004431a",
            "outside the valid range",
        ),
        (
            json!({ "PrimaryContactId@odata.bind": "contacts(x)" }),
            "0x80048d19",
            "An undeclared property 'PrimaryContactId'",
        ),
        (
            json!({ "_primarycontactid_value": "x" }),
            "0x80060888",
            "Use Navigation properties",
        ),
        (
            json!({ "creditonhold": "maybe" }),
            "0x80048d19",
            "Edm.Boolean",
        ),
    ] {
        let (found, message) = client.post("accounts", body.clone()).refusal(400);
        assert_eq!(found, code, "{body}: {message}");
        assert!(message.contains(text), "{body}: {message}");
    }
    let missing = format!("contacts({})", uuid::Uuid::from_u128(3));
    let answer = client.post(
        "accounts",
        json!({ "primarycontactid@odata.bind": missing }),
    );
    assert_eq!(answer.refusal(404).0, "0x80040217");
    let wrong = client.get("WhoAmI")["UserId"].as_str().unwrap().to_owned();
    let answer = client.post(
        "accounts",
        json!({ "primarycontactid@odata.bind": format!("systemusers({wrong})") }),
    );
    assert_eq!(answer.status, 400);
    assert_eq!(client.rows("accounts").len(), 0);
    let not_json = client.raw("accounts", "POST", b"{", &[]);
    assert_eq!(not_json.refusal(400).0, "0x80048d19");
}

#[test]
fn lookups_take_every_form_of_reference_and_can_be_cleared() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let contact = client.create("contacts", json!({ "lastname": "L" }));
    let account = client.create("accounts", json!({ "name": "A" }));
    let path = format!("accounts({account})");
    for reference in [
        format!("contacts({contact})"),
        format!("/contacts({contact})"),
        format!("{DEV}/api/data/v9.0/contacts({contact})"),
        format!("contacts(contactid={contact})"),
    ] {
        let bind = json!({ "primarycontactid@odata.bind": reference });
        assert_eq!(client.patch(&path, bind).status, 204);
        assert_eq!(
            client.get(&path)["_primarycontactid_value"],
            contact,
            "{reference}"
        );
        assert_eq!(
            client
                .patch(&path, json!({ "primarycontactid": null }))
                .status,
            204
        );
        assert!(client.get(&path)["_primarycontactid_value"].is_null());
    }
    let reference = json!({ "@odata.id": format!("{DEV}/api/data/v9.2/contacts({contact})") });
    let single = format!("{path}/primarycontactid/$ref");
    assert_eq!(
        client.send("PUT", &single, Some(reference), &[]).status,
        204
    );
    assert!(
        client.get(&single)["@odata.id"]
            .as_str()
            .unwrap()
            .ends_with(&format!("contacts({contact})"))
    );
    assert_eq!(client.delete(&single).status, 204);
    assert_eq!(client.send("GET", &single, None, &[]).status, 204);
    // A lookup that may lead to several tables remembers which.
    let task = client.create(
        "tasks",
        json!({ "regardingobjectid_account@odata.bind": path }),
    );
    let task = client.get(&format!(
        "tasks({task})?$expand=regardingobjectid_account($select=name)"
    ));
    assert_eq!(task["regardingobjectid_account"]["name"], "A");
}

#[test]
fn single_columns_are_set_and_cleared() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let path = format!(
        "accounts({})",
        client.create("accounts", json!({ "name": "A" }))
    );
    let name = format!("{path}/name");
    assert_eq!(
        client
            .send("PUT", &name, Some(json!({ "value": "B" })), &[])
            .status,
        204
    );
    assert_eq!(client.get(&name)["value"], "B");
    assert_eq!(client.delete(&name).status, 204);
    assert!(client.get(&path)["name"].is_null());
}

#[test]
fn a_deep_insert_makes_all_rows_or_none() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let body = json!({
        "name": "A",
        "primarycontactid": { "lastname": "Parent" },
        "account_parent_account": [{ "name": "Child" }],
    });
    let id = client.create("accounts", body);
    let row = client.get(&format!(
        "accounts({id})?$expand=primarycontactid,account_parent_account($select=name)"
    ));
    assert_eq!(row["primarycontactid"]["lastname"], "Parent");
    assert_eq!(row["account_parent_account"][0]["name"], "Child");
    let wrong = json!({ "name": "B", "primarycontactid": { "lastname": 5 } });
    assert_eq!(client.post("accounts", wrong).status, 400);
    assert_eq!(client.rows("contacts").len(), 1);
}

#[test]
fn many_rows_are_written_by_one_request() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let kind = "Microsoft.Dynamics.CRM.account";
    let targets = json!({ "Targets": [
        { "@odata.type": kind, "name": "A" }, { "@odata.type": kind, "name": "B" },
    ] });
    let made = client.post("accounts/Microsoft.Dynamics.CRM.CreateMultiple", targets);
    let ids: Vec<_> = made.body["Ids"].as_array().unwrap().clone();
    assert_eq!(ids.len(), 2);
    let targets = json!({ "Targets": [{ "accountid": ids[0], "name": "C" }] });
    let path = "accounts/Microsoft.Dynamics.CRM.UpdateMultiple";
    assert_eq!(client.post(path, targets).status, 204);
    let targets = json!({ "Targets": [
        { "@odata.id": "environmentvariabledefinitions(schemaname='new_a')", "displayname": "x" },
        { "@odata.id": "environmentvariabledefinitions(schemaname='new_a')", "displayname": "y" },
    ] });
    let path = "environmentvariabledefinitions/Microsoft.Dynamics.CRM.UpsertMultiple";
    assert_eq!(client.post(path, targets).status, 204);
    assert_eq!(
        client.rows("environmentvariabledefinitions")[0]["displayname"],
        "y"
    );
    // One wrong target takes the others back.
    let targets = json!({ "Targets": [{ "name": "D" }, { "name": 1 }] });
    let path = "accounts/Microsoft.Dynamics.CRM.CreateMultiple";
    assert_eq!(client.post(path, targets).status, 400);
    assert_eq!(client.rows("accounts").len(), 2);
}

#[test]
fn files_are_uploaded_whole_and_in_pieces() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let id = client.create("canvasapps", json!({ "name": "new_app" }));
    let path = format!("canvasapps({id})/document");
    let whole = [
        ("content-type", "application/octet-stream"),
        ("x-ms-file-name", "a.msapp"),
    ];
    assert_eq!(
        client.raw(&path, "PATCH", b"\x00whole\xff", &whole).status,
        204
    );
    let bytes = client.send("GET", &format!("{path}/$value"), None, &[]);
    assert_eq!(bytes.raw.body, b"\x00whole\xff");
    assert_eq!(bytes.header("x-ms-file-name"), "a.msapp");
    let start = [
        ("x-ms-transfer-mode", "chunked"),
        ("x-ms-file-name", "b.msapp"),
    ];
    let begun = client.raw(&path, "PATCH", b"", &start);
    assert_eq!(begun.status, 200);
    let address = begun
        .header("location")
        .split_once("/v9.2/")
        .unwrap()
        .1
        .to_owned();
    assert_eq!(
        client
            .raw(
                &address,
                "PATCH",
                b"abc",
                &[("content-range", "bytes 0-2/5")]
            )
            .status,
        206
    );
    assert_eq!(
        client
            .raw(
                &address,
                "PATCH",
                b"xx",
                &[("content-range", "bytes 4-5/5")]
            )
            .status,
        400
    );
    assert_eq!(
        client
            .raw(
                &address,
                "PATCH",
                b"de",
                &[("content-range", "bytes 3-4/5")]
            )
            .status,
        204
    );
    assert_eq!(
        client
            .send("GET", &format!("{path}/$value"), None, &[])
            .text(),
        "abcde"
    );
}

#[test]
fn verbs_that_a_resource_lacks_are_refused() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    assert_eq!(client.delete("accounts").status, 405);
    assert_eq!(client.post("solutioncomponents", json!({})).status, 405);
    assert_eq!(client.send("GET", "GrantAccess", None, &[]).status, 404);
}
