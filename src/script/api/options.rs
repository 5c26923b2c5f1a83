//! Maps of options checked against a struct.
//!
//! `env.install(pkg, #{ mode: "upgrade" })` reads its map into a serde struct. An unknown name is
//! an error that says the nearest one, a wrong type says which option and what it must be. Rhai's
//! own deserialiser would raise an error that scripts cannot catch (rhai-host §4.2).

use rhai::Variant;
use rhai::{Dynamic, Map};
use serde::de::{self, DeserializeOwned, Deserializer, IntoDeserializer, MapAccess, Visitor};

use super::HostError;
use crate::nearest::nearest;
use crate::problem::Problem;
use crate::script::values::{short_name, to_json};

/// Why a map of options was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// A name that the function does not know.
    #[error("unknown option `{name}`{}", did_you_mean(nearest.as_deref()))]
    Unknown {
        /// The name that was given.
        name: String,
        /// The known name that looks most like it.
        nearest: Option<String>,
        /// All names that are known.
        known: Vec<String>,
    },
    /// A value of the wrong type or out of range.
    #[error("option `{name}`: {reason}")]
    Value {
        /// The option.
        name: String,
        /// What is wrong with its value.
        reason: String,
    },
    /// An option without which the function cannot work.
    #[error("option `{0}` is missing")]
    Missing(String),
    /// Anything else that the struct refuses.
    #[error("{0}")]
    Other(String),
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| {
        format!(", did you mean `{nearest}`?")
    })
}

impl Problem for OptionError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "ALM-S020",
            Self::Value { .. } | Self::Other(_) => "ALM-S021",
            Self::Missing(_) => "ALM-S022",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { known, .. } if !known.is_empty() => {
                Some(format!("the options are {}", known.join(", ")))
            }
            _ => None,
        }
    }
}

/// A map of options on its way into a struct.
///
/// Options that are host values (a tree, an environment) are taken out by name first; the rest is
/// plain data and is read at once.
#[derive(Debug)]
pub struct Options {
    map: Map,
    taken: Vec<&'static str>,
}

impl Options {
    /// The options that a script gave.
    pub fn new(map: Map) -> Self {
        Self {
            map,
            taken: Vec::new(),
        }
    }

    /// Takes the host value called `name` out of the map; `()` counts as left out.
    ///
    /// # Errors
    /// [`OptionError::Value`] if it is there and of another type.
    pub fn take<T: Variant + Clone>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, OptionError> {
        self.taken.push(name);
        match self.map.remove(name).map(Dynamic::flatten) {
            None => Ok(None),
            Some(value) if value.is_unit() => Ok(None),
            Some(value) => {
                let found = short_name(value.type_name());
                value
                    .try_cast::<T>()
                    .map(Some)
                    .ok_or_else(|| OptionError::Value {
                        name: name.into(),
                        reason: format!(
                            "must be of type `{}`, not `{found}`",
                            short_name(std::any::type_name::<T>())
                        ),
                    })
            }
        }
    }

    /// Reads what is left into `T`, whose fields are all the other options there are.
    ///
    /// # Errors
    /// [`OptionError`] for an unknown name, a value that does not fit, or a missing one.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, OptionError> {
        let mut entries = Vec::with_capacity(self.map.len());
        for (name, value) in self.map {
            // `()` is how a script passes "not given" on, so it leaves the default in force.
            if value.is_unit() {
                continue;
            }
            let json = to_json(&value).map_err(|error| OptionError::Value {
                name: name.to_string(),
                reason: error.to_string(),
            })?;
            entries.push((name.to_string(), json));
        }
        T::deserialize(Entries {
            entries,
            taken: self.taken,
        })
    }
}

/// Reads a map that holds plain data only.
///
/// # Errors
/// As [`Options::read`], already in the form that a script sees.
pub fn options<T: DeserializeOwned>(map: Map) -> Result<T, HostError> {
    Ok(Options::new(map).read()?)
}

/// A deserialiser that knows the struct's field names, which serde's own errors only spell out.
struct Entries {
    entries: Vec<(String, serde_json::Value)>,
    taken: Vec<&'static str>,
}

