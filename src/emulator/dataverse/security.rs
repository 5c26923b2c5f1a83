//! Who may do what.
//!
//! A caller needs a user row and a security role in the environment. What a role allows is kept
//! coarse: administrators may do everything, customizers and makers everything but people and
//! their roles, all others work with rows of business tables. Privileges of custom roles are not
//! weighed one by one.

use std::collections::BTreeSet;

use serde_json::Value;
use uuid::Uuid;

use super::catalogue::Table;
use super::environment::{Environment, SYSTEM_ADMINISTRATOR};
use super::failure::ServiceError;
use super::row;
use super::session::Session;
use crate::emulator::call::Call;
use crate::emulator::directory::{self, Identity, IdentityKind};
use crate::emulator::store::Transaction;

/// Who people are and what they may do: only administrators write these.
const PEOPLE: [&str; 7] = [
    "systemuser",
    "team",
    "role",
    "businessunit",
    "organization",
    "fieldsecurityprofile",
    "fieldpermission",
];

/// What a caller's roles allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Power {
    Use,
    Customize,
    Administer,
}

/// The session of the call's caller.
///
/// # Errors
/// `403` when the caller is no user of the environment or has no role there, or names somebody to
/// impersonate who does not exist.
pub fn session<'a>(
    call: &Call,
    tx: &'a Transaction<'a>,
    environment: Environment,
    caller: &Identity,
    root: String,
) -> Result<Session<'a>, ServiceError> {
    let mut session = Session::new(tx, environment, root, call.now, Uuid::nil());
    let known = user_of(&session, "azureactivedirectoryobjectid", caller.object_id)?;
    let user = match known {
        Some(user) => user,
        None => admitted_by_group(&mut session, caller)?.ok_or_else(not_a_member)?,
    };
    session.user = user;
    if power(&session, user)?.is_none() {
        return Err(missing_privilege(
            &session,
            user,
            "prvReadOrganization",
            "organization",
        ));
    }
    let by_directory = call.header("CallerObjectId");
    let by_row = call.header("MSCRMCallerID");
    let impersonated = match (by_directory, by_row) {
        (None, None) => None,
        (Some(text), _) => {
            let id = Uuid::parse_str(text.trim()).ok();
            let found = id.map(|id| user_of(&session, "azureactivedirectoryobjectid", id));
            Some(found.transpose()?.flatten().ok_or_else(|| {
                ServiceError::forbidden(
                    "0x80040225",
                    format!("The user with the directory object id '{text}' does not exist."),
                )
            })?)
        }
        (None, Some(text)) => {
            let id = Uuid::parse_str(text.trim()).ok();
            let found = id.map(|id| session.row("systemuser", id).map(|it| it.map(|_| id)));
            Some(found.transpose()?.flatten().ok_or_else(|| {
                ServiceError::forbidden(
                    "0x80040225",
                    format!("The specified user(Id={text}) does not exist."),
                )
            })?)
        }
    };
    if let Some(other) = impersonated {
        if power(&session, user)? != Some(Power::Administer) {
            return Err(missing_privilege(
                &session,
                user,
                "prvActOnBehalfOfAnotherUser",
                "systemuser",
            ));
        }
        if power(&session, other)?.is_none() {
            return Err(missing_privilege(
                &session,
                other,
                "prvReadOrganization",
                "organization",
            ));
        }
        session.impersonator = Some(user);
        session.user = other;
    }
    session.solution = call.header("MSCRM.SolutionUniqueName").map(str::to_owned);
    Ok(session)
}

/// Refuses writing to `table` when the session's user may not.
///
/// # Errors
/// `403` with the privilege that is missing.
pub(super) fn may_write(
    session: &Session<'_>,
    table: &Table,
    verb: &str,
) -> Result<(), ServiceError> {
    let needed = if PEOPLE.contains(&table.name.as_str()) {
        Power::Administer
    } else if table.component_type.is_some() || matches!(&*table.name, "solution" | "publisher") {
        Power::Customize
    } else {
        Power::Use
    };
    if power(session, session.user)?.is_some_and(|power| power >= needed) {
        return Ok(());
    }
    let privilege = format!("prv{verb}{}", table.schema_name);
    Err(missing_privilege(
        session,
        session.user,
        &privilege,
        &table.name,
    ))
}

/// Refuses an operation on solutions and customizations when the session's user may not.
///
/// # Errors
/// `403` with the privilege that is missing.
pub fn may_customize(session: &Session<'_>, operation: &str) -> Result<(), ServiceError> {
    if power(session, session.user)?.is_some_and(|power| power >= Power::Customize) {
        return Ok(());
    }
    let privilege = format!("prv{operation}");
    Err(missing_privilege(
        session,
        session.user,
        &privilege,
        "solution",
    ))
}

