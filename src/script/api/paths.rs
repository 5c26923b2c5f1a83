//! Files that a script may touch: inside the workspace, and what it writes nowhere near the
//! workspace's own files. A script that could write `alm.toml` could allow itself anything.

use std::path::{Component, Path, PathBuf};

use super::HostError;
use crate::portable_path::{self, DotNames, fold};

/// Folders and files of the workspace that scripts never write.
const OWN: [&str; 4] = [".alm", ".git", "scripts", "alm.toml"];

/// The place that `path`, relative to the workspace at `root`, means for reading.
///
/// # Errors
/// `ALM-S050` when it leads out of the workspace, by `..`, a drive letter or a link.
pub(super) fn readable(root: &Path, path: &str) -> Result<PathBuf, HostError> {
    let parts = parts(path)?;
    let full = root.join(parts.iter().collect::<PathBuf>());
    let outside = || refused(path, "leads out of the workspace");
    let root = real(root).ok_or_else(outside)?;
    // What is not there cannot lead out; the read that follows says that it is missing.
    let deepest = full.ancestors().find_map(real).ok_or_else(outside)?;
    if deepest.starts_with(&root) {
        Ok(full)
    } else {
        Err(outside())
    }
}

/// The place that `path` means for writing.
///
/// # Errors
/// As [`readable`], and for the workspace's own files.
pub(super) fn writable(root: &Path, path: &str) -> Result<PathBuf, HostError> {
    let parts = parts(path)?;
    let Some(first) = parts.first() else {
        return Err(refused(path, "is the workspace itself"));
    };
    let own = |own: &str| fold(own) == fold(first);
    if OWN.iter().any(|name| own(name)) {
        return Err(refused(path, "belongs to the workspace itself"));
    }
    portable_path::check(&parts.join("/"), DotNames::Allowed)
        .map_err(|reason| refused(path, &format!("cannot be written: {reason}")))?;
    readable(root, path)
}

/// The plain names in `path`, which may use either slash.
fn parts(path: &str) -> Result<Vec<String>, HostError> {
    let path_buf = PathBuf::from(path.replace('\\', "/"));
    let mut parts = Vec::new();
    for component in path_buf.components() {
        match component {
            Component::CurDir => {}
            // Windows drops dots and blanks at the end of a name, and reads `x:y` as a stream.
            Component::Normal(name) => {
                let name = name.to_string_lossy();
                if name.contains([':', '\0']) || name.ends_with(['.', ' ']) {
                    return Err(refused(path, "has a name that not every system can have"));
                }
                parts.push(name.into_owned());
            }
            _ => return Err(refused(path, "leads out of the workspace")),
        }
    }
    Ok(parts)
}

fn real(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok()
}

fn refused(path: &str, why: &str) -> HostError {
    HostError::new("ALM-S050", format!("the path `{path}` {why}"))
        .with_hint("name a file inside the workspace, relative to its folder")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_in_the_workspace_and_off_its_own_files() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for path in ["a.zip", "out/a.zip", "./out\\ä b.zip", "scripts2/x"] {
            assert!(writable(root, path).is_ok(), "{path}");
        }
        for path in [
            "../a",
            "a/../../b",
            "/etc/passwd",
            "C:/x",
            "a:stream",
            "a. ",
            "\0",
        ] {
            assert!(readable(root, path).is_err(), "{path}");
        }
        for path in [
            "",
            ".",
            "alm.toml",
            "ALM.TOML",
            "./scripts/x.rhai",
            ".alm/x",
            "a/.git/config",
            "a/GIT~1/config",
            ".g\u{200c}it/config",
            "\u{17f}cripts/x.rhai",
            "a/con.txt",
        ] {
            assert!(writable(root, path).is_err(), "{path}");
        }
        assert!(readable(root, "scripts/data.json").is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_does_not_lead_out() {
        let dir = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(other.path(), dir.path().join("out")).unwrap();
        assert!(writable(dir.path(), "out/a.zip").is_err());
    }
}
