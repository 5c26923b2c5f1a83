//! What a build may do, by the profile as it stands in `alm.toml`.
//!
//! A pipeline and the parameters of a build are written by whoever may queue one, so they are claims
//! only. The agent reads from them which stage of which profile is meant, and then holds the build
//! against that: its script, its branch, its commit, and the approval that the git host has on record.
//! What is not as the profile says is refused, whoever asks.

use crate::branch::pipelines::{is_reserved, name_of, variable};
use crate::branch::{
    self, BranchError, Build, BuildFilter, Decision, Definition, PullRequestState, Repository,
};
use crate::problem::Problem;
use crate::workspace::config::{Approval, BuildStart, Config, Profile, Stage};

/// What one build may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mandate {
    /// The script that the stage runs.
    pub script: &'static str,
    pub solution: String,
    pub profile: String,
    pub stage: String,
    /// The only environment that changes.
    pub environment: String,
    /// The branch whose commit it is about, without `refs/heads/`.
    pub branch: Option<String>,
    /// Whether components that are gone from the source are removed, where whoever queued it says.
    pub upgrade: Option<bool>,
}

/// Why a build may not run.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoMandate {
    /// The host could not be asked for what has to be known.
    #[error(transparent)]
    Host(#[from] BranchError),
    /// The pipeline does not say what it is for.
    #[error("its pipeline has no variable `{0}`")]
    Unsaid(&'static str),
    #[error("`{name}` was set when the build was queued; only its pipeline says that")]
    Queued { name: String },
    #[error("no profile of {repository} that `{solution}` may use is called `{profile}`")]
    NoProfile {
        profile: String,
        solution: String,
        repository: String,
    },
    #[error("profile `{profile}` has no stage `{stage}` with builds of its own")]
    NoStage { profile: String, stage: String },
    #[error("stage `{stage}` is in {expected}, the pipeline says {found}")]
    Environment {
        stage: String,
        expected: String,
        found: String,
    },
    #[error("builds of stage `{stage}` run `{expected}`, the pipeline says `{found}`")]
    Script {
        stage: String,
        expected: &'static str,
        found: String,
    },
    #[error("stage `{stage}` takes `{expected}`, the build is of `{found}`")]
    Branch {
        stage: String,
        expected: String,
        found: String,
    },
    #[error("commit {commit} is not on `{branch}`")]
    NotOnBranch { commit: String, branch: String },
    #[error("pull request {id} goes into `{found}`, stage `{stage}` is about `{expected}`")]
    Target {
        id: i64,
        stage: String,
        expected: String,
        found: String,
    },
    #[error("commit {commit} is not the merge of a completed pull request into `{branch}`")]
    NotMerged { commit: String, branch: String },
    #[error("no validation of pull request {0} has succeeded, and its profile asks for one")]
    NotValidated(i64),
    #[error(
        "stage `{stage}` needs the approval of {approvers}, and the git host has none on record for this build"
    )]
    NotApproved { stage: String, approvers: String },
    #[error(
        "stage `{stage}` needs the approval of somebody else than {requester}, who asked for this build"
    )]
    OwnApproval { stage: String, requester: String },
}

impl Problem for NoMandate {
    fn code(&self) -> &'static str {
        match self {
            Self::Host(error) => error.code(),
            _ => "ALM-R030",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Host(error) => return error.hint(),
            Self::Unsaid(_) | Self::Script { .. } | Self::Environment { .. } => {
                "`alm run commit` makes the pipelines of a solution as its profile says".into()
            }
            Self::Queued { .. } | Self::NotApproved { .. } => {
                "send the solution there with `alm run deploy`".into()
            }
            Self::OwnApproval { .. } => {
                "have another of the stage's approvers approve it, or let the stage say \
                 `self_approval = true`"
                    .into()
            }
            Self::NoProfile { .. } | Self::NoStage { .. } => {
                "what a build may do stands in the profiles of alm.toml".into()
            }
            Self::Branch { .. }
            | Self::NotOnBranch { .. }
            | Self::Target { .. }
            | Self::NotMerged { .. }
            | Self::NotValidated(_) => {
                "bring the change in by a pull request that is validated: `alm run deploy`".into()
            }
        })
    }
}

