//! The agent: takes queued builds of the git host and runs the script that each of them names.
//!
//! A pipeline made by `alm` carries the variable `AlmScript`; the others say for which solution and
//! environment. Builds for different environments run side by side, those for one environment run
//! one after another, in the order in which they were queued: Dataverse refuses two imports at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::{Event, Finished, Host, Observer, Outcome, RunError};
use crate::branch::{self, Build, BuildChange, BuildFilter, BuildState, GitHost};
use crate::script::Record;
use crate::transport::Cancel;

/// The variable of a pipeline that names the script.
const SCRIPT: &str = "AlmScript";
/// The variable of a pipeline that names the environment.
const ENVIRONMENT: &str = "EnvironmentName";

/// A repository whose builds an agent takes.
#[derive(Clone)]
pub struct Hosted {
    /// Its name in the workspace.
    pub name: String,
    /// Its host.
    pub host: Arc<dyn GitHost>,
}

/// Takes builds and runs them.
pub struct Agent<'h> {
    host: &'h Host,
    repositories: Vec<Hosted>,
    cancel: Cancel,
    at_once: usize,
}

/// A build that an agent carried out.
#[derive(Debug, Clone)]
pub struct Done {
    /// The build.
    pub build: Build,
    /// The repository that it belongs to, by its name in the workspace.
    pub repository: String,
    /// The run, when one was started.
    pub finished: Option<Finished>,
    /// Why no run was started, or why its end could not be reported.
    pub trouble: Option<String>,
}

/// What an agent tells while it works.
pub trait Watcher: Send + Sync {
    /// A build was taken and is about to run `script`. Returns who watches the run.
    fn taken(&self, build: &Build, script: &str) -> Option<Arc<dyn Observer>>;
    /// A build is over.
    fn done(&self, done: &Done);
}

/// One build with what its pipeline says.
struct Job {
    repository: Hosted,
    build: Build,
    script: String,
    variables: BTreeMap<String, String>,
}

impl<'h> Agent<'h> {
    /// An agent for all `repositories`, which runs at most `at_once` builds side by side.
    pub fn new(host: &'h Host, repositories: Vec<Hosted>, cancel: Cancel, at_once: usize) -> Self {
        Self {
            host,
            repositories,
            cancel,
            at_once: at_once.max(1),
        }
    }

    /// Runs everything that is queued, and what that queues in turn, and returns when nothing is
    /// left. Builds that wait for an approval are left alone.
    ///
    /// # Errors
    /// When a host cannot be asked. Being cancelled ends it early, and is no error.
    pub fn drain(&self, watcher: &dyn Watcher) -> Result<Vec<Done>, RunError> {
        let mut all = Vec::new();
        while self.cancel.check().is_ok() {
            let jobs = self.queued()?;
            if jobs.is_empty() {
                break;
            }
            all.extend(self.carry_out(jobs, watcher));
        }
        Ok(all)
    }

