//! Queries.

use crate::tenant::{Client, DEV, Fixture};
use serde_json::{Value, json};

/// Three accounts, one with a contact.
fn seed(client: &Client<'_>) -> Vec<String> {
    let contact = client.create(
        "contacts",
        json!({ "firstname": "Jo", "lastname": "O'Neill" }),
    );
    let bind = format!("/contacts({contact})");
    [
        json!({ "name": "Alpha", "numberofemployees": 5, "revenue": 10.5, "address1_city": "Graz",
                "primarycontactid@odata.bind": bind }),
        json!({ "name": "beta", "numberofemployees": 50, "revenue": 20, "creditonhold": true }),
        json!({ "name": "It's / Gamma", "numberofemployees": 7, "address1_city": "Graz" }),
    ]
    .map(|body| client.create("accounts", body))
    .to_vec()
}

fn names(rows: &[Value]) -> Vec<&str> {
    rows.iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect()
}

#[test]
fn filters_find_what_they_say() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let ids = seed(&client);
    for (filter, expected) in [
        ("name eq 'alpha'", vec!["Alpha"]),
        ("name ne 'alpha'", vec!["beta", "It's / Gamma"]),
        (
            "numberofemployees gt 5 and not (creditonhold eq true)",
            vec!["It's / Gamma"],
        ),
        ("name eq 'It''s / Gamma'", vec!["It's / Gamma"]),
        ("contains(name,'a') and startswith(name,'B')", vec!["beta"]),
        ("endswith(name,'MA')", vec!["It's / Gamma"]),
        ("contains(name,'_eta')", vec!["beta"]),
        ("address1_city eq null", vec!["beta"]),
        ("revenue ge 10.5", vec!["Alpha", "beta"]),
        (
            "numberofemployees eq 7 or numberofemployees eq 5",
            vec!["Alpha", "It's / Gamma"],
        ),
        ("primarycontactid/lastname eq 'O''Neill'", vec!["Alpha"]),
        (
            "primarycontactid/createdby/fullname eq '# Pipeline'",
            vec!["Alpha"],
        ),
        ("primarycontactid eq null", vec!["beta", "It's / Gamma"]),
        (
            "createdon ge 2026-03-04T05:06:07Z",
            vec!["Alpha", "beta", "It's / Gamma"],
        ),
        ("createdon lt 2026-03-04", vec![]),
        ("creditonhold", vec!["beta"]),
        (
            "Microsoft.Dynamics.CRM.In(PropertyName='name',PropertyValues=[\"Alpha\",\"BETA\"])",
            vec!["Alpha", "beta"],
        ),
        (
            "Microsoft.Dynamics.CRM.Between(PropertyName='numberofemployees',PropertyValues=['6','60'])",
            vec!["beta", "It's / Gamma"],
        ),
        (
            "Microsoft.Dynamics.CRM.Today(PropertyName='createdon')",
            vec!["Alpha", "beta", "It's / Gamma"],
        ),
        (
            "Microsoft.Dynamics.CRM.LastXDays(PropertyName='createdon',PropertyValue=3)",
            vec!["Alpha", "beta", "It's / Gamma"],
        ),
        (
            "Microsoft.Dynamics.CRM.OlderThanXDays(PropertyName='createdon',PropertyValue=3)",
            vec![],
        ),
        (
            "Microsoft.Dynamics.CRM.EqualUserId(PropertyName='ownerid')",
            vec![],
        ),
        (
            "statecode eq 0 and numberofemployees lt numberofemployees",
            vec![],
        ),
    ] {
        let path = format!("accounts?$select=name&$filter={}", escaped(filter));
        let answer = client.send("GET", &path, None, &[]);
        if filter.contains("EqualUserId") {
            // The bare lookup is no property that can be compared; its value is.
            assert_eq!(answer.status, 400);
            continue;
        }
        assert_eq!(answer.status, 200, "{filter}: {}", answer.body);
        assert_eq!(
            names(answer.body["value"].as_array().unwrap()),
            expected,
            "{filter}"
        );
    }
    let quoted = format!("accounts?$filter=accountid eq '{}'", ids[1].to_uppercase());
    assert_eq!(names(&client.rows(&quoted)), ["beta"]);
}

