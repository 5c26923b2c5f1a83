//! References over REST, and the one place through which every branch of the organisation moves.
//!
//! The organisation remembers where each branch was. What moved without it, because somebody
//! pushed to the bare repository or a process was killed half-way, is noticed at the next request
//! and treated as the push that it is ([`catch_up`]).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::organisation::{Organisation, flag, segment};
use super::policies;
use super::refusal::{Answer, bad_request, list, not_found, ok};
use super::repositories::{self, Repository};
use super::triggers;
use crate::git::{BareRepository, Expected, GitError, ObjectId};
use crate::transport::Method;

/// Forty zeros: no commit, in a reference update.
pub(super) const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

/// Documents with the branches and tags of each repository as the organisation last saw them.
const SEEN: &str = "seenRefs";
/// Documents of branches that are locked.
const LOCK: &str = "refLock";
const PUSH: &str = "push";

/// One branch or tag that moved.
#[derive(Debug, Clone)]
pub(super) struct Move {
    pub name: String,
    pub old: Option<ObjectId>,
    pub new: Option<ObjectId>,
}

/// A push as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Push {
    id: i64,
    repository: uuid::Uuid,
    date: String,
    by: uuid::Uuid,
    updates: Value,
}

/// Routes below `/refs` of a repository.
pub(super) fn route(
    organisation: &Organisation<'_>,
    repository: &Repository,
    rest: &[&str],
) -> Answer {
    match (organisation.call.method.clone(), rest) {
        (Method::GET, rest) => {
            let filter = rest.join("/");
            let filter = organisation.query("filter").unwrap_or(&filter);
            read(organisation, repository, filter)
        }
        (Method::POST, []) => {
            let body = organisation.body()?;
            let updates = body.as_array().ok_or_else(|| {
                bad_request(
                    "InvalidArgumentValueException",
                    "The body is not a list of updates.",
                )
            })?;
            let results = update(organisation, repository, updates)?;
            list(results)
        }
        (Method::PATCH, rest) => {
            let filter = rest.join("/");
            let filter = organisation.query("filter").unwrap_or(&filter);
            lock(organisation, repository, filter)
        }
        _ => Err(super::refusal::not_emulated(
            "reference routes of this kind",
        )),
    }
}

fn read(organisation: &Organisation<'_>, repository: &Repository, filter: &str) -> Answer {
    let bare = repository.open(organisation)?;
    let contains = organisation.query("filterContains").unwrap_or_default();
    let prefix = format!("refs/{filter}");
    let top = organisation.number("$top")?.unwrap_or(usize::MAX);
    // The token is the name of the first reference of the next page.
    let from = organisation.query("continuationToken").unwrap_or_default();
    let mut values = Vec::new();
    let mut next = None;
    for reference in bare.references("refs/")? {
        let fits = reference.name.starts_with(&prefix)
            && reference.name.contains(contains)
            && reference.name.as_str() >= from;
        if !fits {
            continue;
        }
        if values.len() == top {
            next = Some(reference.name);
            break;
        }
        let locked = organisation.get::<Value>(LOCK, lock_id(repository, &reference.name))?;
        let short = reference.name.trim_start_matches("refs/");
        let mut value = json!({
            "name": reference.name,
            "objectId": reference.id.to_string(),
            "url": format!("{}?filter={}", repository_url(organisation, repository, &["refs"]), segment(short)),
        });
        if let Some(lock) = locked {
            value["isLocked"] = true.into();
            value["isLockedBy"] = lock;
        }
        values.push(value);
    }
    let mut response = list(values)?;
    if let Some(token) = next.and_then(|name| segment(&name).parse().ok()) {
        response.headers.insert("x-ms-continuationtoken", token);
    }
    Ok(response)
}

fn lock(organisation: &Organisation<'_>, repository: &Repository, filter: &str) -> Answer {
    let name = format!("refs/{filter}");
    let bare = repository.open(organisation)?;
    let Some(id) = bare.reference(&name)? else {
        let message = format!("TF401175: The version {name} cannot be resolved to a commit.");
        return Err(not_found("GitUnresolvableToCommitException", &message));
    };
    let locked = flag(organisation.body()?.get("isLocked"));
    if locked {
        let me = organisation.identity_ref(&organisation.me);
        organisation.put(LOCK, lock_id(repository, &name), &me)?;
    } else {
        organisation.delete(LOCK, lock_id(repository, &name))?;
    }
    ok(&json!({ "name": name, "objectId": id.to_string(), "isLocked": locked }))
}

