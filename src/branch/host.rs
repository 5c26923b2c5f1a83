//! What a git host offers, whichever it is: the words that scripts use.
//!
//! Azure DevOps implements it today (`azure_devops/`); the mapping to GitHub is in
//! facts/git-hosts.md, section 11.4.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::BranchError;
use crate::git::ObjectId;

/// A repository's host, bound to one repository.
///
/// Every method is one or a few requests; none waits for something to happen.
pub trait GitHost: Send + Sync {
    /// The repository itself.
    ///
    /// # Errors
    /// [`BranchError`]; so for all methods here.
    fn repository(&self) -> Result<HostRepository, BranchError>;

    /// Creates (`old` left out), moves or deletes (`new` left out) a reference by its full name,
    /// if it is what `old` says.
    fn update_reference(
        &self,
        name: &str,
        old: Option<ObjectId>,
        new: Option<ObjectId>,
    ) -> Result<(), BranchError>;

    /// Opens a pull request.
    fn open_pull_request(&self, new: &NewPullRequest) -> Result<PullRequest, BranchError>;

    /// The pull request with this number.
    fn pull_request(&self, id: i64) -> Result<PullRequest, BranchError>;

    /// Pull requests, newest first.
    fn pull_requests(&self, filter: &PullRequestFilter) -> Result<Vec<PullRequest>, BranchError>;

    /// The completed pull request whose merge is `commit`, if there is one.
    fn pull_request_of_commit(&self, commit: &str) -> Result<Option<PullRequest>, BranchError>;

    /// Puts a label on a pull request; it is no error when it has it.
    fn add_label(&self, id: i64, label: &str) -> Result<(), BranchError>;

    /// Votes for a pull request as the caller.
    fn vote(&self, id: i64, vote: Vote) -> Result<(), BranchError>;

    /// Asks the host to merge. The merge itself may happen later: read the pull request until it
    /// is no longer open.
    fn complete(&self, pull_request: &PullRequest, how: &Completion) -> Result<(), BranchError>;

    /// Has the pull request complete itself as soon as nothing is in its way.
    fn complete_when_ready(&self, id: i64, how: &Completion) -> Result<(), BranchError>;

    /// Closes a pull request without merging.
    fn abandon(&self, id: i64) -> Result<(), BranchError>;

    /// What the policies of the target branch think of a pull request.
    fn checks(&self, id: i64) -> Result<Vec<Check>, BranchError>;

    /// The numbers of the work items that a pull request is linked to.
    fn work_items_of(&self, id: i64) -> Result<Vec<i64>, BranchError>;

    /// The work item with this number.
    fn work_item(&self, id: i64) -> Result<WorkItem, BranchError>;

    /// Makes a work item of a kind, for example `Bug`.
    fn create_work_item(&self, kind: &str, title: &str) -> Result<WorkItem, BranchError>;

    /// Links a work item to a commit of this repository; it is no error when it is linked.
    fn link_commit(&self, work_item: i64, commit: &str) -> Result<(), BranchError>;

    /// The pipelines of the repository, those of one name when one is given.
    fn definitions(&self, name: Option<&str>) -> Result<Vec<Definition>, BranchError>;

    /// Makes the pipeline, or changes the one of the same name and folder to be like it. Says
    /// whether anything changed.
    fn ensure_definition(&self, new: &NewDefinition) -> Result<(Definition, bool), BranchError>;

    /// Makes a build policy on a branch, replacing one of the same title that differs. Says
    /// whether anything changed.
    fn ensure_build_validation(&self, policy: &BuildValidation) -> Result<bool, BranchError>;

    /// The build policies that are in force on a branch (without `refs/heads/`): enabled, and in the
    /// way of a pull request until the build succeeds.
    fn build_validations(&self, branch: &str) -> Result<Vec<BuildValidation>, BranchError>;

    /// Makes a place to deploy to that needs the approval of one of `approvers` (user or group
    /// names); without approvers, only the place. `self_approval` lets one of them approve what she
    /// asked for herself. Says whether anything changed.
    fn ensure_approval(
        &self,
        place: &str,
        approvers: &[String],
        self_approval: bool,
    ) -> Result<bool, BranchError>;

    /// Queues a build.
    fn queue_build(&self, request: &BuildRequest) -> Result<Build, BranchError>;

    /// The build with this number.
    fn build(&self, id: i64) -> Result<Build, BranchError>;

    /// Builds, newest first.
    fn builds(&self, filter: &BuildFilter) -> Result<Vec<Build>, BranchError>;

    /// Takes, ends or cancels a build. Of two agents that take one, the second gets
    /// [`BranchError::Changed`].
    fn change_build(&self, id: i64, change: BuildChange) -> Result<Build, BranchError>;

    /// Adds lines to a build's log.
    fn write_log(&self, build: &Build, text: &str) -> Result<(), BranchError>;