impl<'de> Deserializer<'de> for Entries {
    type Error = OptionError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OptionError> {
        visitor.visit_map(Pairs {
            entries: self.entries.into_iter(),
            value: None,
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, OptionError> {
        let known = || fields.iter().chain(&self.taken).copied();
        if let Some((name, _)) = self
            .entries
            .iter()
            .find(|(name, _)| known().all(|k| k != name))
        {
            return Err(OptionError::Unknown {
                name: name.clone(),
                nearest: nearest(name, known()).map(str::to_owned),
                known: known().map(str::to_owned).collect(),
            });
        }
        self.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct Pairs {
    entries: std::vec::IntoIter<(String, serde_json::Value)>,
    value: Option<(String, serde_json::Value)>,
}

impl<'de> MapAccess<'de> for Pairs {
    type Error = OptionError;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, OptionError> {
        self.value = self.entries.next();
        match &self.value {
            Some((name, _)) => {
                let key: de::value::StrDeserializer<'_, OptionError> =
                    name.as_str().into_deserializer();
                seed.deserialize(key).map(Some)
            }
            None => Ok(None),
        }
    }

    fn next_value_seed<V: de::DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, OptionError> {
        let (name, value) = self
            .value
            .take()
            .expect("serde asks for a value after its key");
        seed.deserialize(value).map_err(|error| OptionError::Value {
            name,
            reason: in_script_words(&error.to_string()),
        })
    }
}

impl de::Error for OptionError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::Other(message.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field.into())
    }
}

/// Serde's words with the names that scripts have for types.
fn in_script_words(message: &str) -> String {
    const WORDS: [(&str, &str); 7] = [
        ("invalid type: ", "found "),
        ("invalid value: ", "found "),
        ("expected i64", "expected an integer"),
        ("expected u64", "expected an integer that is not negative"),
        ("expected u32", "expected an integer that is not negative"),
        ("expected a boolean", "expected `true` or `false`"),
        ("expected a sequence", "expected an array"),
    ];
    WORDS
        .iter()
        .fold(message.to_owned(), |text, (rust, script)| {
            text.replace(rust, script)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Retry {
        retries: i64,
        label: Option<String>,
        kind: Kind,
    }

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        #[default]
        Managed,
        Unmanaged,
    }

    #[derive(Debug, serde::Deserialize)]
    struct Needed {
        #[expect(dead_code, reason = "only its absence is tested")]
        solution: String,
    }

    fn map(text: &str) -> Map {
        rhai::Engine::new().eval(text).unwrap()
    }

    #[test]
    fn options_are_read_with_their_defaults() {
        let read: Retry = options(map("#{ retries: 3, label: (), kind: \"unmanaged\" }")).unwrap();
        assert_eq!(
            read,
            Retry {
                retries: 3,
                label: None,
                kind: Kind::Unmanaged
            }
        );
    }

    #[test]
    fn an_unknown_option_names_the_nearest() {
        let error = options::<Retry>(map("#{ retires: 3 }")).unwrap_err();
        assert_eq!(
            error.message,
            "unknown option `retires`, did you mean `retries`?"
        );
        assert_eq!(error.code, "ALM-S020");
        assert_eq!(
            error.hint.as_deref(),
            Some("the options are retries, label, kind")
        );
    }

    #[test]
    fn a_wrong_type_names_the_option() {
        let error = options::<Retry>(map("#{ retries: \"three\" }")).unwrap_err();
        assert_eq!(
            error.message,
            "option `retries`: found string \"three\", expected an integer"
        );
    }

    #[test]
    fn a_wrong_choice_names_the_choices() {
        let error = options::<Retry>(map("#{ kind: \"manged\" }")).unwrap_err();
        assert!(
            error.message.contains("`managed` or `unmanaged`"),
            "{}",
            error.message
        );
    }

    #[test]
    fn a_missing_option_is_named() {
        let error = options::<Needed>(map("#{}")).unwrap_err();
        assert_eq!(error.message, "option `solution` is missing");
    }

    #[test]
    fn host_values_are_taken_by_type() {
        let mut given = Options::new(map("#{ tree: 3, retries: 1 }"));
        let error = given.take::<rhai::Blob>("tree").unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("option `tree`: must be of type"),
            "{error}"
        );
    }
}