/// `POST refs`: every update has its own result, and the answer is 200 even when one failed
/// (facts/git-hosts.md, section 2.1).
fn update(
    organisation: &Organisation<'_>,
    repository: &Repository,
    updates: &[Value],
) -> Answer<Vec<Value>> {
    let bare = repository.open(organisation)?;
    let mut results = Vec::new();
    let mut moved = Vec::new();
    for update in updates {
        let text = |name: &str| {
            update
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or(NO_COMMIT)
        };
        let (name, old, new) = (text("name"), text("oldObjectId"), text("newObjectId"));
        let (status, done) = match (commit_id(old), commit_id(new)) {
            (Ok(old), Ok(new)) => move_ref(organisation, repository, &bare, name, old, new)?,
            _ => ("unresolvableToCommit", None),
        };
        moved.extend(done);
        results.push(json!({
            "repositoryId": repository.id,
            "name": name,
            "oldObjectId": old,
            "newObjectId": new,
            "isLocked": status == "locked",
            "updateStatus": status,
            "success": status.starts_with("succeeded"),
        }));
    }
    record(organisation, repository, &bare, &moved)?;
    Ok(results)
}

/// Moves one reference for a caller, if everything allows it, and says what came of it: the
/// service's `updateStatus`, and the move if there was one.
pub(super) fn move_ref(
    organisation: &Organisation<'_>,
    repository: &Repository,
    bare: &BareRepository,
    name: &str,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
) -> Answer<(&'static str, Option<Move>)> {
    if !name.starts_with("refs/heads/") && !name.starts_with("refs/tags/") {
        return Ok(("invalidRefName", None));
    }
    if new.is_some_and(|id| bare.commit_info(id).is_err()) {
        return Ok(("unresolvableToCommit", None));
    }
    let current = match bare.reference(name) {
        Ok(current) => current,
        Err(GitError::BadName { .. }) => return Ok(("invalidRefName", None)),
        Err(error) => return Err(error.into()),
    };
    if current.is_none() && new.is_none() {
        return Ok(("succeededNonExistentRef", None));
    }
    if current != old {
        return Ok(("staleOldObjectId", None));
    }
    if current.is_none() && clashes(bare, name)? {
        return Ok(("refNameConflict", None));
    }
    let locked: Option<Value> = organisation.get(LOCK, lock_id(repository, name))?;
    let mine = organisation.me.object_id.to_string();
    if locked.is_some_and(|by| by["id"].as_str() != Some(mine.as_str())) {
        return Ok(("locked", None));
    }
    // A policy protects a branch that exists; making it is how it comes under the policy.
    if current.is_some() && policies::protects(organisation, repository, name)? {
        return Ok(("rejectedByPolicy", None));
    }
    let expected = current.map_or(Expected::Absent, Expected::At);
    match bare.update_reference(name, expected, new) {
        Ok(()) => Ok((
            "succeeded",
            Some(Move {
                name: name.to_owned(),
                old,
                new,
            }),
        )),
        Err(GitError::Stale { .. }) => Ok(("staleOldObjectId", None)),
        Err(error) => Err(error.into()),
    }
}

/// Why a push over git may not move `name`, as git shows it to the person who pushes.
pub(super) fn refuses_push(
    organisation: &Organisation<'_>,
    repository: &Repository,
    name: &str,
    creates: bool,
) -> Answer<Option<String>> {
    if name.starts_with("refs/pull/") {
        return Ok(Some(
            "TF402458: This reference is maintained by the service.".into(),
        ));
    }
    let locked: Option<Value> = organisation.get(LOCK, lock_id(repository, name))?;
    let mine = organisation.me.object_id.to_string();
    if locked.is_some_and(|by| by["id"].as_str() != Some(mine.as_str())) {
        return Ok(Some("TF402463: The branch is locked.".into()));
    }
    if !creates && policies::protects(organisation, repository, name)? {
        return Ok(Some(
            "TF402455: Pushes to this branch are not permitted; you must use a pull request to \
             update this branch."
                .into(),
        ));
    }
    Ok(None)
}

/// Keeps a push and starts what follows from it.
pub(super) fn record(
    organisation: &Organisation<'_>,
    repository: &Repository,
    bare: &BareRepository,
    moved: &[Move],
) -> Answer<Option<i64>> {
    if moved.is_empty() {
        return Ok(None);
    }
    let mut seen = seen(organisation, repository)?;
    for update in moved {
        match update.new {
            Some(id) => seen.insert(update.name.clone(), id.to_string()),
            None => seen.remove(&update.name),
        };
    }
    organisation.put(SEEN, repository.id, &seen)?;
    let id = organisation.next(PUSH)?;
    let updates: Vec<Value> = moved
        .iter()
        .map(|update| {
            json!({
                "repositoryId": repository.id,
                "name": update.name,
                "oldObjectId": hex(update.old),
                "newObjectId": hex(update.new),
            })
        })
        .collect();
    let push = Push {
        id,
        repository: repository.id,
        date: organisation.now(),
        by: organisation.me.object_id,
        updates: updates.into(),
    };
    organisation.put(PUSH, id, &push)?;
    triggers::pushed(organisation, repository, bare, moved)?;
    Ok(Some(id))
}

