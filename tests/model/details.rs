//! What components are, read from real packages. The expected values were read in their XML by eye.

use std::collections::BTreeMap;

use almscript::solution::component::{components, kinds};
use almscript::solution::model::{Details, Model};
use almscript::solution::{Package, UnpackOptions, unpack};
use serde_json::{Value, json};

use crate::corpus;

/// The details of the component of a kind with this key.
fn of(package: &Package, kind: &str, key: &str) -> Value {
    let components = components(package).unwrap();
    let found = components
        .iter()
        .find(|component| component.kind() == kind && component.key == key);
    let found = found.unwrap_or_else(|| panic!("no {kind} {key}"));
    serde_json::to_value(Details::of(found)).unwrap()
}

fn unmanaged(folder: &str) -> Package {
    corpus::package(folder, "unmanaged.zip")
}

/// The package with other text in its `customizations.xml`.
fn with(mut package: Package, changes: &[(&str, &str)]) -> Package {
    let text = package.part("customizations.xml").unwrap().to_vec();
    let mut text = String::from_utf8(text).unwrap();
    for (old, new) in changes {
        assert!(text.contains(old), "{old}");
        text = text.replacen(old, new, 1);
    }
    package
        .set_part("customizations.xml", text.into_bytes())
        .unwrap();
    package
}

#[test]
fn a_chart_tells_its_table_what_it_groups_by_and_what_it_measures() {
    let package = unmanaged("12-higher-education");
    assert_eq!(
        of(&package, "chart", "335faeed-26ce-e811-a967-000d3a1c53e4"),
        json!({
            "id": "335faeed-26ce-e811-a967-000d3a1c53e4",
            "name": "Athetes vs Non Athletes",
            "table": "mshied_academicperioddetails",
            "types": ["pie"],
            "groups": ["mshied_isathlete"],
            "measures": ["count of mshied_isathlete"],
            "default": false,
            "web_resource": null,
        })
    );
    // Every chart of the corpus draws something of its table.
    for (folder, kind, count) in [
        ("07-nonprofit-core", "managed", 21),
        ("12-higher-education", "managed", 8),
        ("12-higher-education", "unmanaged", 8),
    ] {
        let model = Model::read_package(&corpus::package(folder, &format!("{kind}.zip"))).unwrap();
        assert_eq!(model.charts.len(), count, "{folder}");
        for (table, chart) in &model.charts {
            assert_eq!(&chart.table, table, "{chart:?}");
            assert!(
                !chart.types.is_empty() && !chart.measures.is_empty(),
                "{chart:?}"
            );
        }
    }
}

#[test]
fn a_site_map_tells_areas_groups_and_subareas() {
    let told = of(
        &unmanaged("05-permit-management"),
        "site map",
        "contoso_permitmanagement",
    );
    assert_eq!(told["name"], "contoso_PermitManagement");
    assert_eq!(told["display_name"], "Permit Management");
    let area = &told["areas"][0];
    assert_eq!(
        (&area["id"], &area["title"]),
        (&json!("area_3eb52cb5"), &json!("Building Dept"))
    );
    let tables: Vec<(&Value, Vec<&Value>)> = area["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| {
            let subareas = group["subareas"].as_array().unwrap().iter();
            (&group["title"], subareas.map(|one| &one["table"]).collect())
        })
        .collect();
    let text = |names: &[&str]| -> Vec<Value> { names.iter().map(|name| json!(name)).collect() };
    let permits = text(&["contoso_permit", "contoso_inspection", "contoso_permittype"]);
    let contacts = text(&["contact", "contoso_buildsite"]);
    assert_eq!(tables.len(), 2);
    assert_eq!(tables[0], (&json!("Permits"), permits.iter().collect()));
    assert_eq!(tables[1], (&json!("Contacts"), contacts.iter().collect()));
}

