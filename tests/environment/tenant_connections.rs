//! Connections in the emulated tenant: what a reference may be connected to, and what flows need.

use almscript::problem::Problem;

use crate::tenant::{Contoso, FLOWS, PRIVATE, SHARED};
use crate::tenant_settings::{first_flow, twice};

#[test]
fn a_reference_is_connected_only_to_what_can_be_used() {
    let contoso = Contoso::new();
    let (dev, name) = contoso.with(FLOWS);
    let reference = dev
        .connection_references_of(&name)
        .unwrap()
        .remove(0)
        .logical_name;
    twice(|| dev.connect_reference(&reference, SHARED));
    assert_eq!(
        dev.connection_reference(&reference)
            .unwrap()
            .connection
            .as_deref(),
        Some(SHARED)
    );
    let error = dev.connect_reference(&reference, PRIVATE).unwrap_err();
    assert_eq!(error.code(), "ALM-E016", "{error}");
    let error = dev
        .connect_reference(&reference, "00000000000000000000000000000000")
        .unwrap_err();
    assert_eq!(error.code(), "ALM-E014", "{error}");
}

#[test]
fn a_flow_turns_on_once_its_reference_is_connected() {
    let contoso = Contoso::new();
    let (dev, name) = contoso.with(FLOWS);
    let flow = first_flow(&dev, &name);
    let id = flow.id.to_string();
    dev.turn_off_flow(&id).unwrap();
    let error = dev.turn_on_flow(&id).unwrap_err();
    assert_eq!(error.code(), "ALM-E018", "{error}");
    for reference in dev.connection_references_of(&name).unwrap() {
        dev.connect_reference(&reference.logical_name, SHARED)
            .unwrap();
    }
    twice(|| dev.turn_on_flow(&flow.name));
    assert!(first_flow(&dev, &name).on);
}

#[test]
fn the_list_has_what_the_run_can_use() {
    let contoso = Contoso::new();
    let ids = |environment: almscript::environment::Environment| {
        let connections = environment.connections().unwrap();
        connections
            .into_iter()
            .map(|connection| connection.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(contoso.environment("dev")), [SHARED]);
    assert_eq!(
        ids(contoso.environment_of("dev", crate::tenant::ALEX)),
        [PRIVATE]
    );
}
