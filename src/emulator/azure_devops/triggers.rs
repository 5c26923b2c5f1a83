//! What a push sets in motion: validation builds, builds by continuous integration, test merges
//! and links to work items.

use serde_json::{Value, json};

use super::builds::{self, Queue};
use super::definitions::{self, Definition};
use super::evaluations;
use super::filters::{matches_any, matches_branch};
use super::merging;
use super::organisation::{Organisation, flag};
use super::policies;
use super::pull_requests::{self, Iteration, PolicyBuild, PullRequest};
use super::refs::Move;
use super::refusal::Answer;
use super::repositories::Repository;
use super::work_items;
use crate::git::{BareRepository, LogOptions};

/// A mention is looked for in at most so many commits of one push.
const MENTIONS: usize = 250;

/// Branches of a repository moved.
pub(super) fn pushed(
    organisation: &Organisation<'_>,
    repository: &Repository,
    bare: &BareRepository,
    moved: &[Move],
) -> Answer<()> {
    for update in moved
        .iter()
        .filter(|update| update.name.starts_with("refs/heads/"))
    {
        link_commits(organisation, repository, bare, update)?;
        integrate(organisation, repository, bare, update)?;
        for mut it in pull_requests::active(organisation, repository)? {
            if it.source == update.name || it.target == update.name {
                follow(organisation, repository, bare, &mut it, update)?;
            }
        }
    }
    Ok(())
}

/// Queues the builds that the policies of a pull request's target ask for and that are not there
/// for its present state. With `all`, also those of policies that wait to be queued by hand.
pub(super) fn validate(
    organisation: &Organisation<'_>,
    repository: &Repository,
    bare: &BareRepository,
    it: &mut PullRequest,
    all: bool,
) -> Answer<()> {
    if it.draft || it.merge_status != "succeeded" {
        return Ok(());
    }
    let Some(merge) = it.merge_commit.clone() else {
        return Ok(());
    };
    for policy in policies::of_branch(organisation, repository, &it.target)? {
        let by_hand = flag(policy.settings.get("manualQueueOnly")) && !all;
        if policy.kind != policies::BUILD || by_hand || evaluations::is_current(&policy, it) {
            continue;
        }
        if !evaluations::applies(&policy, bare, it)? {
            continue;
        }
        let id = policy.settings["buildDefinitionId"]
            .as_i64()
            .unwrap_or_default();
        let Some(definition) = organisation.get::<Definition>(definitions::KIND, id)? else {
            continue;
        };
        if let Some(old) = it.builds.get(&policy.id) {
            builds::supersede(organisation, old.build)?;
        }
        let short = |name: &str| name.trim_start_matches("refs/heads/").to_owned();
        let build = builds::queue(
            organisation,
            &definition,
            Queue {
                reason: "pullRequest",
                branch: format!("refs/pull/{}/merge", it.id),
                version: Some(merge.clone()),
                parameters: json!({
                    "system.pullRequest.pullRequestId": it.id.to_string(),
                    "system.pullRequest.sourceBranch": it.source,
                    "system.pullRequest.targetBranch": it.target,
                    "system.pullRequest.sourceCommitId": it.source_commit,
                }),
                template_parameters: Value::Null,
                trigger_info: json!({
                    "pr.number": it.id.to_string(),
                    "pr.isFork": "False",
                    "pr.sourceBranch": it.source,
                    "pr.targetBranch": short(&it.target),
                    "pr.sourceSha": it.source_commit,
                    "pr.title": it.title,
                }),
                requested_for: Some(it.created_by),
            },
        )?;
        let state = PolicyBuild {
            build: build.id,
            source: it.source_commit.clone(),
            target: it.target_commit.clone(),
        };
        it.builds.insert(policy.id, state);
    }
    it.save(organisation)
}

