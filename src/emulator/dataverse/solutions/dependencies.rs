//! What needs what: dependents that keep components from going, and the functions that tell callers
//! about them (facts/dataverse-web-api.md, sections 3.8 and 4.9).

use std::collections::{BTreeMap, BTreeSet, HashSet};

use uuid::Uuid;

use super::checks::installed;
use super::missing::is_standard;
use super::record::{ACTIVE, Record, Records};
use crate::emulator::dataverse::extension::{Operation, Parameters, Reply};
use crate::emulator::dataverse::row::{flag, id, row};
use crate::emulator::dataverse::{Row, ServiceError, Session};
use crate::solution::component::{ComponentType, Identity};

/// One thing that needs another.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Edge<'a> {
    pub dependent: &'a Record,
    pub required: &'a Record,
}

/// The components outside of `going` that need one inside. What is part of every environment is
/// not gone when solutions take their layers off it, so nothing depends on that.
pub(super) fn dependents<'a>(
    session: &Session<'_>,
    records: &'a Records,
    going: &BTreeSet<Identity>,
) -> Result<Vec<Edge<'a>>, ServiceError> {
    let mut ends = BTreeSet::new();
    for identity in going {
        if !is_standard(session, identity)? {
            ends.insert(identity);
        }
    }
    let mut found = Vec::new();
    for record in records
        .iter()
        .filter(|record| !going.contains(&record.identity))
    {
        let Some(definition) = record.effective() else {
            continue;
        };
        for reference in &definition.references {
            if let Some(required) = records.meant(&reference.to)
                && ends.contains(&required.identity)
            {
                found.push(Edge {
                    dependent: record,
                    required,
                });
            }
        }
    }
    Ok(found)
}

/// The refusal to delete `required`, which others need.
pub(super) fn in_use(edges: &[Edge<'_>]) -> ServiceError {
    let mut count: BTreeMap<&Identity, usize> = BTreeMap::new();
    for edge in edges {
        *count.entry(&edge.required.identity).or_default() += 1;
    }
    let first = edges.first().map(|edge| edge.required);
    let (kind, name, others) = first.map_or(("", "", 0), |record| {
        (
            record.identity.component_type.layer_name(),
            record.display_name(),
            count.get(&record.identity).copied().unwrap_or(1),
        )
    });
    let mut listed: Vec<String> = edges
        .iter()
        .map(|edge| {
            let kind = edge.dependent.identity.component_type.label();
            format!("{kind} {}", edge.dependent.display_name())
        })
        .collect();
    listed.sort();
    listed.dedup();
    listed.truncate(5);
    ServiceError::bad_request(
        "0x8004F01F",
        format!(
            "The {kind}({name}) component cannot be deleted because it is referenced by {others} \
             other components. For a list of referenced components, use the \
             RetrieveDependenciesForDeleteRequest. Referenced by: {}.",
            listed.join(", ")
        ),
    )
}

/// The dependency functions.
pub(super) fn operation(name: &str) -> Option<Operation> {
    Some(match name {
        "RetrieveDependenciesForUninstall" => Operation::function(for_uninstall),
        "RetrieveMissingDependencies" => Operation::function(missing_of_solution),
        "RetrieveDependenciesForDelete" | "RetrieveDependentComponents" => {
            Operation::function(needing)
        }
        "RetrieveRequiredComponents" => Operation::function(needed),
        _ => return None,
    })
}

fn for_uninstall(session: &Session<'_>, parameters: &Parameters) -> Result<Reply, ServiceError> {
    let name = parameters.required("SolutionUniqueName")?;
    let solution = existing_solution(session, name)?;
    let records = Records::load(session)?;
    // Deleting an unmanaged solution deletes no component, so nothing can keep it.
    let going = match flag(&solution, "ismanaged") {
        true => super::remove::only_in(&records, name),
        false => BTreeSet::new(),
    };
    reply(session, &records, &dependents(session, &records, &going)?)
}

fn missing_of_solution(
    session: &Session<'_>,
    parameters: &Parameters,
) -> Result<Reply, ServiceError> {
    let name = parameters.required("SolutionUniqueName")?;
    existing_solution(session, name)?;
    let records = Records::load(session)?;
    let content = records.content_of(name);
    let own: HashSet<&Identity> = content.iter().map(|record| &record.identity).collect();
    let mut edges = Vec::new();
    for record in &content {
        let references = record
            .effective()
            .map(|definition| definition.references.as_slice());
        for reference in references.unwrap_or_default() {
            if let Some(required) = records.meant(&reference.to)
                && !own.contains(&required.identity)
                && !required.is_managed()
            {
                edges.push(Edge {
                    dependent: record,
                    required,
                });
            }
        }
    }
    reply(session, &records, &edges)
}

fn needing(session: &Session<'_>, parameters: &Parameters) -> Result<Reply, ServiceError> {
    let records = Records::load(session)?;
    let Some(record) = addressed(session, &records, parameters)? else {
        return reply(session, &records, &[]);
    };
    let mut going = BTreeSet::from([record.identity.clone()]);
    if parameters.name == "RetrieveDependenciesForDelete" {
        // The parts of a table go with it.
        let parts = records
            .iter()
            .filter(|part| part.parent.as_ref() == Some(&record.identity));
        going.extend(parts.map(|part| part.identity.clone()));
    }
    reply(session, &records, &dependents(session, &records, &going)?)
}

fn needed(session: &Session<'_>, parameters: &Parameters) -> Result<Reply, ServiceError> {
    let records = Records::load(session)?;
    let Some(record) = addressed(session, &records, parameters)? else {
        return reply(session, &records, &[]);
    };
    let references = record
        .effective()
        .map(|definition| definition.references.as_slice());
    let edges: Vec<Edge<'_>> = references
        .unwrap_or_default()
        .iter()
        .filter_map(|reference| records.meant(&reference.to))
        .map(|required| Edge {
            dependent: record,
            required,
        })
        .collect();
    reply(session, &records, &edges)
}

/// The component that `ObjectId` and `ComponentType` mean. A table may be named by the id of its
/// definition.
pub(super) fn addressed<'a>(
    session: &Session<'_>,
    records: &'a Records,
    parameters: &Parameters,
) -> Result<Option<&'a Record>, ServiceError> {
    let id = parameters
        .id("ObjectId")?
        .ok_or_else(|| parameters.missing("ObjectId"))?;
    by_id(session, records, id)
}

