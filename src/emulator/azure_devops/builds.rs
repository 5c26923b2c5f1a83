//! Builds: queueing, reading, and what an agent reports about them (facts/git-hosts.md, section 5).
//!
//! The emulated organisation has no agents of its own: a queued build waits until `alm agent`, or
//! any other client, takes it by setting its status. What the service's agents report through
//! internal routes, the state, logs and timeline, is reported here through the build itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::approvals;
use super::definitions::{self, Definition};
use super::evaluations;
use super::organisation::{Organisation, flag, named, required};
use super::pull_requests;
use super::refusal::{Answer, bad_request, conflict, list, not_emulated, not_found, ok};
use super::repositories::{self, Project};
use super::rights::Right;
use crate::emulator::definition::derived_id;
use crate::transport::Method;

pub(super) const KIND: &str = "build";
pub(super) const STATUS: [(&str, i64); 6] = [
    ("none", 0),
    ("inProgress", 1),
    ("completed", 2),
    ("cancelling", 4),
    ("postponed", 8),
    ("notStarted", 32),
];
pub(super) const RESULT: [(&str, i64); 5] = [
    ("none", 0),
    ("succeeded", 2),
    ("partiallySucceeded", 4),
    ("failed", 8),
    ("canceled", 32),
];

/// A build as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Build {
    pub id: i64,
    pub project: Uuid,
    pub repository: Uuid,
    pub definition: i64,
    pub definition_name: String,
    pub number: String,
    pub status: String,
    pub result: Option<String>,
    pub reason: String,
    pub branch: String,
    pub version: String,
    /// Queue-time variables.
    pub parameters: Value,
    pub template_parameters: Value,
    pub trigger_info: Value,
    pub requested_by: Uuid,
    pub requested_for: Uuid,
    /// The agent that took it.
    #[serde(default)]
    pub agent: Option<String>,
    pub queued: String,
    pub started: Option<String>,
    pub finished: Option<String>,
    pub tags: Vec<String>,
    pub properties: BTreeMap<String, Value>,
    pub records: Vec<Value>,
    pub artifacts: Vec<Value>,
    /// How many logs it has.
    pub logs: usize,
}

/// What a build is queued with.
pub(super) struct Queue {
    pub reason: &'static str,
    pub branch: String,
    pub version: Option<String>,
    pub parameters: Value,
    pub template_parameters: Value,
    pub trigger_info: Value,
    pub requested_for: Option<Uuid>,
}

impl Build {
    pub fn save(&self, organisation: &Organisation<'_>) -> Answer<()> {
        organisation.put(KIND, self.id, self)
    }

    pub fn is_over(&self) -> bool {
        self.status == "completed"
    }

    /// Ends it.
    pub fn finish(&mut self, organisation: &Organisation<'_>, result: &str) {
        self.status = "completed".into();
        self.result = Some(result.to_owned());
        self.finished = Some(organisation.now());
    }

    /// Builds of pull requests belong to one.
    pub fn pull_request(&self) -> Option<&str> {
        self.trigger_info["pr.number"].as_str()
    }

    pub fn url(&self, organisation: &Organisation<'_>, rest: &[&str]) -> String {
        let (project, id) = (self.project.to_string(), self.id.to_string());
        let mut path = vec![project.as_str(), "_apis", "build", "Builds", id.as_str()];
        path.extend(rest);
        organisation.url(&path)
    }

    pub fn plan(&self) -> Uuid {
        derived_id("plan", &format!("{}/{}", self.project, self.id))
    }

