//! `alm agent`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use serde_json::json;

use super::exit::Exit;
use super::failure::Failure;
use super::interrupt::on_interrupt;
use super::options::Options;
use super::render::{Output, RunView};
use crate::branch::{Build, Repository};
use crate::run::{Agent, Done, Host, Observer, Watcher};
use crate::workspace::Connections;
use crate::workspace::config::TimeSpan;

/// Take queued builds of the git host and run the scripts that they are for
///
/// A pipeline that `alm` made names a solution and a stage; a pull request, a merge or an approval
/// queues a build of it. What it may do is decided by the profile in alm.toml: its script, its
/// branch, and for a stage that needs one the approval that the host has on record. A build that
/// does not fit fails, and nothing is run. Builds for one environment run one after another.
///
/// A build may do what its stage needs and no more. `--as`, or `[agent]` of alm.toml, names a
/// persona to run builds as instead; those that it may not run stay queued.
#[derive(Debug, Args)]
pub struct AgentArgs {
    /// Run what is queued now, and what that queues, then end
    #[arg(long)]
    once: bool,

    /// How many builds for different environments run side by side
    #[arg(long, value_name = "NUMBER")]
    parallel: Option<usize>,

    /// How often to look for builds
    #[arg(long, value_name = "TIME")]
    every: Option<TimeSpan>,
}

/// Runs `alm agent`.
pub fn run(arguments: &AgentArgs, options: &Options, output: Output) -> Result<(), Failure> {
    let workspace = options.open()?;
    let settings = workspace.config().agent.clone();
    let named = options.persona.as_deref().or(settings.persona.as_deref());
    let persona = named
        .map(|name| workspace.persona(Some(name), options.identity.as_deref()))
        .transpose()?;
    let cancel = on_interrupt();
    let connections = Arc::new(Connections::of(&workspace, &cancel));
    // As whom the agent speaks to the git host; what builds do there is their own persona's affair.
    let speaker = persona.clone().unwrap_or_else(|| workspace.unrestricted());
    let mut repositories = Vec::new();
    for name in workspace.config().repositories.names() {
        repositories.push(Repository::connect(&connections, &speaker, name)?);
    }
    let host = Host::of(workspace)?;
    let agent = Agent::new(
        &host,
        repositories,
        persona,
        cancel,
        arguments.parallel.unwrap_or(settings.parallel),
    );
    let telling = Telling {
        output,
        left: AtomicBool::new(false),
    };
    if arguments.once {
        let done = agent.drain(&telling)?;
        return ended(&done, &telling);
    }
    output.note("Waiting for builds; Ctrl-C ends it.");
    Ok(agent.work(arguments.every.unwrap_or(settings.every).0, &telling)?)
}

/// What `--once` ends with: a failure when one of the builds was one.
fn ended(done: &[Done], telling: &Telling) -> Result<(), Failure> {
    if done.is_empty() {
        if !telling.left.load(Ordering::Relaxed) {
            telling.output.line("No build is queued.");
        }
        return Ok(());
    }
    let good = |one: &Done| one.build.result.as_deref() == Some("succeeded");
    if done.iter().all(good) {
        Ok(())
    } else {
        Err(Failure::already_shown(Exit::Failed))
    }
}

struct Telling {
    output: Output,
    /// Whether a build was left in the queue.
    left: AtomicBool,
}

impl Watcher for Telling {
    fn taken(&self, build: &Build, script: &str) -> Option<Arc<dyn Observer>> {
        if self.output.json() {
            let line = json!({ "event": "build_taken", "build": build.id,
                "definition": build.definition_name, "reason": build.reason, "script": script });
            self.output.object(&line);
        } else {
            let reason = &build.reason;
            self.output.line(format!(
                "build {} of {} ({reason}) runs `{script}`",
                build.id, build.definition_name
            ));
        }
        Some(Arc::new(RunView::new(self.output).observer()))
    }

    fn done(&self, done: &Done) {
        if let Some(finished) = &done.finished {
            RunView::new(self.output).end(finished);
        }
        let result = done.build.result.as_deref().unwrap_or("unknown");
        if self.output.json() {
            let line = json!({ "event": "build_finished", "build": done.build.id,
                "result": result, "run": done.finished.as_ref().map(|it| it.run.0),
                "trouble": done.trouble });
            self.output.object(&line);
            return;
        }
        self.output
            .line(format!("build {} {result}", done.build.id));
        if let Some(trouble) = &done.trouble {
            self.output.note(trouble);
        }
    }

    fn left(&self, build: &Build, reason: &str) {
        self.left.store(true, Ordering::Relaxed);
        if self.output.json() {
            let line = json!({ "event": "build_left", "build": build.id,
                "definition": build.definition_name, "reason": reason });
            self.output.object(&line);
            return;
        }
        self.output.line(format!(
            "build {} of {} stays queued: {reason}",
            build.id, build.definition_name
        ));
    }
}
