//! What takes values out of a map, and maps as JSON.

use std::mem;

use rhai::plugin::{Dynamic, ImmutableString, NativeCallContext, export_module};
use rhai::{FnPtr, Map};

use super::arrays::taken;
use super::room::Room;
use crate::script::api::HostError;
use crate::script::api::error::{Scripted, Thrown};
use crate::script::guard::check_depth;

#[export_module]
pub(super) mod module {
    /// Takes a property out.
    #[rhai_fn(return_raw)]
    pub fn remove(call: NativeCallContext<'_>, map: &mut Map, key: &str) -> Scripted<Dynamic> {
        taken(&call, map.remove(key).unwrap_or_default())
    }

    /// Takes the properties for which `filter` answers yes out.
    #[rhai_fn(return_raw)]
    pub fn drain(call: NativeCallContext<'_>, map: &mut Map, filter: FnPtr) -> Scripted<Map> {
        parted(&call, map, &filter, true)
    }

    /// Takes the properties for which `filter` answers no out.
    #[rhai_fn(return_raw)]
    pub fn retain(call: NativeCallContext<'_>, map: &mut Map, filter: FnPtr) -> Scripted<Map> {
        parted(&call, map, &filter, false)
    }

    /// The map as JSON.
    #[rhai_fn(return_raw, pure)]
    pub fn to_json(call: NativeCallContext<'_>, map: &mut Map) -> Scripted<ImmutableString> {
        let room = Room::of(&call);
        for value in map.values() {
            check_depth(value).map_err(|_| room.too_deep())?;
        }
        let entries: std::collections::BTreeMap<_, _> = map
            .iter()
            .map(|(key, value)| (key.as_str(), value))
            .collect();
        let json = serde_json::to_string(&entries)
            .map_err(|error| HostError::new("ALM-S052", error.to_string()));
        let json = json.thrown()?;
        room.text(json.len())?;
        Ok(json.into())
    }
}

fn parted(call: &NativeCallContext<'_>, map: &mut Map, filter: &FnPtr, out: bool) -> Scripted<Map> {
    let name = if out { "drain" } else { "retain" };
    let room = Room::of(call);
    let mut parted = Map::new();
    let mut entries = mem::take(map).into_iter();
    while let Some((key, mut value)) = entries.next() {
        let told = filter.call_raw_with_extra_args(
            name,
            call,
            Some(&mut value),
            [key.clone().into()],
            [],
            Some(1),
        );
        let told = told.and_then(|told| {
            room.taken(&value)?;
            Ok(told)
        });
        match told {
            Ok(told) if told.as_bool().unwrap_or(false) == out => {
                parted.insert(key, value);
            }
            Ok(_) => {
                map.insert(key, value);
            }
            // Nothing is lost if the filter fails and the script catches that.
            Err(error) => {
                map.insert(key, value);
                map.extend(parted.into_iter().chain(entries));
                return Err(error);
            }
        }
    }
    Ok(parted)
}
