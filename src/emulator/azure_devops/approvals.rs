//! Environments, their approval checks, and the approvals that builds wait for
//! (facts/git-hosts.md, section 6).
//!
//! A build targets the environment that its definition's variable `EnvironmentName` names
//! (facts/alm-accelerator.md, section 1.3). If that environment has an approval check, the build is
//! `postponed` until somebody approves or rejects.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::builds::{self, Build};
use super::definitions::Definition;
use super::organisation::{Organisation, named, required};
use super::refusal::{
    Answer, bad_request, conflict, list, no_content, not_emulated, not_found, ok, say,
};
use super::repositories::Project;
use super::rights::Right;
use crate::emulator::definition::derived_id;
use crate::transport::{Method, StatusCode};

const ENVIRONMENT: &str = "environment";
const CHECK: &str = "check";
const APPROVAL: &str = "approval";
/// The check type `Approval`.
const APPROVAL_CHECK: &str = "8c6f20a7-a545-4486-9777-f762fafe0d4d";
/// Thirty days, in minutes.
const DEFAULT_TIMEOUT: i64 = 43_200;
const STATUS: [(&str, i64); 3] = [("approved", 4), ("rejected", 8), ("pending", 2)];

/// An Azure DevOps environment: a place to deploy to, not a Dataverse environment.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Environment {
    id: i64,
    project: Uuid,
    name: String,
    description: String,
    created: String,
}

/// An approval check on an environment.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Check {
    id: i64,
    project: Uuid,
    environment: i64,
    settings: Value,
    timeout: i64,
}

/// An approval that a build waits for.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Approval {
    id: Uuid,
    project: Uuid,
    build: i64,
    environment: String,
    status: String,
    created: String,
    expires: String,
    minimum: usize,
    instructions: String,
    in_sequence: bool,
    blocked: Vec<Uuid>,
    /// Who asked for the build, where that person may not approve it.
    barred: Option<Uuid>,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Step {
    assigned: Uuid,
    actual: Option<Uuid>,
    status: String,
    comment: String,
    modified: String,
}

