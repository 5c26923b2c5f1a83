//! An emulated tenant with one organisation, and raw calls to it as different people.

use std::sync::Arc;

use almscript::emulator::definition::{
    ApplicationDefinition, GroupDefinition, OrganisationDefinition, ProjectDefinition,
    UserDefinition,
};
use almscript::emulator::{Tenant, TenantDefinition};
use almscript::transport::{HeaderValue, Method, Request, Response, Service};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

pub const MAYA: &str = "maya";
pub const OLGA: &str = "olga";

pub struct Fixture {
    pub tenant: Arc<Tenant>,
    // The files go when the fixture does.
    _folder: tempfile::TempDir,
}

pub fn definition() -> TenantDefinition {
    let user = |upn: &str, name: &str| UserDefinition {
        upn: format!("{upn}@contoso.example"),
        name: name.into(),
        object_id: None,
        access_tokens: vec![upn.into()],
    };
    TenantDefinition {
        domain: "contoso.example".into(),
        tenant_id: None,
        users: vec![user(MAYA, "Maya Maker"), user(OLGA, "Olga Operator")],
        groups: vec![GroupDefinition {
            name: "Operators".into(),
            object_id: None,
            members: vec!["olga@contoso.example".into()],
        }],
        applications: vec![ApplicationDefinition {
            app_id: uuid::Uuid::from_u128(7),
            name: "Pipeline".into(),
            secret: "secret".into(),
            object_id: None,
        }],
        environments: Vec::new(),
        organisations: vec![OrganisationDefinition {
            name: "contoso".into(),
            last_work_item: 0,
            projects: vec![ProjectDefinition {
                name: "ALM Team".into(),
                repositories: vec!["apps".into()],
            }],
        }],
    }
}

impl Fixture {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tenant = Tenant::create(folder.path(), &definition()).unwrap();
        Self {
            tenant: Arc::new(tenant),
            _folder: folder,
        }
    }

    /// A call to `https://dev.azure.com/contoso/…` as a user, with that user's access token.
    pub fn send(&self, who: &str, method: Method, path: &str, body: Option<&Value>) -> Response {
        let url = format!("https://dev.azure.com/contoso/{path}")
            .parse()
            .unwrap();
        let mut request = Request::new(method, url);
        if let Some(body) = body {
            request = request.json(body);
            if path.contains("_apis/wit/") {
                let kind = HeaderValue::from_static("application/json-patch+json");
                request.headers.insert("content-type", kind);
            }
        }
        let token = BASE64_STANDARD.encode(format!(":{who}"));
        let token = HeaderValue::try_from(format!("Basic {token}")).unwrap();
        request.headers.insert("authorization", token);
        self.tenant.answer(request)
    }

    /// As [`Fixture::send`]; fails the test unless the answer is a success, and returns its JSON.
    pub fn call(&self, who: &str, method: Method, path: &str, body: Option<&Value>) -> Value {
        let response = self.send(who, method.clone(), path, body);
        let text = String::from_utf8_lossy(&response.body).into_owned();
        assert!(
            response.status.is_success(),
            "{method} {path}: {} {text}",
            response.status
        );
        if text.is_empty() {
            Value::Null
        } else {
            response.to_json().unwrap()
        }
    }

    pub fn get(&self, path: &str) -> Value {
        self.call(MAYA, Method::GET, path, None)
    }

    pub fn post(&self, path: &str, body: Value) -> Value {
        self.call(MAYA, Method::POST, path, Some(&body))
    }

    pub fn patch(&self, path: &str, body: Value) -> Value {
        self.call(MAYA, Method::PATCH, path, Some(&body))
    }

    /// The refusal that a call must get: its status and the service's type key.
    pub fn refused(
        &self,
        who: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (u16, String) {
        let response = self.send(who, method, path, body.as_ref());
        let text = String::from_utf8_lossy(&response.body).into_owned();
        assert!(!response.status.is_success(), "{path}: {text}");
        let key = response.to_json().unwrap()["typeKey"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        (response.status.as_u16(), key)
    }

    /// Commits files through REST and returns the commit's id.
    pub fn push(&self, branch: &str, from: &str, files: &[(&str, &str)], comment: &str) -> String {
        let old = self.head(from);
        let changes: Vec<Value> = files
            .iter()
            .map(|(path, text)| {
                let url =
                    format!("{REPOSITORY}/items?path=/{path}&versionDescriptor.version={from}");
                let exists = self.send(MAYA, Method::GET, &url, None).status.is_success();
                serde_json::json!({
                    "changeType": if exists { "edit" } else { "add" },
                    "item": { "path": format!("/{path}") },
                    "newContent": { "content": text, "contentType": "rawtext" },
                })
            })
            .collect();
        let body = serde_json::json!({
            "refUpdates": [{ "name": format!("refs/heads/{branch}"), "oldObjectId": old }],
            "commits": [{ "comment": comment, "changes": changes }],
        });
        let push = self.post(&format!("{REPOSITORY}/pushes"), body);
        push["commits"][0]["commitId"].as_str().unwrap().to_owned()
    }

    /// The head of a branch, or forty zeros.
    pub fn head(&self, branch: &str) -> String {
        let found = self.get(&format!("{REPOSITORY}/refs?filter=heads/{branch}"));
        let name = format!("refs/heads/{branch}");
        let of = found["value"].as_array().unwrap();
        let one = of.iter().find(|it| it["name"] == name.as_str());
        one.map_or("0".repeat(40), |it| {
            it["objectId"].as_str().unwrap().to_owned()
        })
    }
}

pub const REPOSITORY: &str = "ALM%20Team/_apis/git/repositories/apps";
