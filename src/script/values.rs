//! Rhai values as JSON and back.
//!
//! Only plain data crosses here: text, numbers, flags, arrays, maps and `()`. What must come back
//! as its own type after a resume goes through [`Keepers`](super::Keepers).

use rhai::{Array, Dynamic, ImmutableString, Map};
use serde_json::{Number, Value};

/// A value that JSON has no form for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}a value of type `{type_name}` is not plain data", at(path))]
pub struct NotJson {
    /// Where it stands inside the whole value, for example `files[2].owner`; empty at the top.
    pub path: String,
    /// The script's name for its type.
    pub type_name: String,
}

fn at(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!("at `{path}`: ")
    }
}

/// Turns plain script data into JSON; `()` becomes null.
///
/// # Errors
/// [`NotJson`] for a function, a blob, a timestamp, a host type or a float that is not finite.
pub fn to_json(value: &Dynamic) -> Result<Value, NotJson> {
    convert(
        value,
        &mut |_, path, type_name| Err(NotJson { path, type_name }),
        String::new(),
    )
}

/// What is done with a value that is not plain data: its replacement, or the refusal.
pub(super) type Other<'a, E> = &'a mut dyn FnMut(&Dynamic, String, String) -> Result<Value, E>;

/// Walks plain data and hands everything else to `other` with its path and type name.
pub(super) fn convert<E>(value: &Dynamic, other: Other<'_, E>, path: String) -> Result<Value, E> {
    // A variable that a closure captured is shared; what counts is the value inside.
    let value = &value.flatten_clone();
    if value.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(flag) = value.as_bool() {
        return Ok(Value::Bool(flag));
    }
    if let Ok(integer) = value.as_int() {
        return Ok(Value::from(integer));
    }
    if let Ok(float) = value.as_float() {
        return match Number::from_f64(float) {
            Some(number) => Ok(Value::Number(number)),
            None => other(value, path, "float".into()),
        };
    }
    if let Ok(character) = value.as_char() {
        return Ok(Value::from(character.to_string()));
    }
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return Ok(Value::from(text.as_str()));
    }
    if let Some(items) = value.read_lock::<Array>() {
        let items = items.iter().enumerate();
        return items
            .map(|(at, item)| convert(item, other, format!("{path}[{at}]")))
            .collect();
    }
    if let Some(entries) = value.read_lock::<Map>() {
        return entries
            .iter()
            .map(|(key, item)| {
                let path = if path.is_empty() {
                    key.to_string()
                } else {
                    format!("{path}.{key}")
                };
                Ok((key.to_string(), convert(item, other, path)?))
            })
            .collect();
    }
    let type_name = short_name(value.type_name());
    other(value, path, type_name)
}

/// `almscript::solution::Package` as `Package`.
pub(super) fn short_name(rust: &str) -> String {
    rust.rsplit("::").next().unwrap_or(rust).to_owned()
}

/// Turns JSON into script data; null becomes `()`. A whole number beyond 64 bits becomes a float,
/// as scripts have no larger integer.
pub fn from_json(value: Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(flag) => flag.into(),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => integer.into(),
            None => number.as_f64().map_or(Dynamic::UNIT, Dynamic::from),
        },
        Value::String(text) => text.into(),
        Value::Array(items) => items.into_iter().map(from_json).collect::<Array>().into(),
        Value::Object(entries) => {
            let map: Map = entries
                .into_iter()
                .map(|(key, item)| (key.into(), from_json(item)))
                .collect();
            map.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn plain_data_comes_back_as_it_was() {
        let value = json!({
            "a \"b\"/c\n": [1, -2, 1.5, true, null, "zażółć"],
            "": {"deep": [[], {}]},
        });
        assert_eq!(to_json(&from_json(value.clone())).unwrap(), value);
    }

    #[test]
    fn whole_floats_stay_floats() {
        assert_eq!(to_json(&Dynamic::from(2.0_f64)).unwrap().to_string(), "2.0");
        assert!(from_json(json!(2.0)).is_float());
    }

    #[test]
    fn what_is_not_plain_is_named_with_its_place() {
        let mut map = Map::new();
        map.insert(
            "list".into(),
            Dynamic::from(vec![Dynamic::from(rhai::FnPtr::new("f").unwrap())]),
        );
        let error = to_json(&map.into()).unwrap_err();
        assert_eq!(error.path, "list[0]");
    }
}
