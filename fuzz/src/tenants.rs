//! A small emulated tenant that every input finds as it was made.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use almscript::emulator::{Clock, Tenant, TenantDefinition};
use almscript::environment::{Connect, Environment};
use almscript::transport::{
    HeaderName, HeaderValue, InProcess, Method, Request, Response, Service, Transport,
    TransportError, Url,
};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The environment that is called unless a request names another host.
pub(super) const DEV: &str = "contoso-dev.crm4.dynamics.com";
const ADMIN: &str = "11111111-1111-4111-8111-111111111111";
const MAKER: &str = "22222222-2222-4222-8222-222222222222";
/// What Maya shows to git.
pub(super) const ACCESS_TOKEN: &str = "token-of-maya";
const AZURE_DEVOPS: &str = "dev.azure.com";
/// The other services of the tenant.
const POWER_PLATFORM: [&str; 3] = [
    "api.bap.microsoft.com",
    "api.flow.microsoft.com",
    "api.powerapps.com",
];

/// The tenant as it is made.
pub(super) fn definition() -> TenantDefinition {
    let members = json!([
        { "user": ADMIN, "roles": ["System Administrator"] },
        { "user": MAKER, "roles": ["Environment Maker"] },
        { "user": "maya@contoso.example", "roles": ["Basic User"] },
    ]);
    let definition = json!({
        "domain": "contoso.example",
        "users": [{
            "upn": "maya@contoso.example", "name": "Maya Lind", "access_tokens": [ACCESS_TOKEN],
        }],
        "groups": [{ "name": "Makers", "members": ["maya@contoso.example", MAKER] }],
        "applications": [
            { "app_id": ADMIN, "name": "Pipeline", "secret": "s" },
            { "app_id": MAKER, "name": "Tool", "secret": "s" },
        ],
        "environments": [
            {
                "name": "Development", "url": format!("https://{DEV}"), "users": members,
                "connections": [{
                    "id": "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "connector": "shared_office365",
                    "display_name": "Mail", "owner": MAKER, "shared_with": ["Makers"],
                }],
            },
            { "name": "Test", "url": "https://contoso-test.crm4.dynamics.com", "users": members },
        ],
        "organisations": [{
            "name": "contoso", "projects": [{ "name": "ALM", "repositories": ["apps"] }],
        }],
    });
    serde_json::from_value(definition).expect("the definition is whole")
}

/// The tenant, as it was made and as an input changes it.
struct Playground {
    home: TempDir,
    tenant: Option<Arc<Tenant>>,
    tokens: Tokens,
}

/// What an application shows to a host, for all that are asked usually.
type Tokens = HashMap<(&'static str, &'static str), HeaderValue>;

/// What an input plays with.
pub(super) struct Visit<'v> {
    /// The tenant, changed by this input only.
    pub tenant: &'v Arc<Tenant>,
    tokens: &'v Tokens,
}

thread_local! {
    /// Made once for all inputs: making one takes longer than most inputs.
    static PLAYGROUND: RefCell<Playground> = RefCell::new(Playground::new());
}

/// Lets `work` play with the tenant as it was made.
pub(super) fn with_tenant(work: impl FnOnce(&Visit<'_>)) {
    PLAYGROUND.with_borrow_mut(|playground| {
        work(&playground.visit());
        playground.forget();
    });
}

impl Playground {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder for the tenant");
        let made = Tenant::create_at(&home.path().join("made"), &definition(), clock());
        let tenant = Arc::new(made.expect("the tenant is made"));
        let tokens = tokens(&tenant);
        furnish(&Visit {
            tenant: &tenant,
            tokens: &tokens,
        });
        // The last connection that closes moves everything into the one file that is copied.
        drop(tenant);
        Self {
            home,
            tenant: None,
            tokens,
        }
    }

    fn live(&self) -> PathBuf {
        self.home.path().join("live")
    }

    fn visit(&mut self) -> Visit<'_> {
        let live = self.live();
        let made = self.home.path().join("made");
        let tenant = self.tenant.get_or_insert_with(|| {
            // An input that broke its property could not clean up.
            let _ = fs::remove_dir_all(&live);
            copy(&made, &live).expect("the tenant is copied");
            let tenant = Tenant::open(&live).expect("the copy is a tenant");
            Arc::new(tenant.with_clock(clock()))
        });
        Visit {
            tenant,
            tokens: &self.tokens,
        }
    }

    /// Throws the tenant away if it was changed since it was copied.
    fn forget(&mut self) {
        let log = fs::metadata(self.live().join("tenant.sqlite-wal"));
        if log.map_or(true, |log| log.len() > 0) {
            self.tenant = None;
            fs::remove_dir_all(self.live()).expect("the changed tenant goes away");
        }
    }
}

