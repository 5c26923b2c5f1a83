//! Removing: components that no solution brings any more, with their rows and data.

use std::collections::BTreeSet;

use serde_json::json;

use super::record::{ACTIVE, Record, Records};
use super::{dependencies, place, tables};
use crate::emulator::dataverse::row::id;
use crate::emulator::dataverse::{ServiceError, Session};
use crate::solution::component::{ComponentType, Identity, code};

/// The components that only `solution` brings: they go with it, and so do the parts of its tables.
/// What another managed solution brings too stays, and so does what was made here.
pub(super) fn only_in(records: &Records, solution: &str) -> BTreeSet<Identity> {
    going(records, solution, |_| true)
}

/// As [`only_in`], of the components that `also` picks.
pub(super) fn going(
    records: &Records,
    solution: &str,
    also: impl Fn(&Record) -> bool,
) -> BTreeSet<Identity> {
    let mut going: BTreeSet<Identity> = records
        .iter()
        .filter(|record| record.layer(solution).is_some() && also(record))
        .filter(|record| !record.made_here)
        .filter(|record| {
            record.layers.iter().all(|layer| {
                layer.solution == ACTIVE || layer.solution.eq_ignore_ascii_case(solution)
            })
        })
        .map(|record| record.identity.clone())
        .collect();
    let parts: Vec<Identity> = records
        .iter()
        .filter(|record| {
            record
                .parent
                .as_ref()
                .is_some_and(|parent| going.contains(parent))
        })
        // A part that another solution brought keeps the table; that is a dependency.
        .filter(|record| {
            record.layers.iter().all(|layer| {
                layer.solution == ACTIVE || layer.solution.eq_ignore_ascii_case(solution)
            }) && !record.made_here
        })
        .map(|record| record.identity.clone())
        .collect();
    going.extend(parts);
    going
}

/// Takes the managed `solution` out of the environment.
///
/// # Errors
/// `0x8004F01F` when something that stays needs something that goes.
pub(super) fn managed(
    session: &Session<'_>,
    records: &mut Records,
    solution: &str,
) -> Result<(), ServiceError> {
    let going = only_in(records, solution);
    let edges = dependencies::dependents(session, records, &going)?;
    if !edges.is_empty() {
        return Err(dependencies::in_use(&edges));
    }
    let held: Vec<Identity> = records
        .iter()
        .filter(|record| record.is_in(solution) || record.layer(solution).is_some())
        .map(|record| record.identity.clone())
        .collect();
    components(session, records, &going)?;
    let mut staying = Vec::new();
    for identity in held {
        if let Some(record) = records.change(&identity) {
            record.leave(solution);
            if record.uncover(solution) {
                staying.push(identity);
            }
        }
    }
    uncovered(session, records, &staying)
}

/// Brings rows and tables in line with components that lost their topmost layer.
pub(super) fn uncovered(
    session: &Session<'_>,
    records: &mut Records,
    identities: &[Identity],
) -> Result<(), ServiceError> {
    let touched = tables::touched(session, records, identities.iter())?;
    // A shell of a standard table can lose its last layer; the table stays.
    for identity in identities {
        if records
            .get(identity)
            .is_some_and(|record| record.layers.is_empty())
        {
            records.remove(identity);
        }
    }
    tables::rebuild(session, records, &touched)?;
    for identity in identities {
        if let Some(record) = records.get(identity) {
            place::restore(session, records, record)?;
        }
    }
    Ok(())
}

/// Deletes components with their rows; tables with all their rows, columns with all their values.
pub(super) fn components(
    session: &Session<'_>,
    records: &mut Records,
    going: &BTreeSet<Identity>,
) -> Result<(), ServiceError> {
    let mut touched = tables::touched(session, records, going.iter())?;
    for identity in going {
        match identity.component_type.code() {
            Some(code::COLUMN) => tables::clear_column(session, identity)?,
            Some(code::RELATIONSHIP) => {
                if let Some(record) = records.get(identity) {
                    tables::unrelate(session, record)?;
                }
            }
            Some(code::TABLE | code::OPTION_SET) => {}
            _ => {
                if let Some(record) = records.get(identity) {
                    row(session, record)?;
                }
            }
        }
    }
    for identity in going {
        records.remove(identity);
    }
    // A table that is gone is forgotten with its rows, and nothing else of it is left to rebuild.
    touched.extend(
        going
            .iter()
            .filter(|identity| identity.component_type.code() == Some(code::TABLE))
            .map(|identity| identity.key.clone()),
    );
    tables::rebuild(session, records, &touched)
}

/// Deletes the row of a component, and the rows that are parts of it.
fn row(session: &Session<'_>, record: &Record) -> Result<(), ServiceError> {
    let table = record.identity.component_type.table_name();
    let Ok(definition) = session.table(table) else {
        return Ok(());
    };
    // Rows that have no component of their own and go with this one.
    let parts: &[(&str, &str)] = match &record.identity.component_type {
        ComponentType::Code(code::PLUGIN_ASSEMBLY) => &[("plugintype", "_pluginassemblyid_value")],
        ComponentType::Code(code::STEP) => &[(
            "sdkmessageprocessingstepimage",
            "_sdkmessageprocessingstepid_value",
        )],
        ComponentType::Code(code::VARIABLE) => &[(
            "environmentvariablevalue",
            "_environmentvariabledefinitionid_value",
        )],
        _ => &[],
    };
    for (part, lookup) in parts {
        let key = session.table(part)?.key.clone();
        while let Some(found) = session.find(part, lookup, &json!(record.object_id.to_string()))? {
            let Some(id) = id(&found, &key) else { break };
            session.remove(part, id)?;
        }
    }
    session.remove(&definition.name, record.object_id)?;
    Ok(())
}
