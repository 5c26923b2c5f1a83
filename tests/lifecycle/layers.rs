//! Layers, updates, upgrades and uninstalls.

use almscript::solution::component::{Component, Identity, assemble, code};
use serde_json::{Value, json};

use crate::corpus::zip;
use crate::environment::{Environment, body_of, connected, is, is_data_model, pieces, variant};

const FLOW: &str = "cadb39e3-2c1f-ee11-9cbe-0022481c5f83";

fn permits() -> Vec<u8> {
    zip("05-permit-management/managed")
}

fn is_flow(component: &Component) -> bool {
    component.key == FLOW
}

/// Everything but one flow and the app that runs it.
fn without_flow(component: &Component) -> bool {
    !is_flow(component) && !is(component, code::CANVAS_APP)
}

/// The inspection table with its parts, what leads to it, and what uses it.
fn about_inspections(component: &Component) -> bool {
    let table = Identity::table("contoso_inspection");
    let text = component.fragment.to_ascii_lowercase();
    component.identity() == table
        || component.parent.as_ref() == Some(&table)
        || text.contains("contoso_inspection<")
        || text.contains("contoso_inspection\"")
        || component.key == "contoso_newbuildsite.bpf_contoso_inspectionid"
        // The app lists the table, and the command belongs to the app.
        || component.component_type.table_name() == "appaction"
}

#[test]
fn an_update_leaves_what_disappeared_and_an_upgrade_takes_it_away() {
    let environment = Environment::new();
    let flow = format!("workflows({FLOW})");
    environment.import(&permits(), &connected(&permits()));
    assert_eq!(environment.status(&flow), 200);
    environment.import(
        &variant(&permits(), None, "1.0.0.12", true, without_flow),
        &json!({}),
    );
    assert_eq!(environment.status(&flow), 200, "an update deletes nothing");
    let newer = variant(&permits(), None, "1.0.0.13", true, without_flow);
    let job = environment.run("StageAndUpgradeAsync", &body_of(&newer, &json!({})));
    assert_eq!(job["statuscode"], 30, "{job}");
    assert_eq!(environment.status(&flow), 404);
    assert_eq!(environment.rows("canvasapps").len(), 0);
    assert_eq!(environment.version("PermitManagement").unwrap(), "1.0.0.13");
    assert_eq!(environment.solution("PermitManagement_Upgrade"), None);
}

#[test]
fn a_holding_solution_waits_until_it_is_applied() {
    let environment = Environment::new();
    environment.import(&permits(), &json!({}));
    let newer = variant(&permits(), None, "1.1.0.0", true, without_flow);
    environment.import(&newer, &json!({ "HoldingSolution": true }));
    assert_eq!(environment.version("PermitManagement").unwrap(), "1.0.0.11");
    assert_eq!(
        environment.version("PermitManagement_Upgrade").unwrap(),
        "1.1.0.0"
    );
    assert_eq!(environment.status(&format!("workflows({FLOW})")), 200);
    let other = "cc4e576a-2c1f-ee11-9cbe-0022481c5f83";
    let layers = environment.layers("Workflow", other);
    assert_eq!(layers, ["PermitManagement", "PermitManagement_Upgrade"]);
    // A second one cannot be put beside the first, and the wrong name is refused.
    let again = variant(&permits(), None, "1.2.0.0", true, without_flow);
    let answer = environment.try_import(&again, &json!({ "HoldingSolution": true }));
    assert_eq!(answer.code(), "0x80048033");
    let wrong = json!({ "UniqueName": "PermitManagement_Upgrade" });
    assert_eq!(
        environment.try_post("DeleteAndPromote", &wrong).code(),
        "0x8004853C"
    );
    let job = environment.run(
        "DeleteAndPromoteAsync",
        &json!({ "UniqueName": "PermitManagement" }),
    );
    assert_eq!(job["statuscode"], 30, "{job}");
    assert_eq!(environment.version("PermitManagement").unwrap(), "1.1.0.0");
    assert_eq!(environment.status(&format!("workflows({FLOW})")), 404);
    assert_eq!(environment.layers("Workflow", other), ["PermitManagement"]);
    let none = environment.try_post(
        "DeleteAndPromote",
        &json!({ "UniqueName": "PermitManagement" }),
    );
    assert_eq!(none.code(), "0x8004853B");
}

