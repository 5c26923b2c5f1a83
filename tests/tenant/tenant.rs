//! A small tenant on disk and a client that signs in to it.

use almscript::emulator::{Clock, Tenant, TenantDefinition};
use almscript::transport::{
    HeaderName, HeaderValue, Method, Request, Response, Service, StatusCode,
};
use serde_json::{Value, json};
use tempfile::TempDir;

pub const DEV: &str = "https://contoso-dev.crm4.dynamics.com";
pub const TEST: &str = "https://contoso-test.crm4.dynamics.com";
pub const PIPELINE: &str = "11111111-1111-4111-8111-111111111111";
pub const ADA: &str = "ada@contoso.example";
pub const MAYA: &str = "maya@contoso.example";
pub const SAM: &str = "sam@contoso.example";
pub const OFFICE: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
pub const SHAREPOINT: &str = "ffff2c3d4e5f60718293a4b5c6d7e8f9";

pub fn definition() -> TenantDefinition {
    serde_json::from_value(json!({
        "domain": "contoso.example",
        "users": [
            { "upn": ADA, "name": "Ada Admin", "access_tokens": ["ada-token"] },
            { "upn": MAYA, "name": "Maya Maker" },
            { "upn": SAM, "name": "Sam Seller" },
        ],
        "groups": [{ "name": "Sales", "members": [SAM] }, { "name": "Everybody", "members": ["Sales"] }],
        "applications": [{ "app_id": PIPELINE, "name": "Pipeline", "secret": "s3cret" }],
        "environments": [
            {
                "name": "Development", "url": DEV,
                "users": [
                    { "user": ADA, "roles": ["System Administrator"] },
                    { "user": MAYA, "roles": ["Environment Maker"] },
                    { "user": PIPELINE, "roles": ["System Administrator"] },
                ],
                "connections": [
                    { "id": OFFICE, "connector": "shared_office365", "display_name": "Mail",
                      "owner": MAYA, "shared_with": [PIPELINE] },
                    { "id": SHAREPOINT, "connector": "shared_sharepointonline",
                      "display_name": "Files", "owner": ADA, "shared_with": ["Everybody"] },
                ],
            },
            { "name": "Test", "url": TEST, "users": [
                { "user": PIPELINE, "roles": ["System Administrator"] },
                { "user": MAYA },
            ] },
        ],
    }))
    .unwrap()
}

/// A tenant in a folder of its own, at a fixed time.
pub struct Fixture {
    pub folder: TempDir,
    pub tenant: Tenant,
}

impl Fixture {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::fixed("2026-03-04T05:06:07Z".parse().unwrap());
        let tenant = Tenant::create_at(folder.path(), &definition(), clock).unwrap();
        Self { folder, tenant }
    }

    /// A client of `resource` signed in as a user, or as the pipeline application.
    pub fn client(&self, resource: &str, who: &str) -> Client<'_> {
        let form = if who == PIPELINE {
            format!("grant_type=client_credentials&client_id={PIPELINE}&client_secret=s3cret")
        } else {
            format!("grant_type=password&client_id=x&username={who}&password=emulated")
        };
        let form = format!("{form}&scope={resource}/.default");
        let answer = self.sign_in(&form);
        let token = answer["access_token"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"));
        Client {
            tenant: &self.tenant,
            resource: resource.into(),
            token: token.to_owned(),
        }
    }

    pub fn sign_in(&self, form: &str) -> Value {
        let url = "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token";
        let mut request = Request::new(Method::POST, url.parse().unwrap());
        request.body = form.as_bytes().to_vec();
        self.tenant.answer(request).to_json().unwrap()
    }

    pub fn dev(&self) -> Client<'_> {
        self.client(DEV, PIPELINE)
    }
}

pub struct Client<'t> {
    tenant: &'t Tenant,
    resource: String,
    token: String,
}

/// One answer with what it was asked for.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
    pub raw: Response,
}

