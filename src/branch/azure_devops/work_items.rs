//! Work items in Azure DevOps (facts/git-hosts.md, section 7).

use serde_json::{Value, json};

use super::AzureDevOps;
use crate::branch::BranchError;
use crate::branch::host::WorkItem;
use crate::transport::{HeaderValue, Method, Request};

impl AzureDevOps {
    pub(super) fn read_work_item(&self, id: i64) -> Result<WorkItem, BranchError> {
        let path = ["wit", "workitems", &id.to_string()];
        let found = self.project(Method::GET, &path, &[("$expand", "relations")], None)?;
        Ok(read(&found))
    }

    pub(super) fn make_work_item(&self, kind: &str, title: &str) -> Result<WorkItem, BranchError> {
        let body = json!([{ "op": "add", "path": "/fields/System.Title", "value": title }]);
        let kind = format!("${kind}");
        Ok(read(&self.patch(
            Method::POST,
            &["wit", "workitems", &kind],
            &body,
        )?))
    }

    pub(super) fn link_work_item(&self, id: i64, commit: &str) -> Result<(), BranchError> {
        let about = self.about()?;
        let url = format!(
            "vstfs:///Git/Commit/{}%2F{}%2F{commit}",
            about.project, about.repository
        );
        let body = json!([{
            "op": "add",
            "path": "/relations/-",
            "value": {
                "rel": "ArtifactLink",
                "url": url,
                "attributes": { "name": "Fixed in Commit" },
            },
        }]);
        match self.patch(Method::PATCH, &["wit", "workitems", &id.to_string()], &body) {
            Ok(_) => Ok(()),
            // It is linked already, for the host links what a commit's message mentions.
            Err(BranchError::Refused { request, .. })
                if request.service_code.as_deref() == Some("RelationAlreadyExistsException") =>
            {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// A request with a JSON Patch.
    fn patch(&self, method: Method, rest: &[&str], body: &Value) -> Result<Value, BranchError> {
        let mut path = vec![self.project.as_str(), "_apis"];
        path.extend(rest);
        let mut request = Request::new(method, self.url(&path, &[])).json(body);
        let kind = HeaderValue::from_static("application/json-patch+json");
        request.headers.insert("content-type", kind);
        let response = self.send(request)?;
        Ok(response.to_json().unwrap_or_default())
    }
}

fn read(value: &Value) -> WorkItem {
    let field = |name: &str| {
        value["fields"][name]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let relations = value["relations"].as_array().into_iter().flatten();
    WorkItem {
        id: value["id"].as_i64().unwrap_or_default(),
        kind: field("System.WorkItemType"),
        title: field("System.Title"),
        state: field("System.State"),
        links: relations
            .filter_map(|it| Some(it["url"].as_str()?.to_owned()))
            .collect(),
    }
}
