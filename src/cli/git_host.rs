//! Opens the git host of a repository of `alm.toml`.

use clap::Args;

use super::failure::Failure;
use crate::branch::{AzureDevOps, GitHost};
use crate::nearest::nearest;
use crate::transport::Cancel;
use crate::workspace::config::{HostKind, SignIn};
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
    pub host: Box<dyn GitHost>,
}

impl RepositoryOption {
    /// The repository called `name`.
    pub fn named(name: &str) -> Self {
        Self {
            repository: Some(name.to_owned()),
        }
    }

    /// Signs in to the host of the repository: as the person who acts, where she can sign in from
    /// here, since votes and merges are hers; otherwise as the identity of the host.
    ///
    /// # Errors
    /// When there is no such repository, or nobody can sign in.
    pub fn open(
        &self,
        workspace: &Workspace,
        persona: &Persona,
        cancel: &Cancel,
    ) -> Result<OpenHost, Failure> {
        let config = workspace.config();
        let name = self.name(workspace)?;
        let Some((name, repository)) = config.repositories.entry(&name) else {
            let failure = Failure::usage(
                "ALM-C001",
                format!("there is no repository called `{name}`"),
            );
            return Err(match nearest(&name, config.repositories.names()) {
                Some(near) => failure.hint(format!("did you mean `{near}`?")),
                None => failure,
            });
        };
        let missing = || {
            let message = format!("repository `{name}` has no host or project in alm.toml");
            Failure::usage("ALM-C001", message)
        };
        let host = config.hosts.get(&repository.host).ok_or_else(missing)?;
        if host.kind == HostKind::Github {
            let message = "pull requests on GitHub cannot be worked on from here yet";
            return Err(Failure::usage("ALM-C005", message).hint("use GitHub's own program `gh`"));
        }
        let project = repository.project.clone().ok_or_else(missing)?;
        let person = persona.person().map(|person| person.identity.as_str());
        let person = person.filter(|identity| can_sign_in(workspace, identity));
        let identity = person.unwrap_or(&host.identity);
        let transport = Connections::of(workspace, cancel).signed_in(identity)?;
        let remote = repository.repository.as_deref().unwrap_or(name);
        let host = AzureDevOps::new(transport, host.url.clone(), project, remote);
        Ok(OpenHost {
            repository: name.to_owned(),
            host: Box::new(host),
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

/// Whether an identity can sign in without a person at a browser.
fn can_sign_in(workspace: &Workspace, identity: &str) -> bool {
    let config = workspace.config();
    match config
        .identities
        .get(identity)
        .and_then(|identity| identity.sign_in())
    {
        Some(SignIn::User { secret, .. }) => config.tenant.emulated || secret.is_some(),
        Some(SignIn::Application { .. } | SignIn::Token(_)) => true,
        None => false,
    }
}
