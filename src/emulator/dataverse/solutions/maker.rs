//! What makers change row by row: new components, changed ones, deleted ones.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::record::{self, ACTIVE, Definition, Record, Records};
use super::{checks, dependencies, install, template};
use crate::emulator::dataverse::catalogue::Table;
use crate::emulator::dataverse::row::{self, flag, text};
use crate::emulator::dataverse::{Row, ServiceError, Session};
use crate::solution::SolutionVersion;
use crate::solution::component::Identity;

/// Columns whose change is no customization: who owns it, whether it is on, when it was written.
const NOT_CUSTOMIZED: [&str; 12] = [
    "statecode",
    "statuscode",
    "modifiedon",
    "versionnumber",
    "_modifiedby_value",
    "_modifiedonbehalfby_value",
    "_ownerid_value",
    "_owninguser_value",
    "_owningteam_value",
    "_owningbusinessunit_value",
    "_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname",
    "solutionid",
];

/// Checks what a maker is about to write to `solution` and `publisher` rows.
pub(super) fn writing(
    session: &Session<'_>,
    table: &Table,
    old: Option<&Row>,
    changes: &Row,
) -> Result<(), ServiceError> {
    match table.name.as_str() {
        "solution" => check_solution(session, old, changes),
        "publisher" => check_publisher(changes),
        _ => Ok(()),
    }
}

fn check_solution(
    session: &Session<'_>,
    old: Option<&Row>,
    changes: &Row,
) -> Result<(), ServiceError> {
    if let Some(old) = old {
        let name = text(old, "uniquename").unwrap_or_default();
        if flag(old, "ismanaged") {
            let message = format!("The managed solution '{name}' cannot be changed.");
            return Err(ServiceError::bad_request("0x80048036", message));
        }
        if super::is_builtin(old) && changes.contains_key("version") {
            let message = format!("The system solution '{name}' cannot be changed.");
            return Err(ServiceError::bad_request("0x80048036", message));
        }
    } else if let Some(name) = text(changes, "uniquename") {
        let valid = !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !name.starts_with(|c: char| c.is_ascii_digit());
        if !valid {
            let message = format!(
                "The solution unique name '{name}' may have only letters, digits and underscores \
                 and must not begin with a digit."
            );
            return Err(ServiceError::invalid_argument(message));
        }
        if checks::installed(session, name)?.is_some() {
            let message = format!(
                "The solution unique name '{name}' is already being used and cannot be used again."
            );
            return Err(ServiceError::bad_request("0x8004F023", message));
        }
    }
    if let Some(version) = text(changes, "version")
        && let Err(error) = version.parse::<SolutionVersion>()
    {
        return Err(ServiceError::invalid_argument(format!(
            "Invalid solution version: {error}"
        )));
    }
    Ok(())
}

fn check_publisher(changes: &Row) -> Result<(), ServiceError> {
    if let Some(prefix) = text(changes, "customizationprefix") {
        let valid = (2..=8).contains(&prefix.len())
            && prefix.chars().all(|c| c.is_ascii_alphanumeric())
            && prefix.starts_with(|c: char| c.is_ascii_alphabetic())
            && !prefix.to_ascii_lowercase().starts_with("mscrm");
        if !valid {
            let message = format!(
                "The customization prefix '{prefix}' must have 2 to 8 letters and digits, begin \
                 with a letter, and not begin with 'mscrm'."
            );
            return Err(ServiceError::bad_request("0x80044366", message));
        }
    }
    let option = changes
        .get("customizationoptionvalueprefix")
        .and_then(Value::as_i64);
    if option.is_some_and(|option| !(10_000..=99_999).contains(&option)) {
        let message = "The option value prefix must be a number from 10000 to 99999.";
        return Err(ServiceError::invalid_argument(message));
    }
    Ok(())
}

/// Takes note of a row that a maker created or changed.
pub(super) fn written(
    session: &Session<'_>,
    table: &Arc<Table>,
    id: Uuid,
    old: Option<&Row>,
    new: &Row,
) -> Result<(), ServiceError> {
    if table.component_type.is_none() {
        return Ok(());
    }
    let solution = target_solution(session)?;
    let Some(mut record) = record_of(session, &table.name, id, new)? else {
        return created(session, table, id, new, solution.as_deref());
    };
    if let Some(old) = old {
        let customized = new.iter().any(|(column, value)| {
            !NOT_CUSTOMIZED.contains(&column.as_str()) && old.get(column) != Some(value)
        }) || old
            .keys()
            .any(|column| !NOT_CUSTOMIZED.contains(&column.as_str()) && !new.contains_key(column));
        if customized {
            if record.is_managed() && !record.is_customized() {
                record.customize(None, session.moment());
            }
            if install::needs_publishing(&record.identity.component_type)
                && record.published_row.is_none()
            {
                record.published_row = Some(old.clone());
            }
        }
    }
    if let Some(solution) = solution {
        record.join(&solution, None, true);
    }
    record::save(session, &record)
}

