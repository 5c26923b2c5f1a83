//! Carries a loaded script to its end, and words and writes down how it ended.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rhai::Dynamic;
use serde_json::{Map, Value};

use super::history::RunEnd;
use super::journal::Journal;
use super::{Event, Finished, Host, Outcome, RunError, RunId};
use crate::script::api::HostError;
use crate::script::diagnostics::{Ended, Failure, explain};
use crate::script::engine::Program;
use crate::script::{Context, Message, NotJson, Script, Sources, StepSink as _, Unwieldy, to_json};
use crate::transport::{Cancel, Cancelled};

/// How often the thread that waits for a script looks at the clock, the cancel flag and the memory.
const LOOK: Duration = Duration::from_millis(10);

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
        // A limit beyond what the clock can count is none.
        if let Some(deadline) = started.checked_add(limit) {
            cancel.set_deadline(deadline);
        }
        let (ended, files) = match loaded {
            Err((error, sources)) => {
                let ended = explain(*error, &script.label, &sources, None, None);
                (Err(ended), paths(&sources))
            }
            Ok(program) => {
                let sources = program.sources().clone();
                let ended = self.on_own_thread(program);
                (ended, paths(&sources))
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
        // What a message is made of may be a secret.
        finished.failure = finished.failure.map(|failure| journal.shown(failure));
        finished.waiting = finished.waiting.map(|wait| journal.shown(wait));
        self.write_end(&finished)?;
        Ok(finished)
    }

    /// Runs the program on a thread with a stack that its limits cannot exhaust, and keeps an eye on
    /// it. A panic of a host function is an error of the run, not of the whole host. A script that
    /// does not stop when it must is left to itself: the run ends all the same, nothing that its
    /// thread still does is written down, and it may change nothing any more.
    fn on_own_thread(&self, program: Program) -> Result<Value, Ended> {
        let (context, journal) = (self.context.clone(), self.journal.clone());
        let guard = context.guard().clone();
        let (report, reports) = channel();
        let thread = std::thread::Builder::new()
            .name("script".into())
            .stack_size(program.limits().stack());
        let thread = thread.spawn(move || {
            let ended = run(&program, &context, &journal);
            // Nobody hears it if the host no longer waits.
            let _ = report.send(ended);
        });
        let thread = thread.map_err(|error| broken(&error.to_string()))?;
        loop {
            match reports.recv_timeout(LOOK) {
                Ok(ended) => return ended,
                Err(RecvTimeoutError::Timeout) => {}
                // It ended without a report.
                Err(RecvTimeoutError::Disconnected) => {
                    let panic = thread.join().err();
                    let text = panic.as_ref().and_then(|panic| {
                        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
                        text.or_else(|| panic.downcast_ref::<String>().cloned())
                    });
                    return Err(broken(text.as_deref().unwrap_or("no reason given")));
                }
            }
            guard.look();
            if let Some(stopped) = guard.given_up() {
                guard.leave_alone();
                self.journal.leave();
                let failure = Box::new(Failure::plain(HostError::of(&stopped)));
                return Err(if stopped.is_limit() {
                    Ended::Failed(failure)
                } else {
                    Ended::Stopped(failure)
                });
            }
        }
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

/// Runs `program` to its end. Everything that a script made is looked at and dropped here, on the
/// thread whose stack is large enough for it; what comes out is JSON.
fn run(program: &Program, context: &Context, journal: &Journal) -> Result<Value, Ended> {
    let value = program.run().map_err(|error| {
        explain(
            *error,
            &program.script().label,
            program.sources(),
            Some(program.engine()),
            context.last_call(),
        )
    })?;
    for name in program.unused_hooks() {
        journal.tell(Message::Warning {
            text: format!("the hook `{name}` belongs to no step of this run"),
        });
    }
    plain(program, value).map_err(|error| Ended::Failed(Box::new(Failure::plain(error.into()))))
}

fn broken(what: &str) -> Ended {
    let error = HostError::new(
        "ALM-R013",
        format!("the run broke off inside the host: {what}"),
    )
    .with_hint("this is a mistake of the program; please report it with `alm show --json`");
    Ended::Failed(Box::new(Failure::plain(error)))
}

/// A script's last value for people and JSON: host values as the text they print as.
fn plain(program: &Program, value: Dynamic) -> Result<Value, Unwieldy> {
    match to_json(&value) {
        Ok(json) => Ok(json),
        Err(NotJson::Unwieldy(error)) => Err(error),
        Err(NotJson::NotPlain { .. }) => {
            let mut scope = rhai::Scope::new();
            scope.push_dynamic("value", value);
            let text = program
                .engine()
                .eval_expression_with_scope::<String>(&mut scope, "`${value}`");
            Ok(text.map_or(Value::Null, Value::String))
        }
    }
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
