//! Blobs that are made as large as one asks, and blobs that become arrays.

use std::mem;

use rhai::plugin::{NativeCallContext, export_module};
use rhai::{Array, Blob};

use super::room::Room;
use crate::script::api::error::Scripted;

#[export_module]
pub(super) mod module {
    /// A blob of `len` zeros.
    #[rhai_fn(return_raw)]
    pub fn blob(call: NativeCallContext<'_>, len: i64) -> Scripted<Blob> {
        filled(&call, Blob::new(), len, 0)
    }

    /// A blob of `len` times the same byte.
    #[rhai_fn(name = "blob", return_raw)]
    pub fn blob_of(call: NativeCallContext<'_>, len: i64, byte: i64) -> Scripted<Blob> {
        filled(&call, Blob::new(), len, byte)
    }

    /// Pads a blob at its end until it has `len` bytes.
    #[rhai_fn(return_raw)]
    pub fn pad(call: NativeCallContext<'_>, blob: &mut Blob, len: i64, byte: i64) -> Scripted<()> {
        *blob = filled(&call, mem::take(blob), len, byte)?;
        Ok(())
    }

    /// The bytes as numbers.
    #[rhai_fn(return_raw, pure)]
    pub fn to_array(call: NativeCallContext<'_>, blob: &mut Blob) -> Scripted<Array> {
        let mut room = Room::of(&call);
        room.items(blob.len())?;
        let mut array = Array::with_capacity(blob.len());
        for byte in blob.iter() {
            room.step()?;
            array.push(i64::from(*byte).into());
        }
        Ok(array)
    }
}

fn filled(call: &NativeCallContext<'_>, mut blob: Blob, len: i64, byte: i64) -> Scripted<Blob> {
    let len = usize::try_from(len).unwrap_or_default();
    if len > blob.len() {
        Room::of(call).bytes(len)?;
        // The lowest eight bits, as everywhere in Rhai.
        blob.resize(len, byte.to_le_bytes()[0]);
    }
    Ok(blob)
}
