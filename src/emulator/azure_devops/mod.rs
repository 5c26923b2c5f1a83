//! The emulated Azure DevOps organisation: `https://dev.azure.com/<organisation>/…`.
//!
//! Wire formats: facts/git-hosts.md, sections 1 to 10. The content of a repository is a real bare
//! repository on disk; everything else are documents in the tenant's store, scope
//! `organisation:<name>`. A repository may also be changed behind the organisation's back, by
//! `git push` to its folder: the next request notices ([`refs::catch_up`]).
//!
//! Rights are not modelled beyond approvals, votes, locks and policies: whoever the tenant knows
//! may do the rest.

mod approvals;
mod build_logs;
mod builds;
mod commits;
mod definitions;
mod evaluations;
mod filters;
mod items;
mod locations;
mod merging;
mod organisation;
mod policies;
mod pull_requests;
mod pushes;
mod refs;
mod refusal;
mod repositories;
mod review;
mod rights;
mod runs;
mod secret_variables;
mod smart_http;
mod triggers;
mod variable_groups;
mod work_items;

use std::path::Path;

use serde_json::{Value, json};

pub use smart_http::{RefusedPush, RepositoryAccess, refused_pushes, repository_access};

use self::organisation::Organisation;
use self::refusal::{Answer, Refusal, not_emulated, not_found, ok, say};
use self::repositories::Project;
use super::audience;
use super::call::Call;
use super::definition::{OrganisationDefinition, derived_id};
use super::directory::{Identity, IdentityKind};
use super::store::{StoreError, Transaction};
use crate::transport::{HeaderValue, Method, Response, StatusCode};

/// Makes the organisation that a tenant's definition describes, with its bare repositories below
/// `repositories`.
///
/// # Errors
/// Those of the store; a name that cannot be used is reported as a damaged row would be, with the
/// service's own message.
pub fn establish(
    tx: &Transaction<'_>,
    repositories: &Path,
    definition: &OrganisationDefinition,
    now: jiff::Timestamp,
) -> Result<(), String> {
    let url = url::Url::parse("https://dev.azure.com").map_err(|error| error.to_string())?;
    let request = crate::transport::Request::new(Method::POST, url);
    let call = Call::new(request, now);
    let me = service();
    let row = json!({ "name": definition.name });
    let organisation = Organisation::new(&call, tx, definition.name.clone(), repositories, me);
    let make = || -> Answer<()> {
        organisation.put("organisation", "organisation", &row)?;
        for _ in 0..definition.last_work_item {
            work_items::next_number(&organisation)?;
        }
        for project in &definition.projects {
            let made = repositories::create_project(&organisation, &project.name)?;
            for repository in &project.repositories {
                repositories::create_repository(&organisation, &made, repository)?;
            }
        }
        Ok(())
    };
    make().map_err(|refusal| match refusal.into_response() {
        Ok(response) => {
            let body = response.to_json().unwrap_or_default();
            body["message"]
                .as_str()
                .unwrap_or("the organisation cannot be made")
                .to_owned()
        }
        Err(error) => error.to_string(),
    })
}

/// Answers as `dev.azure.com`.
///
/// # Errors
/// Those of the store, which undo the whole request.
pub fn answer(
    call: &Call,
    tx: &Transaction<'_>,
    repositories: &Path,
) -> Result<Response, StoreError> {
    let result = match enter(call, tx, repositories) {
        Ok(organisation) => route(&organisation),
        Err(refusal) => Err(refusal),
    };
    let mut response = match result {
        Ok(response) => response,
        Err(refusal) => refusal.into_response()?,
    };
    let is_json = response.headers.get("content-type").is_some_and(|kind| {
        kind.to_str()
            .is_ok_and(|kind| kind.starts_with("application/json"))
    });
    if is_json {
        let kind = HeaderValue::from_static("application/json; charset=utf-8; api-version=7.1");
        response.headers.insert("content-type", kind);
    }
    Ok(response)
}

/// Finds the organisation and checks that the caller is signed in.
fn enter<'a>(
    call: &'a Call,
    tx: &'a Transaction<'a>,
    repositories: &Path,
) -> Answer<Organisation<'a>> {
    let Some(name) = call.path.first() else {
        return Err(not_emulated("pages"));
    };
    let row = tx.get(&organisation::scope(name), "organisation", "organisation")?;
    let Some(row) = row else {
        let message = format!("TF400813: Resource not available: there is no organisation {name}.");
        return Err(not_found("HostDoesNotExistException", &message));
    };
    let fits = audience::is_for_azure_devops(call);
    let Some(me) = call.caller.clone().filter(|_| fits) else {
        return Err(sign_in(call));
    };
    let name = row["name"].as_str().unwrap_or(name).to_owned();
    Ok(Organisation::new(call, tx, name, repositories, me))
}

