//! A run as it happens: bars on a terminal, lines elsewhere, JSON lines for programs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::Output;
use crate::run::{Event, Finished, Outcome, RunRecord, StepOutcome};

/// Shows one run.
#[derive(Clone)]
pub struct RunView(Arc<Inner>);

struct Inner {
    output: Output,
    /// The line at the bottom of a terminal, while a step is open.
    bar: Mutex<Option<ProgressBar>>,
}

/// Steps that take less are not worth a line about how long they took.
const NOTEWORTHY: f64 = 1.0;

impl RunView {
    /// A view that writes to `output`.
    pub fn new(output: Output) -> Self {
        Self(Arc::new(Inner {
            output,
            bar: Mutex::default(),
        }))
    }

    /// The ears of this view.
    pub fn observer(&self) -> impl Fn(&Event) + Send + Sync + 'static {
        let view = self.clone();
        move |event| view.show(event)
    }

    /// Says that an earlier run was found whose process is gone.
    pub fn found_interrupted(&self, run: &RunRecord) {
        let output = self.0.output;
        output.object(&json!({ "event": "run_interrupted", "run": run.id, "script": run.script }));
        output.note(format!(
            "{}: run {} of `{}` was interrupted; `alm show {}` says where, `alm run --resume {}` goes on",
            output.paint("1;33", "note"),
            run.id,
            run.script,
            run.id,
            run.id
        ));
    }

    fn show(&self, event: &Event) {
        let output = self.0.output;
        if output.json() {
            // An event is plain data, so it has a JSON form.
            output.object(&serde_json::to_value(event).unwrap_or(Value::Null));
            return;
        }
        match event {
            Event::RunStarted {
                run,
                script,
                who,
                resumed,
                ..
            } => {
                let word = if *resumed { "goes on" } else { "starts" };
                self.line(&output.paint("2", &format!("run {run} of `{script}` {word}, by {who}")));
            }
            Event::StepStarted { name, depth, .. } => self.begin(name, *depth),
            Event::StepFinished {
                name,
                depth,
                outcome,
                seconds,
                error,
                ..
            } => {
                self.finish(name, *depth, *outcome, *seconds, error.as_deref());
            }
            Event::Progress {
                done, total, text, ..
            } => self.progress(*done, *total, text),
            Event::Notice { text, .. } => {
                self.line(&format!("{} {text}", output.paint("1;36", "note:")));
            }
            Event::Warning { text, .. } => {
                self.line(&format!("{} {text}", output.paint("1;33", "warning:")));
            }
            Event::Log { text, .. } => self.line(text),
            Event::RunInterrupted { .. } | Event::RunFinished { .. } => {}
        }
    }

    fn begin(&self, name: &str, depth: i64) {
        if !self.0.output.terminal() {
            return self.line(&format!("{}- {name}", indent(depth)));
        }
        let mut bar = self.bar();
        if let Some(outer) = bar.take() {
            outer.finish_and_clear();
        }
        let made = ProgressBar::new_spinner().with_message(name.to_owned());
        made.set_style(style("{spinner:.cyan} {msg} {elapsed:.dim}"));
        made.enable_steady_tick(Duration::from_millis(100));
        *bar = Some(made);
    }

    fn finish(
        &self,
        name: &str,
        depth: i64,
        outcome: StepOutcome,
        seconds: f64,
        error: Option<&str>,
    ) {
        let output = self.0.output;
        if let Some(bar) = self.bar().take() {
            bar.finish_and_clear();
        }
        let indent = indent(depth);
        let took = took(seconds);
        if output.terminal() {
            let (style, mark) = match outcome {
                StepOutcome::Finished => ("32", "✓"),
                StepOutcome::Replayed => ("2", "↷"),
                StepOutcome::Failed => ("31", "✗"),
                StepOutcome::Left => ("33", "…"),
            };
            let mark = output.paint(style, mark);
            let after = match outcome {
                StepOutcome::Replayed => "kept from before".into(),
                _ if seconds >= NOTEWORTHY => took,
                _ => String::new(),
            };
            return self
                .line(format!("{indent}{mark} {name} {}", output.paint("2", &after)).trim_end());
        }
        match outcome {
            StepOutcome::Finished if seconds < NOTEWORTHY => {}
            StepOutcome::Finished => self.line(&format!("{indent}  {name}: done in {took}")),
            StepOutcome::Replayed => self.line(&format!("{indent}  {name}: kept from before")),
            StepOutcome::Left => self.line(&format!("{indent}  {name}: left unfinished")),
            StepOutcome::Failed => {
                let why = error.map_or(String::new(), |error| format!(": {error}"));
                self.line(&format!("{indent}  {name}: failed{why}"));
            }
        }
    }

    fn progress(&self, done: f64, total: f64, text: &str) {
        let bar = self.bar();
        let Some(bar) = bar.as_ref() else { return };
        if total > 0.0 {
            bar.set_style(style(
                "{spinner:.cyan} {msg} {bar:24.cyan/dim} {elapsed:.dim}",
            ));
            // A bar counts whole units; shares of a unit would be lost.
            bar.set_length(1000);
            bar.set_position((done / total * 1000.0).clamp(0.0, 1000.0) as u64);
        }
        if !text.is_empty() {
            bar.set_message(text.to_owned());
        }
    }

    /// Says how the run ended.
    pub fn end(&self, finished: &Finished) {
        if let Some(bar) = self.bar().take() {
            bar.finish_and_clear();
        }
        let output = self.0.output;
        if output.json() {
            return;
        }
        let run = finished.run;
        if let Some(failure) = &finished.failure {
            output.note(failure.render(output.colours()));
        }
        match finished.outcome {
            Outcome::Succeeded => {
                if let Some(text) = words(&finished.value) {
                    output.line(text);
                }
                output.note(output.paint("32", &format!("run {run} succeeded")));
            }
            Outcome::Waiting => {
                let what = finished
                    .waiting
                    .as_ref()
                    .map_or("somebody", |wait| wait.reason.as_str());
                let style = "33";
                output.note(output.paint(style, &format!("run {run} waits for {what}")));
                output.note(format!(
                    "`alm show {run}` says more, `alm approve {run}` lets it go on"
                ));
            }
            outcome => {
                output.note(output.paint("31", &format!("run {run} {outcome}")));
                let failed_in_step = finished
                    .failure
                    .as_ref()
                    .map(|failure| failure.step.is_some());
                if failed_in_step == Some(false) {
                    return output.note(format!("`alm show {run}` says more"));
                }
                output.note(format!(
                    "`alm show {run}` shows its steps, `alm run --resume {run}` goes on after the last \
                     finished one"
                ));
            }
        }
    }

    /// A line of progress, above the bar if there is one.
    fn line(&self, text: &str) {
        match self.bar().as_ref() {
            Some(bar) => bar.suspend(|| self.0.output.note(text)),
            None => self.0.output.note(text),
        }
    }

    fn bar(&self) -> std::sync::MutexGuard<'_, Option<ProgressBar>> {
        self.0.bar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates of this file are right")
}

fn indent(depth: i64) -> String {
    "  ".repeat(usize::try_from(depth).unwrap_or_default())
}

/// A length of time for people.
pub fn took(seconds: f64) -> String {
    match seconds {
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

/// What a script returned, for people; nothing for nothing.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Object(fields) => {
            let plain = |value: &Value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let lines = fields.iter().filter(|(_, value)| !value.is_null());
            Some(
                lines
                    .map(|(key, value)| format!("{key}: {}", plain(value)))
                    .collect::<Vec<_>>()
                    .join("\n"),
            )
        }
        other => Some(other.to_string()),
    }
}
