//! An embeddable scripting engine for Power Platform ALM.
//!
//! A host exposes *solution*, *environment*, *branch* and *deployment* primitives to
//! [Rhai](https://rhai.rs) scripts; named scripts import, delete, commit, deploy and configure
//! Dataverse solutions. `ARCHITECTURE.md` has the map of this crate: five floors, each using only
//! those below it.

pub mod nearest;
mod owner_only;
pub mod place;
pub mod portable_path;
pub mod problem;
mod staging_folder;
pub mod whole_file;

// Ground: packages and trees, requests, the emulated tenant, the workspace file.
mod database;
pub mod emulator;
pub mod git;
pub mod solution;
pub mod transport;
pub mod workspace;

// Services: the outside worlds in the words of ALM.
pub mod branch;
pub mod deployment;
pub mod environment;

// Scripts: what they can call and how they are found.
pub mod script;

// Runs: one run of one named script, and the front door for embedding programs.
pub mod run;

// Faces: what a person types and sees.
pub mod cli;
