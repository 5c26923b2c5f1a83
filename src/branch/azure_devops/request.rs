//! Sending one request to Azure DevOps and understanding its refusals
//! (facts/git-hosts.md, section 9).

use serde_json::Value;
use url::Url;

use super::AzureDevOps;
use crate::branch::BranchError;
use crate::problem::FailedRequest;
use crate::transport::{HeaderValue, Method, Request, Response, StatusCode};

const ACCEPT: HeaderValue = HeaderValue::from_static("application/json;api-version=7.1");
/// Policy evaluations and checks exist as a preview only.
const ACCEPT_PREVIEW: HeaderValue =
    HeaderValue::from_static("application/json;api-version=7.1-preview.1");

impl AzureDevOps {
    /// A request whose answer is JSON; no content is null.
    pub(super) fn json(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, BranchError> {
        let mut request = Request::new(method, self.url(path, query));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = self.send(request)?;
        self.parse(path, &response)
    }

    /// All pages of a list.
    pub(super) fn pages(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Vec<Value>, BranchError> {
        let mut values = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let mut query = query.to_vec();
            if let Some(token) = &token {
                query.push(("continuationToken", token));
            }
            let response = self.send(Request::new(Method::GET, self.url(path, &query)))?;
            let answer = self.parse(path, &response)?;
            if let Some(page) = answer["value"].as_array() {
                values.extend(page.iter().cloned());
            }
            let next = response.headers.get("x-ms-continuationtoken");
            match next
                .and_then(|next| next.to_str().ok())
                .filter(|next| !next.is_empty())
            {
                Some(next) if token.as_deref() != Some(next) => token = Some(next.to_owned()),
                _ => return Ok(values),
            }
        }
    }

    /// Sends a request and turns every refusal into an error.
    pub(super) fn send(&self, mut request: Request) -> Result<Response, BranchError> {
        let path = request.url.path();
        let preview = path.contains("/_apis/policy/evaluations")
            || path.contains("/_apis/pipelines/checks")
            || path.contains("/_apis/pipelines/approvals");
        let accept = if preview { ACCEPT_PREVIEW } else { ACCEPT };
        request.headers.entry("accept").or_insert(accept);
        // Without it the service answers with a page to sign in.
        let suppress = HeaderValue::from_static("Suppress");
        request.headers.insert("x-tfs-fedauthredirect", suppress);
        let (method, url) = (request.method.clone(), request.url.clone());
        let response = self.transport.send(request)?;
        match refusal(&method, &url, &response) {
            Some(error) => Err(error),
            None => Ok(response),
        }
    }

    /// The address of a path below the organisation; every part is encoded.
    pub(super) fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.organisation.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// The description of a request below the repository that failed.
    pub(super) fn failed(
        &self,
        method: &Method,
        rest: &[&str],
        status: u16,
        code: Option<&str>,
    ) -> FailedRequest {
        let mut path = vec![
            self.project.as_str(),
            "_apis",
            "git",
            "repositories",
            &self.repository,
        ];
        path.extend(rest);
        let url = self.url(&path, &[]).to_string();
        let (method, service_code) = (method.to_string(), code.map(str::to_owned));
        FailedRequest {
            method,
            url,
            status: Some(status),
            service_code,
        }
    }

    fn parse(&self, path: &[&str], response: &Response) -> Result<Value, BranchError> {
        if response.body.is_empty() {
            return Ok(Value::Null);
        }
        response.to_json().map_err(|error| BranchError::Answer {
            reason: error.to_string(),
            request: FailedRequest {
                method: String::new(),
                url: self.url(path, &[]).to_string(),
                status: Some(response.status.as_u16()),
                service_code: None,
            },
        })
    }
}

/// The error that an answer stands for, or `None` for a success.
fn refusal(method: &Method, url: &Url, response: &Response) -> Option<BranchError> {
    let mut shown = url.clone();
    shown.set_query(None);
    let mut request = FailedRequest {
        method: method.to_string(),
        url: shown.to_string(),
        status: Some(response.status.as_u16()),
        service_code: None,
    };
    let kind = response
        .headers
        .get("content-type")
        .and_then(|kind| kind.to_str().ok());
    let page = kind.is_some_and(|kind| kind.starts_with("text/html"));
    let status = response.status;
    if page || status == StatusCode::NON_AUTHORITATIVE_INFORMATION || status.is_redirection() {
        let reason = format!("{status} with a page to sign in");
        return Some(BranchError::SignIn { reason, request });
    }
    if status.is_success() {
        return None;
    }
    let body = response.to_json().unwrap_or_default();
    let key = body["typeKey"].as_str().unwrap_or_default();
    let reason = match body["message"].as_str() {
        Some(message) => message.to_owned(),
        None => format!("{status}"),
    };
    if !key.is_empty() {
        request.service_code = Some(key.to_owned());
    }
    // Types decide, not texts (facts/git-hosts.md, section 9).
    Some(match key {
        "GitPullRequestExistsException" => BranchError::PullRequestExists { request },
        "GitPullRequestStaleException"
        | "GitReferenceStaleException"
        | "DefinitionRevisionConflictException"
        | "BuildStatusInvalidChangeException" => BranchError::Changed { reason },
        "GitPullRequestMergeConflictException" => BranchError::Conflicts { reason },
        _ if key.contains("RejectedByPolicy") => BranchError::Policy { reason },
        _ => match status {
            StatusCode::UNAUTHORIZED => BranchError::SignIn { reason, request },
            StatusCode::FORBIDDEN => BranchError::Forbidden { reason, request },
            StatusCode::NOT_FOUND => BranchError::NotFound { reason, request },
            _ => BranchError::Refused { reason, request },
        },
    })
}
