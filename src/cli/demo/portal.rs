//! What a maker does in the maker portal, as the requests that the portal sends.

use serde_json::{Value, json};
use url::Url;

use super::stage::Stage;
use crate::cli::failure::Failure;
use crate::transport::{HeaderName, HeaderValue, Method, Request, Response};

/// An environment's Web API, used by one person.
pub(super) struct Portal<'s> {
    stage: &'s Stage,
    who: &'s str,
    root: Url,
}

impl<'s> Portal<'s> {
    /// The Web API of `environment`, used by the identity `who` of `alm.toml`.
    pub(super) fn of(stage: &'s Stage, environment: &str, who: &'s str) -> Result<Self, Failure> {
        let config = stage.workspace.config();
        let url = config
            .environments
            .get(environment)
            .map(|found| found.url.clone());
        let root = url
            .and_then(|url| url.join("/api/data/v9.2/").ok())
            .ok_or_else(|| Failure::usage("ALM-C015", format!("no environment {environment}")))?;
        Ok(Self { stage, who, root })
    }

    /// Reads rows: the set with its query, for example `solutions` and `[("$top", "1")]`.
    pub(super) fn rows(&self, set: &str, query: &[(&str, &str)]) -> Result<Vec<Value>, Failure> {
        let answer = self.send(Request::new(Method::GET, self.address(set, query)))?;
        Ok(answer["value"].as_array().cloned().unwrap_or_default())
    }

    /// The address of a set with a query, as it is shown and sent.
    pub(super) fn address(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.root.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Changes columns of a row.
    pub(super) fn change(&self, set: &str, id: &str, columns: &Value) -> Result<(), Failure> {
        let url = self.address(&format!("{set}({id})"), &[]);
        let request = Request::new(Method::PATCH, url).json(columns);
        let must_exist = HeaderName::from_static("if-match");
        self.send(request.header(must_exist, HeaderValue::from_static("*")))?;
        Ok(())
    }

    /// Creates a row that becomes part of a solution.
    pub(super) fn create_in(
        &self,
        solution: &'static str,
        set: &str,
        columns: &Value,
    ) -> Result<(), Failure> {
        let request = Request::new(Method::POST, self.address(set, &[])).json(columns);
        let part_of = HeaderName::from_static("mscrm.solutionuniquename");
        self.send(request.header(part_of, HeaderValue::from_static(solution)))?;
        Ok(())
    }

    /// Deletes a row.
    pub(super) fn delete(&self, set: &str, id: &str) -> Result<(), Failure> {
        self.send(Request::new(
            Method::DELETE,
            self.address(&format!("{set}({id})"), &[]),
        ))?;
        Ok(())
    }

    fn send(&self, request: Request) -> Result<Value, Failure> {
        let shown = format!("{} {}", request.method, request.url);
        let response: Response = self.stage.signed_in(self.who)?.send(request)?;
        if !response.status.is_success() {
            let said = String::from_utf8_lossy(&response.body).into_owned();
            let message = format!("{shown} was answered {}: {said}", response.status);
            return Err(Failure::usage("ALM-C016", message).exit(crate::cli::Exit::Failed));
        }
        Ok(response.to_json().unwrap_or_else(|_| json!(null)))
    }
}
