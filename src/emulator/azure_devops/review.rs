//! What belongs to a pull request: reviewers and votes, labels, statuses and comment threads
//! (facts/git-hosts.md, section 3.3).

use serde_json::{Value, json};
use uuid::Uuid;

use super::evaluations;
use super::organisation::{Organisation, flag, is_number, named, required};
use super::pull_requests::{PullRequest, Reviewer, pull_request_url};
use super::refusal::{Answer, bad_request, list, no_content, not_emulated, not_found, ok};
use super::repositories::Repository;
use crate::emulator::definition::derived_id;
use crate::transport::{Method, Response, StatusCode};

const STATES: [(&str, i64); 7] = [
    ("notSet", 0),
    ("pending", 1),
    ("succeeded", 2),
    ("failed", 3),
    ("error", 4),
    ("notApplicable", 5),
    ("partiallySucceeded", 6),
];
const THREADS: [(&str, i64); 7] = [
    ("unknown", 0),
    ("active", 1),
    ("fixed", 2),
    ("wontFix", 3),
    ("closed", 4),
    ("byDesign", 5),
    ("pending", 6),
];

/// Routes below a pull request.
pub(super) fn route(
    organisation: &Organisation<'_>,
    repository: &Repository,
    mut it: PullRequest,
    method: &Method,
    rest: &[&str],
) -> Answer {
    let part = rest
        .first()
        .copied()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let answer = match (part.as_str(), method, rest.get(1..).unwrap_or_default()) {
        ("labels", &Method::GET, []) => {
            let labels = it
                .labels
                .iter()
                .map(|name| label(organisation, &it, name))
                .collect();
            return list(labels);
        }
        ("labels", &Method::POST, []) => {
            let body = organisation.body()?;
            let name = required(&body, "name")?;
            add_label(&mut it, name)?;
            label(organisation, &it, name)
        }
        ("labels", method, [named]) => {
            let position = it.labels.iter().position(|name| {
                name.eq_ignore_ascii_case(named) || label_id(&it, name).to_string() == **named
            });
            let Some(position) = position else {
                return Err(not_found(
                    "LabelNotFoundException",
                    &format!("There is no label {named}."),
                ));
            };
            if *method == Method::GET {
                return ok(&label(organisation, &it, &it.labels[position]));
            }
            if *method != Method::DELETE {
                return Err(not_emulated("changes of labels"));
            }
            it.labels.remove(position);
            it.save(organisation)?;
            return Ok(Response::new(StatusCode::OK));
        }
        ("reviewers", _, rest) => return reviewers(organisation, it, method, rest),
        ("statuses", &Method::GET, []) => return list(it.statuses),
        ("statuses", &Method::POST, []) => add_status(organisation, repository, &mut it)?,
        ("statuses", &Method::DELETE, [id]) => {
            it.statuses.retain(|status| !is_number(&status["id"], id));
            it.save(organisation)?;
            return no_content();
        }
        ("threads", _, rest) => return threads(organisation, repository, it, method, rest),
        (part, _, _) => return Err(not_emulated(&format!("pull request {part}"))),
    };
    it.save(organisation)?;
    evaluations::complete_if_ready(organisation, it.id)?;
    ok(&answer)
}

/// A label on the wire.
pub(super) fn label(organisation: &Organisation<'_>, it: &PullRequest, name: &str) -> Value {
    let id = label_id(it, name);
    json!({
        "id": id,
        "name": name,
        "active": true,
        "url": organisation.url(&["_apis", "git", "labels", &id.to_string()]),
    })
}

/// Puts a label on, once.
pub(super) fn add_label(it: &mut PullRequest, name: &str) -> Answer<()> {
    if name.trim().is_empty() || name.contains(['\n', '\r']) {
        return Err(bad_request(
            "InvalidArgumentValueException",
            "This cannot be a label's name.",
        ));
    }
    if !it
        .labels
        .iter()
        .any(|label| label.eq_ignore_ascii_case(name))
    {
        it.labels.push(name.to_owned());
    }
    Ok(())
}