    /// A build's whole log.
    fn read_log(&self, id: i64) -> Result<String, BranchError>;

    /// Puts a tag on a build.
    fn tag_build(&self, id: i64, tag: &str) -> Result<(), BranchError>;

    /// Approvals that somebody has to give.
    fn approvals(&self) -> Result<Vec<Approval>, BranchError>;

    /// What was decided about the approvals that a build waited for, as the host has it on record.
    fn decisions(&self, build: i64) -> Result<Vec<Decision>, BranchError>;

    /// Gives or denies an approval as the caller.
    fn decide(&self, approval: &str, approve: bool, comment: &str) -> Result<(), BranchError>;
}

/// A repository as its host knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostRepository {
    /// The host's id for it.
    pub id: String,
    /// Its name there.
    pub name: String,
    /// The default branch without `refs/heads/`; `None` as long as the repository is empty.
    pub default_branch: Option<String>,
    /// The address to clone from.
    pub remote: String,
    /// The address for people.
    pub web: String,
}

/// A pull request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PullRequest {
    /// Its number.
    pub id: i64,
    /// Whether it is open.
    pub state: PullRequestState,
    /// The title.
    pub title: String,
    /// The description.
    pub description: String,
    /// The branch that is brought in, without `refs/heads/`.
    pub source: String,
    /// The branch that it is brought into, without `refs/heads/`.
    pub target: String,
    /// Whether it is a draft.
    pub draft: bool,
    /// The labels.
    pub labels: Vec<String>,
    /// The head of the source that the host looked at last.
    pub source_commit: String,
    /// The merge: of the test while it is open, the real one when it is completed.
    pub merge_commit: Option<String>,
    /// `queued`, `conflicts`, `succeeded`, `rejectedByPolicy`, `failure` or `notSet`. `succeeded`
    /// only means that the branches can be merged.
    pub merge_status: String,
    /// Who opened it.
    pub author: String,
    /// The address for people.
    pub web: String,
}

/// Whether a pull request is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PullRequestState {
    /// Open.
    Active,
    /// Merged.
    Completed,
    /// Closed without a merge.
    Abandoned,
}

/// A pull request to be opened. Branches without `refs/heads/`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewPullRequest {
    /// The branch to bring in.
    pub source: String,
    /// The branch to bring it into.
    pub target: String,
    /// The title.
    pub title: String,
    /// The description.
    pub description: String,
    /// Labels.
    pub labels: Vec<String>,
    /// Whether it is a draft.
    pub draft: bool,
    /// Work items to link.
    pub work_items: Vec<i64>,
}

/// Which pull requests to list; every field that is set narrows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PullRequestFilter {
    /// Only these; left out, whatever their state.
    pub state: Option<PullRequestState>,
    /// Only from this branch, without `refs/heads/`.
    pub source: Option<String>,
    /// Only into this branch, without `refs/heads/`.
    pub target: Option<String>,
}

/// How to complete a pull request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// How to merge; left out, as the host's policies say.
    pub strategy: Option<MergeStrategy>,
    /// Delete the source branch afterwards.
    pub delete_source: bool,
    /// The message of the merge; left out, the host's own.
    pub message: Option<String>,
    /// Move the linked work items to their next state.
    pub advance_work_items: bool,
}

/// How two branches become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MergeStrategy {
    /// A commit with two parents.
    Merge,
    /// One new commit with all changes.
    Squash,
    /// The source's commits again on top of the target.
    Rebase,
    /// Rebase, then a commit with two parents.
    RebaseMerge,
}

/// A vote on a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Vote {
    /// For it.
    Approve,
    /// For it, with suggestions.
    ApproveWithSuggestions,
    /// Neither.
    None,
    /// The author has to do something first.
    WaitForAuthor,
    /// Against it.
    Reject,
}

impl Vote {
    /// The word for it, as in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::ApproveWithSuggestions => "approve-with-suggestions",
            Self::None => "none",
            Self::WaitForAuthor => "wait-for-author",
            Self::Reject => "reject",
        }
    }
}

/// What one policy thinks of a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What people call it.
    pub title: String,
    /// Where it stands.
    pub state: CheckState,
    /// Whether it keeps the pull request from being completed.
    pub blocking: bool,
    /// The build that it waits for.
    pub build: Option<i64>,
}

/// Where a check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckState {
    /// It has not begun.
    Queued,
    /// It is under way, or waits for people.
    Running,
    /// It is content.
    Approved,
    /// It is not.
    Rejected,
    /// It does not concern this pull request.
    NotApplicable,
    /// It cannot be judged.
    Broken,
}

/// A work item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkItem {
    /// Its number.
    pub id: i64,
    /// Its kind, for example `Bug`.
    pub kind: String,
    /// Its title.
    pub title: String,
    /// Its state, for example `New`.
    pub state: String,
    /// The addresses that it links to.
    pub links: Vec<String>,
}

