//! From an environment's name on the command line to its client.

use crate::cli::failure::Failure;
use crate::environment::{Connect, Environment};
use crate::nearest::nearest;
use crate::transport::Cancel;
use crate::workspace::{Action, Connections, Effect, Persona, Workspace, config};

/// The client of the environment called `name`, and what alm.toml says of it, if the persona may do
/// `action` there. Signing in happens with the first request.
///
/// # Errors
/// When there is no such environment, the persona may not, or there is no way to sign in.
pub fn connect<'w>(
    workspace: &'w Workspace,
    persona: &Persona,
    (name, action): (&str, Action),
    cancel: &Cancel,
) -> Result<(Environment, &'w config::Environment), Failure> {
    let environments = &workspace.config().environments;
    let Some((name, environment)) = environments.entry(name) else {
        let message = format!("there is no environment called `{name}`");
        let failure = Failure::usage("ALM-C001", message);
        return Err(match nearest(name, environments.names()) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint("`alm env list` lists them"),
        });
    };
    persona.may(&Effect::on_environment(action, name))?;
    let transport = Connections::of(workspace, cancel).signed_in(&environment.identity)?;
    let mut connect = Connect::new(name, environment.url.clone(), transport);
    connect.cancel = cancel.clone();
    Ok((Environment::connect(connect), environment))
}
