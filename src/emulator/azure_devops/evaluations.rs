//! How each policy judges a pull request, and completing one by itself when all are content
//! (facts/git-hosts.md, sections 3.2 and 4).

use serde_json::{Value, json};
use uuid::Uuid;

use super::builds::{self, Build};
use super::filters::matches_any;
use super::merging;
use super::organisation::{Organisation, flag};
use super::policies::{self, Policy};
use super::pull_requests::{self, PullRequest};
use super::refusal::{Answer, bad_request, list, not_emulated, not_found, ok};
use super::repositories::{self, Project, Repository};
use super::{triggers, work_items};
use crate::emulator::definition::derived_id;
use crate::git::BareRepository;
use crate::transport::Method;

/// One policy's judgement.
struct Evaluation {
    policy: Policy,
    status: &'static str,
    build: Option<Build>,
}

/// The titles of the blocking policies that keep a pull request from being completed.
pub(super) fn unmet(
    organisation: &Organisation<'_>,
    repository: &Repository,
    bare: &BareRepository,
    it: &PullRequest,
) -> Answer<Vec<String>> {
    let all = evaluate(organisation, repository, bare, it)?;
    let unmet = all.into_iter().filter(|evaluation| {
        evaluation.policy.blocking && !["approved", "notApplicable"].contains(&evaluation.status)
    });
    Ok(unmet.map(|evaluation| evaluation.policy.title()).collect())
}

/// Completes a pull request that was told to complete itself, if nothing is in its way.
pub(super) fn complete_if_ready(organisation: &Organisation<'_>, id: i64) -> Answer<()> {
    let mut it = pull_requests::find(organisation, &id.to_string())?;
    if !it.is_active() || it.draft || it.auto_complete_by.is_none() {
        return Ok(());
    }
    let repository = repositories::repository(organisation, None, &it.repository.to_string())?;
    let bare = repository.open(organisation)?;
    merging::test(organisation, &bare, &mut it)?;
    it.save(organisation)?;
    if it.merge_status != "succeeded" {
        return Ok(());
    }
    // Only blocking policies hold it back, which `autoCompleteIgnoreConfigIds` cannot set aside.
    if unmet(organisation, &repository, &bare, &it)?.is_empty() {
        merging::complete(organisation, &repository, &bare, it)?;
    }
    Ok(())
}

/// Routes below `/policy/evaluations`.
pub(super) fn route(organisation: &Organisation<'_>, project: &Project, rest: &[&str]) -> Answer {
    match (organisation.call.method.clone(), rest) {
        (Method::GET, []) => {
            let artifact = organisation.query("artifactId").unwrap_or_default();
            let id = artifact.rsplit('/').next().unwrap_or_default();
            if !artifact.starts_with("vstfs:///CodeReview/CodeReviewId/") {
                let message = "artifactId is missing or does not name a pull request.";
                return Err(bad_request("ArgumentException", message));
            }
            let it = pull_requests::find(organisation, id)?;
            list(wire_all(organisation, project, &it)?)
        }
        (Method::PATCH, [id]) => {
            // Queues the build of that policy again.
            let Ok(id) = Uuid::parse_str(id) else {
                return Err(bad_request(
                    "ArgumentException",
                    "This is not an evaluation id.",
                ));
            };
            for repository in repositories::all(organisation)? {
                for mut it in pull_requests::active(organisation, &repository)? {
                    for policy in policies::of_branch(organisation, &repository, &it.target)? {
                        if evaluation_id(&policy, &it) == id {
                            let bare = repository.open(organisation)?;
                            it.builds.remove(&policy.id);
                            triggers::validate(organisation, &repository, &bare, &mut it, true)?;
                            let all = wire_all(organisation, project, &it)?;
                            let wanted = Value::from(id.to_string());
                            let found = all.iter().find(|it| it["evaluationId"] == wanted);
                            return ok(found.unwrap_or(&Value::Null));
                        }
                    }
                }
            }
            Err(not_found(
                "PolicyEvaluationRecordNotFoundException",
                "There is no such evaluation.",
            ))
        }
        _ => Err(not_emulated("policy evaluation routes of this kind")),
    }
}

fn wire_all(
    organisation: &Organisation<'_>,
    project: &Project,
    it: &PullRequest,
) -> Answer<Vec<Value>> {
    let repository = repositories::repository(organisation, None, &it.repository.to_string())?;
    let bare = repository.open(organisation)?;
    let artifact = format!("vstfs:///CodeReview/CodeReviewId/{}/{}", project.id, it.id);
    evaluate(organisation, &repository, &bare, it)?
        .into_iter()
        .map(|evaluation| {
            let mut value = json!({
                "configuration": evaluation.policy.wire(organisation)?,
                "artifactId": artifact,
                "evaluationId": evaluation_id(&evaluation.policy, it),
                "startedDate": it.created,
                "status": evaluation.status,
            });
            if let Some(build) = evaluation.build {
                value["context"] = json!({
                    "buildId": build.id,
                    "buildDefinitionId": build.definition,
                    "buildDefinitionName": build.definition_name,
                    "buildIsNotCurrent": !is_current(&evaluation.policy, it),
                    "isExpired": !is_current(&evaluation.policy, it),
                    "buildStartedUtc": build.started,
                    "buildAfterMerge": true,
                });
            }
            Ok(value)
        })
        .collect()
}

