//! The packer: packages to source trees and back.

mod command;
mod corpus;
mod crafted;
mod fidelity;
mod hostile;
mod raw_zip;
mod round_trip;
