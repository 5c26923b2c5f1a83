//! Work items, and the links that mentions such as `#123` make (facts/git-hosts.md, section 7).

use serde_json::{Value, json};

use super::organisation::Organisation;
use super::refusal::{Answer, bad_request, list, not_emulated, not_found, ok, say};
use super::repositories::Project;
use crate::transport::{Method, StatusCode};

const KIND: &str = "workItem";
/// Words before a mention that close the item when the commit reaches the default branch.
const CLOSING: [&str; 9] = [
    "fix", "fixes", "fixed", "close", "closes", "closed", "resolve", "resolves", "resolved",
];

/// Routes below `/wit`.
pub(super) fn route(
    organisation: &Organisation<'_>,
    project: Option<&Project>,
    rest: &[&str],
) -> Answer {
    match (organisation.call.method.clone(), rest) {
        (Method::GET, ["workitems"]) => {
            let ids = organisation.query("ids").unwrap_or_default();
            let ids: Vec<i64> = ids
                .split(',')
                .filter_map(|id| id.trim().parse().ok())
                .collect();
            many(organisation, &ids)
        }
        (Method::POST, ["workitemsbatch"]) => {
            let body = organisation.body()?;
            let ids: Vec<i64> = body["ids"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_i64)
                .collect();
            many(organisation, &ids)
        }
        (Method::GET, ["workitems", id]) => ok(&wire(organisation, &find(organisation, id)?)),
        (Method::POST | Method::PATCH, ["workitems", kind]) if kind.starts_with('$') => {
            let Some(project) = project else {
                return Err(bad_request(
                    "ArgumentNullException",
                    "A work item needs a project.",
                ));
            };
            create(organisation, project, kind.trim_start_matches('$'))
        }
        (Method::PATCH, ["workitems", id]) => {
            let mut item = find(organisation, id)?;
            patch(organisation, &mut item)?;
            ok(&wire(organisation, &item))
        }
        _ => Err(not_emulated("work item routes of this kind")),
    }
}

/// Takes the number of the next work item.
pub(super) fn next_number(organisation: &Organisation<'_>) -> Answer<i64> {
    organisation.next(KIND)
}

/// Links a work item to an artifact, once. One that does not exist is passed over, as the service
/// passes over a mention of nothing.
pub(super) fn link(
    organisation: &Organisation<'_>,
    id: i64,
    name: &str,
    artifact: &str,
) -> Answer<()> {
    let Some(mut item) = organisation.get::<Value>(KIND, id)? else {
        return Ok(());
    };
    if has_link(&item, artifact) {
        return Ok(());
    }
    let relation =
        json!({ "rel": "ArtifactLink", "url": artifact, "attributes": { "name": name } });
    add_relation(&mut item, relation);
    save(organisation, &mut item)
}

/// Links every work item that `text` mentions.
pub(super) fn link_mentioned(
    organisation: &Organisation<'_>,
    text: &str,
    name: &str,
    artifact: &str,
) -> Answer<()> {
    for (id, _) in mentions(text) {
        link(organisation, id, name, artifact)?;
    }
    Ok(())
}

/// Closes the work items that a commit on the default branch says it fixes.
pub(super) fn resolve_mentioned(organisation: &Organisation<'_>, text: &str) -> Answer<()> {
    for (id, closing) in mentions(text) {
        if closing {
            advance(organisation, id)?;
        }
    }
    Ok(())
}

/// The references to the work items that link to an artifact.
pub(super) fn linked(organisation: &Organisation<'_>, artifact: &str) -> Answer<Vec<Value>> {
    let mut found = Vec::new();
    for (id, item) in organisation.rows(KIND)? {
        if has_link(&item, artifact) {
            let url = organisation.url(&["_apis", "wit", "workItems", &id]);
            found.push(json!({ "id": id, "url": url }));
        }
    }
    Ok(found)
}

