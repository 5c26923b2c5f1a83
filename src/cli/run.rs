//! `alm run`.

use std::ffi::OsString;

use clap::Args;

use super::failure::Failure;
use super::interrupt::on_interrupt;
use super::options::{Options, early};
use super::prepared::{self, Prepared, RunOptions, ended, open, show_script_help};
use super::render::{Output, RunView, written};
use crate::run::{Host, RunId};

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

impl RunArgs {
    /// The options of every command, also those that stand among the script's.
    pub fn options(&self, options: Options) -> Options {
        early(&self.rest, options)
    }
}

/// Runs `alm run`.
pub fn run(arguments: RunArgs, options: &Options, output: Output) -> Result<(), Failure> {
    let RunArgs {
        name,
        how,
        help,
        rest,
    } = arguments;
    match (name, how.resume) {
        (None, _) if help => {
            if let Some(run) = super::command().find_subcommand_mut("run") {
                // A stream that is gone cannot be told about.
                written(&run.print_long_help());
            }
            Ok(())
        }
        (Some(name), _) if help => show_script_help(&name, options),
        // With `--resume` too: secrets are given again.
        (Some(name), _) => {
            let Some(prepared) = Prepared::of(&name, rest, how, options)? else {
                return Ok(());
            };
            let view = RunView::new(output);
            tell_interrupted(prepared.host(), &view);
            let finished = prepared.start(&view, on_interrupt())?;
            view.end(&finished);
            ended(&finished)
        }
        (None, Some(run)) => resume(&open(options)?, run, &how, output),
        (None, None) => Err(
            Failure::usage("ALM-C001", "name the script that should run")
                .hint("`alm scripts` lists them"),
        ),
    }
}

/// Goes on with a run and shows it.
///
/// # Errors
/// When it cannot go on, or does not end well.
pub fn resume(host: &Host, run: RunId, how: &RunOptions, output: Output) -> Result<(), Failure> {
    let view = RunView::new(output);
    let finished = prepared::resume(host, run, how, &view, on_interrupt())?;
    view.end(&finished);
    ended(&finished)
}

/// Says which earlier runs were found broken off.
fn tell_interrupted(host: &Host, view: &RunView) {
    host.interrupted()
        .iter()
        .for_each(|run| view.found_interrupted(run));
}
