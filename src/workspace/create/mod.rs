//! Makes new workspaces.

mod example;
mod whole;

pub use example::{ExampleError, example};

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::problem::Problem;

/// Why a workspace could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// There is something in the folder already.
    #[error("{} is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// The path is there but is no folder.
    #[error("{} is not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// A file or folder could not be written.
    #[error("{} cannot be written: {reason}", path.display())]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        reason: io::Error,
    },
}

impl Problem for CreateError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotEmpty(_) | Self::NotAFolder(_) => "ALM-W019",
            Self::Unwritable { .. } => "ALM-W020",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotEmpty(_) | Self::NotAFolder(_) => {
                Some("name a folder that does not exist yet, or an empty one".into())
            }
            Self::Unwritable { .. } => None,
        }
    }
}

/// Makes a workspace in `dir`, which must be new or empty: `alm.toml` with comments, `scripts/`
/// and `.gitignore`. It comes to be as a whole, or not at all.
///
/// # Errors
/// When the folder holds something, or cannot be written.
pub fn workspace(dir: &Path) -> Result<(), CreateError> {
    let name = std::path::absolute(dir)
        .ok()
        .and_then(|dir| {
            dir.file_name()
                .map(|name| name.to_string_lossy().into_owned())
        })
        .unwrap_or_else(|| "workspace".into());
    let name = toml::Value::String(name).to_string();
    let file = include_str!("alm.toml").replace("\"{name}\"", &name);
    whole::make(dir, "workspace", |made| files(made, &file))
}

/// Writes the files that every workspace has.
fn files(dir: &Path, alm_toml: &str) -> Result<(), CreateError> {
    let scripts = dir.join("scripts");
    fs::create_dir_all(&scripts).map_err(unwritable(&scripts))?;
    write(&dir.join(super::FILE_NAME), alm_toml)?;
    write(&scripts.join("README.md"), include_str!("scripts.md"))?;
    write(&dir.join(".gitignore"), include_str!("gitignore"))
}

fn write(path: &Path, text: &str) -> Result<(), CreateError> {
    fs::write(path, text).map_err(unwritable(path))
}

fn unwritable(path: &Path) -> impl FnOnce(io::Error) -> CreateError {
    let path = path.to_owned();
    move |reason| CreateError::Unwritable { path, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;

    #[test]
    fn a_new_workspace_opens_and_has_the_name_of_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("a \"quoted\" café");
        workspace(&root).unwrap();
        assert_eq!(Workspace::open(&root).unwrap().name(), "a \"quoted\" café");
    }

    #[test]
    fn a_folder_that_holds_something_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("mine.txt"), "mine").unwrap();
        assert!(matches!(
            workspace(dir.path()),
            Err(CreateError::NotEmpty(_))
        ));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    /// The commented part of the template is what people start from, so it must be right.
    #[test]
    fn the_commented_part_of_the_template_is_right_when_uncommented() {
        let text: String = include_str!("alm.toml")
            .lines()
            .map(|line| line.strip_prefix("#: ").unwrap_or(line))
            .map(|line| format!("{line}\n"))
            .collect();
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("alm.toml"), text).unwrap();
        if let Err(error) = Workspace::open(dir.path()) {
            panic!("{error}");
        }
    }
}
