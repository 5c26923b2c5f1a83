//! What must hold of the packer, the script engine, the emulated tenant and what is kept, whatever
//! they are given.
//!
//! Each function here takes bytes and panics if a property is broken. libFuzzer looks for such bytes
//! (`fuzz/run`), and `cargo test --test fuzz` gives every function what was found before
//! (`fuzz/corpus/<function>/`). Only the public API is used, as an embedding program would.

mod archives;
mod assemblies;
mod documents;
mod journal;
mod mappings;
mod meaning;
mod names;
mod packs;
mod pushes;
mod queries;
mod requests;
mod samples;
mod scripts;
mod served;
mod settings;
mod tenants;
mod trees;

#[path = "../../tests/packer/raw_zip.rs"]
#[allow(dead_code, missing_docs)]
mod raw_zip;

pub use archives::{archive, canvas, entries};
pub use assemblies::assembly;
pub use documents::{flow, xml};
pub use journal::journal;
pub use mappings::mapping;
pub use names::names;
pub use packs::packs;
pub use pushes::pushes;
pub use queries::queries;
pub use requests::requests;
pub use scripts::script;
pub use served::served;
pub use settings::settings;
pub use trees::{merge, package, tree};

/// A property: it panics if the bytes break it.
pub type Property = fn(&[u8]);

/// Every property by the name of its program and of its folder in `fuzz/corpus`.
pub const PROPERTIES: &[(&str, Property)] = &[
    ("archive", archive),
    ("assembly", assembly),
    ("canvas", canvas),
    ("entries", entries),
    ("flow", flow),
    ("journal", journal),
    ("mapping", mapping),
    ("merge", merge),
    ("names", names),
    ("package", package),
    ("packs", packs),
    ("pushes", pushes),
    ("queries", queries),
    ("requests", requests),
    ("served", served),
    ("settings", settings),
    ("script", script),
    ("tree", tree),
    ("xml", xml),
];