/// A pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Its number.
    pub id: i64,
    /// Its name, for example `deploy-test-ContosoSales`.
    pub name: String,
    /// Its folder with `/`, for example `/apps - ContosoSales`.
    pub folder: String,
    /// The variables that are not secret.
    pub variables: BTreeMap<String, String>,
}

/// A pipeline to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewDefinition {
    /// Its name.
    pub name: String,
    /// Its folder with `/`.
    pub folder: String,
    /// The branch that a build takes when none is named, without `refs/heads/`.
    pub default_branch: String,
    /// The path of its YAML file in the repository.
    pub yaml: String,
    /// Variables; each can be set anew when a build is queued.
    pub variables: BTreeMap<String, String>,
    /// What queues it by itself.
    pub trigger: Option<PushTrigger>,
}

/// Pushes that queue a pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PushTrigger {
    /// The branches, without `refs/heads/`.
    pub branches: Vec<String>,
    /// The folders, each with a first slash; none means all.
    pub paths: Vec<String>,
}

/// A policy that wants a successful build before a pull request can be completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildValidation {
    /// What people call it.
    pub title: String,
    /// The branch that it protects, without `refs/heads/`.
    pub branch: String,
    /// The pipeline to run.
    pub definition: i64,
    /// The files that it is about, for example `/ContosoSales/*`.
    pub paths: Vec<String>,
}

/// A build to be queued.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildRequest {
    /// The pipeline's number.
    pub definition: i64,
    /// The branch without `refs/heads/`; left out, the pipeline's own.
    pub branch: Option<String>,
    /// The commit; left out, the head of the branch.
    pub commit: Option<String>,
    /// Variables for this build.
    pub variables: BTreeMap<String, String>,
}

/// Which builds to list; every field that is set narrows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildFilter {
    /// Only in this state.
    pub state: Option<BuildState>,
    /// Only of this pipeline.
    pub definition: Option<i64>,
    /// Only of this reference, with `refs/…`.
    pub branch: Option<String>,
    /// Not more than so many.
    pub limit: Option<usize>,
}

/// Where a build stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BuildState {
    /// It waits for an agent.
    Queued,
    /// It waits for an approval.
    Waiting,
    /// It runs.
    Running,
    /// It runs, and somebody wants it to stop.
    Cancelling,
    /// It is over.
    Completed,
}

/// A build, that is one run of a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Build {
    /// Its number.
    pub id: i64,
    /// What people call it, for example `20260120.1`.
    pub number: String,
    /// Where it stands.
    pub state: BuildState,
    /// `succeeded`, `partiallySucceeded`, `failed` or `canceled` when it is over.
    pub result: Option<String>,
    /// What queued it: `manual`, `individualCI`, `pullRequest`, …
    pub reason: String,
    /// The reference, with `refs/…`.
    pub branch: String,
    /// The commit.
    pub commit: String,
    /// The pipeline's number.
    pub definition: i64,
    /// The pipeline's name.
    pub definition_name: String,
    /// The pull request that it validates.
    pub pull_request: Option<i64>,
    /// The variables that it was queued with.
    pub variables: BTreeMap<String, String>,
    /// For whom it runs.
    pub requested_for: String,
    /// The sign-in name of that person.
    pub requested_for_user: String,
    /// Who has taken it.
    #[serde(default)]
    pub agent: Option<String>,
    /// The host's name for its place to write logs to.
    pub plan: String,
    /// The address for people.
    pub web: String,
}

/// A change of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildChange {
    /// An agent takes it, and says who it is: so it can be told afterwards who has taken a build whose
    /// answer was lost.
    Start {
        /// The agent.
        agent: String,
    },
    /// It is over.
    Finish(Outcome),
    /// Stop it.
    Cancel,
}

/// How a build ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All of it worked.
    Succeeded,
    /// It worked with warnings.
    PartiallySucceeded,
    /// It did not work.
    Failed,
    /// It was stopped.
    Canceled,
}

/// An approval that a build waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Its id.
    pub id: String,
    /// The build that waits.
    pub build: i64,
    /// The pipeline's name.
    pub definition_name: String,
    /// The place to deploy to.
    pub place: String,
    /// What the approvers are told.
    pub instructions: String,
    /// Who may approve.
    pub approvers: Vec<String>,
}

/// A decision about an approval that a build waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The place to deploy to.
    pub place: String,
    /// Whether it was given; otherwise it was denied.
    pub approved: bool,
    /// The sign-in name of whoever decided.
    pub by: String,
    /// The names of whom the host had asked: of that person, or of a group of hers.
    pub asked: Vec<String>,
    /// What she said.
    pub comment: String,
    /// When, as the host writes it.
    pub at: String,
}
