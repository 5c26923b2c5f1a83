//! `alm solution diff`.

use clap::{Args, ValueEnum};

use super::super::failure::Failure;
use super::super::render::Output;
use super::side;
use crate::solution::diff::{diff, render};

/// Tell what differs between two solutions, by component
///
/// OLD and NEW are packages, folders, or REVISION:FOLDER in the git repository of the current
/// folder, for example `main:Sales/SolutionPackage/src`. Columns, fields of forms and steps of
/// flows are named; what an upgrade would delete is listed at the end.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// What to compare with
    old: String,

    /// What to tell about
    new: String,

    /// How to show it
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        ignore_case = true
    )]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines for a terminal
    Text,
    /// JSON
    Json,
    /// Markdown for a pull request
    Markdown,
    /// A web page in one file
    Html,
}

/// Runs `alm solution diff`.
pub fn run(arguments: &DiffArgs, output: Output) -> Result<(), Failure> {
    let (old, new) = side::alike(side::read(&arguments.old)?, side::read(&arguments.new)?)?;
    let diff = diff(&old, &new)?;
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