/// What `build` of the pipeline `definition` may do.
///
/// # Errors
/// [`NoMandate`], with the rule that is not met.
pub(super) fn of(
    config: &Config,
    repository: &Repository,
    definition: &Definition,
    build: &Build,
) -> Result<Mandate, NoMandate> {
    if let Some(name) = build.variables.keys().find(|name| is_reserved(name)) {
        return Err(NoMandate::Queued { name: name.clone() });
    }
    let said = |name: &'static str| {
        let value = definition.variables.get(name);
        value.map(String::as_str).ok_or(NoMandate::Unsaid(name))
    };
    let solution = said(variable::SOLUTION)?;
    let environment = said(variable::ENVIRONMENT)?;
    let (profile_name, profile) = profile_of(config, repository, definition, solution)?;
    let stage_name = said(variable::STAGE).unwrap_or(environment);
    let no_stage = || NoMandate::NoStage {
        profile: profile_name.to_owned(),
        stage: stage_name.to_owned(),
    };
    let stage = profile.stage(stage_name).ok_or_else(no_stage)?;
    let expected = stage.build().ok_or_else(no_stage)?;
    if stage.environment != environment {
        return Err(NoMandate::Environment {
            stage: stage_name.to_owned(),
            expected: stage.environment.clone(),
            found: environment.to_owned(),
        });
    }
    let script = said(variable::SCRIPT)?;
    if script != expected.script {
        return Err(NoMandate::Script {
            stage: stage_name.to_owned(),
            expected: expected.script,
            found: script.to_owned(),
        });
    }
    let looked_at = Looked {
        repository,
        build,
        profile,
        stage,
        solution,
    };
    match expected.starts {
        BuildStart::PullRequest => looked_at.validates()?,
        BuildStart::Push => looked_at.was_merged()?,
        BuildStart::ByHand => looked_at.is_of_its_source()?,
    }
    if stage.approval == Approval::Environment && expected.starts == BuildStart::ByHand {
        looked_at.was_approved()?;
    }
    Ok(Mandate {
        script: expected.script,
        solution: solution.to_owned(),
        profile: profile_name.to_owned(),
        stage: stage.name.clone(),
        environment: stage.environment.clone(),
        branch: looked_at.branch().map(str::to_owned),
        upgrade: build
            .variables
            .get(variable::UPGRADE)
            .or_else(|| definition.variables.get(variable::UPGRADE))
            .and_then(|text| text.parse().ok()),
    })
}

/// The profile that the pipeline names, or, where it names none, the one of the solution; if the
/// solution may use it.
fn profile_of<'c>(
    config: &'c Config,
    repository: &'c Repository,
    definition: &Definition,
    solution: &str,
) -> Result<(&'c str, &'c Profile), NoMandate> {
    let named = definition.variables.get(variable::PROFILE).cloned();
    let own = || {
        config
            .profile_for(Some(solution))
            .map(|(name, _)| name.to_owned())
    };
    let wanted = named.or_else(own).unwrap_or_default();
    config
        .profiles_of(solution, repository.name())
        .find(|(name, _)| *name == wanted)
        .ok_or_else(|| NoMandate::NoProfile {
            profile: wanted,
            solution: solution.to_owned(),
            repository: repository.name().to_owned(),
        })
}

/// A build and the stage that it claims to be of.
struct Looked<'a> {
    repository: &'a Repository,
    build: &'a Build,
    profile: &'a Profile,
    stage: &'a Stage,
    solution: &'a str,
}

