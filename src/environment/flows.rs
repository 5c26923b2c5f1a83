//! Cloud flows: reading them, turning them on and off, giving them an owner (Dataverse Web API
//! notes, 6.3).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::odata::{Filter, Query};
use super::rows::{Row, guid, text};
use super::{Change, Environment, EnvironmentError};

/// A cloud flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// The row's id, the same in every environment.
    pub id: Uuid,
    /// The name.
    pub name: String,
    /// Whether it is turned on.
    pub on: bool,
    /// The owner's row.
    pub owner: Option<Uuid>,
    /// The logical names of the connection references that it uses.
    pub connection_references: Vec<String>,
    /// The flows that it calls.
    pub calls: Vec<Uuid>,
}

const WORKFLOW: i64 = 29;
const CLOUD_FLOW: i64 = 5;

/// So many ids fit into one filter without coming near the longest address.
const IDS_PER_REQUEST: usize = 20;

const COLUMNS: [&str; 6] = [
    "workflowid",
    "name",
    "statecode",
    "category",
    "_ownerid_value",
    "clientdata",
];

impl Environment {
    /// The cloud flows of a solution, sorted by name.
    ///
    /// # Errors
    /// [`EnvironmentError::NoSolution`] when it is not installed.
    pub fn flows(&self, solution: &str) -> Result<Vec<Flow>, EnvironmentError> {
        let solution = self.solution(solution)?;
        let ids = self.component_ids(solution.id, WORKFLOW)?;
        let mut flows = Vec::new();
        for chunk in ids.chunks(IDS_PER_REQUEST) {
            let mut filter: Option<Filter> = None;
            for id in chunk {
                let one = Filter::equals("workflowid", *id)?;
                filter = Some(match filter {
                    Some(others) => others.or(one),
                    None => one,
                });
            }
            let query = Query::new()
                .select(&COLUMNS)?
                .filter(Filter::equals("category", CLOUD_FLOW)?)
                .filter(filter.expect("a chunk has at least one id"));
            flows.extend(self.rows("workflows", &query)?.iter().filter_map(read));
        }
        flows.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        Ok(flows)
    }

    /// The flow that `which` names: its id or name.
    ///
    /// # Errors
    /// [`EnvironmentError::Missing`] when there is none, [`EnvironmentError::Ambiguous`] when
    /// several have the name.
    pub fn flow(&self, which: &str) -> Result<Flow, EnvironmentError> {
        let filter = match which.trim_matches(['{', '}']).parse::<Uuid>() {
            Ok(id) => Filter::equals("workflowid", id)?,
            Err(_) => Filter::equals("name", which)?
                .and(Filter::equals("category", CLOUD_FLOW)?)
                .and(Filter::equals("type", 1)?),
        };
        let query = Query::new().select(&COLUMNS)?.filter(filter);
        let found = self
            .rows("workflows", &query)?
            .iter()
            .filter_map(read)
            .collect();
        self.only("flow", which, found)
    }

    /// Turns a flow on.
    ///
    /// # Errors
    /// [`EnvironmentError::FlowStaysOff`] with the service's reason.
    pub fn turn_on_flow(&self, which: &str) -> Result<Change, EnvironmentError> {
        let flow = self.flow(which)?;
        if flow.on {
            return Ok(Change::none(format!("flow {} is on", flow.name)));
        }
        self.set_flow_state(&flow, true)?;
        Ok(Change::made(format!("flow {} turned on", flow.name)))
    }

    /// Turns a flow off.
    ///
    /// # Errors
    /// See [`EnvironmentError`].
    pub fn turn_off_flow(&self, which: &str) -> Result<Change, EnvironmentError> {
        let flow = self.flow(which)?;
        if !flow.on {
            return Ok(Change::none(format!("flow {} is off", flow.name)));
        }
        self.set_flow_state(&flow, false)?;
        Ok(Change::made(format!("flow {} turned off", flow.name)))
    }

