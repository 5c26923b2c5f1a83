//! The pipelines view of definitions and builds: a pipeline is a definition, a run is a build
//! (facts/git-hosts.md, section 5.2).

use serde_json::{Map, Value, json};

use super::builds::{self, Build};
use super::definitions::{self, Definition};
use super::organisation::Organisation;
use super::refusal::{Answer, list, not_emulated, not_found, ok};
use super::repositories::Project;
use crate::transport::Method;

/// Routes below `/pipelines` that are not about checks and approvals.
pub(super) fn route(organisation: &Organisation<'_>, project: &Project, rest: &[&str]) -> Answer {
    match (organisation.call.method.clone(), rest) {
        (Method::GET, []) => {
            let all = definitions::all(organisation)?;
            let mine = all.iter().filter(|it| it.project == project.id);
            list(mine.map(|it| pipeline(organisation, it)).collect())
        }
        (Method::GET, [id]) => ok(&pipeline(
            organisation,
            &definitions::find(organisation, project, id)?,
        )),
        (Method::GET, [id, "runs"]) => {
            let definition = definitions::find(organisation, project, id)?;
            let all: Vec<Build> = organisation.list(builds::KIND)?;
            let mine = all.iter().rev().filter(|it| it.definition == definition.id);
            list(mine.map(|it| run(organisation, &definition, it)).collect())
        }
        (Method::GET, [id, "runs", number]) => {
            let definition = definitions::find(organisation, project, id)?;
            let build = builds::find(organisation, project, number)?;
            if build.definition != definition.id {
                return Err(not_found(
                    "PipelineRunNotFoundException",
                    "There is no such run.",
                ));
            }
            ok(&run(organisation, &definition, &build))
        }
        (Method::POST, [id, "runs"]) => {
            let definition = definitions::find(organisation, project, id)?;
            let body = organisation.body()?;
            if super::organisation::flag(body.get("previewRun")) {
                return Err(not_emulated("pipeline previews"));
            }
            let own = body.pointer("/resources/repositories/self");
            let branch = own
                .and_then(|own| own["refName"].as_str())
                .filter(|it| !it.is_empty());
            let branch = branch.map_or_else(|| definition.default_branch(), str::to_owned);
            let version = own.and_then(|own| own["version"].as_str());
            let mut parameters = Map::new();
            for (name, variable) in body["variables"].as_object().into_iter().flatten() {
                parameters.insert(name.clone(), variable["value"].clone());
            }
            let parameters = if parameters.is_empty() {
                Value::Null
            } else {
                Value::Object(parameters)
            };
            let templates = body.get("templateParameters").cloned().unwrap_or_default();
            let build = builds::start(
                organisation,
                &definition,
                branch,
                version,
                parameters,
                templates,
            )?;
            ok(&run(organisation, &definition, &build))
        }
        (Method::POST, []) => Err(not_emulated(
            "creating a pipeline; create a build definition",
        )),
        _ => Err(not_emulated("pipeline routes of this kind")),
    }
}

fn pipeline(organisation: &Organisation<'_>, definition: &Definition) -> Value {
    let id = definition.id.to_string();
    json!({
        "url": organisation.url(&[&definition.project.to_string(), "_apis", "pipelines", &id]),
        "id": definition.id,
        "revision": definition.revision,
        "name": definition.name,
        "folder": definition.path,
    })
}

fn run(organisation: &Organisation<'_>, definition: &Definition, build: &Build) -> Value {
    let pipeline = pipeline(organisation, definition);
    let url = format!(
        "{}/runs/{}",
        pipeline["url"].as_str().unwrap_or_default(),
        build.id
    );
    let state = match build.status.as_str() {
        "completed" => "completed",
        "cancelling" => "canceling",
        _ => "inProgress",
    };
    let mut value = json!({
        "_links": { "self": { "href": url }, "pipeline": { "href": pipeline["url"] } },
        "templateParameters": build.template_parameters,
        "pipeline": pipeline,
        "state": state,
        "createdDate": build.queued,
        "url": url,
        "resources": { "repositories": { "self": {
            "repository": { "id": build.repository, "type": "azureReposGit" },
            "refName": build.branch,
            "version": build.version,
        } } },
        "id": build.id,
        "name": build.number,
    });
    if let Some(result) = &build.result {
        // The pipelines view knows no partial success.
        value["result"] = if result == "partiallySucceeded" {
            "succeeded"
        } else {
            result.as_str()
        }
        .into();
    }
    if let Some(finished) = &build.finished {
        value["finishedDate"] = finished.clone().into();
    }
    value
}