/// The component with this object id; of a table also by the id of its definition.
pub(super) fn by_id<'a>(
    session: &Session<'_>,
    records: &'a Records,
    id: Uuid,
) -> Result<Option<&'a Record>, ServiceError> {
    if let Some(record) = records.with_object(id) {
        return Ok(Some(record));
    }
    let catalogue = session.catalogue()?;
    let table = catalogue.tables().find(|table| table.metadata_id == id);
    Ok(table.and_then(|table| records.get(&Identity::table(&table.name))))
}

/// The row of the solution called `name`.
///
/// # Errors
/// `404` when there is none.
pub(super) fn existing_solution(session: &Session<'_>, name: &str) -> Result<Row, ServiceError> {
    installed(session, name)?.ok_or_else(|| {
        ServiceError::new(
            crate::transport::StatusCode::NOT_FOUND,
            "0x80040217",
            format!("Solution with unique name '{name}' does not exist."),
        )
    })
}

fn reply(
    session: &Session<'_>,
    records: &Records,
    edges: &[Edge<'_>],
) -> Result<Reply, ServiceError> {
    let mut rows = Vec::with_capacity(edges.len());
    for edge in edges {
        rows.push(dependency_row(session, records, edge)?);
    }
    rows.dedup();
    Ok(Reply::Rows(session.table("dependency")?, rows))
}

fn dependency_row(
    session: &Session<'_>,
    records: &Records,
    edge: &Edge<'_>,
) -> Result<Row, ServiceError> {
    let base = |record: &Record| -> Result<Option<Uuid>, ServiceError> {
        let lowest = record
            .layers
            .first()
            .map_or(ACTIVE, |layer| &layer.solution);
        Ok(installed(session, lowest)?.and_then(|solution| id(&solution, "solutionid")))
    };
    let parent = edge.dependent.parent.as_ref();
    let parent = parent.and_then(|parent| records.get(parent));
    let key = format!("{}>{}", edge.dependent.identity, edge.required.identity);
    Ok(row! {
        "dependencyid": session.environment.own_id("dependency", &key),
        "dependencytype": 2,
        "dependentcomponentobjectid": edge.dependent.object_id,
        "dependentcomponenttype": type_number(session, &edge.dependent.identity.component_type)?,
        "dependentcomponentparentid": parent.map(|parent| parent.object_id),
        "dependentcomponentbasesolutionid": base(edge.dependent)?,
        "requiredcomponentobjectid": edge.required.object_id,
        "requiredcomponenttype": type_number(session, &edge.required.identity.component_type)?,
        "requiredcomponentbasesolutionid": base(edge.required)?,
    })
}

/// The number of a kind in this environment: fixed, or the object type code of its table.
pub(super) fn type_number(
    session: &Session<'_>,
    component_type: &ComponentType,
) -> Result<i64, ServiceError> {
    if let Some(code) = component_type.code() {
        return Ok(code.into());
    }
    let catalogue = session.catalogue()?;
    let name = component_type.table_name();
    let known = catalogue
        .table(name)
        .map(|table| table.object_type_code)
        .filter(|code| *code > 0);
    // Tables that this environment has no rows for still need a number of their own.
    Ok(known.unwrap_or_else(|| {
        let hash = session.environment.own_id("componenttype", name).as_u128();
        11_000 + i64::try_from(hash % 9_000).unwrap_or_default()
    }))
}
