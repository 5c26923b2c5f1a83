//! `alm env list`.

use clap::Args;
use serde_json::{Value, json};

use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::render::{Output, Table};
use crate::workspace::{Action, Effect, Persona};

/// List the environments, and what you may do there
///
/// Reads alm.toml only; nothing is sent.
#[derive(Debug, Args)]
pub struct ListArgs {}

/// Runs `alm env list`.
pub fn run(options: &Options, output: Output) -> Result<(), Failure> {
    let (workspace, persona) = options.open_as()?;
    let mut table = Table::new(["name", "kind", "address", "you may"]);
    for (name, environment) in workspace.config().environments.iter() {
        table.row([
            json!(name),
            json!(environment.kind.as_str()),
            json!(environment.url.as_str().trim_end_matches('/')),
            allowed(&persona, name),
        ]);
    }
    table.write(output, "There are no environments in alm.toml yet.");
    Ok(())
}

/// The actions that the persona may do to an environment.
fn allowed(persona: &Persona, environment: &str) -> Value {
    let words = Action::ON_ENVIRONMENTS
        .into_iter()
        .filter(|&action| {
            persona
                .could(&Effect::on_environment(action, environment))
                .is_ok()
        })
        .map(Action::word);
    json!(words.collect::<Vec<_>>())
}
