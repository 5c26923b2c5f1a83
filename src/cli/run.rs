//! `alm run`.

use std::ffi::OsString;

use clap::{Args, FromArgMatches};

use super::exit::Exit;
use super::failure::Failure;
use super::interrupt::on_interrupt;
use super::options::{Options, early};
use super::render::{Output, RunView};
use crate::run::{Finished, Host, Outcome, RunId, Start};
use crate::script::Script;
use crate::script::parameters::{Declaration, option_name};
use crate::workspace::config::TimeSpan;

/// Run the script called NAME
///
/// `alm scripts` lists the names. The parameters of a script are options here, behind its name:
/// `alm run NAME --help` shows them. Ctrl-C cancels the run, which ends at its next wait; pressed
/// again, it ends the program.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
#[command(
    override_usage = "alm run SCRIPT [OPTIONS] [OPTIONS OF THE SCRIPT]\n       \
                            alm run --resume RUN"
)]
pub struct RunArgs {
    /// The script
    #[arg(value_name = "SCRIPT")]
    name: Option<String>,

    #[command(flatten)]
    how: RunOptions,

    /// Print help, of the script if one is named
    #[arg(short, long)]
    help: bool,

    /// What the script takes
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    rest: Vec<OsString>,
}

/// How a script is run.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Options of every run")]
struct RunOptions {
    /// Stop the run after TIME, such as 30s or 1h
    #[arg(long, value_name = "TIME")]
    timeout: Option<TimeSpan>,

    /// Go on with RUN after its last finished step
    #[arg(long, value_name = "RUN")]
    resume: Option<RunId>,

    /// Put the script under all limits, for scripts of others
    #[arg(long)]
    sandbox: bool,
}

impl RunArgs {
    /// The options of every command, also those that stand among the script's.
    pub fn options(&self, options: Options) -> Options {
        early(&self.rest, options)
    }
}

/// Runs `alm run`.
pub fn run(arguments: RunArgs, options: Options, output: Output) -> Result<(), Failure> {
    let RunArgs {
        name,
        how,
        help,
        rest,
    } = arguments;
    match (name, how.resume) {
        (None, _) if help => {
            show_help(
                super::command()
                    .find_subcommand_mut("run")
                    .cloned()
                    .unwrap_or_default(),
            );
            Ok(())
        }
        (Some(name), None) => named(&name, help, how, rest, &options, output),
        (_, Some(run)) => {
            let host = open(&options)?;
            start(&host, host.resume(run), &how, output)
        }
        (None, None) => Err(
            Failure::usage("ALM-C001", "name the script that should run")
                .hint("`alm scripts` lists them"),
        ),
    }
}

fn named(
    name: &str,
    help: bool,
    how: RunOptions,
    rest: Vec<OsString>,
    options: &Options,
    output: Output,
) -> Result<(), Failure> {
    let host = open(options)?;
    let script = host.library().script(name)?;
    let declaration = script.declaration()?;
    let command = command(&host, &script, &declaration)?;
    if help {
        show_help(command);
        return Ok(());
    }
    let matches = match command.no_binary_name(true).try_get_matches_from(rest) {
        Ok(matches) => matches,
        Err(error) => return shown(&error),
    };
    let later = RunOptions::from_arg_matches(&matches).unwrap_or_default();
    let how = RunOptions {
        timeout: later.timeout.or(how.timeout),
        resume: later.resume,
        sandbox: later.sandbox || how.sandbox,
    };
    let started = match how.resume {
        Some(run) => host.resume(run),
        None => host.run(name).parameters(declaration.given(&matches)),
    };
    start(&host, started, &how, output)
}

/// Opens the workspace and takes the persona.
fn open(options: &Options) -> Result<Host, Failure> {
    let (workspace, persona) = options.open_as()?;
    let mut host = Host::of(workspace)?;
    host.act_as(persona);
    Ok(host)
}

/// The script's own command line, with the options of every run.
fn command(
    host: &Host,
    script: &Script,
    declaration: &Declaration,
) -> Result<clap::Command, Failure> {
    let rules = super::persona_scripts::rules(host.persona(), &script.name, declaration);
    let own = clap::Command::new("options");
    let own = Options::augment_args(RunOptions::augment_args(own));
    for parameter in &declaration.parameters {
        let long = option_name(&parameter.name);
        if long == "help" || own.get_arguments().any(|one| one.get_long() == Some(&long)) {
            let message = format!(
                "the script `{}` cannot be run from the command line: its parameter `{}` is called \
                 as an option of every run",
                script.name, parameter.name
            );
            return Err(Failure::usage("ALM-C004", message).hint("rename the parameter"));
        }
    }
    let command = declaration.command(&format!("alm run {}", script.name), &rules);
    // Adding the options of every run would put their heading in the place of the script's text.
    let about = command
        .get_long_about()
        .or(command.get_about())
        .cloned()
        .unwrap_or_default();
    let command = Options::augment_args(RunOptions::augment_args(command));
    Ok(command
        .about(about.clone())
        .long_about(about)
        .max_term_width(100))
}

fn start(host: &Host, start: Start<'_>, how: &RunOptions, output: Output) -> Result<(), Failure> {
    let view = RunView::new(output);
    for run in host.interrupted() {
        view.found_interrupted(run);
    }
    let mut start = start.cancel(on_interrupt()).observe(view.observer());
    if let Some(timeout) = how.timeout {
        start = start.time_limit(timeout.0);
    }
    if how.sandbox {
        start = start.sandbox();
    }
    if let Some(who) = login_name() {
        start = start.who(who);
    }
    let finished = start.go()?;
    view.end(&finished);
    match exit(&finished) {
        Exit::Success => Ok(()),
        exit => Err(Failure::already_shown(exit)),
    }
}

/// Who sits at the machine, for runs of a persona that is nobody in particular.
fn login_name() -> Option<String> {
    let named = ["USER", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok());
    named.filter(|name| !name.is_empty())
}

/// How the program ends after a run.
fn exit(finished: &Finished) -> Exit {
    match finished.outcome {
        Outcome::Succeeded => Exit::Success,
        Outcome::Waiting => Exit::Waiting,
        Outcome::Cancelled => Exit::Cancelled,
        Outcome::Failed | Outcome::Interrupted => {
            match finished
                .failure
                .as_ref()
                .map(|failure| failure.code.as_str())
            {
                // The script's own mistakes of use are failures of the run, not of the command line.
                Some(code @ ("ALM-W017" | "ALM-R012")) => Exit::of_code(code),
                _ => Exit::Failed,
            }
        }
    }
}

fn show_help(mut command: clap::Command) {
    // A stream that is gone cannot be told about.
    let _ = command.print_help();
}

/// Lets clap say what is wrong with the script's options.
fn shown(error: &clap::Error) -> Result<(), Failure> {
    match super::shown_by_clap(error) {
        Exit::Success => Ok(()),
        exit => Err(Failure::already_shown(exit)),
    }
}
