//! `alm approve`.

use clap::Args;
use serde_json::json;

use super::failure::Failure;
use super::git_host::RepositoryOption;
use super::interrupt::on_interrupt;
use super::options::Options;
use super::prepared::{RunOptions, login_name};
use super::render::Output;
use crate::run::{Host, Outcome, RunId};
use crate::workspace::{Action, Effect, Persona, Workspace};

/// Approve what waits: a run of this workspace, or a build on the git host
///
/// A run goes on at once. A build goes on when an agent takes it (`alm agent`).
#[derive(Debug, Args)]
pub struct ApproveArgs {
    /// The number of a run that waits (`alm history --outcome waiting`), or of a build
    #[arg(value_name = "RUN|BUILD")]
    number: i64,

    /// The number is that of a build, also if a run has it
    #[arg(long)]
    build: bool,

    /// Refuse it instead
    #[arg(long)]
    reject: bool,

    /// What to tell
    #[arg(long, default_value = "")]
    comment: String,

    #[command(flatten)]
    repository: RepositoryOption,
}

/// Runs `alm approve`.
pub fn run(arguments: &ApproveArgs, options: &Options, output: Output) -> Result<(), Failure> {
    let (workspace, persona) = options.open_as()?;
    if arguments.build {
        return build(arguments, &workspace, &persona, output);
    }
    let mut host = Host::of(workspace.clone())?;
    host.act_as(persona.clone());
    let id = RunId(arguments.number);
    match host.history().run(id) {
        Ok(run) if run.outcome == Some(Outcome::Waiting) => {
            let (approved, comment) = (!arguments.reject, &arguments.comment);
            host.answer(id, approved, comment, login_name().as_deref())?;
            super::run::resume(&host, id, &RunOptions::default(), output)
        }
        // No run waits under this number, so it is a build's, if the workspace has a repository.
        _ if !workspace.config().repositories.is_empty() => {
            build(arguments, &workspace, &persona, output)
        }
        Ok(_) => Err(crate::run::RunError::NotWaiting(id).into()),
        Err(error) => Err(error.into()),
    }
}

fn build(
    arguments: &ApproveArgs,
    workspace: &Workspace,
    persona: &Persona,
    output: Output,
) -> Result<(), Failure> {
    let opened = arguments
        .repository
        .open(workspace, persona, &on_interrupt())?;
    persona.may(&Effect::on_repository(Action::Approve, &opened.repository))?;
    // Without a person the host's own identity would approve, which is nobody's yes.
    if persona.person().is_none() {
        return Err(crate::run::RunError::Nobody.into());
    }
    let waiting: Vec<_> = opened
        .host
        .approvals()?
        .into_iter()
        .filter(|approval| approval.build == arguments.number)
        .collect();
    if waiting.is_empty() {
        let message = format!(
            "neither a run nor a build with the number {} waits",
            arguments.number
        );
        return Err(Failure::usage("ALM-C001", message)
            .hint("`alm history --outcome waiting` lists the runs that wait"));
    }
    for approval in waiting {
        opened
            .host
            .decide(&approval.id, !arguments.reject, &arguments.comment)?;
        output.object(&json!({
            "event": "decided",
            "build": approval.build,
            "place": approval.place,
            "approved": !arguments.reject,
        }));
        let word = if arguments.reject {
            "Refused"
        } else {
            "Approved"
        };
        output.line(format!(
            "{word} build {} ({}) for {}",
            approval.build, approval.definition_name, approval.place
        ));
    }
    Ok(())
}
