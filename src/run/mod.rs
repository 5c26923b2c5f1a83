//! One run of one named script: parameters, steps, journal, history, events.
//!
//! [`Host`] is the front door, for the program and for whoever embeds the engine. A run is written
//! down before it starts and after every step, so that whatever happens to the process its history
//! tells the truth: a run that was killed is found as *interrupted* and can go on after its last
//! finished step.

mod agent;
mod alive;
mod approval;
mod artifacts;
mod audit;
mod carry;
mod error;
mod event;
mod history;
mod host;
mod journal;
mod record;
mod redaction;
mod resume;
mod rows;
mod start;
pub mod watch;

pub use agent::{Agent, Done, Watcher};
pub use approval::Answer;
pub use audit::{AuditEntry, AuditLog, Verified};
pub use error::RunError;
pub use event::{Event, Observer, StepOutcome};
pub use history::{History, RunFilter};
pub use host::Host;
pub use record::{Outcome, RunId, RunRecord, StepRecord};
pub use start::{Finished, Start};
