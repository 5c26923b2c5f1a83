//! Pull requests in Azure DevOps (facts/git-hosts.md, section 3).

use serde_json::{Value, json};

use super::{AzureDevOps, full, short};
use crate::branch::BranchError;
use crate::branch::host::{
    Check, CheckState, Completion, MergeStrategy, NewPullRequest, PullRequest, PullRequestFilter,
    PullRequestState, Vote,
};
use crate::transport::Method;

/// How many completed pull requests are looked through for a merge commit.
const LOOK_BACK: &str = "1000";

impl AzureDevOps {
    pub(super) fn create_pull_request(
        &self,
        new: &NewPullRequest,
    ) -> Result<PullRequest, BranchError> {
        let labels: Vec<Value> = new
            .labels
            .iter()
            .map(|name| json!({ "name": name }))
            .collect();
        let items: Vec<Value> = new
            .work_items
            .iter()
            .map(|id| json!({ "id": id.to_string() }))
            .collect();
        let body = json!({
            "sourceRefName": full(&new.source),
            "targetRefName": full(&new.target),
            "title": new.title,
            "description": new.description,
            "isDraft": new.draft,
            "labels": labels,
            "workItemRefs": items,
        });
        let query = [("supportsIterations", "true")];
        let made = self.git(Method::POST, &["pullrequests"], &query, Some(&body))?;
        Ok(read(&made))
    }

    pub(super) fn read_pull_request(&self, id: i64) -> Result<PullRequest, BranchError> {
        Ok(read(&self.git(
            Method::GET,
            &["pullrequests", &id.to_string()],
            &[],
            None,
        )?))
    }

    pub(super) fn search_pull_requests(
        &self,
        filter: &PullRequestFilter,
    ) -> Result<Vec<PullRequest>, BranchError> {
        let status = match filter.state {
            None => "all",
            Some(PullRequestState::Active) => "active",
            Some(PullRequestState::Completed) => "completed",
            Some(PullRequestState::Abandoned) => "abandoned",
        };
        let (source, target) = (
            filter.source.as_deref().map(full),
            filter.target.as_deref().map(full),
        );
        let mut query = vec![("searchCriteria.status", status), ("$top", LOOK_BACK)];
        if let Some(source) = &source {
            query.push(("searchCriteria.sourceRefName", source));
        }
        if let Some(target) = &target {
            query.push(("searchCriteria.targetRefName", target));
        }
        let found = self.git(Method::GET, &["pullrequests"], &query, None)?;
        Ok(found["value"]
            .as_array()
            .into_iter()
            .flatten()
            .map(read)
            .collect())
    }

    pub(super) fn find_pull_request_of_commit(
        &self,
        commit: &str,
    ) -> Result<Option<PullRequest>, BranchError> {
        let completed = PullRequestFilter {
            state: Some(PullRequestState::Completed),
            ..Default::default()
        };
        let found = self.search_pull_requests(&completed)?;
        Ok(found
            .into_iter()
            .find(|it| it.merge_commit.as_deref() == Some(commit)))
    }

    pub(super) fn set_vote(&self, id: i64, vote: Vote) -> Result<(), BranchError> {
        let me = self.me()?;
        let vote = match vote {
            Vote::Approve => 10,
            Vote::ApproveWithSuggestions => 5,
            Vote::None => 0,
            Vote::WaitForAuthor => -5,
            Vote::Reject => -10,
        };
        let path = ["pullrequests", &id.to_string(), "reviewers", &me];
        self.git(
            Method::PUT,
            &path,
            &[],
            Some(&json!({ "id": me, "vote": vote })),
        )?;
        Ok(())
    }

    pub(super) fn request_completion(
        &self,
        pull_request: &PullRequest,
        how: &Completion,
    ) -> Result<(), BranchError> {
        let body = json!({
            "status": "completed",
            "lastMergeSourceCommit": { "commitId": pull_request.source_commit },
            "completionOptions": options(how),
        });
        let path = ["pullrequests", &pull_request.id.to_string()];
        self.git(Method::PATCH, &path, &[], Some(&body))?;
        Ok(())
    }

