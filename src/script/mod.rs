//! Rhai scripts: where they are found, what they declare, what they may call, how they fail.
//!
//! [`api`] is all that a script can reach of the world; everything there goes through the
//! [`Context`] of its run. What a step means for the history is decided one floor up, in
//! `run`, which this floor tells through the [`StepSink`] trait.

pub mod api;
mod command;
mod connection;
mod context;
pub mod diagnostics;
pub mod engine;
pub(crate) mod guard;
mod hooks;
mod kept;
mod library;
pub mod limits;
mod modules;
pub mod parameters;
pub mod reference;
mod sink;
mod values;

pub use context::{Context, ContextParts, RunFacts};
pub use kept::{Keep, Keepers};
pub use library::{Library, LibraryError, Origin, RecordedScripts, Script};
pub use modules::{LoadError, Sources};
pub use sink::{ArtifactStore, Begun, Level, Message, Record, StepEnd, StepId, StepSink, Wait};
pub use values::{NotJson, Unwieldy, from_json, to_json};
