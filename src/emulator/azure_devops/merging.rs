//! Merging pull requests: the test merge that every change of either side repeats, and completion
//! with its four strategies (facts/git-hosts.md, sections 3.1 and 3.2).

use serde_json::Value;

use super::evaluations;
use super::organisation::{Organisation, flag, named};
use super::policies;
use super::pull_requests::PullRequest;
use super::refs::{self, Move};
use super::refusal::{Answer, bad_request, conflict, ok, say};
use super::repositories::Repository;
use super::work_items;
use crate::git::{BareRepository, Expected, Merge, ObjectId};
use crate::transport::StatusCode;

const STRATEGIES: [(&str, i64); 4] = [
    ("noFastForward", 1),
    ("squash", 2),
    ("rebase", 3),
    ("rebaseMerge", 4),
];

/// Tries the merge, writes what came of it into the pull request and, when it worked, makes
/// `refs/pull/<id>/merge`, which is what a validation build checks out.
pub(super) fn test(
    organisation: &Organisation<'_>,
    bare: &BareRepository,
    it: &mut PullRequest,
) -> Answer<()> {
    let (source, target) = (bare.reference(&it.source)?, bare.reference(&it.target)?);
    let (Some(source), Some(target)) = (source, target) else {
        it.merge_status = "failure".into();
        it.merge_commit = None;
        return Ok(());
    };
    it.source_commit = source.to_string();
    it.target_commit = target.to_string();
    match bare.merge(target, source)? {
        Merge::Conflicts(paths) => {
            it.merge_status = "conflicts".into();
            it.merge_commit = None;
            it.conflicts = paths;
        }
        Merge::Clean(tree) => {
            let short = |name: &str| name.trim_start_matches("refs/heads/").to_owned();
            let message = format!(
                "Merge pull request {} from {} into {}",
                it.id,
                short(&it.source),
                short(&it.target)
            );
            let author = organisation.author();
            let parents = [target, source];
            let merge =
                bare.commit_tree(tree, &parents, &message, &author, organisation.seconds())?;
            let name = format!("refs/pull/{}/merge", it.id);
            bare.update_reference(&name, Expected::Any, Some(merge))?;
            it.merge_status = "succeeded".into();
            it.merge_commit = Some(merge.to_string());
            it.conflicts.clear();
        }
    }
    Ok(())
}

/// `PATCH {status: completed}`: checks what has to hold and completes.
///
/// The answer shows the pull request still active with a queued merge, as the service does, which
/// completes in the background; a client has to poll.
pub(super) fn request(
    organisation: &Organisation<'_>,
    repository: &Repository,
    bare: &BareRepository,
    mut it: PullRequest,
    body: &Value,
) -> Answer {
    let Some(commit) = body
        .pointer("/lastMergeSourceCommit/commitId")
        .and_then(Value::as_str)
    else {
        let message = "Invalid argument value. Parameter name: You must specify a valid \
                       LastMergeSourceCommit to perform this operation.";
        return Err(bad_request("InvalidArgumentValueException", message));
    };
    test(organisation, bare, &mut it)?;
    if commit != it.source_commit {
        let message = "TF401192: The source branch has been modified since the last merge attempt.";
        return Err(conflict("GitPullRequestStaleException", message));
    }
    if it.draft {
        let message = "TF401181: A draft pull request cannot be completed; publish it first.";
        return Err(conflict("GitPullRequestNotEditableException", message));
    }
    if it.merge_status != "succeeded" {
        let message = format!(
            "TF401171: The pull request cannot be completed, because the merge has conflicts: {}",
            it.conflicts.join(", ")
        );
        return Err(conflict("GitPullRequestMergeConflictException", &message));
    }
    let unmet = evaluations::unmet(organisation, repository, bare, &it)?;
    if !unmet.is_empty() {
        let wants = flag(it.completion_options.get("bypassPolicy"));
        if !wants || !organisation.may_bypass()? {
            let message = format!(
                "TF401179: The pull request cannot be completed; these policies are not met: {}",
                unmet.join(", ")
            );
            return Err(say(
                StatusCode::FORBIDDEN,
                "GitPullRequestUpdateRejectedByPolicyException",
                &message,
            ));
        }
    }
    let mut answer = it.clone();
    answer.merge_status = "queued".into();
    let answer = answer.wire(organisation)?;
    complete(organisation, repository, bare, it)?;
    ok(&answer)
}

