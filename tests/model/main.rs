//! The typed model: components of packages and trees, changes to them, what they need.

mod command;
#[allow(dead_code)]
#[path = "../packer/corpus.rs"]
mod corpus;
mod details;
mod editing;
mod reading;
