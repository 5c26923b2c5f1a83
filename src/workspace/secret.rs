//! Reading a secret from where `alm.toml` says it is kept. [`Secret`] itself cannot be printed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::config::SecretSource;
#[cfg(doc)]
use crate::owner_only;
use crate::problem::Problem;
pub use crate::transport::Secret;
use crate::whole_file::read_regular_text;

/// Most bytes of a secret in a file: certificates are the longest, with a few thousand.
const LONGEST: u64 = 1 << 16;

/// Why a secret could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The environment variable is not set, or is empty.
    #[error("the environment variable `{0}`, which holds a secret, is not set")]
    NoVariable(String),
    /// The file could not be read.
    #[error("the secret in {} cannot be read: {reason}", path.display())]
    NoFile {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        reason: io::Error,
    },
    /// Others than the owner can read the file.
    #[error("the secret in {} can be read by others than its owner", .0.display())]
    Open(PathBuf),
}

impl Problem for SecretError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoVariable(_) | Self::NoFile { .. } => "ALM-W013",
            Self::Open(_) => "ALM-W014",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoVariable(name) => format!("set `{name}` before you start alm"),
            Self::NoFile { .. } => "check the `file` that alm.toml names for it".into(),
            Self::Open(path) => {
                format!("take the others' rights away: chmod 600 {}", path.display())
            }
        })
    }
}

impl SecretSource {
    /// Reads the secret. Files are looked up from `root`, the workspace's folder; a line break at
    /// their end does not count.
    ///
    /// # Errors
    /// When it is not there, is no regular file or too long for a secret, or when others can read
    /// it. (On Windows a file's rights come from its folder, and [`owner_only::write_new`] restricts
    /// them; they are not checked again here.)
    pub fn read(&self, root: &Path) -> Result<Secret, SecretError> {
        match self {
            Self::Env(name) => std::env::var(name)
                .ok()
                .filter(|secret| !secret.is_empty())
                .map(Secret::new)
                .ok_or_else(|| SecretError::NoVariable(name.clone())),
            Self::File(path) => {
                let path = root.join(path);
                let no_file = |reason| SecretError::NoFile {
                    path: path.clone(),
                    reason,
                };
                if others_can_read(&path).map_err(no_file)? {
                    return Err(SecretError::Open(path));
                }
                let text = read_regular_text(&path, LONGEST).map_err(no_file)?;
                Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
            }
        }
    }
}

#[cfg(unix)]
fn others_can_read(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn others_can_read(path: &Path) -> io::Result<bool> {
    fs::metadata(path)?;
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_ones_own_is_read_without_its_last_line_break() {
        let dir = tempfile::tempdir().unwrap();
        crate::owner_only::write_new(&dir.path().join("key"), b"s3cret \xc3\xbc\n").unwrap();
        let source = SecretSource::File("key".into());
        assert_eq!(source.read(dir.path()).unwrap().expose(), "s3cret ü");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        fs::write(&path, "s3cret").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = SecretSource::File("key".into())
            .read(dir.path())
            .unwrap_err();
        assert_eq!(error.code(), "ALM-W014");
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let source = SecretSource::Env("ALM_TEST_NO_SUCH_VARIABLE".into());
        let error = source.read(Path::new(".")).unwrap_err();
        assert!(error.to_string().contains("ALM_TEST_NO_SUCH_VARIABLE"));
    }
}
