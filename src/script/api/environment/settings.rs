//! What a deployment sets in an environment, one primitive for each thing.

use std::collections::HashMap;

use rhai::plugin::export_module;
use rhai::{Array, Dynamic, Map};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::super::deployment::Data;
use super::super::error::{Scripted, Thrown};
use super::super::{HostError, options};
use super::rows::id;
use super::{change, data};
use crate::environment::{AppRole, Flow, GroupTeam, StepConfiguration, flow_order as order_flows};
use crate::script::values::to_json;
use crate::transport::Secret;

/// The options of `ensure_group_team`; the names are those of the settings.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Team {
    name: String,
    group: Uuid,
    #[serde(default)]
    business_unit: Option<Uuid>,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    remove_other_roles: bool,
}

/// The options of `share_app`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Share {
    group: Uuid,
    #[serde(default = "can_view")]
    role: String,
}

fn can_view() -> String {
    "CanView".to_owned()
}

/// The options of `configure_step`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Step {
    secure: Option<String>,
    unsecure: Option<String>,
}

/// Settings.
#[export_module]
pub(super) mod module {
    use super::super::Environment;

    /// The environment variables of a solution: maps with `schema_name`, `display_name`, `kind`,
    /// `default`, `value`.
    ///
    /// ```rhai,tenant
    /// type_of(environment::development().variables("PowerAutomateSamples")) == "array"
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn variables(environment: &mut Environment, solution: &str) -> Scripted<Dynamic> {
        data(
            &environment
                .reading()
                .thrown()?
                .variables(solution)
                .thrown()?,
        )
        .thrown()
    }

    /// Sets the value of an environment variable in this environment.
    ///
    /// ```rhai,tenant
    /// let dev = environment::development();
    /// let name = dev.variables("PowerAutomateSamples")[0].schema_name;
    /// dev.set_variable(name, "a \"quoted\" value");
    /// !dev.set_variable(name, "a \"quoted\" value").changed
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn set_variable(
        environment: &mut Environment,
        schema_name: &str,
        value: &str,
    ) -> Scripted<Dynamic> {
        change(
            environment
                .configuring()
                .thrown()?
                .set_variable(schema_name, value)
                .thrown()?,
        )
    }

    /// The connections that the run can use: maps with `id`, `connector`, `display_name`,
    /// `status`, `owner`.
    ///
    /// ```rhai,tenant
    /// type_of(environment::named("test").connections()) == "array"
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn connections(environment: &mut Environment) -> Scripted<Dynamic> {
        data(&environment.reading().thrown()?.connections().thrown()?).thrown()
    }

    /// The connection references of a solution: maps with `logical_name`, `display_name`,
    /// `connector`, `connection`.
    ///
    /// ```rhai,tenant
    /// environment::development().connection_references("PowerAutomateSamples").len() > 0
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn connection_references(
        environment: &mut Environment,
        solution: &str,
    ) -> Scripted<Dynamic> {
        let client = environment.reading().thrown()?;
        data(&client.connection_references_of(solution).thrown()?).thrown()
    }

    /// Puts a connection behind a connection reference. That it exists and is shared with the run
    /// is checked first.
    ///
    /// ```rhai,tenant
    /// let dev = environment::development();
    /// let reference = dev.connection_references("PowerAutomateSamples")[0];
    /// !dev.connect_reference(reference.logical_name, reference.connection).changed
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn connect_reference(
        environment: &mut Environment,
        logical_name: &str,
        connection: &str,
    ) -> Scripted<Dynamic> {
        let client = environment.configuring().thrown()?;
        change(
            client
                .connect_reference(logical_name, connection)
                .thrown()?,
        )
    }

    /// Makes a team for an Entra group be as wanted. Options: `name`, `group` (the group's id),
    /// `business_unit`, `roles` (names), `remove_other_roles`.
    ///
    /// ```rhai,no_run
    /// environment::named("test").ensure_group_team(#{
    ///     name: "Sales", group: "00000000-0000-0000-0000-000000000001", roles: ["Basic User"],
    /// })
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn ensure_group_team(environment: &mut Environment, options: Map) -> Scripted<Dynamic> {
        let team: Team = super::options(options).thrown()?;
        let wanted = GroupTeam {
            name: team.name,
            group_id: team.group,
            business_unit_id: team.business_unit,
            roles: team.roles,
            remove_other_roles: team.remove_other_roles,
        };
        change(
            environment
                .configuring()
                .thrown()?
                .ensure_group_team(&wanted)
                .thrown()?,
        )
    }

