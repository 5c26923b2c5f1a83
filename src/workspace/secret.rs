//! Reading a secret from where `alm.toml` says it is kept. [`Secret`] itself cannot be printed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::config::SecretSource;
use crate::problem::Problem;
pub use crate::transport::Secret;

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
    /// When it is not there, or when it is a file that others can read. (On Windows a file's
    /// rights come from its folder, and [`write_owner_only`] restricts them; they are not checked
    /// again here.)
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
                let text = fs::read_to_string(&path).map_err(|reason| SecretError::NoFile {
                    path: path.clone(),
                    reason,
                })?;
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

/// Makes sure that there is a folder that only its owner can enter, whatever the umask, also where
/// an older program made it. What a workspace keeps (runs with their true values, packages, the
/// emulated tenant) lies in one. On Windows the folder has the rights of the one that it is in,
/// which is the user's own for what lies in her profile.
///
/// # Errors
/// When it cannot be made, or its rights cannot be changed.
pub fn owner_only_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
        builder.mode(0o700).create(path)?;
        if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
        }
        Ok(())
    }
    #[cfg(not(unix))]
    builder.create(path)
}

/// Writes a new file that only its owner can read.
///
/// # Errors
/// When the file exists or cannot be written.
pub fn write_owner_only(path: &Path, secret: &Secret) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    #[cfg(windows)]
    restrict_to_owner(path)?;
    io::Write::write_all(&mut file, secret.expose().as_bytes())
}

/// Takes inherited rights away and gives the current user hers, with the system's own program:
/// the calls behind it need unsafe code.
#[cfg(windows)]
fn restrict_to_owner(path: &Path) -> io::Result<()> {
    let user = std::env::var("USERNAME").map_err(io::Error::other)?;
    let status = std::process::Command::new("icacls")
        .arg(path)
        .args(["/inheritance:r", "/grant:r"])
        .arg(format!("{user}:F"))
        .stdout(std::process::Stdio::null())
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other("icacls failed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_ones_own_is_read_without_its_last_line_break() {
        let dir = tempfile::tempdir().unwrap();
        write_owner_only(&dir.path().join("key"), &Secret::new("s3cret ü\n")).unwrap();
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

    #[cfg(unix)]
    #[test]
    fn a_folder_of_ones_own_is_closed_to_others_also_where_it_was_open() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let (made, found) = (dir.path().join("made"), dir.path().join("found"));
        fs::create_dir(&found).unwrap();
        fs::set_permissions(&found, fs::Permissions::from_mode(0o755)).unwrap();
        for folder in [made, found] {
            owner_only_folder(&folder).unwrap();
            let mode = fs::metadata(&folder).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{}", folder.display());
        }
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let source = SecretSource::Env("ALM_TEST_NO_SUCH_VARIABLE".into());
        let error = source.read(Path::new(".")).unwrap_err();
        assert!(error.to_string().contains("ALM_TEST_NO_SUCH_VARIABLE"));
    }
}
