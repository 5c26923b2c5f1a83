//! What happens in a run, for whoever watches.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Outcome, RunId};
use crate::script::diagnostics::Failure;
use crate::script::{Level, Wait};

/// One thing that happened in a run. As JSON it is one line of `--json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A run was found whose process ended in the middle of it.
    RunInterrupted {
        /// The run.
        run: RunId,
        /// Its script.
        script: String,
        /// The step that was open.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<String>,
    },
    /// The run began, or went on.
    RunStarted {
        /// The run.
        run: RunId,
        /// Its script.
        script: String,
        /// Who started it.
        who: String,
        /// The persona it runs as.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        persona: Option<String>,
        /// The script's parameters.
        parameters: Map<String, Value>,
        /// Whether it goes on after an earlier attempt.
        #[serde(default)]
        resumed: bool,
    },
    /// A step began.
    StepStarted {
        /// The run.
        run: RunId,
        /// The step's number.
        step: i64,
        /// The step's name.
        name: String,
        /// How many steps are around it.
        depth: i64,
    },
    /// A step ended.
    StepFinished {
        /// The run.
        run: RunId,
        /// The step's number.
        step: i64,
        /// The step's name.
        name: String,
        /// How many steps are around it.
        depth: i64,
        /// How it ended.
        outcome: StepOutcome,
        /// How long it took.
        seconds: f64,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// How far the innermost open step is. Not kept in the history.
    Progress {
        /// The run.
        run: RunId,
        /// How much is done, in the unit of `total`.
        done: f64,
        /// What `done` will be at the end; zero where nobody knows.
        total: f64,
        /// What is being done.
        text: String,
    },
    /// A fact that belongs into the summary.
    Notice {
        /// The run.
        run: RunId,
        /// One sentence.
        text: String,
    },
    /// Something to look at.
    Warning {
        /// The run.
        run: RunId,
        /// One sentence.
        text: String,
    },
    /// Output of `print` and `debug`.
    Log {
        /// The run.
        run: RunId,
        /// Which of the two.
        level: Level,
        /// What was printed.
        text: String,
        /// Where, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<String>,
    },
    /// The run ended.
    RunFinished {
        /// The run.
        run: RunId,
        /// How.
        outcome: Outcome,
        /// How long it took.
        seconds: f64,
        /// What the script returned.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        value: Value,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Box<Failure>>,
        /// What it waits for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waiting: Option<Wait>,
    },
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepOutcome {
    /// It returned.
    Finished,
    /// It had finished in an earlier attempt; its kept result was taken.
    Replayed,
    /// It failed.
    Failed,
    /// The run ended inside it.
    Left,
}

/// Hears of everything that happens in a run, on the thread of the script.
pub trait Observer: Send + Sync {
    /// Takes one event. It should return soon, since the script waits.
    fn observe(&self, event: &Event);
}

impl<F: Fn(&Event) + Send + Sync> Observer for F {
    fn observe(&self, event: &Event) {
        self(event);
    }
}
