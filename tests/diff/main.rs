//! Diff, merge, normalisation and checks over the packages of the corpus and edited copies.

mod checks;
mod command;
#[allow(dead_code)]
#[path = "../packer/corpus.rs"]
mod corpus;
mod edits;
mod meaning;
mod merging;
mod noise;
mod told;
