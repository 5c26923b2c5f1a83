//! The packer: packages to source trees and back.

mod corpus;
mod fidelity;
