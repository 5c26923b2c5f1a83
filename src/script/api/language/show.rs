//! Arrays and maps as text.
//!
//! Rhai prints level by level through the interpreter, without a look at how deep or long that gets.

use std::fmt::Write as _;

use rhai::plugin::{Dynamic, ImmutableString, NativeCallContext, export_module};
use rhai::{Array, FnPtr, Map};

use super::room::Room;
use crate::script::api::error::Scripted;

/// How deep a value is printed.
const LEVELS: usize = 1_000;

#[export_module]
pub(super) mod module {
    /// An array as text.
    #[rhai_fn(
        name = "print",
        name = "to_string",
        name = "debug",
        name = "to_debug",
        return_raw,
        pure
    )]
    pub fn show_array(call: NativeCallContext<'_>, array: &mut Array) -> Scripted<ImmutableString> {
        let mut printer = Printer::of(&call);
        printer.array(array, LEVELS)?;
        Ok(printer.text.into())
    }

    /// A map as text.
    #[rhai_fn(
        name = "print",
        name = "to_string",
        name = "debug",
        name = "to_debug",
        return_raw,
        pure
    )]
    pub fn show_map(call: NativeCallContext<'_>, map: &mut Map) -> Scripted<ImmutableString> {
        let mut printer = Printer::of(&call);
        printer.map(map, LEVELS)?;
        Ok(printer.text.into())
    }
}

struct Printer<'a, 'c> {
    call: &'a NativeCallContext<'c>,
    room: Room,
    text: String,
}

impl<'a, 'c> Printer<'a, 'c> {
    fn of(call: &'a NativeCallContext<'c>) -> Self {
        Self {
            call,
            room: Room::of(call),
            text: String::new(),
        }
    }

    fn array(&mut self, array: &Array, levels: usize) -> Scripted<()> {
        let levels = self.below(levels)?;
        self.text.push('[');
        for (at, item) in array.iter().enumerate() {
            if at > 0 {
                self.text.push_str(", ");
            }
            self.value(item, levels)?;
        }
        self.text.push(']');
        Ok(())
    }

    fn map(&mut self, map: &Map, levels: usize) -> Scripted<()> {
        let levels = self.below(levels)?;
        self.text.push_str("#{");
        for (at, (key, item)) in map.iter().enumerate() {
            if at > 0 {
                self.text.push_str(", ");
            }
            // Writing to a text cannot fail.
            let _ = write!(self.text, "{:?}: ", key.as_str());
            self.value(item, levels)?;
        }
        self.text.push('}');
        Ok(())
    }

    fn value(&mut self, value: &Dynamic, levels: usize) -> Scripted<()> {
        self.room.step()?;
        self.room.text(self.text.len())?;
        if let Some(array) = value.read_lock::<Array>() {
            return self.array(&array, levels);
        }
        if let Some(map) = value.read_lock::<Map>() {
            return self.map(&map, levels);
        }
        if value.is_fnptr() {
            // By its name alone: what a closure captured may lead back to the closure.
            let name = value.read_lock::<FnPtr>().map(|f| f.fn_name().to_owned());
            let _ = write!(self.text, "Fn({})", name.unwrap_or_default());
            return Ok(());
        }
        let told = self
            .call
            .call_native_fn_raw("to_debug", true, &mut [&mut value.clone()]);
        let told = told.ok().and_then(|told| told.into_immutable_string().ok());
        match told {
            Some(told) => self.text.push_str(&told),
            None => self
                .text
                .push_str(self.call.engine().map_type_name(value.type_name())),
        }
        Ok(())
    }

    fn below(&self, levels: usize) -> Scripted<usize> {
        levels.checked_sub(1).ok_or_else(|| self.room.too_deep())
    }
}