fn label_id(it: &PullRequest, name: &str) -> Uuid {
    derived_id("label", &format!("{}/{name}", it.repository))
}

/// A reviewer on the wire.
pub(super) fn wire(organisation: &Organisation<'_>, reviewer: &Reviewer) -> Answer<Value> {
    let mut value = organisation.identity(reviewer.id)?;
    value["vote"] = reviewer.vote.into();
    value["hasDeclined"] = false.into();
    value["isFlagged"] = false.into();
    if reviewer.required {
        value["isRequired"] = true.into();
    }
    Ok(value)
}

fn reviewers(
    organisation: &Organisation<'_>,
    mut it: PullRequest,
    method: &Method,
    rest: &[&str],
) -> Answer {
    match (method, rest) {
        (&Method::GET, []) => {
            let found: Answer<Vec<Value>> = it
                .reviewers
                .iter()
                .map(|reviewer| wire(organisation, reviewer))
                .collect();
            list(found?)
        }
        (&Method::POST, []) => {
            let body = organisation.body()?;
            for entry in body.as_array().into_iter().flatten() {
                let id = organisation.find_identity(entry)?.object_id;
                set(&mut it, id, None, entry.get("isRequired"));
            }
            it.save(organisation)?;
            let found: Answer<Vec<Value>> = it
                .reviewers
                .iter()
                .map(|reviewer| wire(organisation, reviewer))
                .collect();
            list(found?)
        }
        (&Method::PUT | &Method::PATCH, [id]) => {
            let id = organisation.find_identity(&Value::from(*id))?.object_id;
            let body = organisation.body()?;
            let vote = body.get("vote").and_then(Value::as_i64);
            if vote.is_some_and(|vote| ![10, 5, 0, -5, -10].contains(&vote)) {
                return Err(bad_request(
                    "InvalidArgumentValueException",
                    "This is not a vote.",
                ));
            }
            // Nobody votes for somebody else.
            if vote.is_some_and(|vote| vote != 0) && id != organisation.me.object_id {
                let message = "TF401186: You cannot record a vote for someone else.";
                return Err(bad_request("InvalidOperationException", message));
            }
            if !it.is_active() {
                let message = "TF401181: The pull request cannot be edited due to its state.";
                return Err(super::refusal::conflict(
                    "GitPullRequestNotEditableException",
                    message,
                ));
            }
            set(&mut it, id, vote, body.get("isRequired"));
            it.save(organisation)?;
            evaluations::complete_if_ready(organisation, it.id)?;
            match it.reviewers.iter().find(|reviewer| reviewer.id == id) {
                Some(reviewer) => ok(&wire(organisation, reviewer)?),
                None => no_content(),
            }
        }
        (&Method::DELETE, [id]) => {
            it.reviewers
                .retain(|reviewer| reviewer.id.to_string() != **id);
            it.save(organisation)?;
            Ok(Response::new(StatusCode::OK))
        }
        _ => Err(not_emulated("reviewer routes of this kind")),
    }
}

fn set(it: &mut PullRequest, id: Uuid, vote: Option<i64>, required: Option<&Value>) {
    let position = it.reviewers.iter().position(|reviewer| reviewer.id == id);
    let position = position.unwrap_or_else(|| {
        it.reviewers.push(Reviewer {
            id,
            vote: 0,
            required: false,
        });
        it.reviewers.len() - 1
    });
    let reviewer = &mut it.reviewers[position];
    if let Some(vote) = vote {
        reviewer.vote = vote;
    }
    if required.is_some() {
        reviewer.required = flag(required);
    }
}

