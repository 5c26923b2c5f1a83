//! The agent: takes queued builds of the git host and runs the script that each of them is for.
//!
//! A pipeline made by `alm` carries the variable `AlmScript`; the others say for which solution and
//! stage. What a build may do is decided by the profile ([`mandate`]), and each runs as a persona that
//! may do no more than its stage needs, unless `alm.toml` names another. Builds for different
//! environments run side by side, those for one environment run one after another, in the order in
//! which they were queued: Dataverse refuses two imports at once.

mod mandate;
mod name;
mod only_one;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::{Event, Finished, Host, Observer, Outcome, RunError, RunRecord};
use crate::branch::pipelines::variable;
use crate::branch::{self, Build, BuildChange, BuildFilter, BuildState, Definition, Repository};
use crate::problem::Problem;
use crate::script::Record;
use crate::transport::Cancel;
use crate::workspace::audit::AuditEvent;
use crate::workspace::{Action, Effect, Persona};
use mandate::{Mandate, NoMandate};
use name::{AgentName, Owner};
use only_one::OnlyOne;

/// Takes builds and runs them.
pub struct Agent<'h> {
    host: &'h Host,
    repositories: Vec<Repository>,
    persona: Option<Persona>,
    cancel: Cancel,
    at_once: usize,
    name: AgentName,
    /// The builds that this agent may not run and has said so.
    left: Mutex<BTreeSet<i64>>,
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
    /// A build stays queued, because this agent's persona may not run it. Told once for each.
    fn left(&self, build: &Build, reason: &str);
}

/// One build and its pipeline.
struct Job {
    repository: Repository,
    build: Build,
    definition: Definition,
    /// Whether an agent that is gone has left it running.
    left: bool,
}

impl Job {
    /// What the pipeline calls `name`; a claim, which [`mandate`] holds against the profile.
    fn claim(&self, name: &str) -> &str {
        let value = self.definition.variables.get(name);
        value.map(String::as_str).unwrap_or_default()
    }
}

