//! The password of the people of a workspace's emulated tenant, for clients that reach it over a
//! socket. It is made when the tenant is served for the first time, and kept beside the other
//! secrets.

use std::io;
use std::path::PathBuf;

use super::Workspace;
use super::config::SecretSource;
use super::secret::{Secret, SecretError};
use crate::emulator::credentials::new_password;
use crate::owner_only;
use crate::problem::Problem;

/// Where it is kept, from the workspace's folder.
const FILE: &str = ".alm/secrets/people";

/// The password, and what can be said about it.
pub struct PeoplePassword {
    /// The password itself.
    pub secret: Secret,
    /// The file with it.
    pub file: PathBuf,
    /// Whether it was made just now, so that nobody has seen it yet.
    pub is_new: bool,
}

/// Why there is no password.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// The file with it cannot be used.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The file cannot be made.
    #[error("{} cannot be written: {reason}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        reason: io::Error,
    },
}

impl Problem for PeopleError {
    fn code(&self) -> &'static str {
        match self {
            Self::Secret(error) => error.code(),
            Self::Unwritable { .. } => "ALM-W020",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Secret(error) => error.hint(),
            Self::Unwritable { .. } => None,
        }
    }
}

impl PeoplePassword {
    /// The password of `workspace`, which is made if there is none yet.
    ///
    /// # Errors
    /// When its file cannot be made or read, or when others can read it.
    pub fn of(workspace: &Workspace) -> Result<Self, PeopleError> {
        let file = workspace.root().join(FILE);
        let made = || -> io::Result<bool> {
            if let Some(folder) = file.parent() {
                owner_only::folder(folder)?;
            }
            match owner_only::write_new(&file, new_password().expose().as_bytes()) {
                Ok(()) => Ok(true),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
                Err(error) => Err(error),
            }
        };
        let is_new = made().map_err(|reason| PeopleError::Unwritable {
            path: file.clone(),
            reason,
        })?;
        let secret = SecretSource::File(FILE.into()).read(workspace.root())?;
        Ok(Self {
            secret,
            file,
            is_new,
        })
    }
}
