//! `alm history`.

use clap::Args;
use serde_json::{Value, json};

use super::failure::Failure;
use super::options::Options;
use super::render::{Output, Table, moment, took};
use crate::run::{History, Outcome, RunFilter, RunRecord};

/// List the runs of this workspace, the newest first
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// Only runs of this script
    #[arg(long)]
    script: Option<String>,

    /// Only runs about this solution
    #[arg(long)]
    solution: Option<String>,

    /// Only runs that ended like this
    #[arg(long, value_parser = outcome)]
    outcome: Option<Outcome>,

    /// At most this many
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

/// Runs `alm history`.
pub fn run(arguments: &HistoryArgs, options: &Options, output: Output) -> Result<(), Failure> {
    let workspace = options.open()?;
    let history = History::open(&workspace.state())?;
    history.recover()?;
    let runs = history.runs(&RunFilter {
        script: arguments.script.clone(),
        solution: arguments.solution.clone(),
        outcome: arguments.outcome,
        limit: Some(arguments.limit),
    })?;
    if output.json() {
        for run in &runs {
            output.object(&json!(run));
        }
        return Ok(());
    }
    let mut table = Table::new([
        "run", "started", "script", "about", "who", "answer", "outcome", "took",
    ]);
    for run in &runs {
        table.row([
            json!(run.id),
            json!(moment(run.started)),
            json!(run.script),
            about(run),
            json!(run.who),
            run.answers
                .last()
                .map_or(Value::Null, |answer| json!(answer.to_string())),
            json!(run.outcome.map_or("running", Outcome::word)),
            duration(run),
        ]);
    }
    table.write(output, "Nothing was run here yet.");
    Ok(())
}

/// What a run was about, in a few words.
fn about(run: &RunRecord) -> Value {
    let about = &run.about;
    let parts = [
        &about.solution,
        &about.stage,
        &about.environment,
        &about.target_branch,
    ];
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    if parts.is_empty() {
        Value::Null
    } else {
        json!(parts.join(" "))
    }
}

fn duration(run: &RunRecord) -> Value {
    match run.finished {
        Some(finished) => json!(took(finished.duration_since(run.started).as_secs_f64())),
        None => Value::Null,
    }
}

fn outcome(word: &str) -> Result<Outcome, String> {
    Outcome::from_word(word).ok_or_else(|| {
        "expected one of succeeded, failed, waiting, cancelled, interrupted".to_owned()
    })
}
