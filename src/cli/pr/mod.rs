//! `alm pr`: the pull requests of a repository.

mod act;
mod look;

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::git_host::RepositoryOption;
use super::interrupt::on_interrupt;
use super::options::Options;
use super::render::Output;

/// Look at pull requests, approve and complete them
#[derive(Debug, Args)]
pub struct PrArgs {
    #[command(flatten)]
    repository: RepositoryOption,

    #[command(subcommand)]
    command: PrCommand,
}

#[derive(Debug, Subcommand)]
enum PrCommand {
    List(look::ListArgs),
    Show(look::ShowArgs),
    Approve(act::ApproveArgs),
    Complete(act::CompleteArgs),
}

/// Runs `alm pr`.
pub fn run(arguments: &PrArgs, options: &Options, output: Output) -> Result<(), Failure> {
    let (workspace, persona) = options.open_as()?;
    let cancel = on_interrupt();
    let opened = arguments.repository.open(&workspace, &persona, &cancel)?;
    match &arguments.command {
        PrCommand::List(arguments) => look::list(arguments, &opened, &persona, output),
        PrCommand::Show(arguments) => look::show(arguments, &opened, &persona, output),
        PrCommand::Approve(arguments) => act::approve(arguments, &opened, &persona, output),
        PrCommand::Complete(arguments) => {
            act::complete(arguments, &opened, &persona, output, &cancel)
        }
    }
}
