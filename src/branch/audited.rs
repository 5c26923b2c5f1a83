//! A git host whose decisions the workspace's audit log keeps: votes, completed pull requests,
//! decided builds, and policies that were made or changed.

use std::sync::Arc;

use super::BranchError;
use super::host::*;
use crate::git::ObjectId;
use crate::workspace::Persona;
use crate::workspace::audit::AuditEvent;

/// A repository's host, and who acts there.
pub(super) struct Audited {
    inner: Arc<dyn GitHost>,
    persona: Persona,
    /// What `alm.toml` calls the repository.
    repository: String,
}

impl Audited {
    pub(super) fn new(inner: Arc<dyn GitHost>, persona: Persona, repository: &str) -> Self {
        Self {
            inner,
            persona,
            repository: repository.to_owned(),
        }
    }

    /// Keeps what the host has done.
    fn keep(&self, event: &AuditEvent) -> Result<(), BranchError> {
        Ok(self.persona.audit(event)?)
    }
}

/// The methods that decide nothing.
macro_rules! pass_on {
    ($($method:ident($($given:ident: $kind:ty),*) -> $answer:ty;)*) => {
        $(fn $method(&self, $($given: $kind),*) -> Result<$answer, BranchError> {
            self.inner.$method($($given),*)
        })*
    };
}

impl GitHost for Audited {
    pass_on! {
        repository() -> HostRepository;
        update_reference(name: &str, old: Option<ObjectId>, new: Option<ObjectId>) -> ();
        open_pull_request(new: &NewPullRequest) -> PullRequest;
        pull_request(id: i64) -> PullRequest;
        pull_requests(filter: &PullRequestFilter) -> Vec<PullRequest>;
        pull_request_of_commit(commit: &str) -> Option<PullRequest>;
        add_label(id: i64, label: &str) -> ();
        abandon(id: i64) -> ();
        checks(id: i64) -> Vec<Check>;
        work_items_of(id: i64) -> Vec<i64>;
        work_item(id: i64) -> WorkItem;
        create_work_item(kind: &str, title: &str) -> WorkItem;
        link_commit(work_item: i64, commit: &str) -> ();
        definitions(name: Option<&str>) -> Vec<Definition>;
        ensure_definition(new: &NewDefinition) -> (Definition, bool);
        build_validations(branch: &str) -> Vec<BuildValidation>;
        queue_build(request: &BuildRequest) -> Build;
        build(id: i64) -> Build;
        builds(filter: &BuildFilter) -> Vec<Build>;
        change_build(id: i64, change: BuildChange) -> Build;
        write_log(build: &Build, text: &str) -> ();
        read_log(id: i64) -> String;
        tag_build(id: i64, tag: &str) -> ();
        approvals() -> Vec<Approval>;
        decisions(build: i64) -> Vec<Decision>;
    }

    fn vote(&self, id: i64, vote: Vote) -> Result<(), BranchError> {
        self.inner.vote(id, vote)?;
        self.keep(&AuditEvent::PullRequestVoted {
            repository: self.repository.clone(),
            pull_request: id,
            vote: vote.word().to_owned(),
        })
    }

    fn complete(&self, pull_request: &PullRequest, how: &Completion) -> Result<(), BranchError> {
        self.inner.complete(pull_request, how)?;
        self.keep(&AuditEvent::PullRequestCompleted {
            repository: self.repository.clone(),
            pull_request: pull_request.id,
            target: Some(pull_request.target.clone()),
            when_ready: false,
        })
    }

    fn complete_when_ready(&self, id: i64, how: &Completion) -> Result<(), BranchError> {
        self.inner.complete_when_ready(id, how)?;
        self.keep(&AuditEvent::PullRequestCompleted {
            repository: self.repository.clone(),
            pull_request: id,
            target: None,
            when_ready: true,
        })
    }

    fn decide(&self, approval: &str, approve: bool, comment: &str) -> Result<(), BranchError> {
        self.inner.decide(approval, approve, comment)?;
        self.keep(&AuditEvent::BuildDecided {
            repository: self.repository.clone(),
            approval: approval.to_owned(),
            approved: approve,
            comment: comment.to_owned(),
        })
    }

    fn ensure_build_validation(&self, policy: &BuildValidation) -> Result<bool, BranchError> {
        let changed = self.inner.ensure_build_validation(policy)?;
        if changed {
            self.keep(&AuditEvent::HostPolicyChanged {
                repository: self.repository.clone(),
                what: format!("the policy `{}` on {}", policy.title, policy.branch),
            })?;
        }
        Ok(changed)
    }

    fn ensure_approval(
        &self,
        place: &str,
        approvers: &[String],
        self_approval: bool,
    ) -> Result<bool, BranchError> {
        let changed = self
            .inner
            .ensure_approval(place, approvers, self_approval)?;
        if changed {
            self.keep(&AuditEvent::HostPolicyChanged {
                repository: self.repository.clone(),
                what: format!("the approvers of {place}, now {}", approvers.join(", ")),
            })?;
        }
        Ok(changed)
    }
}
