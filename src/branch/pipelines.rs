//! The pipelines of a solution: one per stage, the solution's branch, and the policy that validates
//! pull requests into it (facts/alm-accelerator.md, sections 1.3 and 1.7).

use std::collections::BTreeMap;

use super::{BranchError, BuildValidation, Definition, NewDefinition, PushTrigger, Repository};

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
    /// More variables.
    pub variables: BTreeMap<String, String>,
}

/// What queues a stage's pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Starts {
    /// Only somebody who queues it.
    #[default]
    ByHand,
    /// A pull request into the solution's branch, whose completion waits for it.
    OnPullRequest,
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
    let host = repository.host();
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
        if !stage.approvers.is_empty() && host.ensure_approval(place, &stage.approvers)? {
            ensured.changes.push(format!("approval for {place}"));
        }
        let name = format!("deploy-{}-{solution}", place.to_lowercase());
        let mut variables = stage.variables.clone();
        variables.insert("EnvironmentName".into(), stage.environment.clone());
        variables.insert("Solution".into(), solution.clone());
        variables.insert("AlmScript".into(), stage.script.clone());
        let trigger = match &stage.starts {
            Starts::OnPush(branch) => Some(PushTrigger {
                branches: vec![branch.clone()],
                paths: PARTS
                    .iter()
                    .map(|part| format!("/{solution}/{part}"))
                    .collect(),
            }),
            Starts::ByHand | Starts::OnPullRequest => None,
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
        if stage.starts == Starts::OnPullRequest {
            let changed = host.ensure_build_validation(&BuildValidation {
                title: VALIDATION.into(),
                branch: branch.name().to_owned(),
                definition: definition.id,
                paths: vec![format!("/{solution}/*")],
            })?;
            if changed {
                ensured
                    .changes
                    .push(format!("policy {VALIDATION} on {}", branch.name()));
            }
        }
        ensured.definitions.push(definition);
    }
    Ok(ensured)
}
