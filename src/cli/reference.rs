//! `alm reference`.

use clap::Args;
use serde_json::json;

use super::failure::Failure;
use super::render::Output;
use crate::script::engine::engine;
use crate::script::limits::Limits;
use crate::script::reference;

/// Print the reference of everything that scripts can call
///
/// Markdown, made from the registered functions; one JSON object per function with --json.
#[derive(Debug, Args)]
pub struct ReferenceArgs {}

/// Runs `alm reference`.
pub fn run(_: &ReferenceArgs, output: Output) -> Result<(), Failure> {
    let engine = engine(&Limits::trusted(), &[]);
    if output.json() {
        for entry in reference::entries(&engine) {
            output.object(&json!(entry));
        }
    } else {
        output.document(&reference::markdown(&engine));
    }
    Ok(())
}
