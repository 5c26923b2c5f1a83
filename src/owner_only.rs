//! Files and folders that only their owner can use: what a workspace keeps, and its secrets.

use std::fs;
use std::io;
use std::path::Path;

/// Makes sure that there is a folder that only its owner can enter, whatever the umask, also where
/// an older program made it. What a workspace keeps (runs with their true values, packages, the
/// emulated tenant) lies in one. On Windows the folder has the rights of the one that it is in,
/// which is the user's own for what lies in her profile.
///
/// # Errors
/// When it cannot be made, or its rights cannot be changed.
pub fn folder(path: &Path) -> io::Result<()> {
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
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
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
    io::Write::write_all(&mut file, bytes)
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

/// Makes sure that there is a file that only its owner can use, also where an older program made it.
/// What is in it stays.
///
/// # Errors
/// When it cannot be made, or its rights cannot be changed.
pub fn file(path: &Path) -> io::Result<()> {
    match write_new(path, b"") {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
                    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
                }
            }
            Ok(())
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_folder_of_ones_own_is_closed_to_others_also_where_it_was_open() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let (made, found) = (dir.path().join("made"), dir.path().join("found"));
        fs::create_dir(&found).unwrap();
        fs::set_permissions(&found, fs::Permissions::from_mode(0o755)).unwrap();
        for folder in [made, found] {
            self::folder(&folder).unwrap();
            let mode = fs::metadata(&folder).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{}", folder.display());
        }
    }
}
