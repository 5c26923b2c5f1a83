//! Environment variables (Dataverse Web API notes, 6.2).

use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::odata::{Filter, Query};
use super::rows::{Row, guid, text, unreadable};
use super::{Change, Environment, EnvironmentError};

const VALUES: &str = "environmentvariabledefinition_environmentvariablevalue";

/// A variable's definition and its value in this environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnvironmentVariable {
    /// The definition's id.
    pub id: Uuid,
    /// The schema name.
    pub schema_name: String,
    /// The name that people see.
    pub display_name: String,
    /// `text`, `number`, `yes-no`, `json`, `data-source` or `secret`.
    pub kind: &'static str,
    /// The default, which travels with the solution.
    pub default: Option<String>,
    /// The value in this environment; it wins over the default even when empty.
    pub value: Option<String>,
    /// The row of the value.
    #[serde(skip)]
    value_id: Option<Uuid>,
}

impl Environment {
    /// The variables of a solution, sorted by schema name.
    ///
    /// # Errors
    /// [`EnvironmentError::NoSolution`] when it is not installed.
    pub fn variables(&self, solution: &str) -> Result<Vec<EnvironmentVariable>, EnvironmentError> {
        const DEFINITION: i64 = 380;
        let solution = self.solution(solution)?;
        let mut variables = Vec::new();
        for id in self.component_ids(solution.id, DEFINITION)? {
            let filter = Filter::equals("environmentvariabledefinitionid", id)?;
            let rows = self.rows("environmentvariabledefinitions", &variable_query(filter)?)?;
            for row in &rows {
                variables.push(read(row)?);
            }
        }
        variables.sort_by(|a, b| a.schema_name.cmp(&b.schema_name));
        Ok(variables)
    }

    /// The variable with this schema name.
    ///
    /// # Errors
    /// [`EnvironmentError::Missing`] when the environment has no such variable.
    pub fn variable(&self, schema_name: &str) -> Result<EnvironmentVariable, EnvironmentError> {
        let filter = Filter::equals("schemaname", schema_name)?;
        let rows = self.rows("environmentvariabledefinitions", &variable_query(filter)?)?;
        let variables = rows.iter().map(read).collect::<Result<_, _>>()?;
        self.only("environment variable", schema_name, variables)
    }

    /// Sets the value of a variable in this environment. The definition and its default stay.
    ///
    /// # Errors
    /// [`EnvironmentError::Missing`] when there is no such variable;
    /// [`EnvironmentError::InvalidValue`] when the value does not fit its type.
    pub fn set_variable(&self, schema_name: &str, value: &str) -> Result<Change, EnvironmentError> {
        let variable = self.variable(schema_name)?;
        let name = &variable.schema_name;
        check(&variable, value)?;
        if variable.value.as_deref() == Some(value) {
            return Ok(Change::none(format!(
                "environment variable {name} has its value"
            )));
        }
        match variable.value_id {
            Some(id) => {
                let columns = json!({ "value": value });
                self.update_row("environmentvariablevalues", &id.into(), &columns)?;
            }
            None => {
                let definition = Self::binding("environmentvariabledefinitions", variable.id)?;
                let columns = json!({
                    "schemaname": name,
                    "value": value,
                    "EnvironmentVariableDefinitionId@odata.bind": definition,
                });
                self.create_row("environmentvariablevalues", &columns)?;
            }
        }
        Ok(Change::made(format!("environment variable {name} set")))
    }
}

fn variable_query(filter: Filter) -> Result<Query, EnvironmentError> {
    Ok(Query::new()
        .select(&[
            "environmentvariabledefinitionid",
            "schemaname",
            "displayname",
            "type",
            "defaultvalue",
        ])?
        .filter(filter)
        .expand(VALUES, &["environmentvariablevalueid", "value"])?)
}

fn read(row: &Row) -> Result<EnvironmentVariable, EnvironmentError> {
    let current = row
        .get(VALUES)
        .and_then(Value::as_array)
        .and_then(|rows| rows.first());
    let current = current.and_then(Value::as_object);
    Ok(EnvironmentVariable {
        id: guid(row, "environmentvariabledefinitionid")
            .ok_or_else(|| unreadable("reading environment variables", "a row has no id"))?,
        schema_name: text(row, "schemaname"),
        display_name: text(row, "displayname"),
        kind: match row.get("type").and_then(Value::as_i64) {
            Some(100_000_001) => "number",
            Some(100_000_002) => "yes-no",
            Some(100_000_003) => "json",
            Some(100_000_004) => "data-source",
            Some(100_000_005) => "secret",
            _ => "text",
        },
        default: row
            .get("defaultvalue")
            .and_then(Value::as_str)
            .map(str::to_owned),
        value: current.map(|row| text(row, "value")),
        value_id: current.and_then(|row| guid(row, "environmentvariablevalueid")),
    })
}

/// Checks what Dataverse itself accepts silently and a flow stumbles over at run time.
fn check(variable: &EnvironmentVariable, value: &str) -> Result<(), EnvironmentError> {
    let reason = match variable.kind {
        "number" if value.parse::<f64>().is_err() => "the value is not a number",
        "yes-no" if !matches!(value, "yes" | "no" | "true" | "false") => {
            "the value is not yes, no, true or false"
        }
        "json" if serde_json::from_str::<Value>(value).is_err() => "the value is not JSON",
        // A secret holds the address of a key vault secret, never the secret itself.
        "secret" if !value.starts_with("/subscriptions/") && !value.starts_with("https://") => {
            "a secret takes the resource id or address of a key vault secret, not the secret itself"
        }
        _ => return Ok(()),
    };
    Err(EnvironmentError::InvalidValue {
        what: format!("environment variable {}", variable.schema_name),
        reason: reason.to_owned(),
    })
}
