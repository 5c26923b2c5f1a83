//! Variable groups (facts/git-hosts.md, section 6).

use serde_json::{Value, json};

use super::organisation::{Organisation, is_number, required};
use super::refusal::{Answer, list, no_content, not_emulated, not_found, ok};
use super::repositories::{self, Project};
use super::secret_variables;
use crate::transport::Method;

const KIND: &str = "variableGroup";

/// Routes below `/distributedtask/variablegroups`: written for the organisation, read in a project.
pub(super) fn route(
    organisation: &Organisation<'_>,
    project: Option<&Project>,
    rest: &[&str],
) -> Answer {
    let find = |id: &str| -> Answer<Value> {
        organisation.get(KIND, id)?.ok_or_else(|| {
            not_found(
                "VariableGroupNotFoundException",
                &format!("There is no variable group {id}."),
            )
        })
    };
    match (organisation.call.method.clone(), rest) {
        (Method::GET, []) => {
            let name = organisation.query("groupName");
            let ids = organisation.query("groupIds");
            let fits = |group: &Value| {
                let own = group["name"].as_str().unwrap_or_default();
                name.is_none_or(|name| match name.strip_suffix('*') {
                    Some(start) => own.to_lowercase().starts_with(&start.to_lowercase()),
                    None => own.eq_ignore_ascii_case(name),
                }) && ids
                    .is_none_or(|ids| ids.split(',').any(|id| is_number(&group["id"], id.trim())))
                    && project.is_none_or(|project| belongs(group, project))
            };
            let all: Vec<Value> = organisation.list(KIND)?;
            list(all.iter().filter(|group| fits(group)).map(wire).collect())
        }
        (Method::POST, []) => {
            let mut group = organisation.body()?;
            required(&group, "name")?;
            if let (Some(project), None) = (project, group.get("variableGroupProjectReferences")) {
                let reference = json!({ "id": project.id, "name": project.name });
                group["variableGroupProjectReferences"] =
                    json!([{ "name": group["name"], "projectReference": reference }]);
            }
            let id = organisation.next(KIND)?;
            group["id"] = id.into();
            if group["type"].is_null() {
                group["type"] = "Vsts".into();
            }
            group["createdBy"] = organisation.identity_ref(&organisation.me);
            group["createdOn"] = organisation.now().into();
            secret_variables::keep(&mut group, &Value::Null);
            organisation.put(KIND, id, &group)?;
            ok(&wire(&group))
        }
        (Method::GET, [id]) => ok(&wire(&find(id)?)),
        (Method::PUT, [id]) => {
            let old = find(id)?;
            let mut group = organisation.body()?;
            for kept in ["id", "createdBy", "createdOn"] {
                group[kept] = old[kept].clone();
            }
            secret_variables::keep(&mut group, &old);
            organisation.put(KIND, id, &group)?;
            ok(&wire(&group))
        }
        (Method::DELETE, [id]) => {
            find(id)?;
            organisation.delete(KIND, id)?;
            no_content()
        }
        _ => Err(not_emulated("variable group routes of this kind")),
    }
}

fn belongs(group: &Value, project: &repositories::Project) -> bool {
    let references = group["variableGroupProjectReferences"]
        .as_array()
        .into_iter()
        .flatten();
    references.into_iter().any(|reference| {
        let named = &reference["projectReference"];
        named["id"]
            .as_str()
            .is_some_and(|id| id.eq_ignore_ascii_case(&project.id.to_string()))
            || named["name"]
                .as_str()
                .is_some_and(|name| name.eq_ignore_ascii_case(&project.name))
    })
}

/// As it is read: without the values of secrets.
fn wire(group: &Value) -> Value {
    let mut group = group.clone();
    secret_variables::hide(&mut group);
    group
}