    pub fn wire(&self, organisation: &Organisation<'_>) -> Answer<Value> {
        let project = repositories::project(organisation, &self.project.to_string())?;
        let definition: Option<Definition> =
            organisation.get(definitions::KIND, self.definition)?;
        let definition = match definition {
            Some(definition) => definition.short(organisation)?,
            None => json!({ "id": self.definition, "name": self.definition_name }),
        };
        let (repository, id) = (self.repository.to_string(), self.id.to_string());
        let web = organisation.url(&[&project.name, "_build", "results"]);
        let mut value = json!({
            "_links": {
                "self": { "href": self.url(organisation, &[]) },
                "web": { "href": format!("{web}?buildId={id}") },
                "timeline": { "href": self.url(organisation, &["Timeline"]) },
            },
            "properties": self.properties,
            "tags": self.tags,
            "validationResults": [],
            "plans": [{ "planId": self.plan() }],
            "triggerInfo": self.trigger_info,
            "id": self.id,
            "buildNumber": self.number,
            "status": self.status,
            "queueTime": self.queued,
            "url": self.url(organisation, &[]),
            "definition": definition,
            "buildNumberRevision": 1,
            "project": project.wire(organisation),
            "uri": format!("vstfs:///Build/Build/{id}"),
            "sourceBranch": self.branch,
            "sourceVersion": self.version,
            "queue": { "id": 1, "name": "Azure Pipelines" },
            "priority": "normal",
            "reason": self.reason,
            "controller": self.agent.as_ref().map(|name| json!({ "name": name })),
            "requestedFor": organisation.identity(self.requested_for)?,
            "requestedBy": organisation.identity(self.requested_by)?,
            "lastChangedDate": self.finished.as_ref().or(self.started.as_ref()).unwrap_or(&self.queued),
            "lastChangedBy": organisation.identity(self.requested_by)?,
            "orchestrationPlan": { "planId": self.plan() },
            "logs": { "id": 0, "type": "Container", "url": self.url(organisation, &["logs"]) },
            "repository": { "id": repository, "type": "TfsGit" },
            "retainedByRelease": false,
        });
        if self.parameters.is_object() {
            value["parameters"] = self.parameters.to_string().into();
        }
        if self.template_parameters.is_object() {
            value["templateParameters"] = self.template_parameters.clone();
        }
        for (name, moment) in [("startTime", &self.started), ("finishTime", &self.finished)] {
            if let Some(moment) = moment {
                value[name] = moment.clone().into();
            }
        }
        if let Some(result) = &self.result {
            value["result"] = result.clone().into();
        }
        Ok(value)
    }
}

/// Queues a build. One whose environment has an approval check waits for the approval first.
pub(super) fn queue(
    organisation: &Organisation<'_>,
    definition: &Definition,
    queue: Queue,
) -> Answer<Build> {
    let id = organisation.next(KIND)?;
    let day: String = organisation
        .now()
        .chars()
        .filter(char::is_ascii_digit)
        .take(8)
        .collect();
    let today = organisation.next(&format!("buildNumber:{}:{day}", definition.id))?;
    let repository =
        repositories::repository(organisation, None, &definition.repository.to_string())?;
    let version = match queue.version {
        Some(version) => version,
        None => {
            let bare = repository.open(organisation)?;
            match bare.resolve(&queue.branch) {
                Ok(id) => id.to_string(),
                Err(_) => {
                    let message = format!(
                        "TF215106: The branch {} does not exist in the repository {}.",
                        queue.branch, repository.name
                    );
                    return Err(bad_request(
                        "BuildRequestValidationFailedException",
                        &message,
                    ));
                }
            }
        }
    };
    let mut build = Build {
        id,
        project: definition.project,
        repository: definition.repository,
        definition: definition.id,
        definition_name: definition.name.clone(),
        number: format!("{day}.{today}"),
        status: "notStarted".into(),
        result: None,
        reason: queue.reason.into(),
        branch: queue.branch,
        version,
        parameters: queue.parameters,
        template_parameters: queue.template_parameters,
        trigger_info: queue.trigger_info,
        requested_by: organisation.me.object_id,
        requested_for: queue.requested_for.unwrap_or(organisation.me.object_id),
        agent: None,
        queued: organisation.now(),
        started: None,
        finished: None,
        tags: Vec::new(),
        properties: BTreeMap::new(),
        records: Vec::new(),
        artifacts: Vec::new(),
        logs: 0,
    };
    approvals::hold(organisation, definition, &mut build)?;
    build.save(organisation)?;
    Ok(build)
}

