//! `alm pr approve` and `alm pr complete`.

use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::branch::{CheckState, Completion, MergeStrategy, PullRequest, PullRequestState, Vote};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::git_host::OpenHost;
use crate::cli::render::Output;
use crate::transport::{Cancel, TransportError};
use crate::workspace::{Action, Effect, Persona};

/// How long a host may take to merge after it was asked to.
const MERGING: Duration = Duration::from_secs(120);

/// Vote for a pull request
#[derive(Debug, Args)]
pub struct ApproveArgs {
    /// Its number
    #[arg(value_name = "PULL_REQUEST")]
    id: i64,

    /// Vote against it instead
    #[arg(long)]
    reject: bool,
}

/// Complete a pull request: merge it
#[derive(Debug, Args)]
pub struct CompleteArgs {
    /// Its number
    #[arg(value_name = "PULL_REQUEST")]
    id: i64,

    /// How to merge; left out: as the host's policies say
    #[arg(long, value_enum)]
    strategy: Option<Strategy>,

    /// Delete the source branch afterwards
    #[arg(long)]
    delete_source: bool,

    /// Complete it by itself as soon as its policies allow
    #[arg(long)]
    when_ready: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Strategy {
    Merge,
    Squash,
    Rebase,
    RebaseMerge,
}

/// Runs `alm pr approve`.
pub fn approve(
    arguments: &ApproveArgs,
    opened: &OpenHost,
    persona: &Persona,
    output: Output,
) -> Result<(), Failure> {
    let one = opened.host.pull_request(arguments.id)?;
    let effect = Effect::on_repository(Action::ApprovePullRequest, &opened.repository);
    persona.may(&effect.branch(&one.target))?;
    open(&one)?;
    let vote = if arguments.reject {
        Vote::Reject
    } else {
        Vote::Approve
    };
    opened.host.vote(one.id, vote)?;
    output.object(&json!({ "event": "voted", "pull_request": one.id, "vote": vote }));
    let word = if arguments.reject {
        "Rejected"
    } else {
        "Approved"
    };
    output.line(format!("{word} pull request {}: {}", one.id, one.title));
    Ok(())
}

/// Runs `alm pr complete`.
pub fn complete(
    arguments: &CompleteArgs,
    opened: &OpenHost,
    persona: &Persona,
    output: Output,
    cancel: &Cancel,
) -> Result<(), Failure> {
    let host = opened.host.as_ref();
    let one = host.pull_request(arguments.id)?;
    let effect = Effect::on_repository(Action::CompletePullRequest, &opened.repository);
    persona.may(&effect.branch(&one.target))?;
    open(&one)?;
    let config = persona.workspace().config();
    opened.objects.check_validated(config, &one)?;
    let how = Completion {
        strategy: arguments.strategy.map(|strategy| match strategy {
            Strategy::Merge => MergeStrategy::Merge,
            Strategy::Squash => MergeStrategy::Squash,
            Strategy::Rebase => MergeStrategy::Rebase,
            Strategy::RebaseMerge => MergeStrategy::RebaseMerge,
        }),
        delete_source: arguments.delete_source,
        ..Completion::default()
    };
    if arguments.when_ready {
        host.complete_when_ready(one.id, &how)?;
        output.object(&json!({ "event": "completing", "pull_request": one.id }));
        output.line(format!(
            "Pull request {} completes as soon as its policies allow",
            one.id
        ));
        return Ok(());
    }
    let waiting: Vec<String> = host
        .checks(one.id)?
        .into_iter()
        .filter(|check| check.blocking)
        .filter(|check| {
            !matches!(
                check.state,
                CheckState::Approved | CheckState::NotApplicable
            )
        })
        .map(|check| check.title)
        .collect();
    if !waiting.is_empty() {
        let message = format!(
            "pull request {} still waits for {}",
            one.id,
            waiting.join(", ")
        );
        return Err(Failure::usage("ALM-C006", message)
            .exit(Exit::Waiting)
            .hint("`--when-ready` completes it by itself; `alm pr show` says more"));
    }
    host.complete(&one, &how)?;
    let merged = merged(opened, one.id, cancel)?;
    output.object(&json!({
        "event": "completed",
        "pull_request": merged.id,
        "commit": merged.merge_commit,
    }));
    let commit = merged.merge_commit.as_deref().unwrap_or_default();
    let short = commit.get(..8).unwrap_or(commit);
    output.line(format!(
        "Completed pull request {}: {} is now in {}",
        merged.id, short, merged.target
    ));
    Ok(())
}

/// Waits until the host has merged, which it does after its answer.
fn merged(opened: &OpenHost, id: i64, cancel: &Cancel) -> Result<PullRequest, Failure> {
    let until = Instant::now() + MERGING;
    let mut pause = Duration::from_millis(20);
    loop {
        let one = opened.host.pull_request(id)?;
        match one.state {
            PullRequestState::Completed => return Ok(one),
            PullRequestState::Active if Instant::now() < until => {}
            PullRequestState::Active | PullRequestState::Abandoned => {
                let message = format!("pull request {id} was not merged: {}", one.merge_status);
                return Err(Failure::usage("ALM-C007", message).exit(Exit::Failed));
            }
        }
        cancel.wait(pause).map_err(TransportError::from)?;
        pause = (pause * 2).min(Duration::from_secs(2));
    }
}

/// Makes sure that the pull request is open.
fn open(one: &PullRequest) -> Result<(), Failure> {
    let state = match one.state {
        PullRequestState::Active => return Ok(()),
        PullRequestState::Completed => "completed",
        PullRequestState::Abandoned => "abandoned",
    };
    let message = format!("pull request {} is {state} already", one.id);
    Err(Failure::usage("ALM-C007", message).exit(Exit::Failed))
}
