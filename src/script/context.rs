//! What one run hands to the primitives that its script calls.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use rhai::{Dynamic, NativeCallContext, Position};

use super::api::HostError;
use super::guard::Guard;
use super::hooks::Hooks;
use super::kept::Keepers;
use super::library::Library;
use super::limits::Limits;
use super::sink::{ArtifactStore, Message, StepSink};
use crate::transport::redact::Redactor;
use crate::transport::{Cancel, Cancelled, Secret, Transport, TransportError};
use crate::workspace::{Effect, Persona, Workspace};

/// The surroundings of one run: cheap to clone, shared by everything the script touches.
///
/// Host modules are built once per process, so a primitive finds its run through the call:
/// `Context::of(&call)?`.
#[derive(Clone)]
pub struct Context(Arc<Inner>);

struct Inner {
    parts: ContextParts,
    shared: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    hooks: OnceLock<Hooks>,
    guard: OnceLock<Arc<Guard>>,
    last_call: Mutex<Option<(String, Position)>>,
}

/// What a [`Context`] is made from.
pub struct ContextParts {
    /// The workspace; relative paths in scripts start at its folder.
    pub workspace: Workspace,
    /// What the person who runs the script sees and may do.
    pub persona: Persona,
    /// Who runs what.
    pub facts: RunFacts,
    /// The base transport, without authorisation.
    pub transport: Arc<dyn Transport>,
    /// Looked at by everything that waits.
    pub cancel: Cancel,
    /// Takes secrets out of what is recorded; shared with the run.
    pub redactor: Arc<RwLock<Redactor>>,
    /// The run's journal and its observers.
    pub sink: Arc<dyn StepSink>,
    /// Where packages and trees are kept.
    pub artifacts: Arc<dyn ArtifactStore>,
    /// The types that a step can end with.
    pub keepers: Keepers,
    /// The scripts in reach.
    pub library: Arc<Library>,
}

/// Who runs what: the read-only facts behind `run::id()`, `run::persona()` and their like.
#[derive(Debug, Clone, Default)]
pub struct RunFacts {
    /// The number of the run in the history.
    pub run: i64,
    /// The script's name.
    pub script: String,
    /// Who started it, as the workspace knows people (a user principal name where known).
    pub who: String,
    /// The persona it runs as.
    pub persona: Option<String>,
    /// The deployment profile in force.
    pub profile: Option<String>,
    /// When this attempt began.
    pub started: jiff::Timestamp,
}

impl Context {
    /// The context of a new run.
    pub fn new(parts: ContextParts) -> Self {
        Self(Arc::new(Inner {
            parts,
            shared: Mutex::default(),
            hooks: OnceLock::new(),
            guard: OnceLock::new(),
            last_call: Mutex::default(),
        }))
    }

    /// The context of the run in which `call` happens.
    ///
    /// # Errors
    /// `ALM-S018` when the function is called by an engine that no run started.
    pub fn of(call: &NativeCallContext<'_>) -> Result<Self, HostError> {
        let tag = call.tag();
        let found = tag.and_then(|tag| tag.read_lock::<Self>().map(|context| context.clone()));
        let Some(context) = found else {
            let message = format!("`{}` works only inside a run", call.fn_name());
            return Err(HostError::new("ALM-S018", message)
                .with_hint("start the script through `run::Host`"));
        };
        context.guard().enter_host();
        let place = call
            .call_source()
            .map(|source| (source.to_owned(), call.call_position()));
        *context
            .0
            .last_call
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = place;
        Ok(context)
    }

