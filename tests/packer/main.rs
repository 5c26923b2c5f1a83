//! The packer: packages to source trees and back.
//!
//! `fidelity` holds it against Microsoft's packager on real packages, byte for byte; `rows` has every
//! row of the table of facts §4; the others have a subject of the facts each.

mod again;
mod arguments;
mod checks;
mod claims;
mod command;
mod container;
mod corpus;
mod crafted;
mod fidelity;
mod file_names;
mod half_way;
mod hostile;
mod kinds;
mod localise;
mod meaning;
mod plugins;
mod raw_zip;
mod refused;
mod relationships;
mod round_trip;
mod rows;
mod sorting;
mod state;
mod tables;
mod templates;
mod xml_form;
mod yaml;
