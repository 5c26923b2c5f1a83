//! Which components are in which solution: adding, removing, and taking the unmanaged layer off
//! (facts/dataverse-web-api.md, sections 3.10 and 4.10).

use std::collections::BTreeSet;

use serde_json::Value;
use uuid::Uuid;

use super::dependencies::{by_id, existing_solution};
use super::record::{ACTIVE, Record, Records};
use super::{maker, place, tables};
use crate::emulator::dataverse::extension::{Operation, Parameters, Reply};
use crate::emulator::dataverse::row::{flag, row, text};
use crate::emulator::dataverse::{Row, ServiceError, Session};
use crate::solution::component::{ComponentType, Identity};

/// The actions and functions about membership.
pub(super) fn operation(name: &str) -> Option<Operation> {
    Some(match name {
        "AddSolutionComponent" => Operation::action(add),
        "RemoveSolutionComponent" => Operation::action(remove),
        "UpdateSolutionComponent" => Operation::action(update),
        "RemoveActiveCustomizations" => Operation::function(remove_active),
        _ => return None,
    })
}

/// The id of the row that says that `identity` is in `solution`.
pub(super) fn row_id(session: &Session<'_>, solution: &str, identity: &Identity) -> Uuid {
    let key = format!("{}/{identity}", solution.to_ascii_lowercase());
    session.environment.own_id("solutioncomponent", &key)
}

fn unmanaged(session: &Session<'_>, parameters: &Parameters) -> Result<Row, ServiceError> {
    let name = parameters.required("SolutionUniqueName")?;
    let solution = existing_solution(session, name)?;
    if flag(&solution, "ismanaged") {
        let message = format!("The content of the managed solution '{name}' cannot be changed.");
        return Err(ServiceError::bad_request("0x80048036", message));
    }
    Ok(solution)
}

fn add(session: &Session<'_>, parameters: &Parameters) -> Result<Reply, ServiceError> {
    let solution = unmanaged(session, parameters)?;
    let solution = text(&solution, "uniquename").unwrap_or_default().to_owned();
    let id = parameters
        .id("ComponentId")?
        .ok_or_else(|| parameters.missing("ComponentId"))?;
    let number = parameters
        .values
        .get("ComponentType")
        .and_then(Value::as_i64);
    let mut records = Records::load(session)?;
    let identity = match by_id(session, &records, id)? {
        Some(record) => record.identity.clone(),
        None => {
            let record = from_row(session, id, number)?;
            let identity = record.identity.clone();
            records.insert(record);
            identity
        }
    };
    let required = parameters.flag("AddRequiredComponents");
    let mut wanted = BTreeSet::from([identity.clone()]);
    if required {
        with_required(&records, &mut wanted);
    }
    let behavior = behavior(parameters);
    for one in &wanted {
        if let Some(record) = records.change(one) {
            let is_table = record.identity.component_type == ComponentType::Code(1);
            record.join(&solution, is_table.then_some(behavior), true);
        }
    }
    records.save(session)?;
    Ok(Reply::Members(
        row! { "id": row_id(session, &solution, &identity) },
    ))
}

/// 0 with all parts, 1 without, 2 only the shell.
fn behavior(parameters: &Parameters) -> u8 {
    let settings = parameters.values.get("IncludedComponentSettingsValues");
    match (parameters.flag("DoNotIncludeSubcomponents"), settings) {
        (false, _) => 0,
        (true, None | Some(Value::Null)) => 1,
        (true, Some(_)) => 2,
    }
}

/// A component that is a row of a maker and no package brought.
fn from_row(session: &Session<'_>, id: Uuid, number: Option<i64>) -> Result<Record, ServiceError> {
    let catalogue = session.catalogue()?;
    for table in catalogue.tables() {
        let is_kind = number.is_some() && (table.component_type == number);
        if !is_kind {
            continue;
        }
        if let Some(row) = session.row(&table.name, id)? {
            return maker::adopt(session, table, id, &row)?.ok_or_else(|| {
                ServiceError::not_emulated(format!("adding a {} to a solution", table.display_name))
            });
        }
    }
    let kind = number.map_or_else(String::new, |number| number.to_string());
    Err(ServiceError::new(
        crate::transport::StatusCode::NOT_FOUND,
        "0x80040217",
        format!("There is no component of type {kind} with the id {id}."),
    ))
}

