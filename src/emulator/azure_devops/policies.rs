//! Branch policies: their configurations and where they apply (facts/git-hosts.md, section 4).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::organisation::{Organisation, flag};
use super::refusal::{Answer, bad_request, list, no_content, not_emulated, not_found, ok};
use super::repositories::{Project, Repository};
use super::rights::Right;
use crate::transport::Method;

const KIND: &str = "policy";

/// The policy types that the emulated organisation enforces.
pub(super) const BUILD: Uuid = Uuid::from_u128(0x0609b952_1397_4640_95ec_e00a01b2c241);
pub(super) const REVIEWERS: Uuid = Uuid::from_u128(0xfa4e907d_c16b_4a4c_9dfa_4906e5d171dd);
pub(super) const REQUIRED_REVIEWERS: Uuid = Uuid::from_u128(0xfd2167ab_b0be_447a_8ec8_39368250530e);
pub(super) const WORK_ITEMS: Uuid = Uuid::from_u128(0x40e92b44_2fe1_4dd6_b3d8_74a9c21d0c6e);
pub(super) const COMMENTS: Uuid = Uuid::from_u128(0xc6a1889d_b943_4856_b76f_9e46bb6b0df2);
pub(super) const MERGE: Uuid = Uuid::from_u128(0xfa4e907d_c16b_4a4c_9dfa_4916e5d171ab);
pub(super) const STATUS: Uuid = Uuid::from_u128(0xcbdc66da_9728_4af8_aada_9a5a32e4a226);

const TYPES: [(Uuid, &str); 7] = [
    (BUILD, "Build"),
    (REVIEWERS, "Minimum number of reviewers"),
    (REQUIRED_REVIEWERS, "Required reviewers"),
    (WORK_ITEMS, "Work item linking"),
    (COMMENTS, "Comment requirements"),
    (MERGE, "Require a merge strategy"),
    (STATUS, "Status"),
];

/// A policy configuration as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Policy {
    pub id: i64,
    pub project: Uuid,
    pub kind: Uuid,
    pub revision: i64,
    pub enabled: bool,
    pub blocking: bool,
    pub created: String,
    pub created_by: Uuid,
    pub settings: Value,
}

impl Policy {
    /// What a person calls it.
    pub fn title(&self) -> String {
        let own = self.settings["displayName"]
            .as_str()
            .filter(|name| !name.is_empty());
        let own = own.or_else(|| self.settings["statusName"].as_str());
        own.unwrap_or_else(|| type_name(self.kind)).to_owned()
    }

    /// Whether it applies to a branch.
    pub fn covers(&self, repository: &Repository, branch: &str) -> bool {
        let scopes = self.settings["scope"].as_array().into_iter().flatten();
        self.project == repository.project
            && self.enabled
            && scopes.into_iter().any(|scope| {
                let same = match scope["repositoryId"].as_str() {
                    None => true,
                    Some(id) => id.eq_ignore_ascii_case(&repository.id.to_string()),
                };
                let name = scope["refName"].as_str().unwrap_or_default();
                let prefix = scope["matchKind"].as_str().unwrap_or_default();
                let prefix = prefix.eq_ignore_ascii_case("prefix");
                same && (name == branch || (prefix && branch.starts_with(name)))
            })
    }

    pub fn wire(&self, organisation: &Organisation<'_>) -> Answer<Value> {
        let project = self.project.to_string();
        let url = organisation.url(&[
            &project,
            "_apis",
            "policy",
            "configurations",
            &self.id.to_string(),
        ]);
        Ok(json!({
            "createdBy": organisation.identity(self.created_by)?,
            "createdDate": self.created,
            "isEnabled": self.enabled,
            "isBlocking": self.blocking,
            "isDeleted": false,
            "settings": self.settings,
            "_links": { "self": { "href": url } },
            "revision": self.revision,
            "id": self.id,
            "url": url,
            "type": {
                "id": self.kind,
                "url": organisation.url(
                    &[&project, "_apis", "policy", "types", &self.kind.to_string()]),
                "displayName": type_name(self.kind),
            },
        }))
    }
}

/// The policies that apply to a branch.
pub(super) fn of_branch(
    organisation: &Organisation<'_>,
    repository: &Repository,
    branch: &str,
) -> Answer<Vec<Policy>> {
    let all: Vec<Policy> = organisation.list(KIND)?;
    Ok(all
        .into_iter()
        .filter(|policy| policy.covers(repository, branch))
        .collect())
}

/// Whether pushing to a branch is only possible through a pull request.
pub(super) fn protects(
    organisation: &Organisation<'_>,
    repository: &Repository,
    branch: &str,
) -> Answer<bool> {
    Ok(of_branch(organisation, repository, branch)?
        .iter()
        .any(|policy| policy.blocking))
}

/// The merge strategies that the policies of a branch allow; empty when there is no such policy.
pub(super) fn allowed_strategies(
    organisation: &Organisation<'_>,
    repository: &Repository,
    branch: &str,
) -> Answer<Vec<&'static str>> {
    let mut allowed = Vec::new();
    for policy in of_branch(organisation, repository, branch)? {
        if policy.kind != MERGE {
            continue;
        }
        let on = |name: &str| flag(policy.settings.get(name));
        let settings = [
            ("noFastForward", on("allowNoFastForward")),
            ("squash", on("allowSquash") || on("useSquashMerge")),
            ("rebase", on("allowRebase")),
            ("rebaseMerge", on("allowRebaseMerge")),
        ];
        allowed.extend(settings.iter().filter(|(_, on)| *on).map(|(name, _)| *name));
    }
    Ok(allowed)
}