#[test]
fn the_classic_site_map_tells_pages_and_dashboards() {
    let told = of(
        &unmanaged("12-higher-education"),
        "site map",
        "d5684797-805b-4188-b8fa-1028cfbef003",
    );
    let group = &told["areas"][0]["groups"][0];
    assert_eq!(group["title"], "General");
    assert_eq!(
        group["subareas"][1]["url"],
        "/_root/homepage.aspx?etn=account&viewid=%7bA90D28C6-94CC-E811-A96B-000D3A1C5716%7d"
    );
    assert_eq!(
        group["subareas"][5],
        json!({
            "id": "nav_dashboards",
            "title": null,
            "table": null,
            "url": "/workplace/home_dashboards.aspx",
            "dashboard": "2701de60-8f2a-48a4-8262-4a35ca7441fa",
        })
    );
}

#[test]
fn an_app_tells_what_it_shows_and_to_whom() {
    let part = |kind: &str, code: &str, name: &str| json!({ "kind": kind, "type_code": code, "name": name });
    assert_eq!(
        of(
            &unmanaged("05-permit-management"),
            "model-driven app",
            "contoso_permitmanagement"
        ),
        json!({
            "name": "contoso_PermitManagement",
            "display_name": "Permit Management",
            "active": true,
            "components": [
                part("table", "1", "contoso_inspection"),
                part("table", "1", "contoso_permit"),
                part("table", "1", "contoso_permittype"),
                part("table", "1", "contoso_buildsite"),
                part("table", "1", "contact"),
                part("site map", "62", "contoso_PermitManagement"),
            ],
            "roles": [
                "627090ff-40a3-4053-8790-584edc5be201",
                "119f245c-3cc8-4b62-b31c-d1a046ced15d",
            ],
        })
    );
}

#[test]
fn a_column_security_profile_tells_what_it_allows_column_by_column() {
    let column = |name: &str, update: bool| {
        json!({
            "table": "sample_example", "column": name,
            "read": true, "create": true, "update": update,
        })
    };
    assert_eq!(
        of(
            &unmanaged("04-column-security"),
            "column security profile",
            "9fd67f9b-a669-f011-bec2-00224823101f"
        ),
        json!({
            "id": "9fd67f9b-a669-f011-bec2-00224823101f",
            "name": "Example Field Security Profile",
            "description": "A field security profile created for the column-level security sample.",
            "permissions": [
                column("sample_telephonenumber", true),
                column("sample_email", true),
                column("sample_governmentid", false),
                column("sample_dateofbirth", false),
            ],
        })
    );
}

#[test]
fn a_role_tells_its_privileges_and_how_far_they_reach() {
    let package = with(
        unmanaged("05-permit-management"),
        &[(
            "\"prvReadcontoso_Inspection\" level=\"Global\"",
            "\"prvReadcontoso_Inspection\" level=\"Deep\"",
        )],
    );
    let told = of(
        &package,
        "security role",
        "dafc3e5c-fc1f-ee11-9cbe-0022481c5f83",
    );
    assert_eq!(told["name"], "Inspection Router");
    let privileges = told["privileges"].as_array().unwrap();
    assert_eq!(privileges.len(), 15);
    assert_eq!(
        privileges[0],
        json!({ "name": "prvAppendcontoso_Inspection", "depth": "Global" })
    );
    assert_eq!(
        privileges[4],
        json!({ "name": "prvReadcontoso_Inspection", "depth": "Deep" })
    );
}

