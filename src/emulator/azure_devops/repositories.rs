//! Projects and repositories: each repository is a real bare repository on disk.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::organisation::{Organisation, flag, required};
use super::refusal::{
    Answer, bad_request, conflict, created, list, no_content, not_emulated, not_found, ok,
};
use super::rights::Right;
use crate::emulator::definition::derived_id;
use crate::git::BareRepository;
use crate::transport::Method;

/// The documents' kinds.
const PROJECT: &str = "project";
const REPOSITORY: &str = "repository";

/// A team project.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Project {
    pub id: Uuid,
    pub name: String,
    pub updated: String,
}

/// A repository's record; its content is the bare repository.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Repository {
    pub id: Uuid,
    pub name: String,
    pub project: Uuid,
    /// Its folder below the organisation's, with `/`. It keeps it when it is renamed.
    pub folder: String,
    #[serde(default)]
    pub disabled: bool,
}

impl Project {
    pub fn wire(&self, organisation: &Organisation<'_>) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "url": organisation.url(&["_apis", "projects", &self.id.to_string()]),
            "state": "wellFormed",
            "revision": 1,
            "visibility": "private",
            "lastUpdateTime": self.updated,
        })
    }
}

impl Repository {
    /// Opens the bare repository.
    pub fn open(&self, organisation: &Organisation<'_>) -> Answer<BareRepository> {
        Ok(BareRepository::open(
            &organisation.folder.join(&self.folder),
        )?)
    }

    pub fn wire(&self, organisation: &Organisation<'_>) -> Answer<Value> {
        let project = project(organisation, &self.project.to_string())?;
        let bare = self.open(organisation)?;
        let id = self.id.to_string();
        let mut value = json!({
            "id": self.id,
            "name": self.name,
            "url": organisation.url(&[&project.id.to_string(), "_apis", "git", "repositories", &id]),
            "project": project.wire(organisation),
            "size": 0,
            "remoteUrl": organisation.url(&[&project.name, "_git", &self.name]),
            "webUrl": organisation.url(&[&project.name, "_git", &self.name]),
            "isDisabled": self.disabled,
            "isInMaintenance": false,
        });
        // The service leaves it out as long as the repository is empty.
        let head = bare.head()?;
        if bare.reference(&head)?.is_some() {
            value["defaultBranch"] = head.into();
        }
        Ok(value)
    }

    /// As other objects refer to it.
    pub fn short(&self, organisation: &Organisation<'_>) -> Answer<Value> {
        let project = project(organisation, &self.project.to_string())?;
        Ok(json!({
            "id": self.id,
            "name": self.name,
            "url": organisation.url(
                &[&project.id.to_string(), "_apis", "git", "repositories", &self.id.to_string()]),
            "project": project.wire(organisation),
            "remoteUrl": organisation.url(&[&project.name, "_git", &self.name]),
        }))
    }
}

/// The project with this name or id.
pub(super) fn project(organisation: &Organisation<'_>, name: &str) -> Answer<Project> {
    let projects: Vec<Project> = organisation.list(PROJECT)?;
    projects
        .into_iter()
        .find(|project| {
            project.name.eq_ignore_ascii_case(name)
                || Uuid::parse_str(name).is_ok_and(|id| id == project.id)
        })
        .ok_or_else(|| {
            let message = format!(
                "TF200016: The following project does not exist: {name}. Verify that the name of \
                 the project is correct and that the project exists on the specified Azure DevOps \
                 Server."
            );
            not_found("ProjectDoesNotExistWithNameException", &message)
        })
}

/// The repository with this name or id; a name needs its project.
pub(super) fn repository(
    organisation: &Organisation<'_>,
    project: Option<&Project>,
    name: &str,
) -> Answer<Repository> {
    let repositories: Vec<Repository> = organisation.list(REPOSITORY)?;
    let id = Uuid::parse_str(name).ok();
    repositories
        .into_iter()
        .filter(|repository| project.is_none_or(|project| project.id == repository.project))
        .find(|repository| {
            id == Some(repository.id)
                || (project.is_some() && repository.name.eq_ignore_ascii_case(name))
        })
        .ok_or_else(|| {
            let message = format!(
                "TF401019: The Git repository with name or identifier {name} does not exist or \
                 you do not have permissions for the operation you are attempting."
            );
            not_found("GitRepositoryNotFoundException", &message)
        })
}

/// All repositories of the organisation.
pub(super) fn all(organisation: &Organisation<'_>) -> Answer<Vec<Repository>> {
    organisation.list(REPOSITORY)
}

/// Routes below `/_apis/projects`.
pub(super) fn projects(organisation: &Organisation<'_>, rest: &[&str]) -> Answer {
    match (organisation.call.method.clone(), rest) {
        (Method::GET, []) => {
            let projects: Vec<Project> = organisation.list(PROJECT)?;
            list(
                projects
                    .iter()
                    .map(|project| project.wire(organisation))
                    .collect(),
            )
        }
        (Method::GET, [name]) => ok(&project(organisation, name)?.wire(organisation)),
        (Method::POST, []) => {
            organisation.needs(Right::ManageRepositories)?;
            let body = organisation.body()?;
            let project = create_project(organisation, required(&body, "name")?)?;
            let id = project.id.to_string();
            let url = organisation.url(&["_apis", "operations", &id]);
            let operation = json!({ "id": id, "status": "queued", "url": url });
            Ok(crate::transport::Response::json(
                crate::transport::StatusCode::ACCEPTED,
                &operation,
            ))
        }
        _ => Err(not_emulated("project administration")),
    }
}