    /// Gives a flow to another owner: off, owner, as before. The owner of a flow that is on
    /// cannot be changed safely (ALM Accelerator notes, 1.8).
    ///
    /// # Errors
    /// [`EnvironmentError::FlowStaysOff`] when it cannot be turned on again for its new owner.
    pub fn set_flow_owner(&self, which: &str, owner: &str) -> Result<Change, EnvironmentError> {
        let flow = self.flow(which)?;
        let user = self.user(owner)?;
        if flow.owner == Some(user.id) {
            return Ok(Change::none(format!(
                "flow {} belongs to {}",
                flow.name, user.name
            )));
        }
        if flow.on {
            self.set_flow_state(&flow, false)?;
        }
        let binding = Self::binding("systemusers", user.id)?;
        let columns = json!({ "ownerid@odata.bind": binding });
        let changed = self.update_row("workflows", &flow.id.into(), &columns);
        if flow.on {
            // Also after a refusal, so that the flow is not left off by mistake.
            self.set_flow_state(&flow, true)?;
        }
        changed?;
        Ok(Change::made(format!(
            "flow {} given to {}",
            flow.name, user.name
        )))
    }

    fn set_flow_state(&self, flow: &Flow, on: bool) -> Result<(), EnvironmentError> {
        let columns = if on {
            json!({ "statecode": 1, "statuscode": 2 })
        } else {
            json!({ "statecode": 0, "statuscode": 1 })
        };
        match self.update_row("workflows", &flow.id.into(), &columns) {
            Err(EnvironmentError::Refused(refusal)) if on => Err(EnvironmentError::FlowStaysOff {
                flow: flow.name.clone(),
                refusal,
            }),
            other => other,
        }
    }
}

fn read(row: &Row) -> Option<Flow> {
    let client_data: Value = serde_json::from_str(&text(row, "clientdata")).unwrap_or_default();
    let properties = &client_data["properties"];
    let mut connection_references: Vec<String> = properties["connectionReferences"]
        .as_object()
        .into_iter()
        .flat_map(|references| references.values())
        .filter_map(|reference| {
            reference["connection"]["connectionReferenceLogicalName"]
                .as_str()
                .map(str::to_owned)
        })
        .collect();
    connection_references.sort();
    connection_references.dedup();
    let mut calls = Vec::new();
    collect_calls(&properties["definition"], &mut calls);
    calls.sort();
    calls.dedup();
    Some(Flow {
        id: guid(row, "workflowid")?,
        name: text(row, "name"),
        on: row.get("statecode").and_then(Value::as_i64) == Some(1),
        owner: guid(row, "_ownerid_value"),
        connection_references,
        calls,
    })
}

/// Finds the child flows that a definition calls, at any depth: actions of type `Workflow` whose
/// host names a flow.
fn collect_calls(value: &Value, calls: &mut Vec<Uuid>) {
    match value {
        Value::Object(members) => {
            let child = &value["inputs"]["host"]["workflowReferenceName"];
            if let Some(id) = child.as_str().and_then(|text| text.parse().ok()) {
                calls.push(id);
            }
            members
                .values()
                .for_each(|member| collect_calls(member, calls));
        }
        Value::Array(elements) => elements
            .iter()
            .for_each(|element| collect_calls(element, calls)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn child_flows_and_references_are_found_at_any_depth() {
        let child = Uuid::from_u128(9);
        let client_data = json!({"properties": {
            "connectionReferences": {"shared_x": {"connection": {"connectionReferenceLogicalName": "new_x"}}},
            "definition": {"actions": {"Scope": {"type": "Scope", "actions": {"If": {"type": "If",
                "else": {"actions": {"Run": {"type": "Workflow", "inputs": {"host": {"workflowReferenceName": child}}}}}}}}}}
        }});
        let row = json!({
            "workflowid": Uuid::from_u128(1), "name": "Parent", "statecode": 0,
            "clientdata": client_data.to_string(),
        });
        let flow = read(row.as_object().unwrap()).unwrap();
        assert_eq!(flow.calls, [child]);
        assert_eq!(flow.connection_references, ["new_x"]);
        assert!(!flow.on);
    }
}