/// What the service answers to somebody it does not know: a page to sign in, unless the client
/// says that it is none that could show one (facts/git-hosts.md, section 9).
fn sign_in(call: &Call) -> Refusal {
    let suppressed = call
        .header("x-tfs-fedauthredirect")
        .is_some_and(|value| value.eq_ignore_ascii_case("suppress"));
    if suppressed || call.path.iter().any(|part| part == "_git") {
        let message = "TF400813: The user '' is not authorized to access this resource.";
        let mut refusal = say(
            StatusCode::UNAUTHORIZED,
            "UnauthorizedRequestException",
            message,
        );
        if let Refusal::Said(response) = &mut refusal {
            let basic = HeaderValue::from_static("Basic realm=\"https://dev.azure.com/\"");
            response.headers.insert("www-authenticate", basic);
        }
        return refusal;
    }
    let credentials = call.header("authorization");
    // A token of Entra ID that is not for this service, or is over, is refused as one; only what could
    // be an access token of a person gets the page.
    if credentials.is_some_and(|it| it.to_ascii_lowercase().starts_with("bearer ")) {
        let message = "TF400813: The user '' is not authorized to access this resource.";
        return say(
            StatusCode::UNAUTHORIZED,
            "UnauthorizedRequestException",
            message,
        );
    }
    let with_token = credentials.is_some();
    let status = if with_token {
        StatusCode::NON_AUTHORITATIVE_INFORMATION
    } else {
        StatusCode::FOUND
    };
    let mut response = Response::new(status);
    response.body =
        b"<html><head><title>Azure DevOps Services | Sign In</title></head></html>".to_vec();
    response.headers.insert(
        "content-type",
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    if !with_token {
        let to =
            HeaderValue::from_static("https://login.microsoftonline.com/common/oauth2/authorize");
        response.headers.insert("location", to);
    }
    Refusal::Said(Box::new(response))
}

fn route(organisation: &Organisation<'_>) -> Answer {
    let call = organisation.call;
    let segments = call.segments();
    let Some(api) = segments.iter().position(|part| *part == "_apis") else {
        return Err(not_emulated(
            "pages; this is the address of its Web API and of git",
        ));
    };
    let project = match &segments[1..api] {
        [] => None,
        [project] => Some(*project),
        // A team may stand between the project and `_apis`.
        [project, _team] => Some(*project),
        _ => return Err(not_emulated("addresses of this form")),
    };
    let rest = &segments[api + 1..];
    if call.method == Method::OPTIONS {
        let area = rest
            .first()
            .copied()
            .filter(|area| !area.eq_ignore_ascii_case("location"));
        return locations::options(area);
    }
    // Routes are case-insensitive; names within them are kept as they were sent.
    let lower: Vec<String> = rest.iter().map(|part| part.to_ascii_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    refs::catch_up(organisation)?;
    approvals::expire(organisation)?;
    let project = project
        .map(|name| repositories::project(organisation, name))
        .transpose()?;
    dispatch(organisation, project.as_ref(), rest, &lower)
}

fn dispatch(
    organisation: &Organisation<'_>,
    project: Option<&Project>,
    rest: &[&str],
    lower: &[&str],
) -> Answer {
    let within = || {
        project.ok_or_else(|| {
            not_found(
                "ProjectNotFoundException",
                "TF200016: The address names no project.",
            )
        })
    };
    match lower {
        ["connectiondata"] => connection_data(organisation),
        ["resourceareas", ..] => locations::areas(),
        ["projects", ..] => repositories::projects(organisation, &rest[1..]),
        ["operations", id] => repositories::operation(organisation, id),
        ["git", "repositories", _, part, ..] => {
            repository(organisation, project, rest, part, lower)
        }
        ["git", "repositories", ..] => {
            repositories::repositories(organisation, project, &rest[2..])
        }
        ["git", "pullrequests", ..] => {
            pull_requests::across(organisation, project, &mixed(rest, lower, 2))
        }
        ["git", "policy", "configurations"] => {
            let repository = match organisation.query("repositoryId") {
                Some(id) => Some(repositories::repository(organisation, project, id)?),
                None => None,
            };
            policies::in_force(organisation, within()?, repository.as_ref())
        }
        ["policy", "configurations", ..] => {
            policies::configurations(organisation, within()?, &rest[2..])
        }
        ["policy", "types"] => policies::types(organisation, within()?),
        ["policy", "evaluations", ..] => evaluations::route(organisation, within()?, &rest[2..]),
        ["build", "definitions", ..] => definitions::route(organisation, within()?, &rest[2..]),
        ["build", "builds", id, "logs" | "timeline", ..] => {
            build_logs::read(organisation, within()?, id, &lower[3..])
        }
        ["build", "builds", ..] => builds::route(organisation, within()?, &mixed(rest, lower, 2)),
        ["pipelines", "approvals", ..] => approvals::route(organisation, within()?, &lower[2..]),
        ["pipelines", "checks", "configurations", ..] => {
            approvals::checks(organisation, within()?, &lower[3..])
        }
        ["pipelines", "checks" | "pipelinepermissions", ..] => Err(not_emulated(
            "checks other than approvals, and pipeline permissions",
        )),
        ["pipelines", ..] => runs::route(organisation, within()?, &lower[1..]),
        ["distributedtask", "environments", ..] => {
            approvals::environments(organisation, within()?, &lower[2..])
        }
        ["distributedtask", "variablegroups", ..] => {
            variable_groups::route(organisation, project, &lower[2..])
        }
        ["distributedtask", "hubs", "build", "plans", plan, ..] => {
            build_logs::write(organisation, within()?, plan, &lower[5..])
        }
        ["wit", "workitems", kind] if kind.starts_with('$') => {
            work_items::route(organisation, project, &["workitems", rest[2]])
        }
        ["wit", ..] => work_items::route(organisation, project, &lower[1..]),
        _ => Err(not_emulated(&format!(
            "{} /_apis/{}",
            organisation.call.method,
            rest.join("/")
        ))),
    }
}

/// Routes below one repository.
fn repository(
    organisation: &Organisation<'_>,
    project: Option<&Project>,
    rest: &[&str],
    part: &str,
    lower: &[&str],
) -> Answer {
    let repository = repositories::repository(organisation, project, rest[2])?;
    if repository.disabled {
        let message = format!("TF401019: The repository {} is disabled.", repository.name);
        return Err(not_found("GitRepositoryNotFoundException", &message));
    }
    let below = &rest[4..];
    match (part, organisation.call.method.clone()) {
        ("refs", _) => refs::route(organisation, &repository, below),
        ("pushes", Method::POST) => pushes::create(organisation, &repository),
        ("pushes", Method::GET) => refs::pushes(organisation, &repository, below),
        ("commits", _) => commits::route(organisation, &repository, &lower[4..]),
        ("items", Method::GET) => items::read(organisation, &repository, below),
        ("diffs", Method::GET) => commits::diff(organisation, &repository),
        ("stats", Method::GET) => commits::branches(
            organisation,
            &repository,
            below.get(1..).unwrap_or_default(),
        ),
        ("pullrequests", _) => {
            pull_requests::route(organisation, &repository, &mixed(rest, lower, 4))
        }
        (part, method) => Err(not_emulated(&format!("{method} of a repository's {part}"))),
    }
}

/// The segments from `from` on: those that are part of a route in lower case, names as they were
/// sent. A name follows an id or a collection, so that every second segment is a name.
fn mixed<'s>(rest: &[&'s str], lower: &[&'s str], from: usize) -> Vec<&'s str> {
    let pairs = rest[from..].iter().zip(&lower[from..]).enumerate();
    pairs
        .map(|(index, (name, word))| if index % 2 == 1 { *word } else { *name })
        .collect()
}

fn connection_data(organisation: &Organisation<'_>) -> Answer {
    let id = organisation.me.object_id;
    let name = &organisation.me.name;
    let unique = organisation.identity_ref(&organisation.me)["uniqueName"].clone();
    let me: Value = json!({
        "id": id,
        "descriptor": format!("Microsoft.IdentityModel.Claims.ClaimsIdentity;{id}"),
        "subjectDescriptor": format!("aad.{}", derived_id("descriptor", &id.to_string()).simple()),
        "providerDisplayName": name,
        "isActive": true,
        "properties": { "Account": { "$type": "System.String", "$value": unique } },
    });
    let instance = derived_id("organisation", &organisation.name);
    ok(&json!({
        "authenticatedUser": me,
        "authorizedUser": me,
        "instanceId": instance,
        "deploymentId": instance,
        "deploymentType": "hosted",
        "locationServiceData": { "serviceOwner": instance, "defaultAccessMappingMoniker": "PublicAccessMapping" },
    }))
}

/// The organisation itself, as the author of what it makes before anybody signed in.
fn service() -> Identity {
    Identity {
        kind: IdentityKind::Application,
        object_id: derived_id("service", "azure devops"),
        name: "Azure DevOps".into(),
        upn: None,
        app_id: None,
    }
}
