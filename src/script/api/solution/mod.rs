//! Packages and source trees: read, pack and unpack, look inside, change, compare, save.

mod comparing;
mod components;
mod details;
mod normalising;
mod packages;

use rhai::{Map, Module};
use serde::Serialize;

use super::HostError;
use crate::script::values::from_json;

pub use components::Component;

/// The functions of the group.
pub(super) fn group() -> Module {
    let mut module = rhai::exported_module!(packages::module);
    module.combine(rhai::exported_module!(components::module));
    module.combine(rhai::exported_module!(details::module));
    module.combine(rhai::exported_module!(comparing::module));
    module.combine(rhai::exported_module!(normalising::module));
    module
}

/// Data of the solution floor as a map for scripts.
fn map_of<T: Serialize>(value: &T) -> Result<Map, HostError> {
    let json = serde_json::to_value(value)
        .map_err(|error| HostError::new("ALM-S052", error.to_string()))?;
    Ok(from_json(json).try_cast::<Map>().unwrap_or_default())
}
