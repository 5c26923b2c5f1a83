//! An emulated environment and a client that moves solutions through it as real clients do.

use almscript::emulator::{Clock, Tenant};
use almscript::solution::Package;
use almscript::solution::component::{Component, Split, assemble, code, components, split};
use almscript::transport::{HeaderName, HeaderValue, Method, Request, Service, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use tempfile::TempDir;

const HOST: &str = "https://contoso-dev.crm4.dynamics.com";
const PIPELINE: &str = "11111111-1111-4111-8111-111111111111";
/// The connectors for which the pipeline has a connection.
const CONNECTORS: [&str; 8] = [
    "shared_commondataserviceforapps",
    "shared_office365",
    "shared_office365users",
    "shared_powerappsforappmakers",
    "shared_powerplatformforadmins",
    "shared_sharepointonline",
    "shared_teams",
    "shared_webcontents",
];

/// The id of the pipeline's connection of `connector`.
pub fn connection(connector: &str) -> String {
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, connector.as_bytes())
        .simple()
        .to_string()
}

/// A tenant with one environment, and a signed-in client of it.
pub struct Environment {
    folder: TempDir,
    tenant: Tenant,
    token: String,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
    id: Option<String>,
}

impl Answer {
    /// The code of a refusal.
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    /// The message of a refusal.
    pub fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }
}

