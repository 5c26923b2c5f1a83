//! One environment: its addresses and ids, and what its database holds when it is new.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;
use uuid::Uuid;

use super::failure::ServiceError;
use super::row;
use super::session::Session;
use crate::emulator::clock::on_the_wire;
use crate::emulator::definition::{
    ConnectionDefinition, EnvironmentDefinition, MemberDefinition, TeamDefinition, derived_id,
};
use crate::emulator::directory::{self, Identity, IdentityKind};
use crate::emulator::power_platform::{Connection, ConnectionShare};
use crate::emulator::store::{StoreError, Transaction};

const SCOPE: &str = "tenant";
const KIND: &str = "environment";

/// The role that may do everything.
pub const SYSTEM_ADMINISTRATOR: &str = "System Administrator";
/// The security roles of a new environment.
pub const STANDARD_ROLES: [&str; 7] = [
    SYSTEM_ADMINISTRATOR,
    "System Customizer",
    "Environment Maker",
    "Basic User",
    "Delegate",
    "Service Reader",
    "Service Writer",
];

/// An environment of the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// The database's host, for example `contoso-dev.crm4.dynamics.com`.
    pub host: String,
    /// The name for people.
    pub name: String,
    /// The environment's name in the Power Platform.
    pub environment_id: String,
    /// The tenant's id.
    pub tenant_id: Uuid,
    /// The id of the organisation row.
    pub organization_id: Uuid,
    /// The id of the root business unit.
    pub business_unit_id: Uuid,
    /// The type: `Sandbox`, `Production`, …
    pub sku: String,
    /// The base language, a Windows locale id.
    pub language: u32,
    /// When it was created, as it goes over the wire.
    pub created_on: String,
}

impl Environment {
    /// The environment whose database has this host: `name.crm4.dynamics.com` or, for the Web API
    /// alone, `name.api.crm4.dynamics.com`.
    ///
    /// # Errors
    /// Those of the store; so for all functions here.
    pub fn at(tx: &Transaction<'_>, host: &str) -> Result<Option<Self>, StoreError> {
        let found = tx.get(SCOPE, KIND, host)?;
        let found = match (found, host.split_once(".api.")) {
            (None, Some((name, rest))) => tx.get(SCOPE, KIND, &format!("{name}.{rest}"))?,
            (found, _) => found,
        };
        Ok(found.map(serde_json::from_value).transpose()?)
    }

    /// All environments in the order in which they were made.
    pub fn all(tx: &Transaction<'_>) -> Result<Vec<Self>, StoreError> {
        let list = tx.list(SCOPE, KIND)?.into_iter();
        list.map(|(_, body)| Ok(serde_json::from_value(body)?))
            .collect()
    }

    /// The environment with this name in the Power Platform.
    pub fn by_id(tx: &Transaction<'_>, id: &str) -> Result<Option<Self>, StoreError> {
        Ok(Self::all(tx)?
            .into_iter()
            .find(|it| it.environment_id.eq_ignore_ascii_case(id)))
    }

    /// Where the environment's rows are in the store.
    pub fn scope(&self) -> String {
        format!("environment:{}", self.host)
    }

    /// The database's unique name.
    pub fn unique_name(&self) -> String {
        let hex = self.organization_id.simple().to_string();
        format!("unq{}", &hex[..24])
    }

    /// The first label of the host, which people choose.
    pub fn domain_name(&self) -> &str {
        self.host.split('.').next().unwrap_or(&self.host)
    }

    /// The id that this environment gives to a thing of its own.
    pub fn own_id(&self, kind: &str, name: &str) -> Uuid {
        derived_id(kind, &format!("{}/{name}", self.host))
    }
}

/// Makes the environment that `definition` describes.
///
/// # Errors
/// When the definition names somebody whom the directory does not know or a role that a new
/// environment does not have, and those of the store.
pub fn establish(
    tx: &Transaction<'_>,
    tenant_id: Uuid,
    definition: &EnvironmentDefinition,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let host = host_of(&definition.url)?;
    let environment = Environment {
        organization_id: derived_id("organization", &host),
        business_unit_id: derived_id("businessunit", &host),
        name: definition.name.clone(),
        environment_id: definition.id(),
        tenant_id,
        sku: definition.sku.clone(),
        language: definition.language,
        created_on: on_the_wire(now),
        host,
    };
    if tx.get(SCOPE, KIND, &environment.host)?.is_some() {
        let host = &environment.host;
        return Err(ServiceError::invalid_argument(format!(
            "two environments at {host}"
        )));
    }
    let stored = serde_json::to_value(&environment).map_err(StoreError::from)?;
    tx.put(SCOPE, KIND, &environment.host, &stored)?;
    let session = Session::system(tx, environment, now);
    establish_organization(&session)?;
    establish_solutions(&session)?;
    establish_messages(&session)?;
    for member in &definition.users {
        establish_member(&session, member)?;
    }
    for team in &definition.teams {
        establish_team(&session, team)?;
    }
    for connection in &definition.connections {
        establish_connection(&session, connection)?;
    }
    Ok(())
}

