//! `alm env`: the environments of the workspace.

mod connect;
mod list;
mod show;

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::interrupt::on_interrupt;
use super::options::Options;
use super::render::Output;

pub use connect::connect;

/// Look at the environments of the workspace
#[derive(Debug, Args)]
pub struct EnvArgs {
    #[command(subcommand)]
    command: EnvCommand,
}

#[derive(Debug, Subcommand)]
enum EnvCommand {
    List(list::ListArgs),
    Show(show::ShowArgs),
}

/// Runs `alm env`.
pub fn run(arguments: &EnvArgs, options: &Options, output: Output) -> Result<(), Failure> {
    match &arguments.command {
        EnvCommand::List(_) => list::run(options, output),
        EnvCommand::Show(arguments) => show::run(arguments, options, output, &on_interrupt()),
    }
}
