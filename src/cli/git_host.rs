//! Which repository of `alm.toml` a command is about, and its git host.

use std::sync::Arc;

use clap::Args;

use super::failure::Failure;
use crate::branch::{GitHost, Repository};
use crate::transport::Cancel;
use crate::workspace::{Connections, Persona, Workspace};

/// Which repository a command is about.
#[derive(Debug, Clone, Default, Args)]
pub struct RepositoryOption {
    /// The repository of alm.toml; left out: the default profile's, or the only one
    #[arg(long, value_name = "REPOSITORY", global = true)]
    repository: Option<String>,
}

/// A repository's host, signed in.
pub struct OpenHost {
    /// The repository's name in `alm.toml`.
    pub repository: String,
    /// Its host.
    pub host: Arc<dyn GitHost>,
    /// The same with its objects.
    pub objects: Repository,
}

impl RepositoryOption {
    /// Signs in to the host of the repository, as the person who acts where she can.
    ///
    /// # Errors
    /// When there is no such repository, or nobody can sign in.
    pub fn open(
        &self,
        workspace: &Workspace,
        persona: &Persona,
        cancel: &Cancel,
    ) -> Result<OpenHost, Failure> {
        let name = self.name(workspace)?;
        let connections = Arc::new(Connections::of(workspace, cancel));
        let objects = Repository::connect(&connections, persona, &name)?;
        Ok(OpenHost {
            repository: name,
            host: objects.shared_host(),
            objects,
        })
    }

    fn name(&self, workspace: &Workspace) -> Result<String, Failure> {
        let config = workspace.config();
        let default = || {
            config
                .profile_for(None)
                .map(|(_, profile)| profile.repository.clone())
        };
        let only = || {
            let mut names = config.repositories.names();
            names
                .next()
                .filter(|_| config.repositories.len() == 1)
                .map(str::to_owned)
        };
        self.repository
            .clone()
            .or_else(default)
            .or_else(only)
            .ok_or_else(|| Failure::usage("ALM-C001", "name a repository with `--repository`"))
    }
}
