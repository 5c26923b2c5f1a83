//! The git host past everything that `alm` asks, as its web page and other people's tools use it.

use std::sync::Arc;

use almscript::transport::{Cancel, HeaderValue, Method, Request, Transport};
use almscript::workspace::{Connections, Workspace as Opened};
use serde_json::{Value, json};

use crate::workspace::{SOLUTION, Workspace, git};

/// The host as one person meets it.
pub struct Client {
    transport: Arc<dyn Transport>,
    repository: std::path::PathBuf,
}

impl Client {
    /// Signs in as an identity of the workspace.
    pub fn of(workspace: &Workspace, identity: &str) -> Self {
        let opened = Opened::open(&workspace.dir()).unwrap();
        let transport = Connections::of(&opened, &Cancel::new()).signed_in(identity);
        Self {
            transport: transport.unwrap(),
            repository: workspace.repository(),
        }
    }

    /// Sends a request that must succeed.
    pub fn send(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let (status, text) = self.try_send(method, path, body);
        assert!((200..300).contains(&status), "{path}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Sends a request and returns the status and the text of the answer.
    pub fn try_send(&self, method: Method, path: &str, body: Option<Value>) -> (u16, String) {
        let url = format!("https://dev.azure.com/contoso/ALM/_apis/{path}");
        let mut request = Request::new(method, url.parse().unwrap());
        let kind = HeaderValue::from_static("application/json");
        request.headers.insert("accept", kind);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = self.transport.send(request).unwrap();
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        (answer.status.as_u16(), text)
    }

    /// The number of the pipeline with this name.
    pub fn definition(&self, name: &str) -> i64 {
        let found = self.send(
            Method::GET,
            &format!("build/definitions?name={name}&api-version=7.1"),
            None,
        );
        found["value"][0]["id"].as_i64().unwrap()
    }

    /// Makes a pipeline with these variables, a JSON object of texts.
    pub fn make_definition(&self, variables: &str) -> i64 {
        let texts: Value = serde_json::from_str(variables).unwrap();
        let variables: serde_json::Map<String, Value> = texts
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| {
                (
                    name.clone(),
                    json!({ "value": value, "allowOverride": true }),
                )
            })
            .collect();
        let repository = self.send(Method::GET, "git/repositories/apps?api-version=7.1", None);
        let count =
            self.send(Method::GET, "build/definitions?api-version=7.1", None)["count"].clone();
        let body = json!({
            "name": format!("mine-{count}"),
            "path": "\\",
            "type": "build",
            "queueStatus": "enabled",
            "process": { "type": 2, "yamlFilename": "/x.yml" },
            "repository": { "id": repository["id"], "type": "TfsGit", "defaultBranch": "refs/heads/main" },
            "variables": variables,
            "triggers": [],
        });
        let made = self.send(
            Method::POST,
            "build/definitions?api-version=7.1",
            Some(body),
        );
        made["id"].as_i64().unwrap()
    }

    /// Queues a build and returns its number.
    pub fn queue(
        &self,
        definition: i64,
        branch: &str,
        commit: Option<&str>,
        parameters: &str,
    ) -> i64 {
        let body = json!({
            "definition": { "id": definition },
            "sourceBranch": format!("refs/heads/{branch}"),
            "sourceVersion": commit.unwrap_or_default(),
            "parameters": parameters,
        });
        let queued = self.send(Method::POST, "build/builds?api-version=7.1", Some(body));
        queued["id"].as_i64().unwrap()
    }

    /// How a build ended.
    pub fn result_of(&self, build: i64) -> String {
        let build = self.send(
            Method::GET,
            &format!("build/builds/{build}?api-version=7.1"),
            None,
        );
        build["result"].as_str().unwrap_or_default().to_owned()
    }

    /// What a build's log says.
    pub fn log_of(&self, build: i64) -> String {
        self.send(
            Method::GET,
            &format!("build/builds/{build}/logs/1?api-version=7.1"),
            None,
        )
        .to_string()
    }

    /// The commit of a branch.
    pub fn commit_of(&self, branch: &str) -> String {
        git(&self.repository, &["rev-parse", branch])
            .trim()
            .to_owned()
    }

    /// Takes the approval checks off the environment `prod`.
    pub fn remove_approval_checks(&self) {
        let found = self.send(
            Method::GET,
            "distributedtask/environments?name=prod&api-version=7.1",
            None,
        );
        let id = &found["value"][0]["id"];
        let path = format!(
            "pipelines/checks/configurations?resourceType=environment&resourceId={id}&api-version=7.1-preview.1"
        );
        for check in self.send(Method::GET, &path, None)["value"]
            .as_array()
            .unwrap()
        {
            let path = format!(
                "pipelines/checks/configurations/{}?api-version=7.1-preview.1",
                check["id"]
            );
            self.send(Method::DELETE, &path, None);
        }
    }

    /// Takes the policies off the solution's branch.
    pub fn remove_policies(&self) {
        let all = self.send(Method::GET, "policy/configurations?api-version=7.1", None);
        for policy in all["value"].as_array().unwrap() {
            assert_eq!(
                policy["settings"]["scope"][0]["refName"],
                format!("refs/heads/{SOLUTION}")
            );
            self.send(
                Method::DELETE,
                &format!("policy/configurations/{}?api-version=7.1", policy["id"]),
                None,
            );
        }
    }

    /// Completes a pull request.
    pub fn complete(&self, id: i64) {
        let path = format!("git/repositories/apps/pullrequests/{id}?api-version=7.1");
        let request = self.send(Method::GET, &path, None);
        let body = json!({
            "status": "completed",
            "lastMergeSourceCommit": { "commitId": request["lastMergeSourceCommit"]["commitId"] },
        });
        self.send(Method::PATCH, &path, Some(body));
        for _ in 0..100 {
            if self.send(Method::GET, &path, None)["status"] == "completed" {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("pull request {id} is not completed");
    }
}

/// At the host itself, past `alm`: who is no administrator there changes no policy, no approval check
/// and no build, and so cannot let through what nobody looked at.
#[test]
fn a_maker_changes_neither_policies_nor_results_at_the_host() {
    let workspace = Workspace::example();
    workspace.save("First save");
    workspace.ok(&["run", "deploy", "--as", "new-maker", "--solution", SOLUTION]);
    let (maya, ada) = (
        Client::of(&workspace, "maya"),
        Client::of(&workspace, "ada"),
    );
    let policies = ada.send(Method::GET, "policy/configurations?api-version=7.1", None);
    let policy = policies["value"][0].clone();
    let at = format!("policy/configurations/{}?api-version=7.1", policy["id"]);
    let check = "pipelines/checks/configurations";
    let builds = "build/builds?api-version=7.1";
    let build = ada.send(Method::GET, builds, None)["value"][0].clone();
    let build_at = format!("build/builds/{}?api-version=7.1", build["id"]);
    let mut loose = policy.clone();
    loose["isBlocking"] = false.into();
    let done = json!({ "status": "completed", "result": "succeeded" });
    let queue = "policy/configurations?api-version=7.1";
    for (method, path, body, says) in [
        (Method::DELETE, at.as_str(), None, "EditPolicies"),
        (Method::PUT, &at, Some(loose.clone()), "EditPolicies"),
        (Method::POST, queue, Some(loose), "EditPolicies"),
        (Method::DELETE, &format!("{check}/1"), None, "Administrator"),
        (
            Method::PATCH,
            &format!("{check}/1"),
            Some(json!({})),
            "Administrator",
        ),
        (
            Method::PATCH,
            &build_at,
            Some(json!({ "status": "inProgress" })),
            "Update build",
        ),
        (Method::PATCH, &build_at, Some(done.clone()), "Update build"),
        (
            Method::DELETE,
            "build/definitions/1?api-version=7.1",
            None,
            "Delete build",
        ),
        (
            Method::DELETE,
            "git/repositories/apps?api-version=7.1",
            None,
            "CreateRepository",
        ),
    ] {
        let (status, text) = maya.try_send(method.clone(), path, body);
        assert_eq!(status, 403, "{method} {path}: {text}");
        assert!(text.contains(says), "{method} {path}: {text}");
    }
    // She may stop what she asked for, and the policy still holds.
    maya.send(
        Method::PATCH,
        &build_at,
        Some(json!({ "status": "cancelling" })),
    );
    let complete = ["pr", "complete", "1", "--as", "admin"];
    workspace.fails(6, &complete, &["still waits"]);
    ada.send(Method::DELETE, &at, None);
}