fn host_of(url: &Url) -> Result<String, ServiceError> {
    match url.host_str() {
        Some(host) => Ok(host.to_ascii_lowercase()),
        None => Err(ServiceError::invalid_argument(format!("{url} has no host"))),
    }
}

fn establish_organization(session: &Session<'_>) -> Result<(), ServiceError> {
    let environment = &session.environment;
    let (organization, unit) = (environment.organization_id, environment.business_unit_id);
    let currency = environment.own_id("transactioncurrency", "EUR");
    session.insert(
        "organization",
        row::row! {
            "organizationid": organization,
            "name": environment.unique_name(),
            "languagecode": environment.language,
            "_basecurrencyid_value": currency,
            "basecurrencysymbol": "€",
        },
    )?;
    session.insert(
        "transactioncurrency",
        row::row! {
            "transactioncurrencyid": currency,
            "currencyname": "Euro",
            "currencysymbol": "€",
            "isocurrencycode": "EUR",
        },
    )?;
    session.insert(
        "businessunit",
        row::row! {
            "businessunitid": unit,
            "name": environment.domain_name(),
            "organizationid": organization,
        },
    )?;
    for name in STANDARD_ROLES {
        let id = environment.own_id("role", name);
        session.insert(
            "role",
            row::row! {
                "roleid": id,
                "name": name,
                "_businessunitid_value": unit,
                "_parentrootroleid_value": id,
                "roletemplateid": derived_id("roletemplate", name),
                "organizationid": organization,
                "ismanaged": true,
            },
        )?;
    }
    // What the service itself does is done by this user, as in a real environment.
    session.insert(
        "systemuser",
        row::row! {
            "systemuserid": session.user,
            "fullname": "SYSTEM",
            "domainname": "SYSTEM",
            "accessmode": 3,
            "isdisabled": false,
            "_businessunitid_value": unit,
            "organizationid": organization,
        },
    )?;
    session.insert(
        "team",
        row::row! {
            "teamid": environment.own_id("team", "default"),
            "name": environment.domain_name(),
            "teamtype": 0,
            "isdefault": true,
            "_businessunitid_value": unit,
            "organizationid": organization,
        },
    )?;
    Ok(())
}

/// The solutions and publishers that every environment has; their ids are the same everywhere
/// (facts/dataverse-web-api.md, sections 3.1 and 3.2).
fn establish_solutions(session: &Session<'_>) -> Result<(), ServiceError> {
    const MICROSOFT: &str = "d21aab70-79e7-11dd-8874-00188b01e34f";
    const CDS_DEFAULT: &str = "00000001-0000-0000-0000-00000000005a";
    let environment = &session.environment;
    let own = environment.own_id("publisher", "default").to_string();
    let short: String = own
        .chars()
        .filter(char::is_ascii_hexdigit)
        .take(5)
        .collect();
    let domain = environment.domain_name().replace('-', "");
    let publishers = [
        (
            MICROSOFT,
            "MicrosoftCorporation",
            "MicrosoftCorporation",
            "",
            0,
            true,
        ),
        (
            CDS_DEFAULT,
            &*format!("Cr{short}"),
            "CDS Default Publisher",
            "cr0c9",
            20_000,
            false,
        ),
        (
            &*own,
            &*format!("DefaultPublisher{domain}"),
            &*format!("Default Publisher for {}", environment.name),
            "new",
            10_000,
            false,
        ),
    ];
    for (id, unique_name, friendly_name, prefix, option_prefix, read_only) in publishers {
        session.insert(
            "publisher",
            row::row! {
                "publisherid": id,
                "uniquename": unique_name,
                "friendlyname": friendly_name,
                "customizationprefix": prefix,
                "customizationoptionvalueprefix": option_prefix,
                "isreadonly": read_only,
            },
        )?;
    }
    let solutions = [
        (
            "fd140aad-4df4-11dd-bd17-0019b9312238",
            "System",
            "System Solution",
            MICROSOFT,
            false,
        ),
        (
            "fd140aae-4df4-11dd-bd17-0019b9312238",
            "Active",
            "Active Solution",
            MICROSOFT,
            false,
        ),
        (
            "fd140aaf-4df4-11dd-bd17-0019b9312238",
            "Default",
            "Default Solution",
            &own,
            true,
        ),
        (
            "00000001-0000-0000-0001-00000000009b",
            &*format!("Cr{short}"),
            "Common Data Services Default Solution",
            CDS_DEFAULT,
            true,
        ),
        (
            "25a01723-9f63-4449-a3e0-046cc23a2902",
            "Basic",
            "Basic Solution",
            MICROSOFT,
            false,
        ),
    ];
    for (id, unique_name, friendly_name, publisher, visible) in solutions {
        session.insert(
            "solution",
            row::row! {
                "solutionid": id,
                "uniquename": unique_name,
                "friendlyname": friendly_name,
                "version": "1.0",
                "_publisherid_value": publisher,
                "isvisible": visible,
                "ismanaged": false,
                "installedon": environment.created_on,
            },
        )?;
    }
    Ok(())
}