impl<'h> Agent<'h> {
    /// An agent for all `repositories`, which runs at most `at_once` builds side by side, as
    /// `persona`. Without one, each build may do what its own stage needs: look around, and import
    /// managed solutions into the stage's environment, configure them and write their data.
    pub fn new(
        host: &'h Host,
        repositories: Vec<Repository>,
        persona: Option<Persona>,
        cancel: Cancel,
        at_once: usize,
    ) -> Self {
        Self {
            host,
            repositories,
            persona,
            cancel,
            at_once: at_once.max(1),
            name: AgentName::of(host),
            left: Mutex::default(),
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
            let mut jobs = self.queued()?;
            jobs.retain(|job| self.may_run(job, watcher));
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

    /// The builds that are queued for scripts of ours, and those that an agent of this workspace has
    /// left running, oldest first.
    fn queued(&self) -> Result<Vec<Job>, RunError> {
        let mut jobs = Vec::new();
        // The runs of agents that are gone can go on only when that is known of them.
        self.host.history.recover()?;
        for repository in &self.repositories {
            let host = repository.host();
            let in_state = |state| {
                host.builds(&BuildFilter {
                    state: Some(state),
                    ..BuildFilter::default()
                })
            };
            let mut builds = in_state(BuildState::Queued)?;
            let running = in_state(BuildState::Running)?.into_iter();
            builds.extend(running.filter(|build| self.is_left(build)));
            if builds.is_empty() {
                continue;
            }
            let definitions = host.definitions(None)?;
            for build in builds {
                let its_own = definitions.iter().find(|it| it.id == build.definition);
                // Whoever queues a build cannot make it one of ours: the pipeline says that.
                let Some(definition) =
                    its_own.filter(|it| it.variables.contains_key(variable::SCRIPT))
                else {
                    continue;
                };
                jobs.push(Job {
                    repository: repository.clone(),
                    definition: definition.clone(),
                    left: build.state == BuildState::Running,
                    build,
                });
            }
        }
        jobs.sort_by_key(|job| job.build.id);
        Ok(jobs)
    }

    /// Whether an agent of this workspace has taken the build and is gone.
    fn is_left(&self, build: &Build) -> bool {
        self.name.owner(self.host, build.agent.as_deref()) == Owner::Dead
    }

    /// Takes a build; `None` when another agent was faster.
    fn take(&self, job: &Job) -> Result<Option<Build>, branch::BranchError> {
        let host = job.repository.host();
        let agent = self.name.text();
        match host.change_build(job.build.id, BuildChange::Start { agent }) {
            Ok(build) => Ok(Some(build)),
            Err(branch::BranchError::Changed { .. }) => {
                // Perhaps it was this agent itself, and the answer was lost.
                let now = host.build(job.build.id)?;
                let mine = self.name.owner(self.host, now.agent.as_deref()) == Owner::Mine;
                Ok(Some(now).filter(|now| mine && now.state == BuildState::Running))
            }
            Err(error) => Err(error),
        }
    }

    /// Whether this agent's persona could run the build at all. One that it may not run is another
    /// agent's business and stays queued.
    fn may_run(&self, job: &Job, watcher: &dyn Watcher) -> bool {
        let script = job.claim(variable::SCRIPT);
        let environment = job.claim(variable::ENVIRONMENT);
        let persona = self.persona_for(environment);
        let reason = if !persona.sees_script(script) {
            let name = persona.name().unwrap_or_default();
            Some(format!("persona `{name}` has no script `{script}`"))
        } else {
            let import = Effect::on_environment(Action::ImportManaged, environment);
            persona
                .could(&import)
                .err()
                .map(|refusal| refusal.to_string())
        };
        let Some(reason) = reason else {
            return true;
        };
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if left.insert(job.build.id) {
            watcher.left(&job.build, &reason);
        }
        false
    }

    fn persona_for(&self, environment: &str) -> Persona {
        match &self.persona {
            Some(persona) => persona.clone(),
            None => self.host.workspace().agent_for(environment),
        }
    }

    /// Runs `jobs`: each environment's in their order, several environments at once.
    fn carry_out(&self, jobs: Vec<Job>, watcher: &dyn Watcher) -> Vec<Done> {
        let mut lanes: BTreeMap<String, Vec<Job>> = BTreeMap::new();
        for job in jobs {
            let lane = job.claim(variable::ENVIRONMENT).to_owned();
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

    /// The right to take over a build that was left, which one process has at a time.
    fn only_one(&self, job: &Job) -> Option<OnlyOne> {
        let folder = self.host.workspace().state();
        let name = format!("take-over-{}-{}.lock", job.repository.name(), job.build.id);
        let only = OnlyOne::take(folder.join("running").join(name))?;
        // Another agent may have come to its end in the meantime.
        let now = job.repository.host().build(job.build.id).ok()?;
        (now.state == BuildState::Running && self.is_left(&now)).then_some(only)
    }

    /// Takes one build and runs it; `None` when another agent was faster.
    fn carry_out_one(&self, job: &Job, watcher: &dyn Watcher) -> Option<Done> {
        let host = job.repository.host();
        let mut done = Done {
            build: job.build.clone(),
            repository: job.repository.name().to_owned(),
            finished: None,
            trouble: None,
        };
        // Two agents of a workspace may find the same build that a third has left.
        let _only = match job.left.then(|| self.only_one(job)) {
            Some(None) => return None,
            only => only,
        };
        if !job.left {
            match self.take(job) {
                Ok(Some(build)) => done.build = build,
                Ok(None) => return None,
                Err(error) => {
                    done.trouble = Some(error.to_string());
                    return Some(done);
                }
            }
        }
        let (outcome, log) = match self.run(job, watcher) {
            Ok(finished) => {
                let outcome = match finished.outcome {
                    Outcome::Succeeded => branch::Outcome::Succeeded,
                    Outcome::Cancelled => branch::Outcome::Canceled,
                    _ => branch::Outcome::Failed,
                };
                let log = log_of(&finished);
                done.finished = Some(finished);
                (outcome, log)
            }
            Err(trouble) => {
                let log = format!("not run: {trouble}\n");
                done.trouble = Some(trouble);
                (branch::Outcome::Failed, log)
            }
        };
        if let Err(error) = host.write_log(&done.build, &log) {
            done.trouble = Some(format!("the log could not be written: {error}"));
        }
        match host.change_build(job.build.id, BuildChange::Finish(outcome)) {
            Ok(build) => done.build = build,
            Err(error) => done.trouble = Some(format!("its end could not be reported: {error}")),
        }
        Some(done)
    }

    /// Runs what the build may do; otherwise says why it may not, or why nothing was started.
    fn run(&self, job: &Job, watcher: &dyn Watcher) -> Result<Finished, String> {
        let build = &job.build;
        let config = self.host.workspace().config();
        let mandate = mandate::of(config, &job.repository, &job.definition, build);
        let mandate = mandate.map_err(|refused| {
            let reason = refusal_of(&refused);
            let told = self.persona_for(job.claim(variable::ENVIRONMENT)).audit(
                &AuditEvent::BuildRefused {
                    build: build.id,
                    pipeline: job.definition.name.clone(),
                    requester: build.requested_for_user.clone(),
                    reason: reason.clone(),
                },
            );
            match told {
                Ok(()) => reason,
                Err(error) => format!("{reason}; {error}"),
            }
        })?;
        let about = Record {
            build: Some(build.id),
            pull_request: build.pull_request,
            ..Record::default()
        };
        let earlier = self.host.history.run_of_build(build.id);
        let earlier = earlier.map_err(|error| error.to_string())?;
        if let Some(ended) = earlier.as_ref().filter(|_| job.left).and_then(ended) {
            return Ok(ended);
        }
        let (mut start, parameters) = match earlier.filter(|_| job.left) {
            Some(begun) => (self.host.resume(begun.id), Vec::new()),
            None => {
                let parameters = self.parameters(&mandate, build);
                let parameters = parameters.map_err(|error| error.to_string())?;
                (self.host.run(mandate.script), parameters)
            }
        };
        start = start
            .act_as(self.persona_for(&mandate.environment))
            .cancel(self.cancel.clone())
            .about(about)
            .who(build.requested_for_user.clone());
        if let Some(observer) = watcher.taken(build, mandate.script) {
            start = start.observe(Heard(observer));
        }
        for (name, value) in parameters {
            start = start.parameter(name, value);
        }
        start.go().map_err(|error| error.to_string())
    }

    /// The parameters that the script declares, as the profile and the build have them.
    fn parameters(
        &self,
        mandate: &Mandate,
        build: &Build,
    ) -> Result<Vec<(String, Value)>, RunError> {
        let declared = self.host.library().script(mandate.script)?.declaration()?;
        let upgrade = mandate.upgrade.map(|it| if it { "yes" } else { "no" });
        let known = [
            ("solution", Some(mandate.solution.as_str().into())),
            ("stage", Some(mandate.stage.as_str().into())),
            ("profile", Some(mandate.profile.as_str().into())),
            ("upgrade", upgrade.map(Value::from)),
            ("branch", mandate.branch.as_deref().map(Value::from)),
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

/// A run that came to its end before its agent could say so.
fn ended(run: &RunRecord) -> Option<Finished> {
    (run.outcome == Some(Outcome::Succeeded)).then(|| Finished {
        run: run.id,
        outcome: Outcome::Succeeded,
        value: run.value.clone(),
        failure: None,
        waiting: None,
        stopped: None,
        files: Vec::new(),
    })
}

/// A refusal in one line, with its code and what to do.
fn refusal_of(refused: &NoMandate) -> String {
    let hint = refused
        .hint()
        .map_or_else(String::new, |hint| format!("; {hint}"));
    format!("{}: {refused}{hint}", refused.code())
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
