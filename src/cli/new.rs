//! `alm new`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::failure::Failure;
use super::render::Output;
use crate::workspace::create;

/// Make a new workspace in DIR
///
/// Writes alm.toml with comments that say what can stand there, a folder for scripts and a
/// .gitignore. DIR must be new or empty.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// The folder to make
    dir: PathBuf,
}

/// Runs `alm new`.
pub fn run(arguments: &NewArgs, output: Output) -> Result<(), Failure> {
    create::workspace(&arguments.dir)?;
    output.object(&json!({ "event": "created", "workspace": arguments.dir }));
    output.line(format!("Made a workspace in {}", arguments.dir.display()));
    output.line("Next: write your environments into alm.toml, then `alm env list`");
    Ok(())
}