#[test]
fn an_upgrade_without_a_table_deletes_the_table_with_its_rows() {
    let environment = Environment::new();
    environment.import(&permits(), &json!({}));
    environment.create("contoso_permits", &json!({ "contoso_name": "Shed" }), None);
    let inspection = json!({
        "contoso_name": "Roof", "contoso_inspectiontype": 330_650_000,
        "contoso_scheduleddate": "2026-01-01T00:00:00Z",
    });
    environment.create("contoso_inspections", &inspection, None);
    let smaller = variant(&permits(), None, "1.0.0.12", true, |it| {
        !about_inspections(it)
    });
    let job = environment.run("StageAndUpgradeAsync", &body_of(&smaller, &json!({})));
    assert_eq!(job["statuscode"], 30, "{job}");
    assert_eq!(environment.status("contoso_inspections"), 404);
    assert_eq!(environment.rows("contoso_permits").len(), 1);
}

#[test]
fn an_upgrade_that_would_take_away_what_others_need_changes_nothing() {
    let environment = Environment::new();
    environment.import(&permits(), &json!({}));
    // The table goes, the app that lists it stays.
    let table = Identity::table("contoso_permittype");
    let broken = variant(&permits(), None, "1.0.0.12", true, |it| {
        it.identity() != table && it.parent.as_ref() != Some(&table)
    });
    let job = environment.run("StageAndUpgradeAsync", &body_of(&broken, &json!({})));
    assert_eq!(job["statuscode"], 31);
    assert_eq!(job["errorcode"], -2_147_159_994_i64, "{job}");
    assert_eq!(environment.version("PermitManagement").unwrap(), "1.0.0.11");
    assert_eq!(environment.solution("PermitManagement_Upgrade"), None);
    assert_eq!(environment.status("contoso_permittypes"), 200);
}

#[test]
fn converting_to_managed_and_deleting_takes_every_component_away() {
    let environment = Environment::new();
    environment.import(&zip("05-permit-management/unmanaged"), &json!({}));
    let managed = environment.export("PermitManagement", true);
    environment.import(&managed, &json!({ "ConvertToManaged": true }));
    assert_eq!(
        environment.solution("PermitManagement").unwrap()["ismanaged"],
        true
    );
    let refused = environment.try_post(
        "ExportSolution",
        &json!({ "SolutionName": "PermitManagement", "Managed": false }),
    );
    assert_eq!(refused.status, 400);
    let answer = environment.uninstall("PermitManagement");
    assert_eq!(answer.status, 204, "{}", answer.body);
    for set in [
        "workflows",
        "canvasapps",
        "appmodules",
        "webresourceset",
        "plugintypes",
    ] {
        assert_eq!(environment.rows(set), Vec::<Value>::new(), "{set}");
    }
    assert_eq!(environment.status("contoso_permits"), 404);
    assert_eq!(environment.rows("solutioncomponents"), Vec::<Value>::new());
}

#[test]
fn deleting_an_unmanaged_solution_leaves_its_components() {
    let environment = Environment::new();
    environment.import(&zip("05-permit-management/unmanaged"), &json!({}));
    assert_eq!(environment.uninstall("PermitManagement").status, 204);
    assert_eq!(environment.rows("workflows").len(), 3);
    assert_eq!(environment.status("contoso_permits"), 200);
}

