//! Reading commits, differences and branch statistics (facts/git-hosts.md, section 2).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::organisation::{Organisation, stamp};
use super::refs::repository_url;
use super::refusal::{Answer, list, not_emulated, not_found, ok};
use super::repositories::Repository;
use crate::git::{
    BareRepository, ChangeKind, CommitInfo, GitError, LogOptions, ObjectId, PathChange,
};
use crate::transport::Method;

/// Routes below `/commits` of a repository.
pub(super) fn route(
    organisation: &Organisation<'_>,
    repository: &Repository,
    rest: &[&str],
) -> Answer {
    let bare = repository.open(organisation)?;
    match (organisation.call.method.clone(), rest) {
        (Method::GET, []) => search(organisation, repository, &bare),
        (Method::GET, [id]) => {
            let info = bare.commit_info(version(&bare, Some(id), Some("commit"))?)?;
            ok(&wire(organisation, repository, &info)?)
        }
        (Method::GET, [id, "changes"]) => {
            let info = bare.commit_info(version(&bare, Some(id), Some("commit"))?)?;
            let changes = bare.diff(info.parents.first().copied(), info.id)?;
            ok(&json!({
                "changeCounts": counts(&changes),
                "changes": changed(organisation, repository, &changes, info.id),
            }))
        }
        (Method::GET, [id, "mergebases"]) => {
            let one = version(&bare, Some(id), Some("commit"))?;
            let other = version(&bare, organisation.query("otherCommitId"), Some("commit"))?;
            let base = bare.merge_base(one, other)?;
            list(
                base.iter()
                    .map(|id| json!({ "commitId": id.to_string() }))
                    .collect(),
            )
        }
        _ => Err(not_emulated("commit routes of this kind")),
    }
}

fn search(
    organisation: &Organisation<'_>,
    repository: &Repository,
    bare: &BareRepository,
) -> Answer {
    let criterion = |name: &str| {
        organisation
            .query(&format!("searchCriteria.{name}"))
            .or_else(|| organisation.query(&format!("searchCriteria[{name}]")))
    };
    let from = version(
        bare,
        criterion("itemVersion.version"),
        criterion("itemVersion.versionType"),
    )?;
    // With a version to compare, the commits that it has and the item version has not.
    let (from, hidden) = match criterion("compareVersion.version") {
        Some(compare) => {
            let compare = version(bare, Some(compare), criterion("compareVersion.versionType"))?;
            (compare, vec![from])
        }
        None => (from, Vec::new()),
    };
    let number = |name: &str| criterion(name).and_then(|text| text.parse().ok());
    let options = LogOptions {
        hidden,
        path: criterion("itemPath").map(|path| path.trim_matches('/').to_owned()),
        skip: number("$skip")
            .or(organisation.number("$skip")?)
            .unwrap_or(0),
        limit: Some(
            number("$top")
                .or(organisation.number("$top")?)
                .unwrap_or(100),
        ),
    };
    let author = criterion("author").map(str::to_lowercase);
    let found: Answer<Vec<Value>> = bare
        .log(from, &options)?
        .iter()
        .filter(|info| {
            author.as_ref().is_none_or(|author| {
                let name = format!("{} <{}>", info.author.name, info.author.email);
                name.to_lowercase().contains(author)
            })
        })
        .map(|info| wire(organisation, repository, info))
        .collect();
    list(found?)
}

/// `GET diffs/commits`.
pub(super) fn diff(organisation: &Organisation<'_>, repository: &Repository) -> Answer {
    let bare = repository.open(organisation)?;
    let side = |name: &str| {
        let flat = organisation.query(&format!("{name}Version"));
        let kind = organisation.query(&format!("{name}VersionType"));
        let nested = organisation.query(&format!("{name}VersionDescriptor.{name}Version"));
        version(&bare, flat.or(nested), kind)
    };
    let (base, target) = (side("base")?, side("target")?);
    let common = bare.merge_base(base, target)?;
    let from_common = organisation.query("diffCommonCommit") == Some("true");
    let old = if from_common { common } else { Some(base) };
    let changes = bare.diff(old, target)?;
    let (ahead, behind) = bare.ahead_behind(target, base)?;
    let top = organisation.number("$top")?.unwrap_or(100);
    let skip = organisation.number("$skip")?.unwrap_or(0);
    let page: Vec<PathChange> = changes.iter().skip(skip).take(top).cloned().collect();
    ok(&json!({
        "allChangesIncluded": skip + page.len() >= changes.len(),
        "changeCounts": counts(&changes),
        "changes": changed(organisation, repository, &page, target),
        "commonCommit": common.map(|id| id.to_string()),
        "baseCommit": base.to_string(),
        "targetCommit": target.to_string(),
        "aheadCount": ahead,
        "behindCount": behind,
    }))
}

