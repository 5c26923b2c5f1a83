//! Users, teams, roles (facts/dataverse-web-api.md, section 6.6).

use serde_json::Value;
use uuid::Uuid;

use crate::emulator::dataverse::failure::ServiceError;
use crate::emulator::dataverse::row::{self, Row};
use crate::emulator::dataverse::session::Session;
use crate::emulator::directory::{self, IdentityKind};

const UNIT: &str = "_businessunitid_value";
const GROUP: &str = "azureactivedirectoryobjectid";
const SECURITY_GROUP: i64 = 2;

/// A team is in its creator's business unit unless said otherwise; a group team needs a group that
/// exists and has no team yet.
pub(super) fn creating_team(session: &Session<'_>, values: &mut Row) -> Result<(), ServiceError> {
    let creator = session.existing("systemuser", session.user)?;
    if !values.contains_key(UNIT) {
        let unit = creator.get(UNIT).cloned().unwrap_or_default();
        values.insert(UNIT.into(), unit);
    }
    values
        .entry("_administratorid_value")
        .or_insert_with(|| session.user.to_string().into());
    values.insert(
        "organizationid".into(),
        session.environment.organization_id.to_string().into(),
    );
    let kind = row::number(values, "teamtype").unwrap_or_default();
    let is_group = (SECURITY_GROUP..=3).contains(&kind);
    match row::id(values, GROUP) {
        None if is_group => Err(ServiceError::invalid_argument(
            "A team of the type Microsoft Entra ID group needs azureactivedirectoryobjectid.",
        )),
        Some(_) if !is_group => Err(ServiceError::invalid_argument(
            "azureactivedirectoryobjectid is only for teams of the type Microsoft Entra ID group.",
        )),
        Some(group) => {
            let identity = directory::by_object_id(session.tx, group)?;
            if identity.is_none_or(|it| it.kind != IdentityKind::Group) {
                return Err(ServiceError::invalid_argument(format!(
                    "The group with the object id {group} does not exist in the directory."
                )));
            }
            Ok(())
        }
        None => Ok(()),
    }
}

/// A user or application must be in the directory; names come from there.
pub(super) fn creating_user(session: &Session<'_>, values: &mut Row) -> Result<(), ServiceError> {
    let identity = match (row::id(values, "applicationid"), row::id(values, GROUP)) {
        (Some(application), _) => {
            directory::application(session.tx, application)?.map(|it| (&it).into())
        }
        (None, Some(object_id)) => directory::by_object_id(session.tx, object_id)?,
        (None, None) => match row::text(values, "domainname") {
            Some(name) => directory::by_name(session.tx, name)?,
            None => None,
        },
    };
    let Some(identity) = identity.filter(|it| it.kind != IdentityKind::Group) else {
        return Err(ServiceError::invalid_argument(
            "The user or application does not exist in the directory.",
        ));
    };
    let application = identity.kind == IdentityKind::Application;
    let sign_in = identity
        .upn
        .clone()
        .unwrap_or_else(|| identity.object_id.to_string());
    let name = if application {
        format!("# {}", identity.name)
    } else {
        identity.name.clone()
    };
    let mut fill = |property: &str, value: Value| {
        values.entry(property).or_insert(value);
    };
    fill(GROUP, identity.object_id.to_string().into());
    fill("domainname", sign_in.clone().into());
    fill("internalemailaddress", sign_in.into());
    fill("fullname", name.into());
    fill("accessmode", if application { 4.into() } else { 0.into() });
    fill(
        UNIT,
        session.environment.business_unit_id.to_string().into(),
    );
    fill(
        "organizationid",
        session.environment.organization_id.to_string().into(),
    );
    Ok(())
}

/// A role is the root of its copies in other business units.
pub(super) fn creating_role(session: &Session<'_>, values: &mut Row) -> Result<(), ServiceError> {
    let id = match row::id(values, "roleid") {
        Some(id) => id,
        None => session.new_id("role")?,
    };
    values.insert("roleid".into(), id.to_string().into());
    values
        .entry("_parentrootroleid_value")
        .or_insert_with(|| id.to_string().into());
    let unit = session.environment.business_unit_id.to_string();
    values.entry(UNIT).or_insert_with(|| unit.into());
    values.insert(
        "organizationid".into(),
        session.environment.organization_id.to_string().into(),
    );
    Ok(())
}

/// A business unit has a parent, and its own copy of every role.
pub(super) fn creating_unit(session: &Session<'_>, values: &mut Row) -> Result<(), ServiceError> {
    let id = match row::id(values, "businessunitid") {
        Some(id) => id,
        None => session.new_id("businessunit")?,
    };
    let root = session.environment.business_unit_id;
    values.insert("businessunitid".into(), id.to_string().into());
    values
        .entry("_parentbusinessunitid_value")
        .or_insert_with(|| root.to_string().into());
    values.insert(
        "organizationid".into(),
        session.environment.organization_id.to_string().into(),
    );
    for role in session.rows("role")? {
        if row::id(&role, UNIT) != Some(root) {
            continue;
        }
        let mut copy = role.clone();
        for own in ["roleid", "createdon", "modifiedon"] {
            copy.shift_remove(own);
        }
        copy.insert(UNIT.into(), id.to_string().into());
        copy.insert(
            "_parentroleid_value".into(),
            role.get("roleid").cloned().unwrap_or_default(),
        );
        session.insert("role", copy)?;
    }
    Ok(())
}

/// Standard roles stay.
pub(super) fn deleting_role(
    session: &Session<'_>,
    id: Uuid,
    role: &Row,
) -> Result<(), ServiceError> {
    let name = row::text(role, "name").unwrap_or_default();
    if session.environment.own_id("role", name) == id {
        return Err(ServiceError::forbidden(
            "0x80041d3a",
            format!("The role {name} cannot be deleted."),
        ));
    }
    Ok(())
}

/// The business unit's own team stays.
pub(super) fn deleting_team(team: &Row) -> Result<(), ServiceError> {
    if row::flag(team, "isdefault") {
        return Err(ServiceError::bad_request(
            "0x80041d36",
            "The default team of a business unit cannot be deleted.",
        ));
    }
    Ok(())
}

/// A role can be given only to users and teams of its business unit.
pub(super) fn giving_role(
    session: &Session<'_>,
    table: &str,
    principal: Uuid,
    role: Uuid,
) -> Result<(), ServiceError> {
    let principal = session.existing(table, principal)?;
    let role = session.existing("role", role)?;
    if row::id(&principal, UNIT) == row::id(&role, UNIT) {
        return Ok(());
    }
    Err(ServiceError::bad_request(
        "0x80041d38",
        "The specified role does not belong to the same business unit as the user or team: role \
         and principal must be in the same business unit.",
    ))
}

/// The members of a group team are the group's.
pub(super) fn joining_team(session: &Session<'_>, team: Uuid) -> Result<(), ServiceError> {
    let team = session.existing("team", team)?;
    if row::number(&team, "teamtype").is_some_and(|kind| kind >= SECURITY_GROUP) {
        return Err(ServiceError::bad_request(
            "0x80044502",
            "You cannot add members to a team whose members are managed in Microsoft Entra ID.",
        ));
    }
    Ok(())
}
