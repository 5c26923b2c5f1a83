//! Pipelines, builds, approvals and work items.

use std::collections::BTreeMap;

use rhai::plugin::{ImmutableString, export_module};
use rhai::{Array, Dynamic, Map};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::HostError;
use super::super::error::{Scripted, Thrown};
use super::super::options::options;
use super::review::pace;
use super::source::Repository;
use super::{connect, data, optional, revived, word};
use crate::branch::pipelines::{StagePipeline, Starts, Wanted, ensure, is_reserved, variable};
use crate::branch::{self, BranchError, BuildChange, BuildFilter, BuildRequest, BuildState};
use crate::script::Context;
use crate::script::kept::Keep;
use crate::workspace::Action;
use crate::workspace::config::{self, BuildStart};

/// A build as scripts hold it: its state when it was last read.
#[derive(Clone)]
pub struct Build {
    pub(super) repository: Repository,
    pub(super) state: branch::Build,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ensuring {
    solution: String,
    stages: Vec<StageOptions>,
    #[serde(default)]
    branch: Option<String>,
    #[serde(default)]
    start_from: Option<String>,
    #[serde(default)]
    profile: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StageOptions {
    environment: String,
    script: String,
    #[serde(default)]
    starts: BuildStart,
    #[serde(default)]
    branch: Option<String>,
    #[serde(default)]
    approvers: Option<Vec<String>>,
    #[serde(default)]
    variables: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Gate {
    solution: String,
    branch: String,
    #[serde(default)]
    profile: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Queueing {
    branch: Option<String>,
    commit: Option<String>,
    parameters: BTreeMap<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Listing {
    status: Option<BuildState>,
    definition: Option<i64>,
    limit: Option<usize>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Waiting {
    /// Seconds.
    timeout: Option<u64>,
}

/// Pipelines, builds, approvals and work items.
#[export_module]
pub(super) mod module {
    /// A build: one run of a pipeline.
    pub type Build = super::Build;

    /// Makes the pipelines of a solution as they should be and leaves alone what already is: its
    /// branch, one pipeline `deploy-<environment>-<solution>` for each stage, the policy that
    /// validates pull requests, and approvals. Returns a map with `changed`, `changes` (a line for
    /// each) and `definitions`.
    ///
    /// Each has to be as a stage of a profile says: a pipeline that no profile knows is refused, and
    /// `alm agent` would not run its builds either.
    ///
    /// Options: `solution`; `stages`: maps with `environment`, `script` (what a build runs),
    /// `starts` (`pull-request`, `push` or `by-hand`), `branch` (whose pushes start it; left out,
    /// the stage's), `approvers` (left out, the stage's), `variables`; `branch` (left out, the
    /// profile's target branch); `start_from` (where that branch starts); `profile` (left out, the
    /// solution's).
    ///
    /// ```rhai,tenant
    /// let apps = branch::repository("apps");
    /// let stages = [
    ///     #{ environment: "validation", script: "validate", starts: "pull-request" },
    ///     #{ environment: "test", script: "release", starts: "push" },
    /// ];
    /// apps.ensure_pipelines(#{ solution: "ExampleOfPipelines", stages: stages });
    /// !apps.ensure_pipelines(#{ solution: "ExampleOfPipelines", stages: stages }).changed
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn ensure_pipelines(repository: &mut Repository, options: Map) -> Scripted<Dynamic> {
        repository.permit(Action::ManagePipelines).thrown()?;
        super::ensure_all(repository, options).thrown()
    }

    /// Whether the profile has pull requests validated that bring a solution into a branch, and the
    /// branch has no policy that does it. Options: `solution`, `branch`; `profile` (left out, the
    /// solution's).
    ///
    /// ```rhai,tenant
    /// let apps = branch::repository("apps");
    /// let question = #{ solution: "ExampleOfGates", branch: "ExampleOfGates" };
    /// let before = apps.lacks_validation(question);
    /// apps.ensure_pipelines(#{ solution: "ExampleOfGates", stages: [
    ///     #{ environment: "validation", script: "validate", starts: "pull-request" },
    /// ] });
    /// before && !apps.lacks_validation(question)
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn lacks_validation(repository: &mut Repository, options: Map) -> Scripted<bool> {
        let gate: super::Gate = super::options(options).thrown()?;
        let (solution, named) = (&gate.solution, gate.profile.as_deref());
        let (_, profile) = super::profile_of(repository, solution, named).thrown()?;
        let inner = &repository.inner;
        inner
            .lacks_validation(profile, solution, &gate.branch)
            .thrown()
    }

    /// The pipelines of the repository: maps with `id`, `name`, `folder` and `variables`.
    ///
    /// ```rhai,tenant
    /// type_of(branch::repository("apps").definitions()) == "array"
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn definitions(repository: &mut Repository) -> Scripted<Dynamic> {
        data(&repository.inner.host().definitions(None).thrown()?).thrown()
    }

    /// Queues a build of the pipeline with this name. Options: `branch`, `commit`, `parameters` (a
    /// map of variables for this build). What a pipeline of `ensure_pipelines` does cannot be set for
    /// one build; `TriggerSolutionUpgrade` can.
    ///
    /// ```rhai,tenant
    /// let apps = branch::repository("apps");
    /// apps.ensure_pipelines(#{ solution: "ExampleOfQueue", stages: [
    ///     #{ environment: "prod", script: "release" },
    /// ] });
    /// let build = apps.queue_build("deploy-prod-ExampleOfQueue", #{ branch: "ExampleOfQueue" });
    /// build.status == "waiting" && build.reason == "manual"
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn queue_build(
        repository: &mut Repository,
        definition: &str,
        options: Map,
    ) -> Scripted<Build> {
        repository.permit(Action::QueueBuild).thrown()?;
        super::queue(repository, definition, options).thrown()
    }

    /// The build with this number.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").build(12).status
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn build(repository: &mut Repository, id: i64) -> Scripted<Build> {
        let state = repository.inner.host().build(id).thrown()?;
        Ok(Build {
            repository: repository.clone(),
            state,
        })
    }

    /// Builds, newest first. Options: `status` (`queued`, `waiting`, `running`, `cancelling`,
    /// `completed`), `definition` (a number), `limit`.
    ///
    /// ```rhai,tenant
    /// branch::repository("apps").builds(#{ status: "running" }) == []
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn builds(repository: &mut Repository, options: Map) -> Scripted<Array> {
        let listing: super::Listing = super::options(options).thrown()?;
        let filter = BuildFilter {
            state: listing.status,
            definition: listing.definition,
            limit: listing.limit,
            branch: None,
        };
        let found = repository.inner.host().builds(&filter).thrown()?;
        let wrap = |state| {
            Dynamic::from(Build {
                repository: repository.clone(),
                state,
            })
        };
        Ok(found.into_iter().map(wrap).collect())
    }

    /// The number.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").build(12).id == 12
    /// ```
    #[rhai_fn(global, get = "id", pure)]
    pub fn build_id(build: &mut Build) -> i64 {
        build.state.id
    }

    /// What people call it, for example `20260120.1`.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").build(12).number
    /// ```
    #[rhai_fn(global, get = "number", pure)]
    pub fn build_number(build: &mut Build) -> ImmutableString {
        build.state.number.as_str().into()
    }

    /// `queued`, `waiting` (for an approval), `running`, `cancelling` or `completed`, when it was
    /// last read.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").build(12).status == "waiting"
    /// ```
    #[rhai_fn(global, get = "status", pure)]
    pub fn build_status(build: &mut Build) -> String {
        word(&build.state.state)
    }

    /// `succeeded`, `partiallySucceeded`, `failed` or `canceled`; `()` as long as it is not over.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").build(12).result == "succeeded"
    /// ```
    #[rhai_fn(global, get = "result", pure)]
    pub fn build_result(build: &mut Build) -> Dynamic {
        optional(build.state.result.as_deref())
    }

    /// What queued it: `manual`, `individualCI`, `pullRequest`, …
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").build(12).reason == "individualCI"
    /// ```
    #[rhai_fn(global, get = "reason", pure)]
    pub fn build_reason(build: &mut Build) -> ImmutableString {
        build.state.reason.as_str().into()
    }

    /// The reference that it is about, for example `refs/heads/main` or `refs/pull/7/merge`.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").build(12).branch == "refs/heads/main"
    /// ```
    #[rhai_fn(global, get = "branch", pure)]
    pub fn build_branch(build: &mut Build) -> ImmutableString {
        build.state.branch.as_str().into()
    }

    /// The commit that it is about.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").build(12).commit
    /// ```
    #[rhai_fn(global, get = "commit", pure)]
    pub fn build_commit(build: &mut Build) -> ImmutableString {
        build.state.commit.as_str().into()
    }

    /// The name of its pipeline.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").build(12).definition == "deploy-test-ContosoSales"
    /// ```
    #[rhai_fn(global, get = "definition", pure)]
    pub fn build_definition(build: &mut Build) -> ImmutableString {
        build.state.definition_name.as_str().into()
    }

    /// The number of the pull request that it validates, or `()`.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").build(12).pull_request == 7
    /// ```
    #[rhai_fn(global, get = "pull_request", pure)]
    pub fn build_pull_request(build: &mut Build) -> Dynamic {
        build
            .state
            .pull_request
            .map_or(Dynamic::UNIT, Dynamic::from)
    }

    /// The variables that it was queued with, as a map of texts.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").build(12).variables.TriggerSolutionUpgrade
    /// ```
    #[rhai_fn(global, get = "variables", pure, return_raw)]
    pub fn build_variables(build: &mut Build) -> Scripted<Dynamic> {
        data(&build.state.variables).thrown()
    }

    /// Its address for people.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").build(12).web
    /// ```
    #[rhai_fn(global, get = "web", pure)]
    pub fn build_web(build: &mut Build) -> ImmutableString {
        build.state.web.as_str().into()
    }

    /// The build as text: its pipeline and number.
    ///
    /// ```rhai,no_run
    /// print(branch::repository("apps").build(12));
    /// ```
    #[rhai_fn(global, name = "to_string", name = "to_debug", pure)]
    pub fn build_text(build: &mut Build) -> String {
        format!("{} {}", build.state.definition_name, build.state.number)
    }

    /// The same build as it is now.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").build(12).reload().status
    /// ```
    #[rhai_fn(global, name = "reload", pure, return_raw)]
    pub fn build_reload(build: &mut Build) -> Scripted<Build> {
        let state = build
            .repository
            .inner
            .host()
            .build(build.state.id)
            .thrown()?;
        Ok(Build {
            repository: build.repository.clone(),
            state,
        })
    }

    /// Waits until it is over.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").build(12).wait().result == "succeeded"
    /// ```
    #[rhai_fn(global, name = "wait", pure, return_raw)]
    pub fn wait_long(build: &mut Build) -> Scripted<Build> {
        build.wait_with(Map::new()).thrown()
    }

    /// Waits until it is over. Option: `timeout` in seconds.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").build(12).wait(#{ timeout: 600 }).result == "succeeded"
    /// ```
    #[rhai_fn(global, name = "wait", pure, return_raw)]
    pub fn wait_within(build: &mut Build, options: Map) -> Scripted<Build> {
        build.wait_with(options).thrown()
    }

    /// Stops it.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").build(12).cancel()
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn cancel(build: &mut Build) -> Scripted<Build> {
        build.repository.permit(Action::QueueBuild).thrown()?;
        let host = build.repository.inner.host();
        let state = host
            .change_build(build.state.id, BuildChange::Cancel)
            .thrown()?;
        Ok(Build {
            repository: build.repository.clone(),
            state,
        })
    }

    /// Its log.
    ///
    /// ```rhai,no_run
    /// print(branch::repository("apps").build(12).log());
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn log(build: &mut Build) -> Scripted<String> {
        build
            .repository
            .inner
            .host()
            .read_log(build.state.id)
            .thrown()
    }

    /// The approvals that somebody has to give: maps with `id`, `build`, `definition_name`,
    /// `place`, `instructions` and `approvers`.
    ///
    /// ```rhai,tenant
    /// type_of(branch::repository("apps").approvals()) == "array"
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn approvals(repository: &mut Repository) -> Scripted<Dynamic> {
        data(&repository.inner.host().approvals().thrown()?).thrown()
    }

    /// Gives an approval, as the person who runs the script.
    ///
    /// ```rhai,no_run
    /// let apps = branch::repository("apps");
    /// for it in apps.approvals() { apps.approve(it.id, "looks good") }
    /// ```
    #[rhai_fn(global, name = "approve", pure, return_raw)]
    pub fn approve_deployment(
        repository: &mut Repository,
        approval: &str,
        comment: &str,
    ) -> Scripted<()> {
        repository.permit(Action::Approve).thrown()?;
        repository
            .inner
            .host()
            .decide(approval, true, comment)
            .thrown()
    }

    /// Denies an approval, as the person who runs the script: its build ends as failed.
    ///
    /// ```rhai,no_run
    /// let apps = branch::repository("apps");
    /// for it in apps.approvals() { apps.reject(it.id, "not before Monday") }
    /// ```
    #[rhai_fn(global, name = "reject", pure, return_raw)]
    pub fn reject_deployment(
        repository: &mut Repository,
        approval: &str,
        comment: &str,
    ) -> Scripted<()> {
        repository.permit(Action::Approve).thrown()?;
        repository
            .inner
            .host()
            .decide(approval, false, comment)
            .thrown()
    }

    /// The work item with this number: a map with `id`, `kind`, `title`, `state` and `links`.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").work_item(123).state
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn work_item(repository: &mut Repository, id: i64) -> Scripted<Dynamic> {
        data(&repository.inner.host().work_item(id).thrown()?).thrown()
    }

    /// Links a work item to a commit; it is no error when it is linked. Hosts do so by themselves
    /// for what a commit's message mentions.
    ///
    /// ```rhai,no_run
    /// let apps = branch::repository("apps");
    /// apps.link_commit(123, apps.branch("main").head)
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn link_commit(repository: &mut Repository, work_item: i64, commit: &str) -> Scripted<()> {
        repository.permit(Action::Commit).thrown()?;
        repository
            .inner
            .host()
            .link_commit(work_item, commit)
            .thrown()
    }
}

fn ensure_all(repository: &Repository, given: Map) -> Result<Dynamic, HostError> {
    let ensuring: Ensuring = options(given)?;
    let solution = ensuring.solution;
    let (profile_name, profile) = profile_of(repository, &solution, ensuring.profile.as_deref())?;
    let target = profile.target_branch.branch(&solution).into_owned();
    if let Some(branch) = ensuring.branch.filter(|branch| *branch != target) {
        let message =
            format!("profile `{profile_name}` merges `{solution}` into `{target}`, not `{branch}`");
        return Err(HostError::new(FOREIGN, message).with_hint(FOREIGN_HINT));
    }
    let mut stages = Vec::new();
    for given in ensuring.stages {
        let stage = as_profile_says(profile_name, profile, &solution, &given)?;
        let branch = profile.target_branch_of(stage, &solution).into_owned();
        let mut variables = texts(given.variables);
        variables.insert(variable::STAGE.into(), stage.name.clone());
        variables.insert(variable::PROFILE.into(), profile_name.to_owned());
        stages.push(StagePipeline {
            starts: match given.starts {
                BuildStart::ByHand => Starts::ByHand,
                BuildStart::PullRequest => {
                    Starts::OnPullRequest(profile.branches_behind_pull_requests(&solution))
                }
                BuildStart::Push => Starts::OnPush(branch),
            },
            environment: stage.environment.clone(),
            script: given.script,
            approvers: stage.approvers.clone(),
            self_approval: stage.self_approval,
            variables,
        });
    }
    let wanted = Wanted {
        stages,
        solution_branch: Some(target),
        start_from: ensuring.start_from,
        solution,
    };
    let ensured = ensure(&repository.inner, &wanted)?;
    data(&json!({
        "changed": !ensured.changes.is_empty(),
        "changes": ensured.changes,
        "definitions": super::kept(&ensured.definitions)?,
    }))
}

/// The code for a pipeline, or a build, that is not as a profile says.
const FOREIGN: &str = "ALM-B038";
const FOREIGN_HINT: &str = "what a pipeline does stands in the profiles of alm.toml";

/// The profile by which `solution` travels: the one that was named, else its own; if it may use it.
fn profile_of<'c>(
    repository: &'c Repository,
    solution: &str,
    named: Option<&str>,
) -> Result<(&'c str, &'c config::Profile), HostError> {
    let config = repository.context.workspace().config();
    let own = || config.profile_for(Some(solution)).map(|(name, _)| name);
    let wanted = named.or_else(own).unwrap_or_default();
    let mut all = config.profiles_of(solution, repository.inner.name());
    all.find(|(name, _)| *name == wanted).ok_or_else(|| {
        let message = format!(
            "no profile of repository `{}` that `{solution}` may use is called `{wanted}`",
            repository.inner.name()
        );
        HostError::new(FOREIGN, message).with_hint(FOREIGN_HINT)
    })
}

/// The stage that a pipeline is for, if the pipeline is as that stage says.
fn as_profile_says<'c>(
    name: &str,
    profile: &'c config::Profile,
    solution: &str,
    given: &StageOptions,
) -> Result<&'c config::Stage, HostError> {
    let refused = |reason: String| HostError::new(FOREIGN, reason).with_hint(FOREIGN_HINT);
    let place = &given.environment;
    let claimed = given.variables.get(variable::STAGE).and_then(Value::as_str);
    let is_it = |stage: &&config::Stage| {
        stage.environment == *place && claimed.is_none_or(|claimed| claimed == stage.name)
    };
    let stage = profile.stages.iter().find(is_it);
    let found = stage.and_then(|stage| Some((stage, stage.build()?)));
    let Some((stage, build)) = found else {
        let what = claimed.map_or_else(String::new, |stage| format!(" called `{stage}`"));
        return Err(refused(format!(
            "profile `{name}` has no stage{what} with builds in environment `{place}`"
        )));
    };
    let branch = profile.target_branch_of(stage, solution);
    let says = |what: &str, says: &str, not: &str| {
        let stage = &stage.name;
        refused(format!(
            "{what} of stage `{stage}` is `{says}`, not `{not}`"
        ))
    };
    if given.script != build.script {
        return Err(says("the script", build.script, &given.script));
    }
    if given.starts != build.starts {
        let (is, not) = (build.starts.as_str(), given.starts.as_str());
        return Err(says("the start", is, not));
    }
    match (&given.branch, given.starts) {
        (Some(other), BuildStart::Push) if *other != branch => {
            return Err(says("the branch", &branch, other));
        }
        _ => {}
    }
    if given
        .approvers
        .as_ref()
        .is_some_and(|it| *it != stage.approvers)
    {
        let (is, not) = (stage.approvers.join(", "), given.approvers.clone());
        return Err(says(
            "the approval",
            &is,
            &not.unwrap_or_default().join(", "),
        ));
    }
    let other = given
        .variables
        .keys()
        .find(|it| is_reserved(it) && ![variable::STAGE, variable::PROFILE].contains(&it.as_str()));
    if let Some(other) = other {
        return Err(refused(format!("`{other}` is set by the profile")));
    }
    let profile = given.variables.get(variable::PROFILE);
    if let Some(other) = profile.filter(|it| it.as_str() != Some(name)) {
        return Err(refused(format!(
            "these are the pipelines of profile `{name}`, not of {other}"
        )));
    }
    Ok(stage)
}

/// How many builds of a pipeline are looked through for one that was asked for before.
const RECENT: usize = 50;

fn queue(repository: &Repository, name: &str, given: Map) -> Result<Build, HostError> {
    let queueing: Queueing = options(given)?;
    let host = repository.inner.host();
    let found = host.definitions(Some(name))?;
    let [definition] = &found[..] else {
        let message = match found.len() {
            0 => format!("there is no pipeline `{name}`"),
            _ => format!("there are several pipelines `{name}`, in different folders"),
        };
        return Err(BranchError::Invalid(message).into());
    };
    let ours = definition.variables.contains_key(variable::SCRIPT);
    let refused = queueing.parameters.keys().find(|parameter| {
        is_reserved(parameter) || ours && parameter.as_str() != variable::UPGRADE
    });
    if let Some(parameter) = refused {
        let message = format!("`{parameter}` cannot be set for one build of `{name}`");
        return Err(HostError::new(FOREIGN, message).with_hint(FOREIGN_HINT));
    }
    let mut request = BuildRequest {
        definition: definition.id,
        branch: queueing.branch,
        commit: queueing.commit,
        variables: texts(queueing.parameters),
    };
    // A pipeline of an older save cannot be told what asked for a build.
    if definition.variables.contains_key(variable::REQUEST) {
        let what = format!("queue {} {request:?}", repository.inner.name());
        let asked = repository.context.sink().effect_id(&what).to_string();
        let known = host.builds(&BuildFilter {
            definition: Some(definition.id),
            limit: Some(RECENT),
            ..BuildFilter::default()
        })?;
        // The answer to an earlier request was lost: this is the build that it queued.
        let there = known
            .into_iter()
            .find(|build| build.variables.get(variable::REQUEST) == Some(&asked));
        if let Some(state) = there {
            return Ok(Build {
                repository: repository.clone(),
                state,
            });
        }
        request.variables.insert(variable::REQUEST.into(), asked);
    }
    let state = host.queue_build(&request)?;
    Ok(Build {
        repository: repository.clone(),
        state,
    })
}

/// Variables of pipelines are texts.
fn texts(values: BTreeMap<String, Value>) -> BTreeMap<String, String> {
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    values
        .into_iter()
        .map(|(name, value)| (name, text(value)))
        .collect()
}

impl Build {
    fn wait_with(&self, given: Map) -> Result<Self, HostError> {
        let waiting: Waiting = options(given)?;
        let pace = pace(waiting.timeout);
        let state = self.repository.inner.wait_for_build(self.state.id, pace)?;
        Ok(Self {
            repository: self.repository.clone(),
            state,
        })
    }
}

impl Keep for Build {
    const KIND: &'static str = "build";

    fn keep(&self, _: &Context) -> Result<Value, HostError> {
        Ok(
            json!({ "repository": self.repository.inner.name(), "state": super::kept(&self.state)? }),
        )
    }

    fn revive(kept: &Value, context: &Context) -> Result<Self, HostError> {
        let repository = connect::open(context, kept["repository"].as_str().unwrap_or_default())?;
        Ok(Self {
            repository,
            state: revived(&kept["state"])?,
        })
    }
}