/// Cancels a validation build that nobody needs any more because a newer one replaces it.
pub(super) fn supersede(organisation: &Organisation<'_>, id: i64) -> Answer<()> {
    let Some(mut build) = organisation.get::<Build>(KIND, id)? else {
        return Ok(());
    };
    match build.status.as_str() {
        "notStarted" | "postponed" => build.finish(organisation, "canceled"),
        "inProgress" => build.status = "cancelling".into(),
        _ => return Ok(()),
    }
    build.save(organisation)
}

/// The build with this id in a project.
pub(super) fn find(organisation: &Organisation<'_>, project: &Project, id: &str) -> Answer<Build> {
    let found: Option<Build> = organisation.get(KIND, id)?;
    found
        .filter(|build| build.project == project.id)
        .ok_or_else(|| {
            not_found(
                "BuildNotFoundException",
                &format!("TF14045: The build {id} does not exist."),
            )
        })
}

/// Routes below `/build/builds`, but for logs and timeline.
pub(super) fn route(organisation: &Organisation<'_>, project: &Project, rest: &[&str]) -> Answer {
    match (organisation.call.method.clone(), rest) {
        (Method::GET, []) => search(organisation, project),
        (Method::POST, []) => {
            let build = request(organisation, project)?;
            ok(&build.wire(organisation)?)
        }
        (Method::GET, [id]) => ok(&find(organisation, project, id)?.wire(organisation)?),
        (Method::PATCH, [id]) => {
            let build = find(organisation, project, id)?;
            let body = organisation.body()?;
            // Whoever asked for a build may stop it; all else about it is for the agent to say.
            let stops = named(&body["status"], &STATUS) == Some("cancelling")
                && body.get("result").is_none_or(Value::is_null);
            if !stops {
                organisation.needs(Right::ReportBuilds)?;
            } else if build.requested_for != organisation.me.object_id {
                organisation.needs(Right::StopBuilds)?;
            }
            let build = report(organisation, build, &body)?;
            ok(&build.wire(organisation)?)
        }
        (Method::GET, [id, "tags"]) => {
            let tags = find(organisation, project, id)?.tags;
            list(tags.into_iter().map(Value::from).collect())
        }
        (Method::PUT | Method::POST, [id, "tags", tag @ ..]) => {
            let mut build = find(organisation, project, id)?;
            let new: Vec<String> = match tag {
                [tag] => vec![(*tag).to_owned()],
                _ => serde_json::from_value(organisation.body()?)
                    .map_err(|_| bad_request("ArgumentException", "Tags are a list of texts."))?,
            };
            for tag in new {
                if !build.tags.iter().any(|it| it.eq_ignore_ascii_case(&tag)) {
                    build.tags.push(tag);
                }
            }
            build.save(organisation)?;
            list(build.tags.into_iter().map(Value::from).collect())
        }
        (Method::DELETE, [id, "tags", tag]) => {
            let mut build = find(organisation, project, id)?;
            build.tags.retain(|it| !it.eq_ignore_ascii_case(tag));
            build.save(organisation)?;
            list(build.tags.into_iter().map(Value::from).collect())
        }
        (Method::GET, [id, "artifacts"]) => list(find(organisation, project, id)?.artifacts),
        (Method::POST, [id, "artifacts"]) => {
            organisation.needs(Right::ReportBuilds)?;
            let mut build = find(organisation, project, id)?;
            let body = organisation.body()?;
            let name = required(&body, "name")?;
            let artifact = json!({
                "id": build.artifacts.len() + 1,
                "name": name,
                "resource": body.get("resource").cloned().unwrap_or_default(),
            });
            build.artifacts.push(artifact.clone());
            build.save(organisation)?;
            ok(&artifact)
        }
        (Method::GET, [id, "workitems" | "changes"]) => {
            find(organisation, project, id)?;
            Err(not_emulated("the changes and work items of a build"))
        }
        _ => Err(not_emulated("build routes of this kind")),
    }
}