#[test]
fn lambdas_look_into_related_rows() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    seed(&client);
    let with_role = "systemusers?$select=fullname&$filter=systemuserroles_association/any(r:r/name \
                     eq 'Environment Maker')&$orderby=fullname";
    assert_eq!(client.rows(with_role)[0]["fullname"], "Maya Maker");
    let owners = "contacts?$filter=account_primary_contact/any(a:a/numberofemployees eq 5)";
    assert_eq!(client.rows(owners).len(), 1);
    let none = "contacts?$filter=account_primary_contact/any(a:a/numberofemployees eq 6)";
    assert_eq!(client.rows(none).len(), 0);
    assert_eq!(
        client
            .rows("contacts?$filter=account_primary_contact/any()")
            .len(),
        1
    );
    let all = "contacts?$filter=account_primary_contact/all(a:a/numberofemployees lt 6)";
    assert_eq!(client.rows(all).len(), 1);
}

#[test]
fn order_top_and_count_work_together() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    seed(&client);
    let body = client
        .get("accounts?$select=name&$orderby=address1_city desc,name desc&$top=2&$count=true");
    assert_eq!(body["@odata.count"], 3);
    assert_eq!(
        names(body["value"].as_array().unwrap()),
        ["It's / Gamma", "Alpha"]
    );
    assert_eq!(
        body["@odata.context"],
        format!("{DEV}/api/data/v9.2/$metadata#accounts(name)")
    );
    let count = client.send("GET", "accounts/$count?$filter=revenue ne null", None, &[]);
    assert_eq!(count.text(), "2");
    assert!(count.header("content-type").starts_with("text/plain"));
}

#[test]
fn pages_follow_one_another_even_when_rows_vanish_meanwhile() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let ids: Vec<String> = (0..7)
        .map(|n| client.create("accounts", json!({ "name": format!("n{n}") })))
        .collect();
    let prefer = [("Prefer", "odata.maxpagesize=3")];
    let first = client.send("GET", "accounts?$select=name&$orderby=name", None, &prefer);
    assert_eq!(first.header("preference-applied"), "odata.maxpagesize=3");
    assert_eq!(
        names(first.body["value"].as_array().unwrap()),
        ["n0", "n1", "n2"]
    );
    let link = first.body["@odata.nextLink"].as_str().unwrap();
    assert!(
        link.starts_with(&format!("{DEV}/api/data/v9.2/accounts?")),
        "{link}"
    );
    assert_eq!(client.delete(&format!("accounts({})", ids[0])).status, 204);
    let second = client.send("GET", link, None, &prefer);
    assert_eq!(
        names(second.body["value"].as_array().unwrap()),
        ["n3", "n4", "n5"]
    );
    let link = second.body["@odata.nextLink"].as_str().unwrap();
    let third = client.send("GET", link, None, &prefer);
    assert_eq!(names(third.body["value"].as_array().unwrap()), ["n6"]);
    assert!(third.body.get("@odata.nextLink").is_none());
}

#[test]
fn expanded_rows_are_nested_and_filtered() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    seed(&client);
    let path = "accounts?$select=name&$filter=name eq 'Alpha'&$expand=primarycontactid($select=lastname;\
                $expand=createdby($select=fullname)),ownerid($select=ownerid)";
    let answer = client.send(
        "GET",
        &path.replace(",ownerid($select=ownerid)", ""),
        None,
        &[],
    );
    let row = &answer.body["value"][0];
    assert_eq!(
        row["primarycontactid"]["lastname"], "O'Neill",
        "{}",
        answer.body
    );
    assert_eq!(
        row["primarycontactid"]["createdby"]["fullname"],
        "# Pipeline"
    );
    let path = "contacts?$select=lastname&$expand=account_primary_contact($select=name;$filter=name eq 'x')";
    let row = client.rows(path).remove(0);
    assert_eq!(row["account_primary_contact"], json!([]));
    assert!(row["account_primary_contact@odata.nextLink"].is_string());
    let path = "solutions?$select=uniquename,publisherid&$expand=publisherid($select=customizationprefix)\
                &$filter=uniquename eq 'Default'";
    let row = client.rows(path).remove(0);
    assert_eq!(row["publisherid"]["customizationprefix"], "new");
    let roles = "systemusers?$select=fullname&$expand=systemuserroles_association($select=name)\
                 &$filter=domainname eq 'ada@contoso.example'";
    let row = client.rows(roles).remove(0);
    assert_eq!(
        row["systemuserroles_association"][0]["name"],
        "System Administrator"
    );
    let reference = client.rows("accounts?$filter=name eq 'Alpha'&$expand=primarycontactid/$ref");
    assert!(
        reference[0]["primarycontactid"]["@odata.id"]
            .as_str()
            .unwrap()
            .contains("/contacts(")
    );
}