impl Looked<'_> {
    /// The branch of the build, if it is of one.
    fn branch(&self) -> Option<&str> {
        self.build.branch.strip_prefix("refs/heads/")
    }

    /// A validation is of a pull request into a branch of the profile, or of what such a branch
    /// holds already.
    fn validates(&self) -> Result<(), NoMandate> {
        let branches = self.profile.branches_behind_pull_requests(self.solution);
        let Some(id) = self.build.pull_request else {
            let branch = self
                .branch()
                .filter(|it| branches.iter().any(|one| one == it));
            let branch = branch.ok_or_else(|| self.other_branch(&branches.join("`, `")))?;
            return self.is_on(branch);
        };
        let request = self.repository.host().pull_request(id)?;
        if branches.contains(&request.target) {
            return Ok(());
        }
        Err(NoMandate::Target {
            id,
            stage: self.stage.name.clone(),
            expected: branches.join("`, `"),
            found: request.target,
        })
    }

    /// A release behind a pull request is of its merge, and the pull request was validated.
    fn was_merged(&self) -> Result<(), NoMandate> {
        let target = self.profile.target_branch_of(self.stage, self.solution);
        if self.branch() != Some(&*target) {
            return Err(self.other_branch(&target));
        }
        let commit = &self.build.commit;
        let request = self.repository.host().pull_request_of_commit(commit)?;
        let request = request
            .filter(|it| it.state == PullRequestState::Completed && it.target == *target)
            .ok_or_else(|| NoMandate::NotMerged {
                commit: commit.clone(),
                branch: target.to_string(),
            })?;
        match self.profile.validation() {
            Some(validation) if !self.has_validated(validation, request.id)? => {
                Err(NoMandate::NotValidated(request.id))
            }
            _ => Ok(()),
        }
    }

    fn has_validated(&self, validation: &Stage, request: i64) -> Result<bool, NoMandate> {
        let name = name_of(&validation.environment, self.solution);
        let filter = BuildFilter {
            state: Some(branch::BuildState::Completed),
            branch: Some(format!("refs/pull/{request}/merge")),
            ..BuildFilter::default()
        };
        let builds = self.repository.host().builds(&filter)?;
        Ok(builds.iter().any(|it| {
            it.definition_name == name
                && it.pull_request == Some(request)
                && it.result.as_deref() == Some("succeeded")
        }))
    }

    /// A deployment that somebody queued is of a commit on the branch that the stage starts from.
    fn is_of_its_source(&self) -> Result<(), NoMandate> {
        let Some(rule) = &self.stage.source_branch else {
            // The maker's own branch, whichever that is.
            let branch = self.branch().ok_or_else(|| self.other_branch("a branch"))?;
            return self.is_on(branch);
        };
        let source = rule.branch(self.solution);
        if self.branch() != Some(&*source) {
            return Err(self.other_branch(&source));
        }
        self.is_on(&source)
    }

    /// Whether the commit is in the history of `branch`: one may queue a build of any.
    fn is_on(&self, branch: &str) -> Result<(), NoMandate> {
        self.repository.refresh()?;
        let head = self.repository.branch(branch).commit_id()?;
        let store = self.repository.store();
        let on_it = match store.resolve(&self.build.commit) {
            Ok(commit) => store.is_ancestor(commit, head).map_err(BranchError::from)?,
            Err(_) => false,
        };
        if on_it {
            return Ok(());
        }
        Err(NoMandate::NotOnBranch {
            commit: self.build.commit.clone(),
            branch: branch.to_owned(),
        })
    }

    /// Whether one of the stage's approvers has approved this build.
    fn was_approved(&self) -> Result<(), NoMandate> {
        let approvers = &self.stage.approvers;
        let is_one = |name: &String| {
            approvers.is_empty() || approvers.iter().any(|it| it.eq_ignore_ascii_case(name))
        };
        let decisions = self.repository.host().decisions(self.build.id)?;
        let mut approvals = decisions.iter().filter(|it| {
            it.approved
                && it.place.eq_ignore_ascii_case(&self.stage.environment)
                && (is_one(&it.by) || it.asked.iter().any(is_one))
        });
        let requester = &self.build.requested_for_user;
        let counts =
            |it: &Decision| self.stage.self_approval || !it.by.eq_ignore_ascii_case(requester);
        if approvals.clone().any(counts) {
            return Ok(());
        }
        if approvals.next().is_some() {
            return Err(NoMandate::OwnApproval {
                stage: self.stage.name.clone(),
                requester: requester.clone(),
            });
        }
        Err(NoMandate::NotApproved {
            stage: self.stage.name.clone(),
            approvers: match &approvers[..] {
                [] => "somebody".into(),
                some => format!("`{}`", some.join("` or `")),
            },
        })
    }

    fn other_branch(&self, expected: &str) -> NoMandate {
        NoMandate::Branch {
            stage: self.stage.name.clone(),
            expected: expected.to_owned(),
            found: self
                .build
                .branch
                .trim_start_matches("refs/heads/")
                .to_owned(),
        }
    }
}
