//! The front door: opens a workspace, holds what an embedding program adds, starts runs.

use std::path::Path;
use std::sync::Arc;

use rhai::Engine;

use super::artifacts::{ArtifactFolder, ArtifactMemory};
use super::audit::AuditLog;
use super::history::History;
use super::start::Start;
use super::{RunError, RunId, RunRecord};
use crate::script::engine::Extension;
use crate::script::{ArtifactStore, Keep, Keepers, Library, Script, api};
use crate::transport::{Cancel, Transport};
use crate::workspace::config::Config;
use crate::workspace::{Persona, Workspace};

/// Runs named scripts in one workspace, as one persona.
///
/// ```
/// use almscript::run::Host;
///
/// let mut host = Host::in_memory()?;
/// host.register(|engine| {
///     engine.register_fn("ticket", |number: i64| format!("CHG-{number}"));
/// });
/// host.script("hello", "//! Say hello.\n//! @param name text  whom to greet\n\
///                       `Hello ${params.name}, see ${ticket(7)}`");
/// let finished = host.run("hello").parameter("name", "Maya").go()?;
/// assert_eq!(finished.value, "Hello Maya, see CHG-7");
/// # Ok::<(), almscript::run::RunError>(())
/// ```
pub struct Host {
    workspace: Workspace,
    persona: Persona,
    library: Library,
    pub(super) extensions: Vec<Extension>,
    pub(super) keepers: Keepers,
    pub(super) history: Arc<History>,
    pub(super) artifacts: Arc<dyn ArtifactStore>,
    transport: Option<Arc<dyn Transport>>,
    interrupted: Vec<RunRecord>,
}

impl Host {
    /// Opens the workspace that `folder` lies in, with everything allowed that its policy allows.
    /// Runs whose process is gone are written down as interrupted.
    ///
    /// # Errors
    /// When there is no workspace, `alm.toml` has mistakes, or the history cannot be used.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, RunError> {
        Self::of(Workspace::find(folder.as_ref())?)
    }

    /// A host of an opened workspace.
    ///
    /// # Errors
    /// When the history cannot be used.
    pub fn of(workspace: Workspace) -> Result<Self, RunError> {
        let history = History::open(&workspace.state())?;
        let interrupted = history.recover()?;
        let artifacts = Arc::new(ArtifactFolder(workspace.state().join("artifacts")));
        let library = Library::of_workspace(workspace.root());
        Ok(Self::with(
            workspace,
            library,
            history,
            artifacts,
            interrupted,
        ))
    }

    /// A host without a folder: the bundled scripts, the caller's own, and a history that ends with
    /// the host.
    ///
    /// # Errors
    /// When SQLite has no memory.
    pub fn in_memory() -> Result<Self, RunError> {
        let workspace = Workspace::from_config("", Config::default());
        let artifacts = Arc::new(ArtifactMemory::default());
        let history = History::in_memory()?;
        Ok(Self::with(
            workspace,
            Library::bundled(),
            history,
            artifacts,
            Vec::new(),
        ))
    }

    fn with(
        workspace: Workspace,
        library: Library,
        history: History,
        artifacts: Arc<dyn ArtifactStore>,
        interrupted: Vec<RunRecord>,
    ) -> Self {
        let history = Arc::new(history);
        workspace.audited_by(Arc::new(AuditLog::in_history(&workspace, history.clone())));
        Self {
            persona: workspace.unrestricted(),
            workspace,
            library,
            extensions: Vec::new(),
            keepers: api::keepers(),
            history,
            artifacts,
            transport: None,
            interrupted,
        }
    }

    /// Adds primitives: `add` registers functions, types or modules in the engine of each run. Give
    /// them integers as `i64`; see [`crate::script::api`] for how to raise errors that scripts can
    /// catch.
    pub fn register(&mut self, add: impl Fn(&mut Engine) + Send + Sync + 'static) -> &mut Self {
        self.extensions.push(Arc::new(add));
        self
    }

    /// Adds a named script, which is also a module, before the bundled ones.
    pub fn script(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> &mut Self {
        self.library = std::mem::take(&mut self.library).with(name, text);
        self
    }

    /// Lets steps end with values of type `T`.
    pub fn keep<T: Keep>(&mut self) -> &mut Self {
        self.keepers.add::<T>();
        self
    }

    /// Acts as `persona` from now on.
    pub fn act_as(&mut self, persona: Persona) -> &mut Self {
        self.persona = persona;
        self
    }

    /// Sends all requests through `transport` instead of the one that `alm.toml` asks for.
    pub fn send_through(&mut self, transport: Arc<dyn Transport>) -> &mut Self {
        self.transport = Some(transport);
        self
    }

    /// A run of the script called `name`, to be given its parameters.
    pub fn run(&self, name: impl Into<String>) -> Start<'_> {
        Start::new(self, name.into())
    }

    /// The same run again, after its last finished step: one that failed, was cancelled or
    /// interrupted, or waits and was answered.
    pub fn resume(&self, run: RunId) -> Start<'_> {
        Start::again(self, run)
    }

    /// The history.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Runs that were found interrupted when the host was opened.
    pub fn interrupted(&self) -> &[RunRecord] {
        &self.interrupted
    }

    /// The workspace.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// The persona that runs act as.
    pub fn persona(&self) -> &Persona {
        &self.persona
    }

    /// The scripts as the persona finds them, its replacements included.
    pub fn library(&self) -> Library {
        self.library_of(&self.persona)
    }

    /// The scripts as `persona` finds them.
    pub(super) fn library_of(&self, persona: &Persona) -> Library {
        let mut library = self.library.clone();
        let Some(name) = persona.name() else {
            return library;
        };
        library = library.for_persona(name);
        for (name, by) in persona.replacements() {
            library = library.replacing(name, by);
        }
        library
    }

    /// The scripts that the persona sees, by name.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn scripts(&self) -> Result<Vec<Script>, RunError> {
        let mut scripts = self.library().list()?;
        scripts.retain(|script| self.persona.sees_script(&script.name));
        Ok(scripts)
    }

    /// An engine with everything that scripts of this host can call: for the reference.
    pub fn engine(&self) -> Engine {
        let limits = crate::script::limits::Limits::trusted();
        crate::script::engine::engine(&limits, &self.extensions)
    }

    /// The transport that requests of one run go through, without authorisation.
    pub(super) fn transport(&self, cancel: &Cancel) -> Arc<dyn Transport> {
        match &self.transport {
            Some(transport) => transport.clone(),
            None => self.workspace.transport(cancel),
        }
    }
}
