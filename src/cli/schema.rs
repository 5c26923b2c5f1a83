//! `alm schema`.

use clap::{Args, ValueEnum};

use super::failure::Failure;
use super::render::Output;
use crate::solution::diff;
use crate::workspace::schema;

/// Print the JSON Schema of alm.toml, or of what a command answers as JSON
///
/// Editors use the schema of alm.toml to complete and check the file as you type.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// What to describe
    #[arg(value_name = "WHAT", default_value = "workspace")]
    what: Document,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Document {
    /// The workspace file alm.toml
    Workspace,
    /// What `alm solution diff --format json` answers
    SolutionDiff,
}

/// Runs `alm schema`.
pub fn run(arguments: &SchemaArgs, output: Output) -> Result<(), Failure> {
    let schema = match arguments.what {
        Document::Workspace => schema::json_schema(),
        Document::SolutionDiff => diff::json_schema(),
    };
    // `{:#}` is JSON with line breaks. It is a document, so it is the same with `--json`.
    output.document(&format!("{schema:#}"));
    Ok(())
}
