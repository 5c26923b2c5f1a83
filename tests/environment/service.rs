//! A service whose answers a test writes down.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use almscript::environment::{Connect, Environment, Waits};
use almscript::transport::{Cancel, InProcess, Request, Response, Service, StatusCode};
use serde_json::{Value, json};

/// A rule: for which requests, and what is answered.
type Rule = Box<dyn Fn(&Seen) -> Option<Response> + Send + Sync>;

/// A request, taken apart as far as tests look at it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// `GET solutions?$filter=…`: verb, path below the API root, decoded query.
    pub line: String,
    /// The JSON body, or null.
    pub body: Value,
}

/// Answers with the first rule that fits and keeps all requests.
#[derive(Default)]
pub struct Written {
    rules: Mutex<Vec<Rule>>,
    seen: Mutex<Vec<Seen>>,
}

impl Written {
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// Answers requests whose line starts with `start` with what `answer` makes of them.
    pub fn on(
        self: &Arc<Self>,
        start: &str,
        answer: impl Fn(&Seen) -> Response + Send + Sync + 'static,
    ) -> Arc<Self> {
        let start = start.to_owned();
        let rule = move |seen: &Seen| seen.line.starts_with(&start).then(|| answer(seen));
        self.rules.lock().unwrap().push(Box::new(rule));
        self.clone()
    }

    /// Answers with JSON.
    pub fn json(self: &Arc<Self>, start: &str, value: Value) -> Arc<Self> {
        self.on(start, move |_| Response::json(StatusCode::OK, &value))
    }

    /// Answers with a list of rows.
    pub fn rows(self: &Arc<Self>, start: &str, rows: Value) -> Arc<Self> {
        self.json(start, json!({ "value": rows }))
    }

    /// Answers with 204.
    pub fn done(self: &Arc<Self>, start: &str) -> Arc<Self> {
        self.on(start, |_| Response::new(StatusCode::NO_CONTENT))
    }

    /// Answers with an error.
    pub fn refuse(
        self: &Arc<Self>,
        start: &str,
        status: u16,
        code: &str,
        message: &str,
    ) -> Arc<Self> {
        let body = json!({ "error": { "code": code, "message": message } });
        let status = StatusCode::from_u16(status).unwrap();
        self.on(start, move |_| Response::json(status, &body))
    }

    /// The lines of all requests so far.
    pub fn lines(&self) -> Vec<String> {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .map(|seen| seen.line.clone())
            .collect()
    }

    /// The requests that change something.
    pub fn writes(&self) -> Vec<String> {
        self.lines()
            .into_iter()
            .filter(|line| !line.starts_with("GET "))
            .collect()
    }

    /// The body of the first request whose line starts with `start`.
    pub fn body(&self, start: &str) -> Value {
        let seen = self.seen.lock().unwrap();
        let found = seen.iter().find(|seen| seen.line.starts_with(start));
        found
            .unwrap_or_else(|| panic!("nothing was sent to {start}"))
            .body
            .clone()
    }

    /// A client of this service that loses no time in waiting.
    pub fn environment(self: &Arc<Self>) -> Environment {
        self.environment_with(Cancel::new())
    }

    /// The same with a flag of the test's own.
    pub fn environment_with(self: &Arc<Self>, cancel: Cancel) -> Environment {
        let url = "https://contoso.crm4.dynamics.com".parse().unwrap();
        let waits = Waits {
            first: Duration::from_millis(1),
            longest: Duration::from_millis(2),
            limit: Duration::from_secs(5),
        };
        let transport = Arc::new(InProcess::new(self.clone()));
        Environment::connect(Connect {
            cancel,
            waits,
            ..Connect::new("test", url, transport)
        })
    }
}

impl Service for Written {
    fn answer(&self, request: Request) -> Response {
        let path = request.url.path();
        let path = path.strip_prefix("/api/data/v9.2/").unwrap_or(path);
        let query: Vec<_> = request
            .url
            .query_pairs()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut line = format!("{} {path}", request.method);
        if !query.is_empty() {
            line = format!("{line}?{}", query.join("&"));
        }
        let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let seen = Seen { line, body };
        self.seen.lock().unwrap().push(seen.clone());
        let rules = self.rules.lock().unwrap();
        rules.iter().find_map(|rule| rule(&seen)).unwrap_or_else(|| {
            let body = json!({ "error": { "code": "0x0", "message": format!("no rule for {}", seen.line) } });
            Response::json(StatusCode::IM_A_TEAPOT, &body)
        })
    }
}
