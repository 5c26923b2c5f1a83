//! Pull requests: creating, reading and changing them (facts/git-hosts.md, section 3).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::organisation::{Organisation, flag, named, required};
use super::refs::repository_url;
use super::refusal::{Answer, bad_request, conflict, created, list, not_emulated, not_found, ok};
use super::repositories::{self, Project, Repository};
use super::{commits, evaluations, merging, review, triggers, work_items};
use crate::emulator::definition::derived_id;
use crate::git::{BareRepository, LogOptions, ObjectId};
use crate::transport::Method;

const KIND: &str = "pullRequest";
const STATUS: [(&str, i64); 5] = [
    ("notSet", 0),
    ("active", 1),
    ("abandoned", 2),
    ("completed", 3),
    ("all", 4),
];

/// A pull request as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PullRequest {
    pub id: i64,
    pub repository: Uuid,
    pub source: String,
    pub target: String,
    pub title: String,
    pub description: String,
    pub status: String,
    pub draft: bool,
    pub created_by: Uuid,
    pub created: String,
    pub closed_by: Option<Uuid>,
    pub closed: Option<String>,
    /// The heads of which the merge below is the test.
    pub source_commit: String,
    pub target_commit: String,
    pub merge_id: Uuid,
    pub merge_status: String,
    pub merge_commit: Option<String>,
    pub conflicts: Vec<String>,
    pub reviewers: Vec<Reviewer>,
    pub labels: Vec<String>,
    pub iterations: Vec<Iteration>,
    pub statuses: Vec<Value>,
    pub threads: Vec<Value>,
    pub completion_options: Value,
    pub auto_complete_by: Option<Uuid>,
    /// The build that a build-validation policy queued last, by the policy's id.
    pub builds: BTreeMap<i64, PolicyBuild>,
}

/// Who reviews.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Reviewer {
    pub id: Uuid,
    pub vote: i64,
    pub required: bool,
}

/// One state of the source branch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Iteration {
    pub source: String,
    pub target: String,
    pub reason: String,
    pub at: String,
}

/// A validation build and the heads that it was for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PolicyBuild {
    pub build: i64,
    pub source: String,
    pub target: String,
}

impl PullRequest {
    pub fn is_active(&self) -> bool {
        self.status == "active"
    }

    pub fn save(&self, organisation: &Organisation<'_>) -> Answer<()> {
        organisation.put(KIND, self.id, self)
    }

    /// The address by which work items link to it.
    pub fn artifact(&self, project: Uuid) -> String {
        format!(
            "vstfs:///Git/PullRequestId/{project}%2F{}%2F{}",
            self.repository, self.id
        )
    }

    pub fn wire(&self, organisation: &Organisation<'_>) -> Answer<Value> {
        let repository =
            repositories::repository(organisation, None, &self.repository.to_string())?;
        let url = pull_request_url(organisation, &repository, self.id, &[]);
        let commit = |id: &str| {
            json!({
                "commitId": id,
                "url": repository_url(organisation, &repository, &["commits", id]),
            })
        };
        let reviewers: Answer<Vec<Value>> = self
            .reviewers
            .iter()
            .map(|it| review::wire(organisation, it))
            .collect();
        let mut value = json!({
            "repository": repository.short(organisation)?,
            "pullRequestId": self.id,
            "codeReviewId": self.id,
            "status": self.status,
            "createdBy": organisation.identity(self.created_by)?,
            "creationDate": self.created,
            "title": self.title,
            "description": self.description,
            "sourceRefName": self.source,
            "targetRefName": self.target,
            "mergeStatus": self.merge_status,
            "isDraft": self.draft,
            "mergeId": self.merge_id,
            "lastMergeSourceCommit": commit(&self.source_commit),
            "lastMergeTargetCommit": commit(&self.target_commit),
            "reviewers": reviewers?,
            "labels": self.labels.iter().map(|it| review::label(organisation, self, it)).collect::<Vec<_>>(),
            "url": url,
            "_links": { "self": { "href": url } },
            "supportsIterations": true,
            "artifactId": self.artifact(repository.project).replace("%2F", "%2f"),
        });
        if let Some(id) = &self.merge_commit {
            value["lastMergeCommit"] = commit(id);
        }
        if let (Some(by), Some(date)) = (self.closed_by, &self.closed) {
            value["closedBy"] = organisation.identity(by)?;
            value["closedDate"] = date.clone().into();
        }
        if self.completion_options.is_object() {
            value["completionOptions"] = self.completion_options.clone();
        }
        if let Some(by) = self.auto_complete_by {
            value["autoCompleteSetBy"] = organisation.identity(by)?;
        }
        if self.merge_status == "conflicts" {
            value["mergeFailureMessage"] =
                format!("The merge has conflicts in: {}", self.conflicts.join(", ")).into();
        }
        Ok(value)
    }
}

