//! Tokens `#{name}#` in settings files (ALM Accelerator notes, 2.4).
//!
//! The file is parsed first and tokens are replaced inside its values afterwards, so that a value
//! with quotes, backslashes or line breaks arrives as it is (the notes, 1.14, tell what replacing
//! in the text does). A token that stands bare where JSON wants a value is taken as a text first.

use std::collections::BTreeMap;

use serde_json::Value;

/// Values for tokens. Names are compared as written first and then without regard to case, as
/// pipeline variables are.
pub(super) struct Tokens<'a> {
    values: &'a BTreeMap<String, String>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(values: &'a BTreeMap<String, String>) -> Self {
        Self { values }
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        let exact = self.values.get(name);
        let found = exact.or_else(|| {
            self.values
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value)
        });
        found.map(String::as_str)
    }

    /// Replaces the tokens in every text of `json`; names without a value go to `missing`.
    pub(super) fn replace_in(&self, json: &mut Value, missing: &mut Vec<String>) {
        match json {
            Value::String(text) => *text = self.replace(text, missing),
            Value::Array(values) => {
                values
                    .iter_mut()
                    .for_each(|value| self.replace_in(value, missing));
            }
            Value::Object(members) => {
                members
                    .values_mut()
                    .for_each(|value| self.replace_in(value, missing));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Replaces the tokens in one text. What comes in is not looked at again.
    pub(super) fn replace(&self, text: &str, missing: &mut Vec<String>) -> String {
        let mut result = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find("#{") {
            let Some(length) = rest[start + 2..].find("}#") else {
                break;
            };
            let name = &rest[start + 2..start + 2 + length];
            result.push_str(&rest[..start]);
            match self.value(name.trim()) {
                Some(value) => result.push_str(value),
                None => {
                    missing.push(name.trim().to_owned());
                    result.push_str(&rest[start..start + length + 4]);
                }
            }
            rest = &rest[start + length + 4..];
        }
        result.push_str(rest);
        result
    }

    /// Overrides values by their place: a variable `EnvironmentVariables.0.Value` replaces that
    /// value. Only places that exist count, as in the file transform of pipelines.
    pub(super) fn override_by_place(&self, json: &mut Value) {
        for (name, value) in self.values.iter().filter(|(name, _)| name.contains('.')) {
            let mut place = Some(&mut *json);
            for part in name.split('.') {
                place = match place {
                    Some(Value::Array(values)) => part
                        .parse::<usize>()
                        .ok()
                        .and_then(|index| values.get_mut(index)),
                    Some(Value::Object(members)) => members.get_mut(part),
                    _ => None,
                };
            }
            if let Some(place) = place
                && !place.is_array()
                && !place.is_object()
            {
                *place = Value::String(value.clone());
            }
        }
    }
}

/// Puts quotes around tokens that stand outside of a text, so that the file is JSON.
pub(super) fn quote_bare_tokens(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    let mut inside = false;
    while let Some(c) = rest.chars().next() {
        if !inside
            && rest.starts_with("#{")
            && let Some(length) = rest.find("}#")
        {
            let (token, after) = rest.split_at(length + 2);
            result.push_str(&Value::String(token.to_owned()).to_string());
            rest = after;
            continue;
        }
        let step = if inside && c == '\\' {
            // An escaped character never ends the text.
            1 + rest[1..].chars().next().map_or(0, char::len_utf8)
        } else {
            inside ^= c == '"';
            c.len_utf8()
        };
        result.push_str(&rest[..step]);
        rest = &rest[step..];
    }
    result
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    proptest! {
        #[test]
        fn any_value_arrives_as_it_is(value in "\\PC*|[\"\\\\#{}.\n']{0,12}") {
            let values = BTreeMap::from([("x".to_owned(), value.clone())]);
            let mut json = json!({"a": "before #{x}# after", "b": ["#{X}#"]});
            let mut missing = Vec::new();
            Tokens::new(&values).replace_in(&mut json, &mut missing);
            prop_assert!(missing.is_empty());
            prop_assert_eq!(&json["a"], &json!(format!("before {value} after")));
            prop_assert_eq!(&json["b"][0], &json!(value));
        }
    }

    #[test]
    fn a_missing_token_is_named_and_left_standing() {
        let mut missing = Vec::new();
        let values = BTreeMap::new();
        let text = Tokens::new(&values).replace("a #{one}# #{two}# #{open", &mut missing);
        assert_eq!(text, "a #{one}# #{two}# #{open");
        assert_eq!(missing, ["one", "two"]);
    }

    #[test]
    fn bare_tokens_become_texts_and_quoted_ones_stay() {
        let text = r##"{"a": #{x}#, "b": "#{y}#", "c": "\"#{z}#"}"##;
        let json: Value = serde_json::from_str(&quote_bare_tokens(text)).unwrap();
        assert_eq!(json, json!({"a": "#{x}#", "b": "#{y}#", "c": "\"#{z}#"}));
    }

    #[test]
    fn a_place_that_exists_is_overridden() {
        let values = BTreeMap::from([
            ("EnvironmentVariables.1.Value".to_owned(), "new".to_owned()),
            (
                "EnvironmentVariables.7.Value".to_owned(),
                "nowhere".to_owned(),
            ),
            (
                "EnvironmentVariables.0".to_owned(),
                "not a value".to_owned(),
            ),
        ]);
        let mut json = json!({"EnvironmentVariables": [{"Value": "a"}, {"Value": "b"}]});
        Tokens::new(&values).override_by_place(&mut json);
        assert_eq!(
            json,
            json!({"EnvironmentVariables": [{"Value": "a"}, {"Value": "new"}]})
        );
    }
}
