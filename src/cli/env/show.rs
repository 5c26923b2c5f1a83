//! `alm env show`.

use clap::Args;
use serde_json::json;

use super::connect;
use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::render::{Output, Table};
use crate::transport::Cancel;
use crate::workspace::Action;

/// Show an environment: who you are there and which solutions it has
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The environment's name in alm.toml
    #[arg(value_name = "ENVIRONMENT")]
    name: String,
}

/// Runs `alm env show`.
pub fn run(
    arguments: &ShowArgs,
    options: &Options,
    output: Output,
    cancel: &Cancel,
) -> Result<(), Failure> {
    let (workspace, persona) = options.open_as()?;
    let (client, environment) = connect(
        &workspace,
        &persona,
        (&arguments.name, Action::Read),
        cancel,
    )?;
    let name = client.name();
    let caller = client.who_am_i()?;
    let solutions = client.solutions()?;

    let address = environment.url.as_str().trim_end_matches('/');
    output.object(&json!({
        "event": "environment",
        "name": name,
        "kind": environment.kind.as_str(),
        "address": address,
        "identity": environment.identity,
        "user_id": caller.user_id,
        "organization_id": caller.organization_id,
    }));
    output.line(format!("{name}: {address} ({})", environment.kind.as_str()));
    output.line(format!(
        "signed in as `{}`, user {}",
        environment.identity, caller.user_id
    ));
    output.line("");
    let mut table = Table::new(["solution", "version", "managed", "called"]);
    for solution in solutions {
        table.row([
            json!(solution.unique_name),
            json!(solution.version),
            json!(solution.managed),
            json!(solution.friendly_name),
        ]);
    }
    table.write(output, "It has no solutions.");
    Ok(())
}