fn evaluate(
    organisation: &Organisation<'_>,
    repository: &Repository,
    bare: &BareRepository,
    it: &PullRequest,
) -> Answer<Vec<Evaluation>> {
    let mut found = Vec::new();
    for policy in policies::of_branch(organisation, repository, &it.target)? {
        let mut build = None;
        let status = if !applies(&policy, bare, it)? {
            "notApplicable"
        } else {
            match policy.kind {
                policies::BUILD => {
                    if let Some(entry) = it.builds.get(&policy.id) {
                        build = organisation.get::<Build>(builds::KIND, entry.build)?;
                    }
                    let current = is_current(&policy, it);
                    judge_build(build.as_ref().filter(|_| current))
                }
                policies::REVIEWERS => judge_votes(&policy, it),
                policies::REQUIRED_REVIEWERS => judge_required(organisation, &policy, it)?,
                policies::WORK_ITEMS => {
                    let linked =
                        work_items::linked(organisation, &it.artifact(repository.project))?;
                    if linked.is_empty() {
                        "rejected"
                    } else {
                        "approved"
                    }
                }
                policies::COMMENTS => {
                    let open = |thread: &Value| {
                        ["active", "pending"]
                            .contains(&thread["status"].as_str().unwrap_or_default())
                    };
                    if it.threads.iter().any(open) {
                        "rejected"
                    } else {
                        "approved"
                    }
                }
                policies::STATUS => judge_status(&policy, it),
                // The merge strategy is checked when it is chosen.
                _ => "approved",
            }
        };
        found.push(Evaluation {
            policy,
            status,
            build,
        });
    }
    Ok(found)
}

/// Whether a policy with a path filter concerns this pull request's files.
pub(super) fn applies(policy: &Policy, bare: &BareRepository, it: &PullRequest) -> Answer<bool> {
    let patterns: Vec<&str> = policy.settings["filenamePatterns"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if patterns.is_empty() {
        return Ok(true);
    }
    let (source, target) = (
        bare.resolve(&it.source_commit)?,
        bare.resolve(&it.target_commit)?,
    );
    let base = bare.merge_base(source, target)?;
    let changes = bare.diff(base, source)?;
    Ok(changes
        .iter()
        .any(|change| matches_any(&patterns, &change.path)))
}

/// Whether the policy's last build still says something about what would be merged now.
pub(super) fn is_current(policy: &Policy, it: &PullRequest) -> bool {
    let Some(build) = it.builds.get(&policy.id) else {
        return false;
    };
    // A valid duration of 0 means: until the target moves (facts/alm-accelerator.md, 1.3).
    let only_source = flag(policy.settings.get("queueOnSourceUpdateOnly"))
        || policy.settings["validDuration"].as_f64().unwrap_or(0.0) > 0.0;
    build.source == it.source_commit && (only_source || build.target == it.target_commit)
}

fn judge_build(build: Option<&Build>) -> &'static str {
    let Some(build) = build else { return "queued" };
    match (build.status.as_str(), build.result.as_deref()) {
        ("completed", Some("succeeded" | "partiallySucceeded")) => "approved",
        ("completed", _) => "rejected",
        ("inProgress" | "cancelling", _) => "running",
        _ => "queued",
    }
}

fn judge_votes(policy: &Policy, it: &PullRequest) -> &'static str {
    let creator_counts = flag(policy.settings.get("creatorVoteCounts"));
    let votes = it.reviewers.iter().filter(|it| it.vote != 0);
    let (mut for_it, mut against) = (0, 0);
    for reviewer in votes {
        if reviewer.vote < 0 {
            against += 1;
        } else if creator_counts || reviewer.id != it.created_by {
            for_it += 1;
        }
    }
    let needed = policy.settings["minimumApproverCount"]
        .as_i64()
        .unwrap_or(1);
    if against > 0 && !flag(policy.settings.get("allowDownvotes")) {
        "rejected"
    } else if for_it >= needed {
        "approved"
    } else {
        "running"
    }
}

fn judge_required(
    organisation: &Organisation<'_>,
    policy: &Policy,
    it: &PullRequest,
) -> Answer<&'static str> {
    for id in policy.settings["requiredReviewerIds"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let Some(id) = id.as_str().and_then(|id| Uuid::parse_str(id).ok()) else {
            continue;
        };
        let mut approved = false;
        for reviewer in it.reviewers.iter().filter(|reviewer| reviewer.vote >= 5) {
            approved |= organisation.is_member(reviewer.id, id)?;
        }
        if !approved {
            return Ok("running");
        }
    }
    Ok("approved")
}

fn judge_status(policy: &Policy, it: &PullRequest) -> &'static str {
    let wanted = |member: &str| policy.settings[member].as_str().unwrap_or_default();
    let last = it.statuses.iter().rev().find(|status| {
        status["context"]["name"].as_str() == Some(wanted("statusName"))
            && status["context"]["genre"].as_str().unwrap_or_default() == wanted("statusGenre")
    });
    match last.and_then(|status| status["state"].as_str()) {
        Some("succeeded") => "approved",
        Some("notApplicable") => "notApplicable",
        Some("failed" | "error") => "rejected",
        Some(_) => "running",
        None => "queued",
    }
}

fn evaluation_id(policy: &Policy, it: &PullRequest) -> Uuid {
    derived_id(
        "evaluation",
        &format!("{}/{}/{}", it.repository, it.id, policy.id),
    )
}
