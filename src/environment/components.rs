//! What a solution contains, and what depends on it (Dataverse Web API notes, 3.3, 3.8, 3.11, 4.9).

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::odata::{Filter, Literal, Query};
use super::rows::{Row, guid, text};
use super::{Environment, EnvironmentError};

/// One component of an installed solution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SolutionComponent {
    /// The component type's number in this environment.
    pub kind: i64,
    /// The component type in words, for example `Workflow`; empty when the environment only gives
    /// the number.
    pub kind_name: String,
    /// The row's id, or the definition's metadata id.
    pub id: Uuid,
    /// Its name; empty when the environment only gives the id.
    pub name: String,
    /// The name that people see.
    pub display_name: String,
    /// Its schema or unique name.
    pub schema_name: String,
    /// Whether it is managed.
    pub managed: bool,
}

/// A component that needs another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dependency {
    /// The component that needs: its name, or its id where the environment tells no name.
    pub dependent: String,
    /// Its component type.
    pub dependent_kind: i64,
    /// Its id.
    pub dependent_id: Option<Uuid>,
    /// The component type of what is needed.
    pub required_kind: i64,
    /// The id of what is needed.
    pub required_id: Option<Uuid>,
}

const TABLE: i64 = 1;

impl Environment {
    /// The components of the solution with this unique name, sorted by type and name.
    ///
    /// # Errors
    /// [`EnvironmentError::NoSolution`] when it is not installed.
    pub fn components(&self, name: &str) -> Result<Vec<SolutionComponent>, EnvironmentError> {
        let solution = self.solution(name)?;
        let query = Query::new().filter(Filter::equals("msdyn_solutionid", solution.id)?);
        let mut components = match self.rows("msdyn_solutioncomponentsummaries", &query) {
            Ok(rows) => rows.iter().filter_map(from_summary).collect(),
            // The virtual table is missing on some servers: the plain list has no names.
            Err(error) if error.is_unsupported() || error.is_not_found() => {
                self.plain_components(solution.id)?
            }
            Err(error) => return Err(error),
        };
        components.sort_by(|a: &SolutionComponent, b| {
            (a.kind, &a.name, a.id).cmp(&(b.kind, &b.name, b.id))
        });
        Ok(components)
    }

    /// What would be orphaned if the solution went with its components: components outside of it
    /// that need components in it.
    ///
    /// # Errors
    /// [`EnvironmentError::NoSolution`] when it is not installed.
    pub fn dependents_of(&self, name: &str) -> Result<Vec<Dependency>, EnvironmentError> {
        let solution = self.solution(name)?;
        let rows = if solution.managed {
            let name = solution.unique_name.as_str().into();
            let parameters = [("SolutionUniqueName", name)];
            self.dependencies("RetrieveDependenciesForUninstall", &parameters)?
        } else {
            self.dependents_of_unmanaged(solution.id)?
        };
        let mut dependencies = Vec::new();
        for row in &rows {
            let id = guid(row, "dependentcomponentobjectid");
            let kind = number(row, "dependentcomponenttype");
            let name = self.component_name(kind, id);
            let unnamed = || id.map_or_else(String::new, |id| id.to_string());
            dependencies.push(Dependency {
                dependent: if name.is_empty() { unnamed() } else { name },
                dependent_kind: kind,
                dependent_id: id,
                required_kind: number(row, "requiredcomponenttype"),
                required_id: guid(row, "requiredcomponentobjectid"),
            });
        }
        Ok(dependencies)
    }

    /// Uninstalling an unmanaged solution deletes nothing, so the service names no dependents of
    /// it. They are asked for component by component.
    fn dependents_of_unmanaged(&self, solution: Uuid) -> Result<Vec<Row>, EnvironmentError> {
        let query = Query::new()
            .select(&["objectid", "componenttype", "rootcomponentbehavior"])?
            .filter(Filter::equals("_solutionid_value", solution)?);
        // Of a table that is in the solution only in part, the table itself would not go.
        let is_whole = |row: &&Row| {
            number(row, "componenttype") != TABLE || number(row, "rootcomponentbehavior") == 0
        };
        let own: Vec<(Uuid, i64)> = self
            .rows("solutioncomponents", &query)?
            .iter()
            .filter(is_whole)
            .filter_map(|row| Some((guid(row, "objectid")?, number(row, "componenttype"))))
            .collect();
        // A part of a whole table, such as a form, is not listed and goes with the table.
        let is_own = |row: &Row, column| {
            guid(row, column).is_some_and(|id| own.iter().any(|(owned, _)| *owned == id))
        };
        let mut outside: Vec<Row> = Vec::new();
        for (id, kind) in &own {
            let parameters = [
                ("ObjectId", (*id).into()),
                ("ComponentType", (*kind).into()),
            ];
            for row in self.dependencies("RetrieveDependenciesForDelete", &parameters)? {
                let inside = is_own(&row, "dependentcomponentobjectid")
                    || is_own(&row, "dependentcomponentparentid");
                let known = outside.iter().any(|other| {
                    ["dependentcomponentobjectid", "requiredcomponentobjectid"]
                        .iter()
                        .all(|column| other.get(*column) == row.get(*column))
                });
                if !inside && !known {
                    outside.push(row);
                }
            }
        }
        Ok(outside)
    }

