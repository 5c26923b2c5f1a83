//! The workspace: the folder with `alm.toml`, what that file says, and who works in it.
//!
//! This module finds and opens a workspace ([`Workspace`]), reads `alm.toml` with every mistake at
//! its line ([`check`]), resolves a [`Persona`] and decides what may be done ([`policy`]). It sends
//! no request and runs no script.

pub mod action;
pub mod audit;
pub mod check;
pub mod config;
pub mod connections;
pub mod create;
pub mod functions;
pub mod locate;
pub mod people;
pub mod persona;
pub mod policy;
pub mod schema;
pub mod secret;

pub use action::{Action, Actions};
pub use check::{Mistake, Mistakes};
pub use config::Config;
pub use connections::{ConnectError, Connections};
pub use persona::{Person, Persona};
pub use policy::{Effect, Refusal, Target};
pub use secret::{Secret, SecretError};

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};

use crate::nearest::nearest;
use crate::problem::Problem;
use crate::whole_file::read_regular_text;
use locate::Locator;

/// The name of the file that makes a folder a workspace.
pub const FILE_NAME: &str = "alm.toml";

/// Most bytes of `alm.toml`: far more than anybody writes.
const LONGEST: u64 = 4 << 20;

/// An opened workspace. Cloning is cheap and shares it.
#[derive(Clone)]
pub struct Workspace(Arc<Inner>);

struct Inner {
    root: PathBuf,
    digest: Option<String>,
    config: Config,
    locator: Locator,
    auditor: OnceLock<Arc<dyn audit::Auditor>>,
}

/// Why there is no workspace to work in.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// Neither the folder nor any above it has an `alm.toml`.
    #[error("there is no alm.toml in {} or in a folder above it", .0.display())]
    NotFound(PathBuf),
    /// `alm.toml` could not be read.
    #[error("{} cannot be read: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        reason: io::Error,
    },
    /// `alm.toml` has mistakes.
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
    /// No persona has the name.
    #[error("there is no persona called `{wanted}`; known: {}", known.join(", "))]
    UnknownPersona {
        /// The name that was given.
        wanted: String,
        /// The personas of `alm.toml`.
        known: Vec<String>,
    },
    /// The persona is other people's.
    #[error(
        "persona `{persona}` belongs to others than {}; {}",
        person.as_deref().unwrap_or("somebody who is not named"),
        match own.as_slice() {
            [] => "no other is there".to_owned(),
            own => format!("to choose from: {}", own.join(", ")),
        }
    )]
    NotOnesPersona {
        /// The persona.
        persona: String,
        /// The sign-in name of the person, where somebody is named.
        person: Option<String>,
        /// The personas that are this person's.
        own: Vec<String>,
    },
    /// There are several personas and nothing says which one to take.
    #[error("several personas exist and none was chosen: {}", .0.join(", "))]
    PersonaNotChosen(Vec<String>),
    /// No identity has the name, or it is not a person.
    #[error("there is no person among the identities called `{wanted}`; known: {}", known.join(", "))]
    UnknownPerson {
        /// The name that was given.
        wanted: String,
        /// The identities of `alm.toml` that are people.
        known: Vec<String>,
    },
}

