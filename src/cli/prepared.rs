//! A script with what was typed for it: everything that a run needs before it starts.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, FromArgMatches};

use super::exit::Exit;
use super::failure::Failure;
use super::options::Options;
use super::persona_scripts::rules;
use super::render::{RunView, written};
use crate::run::{Finished, Host, Outcome, RunId, Start};
use crate::script::Script;
use crate::script::parameters::{Declaration, Given, option_name};
use crate::transport::Cancel;
use crate::workspace::config::TimeSpan;

/// How a script is run.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Options of every run")]
pub struct RunOptions {
    /// Stop the run after TIME, such as 30s or 1h
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<TimeSpan>,

    /// Go on with RUN after its last finished step
    #[arg(long, value_name = "RUN")]
    pub resume: Option<RunId>,

    /// Put the script under all limits, for scripts of others
    #[arg(long)]
    pub sandbox: bool,
}

/// A script with what was typed for it.
pub struct Prepared {
    host: Host,
    script: Script,
    given: BTreeMap<String, Given>,
    how: RunOptions,
}

impl Prepared {
    /// Finds the script called `name` and reads `rest` as its options. Without a value clap has
    /// said all that there is to say, such as the script's help.
    ///
    /// # Errors
    /// When there is no workspace or script, or an option is wrong.
    pub fn of(
        name: &str,
        rest: Vec<OsString>,
        how: RunOptions,
        options: &Options,
    ) -> Result<Option<Self>, Failure> {
        let host = open(options)?;
        let script = host.library().script(name)?;
        let declaration = script.declaration()?;
        let command = command(&host, &script, &declaration)?.no_binary_name(true);
        let matches = match command.try_get_matches_from(rest) {
            Ok(matches) => matches,
            Err(error) => {
                return match super::shown_by_clap(&error) {
                    Exit::Success => Ok(None),
                    exit => Err(Failure::already_shown(exit)),
                };
            }
        };
        let given = declaration.given(&matches);
        let later = RunOptions::from_arg_matches(&matches).unwrap_or_default();
        let how = RunOptions {
            timeout: later.timeout.or(how.timeout),
            resume: later.resume.or(how.resume),
            sandbox: later.sandbox || how.sandbox,
        };
        Ok(Some(Self {
            host,
            script,
            given,
            how,
        }))
    }

    /// The host that the script runs in.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The script's file, if it has one.
    pub fn script_file(&self) -> Option<PathBuf> {
        self.script.path.clone()
    }

    /// Runs the script, or goes on with the run that `--resume` names.
    ///
    /// # Errors
    /// When the run cannot start. What goes wrong inside it is in what is returned.
    pub fn start(&self, view: &RunView, cancel: Cancel) -> Result<Finished, Failure> {
        if let Some(run) = self.how.resume {
            let start = self.host.resume(run).parameters(self.given.clone());
            return Ok(self.how.apply(start, view, cancel).go()?);
        }
        let start = self
            .host
            .run(&self.script.name)
            .parameters(self.given.clone());
        Ok(self.how.apply(start, view, cancel).go()?)
    }
}

/// Goes on with a run.
///
/// # Errors
/// When there is no such run, or nothing is left to do.
pub fn resume(
    host: &Host,
    run: RunId,
    how: &RunOptions,
    view: &RunView,
    cancel: Cancel,
) -> Result<Finished, Failure> {
    Ok(how.apply(host.resume(run), view, cancel).go()?)
}

impl RunOptions {
    fn apply<'h>(&self, start: Start<'h>, view: &RunView, cancel: Cancel) -> Start<'h> {
        let mut start = start.cancel(cancel).observe(view.observer());
        if let Some(timeout) = self.timeout {
            start = start.time_limit(timeout.0);
        }
        if self.sandbox {
            start = start.sandbox();
        }
        match login_name() {
            Some(who) => start.who(who),
            None => start,
        }
    }
}

/// Prints the help of the script called `name`.
///
/// # Errors
/// When there is no workspace or script.
pub fn show_script_help(name: &str, options: &Options) -> Result<(), Failure> {
    let host = open(options)?;
    let script = host.library().script(name)?;
    let declaration = script.declaration()?;
    // A stream that is gone cannot be told about.
    written(&command(&host, &script, &declaration)?.print_help());
    Ok(())
}

/// What a command returns for a run that ended.
pub fn ended(finished: &Finished) -> Result<(), Failure> {
    match exit(finished) {
        Exit::Success => Ok(()),
        exit => Err(Failure::already_shown(exit)),
    }
}

/// Opens the workspace and takes the persona.
///
/// # Errors
/// When there is none, `alm.toml` has mistakes, or the history cannot be used.
pub fn open(options: &Options) -> Result<Host, Failure> {
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
    let rules = rules(host.persona(), &script.name, declaration);
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

/// Who sits at the machine, for runs of a persona that is nobody in particular.
pub fn login_name() -> Option<String> {
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
