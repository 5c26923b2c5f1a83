//! `alm new DIR --example`: a workspace with an emulated tenant, filled through its own services.
//!
//! Nothing is written past the tenant's services: the first commit is a push, the solutions come in
//! by `ImportSolution`, their connections by a `PATCH`, each with the token of somebody who may.

use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use include_dir::{Dir, DirEntry, include_dir};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::{CreateError, files, unwritable, whole};
use crate::emulator::definition::{ApplicationDefinition, derived_id};
use crate::emulator::token::EMULATED_PASSWORD;
use crate::emulator::{EmulatorError, Tenant, TenantDefinition};
use crate::owner_only;
use crate::problem::Problem;
use crate::transport::{
    HeaderValue, InProcess, Method, Request, Response, Transport, TransportError,
};
use crate::workspace::secret::Secret;

/// The files of the repository's first commit.
static REPOSITORY: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/workspace/example/repository");

/// What is made in the development environment: a solution, who makes it, and the connection that
/// its connection reference gets there.
struct Made {
    solution: &'static str,
    package: &'static [u8],
    maker: &'static str,
    reference: &'static str,
    connection: &'static str,
}

const SOLUTIONS: [Made; 2] = [
    Made {
        solution: "PowerAutomateSamples",
        package: include_bytes!("../example/PowerAutomateSamples.zip"),
        maker: "maya@contoso.example",
        reference: "exp_sharedsharepointonline_e5efa",
        connection: "shared-sharepointonl-d0000000-0000-4000-8000-000000000001",
    },
    Made {
        solution: "PermitManagement",
        package: include_bytes!("../example/PermitManagement.zip"),
        maker: "alex@contoso.example",
        reference: "contoso_sharedcommondataserviceforapps_a72bc",
        connection: "shared-commondataser-d0000000-0000-4000-8000-000000000002",
    },
];

const DEV: &str = "https://contoso-dev.crm4.dynamics.com";
const ORGANISATION: &str = "https://dev.azure.com/contoso";
const AZURE_DEVOPS: &str = "499b84ac-1321-427f-aa17-267ca6975798";

/// Why an example workspace could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ExampleError {
    /// The folder or a file of it.
    #[error(transparent)]
    Create(#[from] CreateError),
    /// The emulated tenant itself.
    #[error(transparent)]
    Tenant(#[from] EmulatorError),
    /// A request got no answer.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The tenant refused a request.
    #[error("the emulated tenant refused to {what}: {status} {said}")]
    Refused {
        /// What was asked.
        what: String,
        /// The status.
        status: u16,
        /// What it said.
        said: String,
    },
}

impl Problem for ExampleError {
    fn code(&self) -> &'static str {
        match self {
            Self::Create(error) => error.code(),
            Self::Tenant(error) => error.code(),
            Self::Transport(error) => error.code(),
            Self::Refused { .. } => "ALM-W021",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Create(error) => error.hint(),
            Self::Tenant(error) => error.hint(),
            Self::Transport(error) => error.hint(),
            Self::Refused { .. } => None,
        }
    }
}

/// Makes the example workspace in `dir`, which must be new or empty. It comes to be as a whole, or
/// not at all.
///
/// # Errors
/// When the folder holds something or cannot be written, or the emulated tenant refuses something,
/// which would be a defect of this program.
pub fn example(dir: &Path) -> Result<(), ExampleError> {
    whole::make(dir, "example", fill)
}

/// Makes it in a folder that is empty.
fn fill(dir: &Path) -> Result<(), ExampleError> {
    let pipeline = derived_id("application", "alm-pipeline");
    let secret = Secret::new(Uuid::new_v4().simple().to_string());
    let name_pipeline = |text: &str| text.replace("{pipeline}", &pipeline.to_string());
    files(dir, &name_pipeline(include_str!("../example/alm.toml")))?;

    let state = dir.join(".alm");
    owner_only::folder(&state).map_err(unwritable(&state))?;
    let secrets = state.join("secrets");
    owner_only::folder(&secrets).map_err(unwritable(&secrets))?;
    let file = secrets.join("pipeline");
    owner_only::write_new(&file, secret.expose().as_bytes()).map_err(unwritable(&file))?;

    let definition = name_pipeline(include_str!("../example/tenant.toml"));
    let mut definition: TenantDefinition = toml::from_str(&definition)
        .map_err(|error| EmulatorError::Definition(error.to_string()))?;
    definition.applications.push(ApplicationDefinition {
        app_id: pipeline,
        name: "ALM pipeline".into(),
        secret: secret.expose().to_owned(),
        object_id: None,
    });
    let tenant_id = definition.id();
    let tenant = Tenant::create(&dir.join(".alm").join("tenant"), &definition)?;
    let filling = Filling {
        transport: InProcess::new(Arc::new(tenant)),
        tenant_id,
    };
    filling.first_commit()?;
    filling.work_item()?;
    filling.solutions()
}