impl Problem for WorkspaceError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "ALM-W001",
            Self::Unreadable { .. } => "ALM-W002",
            Self::Mistakes(mistakes) => mistakes.code(),
            Self::UnknownPersona { .. } => "ALM-W015",
            Self::PersonaNotChosen(_) => "ALM-W016",
            Self::NotOnesPersona { .. } => "ALM-W023",
            Self::UnknownPerson { .. } => "ALM-W018",
        }
    }

    fn hint(&self) -> Option<String> {
        let near = |wanted: &str, known: &[String]| {
            nearest(wanted, known.iter().map(String::as_str))
                .map(|near| format!("did you mean `{near}`?"))
        };
        match self {
            Self::NotFound(_) => Some(
                "go into a workspace, name one with `--workspace DIR`, or make one with `alm new DIR`"
                    .into(),
            ),
            Self::Unreadable { .. } | Self::Mistakes(_) => None,
            Self::UnknownPersona { wanted, known } | Self::UnknownPerson { wanted, known } => {
                near(wanted, known)
            }
            Self::NotOnesPersona { person: None, .. } => {
                Some("say who you are with `--identity NAME`, or ALM_IDENTITY".into())
            }
            Self::NotOnesPersona { .. } => Some(
                "`people` and `groups` of the persona in alm.toml say whose it is".into(),
            ),
            Self::PersonaNotChosen(_) => {
                Some("choose with `--as NAME`, or set `default_persona` in alm.toml".into())
            }
        }
    }
}

impl Workspace {
    /// Opens the workspace that `start` lies in: the nearest folder upwards with an `alm.toml`.
    ///
    /// # Errors
    /// When there is none, or its `alm.toml` cannot be read or has mistakes.
    pub fn find(start: &Path) -> Result<Self, WorkspaceError> {
        let start = std::path::absolute(start).unwrap_or_else(|_| start.to_owned());
        match start
            .ancestors()
            .find(|folder| folder.join(FILE_NAME).is_file())
        {
            Some(root) => Self::open(root),
            None => Err(WorkspaceError::NotFound(start)),
        }
    }

    /// Opens the workspace whose `alm.toml` is in `root` itself.
    ///
    /// # Errors
    /// When `alm.toml` is not there, cannot be read or has mistakes.
    pub fn open(root: &Path) -> Result<Self, WorkspaceError> {
        let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        let path = root.join(FILE_NAME);
        let text = match read_regular_text(&path, LONGEST) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(WorkspaceError::NotFound(root));
            }
            Err(reason) => return Err(WorkspaceError::Unreadable { path, reason }),
        };
        match check::read(&text) {
            Ok((config, locator)) => Ok(Self(Arc::new(Inner {
                root,
                digest: Some(format!("{:x}", Sha256::digest(&text))),
                config,
                locator,
                auditor: OnceLock::new(),
            }))),
            Err(list) => Err(Mistakes::new(path, &text, list).into()),
        }
    }

    /// A workspace of a program that embeds the engine: `config` made in code, state under `root`.
    pub fn from_config(root: impl Into<PathBuf>, config: Config) -> Self {
        Self(Arc::new(Inner {
            root: root.into(),
            digest: None,
            config,
            locator: Locator::default(),
            auditor: OnceLock::new(),
        }))
    }

    /// The folder of the workspace, absolute.
    pub fn root(&self) -> &Path {
        &self.0.root
    }

    /// The SHA-256 of `alm.toml` as it was read; none for a workspace made in code.
    pub fn digest(&self) -> Option<&str> {
        self.0.digest.as_deref()
    }

    /// What `alm.toml` says.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The workspace's name: from `alm.toml`, else the folder's.
    pub fn name(&self) -> String {
        match &self.0.config.workspace.name {
            Some(name) => name.clone(),
            None => self
                .root()
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
        }
    }

    /// The folder of the company's own scripts.
    pub fn scripts(&self) -> PathBuf {
        self.root().join("scripts")
    }

    /// The folder of state: history, artifacts, the emulated tenant. It is not in git, and may be
    /// deleted to lose just those.
    pub fn state(&self) -> PathBuf {
        self.root().join(".alm")
    }

    /// The folder of the emulated tenant.
    pub fn tenant(&self) -> PathBuf {
        self.state().join("tenant")
    }

    /// The line of `alm.toml`, counted from 1, that says something, given as keys.
    pub fn line(&self, path: &[&str]) -> Option<usize> {
        self.0.locator.line(path)
    }
}

impl fmt::Debug for Workspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Workspace").field(&self.0.root).finish()
    }
}
