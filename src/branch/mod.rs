//! Branches: repositories, commits, pull requests, builds and approvals, in the words of ALM.
//!
//! [`Repository`] is what the scripts' floor uses: it joins a [`GitHost`] (pull requests, policies,
//! builds; Azure DevOps today) with a [`Remote`] (objects and references). Objects are built by
//! [`crate::git`]; this module decides nothing about workflows.

mod audited;
pub mod azure_devops;
mod commit;
mod connect;
mod error;
mod gate;
mod host;
pub mod pipelines;
mod pull_request;
pub mod remote;
mod repository;
mod wait;

pub use azure_devops::AzureDevOps;
pub use commit::{Commit, NewCommit, mentioned_work_items};
pub use connect::OpenError;
pub use error::BranchError;
pub use host::{
    Approval, Build, BuildChange, BuildFilter, BuildRequest, BuildState, BuildValidation, Check,
    CheckState, Completion, Decision, Definition, GitHost, HostRepository, MergeStrategy,
    NewDefinition, NewPullRequest, Outcome, PullRequest, PullRequestFilter, PullRequestState,
    PushTrigger, Vote, WorkItem,
};
pub use remote::Remote;
pub use repository::{Branch, BranchHead, Repository};
pub use wait::Pace;
