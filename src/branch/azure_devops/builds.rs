//! Builds, their logs, and approvals in Azure DevOps (facts/git-hosts.md, sections 5 and 6).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{AzureDevOps, full};
use crate::branch::BranchError;
use crate::branch::host::{
    Approval, Build, BuildChange, BuildFilter, BuildRequest, BuildState, Decision, Outcome,
};
use crate::transport::{HeaderValue, Method, Request};

impl AzureDevOps {
    pub(super) fn start_build(&self, request: &BuildRequest) -> Result<Build, BranchError> {
        let mut body = json!({ "definition": { "id": request.definition } });
        if let Some(branch) = &request.branch {
            body["sourceBranch"] = full(branch).into();
        }
        if let Some(commit) = &request.commit {
            body["sourceVersion"] = commit.clone().into();
        }
        if !request.variables.is_empty() {
            // A JSON object in a text, as the service wants it.
            body["parameters"] = json!(request.variables).to_string().into();
        }
        Ok(read(&self.project(
            Method::POST,
            &["build", "builds"],
            &[],
            Some(&body),
        )?))
    }

    pub(super) fn read_build(&self, id: i64) -> Result<Build, BranchError> {
        let path = ["build", "builds", &id.to_string()];
        Ok(read(&self.project(Method::GET, &path, &[], None)?))
    }

    pub(super) fn search_builds(&self, filter: &BuildFilter) -> Result<Vec<Build>, BranchError> {
        let definition = filter.definition.map(|id| id.to_string());
        let limit = filter.limit.map(|limit| limit.to_string());
        let mut query = vec![
            ("repositoryId", self.about()?.repository.as_str()),
            ("repositoryType", "TfsGit"),
            ("queryOrder", "queueTimeDescending"),
        ];
        if let Some(state) = filter.state {
            query.push((
                "statusFilter",
                match state {
                    BuildState::Queued => "notStarted",
                    BuildState::Waiting => "postponed",
                    BuildState::Running => "inProgress",
                    BuildState::Cancelling => "cancelling",
                    BuildState::Completed => "completed",
                },
            ));
        }
        if let Some(definition) = &definition {
            query.push(("definitions", definition));
        }
        if let Some(branch) = &filter.branch {
            query.push(("branchName", branch));
        }
        let path = [self.project.as_str(), "_apis", "build", "builds"];
        let found = match &limit {
            None => self.pages(&path, &query)?,
            Some(limit) => {
                query.push(("$top", limit));
                let page = self.json(Method::GET, &path, &query, None)?;
                page["value"].as_array().cloned().unwrap_or_default()
            }
        };
        Ok(found.iter().map(read).collect())
    }

    pub(super) fn patch_build(&self, id: i64, change: BuildChange) -> Result<Build, BranchError> {
        let body = match change {
            // The service itself names the controller of a build only for the oldest kind of pipelines;
            // that an agent of ours stands there is a convention of the emulated organisation (D15).
            BuildChange::Start { agent } => {
                json!({ "status": "inProgress", "controller": { "name": agent } })
            }
            BuildChange::Cancel => json!({ "status": "cancelling" }),
            BuildChange::Finish(outcome) => {
                let result = match outcome {
                    Outcome::Succeeded => "succeeded",
                    Outcome::PartiallySucceeded => "partiallySucceeded",
                    Outcome::Failed => "failed",
                    Outcome::Canceled => "canceled",
                };
                json!({ "status": "completed", "result": result })
            }
        };
        let path = ["build", "builds", &id.to_string()];
        Ok(read(&self.project(
            Method::PATCH,
            &path,
            &[],
            Some(&body),
        )?))
    }

    /// Writes through the build's plan, as the service's own agents do: into its first log.
    pub(super) fn append_log(&self, build: &Build, text: &str) -> Result<(), BranchError> {
        let plan = [
            "distributedtask",
            "hubs",
            "build",
            "plans",
            build.plan.as_str(),
            "logs",
        ];
        let id = build.id.to_string();
        let logs = self.project(Method::GET, &["build", "builds", &id, "logs"], &[], None)?;
        let first = match logs["value"][0]["id"].as_i64() {
            Some(first) => first,
            None => {
                let made = self.project(
                    Method::POST,
                    &plan,
                    &[],
                    Some(&json!({ "path": "logs\\1" })),
                )?;
                made["id"].as_i64().unwrap_or(1)
            }
        };
        let mut path = vec![self.project.as_str(), "_apis"];
        let first = first.to_string();
        path.extend(plan);
        path.push(&first);
        let mut request = Request::new(Method::POST, self.url(&path, &[]));
        request.body = text.as_bytes().to_vec();
        let kind = HeaderValue::from_static("application/octet-stream");
        request.headers.insert("content-type", kind);
        self.send(request)?;
        Ok(())
    }

