//! Starting a run, the first time or again.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use uuid::Uuid;

use super::carry::{Carriage, Loaded};
use super::history::NewRun;
use super::journal::Journal;
use super::redaction::{redacted_map, without_secrets};
use super::resume::secrets;
use super::{Host, Observer, Outcome, RunError, RunId};
use crate::script::diagnostics::Failure;
use crate::script::engine::Program;
use crate::script::limits::Limits;
use crate::script::parameters::{Declaration, Given, Kind, Rules};
use crate::script::{Context, ContextParts, Library, Record, RunFacts, Script, Sources, Wait};
use crate::transport::redact::Redactor;
use crate::transport::{Cancel, Cancelled, Secret};
use crate::workspace::Persona;

/// A run that is about to start.
pub struct Start<'h> {
    pub(super) host: &'h Host,
    pub(super) persona: Persona,
    what: What,
    pub(super) given: BTreeMap<String, Given>,
    observers: Vec<Arc<dyn Observer>>,
    cancel: Cancel,
    time: Option<Duration>,
    pub(super) sandbox: bool,
    who: Option<String>,
    about: Record,
}

enum What {
    Script(String),
    Again(RunId),
}

/// A run that has ended.
#[derive(Debug, Clone)]
pub struct Finished {
    /// Its number in the history.
    pub run: RunId,
    /// How it ended.
    pub outcome: Outcome,
    /// What the script returned; host values as their text.
    pub value: Value,
    /// Why it failed, or where it was when it was stopped.
    pub failure: Option<Box<Failure>>,
    /// What it waits for.
    pub waiting: Option<Wait>,
    /// Why it was stopped, if it was.
    pub stopped: Option<Cancelled>,
    /// The files of the workspace that it was made of: script, hooks, imported modules.
    pub files: Vec<PathBuf>,
}

impl<'h> Start<'h> {
    pub(super) fn new(host: &'h Host, script: String) -> Self {
        Self::with(host, What::Script(script))
    }

    pub(super) fn again(host: &'h Host, run: RunId) -> Self {
        Self::with(host, What::Again(run))
    }

    fn with(host: &'h Host, what: What) -> Self {
        Self {
            host,
            persona: host.persona().clone(),
            what,
            given: BTreeMap::new(),
            observers: Vec::new(),
            cancel: Cancel::new(),
            time: None,
            sandbox: false,
            who: None,
            about: Record::default(),
        }
    }

    /// Acts as `persona` instead of the host's.
    #[must_use]
    pub fn act_as(mut self, persona: Persona) -> Self {
        self.persona = persona;
        self
    }

