//! Carries a loaded script to its end, and words and writes down how it ended.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rhai::Dynamic;
use serde_json::{Map, Value};

use super::history::RunEnd;
use super::journal::Journal;
use super::{Event, Finished, Host, Outcome, RunError, RunId};
use crate::script::api::HostError;
use crate::script::diagnostics::{Ended, Failure, explain};
use crate::script::engine::Program;
use crate::script::{Context, Script, Sources, StepSink as _, to_json};
use crate::transport::{Cancel, Cancelled};

/// The stack of a script's thread. A script nests calls as deep as its limits allow, and each
/// level takes several frames of the interpreter; the main thread of Windows has one megabyte.
const STACK: usize = 64 << 20;

/// A script that was loaded, or why not, with the texts to show it with.
pub(super) type Loaded = Result<Program, (Box<rhai::EvalAltResult>, Sources)>;

/// One run on its way.
pub(super) struct Carriage<'h> {
    pub(super) host: &'h Host,
    pub(super) run: RunId,
    pub(super) context: Context,
    pub(super) journal: Arc<Journal>,
    pub(super) script: Script,
    pub(super) cancel: Cancel,
    /// How much time it has.
    pub(super) limit: Duration,
    pub(super) started: Instant,
}

impl Carriage<'_> {
    /// Runs what was loaded, if it was, and writes down how it ended.
    ///
    /// # Errors
    /// When the history cannot be written.
    pub(super) fn carry(
        self,
        loaded: Loaded,
        parameters: Map<String, Value>,
        resumed: bool,
    ) -> Result<Finished, RunError> {
        let Self {
            run,
            journal,
            context,
            script,
            cancel,
            limit,
            started,
            ..
        } = &self;
        let (run, limit, started) = (*run, *limit, *started);
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
        cancel.set_deadline(started + limit);
        let mut files = Vec::new();
        let ended = match loaded {
            Err((error, sources)) => {
                files = paths(&sources);
                Err(explain(*error, &script.label, &sources, None, None))
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
                            *error,
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
        let stopped = cancel.check().err().filter(|_| ended.is_err());
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
        self.write_end(&finished)?;
        Ok(finished)
    }

    fn write_end(&self, finished: &Finished) -> Result<(), RunError> {
        self.host.history.end(
            finished.run,
            &RunEnd {
                outcome: finished.outcome,
                value: &finished.value,
                failure: finished.failure.as_deref(),
                waiting: finished.waiting.as_ref(),
            },
        )?;
        self.journal.tell_all(Event::RunFinished {
            run: finished.run,
            outcome: finished.outcome,
            seconds: self.started.elapsed().as_secs_f64(),
            value: finished.value.clone(),
            failure: finished.failure.clone(),
            waiting: finished.waiting.clone(),
        })
    }
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
