//! What needs what: missing dependencies of a package, dependents that keep things from going, and
//! the functions that tell callers about both.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use uuid::Uuid;

use super::checks::{installed, version_of};
use super::import::Import;
use super::record::{ACTIVE, Record, Records};
use crate::emulator::dataverse::extension::{Operation, Parameters, Reply};
use crate::emulator::dataverse::row::{flag, id, row};
use crate::emulator::dataverse::{Row, ServiceError, Session};
use crate::solution::SolutionVersion;
use crate::solution::component::fragment::escape_attribute;
use crate::solution::component::{
    Component, ComponentType, Identity, code, references, required_components,
};

/// Prefixes of what Microsoft's own solutions bring. An emulated environment does not list what
/// they hold, so whatever they are said to bring counts as there.
const MICROSOFT: &[&str] = &[
    "msdyn",
    "msft_",
    "mspp_",
    "mscrm",
    "adx_",
    "ActivityFeeds",
    "AppModule",
    "BaseCustomControls",
    "Icebreakers",
    "SolutionHistory",
    "SolutionUpgrade",
    "System",
    "PowerApps",
    "PowerPlatform",
    "Microsoft",
];

/// A component that an import needs and the environment does not have.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Missing {
    pub required: Identity,
    pub required_name: String,
    pub solution: String,
    pub dependent: Identity,
    pub dependent_name: String,
    /// The `MissingDependency` element that says so.
    pub xml: String,
}

/// What `import` needs and does not find, in this environment or in the package itself.
pub(super) fn missing(
    session: &Session<'_>,
    records: &Records,
    import: &Import,
) -> Result<Vec<Missing>, ServiceError> {
    let own: HashSet<Identity> = import
        .split
        .components
        .iter()
        .map(Component::identity)
        .collect();
    let mut found = Vec::new();
    let mut said = HashSet::new();
    let declared = required_components(&import.split.outline)
        .map_err(|error| ServiceError::bad_request("0x8004802C", error.to_string()))?;
    for (required, solution, xml) in declared {
        if own.contains(&required)
            || records.meant(&required).is_some()
            || is_standard(session, &required)?
            || comes_with(session, import, &solution)?
        {
            continue;
        }
        let attribute = |name: &str| attribute_of(&xml, name);
        if said.insert((required.clone(), attribute("Dependent"))) {
            found.push(Missing {
                required_name: required.key.clone(),
                required,
                solution,
                dependent: Identity::coded(0, ""),
                dependent_name: attribute("displayName"),
                xml: with_verdict(&xml),
            });
        }
    }
    for component in &import.split.components {
        for reference in references(component) {
            let to = reference.to;
            if !is_enforced(&to)
                || own.contains(&to)
                || records.meant(&to).is_some()
                || is_standard(session, &to)?
                || !said.insert((to.clone(), component.key.clone()))
            {
                continue;
            }
            found.push(undeclared(component, to));
        }
    }
    Ok(found)
}

/// Kinds of which a package's own content proves that they are needed. Others (forms, views, web
/// resources of the platform) are needed only when the manifest says so.
fn is_enforced(identity: &Identity) -> bool {
    match &identity.component_type {
        ComponentType::Code(number) => [
            code::TABLE,
            code::OPTION_SET,
            code::WORKFLOW,
            code::VARIABLE,
        ]
        .contains(number),
        ComponentType::Table(table) => table == "connectionreference",
    }
}

/// Whether `identity` is part of every environment, or of what Microsoft installs into it.
pub(super) fn is_standard(
    session: &Session<'_>,
    identity: &Identity,
) -> Result<bool, ServiceError> {
    let key = identity.key.as_str();
    Ok(match identity.component_type.code() {
        Some(code::TABLE) => {
            let catalogue = session.catalogue()?;
            // Names without a prefix are Microsoft's.
            catalogue.table(key).is_some_and(|table| !table.is_custom)
                || !key.contains('_')
                || is_microsoft(key)
        }
        Some(code::COLUMN) => key.split_once('.').is_some_and(|(_, column)| {
            !column.contains('_') || is_microsoft(column) || column.starts_with("address")
        }),
        Some(code::ROLE) => {
            let role = key
                .parse()
                .ok()
                .map(|id| session.row("role", id))
                .transpose()?;
            role.flatten().is_some()
        }
        Some(_) => is_microsoft(key),
        None => false,
    })
}

fn is_microsoft(name: &str) -> bool {
    MICROSOFT.iter().any(|prefix| {
        name.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    })
}

/// Whether the solution that a manifest names, `Name (version)`, is there in that version.
fn comes_with(
    session: &Session<'_>,
    import: &Import,
    solution: &str,
) -> Result<bool, ServiceError> {
    let (name, version) = match solution.split_once(" (") {
        Some((name, version)) => (name, version.trim_end_matches(')')),
        None => (solution, ""),
    };
    if name.eq_ignore_ascii_case(ACTIVE) || name.is_empty() {
        return Ok(false);
    }
    if is_microsoft(name) {
        return Ok(true);
    }
    let Some(there) = installed(session, name)? else {
        return Ok(false);
    };
    let wanted: SolutionVersion = version.parse().unwrap_or_default();
    Ok(version_of(&there) >= wanted || import.switches.skip_product_updates)
}

