//! Arrays that grow in one call, and what takes values out of an array.

use std::mem;
use std::ops::{Range, RangeInclusive};

use rhai::plugin::{Dynamic, NativeCallContext, export_module};
use rhai::{Array, FnPtr};

use super::room::Room;
use crate::script::api::error::Scripted;

#[export_module]
pub(super) mod module {
    /// Pads an array at its end until it has `len` items.
    #[rhai_fn(return_raw)]
    pub fn pad(
        call: NativeCallContext<'_>,
        array: &mut Array,
        len: i64,
        item: Dynamic,
    ) -> Scripted<()> {
        let mut room = Room::of(&call);
        let len = usize::try_from(len).unwrap_or_default();
        room.items(len)?;
        while array.len() < len {
            if item.is_array() || item.is_map() {
                room.check()?;
            }
            room.step()?;
            array.push(item.clone());
        }
        Ok(())
    }

    /// Takes the last item out.
    #[rhai_fn(return_raw)]
    pub fn pop(call: NativeCallContext<'_>, array: &mut Array) -> Scripted<Dynamic> {
        taken(&call, array.pop().unwrap_or_default())
    }

    /// Takes the first item out.
    #[rhai_fn(return_raw)]
    pub fn shift(call: NativeCallContext<'_>, array: &mut Array) -> Scripted<Dynamic> {
        if array.is_empty() {
            return Ok(Dynamic::UNIT);
        }
        taken(&call, array.remove(0))
    }

    /// Takes the item at `index` out; a negative index counts from the end.
    #[rhai_fn(return_raw)]
    pub fn remove(call: NativeCallContext<'_>, array: &mut Array, index: i64) -> Scripted<Dynamic> {
        let from_end = || {
            array
                .len()
                .checked_sub(usize::try_from(index.unsigned_abs()).ok()?)
        };
        let index = usize::try_from(index).ok().or_else(from_end);
        match index.filter(|index| *index < array.len()) {
            Some(index) => taken(&call, array.remove(index)),
            None => Ok(Dynamic::UNIT),
        }
    }

    /// Cuts an array in two at `index` and returns the second part.
    #[rhai_fn(return_raw)]
    pub fn split(call: NativeCallContext<'_>, array: &mut Array, index: i64) -> Scripted<Array> {
        let (at, _) = within(array.len(), index, 0);
        all_taken(&call, array.split_off(at))
    }

    /// Takes the items for which `filter` answers yes out.
    #[rhai_fn(return_raw)]
    pub fn drain(call: NativeCallContext<'_>, array: &mut Array, filter: FnPtr) -> Scripted<Array> {
        parted(&call, array, &filter, true)
    }

    /// Takes the items for which `filter` answers no out.
    #[rhai_fn(return_raw)]
    pub fn retain(
        call: NativeCallContext<'_>,
        array: &mut Array,
        filter: FnPtr,
    ) -> Scripted<Array> {
        parted(&call, array, &filter, false)
    }

    /// Takes `len` items from `start` on out.
    #[rhai_fn(name = "drain", return_raw)]
    pub fn drain_part(
        call: NativeCallContext<'_>,
        array: &mut Array,
        start: i64,
        len: i64,
    ) -> Scripted<Array> {
        let (start, len) = within(array.len(), start, len);
        all_taken(&call, array.drain(start..start + len).collect())
    }

    /// Takes the items of a range out.
    #[rhai_fn(name = "drain", return_raw)]
    pub fn drain_range(
        call: NativeCallContext<'_>,
        array: &mut Array,
        range: Range<i64>,
    ) -> Scripted<Array> {
        let (start, len) = of_range(range.start, range.end);
        drain_part(call, array, start, len)
    }

    /// Takes the items of a range out.
    #[rhai_fn(name = "drain", return_raw)]
    pub fn drain_inclusive(
        call: NativeCallContext<'_>,
        array: &mut Array,
        range: RangeInclusive<i64>,
    ) -> Scripted<Array> {
        let (start, len) = of_range(*range.start(), range.end().saturating_add(1));
        drain_part(call, array, start, len)
    }

    /// Takes all items but `len` from `start` on out.
    #[rhai_fn(name = "retain", return_raw)]
    pub fn retain_part(
        call: NativeCallContext<'_>,
        array: &mut Array,
        start: i64,
        len: i64,
    ) -> Scripted<Array> {
        if len <= 0 {
            return Ok(Array::new());
        }
        let (start, len) = within(array.len(), start, len);
        if len == 0 {
            return Ok(Array::new());
        }
        let mut out: Array = array.drain(..start).collect();
        out.extend(array.drain(len..));
        all_taken(&call, out)
    }

    /// Takes all items but those of a range out.
    #[rhai_fn(name = "retain", return_raw)]
    pub fn retain_range(
        call: NativeCallContext<'_>,
        array: &mut Array,
        range: Range<i64>,
    ) -> Scripted<Array> {
        let (start, len) = of_range(range.start, range.end);
        retain_part(call, array, start, len)
    }

    /// Takes all items but those of a range out.
    #[rhai_fn(name = "retain", return_raw)]
    pub fn retain_inclusive(
        call: NativeCallContext<'_>,
        array: &mut Array,
        range: RangeInclusive<i64>,
    ) -> Scripted<Array> {
        let (start, len) = of_range(*range.start(), range.end().saturating_add(1));
        retain_part(call, array, start, len)
    }

    /// Takes a value out of its variable, which is `()` then.
    #[rhai_fn(return_raw)]
    pub fn take(call: NativeCallContext<'_>, value: &mut Dynamic) -> Scripted<Dynamic> {
        taken(&call, mem::take(value))
    }
}

pub(super) fn taken(call: &NativeCallContext<'_>, value: Dynamic) -> Scripted<Dynamic> {
    Room::of(call).taken(&value)?;
    Ok(value)
}

fn all_taken(call: &NativeCallContext<'_>, items: Array) -> Scripted<Array> {
    let room = Room::of(call);
    items.iter().try_for_each(|item| room.taken(item))?;
    Ok(items)
}

/// Takes the items for which `filter` answers `out` out of an array.
fn parted(
    call: &NativeCallContext<'_>,
    array: &mut Array,
    filter: &FnPtr,
    out: bool,
) -> Scripted<Array> {
    let name = if out { "drain" } else { "retain" };
    let mut answers = Vec::with_capacity(array.len());
    for (at, item) in array.iter_mut().enumerate() {
        let at = [i64::try_from(at).unwrap_or(i64::MAX).into()];
        let told = filter.call_raw_with_extra_args(name, call, Some(item), [], at, Some(0))?;
        answers.push(told.as_bool().unwrap_or(false) == out);
    }
    let (mut kept, mut parted) = (Array::new(), Array::new());
    for (item, goes) in mem::take(array).into_iter().zip(answers) {
        let side = if goes { &mut parted } else { &mut kept };
        side.push(item);
    }
    *array = kept;
    all_taken(call, parted)
}

/// `len` items from `start` on, which counts from the end if it is negative, as far as they exist.
fn within(items: usize, start: i64, len: i64) -> (usize, usize) {
    let distance = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
    let start = if start < 0 {
        items.saturating_sub(distance)
    } else {
        items.min(distance)
    };
    let len = usize::try_from(len).unwrap_or_default();
    (start, len.min(items - start))
}

fn of_range(start: i64, end: i64) -> (i64, i64) {
    let start = start.max(0);
    (start, end.max(start) - start)
}
