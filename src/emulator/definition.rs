//! What an emulated tenant is made of when it is created.
//!
//! Pure data: `alm new --example` writes one, tests build their own. Ids that are left out are
//! derived from names, so the same definition makes the same tenant on every machine.

use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

/// A whole tenant: people, environments, organisations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantDefinition {
    /// The tenant's first domain, for example `contoso.example`.
    pub domain: String,
    /// The tenant's id in the directory; derived from the domain when left out.
    #[serde(default)]
    pub tenant_id: Option<Uuid>,
    /// People.
    #[serde(default)]
    pub users: Vec<UserDefinition>,
    /// Security groups.
    #[serde(default)]
    pub groups: Vec<GroupDefinition>,
    /// Registered applications (service principals).
    #[serde(default)]
    pub applications: Vec<ApplicationDefinition>,
    /// Power Platform environments, each with a Dataverse database.
    #[serde(default)]
    pub environments: Vec<EnvironmentDefinition>,
    /// Azure DevOps organisations.
    #[serde(default)]
    pub organisations: Vec<OrganisationDefinition>,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserDefinition {
    /// The sign-in name, for example `maya@contoso.example`.
    pub upn: String,
    /// The display name.
    pub name: String,
    /// The object id in the directory; derived from the sign-in name when left out.
    #[serde(default)]
    pub object_id: Option<Uuid>,
    /// Personal access tokens with which this person can use Azure DevOps. A tenant keeps their
    /// hashes.
    #[serde(default)]
    pub access_tokens: Vec<String>,
}

/// A security group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupDefinition {
    /// The display name.
    pub name: String,
    /// The object id in the directory; derived from the name when left out.
    #[serde(default)]
    pub object_id: Option<Uuid>,
    /// Sign-in names of users, application ids, names of groups.
    #[serde(default)]
    pub members: Vec<String>,
}

/// A registered application.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationDefinition {
    /// The application (client) id.
    pub app_id: Uuid,
    /// The display name.
    pub name: String,
    /// Its client secret.
    pub secret: String,
    /// The object id of its service principal; derived from the application id when left out.
    #[serde(default)]
    pub object_id: Option<Uuid>,
}

/// An environment with its database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentDefinition {
    /// The display name.
    pub name: String,
    /// The database's address, for example `https://contoso-dev.crm4.dynamics.com`.
    pub url: Url,
    /// The environment's name in the Power Platform; derived from the address when left out.
    #[serde(default)]
    pub environment_id: Option<String>,
    /// The type: `Sandbox`, `Production`, `Developer`, …
    #[serde(default = "sandbox")]
    pub sku: String,
    /// The base language, a Windows locale id.
    #[serde(default = "english")]
    pub language: u32,
    /// Who is a user of the database, with which security roles.
    #[serde(default)]
    pub users: Vec<MemberDefinition>,
    /// Teams.
    #[serde(default)]
    pub teams: Vec<TeamDefinition>,
    /// Connections of the environment.
    #[serde(default)]
    pub connections: Vec<ConnectionDefinition>,
}

/// A user or application user of one environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberDefinition {
    /// A sign-in name or an application id.
    pub user: String,
    /// Names of security roles.
    #[serde(default)]
    pub roles: Vec<String>,
}

/// A team of one environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamDefinition {
    /// The team's name.
    pub name: String,
    /// The directory group whose members are the team's; left out, it is an owner team.
    #[serde(default)]
    pub group: Option<String>,
    /// Names of security roles.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Members of an owner team: sign-in names or application ids.
    #[serde(default)]
    pub members: Vec<String>,
}

/// A connection, that is a connector with somebody's credentials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionDefinition {
    /// The connection's name; derived from environment, connector and display name when left out.
    #[serde(default)]
    pub id: Option<String>,
    /// The connector, for example `shared_office365`.
    pub connector: String,
    /// What makers see.
    pub display_name: String,
    /// Who made it: a sign-in name or an application id.
    pub owner: String,
    /// With whom it is shared: sign-in names, application ids, names of groups.
    #[serde(default)]
    pub shared_with: Vec<String>,
}

/// An Azure DevOps organisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganisationDefinition {
    /// The name in its address, `https://dev.azure.com/<name>`.
    pub name: String,
    /// Its projects.
    #[serde(default)]
    pub projects: Vec<ProjectDefinition>,
    /// The number of the newest work item that it has had; the next one gets the number after it.
    #[serde(default)]
    pub last_work_item: u32,
}

/// A project of an organisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectDefinition {
    /// The project's name.
    pub name: String,
    /// The names of its git repositories.
    #[serde(default)]
    pub repositories: Vec<String>,
}

impl TenantDefinition {
    /// The tenant's id.
    pub fn id(&self) -> Uuid {
        self.tenant_id
            .unwrap_or_else(|| derived_id("tenant", &self.domain))
    }
}

impl UserDefinition {
    /// The user's object id.
    pub fn id(&self) -> Uuid {
        self.object_id
            .unwrap_or_else(|| derived_id("user", &self.upn))
    }
}

impl GroupDefinition {
    /// The group's object id.
    pub fn id(&self) -> Uuid {
        self.object_id
            .unwrap_or_else(|| derived_id("group", &self.name))
    }
}

impl ApplicationDefinition {
    /// The object id of the application's service principal.
    pub fn id(&self) -> Uuid {
        self.object_id
            .unwrap_or_else(|| derived_id("application", &self.app_id.to_string()))
    }
}

impl EnvironmentDefinition {
    /// The environment's name in the Power Platform, a guid.
    pub fn id(&self) -> String {
        self.environment_id
            .clone()
            .unwrap_or_else(|| derived_id("environment", self.url.as_str()).to_string())
    }
}

impl ConnectionDefinition {
    /// The connection's name: 32 hexadecimal digits unless given.
    pub fn id(&self, environment_id: &str) -> String {
        self.id.clone().unwrap_or_else(|| {
            let what = format!("{environment_id}/{}/{}", self.connector, self.display_name);
            derived_id("connection", &what).simple().to_string()
        })
    }
}

/// The id of the thing called `name` of kind `kind`: always the same for the same two words.
pub fn derived_id(kind: &str, name: &str) -> Uuid {
    /// A random namespace of this program's own, so that its ids meet nobody else's.
    const NAMESPACE: Uuid = Uuid::from_u128(0x6f0c_3d52_8a1e_4b7d_9f27_51c4_e0b9_a833);
    Uuid::new_v5(
        &NAMESPACE,
        format!("{kind}:{}", name.to_lowercase()).as_bytes(),
    )
}

fn sandbox() -> String {
    "Sandbox".into()
}

fn english() -> u32 {
    1033
}