#[test]
fn annotations_come_when_they_are_asked_for() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    seed(&client);
    let path =
        "accounts?$select=name,creditonhold,_primarycontactid_value,_ownerid_value,createdon";
    let plain = client.rows(path);
    assert!(
        plain[0]
            .as_object()
            .unwrap()
            .keys()
            .all(|key| !key.contains('@') || key == "@odata.etag")
    );
    let prefer = [("Prefer", "odata.include-annotations=\"*\"")];
    let answer = client.send("GET", path, None, &prefer);
    let row = &answer.body["value"][1];
    assert_eq!(
        row["creditonhold@OData.Community.Display.V1.FormattedValue"],
        "Yes"
    );
    assert_eq!(
        row["_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"],
        "systemuser"
    );
    assert_eq!(
        row["_ownerid_value@OData.Community.Display.V1.FormattedValue"],
        "# Pipeline"
    );
    assert_eq!(
        row["createdon@OData.Community.Display.V1.FormattedValue"],
        "3/4/2026 5:06 AM"
    );
    assert_eq!(answer.body["@Microsoft.Dynamics.CRM.totalrecordcount"], -1);
    let none = client.send(
        "GET",
        path,
        None,
        &[("Accept", "application/json;odata.metadata=none")],
    );
    assert!(none.body.get("@odata.context").is_none());
}

#[test]
fn grouping_and_aggregates_compute() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    seed(&client);
    let path = "accounts?$apply=groupby((address1_city),aggregate($count as n,numberofemployees with sum as people))";
    let mut rows = client.rows(path);
    rows.sort_by_key(|row| row["n"].as_i64());
    assert_eq!(
        rows,
        [
            json!({ "n": 1, "people": 50 }),
            json!({ "address1_city": "Graz", "n": 2, "people": 12 })
        ]
    );
    let path = "accounts?$apply=filter(revenue gt 1)/aggregate(revenue with average as mean,revenue with max as most)";
    assert_eq!(client.rows(path), [json!({ "mean": 15.25, "most": 20.0 })]);
    let path = "accounts?$apply=groupby((primarycontactid/lastname))";
    assert!(
        client
            .rows(path)
            .contains(&json!({ "contact_lastname": "O'Neill" }))
    );
}

#[test]
fn single_rows_properties_and_relations_have_addresses() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let id = seed(&client).remove(0);
    assert_eq!(
        client.get(&format!("accounts({id})/name"))["value"],
        "Alpha"
    );
    let raw = client.send("GET", &format!("accounts({id})/name/$value"), None, &[]);
    assert_eq!(raw.text(), "Alpha");
    let contact = client.get(&format!("accounts({id})/primarycontactid?$select=lastname"));
    assert_eq!(contact["lastname"], "O'Neill");
    let contact = contact["contactid"].as_str().unwrap().to_owned();
    let back = client.rows(&format!(
        "contacts({contact})/account_primary_contact?$select=name"
    ));
    assert_eq!(names(&back), ["Alpha"]);
    let count = format!("contacts({contact})/account_primary_contact/$count");
    assert_eq!(client.send("GET", &count, None, &[]).text(), "1");
    let row = client.send("GET", &format!("accounts({id})?$select=name"), None, &[]);
    let etag = row.body["@odata.etag"].as_str().unwrap();
    let again = format!("accounts({id})?$select=name");
    assert_eq!(
        client
            .send("GET", &again, None, &[("If-None-Match", etag)])
            .status,
        304
    );
    assert_eq!(
        client
            .send("GET", &again, None, &[("If-None-Match", "null")])
            .status,
        200
    );
    assert_eq!(
        client
            .send("GET", &format!("accounts({id})/description"), None, &[])
            .status,
        204
    );
}

