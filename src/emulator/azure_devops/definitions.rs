//! Build definitions (pipelines) and their folders (facts/git-hosts.md, section 5).
//!
//! A definition is kept as it was sent; only what the emulated organisation acts on is read out of
//! it. The script that a build of a definition runs stands in its variables.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::organisation::{Organisation, named, required};
use super::refusal::{
    Answer, bad_request, conflict, list, no_content, not_emulated, not_found, ok,
};
use super::repositories::{self, Project};
use super::rights::Right;
use super::secret_variables;
use crate::transport::Method;

pub(super) const KIND: &str = "definition";

/// A build definition as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Definition {
    pub id: i64,
    pub project: Uuid,
    pub repository: Uuid,
    pub name: String,
    pub path: String,
    pub revision: i64,
    pub enabled: bool,
    pub created: String,
    pub author: Uuid,
    /// The rest as it was sent: variables, triggers, process, …
    pub body: Value,
}

impl Definition {
    /// The trigger for pushes, if it has one.
    pub fn continuous_integration(&self) -> Option<&Value> {
        self.body["triggers"].as_array()?.iter().find(|trigger| {
            named(&trigger["triggerType"], &[("continuousIntegration", 2)]).is_some()
        })
    }

    /// The value of a variable, unless it is empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        let variables = self.body["variables"].as_object()?;
        let (_, variable) = variables
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        variable["value"].as_str().filter(|value| !value.is_empty())
    }

    /// The branch that a build takes when none is named.
    pub fn default_branch(&self) -> String {
        let branch = self
            .body
            .pointer("/repository/defaultBranch")
            .and_then(Value::as_str);
        let branch = branch.unwrap_or("refs/heads/main");
        if branch.starts_with("refs/") {
            branch.into()
        } else {
            format!("refs/heads/{branch}")
        }
    }

    /// As builds refer to it.
    pub fn short(&self, organisation: &Organisation<'_>) -> Answer<Value> {
        let project = repositories::project(organisation, &self.project.to_string())?;
        Ok(json!({
            "id": self.id,
            "name": self.name,
            "path": self.path,
            "revision": self.revision,
            "type": "build",
            "queueStatus": if self.enabled { "enabled" } else { "disabled" },
            "url": self.url(organisation),
            "project": project.wire(organisation),
        }))
    }

    pub fn wire(&self, organisation: &Organisation<'_>) -> Answer<Value> {
        let mut value = self.body.clone();
        let repository = repositories::repository(organisation, None, &self.repository.to_string());
        let short = self.short(organisation)?;
        if let (Some(value), Some(short)) = (value.as_object_mut(), short.as_object()) {
            value.extend(short.clone());
            value.insert("createdDate".into(), self.created.clone().into());
            value.insert("authoredBy".into(), organisation.identity(self.author)?);
        }
        if let Ok(repository) = repository {
            value["repository"]["id"] = repository.id.to_string().into();
            value["repository"]["name"] = repository.name.into();
            value["repository"]["type"] = "TfsGit".into();
            value["repository"]["defaultBranch"] = self.default_branch().into();
        }
        secret_variables::hide(&mut value);
        Ok(value)
    }

    fn url(&self, organisation: &Organisation<'_>) -> String {
        let (project, id) = (self.project.to_string(), self.id.to_string());
        organisation.url(&[&project, "_apis", "build", "Definitions", &id])
    }
}

/// All definitions of the organisation.
pub(super) fn all(organisation: &Organisation<'_>) -> Answer<Vec<Definition>> {
    organisation.list(KIND)
}

/// The definition with this id in a project.
pub(super) fn find(
    organisation: &Organisation<'_>,
    project: &Project,
    id: &str,
) -> Answer<Definition> {
    let found: Option<Definition> = organisation.get(KIND, id)?;
    found
        .filter(|definition| definition.project == project.id)
        .ok_or_else(|| {
            let message = format!("TF215016: The build definition {id} does not exist.");
            not_found("DefinitionNotFoundException", &message)
        })
}