/// Routes below `/pullrequests` of a repository.
pub(super) fn route(
    organisation: &Organisation<'_>,
    repository: &Repository,
    rest: &[&str],
) -> Answer {
    match (organisation.call.method.clone(), rest) {
        (Method::GET, []) => search(organisation, |it| it.repository == repository.id),
        (Method::POST, []) => create(organisation, repository),
        (method, [id, rest @ ..]) => {
            let pull_request = find(organisation, id)?;
            if pull_request.repository != repository.id {
                return Err(unknown(id));
            }
            one(organisation, repository, pull_request, &method, rest)
        }
        _ => Err(not_emulated("pull request routes of this kind")),
    }
}

/// Routes below `/git/pullrequests`, without a repository.
pub(super) fn across(
    organisation: &Organisation<'_>,
    project: Option<&Project>,
    rest: &[&str],
) -> Answer {
    match (organisation.call.method.clone(), rest) {
        (Method::GET, []) => {
            let repositories = repositories::all(organisation)?;
            search(organisation, |it| {
                repositories.iter().any(|repository| {
                    repository.id == it.repository
                        && project.is_none_or(|project| project.id == repository.project)
                })
            })
        }
        (method, [id, rest @ ..]) => {
            let pull_request = find(organisation, id)?;
            let id = pull_request.repository.to_string();
            let repository = repositories::repository(organisation, project, &id)?;
            one(organisation, &repository, pull_request, &method, rest)
        }
        _ => Err(not_emulated("pull request routes of this kind")),
    }
}

fn one(
    organisation: &Organisation<'_>,
    repository: &Repository,
    pull_request: PullRequest,
    method: &Method,
    rest: &[&str],
) -> Answer {
    match (method, rest) {
        (&Method::GET, []) => {
            let mut value = pull_request.wire(organisation)?;
            if organisation.query("includeWorkItemRefs") == Some("true") {
                let artifact = pull_request.artifact(repository.project);
                value["workItemRefs"] = work_items::linked(organisation, &artifact)?.into();
            }
            ok(&value)
        }
        (&Method::PATCH, []) => change(organisation, repository, pull_request),
        (&Method::GET, ["commits"]) => {
            let bare = repository.open(organisation)?;
            let commits: Answer<Vec<Value>> = commits_of(&bare, &pull_request)?
                .iter()
                .map(|info| commits::wire(organisation, repository, info))
                .collect();
            list(commits?)
        }
        (&Method::GET, ["iterations"]) => {
            let wire = |(index, it): (usize, &Iteration)| {
                json!({
                    "id": index + 1,
                    "createdDate": it.at,
                    "reason": it.reason,
                    "sourceRefCommit": { "commitId": it.source },
                    "targetRefCommit": { "commitId": it.target },
                })
            };
            list(
                pull_request
                    .iterations
                    .iter()
                    .enumerate()
                    .map(wire)
                    .collect(),
            )
        }
        (&Method::GET, ["workitems"]) => {
            let artifact = pull_request.artifact(repository.project);
            list(work_items::linked(organisation, &artifact)?)
        }
        _ => review::route(organisation, repository, pull_request, method, rest),
    }
}

fn search(organisation: &Organisation<'_>, fits: impl Fn(&PullRequest) -> bool) -> Answer {
    let criterion = |name: &str| organisation.query(&format!("searchCriteria.{name}"));
    let status = match criterion("status") {
        None => "active",
        Some(text) => named(&text.into(), &STATUS).ok_or_else(|| {
            bad_request(
                "ArgumentException",
                &format!("{text} is not a pull request status."),
            )
        })?,
    };
    let same = |wanted: Option<&str>, actual: &str| wanted.is_none_or(|it| it == actual);
    let (top, skip) = (organisation.number("$top")?, organisation.number("$skip")?);
    let all: Vec<PullRequest> = organisation.list(KIND)?;
    let found: Answer<Vec<Value>> = all
        .iter()
        .rev()
        .filter(|it| fits(it))
        .filter(|it| status == "all" || it.status == status)
        .filter(|it| same(criterion("sourceRefName"), &it.source))
        .filter(|it| same(criterion("targetRefName"), &it.target))
        .filter(|it| same(criterion("creatorId"), &it.created_by.to_string()))
        .filter(|it| same(criterion("repositoryId"), &it.repository.to_string()))
        .filter(|it| {
            criterion("reviewerId").is_none_or(|id| {
                it.reviewers
                    .iter()
                    .any(|reviewer| reviewer.id.to_string() == id)
            })
        })
        .skip(skip.unwrap_or(0))
        .take(top.unwrap_or(101))
        .map(|it| it.wire(organisation))
        .collect();
    list(found?)
}

