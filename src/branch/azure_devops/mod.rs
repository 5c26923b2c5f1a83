//! The Azure DevOps client: one repository of one project of one organisation
//! (facts/git-hosts.md, sections 1 to 9).

mod builds;
mod pipelines;
mod pull_requests;
mod request;
mod work_items;

use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use url::Url;

use super::BranchError;
use super::host::{
    Approval, Build, BuildChange, BuildFilter, BuildRequest, BuildValidation, Check, Completion,
    Decision, Definition, GitHost, HostRepository, NewDefinition, NewPullRequest, PullRequest,
    PullRequestFilter, Vote, WorkItem,
};
use crate::git::ObjectId;
use crate::transport::{Method, Transport};

/// No commit, in a reference update.
const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

/// A repository in Azure DevOps.
pub struct AzureDevOps {
    transport: Arc<dyn Transport>,
    /// `https://dev.azure.com/contoso` without a slash at its end.
    organisation: Url,
    project: String,
    repository: String,
    /// What `GET repositories/{name}` said, asked once.
    about: OnceLock<About>,
}

/// The ids that other addresses are made of.
#[derive(Debug, Clone)]
struct About {
    project: String,
    repository: String,
}

impl AzureDevOps {
    /// The repository called `repository` of `project` in the organisation at `organisation`,
    /// reached through `transport`, which signs the requests.
    pub fn new(
        transport: Arc<dyn Transport>,
        organisation: Url,
        project: impl Into<String>,
        repository: impl Into<String>,
    ) -> Self {
        let (project, repository) = (project.into(), repository.into());
        Self {
            transport,
            organisation,
            project,
            repository,
            about: OnceLock::new(),
        }
    }

