//! Rhai values as JSON and back.
//!
//! Only plain data crosses here: text, numbers, flags, arrays, maps and `()`. What must come back
//! as its own type after a resume goes through [`Keepers`](super::Keepers).

use rhai::{Array, Dynamic, ImmutableString, Map};
use serde_json::{Number, Value};

use crate::problem::Problem;

/// How deep arrays and maps may stand inside each other in a value that leaves its script: as a
/// step's or a run's result, as a parameter or in a request. `serde_json` reads 128 levels back,
/// and an event of the history takes some of them for itself.
pub const DEEPEST: usize = 100;

/// How many values one value that leaves its script may hold, all nested ones counted. As JSON each
/// takes some hundred bytes.
pub const MOST: usize = 2_000_000;

/// Why a value has no form as JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotJson {
    /// It is, or holds, a value that JSON has no form for.
    #[error("{}a value of type `{type_name}` is not plain data", at(path))]
    NotPlain {
        /// Where it stands inside the whole value, for example `files[2].owner`; empty at the top.
        path: String,
        /// The script's name for its type.
        type_name: String,
    },
    /// It is nested too deep or holds too much.
    #[error(transparent)]
    Unwieldy(#[from] Unwieldy),
}

/// A value that cannot leave its script for its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unwieldy {
    /// Arrays and maps stand inside each other too deep.
    #[error("the value is nested more than {DEEPEST} levels deep")]
    Deep,
    /// It holds too many values.
    #[error("the value holds more than {MOST} values")]
    Large,
}

impl Problem for Unwieldy {
    fn code(&self) -> &'static str {
        "ALM-S056"
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Deep => "look for a loop that puts a value into itself".into(),
            Self::Large => "write it to a file and return the file's name".into(),
        })
    }
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
/// [`NotJson`] for a function, a blob, a timestamp, a host type or a float that is not finite, and
/// for a value that is nested too deep or too large.
pub fn to_json(value: &Dynamic) -> Result<Value, NotJson> {
    convert(value, str::to_owned, &mut |_, path, type_name| {
        Err(NotJson::NotPlain { path, type_name })
    })
}

/// What is done with a value that is not plain data: its replacement, or the refusal.
pub(super) type Other<'a, E> = &'a mut dyn FnMut(&Dynamic, String, String) -> Result<Value, E>;

/// Walks plain data, calls the keys of maps as `key` does, and hands everything else to `other` with
/// its path and type name.
pub(super) fn convert<E: From<Unwieldy>>(
    value: &Dynamic,
    key: fn(&str) -> String,
    other: Other<'_, E>,
) -> Result<Value, E> {
    let left = MOST;
    let mut walk = Walk { key, other, left };
    walk.value(value, String::new(), DEEPEST)
}

struct Walk<'a, E> {
    key: fn(&str) -> String,
    other: Other<'a, E>,
    /// How many more values there may be.
    left: usize,
}

impl<E: From<Unwieldy>> Walk<'_, E> {
    /// `levels` is how much deeper it may go.
    fn value(&mut self, value: &Dynamic, path: String, levels: usize) -> Result<Value, E> {
        self.left = self.left.checked_sub(1).ok_or(Unwieldy::Large)?;
        // A variable that a closure captured is shared; what counts is the value inside. Anything
        // else is looked at where it stands: a copy at every level would be quadratic.
        let inside;
        let value = if value.is_shared() {
            inside = value.flatten_clone();
            &inside
        } else {
            value
        };
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
                None => (self.other)(value, path, "float".into()),
            };
        }
        if let Ok(character) = value.as_char() {
            return Ok(Value::from(character.to_string()));
        }
        if let Some(text) = value.read_lock::<ImmutableString>() {
            return Ok(Value::from(text.as_str()));
        }
        if let Some(items) = value.read_lock::<Array>() {
            let levels = levels.checked_sub(1).ok_or(Unwieldy::Deep)?;
            let items = items.iter().enumerate();
            return items
                .map(|(at, item)| self.value(item, format!("{path}[{at}]"), levels))
                .collect();
        }
        if let Some(entries) = value.read_lock::<Map>() {
            let levels = levels.checked_sub(1).ok_or(Unwieldy::Deep)?;
            return entries
                .iter()
                .map(|(key, item)| {
                    let path = if path.is_empty() {
                        key.to_string()
                    } else {
                        format!("{path}.{key}")
                    };
                    Ok(((self.key)(key), self.value(item, path, levels)?))
                })
                .collect();
        }
        let type_name = short_name(value.type_name());
        (self.other)(value, path, type_name)
    }
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
        assert!(
            matches!(&error, NotJson::NotPlain { path, .. } if path == "list[0]"),
            "{error}"
        );
    }

    #[test]
    fn a_value_nested_too_deep_is_refused() {
        let nested = |levels| (0..levels).fold(Dynamic::UNIT, |value, _| vec![value].into());
        assert!(to_json(&nested(DEEPEST)).is_ok());
        assert_eq!(
            to_json(&nested(DEEPEST + 1)),
            Err(NotJson::Unwieldy(Unwieldy::Deep))
        );
    }
}
