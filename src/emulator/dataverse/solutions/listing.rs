//! Virtual tables: layers, the components of a solution, and their counts
//! (facts/dataverse-web-api.md, sections 3.3, 3.5, 3.10 and 3.11).

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::dependencies::{by_id, type_number};
use super::membership::row_id;
use super::missing::is_standard;
use super::record::{ACTIVE, Record, Records};
use super::{checks, rows};
use crate::emulator::dataverse::odata::Query;
use crate::emulator::dataverse::row::{flag, id, number, row, text};
use crate::emulator::dataverse::{Row, ServiceError, Session};
use crate::solution::component::{ComponentType, Place, plain_id};

/// The rows of the virtual table `table`, or `None` when it is not one of these.
pub(super) fn rows_of(
    session: &Session<'_>,
    table: &str,
    query: &Query,
) -> Result<Option<Vec<Row>>, ServiceError> {
    Ok(Some(match table {
        "solutioncomponent" => solution_components(session, query)?,
        "solutioncomponentdefinition" => definitions(session)?,
        "msdyn_componentlayer" => layers(session, query)?,
        "msdyn_solutioncomponentsummary" => summaries(session, query)?,
        "msdyn_solutioncomponentcountsummary" => counts(session, query)?,
        _ => return Ok(None),
    }))
}

fn demanded(query: &Query, property: &str) -> Option<String> {
    query
        .filter
        .as_ref()?
        .demanded(property)
        .map(|text| plain_id(&text))
}

/// Solutions by unique name in lower case.
fn solutions(session: &Session<'_>) -> Result<BTreeMap<String, Row>, ServiceError> {
    let rows = session.rows("solution")?.into_iter();
    Ok(rows
        .filter_map(|row| Some((text(&row, "uniquename")?.to_ascii_lowercase(), row)))
        .collect())
}

/// The unique name of the solution with this id.
fn solution_named(session: &Session<'_>, solution: &str) -> Result<Option<Row>, ServiceError> {
    match Uuid::parse_str(solution) {
        Ok(id) => session.row("solution", id),
        Err(_) => Ok(None),
    }
}

fn solution_components(session: &Session<'_>, query: &Query) -> Result<Vec<Row>, ServiceError> {
    let records = Records::load(session)?;
    let solutions = solutions(session)?;
    let wanted = demanded(query, "_solutionid_value");
    let object = demanded(query, "objectid");
    let mut found = Vec::new();
    for record in records.iter() {
        if object
            .as_ref()
            .is_some_and(|object| *object != record.object_id.to_string())
        {
            continue;
        }
        // Everything is in the default solution, what is customised in the active one.
        let mut holds: Vec<(&str, Option<u8>)> = vec![("default", None)];
        if record.is_customized() {
            holds.push(("active", None));
        }
        for member in record.members.iter().filter(|member| member.by_itself) {
            holds.push((&member.solution, member.behavior));
        }
        for (name, behavior) in holds {
            let Some(solution) = solutions.get(&name.to_ascii_lowercase()) else {
                continue;
            };
            let Some(solution_id) = id(solution, "solutionid") else {
                continue;
            };
            if wanted
                .as_ref()
                .is_some_and(|wanted| *wanted != solution_id.to_string())
            {
                continue;
            }
            let is_metadata = matches!(
                record.identity.component_type,
                ComponentType::Code(1 | 2 | 9 | 10 | 14)
            );
            found.push(row! {
                "solutioncomponentid": row_id(session, name, &record.identity),
                "componenttype": type_number(session, &record.identity.component_type)?,
                "objectid": record.object_id,
                "_solutionid_value": solution_id,
                "rootcomponentbehavior": behavior,
                "ismetadata": is_metadata,
                "createdon": record.created_on,
                "modifiedon": record.layers.last().map(|layer| layer.since.clone()),
            });
        }
    }
    Ok(found)
}

fn definitions(session: &Session<'_>) -> Result<Vec<Row>, ServiceError> {
    let catalogue = session.catalogue()?;
    let mut found = Vec::new();
    for table in catalogue.tables() {
        let Some(number) = table.component_type else {
            continue;
        };
        let kind = ComponentType::named(&table.name);
        found.push(row! {
            "solutioncomponentdefinitionid":
                session.environment.own_id("solutioncomponentdefinition", &table.name),
            "name": kind.layer_name(),
            "primaryentityname": table.name,
            "objecttypecode": table.object_type_code,
            "solutioncomponenttype": number,
        });
    }
    Ok(found)
}