fn create(organisation: &Organisation<'_>, repository: &Repository) -> Answer {
    let body = organisation.body()?;
    let bare = repository.open(organisation)?;
    let (source, target) = (
        required(&body, "sourceRefName")?,
        required(&body, "targetRefName")?,
    );
    if body.get("forkSource").is_some_and(|fork| !fork.is_null()) {
        return Err(not_emulated("pull requests from forks"));
    }
    let head = |name: &str| -> Answer<ObjectId> {
        bare.reference(name)?.ok_or_else(|| {
            let message = format!("TF401398: The pull request cannot be activated because the branch {name} no longer exists.");
            bad_request("GitPullRequestBranchNotFoundException", &message)
        })
    };
    let (source_commit, target_commit) = (head(source)?, head(target)?);
    if source == target {
        let message = "TF401178: The source and the target branch are the same.";
        return Err(bad_request("InvalidArgumentValueException", message));
    }
    let all: Vec<PullRequest> = organisation.list(KIND)?;
    let same = |it: &&PullRequest| {
        it.repository == repository.id
            && it.is_active()
            && it.source == source
            && it.target == target
    };
    if all.iter().any(|it| same(&it)) {
        let message = "TF401179: An active pull request for the source and target branch already \
                       exists.";
        return Err(conflict("GitPullRequestExistsException", message));
    }
    let id = organisation.next(KIND)?;
    let mut pull_request = PullRequest {
        id,
        repository: repository.id,
        source: source.to_owned(),
        target: target.to_owned(),
        title: required(&body, "title")?.to_owned(),
        description: body["description"].as_str().unwrap_or_default().to_owned(),
        status: "active".into(),
        draft: flag(body.get("isDraft")),
        created_by: organisation.me.object_id,
        created: organisation.now(),
        closed_by: None,
        closed: None,
        source_commit: source_commit.to_string(),
        target_commit: target_commit.to_string(),
        merge_id: derived_id("merge", &format!("{}/{id}", organisation.name)),
        merge_status: "queued".into(),
        merge_commit: None,
        conflicts: Vec::new(),
        reviewers: Vec::new(),
        labels: Vec::new(),
        iterations: vec![Iteration {
            source: source_commit.to_string(),
            target: target_commit.to_string(),
            reason: "create".into(),
            at: organisation.now(),
        }],
        statuses: Vec::new(),
        threads: Vec::new(),
        completion_options: body.get("completionOptions").cloned().unwrap_or_default(),
        auto_complete_by: None,
        builds: BTreeMap::new(),
    };
    for reviewer in body["reviewers"].as_array().into_iter().flatten() {
        let identity = organisation.find_identity(reviewer)?;
        let required = flag(reviewer.get("isRequired"));
        pull_request.reviewers.push(Reviewer {
            id: identity.object_id,
            vote: 0,
            required,
        });
    }
    for label in body["labels"].as_array().into_iter().flatten() {
        review::add_label(&mut pull_request, required(label, "name")?)?;
    }
    // The service answers before it has tried the merge.
    let answer = pull_request.wire(organisation)?;
    merging::test(organisation, &bare, &mut pull_request)?;
    pull_request.save(organisation)?;
    let artifact = pull_request.artifact(repository.project);
    for item in body["workItemRefs"].as_array().into_iter().flatten() {
        let number = item["id"]
            .as_str()
            .and_then(|id| id.parse().ok())
            .or(item["id"].as_i64());
        work_items::link(
            organisation,
            number.unwrap_or_default(),
            "Pull Request",
            &artifact,
        )?;
    }
    let text = format!("{} {}", pull_request.title, pull_request.description);
    work_items::link_mentioned(organisation, &text, "Pull Request", &artifact)?;
    triggers::validate(organisation, repository, &bare, &mut pull_request, false)?;
    created(&answer)
}