/// Moves the work items that link to an artifact to their next state.
pub(super) fn advance_linked(organisation: &Organisation<'_>, artifact: &str) -> Answer<()> {
    for (id, item) in organisation.rows(KIND)? {
        if has_link(&item, artifact) {
            advance(organisation, id.parse().unwrap_or_default())?;
        }
    }
    Ok(())
}

/// The numbers that a text mentions as `#123`, and whether a closing word stands before each.
pub(super) fn mentions(text: &str) -> Vec<(i64, bool)> {
    let mut found: Vec<(i64, bool)> = Vec::new();
    for (position, _) in text.match_indices('#') {
        let before = &text[..position];
        // `AB#123` is how GitHub mentions one, and `x#1` mentions nothing.
        if before.ends_with(|c: char| c.is_alphanumeric() || c == '&' || c == '#') {
            continue;
        }
        let digits: String = text[position + 1..]
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        let after = text[position + 1 + digits.len()..].chars().next();
        if after.is_some_and(char::is_alphanumeric) {
            continue;
        }
        let Ok(id) = digits.parse() else { continue };
        let word = before.split_whitespace().next_back().unwrap_or_default();
        let word = word.trim_end_matches(':').to_lowercase();
        let closing = CLOSING.contains(&word.as_str());
        match found.iter_mut().find(|(known, _)| *known == id) {
            Some((_, known)) => *known |= closing,
            None => found.push((id, closing)),
        }
    }
    found
}

fn create(organisation: &Organisation<'_>, project: &Project, kind: &str) -> Answer {
    let id = next_number(organisation)?;
    let me = organisation.identity_ref(&organisation.me);
    let mut item = json!({
        "id": id,
        "rev": 0,
        "fields": {
            "System.AreaPath": project.name,
            "System.TeamProject": project.name,
            "System.IterationPath": project.name,
            "System.WorkItemType": kind,
            "System.State": if kind == "Task" || kind == "Issue" { "To Do" } else { "New" },
            "System.Reason": "New",
            "System.CreatedDate": organisation.now(),
            "System.CreatedBy": me,
            "System.ChangedDate": organisation.now(),
            "System.ChangedBy": me,
            "System.CommentCount": 0,
        },
    });
    patch(organisation, &mut item)?;
    if item["fields"]["System.Title"]
        .as_str()
        .is_none_or(str::is_empty)
    {
        organisation.delete(KIND, id)?;
        let message = "TF401320: Rule Error for field Title. Error code: Required, InvalidEmpty.";
        return Err(bad_request("RuleValidationException", message));
    }
    ok(&wire(organisation, &item))
}

fn patch(organisation: &Organisation<'_>, item: &mut Value) -> Answer<()> {
    let content = organisation.call.header("content-type").unwrap_or_default();
    if !content.starts_with("application/json-patch+json") {
        let message = "Valid content types for this method are: application/json-patch+json.";
        return Err(say(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "VssRequestContentTypeNotSupportedException",
            message,
        ));
    }
    let body = organisation.body()?;
    for operation in body.as_array().into_iter().flatten() {
        apply(item, operation)?;
    }
    item["fields"]["System.ChangedDate"] = organisation.now().into();
    item["fields"]["System.ChangedBy"] = organisation.identity_ref(&organisation.me);
    save(organisation, item)
}

