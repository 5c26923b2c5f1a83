//! Secret variables of pipelines and variable groups: written, and never read back.

use serde_json::Value;

use crate::emulator::credentials::one_way;

/// Makes what was sent fit to be kept: a secret as its digest, since nothing here can use it, and
/// one that comes back as null as it was in `old`.
pub(super) fn keep(sent: &mut Value, old: &Value) {
    for (name, variable) in secrets(sent) {
        variable["value"] = match &variable["value"] {
            Value::Null => old["variables"][name]["value"].clone(),
            Value::String(secret) => one_way(secret).into(),
            other => one_way(&other.to_string()).into(),
        };
    }
}

/// Takes the values of secrets out of an answer.
pub(super) fn hide(answer: &mut Value) {
    for (_, variable) in secrets(answer) {
        variable["value"] = Value::Null;
    }
}

fn secrets(body: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    let variables = body.get_mut("variables").and_then(Value::as_object_mut);
    let variables = variables.into_iter().flatten();
    variables.filter(|(_, variable)| variable["isSecret"] == Value::Bool(true))
}
