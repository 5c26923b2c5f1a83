//! How a step's result is kept in the journal and comes back when the run is resumed.
//!
//! Plain data is kept as JSON. A host type is kept if its group registered it: a handle by what
//! finds it again, a package or a tree as an artifact. Anything else is refused when the step
//! ends, at the first trial of a script and not at the resume that would have needed it.

use std::any::TypeId;

use rhai::{Blob, Dynamic, Map};
use serde_json::{Value, json};

use super::api::HostError;
use super::context::Context;
use super::values::{convert, from_json};

/// The key that marks a kept value that is not plain JSON.
const MARK: &str = "$kept";

/// The key of a script's own map as it is stored: one that looks like the mark gets a `$` more, so
/// that no script can make up a kept value.
fn stored_key(key: &str) -> String {
    match is_mark(key) {
        true => format!("${key}"),
        false => key.to_owned(),
    }
}

/// The key that [`stored_key`] was given.
fn own_key(stored: &str) -> &str {
    match stored.strip_prefix('$') {
        Some(key) if is_mark(key) => key,
        _ => stored,
    }
}

/// Whether a key is the mark or an escaped one.
fn is_mark(key: &str) -> bool {
    key.ends_with(MARK) && key.trim_start_matches('$') == "kept"
}

/// A host type whose values can be a step's result.
pub trait Keep: rhai::Variant + Clone {
    /// A stable name, part of what is stored.
    const KIND: &'static str;

    /// What to store.
    ///
    /// # Errors
    /// When an artifact cannot be written.
    fn keep(&self, context: &Context) -> Result<Value, HostError>;

    /// The value that was stored as `kept`.
    ///
    /// # Errors
    /// When an artifact is gone or `kept` was written by another version.
    fn revive(kept: &Value, context: &Context) -> Result<Self, HostError>;
}

/// All the types that can be kept, of one host.
#[derive(Clone, Default)]
pub struct Keepers(Vec<Keeper>);

#[derive(Clone, Copy)]
struct Keeper {
    type_id: fn() -> TypeId,
    kind: &'static str,
    keep: fn(&Dynamic, &Context) -> Result<Value, HostError>,
    revive: fn(&Value, &Context) -> Result<Dynamic, HostError>,
}

impl Keepers {
    /// Adds a type. The first one of a kind stays.
    pub fn add<T: Keep>(&mut self) -> &mut Self {
        self.0.push(Keeper {
            type_id: TypeId::of::<T>,
            kind: T::KIND,
            keep: |value, context| match value.read_lock::<T>() {
                Some(value) => value.keep(context),
                None => Err(lost(T::KIND)),
            },
            revive: |kept, context| T::revive(kept, context).map(Dynamic::from),
        });
        self
    }

    /// The stored form of `value`.
    ///
    /// # Errors
    /// `ALM-S014` for a value that cannot be kept, `ALM-S056` for one that is nested too deep, and whatever stops an artifact from being stored.
    pub fn keep(&self, value: &Dynamic, context: &Context) -> Result<Value, HostError> {
        convert(value, stored_key, &mut |value, path, type_name| {
            self.other(value, &path, &type_name, context)
        })
    }

    fn other(
        &self,
        value: &Dynamic,
        path: &str,
        type_name: &str,
        context: &Context,
    ) -> Result<Value, HostError> {
        if let Some(bytes) = value.read_lock::<Blob>() {
            return Ok(json!({ MARK: "blob", "value": context.artifacts().put(&bytes)? }));
        }
        let keeper = self
            .0
            .iter()
            .find(|keeper| (keeper.type_id)() == value.type_id());
        match keeper {
            Some(keeper) => {
                Ok(json!({ MARK: keeper.kind, "value": (keeper.keep)(value, context)? }))
            }
            None => Err(HostError::new(
                "ALM-S014",
                if path.is_empty() {
                    format!(
                        "a step cannot end with a value of type `{type_name}`: it cannot be kept"
                    )
                } else {
                    format!("a step cannot keep its result: `{path}` is of type `{type_name}`")
                },
            )
            .with_hint(
                "end the step with text, numbers, maps, arrays, a package or a tree, or with `()`",
            )),
        }
    }

    /// The value that [`keep`](Self::keep) stored.
    ///
    /// # Errors
    /// When an artifact is gone or the stored form is of a type that this host does not know.
    pub fn revive(&self, kept: &Value, context: &Context) -> Result<Dynamic, HostError> {
        match kept {
            Value::Array(items) => {
                let items: Result<rhai::Array, _> = items
                    .iter()
                    .map(|item| self.revive(item, context))
                    .collect();
                Ok(items?.into())
            }
            Value::Object(entries) => match entries.get(MARK).and_then(Value::as_str) {
                Some("blob") => {
                    let address = entries.get("value").and_then(Value::as_str);
                    let address = address.ok_or_else(|| lost("blob"))?;
                    Ok(Dynamic::from_blob(context.artifacts().get(address)?))
                }
                Some(kind) => {
                    let keeper = self.0.iter().find(|keeper| keeper.kind == kind);
                    let keeper = keeper.ok_or_else(|| lost(kind))?;
                    (keeper.revive)(entries.get("value").unwrap_or(&Value::Null), context)
                }
                None => {
                    let mut map = Map::new();
                    for (key, item) in entries {
                        map.insert(own_key(key).into(), self.revive(item, context)?);
                    }
                    Ok(map.into())
                }
            },
            plain => Ok(from_json(plain.clone())),
        }
    }
}

fn lost(kind: &str) -> HostError {
    HostError::new(
        "ALM-S015",
        format!("the journal holds a `{kind}` that cannot be read back"),
    )
    .with_hint("start the run anew instead of resuming it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_looks_like_the_mark_comes_back_and_is_no_mark() {
        for key in ["$kept", "$$kept", "$$$kept"] {
            assert_ne!(stored_key(key), MARK);
            assert_eq!(own_key(&stored_key(key)), key);
        }
        for key in ["", "$", "kept", "x$kept", "$keptx"] {
            assert_eq!(stored_key(key), key);
            assert_eq!(own_key(key), key);
        }
    }
}
