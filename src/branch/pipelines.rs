//! The pipelines of a solution: one per stage, the solution's branch, and the policy that validates
//! pull requests into it (facts/alm-accelerator.md, sections 1.3 and 1.7).

use std::collections::BTreeMap;

use super::{BranchError, BuildValidation, Definition, NewDefinition, PushTrigger, Repository};

/// The variables by which a pipeline says what its builds do. `alm agent` reads them from the
/// pipeline only; see [`is_reserved`].
pub mod variable {
    /// The script.
    pub const SCRIPT: &str = "AlmScript";
    /// The stage of the profile.
    pub const STAGE: &str = "AlmStage";
    /// The profile.
    pub const PROFILE: &str = "AlmProfile";
    /// The solution.
    pub const SOLUTION: &str = "Solution";
    /// The environment, by which the host also knows the approvals that a build waits for.
    pub const ENVIRONMENT: &str = "EnvironmentName";
    /// `true` or `false`: whether components that are gone from the source are removed. The only one
    /// of these that whoever queues a build may choose.
    pub const UPGRADE: &str = "TriggerSolutionUpgrade";
    /// What asked for one build, so that it is not queued twice when the answer was lost.
    pub const REQUEST: &str = "AlmRequest";
}

/// Whether a variable says what a build does, so that nobody may set it for one build. Hosts take
/// names in any case.
pub fn is_reserved(name: &str) -> bool {
    use variable::{ENVIRONMENT, PROFILE, SCRIPT, SOLUTION, STAGE};
    [SCRIPT, STAGE, PROFILE, SOLUTION, ENVIRONMENT]
        .iter()
        .any(|one| one.eq_ignore_ascii_case(name))
}

/// The name of the pipeline that takes `solution` to `environment`.
pub fn name_of(environment: &str, solution: &str) -> String {
    format!("deploy-{}-{solution}", environment.to_lowercase())
}

/// The title of the build policy.
const VALIDATION: &str = "Build Validation";
/// The parts of a solution's folder whose changes concern a deployment.
const PARTS: [&str; 4] = ["SolutionPackage", "Plugins", "WebResources", "config"];

/// What pipelines a solution shall have.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The solution's unique name, which is also its folder and its branch.
    pub solution: String,
    /// Its stages in order.
    pub stages: Vec<StagePipeline>,
    /// Where the solution's branch starts; left out, the default branch.
    pub start_from: Option<String>,
    /// Whether to make the solution's branch; without it pull requests go to a branch of another
    /// name.
    pub solution_branch: Option<String>,
}

/// One stage's pipeline.
#[derive(Debug, Clone, Default)]
pub struct StagePipeline {
    /// The environment's name, for example `test`: the pipeline is `deploy-test-<Solution>`.
    pub environment: String,
    /// The script that a build runs, for example `release`.
    pub script: String,
    /// What queues it.
    pub starts: Starts,
    /// Who has to approve before it runs: names of users or groups.
    pub approvers: Vec<String>,
    /// Whether whoever asked for a build may be the one who approves it.
    pub self_approval: bool,
    /// More variables.
    pub variables: BTreeMap<String, String>,
}

/// What queues a stage's pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Starts {
    /// Only somebody who queues it.
    #[default]
    ByHand,
    /// A pull request into one of these branches, whose completion waits for it.
    OnPullRequest(Vec<String>),
    /// A push to this branch, as a completed pull request makes one.
    OnPush(String),
}

/// What was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ensured {
    /// The pipelines of all stages in their order.
    pub definitions: Vec<Definition>,
    /// One line for everything that was made or changed; empty when all was as it should be.
    pub changes: Vec<String>,
}

/// Makes everything as `wanted` says and leaves alone what already is. The first thing that does
/// not work ends it with an error; a second call goes on from there.
///
/// # Errors
/// Those of the host, and [`BranchError::NoBranch`] when the branch to start from is not there.
pub fn ensure(repository: &Repository, wanted: &Wanted) -> Result<Ensured, BranchError> {
    let host = repository.preparer();
    let solution = &wanted.solution;
    let mut ensured = Ensured::default();
    let branch = repository.branch(wanted.solution_branch.as_deref().unwrap_or(solution));
    repository.refresh()?;
    if branch.head()?.is_none() {
        let from = wanted
            .start_from
            .as_deref()
            .unwrap_or(repository.default_branch());
        branch.create_from(&repository.branch(from))?;
        ensured
            .changes
            .push(format!("branch {} from {from}", branch.name()));
    }
    for stage in &wanted.stages {
        let place = stage.environment.as_str();
        if !stage.approvers.is_empty()
            && host.ensure_approval(place, &stage.approvers, stage.self_approval)?
        {
            ensured.changes.push(format!("approval for {place}"));
        }
        let name = name_of(place, solution);
        let mut variables = stage.variables.clone();
        variables.insert(variable::ENVIRONMENT.into(), stage.environment.clone());
        variables.insert(variable::SOLUTION.into(), solution.clone());
        variables.insert(variable::SCRIPT.into(), stage.script.clone());
        variables.insert(variable::REQUEST.into(), String::new());
        let trigger = match &stage.starts {
            Starts::OnPush(branch) => Some(PushTrigger {
                branches: vec![branch.clone()],
                paths: PARTS
                    .iter()
                    .map(|part| format!("/{solution}/{part}"))
                    .collect(),
            }),
            Starts::ByHand | Starts::OnPullRequest(_) => None,
        };
        let (definition, changed) = host.ensure_definition(&NewDefinition {
            yaml: format!("/{solution}/{name}.yml"),
            folder: format!("/{} - {solution}", repository.name()),
            default_branch: branch.name().to_owned(),
            variables,
            trigger,
            name,
        })?;
        if changed {
            ensured
                .changes
                .push(format!("pipeline {}", definition.name));
        }
        if let Starts::OnPullRequest(branches) = &stage.starts {
            for branch in branches {
                let changed = host.ensure_build_validation(&BuildValidation {
                    title: VALIDATION.into(),
                    branch: branch.clone(),
                    definition: definition.id,
                    paths: vec![paths_of(solution)],
                })?;
                if changed {
                    ensured
                        .changes
                        .push(format!("policy {VALIDATION} on {branch}"));
                }
            }
        }
        ensured.definitions.push(definition);
    }
    Ok(ensured)
}

/// The files of a solution, as a policy names them.
pub(super) fn paths_of(solution: &str) -> String {
    format!("/{solution}/*")
}
