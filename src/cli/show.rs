//! `alm show`.

use clap::Args;
use serde_json::{Value, json};

use super::failure::Failure;
use super::options::Options;
use super::render::{Output, moment, took};
use crate::run::{Event, History, Outcome, RunId};

/// Show a run: its parameters, its steps and how it ended
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The run's number, as `alm history` shows it
    run: RunId,
}

/// Runs `alm show`.
pub fn run(arguments: &ShowArgs, options: &Options, output: Output) -> Result<(), Failure> {
    let workspace = options.open()?;
    let history = History::open(&workspace.state())?;
    history.recover()?;
    let run = history.run(arguments.run)?;
    let steps = history.steps(arguments.run)?;
    if output.json() {
        let mut object = json!(run);
        object["steps"] = json!(steps);
        output.object(&object);
        return Ok(());
    }
    let outcome = run.outcome.map_or("is running", Outcome::word);
    output.line(format!(
        "run {} of `{}` ({}) {outcome}",
        run.id, run.script, run.label
    ));
    let persona = run
        .persona
        .map_or(String::new(), |persona| format!(" as {persona}"));
    output.line(format!(
        "started {} by {}{persona}",
        moment(run.started),
        run.who
    ));
    if let Some(finished) = run.finished {
        let seconds = finished.duration_since(run.started).as_secs_f64();
        output.line(format!(
            "ended   {}, after {}",
            moment(finished),
            took(seconds)
        ));
    }
    if run.attempts > 1 {
        output.line(format!("attempts: {}", run.attempts));
    }
    for (title, value) in [
        ("parameters", json!(run.parameters)),
        ("about", json!(run.about)),
    ] {
        let fields = value.as_object().into_iter().flatten();
        let mut fields = fields.filter(|(_, value)| !value.is_null()).peekable();
        if fields.peek().is_some() {
            output.line(format!("\n{title}:"));
        }
        for (name, value) in fields {
            output.line(format!("  {name} = {}", plain(value)));
        }
    }
    if !steps.is_empty() {
        output.line("\nsteps:");
    }
    for step in &steps {
        let indent = "  ".repeat(usize::try_from(step.depth).unwrap_or_default() + 1);
        let after = match (step.finished, &step.error) {
            (_, Some(error)) => format!("failed: {error}"),
            (Some(finished), None) => took(finished.duration_since(step.started).as_secs_f64()),
            (None, None) => "not finished".to_owned(),
        };
        output.line(format!("{indent}{}: {after}", step.name));
    }
    let said: Vec<String> = history
        .events(arguments.run)?
        .into_iter()
        .filter_map(|(_, event)| match event {
            Event::Notice { text, .. } => Some(format!("note: {text}")),
            Event::Warning { text, .. } => Some(format!("warning: {text}")),
            Event::Log { text, .. } => Some(text),
            _ => None,
        })
        .collect();
    if !said.is_empty() {
        output.line("\nsaid:");
        said.iter()
            .for_each(|text| output.line(format!("  {text}")));
    }
    if !run.answers.is_empty() {
        output.line("\nanswers:");
    }
    for answer in &run.answers {
        output.line(format!("  {}, {answer}", moment(answer.at)));
    }
    if let Some(wait) = &run.waiting {
        output.line(format!(
            "\nwaits for {}: {}",
            wait.reason,
            plain(&wait.reference)
        ));
        if !wait.approvers.is_empty() {
            output.line(format!("from: {}", wait.approvers.join(", ")));
        }
        if let Some(next) = &wait.next {
            output.line(format!("then: {next}"));
        }
        output.line(format!("`alm approve {}` lets it go on", run.id));
    }
    if !run.value.is_null() {
        output.line(format!("\nresult: {}", plain(&run.value)));
    }
    if let Some(failure) = &run.failure {
        output.line(format!("\n{}", failure.render(output.colours())));
    }
    Ok(())
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