fn search(organisation: &Organisation<'_>, project: &Project) -> Answer {
    let listed = |name: &str| -> Option<Vec<&str>> {
        organisation
            .query(name)
            .map(|text| text.split(',').map(str::trim).collect())
    };
    let values = |name: &str, names: &[(&'static str, i64)]| -> Option<Vec<&'static str>> {
        let wanted = listed(name)?;
        Some(
            wanted
                .iter()
                .filter_map(|it| named(&Value::from(*it), names))
                .collect(),
        )
    };
    let (status, result) = (
        values("statusFilter", &STATUS),
        values("resultFilter", &RESULT),
    );
    let (definitions, ids) = (listed("definitions"), listed("buildIds"));
    let (branch, reason) = (
        organisation.query("branchName"),
        organisation.query("reasonFilter"),
    );
    let (tags, number) = (listed("tagFilters"), organisation.query("buildNumber"));
    let repository = organisation.query("repositoryId");
    let fits = |it: &Build| {
        it.project == project.id
            && repository.is_none_or(|id| id.eq_ignore_ascii_case(&it.repository.to_string()))
            && status
                .as_ref()
                .is_none_or(|wanted| wanted.contains(&it.status.as_str()))
            && result.as_ref().is_none_or(|wanted| {
                it.result
                    .as_deref()
                    .is_some_and(|result| wanted.contains(&result))
            })
            && definitions
                .as_ref()
                .is_none_or(|it2| it2.contains(&it.definition.to_string().as_str()))
            && ids
                .as_ref()
                .is_none_or(|ids| ids.contains(&it.id.to_string().as_str()))
            && branch.is_none_or(|branch| branch == it.branch)
            && reason
                .is_none_or(|reason| reason == "all" || reason.eq_ignore_ascii_case(&it.reason))
            && number.is_none_or(|number| number == it.number)
            && tags.as_ref().is_none_or(|tags| {
                tags.iter()
                    .all(|tag| it.tags.iter().any(|it| it.eq_ignore_ascii_case(tag)))
            })
    };
    let all: Vec<Build> = organisation.list(KIND)?;
    let mut found: Vec<&Build> = all.iter().filter(|it| fits(it)).collect();
    let ascending = organisation
        .query("queryOrder")
        .is_some_and(|order| order.to_ascii_lowercase().ends_with("ascending"));
    if !ascending {
        found.reverse();
    }
    // The token is the id of the last build of the page before.
    if let Some(last) = organisation.number("continuationToken")? {
        let position = found.iter().position(|build| build.id == last as i64);
        found.drain(..position.map_or(0, |position| position + 1));
    }
    let top = organisation.number("$top")?.unwrap_or(1000);
    let more = found.len() > top;
    found.truncate(top);
    let values: Answer<Vec<Value>> = found.iter().map(|build| build.wire(organisation)).collect();
    let mut response = list(values?)?;
    if let (true, Some(last)) = (more, found.last()) {
        response
            .headers
            .insert("x-ms-continuationtoken", last.id.into());
    }
    Ok(response)
}

/// `POST builds`: what may be set at queue time is set, anything else is refused.
fn request(organisation: &Organisation<'_>, project: &Project) -> Answer<Build> {
    let body = organisation.body()?;
    let id = body
        .pointer("/definition/id")
        .and_then(Value::as_i64)
        .map(|id| id.to_string());
    let id = id.or_else(|| organisation.query("definitionId").map(str::to_owned));
    let definition = find_definition(organisation, project, id)?;
    let parameters = match body.get("parameters") {
        None | Some(Value::Null) => Value::Null,
        // A JSON object in a text (facts/git-hosts.md, section 5.1).
        Some(Value::String(text)) if text.trim().is_empty() => Value::Null,
        Some(Value::String(text)) => serde_json::from_str(text).map_err(|_| {
            bad_request(
                "BuildRequestValidationFailedException",
                "parameters is not JSON.",
            )
        })?,
        Some(_) => {
            let message = "parameters has to be a text with a JSON object in it.";
            return Err(bad_request(
                "BuildRequestValidationFailedException",
                message,
            ));
        }
    };
    let branch = body["sourceBranch"]
        .as_str()
        .filter(|branch| !branch.is_empty());
    let branch = match branch {
        Some(branch) if branch.starts_with("refs/") => branch.to_owned(),
        Some(branch) => format!("refs/heads/{branch}"),
        None => definition.default_branch(),
    };
    let version = body["sourceVersion"]
        .as_str()
        .filter(|version| !version.is_empty());
    start(
        organisation,
        &definition,
        branch,
        version,
        parameters,
        body.get("templateParameters").cloned().unwrap_or_default(),
    )
}

/// Queues a build for somebody.
pub(super) fn start(
    organisation: &Organisation<'_>,
    definition: &Definition,
    branch: String,
    version: Option<&str>,
    parameters: Value,
    template_parameters: Value,
) -> Answer<Build> {
    if !definition.enabled {
        let message = format!("TF215030: The definition {} is disabled.", definition.name);
        return Err(bad_request("DefinitionDisabledException", &message));
    }
    let declared = definition.body["variables"].as_object();
    for name in parameters
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name)
    {
        let variable = declared.and_then(|declared| {
            declared
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
        });
        if variable.is_some_and(|(_, variable)| !flag(variable.get("allowOverride"))) {
            let message =
                format!("You can't set the variable {name} at queue time; it is not settable.");
            return Err(bad_request(
                "BuildRequestValidationFailedException",
                &message,
            ));
        }
    }
    queue(
        organisation,
        definition,
        Queue {
            reason: "manual",
            branch,
            version: version.map(str::to_owned),
            parameters,
            template_parameters,
            trigger_info: json!({}),
            requested_for: None,
        },
    )
}

fn find_definition(
    organisation: &Organisation<'_>,
    project: &Project,
    id: Option<String>,
) -> Answer<Definition> {
    match id {
        Some(id) => definitions::find(organisation, project, &id),
        None => Err(bad_request(
            "ArgumentNullException",
            "definition.id is missing.",
        )),
    }
}

/// `PATCH builds/{id}`: an agent takes a build and ends it, or somebody cancels it.
///
/// Taking is a compare and set: of two agents one gets the build and the other `409`.
fn report(organisation: &Organisation<'_>, mut build: Build, body: &Value) -> Answer<Build> {
    let status = body.get("status").and_then(|value| named(value, &STATUS));
    let result = body.get("result").and_then(|value| named(value, &RESULT));
    let clash = |build: &Build, wanted: &str| {
        let message = format!(
            "The build {} is {}; it cannot become {wanted}.",
            build.id, build.status
        );
        conflict("BuildStatusInvalidChangeException", &message)
    };
    match (status, build.status.as_str()) {
        (None, _) => {}
        (Some("inProgress"), "notStarted") => {
            build.status = "inProgress".into();
            build.started = Some(organisation.now());
            let agent = body.pointer("/controller/name").and_then(Value::as_str);
            build.agent = agent.map(str::to_owned);
        }
        (Some("cancelling"), "notStarted" | "postponed") => {
            approvals::withdraw(organisation, &build)?;
            build.finish(organisation, "canceled");
        }
        (Some("cancelling"), "inProgress" | "cancelling") => build.status = "cancelling".into(),
        (Some("completed"), "inProgress" | "cancelling") => {
            build.finish(organisation, result.unwrap_or("succeeded"));
        }
        (Some(wanted), _) => return Err(clash(&build, wanted)),
    }
    if let Some(number) = body.get("buildNumber").and_then(Value::as_str) {
        build.number = number.to_owned();
    }
    build.save(organisation)?;
    let validates = build.pull_request().and_then(|id| id.parse::<i64>().ok());
    if let Some(id) = validates.filter(|_| build.is_over())
        && pull_requests::find(organisation, &id.to_string()).is_ok()
    {
        evaluations::complete_if_ready(organisation, id)?;
    }
    Ok(build)
}
