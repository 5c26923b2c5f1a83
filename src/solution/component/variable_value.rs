//! The current value of an environment variable, a component of its own (facts,
//! solution-package-format §2.7).

use serde_json::json;
use uuid::Uuid;

use super::{Component, ComponentType, Identity, Place, code};

/// The component that gives the variable `schema_name` the value `value`.
pub fn variable_value(schema_name: &str, id: Uuid, value: &str) -> Component {
    let file =
        format!("environmentvariabledefinitions/{schema_name}/environmentvariablevalues.json");
    let json = json!({ "environmentvariablevalues": { "environmentvariablevalue": {
        "@environmentvariablevalueid": id,
        "iscustomizable": "1",
        "value": value,
    }}});
    let identity = Identity::coded(code::VARIABLE_VALUE, schema_name);
    Component {
        component_type: ComponentType::Code(code::VARIABLE_VALUE),
        key: identity.key,
        id: Some(id),
        schema_name: Some(schema_name.to_owned()),
        display_name: schema_name.to_owned(),
        parent: Some(Identity::coded(code::VARIABLE, schema_name)),
        place: Place::Part(file),
        fragment: serde_json::to_string_pretty(&json).unwrap_or_default(),
        payload: Vec::new(),
    }
}