/// `GET /_apis/operations/{id}`: everything long is done at once here.
pub(super) fn operation(organisation: &Organisation<'_>, id: &str) -> Answer {
    project(organisation, id)?;
    let url = organisation.url(&["_apis", "operations", id]);
    ok(&json!({ "id": id, "status": "succeeded", "url": url }))
}

/// Routes at `/_apis/git/repositories` and `/{repository}` itself.
pub(super) fn repositories(
    organisation: &Organisation<'_>,
    of: Option<&Project>,
    rest: &[&str],
) -> Answer {
    match (organisation.call.method.clone(), rest) {
        (Method::GET, []) => {
            let mut found = Vec::new();
            for repository in all(organisation)? {
                if of.is_none_or(|project| project.id == repository.project) {
                    found.push(repository.wire(organisation)?);
                }
            }
            list(found)
        }
        (Method::POST, []) => {
            organisation.needs(Right::ManageRepositories)?;
            let body = organisation.body()?;
            if body.get("parentRepository").is_some() {
                return Err(not_emulated("forks"));
            }
            let named = body
                .pointer("/project/id")
                .or_else(|| body.pointer("/project/name"));
            let project = match (named.and_then(Value::as_str), of) {
                (Some(name), _) => project(organisation, name)?,
                (None, Some(project)) => project.clone(),
                (None, None) => return Err(bad_request("ArgumentNullException", "project")),
            };
            let repository = create_repository(organisation, &project, required(&body, "name")?)?;
            created(&repository.wire(organisation)?)
        }
        (Method::GET, [name]) => ok(&repository(organisation, of, name)?.wire(organisation)?),
        (Method::PATCH, [name]) => {
            organisation.needs(Right::ManageRepositories)?;
            let mut repository = repository(organisation, of, name)?;
            let body = organisation.body()?;
            if let Some(branch) = body.get("defaultBranch").and_then(Value::as_str) {
                let bare = repository.open(organisation)?;
                if bare.reference(branch)?.is_none() {
                    let message = format!("TF401175: The version {branch} cannot be resolved.");
                    return Err(not_found("GitUnresolvableToCommitException", &message));
                }
                bare.set_head(branch)?;
            }
            if let Some(name) = body.get("name").and_then(Value::as_str) {
                check_name(name)?;
                repository.name = name.to_owned();
            }
            if body.get("isDisabled").is_some() {
                repository.disabled = flag(body.get("isDisabled"));
            }
            organisation.put(REPOSITORY, repository.id, &repository)?;
            ok(&repository.wire(organisation)?)
        }
        (Method::DELETE, [name]) => {
            organisation.needs(Right::ManageRepositories)?;
            // The folder stays, as the service keeps a deleted repository in its recycle bin.
            let repository = repository(organisation, of, name)?;
            organisation.delete(REPOSITORY, repository.id)?;
            no_content()
        }
        _ => Err(not_emulated("repository administration")),
    }
}

/// Makes a project with a repository of the same name left out.
pub(super) fn create_project(organisation: &Organisation<'_>, name: &str) -> Answer<Project> {
    check_name(name)?;
    if project(organisation, name).is_ok() {
        let message = format!("TF200019: The following project already exists: {name}.");
        return Err(conflict("ProjectAlreadyExistsException", &message));
    }
    let id = derived_id("project", &format!("{}/{name}", organisation.name));
    let project = Project {
        id,
        name: name.to_owned(),
        updated: organisation.now(),
    };
    organisation.put(PROJECT, id, &project)?;
    Ok(project)
}

/// Makes an empty bare repository.
pub(super) fn create_repository(
    organisation: &Organisation<'_>,
    project: &Project,
    name: &str,
) -> Answer<Repository> {
    check_name(name)?;
    if repository(organisation, Some(project), name).is_ok() {
        let message = format!("TF400948: A Git repository with the name {name} already exists.");
        return Err(conflict(
            "GitRepositoryNameAlreadyExistsException",
            &message,
        ));
    }
    let place = format!("{}/{}/{name}", organisation.name, project.name);
    let mut id = derived_id("repository", &place);
    let mut folder = format!("{}/{name}.git", project.name);
    // A deleted repository of this name still has the folder.
    if organisation.folder.join(&folder).exists() {
        id = derived_id(
            "repository",
            &format!("{place}#{}", organisation.next("again")?),
        );
        folder = format!("{}/{name}-{}.git", project.name, id.simple());
    }
    BareRepository::init(&organisation.folder.join(&folder), "main")?;
    let (name, project, disabled) = (name.to_owned(), project.id, false);
    let repository = Repository {
        id,
        name,
        project,
        folder,
        disabled,
    };
    organisation.put(REPOSITORY, id, &repository)?;
    Ok(repository)
}

/// What Azure DevOps accepts as the name of a project or repository, which is also what every file
/// system of the field accepts as a folder.
fn check_name(name: &str) -> Answer<()> {
    const DEVICES: [&str; 8] = ["aux", "con", "nul", "prn", "com1", "com2", "lpt1", "lpt2"];
    let fine = !name.is_empty()
        && name.chars().count() <= 64
        && !name.starts_with(['_', '.', ' '])
        && !name.ends_with(['.', ' '])
        && !name
            .chars()
            .any(|c| c.is_control() || "\\/:*?\"<>|;#${},+=[]@&'".contains(c))
        && !DEVICES
            .iter()
            .any(|device| name.eq_ignore_ascii_case(device));
    if fine {
        return Ok(());
    }
    let message = format!("TF200025: The following name is not valid: {name}.");
    Err(bad_request("InvalidProjectNameException", &message))
}