    fn about(&self) -> Result<&About, BranchError> {
        if let Some(about) = self.about.get() {
            return Ok(about);
        }
        let found = self.git(Method::GET, &[], &[], None)?;
        let id = |pointer: &str| {
            found
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let about = About {
            project: id("/project/id"),
            repository: id("/id"),
        };
        Ok(self.about.get_or_init(|| about))
    }

    /// A request below the repository.
    fn git(
        &self,
        method: Method,
        rest: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, BranchError> {
        let mut path = vec![
            self.project.as_str(),
            "_apis",
            "git",
            "repositories",
            &self.repository,
        ];
        path.extend(rest);
        self.json(method, &path, query, body)
    }

    /// A request below the project.
    fn project(
        &self,
        method: Method,
        rest: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, BranchError> {
        let mut path = vec![self.project.as_str(), "_apis"];
        path.extend(rest);
        self.json(method, &path, query, body)
    }
}

impl GitHost for AzureDevOps {
    fn repository(&self) -> Result<HostRepository, BranchError> {
        let found = self.git(Method::GET, &[], &[], None)?;
        let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
        let branch = found["defaultBranch"].as_str().map(short);
        Ok(HostRepository {
            id: text("id"),
            name: text("name"),
            default_branch: branch,
            remote: text("remoteUrl"),
            web: text("webUrl"),
        })
    }

    fn update_reference(
        &self,
        name: &str,
        old: Option<ObjectId>,
        new: Option<ObjectId>,
    ) -> Result<(), BranchError> {
        let hex = |id: Option<ObjectId>| id.map_or_else(|| NO_COMMIT.into(), |id| id.to_string());
        let body = json!([{ "name": name, "oldObjectId": hex(old), "newObjectId": hex(new) }]);
        let answer = self.git(Method::POST, &["refs"], &[], Some(&body))?;
        let result = &answer["value"][0];
        let status = result["updateStatus"].as_str().unwrap_or_default();
        let branch = || name.trim_start_matches("refs/heads/").to_owned();
        // The answer is 200 whatever happened (facts/git-hosts.md, section 2.1).
        match status {
            "succeeded" | "succeededNonExistentRef" | "succeededCorruptRef" => Ok(()),
            "staleOldObjectId" if old.is_none() => Err(BranchError::BranchExists(branch())),
            "staleOldObjectId" => Err(BranchError::Changed {
                reason: format!("branch `{}`", branch()),
            }),
            "rejectedByPolicy" => Err(BranchError::Policy {
                reason: format!("`{}` is changed through pull requests only", branch()),
            }),
            other => {
                let more = result["customMessage"].as_str().unwrap_or_default();
                let reason = format!("the branch `{}` was not updated: {other} {more}", branch());
                Err(BranchError::Refused {
                    reason: reason.trim_end().to_owned(),
                    request: self.failed(&Method::POST, &["refs"], 200, Some(other)),
                })
            }
        }
    }

    fn open_pull_request(&self, new: &NewPullRequest) -> Result<PullRequest, BranchError> {
        self.create_pull_request(new)
    }

    fn pull_request(&self, id: i64) -> Result<PullRequest, BranchError> {
        self.read_pull_request(id)
    }

    fn pull_requests(&self, filter: &PullRequestFilter) -> Result<Vec<PullRequest>, BranchError> {
        self.search_pull_requests(filter)
    }

    fn pull_request_of_commit(&self, commit: &str) -> Result<Option<PullRequest>, BranchError> {
        self.find_pull_request_of_commit(commit)
    }

    fn add_label(&self, id: i64, label: &str) -> Result<(), BranchError> {
        let path = ["pullrequests", &id.to_string(), "labels"];
        self.git(Method::POST, &path, &[], Some(&json!({ "name": label })))?;
        Ok(())
    }

    fn vote(&self, id: i64, vote: Vote) -> Result<(), BranchError> {
        self.set_vote(id, vote)
    }

    fn complete(&self, pull_request: &PullRequest, how: &Completion) -> Result<(), BranchError> {
        self.request_completion(pull_request, how)
    }

    fn complete_when_ready(&self, id: i64, how: &Completion) -> Result<(), BranchError> {
        self.set_auto_complete(id, how)
    }

    fn abandon(&self, id: i64) -> Result<(), BranchError> {
        let path = ["pullrequests", &id.to_string()];
        self.git(
            Method::PATCH,
            &path,
            &[],
            Some(&json!({ "status": "abandoned" })),
        )?;
        Ok(())
    }

    fn checks(&self, id: i64) -> Result<Vec<Check>, BranchError> {
        self.read_checks(id)
    }

    fn work_items_of(&self, id: i64) -> Result<Vec<i64>, BranchError> {
        let path = ["pullrequests", &id.to_string(), "workitems"];
        let found = self.git(Method::GET, &path, &[], None)?;
        let ids = found["value"].as_array().into_iter().flatten();
        Ok(ids
            .filter_map(|item| item["id"].as_str()?.parse().ok())
            .collect())
    }

    fn work_item(&self, id: i64) -> Result<WorkItem, BranchError> {
        self.read_work_item(id)
    }

    fn create_work_item(&self, kind: &str, title: &str) -> Result<WorkItem, BranchError> {
        self.make_work_item(kind, title)
    }

    fn link_commit(&self, work_item: i64, commit: &str) -> Result<(), BranchError> {
        self.link_work_item(work_item, commit)
    }

    fn definitions(&self, name: Option<&str>) -> Result<Vec<Definition>, BranchError> {
        self.read_definitions(name)
    }

    fn ensure_definition(&self, new: &NewDefinition) -> Result<(Definition, bool), BranchError> {
        self.put_definition(new)
    }

    fn ensure_build_validation(&self, policy: &BuildValidation) -> Result<bool, BranchError> {
        self.put_build_validation(policy)
    }

    fn build_validations(&self, branch: &str) -> Result<Vec<BuildValidation>, BranchError> {
        self.read_build_validations(branch)
    }

    fn ensure_approval(
        &self,
        place: &str,
        approvers: &[String],
        self_approval: bool,
    ) -> Result<bool, BranchError> {
        self.put_approval(place, approvers, self_approval)
    }

    fn queue_build(&self, request: &BuildRequest) -> Result<Build, BranchError> {
        self.start_build(request)
    }

    fn build(&self, id: i64) -> Result<Build, BranchError> {
        self.read_build(id)
    }

    fn builds(&self, filter: &BuildFilter) -> Result<Vec<Build>, BranchError> {
        self.search_builds(filter)
    }

    fn change_build(&self, id: i64, change: BuildChange) -> Result<Build, BranchError> {
        self.patch_build(id, change)
    }

    fn write_log(&self, build: &Build, text: &str) -> Result<(), BranchError> {
        self.append_log(build, text)
    }

    fn read_log(&self, id: i64) -> Result<String, BranchError> {
        self.whole_log(id)
    }

    fn tag_build(&self, id: i64, tag: &str) -> Result<(), BranchError> {
        self.project(
            Method::PUT,
            &["build", "builds", &id.to_string(), "tags", tag],
            &[],
            None,
        )?;
        Ok(())
    }

    fn approvals(&self) -> Result<Vec<Approval>, BranchError> {
        self.read_approvals()
    }

    fn decisions(&self, build: i64) -> Result<Vec<Decision>, BranchError> {
        self.read_decisions(build)
    }

    fn decide(&self, approval: &str, approve: bool, comment: &str) -> Result<(), BranchError> {
        let status = if approve { "approved" } else { "rejected" };
        let body = json!([{ "approvalId": approval, "status": status, "comment": comment }]);
        self.project(Method::PATCH, &["pipelines", "approvals"], &[], Some(&body))?;
        Ok(())
    }
}

/// A branch's name without `refs/heads/`.
fn short(name: &str) -> String {
    name.trim_start_matches("refs/heads/").to_owned()
}

/// A branch's full name.
fn full(name: &str) -> String {
    if name.starts_with("refs/") {
        name.to_owned()
    } else {
        format!("refs/heads/{name}")
    }
}
