//! Configuration data in the emulated tenant.

use std::collections::BTreeMap;

use almscript::environment::Environment;
use almscript::environment::data::DataPackage;
use almscript::environment::odata::Query;
use almscript::problem::Problem;

use crate::tenant::Contoso;

const SCHEMA: &str = r#"<entities dateMode="absolute">
  <entityImportOrder><entityName>account</entityName><entityName>contact</entityName></entityImportOrder>
  <entity name="contact" displayname="Contact" primaryidfield="contactid" primarynamefield="fullname" disableplugins="false"><fields>
    <field name="contactid" type="guid" primaryKey="true"/><field name="lastname" type="string" updateCompare="true"/>
    <field name="parentcustomerid" type="entityreference" lookupType="account|contact"/>
  </fields></entity>
  <entity name="account" displayname="Account" primaryidfield="accountid" primarynamefield="name"><fields>
    <field name="accountid" type="guid" primaryKey="true"/><field name="name" type="string"/>
    <field name="primarycontactid" type="entityreference" lookupType="contact"/>
    <field name="parentaccountid" type="entityreference" lookupType="account"/>
    <field name="statecode" type="state"/><field name="statuscode" type="status"/>
  </fields></entity>
</entities>"#;

fn id(number: u32) -> String {
    format!("00000000-0000-0000-0000-{number:012}")
}

fn package(accounts: &str, contacts: &str) -> DataPackage {
    let data = format!(
        "<entities timestamp=\"2026-01-01T00:00:00Z\"><entity name=\"account\"><records>{accounts}</records></entity><entity name=\"contact\"><records>{contacts}</records></entity></entities>"
    );
    let files = BTreeMap::from([
        ("data_schema.xml".to_owned(), SCHEMA.as_bytes().to_vec()),
        ("data.xml".to_owned(), data.into_bytes()),
    ]);
    DataPackage::from_files(files).unwrap()
}

fn record(number: u32, fields: &str) -> String {
    format!("<record id=\"{}\">{fields}</record>", id(number))
}

fn import(environment: &Environment, package: &DataPackage) -> (usize, usize, usize) {
    let now = "2026-02-01T00:00:00Z".parse().unwrap();
    let report = environment.import_data(package, now).unwrap();
    assert_eq!(report.warnings, [""; 0]);
    (report.created, report.updated, report.unchanged)
}

fn account(environment: &Environment, number: u32) -> almscript::environment::Row {
    let key = id(number).parse::<uuid::Uuid>().unwrap().into();
    environment
        .row("accounts", &key, &Query::new())
        .unwrap()
        .unwrap()
}

#[test]
fn rows_come_in_with_lookups_in_both_directions_and_a_second_time_nothing_changes() {
    let contoso = Contoso::new();
    let test = contoso.environment("test");
    let accounts = [
        record(
            2,
            &format!(
                "<field name=\"name\" value=\"Child &amp; 'Söhne'\"/><field name=\"parentaccountid\" value=\"{}\" lookupentity=\"account\" lookupentityname=\"P\"/>",
                id(3)
            ),
        ),
        record(
            3,
            &format!(
                "<field name=\"name\" value=\"Parent\"/><field name=\"primarycontactid\" value=\"{}\" lookupentity=\"contact\" lookupentityname=\"Neil\"/><field name=\"statecode\" value=\"1\"/><field name=\"statuscode\" value=\"2\"/>",
                id(9)
            ),
        ),
    ];
    let contacts = record(
        9,
        &format!(
            "<field name=\"lastname\" value=\"O&apos;Neil\"/><field name=\"parentcustomerid\" value=\"{}\" lookupentity=\"account\" lookupentityname=\"P\"/>",
            id(2)
        ),
    );
    let package = package(&accounts.concat(), &contacts);
    assert_eq!(import(&test, &package), (3, 0, 0));
    let child = account(&test, 2);
    assert_eq!(child["name"], "Child & 'Söhne'");
    assert_eq!(child["_parentaccountid_value"], id(3));
    let parent = account(&test, 3);
    assert_eq!(parent["_primarycontactid_value"], id(9));
    assert_eq!(parent["statecode"], 1);
    assert_eq!(import(&test, &package), (0, 0, 3));
}

#[test]
fn a_row_with_the_same_name_is_updated_and_nothing_is_deleted() {
    let contoso = Contoso::new();
    let test = contoso.environment("test");
    let existing = test
        .create_row("accounts", &serde_json::json!({ "name": "Parent" }))
        .unwrap();
    let other = test
        .create_row("accounts", &serde_json::json!({ "name": "Untouched" }))
        .unwrap();
    let accounts = [
        record(
            3,
            "<field name=\"name\" value=\"Parent\"/><field name=\"statecode\" value=\"0\"/>",
        ),
        record(
            2,
            &format!(
                "<field name=\"name\" value=\"Child\"/><field name=\"parentaccountid\" value=\"{}\" lookupentity=\"account\" lookupentityname=\"Parent\"/>",
                id(3)
            ),
        ),
    ];
    assert_eq!(import(&test, &package(&accounts.concat(), "")), (1, 0, 1));
    // The lookup follows the row that was found under another id.
    assert_eq!(
        account(&test, 2)["_parentaccountid_value"],
        existing.to_string()
    );
    assert!(
        test.row("accounts", &other.into(), &Query::new())
            .unwrap()
            .is_some()
    );
    let changed = record(2, "<field name=\"name\" value=\"Renamed\"/>");
    assert_eq!(import(&test, &package(&changed, "")), (0, 1, 0));
}

#[test]
fn a_row_that_cannot_be_written_does_not_stop_the_others() {
    let contoso = Contoso::new();
    let test = contoso.environment("test");
    let long = "x".repeat(5000);
    let accounts = [
        record(1, &format!("<field name=\"name\" value=\"{long}\"/>")),
        record(2, "<field name=\"name\" value=\"Good\"/>"),
    ];
    let now = "2026-02-01T00:00:00Z".parse().unwrap();
    let error = test
        .import_data(&package(&accounts.concat(), ""), now)
        .unwrap_err();
    assert_eq!(error.code(), "ALM-E021");
    assert_eq!(error.details()["failures"].as_array().unwrap().len(), 1);
    assert_eq!(account(&test, 2)["name"], "Good");
}