    /// Shares a canvas app with an Entra group. Options: `group` (its id) and `role` (`CanView`,
    /// `CanEdit`). A role that the group has is not lowered.
    ///
    /// ```rhai,no_run
    /// let group = "00000000-0000-0000-0000-000000000001";
    /// environment::named("test").share_app("contoso_permits_1a2b3", #{ group: group, role: "CanView" })
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn share_app(environment: &mut Environment, app: &str, options: Map) -> Scripted<Dynamic> {
        let share: Share = super::options(options).thrown()?;
        let role = AppRole::parse(&share.role).thrown()?;
        change(
            environment
                .configuring()
                .thrown()?
                .share_app(app, share.group, role)
                .thrown()?,
        )
    }

    /// Makes a user, named by e-mail address or sign-in name, the owner of a canvas app.
    ///
    /// ```rhai,no_run
    /// environment::named("test").set_app_owner("contoso_permits_1a2b3", "maya@contoso.example")
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn set_app_owner(
        environment: &mut Environment,
        app: &str,
        owner: &str,
    ) -> Scripted<Dynamic> {
        change(
            environment
                .configuring()
                .thrown()?
                .set_app_owner(app, owner)
                .thrown()?,
        )
    }

    /// Lets people open a canvas app without being asked to allow its connections.
    ///
    /// ```rhai,no_run
    /// environment::named("test").bypass_consent("contoso_permits_1a2b3")
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn bypass_consent(environment: &mut Environment, app: &str) -> Scripted<Dynamic> {
        change(
            environment
                .configuring()
                .thrown()?
                .bypass_consent(app)
                .thrown()?,
        )
    }

    /// The cloud flows of a solution: maps with `id`, `name`, `on`, `owner`,
    /// `connection_references` and `calls` (the ids of the flows that it calls).
    ///
    /// ```rhai,tenant
    /// environment::development().flows("PowerAutomateSamples").len() > 0
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn flows(environment: &mut Environment, solution: &str) -> Scripted<Dynamic> {
        data(&environment.reading().thrown()?.flows(solution).thrown()?).thrown()
    }

    /// Sorts flows so that the flows that one calls come before it. `manual` gives places by hand,
    /// which win: a map of flow id or name to a number, or the list `flows` of the settings.
    ///
    /// ```rhai,tenant
    /// let dev = environment::development();
    /// dev.flow_order(dev.flows("PowerAutomateSamples"), #{}).len() > 0
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn flow_order(
        environment: &mut Environment,
        flows: Array,
        manual: Dynamic,
    ) -> Scripted<Dynamic> {
        let _ = environment;
        let flows = super::flows(flows).thrown()?;
        let manual = super::places(&flows, &manual).thrown()?;
        data(&order_flows(&flows, &manual).thrown()?).thrown()
    }

    /// Sorts flows so that the flows that one calls come before it.
    ///
    /// ```rhai,tenant
    /// environment::development().flow_order([]) == []
    /// ```
    #[rhai_fn(global, name = "flow_order", pure, return_raw)]
    pub fn natural_flow_order(environment: &mut Environment, flows: Array) -> Scripted<Dynamic> {
        flow_order(environment, flows, Dynamic::UNIT)
    }

    /// Turns a flow on, named by its id or name.
    ///
    /// ```rhai,no_run
    /// environment::named("test").turn_on_flow("Send the weekly report")
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn turn_on_flow(environment: &mut Environment, flow: &str) -> Scripted<Dynamic> {
        change(
            environment
                .configuring()
                .thrown()?
                .turn_on_flow(flow)
                .thrown()?,
        )
    }

    /// Turns a flow off, named by its id or name.
    ///
    /// ```rhai,tenant
    /// let dev = environment::development();
    /// let flow = dev.flows("PowerAutomateSamples")[0].id;
    /// dev.turn_off_flow(flow);
    /// !dev.turn_off_flow(flow).changed
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn turn_off_flow(environment: &mut Environment, flow: &str) -> Scripted<Dynamic> {
        change(
            environment
                .configuring()
                .thrown()?
                .turn_off_flow(flow)
                .thrown()?,
        )
    }

    /// Gives a flow to another owner. A flow that is on is turned off for that and on again.
    ///
    /// ```rhai,no_run
    /// environment::named("test").set_flow_owner("Send the weekly report", "maya@contoso.example")
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn set_flow_owner(
        environment: &mut Environment,
        flow: &str,
        owner: &str,
    ) -> Scripted<Dynamic> {
        change(
            environment
                .configuring()
                .thrown()?
                .set_flow_owner(flow, owner)
                .thrown()?,
        )
    }