/// Requests to the new tenant.
struct Filling {
    transport: InProcess,
    tenant_id: Uuid,
}

impl Filling {
    fn first_commit(&self) -> Result<(), ExampleError> {
        let ada = self.sign_in("ada@contoso.example", AZURE_DEVOPS)?;
        let mut changes = Vec::new();
        collect(&REPOSITORY, &mut changes);
        let push = json!({
            "refUpdates": [{ "name": "refs/heads/main", "oldObjectId": "0".repeat(40) }],
            "commits": [{ "comment": "Start the repository of Contoso's solutions", "changes": changes }],
        });
        let at = ["ALM", "_apis", "git", "repositories", "apps", "pushes"];
        let url = address(ORGANISATION, &at, &[("api-version", "7.1")]);
        self.send(
            "make the first commit",
            &ada,
            Request::new(Method::POST, url).json(&push),
        )?;
        Ok(())
    }

    /// The work item that the story's commit mentions as `#123`.
    fn work_item(&self) -> Result<(), ExampleError> {
        let maya = self.sign_in("maya@contoso.example", AZURE_DEVOPS)?;
        let item = json!([
            { "op": "add", "path": "/fields/System.Title",
              "value": "Hide the archive folders of the power users' site" },
            { "op": "add", "path": "/fields/System.AssignedTo", "value": "maya@contoso.example" },
        ]);
        let at = ["ALM", "_apis", "wit", "workitems", "$User Story"];
        let url = address(ORGANISATION, &at, &[("api-version", "7.1")]);
        let mut request = Request::new(Method::POST, url).json(&item);
        let patch = HeaderValue::from_static("application/json-patch+json");
        request.headers.insert(http::header::CONTENT_TYPE, patch);
        self.send("create a work item", &maya, request)?;
        Ok(())
    }

    /// Imports the solutions as their makers did, and connects their references.
    fn solutions(&self) -> Result<(), ExampleError> {
        for made in &SOLUTIONS {
            let maker = self.sign_in(made.maker, DEV)?;
            let import = json!({
                "OverwriteUnmanagedCustomizations": true,
                "PublishWorkflows": true,
                "CustomizationFile": BASE64_STANDARD.encode(made.package),
                "ImportJobId": Uuid::new_v4(),
            });
            let request = Request::new(Method::POST, web_api(&["ImportSolution"], &[]));
            self.send(
                &format!("import {}", made.solution),
                &maker,
                request.json(&import),
            )?;

            let filter = format!("connectionreferencelogicalname eq '{}'", made.reference);
            let query = [
                ("$select", "connectionreferenceid"),
                ("$filter", filter.as_str()),
            ];
            let request = Request::new(Method::GET, web_api(&["connectionreferences"], &query));
            let found = self.send("read a connection reference", &maker, request)?;
            let id = found["value"][0]["connectionreferenceid"]
                .as_str()
                .unwrap_or_default();
            let row = format!("connectionreferences({id})");
            let change = json!({ "connectionid": made.connection });
            let request = Request::new(Method::PATCH, web_api(&[&row], &[])).json(&change);
            self.send(&format!("connect {}", made.reference), &maker, request)?;
        }
        let ada = self.sign_in("ada@contoso.example", DEV)?;
        let publish = Request::new(Method::POST, web_api(&["PublishAllXml"], &[]));
        self.send("publish", &ada, publish.json(&json!({})))?;
        Ok(())
    }

    /// A token of `user` for `audience`.
    fn sign_in(&self, user: &str, audience: &str) -> Result<Secret, ExampleError> {
        let id = self.tenant_id.to_string();
        let at = [id.as_str(), "oauth2", "v2.0", "token"];
        let url = address("https://login.microsoftonline.com", &at, &[]);
        let mut request = Request::new(Method::POST, url);
        request.body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "password")
            .append_pair("client_id", &derived_id("client", "alm").to_string())
            .append_pair("scope", &format!("{audience}/.default"))
            .append_pair("username", user)
            .append_pair("password", EMULATED_PASSWORD)
            .finish()
            .into_bytes();
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers.insert(http::header::CONTENT_TYPE, form);
        let answer = checked("sign in", self.transport.send(request)?)?;
        Ok(Secret::new(
            answer["access_token"].as_str().unwrap_or_default(),
        ))
    }

    fn send(&self, what: &str, token: &Secret, request: Request) -> Result<Value, ExampleError> {
        let bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose()));
        let bearer = bearer.map_err(|_| ExampleError::Refused {
            what: "sign in".into(),
            status: 200,
            said: "with a token that no header can carry".into(),
        })?;
        let request = request.header(http::header::AUTHORIZATION, bearer);
        checked(what, self.transport.send(request)?)
    }
}

