//! `alm env`: the environments of the workspace.

mod list;

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::options::Options;
use super::render::Output;

/// Look at the environments of the workspace
#[derive(Debug, Args)]
pub struct EnvArgs {
    #[command(subcommand)]
    command: EnvCommand,
}

#[derive(Debug, Subcommand)]
enum EnvCommand {
    List(list::ListArgs),
}

/// Runs `alm env`.
pub fn run(arguments: &EnvArgs, options: &Options, output: Output) -> Result<(), Failure> {
    match &arguments.command {
        EnvCommand::List(_) => list::run(options, output),
    }
}
