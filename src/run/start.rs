//! Starting a run, carrying it to its end, and resuming one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use rhai::Dynamic;
use serde_json::{Map, Value};

use super::history::{NewRun, RunEnd};
use super::journal::Journal;
use super::redaction::redacted_map;
use super::{Event, Host, Observer, Outcome, RunError, RunId};
use crate::script::api::HostError;
use crate::script::diagnostics::{Ended, Failure, explain};
use crate::script::engine::{Limits, Program};
use crate::script::parameters::{Declaration, Given, Kind, Rules};
use crate::script::{
    Context, ContextParts, Library, Record, RunFacts, Script, Sources, StepSink as _, Wait, to_json,
};
use crate::transport::redact::Redactor;
use crate::transport::{Cancel, Cancelled};

/// The stack of a script's thread. A script nests calls as deep as its limits allow, and each
/// level takes several frames of the interpreter; the main thread of Windows has one megabyte.
const STACK: usize = 64 << 20;

/// A run that is about to start.
pub struct Start<'h> {
    host: &'h Host,
    what: What,
    given: BTreeMap<String, Given>,
    observers: Vec<Arc<dyn Observer>>,
    cancel: Cancel,
    time: Option<Duration>,
    sandbox: bool,
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
        let library = self.host.library();
        match &self.what {
            What::Script(name) => self.first(name, library),
            What::Again(run) => self.again_from(*run, library),
        }
    }

    fn first(&self, name: &str, library: Library) -> Result<Finished, RunError> {
        let persona = self.host.persona();
        let plain = name.strip_prefix("bundled/").unwrap_or(name);
        let script = library.script(name)?;
        if !persona.sees_script(plain) {
            return Err(RunError::NotForPersona {
                persona: persona.name().unwrap_or_default().to_owned(),
                script: name.to_owned(),
            });
        }
        let declaration = script.declaration()?;
        let rules: Rules = declaration
            .parameters
            .iter()
            .map(|p| (p.name.clone(), persona.parameter(plain, &p.name)))
            .collect();
        let params = declaration.settle(&self.given, &rules)?;
        declaration.check_names(&params, self.host.workspace().config())?;
        let who = self.person();
        let redactor = Arc::new(RwLock::new(Redactor::new()));
        let about = about(&self.about, &declaration, &params);
        let shown = redacted_map(&Redactor::new(), params.clone());
        let (run, alive) = self.host.history.begin(&NewRun {
            script: name,
            label: &script.label,
            hash: &script.hash(),
            who: &who,
            persona: persona.name(),
            parameters: &shown,
            about: &about,
        })?;
        let started = Instant::now();
        let (context, journal) = self.context(run, name, who, about, library, redactor);
        let loaded = Program::load(
            &context,
            script.clone(),
            &params,
            &self.limits(),
            &self.host.extensions,
        );
        if let Ok(program) = &loaded {
            self.host
                .history
                .set_hash(run, &whole_hash(program.sources()))?;
        }
        let finished = self.carry(
            run, &context, &journal, &script, loaded, shown, false, started,
        );
        drop(alive);
        finished
    }

    fn again_from(&self, run: RunId, library: Library) -> Result<Finished, RunError> {
        let record = self.host.history.run(run)?;
        match record.outcome {
            None => return Err(RunError::Running(run)),
            Some(Outcome::Succeeded) => return Err(RunError::Succeeded(run)),
            Some(_) => {}
        }
        let script = library.script(&record.script)?;
        let redactor = Arc::new(RwLock::new(Redactor::new()));
        let (context, journal) = self.context(
            run,
            &record.script,
            record.who.clone(),
            record.about.clone(),
            library,
            redactor,
        );
        let started = Instant::now();
        let loaded = Program::load(
            &context,
            script.clone(),
            &record.parameters,
            &self.limits(),
            &self.host.extensions,
        );
        let same = loaded
            .as_ref()
            .is_ok_and(|p| whole_hash(p.sources()) == record.hash);
        if !same {
            return Err(RunError::Changed {
                run,
                script: record.script,
            });
        }
        let alive = self.host.history.reopen(run)?;
        let finished = self.carry(
            run,
            &context,
            &journal,
            &script,
            loaded,
            record.parameters,
            true,
            started,
        );
        drop(alive);
        finished
    }

    /// Runs what was loaded, if it was, and writes down how it ended.
    #[expect(
        clippy::too_many_arguments,
        reason = "two callers, and no part of it lives longer"
    )]
    fn carry(
        &self,
        run: RunId,
        context: &Context,
        journal: &Journal,
        script: &Script,
        loaded: Result<Program, (Box<rhai::EvalAltResult>, Sources)>,
        parameters: Map<String, Value>,
        resumed: bool,
        started: Instant,
    ) -> Result<Finished, RunError> {
        let facts = context.facts();
        for found in self.host.interrupted() {
            let open = self.host.history.steps(found.id)?;
            let open = open
                .into_iter()
                .rev()
                .find(|step| step.state == "interrupted");
            // Said by every run until somebody resumes it or starts it anew.
            let event = Event::RunInterrupted {
                run: found.id,
                script: found.script.clone(),
                step: open.map(|step| step.name),
            };
            if found.id != run {
                journal.tell_all(event)?;
            }
        }
        journal.tell_all(Event::RunStarted {
            run,
            script: facts.script.clone(),
            who: facts.who.clone(),
            persona: facts.persona.clone(),
            parameters,
            resumed,
        })?;
        let limit = self
            .time
            .unwrap_or(self.host.workspace().config().limits.time.0);
        self.cancel.set_deadline(started + limit);
        let mut files = Vec::new();
        let ended = match loaded {
            Err((error, sources)) => {
                files = paths(&sources);
                Err(explain(error, &script.label, &sources, None, None))
            }
            Ok(program) => {
                let ended = on_own_thread(&program);
                files.extend(paths(program.sources()));
                match ended {
                    Ok(Ok(value)) => {
                        for name in program.unused_hooks() {
                            journal.tell(crate::script::Message::Warning {
                                text: format!("the hook `{name}` belongs to no step of this run"),
                            });
                        }
                        Ok(plain(&program, value))
                    }
                    Ok(Err(error)) => {
                        let engine = program.engine();
                        Err(explain(
                            error,
                            &script.label,
                            program.sources(),
                            Some(engine),
                            context.last_call(),
                        ))
                    }
                    Err(error) => Err(Ended::Failed(Box::new(Failure::plain(error)))),
                }
            }
        };
        let stopped = self.cancel.check().err().filter(|_| ended.is_err());
        let mut finished = Finished {
            run,
            outcome: Outcome::Succeeded,
            value: Value::Null,
            failure: None,
            waiting: None,
            stopped,
            files,
        };
        match ended {
            Ok(value) => finished.value = journal.redacted(value),
            Err(Ended::Waiting(wait)) => {
                finished.outcome = Outcome::Waiting;
                finished.waiting = Some(wait);
                finished.stopped = None;
            }
            Err(Ended::Failed(failure) | Ended::Stopped(failure)) => {
                finished.outcome = match stopped {
                    Some(Cancelled::ByRequest) => Outcome::Cancelled,
                    _ => Outcome::Failed,
                };
                finished.failure = Some(Box::new(about_stop(*failure, stopped, limit, journal)));
            }
        }
        self.write_end(&finished, journal, started)?;
        Ok(finished)
    }

    fn write_end(
        &self,
        finished: &Finished,
        journal: &Journal,
        started: Instant,
    ) -> Result<(), RunError> {
        self.host.history.end(
            finished.run,
            &RunEnd {
                outcome: finished.outcome,
                value: &finished.value,
                failure: finished.failure.as_deref(),
                waiting: finished.waiting.as_ref(),
            },
        )?;
        journal.tell_all(Event::RunFinished {
            run: finished.run,
            outcome: finished.outcome,
            seconds: started.elapsed().as_secs_f64(),
            value: finished.value.clone(),
            failure: finished.failure.clone(),
            waiting: finished.waiting.clone(),
        })
    }

    fn context(
        &self,
        run: RunId,
        script: &str,
        who: String,
        about: Record,
        library: Library,
        redactor: Arc<RwLock<Redactor>>,
    ) -> (Context, Arc<Journal>) {
        let host = self.host;
        let journal = Arc::new(Journal::new(
            host.history.clone(),
            run,
            about.clone(),
            self.observers.clone(),
            redactor.clone(),
        ));
        let facts = RunFacts {
            run: run.0,
            script: script.to_owned(),
            who,
            persona: host.persona().name().map(str::to_owned),
            profile: about.profile,
            started: jiff::Timestamp::now(),
        };
        let context = Context::new(ContextParts {
            workspace: host.workspace().clone(),
            persona: host.persona().clone(),
            facts,
            transport: host.transport(&self.cancel),
            cancel: self.cancel.clone(),
            redactor,
            sink: journal.clone(),
            artifacts: host.artifacts.clone(),
            keepers: host.keepers.clone(),
            library: Arc::new(library),
        });
        (context, journal)
    }

    fn limits(&self) -> Limits {
        let limits = if self.sandbox {
            Limits::sandbox()
        } else {
            Limits::trusted()
        };
        limits.with(&self.host.workspace().config().limits)
    }

    fn person(&self) -> String {
        let person = self
            .host
            .persona()
            .person()
            .map(|person| person.user.clone());
        person
            .or_else(|| self.who.clone())
            .unwrap_or_else(|| "somebody".to_owned())
    }
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

