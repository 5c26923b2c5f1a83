//! The mechanisms of a deployment in the emulated tenant. Each is run twice: the second time
//! nothing changes.

use almscript::environment::{Change, Environment, EnvironmentError, GroupTeam};
use almscript::problem::Problem;

use crate::tenant::{ALEX, Contoso, FLOWS, GROUP, MAYA};

/// Runs `mechanism` twice; only the first time may change something.
pub fn twice(mechanism: impl Fn() -> Result<Change, EnvironmentError>) {
    let first = mechanism().unwrap();
    assert!(first.changed, "{}", first.message);
    let second = mechanism().unwrap();
    assert!(!second.changed, "{}", second.message);
}

pub fn first_flow(environment: &Environment, solution: &str) -> almscript::environment::Flow {
    environment.flows(solution).unwrap().remove(0)
}

#[test]
fn a_variable_keeps_any_text() {
    let contoso = Contoso::new();
    let (dev, name) = contoso.with(FLOWS);
    let text = dev.variables(&name).unwrap().remove(0);
    let odd = "it's \"quoted\", 50% & <tag>\n\\ ünï #{x}#";
    twice(|| dev.set_variable(&text.schema_name, odd));
    assert_eq!(
        dev.variable(&text.schema_name).unwrap().value.as_deref(),
        Some(odd)
    );
}

#[test]
fn a_flow_gets_an_owner_and_is_shared() {
    let contoso = Contoso::new();
    let (dev, name) = contoso.with(FLOWS);
    let id = first_flow(&dev, &name).id.to_string();
    twice(|| dev.set_flow_owner(&id, ALEX));
    let team = GroupTeam {
        name: "Sales team".into(),
        group_id: GROUP.parse().unwrap(),
        business_unit_id: None,
        roles: vec!["Basic User".into()],
        remove_other_roles: true,
    };
    twice(|| dev.ensure_group_team(&team));
    let renamed = GroupTeam {
        name: "Sales Ärea".into(),
        roles: Vec::new(),
        ..team
    };
    twice(|| dev.ensure_group_team(&renamed));
    twice(|| dev.share_flow(&id, "Sales Ärea"));
    assert_eq!(
        dev.share_flow(&id, "Nobody").unwrap_err().code(),
        "ALM-E014"
    );
    assert_eq!(
        dev.set_flow_owner(&id, "eve@contoso.example")
            .unwrap_err()
            .code(),
        "ALM-E014"
    );
}

#[test]
fn people_are_found_by_every_name_they_have() {
    let contoso = Contoso::new();
    let dev = contoso.environment("dev");
    let maya = dev.user(MAYA).unwrap();
    let object_id = maya.object_id.unwrap().to_string();
    assert_eq!(dev.user(&object_id).unwrap(), maya);
    assert_eq!(dev.user(&maya.id.to_string()).unwrap(), maya);
}