/// The answer's JSON (null where it has no body), if it was a success.
fn checked(what: &str, response: Response) -> Result<Value, ExampleError> {
    if response.status.is_success() {
        return Ok(response.to_json().unwrap_or(Value::Null));
    }
    Err(ExampleError::Refused {
        what: what.to_owned(),
        status: response.status.as_u16(),
        said: String::from_utf8_lossy(&response.body).into_owned(),
    })
}

/// One `add` change per file of the first commit, in the order of their paths.
fn collect(dir: &Dir<'_>, changes: &mut Vec<Value>) {
    for entry in dir.entries() {
        match entry {
            DirEntry::Dir(dir) => collect(dir, changes),
            DirEntry::File(file) => {
                let parts: Vec<_> = file
                    .path()
                    .components()
                    .map(|part| part.as_os_str().to_string_lossy())
                    .collect();
                changes.push(json!({
                    "changeType": "add",
                    "item": { "path": format!("/{}", parts.join("/")) },
                    "newContent": {
                        "content": BASE64_STANDARD.encode(file.contents()),
                        "contentType": "base64encoded",
                    },
                }));
            }
        }
    }
}

fn web_api(path: &[&str], query: &[(&str, &str)]) -> Url {
    let at: Vec<&str> = ["api", "data", "v9.2"]
        .iter()
        .chain(path)
        .copied()
        .collect();
    address(DEV, &at, query)
}

fn address(host: &str, path: &[&str], query: &[(&str, &str)]) -> Url {
    let mut url = Url::parse(host).expect("a fixed, valid address");
    url.path_segments_mut()
        .expect("an https address has a path")
        .pop_if_empty()
        .extend(path);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::BareRepository;
    use crate::workspace::Workspace;
    use crate::workspace::config::StageValue;

    #[test]
    fn the_example_is_filled_through_its_services() {
        let dir = tempfile::tempdir().unwrap();
        example(dir.path()).unwrap_or_else(|error| panic!("{error}"));
        let repository = dir
            .path()
            .join(".alm/tenant/repositories/contoso/ALM/apps.git");
        let repository = BareRepository::open(&repository).unwrap();
        let main = repository.resolve("refs/heads/main").unwrap();
        for path in [
            "PermitManagement/config/deploymentSettings.json",
            ".gitattributes",
        ] {
            let wanted = REPOSITORY.get_file(path).unwrap().contents();
            assert_eq!(
                repository.read_file(main, path).unwrap().as_deref(),
                Some(wanted),
                "{path}"
            );
        }
    }

    #[test]
    fn the_example_has_no_mistakes_and_names_only_what_its_tenant_has() {
        let dir = tempfile::tempdir().unwrap();
        let id = Uuid::nil().to_string();
        let text = include_str!("../example/alm.toml").replace("{pipeline}", &id);
        std::fs::write(dir.path().join("alm.toml"), text).unwrap();
        let workspace = Workspace::open(dir.path()).unwrap_or_else(|error| panic!("{error}"));
        let tenant = include_str!("../example/tenant.toml").replace("{pipeline}", &id);
        let tenant: TenantDefinition = toml::from_str(&tenant).unwrap();

        let config = workspace.config();
        for (name, environment) in config.environments.iter() {
            assert!(
                tenant
                    .environments
                    .iter()
                    .any(|one| one.url == environment.url),
                "{name}"
            );
        }
        for (name, identity) in config.identities.iter() {
            let Some(user) = &identity.user else { continue };
            assert!(tenant.users.iter().any(|one| one.upn == *user), "{name}");
        }
        for (name, profile) in config.profiles.iter() {
            for stage in &profile.stages {
                let url = &config.environments.get(&stage.environment).unwrap().url;
                let environment = tenant
                    .environments
                    .iter()
                    .find(|one| one.url == *url)
                    .unwrap();
                for key in ["sharepoint", "dataverse"] {
                    let StageValue::Text(wanted) = &stage.variables[key] else {
                        panic!("{key} is a text");
                    };
                    assert!(
                        environment
                            .connections
                            .iter()
                            .any(|one| one.id("") == *wanted),
                        "profile {name}, stage {}: there is no connection {wanted}",
                        stage.name
                    );
                }
            }
        }
    }
}