/// The SHA-256 over all texts that were loaded, so that a resumed run is the run that began.
fn whole_hash(sources: &Sources) -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    for script in sources.all() {
        hash.update(script.label.as_bytes());
        hash.update([0]);
        hash.update(script.hash().as_bytes());
    }
    format!("{:x}", hash.finalize())
}

fn paths(sources: &Sources) -> Vec<PathBuf> {
    sources
        .all()
        .into_iter()
        .filter_map(|script| script.path)
        .collect()
}

/// Runs the program on a thread with a stack that its limits cannot exhaust. A panic of a host
/// function is an error of the run, not of the whole host.
fn on_own_thread(
    program: &Program,
) -> Result<Result<Dynamic, Box<rhai::EvalAltResult>>, HostError> {
    let broken = |what: &str| {
        HostError::new(
            "ALM-R013",
            format!("the run broke off inside the host: {what}"),
        )
        .with_hint("this is a mistake of the program; please report it with `alm show --json`")
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("script".into())
            .stack_size(STACK);
        match thread.spawn_scoped(scope, || program.run()) {
            Ok(thread) => thread.join().map_err(|panic| {
                let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
                let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
                broken(text.as_deref().unwrap_or("no reason given"))
            }),
            Err(error) => Err(broken(&error.to_string())),
        }
    })
}

/// A script's last value for people and JSON: host values as the text they print as.
fn plain(program: &Program, value: Dynamic) -> Value {
    to_json(&value).unwrap_or_else(|_| {
        let mut scope = rhai::Scope::new();
        scope.push_dynamic("value", value);
        let text = program
            .engine()
            .eval_expression_with_scope::<String>(&mut scope, "`${value}`");
        text.map_or(Value::Null, Value::String)
    })
}

/// The failure as it is shown: with its step, and in the words of the stop if it was stopped.
fn about_stop(
    mut failure: Failure,
    stopped: Option<Cancelled>,
    limit: Duration,
    journal: &Journal,
) -> Failure {
    failure.step = journal.step_that_failed(&failure.code, &failure.message);
    match stopped {
        None => {}
        Some(Cancelled::ByRequest) => {
            failure.code = "ALM-R014".into();
            failure.message = "the run was cancelled here".into();
            failure.hint = None;
        }
        Some(Cancelled::ByDeadline) => {
            failure.code = "ALM-R012".into();
            failure.message = format!("the time limit of {limit:?} was over here");
            failure.hint = Some("give it more time with `--timeout`, or resume it".into());
        }
    }
    failure
}