#[test]
fn a_connector_tells_its_operations_and_what_a_connection_asks_for() {
    let mut package = unmanaged("06-pl400-demos");
    let expected = json!({
        "id": "bedc080f-9be1-4f80-9f35-c630109a6b89",
        "name": "dem_inventorymanager",
        "display_name": "InventoryManager",
        "description": "",
        "host": "apiapp-inventorymanagement.azurewebsites.net",
        "base_path": "/inventory",
        "operations": [{
            "id": "get-api-warehouselocations",
            "method": "get",
            "path": "/api/WarehouseLocations",
            "summary": "/api/WarehouseLocations - GET",
        }],
        "connection_parameters": ["api_key"],
        "custom_code": false,
        "problem": null,
    });
    assert_eq!(
        of(&package, "custom connector", "dem_inventorymanager"),
        expected
    );
    // A source tree keeps the files in another folder.
    let tree = unpack(&package, &UnpackOptions::default()).unwrap().tree;
    let model = Model::read(&tree).unwrap();
    assert_eq!(json!(model.connectors[0]), expected);
    let part = "Connector/dem_inventorymanager_openapidefinition.json";
    package.set_part(part, b"{ \"paths\": ".to_vec()).unwrap();
    let told = of(&package, "custom connector", "dem_inventorymanager");
    assert_eq!(told["operations"], json!([]));
    let problem = told["problem"].as_str().unwrap();
    assert!(
        problem.starts_with(&format!("{part} is not JSON: ")),
        "{problem}"
    );
}

#[test]
fn an_assembly_tells_its_identity_and_its_types() {
    assert_eq!(
        of(
            &unmanaged("05-permit-management"),
            "plug-in assembly",
            "46024254-3586-47b7-bed5-1fdbf186b43a"
        ),
        json!({
            "id": "46024254-3586-47b7-bed5-1fdbf186b43a",
            "name": "ContosoPackageProject",
            "version": "1.0.0.0",
            "culture": "neutral",
            "public_key_token": "0ee56b69f20f7f76",
            "sandbox": true,
            "file": "PluginAssemblies/ContosoPackageProject-46024254-3586-47B7-BED5-1FDBF186B43A/ContosoPackageProject.dll",
            "types": [
                {
                    "id": "cda1fac1-e4bf-4457-b5ad-9e29d6dda3ba",
                    "name": "ContosoPackageProject.LockPermitCancelInspections",
                    "friendly_name": "8963d768-2e03-42ae-aae3-ebd816c857bc",
                    "workflow_group": null,
                },
                {
                    "id": "e257f4cf-1dbd-46b9-8d7a-2807b338b965",
                    "name": "ContosoPackageProject.PreOperationPermitCreate",
                    "friendly_name": "aa3cee57-f3ce-4d90-a55a-d5bd1e8e797c",
                    "workflow_group": null,
                },
            ],
        })
    );
}

#[test]
fn a_step_tells_when_it_runs() {
    let id = "8f5eab6a-2b26-ee11-9966-00224823910f";
    assert_eq!(
        of(&unmanaged("06-pl400-demos"), "plug-in step", id),
        json!({
            "id": id,
            "name": "trickqueue pl400demosajs202307: Create of dem_trick",
            "plugin_type": "Microsoft.Crm.ServiceBus.ServiceBusPlugin, Microsoft.Crm.ServiceBus, Version=9.0.0.0, Culture=neutral, PublicKeyToken=31bf3856ad364e35",
            "message": "Create",
            "message_id": "9ebdbb1b-ea3e-db11-86a7-000a3a5473e8",
            "table": "dem_trick",
            "columns": [],
            "stage": "40",
            "asynchronous": true,
            "rank": 1,
            "images": [],
        })
    );
}

