//! The journal of one run: what its script tells it, written down and passed on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::history::{Earlier, History};
use super::redaction::{holds_secret, redacted};
use super::{Event, Observer, RunError, RunId, StepOutcome};
use crate::script::api::HostError;
use crate::script::{Begun, Message, Record, StepEnd, StepId, StepSink, Wait};
use crate::transport::redact::Redactor;
use crate::transport::{Cancelled, TransportError};

/// The journal of one run.
pub(super) struct Journal {
    history: Arc<History>,
    run: RunId,
    /// What the ids of the run's effects are derived from.
    key: Uuid,
    observers: Vec<Arc<dyn Observer>>,
    redactor: Arc<RwLock<Redactor>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: Vec<OpenStep>,
    /// How many steps of each name stand inside each step so far: part of a step's path.
    seen: HashMap<String, usize>,
    /// How many effects of each kind were begun inside each step so far: part of an effect's id.
    effects: HashMap<String, usize>,
    about: Record,
    /// The innermost step that failed last, with its error.
    failed: Option<FailedStep>,
    /// Nobody waits for the script any more: what it still says is not written down.
    left: bool,
}

struct FailedStep {
    path: String,
    name: String,
    error: HostError,
}

struct OpenStep {
    id: i64,
    path: String,
    name: String,
    began: Instant,
}

impl Journal {
    pub(super) fn new(
        history: Arc<History>,
        run: RunId,
        key: Uuid,
        about: Record,
        observers: Vec<Arc<dyn Observer>>,
        redactor: Arc<RwLock<Redactor>>,
    ) -> Self {
        let state = Mutex::new(State {
            about,
            ..State::default()
        });
        Self {
            history,
            run,
            key,
            observers,
            redactor,
            state,
        }
    }

    /// The innermost step that failed of this error. A script may have caught the failure of one
    /// step and ended with another error.
    pub(super) fn step_that_failed(&self, code: &str, message: &str) -> Option<String> {
        let state = self.state();
        let failed = state.failed.as_ref()?;
        let same = failed.error.code == code && failed.error.message == message;
        same.then(|| failed.name.clone())
    }

    /// Closes all open steps as left, for a script that nobody waits for any more.
    pub(super) fn leave(&self) {
        self.state().left = true;
        loop {
            let innermost = self.state().open.last().map(|step| StepId(step.id));
            let Some(step) = innermost else { return };
            // A step that cannot be closed reads as interrupted, which is what it is.
            let _ = self.finish(step, StepEnd::Left);
        }
    }

    /// Writes an event down and passes it on.
    ///
    /// # Errors
    /// When the history cannot be written; the observers have heard of it all the same.
    pub(super) fn tell_all(&self, event: Event) -> Result<(), RunError> {
        let event = self.shown(event);
        let kept = match event {
            Event::Progress { .. } => Ok(()),
            _ => self.history.note(self.run, &event),
        };
        for observer in &self.observers {
            observer.observe(&event);
        }
        kept
    }

    pub(super) fn redacted(&self, value: Value) -> Value {
        redacted(&self.redactor(), value)
    }

    /// What may be shown of `told`. It goes to JSON and back unchanged, but for secrets.
    pub(super) fn shown<T: Serialize + DeserializeOwned>(&self, told: T) -> T {
        let json = serde_json::to_value(&told).map(|json| self.redacted(json));
        json.and_then(serde_json::from_value).unwrap_or(told)
    }

    fn redact(&self, text: &str) -> String {
        self.redactor().redact(text)
    }

