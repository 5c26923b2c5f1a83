//! What takes several questions to a host: completing a pull request, waiting for its checks, and
//! waiting for builds.

use super::{
    Branch, BranchError, Build, BuildState, Check, CheckState, Completion, NewPullRequest, Pace,
    PullRequest, PullRequestState, Repository,
};

impl Branch {
    /// Opens a pull request from this branch; `new.source` is set.
    ///
    /// # Errors
    /// [`BranchError::PullRequestExists`], [`BranchError::NoBranch`], and those of the host.
    pub fn open_pull_request(&self, new: NewPullRequest) -> Result<PullRequest, BranchError> {
        self.repository().refresh()?;
        self.commit_id()?;
        self.repository().branch(&new.target).commit_id()?;
        let new = NewPullRequest {
            source: self.name().to_owned(),
            ..new
        };
        let made = self.repository().host().open_pull_request(&new)?;
        // The host answers before it has tried the merge, which takes a moment.
        self.repository().merge_tried(made.id, Pace::default())
    }
}

impl Repository {
    /// The pull request, as soon as the host has tried its merge.
    ///
    /// # Errors
    /// Those of the host and of waiting.
    pub fn merge_tried(&self, id: i64, pace: Pace) -> Result<PullRequest, BranchError> {
        pace.until(self.cancel(), "the test merge", || {
            let it = self.host().pull_request(id)?;
            let open = it.state == PullRequestState::Active;
            Ok((!open || !["queued", "notSet"].contains(&it.merge_status.as_str())).then_some(it))
        })
    }

    /// Completes an open pull request and waits until it is merged.
    ///
    /// # Errors
    /// [`BranchError::Conflicts`], [`BranchError::Policy`], [`BranchError::NotOpen`], and those of
    /// the host and of waiting.
    pub fn complete(
        &self,
        id: i64,
        how: &Completion,
        pace: Pace,
    ) -> Result<PullRequest, BranchError> {
        let it = self.merge_tried(id, pace)?;
        match it.state {
            PullRequestState::Active => {}
            // Completed by somebody else or by itself: what was wanted is so.
            PullRequestState::Completed => return Ok(it),
            PullRequestState::Abandoned => {
                return Err(BranchError::NotOpen {
                    id,
                    state: "abandoned".into(),
                });
            }
        }
        if it.merge_status == "conflicts" {
            let reason = format!("`{}` into `{}`", it.source, it.target);
            return Err(BranchError::Conflicts { reason });
        }
        self.host().complete(&it, how)?;
        let done = pace.until(self.cancel(), "the completion of the pull request", || {
            let it = self.host().pull_request(id)?;
            match (it.state, it.merge_status.as_str()) {
                (PullRequestState::Active, "conflicts") => {
                    let reason = format!("`{}` into `{}`", it.source, it.target);
                    Err(BranchError::Conflicts { reason })
                }
                (PullRequestState::Active, "rejectedByPolicy") => Err(BranchError::Policy {
                    reason: "the host refused the merge".into(),
                }),
                (PullRequestState::Active, _) => Ok(None),
                _ => Ok(Some(it)),
            }
        })?;
        self.refresh()?;
        match done.state {
            PullRequestState::Completed => Ok(done),
            _ => Err(BranchError::NotOpen {
                id,
                state: "abandoned".into(),
            }),
        }
    }

    /// Waits until every blocking check of a pull request has an opinion: each is approved or does
    /// not apply, or one is rejected. Checks that wait for people are not waited for when
    /// `builds_only`.
    ///
    /// # Errors
    /// Those of the host and of waiting.
    pub fn wait_for_checks(
        &self,
        id: i64,
        builds_only: bool,
        pace: Pace,
    ) -> Result<Vec<Check>, BranchError> {
        pace.until(self.cancel(), "the checks of the pull request", || {
            let checks = self.host().checks(id)?;
            let waits = |check: &&Check| {
                check.blocking
                    && (!builds_only || check.build.is_some())
                    && matches!(check.state, CheckState::Queued | CheckState::Running)
            };
            let pending = checks.iter().any(|check| waits(&check));
            let rejected = checks
                .iter()
                .any(|it| it.blocking && it.state == CheckState::Rejected);
            Ok((rejected || !pending).then_some(checks))
        })
    }

    /// Waits until a build is over.
    ///
    /// # Errors
    /// Those of the host and of waiting.
    pub fn wait_for_build(&self, id: i64, pace: Pace) -> Result<Build, BranchError> {
        pace.until(self.cancel(), "the build", || {
            let build = self.host().build(id)?;
            Ok((build.state == BuildState::Completed).then_some(build))
        })
    }
}