    /// Gives a parameter as data.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.given.insert(name.into(), Given::Value(value.into()));
        self
    }

    /// Gives parameters, as typed or as data.
    #[must_use]
    pub fn parameters(mut self, given: impl IntoIterator<Item = (String, Given)>) -> Self {
        self.given.extend(given);
        self
    }

    /// Lets `observer` hear of everything that happens.
    #[must_use]
    pub fn observe(mut self, observer: impl Observer + 'static) -> Self {
        self.observers.push(Arc::new(observer));
        self
    }

    /// Stops the run when `cancel` is raised.
    #[must_use]
    pub fn cancel(mut self, cancel: Cancel) -> Self {
        self.cancel = cancel;
        self
    }

    /// Ends the run as failed after this much time, instead of what `alm.toml` says.
    #[must_use]
    pub fn time_limit(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// Puts the script under all limits, for scripts of others.
    #[must_use]
    pub fn sandbox(mut self) -> Self {
        self.sandbox = true;
        self
    }

    /// Says who starts the run, where the persona names nobody.
    #[must_use]
    pub fn who(mut self, who: impl Into<String>) -> Self {
        self.who = Some(who.into());
        self
    }

    /// Adds to the run's entry in the request history before it starts, for example the build that
    /// asked for it.
    #[must_use]
    pub fn about(mut self, about: Record) -> Self {
        self.about = about;
        self
    }

    /// Runs the script on a thread of its own and waits for its end.
    ///
    /// # Errors
    /// When it cannot start or cannot be written down. What goes wrong inside the script is in
    /// [`Finished`].
    pub fn go(self) -> Result<Finished, RunError> {
        let (host, persona) = (self.host, self.persona.clone());
        let (what, finished) = match &self.what {
            What::Script(name) => (
                format!("running `{name}`"),
                self.first(name, host.library_of(&persona)),
            ),
            What::Again(run) => {
                let run = *run;
                (format!("resuming run {run}"), self.go_on(run))
            }
        };
        finished.inspect_err(|error| host.audit_refusal(&persona, &what, error))
    }

    fn first(&self, name: &str, library: Library) -> Result<Finished, RunError> {
        let persona = &self.persona;
        let script = library.script(name)?;
        self.check_sight(name)?;
        let declaration = script.declaration()?;
        let rules = rules_of(persona, &declaration, plain_name(name));
        let params = declaration.settle(&self.given, &rules)?;
        declaration.check_names(&params, self.host.workspace().config())?;
        let who = self.person();
        let about = about(&self.about, &declaration, &params);
        let scripts = serde_json::to_vec(&library.record()).unwrap_or_default();
        let scripts = self.host.artifacts.put(&scripts)?;
        let secrets = secrets(&params);
        let key = Uuid::new_v4();
        let (run, alive) = self.host.history.begin(&NewRun {
            script: name,
            label: &script.label,
            hash: &script.hash(),
            who: &who,
            persona: persona.name(),
            identity: persona.person().map(|person| person.identity.as_str()),
            parameters: &without_secrets(params.clone()),
            about: &about,
            scripts: &scripts,
            workspace: self.host.workspace().digest(),
            sandbox: self.sandbox,
            key,
        })?;
        let carriage = self.carriage(run, key, name, who, about, script, library, &secrets);
        let shown = redacted_map(&carriage.journal.redactor(), params.clone());
        let loaded = self.load(&carriage, &params);
        if let Ok(program) = &loaded {
            let hash = whole_hash(program.sources());
            self.host.history.set_hash(run, &hash)?;
        }
        let finished = carriage.carry(loaded, shown, false);
        drop(alive);
        finished
    }

    /// Makes sure that the persona has the script.
    pub(super) fn check_sight(&self, name: &str) -> Result<(), RunError> {
        let persona = &self.persona;
        if persona.sees_script(plain_name(name)) {
            return Ok(());
        }
        Err(RunError::NotForPersona {
            persona: persona.name().unwrap_or_default().to_owned(),
            script: name.to_owned(),
        })
    }

    pub(super) fn load(&self, carriage: &Carriage<'_>, params: &Map<String, Value>) -> Loaded {
        let limits = if self.sandbox {
            Limits::sandbox()
        } else {
            Limits::trusted()
        };
        let limits = limits.with(&self.host.workspace().config().limits);
        let script = carriage.script.clone();
        Program::load(
            &carriage.context,
            script,
            params,
            &limits,
            &self.host.extensions,
        )
    }

    /// Puts together what a run works with. `secrets` are never shown.
    #[expect(clippy::too_many_arguments, reason = "each is a part of what a run is")]
    pub(super) fn carriage(
        &self,
        run: RunId,
        key: Uuid,
        name: &str,
        who: String,
        about: Record,
        script: Script,
        library: Library,
        secrets: &[String],
    ) -> Carriage<'h> {
        let host = self.host;
        let mut redactor = Redactor::new();
        for secret in secrets {
            redactor.learn(Secret::new(secret.as_str()));
        }
        let redactor = Arc::new(RwLock::new(redactor));
        let journal = Arc::new(Journal::new(
            host.history.clone(),
            run,
            key,
            about.clone(),
            self.observers.clone(),
            redactor.clone(),
        ));
        let facts = RunFacts {
            run: run.0,
            script: name.to_owned(),
            who,
            persona: self.persona.name().map(str::to_owned),
            profile: about.profile,
            started: jiff::Timestamp::now(),
        };
        let context = Context::new(ContextParts {
            workspace: host.workspace().clone(),
            persona: self.persona.clone(),
            facts,
            transport: host.transport(&self.cancel),
            cancel: self.cancel.clone(),
            redactor,
            sink: journal.clone(),
            artifacts: host.artifacts.clone(),
            keepers: host.keepers.clone(),
            library: Arc::new(library),
        });
        let limit = self.time.unwrap_or(host.workspace().config().limits.time.0);
        let (cancel, started) = (self.cancel.clone(), Instant::now());
        Carriage {
            host,
            run,
            context,
            journal,
            script,
            cancel,
            limit,
            started,
        }
    }

    /// Who starts the run.
    pub(super) fn person(&self) -> String {
        let person = self.persona.person().map(|person| person.user.clone());
        person
            .or_else(|| self.who.clone())
            .unwrap_or_else(|| "somebody".to_owned())
    }
}

/// How `persona` meets the parameters of the script that personas know as `script`.
pub(super) fn rules_of(persona: &Persona, declaration: &Declaration, script: &str) -> Rules {
    let names = declaration.parameters.iter().map(|p| &p.name);
    names
        .map(|name| (name.clone(), persona.parameter(script, name)))
        .collect()
}

/// A script's name as personas know it.
pub(super) fn plain_name(name: &str) -> &str {
    name.strip_prefix("bundled/").unwrap_or(name)
}

/// What the parameters say about the request, under what the caller says.
fn about(given: &Record, declaration: &Declaration, params: &Map<String, Value>) -> Record {
    let first = |kind: &Kind| {
        let of_kind = declaration.parameters.iter().filter(|p| p.kind == *kind);
        let mut values = of_kind.filter_map(|p| params.get(&p.name)?.as_str().map(str::to_owned));
        values.next()
    };
    let given = given.clone();
    Record {
        solution: given.solution.or_else(|| first(&Kind::Solution)),
        profile: given.profile.or_else(|| first(&Kind::Profile)),
        stage: given.stage.or_else(|| first(&Kind::Stage)),
        environment: given.environment.or_else(|| first(&Kind::Environment)),
        ..given
    }
}

/// The SHA-256 over all texts that were loaded.
pub(super) fn whole_hash(sources: &Sources) -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    for script in sources.all() {
        hash.update(script.label.as_bytes());
        hash.update([0]);
        hash.update(script.hash().as_bytes());
    }
    format!("{:x}", hash.finalize())
}
