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
/// .gitignore. DIR must be new or empty. With --example the workspace has an emulated tenant with
/// environments, people, a git repository and two real solutions, so that everything can be tried
/// at once.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// The folder to make
    dir: PathBuf,

    /// Make the example: an emulated tenant, filled
    #[arg(long)]
    example: bool,
}

/// Runs `alm new`.
pub fn run(arguments: &NewArgs, output: Output) -> Result<(), Failure> {
    let dir = arguments.dir.display();
    if arguments.example {
        create::example(&arguments.dir)?;
        output.object(&json!({ "event": "created", "workspace": arguments.dir, "example": true }));
        output.line(format!("Made the example workspace in {dir}"));
        output.line(format!("Next: cd {dir} && alm env list && alm scripts"));
    } else {
        create::workspace(&arguments.dir)?;
        output.object(&json!({ "event": "created", "workspace": arguments.dir, "example": false }));
        output.line(format!("Made a workspace in {dir}"));
        output.line("Next: write your environments into alm.toml, then `alm env list`");
    }
    Ok(())
}