fn add_status(
    organisation: &Organisation<'_>,
    repository: &Repository,
    it: &mut PullRequest,
) -> Answer<Value> {
    let body = organisation.body()?;
    let Some(state) = named(&body["state"], &STATES) else {
        return Err(bad_request(
            "InvalidArgumentValueException",
            "state is missing.",
        ));
    };
    let name = required(&body["context"], "name")?;
    let id = it
        .statuses
        .iter()
        .filter_map(|status| status["id"].as_i64())
        .max()
        .unwrap_or(0)
        + 1;
    let url = pull_request_url(
        organisation,
        repository,
        it.id,
        &["statuses", &id.to_string()],
    );
    let mut status = json!({
        "id": id,
        "state": state,
        "description": body["description"].as_str().unwrap_or_default(),
        "context": { "name": name, "genre": body["context"]["genre"].as_str().unwrap_or_default() },
        "creationDate": organisation.now(),
        "updatedDate": organisation.now(),
        "createdBy": organisation.identity_ref(&organisation.me),
        "url": url,
    });
    for optional in ["targetUrl", "iterationId", "properties"] {
        if let Some(value) = body.get(optional).filter(|value| !value.is_null()) {
            status[optional] = value.clone();
        }
    }
    it.statuses.push(status.clone());
    Ok(status)
}

fn threads(
    organisation: &Organisation<'_>,
    repository: &Repository,
    mut it: PullRequest,
    method: &Method,
    rest: &[&str],
) -> Answer {
    let comment = |body: &Value, id: usize| {
        json!({
            "id": id,
            "parentCommentId": body["parentCommentId"].as_i64().unwrap_or(0),
            "content": body["content"].as_str().unwrap_or_default(),
            "commentType": "text",
            "author": organisation.identity_ref(&organisation.me),
            "publishedDate": organisation.now(),
            "lastUpdatedDate": organisation.now(),
        })
    };
    let position = |it: &PullRequest, id: &str| {
        let found = it
            .threads
            .iter()
            .position(|thread| is_number(&thread["id"], id));
        found.ok_or_else(|| {
            not_found(
                "GitPullRequestCommentThreadNotFoundException",
                &format!("There is no thread {id}."),
            )
        })
    };
    let answer = match (method, rest) {
        (&Method::GET, []) => return list(it.threads),
        (&Method::GET, [id]) => return ok(&it.threads[position(&it, id)?]),
        (&Method::POST, []) => {
            let body = organisation.body()?;
            let id = it.threads.len() + 1;
            let comments = body["comments"]
                .as_array()
                .into_iter()
                .flatten()
                .enumerate();
            let comments: Vec<Value> = comments
                .map(|(index, body)| comment(body, index + 1))
                .collect();
            let status = named(&body["status"], &THREADS).unwrap_or("unknown");
            let url = pull_request_url(
                organisation,
                repository,
                it.id,
                &["threads", &id.to_string()],
            );
            let mut thread = json!({
                "id": id,
                "comments": comments,
                "status": status,
                "publishedDate": organisation.now(),
                "lastUpdatedDate": organisation.now(),
                "isDeleted": false,
                "_links": { "self": { "href": url } },
            });
            if let Some(context) = body.get("threadContext").filter(|it| !it.is_null()) {
                thread["threadContext"] = context.clone();
            }
            it.threads.push(thread.clone());
            thread
        }
        (&Method::PATCH, [id]) => {
            let position = position(&it, id)?;
            let body = organisation.body()?;
            if let Some(status) = named(&body["status"], &THREADS) {
                it.threads[position]["status"] = status.into();
                it.threads[position]["lastUpdatedDate"] = organisation.now().into();
            }
            it.threads[position].clone()
        }
        (&Method::POST, [id, "comments"]) => {
            let position = position(&it, id)?;
            let body = organisation.body()?;
            let comments = &mut it.threads[position]["comments"];
            let number = comments.as_array().map_or(0, Vec::len) + 1;
            let new = comment(&body, number);
            if let Some(comments) = comments.as_array_mut() {
                comments.push(new.clone());
            }
            new
        }
        _ => return Err(not_emulated("comment routes of this kind")),
    };
    it.save(organisation)?;
    evaluations::complete_if_ready(organisation, it.id)?;
    ok(&answer)
}