    pub(super) fn set_auto_complete(&self, id: i64, how: &Completion) -> Result<(), BranchError> {
        let body = json!({
            "autoCompleteSetBy": { "id": self.me()? },
            "completionOptions": options(how),
        });
        self.git(
            Method::PATCH,
            &["pullrequests", &id.to_string()],
            &[],
            Some(&body),
        )?;
        Ok(())
    }

    pub(super) fn read_checks(&self, id: i64) -> Result<Vec<Check>, BranchError> {
        let artifact = format!(
            "vstfs:///CodeReview/CodeReviewId/{}/{id}",
            self.about()?.project
        );
        let query = [("artifactId", artifact.as_str())];
        let found = self.project(Method::GET, &["policy", "evaluations"], &query, None)?;
        let checks = found["value"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|evaluation| {
                let configuration = &evaluation["configuration"];
                let own = configuration
                    .pointer("/settings/displayName")
                    .and_then(Value::as_str);
                let kind = configuration
                    .pointer("/type/displayName")
                    .and_then(Value::as_str);
                let state = match evaluation["status"].as_str().unwrap_or_default() {
                    "queued" => CheckState::Queued,
                    "running" => CheckState::Running,
                    "approved" => CheckState::Approved,
                    "rejected" => CheckState::Rejected,
                    "notApplicable" => CheckState::NotApplicable,
                    _ => CheckState::Broken,
                };
                Check {
                    title: own
                        .filter(|own| !own.is_empty())
                        .or(kind)
                        .unwrap_or_default()
                        .to_owned(),
                    state,
                    blocking: configuration["isBlocking"].as_bool().unwrap_or(false),
                    build: evaluation
                        .pointer("/context/buildId")
                        .and_then(Value::as_i64),
                }
            });
        Ok(checks.collect())
    }

    /// The caller's own id.
    fn me(&self) -> Result<String, BranchError> {
        let data = self.json(Method::GET, &["_apis", "connectionData"], &[], None)?;
        let id = data
            .pointer("/authenticatedUser/id")
            .and_then(Value::as_str);
        Ok(id.unwrap_or_default().to_owned())
    }
}

fn options(how: &Completion) -> Value {
    let mut options = json!({
        "deleteSourceBranch": how.delete_source,
        "transitionWorkItems": how.advance_work_items,
    });
    if let Some(strategy) = how.strategy {
        options["mergeStrategy"] = match strategy {
            MergeStrategy::Merge => "noFastForward",
            MergeStrategy::Squash => "squash",
            MergeStrategy::Rebase => "rebase",
            MergeStrategy::RebaseMerge => "rebaseMerge",
        }
        .into();
    }
    if let Some(message) = &how.message {
        options["mergeCommitMessage"] = message.clone().into();
    }
    options
}

fn read(value: &Value) -> PullRequest {
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let at = |pointer: &str| {
        value
            .pointer(pointer)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let id = value["pullRequestId"].as_i64().unwrap_or_default();
    let labels = value["labels"].as_array().into_iter().flatten();
    let repository = at("/repository/webUrl").or_else(|| at("/repository/remoteUrl"));
    PullRequest {
        id,
        state: match value["status"].as_str().unwrap_or_default() {
            "completed" => PullRequestState::Completed,
            "abandoned" => PullRequestState::Abandoned,
            _ => PullRequestState::Active,
        },
        title: text("title"),
        description: text("description"),
        source: short(&text("sourceRefName")),
        target: short(&text("targetRefName")),
        draft: value["isDraft"].as_bool().unwrap_or(false),
        labels: labels
            .filter_map(|label| Some(label["name"].as_str()?.to_owned()))
            .collect(),
        source_commit: at("/lastMergeSourceCommit/commitId").unwrap_or_default(),
        merge_commit: at("/lastMergeCommit/commitId"),
        merge_status: text("mergeStatus"),
        author: at("/createdBy/displayName").unwrap_or_default(),
        web: repository.map_or_else(String::new, |it| format!("{it}/pullrequest/{id}")),
    }
}