#[test]
fn a_step_tells_its_columns_and_images_and_the_message_of_a_custom_api() {
    let id = "7dfee87a-f91f-ee11-9cbe-0022481c5f83";
    let of_a_custom_api = (
        "<SdkMessageId>9ebdbb1b-ea3e-db11-86a7-000a3a5473e8</SdkMessageId>",
        "<SdkMessageId>11111111-2222-3333-4444-555555555555</SdkMessageId>",
    );
    let package = with(
        unmanaged("05-permit-management"),
        &[
            (
                "<FilteringAttributes></FilteringAttributes>",
                "<FilteringAttributes>contoso_name, contoso_startdate</FilteringAttributes>",
            ),
            (
                "<SdkMessageProcessingStepImages />",
                "<SdkMessageProcessingStepImages>\
                 <SdkMessageProcessingStepImage Name=\"Before\"><Attributes>contoso_name</Attributes>\
                 <EntityAlias>pre</EntityAlias><ImageType>0</ImageType></SdkMessageProcessingStepImage>\
                 <SdkMessageProcessingStepImage Name=\"Both\"><Attributes></Attributes>\
                 <EntityAlias>all</EntityAlias><ImageType>2</ImageType></SdkMessageProcessingStepImage>\
                 </SdkMessageProcessingStepImages>",
            ),
            of_a_custom_api,
            (
                "PreOperationPermitCreate: Create of contoso_permit\" Sdk",
                "PreOperationPermitCreate: contoso_Lock of contoso_permit\" Sdk",
            ),
        ],
    );
    let told = of(&package, "plug-in step", id);
    assert_eq!(
        told["columns"],
        json!(["contoso_name", "contoso_startdate"])
    );
    assert_eq!(told["message"], "contoso_Lock");
    assert_eq!(told["message_id"], "11111111-2222-3333-4444-555555555555");
    assert_eq!(
        told["images"],
        json!([
            { "name": "Before", "alias": "pre", "type": "pre", "columns": ["contoso_name"] },
            { "name": "Both", "alias": "all", "type": "both", "columns": [] },
        ])
    );
    // A name that a person gave says nothing about the message.
    let named = with(
        unmanaged("05-permit-management"),
        &[
            of_a_custom_api,
            (
                "ContosoPackageProject.PreOperationPermitCreate: Create of contoso_permit\" Sdk",
                "Lock: what is out of date\" Sdk",
            ),
        ],
    );
    assert_eq!(of(&named, "plug-in step", id)["message"], Value::Null);
}

#[test]
fn an_agent_and_its_parts_tell_what_they_are() {
    let package = unmanaged("09-resume-agent");
    assert_eq!(
        of(&package, "agent", "cref7_resumejobmatchassistant"),
        json!({
            "name": "cref7_resumeJobMatchAssistant",
            "display_name": "Resume Job Match Assistant",
            "language": "1033",
            "authentication": "integrated",
            "template": "default-2.1.0",
            "generative": true,
        })
    );
    let tool = "cref7_resumeJobMatchAssistant.action.MicrosoftDataverse-Performanunboundactioninselectedenvironment";
    assert_eq!(
        of(&package, "agent component", &tool.to_lowercase()),
        json!({
            "name": tool,
            "display_name": "Microsoft Dataverse - Perform an unbound action in selected environment",
            "type": "topic",
            "description": "",
            "definition": "TaskDialog",
            "agent": "cref7_resumeJobMatchAssistant",
            "parent": "cref7_resumeJobMatchAssistant.agent.Agent",
            "active": true,
        })
    );
    let model = Model::read_package(&package).unwrap();
    let mut types: BTreeMap<&str, usize> = BTreeMap::new();
    for part in &model.bot_components {
        *types.entry(&part.component_type).or_default() += 1;
    }
    assert_eq!(types, BTreeMap::from([("instructions", 1), ("topic", 15)]));
    let older = unmanaged("13-faq-japanese");
    let bot = "new_bot_7431f4af858f45e792508013033f6618";
    let told = of(&older, "agent", bot);
    assert_eq!(told["display_name"], "FAQ ボット");
    assert_eq!(told["generative"], Value::Null);
}