fn layers(session: &Session<'_>, query: &Query) -> Result<Vec<Row>, ServiceError> {
    let component = demanded(query, "msdyn_componentid");
    let name = demanded(query, "msdyn_solutioncomponentname");
    let (Some(component), Some(name)) = (component, name) else {
        let message = "A query of component layers needs conditions on msdyn_componentid and \
                       msdyn_solutioncomponentname.";
        return Err(ServiceError::bad_query(message));
    };
    let Ok(component) = Uuid::parse_str(&component) else {
        return Ok(Vec::new());
    };
    let kind = ComponentType::named(&name);
    let records = Records::load(session)?;
    let Some(record) = by_id(session, &records, component)? else {
        return Ok(Vec::new());
    };
    if record.identity.component_type != kind {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let mut below = Row::new();
    if is_standard(session, &record.identity)? {
        found.push(layer_row(
            session,
            record,
            "System",
            "1900-01-01T00:00:00Z",
            1,
            &below,
            &below,
        )?);
    }
    for layer in &record.layers {
        let now = columns(session, record, layer.definition.as_ref())?;
        let order = i64::try_from(found.len()).unwrap_or_default() + 1;
        found.push(layer_row(
            session,
            record,
            &layer.solution,
            &layer.since,
            order,
            &now,
            &below,
        )?);
        below = now;
    }
    Ok(found)
}

/// The columns that a layer defines. The unmanaged one without a definition has those that were
/// changed in the row.
fn columns(
    session: &Session<'_>,
    record: &Record,
    definition: Option<&super::record::Definition>,
) -> Result<Row, ServiceError> {
    let catalogue = session.catalogue()?;
    let name = record.identity.component_type.table_name();
    let Some(table) = catalogue.table(name).filter(|table| !table.is_virtual) else {
        return Ok(Row::new());
    };
    match definition {
        Some(definition) => Ok(rows::row_of(table, &definition.component(session, record)?)),
        None => {
            let row = session.row(name, record.object_id)?.unwrap_or_default();
            match record.managed() {
                Some(managed) => {
                    let component = managed.component(session, record)?;
                    let mut columns = rows::row_of(table, &component);
                    columns.extend(rows::differences(table, &component, &row));
                    Ok(columns)
                }
                None => Ok(row),
            }
        }
    }
}

fn layer_row(
    session: &Session<'_>,
    record: &Record,
    solution: &str,
    since: &str,
    order: i64,
    now: &Row,
    below: &Row,
) -> Result<Row, ServiceError> {
    let attributes = |changed_only: bool| -> String {
        let listed: Vec<Value> = now
            .iter()
            .filter(|(column, value)| !changed_only || below.get(*column) != Some(*value))
            .map(|(column, value)| json!({ "Key": column, "Value": value }))
            .collect();
        json!({ "Attributes": listed }).to_string()
    };
    let owner = checks::installed(session, solution)?.unwrap_or_default();
    let publisher = id(&owner, "_publisherid_value")
        .map(|id| session.row("publisher", id))
        .transpose()?
        .flatten()
        .unwrap_or_default();
    let key = format!("{}/{solution}", record.identity);
    let lowest = order == 1 && solution != ACTIVE;
    Ok(row! {
        "msdyn_componentlayerid": session.environment.own_id("componentlayer", &key),
        "msdyn_name": record.display_name(),
        "msdyn_componentid": record.object_id.to_string(),
        "msdyn_solutioncomponentname": record.identity.component_type.layer_name(),
        "msdyn_solutionname": solution,
        "msdyn_publishername": text(&publisher, "friendlyname"),
        "msdyn_order": order,
        "msdyn_overwritetime": if lowest { "1900-01-01T00:00:00Z" } else { since },
        "msdyn_children": "[]",
        "msdyn_componentjson": attributes(false),
        "msdyn_changes": attributes(true),
    })
}

fn summaries(session: &Session<'_>, query: &Query) -> Result<Vec<Row>, ServiceError> {
    let Some(wanted) = demanded(query, "msdyn_solutionid") else {
        let message = "A query of component summaries needs a condition on msdyn_solutionid.";
        return Err(ServiceError::bad_query(message));
    };
    let Some(solution) = solution_named(session, &wanted)? else {
        return Ok(Vec::new());
    };
    let records = Records::load(session)?;
    let mut found = Vec::new();
    for record in content(&records, &solution) {
        found.push(summary(session, &solution, record)?);
    }
    Ok(found)
}

/// What a solution holds, itself listed: parts of tables are not.
fn content<'a>(records: &'a Records, solution: &Row) -> Vec<&'a Record> {
    let name = text(solution, "uniquename").unwrap_or_default();
    let in_default = name == "Default";
    let in_active = name == ACTIVE;
    records
        .iter()
        .filter(|record| match (in_default, in_active) {
            (true, _) => !matches!(
                record.effective().map(|definition| &definition.place),
                Some(Place::Table { .. })
            ),
            (_, true) => record.is_customized(),
            _ => record.member(name).is_some_and(|member| member.by_itself),
        })
        .collect()
}

