//! `alm completions`: teaches a shell to complete `alm`.
//!
//! The shell asks the program itself (`alm complete`), since which scripts there are and what they
//! take depends on the workspace and the persona.

mod candidates;

use std::ffi::OsString;

use clap::{Args, ValueEnum};

use super::failure::Failure;
use super::render::Output;

/// Print a script that teaches your shell to complete alm
///
/// Commands, options, script names, their parameters and the names of alm.toml are completed.
/// Load it in your shell's start-up file, for example `eval "$(alm completions bash)"`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
}

/// Print what could stand at the end of a command line
#[derive(Debug, Args)]
#[command(hide = true)]
pub struct CompleteArgs {
    /// The words of the command line; the last one is being typed
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

/// Runs `alm completions`.
pub fn run(arguments: &CompletionsArgs, output: Output) -> Result<(), Failure> {
    output.document(match arguments.shell {
        Shell::Bash => include_str!("shells/alm.bash"),
        Shell::Zsh => include_str!("shells/alm.zsh"),
        Shell::Fish => include_str!("shells/alm.fish"),
        Shell::Powershell => include_str!("shells/alm.ps1"),
    });
    Ok(())
}

/// Runs `alm complete`: one candidate a line, with a tab before what it means.
pub fn complete(arguments: &CompleteArgs, output: Output) -> Result<(), Failure> {
    let words: Vec<String> = arguments
        .words
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    for candidate in candidates::candidates(&words) {
        output.line(format!("{}\t{}", candidate.word, candidate.meaning));
    }
    Ok(())
}