    pub(super) fn whole_log(&self, id: i64) -> Result<String, BranchError> {
        let id = id.to_string();
        let logs = self.project(Method::GET, &["build", "builds", &id, "logs"], &[], None)?;
        let mut text = String::new();
        for log in logs["value"].as_array().into_iter().flatten() {
            let number = log["id"].to_string();
            let path = ["build", "builds", &id, "logs", &number];
            let lines = self.project(Method::GET, &path, &[], None)?;
            for line in lines["value"].as_array().into_iter().flatten() {
                text.push_str(line.as_str().unwrap_or_default());
                text.push('\n');
            }
        }
        Ok(text)
    }

    /// The build's timeline names the approvals that it waited for; each step of one says who
    /// decided what (facts/git-hosts.md, sections 5.1 and 6).
    pub(super) fn read_decisions(&self, id: i64) -> Result<Vec<Decision>, BranchError> {
        let path = ["build", "builds", &id.to_string(), "timeline"];
        let timeline = self.project(Method::GET, &path, &[], None)?;
        let records = timeline["records"].as_array().into_iter().flatten();
        let approvals: Vec<&str> = records
            .filter(|record| record["type"] == "Checkpoint.Approval")
            .filter_map(|record| record["id"].as_str())
            .collect();
        if approvals.is_empty() {
            return Ok(Vec::new());
        }
        let ids = approvals.join(",");
        let query = [("approvalIds", ids.as_str()), ("$expand", "steps")];
        let found = self.project(Method::GET, &["pipelines", "approvals"], &query, None)?;
        let mut decisions = Vec::new();
        for approval in found["value"].as_array().into_iter().flatten() {
            let owner = approval.pointer("/pipeline/owner/id");
            if owner.and_then(Value::as_i64) != Some(id) {
                continue;
            }
            for step in approval["steps"].as_array().into_iter().flatten() {
                let text = |pointer: &str| {
                    let text = step.pointer(pointer).and_then(Value::as_str);
                    text.unwrap_or_default().to_owned()
                };
                let approved = match step["status"].as_str() {
                    Some("approved") => true,
                    Some("rejected") => false,
                    _ => continue,
                };
                decisions.push(Decision {
                    place: approval["resource"]["name"]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned(),
                    // One who approved is not enough where the host wants several.
                    approved: approved && approval["status"] == "approved",
                    by: text("/actualApprover/uniqueName"),
                    asked: vec![
                        text("/assignedApprover/displayName"),
                        text("/assignedApprover/uniqueName"),
                    ],
                    comment: text("/comment"),
                    at: text("/lastModifiedOn"),
                });
            }
        }
        Ok(decisions)
    }

    pub(super) fn read_approvals(&self) -> Result<Vec<Approval>, BranchError> {
        let query = [("state", "pending"), ("$expand", "steps")];
        let found = self.project(Method::GET, &["pipelines", "approvals"], &query, None)?;
        let approvals = found["value"].as_array().into_iter().flatten().map(|it| {
            let text = |pointer: &str| {
                it.pointer(pointer)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            let steps = it["steps"].as_array().into_iter().flatten();
            let approver = |step: &Value| {
                step.pointer("/assignedApprover/displayName")
                    .and_then(Value::as_str)
                    .map(str::to_owned)
            };
            Approval {
                id: text("/id"),
                build: it
                    .pointer("/pipeline/owner/id")
                    .and_then(Value::as_i64)
                    .unwrap_or_default(),
                definition_name: text("/pipeline/name"),
                place: text("/resource/name"),
                instructions: text("/instructions"),
                approvers: steps.filter_map(approver).collect(),
            }
        });
        Ok(approvals.collect())
    }
}

fn read(value: &Value) -> Build {
    let text = |pointer: &str| {
        value
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let parameters: Value = serde_json::from_str(&text("/parameters")).unwrap_or_default();
    let mut variables = BTreeMap::new();
    for (name, value) in parameters.as_object().into_iter().flatten() {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        variables.insert(name.clone(), value);
    }
    let number = value
        .pointer("/triggerInfo/pr.number")
        .and_then(Value::as_str);
    Build {
        id: value["id"].as_i64().unwrap_or_default(),
        number: text("/buildNumber"),
        state: match value["status"].as_str().unwrap_or_default() {
            "inProgress" => BuildState::Running,
            "completed" => BuildState::Completed,
            "cancelling" => BuildState::Cancelling,
            "postponed" => BuildState::Waiting,
            _ => BuildState::Queued,
        },
        result: value["result"]
            .as_str()
            .filter(|result| *result != "none")
            .map(str::to_owned),
        reason: text("/reason"),
        branch: text("/sourceBranch"),
        commit: text("/sourceVersion"),
        definition: value
            .pointer("/definition/id")
            .and_then(Value::as_i64)
            .unwrap_or_default(),
        definition_name: text("/definition/name"),
        pull_request: number.and_then(|number| number.parse().ok()),
        variables,
        requested_for: text("/requestedFor/displayName"),
        requested_for_user: text("/requestedFor/uniqueName"),
        agent: Some(text("/controller/name")).filter(|name| !name.is_empty()),
        plan: text("/orchestrationPlan/planId"),
        web: text("/_links/web/href"),
    }
}
