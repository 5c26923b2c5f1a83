//! `alm solution`: packages and source folders, with the argument names of `pac solution`.

mod arguments;
mod bounds;
mod check;
mod diff;
mod info;
mod merge;
mod normalise;
mod pack;
mod remembered;
mod report;
mod revision;
mod side;
mod source;
mod spelling;
mod unpack;
mod version;

pub use spelling::known_to_clap;

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::options::Options;
use super::render::Output;

/// Pack, unpack and look into solution packages
#[derive(Debug, Args)]
pub struct SolutionArgs {
    #[command(subcommand)]
    command: SolutionCommand,
}

#[derive(Debug, Subcommand)]
enum SolutionCommand {
    Unpack(unpack::UnpackArgs),
    Pack(pack::PackArgs),
    Info(info::InfoArgs),
    Diff(diff::DiffArgs),
    Merge(merge::MergeArgs),
    Check(check::CheckArgs),
    Normalise(normalise::NormaliseArgs),
    Version(version::VersionArgs),
}

/// Runs `alm solution …`.
pub fn run(arguments: &SolutionArgs, options: &Options, output: Output) -> Result<(), Failure> {
    match &arguments.command {
        SolutionCommand::Unpack(arguments) => unpack::run(arguments, output),
        SolutionCommand::Pack(arguments) => pack::run(arguments, output),
        SolutionCommand::Info(arguments) => info::run(arguments, output),
        SolutionCommand::Diff(arguments) => diff::run(arguments, options, output),
        SolutionCommand::Merge(arguments) => merge::run(arguments, options, output),
        SolutionCommand::Check(arguments) => check::run(arguments, output),
        SolutionCommand::Normalise(arguments) => normalise::run(arguments, output),
        SolutionCommand::Version(arguments) => version::run(arguments, output),
    }
}
