//! The files that tell a deployment what to set, as existing repositories have them.

mod kept;
mod settings;
mod tokens;