impl Client<'_> {
    pub fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let url = match path {
            whole if whole.starts_with("http") => whole.to_owned(),
            path if path.starts_with('/') => format!("{}{path}", self.resource),
            path => format!("{}/api/data/v9.2/{path}", self.resource),
        };
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = Request::new(method, url.parse().unwrap());
        if let Some(body) = body {
            request = request.json(&body);
        }
        let bearer = HeaderValue::from_str(&format!("Bearer {}", self.token)).unwrap();
        request.headers.insert("authorization", bearer);
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request
                .headers
                .append(name, HeaderValue::from_str(value).unwrap());
        }
        self.answer(request)
    }

    pub fn raw(
        &self,
        path: &str,
        method: &str,
        content: &[u8],
        headers: &[(&str, &str)],
    ) -> Answer {
        let url = format!("{}/api/data/v9.2/{path}", self.resource);
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = Request::new(method, url.parse().unwrap());
        request.body = content.to_vec();
        let bearer = HeaderValue::from_str(&format!("Bearer {}", self.token)).unwrap();
        request.headers.insert("authorization", bearer);
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request
                .headers
                .insert(name, HeaderValue::from_str(value).unwrap());
        }
        self.answer(request)
    }

    fn answer(&self, request: Request) -> Answer {
        let raw = self.tenant.answer(request);
        Answer {
            status: raw.status,
            body: raw.to_json().unwrap_or(Value::Null),
            raw,
        }
    }

    /// The body of a successful GET.
    pub fn get(&self, path: &str) -> Value {
        let answer = self.send("GET", path, None, &[]);
        assert!(
            answer.status.is_success(),
            "GET {path}: {} {}",
            answer.status,
            answer.body
        );
        answer.body
    }

    /// The rows of a successful GET.
    pub fn rows(&self, path: &str) -> Vec<Value> {
        self.get(path)["value"].as_array().unwrap().clone()
    }

    /// Creates a row and returns its id.
    pub fn create(&self, set: &str, body: Value) -> String {
        let answer = self.send("POST", set, Some(body), &[]);
        assert_eq!(answer.status, 204, "POST {set}: {}", answer.body);
        let address = answer.raw.headers["odata-entityid"].to_str().unwrap();
        address
            .rsplit_once('(')
            .unwrap()
            .1
            .trim_end_matches(')')
            .to_owned()
    }

    pub fn patch(&self, path: &str, body: Value) -> Answer {
        self.send("PATCH", path, Some(body), &[])
    }

    pub fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body), &[])
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None, &[])
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.raw
            .headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The code and message of a refusal with this status.
    pub fn refusal(&self, status: u16) -> (String, String) {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        let error = &self.body["error"];
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        (text("code"), text("message"))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.raw.body).into_owned()
    }
}

#[test]
fn the_same_definition_makes_the_same_tenant_and_it_survives_a_restart() {
    let (one, other) = (Fixture::new(), Fixture::new());
    let id = one.dev().create("accounts", json!({ "name": "Contoso" }));
    assert_eq!(
        other.dev().create("accounts", json!({ "name": "Contoso" })),
        id
    );
    let Fixture { folder, tenant } = one;
    drop(tenant);
    let tenant = Tenant::open(folder.path())
        .unwrap()
        .with_clock(Clock::fixed("2026-03-04T05:06:07Z".parse().unwrap()));
    let one = Fixture { folder, tenant };
    assert_eq!(one.dev().get(&format!("accounts({id})"))["name"], "Contoso");
}

#[test]
fn a_tenant_is_made_once_and_never_found_where_there_is_none() {
    use almscript::problem::Problem;
    let fixture = Fixture::new();
    let again = Tenant::create(fixture.folder.path(), &definition())
        .err()
        .unwrap();
    assert_eq!(again.code(), "ALM-X002");
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(Tenant::open(empty.path()).err().unwrap().code(), "ALM-X001");
    assert!(!empty.path().join("tenant.sqlite").exists());
}

#[test]
fn a_definition_that_names_nobody_known_is_refused_and_leaves_no_tenant() {
    use almscript::problem::Problem;
    let mut wrong = definition();
    wrong.environments[0].users[0].user = "nobody@contoso.example".into();
    let folder = tempfile::tempdir().unwrap();
    let error = Tenant::create(folder.path(), &wrong).err().unwrap();
    assert_eq!(error.code(), "ALM-X004");
    assert!(
        error.to_string().contains("nobody@contoso.example"),
        "{error}"
    );
    assert!(Tenant::create(folder.path(), &definition()).is_ok());
}