/// Merges and closes. All that has to hold was checked before.
pub(super) fn complete(
    organisation: &Organisation<'_>,
    repository: &Repository,
    bare: &BareRepository,
    mut it: PullRequest,
) -> Answer<()> {
    let source = bare.resolve(&it.source_commit)?;
    let target = bare.resolve(&it.target_commit)?;
    let options = it.completion_options.clone();
    let allowed = policies::allowed_strategies(organisation, repository, &it.target)?;
    let wanted = options
        .get("mergeStrategy")
        .and_then(|value| named(value, &STRATEGIES));
    let strategy = match (wanted, allowed.first()) {
        (Some(wanted), Some(_)) if !allowed.contains(&wanted) => {
            let message =
                format!("TF402458: The merge strategy {wanted} is not allowed by policy.");
            return Err(say(
                StatusCode::FORBIDDEN,
                "GitPullRequestUpdateRejectedByPolicyException",
                &message,
            ));
        }
        (Some(wanted), _) => wanted,
        (None, Some(first)) => first,
        (None, None) if flag(options.get("squashMerge")) => "squash",
        (None, None) => "noFastForward",
    };
    let result = merged(organisation, bare, &it, (source, target), strategy)?;
    let Some(result) = result else {
        it.merge_status = "conflicts".into();
        it.auto_complete_by = None;
        return it.save(organisation);
    };
    let mut moved = Vec::new();
    if result != target {
        bare.update_reference(&it.target, Expected::At(target), Some(result))?;
        moved.push(Move {
            name: it.target.clone(),
            old: Some(target),
            new: Some(result),
        });
    }
    it.status = "completed".into();
    it.closed = Some(organisation.now());
    it.closed_by = Some(organisation.me.object_id);
    it.merge_status = "succeeded".into();
    it.merge_commit = Some(result.to_string());
    it.save(organisation)?;
    let head = bare.head()?;
    if flag(options.get("deleteSourceBranch")) && it.source != head {
        let protected = policies::protects(organisation, repository, &it.source)?;
        let stale = bare.reference(&it.source)? != Some(source);
        if !protected && !stale {
            bare.update_reference(&it.source, Expected::At(source), None)?;
            moved.push(Move {
                name: it.source.clone(),
                old: Some(source),
                new: None,
            });
        }
    }
    if flag(options.get("transitionWorkItems")) {
        work_items::advance_linked(organisation, &it.artifact(repository.project))?;
    }
    refs::record(organisation, repository, bare, &moved)?;
    Ok(())
}

/// The commit that the target moves to, or `None` when the strategy runs into conflicts.
fn merged(
    organisation: &Organisation<'_>,
    bare: &BareRepository,
    it: &PullRequest,
    (source, target): (ObjectId, ObjectId),
    strategy: &str,
) -> Answer<Option<ObjectId>> {
    // A process that was killed after the branch moved left it merged already.
    if bare.is_ancestor(source, target)? {
        return Ok(Some(target));
    }
    let author = organisation.author();
    let seconds = organisation.seconds();
    let message = it
        .completion_options
        .get("mergeCommitMessage")
        .and_then(Value::as_str)
        .filter(|message| !message.is_empty())
        .map_or_else(
            || format!("Merged PR {}: {}", it.id, it.title),
            str::to_owned,
        );
    let commit =
        |tree, parents: &[ObjectId]| bare.commit_tree(tree, parents, &message, &author, seconds);
    let rebased = || bare.rebase(source, target, &author, seconds);
    Ok(match strategy {
        "squash" => match bare.merge(target, source)? {
            Merge::Clean(tree) => Some(commit(tree, &[target])?),
            Merge::Conflicts(_) => None,
        },
        "rebase" => match rebased()? {
            Merge::Clean(tip) => Some(tip),
            Merge::Conflicts(_) => None,
        },
        "rebaseMerge" => match rebased()? {
            Merge::Clean(tip) => Some(commit(bare.commit_info(tip)?.tree, &[target, tip])?),
            Merge::Conflicts(_) => None,
        },
        _ => match bare.merge(target, source)? {
            Merge::Clean(tree) => Some(commit(tree, &[target, source])?),
            Merge::Conflicts(_) => None,
        },
    })
}