/// Whether the session's user is a system administrator.
///
/// # Errors
/// Those of the store.
pub fn is_administrator(session: &Session<'_>) -> Result<bool, ServiceError> {
    Ok(power(session, session.user)? == Some(Power::Administer))
}

/// The names of all roles that a user has, directly or through teams.
pub(super) fn roles(session: &Session<'_>, user: Uuid) -> Result<BTreeSet<String>, ServiceError> {
    let mut ids = session.linked("systemuserroles_association", user, true)?;
    for team in teams(session, user)? {
        ids.extend(session.linked("teamroles_association", team, true)?);
    }
    let mut names = BTreeSet::new();
    for id in ids {
        if let Some(role) = session.row("role", id)?
            && let Some(name) = row::text(&role, "name")
        {
            names.insert(name.to_owned());
        }
    }
    Ok(names)
}

/// The teams that a user belongs to: as a member, or through a directory group.
pub(super) fn teams(session: &Session<'_>, user: Uuid) -> Result<Vec<Uuid>, ServiceError> {
    let mut found = session.linked("teammembership_association", user, false)?;
    let groups = groups_of(session, user)?;
    for team in session.rows("team")? {
        let group = row::id(&team, "azureactivedirectoryobjectid");
        if group.is_some_and(|group| groups.contains(&group)) {
            found.extend(row::id(&team, "teamid"));
        }
    }
    Ok(found)
}

fn groups_of(session: &Session<'_>, user: Uuid) -> Result<Vec<Uuid>, ServiceError> {
    let user = session.row("systemuser", user)?.unwrap_or_default();
    let Some(object_id) = row::id(&user, "azureactivedirectoryobjectid") else {
        return Ok(Vec::new());
    };
    match directory::by_object_id(session.tx, object_id)? {
        Some(identity) => Ok(directory::groups_of(session.tx, &identity)?),
        None => Ok(Vec::new()),
    }
}

fn power(session: &Session<'_>, user: Uuid) -> Result<Option<Power>, ServiceError> {
    if user == session.environment.own_id("systemuser", "SYSTEM") {
        return Ok(Some(Power::Administer));
    }
    if let Some(known) = session.powers.borrow().get(&user) {
        return Ok(*known);
    }
    let roles = roles(session, user)?;
    let powers = roles.iter().map(|role| match role.as_str() {
        SYSTEM_ADMINISTRATOR => Power::Administer,
        "System Customizer" | "Environment Maker" => Power::Customize,
        _ => Power::Use,
    });
    let power = powers.max();
    session.powers.borrow_mut().insert(user, power);
    Ok(power)
}

fn user_of(session: &Session<'_>, property: &str, id: Uuid) -> Result<Option<Uuid>, ServiceError> {
    let user = session.find("systemuser", property, &Value::from(id.to_string()))?;
    let user = user.filter(|user| !row::flag(user, "isdisabled"));
    Ok(user.and_then(|user| row::id(&user, "systemuserid")))
}

/// Members of a group with a team get their user row when they first come.
fn admitted_by_group(
    session: &mut Session<'_>,
    caller: &Identity,
) -> Result<Option<Uuid>, ServiceError> {
    if caller.kind != IdentityKind::User {
        return Ok(None);
    }
    let groups = directory::groups_of(session.tx, caller)?;
    let mut teams = session.rows("team")?.into_iter();
    let admitted = teams.any(|team| {
        row::id(&team, "azureactivedirectoryobjectid").is_some_and(|id| groups.contains(&id))
    });
    if !admitted {
        return Ok(None);
    }
    session.user = session.environment.own_id("systemuser", "SYSTEM");
    session.add_user(caller).map(Some)
}

fn not_a_member() -> ServiceError {
    ServiceError::forbidden(
        "0x80072560",
        "The user is not a member of the organization.",
    )
}

fn missing_privilege(
    session: &Session<'_>,
    user: Uuid,
    privilege: &str,
    table: &str,
) -> ServiceError {
    let id = session.environment.own_id("privilege", privilege);
    let unit = session.environment.business_unit_id;
    ServiceError::forbidden(
        "0x80048306",
        format!(
            "Principal user (Id={user}, type=8, roleCount=0, privilegeCount=0, accessMode='0 \
             Read-Write') is missing {privilege} privilege (Id={id}) on OTC=0 for entity '{table}' \
             (LocalizedName='{table}'). context.Caller={user}, businessUnitId={unit}."
        ),
    )
}