#[test]
fn rows_are_found_by_alternate_keys_and_aliases() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let maya = almscript::emulator::definition::derived_id("user", crate::tenant::MAYA);
    let user = client.get(&format!(
        "systemusers(azureactivedirectoryobjectid={maya})?$select=fullname"
    ));
    assert_eq!(user["fullname"], "Maya Maker");
    let rows = client.rows("solutions?$filter=uniquename eq @n&@n='Active'&$select=uniquename");
    assert_eq!(
        rows[0]["solutionid"],
        "fd140aae-4df4-11dd-bd17-0019b9312238"
    );
    let missing = format!(
        "systemusers(azureactivedirectoryobjectid={})",
        uuid::Uuid::nil()
    );
    assert_eq!(
        client.send("GET", &missing, None, &[]).refusal(404).0,
        "0x80060891"
    );
    assert_eq!(
        client.send("GET", "accounts(name='x')", None, &[]).status,
        400
    );
    // Clients that encode everything and options of foreign services are understood.
    let encoded =
        "solutions?%24select=uniquename&%24filter=uniquename+eq+%27Active%27&api-version=9.1";
    assert_eq!(client.rows(encoded).len(), 1);
}

#[test]
fn what_does_not_exist_and_what_is_not_emulated_is_said() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let id = uuid::Uuid::from_u128(7);
    for (path, status, code, text) in [
        (
            "nothings",
            404,
            "0x8006088a",
            "Resource not found for the segment 'nothings'.",
        ),
        ("NoSuchAction", 404, "0x8006088a", "NoSuchAction"),
        (
            &*format!("accounts({id})"),
            404,
            "0x80040217",
            &*format!("account With Id = {id} Does Not Exist"),
        ),
        (
            "accounts?$select=nope",
            400,
            "0x80060888",
            "Could not find a property named 'nope' on type 'Microsoft.Dynamics.CRM.account'.",
        ),
        ("accounts?$filter=nope eq 1", 400, "0x80060888", "'nope'"),
        (
            "accounts?$filter=name eq 1",
            400,
            "0x80060888",
            "incompatible types",
        ),
        (
            "accounts?$filter=name eq",
            400,
            "0x80060888",
            "ends too early",
        ),
        ("accounts?$expand=nope", 400, "0x80060888", "'nope'"),
        ("accounts?$skip=1", 400, "0x80060888", "Skip"),
        ("accounts?fetchXml=x", 501, "NotEmulated", "fetchXml"),
        (
            "accounts?$filter=tolower(name) eq 'x'",
            501,
            "NotEmulated",
            "tolower",
        ),
        (
            "GlobalOptionSetDefinitions",
            501,
            "NotEmulated",
            "GlobalOptionSetDefinitions",
        ),
        ("msdyn_unknown", 404, "0x8006088a", "msdyn_unknown"),
    ] {
        let (found, message) = client.send("GET", path, None, &[]).refusal(status);
        assert_eq!(found, code, "{path}");
        assert!(message.contains(text), "{path}: {message}");
    }
    let annotated = [("Prefer", "odata.include-annotations=\"*\"")];
    let answer = client.send("GET", "accounts?$select=nope", None, &annotated);
    assert!(answer.body["error"]["@Microsoft.PowerApps.CDS.HelpLink"].is_string());
    let soap = client.send("POST", "/XRMServices/2011/Organization.svc/web", None, &[]);
    assert_eq!(soap.refusal(501).0, "NotEmulated");
}

#[test]
fn definitions_tell_what_tables_there_are() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let found = client.rows(
        "EntityDefinitions?$select=LogicalName,EntitySetName,PrimaryIdAttribute&$filter=LogicalName eq 'webresource'",
    );
    assert_eq!(found[0]["EntitySetName"], "webresourceset");
    assert_eq!(found[0].as_object().unwrap().len(), 5, "{}", found[0]);
    let one = client.get("EntityDefinitions(LogicalName='workflow')?$select=EntitySetName&$expand=Attributes($select=LogicalName)");
    assert_eq!(one["EntitySetName"], "workflows");
    let columns = one["Attributes"].as_array().unwrap();
    assert!(
        columns
            .iter()
            .any(|column| column["LogicalName"] == "clientdata")
    );
    let id = one["MetadataId"].as_str().unwrap();
    assert_eq!(
        client.get(&format!("EntityDefinitions({id})"))["LogicalName"],
        "workflow"
    );
    let choices = client.rows(
        "EntityDefinitions(LogicalName='workflow')/Attributes/Microsoft.Dynamics.CRM.PicklistAttributeMetadata\
         ?$select=LogicalName&$expand=OptionSet($select=Options)",
    );
    let category = choices
        .iter()
        .find(|it| it["LogicalName"] == "category")
        .unwrap();
    assert_eq!(category["OptionSet"]["Options"][5]["Value"], 5);
    let code = "EntityDefinitions(LogicalName='workflow')/ObjectTypeCode/$value";
    assert_eq!(client.send("GET", code, None, &[]).text(), "4703");
    let column =
        client.get("EntityDefinitions(LogicalName='workflow')/Attributes(LogicalName='name')");
    assert_eq!(column["AttributeType"], "String");
    assert_eq!(
        client
            .send("GET", "EntityDefinitions(LogicalName='no')", None, &[])
            .status,
        404
    );
    let csdl = client.send("GET", "$metadata", None, &[]).text();
    let document = roxmltree::Document::parse(&csdl).unwrap();
    assert!(
        document
            .descendants()
            .any(|node| node.attribute("Name") == Some("workflows"))
    );
    let sets = client.rows("");
    assert!(sets.iter().any(|set| set["url"] == "solutions"));
}