/// The messages on which plug-in steps can be registered. Their ids are the same everywhere, so
/// that the steps of a package find them.
fn establish_messages(session: &Session<'_>) -> Result<(), ServiceError> {
    for name in [
        "Create",
        "Update",
        "Delete",
        "Retrieve",
        "RetrieveMultiple",
        "Assign",
        "SetState",
        "SetStateDynamicEntity",
        "Associate",
        "Disassociate",
        "GrantAccess",
        "ModifyAccess",
        "RevokeAccess",
        "Merge",
        "Win",
        "Lose",
        "Close",
        "Send",
        "PublishAll",
        "Publish",
        "CreateMultiple",
        "UpdateMultiple",
        "DeleteMultiple",
        "Upsert",
        "UpsertMultiple",
    ] {
        session.insert(
            "sdkmessage",
            row::row! {
                "sdkmessageid": derived_id("sdkmessage", name),
                "name": name,
            },
        )?;
    }
    Ok(())
}

fn establish_member(session: &Session<'_>, member: &MemberDefinition) -> Result<(), ServiceError> {
    let identity = known(session.tx, &member.user)?;
    let user = session.add_user(&identity)?;
    for role in &member.roles {
        session.link(
            "systemuserroles_association",
            user,
            role_named(session, role)?,
        )?;
    }
    Ok(())
}

fn establish_team(session: &Session<'_>, team: &TeamDefinition) -> Result<(), ServiceError> {
    let environment = &session.environment;
    let group = match &team.group {
        None => None,
        Some(name) => match known(session.tx, name)? {
            group if group.kind == IdentityKind::Group => Some(group.object_id),
            other => {
                let message = format!("{} is not a group", other.name);
                return Err(ServiceError::invalid_argument(message));
            }
        },
    };
    let id = session.insert(
        "team",
        row::row! {
            "teamid": environment.own_id("team", &team.name),
            "name": team.name,
            "teamtype": if group.is_some() { 2 } else { 0 },
            "azureactivedirectoryobjectid": group,
            "_businessunitid_value": environment.business_unit_id,
            "organizationid": environment.organization_id,
        },
    )?;
    for role in &team.roles {
        session.link("teamroles_association", id, role_named(session, role)?)?;
    }
    for member in &team.members {
        let identity = known(session.tx, member)?;
        session.link(
            "teammembership_association",
            id,
            session.add_user(&identity)?,
        )?;
    }
    Ok(())
}

fn establish_connection(
    session: &Session<'_>,
    definition: &ConnectionDefinition,
) -> Result<(), ServiceError> {
    let environment = &session.environment;
    let owner = known(session.tx, &definition.owner)?;
    let shared = definition.shared_with.iter().map(|name| {
        let with = known(session.tx, name)?;
        Ok(ConnectionShare {
            with,
            role: "CanView".into(),
        })
    });
    let connection = Connection {
        id: definition.id(&environment.environment_id),
        connector: definition.connector.clone(),
        display_name: definition.display_name.clone(),
        owner,
        shared_with: shared.collect::<Result<_, ServiceError>>()?,
        created_on: environment.created_on.clone(),
    };
    connection.store(session.tx, &environment.scope())?;
    Ok(())
}

fn known(tx: &Transaction<'_>, name: &str) -> Result<Identity, ServiceError> {
    directory::by_name(tx, name)?
        .ok_or_else(|| ServiceError::invalid_argument(format!("nobody is called {name}")))
}

fn role_named(session: &Session<'_>, name: &str) -> Result<Uuid, ServiceError> {
    let wanted = json!(name);
    let found = session
        .rows("role")?
        .into_iter()
        .find(|role| role.get("name") == Some(&wanted));
    found
        .as_ref()
        .and_then(|role| row::id(role, "roleid"))
        .ok_or_else(|| {
            ServiceError::invalid_argument(format!("a new environment has no role {name}"))
        })
}
