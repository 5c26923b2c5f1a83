//! The command line: one file per command, whose help is the doc comment of its arguments.
//!
//! A command reads its arguments, calls the floors below and shows the outcome; it decides no
//! workflow. [`main`] is all that the program does.

mod agent;
mod approve;
mod audit;
mod completions;
mod demo;
mod env;
mod exit;
mod explain;
mod failure;
mod git_host;
mod history;
mod interrupt;
mod new;
mod options;
mod persona_scripts;
mod pr;
mod prepared;
mod reference;
mod render;
mod run;
mod schema;
mod scripts;
mod show;
mod solution;
#[cfg(feature = "serve")]
mod tenant;
mod watch;

pub use exit::Exit;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use failure::Failure;
use options::{Color, Options};
use render::Output;

/// Scripts that import, delete, commit, deploy and configure Power Platform solutions
///
/// A workspace (a folder with alm.toml) names your environments, repositories and profiles; named
/// scripts do the work. Start with `alm new DIR --example`: it makes a workspace with an emulated
/// tenant, where everything can be tried.
///
/// Exit codes: 0 done, 1 failed, 2 wrong command line, 3 a package check found something,
/// 4 the workspace cannot be used, 5 refused by persona or policy, 6 waiting for somebody,
/// 124 time limit over, 130 cancelled.
#[derive(Debug, Parser)]
#[command(name = "alm", version, propagate_version = false, max_term_width = 100)]
#[command(subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    options: Options,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Agent(agent::AgentArgs),
    Demo(demo::DemoArgs),
    New(new::NewArgs),
    Reference(reference::ReferenceArgs),
    Schema(schema::SchemaArgs),
    Explain(explain::ExplainArgs),
    Completions(completions::CompletionsArgs),
    Complete(completions::CompleteArgs),
    Env(env::EnvArgs),
    Run(run::RunArgs),
    Scripts(scripts::ScriptsArgs),
    History(history::HistoryArgs),
    Audit(audit::AuditArgs),
    Show(show::ShowArgs),
    Watch(watch::WatchArgs),
    Approve(approve::ApproveArgs),
    Pr(pr::PrArgs),
    #[cfg(feature = "serve")]
    Tenant(tenant::TenantArgs),
    Solution(solution::SolutionArgs),
}

/// Runs `alm` with these arguments, the program's name first, and returns how it ended.
///
/// Everything that a person should see has been written when it returns.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    typed(arguments, Color::Auto)
}

/// Runs a command line as a person types it, or as the story does with the colours of its own.
fn typed(arguments: impl IntoIterator<Item = OsString>, color: Color) -> Exit {
    let parsed = command()
        .try_get_matches_from(solution::known_to_clap(arguments))
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let mut cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return told(shown_by_clap(&error)),
    };
    cli.options = match &cli.command {
        Command::Run(arguments) => arguments.options(cli.options),
        Command::Watch(arguments) => arguments.options(cli.options),
        _ => cli.options,
    };
    if cli.options.color == Color::Auto {
        cli.options.color = color;
    }
    let output = Output::new(&cli.options);
    told(match run(cli, output) {
        Ok(()) => Exit::Success,
        Err(failure) => {
            output.failure(&failure);
            failure.exit
        }
    })
}

/// How a command ends whose output is lost: not as one that has told what it did.
fn told(exit: Exit) -> Exit {
    match render::lost_output() {
        Some(reason) if exit == Exit::Success => {
            let message = format!("the output cannot be written: {reason}");
            let failure = Failure::usage("ALM-C008", message)
                .hint("what the command does is done; `alm history` tells of runs");
            Output::new(&Options::default()).failure(&failure);
            Exit::Failed
        }
        _ => exit,
    }
}

fn run(cli: Cli, output: Output) -> Result<(), Failure> {
    match cli.command {
        Command::Agent(arguments) => agent::run(&arguments, &cli.options, output),
        Command::Demo(arguments) => demo::run(&arguments, &cli.options, output),
        Command::New(arguments) => new::run(&arguments, output),
        Command::Reference(arguments) => reference::run(&arguments, output),
        Command::Schema(arguments) => schema::run(&arguments, output),
        Command::Completions(arguments) => completions::run(&arguments, output),
        Command::Complete(arguments) => completions::complete(&arguments, output),
        Command::Explain(arguments) => explain::run(&arguments, output),
        Command::Run(arguments) => run::run(arguments, &cli.options, output),
        Command::Watch(arguments) => watch::run(arguments, &cli.options, output),
        Command::Approve(arguments) => approve::run(&arguments, &cli.options, output),
        #[cfg(feature = "serve")]
        Command::Tenant(arguments) => tenant::run(&arguments, &cli.options, output),
        Command::Pr(arguments) => pr::run(&arguments, &cli.options, output),
        Command::Audit(arguments) => audit::run(&arguments, &cli.options, output),
        Command::History(arguments) => history::run(&arguments, &cli.options, output),
        Command::Show(arguments) => show::run(&arguments, &cli.options, output),
        Command::Scripts(arguments) => scripts::run(&arguments, &cli.options, output),
        Command::Solution(arguments) => solution::run(&arguments, &cli.options, output),
        Command::Env(arguments) => env::run(&arguments, &cli.options, output),
    }
}

/// The whole command line as clap sees it.
fn command() -> clap::Command {
    Cli::command()
}

/// Shows what clap has to say: help and version succeed, the rest is a wrong command line.
fn shown_by_clap(error: &clap::Error) -> Exit {
    render::written(&error.print());
    if error.use_stderr() {
        Exit::Usage
    } else {
        Exit::Success
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_well_formed() {
        super::command().debug_assert();
    }
}
