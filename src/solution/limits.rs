//! How much a package may ask of this machine.

use std::sync::atomic::{AtomicU64, Ordering};

/// What an error calls the number of entries of an archive, and so on.
pub(super) const ENTRIES: &str = "the number of entries";
pub(super) const FILES: &str = "the number of files";
pub(super) const PART: &str = "the size of a part in bytes";
pub(super) const FILE: &str = "the size of a file in bytes";
pub(super) const PARTS: &str = "the size of all parts in bytes";
pub(super) const ALL_FILES: &str = "the size of all files in bytes";
pub(super) const RATIO: &str = "the compression ratio";

/// Archives inside parts, such as canvas apps, may together hold this part of
/// [`Limits::total_bytes`], since they are read beside the package and not instead of it.
const NESTED: u64 = 16;

/// Bounds for reading a package or a source folder; every one can be raised.
///
/// The defaults are some ten times what the largest known solutions need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How many entries an archive may have.
    pub entries: u64,
    /// Bytes of one part when inflated.
    pub part_bytes: u64,
    /// Bytes of all parts together when inflated.
    pub total_bytes: u64,
    /// Inflated bytes per compressed byte, for parts above [`Limits::ratio_from_bytes`].
    pub ratio: u64,
    /// Parts smaller than this when inflated may have any ratio.
    pub ratio_from_bytes: u64,
    /// How deep XML elements may be nested.
    pub xml_depth: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 200_000,
            part_bytes: 1 << 30,
            total_bytes: 4 << 30,
            // Deflate cannot pass 1,032; repetitive customizations reach about 60.
            ratio: 400,
            ratio_from_bytes: 16 << 20,
            xml_depth: 512,
        }
    }
}

/// What one operation may still inflate of the archives inside a package: all of them share it,
/// whichever thread reads them.
#[derive(Debug)]
pub struct NestedBudget {
    limits: Limits,
    left: AtomicU64,
}

impl NestedBudget {
    /// The budget of an operation under these limits: a sixteenth of [`Limits::total_bytes`].
    pub fn new(limits: &Limits) -> Self {
        Self {
            limits: limits.clone(),
            left: AtomicU64::new(limits.total_bytes / NESTED),
        }
    }

    /// The limits for the next archive, which may use up what is left.
    pub(super) fn limits(&self) -> Limits {
        Limits {
            total_bytes: self.left.load(Ordering::Relaxed),
            ..self.limits.clone()
        }
    }

    /// Takes what an archive is about to inflate; false if it is not there any more.
    pub(super) fn take(&self, bytes: u64) -> bool {
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(bytes)
            })
            .is_ok()
    }
}