/// Treats branches that moved without this module as pushed by the caller.
pub(super) fn catch_up(organisation: &Organisation<'_>) -> Answer<()> {
    for repository in repositories::all(organisation)? {
        let bare = repository.open(organisation)?;
        let mut before = seen(organisation, &repository)?;
        let mut moved = Vec::new();
        for prefix in ["refs/heads/", "refs/tags/"] {
            for reference in bare.references(prefix)? {
                let old = before.remove(&reference.name);
                let new = reference.id.to_string();
                if old.as_deref() != Some(new.as_str()) {
                    let old = old.and_then(|old| commit_id(&old).ok().flatten());
                    moved.push(Move {
                        name: reference.name,
                        old,
                        new: Some(reference.id),
                    });
                }
            }
        }
        for (name, old) in before {
            moved.push(Move {
                name,
                old: commit_id(&old).ok().flatten(),
                new: None,
            });
        }
        record(organisation, &repository, &bare, &moved)?;
    }
    Ok(())
}

/// Routes below `/pushes` that read.
pub(super) fn pushes(
    organisation: &Organisation<'_>,
    repository: &Repository,
    rest: &[&str],
) -> Answer {
    let wire = |push: &Push| -> Answer<Value> {
        Ok(json!({
            "pushId": push.id,
            "date": push.date,
            "pushedBy": organisation.identity(push.by)?,
            "refUpdates": push.updates,
            "repository": repository.short(organisation)?,
            "url": repository_url(organisation, repository, &["pushes", &push.id.to_string()]),
        }))
    };
    match rest {
        [] => {
            let branch = organisation.query("searchCriteria.refName");
            let (top, skip) = (organisation.number("$top")?, organisation.number("$skip")?);
            let pushes: Vec<Push> = organisation.list(PUSH)?;
            let touches = |push: &Push| {
                branch.is_none_or(|branch| {
                    let updates = push.updates.as_array().into_iter().flatten();
                    updates
                        .into_iter()
                        .any(|update| update["name"].as_str() == Some(branch))
                })
            };
            let found: Answer<Vec<Value>> = pushes
                .iter()
                .rev()
                .filter(|push| push.repository == repository.id && touches(push))
                .skip(skip.unwrap_or(0))
                .take(top.unwrap_or(100))
                .map(wire)
                .collect();
            list(found?)
        }
        [id] => match organisation.get::<Push>(PUSH, id)? {
            Some(push) if push.repository == repository.id => ok(&wire(&push)?),
            _ => Err(not_found(
                "GitPushNotFoundException",
                &format!("There is no push {id}."),
            )),
        },
        _ => Err(super::refusal::not_emulated("push routes of this kind")),
    }
}

/// The absolute address of something below a repository.
pub(super) fn repository_url(
    organisation: &Organisation<'_>,
    repository: &Repository,
    rest: &[&str],
) -> String {
    let (project, id) = (repository.project.to_string(), repository.id.to_string());
    let mut path = vec![
        project.as_str(),
        "_apis",
        "git",
        "repositories",
        id.as_str(),
    ];
    path.extend(rest);
    organisation.url(&path)
}

/// A commit id in a request: `None` for forty zeros.
pub(super) fn commit_id(text: &str) -> Result<Option<ObjectId>, ()> {
    if text == NO_COMMIT {
        return Ok(None);
    }
    ObjectId::from_hex(text.as_bytes())
        .map(Some)
        .map_err(|_| ())
}

/// A commit id in an answer.
pub(super) fn hex(id: Option<ObjectId>) -> String {
    id.map_or_else(|| NO_COMMIT.to_owned(), |id| id.to_string())
}

fn seen(
    organisation: &Organisation<'_>,
    repository: &Repository,
) -> Answer<BTreeMap<String, String>> {
    Ok(organisation.get(SEEN, repository.id)?.unwrap_or_default())
}

fn lock_id(repository: &Repository, name: &str) -> String {
    format!("{}:{name}", repository.id)
}

/// Whether `a` exists where `a/b` is to be made, or the reverse.
fn clashes(bare: &BareRepository, name: &str) -> Answer<bool> {
    if !bare.references(&format!("{name}/"))?.is_empty() {
        return Ok(true);
    }
    let mut parent = name;
    while let Some((shorter, _)) = parent.rsplit_once('/') {
        parent = shorter;
        if parent.matches('/').count() >= 2 && bare.reference(parent)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