/// The value of the first attribute `name` in the text of an element.
fn attribute_of(xml: &str, name: &str) -> String {
    let start = xml.find("<Dependent").map_or("", |at| &xml[at..]);
    if name == "Dependent" {
        return start.to_owned();
    }
    let value = start
        .split_once(&format!(" {name}=\""))
        .map_or("", |(_, rest)| rest);
    value.split('"').next().unwrap_or_default().to_owned()
}

fn with_verdict(xml: &str) -> String {
    xml.replacen(
        "<MissingDependency>",
        "<MissingDependency canResolveMissingDependency=\"False\">",
        1,
    )
}

fn undeclared(component: &Component, to: Identity) -> Missing {
    let end = |identity: &Identity, name: &str| {
        let key = match &identity.component_type {
            ComponentType::Table(table) => format!(
                " id.{}=\"{}\"",
                if table == "connectionreference" {
                    "connectionreferencelogicalname"
                } else {
                    "name"
                },
                escape_attribute(&identity.key)
            ),
            ComponentType::Code(code::WORKFLOW) => format!(" id=\"{{{}}}\"", identity.key),
            ComponentType::Code(_) => {
                format!(" schemaName=\"{}\"", escape_attribute(&identity.key))
            }
        };
        format!(
            " type=\"{}\"{key} displayName=\"{}\"",
            identity.component_type,
            escape_attribute(name)
        )
    };
    let dependent = component.identity();
    let xml = format!(
        "<MissingDependency canResolveMissingDependency=\"False\"><Required{} solution=\"Active\" \
         /><Dependent{} /></MissingDependency>",
        end(&to, &to.key),
        end(&dependent, &component.display_name)
    );
    Missing {
        required_name: to.key.clone(),
        required: to,
        solution: ACTIVE.into(),
        dependent,
        dependent_name: component.display_name.clone(),
        xml,
    }
}

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
    reply(session, &dependents(session, &records, &going)?)
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
    reply(session, &edges)
}

fn needing(session: &Session<'_>, parameters: &Parameters) -> Result<Reply, ServiceError> {
    let records = Records::load(session)?;
    let Some(record) = addressed(session, &records, parameters)? else {
        return reply(session, &[]);
    };
    let mut going = BTreeSet::from([record.identity.clone()]);
    if parameters.name == "RetrieveDependenciesForDelete" {
        // The parts of a table go with it.
        let parts = records
            .iter()
            .filter(|part| part.parent.as_ref() == Some(&record.identity));
        going.extend(parts.map(|part| part.identity.clone()));
    }
    reply(session, &dependents(session, &records, &going)?)
}

fn needed(session: &Session<'_>, parameters: &Parameters) -> Result<Reply, ServiceError> {
    let records = Records::load(session)?;
    let Some(record) = addressed(session, &records, parameters)? else {
        return reply(session, &[]);
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
    reply(session, &edges)
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

fn reply(session: &Session<'_>, edges: &[Edge<'_>]) -> Result<Reply, ServiceError> {
    let mut rows = Vec::with_capacity(edges.len());
    for edge in edges {
        rows.push(dependency_row(session, edge)?);
    }
    rows.dedup();
    Ok(Reply::Rows(session.table("dependency")?, rows))
}

fn dependency_row(session: &Session<'_>, edge: &Edge<'_>) -> Result<Row, ServiceError> {
    let base = |record: &Record| -> Result<Option<Uuid>, ServiceError> {
        let lowest = record
            .layers
            .first()
            .map_or(ACTIVE, |layer| &layer.solution);
        Ok(installed(session, lowest)?.and_then(|solution| id(&solution, "solutionid")))
    };
    let key = format!("{}>{}", edge.dependent.identity, edge.required.identity);
    Ok(row! {
        "dependencyid": session.environment.own_id("dependency", &key),
        "dependencytype": 2,
        "dependentcomponentobjectid": edge.dependent.object_id,
        "dependentcomponenttype": type_number(session, &edge.dependent.identity.component_type)?,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_microsoft_brings_is_told_from_what_others_bring() {
        assert!(is_microsoft("msdynce_AppCommon"));
        assert!(is_microsoft("AppModuleWebResources"));
        assert!(!is_microsoft("CreatorKitCore"));
        assert!(!is_microsoft("mshied_program"));
        assert!(!is_microsoft("msnfp_award"));
    }

    #[test]
    fn the_dependent_of_a_declared_dependency_is_named() {
        let xml = "<MissingDependency><Required type=\"1\" displayName=\"A\" /><Dependent \
                   type=\"62\" displayName=\"B\" /></MissingDependency>";
        assert_eq!(attribute_of(xml, "displayName"), "B");
        assert!(with_verdict(xml).contains("canResolveMissingDependency=\"False\""));
    }
}
