//! Who an agent is, so that a build can be told to be its own, a dead one's, or somebody else's.

use std::io;

use uuid::Uuid;

use crate::owner_only;
use crate::run::Host;
use crate::run::alive::Alive;
use crate::whole_file::read_regular_text;

/// The file with the workspace's part of the name, in the folder of state.
const FILE: &str = "agent";

/// The name of one agent: its workspace's, and its process's.
pub(super) struct AgentName {
    workspace: String,
    process: String,
    /// Held for as long as the agent works.
    _alive: Option<Alive>,
}

/// Whose a build is that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// This agent's.
    Mine,
    /// An agent's of this workspace whose process is gone.
    Dead,
    /// Somebody else's.
    Other,
}

impl AgentName {
    /// A new name in the workspace of `host`. Where nothing can be written it is a name that nobody
    /// recognises later.
    pub fn of(host: &Host) -> Self {
        let alive = host.history.take_lock().ok().flatten();
        let random = || Uuid::new_v4().simple().to_string();
        let process = alive
            .as_ref()
            .map_or_else(random, |alive| alive.token().to_owned());
        Self {
            workspace: workspace(host).unwrap_or_else(|_| random()),
            process,
            _alive: alive,
        }
    }

    /// The name as the git host keeps it.
    pub fn text(&self) -> String {
        format!("alm {}/{}", self.workspace, self.process)
    }

    /// Whose the build is that `agent` has taken.
    pub fn owner(&self, host: &Host, agent: Option<&str>) -> Owner {
        let own = format!("alm {}/", self.workspace);
        match agent.and_then(|agent| agent.strip_prefix(&own)) {
            Some(process) if process == self.process => Owner::Mine,
            Some(process) if !host.history.is_alive(process) => Owner::Dead,
            _ => Owner::Other,
        }
    }
}

/// The workspace's part, made once.
fn workspace(host: &Host) -> io::Result<String> {
    let state = host.workspace().state();
    if host.workspace().digest().is_none() {
        // A host without a folder.
        return Err(io::ErrorKind::NotFound.into());
    }
    let file = state.join(FILE);
    match owner_only::write_new(&file, Uuid::new_v4().simple().to_string().as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    Ok(read_regular_text(&file, 64)?.trim().to_owned())
}