/// Postpones a build that is about to be queued, if its environment has an approval check.
pub(super) fn hold(
    organisation: &Organisation<'_>,
    definition: &Definition,
    build: &mut Build,
) -> Answer<()> {
    let queued = build
        .parameters
        .get("EnvironmentName")
        .and_then(Value::as_str);
    let Some(name) = queued.or_else(|| definition.variable("EnvironmentName")) else {
        return Ok(());
    };
    let environments: Vec<Environment> = organisation.list(ENVIRONMENT)?;
    let found = environments
        .into_iter()
        .find(|it| it.project == build.project && it.name.eq_ignore_ascii_case(name));
    let Some(environment) = found else {
        return Ok(());
    };
    let checks: Vec<Check> = organisation.list(CHECK)?;
    for check in checks
        .into_iter()
        .filter(|check| check.environment == environment.id)
    {
        let ids = |member: &str| -> Vec<Uuid> {
            let list = check.settings[member].as_array().into_iter().flatten();
            list.filter_map(|it| it["id"].as_str().and_then(|id| Uuid::parse_str(id).ok()))
                .collect()
        };
        let approvers = ids("approvers");
        let minimum = check.settings["minRequiredApprovers"].as_u64().unwrap_or(0) as usize;
        let expires = organisation
            .call
            .now
            .checked_add(SignedDuration::from_secs(check.timeout.saturating_mul(60)));
        let approval = Approval {
            id: derived_id(
                "approval",
                &format!("{}/{}/{}", build.project, build.id, check.id),
            ),
            project: build.project,
            build: build.id,
            environment: environment.name.clone(),
            status: "pending".into(),
            created: organisation.now(),
            expires: super::organisation::stamp(expires.unwrap_or(Timestamp::MAX)),
            // Nought means all of them.
            minimum: if minimum == 0 {
                approvers.len()
            } else {
                minimum.min(approvers.len())
            },
            instructions: check.settings["instructions"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            in_sequence: check.settings["executionOrder"].as_str() == Some("inSequence"),
            blocked: ids("blockedApprovers"),
            barred: (check.settings["requesterCannotBeApprover"] == Value::Bool(true))
                .then_some(build.requested_for),
            steps: approvers
                .into_iter()
                .map(|assigned| Step {
                    assigned,
                    actual: None,
                    status: "pending".into(),
                    comment: String::new(),
                    modified: organisation.now(),
                })
                .collect(),
        };
        build.status = "postponed".into();
        build.records.push(json!({
            "id": approval.id,
            "type": "Checkpoint.Approval",
            "name": format!("Approval for {}", environment.name),
            "state": "inProgress",
            "startTime": approval.created,
            "order": 1,
        }));
        organisation.put(APPROVAL, approval.id, &approval)?;
    }
    Ok(())
}

/// A waiting build was cancelled: nobody needs to approve it any more.
pub(super) fn withdraw(organisation: &Organisation<'_>, build: &Build) -> Answer<()> {
    let all: Vec<Approval> = organisation.list(APPROVAL)?;
    for mut approval in all {
        if approval.build == build.id && approval.status == "pending" {
            approval.status = "canceled".into();
            organisation.put(APPROVAL, approval.id, &approval)?;
        }
    }
    Ok(())
}

/// Ends the approvals, and their builds, that nobody answered in time.
pub(super) fn expire(organisation: &Organisation<'_>) -> Answer<()> {
    let all: Vec<Approval> = organisation.list(APPROVAL)?;
    let now = organisation.now();
    for mut approval in all {
        // Both moments have the same number of digits, so their texts compare as they do.
        if approval.status == "pending" && approval.expires < now {
            approval.status = "timedOut".into();
            settle(organisation, &approval, "canceled")?;
        }
    }
    Ok(())
}

/// Routes below `/distributedtask/environments`.
pub(super) fn environments(
    organisation: &Organisation<'_>,
    project: &Project,
    rest: &[&str],
) -> Answer {
    let wire = |it: &Environment| {
        json!({
            "id": it.id,
            "name": it.name,
            "description": it.description,
            "createdOn": it.created,
            "project": { "id": project.id, "name": project.name },
        })
    };
    let all: Vec<Environment> = organisation.list(ENVIRONMENT)?;
    let find = |id: &str| {
        all.iter()
            .find(|it| it.project == project.id && it.id.to_string() == id)
            .ok_or_else(|| {
                not_found(
                    "EnvironmentNotFoundException",
                    &format!("There is no environment {id}."),
                )
            })
    };
    match (organisation.call.method.clone(), rest) {
        (Method::GET, []) => {
            let name = organisation.query("name");
            let mine = all.iter().filter(|it| {
                it.project == project.id
                    && name.is_none_or(|name| it.name.eq_ignore_ascii_case(name))
            });
            list(mine.map(wire).collect())
        }
        (Method::POST, []) => {
            let body = organisation.body()?;
            let name = required(&body, "name")?;
            if all
                .iter()
                .any(|it| it.project == project.id && it.name.eq_ignore_ascii_case(name))
            {
                let message = format!("Environment {name} already exists.");
                return Err(conflict("EnvironmentExistsException", &message));
            }
            let environment = Environment {
                id: organisation.next(ENVIRONMENT)?,
                project: project.id,
                name: name.to_owned(),
                description: body["description"].as_str().unwrap_or_default().to_owned(),
                created: organisation.now(),
            };
            organisation.put(ENVIRONMENT, environment.id, &environment)?;
            ok(&wire(&environment))
        }
        (Method::GET, [id]) => ok(&wire(find(id)?)),
        (Method::DELETE, [id]) => {
            organisation.needs(Right::ManageChecks)?;
            organisation.delete(ENVIRONMENT, find(id)?.id)?;
            no_content()
        }
        _ => Err(not_emulated("environment routes of this kind")),
    }
}

/// Routes below `/pipelines/checks/configurations`.
pub(super) fn checks(organisation: &Organisation<'_>, project: &Project, rest: &[&str]) -> Answer {
    let wire = |it: &Check| {
        json!({
            "id": it.id,
            "type": { "id": APPROVAL_CHECK, "name": "Approval" },
            "settings": it.settings,
            "timeout": it.timeout,
            "resource": { "type": "environment", "id": it.environment.to_string() },
        })
    };
    let all: Vec<Check> = organisation.list(CHECK)?;
    match (organisation.call.method.clone(), rest) {
        (Method::GET, []) => {
            let id = organisation.query("resourceId");
            let kind = organisation.query("resourceType").unwrap_or("environment");
            let mine = all.iter().filter(|it| {
                it.project == project.id
                    && kind.eq_ignore_ascii_case("environment")
                    && id.is_none_or(|id| id == it.environment.to_string())
            });
            list(mine.map(wire).collect())
        }
        (Method::POST, []) => {
            organisation.needs(Right::ManageChecks)?;
            let body = organisation.body()?;
            let kind = body
                .pointer("/type/id")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let name = body
                .pointer("/type/name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if !kind.eq_ignore_ascii_case(APPROVAL_CHECK) && name != "Approval" {
                return Err(not_emulated("checks that are not approvals"));
            }
            let resource = &body["resource"];
            if resource["type"].as_str() != Some("environment") {
                return Err(not_emulated("checks on anything but environments"));
            }
            let id = resource["id"]
                .as_str()
                .and_then(|id| id.parse::<i64>().ok());
            let environment: Option<Environment> = match id.or(resource["id"].as_i64()) {
                Some(id) => organisation.get(ENVIRONMENT, id)?,
                None => None,
            };
            let Some(environment) = environment.filter(|it| it.project == project.id) else {
                return Err(not_found(
                    "EnvironmentNotFoundException",
                    "There is no such environment.",
                ));
            };
            let settings = body.get("settings").cloned().unwrap_or_default();
            let settings = checked_settings(organisation, settings)?;
            let check = Check {
                id: organisation.next(CHECK)?,
                project: project.id,
                environment: environment.id,
                settings,
                timeout: body["timeout"].as_i64().unwrap_or(DEFAULT_TIMEOUT),
            };
            organisation.put(CHECK, check.id, &check)?;
            ok(&wire(&check))
        }
        (Method::PATCH, [id]) => {
            organisation.needs(Right::ManageChecks)?;
            let body = organisation.body()?;
            let found = all
                .iter()
                .find(|it| it.project == project.id && it.id.to_string() == **id);
            let Some(mut check) = found.cloned() else {
                return Err(not_found(
                    "CheckConfigurationNotFoundException",
                    &format!("There is no check {id}."),
                ));
            };
            if let Some(settings) = body.get("settings").filter(|it| it.is_object()) {
                check.settings = checked_settings(organisation, settings.clone())?;
            }
            check.timeout = body["timeout"].as_i64().unwrap_or(check.timeout);
            organisation.put(CHECK, check.id, &check)?;
            ok(&wire(&check))
        }
        (Method::DELETE, [id]) => {
            organisation.needs(Right::ManageChecks)?;
            organisation.delete(CHECK, id)?;
            no_content()
        }
        _ => Err(not_emulated("check routes of this kind")),
    }
}

/// The settings of an approval check as they are kept: its approvers by id, whatever they were called.
fn checked_settings(organisation: &Organisation<'_>, mut settings: Value) -> Answer<Value> {
    let approvers = settings["approvers"].as_array().into_iter().flatten();
    let ids: Answer<Vec<Value>> = approvers
        .map(|it| Ok(json!({ "id": organisation.find_identity(it)?.object_id })))
        .collect();
    let ids = ids?;
    if ids.is_empty() {
        let message = "An approval check needs at least one approver.";
        return Err(bad_request("InvalidCheckConfigurationException", message));
    }
    settings["approvers"] = ids.into();
    Ok(settings)
}

/// Routes below `/pipelines/approvals`.
pub(super) fn route(organisation: &Organisation<'_>, project: &Project, rest: &[&str]) -> Answer {
    let all: Vec<Approval> = organisation.list(APPROVAL)?;
    let mine = all.iter().filter(|it| it.project == project.id);
    match (organisation.call.method.clone(), rest) {
        (Method::GET, []) => {
            let ids = organisation.query("approvalIds");
            let state = organisation.query("state");
            let found: Answer<Vec<Value>> = mine
                .filter(|it| {
                    ids.is_none_or(|ids| ids.split(',').any(|id| id.trim() == it.id.to_string()))
                        && state.is_none_or(|state| state.eq_ignore_ascii_case(&it.status))
                })
                .map(|it| wire(organisation, it))
                .collect();
            list(found?)
        }
        (Method::GET, [id]) => match mine.into_iter().find(|it| it.id.to_string() == **id) {
            Some(approval) => ok(&wire(organisation, approval)?),
            None => Err(unknown(id)),
        },
        (Method::PATCH, []) => {
            let body = organisation.body()?;
            let mut changed = Vec::new();
            for update in body.as_array().into_iter().flatten() {
                if update.get("reassignTo").is_some_and(|it| !it.is_null()) {
                    return Err(not_emulated("reassigning an approval"));
                }
                let id = required(update, "approvalId")?;
                let found = all
                    .iter()
                    .find(|it| it.project == project.id && it.id.to_string() == id);
                let approval = found.cloned().ok_or_else(|| unknown(id))?;
                let approval = decide(organisation, approval, update)?;
                changed.push(wire(organisation, &approval)?);
            }
            list(changed)
        }
        _ => Err(not_emulated("approval routes of this kind")),
    }
}

fn decide(
    organisation: &Organisation<'_>,
    mut approval: Approval,
    update: &Value,
) -> Answer<Approval> {
    let Some(status) = named(&update["status"], &STATUS).filter(|status| *status != "pending")
    else {
        return Err(bad_request(
            "ArgumentException",
            "status is neither approved nor rejected.",
        ));
    };
    if approval.status != "pending" {
        let message = format!("The approval is {} already.", approval.status);
        return Err(conflict("ApprovalAlreadyCompletedException", &message));
    }
    let mut mine = None;
    for (index, step) in approval.steps.iter().enumerate() {
        if step.status == "pending" && mine.is_none() && organisation.am_i(step.assigned)? {
            mine = Some(index);
        }
        if step.status == "pending" && approval.in_sequence {
            break;
        }
    }
    let mut blocked = false;
    if status == "approved" && approval.barred == Some(organisation.me.object_id) {
        return Err(say(
            StatusCode::FORBIDDEN,
            "ApprovalUnauthorizedException",
            "Whoever requested the run cannot approve it.",
        ));
    }
    for id in &approval.blocked {
        blocked |= organisation.am_i(*id)?;
    }
    let Some(mine) = mine.filter(|_| !blocked) else {
        return Err(say(
            StatusCode::FORBIDDEN,
            "ApprovalUnauthorizedException",
            "You are not one of the approvers of this approval, or not yet.",
        ));
    };
    let step = &mut approval.steps[mine];
    step.status = status.into();
    step.actual = Some(organisation.me.object_id);
    step.comment = update["comment"].as_str().unwrap_or_default().to_owned();
    step.modified = organisation.now();
    let approved = approval
        .steps
        .iter()
        .filter(|step| step.status == "approved")
        .count();
    if status == "rejected" {
        approval.status = "rejected".into();
        settle(organisation, &approval, "failed")?;
    } else if approved >= approval.minimum {
        approval.status = "approved".into();
        settle(organisation, &approval, "")?;
    } else {
        organisation.put(APPROVAL, approval.id, &approval)?;
    }
    Ok(approval)
}

/// Keeps a decided approval and lets its build go on, or ends it with `result`.
fn settle(organisation: &Organisation<'_>, approval: &Approval, result: &str) -> Answer<()> {
    organisation.put(APPROVAL, approval.id, approval)?;
    let all: Vec<Approval> = organisation.list(APPROVAL)?;
    let others = all
        .iter()
        .any(|it| it.build == approval.build && it.status == "pending");
    let Some(mut build) = organisation.get::<Build>(builds::KIND, approval.build)? else {
        return Ok(());
    };
    let id = Value::from(approval.id.to_string());
    if let Some(record) = build.records.iter_mut().find(|record| record["id"] == id) {
        record["state"] = "completed".into();
        record["finishTime"] = organisation.now().into();
        record["result"] = if result.is_empty() {
            "succeeded"
        } else {
            result
        }
        .into();
    }
    if build.status == "postponed" {
        if !result.is_empty() {
            build.finish(organisation, result);
        } else if !others {
            build.status = "notStarted".into();
        }
    }
    let over = build.is_over();
    build.save(organisation)?;
    if over {
        withdraw(organisation, &build)?;
    }
    Ok(())
}

fn wire(organisation: &Organisation<'_>, it: &Approval) -> Answer<Value> {
    let project = it.project.to_string();
    let build: Option<Build> = organisation.get(builds::KIND, it.build)?;
    let steps: Answer<Vec<Value>> = it
        .steps
        .iter()
        .enumerate()
        .map(|(index, step)| {
            let mut value = json!({
                "assignedApprover": organisation.identity(step.assigned)?,
                "status": step.status,
                "comment": step.comment,
                "order": index + 1,
                "initiatedOn": it.created,
                "lastModifiedOn": step.modified,
                "history": [],
            });
            if let Some(actual) = step.actual {
                value["actualApprover"] = organisation.identity(actual)?;
            }
            Ok(value)
        })
        .collect();
    let blocked: Answer<Vec<Value>> = it
        .blocked
        .iter()
        .map(|id| organisation.identity(*id))
        .collect();
    let mut value = json!({
        "id": it.id,
        "steps": steps?,
        "status": it.status,
        "createdOn": it.created,
        "instructions": it.instructions,
        "executionOrder": if it.in_sequence { "inSequence" } else { "anyOrder" },
        "minRequiredApprovers": it.minimum,
        "blockedApprovers": blocked?,
        "_links": { "self": {
            "href": organisation.url(
                &[&project, "_apis", "pipelines", "approvals", &it.id.to_string()]),
        } },
    });
    if let Some(build) = build {
        value["pipeline"] = json!({
            "id": build.definition.to_string(),
            "name": build.definition_name,
            "owner": {
                "id": build.id,
                "name": build.number,
                "_links": { "self": { "href": build.url(organisation, &[]) } },
            },
        });
        value["resource"] = json!({ "type": "environment", "name": it.environment });
    }
    Ok(value)
}

fn unknown(id: &str) -> super::refusal::Refusal {
    not_found(
        "ApprovalNotFoundException",
        &format!("There is no approval {id}."),
    )
}
