//! Texts that grow in one call, and texts that become arrays.

use rhai::Array;
use rhai::plugin::{Dynamic, ImmutableString, NativeCallContext, export_module};

use super::room::Room;
use crate::script::api::error::Scripted;

#[export_module]
pub(super) mod module {
    /// Pads a text at its end until it has `len` characters.
    #[rhai_fn(name = "pad", return_raw)]
    pub fn pad_char(
        call: NativeCallContext<'_>,
        text: &mut ImmutableString,
        len: i64,
        with: char,
    ) -> Scripted<()> {
        padded(&call, text, len, with.encode_utf8(&mut [0; 4]))
    }

    /// Pads a text at its end with another one until it has `len` characters.
    #[rhai_fn(name = "pad", return_raw)]
    pub fn pad_text(
        call: NativeCallContext<'_>,
        text: &mut ImmutableString,
        len: i64,
        with: &str,
    ) -> Scripted<()> {
        padded(&call, text, len, with)
    }

    /// Replaces every `find` with `with`.
    #[rhai_fn(name = "replace", return_raw)]
    pub fn replace_text(
        call: NativeCallContext<'_>,
        text: &mut ImmutableString,
        find: &str,
        with: &str,
    ) -> Scripted<()> {
        replaced(&call, text, find, with)
    }

    /// Replaces every character `find` with `with`.
    #[rhai_fn(name = "replace", return_raw)]
    pub fn replace_char(
        call: NativeCallContext<'_>,
        text: &mut ImmutableString,
        find: char,
        with: &str,
    ) -> Scripted<()> {
        replaced(&call, text, find.encode_utf8(&mut [0; 4]), with)
    }

    /// The characters of a text.
    #[rhai_fn(return_raw)]
    pub fn to_chars(call: NativeCallContext<'_>, text: &str) -> Scripted<Array> {
        collect(&call, text.chars().map(Dynamic::from))
    }

    /// The words of a text.
    #[rhai_fn(name = "split", return_raw)]
    pub fn split_words(call: NativeCallContext<'_>, text: &str) -> Scripted<Array> {
        if text.is_empty() {
            return Ok(vec![text.into()]);
        }
        collect(&call, text.split_whitespace().map(Into::into))
    }

    /// The parts of a text between delimiters.
    #[rhai_fn(name = "split", return_raw)]
    pub fn split_text(call: NativeCallContext<'_>, text: &str, at: &str) -> Scripted<Array> {
        if text.is_empty() {
            return Ok(vec![text.into()]);
        }
        collect(&call, text.split(at).map(Into::into))
    }

    /// The parts of a text between delimiters, the last one first.
    #[rhai_fn(name = "split_rev", return_raw)]
    pub fn split_rev_text(call: NativeCallContext<'_>, text: &str, at: &str) -> Scripted<Array> {
        if text.is_empty() {
            return Ok(vec![text.into()]);
        }
        collect(&call, text.rsplit(at).map(Into::into))
    }

    /// The parts of a text between delimiters.
    #[rhai_fn(name = "split", return_raw)]
    pub fn split_char(call: NativeCallContext<'_>, text: &str, at: char) -> Scripted<Array> {
        collect(&call, text.split(at).map(Into::into))
    }

    /// The parts of a text between delimiters, the last one first.
    #[rhai_fn(name = "split_rev", return_raw)]
    pub fn split_rev_char(call: NativeCallContext<'_>, text: &str, at: char) -> Scripted<Array> {
        collect(&call, text.rsplit(at).map(Into::into))
    }

    /// The first parts of a text between delimiters; the last of them is the rest.
    #[rhai_fn(name = "split", return_raw)]
    pub fn split_text_into(
        call: NativeCallContext<'_>,
        text: &str,
        at: &str,
        parts: i64,
    ) -> Scripted<Array> {
        if text.is_empty() {
            return Ok(vec![text.into()]);
        }
        collect(&call, text.splitn(at_least_one(parts), at).map(Into::into))
    }

    /// The last parts of a text between delimiters, from the end; the last of them is the rest.
    #[rhai_fn(name = "split_rev", return_raw)]
    pub fn split_rev_text_into(
        call: NativeCallContext<'_>,
        text: &str,
        at: &str,
        parts: i64,
    ) -> Scripted<Array> {
        if text.is_empty() {
            return Ok(vec![text.into()]);
        }
        collect(&call, text.rsplitn(at_least_one(parts), at).map(Into::into))
    }

    /// The first parts of a text between delimiters; the last of them is the rest.
    #[rhai_fn(name = "split", return_raw)]
    pub fn split_char_into(
        call: NativeCallContext<'_>,
        text: &str,
        at: char,
        parts: i64,
    ) -> Scripted<Array> {
        collect(&call, text.splitn(at_least_one(parts), at).map(Into::into))
    }

    /// The last parts of a text between delimiters, from the end; the last of them is the rest.
    #[rhai_fn(name = "split_rev", return_raw)]
    pub fn split_rev_char_into(
        call: NativeCallContext<'_>,
        text: &str,
        at: char,
        parts: i64,
    ) -> Scripted<Array> {
        collect(&call, text.rsplitn(at_least_one(parts), at).map(Into::into))
    }
}

/// `text` lengthened to `len` characters with as much of `with` as fits, over and over. Rhai's own
/// asks for whatever it is told and never ends with an empty `with`.
fn padded(
    call: &NativeCallContext<'_>,
    text: &mut ImmutableString,
    len: i64,
    with: &str,
) -> Scripted<()> {
    let mut room = Room::of(call);
    let Ok(len) = usize::try_from(len) else {
        return Ok(());
    };
    let missing = len.saturating_sub(text.chars().count());
    if missing == 0 || with.is_empty() {
        return Ok(());
    }
    let width = with.chars().count();
    let bytes = (missing / width + 1).saturating_mul(with.len());
    let bytes = text.len().saturating_add(bytes);
    room.text(bytes)?;
    let mut longer = String::with_capacity(bytes);
    longer.push_str(text);
    for _ in 0..missing / width {
        room.step()?;
        longer.push_str(with);
    }
    longer.extend(with.chars().take(missing % width));
    *text = longer.into();
    Ok(())
}

/// `text` with every `find` replaced: measured before it is made.
fn replaced(
    call: &NativeCallContext<'_>,
    text: &mut ImmutableString,
    find: &str,
    with: &str,
) -> Scripted<()> {
    let mut room = Room::of(call);
    let mut places = 0usize;
    for _ in text.matches(find) {
        room.step()?;
        places += 1;
    }
    if places == 0 || text.is_empty() {
        return Ok(());
    }
    let kept = text.len() - places * find.len();
    room.text(kept.saturating_add(places.saturating_mul(with.len())))?;
    room.check()?;
    *text = text.replace(find, with).into();
    Ok(())
}

fn collect(call: &NativeCallContext<'_>, parts: impl Iterator<Item = Dynamic>) -> Scripted<Array> {
    let mut room = Room::of(call);
    let mut array = Array::new();
    for part in parts {
        room.step()?;
        if array.len() == array.capacity() {
            // What it grows to when the next one is added.
            room.items(array.len().saturating_mul(2))?;
        }
        array.push(part);
    }
    Ok(array)
}

fn at_least_one(parts: i64) -> usize {
    usize::try_from(parts).unwrap_or_default().max(1)
}