    /// Works until it is cancelled, looking for builds every `pause`.
    ///
    /// # Errors
    /// When a host cannot be asked. Being cancelled is how it ends, and no error.
    pub fn work(&self, pause: Duration, watcher: &dyn Watcher) -> Result<(), RunError> {
        while self.cancel.check().is_ok() {
            self.drain(watcher)?;
            if self.cancel.wait(pause).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// The builds that are queued for scripts of ours, oldest first.
    fn queued(&self) -> Result<Vec<Job>, RunError> {
        let mut jobs = Vec::new();
        for repository in &self.repositories {
            let host = &repository.host;
            let filter = BuildFilter {
                state: Some(BuildState::Queued),
                ..BuildFilter::default()
            };
            let builds = host.builds(&filter)?;
            if builds.is_empty() {
                continue;
            }
            let definitions = host.definitions(None)?;
            for build in builds {
                let Some(definition) = definitions.iter().find(|it| it.id == build.definition)
                else {
                    continue;
                };
                let mut variables = definition.variables.clone();
                variables.extend(build.variables.clone());
                let Some(script) = variables.get(SCRIPT).cloned() else {
                    continue;
                };
                let repository = repository.clone();
                jobs.push(Job {
                    repository,
                    build,
                    script,
                    variables,
                });
            }
        }
        jobs.sort_by_key(|job| job.build.id);
        Ok(jobs)
    }

    /// Runs `jobs`: each environment's in their order, several environments at once.
    fn carry_out(&self, jobs: Vec<Job>, watcher: &dyn Watcher) -> Vec<Done> {
        let mut lanes: BTreeMap<String, Vec<Job>> = BTreeMap::new();
        for job in jobs {
            let lane = job.variables.get(ENVIRONMENT).cloned().unwrap_or_default();
            lanes.entry(lane).or_default().push(job);
        }
        let waiting = Mutex::new(lanes.into_values().collect::<Vec<_>>());
        let done = Mutex::new(Vec::new());
        let take = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
        std::thread::scope(|scope| {
            for _ in 0..self.at_once {
                scope.spawn(|| {
                    while let Some(lane) = take() {
                        for job in lane {
                            if self.cancel.check().is_err() {
                                return;
                            }
                            if let Some(one) = self.carry_out_one(&job, watcher) {
                                watcher.done(&one);
                                done.lock()
                                    .unwrap_or_else(PoisonError::into_inner)
                                    .push(one);
                            }
                        }
                    }
                });
            }
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|one| one.build.id);
        done
    }

    /// Takes one build and runs it; `None` when another agent was faster.
    fn carry_out_one(&self, job: &Job, watcher: &dyn Watcher) -> Option<Done> {
        let host = &job.repository.host;
        let mut done = Done {
            build: job.build.clone(),
            repository: job.repository.name.clone(),
            finished: None,
            trouble: None,
        };
        match host.change_build(job.build.id, BuildChange::Start) {
            Ok(build) => done.build = build,
            Err(branch::BranchError::Changed { .. }) => return None,
            Err(error) => {
                done.trouble = Some(error.to_string());
                return Some(done);
            }
        }
        let outcome = match self.run(job, watcher) {
            Ok(finished) => {
                let outcome = match finished.outcome {
                    Outcome::Succeeded => branch::Outcome::Succeeded,
                    Outcome::Cancelled => branch::Outcome::Canceled,
                    _ => branch::Outcome::Failed,
                };
                let log = log_of(&finished);
                if let Err(error) = host.write_log(&done.build, &log) {
                    done.trouble = Some(format!("the log could not be written: {error}"));
                }
                done.finished = Some(finished);
                outcome
            }
            Err(error) => {
                done.trouble = Some(error.to_string());
                branch::Outcome::Failed
            }
        };
        match host.change_build(job.build.id, BuildChange::Finish(outcome)) {
            Ok(build) => done.build = build,
            Err(error) => done.trouble = Some(format!("its end could not be reported: {error}")),
        }
        Some(done)
    }

    fn run(&self, job: &Job, watcher: &dyn Watcher) -> Result<Finished, RunError> {
        let build = &job.build;
        let about = Record {
            build: Some(build.id),
            pull_request: build.pull_request,
            ..Record::default()
        };
        let mut start = self
            .host
            .run(job.script.as_str())
            .cancel(self.cancel.clone())
            .about(about)
            .who(build.requested_for_user.clone());
        if let Some(observer) = watcher.taken(build, &job.script) {
            start = start.observe(Heard(observer));
        }
        for (name, value) in self.parameters(job)? {
            start = start.parameter(name, value);
        }
        start.go()
    }

    /// The parameters that the script declares and the build knows.
    fn parameters(&self, job: &Job) -> Result<Vec<(String, Value)>, RunError> {
        let declared = self.host.library().script(&job.script)?.declaration()?;
        let build = &job.build;
        let variable = |name: &str| {
            job.variables
                .get(name)
                .map(|text| Value::from(text.as_str()))
        };
        let upgrade = match job
            .variables
            .get("TriggerSolutionUpgrade")
            .map(String::as_str)
        {
            Some("true") => Some(Value::from("yes")),
            Some("false") => Some(Value::from("no")),
            _ => None,
        };
        let known = [
            ("solution", variable("Solution")),
            (
                "stage",
                variable("AlmStage").or_else(|| variable(ENVIRONMENT)),
            ),
            ("profile", variable("AlmProfile")),
            ("upgrade", upgrade),
            (
                "branch",
                Some(build.branch.trim_start_matches("refs/heads/").into()),
            ),
            ("commit", Some(build.commit.as_str().into())),
            ("pull_request", build.pull_request.map(Value::from)),
            ("build", Some(build.id.into())),
        ];
        let declares = |name: &str| declared.parameters.iter().any(|it| it.name == name);
        Ok(known
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .filter(|(name, _)| declares(name))
            .map(|(name, value)| (name.to_owned(), value))
            .collect())
    }
}

/// Lets a shared observer hear a run.
struct Heard(Arc<dyn Observer>);

impl Observer for Heard {
    fn observe(&self, event: &Event) {
        self.0.observe(event);
    }
}

/// What a build's log says of its run.
fn log_of(finished: &Finished) -> String {
    let mut log = format!("run {} {}\n", finished.run, finished.outcome.word());
    if let Some(failure) = &finished.failure {
        log.push_str(&failure.to_string());
        log.push('\n');
    }
    log
}