#[test]
fn a_business_rule_tells_what_it_reads_and_does() {
    let mut package = unmanaged("06-pl400-demos");
    let id = "cd18cef3-a124-ee11-9cbd-00224823910f";
    let told = of(&package, "business rule", id);
    let action = |action: &str, value: Value| json!({ "action": action, "column": "dem_level", "value": value });
    assert_eq!(told["name"], "Trick Level");
    assert_eq!(told["kind"], "business rule");
    assert_eq!(told["active"], true);
    assert_eq!(told["table"], "dem_petrrick");
    assert_eq!(told["scope"], "table");
    assert_eq!(told["reads"], json!(["dem_trickid", "dem_level"]));
    assert_eq!(
        told["actions"],
        json!([
            action("SetFieldRequiredLevel", json!("Required")),
            action("SetMessage", Value::Null),
            action("SetFieldRequiredLevel", json!("None")),
        ])
    );
    assert_eq!(told["flow"], Value::Null);
    let part = "Workflows/TrickLevel-CD18CEF3-A124-EE11-9CBD-00224823910F.xaml";
    package.set_part(part, b"<Activity>".to_vec()).unwrap();
    let told = of(&package, "business rule", id);
    assert_eq!(told["actions"], json!([]));
    assert!(
        told["problem"].as_str().unwrap().contains("TrickLevel"),
        "{told}"
    );
}

#[test]
fn a_classic_workflow_tells_what_sets_it_off() {
    let package = with(
        unmanaged("06-pl400-demos"),
        &[
            ("<Category>2</Category>", "<Category>0</Category>"),
            ("<TriggerOnCreate>0<", "<TriggerOnCreate>1<"),
            (
                "<TriggerOnDelete>0</TriggerOnDelete>",
                "<TriggerOnDelete>0</TriggerOnDelete><TriggerOnUpdateAttributeList>dem_level,dem_name</TriggerOnUpdateAttributeList>",
            ),
        ],
    );
    let told = of(&package, "workflow", "cd18cef3-a124-ee11-9cbd-00224823910f");
    assert_eq!(told["triggers"], json!(["create", "update"]));
    assert_eq!(told["trigger_columns"], json!(["dem_level", "dem_name"]));
    assert_eq!(told["scope"], Value::Null);
}

#[test]
fn one_flow_that_is_not_json_carries_the_problem_and_the_rest_is_read() {
    let package = unmanaged("05-permit-management");
    let mut tree = unpack(&package, &UnpackOptions::default()).unwrap().tree;
    let flow = tree
        .paths()
        .find(|path| {
            path.starts_with("Workflows/ClearInspectionComments") && path.ends_with(".json")
        })
        .unwrap()
        .to_owned();
    let whole = Model::read(&tree).unwrap();
    tree.insert(flow.clone(), b"{\n  \"properties\": oops".to_vec())
        .unwrap();
    let model = Model::read(&tree).unwrap();
    for (now, before) in model.processes.iter().zip(&whole.processes) {
        if now.name == "ClearInspectionComments" {
            let problem = now.problem.as_deref().unwrap();
            assert!(
                problem.contains(&flow) && problem.contains("not JSON"),
                "{problem}"
            );
            assert_eq!((&now.flow, now.active), (&None, before.active));
        } else {
            assert_eq!(now, before);
        }
    }
    assert_eq!(model.processes.len(), 3);
    assert_eq!(model.tables, whole.tables);
    assert!(
        whole
            .processes
            .iter()
            .all(|process| process.problem.is_none())
    );
}

#[test]
fn choices_and_columns_tell_their_options_with_labels() {
    let package = with(
        unmanaged("05-permit-management"),
        &[(
            "<label description=\"Inactive\" languagecode=\"1033\" />",
            "<label description=\"Inactive\" languagecode=\"1033\" /><label description=\"Inaktiv\" languagecode=\"1031\" />",
        )],
    );
    let told = of(&package, "column", "contoso_buildsite.statecode");
    let label = |language: &str, text: &str| json!({ "language": language, "text": text });
    assert_eq!(
        told["options"],
        json!([
            { "value": "0", "label": "Active", "labels": [label("1033", "Active")], "color": null },
            {
                "value": "1", "label": "Inactive",
                "labels": [label("1033", "Inactive"), label("1031", "Inaktiv")], "color": null,
            },
        ])
    );
    let model = Model::read_package(&package).unwrap();
    assert_eq!(model.choices.len(), 1);
    assert!(
        model.choices[0]
            .options
            .iter()
            .all(|option| !option.label.is_empty())
    );
    let secured = of(
        &unmanaged("04-column-security"),
        "column",
        "sample_example.sample_governmentid",
    );
    assert_eq!(secured["secured"], true);
}

