//! `alm pr list` and `alm pr show`.

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::branch::{PullRequestFilter, PullRequestState};
use crate::cli::failure::Failure;
use crate::cli::git_host::OpenHost;
use crate::cli::render::{Output, Table};
use crate::workspace::functions::Function;
use crate::workspace::{Action, Effect, Persona};

/// List pull requests
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Which ones
    #[arg(long, value_enum, default_value_t)]
    state: State,

    /// Only those from this branch
    #[arg(long, value_name = "BRANCH")]
    source: Option<String>,

    /// Only those into this branch
    #[arg(long, value_name = "BRANCH")]
    target: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum State {
    #[default]
    Active,
    Completed,
    Abandoned,
    All,
}

/// Show a pull request and what its completion waits for
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Its number
    #[arg(value_name = "PULL_REQUEST")]
    id: i64,
}

/// Runs `alm pr list`.
pub fn list(
    arguments: &ListArgs,
    opened: &OpenHost,
    persona: &Persona,
    output: Output,
) -> Result<(), Failure> {
    persona.may(&Effect::on_repository(Action::Read, &opened.repository))?;
    let found = opened.host.pull_requests(&PullRequestFilter {
        state: match arguments.state {
            State::Active => Some(PullRequestState::Active),
            State::Completed => Some(PullRequestState::Completed),
            State::Abandoned => Some(PullRequestState::Abandoned),
            State::All => None,
        },
        source: arguments.source.clone(),
        target: arguments.target.clone(),
    })?;
    let mut table = Table::new(["id", "state", "source", "target", "title", "labels", "by"]);
    for one in found {
        table.row([
            json!(one.id),
            json!(one.state),
            json!(one.source),
            json!(one.target),
            json!(one.title),
            json!(one.labels),
            json!(one.author),
        ]);
    }
    table.write(output, "There are no such pull requests.");
    Ok(())
}

/// Runs `alm pr show`.
pub fn show(
    arguments: &ShowArgs,
    opened: &OpenHost,
    persona: &Persona,
    output: Output,
) -> Result<(), Failure> {
    persona.may(&Effect::on_repository(Action::Read, &opened.repository))?;
    let host = opened.host.as_ref();
    let one = host.pull_request(arguments.id)?;
    let checks = match one.state {
        PullRequestState::Active => host.checks(one.id)?,
        PullRequestState::Completed | PullRequestState::Abandoned => Vec::new(),
    };
    let work_items = host.work_items_of(one.id)?;
    if output.json() {
        let mut object = json!(one);
        object["checks"] = json!(checks);
        object["work_items"] = json!(work_items);
        output.object(&object);
        return Ok(());
    }
    output.line(
        format!(
            "pull request {} ({}): {}",
            one.id,
            json!(one.state),
            one.title
        )
        .replace('"', ""),
    );
    output.line(format!(
        "{} -> {}, by {}",
        one.source, one.target, one.author
    ));
    if !one.labels.is_empty() {
        output.line(format!("labels: {}", one.labels.join(", ")));
    }
    if !work_items.is_empty() {
        let numbers: Vec<String> = work_items.iter().map(|id| format!("#{id}")).collect();
        output.line(format!("work items: {}", numbers.join(", ")));
    }
    output.line(format!("merge: {}", one.merge_status));
    if persona.choice(Function::DrillThrough).allowed() {
        output.line(&one.web);
    }
    if !one.description.is_empty() {
        output.line(format!("\n{}", one.description));
    }
    if !checks.is_empty() {
        output.line("");
        let mut table = Table::new(["check", "state", "blocking", "build"]);
        for check in checks {
            let build = json!(check.build);
            table.row([
                json!(check.title),
                json!(check.state),
                json!(check.blocking),
                build,
            ]);
        }
        table.write(output, "");
    }
    Ok(())
}
