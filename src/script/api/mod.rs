//! All that a script can call.
//!
//! One file per group, each an `#[export_module]` whose functions have a doc comment with an
//! example that the tests run. A group becomes a static module (`environment::named("dev")`);
//! getters, methods and the few verbs that need no prefix are marked `global`. The modules are
//! built once per process and shared by the engine of every run, so a function finds its run with
//! [`Context::of`](super::Context::of).
//!
//! Rules for a function here: integers are `i64`; `Option` goes out as `Dynamic`; a function that
//! does not change its value is `pure`; one with an effect asks
//! [`Context::permit`](super::Context::permit) first; failures leave through [`Thrown::thrown`]. A
//! function of a namespace takes the call and begins with `Context::of`, which is also how an error
//! knows its line: Rhai gives none to what comes out of a namespace.

pub mod branch;
pub mod deployment;
pub mod environment;
mod error;
pub(super) mod language;
mod options;
pub mod package;
mod paths;
mod run;
mod solution;
pub mod source_tree;

pub use error::{HostError, Scripted, Thrown};
pub use options::{OptionError, Options, options};

use std::sync::OnceLock;

use rhai::{Engine, Module, Shared, exported_module};

use super::kept::Keepers;

/// One group of primitives.
pub struct Group {
    /// The namespace that scripts write, for example `environment`.
    pub name: &'static str,
    /// Its functions and types.
    pub module: Shared<Module>,
}

impl Group {
    fn new(name: &'static str, mut module: Module) -> Self {
        module.set_id(name);
        module.build_index();
        Self {
            name,
            module: module.into(),
        }
    }
}

/// The groups in the order of the reference.
pub fn groups() -> &'static [Group] {
    static GROUPS: OnceLock<Vec<Group>> = OnceLock::new();
    GROUPS.get_or_init(|| {
        vec![
            Group::new("run", exported_module!(run::module)),
            Group::new("solution", solution::group()),
            Group::new("environment", environment::group()),
            Group::new("branch", branch::group()),
            Group::new("deployment", deployment::group()),
        ]
    })
}

/// Makes every group callable in `engine`.
pub(super) fn register(engine: &mut Engine) {
    for group in groups() {
        engine.register_static_module(group.name, group.module.clone());
    }
    language::register(engine);
}

/// The types of all groups that a step can end with.
pub fn keepers() -> Keepers {
    let mut keepers = Keepers::default();
    keepers
        .add::<package::Package>()
        .add::<source_tree::SourceTree>()
        .add::<solution::Component>()
        .add::<environment::Environment>()
        .add::<branch::Repository>()
        .add::<branch::Branch>()
        .add::<branch::Commit>()
        .add::<branch::PullRequest>()
        .add::<branch::Build>()
        .add::<deployment::Settings>()
        .add::<deployment::Data>()
        .add::<deployment::Profile>()
        .add::<deployment::Stage>();
    keepers
}
