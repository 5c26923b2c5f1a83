//! Takes secrets out of JSON: out of what is shown, wherever they stand, and out of what is kept to
//! go on with, where only whole values are left out and everything else stays as it was.

use serde_json::{Map, Value, json};

use crate::transport::redact::{Redactor, names_a_secret};

/// The key of what is kept in the place of a secret parameter.
const LEFT_OUT: &str = "$left_out";

/// Parameters as they are kept: those that are secrets by their name are left out.
pub(super) fn without_secrets(mut params: Map<String, Value>) -> Map<String, Value> {
    for (name, value) in &mut params {
        if names_a_secret(name) && value.is_string() {
            *value = json!({ LEFT_OUT: "secret" });
        }
    }
    params
}

/// Whether a secret stood here that was left out.
pub(super) fn is_left_out(value: &Value) -> bool {
    value.get(LEFT_OUT).is_some()
}

/// Whether one of the secrets that the run has learnt stands in a value.
pub(super) fn holds_secret(redactor: &Redactor, value: &Value) -> bool {
    match value {
        Value::String(text) => redactor.knows_in(text),
        Value::Array(items) => items.iter().any(|item| holds_secret(redactor, item)),
        Value::Object(entries) => entries
            .iter()
            .any(|(name, item)| redactor.knows_in(name) || holds_secret(redactor, item)),
        _ => false,
    }
}

/// `value` without secrets: each text is searched, and a member with a secret's name is masked.
pub(super) fn redacted(redactor: &Redactor, value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(redactor.redact(&text)),
        Value::Array(items) => items
            .into_iter()
            .map(|item| redacted(redactor, item))
            .collect(),
        Value::Object(entries) => Value::Object(redacted_map(redactor, entries)),
        other => other,
    }
}

/// The same for the members of an object.
pub(super) fn redacted_map(redactor: &Redactor, entries: Map<String, Value>) -> Map<String, Value> {
    let member = |(name, value): (String, Value)| {
        let value = match value {
            Value::String(text) => Value::String(member_text(redactor, &name, &text)),
            other => redacted(redactor, other),
        };
        (name, value)
    };
    entries.into_iter().map(member).collect()
}

/// The redactor knows secret members by their name inside JSON text, so it is shown one.
fn member_text(redactor: &Redactor, name: &str, text: &str) -> String {
    let pair = Value::Object(Map::from_iter([(name.to_owned(), Value::from(text))]));
    let redacted = redactor.redact(&pair.to_string());
    match serde_json::from_str::<Map<String, Value>>(&redacted) {
        Ok(pair) => match pair.get(name) {
            Some(Value::String(text)) => redactor.redact(text),
            _ => "***".to_owned(),
        },
        Err(_) => "***".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Secret;

    #[test]
    fn secrets_go_and_everything_else_stays() {
        let mut redactor = Redactor::new();
        redactor.learn(Secret::new("hush-hush"));
        let value = json!({
            "password": "two words; and more",
            "list": ["say hush-hush \"now\"", 3, null],
            "path": "C:\\temp\n\"x\"",
        });
        assert_eq!(
            redacted(&redactor, value),
            json!({
                "password": "***",
                "list": ["say *** \"now\"", 3, null],
                "path": "C:\\temp\n\"x\"",
            })
        );
    }
}
