//! Opening a repository of `alm.toml`: which host, as whom, and where its objects are.

use std::sync::Arc;

use super::audited::Audited;
use super::remote::{GitProgram, SharedStore, SignIn};
use super::{AzureDevOps, BranchError, GitHost, Remote, Repository};
use crate::nearest::nearest;
use crate::problem::Problem;
use crate::transport::{TransportError, Url};
use crate::workspace::config::{self, HostKind};
use crate::workspace::{ConnectError, Connections, Persona, Workspace};

/// Why a repository of `alm.toml` cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// `alm.toml` has no such repository.
    #[error("there is no repository `{name}` in alm.toml")]
    Unknown {
        /// The name.
        name: String,
        /// The name that looks most like it.
        nearest: Option<String>,
    },
    /// Its host is not in `alm.toml`.
    #[error("repository `{name}` is on a host `{host}` that alm.toml does not have")]
    NoHost {
        /// The repository.
        name: String,
        /// The host.
        host: String,
    },
    /// A host of a kind that this version does not know.
    #[error("host `{0}` is of a kind that this version cannot work with")]
    HostKind(String),
    /// Azure DevOps needs a project.
    #[error("repository `{0}` names no project")]
    NoProject(String),
    /// Nobody to sign in as.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The host or the remote.
    #[error(transparent)]
    Branch(#[from] BranchError),
}

impl Problem for OpenError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "ALM-B030",
            Self::NoHost { .. } => "ALM-B031",
            Self::HostKind(_) => "ALM-B032",
            Self::NoProject(_) => "ALM-B033",
            Self::Connect(error) => error.code(),
            Self::Branch(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { nearest, .. } => nearest
                .as_ref()
                .map(|near| format!("did you mean `{near}`?")),
            Self::NoHost { .. } => Some("add it under `[hosts]`, or correct the name".into()),
            Self::HostKind(_) => Some("use an Azure DevOps organisation".into()),
            Self::NoProject(_) => Some("give it a `project`, as Azure DevOps needs one".into()),
            Self::Connect(error) => error.hint(),
            Self::Branch(error) => error.hint(),
        }
    }

    fn request(&self) -> Option<crate::problem::FailedRequest> {
        match self {
            Self::Branch(error) => error.request(),
            _ => None,
        }
    }
}

impl Repository {
    /// Opens the repository that `alm.toml` calls `name`.
    ///
    /// The person of `persona` works there, where that person can sign in, so that pull requests
    /// and votes are theirs; else the host's own identity does. Pipelines, policies and approval checks
    /// are made by the host's identity, where it can sign in here: a maker need not be allowed to. In an emulated tenant the objects
    /// are read where the tenant has them; any other repository is mirrored in `.alm/repositories`.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn connect(
        connections: &Arc<Connections>,
        persona: &Persona,
        name: &str,
    ) -> Result<Self, OpenError> {
        let workspace = connections.workspace();
        let config = workspace.config();
        let unknown = || OpenError::Unknown {
            name: name.to_owned(),
            nearest: nearest(name, config.repositories.names()).map(str::to_owned),
        };
        let entry = config.repositories.get(name).ok_or_else(unknown)?;
        let host = config
            .hosts
            .get(&entry.host)
            .ok_or_else(|| OpenError::NoHost {
                name: name.to_owned(),
                host: entry.host.clone(),
            })?;
        if host.kind != HostKind::AzureDevops {
            return Err(OpenError::HostKind(entry.host.clone()));
        }
        let no_project = || OpenError::NoProject(name.to_owned());
        let project = entry.project.as_deref().ok_or_else(no_project)?;
        let there = entry.repository.as_deref().unwrap_or(name);
        let identity = identity(workspace, persona, host);
        let transport = connections.signed_in(&identity)?;
        let client_of = |transport| -> Arc<dyn GitHost> {
            let client = AzureDevOps::new(transport, host.url.clone(), project, there);
            Arc::new(Audited::new(Arc::new(client), persona.clone(), name))
        };
        let client = client_of(transport);
        // Where this machine has no secret of the host's own identity, people prepare it themselves.
        let preparer = connections.signed_in(&host.identity).ok();
        let preparer = preparer
            .filter(|_| identity != host.identity)
            .map(client_of);
        let mut segments = host.url.path_segments().into_iter().flatten();
        let organisation = segments.rfind(|part| !part.is_empty()).unwrap_or_default();
        let shared = workspace.tenant().join("repositories");
        let shared = shared
            .join(organisation)
            .join(project)
            .join(format!("{there}.git"));
        let remote: Box<dyn Remote> = if config.tenant.emulated && shared.is_dir() {
            Box::new(SharedStore::open(&shared, client.clone())?)
        } else {
            let about = client.repository()?;
            let folder = workspace
                .state()
                .join("repositories")
                .join(format!("{name}.git"));
            let default = about.default_branch.as_deref().unwrap_or("main");
            let sign_in = sign_in(connections.clone(), identity, host.url.clone());
            Box::new(GitProgram::open(&folder, &about.remote, default, sign_in)?)
        };
        Ok(Self::open_prepared(
            name,
            client,
            preparer,
            remote,
            connections.cancel().clone(),
        )?)
    }
}

/// As whom to work on the host.
fn identity(workspace: &Workspace, persona: &Persona, host: &config::Host) -> String {
    let config = workspace.config();
    let person = persona.person().map(|person| person.identity.clone());
    let can_sign_in = |name: &String| {
        let identity = config.identities.get(name.as_str());
        match identity.and_then(config::Identity::sign_in) {
            Some(config::SignIn::User { secret: None, .. }) => config.tenant.emulated,
            found => found.is_some(),
        }
    };
    person
        .filter(can_sign_in)
        .unwrap_or_else(|| host.identity.clone())
}

/// The header with which the `git` program signs in, made anew for each of its commands.
fn sign_in(connections: Arc<Connections>, identity: String, url: Url) -> SignIn {
    Box::new(move || {
        connections
            .authorization(&identity, &url)
            .map(Some)
            .map_err(|error| {
                BranchError::Transport(TransportError::SignIn {
                    host: url.host_str().unwrap_or_default().to_owned(),
                    reason: error.to_string(),
                })
            })
    })
}