    /// Lets a team read a flow.
    ///
    /// ```rhai,no_run
    /// environment::named("test").share_flow("Send the weekly report", "Sales")
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn share_flow(environment: &mut Environment, flow: &str, team: &str) -> Scripted<Dynamic> {
        change(
            environment
                .configuring()
                .thrown()?
                .share_flow(flow, team)
                .thrown()?,
        )
    }

    /// Lets a team read a custom connector.
    ///
    /// ```rhai,no_run
    /// environment::named("test").share_connector("contoso_erp", "Sales")
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn share_connector(
        environment: &mut Environment,
        connector: &str,
        team: &str,
    ) -> Scripted<Dynamic> {
        change(
            environment
                .configuring()
                .thrown()?
                .share_connector(connector, team)
                .thrown()?,
        )
    }

    /// Sets the address that a webhook (a service endpoint) calls.
    ///
    /// ```rhai,no_run
    /// environment::named("test").set_webhook("Order placed", "https://hooks.example/order?x=1")
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn set_webhook(environment: &mut Environment, name: &str, url: &str) -> Scripted<Dynamic> {
        change(
            environment
                .configuring()
                .thrown()?
                .set_webhook(name, url)
                .thrown()?,
        )
    }

    /// Sets the configuration of a plug-in step. Options: `unsecure`, `secure`.
    ///
    /// ```rhai,no_run
    /// let step = "00000000-0000-0000-0000-000000000001";
    /// environment::named("test").configure_step(step, #{ unsecure: "<settings/>" })
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn configure_step(
        environment: &mut Environment,
        step: &str,
        options: Map,
    ) -> Scripted<Dynamic> {
        let client = environment.configuring().thrown()?;
        let read: Step = super::options(options).thrown()?;
        let secure = read.secure.map(Secret::new);
        if let Some(secure) = &secure {
            environment.context.learn_secret(secure.clone());
        }
        let wanted = StepConfiguration {
            unsecure: read.unsecure,
            secure,
        };
        change(
            client
                .configure_step(id(step).thrown()?, &wanted)
                .thrown()?,
        )
    }

    /// Writes configuration data, as `deployment::find_data` returns it. Rows are created or
    /// updated, never deleted. Returns a map with `changed`, `created`, `updated`, `unchanged`,
    /// `associated`, `warnings`.
    ///
    /// ```rhai,no_run
    /// let layout = deployment::layout(".")[0];
    /// let found = deployment::find_data(".", #{ solution: layout.name, environment: "test" });
    /// environment::named("test").import_data(found)
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn import_data(environment: &mut Environment, package: Data) -> Scripted<Dynamic> {
        super::super::rows::permit_data(environment, &package).thrown()?;
        let report = environment
            .client()
            .import_data(&package, jiff::Timestamp::now())
            .thrown()?;
        let mut map = data(&report).thrown()?;
        if let Ok(mut map) = map.as_map_mut() {
            map.insert("changed".into(), report.changed().into());
        }
        Ok(map)
    }
}

/// Flows that a script holds as maps.
fn flows(flows: Array) -> Result<Vec<Flow>, HostError> {
    let json =
        to_json(&flows.into()).map_err(|error| HostError::new("ALM-S021", error.to_string()))?;
    serde_json::from_value(json).map_err(|error| {
        HostError::new("ALM-S021", format!("these are not flows: {error}"))
            .with_hint("pass what `flows(solution)` returned")
    })
}

/// The places by hand, by flow id.
fn places(flows: &[Flow], manual: &Dynamic) -> Result<HashMap<Uuid, f64>, HostError> {
    let json = to_json(manual).map_err(|error| HostError::new("ALM-S021", error.to_string()))?;
    let mut places = HashMap::new();
    let mut put = |which: &str, place: &Value| {
        let flow = flows
            .iter()
            .find(|flow| flow.name == which || which.parse::<Uuid>().is_ok_and(|id| id == flow.id));
        if let (Some(flow), Some(place)) = (flow, place.as_f64()) {
            places.insert(flow.id, place);
        }
    };
    match &json {
        Value::Null => {}
        Value::Object(entries) => entries.iter().for_each(|(which, place)| put(which, place)),
        Value::Array(settings) => {
            for setting in settings {
                let which = setting["id"].as_str().or_else(|| setting["name"].as_str());
                put(which.unwrap_or_default(), &setting["order"]);
            }
        }
        _ => {
            let message = "the places by hand must be a map or the flows of the settings";
            return Err(HostError::new("ALM-S021", message));
        }
    }
    Ok(places)
}
