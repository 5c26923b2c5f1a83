//! `alm solution diff`.

use clap::{Args, ValueEnum};

use super::super::failure::Failure;
use super::super::options::Options;
use super::super::render::Output;
use super::side::{self, Environments};
use crate::solution::diff::{deletions, diff, render};

/// Tell what differs between two solutions, by component
///
/// OLD and NEW are packages, folders, REVISION:FOLDER in the git repository of the current folder,
/// for example `main:Sales/SolutionPackage/src`, or env:ENVIRONMENT/SOLUTION, which is exported from
/// an environment of the workspace. Columns, fields of forms and steps of flows are named.
///
/// An upgrade of a managed solution deletes what the new version does not have, tables with their
/// rows. Between two versions of one solution of which one is managed, or a folder of both kinds,
/// this is listed at the end. Importing an unmanaged package, or updating without an upgrade,
/// deletes nothing; --upgrade lists it all the same.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// What to compare with
    old: String,

    /// What to tell about
    new: String,

    /// Which solution, if a folder holds several
    #[arg(long = "solutionName", value_name = "NAME")]
    solution_name: Option<String>,

    /// How to show it
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        ignore_case = true
    )]
    format: Format,

    /// Export solutions of environments as managed packages
    #[arg(long)]
    managed: bool,

    /// List what an upgrade would delete, whatever the sides are
    #[arg(long)]
    upgrade: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines for a terminal
    Text,
    /// JSON, as `alm schema solution-diff` describes it
    Json,
    /// Markdown for a pull request
    Markdown,
    /// A web page in one file
    Html,
}

/// Runs `alm solution diff`.
pub fn run(arguments: &DiffArgs, options: &Options, output: Output) -> Result<(), Failure> {
    let environments = Environments {
        options,
        managed: arguments.managed,
    };
    let solution = arguments.solution_name.as_deref();
    let read = |text: &str| side::read(text, solution, Some(&environments));
    let (old, new) = side::alike(read(&arguments.old)?, read(&arguments.new)?)?;
    let mut diff = diff(&old, &new)?;
    if arguments.upgrade && diff.deletions.is_none() {
        diff.deletions = Some(deletions(&old, &new)?);
    }
    let format = if output.json() {
        Format::Json
    } else {
        arguments.format
    };
    let document = match format {
        Format::Text => render::text(&diff, output.colours()),
        Format::Markdown => render::markdown(&diff),
        Format::Html => render::html(&diff),
        Format::Json => render::json(&diff),
    };
    output.document(&document);
    Ok(())
}
