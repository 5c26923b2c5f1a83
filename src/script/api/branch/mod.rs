//! `branch::`: repositories, branches, pull requests, builds and approvals for scripts.
//!
//! The group has three parts, one namespace: [`source`] opens repositories and reads and writes
//! branches, [`review`] has pull requests, [`pipelines`] has pipelines, builds and approvals. All
//! the work is done by `crate::branch`; here values are translated and permission is asked.

mod connect;
mod pipelines;
mod review;
mod source;

pub use pipelines::Build;
pub use review::PullRequest;
pub use source::{Branch, Commit, Repository};

use rhai::{Dynamic, Module};
use serde::Serialize;

use super::HostError;
use crate::script::values::from_json;

/// The functions of the group.
pub(super) fn group() -> Module {
    let mut module = rhai::exported_module!(source::module);
    module.combine(rhai::exported_module!(review::module));
    module.combine(rhai::exported_module!(pipelines::module));
    module
}

/// Plain data for a script: structs become maps.
fn data<T: Serialize>(value: &T) -> Result<Dynamic, HostError> {
    let json = serde_json::to_value(value).map_err(|error| {
        HostError::new("ALM-B026", format!("a result cannot be shown: {error}"))
    })?;
    Ok(from_json(json))
}

/// A choice of an enumeration as the word that scripts know it by.
fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// A text that may be missing, as scripts see it.
fn optional(text: Option<&str>) -> Dynamic {
    text.map_or(Dynamic::UNIT, |text| text.to_owned().into())
}

/// The stored form of plain data.
fn kept<T: Serialize>(value: &T) -> Result<serde_json::Value, HostError> {
    serde_json::to_value(value)
        .map_err(|error| HostError::new("ALM-B026", format!("a result cannot be kept: {error}")))
}

/// Plain data that was stored.
fn revived<T: serde::de::DeserializeOwned>(value: &serde_json::Value) -> Result<T, HostError> {
    serde_json::from_value(value.clone()).map_err(|error| {
        HostError::new(
            "ALM-S015",
            format!("the journal holds what cannot be read back: {error}"),
        )
        .with_hint("start the run anew instead of resuming it")
    })
}
