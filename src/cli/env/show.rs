//! `alm env show`.

use clap::Args;
use serde_json::json;

use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::render::{Output, Table};
use crate::environment::{Connect, Environment};
use crate::nearest::nearest;
use crate::transport::Cancel;
use crate::workspace::{Action, Connections, Effect};

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
    let environments = &workspace.config().environments;
    let Some((name, environment)) = environments.entry(&arguments.name) else {
        let message = format!("there is no environment called `{}`", arguments.name);
        let failure = Failure::usage("ALM-C001", message);
        return Err(match nearest(&arguments.name, environments.names()) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint("`alm env list` lists them"),
        });
    };
    persona.may(&Effect::on_environment(Action::Read, name))?;

    let transport = Connections::of(&workspace, cancel).signed_in(&environment.identity)?;
    let mut connect = Connect::new(name, environment.url.clone(), transport);
    connect.cancel = cancel.clone();
    let client = Environment::connect(connect);
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
