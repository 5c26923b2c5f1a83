//! The packer: packages to source trees and back.

mod command;
mod corpus;
mod fidelity;