/// The unmanaged solution that the request wants its components in.
fn target_solution(session: &Session<'_>) -> Result<Option<String>, ServiceError> {
    let Some(name) = &session.solution else {
        return Ok(None);
    };
    let solution = dependencies::existing_solution(session, name)?;
    if flag(&solution, "ismanaged") {
        let message = format!("Components cannot be added to the managed solution '{name}'.");
        return Err(ServiceError::bad_request("0x80048036", message));
    }
    if super::is_builtin(&solution) {
        // Everything is in these anyway.
        return Ok(None);
    }
    Ok(text(&solution, "uniquename").map(str::to_owned))
}

/// The record of the row `id`: by what the row says about itself, else by its id.
fn record_of(
    session: &Session<'_>,
    table: &str,
    id: Uuid,
    row: &Row,
) -> Result<Option<Record>, ServiceError> {
    if let Some(identity) = template::identity(table, id, row) {
        let found = record::load(session, &identity)?;
        return Ok(found.filter(|record| record.object_id == id));
    }
    Ok(Records::load(session)?.with_object(id).cloned())
}

fn created(
    session: &Session<'_>,
    table: &Arc<Table>,
    id: Uuid,
    row: &Row,
    solution: Option<&str>,
) -> Result<(), ServiceError> {
    match adopt(session, table, id, row)? {
        Some(mut record) => {
            if let Some(solution) = solution {
                record.join(solution, None, true);
            }
            record::save(session, &record)
        }
        None => match solution {
            // Silence would lose the component at the next export.
            Some(_) => Err(ServiceError::not_emulated(format!(
                "creating a {} in a solution",
                table.display_name
            ))),
            None => Ok(()),
        },
    }
}

/// Makes a row that no package brought a component of the unmanaged layer. `None` for kinds whose
/// definition cannot be made from a row.
pub(super) fn adopt(
    session: &Session<'_>,
    table: &Table,
    id: Uuid,
    row: &Row,
) -> Result<Option<Record>, ServiceError> {
    let Some(mut component) = template::component(&table.name, id, row) else {
        return Ok(None);
    };
    if table.name == "environmentvariablevalue" {
        // A value belongs to its definition, whatever name it was given itself.
        let definition = row::id(row, "_environmentvariabledefinitionid_value")
            .map(|id| session.row("environmentvariabledefinition", id))
            .transpose()?
            .flatten();
        if let Some(name) = definition.as_ref().and_then(|row| text(row, "schemaname")) {
            let mut renamed = row.clone();
            renamed.insert("schemaname".into(), name.into());
            match template::component(&table.name, id, &renamed) {
                Some(made) => component = made,
                None => return Ok(None),
            }
        }
    }
    // Behind everything that packages brought.
    let position = 1_000_000_usize.saturating_add(
        usize::try_from(session.tx.next(&format!("position:{}", session.scope()))?)
            .unwrap_or_default(),
    );
    let definition = Definition::keep(session, &component, position)?;
    let mut record = Record {
        identity: component.identity(),
        object_id: id,
        parent: component.parent.clone(),
        layers: Vec::new(),
        members: Vec::new(),
        made_here: true,
        published_row: None,
        created_on: session.moment(),
    };
    record.customize(Some(definition), session.moment());
    Ok(Some(record))
}

/// Checks that a row may go, and forgets its component.
///
/// # Errors
/// When it belongs to a managed solution, or another component needs it.
pub(super) fn deleting(
    session: &Session<'_>,
    table: &Arc<Table>,
    id: Uuid,
    row: &Row,
) -> Result<(), ServiceError> {
    if table.component_type.is_none() {
        return Ok(());
    }
    let Some(record) = record_of(session, &table.name, id, row)? else {
        return Ok(());
    };
    if record.is_managed() {
        let owner = record
            .layers
            .first()
            .map_or(ACTIVE, |layer| &layer.solution);
        let message = format!(
            "The {}({}) component cannot be deleted because it belongs to the managed solution \
             '{owner}'.",
            record.identity.component_type.layer_name(),
            record.display_name()
        );
        return Err(ServiceError::bad_request("0x80040203", message));
    }
    let mut records = Records::load(session)?;
    let mut going: BTreeSet<Identity> = BTreeSet::from([record.identity.clone()]);
    let parts = records
        .iter()
        .filter(|part| part.parent.as_ref() == Some(&record.identity));
    going.extend(parts.map(|part| part.identity.clone()));
    let edges = dependencies::dependents(session, &records, &going)?;
    if !edges.is_empty() {
        return Err(dependencies::in_use(&edges));
    }
    for identity in &going {
        records.remove(identity);
    }
    if table.name == "environmentvariabledefinition" {
        let lookup = "_environmentvariabledefinitionid_value";
        let value = session.find("environmentvariablevalue", lookup, &json!(id.to_string()))?;
        if let Some(value) = value.and_then(|value| row::id(&value, "environmentvariablevalueid")) {
            session.remove("environmentvariablevalue", value)?;
        }
    }
    records.save(session)
}