/// Adds what the components need, as far as no managed solution brings it.
fn with_required(records: &Records, wanted: &mut BTreeSet<Identity>) {
    let mut open: Vec<Identity> = wanted.iter().cloned().collect();
    while let Some(identity) = open.pop() {
        let Some(definition) = records.get(&identity).and_then(Record::effective) else {
            continue;
        };
        for reference in &definition.references {
            if let Some(required) = records.meant(&reference.to)
                && !required.is_managed()
                && wanted.insert(required.identity.clone())
            {
                open.push(required.identity.clone());
            }
        }
    }
}

fn remove(session: &Session<'_>, parameters: &Parameters) -> Result<Reply, ServiceError> {
    let solution = unmanaged(session, parameters)?;
    let solution = text(&solution, "uniquename").unwrap_or_default().to_owned();
    let given = parameters.values.get("SolutionComponent");
    let given = given.and_then(|component| component.get("solutioncomponentid"));
    let id = given
        .and_then(Value::as_str)
        .and_then(|id| Uuid::parse_str(id).ok());
    let id = id.ok_or_else(|| parameters.missing("SolutionComponent"))?;
    let mut records = Records::load(session)?;
    // The documentation says the row's own id, clients send the object's; both are understood.
    let found = records
        .iter()
        .filter(|record| record.is_in(&solution))
        .find(|record| record.object_id == id || row_id(session, &solution, &record.identity) == id)
        .map(|record| record.identity.clone());
    let found = match found {
        Some(found) => found,
        None => match by_id(session, &records, id)?.filter(|record| record.is_in(&solution)) {
            Some(record) => record.identity.clone(),
            None => return Err(ServiceError::no_row("solutioncomponent", id)),
        },
    };
    let parts: Vec<Identity> = records
        .iter()
        .filter(|record| record.parent.as_ref() == Some(&found))
        .map(|record| record.identity.clone())
        .collect();
    for identity in parts.iter().chain([&found]) {
        if let Some(record) = records.change(identity) {
            record.leave(&solution);
        }
    }
    records.save(session)?;
    Ok(Reply::Members(
        row! { "id": row_id(session, &solution, &found) },
    ))
}

fn update(session: &Session<'_>, parameters: &Parameters) -> Result<Reply, ServiceError> {
    let solution = unmanaged(session, parameters)?;
    let solution = text(&solution, "uniquename").unwrap_or_default().to_owned();
    let id = parameters
        .id("ComponentId")?
        .ok_or_else(|| parameters.missing("ComponentId"))?;
    let mut records = Records::load(session)?;
    let found = by_id(session, &records, id)?.filter(|record| record.is_in(&solution));
    let Some(identity) = found.map(|record| record.identity.clone()) else {
        return Err(ServiceError::no_row("solutioncomponent", id));
    };
    let settings = parameters.values.get("IncludedComponentSettingsValues");
    let behavior = if settings.is_none_or(Value::is_null) {
        1
    } else {
        2
    };
    if let Some(record) = records.change(&identity) {
        record.join(&solution, Some(behavior), true);
    }
    records.save(session)?;
    Ok(Reply::Members(
        row! { "id": row_id(session, &solution, &identity) },
    ))
}

/// Takes the unmanaged layer off a component that managed solutions bring.
fn remove_active(session: &Session<'_>, parameters: &Parameters) -> Result<Reply, ServiceError> {
    let kind = ComponentType::named(parameters.required("SolutionComponentName")?);
    let id = parameters
        .id("ComponentId")?
        .ok_or_else(|| parameters.missing("ComponentId"))?;
    let mut records = Records::load(session)?;
    let found = by_id(session, &records, id)?.filter(|it| it.identity.component_type == kind);
    let Some(identity) = found.map(|record| record.identity.clone()) else {
        return Err(ServiceError::no_row(kind.table_name(), id));
    };
    let Some(record) = records.change(&identity) else {
        return Ok(Reply::Nothing);
    };
    if !record.is_managed() {
        let message = "The component has no managed layer below its active customizations.";
        return Err(ServiceError::invalid_argument(message));
    }
    record.uncover(ACTIVE);
    record.published_row = None;
    let touched = tables::touched(session, &records, std::iter::once(&identity))?;
    tables::rebuild(session, &records, &touched)?;
    if let Some(record) = records.get(&identity) {
        place::restore(session, &records, record)?;
    }
    records.save(session)?;
    Ok(Reply::Nothing)
}
