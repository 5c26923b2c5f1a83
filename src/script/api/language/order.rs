//! Sorting arrays.
//!
//! The sort of the standard library cannot be left before its end, and Rhai's own goes on when the
//! comparer fails, a run's cancellation included.

use std::cmp::Ordering;
use std::mem;

use rhai::plugin::{Dynamic, ImmutableString, NativeCallContext, export_module};
use rhai::{Array, EvalAltResult, FnPtr, Position};

use super::room::Room;
use crate::script::api::error::Scripted;

#[export_module]
pub(super) mod module {
    /// Sorts an array by what `comparer` says of two items: a number below zero or yes if the first
    /// one stands before the second one.
    #[rhai_fn(name = "sort", name = "sort_by", return_raw)]
    pub fn sort_by(
        call: NativeCallContext<'_>,
        array: &mut Array,
        comparer: FnPtr,
    ) -> Scripted<()> {
        sort_with(&call, array, |one, other| {
            let told = comparer.call_raw(&call, None, [one.clone(), other.clone()])?;
            Ok(match (told.as_int(), told.as_bool()) {
                (Ok(number), _) => number.cmp(&0),
                (_, Ok(true)) => Ordering::Less,
                (_, Ok(false)) => Ordering::Greater,
                _ => one.type_id().cmp(&other.type_id()),
            })
        })
    }

    /// The same with the name of a function.
    #[rhai_fn(name = "sort", return_raw)]
    pub fn sort_by_name(
        call: NativeCallContext<'_>,
        array: &mut Array,
        comparer: &str,
    ) -> Scripted<()> {
        sort_by(call, array, FnPtr::new(comparer)?)
    }

    /// Sorts an array of numbers, texts, characters or flags.
    #[rhai_fn(return_raw)]
    pub fn sort(call: NativeCallContext<'_>, array: &mut Array) -> Scripted<()> {
        let compare = natural(array)?;
        sort_with(&call, array, |one, other| Ok(compare(one, other)))
    }

    /// The same, the largest one first.
    #[rhai_fn(return_raw)]
    pub fn sort_desc(call: NativeCallContext<'_>, array: &mut Array) -> Scripted<()> {
        let compare = natural(array)?;
        sort_with(&call, array, |one, other| Ok(compare(one, other).reverse()))
    }

    /// A sorted copy, by what `comparer` says.
    #[rhai_fn(name = "order", name = "order_by", return_raw)]
    pub fn order_by(
        call: NativeCallContext<'_>,
        array: &mut Array,
        comparer: FnPtr,
    ) -> Scripted<Array> {
        let mut copy = array.clone();
        sort_by(call, &mut copy, comparer)?;
        Ok(copy)
    }

    /// A sorted copy.
    #[rhai_fn(return_raw)]
    pub fn order(call: NativeCallContext<'_>, array: &mut Array) -> Scripted<Array> {
        let mut copy = array.clone();
        sort(call, &mut copy)?;
        Ok(copy)
    }

    /// A sorted copy, the largest one first.
    #[rhai_fn(return_raw)]
    pub fn order_desc(call: NativeCallContext<'_>, array: &mut Array) -> Scripted<Array> {
        let mut copy = array.clone();
        sort_desc(call, &mut copy)?;
        Ok(copy)
    }
}

type Compare = fn(&Dynamic, &Dynamic) -> Ordering;

/// How items of the array's type compare; all must be of one.
fn natural(array: &Array) -> Scripted<Compare> {
    let refused = |what: String| {
        Box::new(EvalAltResult::ErrorRuntime(
            format!("{what} cannot be sorted").into(),
            Position::NONE,
        ))
    };
    let Some(first) = array.first() else {
        return Ok(|_, _| Ordering::Equal);
    };
    let kind = first.type_id();
    if array.iter().any(|item| item.type_id() != kind) {
        return Err(refused("elements of different types".into()));
    }
    if first.is_int() {
        Ok(|one, other| one.as_int().ok().cmp(&other.as_int().ok()))
    } else if first.is_float() {
        Ok(|one, other| {
            let order = one.as_float().ok().partial_cmp(&other.as_float().ok());
            order.unwrap_or(Ordering::Equal)
        })
    } else if first.is_string() {
        Ok(|one, other| {
            let text = |value| Dynamic::read_lock::<ImmutableString>(value);
            match (text(one), text(other)) {
                (Some(one), Some(other)) => one.as_str().cmp(other.as_str()),
                _ => Ordering::Equal,
            }
        })
    } else if first.is_char() {
        Ok(|one, other| one.as_char().ok().cmp(&other.as_char().ok()))
    } else if first.is_bool() {
        Ok(|one, other| one.as_bool().ok().cmp(&other.as_bool().ok()))
    } else if first.is_unit() {
        Ok(|_, _| Ordering::Equal)
    } else {
        Err(refused(format!("elements of {}", first.type_name())))
    }
}

/// Sorts stably, or leaves the array as it was and fails.
fn sort_with(
    call: &NativeCallContext<'_>,
    array: &mut Array,
    mut compare: impl FnMut(&Dynamic, &Dynamic) -> Scripted<Ordering>,
) -> Scripted<()> {
    let mut room = Room::of(call);
    let order = merge_sort(array.len(), |one, other| {
        room.step()?;
        Ok(compare(&array[one], &array[other])? == Ordering::Greater)
    })?;
    let mut items: Vec<Option<Dynamic>> = mem::take(array).into_iter().map(Some).collect();
    array.extend(order.into_iter().filter_map(|at| items[at].take()));
    Ok(())
}

/// The numbers up to `len` in order: runs of doubling length are merged, from the bottom up.
fn merge_sort(
    len: usize,
    mut after: impl FnMut(usize, usize) -> Scripted<bool>,
) -> Scripted<Vec<usize>> {
    let mut order: Vec<usize> = (0..len).collect();
    let mut merged = Vec::with_capacity(len);
    let mut run = 1;
    while run < len {
        merged.clear();
        for pair in order.chunks(2 * run) {
            let (mut left, mut right) = pair.split_at(run.min(pair.len()));
            while let (Some((&one, rest)), Some((&other, others))) =
                (left.split_first(), right.split_first())
            {
                if after(one, other)? {
                    merged.push(other);
                    right = others;
                } else {
                    merged.push(one);
                    left = rest;
                }
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        mem::swap(&mut order, &mut merged);
        run *= 2;
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorting_is_stable_and_complete() {
        for len in 0..40 {
            let key = |at: usize| (at * 7919) % 5;
            let order = merge_sort(len, |one, other| Ok(key(one) > key(other))).unwrap();
            let mut expected: Vec<usize> = (0..len).collect();
            expected.sort_by_key(|at| key(*at));
            assert_eq!(order, expected);
        }
    }
}