fn change(
    organisation: &Organisation<'_>,
    repository: &Repository,
    mut pull_request: PullRequest,
) -> Answer {
    let body = organisation.body()?;
    let bare = repository.open(organisation)?;
    if let Some(title) = body.get("title").and_then(Value::as_str) {
        pull_request.title = title.to_owned();
    }
    if let Some(description) = body.get("description").and_then(Value::as_str) {
        pull_request.description = description.to_owned();
    }
    if body.get("isDraft").is_some() {
        pull_request.draft = flag(body.get("isDraft"));
    }
    if let Some(options) = body
        .get("completionOptions")
        .filter(|options| options.is_object())
    {
        pull_request.completion_options = options.clone();
    }
    if let Some(target) = body.get("targetRefName").and_then(Value::as_str)
        && target != pull_request.target
    {
        pull_request.target = target.to_owned();
        merging::test(organisation, &bare, &mut pull_request)?;
    }
    if let Some(by) = body.get("autoCompleteSetBy") {
        let id = by["id"].as_str().and_then(|id| Uuid::parse_str(id).ok());
        pull_request.auto_complete_by = id.filter(|id| !id.is_nil());
    }
    let wanted = body.get("status").and_then(|value| named(value, &STATUS));
    match wanted {
        None | Some("notSet") => {}
        Some("abandoned") if pull_request.is_active() => {
            pull_request.status = "abandoned".into();
            pull_request.closed = Some(organisation.now());
            pull_request.closed_by = Some(organisation.me.object_id);
        }
        Some("active") if pull_request.status == "abandoned" => {
            pull_request.status = "active".into();
            (pull_request.closed, pull_request.closed_by) = (None, None);
            merging::test(organisation, &bare, &mut pull_request)?;
        }
        Some("completed") if pull_request.is_active() => {
            return merging::request(organisation, repository, &bare, pull_request, &body);
        }
        Some(status) if status == pull_request.status => {}
        Some(status) => {
            let message = format!(
                "TF401181: The pull request cannot be edited due to its state: {} to {status}.",
                pull_request.status
            );
            return Err(conflict("GitPullRequestNotEditableException", &message));
        }
    }
    pull_request.save(organisation)?;
    let text = format!("{} {}", pull_request.title, pull_request.description);
    let artifact = pull_request.artifact(repository.project);
    work_items::link_mentioned(organisation, &text, "Pull Request", &artifact)?;
    let answer = pull_request.wire(organisation)?;
    if pull_request.is_active() {
        triggers::validate(organisation, repository, &bare, &mut pull_request, false)?;
        evaluations::complete_if_ready(organisation, pull_request.id)?;
    }
    ok(&answer)
}

/// The pull request with this id.
pub(super) fn find(organisation: &Organisation<'_>, id: &str) -> Answer<PullRequest> {
    organisation.get(KIND, id)?.ok_or_else(|| unknown(id))
}

/// All active pull requests of a repository.
pub(super) fn active(
    organisation: &Organisation<'_>,
    repository: &Repository,
) -> Answer<Vec<PullRequest>> {
    let all: Vec<PullRequest> = organisation.list(KIND)?;
    Ok(all
        .into_iter()
        .filter(|it| it.is_active() && it.repository == repository.id)
        .collect())
}

/// The commits that the source has and the target has not, newest first.
pub(super) fn commits_of(
    bare: &BareRepository,
    pull_request: &PullRequest,
) -> Answer<Vec<crate::git::CommitInfo>> {
    let source = bare.resolve(&pull_request.source_commit)?;
    let target = bare.resolve(&pull_request.target_commit)?;
    Ok(bare.log(
        source,
        &LogOptions {
            hidden: vec![target],
            ..LogOptions::default()
        },
    )?)
}

/// The absolute address of something below a pull request.
pub(super) fn pull_request_url(
    organisation: &Organisation<'_>,
    repository: &Repository,
    id: i64,
    rest: &[&str],
) -> String {
    let id = id.to_string();
    let mut path = vec!["pullRequests", id.as_str()];
    path.extend(rest);
    repository_url(organisation, repository, &path)
}

fn unknown(id: &str) -> super::refusal::Refusal {
    let message = format!("TF401180: The requested pull request was not found: {id}.");
    not_found("GitPullRequestNotFoundException", &message)
}
