//! What one process does at a time.

use std::fs::{self, File};
use std::path::PathBuf;

/// A lock that is held as long as this lives. Its file goes with it; a killed process leaves one that
/// nobody holds.
pub(super) struct OnlyOne {
    file: Option<File>,
    path: PathBuf,
}

impl OnlyOne {
    /// Takes the lock at `path`; `None` while somebody else has it, or where there can be none.
    pub fn take(path: PathBuf) -> Option<Self> {
        let file = File::create(&path).ok()?;
        file.try_lock().ok()?;
        Some(Self {
            file: Some(file),
            path,
        })
    }
}

impl Drop for OnlyOne {
    fn drop(&mut self) {
        // Closed first: Windows does not remove a file that is open. Whoever opens it in between has a
        // lock on a file that is gone, and then finds the build taken or over.
        self.file = None;
        let _ = fs::remove_file(&self.path);
    }
}
