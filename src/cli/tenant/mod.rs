//! `alm tenant`: the emulated tenant of the workspace.

mod serve;

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::options::Options;
use super::render::Output;

/// Work with the emulated tenant of the workspace
#[derive(Debug, Args)]
pub struct TenantArgs {
    #[command(subcommand)]
    command: TenantCommand,
}

#[derive(Debug, Subcommand)]
enum TenantCommand {
    Serve(serve::ServeArgs),
}

/// Runs `alm tenant`.
pub fn run(arguments: &TenantArgs, options: &Options, output: Output) -> Result<(), Failure> {
    match &arguments.command {
        TenantCommand::Serve(arguments) => serve::run(arguments, options, output),
    }
}