    fn dependencies(
        &self,
        function: &str,
        parameters: &[(&str, Literal)],
    ) -> Result<Vec<Row>, EnvironmentError> {
        let answer = self.function(function, parameters)?;
        let rows = answer["value"].as_array();
        Ok(rows
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
            .cloned()
            .collect())
    }

    /// The ids of the components of one type in a solution.
    pub(super) fn component_ids(
        &self,
        solution: Uuid,
        kind: i64,
    ) -> Result<Vec<Uuid>, EnvironmentError> {
        let query = Query::new()
            .select(&["objectid"])?
            .filter(Filter::equals("_solutionid_value", solution)?)
            .filter(Filter::equals("componenttype", kind)?);
        let rows = self.rows("solutioncomponents", &query)?;
        Ok(rows
            .iter()
            .filter_map(|row| guid(row, "objectid"))
            .collect())
    }

    fn plain_components(&self, solution: Uuid) -> Result<Vec<SolutionComponent>, EnvironmentError> {
        let query = Query::new()
            .select(&["objectid", "componenttype"])?
            .filter(Filter::equals("_solutionid_value", solution)?);
        let rows = self.rows("solutioncomponents", &query)?;
        Ok(rows
            .iter()
            .filter_map(|row| {
                Some(SolutionComponent {
                    kind: number(row, "componenttype"),
                    kind_name: String::new(),
                    id: guid(row, "objectid")?,
                    name: String::new(),
                    display_name: String::new(),
                    schema_name: String::new(),
                    managed: false,
                })
            })
            .collect())
    }

    /// The name of a component whose type has a table of named rows. It is an extra: whatever
    /// goes wrong, the id remains.
    fn component_name(&self, kind: i64, id: Option<Uuid>) -> String {
        let table = match kind {
            20 => Some(("roles", "name")),
            26 => Some(("savedqueries", "name")),
            29 => Some(("workflows", "name")),
            60 => Some(("systemforms", "name")),
            61 => Some(("webresourceset", "name")),
            80 => Some(("appmodules", "name")),
            92 => Some(("sdkmessageprocessingsteps", "name")),
            300 => Some(("canvasapps", "displayname")),
            380 => Some(("environmentvariabledefinitions", "schemaname")),
            _ => None,
        };
        let (Some(id), Some((set, column))) = (id, table) else {
            return String::new();
        };
        let Ok(query) = Query::new().select(&[column]) else {
            return String::new();
        };
        match self.row(set, &id.into(), &query) {
            Ok(Some(row)) => text(&row, column),
            _ => String::new(),
        }
    }
}

fn from_summary(row: &Row) -> Option<SolutionComponent> {
    let first = |columns: [&str; 2]| {
        let [a, b] = columns.map(|column| text(row, column));
        if a.is_empty() { b } else { a }
    };
    Some(SolutionComponent {
        kind: number(row, "msdyn_componenttype"),
        kind_name: first(["msdyn_componenttypename", "msdyn_componentlogicalname"]),
        id: guid(row, "msdyn_objectid")?,
        name: first(["msdyn_name", "msdyn_schemaname"]),
        display_name: first(["msdyn_displayname", "msdyn_name"]),
        schema_name: first(["msdyn_schemaname", "msdyn_uniquename"]),
        managed: row
            .get("msdyn_ismanaged")
            .and_then(Value::as_bool)
            .unwrap_or_default(),
    })
}

fn number(row: &Row, column: &str) -> i64 {
    match row.get(column) {
        Some(Value::Number(number)) => number.as_i64().unwrap_or_default(),
        Some(Value::String(text)) => text.parse().unwrap_or_default(),
        _ => 0,
    }
}