/// One side of a pull request moved.
fn follow(
    organisation: &Organisation<'_>,
    repository: &Repository,
    bare: &BareRepository,
    it: &mut PullRequest,
    update: &Move,
) -> Answer<()> {
    let source_moved = it.source == update.name;
    merging::test(organisation, bare, it)?;
    if source_moved {
        if let Some(new) = update.new {
            let forced = match update.old {
                Some(old) if bare.has(old) => !bare.is_ancestor(old, new)?,
                _ => false,
            };
            it.iterations.push(Iteration {
                source: it.source_commit.clone(),
                target: it.target_commit.clone(),
                reason: if forced { "forcePush" } else { "push" }.into(),
                at: organisation.now(),
            });
        }
        for policy in policies::of_branch(organisation, repository, &it.target)? {
            if policy.kind == policies::REVIEWERS && flag(policy.settings.get("resetOnSourcePush"))
            {
                it.reviewers
                    .iter_mut()
                    .for_each(|reviewer| reviewer.vote = 0);
            }
        }
    }
    it.save(organisation)?;
    validate(organisation, repository, bare, it, false)?;
    evaluations::complete_if_ready(organisation, it.id)
}

/// Queues every definition whose continuous integration meets the push.
fn integrate(
    organisation: &Organisation<'_>,
    repository: &Repository,
    bare: &BareRepository,
    update: &Move,
) -> Answer<()> {
    let Some(new) = update.new else { return Ok(()) };
    let info = bare.commit_info(new)?;
    // The service's own way to say "no build for this push".
    let skips = ["[skip ci]", "[ci skip]", "***NO_CI***"];
    if skips.iter().any(|mark| info.message.contains(mark)) {
        return Ok(());
    }
    // A new branch brings in what it has beyond the default branch.
    let old = match update.old {
        Some(old) if bare.has(old) => Some(old),
        _ => match bare.reference(&bare.head()?)? {
            Some(head) if head != new => bare.merge_base(head, new)?,
            _ => None,
        },
    };
    let mut changes = None;
    for definition in definitions::all(organisation)? {
        if definition.repository != repository.id || !definition.enabled {
            continue;
        }
        let Some(trigger) = definition.continuous_integration() else {
            continue;
        };
        let (branches, paths) = (
            strings(&trigger["branchFilters"]),
            strings(&trigger["pathFilters"]),
        );
        if branches.is_empty() || !matches_branch(&branches, &update.name) {
            continue;
        }
        if !paths.is_empty() {
            let changes = match &mut changes {
                Some(changes) => changes,
                empty => empty.insert(bare.diff(old, new)?),
            };
            if !changes
                .iter()
                .any(|change| matches_any(&paths, &change.path))
            {
                continue;
            }
        }
        builds::queue(
            organisation,
            &definition,
            Queue {
                reason: "individualCI",
                branch: update.name.clone(),
                version: Some(new.to_string()),
                parameters: Value::Null,
                template_parameters: Value::Null,
                trigger_info: json!({
                    "ci.sourceBranch": update.name,
                    "ci.sourceSha": new.to_string(),
                    "ci.message": info.message.lines().next().unwrap_or_default(),
                }),
                requested_for: None,
            },
        )?;
    }
    Ok(())
}

/// Links the work items that the new commits of a push mention.
fn link_commits(
    organisation: &Organisation<'_>,
    repository: &Repository,
    bare: &BareRepository,
    update: &Move,
) -> Answer<()> {
    let Some(new) = update.new else { return Ok(()) };
    let mut hidden = Vec::new();
    hidden.extend(update.old.filter(|old| bare.has(*old)));
    let head = bare.head()?;
    if update.name != head {
        hidden.extend(bare.reference(&head)?.filter(|head| *head != new));
    }
    let options = LogOptions {
        hidden,
        limit: Some(MENTIONS),
        ..LogOptions::default()
    };
    for commit in bare.log(new, &options)? {
        let artifact = format!(
            "vstfs:///Git/Commit/{}%2F{}%2F{}",
            repository.project, repository.id, commit.id
        );
        let message = &commit.message;
        work_items::link_mentioned(organisation, message, "Fixed in Commit", &artifact)?;
        if update.name == head {
            work_items::resolve_mentioned(organisation, message)?;
        }
    }
    Ok(())
}

fn strings(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}
