//! Takes secrets out of JSON before it is written or shown.

use serde_json::{Map, Value};

use crate::transport::redact::Redactor;

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
    use serde_json::json;

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