/// `GET stats/branches`.
pub(super) fn branches(
    organisation: &Organisation<'_>,
    repository: &Repository,
    rest: &[&str],
) -> Answer {
    let bare = repository.open(organisation)?;
    let head = bare.head()?;
    let base = bare.reference(&head)?;
    let one = |name: &str, id: ObjectId| -> Answer<Value> {
        let (ahead, behind) = match base {
            Some(base) => bare.ahead_behind(id, base)?,
            None => (0, 0),
        };
        let full = format!("refs/heads/{name}");
        Ok(json!({
            "commit": wire(organisation, repository, &bare.commit_info(id)?)?,
            "name": name,
            "aheadCount": ahead,
            "behindCount": behind,
            "isBaseVersion": full == head,
        }))
    };
    let rest = rest.join("/");
    let named = organisation
        .query("name")
        .or((!rest.is_empty()).then_some(rest.as_str()));
    if let Some(name) = named {
        let id = version(&bare, Some(name), Some("branch"))?;
        return ok(&one(name, id)?);
    }
    let mut found = Vec::new();
    for reference in bare.references("refs/heads/")? {
        let name = reference.name.trim_start_matches("refs/heads/");
        found.push(one(name, reference.id)?);
    }
    list(found)
}

/// A commit on the wire.
pub(super) fn wire(
    organisation: &Organisation<'_>,
    repository: &Repository,
    info: &CommitInfo,
) -> Answer<Value> {
    let id = info.id.to_string();
    let signature = |person: &crate::git::Person, seconds: i64| {
        let date = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
        json!({ "name": person.name, "email": person.email, "date": stamp(date) })
    };
    let parents: Vec<String> = info.parents.iter().map(ToString::to_string).collect();
    Ok(json!({
        "commitId": id,
        "treeId": info.tree.to_string(),
        "author": signature(&info.author, info.authored),
        "committer": signature(&info.committer, info.committed),
        "comment": info.message.trim_end_matches('\n'),
        "parents": parents,
        "url": repository_url(organisation, repository, &["commits", &id]),
    }))
}

/// The commit that a version descriptor means; without one the head of the default branch.
pub(super) fn version(
    bare: &BareRepository,
    name: Option<&str>,
    kind: Option<&str>,
) -> Answer<ObjectId> {
    let name = match name {
        Some(name) => name.to_owned(),
        None => bare.head()?,
    };
    let full = match kind.unwrap_or("branch").to_ascii_lowercase().as_str() {
        "branch" | "0" if !name.starts_with("refs/") => format!("refs/heads/{name}"),
        "tag" | "1" if !name.starts_with("refs/") => format!("refs/tags/{name}"),
        _ => name.clone(),
    };
    bare.resolve(&full).map_err(|error| match error {
        GitError::Missing { .. } => {
            let message = format!(
                "TF401175: The version descriptor <{name}> could not be resolved to a version in \
                 the repository."
            );
            not_found("GitUnresolvableToCommitException", &message)
        }
        error => error.into(),
    })
}

fn counts(changes: &[PathChange]) -> Value {
    let mut counts = BTreeMap::new();
    for change in changes {
        let name = match change.kind {
            ChangeKind::Added => "Add",
            ChangeKind::Edited => "Edit",
            ChangeKind::Deleted => "Delete",
        };
        *counts.entry(name).or_insert(0) += 1;
    }
    json!(counts)
}

fn changed(
    organisation: &Organisation<'_>,
    repository: &Repository,
    changes: &[PathChange],
    commit: ObjectId,
) -> Vec<Value> {
    changes
        .iter()
        .map(|change| {
            let kind = match change.kind {
                ChangeKind::Added => "add",
                ChangeKind::Edited => "edit",
                ChangeKind::Deleted => "delete",
            };
            let path = format!("/{}", change.path);
            let url = repository_url(organisation, repository, &["items"]);
            json!({
                "item": {
                    "objectId": change.id.to_string(),
                    "gitObjectType": "blob",
                    "commitId": commit.to_string(),
                    "path": path,
                    "url": format!(
                        "{url}?path={}&versionType=Commit&version={commit}",
                        super::organisation::segment(&path)),
                },
                "changeType": kind,
            })
        })
        .collect()
}