#[test]
fn a_code_component_tells_its_manifest() {
    let mut package = unmanaged("05-permit-management");
    let key = "contoso_contoso.timelinecontrol";
    let mut expected = json!({
        "name": key,
        "namespace": "contoso",
        "constructor": "timelinecontrol",
        "version": "0.0.1",
        "type": "standard",
        "properties": [],
        "data_sets": ["timelineDataSet"],
        "resources": ["bundle.js", "vis-timeline-graph2d.min.css", "css/timelinecontrol.css"],
        "problem": null,
    });
    assert_eq!(of(&package, "code component", key), expected);
    let tree = unpack(&package, &UnpackOptions::default()).unwrap().tree;
    assert_eq!(json!(Model::read(&tree).unwrap().controls[0]), expected);
    let manifest = "Controls/contoso_contoso.timelinecontrol/ControlManifest.xml";
    let text = String::from_utf8(package.part(manifest).unwrap().to_vec()).unwrap();
    let properties = "<property name=\"value\" of-type=\"Whole.None\" usage=\"bound\" required=\"true\" />\
                      <property name=\"look\" of-type-group=\"looks\" usage=\"input\" /><resources>";
    package
        .set_part(
            manifest,
            text.replace("<resources>", properties).into_bytes(),
        )
        .unwrap();
    expected["properties"] = json!([
        { "name": "value", "type": "Whole.None", "usage": "bound", "required": true },
        { "name": "look", "type": "looks", "usage": "input", "required": false },
    ]);
    assert_eq!(of(&package, "code component", key), expected);
}

#[test]
fn a_dashboard_tells_the_charts_and_views_on_it() {
    let package = corpus::package("07-nonprofit-core", "managed.zip");
    let told = of(
        &package,
        "dashboard",
        "f94ec9c5-4a89-e911-a960-000d3a37f702",
    );
    assert_eq!(told["name"], "Delivery Framework by Budget");
    assert_eq!(told["type"], "dashboard");
    let field = &told["tabs"][0]["sections"][0]["fields"][0];
    assert_eq!(field["label"], "Disbursement Distribution");
    assert_eq!(
        field["shown"],
        json!({
            "table": "msnfp_disbursementdistribution",
            "view": "d7b2090b-9d87-e911-a960-000d3a37f702",
            "chart": "4239e030-9d87-e911-a960-000d3a37f702",
            "relationship": null,
            "url": null,
        })
    );
}

#[test]
fn alternate_keys_and_relationships_of_a_table_are_told() {
    let package = with(
        unmanaged("05-permit-management"),
        &[(
            "</attributes>",
            "</attributes><EntityKeys><EntityKey><Name>contoso_SiteKey</Name>\
             <LogicalName>contoso_sitekey</LogicalName><EntityKeyAttributes>\
             <AttributeName>contoso_city</AttributeName><AttributeName>contoso_name</AttributeName>\
             </EntityKeyAttributes><displaynames><displayname description=\"Site\" languagecode=\"1033\" />\
             </displaynames></EntityKey></EntityKeys>",
        )],
    );
    let model = Model::read_package(&package).unwrap();
    let keyed: Vec<Value> = model
        .tables
        .iter()
        .flat_map(|table| &table.keys)
        .map(|key| json!(key))
        .collect();
    assert_eq!(
        keyed,
        [json!({
            "name": "contoso_sitekey",
            "display_name": "Site",
            "columns": ["contoso_city", "contoso_name"],
        })]
    );
    let told = of(
        &package,
        "relationship",
        "bpf_contoso_buildsite_contoso_newbuildsite",
    );
    assert_eq!(
        told,
        json!({
            "name": "bpf_contoso_buildsite_contoso_newbuildsite",
            "type": "OneToMany",
            "from": "contoso_buildsite",
            "to": "contoso_newbuildsite",
            "column": "bpf_contoso_buildsiteid",
            "intersect": null,
            "cascades": {
                "Assign": "NoCascade", "Delete": "Cascade", "Archive": "RemoveLink",
                "Reparent": "NoCascade", "Share": "NoCascade", "Unshare": "NoCascade",
                "RollupView": "NoCascade",
            },
        })
    );
    let pairs = of(
        &corpus::package("07-nonprofit-core", "managed.zip"),
        "relationship",
        "msnfp_contact_assistants",
    );
    assert_eq!(
        pairs,
        json!({
            "name": "msnfp_contact_assistants",
            "type": "ManyToMany",
            "from": "contact",
            "to": "contact",
            "column": null,
            "intersect": "msnfp_contact_assistants",
            "cascades": {},
        })
    );
}

