//! Pipelines, the build policy and places to deploy to in Azure DevOps: each call makes things as
//! they should be and leaves alone what already is.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{AzureDevOps, full};
use crate::branch::BranchError;
use crate::branch::host::{BuildValidation, Definition, NewDefinition};
use crate::transport::Method;

/// The setting of an approval check that keeps people from approving what they asked for themselves
/// (not in the reference of the REST API; the Terraform provider's `requester_can_approve` sets it:
/// <https://registry.terraform.io/providers/microsoft/azuredevops/latest/docs/resources/check_approval>).
const REQUESTER_BARRED: &str = "requesterCannotBeApprover";
const BUILD_POLICY: &str = "0609b952-1397-4640-95ec-e00a01b2c241";
const APPROVAL_CHECK: &str = "8c6f20a7-a545-4486-9777-f762fafe0d4d";

impl AzureDevOps {
    pub(super) fn read_definitions(
        &self,
        name: Option<&str>,
    ) -> Result<Vec<Definition>, BranchError> {
        Ok(self.raw_definitions(name)?.iter().map(read).collect())
    }

    pub(super) fn put_definition(
        &self,
        new: &NewDefinition,
    ) -> Result<(Definition, bool), BranchError> {
        let folder = windows(&new.folder);
        let existing = self.raw_definitions(Some(&new.name))?;
        let existing = existing
            .into_iter()
            .find(|it| it["path"].as_str() == Some(&folder));
        let wanted = self.definition_body(new, existing.as_ref())?;
        let Some(existing) = existing else {
            let made = self.project(Method::POST, &["build", "definitions"], &[], Some(&wanted))?;
            return Ok((read(&made), true));
        };
        // What others added to the pipeline (variables, demands, …) stays.
        let mut changed = existing.clone();
        for (name, value) in wanted.as_object().into_iter().flatten() {
            match (
                name.as_str(),
                changed[name].as_object_mut(),
                value.as_object(),
            ) {
                ("variables" | "repository" | "process", Some(known), Some(value)) => {
                    known.extend(value.clone());
                }
                _ => changed[name] = value.clone(),
            }
        }
        if changed == existing {
            return Ok((read(&existing), false));
        }
        let path = ["build", "definitions", &existing["id"].to_string()];
        Ok((
            read(&self.project(Method::PUT, &path, &[], Some(&changed))?),
            true,
        ))
    }

    pub(super) fn put_build_validation(
        &self,
        policy: &BuildValidation,
    ) -> Result<bool, BranchError> {
        let wanted = json!({
            "buildDefinitionId": policy.definition,
            "displayName": policy.title,
            "manualQueueOnly": false,
            "queueOnSourceUpdateOnly": false,
            // A build is good until the target branch moves.
            "validDuration": 0,
            "filenamePatterns": policy.paths,
            "scope": [{
                "repositoryId": self.about()?.repository,
                "refName": full(&policy.branch),
                "matchKind": "exact",
            }],
        });
        let own = self.build_policies()?.into_iter().find(|it| {
            it.pointer("/settings/displayName") == wanted.get("displayName")
                && same_scope(&it["settings"]["scope"], &wanted["scope"])
        });
        let body = json!({
            "type": { "id": BUILD_POLICY },
            "isEnabled": true,
            "isBlocking": true,
            "settings": wanted,
        });
        match own {
            None => {
                self.project(
                    Method::POST,
                    &["policy", "configurations"],
                    &[],
                    Some(&body),
                )?;
                Ok(true)
            }
            Some(own) => {
                let same = own["isEnabled"] == true
                    && own["isBlocking"] == true
                    && ["buildDefinitionId", "filenamePatterns"]
                        .iter()
                        .all(|name| own["settings"][name] == wanted[name]);
                if !same {
                    let path = ["policy", "configurations", &own["id"].to_string()];
                    self.project(Method::PUT, &path, &[], Some(&body))?;
                }
                Ok(!same)
            }
        }
    }

    pub(super) fn read_build_validations(
        &self,
        branch: &str,
    ) -> Result<Vec<BuildValidation>, BranchError> {
        let scope = json!([{ "repositoryId": self.about()?.repository, "refName": full(branch) }]);
        let read = |it: &Value| {
            let settings = &it["settings"];
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let patterns = settings["filenamePatterns"]
                .as_array()
                .into_iter()
                .flatten();
            BuildValidation {
                title: text(&settings["displayName"]),
                branch: branch.to_owned(),
                definition: settings["buildDefinitionId"].as_i64().unwrap_or_default(),
                paths: patterns.map(text).collect(),
            }
        };
        let all = self.build_policies()?;
        let in_force = all.iter().filter(|it| {
            it["isEnabled"] == true
                && it["isBlocking"] == true
                && it["settings"]["manualQueueOnly"] != true
                && same_scope(&it["settings"]["scope"], &scope)
        });
        Ok(in_force.map(read).collect())
    }

    fn build_policies(&self) -> Result<Vec<Value>, BranchError> {
        let path = [&self.project, "_apis", "policy", "configurations"];
        self.pages(&path, &[("policyType", BUILD_POLICY)])
    }