/// Routes below `/policy/configurations`.
pub(super) fn configurations(
    organisation: &Organisation<'_>,
    project: &Project,
    rest: &[&str],
) -> Answer {
    match (organisation.call.method.clone(), rest) {
        (Method::GET, []) => {
            let kind = organisation.query("policyType");
            // A scope is `<repository>` or `<repository>:<branch>`, the repository without dashes.
            let scope = organisation.query("scope");
            search(organisation, project, |policy| {
                let text = policy.settings["scope"].to_string();
                kind.is_none_or(|kind| kind.eq_ignore_ascii_case(&policy.kind.to_string()))
                    && scope.is_none_or(|scope| {
                        scope.split(':').all(|part| {
                            let id = Uuid::parse_str(part).map(|id| id.to_string());
                            text.contains(id.as_deref().unwrap_or(part))
                        })
                    })
            })
        }
        (Method::POST, []) => {
            organisation.needs(Right::EditPolicies)?;
            let id = organisation.next(KIND)?;
            let policy = read(organisation, project, id, 1)?;
            organisation.put(KIND, id, &policy)?;
            ok(&policy.wire(organisation)?)
        }
        (Method::GET, [id]) => ok(&find(organisation, project, id)?.wire(organisation)?),
        (Method::PUT, [id]) => {
            organisation.needs(Right::EditPolicies)?;
            let old = find(organisation, project, id)?;
            let mut policy = read(organisation, project, old.id, old.revision + 1)?;
            (policy.created, policy.created_by) = (old.created, old.created_by);
            organisation.put(KIND, policy.id, &policy)?;
            ok(&policy.wire(organisation)?)
        }
        (Method::DELETE, [id]) => {
            organisation.needs(Right::EditPolicies)?;
            organisation.delete(KIND, find(organisation, project, id)?.id)?;
            no_content()
        }
        _ => Err(not_emulated("policy routes of this kind")),
    }
}

/// `GET /git/policy/configurations`: the policies in force on one branch.
pub(super) fn in_force(
    organisation: &Organisation<'_>,
    project: &Project,
    repository: Option<&Repository>,
) -> Answer {
    let branch = organisation.query("refName");
    let kind = organisation.query("policyType");
    search(organisation, project, |policy| {
        kind.is_none_or(|kind| kind.eq_ignore_ascii_case(&policy.kind.to_string()))
            && match (repository, branch) {
                (Some(repository), Some(branch)) => policy.covers(repository, branch),
                _ => true,
            }
    })
}

/// `GET /policy/types`.
pub(super) fn types(organisation: &Organisation<'_>, project: &Project) -> Answer {
    let id = project.id.to_string();
    let wire = |(kind, name): &(Uuid, &str)| {
        let url = organisation.url(&[&id, "_apis", "policy", "types", &kind.to_string()]);
        json!({ "id": kind, "displayName": name, "url": url })
    };
    list(TYPES.iter().map(wire).collect())
}

fn search(
    organisation: &Organisation<'_>,
    project: &Project,
    fits: impl Fn(&Policy) -> bool,
) -> Answer {
    let all: Vec<Policy> = organisation.list(KIND)?;
    let found: Answer<Vec<Value>> = all
        .iter()
        .filter(|policy| policy.project == project.id && fits(policy))
        .map(|policy| policy.wire(organisation))
        .collect();
    list(found?)
}

fn find(organisation: &Organisation<'_>, project: &Project, id: &str) -> Answer<Policy> {
    let found: Option<Policy> = organisation.get(KIND, id)?;
    found
        .filter(|policy| policy.project == project.id)
        .ok_or_else(|| {
            not_found(
                "PolicyConfigurationNotFoundException",
                &format!("There is no policy {id}."),
            )
        })
}

fn read(
    organisation: &Organisation<'_>,
    project: &Project,
    id: i64,
    revision: i64,
) -> Answer<Policy> {
    let body = organisation.body()?;
    let kind = body
        .pointer("/type/id")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let kind = Uuid::parse_str(kind)
        .map_err(|_| bad_request("ArgumentException", "type.id is missing or not an id."))?;
    if !TYPES.iter().any(|(known, _)| *known == kind) {
        return Err(not_emulated(&format!("the policy type {kind}")));
    }
    let settings = body.get("settings").cloned().unwrap_or_default();
    if settings["scope"].as_array().is_none_or(Vec::is_empty) {
        let message = "A policy needs a scope: settings.scope is empty.";
        return Err(bad_request("InvalidPolicyConfigurationException", message));
    }
    if kind == BUILD && settings["buildDefinitionId"].as_i64().is_none() {
        let message = "A build validation policy needs settings.buildDefinitionId.";
        return Err(bad_request("InvalidPolicyConfigurationException", message));
    }
    Ok(Policy {
        id,
        project: project.id,
        kind,
        revision,
        enabled: body.get("isEnabled").is_none_or(|value| flag(Some(value))),
        blocking: body.get("isBlocking").is_none_or(|value| flag(Some(value))),
        created: organisation.now(),
        created_by: organisation.me.object_id,
        settings,
    })
}

fn type_name(kind: Uuid) -> &'static str {
    TYPES
        .iter()
        .find(|(id, _)| *id == kind)
        .map_or("", |(_, name)| name)
}
