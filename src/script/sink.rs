//! What a script tells its run while it works.
//!
//! The traits stand here, on the lower floor; `run` implements them and keeps what they say.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::api::HostError;

/// One started step of one run. Only the sink that made it knows what the number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepId(pub i64);

/// What [`StepSink::begin`] decided.
#[derive(Debug, Clone, PartialEq)]
pub enum Begun {
    /// Run the step and report its end under this id.
    Run(StepId),
    /// The run is resumed and this step had finished: take its kept result, do not run it.
    Replay(Value),
}

/// How a step ended.
#[derive(Debug)]
pub enum StepEnd<'a> {
    /// Its result, as JSON (see [`Keepers`](super::Keepers)).
    Finished(&'a Value),
    /// It failed. The error goes on through the script, which may still catch it.
    Failed(&'a HostError),
    /// The run ends in the middle of it: it waits for somebody, or it was cancelled.
    Left,
}

/// How much a line of output matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// `print` in a script.
    Print,
    /// `debug` in a script.
    Debug,
}

/// Something a script says to whoever watches the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Message {
    /// A fact that belongs into the summary of the run.
    Notice {
        /// One sentence.
        text: String,
    },
    /// Something that went on but should be looked at.
    Warning {
        /// One sentence.
        text: String,
    },
    /// How far the current step is.
    Progress {
        /// How much is done, in the unit of `total`.
        done: f64,
        /// What `done` will be at the end; zero where nobody knows.
        total: f64,
        /// What is being done.
        text: String,
    },
    /// Output of `print` and `debug`.
    Log {
        /// Which of the two.
        level: Level,
        /// What was printed.
        text: String,
        /// Where: `script:line`, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<String>,
    },
}

/// What a request in the history is about (alm-accelerator §3.3). Every field may be set by the
/// script; a field that is `None` keeps what the run had.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Record {
    /// The unique name of the solution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub solution: Option<String>,
    /// The deployment profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The stage of the profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The environment that is worked on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The branch that is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_branch: Option<String>,
    /// The branch that is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_branch: Option<String>,
    /// The pull request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<i64>,
    /// The build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<i64>,
    /// The commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// What a run waits for when it ends as *waiting*.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wait {
    /// What must happen, in one word or two, for example `approval`.
    #[serde(rename = "for")]
    pub reason: String,
    /// Where: for example `{"stage": "prod"}`. Shown to the person, not read by the engine.
    pub reference: Value,
    /// Who may answer: sign-in names, identities or personas. None: everybody who may approve.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<String>,
    /// Whether whoever began the run may answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub self_approval: bool,
    /// What happens after a yes, for the person who decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The run, seen from its script.
pub trait StepSink: Send + Sync {
    /// Opens a step inside the one that is open now.
    ///
    /// # Errors
    /// When the journal cannot be written. A step that is not on record must not run.
    fn begin(&self, name: &str) -> Result<Begun, HostError>;

    /// Closes the innermost open step.
    ///
    /// # Errors
    /// When the journal cannot be written.
    fn finish(&self, step: StepId, end: StepEnd<'_>) -> Result<(), HostError>;

    /// An id for something that the script is about to have a service do: the same one when the run
    /// is resumed and comes to it again, so that the service can be asked what became of it. `what`
    /// says what it is, with everything that makes it another one.
    fn effect_id(&self, what: &str) -> Uuid;

    /// Passes a message on to whoever watches.
    fn tell(&self, message: Message);

    /// Adds to the run's entry in the request history.
    ///
    /// # Errors
    /// When the history cannot be written.
    fn record(&self, record: Record) -> Result<(), HostError>;

    /// The answer to `wait`, if somebody gave it since the run began to wait.
    ///
    /// # Errors
    /// When the history cannot be read.
    fn answer(&self, wait: &Wait) -> Result<Option<Value>, HostError>;
}

/// Bytes that outlive their step, addressed by their SHA-256.
pub trait ArtifactStore: Send + Sync {
    /// Keeps `bytes` and returns their address: 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// When they cannot be written whole.
    fn put(&self, bytes: &[u8]) -> Result<String, HostError>;

    /// The bytes at `address`.
    ///
    /// # Errors
    /// When there are none, or they are no longer what their address says.
    fn get(&self, address: &str) -> Result<Vec<u8>, HostError>;
}
