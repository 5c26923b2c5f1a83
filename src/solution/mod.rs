//! Solution packages: zip, source tree and what is in them.
//!
//! Pure: bytes in, model or tree out. No network, no clock, no global state; the same input gives
//! the same bytes on every machine and at every thread count (ARCHITECTURE, D4).

mod archive;
pub mod canvas;
mod checks;
pub mod component;
mod container;
mod content_types;
pub mod diff;
mod error;
mod finding;
mod folder;
mod imprint;
mod keyed;
mod layout;
mod limits;
pub mod localise;
mod locate;
mod manifest;
mod mapping;
pub mod merge;
pub mod model;
mod names;
pub mod normalise;
mod order;
mod pack;
mod plugin_identity;
pub mod secrets;
mod single;
mod staging;
mod template_texts;
mod tree;
mod unpack;
mod version;
mod xml;
pub mod yaml;

pub use container::{CONTENT_TYPES_XML, CUSTOMIZATIONS_XML, Package, Part, SOLUTION_XML};
pub use error::PackageError;
pub use finding::{Finding, Severity};
pub use folder::{WriteOptions, WriteReport, repair, repair_in};
pub use imprint::Imprint;
pub use limits::{Limits, NestedBudget};
pub use locate::{Layout, locate_in_tree, locate_layout, locate_source};
pub use manifest::{DependencyEnd, Managed, Manifest, MissingDependency, Publisher, RootComponent};
pub use mapping::{Mapped, Mapping};
pub use pack::{PackOptions, Packed, pack};
pub use single::SingleComponent;
pub use tree::{CUSTOMIZATIONS_FILE, SOLUTION_FILE, SourceTree};
pub use unpack::{Kind, LineEnds, UnpackOptions, Unpacked, unpack, unpack_both};
pub use version::{SolutionVersion, VersionPart};
