//! Sharing of rows: GrantAccess and its kin (facts/dataverse-web-api.md, section 6.8).

use serde_json::{Value, json};
use uuid::Uuid;

use super::extension::{Parameters, Reply};
use super::failure::ServiceError;
use super::resource::row_in;
use super::row::{Row, row};
use super::security;
use super::session::{SHARES, Session, share_key};

/// The rights with their bits.
const RIGHTS: [(&str, i64); 8] = [
    ("ReadAccess", 1),
    ("WriteAccess", 2),
    ("AppendAccess", 4),
    ("AppendToAccess", 16),
    ("CreateAccess", 32),
    ("DeleteAccess", 65_536),
    ("ShareAccess", 262_144),
    ("AssignAccess", 524_288),
];

/// `GrantAccess` and `ModifyAccess`. Granting adds rights, modifying replaces them.
pub(super) fn grant(session: &Session<'_>, given: &Parameters) -> Result<Reply, ServiceError> {
    let (table, id) = target(session, given)?;
    let access = given
        .values
        .get("PrincipalAccess")
        .ok_or_else(|| given.missing("PrincipalAccess"))?;
    let principal = access
        .get("Principal")
        .ok_or_else(|| given.missing("PrincipalAccess"))?;
    let (kind, principal) = row_in(session, principal)?;
    session.existing(&kind.name, principal)?;
    let rights = read_rights(access.get("AccessMask"))?;
    let mut shares = shares(session, &table, id)?;
    let key = format!("{}/{principal}", kind.name);
    let before = shares.get(&key).and_then(Value::as_i64).unwrap_or_default();
    let after = if given.name == "GrantAccess" {
        before | rights
    } else {
        rights
    };
    shares.insert(key, after.into());
    store(session, &table, id, shares)?;
    Ok(Reply::Nothing)
}

/// `RevokeAccess`.
pub(super) fn revoke(session: &Session<'_>, given: &Parameters) -> Result<Reply, ServiceError> {
    let (table, id) = target(session, given)?;
    let revokee = given
        .values
        .get("Revokee")
        .ok_or_else(|| given.missing("Revokee"))?;
    let (kind, principal) = row_in(session, revokee)?;
    let mut shares = shares(session, &table, id)?;
    shares.shift_remove(&format!("{}/{principal}", kind.name));
    store(session, &table, id, shares)?;
    Ok(Reply::Nothing)
}

/// `RetrieveSharedPrincipalsAndAccess`.
pub(super) fn principals(session: &Session<'_>, given: &Parameters) -> Result<Reply, ServiceError> {
    let (table, id) = target(session, given)?;
    let mut found = Vec::new();
    for (key, rights) in shares(session, &table, id)? {
        let Some((kind, principal)) = key.split_once('/') else {
            continue;
        };
        let kind = session.table(kind)?;
        found.push(json!({
            "AccessMask": rights_text(rights.as_i64().unwrap_or_default()),
            "Principal": {
                "@odata.type": format!("#Microsoft.Dynamics.CRM.{}", kind.name),
                "ownerid": principal,
                kind.key.as_str(): principal,
            },
        }));
    }
    Ok(Reply::Members(row! { "PrincipalAccesses": found }))
}

/// `RetrievePrincipalAccess`, bound to a user or team.
pub(super) fn access(session: &Session<'_>, given: &Parameters) -> Result<Reply, ServiceError> {
    let Some((kind, Some(principal))) = &given.bound_to else {
        return Err(ServiceError::no_resource(&given.name));
    };
    let (table, id) = target(session, given)?;
    let row = session.existing(&table, id)?;
    let mut principals = vec![*principal];
    let mut all = false;
    if kind.name == "systemuser" {
        principals.extend(security::teams(session, *principal)?);
        all = security::roles(session, *principal)?.contains(super::SYSTEM_ADMINISTRATOR);
    }
    let owner = super::row::id(&row, "_ownerid_value");
    all |= owner.is_some_and(|owner| principals.contains(&owner));
    let mut rights: i64 = 0;
    for (key, shared) in shares(session, &table, id)? {
        let holder = key
            .split_once('/')
            .and_then(|(_, id)| Uuid::parse_str(id).ok());
        if holder.is_some_and(|holder| principals.contains(&holder)) {
            rights |= shared.as_i64().unwrap_or_default();
        }
    }
    if all {
        rights = RIGHTS.iter().map(|(_, bit)| bit).sum();
    }
    Ok(Reply::Members(row! { "AccessRights": rights_text(rights) }))
}

fn target(session: &Session<'_>, given: &Parameters) -> Result<(String, Uuid), ServiceError> {
    let target = given
        .values
        .get("Target")
        .ok_or_else(|| given.missing("Target"))?;
    let (table, id) = row_in(session, target)?;
    session.existing(&table.name, id)?;
    Ok((table.name.clone(), id))
}

fn shares(session: &Session<'_>, table: &str, id: Uuid) -> Result<Row, ServiceError> {
    let stored = session
        .tx
        .get(session.scope(), SHARES, &share_key(table, id))?;
    Ok(stored
        .and_then(|body| body.as_object().cloned())
        .unwrap_or_default())
}

fn store(session: &Session<'_>, table: &str, id: Uuid, shares: Row) -> Result<(), ServiceError> {
    let shares: Row = shares
        .into_iter()
        .filter(|(_, rights)| rights.as_i64() != Some(0))
        .collect();
    let key = share_key(table, id);
    Ok(session
        .tx
        .put(session.scope(), SHARES, &key, &Value::Object(shares))?)
}

fn read_rights(mask: Option<&Value>) -> Result<i64, ServiceError> {
    let wrong =
        |text: &str| ServiceError::bad_payload("", format_args!("'{text}' is not an AccessMask."));
    match mask {
        Some(Value::Number(bits)) => bits.as_i64().ok_or_else(|| wrong(&bits.to_string())),
        Some(Value::String(text)) => text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty() && *name != "None")
            .try_fold(0, |bits, name| {
                let found = RIGHTS.iter().find(|(right, _)| *right == name);
                found.map(|(_, bit)| bits | bit).ok_or_else(|| wrong(name))
            }),
        other => Err(wrong(&format!("{other:?}"))),
    }
}

fn rights_text(bits: i64) -> String {
    let names: Vec<&str> = RIGHTS
        .iter()
        .filter(|(_, bit)| bits & bit != 0)
        .map(|(name, _)| *name)
        .collect();
    if names.is_empty() {
        "None".into()
    } else {
        names.join(", ")
    }
}