/// Routes below `/build/definitions`.
pub(super) fn route(organisation: &Organisation<'_>, project: &Project, rest: &[&str]) -> Answer {
    match (organisation.call.method.clone(), rest) {
        (Method::GET, []) => {
            let (name, path) = (organisation.query("name"), organisation.query("path"));
            let repository = organisation.query("repositoryId");
            let fits = |it: &Definition| {
                it.project == project.id
                    && name.is_none_or(|name| name_fits(name, &it.name))
                    && path.is_none_or(|path| path.eq_ignore_ascii_case(&it.path))
                    && repository
                        .is_none_or(|id| id.eq_ignore_ascii_case(&it.repository.to_string()))
            };
            let whole = organisation.query("includeAllProperties") == Some("true");
            let found: Answer<Vec<Value>> = all(organisation)?
                .iter()
                .filter(|it| fits(it))
                .map(|it| {
                    if whole {
                        it.wire(organisation)
                    } else {
                        it.short(organisation)
                    }
                })
                .collect();
            list(found?)
        }
        (Method::POST, []) => {
            let id = organisation.next(KIND)?;
            let mut definition = read(organisation, project, id, 1)?;
            secret_variables::keep(&mut definition.body, &Value::Null);
            organisation.put(KIND, id, &definition)?;
            ok(&definition.wire(organisation)?)
        }
        (Method::GET, [id]) => ok(&find(organisation, project, id)?.wire(organisation)?),
        (Method::PUT, [id]) => {
            let old = find(organisation, project, id)?;
            let mut definition = read(organisation, project, old.id, old.revision + 1)?;
            let sent = organisation.body()?["revision"].as_i64();
            if sent.is_some_and(|revision| revision != old.revision) {
                let message = "TF215106: The build definition was changed by someone else.";
                return Err(conflict("DefinitionRevisionConflictException", message));
            }
            secret_variables::keep(&mut definition.body, &old.body);
            (definition.created, definition.author) = (old.created, old.author);
            organisation.put(KIND, old.id, &definition)?;
            ok(&definition.wire(organisation)?)
        }
        (Method::DELETE, [id]) => {
            organisation.needs(Right::DeletePipelines)?;
            organisation.delete(KIND, find(organisation, project, id)?.id)?;
            no_content()
        }
        _ => Err(not_emulated("build definition routes of this kind")),
    }
}

fn read(
    organisation: &Organisation<'_>,
    project: &Project,
    id: i64,
    revision: i64,
) -> Answer<Definition> {
    let body = organisation.body()?;
    let name = required(&body, "name")?.to_owned();
    let repository = body
        .pointer("/repository/id")
        .or_else(|| body.pointer("/repository/name"));
    let repository = repository.and_then(Value::as_str).unwrap_or_default();
    let kind = body
        .pointer("/repository/type")
        .and_then(Value::as_str)
        .unwrap_or("TfsGit");
    if !kind.eq_ignore_ascii_case("TfsGit") {
        return Err(not_emulated(&format!(
            "builds from a repository of type {kind}"
        )));
    }
    let repository = repositories::repository(organisation, Some(project), repository)?;
    let path = folder(body["path"].as_str().unwrap_or("\\"));
    let same = all(organisation)?.into_iter().any(|it| {
        it.id != id
            && it.project == project.id
            && it.name.eq_ignore_ascii_case(&name)
            && it.path.eq_ignore_ascii_case(&path)
    });
    if same {
        let message = format!("TF215007: The definition {path}\\{name} already exists.");
        return Err(conflict("DefinitionExistsException", &message));
    }
    let enabled = named(
        &body["queueStatus"],
        &[("enabled", 0), ("paused", 1), ("disabled", 2)],
    );
    let enabled = enabled.is_none_or(|status| status == "enabled");
    if body["variables"]
        .as_object()
        .is_some_and(|it| it.values().any(|it| !it.is_object()))
    {
        let message = "Every variable is an object with a value.";
        return Err(bad_request("InvalidDefinitionException", message));
    }
    Ok(Definition {
        id,
        project: project.id,
        repository: repository.id,
        name,
        path,
        revision,
        enabled,
        created: organisation.now(),
        author: organisation.me.object_id,
        body,
    })
}

/// A folder as the service writes it: with backslashes, one at its start.
fn folder(path: &str) -> String {
    let path = path.replace('/', "\\");
    format!("\\{}", path.trim_matches('\\'))
}

fn name_fits(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_lowercase(), name.to_lowercase());
    match (pattern.strip_suffix('*'), pattern.strip_prefix('*')) {
        (Some(start), _) if !start.starts_with('*') => name.starts_with(start),
        (None, Some(end)) => name.ends_with(end),
        _ => name.contains(pattern.trim_matches('*')) && (pattern.contains('*') || name == pattern),
    }
}