    pub(super) fn redactor(&self) -> std::sync::RwLockReadGuard<'_, Redactor> {
        self.redactor.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StepSink for Journal {
    fn begin(&self, name: &str) -> Result<Begun, HostError> {
        let (parent, path, depth) = {
            let mut state = self.state();
            if state.left {
                return Err(TransportError::from(Cancelled::ByRequest).into());
            }
            let (parent, inside) = match state.open.last() {
                Some(step) => (Some(step.id), step.path.clone()),
                None => (None, String::new()),
            };
            let depth = i64::try_from(state.open.len()).unwrap_or(i64::MAX);
            // A unit separator cannot be typed into a name by accident.
            let place = format!("{inside}\u{1f}{name}");
            let count = state.seen.entry(place.clone()).or_default();
            *count += 1;
            (parent, format!("{place}\u{1f}{count}"), depth)
        };
        let run = self.run;
        let name = self.redact(name);
        let earlier = self.history.earlier_step(run, &path)?;
        if let Earlier::Finished(step, result) = earlier {
            let (outcome, seconds, error) = (StepOutcome::Replayed, 0.0, None);
            self.tell_all(Event::StepFinished {
                run,
                step,
                name,
                depth,
                outcome,
                seconds,
                error,
            })?;
            return Ok(Begun::Replay(result));
        }
        if let Earlier::Secret = earlier {
            return Err(RunError::SecretResult { run, step: name }.into());
        }
        let step = self.history.begin_step(run, parent, &path, &name, depth)?;
        let began = Instant::now();
        self.state().open.push(OpenStep {
            id: step,
            path,
            name: name.clone(),
            began,
        });
        self.tell_all(Event::StepStarted {
            run,
            step,
            name,
            depth,
        })?;
        Ok(Begun::Run(StepId(step)))
    }

    fn finish(&self, step: StepId, end: StepEnd<'_>) -> Result<(), HostError> {
        let (closed, depth) = {
            let mut state = self.state();
            let Some(closed) = state.open.pop() else {
                return Ok(());
            };
            debug_assert_eq!(closed.id, step.0, "steps close from the inside out");
            let depth = i64::try_from(state.open.len()).unwrap_or(i64::MAX);
            if let StepEnd::Failed(error) = end {
                // A step around it fails of the same cause; the innermost says more.
                let inner = state.failed.as_ref();
                if !inner.is_some_and(|inner| inner.path.starts_with(&closed.path)) {
                    let (path, name) = (closed.path.clone(), closed.name.clone());
                    state.failed = Some(FailedStep {
                        path,
                        name,
                        error: error.clone(),
                    });
                }
            }
            (closed, depth)
        };
        let (outcome, state, result, error) = match end {
            StepEnd::Finished(value) => (
                StepOutcome::Finished,
                "finished",
                // What a run goes on with is kept as it was. A secret is not kept at all.
                (!holds_secret(&self.redactor(), value)).then(|| value.clone()),
                None,
            ),
            StepEnd::Failed(error) => (
                StepOutcome::Failed,
                "failed",
                None,
                Some(self.redact(&error.to_string())),
            ),
            StepEnd::Left => (StepOutcome::Left, "left", None, None),
        };
        self.history
            .end_step(closed.id, state, result.as_ref(), error.as_deref())?;
        self.tell_all(Event::StepFinished {
            run: self.run,
            step: closed.id,
            name: closed.name,
            depth,
            outcome,
            seconds: closed.began.elapsed().as_secs_f64(),
            error,
        })?;
        Ok(())
    }

    fn effect_id(&self, what: &str) -> Uuid {
        let mut state = self.state();
        let inside = state.open.last().map(|step| step.path.clone());
        let place = format!("{}\u{1e}{what}", inside.unwrap_or_default());
        let count = state.effects.entry(place.clone()).or_default();
        *count += 1;
        Uuid::new_v5(&self.key, format!("{place}\u{1e}{count}").as_bytes())
    }

    fn tell(&self, message: Message) {
        if self.state().left {
            return;
        }
        let run = self.run;
        let event = match message {
            Message::Notice { text } => Event::Notice { run, text },
            Message::Warning { text } => Event::Warning { run, text },
            Message::Progress { done, total, text } => Event::Progress {
                run,
                done,
                total,
                text,
            },
            Message::Log { level, text, at } => Event::Log {
                run,
                level,
                text,
                at,
            },
        };
        // A message that is not kept is still shown; the next step will fail if the disk is full.
        let _ = self.tell_all(event);
    }

    fn record(&self, record: Record) -> Result<(), HostError> {
        let about = {
            let mut state = self.state();
            if state.left {
                return Ok(());
            }
            state.about = merged(state.about.clone(), record);
            state.about.clone()
        };
        Ok(self.history.set_about(self.run, &about)?)
    }

    fn answer(&self, wait: &Wait) -> Result<Option<Value>, HostError> {
        // It is on record as it is shown, which is how somebody has answered it.
        let shown = self.shown(wait.clone());
        let Some(answer) = self.history.answer_to(self.run, &shown)? else {
            return Ok(None);
        };
        self.tell(Message::Notice {
            text: answer.to_string(),
        });
        Ok(serde_json::to_value(answer).ok())
    }
}

/// `new` where it says something, else `old`.
fn merged(old: Record, new: Record) -> Record {
    Record {
        solution: new.solution.or(old.solution),
        profile: new.profile.or(old.profile),
        stage: new.stage.or(old.stage),
        environment: new.environment.or(old.environment),
        source_branch: new.source_branch.or(old.source_branch),
        target_branch: new.target_branch.or(old.target_branch),
        pull_request: new.pull_request.or(old.pull_request),
        build: new.build.or(old.build),
        commit: new.commit.or(old.commit),
    }
}