    pub(super) fn put_approval(
        &self,
        place: &str,
        approvers: &[String],
        self_approval: bool,
    ) -> Result<bool, BranchError> {
        let environments = ["distributedtask", "environments"];
        let found = self.project(Method::GET, &environments, &[("name", place)], None)?;
        let same = |it: &&Value| {
            it["name"]
                .as_str()
                .is_some_and(|name| name.eq_ignore_ascii_case(place))
        };
        let found = found["value"]
            .as_array()
            .and_then(|all| all.iter().find(same).cloned());
        let (environment, mut changed) = match found {
            Some(environment) => (environment, false),
            None => {
                let body = json!({ "name": place, "description": "" });
                (
                    self.project(Method::POST, &environments, &[], Some(&body))?,
                    true,
                )
            }
        };
        if approvers.is_empty() {
            return Ok(changed);
        }
        let id = environment["id"].to_string();
        let configurations = ["pipelines", "checks", "configurations"];
        let query = [("resourceType", "environment"), ("resourceId", id.as_str())];
        let checks = self.project(Method::GET, &configurations, &query, None)?;
        let check = checks["value"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|check| {
                check.pointer("/type/id").and_then(Value::as_str) == Some(APPROVAL_CHECK)
            });
        if let Some(check) = check {
            // Who approves is the host's affair once it is set; that nobody approves her own is ours.
            let barred = check["settings"][REQUESTER_BARRED] == Value::Bool(true);
            if barred == self_approval {
                let mut body = check.clone();
                body["settings"][REQUESTER_BARRED] = (!self_approval).into();
                let number = check["id"].to_string();
                let path = ["pipelines", "checks", "configurations", &number];
                self.project(Method::PATCH, &path, &[], Some(&body))?;
                changed = true;
            }
        } else {
            let approvers: Vec<Value> = approvers.iter().map(|id| json!({ "id": id })).collect();
            let body = json!({
                "type": { "id": APPROVAL_CHECK, "name": "Approval" },
                "settings": {
                    "approvers": approvers,
                    "executionOrder": "anyOrder",
                    "minRequiredApprovers": 1,
                    "instructions": "",
                    "blockedApprovers": [],
                    REQUESTER_BARRED: !self_approval,
                },
                "resource": { "type": "environment", "id": id, "name": place },
            });
            self.project(Method::POST, &configurations, &[], Some(&body))?;
            changed = true;
        }
        Ok(changed)
    }

    fn raw_definitions(&self, name: Option<&str>) -> Result<Vec<Value>, BranchError> {
        let mut query = vec![
            ("repositoryId", self.about()?.repository.as_str()),
            ("repositoryType", "TfsGit"),
            ("includeAllProperties", "true"),
        ];
        query.extend(name.map(|name| ("name", name)));
        self.pages(&[&self.project, "_apis", "build", "definitions"], &query)
    }

    fn definition_body(
        &self,
        new: &NewDefinition,
        existing: Option<&Value>,
    ) -> Result<Value, BranchError> {
        let mut variables = Map::new();
        for (name, value) in &new.variables {
            variables.insert(
                name.clone(),
                json!({ "value": value, "allowOverride": true }),
            );
        }
        let triggers: Vec<Value> = new
            .trigger
            .iter()
            .map(|trigger| {
                let branches: Vec<String> = trigger
                    .branches
                    .iter()
                    .map(|name| format!("+{}", full(name)))
                    .collect();
                let paths: Vec<String> = trigger
                    .paths
                    .iter()
                    .map(|path| format!("+{path}"))
                    .collect();
                json!({
                    "triggerType": "continuousIntegration",
                    "branchFilters": branches,
                    "pathFilters": paths,
                    "batchChanges": false,
                    "settingsSourceType": 1,
                })
            })
            .collect();
        let default_branch = full(&new.default_branch);
        Ok(json!({
            "name": new.name,
            "path": windows(&new.folder),
            "type": "build",
            "queueStatus": existing.map_or_else(|| "enabled".into(), |it| it["queueStatus"].clone()),
            "process": { "type": 2, "yamlFilename": new.yaml },
            "repository": {
                "id": self.about()?.repository,
                "type": "TfsGit",
                "defaultBranch": default_branch,
            },
            "variables": variables,
            "triggers": triggers,
        }))
    }
}

/// A folder as the service writes it.
fn windows(folder: &str) -> String {
    format!("\\{}", folder.trim_matches('/').replace('/', "\\"))
}

fn same_scope(known: &Value, wanted: &Value) -> bool {
    let key = |scope: &Value| {
        let one = &scope[0];
        let text = |name: &str| one[name].as_str().unwrap_or_default().to_ascii_lowercase();
        (
            text("repositoryId"),
            one["refName"].as_str().unwrap_or_default().to_owned(),
        )
    };
    key(known) == key(wanted)
}

fn read(value: &Value) -> Definition {
    let mut variables = BTreeMap::new();
    for (name, variable) in value["variables"].as_object().into_iter().flatten() {
        if let Some(value) = variable["value"].as_str() {
            variables.insert(name.clone(), value.to_owned());
        }
    }
    Definition {
        id: value["id"].as_i64().unwrap_or_default(),
        name: value["name"].as_str().unwrap_or_default().to_owned(),
        folder: value["path"]
            .as_str()
            .unwrap_or_default()
            .replace('\\', "/"),
        variables,
    }
}
