//! `alm schema`.

use clap::Args;

use super::failure::Failure;
use super::render::Output;
use crate::workspace::schema;

/// Print the JSON Schema of alm.toml
///
/// Editors use it to complete and check the file as you type.
#[derive(Debug, Args)]
pub struct SchemaArgs {}

/// Runs `alm schema`.
pub fn run(_: &SchemaArgs, output: Output) -> Result<(), Failure> {
    // `{:#}` is JSON with line breaks. It is a document, so it is the same with `--json`.
    output.document(&format!("{:#}", schema::json_schema()));
    Ok(())
}