impl Environment {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let definition = serde_json::from_value(json!({
            "domain": "contoso.example",
            "applications": [{ "app_id": PIPELINE, "name": "Pipeline", "secret": "s3cret" }],
            "environments": [{
                "name": "Development", "url": HOST,
                "users": [{ "user": PIPELINE, "roles": ["System Administrator"] }],
                "connections": CONNECTORS.iter().map(|connector| json!({
                    "id": connection(connector), "connector": connector,
                    "display_name": connector, "owner": PIPELINE,
                })).collect::<Vec<_>>(),
            }],
        }))
        .unwrap();
        let clock = Clock::fixed("2026-03-04T05:06:07Z".parse().unwrap());
        let tenant = Tenant::create_at(folder.path(), &definition, clock).unwrap();
        let mut environment = Self {
            folder,
            tenant,
            token: String::new(),
        };
        environment.sign_in();
        environment
    }

    /// The same environment after its process ended and another one opened it.
    pub fn restarted(self) -> Self {
        let Self {
            folder,
            tenant,
            token,
        } = self;
        drop(tenant);
        let clock = Clock::fixed("2026-03-04T05:06:07Z".parse().unwrap());
        let tenant = Tenant::open(folder.path()).unwrap().with_clock(clock);
        Self {
            folder,
            tenant,
            token,
        }
    }

    fn sign_in(&mut self) {
        let url = "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token";
        let mut request = Request::new(Method::POST, url.parse().unwrap());
        request.body = format!(
            "grant_type=client_credentials&client_id={PIPELINE}&client_secret=s3cret\
             &scope={HOST}/.default"
        )
        .into_bytes();
        let answer = self.tenant.answer(request).to_json().unwrap();
        self.token = answer["access_token"].as_str().unwrap().to_owned();
    }

    pub fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let url = format!("{HOST}/api/data/v9.2/{path}");
        let mut request = Request::new(method, url.parse().unwrap());
        if let Some(body) = body {
            request = request.json(body);
        }
        let bearer = HeaderValue::from_str(&format!("Bearer {}", self.token)).unwrap();
        request.headers.insert("authorization", bearer);
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request
                .headers
                .insert(name, HeaderValue::from_str(value).unwrap());
        }
        let answer = self.tenant.answer(request);
        let id = answer
            .headers
            .get("odata-entityid")
            .and_then(|id| id.to_str().ok());
        let id = id
            .and_then(|id| id.rsplit_once('('))
            .map(|(_, id)| id.trim_end_matches(')').into());
        Answer {
            status: answer.status,
            body: answer.to_json().unwrap_or(Value::Null),
            id,
        }
    }

    /// A call that may be refused.
    pub fn try_post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body), &[])
    }

    /// A call that must succeed.
    pub fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.try_post(path, body);
        assert!(
            answer.status.is_success(),
            "POST {path}: {} {}",
            answer.status,
            answer.body
        );
        answer.body
    }

    pub fn get(&self, path: &str) -> Value {
        let answer = self.send(Method::GET, path, None, &[]);
        assert!(
            answer.status.is_success(),
            "GET {path}: {} {}",
            answer.status,
            answer.body
        );
        answer.body
    }

    pub fn rows(&self, path: &str) -> Vec<Value> {
        self.get(path)["value"].as_array().unwrap().clone()
    }

    pub fn status(&self, path: &str) -> u16 {
        self.send(Method::GET, path, None, &[]).status.as_u16()
    }

    pub fn create(&self, set: &str, body: &Value, solution: Option<&str>) -> String {
        let headers: Vec<(&str, &str)> = solution
            .map(|name| ("mscrm.solutionuniquename", name))
            .into_iter()
            .collect();
        let answer = self.send(Method::POST, set, Some(body), &headers);
        assert!(
            answer.status.is_success(),
            "POST {set}: {} {}",
            answer.status,
            answer.body
        );
        answer.id.unwrap()
    }

    pub fn patch(&self, path: &str, body: &Value) {
        let answer = self.send(Method::PATCH, path, Some(body), &[]);
        assert!(
            answer.status.is_success(),
            "PATCH {path}: {} {}",
            answer.status,
            answer.body
        );
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None, &[])
    }

    /// The row of an installed solution.
    pub fn solution(&self, name: &str) -> Option<Value> {
        self.rows(&format!("solutions?$filter=uniquename eq '{name}'"))
            .into_iter()
            .next()
    }

    pub fn version(&self, name: &str) -> Option<String> {
        Some(self.solution(name)?["version"].as_str().unwrap().to_owned())
    }

    /// Starts an asynchronous action, waits for its end, and returns its finished system job.
    pub fn run(&self, action: &str, body: &Value) -> Value {
        let started = self.post(action, body);
        self.wait(started["AsyncOperationId"].as_str().unwrap())
    }

    pub fn wait(&self, id: &str) -> Value {
        for _ in 0..5 {
            let job = self.get(&format!("asyncoperations({id})"));
            if job["statecode"] == 3 {
                return job;
            }
        }
        panic!("the job {id} does not end");
    }

    /// Imports at once and returns the answer.
    pub fn try_import(&self, zip: &[u8], switches: &Value) -> Answer {
        self.try_post("ImportSolution", &body_of(zip, switches))
    }

    /// Imports at once.
    pub fn import(&self, zip: &[u8], switches: &Value) {
        let answer = self.try_import(zip, switches);
        assert_eq!(answer.status, 204, "{}", answer.body);
    }

    /// Exports at once.
    pub fn export(&self, name: &str, managed: bool) -> Vec<u8> {
        let body = json!({ "SolutionName": name, "Managed": managed });
        let answer = self.post("ExportSolution", &body);
        BASE64
            .decode(answer["ExportSolutionFile"].as_str().unwrap())
            .unwrap()
    }

    /// Deletes a solution.
    pub fn uninstall(&self, name: &str) -> Answer {
        let solution = self.solution(name).unwrap();
        self.delete(&format!(
            "solutions({})",
            solution["solutionid"].as_str().unwrap()
        ))
    }

    /// The names of the solutions that have layers on a component, the lowest first.
    pub fn layers(&self, kind: &str, id: &str) -> Vec<String> {
        let path = format!(
            "msdyn_componentlayers?$filter=msdyn_componentid eq '{id}' and \
             msdyn_solutioncomponentname eq '{kind}'&$orderby=msdyn_order"
        );
        let rows = self.rows(&path.replace(' ', "%20")).into_iter();
        rows.map(|row| row["msdyn_solutionname"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// The body of an import.
pub fn body_of(zip: &[u8], switches: &Value) -> Value {
    let mut body = json!({
        "CustomizationFile": BASE64.encode(zip),
        "OverwriteUnmanagedCustomizations": false,
        "PublishWorkflows": true,
    });
    for (name, value) in switches.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// Switches that give every connection reference of `zip` a connection, so that flows can be on.
pub fn connected(zip: &[u8]) -> Value {
    let package = Package::from_zip(zip).unwrap();
    let parameters: Vec<Value> = components(&package)
        .unwrap()
        .into_iter()
        .filter(|component| component.component_type.table_name() == "connectionreference")
        .map(|component| {
            let after = component.fragment.split("/apis/").nth(1).unwrap();
            json!({
                "@odata.type": "Microsoft.Dynamics.CRM.connectionreference",
                "connectionreferencelogicalname": component.schema_name,
                "connectionid": connection(after.split('<').next().unwrap()),
            })
        })
        .collect();
    json!({ "ComponentParameters": parameters })
}

/// The pieces of a zip.
pub fn pieces(zip: &[u8]) -> Split {
    split(&Package::from_zip(zip).unwrap()).unwrap()
}

/// The package in `zip` as version `version`, with the components that `keep` picks; `name` is
/// another unique name for it.
pub fn variant(
    zip: &[u8],
    name: Option<&str>,
    version: &str,
    managed: bool,
    keep: impl Fn(&Component) -> bool,
) -> Vec<u8> {
    let Split {
        outline,
        mut components,
        ..
    } = pieces(zip);
    components.retain(|component| keep(component));
    let outline = outline.stamped(version, managed, None).unwrap();
    let mut outline = outline.with_roots_of(&components, |_| 0, |_| true).unwrap();
    if let Some(name) = name {
        let old = outline.manifest_value("UniqueName").unwrap().unwrap();
        outline.manifest = outline.manifest.replacen(
            &format!("<UniqueName>{old}<"),
            &format!("<UniqueName>{name}<"),
            1,
        );
    }
    assemble(&outline, &components).unwrap().to_zip().unwrap()
}

/// Whether a component has this number.
pub fn is(component: &Component, number: u16) -> bool {
    component.component_type.code() == Some(number)
}

/// Tables with their parts, and what tables are made of.
pub fn is_data_model(component: &Component) -> bool {
    let numbers = [
        code::TABLE,
        code::OPTION_SET,
        code::RELATIONSHIP,
        code::WEB_RESOURCE,
        code::CONTROL,
    ];
    let parent = component
        .parent
        .as_ref()
        .and_then(|parent| parent.component_type.code());
    numbers.iter().any(|number| is(component, *number)) || parent == Some(code::TABLE)
}