#[test]
fn the_organisation_describes_itself() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let detail = client.get(
        "RetrieveCurrentOrganization(AccessType=@p1)?@p1=Microsoft.Dynamics.CRM.EndpointAccessType'Default'",
    );
    assert_eq!(detail["Detail"]["FriendlyName"], "Development");
    assert!(
        client.get("RetrieveVersion()")["Version"]
            .as_str()
            .unwrap()
            .starts_with("9.2.")
    );
    let version = client.send("GET", "/api/data/v9.0/RetrieveVersion", None, &[]);
    let context = version.body["@odata.context"].as_str().unwrap();
    assert!(context.contains("/api/data/v9.0/"), "{context}");
    assert_eq!(version.header("odata-version"), "4.0");
    assert_eq!(version.header("x-ms-dop-hint"), "4");
    assert_eq!(client.rows("organizations?$select=name").len(), 1);
    assert_eq!(
        client
            .send("GET", "/api/data/v8.2/WhoAmI", None, &[])
            .status,
        404
    );
}

fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[test]
fn numbers_beyond_every_calendar_and_depths_beyond_every_query_do_not_end_the_service() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    client.create("accounts", json!({ "name": "A" }));
    let numbers = [
        "2147483647",
        "-2147483648",
        "0",
        "9999999999999999999999",
        "1e308",
        "''",
        "9999-12-31T23:59:59Z",
        "-262144-01-01",
    ];
    let functions = [
        "On",
        "OnOrAfter",
        "OnOrBefore",
        "LastXDays",
        "NextXDays",
        "OlderThanXDays",
        "LastXHours",
        "NextXHours",
        "OlderThanXHours",
        "OlderThanXMinutes",
        "LastXMonths",
        "NextXYears",
        "LastXWeeks",
        "InFiscalYear",
    ];
    for function in functions {
        for number in numbers {
            let filter = format!(
                "Microsoft.Dynamics.CRM.{function}(PropertyName='createdon',PropertyValue={number})"
            );
            let answer = client.send("GET", &format!("accounts?$filter={filter}"), None, &[]);
            let status = answer.status.as_u16();
            assert!([200, 400, 501].contains(&status), "{filter}: {status}");
        }
    }
    let all = "accounts?$filter=Microsoft.Dynamics.CRM.LastXDays(PropertyName='createdon',PropertyValue=2147483647)";
    assert_eq!(client.rows(all).len(), 1);
    for (what, query) in [
        (
            "parentheses",
            format!(
                "$filter={}name eq 'A'{}",
                "(".repeat(20_000),
                ")".repeat(20_000)
            ),
        ),
        (
            "negations",
            format!("$filter={}true", "not ".repeat(20_000)),
        ),
        (
            "conditions",
            format!("$filter=name eq 'A'{}", " or name eq 'A'".repeat(5_000)),
        ),
        (
            "expansions",
            format!(
                "$expand={}a{}",
                "a($expand=".repeat(5_000),
                ")".repeat(5_000)
            ),
        ),
        ("top", format!("$top={}", u64::MAX)),
        ("skip", "$skip=-1".into()),
        ("number", format!("$filter=name eq {}", "9".repeat(5_000))),
        (
            "letters",
            "$filter=contains(name,'\u{130}\u{df}\u{1f600}')".into(),
        ),
    ] {
        let answer = client.send("GET", &format!("accounts?{query}"), None, &[]);
        let status = answer.status.as_u16();
        assert!(
            (200..=501).contains(&status) && status != 500,
            "{what}: {status}"
        );
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let answer = client.raw(
        "accounts",
        "POST",
        deep.as_bytes(),
        &[("content-type", "application/json")],
    );
    assert_eq!(answer.status, 400);
    assert_eq!(client.rows("accounts").len(), 1);
}
