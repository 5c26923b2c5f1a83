//! What the history keeps about a run.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Answer;
use crate::script::diagnostics::Failure;
use crate::script::{Record, Wait};

/// The number of a run in its workspace, from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub i64);

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for RunId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.trim_start_matches('#').parse().map(Self)
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The script came to its end.
    Succeeded,
    /// The script or a primitive failed, or the time was over.
    Failed,
    /// It waits for somebody and goes on when it was answered.
    Waiting,
    /// Somebody stopped it.
    Cancelled,
    /// Its process ended in the middle of it.
    Interrupted,
}

impl Outcome {
    /// The word for it, as in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Waiting => "waiting",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }

    /// The outcome that a word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::Succeeded,
            Self::Failed,
            Self::Waiting,
            Self::Cancelled,
            Self::Interrupted,
        ]
        .into_iter()
        .find(|outcome| outcome.word() == word)
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// One run in the history.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunRecord {
    /// Its number.
    pub id: RunId,
    /// The script's name.
    pub script: String,
    /// Where the script was found, for example `scripts/commit.rhai`.
    pub label: String,
    /// The SHA-256 over the script, its hooks and what it imports.
    pub hash: String,
    /// Who started it.
    pub who: String,
    /// The persona it ran as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persona: Option<String>,
    /// The script's `params`.
    pub parameters: Map<String, Value>,
    /// What the request was about.
    pub about: Record,
    /// When it started, or was resumed last.
    pub started: Timestamp,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
    /// How it ended; none while it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// What the script returned.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub value: Value,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Wait>,
    /// The answers that it got to what it waited for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
    /// How often it was started: one, and one more for each resume.
    pub attempts: i64,
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepRecord {
    /// Its number in the history.
    pub id: i64,
    /// The step around it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<i64>,
    /// Its name.
    pub name: String,
    /// How many steps are around it.
    pub depth: i64,
    /// When it started.
    pub started: Timestamp,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
    /// `running`, `finished`, `failed`, `left` (the run ended inside it) or `interrupted`.
    pub state: String,
    /// What it returned, as it is kept.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub result: Value,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