    /// Where a primitive was called last: Rhai gives an error no position when it comes out of a
    /// function that was called through a namespace.
    pub(crate) fn last_call(&self) -> Option<(String, Position)> {
        self.0
            .last_call
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The value that an engine carries so that [`of`](Self::of) finds this context.
    pub(crate) fn into_tag(self) -> Dynamic {
        Dynamic::from(self)
    }

    /// Asks the policy. Every primitive with an effect calls this before anything else.
    ///
    /// # Errors
    /// The policy's refusal, or that the run is cancelled.
    pub fn permit(&self, effect: Effect) -> Result<(), HostError> {
        // A script that caught the cancellation of one call must not go on to the next effect.
        self.cancel().check().map_err(TransportError::from)?;
        // Nor one that the host gave up waiting for.
        if self.guard().is_left_alone() {
            return Err(TransportError::from(Cancelled::ByRequest).into());
        }
        Ok(self
            .0
            .parts
            .persona
            .may_in_run(&effect, Some(self.facts().run))?)
    }

    /// Who runs what.
    pub fn facts(&self) -> &RunFacts {
        &self.0.parts.facts
    }

    /// The workspace.
    pub fn workspace(&self) -> &Workspace {
        &self.0.parts.workspace
    }

    /// What the person who runs the script sees and may do.
    pub fn persona(&self) -> &Persona {
        &self.0.parts.persona
    }

    /// The workspace folder.
    pub fn root(&self) -> &Path {
        self.0.parts.workspace.root()
    }

    /// Makes sure that `secret` is never recorded or shown.
    pub fn learn_secret(&self, secret: Secret) {
        self.secret_listener()(&secret);
    }

    /// The same for secrets that are read later, by parts that outlive this call.
    pub(super) fn secret_listener(&self) -> impl Fn(&Secret) + Send + Sync + 'static {
        let redactor = self.0.parts.redactor.clone();
        move |secret| {
            let mut redactor = redactor.write().unwrap_or_else(PoisonError::into_inner);
            redactor.learn(secret.clone());
        }
    }

    /// The transport without authorisation.
    pub fn transport(&self) -> &Arc<dyn Transport> {
        &self.0.parts.transport
    }

    /// The flag that every wait looks at.
    pub fn cancel(&self) -> &Cancel {
        &self.0.parts.cancel
    }

    /// The run.
    pub fn sink(&self) -> &dyn StepSink {
        self.0.parts.sink.as_ref()
    }

    /// Where bytes are kept.
    pub fn artifacts(&self) -> &dyn ArtifactStore {
        self.0.parts.artifacts.as_ref()
    }

    /// The scripts in reach.
    pub fn library(&self) -> &Arc<Library> {
        &self.0.parts.library
    }

    /// The workspace's hooks for the script that was started.
    pub(crate) fn hooks(&self) -> &Hooks {
        self.0.hooks.get_or_init(Hooks::none)
    }

    /// Sets the hooks, once, before the script starts.
    pub(crate) fn set_hooks(&self, hooks: Hooks) {
        // A second script of the same run keeps the hooks of the one that was started.
        let _ = self.0.hooks.set(hooks);
    }

    /// What keeps the script inside its limits.
    pub(crate) fn guard(&self) -> &Arc<Guard> {
        let parts = &self.0.parts;
        let new = || Arc::new(Guard::new(Limits::trusted(), parts.cancel.clone()));
        self.0.guard.get_or_init(new)
    }

    /// Sets the limits, once, before the script starts.
    pub(super) fn set_limits(&self, limits: &Limits) -> Arc<Guard> {
        let new = || Arc::new(Guard::new(*limits, self.cancel().clone()));
        self.0.guard.get_or_init(new).clone()
    }

    /// The types that a step can end with.
    pub fn keepers(&self) -> &Keepers {
        &self.0.parts.keepers
    }

    /// Tells whoever watches how far the current step is; `total` is zero where nobody knows.
    pub fn progress(&self, done: f64, total: f64, text: impl Into<String>) {
        self.sink().tell(Message::Progress {
            done,
            total,
            text: text.into(),
        });
    }

    /// Something that lives as long as the run, made at first use: an authorised client, a cache.
    /// One per type. `make` may itself use [`shared`](Self::shared) for another type.
    ///
    /// # Errors
    /// Whatever `make` returns; the next call tries again.
    pub fn shared<T, E>(&self, make: impl FnOnce(&Self) -> Result<T, E>) -> Result<Arc<T>, E>
    where
        T: Any + Send + Sync,
    {
        let find = |map: &HashMap<TypeId, Arc<dyn Any + Send + Sync>>| {
            map.get(&TypeId::of::<T>())
                .and_then(|found| found.clone().downcast::<T>().ok())
        };
        let lock = || self.0.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = find(&lock()) {
            return Ok(found);
        }
        let made = Arc::new(make(self)?);
        let mut map = lock();
        if let Some(found) = find(&map) {
            return Ok(found);
        }
        map.insert(TypeId::of::<T>(), made.clone());
        Ok(made)
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("facts", self.facts())
            .finish_non_exhaustive()
    }
}
