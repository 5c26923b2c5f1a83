//! The packer: packages to source trees and back.

mod arguments;
mod command;
mod corpus;
mod crafted;
mod fidelity;
mod hostile;
mod localise;
mod raw_zip;
mod round_trip;
