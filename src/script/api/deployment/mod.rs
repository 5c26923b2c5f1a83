//! `deployment::`: profiles and stages, and the files that tell a deployment what to set.
//!
//! [`profile`](self::profile) shows the workspace's profiles, [`files`] reads and writes settings
//! and configuration data. The rules are `crate::deployment`'s; here values are translated.

mod files;
mod profile;
mod source;

pub use files::{Data, Settings};
pub use profile::{Profile, Stage};

use rhai::Module;

/// The functions of the group.
pub(super) fn group() -> Module {
    let mut module = rhai::exported_module!(profile::module);
    module.combine(rhai::exported_module!(files::module));
    module
}
