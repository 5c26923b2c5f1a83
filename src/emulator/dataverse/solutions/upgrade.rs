//! Applying an upgrade: the waiting solution takes the place of the installed one, and what it no
//! longer has goes (facts/dataverse-web-api.md, sections 4.6 and 5.3).

use serde_json::json;
use uuid::Uuid;

use super::record::{HOLDING, Records};
use super::{checks, dependencies, remove, state};
use crate::emulator::dataverse::row::{id, row, text};
use crate::emulator::dataverse::{ServiceError, Session};
use crate::solution::component::Identity;

/// Puts the upgrade that waits beside the solution `name` in its place. Returns the solution's id.
///
/// # Errors
/// `0x8004853B` without a waiting upgrade, `0x8004F046` when something that stays needs something
/// that would go.
pub(super) fn promote(
    session: &Session<'_>,
    records: &mut Records,
    name: &str,
) -> Result<Uuid, ServiceError> {
    let waiting = format!("{name}{HOLDING}");
    let none = || {
        let message =
            format!("The {name} solution doesn’t have an upgrade that is ready to be applied.");
        ServiceError::bad_request("0x8004853B", message)
    };
    let old = checks::installed(session, name)?.ok_or_else(none)?;
    let new = checks::installed(session, &waiting)?.ok_or_else(none)?;
    let (Some(old_id), Some(new_id)) = (id(&old, "solutionid"), id(&new, "solutionid")) else {
        return Err(none());
    };

    let going = remove::going(records, name, |record| record.layer(&waiting).is_none());
    let edges = dependencies::dependents(session, records, &going)?;
    if !edges.is_empty() {
        let inner = dependencies::in_use(&edges);
        let message = format!(
            "Solution Upgrade action failed after import as holding. InnerException is: {}.",
            inner.message
        );
        return Err(ServiceError::bad_request("0x8004F046", message));
    }
    remove::components(session, records, &going)?;

    let held: Vec<Identity> = records
        .iter()
        .filter(|record| {
            record.layer(name).is_some()
                || record.layer(&waiting).is_some()
                || record.is_in(name)
                || record.is_in(&waiting)
        })
        .map(|record| record.identity.clone())
        .collect();
    let mut uncovered = Vec::new();
    for identity in held {
        let Some(record) = records.change(&identity) else {
            continue;
        };
        let upgraded = record.layer(&waiting).cloned();
        let member = record.member(&waiting).cloned();
        record.leave(name);
        record.leave(&waiting);
        if let Some(member) = member {
            record.join(name, member.behavior, member.by_itself);
        }
        match upgraded.and_then(|layer| layer.definition.map(|it| (it, layer.since))) {
            Some((definition, since)) => {
                // The new base stands where the old one stood, below what came after it.
                let was_there = record.layer(name).is_some();
                if was_there {
                    record.cover(name, definition, since, None);
                    record.uncover(&waiting);
                } else if let Some(layer) = record
                    .layers
                    .iter_mut()
                    .find(|layer| layer.solution == waiting)
                {
                    layer.solution = name.to_owned();
                }
            }
            None => {
                record.uncover(name);
                uncovered.push(identity);
            }
        }
    }
    remove::uncovered(session, records, &uncovered)?;
    state::rename(session, &waiting, name)?;
    session.update(
        "solution",
        old_id,
        row! {
            "version": text(&new, "version"),
            "friendlyname": text(&new, "friendlyname"),
            "description": text(&new, "description"),
            "updatedon": session.moment(),
            "solutionpackageversion": text(&new, "solutionpackageversion"),
            "upgradeinfo": json!({ "from": text(&old, "version") }).to_string(),
        },
    )?;
    session.remove("solution", new_id)?;
    Ok(old_id)
}