fn summary(session: &Session<'_>, solution: &Row, record: &Record) -> Result<Row, ServiceError> {
    let catalogue = session.catalogue()?;
    let kind = &record.identity.component_type;
    let table_name = kind.table_name();
    let table = catalogue.table(table_name);
    let row = match table.filter(|table| !table.is_virtual) {
        Some(_) => session
            .row(table_name, record.object_id)?
            .unwrap_or_default(),
        None => Row::new(),
    };
    let managed = record.is_managed();
    let name = text(solution, "uniquename").unwrap_or_default();
    let schema = record.schema_name().unwrap_or(&record.identity.key);
    let shown = if *kind == ComponentType::Code(1) {
        record.identity.key.as_str()
    } else {
        schema
    };
    let owner = match id(&row, "_ownerid_value") {
        Some(owner) => session.row("systemuser", owner)?.unwrap_or_default(),
        None => Row::new(),
    };
    Ok(row! {
        "msdyn_solutioncomponentsummaryid": row_id(session, name, &record.identity),
        "msdyn_objectid": record.object_id.to_string(),
        "msdyn_name": shown,
        "msdyn_displayname": record.display_name(),
        "msdyn_schemaname": schema,
        "msdyn_uniquename": record.schema_name(),
        "msdyn_componenttype": type_number(session, kind)?,
        "msdyn_componenttypename": kind.layer_name(),
        "msdyn_componentlogicalname": table_name,
        "msdyn_solutionid": id(solution, "solutionid"),
        "msdyn_ismanaged": managed,
        "msdyn_ismanagedname": if managed { "Managed" } else { "Unmanaged" },
        "msdyn_iscustom": !is_standard(session, &record.identity)?,
        "msdyn_iscustomizable": row.get("iscustomizable").and_then(|it| it.get("Value"))
            .and_then(Value::as_bool).unwrap_or(true),
        "msdyn_hasactivecustomization": record.is_customized(),
        "msdyn_objecttypecode": table.map(|table| table.object_type_code),
        "msdyn_primaryidattribute": table.map(|table| table.key.clone()),
        "msdyn_createdon": record.created_on,
        "msdyn_modifiedon": text(&row, "modifiedon").map(str::to_owned)
            .or_else(|| record.layers.last().map(|layer| layer.since.clone())),
        "msdyn_workflowcategory": number(&row, "category").map(|number| number.to_string()),
        "msdyn_status": number(&row, "statecode").map(|number| number.to_string()),
        "msdyn_owner": text(&owner, "fullname"),
    })
}

fn counts(session: &Session<'_>, query: &Query) -> Result<Vec<Row>, ServiceError> {
    let records = Records::load(session)?;
    let wanted = demanded(query, "msdyn_solutionid");
    let mut found = Vec::new();
    for solution in session.rows("solution")? {
        let solution_id = id(&solution, "solutionid");
        if wanted.is_some() && wanted != solution_id.map(|id| id.to_string()) {
            continue;
        }
        if wanted.is_none() && !flag(&solution, "isvisible") {
            continue;
        }
        let mut by_kind: BTreeMap<&ComponentType, i64> = BTreeMap::new();
        for record in content(&records, &solution) {
            *by_kind.entry(&record.identity.component_type).or_default() += 1;
        }
        for (kind, total) in by_kind {
            let key = format!(
                "{}/{kind}",
                text(&solution, "uniquename").unwrap_or_default()
            );
            found.push(row! {
                "msdyn_solutioncomponentcountsummaryid":
                    session.environment.own_id("componentcount", &key),
                "msdyn_componentlogicalname": kind.table_name(),
                "msdyn_componenttype": type_number(session, kind)?,
                "msdyn_solutionid": solution_id,
                "msdyn_total": total,
            });
        }
    }
    Ok(found)
}