fn clock() -> Clock {
    let moment = "2026-03-04T05:06:07Z".parse();
    Clock::fixed(moment.expect("a moment"))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            // Unlike `fs::copy`, these go on after the fuzzer's timer has interrupted them.
            fs::write(target, fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

/// Puts a solution into the environment and a commit into the repository.
fn furnish(visit: &Visit<'_>) {
    let package = include_bytes!("../../src/workspace/example/PermitManagement.zip");
    let import = json!({
        "OverwriteUnmanagedCustomizations": true, "PublishWorkflows": true,
        "ImportJobId": "33333333-3333-4333-8333-333333333333",
        "CustomizationFile": BASE64_STANDARD.encode(package),
    });
    let row = json!({ "name": "Fabrikam", "numberofemployees": 3 });
    let push = json!({
        "refUpdates": [{ "name": "refs/heads/main", "oldObjectId": "0".repeat(40) }],
        "commits": [{ "comment": "Begin", "changes": [{
            "changeType": "add", "item": { "path": "/src/a.xml" },
            "newContent": { "content": "<a />", "contentType": "rawtext" },
        }] }],
    });
    let pushes = "/contoso/ALM/_apis/git/repositories/apps/pushes";
    for (host, path, body) in [
        (DEV, "/api/data/v9.2/ImportSolution", import),
        (DEV, "/api/data/v9.2/accounts", row),
        (AZURE_DEVOPS, pushes, push),
    ] {
        let text = format!("POST {path}\nHost: {host}\nContent-Type: application/json\n\n{body}");
        let request = visit.request(text.as_bytes()).expect("a request");
        let response = visit.tenant.answer(request);
        let said = String::from_utf8_lossy(&response.body);
        assert!(response.status.is_success(), "{path}: {said}");
    }
}

fn tokens(tenant: &Tenant) -> Tokens {
    let mut tokens = Tokens::new();
    for application in [ADMIN, MAKER] {
        for host in [DEV, AZURE_DEVOPS].into_iter().chain(POWER_PLATFORM) {
            let token = sign_in(tenant, host, application);
            tokens.insert((application, host), token);
        }
    }
    tokens
}

fn sign_in(tenant: &Tenant, host: &str, application: &str) -> HeaderValue {
    let resource = match host {
        // The id of Azure DevOps in every directory.
        AZURE_DEVOPS => "499b84ac-1321-427f-aa17-267ca6975798".to_owned(),
        host if POWER_PLATFORM.contains(&host) => "https://service.powerapps.com".to_owned(),
        host => format!("https://{host}"),
    };
    let url = "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token";
    let mut request = Request::new(Method::POST, url.parse().expect("an address"));
    request.body = format!(
        "grant_type=client_credentials&client_id={application}&client_secret=s&scope={resource}/.default"
    )
    .into_bytes();
    let answer: Value = tenant.answer(request).to_json().expect("an answer");
    let token = answer["access_token"].as_str().expect("a token");
    HeaderValue::from_str(&format!("Bearer {token}")).expect("a header")
}

/// Sends what a client asks to the tenant, as the administrator.
struct AsAdmin {
    tenant: Arc<Tenant>,
    token: HeaderValue,
}

impl Transport for AsAdmin {
    fn send(&self, mut request: Request) -> Result<Response, TransportError> {
        let token = self.token.clone();
        request.headers.insert("authorization", token);
        InProcess::new(self.tenant.clone()).send(request)
    }
}

impl Visit<'_> {
    /// A client of the environment.
    pub fn environment(&self) -> Environment {
        let url = format!("https://{DEV}").parse().expect("an address");
        let transport = AsAdmin {
            tenant: Arc::clone(self.tenant),
            token: self.tokens[&(ADMIN, DEV)].clone(),
        };
        Environment::connect(Connect::new("dev", url, Arc::new(transport)))
    }

    /// The request that is written as over the wire: a line, headers, an empty line, the body.
    ///
    /// Three things are easier to write than there: `Host` is the development environment unless
    /// it is said, `As` names who asks (`admin`, `maker` or `nobody`), and lines may end without a
    /// carriage return.
    pub fn request(&self, text: &[u8]) -> Option<Request> {
        let (head, body) = match text.windows(2).position(|two| two == b"\n\n") {
            Some(at) => (&text[..at], &text[at + 2..]),
            None => (text, &[][..]),
        };
        let head = std::str::from_utf8(head).ok()?;
        let mut lines = head.lines();
        let (method, target) = lines.next()?.split_once(' ')?;
        let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(": ")).collect();
        let own = |wanted: &str| {
            let mut named = headers
                .iter()
                .filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
            named.next().map(|(_, value)| *value)
        };
        let host = own("host").unwrap_or(DEV);
        let url: Url = format!("https://{host}{target}").parse().ok()?;
        let mut request = Request::new(Method::from_bytes(method.as_bytes()).ok()?, url);
        for (name, value) in &headers {
            if let (Ok(name), Ok(value)) = (
                HeaderName::from_bytes(name.as_bytes()),
                HeaderValue::from_str(value),
            ) {
                request.headers.append(name, value);
            }
        }
        request.body = body.to_vec();
        let application = match own("as") {
            Some("nobody") => return Some(request),
            Some("maker") => MAKER,
            _ => ADMIN,
        };
        let mut services = self.tokens.iter();
        let token = services.find(|((who, service), _)| *who == application && *service == host);
        if let Some((_, token)) = token
            && !request.headers.contains_key("authorization")
        {
            request.headers.insert("authorization", token.clone());
        }
        Some(request)
    }
}
