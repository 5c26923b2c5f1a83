//! Files that a script may touch: inside the workspace, and what it writes nowhere near the
//! workspace's own files. A script that could write `alm.toml` could allow itself anything.

use std::path::{Component, Path, PathBuf};

use super::HostError;
use crate::place::Place;
use crate::portable_path::{self, DotNames, fold};

/// Folders and files of the workspace that scripts never write.
const OWN: [&str; 4] = [".alm", ".git", "scripts", "alm.toml"];

/// The place that `path`, relative to the workspace at `root`, means for reading.
///
/// # Errors
/// `ALM-S050` when it leads out of the workspace, by `..`, a drive letter or a link.
pub(super) fn readable(root: &Path, path: &str) -> Result<PathBuf, HostError> {
    let full = root.join(parts(path)?.iter().collect::<PathBuf>());
    inside(root, path, &full)?;
    Ok(full)
}

/// Where `full` lies in the workspace when all links on the way are followed, relative to its root.
fn inside(root: &Path, path: &str, full: &Path) -> Result<PathBuf, HostError> {
    let outside = || refused(path, "leads out of the workspace");
    let root = real(root).ok_or_else(outside)?;
    // What is not there cannot lead out; the read that follows says that it is missing. A link to
    // nothing is there: writing would make what it names.
    let mut above = full.ancestors();
    let (deepest, at) = above
        .find_map(|at| match real(at) {
            None if at.is_symlink() => Some(Err(outside())),
            found => found.map(|found| Ok((found, at))),
        })
        .ok_or_else(outside)??;
    let rest = full.strip_prefix(at).map_err(|_| outside())?;
    let inside = deepest.strip_prefix(&root).map_err(|_| outside())?;
    Ok(inside.join(rest))
}

/// The place that `path` means for writing, held open: a link that is put on the way to it from now
/// on changes nothing.
///
/// # Errors
/// As [`readable`], and for the workspace's own files.
pub(super) fn writable(root: &Path, path: &str) -> Result<Place, HostError> {
    let parts = parts(path)?;
    let named = root.join(parts.iter().collect::<PathBuf>());
    // Both what it is called and what it is behind a link, as a clone can bring one.
    let meant = inside(root, path, &named)?;
    let meant = meant.iter().map(|part| part.to_string_lossy().into_owned());
    let meant: Vec<String> = meant.collect();
    for parts in [&parts, &meant] {
        let Some(first) = parts.first() else {
            return Err(refused(path, "is the workspace itself"));
        };
        if OWN.iter().any(|own| fold(own) == fold(first)) {
            return Err(refused(path, "belongs to the workspace itself"));
        }
        portable_path::check(&parts.join("/"), DotNames::Allowed)
            .map_err(|reason| refused(path, &format!("cannot be written: {reason}")))?;
    }
    Place::beneath(root, &meant)
        .map_err(|error| refused(path, &format!("cannot be opened: {error}")))
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

    #[cfg(unix)]
    #[test]
    fn a_link_inside_leads_to_none_of_the_workspaces_own_files() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for folder in ["scripts", ".alm", "src/.git", "src/real"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        std::fs::write(root.join("alm.toml"), "").unwrap();
        for (link, target) in [
            ("a", "scripts"),
            ("b", ".alm"),
            ("c", "alm.toml"),
            ("d", "src/.git"),
            ("e", "a"),
            ("f", "nothing-yet"),
            ("g", "src/real"),
        ] {
            symlink(root.join(target), root.join(link)).unwrap();
        }
        for path in ["a/x", "a", "b/x/y", "c", "d/config", "e/x", "f", "f/x"] {
            assert!(writable(root, path).is_err(), "{path}");
        }
        assert!(writable(root, "g/x").is_ok());
    }
}