#[test]
fn managed_properties_are_told_for_every_component_that_has_them() {
    let model = Model::read_package(&unmanaged("04-column-security")).unwrap();
    let of = |identity: &str| -> BTreeMap<String, bool> {
        let found = model
            .managed_properties
            .iter()
            .find(|(own, _)| own.to_string() == identity);
        let (_, properties) = found.unwrap_or_else(|| panic!("no {identity}"));
        properties
            .iter()
            .map(|property| (property.name.clone(), property.allowed))
            .collect()
    };
    let column = of("2:sample_example.sample_governmentid");
    assert_eq!(column.get("IsCustomizable"), Some(&true));
    assert_eq!(column.get("CanModifyRequirementLevelSettings"), Some(&true));
    assert!(of("1:sample_example").contains_key("CanChangeTrackingBeEnabled"));
}

#[test]
fn every_component_of_a_kind_with_details_has_them_in_the_package_and_in_its_tree() {
    let mut without: BTreeMap<String, usize> = BTreeMap::new();
    for (folder, kind) in corpus::singles() {
        let package = corpus::package(&folder, &format!("{kind}.zip"));
        let all = components(&package).unwrap();
        for component in &all {
            if Details::of(component).is_none() {
                *without.entry(component.kind().to_owned()).or_default() += 1;
            }
        }
        let tree = corpus::tree(&folder, &format!("{kind}.unpacked.tar.gz"));
        let (of_package, of_tree) = (Model::of(&all), Model::read(&tree).unwrap());
        let problems = of_tree
            .processes
            .iter()
            .filter_map(|one| one.problem.as_ref());
        assert_eq!(problems.count(), 0, "{folder}");
        assert_eq!(of_tree.tables.len(), of_package.tables.len(), "{folder}");
        assert_eq!(of_tree.steps, of_package.steps, "{folder}");
        assert_eq!(of_tree.bots, of_package.bots, "{folder}");
        assert_eq!(
            of_tree.bot_components.len(),
            of_package.bot_components.len()
        );
        assert_eq!(of_tree.variables, of_package.variables, "{folder}");
        let counted: usize = kinds(&all).iter().map(|(_, count)| count).sum();
        assert_eq!(counted, all.len(), "{folder}");
    }
    insta::assert_debug_snapshot!(without);
}

#[test]
fn the_reference_of_scripts_names_every_key_of_the_details() {
    let reference = include_str!("../../docs/script-reference.md");
    let (_, section) = reference.split_once("#### `component.details()").unwrap();
    let (section, _) = section.split_once("\n#### ").unwrap();
    let mut missing: BTreeMap<String, String> = BTreeMap::new();
    for (folder, kind) in corpus::singles() {
        let package = corpus::package(&folder, &format!("{kind}.zip"));
        for component in components(&package).unwrap() {
            let told = serde_json::to_value(Details::of(&component)).unwrap();
            for key in told.as_object().into_iter().flatten().map(|(key, _)| key) {
                if !section.contains(&format!("`{key}`")) {
                    missing.insert(key.clone(), component.kind().to_owned());
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}
