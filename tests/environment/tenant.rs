//! An emulated tenant with two environments, and signed-in clients of it.

use std::sync::Arc;

use almscript::emulator::{Clock, Tenant, TenantDefinition};
use almscript::environment::{Connect, Environment, ImportOptions};
use almscript::solution::Package;
use almscript::transport::authorize::{Authorize, Credential, EntraTokens};
use almscript::transport::{InProcess, Secret};
use serde_json::json;
use tempfile::TempDir;

const PIPELINE: &str = "11111111-1111-4111-8111-111111111111";
pub const MAYA: &str = "maya@contoso.example";
pub const ALEX: &str = "alex@contoso.example";
pub const GROUP: &str = "22222222-2222-4222-8222-222222222222";
/// A connection in both environments that the pipeline may use.
pub const SHARED: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
/// A connection in both environments that is Alex's alone.
pub const PRIVATE: &str = "ffff2c3d4e5f60718293a4b5c6d7e8f9";

/// The solution with a flow, environment variables and a connection reference.
pub const FLOWS: &str = "02-hide-folders/unmanaged.zip";
/// The solution with nearly everything.
pub const WIDE: &str = "05-permit-management/unmanaged.zip";

pub struct Contoso {
    transport: InProcess,
    _folder: TempDir,
}

impl Contoso {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::fixed("2026-03-04T05:06:07Z".parse().unwrap());
        let tenant = Tenant::create_at(folder.path(), &definition(), clock).unwrap();
        Self {
            transport: InProcess::new(Arc::new(tenant)),
            _folder: folder,
        }
    }

    /// An environment, seen by the pipeline's application.
    pub fn environment(&self, name: &str) -> Environment {
        let credential = Credential::ClientSecret {
            application: PIPELINE.into(),
            secret: Secret::new("s3cret"),
        };
        self.signed_in(name, credential)
    }

    /// An environment, seen by a user.
    pub fn environment_of(&self, name: &str, user: &str) -> Environment {
        let password = Secret::new("emulated");
        self.signed_in(
            name,
            Credential::Password {
                user: user.into(),
                password,
            },
        )
    }

    /// A development environment with a solution of the corpus, and the solution's unique name.
    pub fn with(&self, package: &str) -> (Environment, String) {
        let dev = self.environment("dev");
        let bytes = corpus(package);
        let name = Package::from_zip(&bytes)
            .unwrap()
            .manifest()
            .unwrap()
            .unique_name;
        dev.import_solution(&name, &bytes, &ImportOptions::default())
            .unwrap();
        (dev, name)
    }

    fn signed_in(&self, name: &str, credential: Credential) -> Environment {
        let login = "https://login.microsoftonline.com".parse().unwrap();
        let transport = Arc::new(self.transport.clone());
        let tokens = EntraTokens::new(transport.clone(), &login, "contoso.example", credential);
        let transport = Authorize::new(transport, Arc::new(tokens.unwrap()));
        let url = format!("https://contoso-{name}.crm4.dynamics.com")
            .parse()
            .unwrap();
        Environment::connect(Connect::new(name, url, Arc::new(transport)))
    }
}

pub fn corpus(path: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/corpus/");
    std::fs::read(format!("{folder}{path}")).unwrap()
}

fn definition() -> TenantDefinition {
    let connection = |id: &str, owner: &str, shared: &[&str]| {
        json!({ "id": id, "connector": "shared_sharepointonline", "display_name": owner,
                "owner": owner, "shared_with": shared })
    };
    let environment = |name: &str| {
        json!({
            "name": name, "url": format!("https://contoso-{name}.crm4.dynamics.com"),
            "users": [
                { "user": PIPELINE, "roles": ["System Administrator"] },
                { "user": MAYA, "roles": ["Environment Maker"] },
                { "user": ALEX, "roles": ["System Administrator"] },
            ],
            "connections": [
                connection(SHARED, MAYA, &[PIPELINE]),
                connection(PRIVATE, ALEX, &[]),
            ],
        })
    };
    serde_json::from_value(json!({
        "domain": "contoso.example",
        "users": [
            { "upn": MAYA, "name": "Maya Maker" },
            { "upn": ALEX, "name": "Alex O'Neil" },
            { "upn": "eve@contoso.example", "name": "Eve Elsewhere" },
        ],
        "groups": [{ "name": "Sales", "object_id": GROUP, "members": [MAYA] }],
        "applications": [{ "app_id": PIPELINE, "name": "Pipeline", "secret": "s3cret" }],
        "environments": [environment("dev"), environment("test")],
    }))
    .unwrap()
}
