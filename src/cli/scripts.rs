//! `alm scripts`.

use clap::Args;
use serde_json::json;

use super::failure::Failure;
use super::options::Options;
use super::persona_scripts::library;
use super::render::{Output, Table};

/// List the scripts that you can run
///
/// Shows what each is called for your persona, where it comes from (persona, workspace or bundled)
/// and what it is for. `alm run NAME --help` shows what one takes.
#[derive(Debug, Args)]
pub struct ScriptsArgs {}

/// Runs `alm scripts`.
pub fn run(_: &ScriptsArgs, options: &Options, output: Output) -> Result<(), Failure> {
    let (workspace, persona) = options.open_as()?;
    let mut table = Table::new(["name", "called", "from", "about"]);
    for script in library(&workspace, &persona).list()? {
        if !persona.sees_script(&script.name) {
            continue;
        }
        // One script with a mistake must not hide the others.
        let about = match script.declaration() {
            Ok(declaration) => declaration.title,
            Err(error) => format!("cannot be run: {error}"),
        };
        table.row([
            json!(script.name),
            json!(persona.label(&script.name).unwrap_or(&script.name)),
            json!(script.origin),
            json!(about),
        ]);
    }
    table.write(output, "There are no scripts for you in this workspace.");
    Ok(())
}