#[test]
fn what_a_second_solution_needs_cannot_be_uninstalled() {
    let environment = Environment::new();
    let base = variant(
        &permits(),
        Some("PermitBase"),
        "1.0.0.0",
        true,
        is_data_model,
    );
    let apps = variant(&permits(), Some("PermitApps"), "1.0.0.0", true, |it| {
        !is_data_model(it)
    });
    environment.import(&base, &json!({}));
    environment.import(&apps, &json!({}));
    let dependents = environment
        .rows("RetrieveDependenciesForUninstall(SolutionUniqueName=@p1)?@p1='PermitBase'");
    assert!(!dependents.is_empty());
    assert!(
        dependents
            .iter()
            .all(|row| row["requiredcomponentobjectid"].is_string())
    );
    let answer = environment.uninstall("PermitBase");
    assert_eq!((answer.status.as_u16(), answer.code()), (400, "0x8004F01F"));
    assert_eq!(environment.status("contoso_permits"), 200);
    let job = environment.run(
        "UninstallSolutionAsync",
        &json!({ "SolutionUniqueName": "PermitApps" }),
    );
    assert_eq!(job["statuscode"], 30, "{job}");
    let none = "RetrieveDependenciesForUninstall(SolutionUniqueName='PermitBase')";
    assert_eq!(environment.rows(none), Vec::<Value>::new());
    assert_eq!(environment.uninstall("PermitBase").status, 204);
    assert_eq!(environment.rows("solutioncomponents"), Vec::<Value>::new());
}

#[test]
fn a_component_in_two_managed_solutions_stays_with_the_other_one() {
    let environment = Environment::new();
    let only_choice = |it: &Component| is(it, code::OPTION_SET);
    let one = variant(&permits(), Some("One"), "1.0.0.0", true, only_choice);
    let two = variant(&permits(), Some("Two"), "1.0.0.0", true, only_choice);
    environment.import(&one, &json!({}));
    environment.import(&two, &json!({}));
    let choice = environment.rows("solutioncomponents?$filter=componenttype eq 9")[0].clone();
    let id = choice["objectid"].as_str().unwrap();
    assert_eq!(environment.layers("OptionSet", id), ["One", "Two"]);
    assert_eq!(environment.uninstall("One").status, 204);
    assert_eq!(environment.layers("OptionSet", id), ["Two"]);
    assert_eq!(environment.uninstall("Two").status, 204);
    assert_eq!(environment.layers("OptionSet", id), Vec::<String>::new());
}

#[test]
fn an_active_layer_hides_a_managed_update_until_it_is_overwritten() {
    let renamed = |version: &str, name: &str| {
        let mut split = pieces(&permits());
        for component in split.components.iter_mut().filter(|it| is_flow(it)) {
            let (old, new) = (
                "Name=\"ClearInspectionComments\"",
                format!("Name=\"{name}\""),
            );
            component.fragment = component.fragment.replace(old, &new);
        }
        let outline = split.outline.stamped(version, true, None).unwrap();
        assemble(&outline, &split.components)
            .unwrap()
            .to_zip()
            .unwrap()
    };
    let environment = Environment::new();
    environment.import(&permits(), &json!({}));
    let flow = format!("workflows({FLOW})");
    environment.patch(&flow, &json!({ "name": "Mine" }));
    assert_eq!(
        environment.layers("Workflow", FLOW),
        ["PermitManagement", "Active"]
    );
    environment.import(&renamed("1.0.0.12", "Theirs"), &json!({}));
    assert_eq!(environment.get(&flow)["name"], "Mine");
    let overwrite = json!({ "OverwriteUnmanagedCustomizations": true });
    environment.import(&renamed("1.0.0.13", "Theirs again"), &overwrite);
    assert_eq!(environment.get(&flow)["name"], "Theirs again");
    assert_eq!(environment.layers("Workflow", FLOW), ["PermitManagement"]);
    environment.patch(&flow, &json!({ "name": "Mine again" }));
    environment.get(&format!(
        "RemoveActiveCustomizations(SolutionComponentName='Workflow',ComponentId={FLOW})"
    ));
    assert_eq!(environment.get(&flow)["name"], "Theirs again");
}

#[test]
fn turning_a_managed_flow_on_is_no_customization() {
    let environment = Environment::new();
    let all = connected(&permits());
    environment.import(&permits(), &all);
    let flow = format!("workflows({FLOW})");
    environment.patch(&flow, &json!({ "statecode": 0 }));
    assert_eq!(environment.layers("Workflow", FLOW), ["PermitManagement"]);
    environment.import(&variant(&permits(), None, "1.0.0.12", true, |_| true), &all);
    assert_eq!(
        environment.get(&flow)["statecode"],
        0,
        "an update keeps the state"
    );
}