fn apply(item: &mut Value, operation: &Value) -> Answer<()> {
    let path = operation["path"].as_str().unwrap_or_default();
    let value = operation.get("value").cloned().unwrap_or_default();
    let unknown = || {
        let message = format!("The JSON patch operation {operation} is not understood.");
        bad_request("VssPropertyValidationException", &message)
    };
    match (
        operation["op"]
            .as_str()
            .unwrap_or_default()
            .to_ascii_lowercase()
            .as_str(),
        path,
    ) {
        ("test", "/rev") if item["rev"] == value => {}
        ("test", "/rev") => {
            return Err(say(
                StatusCode::PRECONDITION_FAILED,
                "RuleValidationException",
                "TF26071: This work item has been changed by someone else since you opened it.",
            ));
        }
        ("add" | "replace", "/relations/-") => {
            let url = value["url"].as_str().unwrap_or_default();
            if has_link(item, url) {
                return Err(bad_request(
                    "RelationAlreadyExistsException",
                    "VS402625: The relation already exists.",
                ));
            }
            add_relation(item, value);
        }
        ("remove", path) if path.starts_with("/relations/") => {
            let index: Option<usize> = path["/relations/".len()..].parse().ok();
            let relations = item["relations"].as_array_mut().ok_or_else(unknown)?;
            match index.filter(|index| *index < relations.len()) {
                Some(index) => relations.remove(index),
                None => return Err(unknown()),
            };
        }
        ("add" | "replace", path) if path.starts_with("/fields/") => {
            item["fields"][&path["/fields/".len()..]] = value;
        }
        ("remove", path) if path.starts_with("/fields/") => {
            if let Some(fields) = item["fields"].as_object_mut() {
                fields.shift_remove(&path["/fields/".len()..]);
            }
        }
        _ => return Err(unknown()),
    }
    Ok(())
}

fn advance(organisation: &Organisation<'_>, id: i64) -> Answer<()> {
    let Some(mut item) = organisation.get::<Value>(KIND, id)? else {
        return Ok(());
    };
    let next = match item["fields"]["System.State"].as_str().unwrap_or_default() {
        "New" | "Active" | "Approved" | "Committed" => "Resolved",
        "To Do" | "Doing" => "Done",
        "Resolved" => "Closed",
        _ => return Ok(()),
    };
    item["fields"]["System.State"] = next.into();
    save(organisation, &mut item)
}

fn many(organisation: &Organisation<'_>, ids: &[i64]) -> Answer {
    let found: Answer<Vec<Value>> = ids
        .iter()
        .map(|id| Ok(wire(organisation, &find(organisation, &id.to_string())?)))
        .collect();
    list(found?)
}

fn find(organisation: &Organisation<'_>, id: &str) -> Answer<Value> {
    organisation.get(KIND, id)?.ok_or_else(|| {
        let message = format!(
            "TF401232: Work item {id} does not exist, or you do not have permissions to read it."
        );
        not_found("WorkItemUnauthorizedAccessException", &message)
    })
}

fn save(organisation: &Organisation<'_>, item: &mut Value) -> Answer<()> {
    item["rev"] = (item["rev"].as_i64().unwrap_or(0) + 1).into();
    organisation.put(KIND, item["id"].to_string(), item)
}

fn has_link(item: &Value, artifact: &str) -> bool {
    // Clients differ in the case of `%2F`.
    let relations = item["relations"].as_array().into_iter().flatten();
    relations.into_iter().any(|it| {
        it["url"]
            .as_str()
            .is_some_and(|url| url.eq_ignore_ascii_case(artifact))
    })
}

fn add_relation(item: &mut Value, relation: Value) {
    match item["relations"].as_array_mut() {
        Some(relations) => relations.push(relation),
        None => item["relations"] = json!([relation]),
    }
}

fn wire(organisation: &Organisation<'_>, item: &Value) -> Value {
    let mut value = item.clone();
    let url = organisation.url(&["_apis", "wit", "workItems", &item["id"].to_string()]);
    value["_links"] = json!({ "self": { "href": url } });
    value["url"] = url.into();
    value
}

#[cfg(test)]
mod tests {
    use super::mentions;

    #[test]
    fn a_mention_is_a_number_after_a_hash_that_stands_alone() {
        let text = "Fixes #12, see (#7) and #7 again; not AB#5, &#39; or #8th. Closes: #9";
        assert_eq!(mentions(text), [(12, true), (7, false), (9, true)]);
        assert_eq!(mentions("# #"), []);
    }
}
