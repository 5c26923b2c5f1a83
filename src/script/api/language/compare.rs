//! Comparing and searching arrays and maps.
//!
//! Rhai compares level by level through the interpreter, without a look at how deep that goes.

use rhai::plugin::{Dynamic, NativeCallContext, export_module};
use rhai::{Array, EvalAltResult, FnPtr, Map};

use super::room::Room;
use crate::script::api::error::Scripted;

/// How deep two values are compared.
const LEVELS: usize = 1_000;

#[export_module]
pub(super) mod module {
    /// Whether two arrays hold the same values.
    #[rhai_fn(name = "==", return_raw, pure)]
    pub fn equal_arrays(
        call: NativeCallContext<'_>,
        left: &mut Array,
        right: Array,
    ) -> Scripted<bool> {
        Comparison::of(&call).arrays(left, &right, LEVELS)
    }

    /// Whether two arrays hold different values.
    #[rhai_fn(name = "!=", return_raw, pure)]
    pub fn different_arrays(
        call: NativeCallContext<'_>,
        left: &mut Array,
        right: Array,
    ) -> Scripted<bool> {
        Ok(!equal_arrays(call, left, right)?)
    }

    /// Whether two maps hold the same values.
    #[rhai_fn(name = "==", return_raw, pure)]
    pub fn equal_maps(call: NativeCallContext<'_>, left: &mut Map, right: Map) -> Scripted<bool> {
        Comparison::of(&call).maps(left, &right, LEVELS)
    }

    /// Whether two maps hold different values.
    #[rhai_fn(name = "!=", return_raw, pure)]
    pub fn different_maps(
        call: NativeCallContext<'_>,
        left: &mut Map,
        right: Map,
    ) -> Scripted<bool> {
        Ok(!equal_maps(call, left, right)?)
    }

    /// Whether an array holds a value.
    #[rhai_fn(return_raw, pure)]
    pub fn contains(
        call: NativeCallContext<'_>,
        array: &mut Array,
        value: Dynamic,
    ) -> Scripted<bool> {
        Ok(place(&call, array, 0, &value)?.is_some())
    }

    /// The first place of a value, or -1.
    #[rhai_fn(return_raw, pure)]
    pub fn index_of(
        call: NativeCallContext<'_>,
        array: &mut Array,
        value: Dynamic,
    ) -> Scripted<i64> {
        index_of_from(call, array, value, 0)
    }

    /// The first place of a value from `start` on, or -1; a negative `start` counts from the end.
    #[rhai_fn(name = "index_of", return_raw, pure)]
    pub fn index_of_from(
        call: NativeCallContext<'_>,
        array: &mut Array,
        value: Dynamic,
        start: i64,
    ) -> Scripted<i64> {
        let distance = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
        let start = if start < 0 {
            array.len().saturating_sub(distance)
        } else {
            distance
        };
        let found = place(&call, array, start, &value)?;
        Ok(found.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1))
    }

    /// Removes items that are the same as the one before.
    #[rhai_fn(return_raw)]
    pub fn dedup(call: NativeCallContext<'_>, array: &mut Array) -> Scripted<()> {
        let mut comparison = Comparison::of(&call);
        without_repeats(array, |one, next| comparison.values(one, next, LEVELS))
    }

    /// Removes items for which `same` says that they are the same as the one before.
    #[rhai_fn(name = "dedup", return_raw)]
    pub fn dedup_by(call: NativeCallContext<'_>, array: &mut Array, same: FnPtr) -> Scripted<()> {
        without_repeats(array, |one, next| {
            let told = same.call_raw(&call, None, [one.clone(), next.clone()])?;
            Ok(told.as_bool().unwrap_or(false))
        })
    }

    /// The same with the name of a function.
    #[rhai_fn(name = "dedup", return_raw)]
    pub fn dedup_by_name(
        call: NativeCallContext<'_>,
        array: &mut Array,
        same: &str,
    ) -> Scripted<()> {
        dedup_by(call, array, FnPtr::new(same)?)
    }
}

/// The first place from `start` on that holds `value`. A function is no value to compare with but a
/// test, which Rhai's own functions under the same names take.
fn place(
    call: &NativeCallContext<'_>,
    array: &Array,
    start: usize,
    value: &Dynamic,
) -> Scripted<Option<usize>> {
    let mut comparison = Comparison::of(call);
    for (at, item) in array.iter().enumerate().skip(start) {
        if comparison.values(item, value, LEVELS)? {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

fn without_repeats(
    array: &mut Array,
    mut same: impl FnMut(&Dynamic, &Dynamic) -> Scripted<bool>,
) -> Scripted<()> {
    let mut repeats = Vec::with_capacity(array.len());
    let mut before: Option<&Dynamic> = None;
    for item in array.iter() {
        let repeat = match before {
            Some(before) => same(before, item)?,
            None => false,
        };
        if !repeat {
            before = Some(item);
        }
        repeats.push(repeat);
    }
    let mut repeats = repeats.into_iter();
    array.retain(|_| !repeats.next().unwrap_or(false));
    Ok(())
}

struct Comparison<'a, 'c> {
    call: &'a NativeCallContext<'c>,
    room: Room,
}

impl<'a, 'c> Comparison<'a, 'c> {
    fn of(call: &'a NativeCallContext<'c>) -> Self {
        let room = Room::of(call);
        Self { call, room }
    }

    fn arrays(&mut self, left: &Array, right: &Array, levels: usize) -> Scripted<bool> {
        if left.len() != right.len() {
            return Ok(false);
        }
        let levels = self.below(levels)?;
        for (left, right) in left.iter().zip(right) {
            if !self.values(left, right, levels)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn maps(&mut self, left: &Map, right: &Map, levels: usize) -> Scripted<bool> {
        if left.len() != right.len() {
            return Ok(false);
        }
        let levels = self.below(levels)?;
        for (key, left) in left {
            let same = match right.get(key) {
                Some(right) => self.values(left, right, levels)?,
                None => false,
            };
            if !same {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn values(&mut self, left: &Dynamic, right: &Dynamic, levels: usize) -> Scripted<bool> {
        self.room.step()?;
        if let (Some(left), Some(right)) = (left.read_lock::<Array>(), right.read_lock::<Array>()) {
            return self.arrays(&left, &right, levels);
        }
        if let (Some(left), Some(right)) = (left.read_lock::<Map>(), right.read_lock::<Map>()) {
            return self.maps(&left, &right, levels);
        }
        let (mut one, mut other) = (left.clone(), right.clone());
        let told = self
            .call
            .call_native_fn_raw("==", true, &mut [&mut one, &mut other]);
        match told {
            Ok(told) => Ok(told.as_bool().unwrap_or(false)),
            // Values of different types are different; of the same type they must say themselves.
            Err(error) => match *error {
                EvalAltResult::ErrorFunctionNotFound(ref signature, _)
                    if signature.starts_with("==") && left.type_id() != right.type_id() =>
                {
                    Ok(false)
                }
                _ => Err(error),
            },
        }
    }

    fn below(&self, levels: usize) -> Scripted<usize> {
        levels.checked_sub(1).ok_or_else(|| self.room.too_deep())
    }
}
