//! Commits made through REST: `POST pushes` (facts/git-hosts.md, section 2.2).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::commits;
use super::organisation::{Organisation, named, required};
use super::refs::{self, NO_COMMIT, commit_id, hex};
use super::refusal::{Answer, bad_request, conflict, created, not_emulated, say};
use super::repositories::Repository;
use crate::git::{BareRepository, Changes, ObjectId, Person};
use crate::transport::StatusCode;

const CHANGES: [(&str, i64); 4] = [("add", 1), ("edit", 2), ("rename", 8), ("delete", 16)];

/// `POST pushes`.
pub(super) fn create(organisation: &Organisation<'_>, repository: &Repository) -> Answer {
    let body = organisation.body()?;
    let bare = repository.open(organisation)?;
    let [update] = body["refUpdates"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
    else {
        return Err(not_emulated("pushes of several references at once"));
    };
    let name = required(update, "name")?;
    let old = update
        .get("oldObjectId")
        .and_then(Value::as_str)
        .unwrap_or(NO_COMMIT);
    let Ok(old) = commit_id(old) else {
        return Err(bad_request(
            "InvalidArgumentValueException",
            "oldObjectId is not a commit id.",
        ));
    };
    let current = bare.reference(name)?;
    // On a new branch the old id is the commit to start from.
    if current.is_some() && current != old {
        return Err(stale(name));
    }
    let mut tip = old;
    let mut made = Vec::new();
    for commit in body["commits"].as_array().into_iter().flatten() {
        let id = apply(organisation, &bare, tip, commit)?;
        tip = Some(id);
        made.push(id);
    }
    if made.is_empty() {
        return Err(bad_request(
            "ArgumentException",
            "A push needs at least one commit.",
        ));
    }
    let (status, moved) = refs::move_ref(organisation, repository, &bare, name, current, tip)?;
    let Some(moved) = moved else {
        return Err(match status {
            "staleOldObjectId" => stale(name),
            "rejectedByPolicy" => say(
                StatusCode::FORBIDDEN,
                "GitRefUpdateRejectedByPolicyException",
                "TF402455: Pushes to this branch are not permitted; you must use a pull request \
                 to update this branch.",
            ),
            other => conflict(
                "GitRefUpdateException",
                &format!("The reference {name} was not updated: {other}."),
            ),
        });
    };
    let push = refs::record(organisation, repository, &bare, &[moved])?.unwrap_or_default();
    let commits: Answer<Vec<Value>> = made
        .iter()
        .map(|id| commits::wire(organisation, repository, &bare.commit_info(*id)?))
        .collect();
    created(&json!({
        "commits": commits?,
        "refUpdates": [{
            "repositoryId": repository.id,
            "name": name,
            "oldObjectId": hex(current),
            "newObjectId": hex(tip),
        }],
        "repository": repository.short(organisation)?,
        "pushedBy": organisation.identity_ref(&organisation.me),
        "pushId": push,
        "date": organisation.now(),
        "url": refs::repository_url(organisation, repository, &["pushes", &push.to_string()]),
    }))
}

fn apply(
    organisation: &Organisation<'_>,
    bare: &BareRepository,
    parent: Option<ObjectId>,
    commit: &Value,
) -> Answer<ObjectId> {
    let mut changes = Changes::new();
    for change in commit["changes"].as_array().into_iter().flatten() {
        let path = path_of(change.pointer("/item/path"))?;
        let exists = match parent {
            Some(parent) => bare.entry(parent, &path)?.is_some(),
            None => false,
        };
        match change
            .get("changeType")
            .and_then(|value| named(value, &CHANGES))
        {
            Some("add") if exists => {
                let message = format!("TF401193: The path '/{path}' already exists.");
                return Err(bad_request("GitItemAlreadyExistsException", &message));
            }
            Some("edit" | "delete") if !exists => {
                let message = format!("TF401174: The item '/{path}' could not be found.");
                return Err(bad_request("GitItemNotFoundException", &message));
            }
            Some("add" | "edit") => changes.put(&path, content(change)?)?,
            Some("delete") => changes.delete(&path)?,
            Some("rename") => {
                let from = path_of(change.get("sourceServerItem"))?;
                let old = match parent {
                    Some(parent) => bare.read_file(parent, &from)?,
                    None => None,
                };
                let Some(old) = old else {
                    let message = format!("TF401174: The item '/{from}' could not be found.");
                    return Err(bad_request("GitItemNotFoundException", &message));
                };
                let has_new = change
                    .get("newContent")
                    .is_some_and(|content| !content.is_null());
                changes.delete(&from)?;
                changes.put(&path, if has_new { content(change)? } else { old })?;
            }
            _ => return Err(not_emulated("changes of this type in a push")),
        }
    }
    let author = match commit.get("author") {
        Some(author) => Person {
            name: author["name"].as_str().unwrap_or_default().to_owned(),
            email: author["email"].as_str().unwrap_or_default().to_owned(),
        },
        None => organisation.author(),
    };
    let tree = bare.apply(parent, &changes)?;
    let parents: Vec<ObjectId> = parent.into_iter().collect();
    let comment = required(commit, "comment")?;
    Ok(bare.commit_tree(tree, &parents, comment, &author, organisation.seconds())?)
}

fn path_of(value: Option<&Value>) -> Answer<String> {
    let path = value
        .and_then(Value::as_str)
        .unwrap_or_default()
        .trim_start_matches('/');
    crate::git::check_path(path)?;
    Ok(path.to_owned())
}

fn content(change: &Value) -> Answer<Vec<u8>> {
    let new = &change["newContent"];
    let text = new["content"].as_str().unwrap_or_default();
    let kind = named(&new["contentType"], &[("rawtext", 0), ("base64Encoded", 1)]);
    if kind != Some("base64Encoded") {
        return Ok(text.as_bytes().to_vec());
    }
    BASE64_STANDARD.decode(text).map_err(|_| {
        bad_request(
            "InvalidArgumentValueException",
            "The content is not valid base64.",
        )
    })
}

fn stale(name: &str) -> super::refusal::Refusal {
    let message = format!(
        "TF401028: The reference '{name}' has already been updated by another client, so you \
         cannot update it. Please try again."
    );
    conflict("GitReferenceStaleException", &message)
}
