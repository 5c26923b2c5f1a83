//! A build's logs and timeline, read through the build and written through its plan, as the
//! service's own agents do (`/distributedtask/hubs/build/plans/{planId}/…`).

use serde_json::{Value, json};

use super::builds::{self, Build};
use super::organisation::Organisation;
use super::refusal::{Answer, list, not_emulated, not_found, ok};
use super::repositories::Project;
use super::rights::Right;
use crate::emulator::definition::derived_id;
use crate::transport::{HeaderValue, Method, Response, StatusCode};

/// Documents with the text of one log, by build and number.
const LOG: &str = "buildLog";

/// Routes below `/build/builds/{id}/logs` and `/timeline`.
pub(super) fn read(
    organisation: &Organisation<'_>,
    project: &Project,
    id: &str,
    rest: &[&str],
) -> Answer {
    let build = builds::find(organisation, project, id)?;
    match rest {
        ["timeline", ..] => {
            let id = derived_id("timeline", &build.plan().to_string());
            ok(&json!({
                "records": build.records,
                "lastChangedOn": build.finished.as_ref().unwrap_or(&build.queued),
                "id": id,
                "changeId": build.records.len(),
                "url": build.url(organisation, &["Timeline", &id.to_string()]),
            }))
        }
        ["logs"] => {
            let logs: Answer<Vec<Value>> = (1..=build.logs)
                .map(|number| wire(organisation, &build, number))
                .collect();
            list(logs?)
        }
        ["logs", number] => {
            let text = text(organisation, &build, number)?.ok_or_else(|| {
                not_found(
                    "BuildLogNotFoundException",
                    &format!("There is no log {number}."),
                )
            })?;
            let start = organisation.number("startLine")?.unwrap_or(0);
            let end = organisation.number("endLine")?.unwrap_or(usize::MAX);
            let lines: Vec<&str> = text
                .lines()
                .enumerate()
                .filter(|(line, _)| *line >= start && *line < end)
                .map(|(_, text)| text)
                .collect();
            let accept = organisation.call.header("accept").unwrap_or_default();
            if accept.starts_with("application/json") {
                return ok(&json!({ "count": lines.len(), "value": lines }));
            }
            let mut response = Response::new(StatusCode::OK);
            response.body = lines.join("\n").into_bytes();
            let kind = HeaderValue::from_static("text/plain; charset=utf-8");
            response.headers.insert("content-type", kind);
            Ok(response)
        }
        _ => Err(not_emulated("build routes of this kind")),
    }
}

/// Routes below `/distributedtask/hubs/build/plans/{plan}`.
pub(super) fn write(
    organisation: &Organisation<'_>,
    project: &Project,
    plan: &str,
    rest: &[&str],
) -> Answer {
    let all: Vec<Build> = organisation.list(builds::KIND)?;
    let found = all
        .into_iter()
        .find(|it| it.project == project.id && it.plan().to_string() == plan);
    let Some(mut build) = found else {
        return Err(not_found(
            "TaskOrchestrationPlanNotFoundException",
            "There is no such plan.",
        ));
    };
    if organisation.call.method != Method::GET {
        organisation.needs(Right::ReportBuilds)?;
    }
    match (organisation.call.method.clone(), rest) {
        (Method::POST, ["logs"]) => {
            build.logs += 1;
            build.save(organisation)?;
            let text = Value::from("");
            organisation.put(LOG, key(&build, &build.logs.to_string()), &text)?;
            ok(&wire(organisation, &build, build.logs)?)
        }
        (Method::POST, ["logs", number]) => {
            let Some(mut text) = text(organisation, &build, number)? else {
                return Err(not_found(
                    "TaskLogNotFoundException",
                    "There is no such log.",
                ));
            };
            text.push_str(&String::from_utf8_lossy(&organisation.call.body));
            organisation.put(LOG, key(&build, number), &Value::from(text))?;
            ok(&wire(
                organisation,
                &build,
                number.parse().unwrap_or_default(),
            )?)
        }
        (Method::PATCH, ["timelines", _, "records"]) => {
            let body = organisation.body()?;
            for record in body["value"].as_array().into_iter().flatten() {
                let known = build.records.iter_mut().find(|it| it["id"] == record["id"]);
                match (known, record.as_object()) {
                    (Some(known), Some(new)) => {
                        if let Some(known) = known.as_object_mut() {
                            known.extend(new.clone());
                        }
                    }
                    _ => build.records.push(record.clone()),
                }
            }
            build.save(organisation)?;
            list(build.records)
        }
        _ => Err(not_emulated("plan routes of this kind")),
    }
}

fn wire(organisation: &Organisation<'_>, build: &Build, number: usize) -> Answer<Value> {
    let text = text(organisation, build, &number.to_string())?.unwrap_or_default();
    Ok(json!({
        "lineCount": text.lines().count(),
        "createdOn": build.started.as_ref().unwrap_or(&build.queued),
        "id": number,
        "type": "Container",
        "url": build.url(organisation, &["logs", &number.to_string()]),
    }))
}

fn text(organisation: &Organisation<'_>, build: &Build, number: &str) -> Answer<Option<String>> {
    organisation.get(LOG, key(build, number))
}

fn key(build: &Build, number: &str) -> String {
    format!("{}/{number}", build.id)
}
