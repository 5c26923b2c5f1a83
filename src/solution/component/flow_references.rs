//! What a cloud flow's definition refers to, read from its JSON.

use std::collections::BTreeSet;

use serde_json::Value;

use super::plain_id;

/// What a cloud flow's definition refers to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlowReferences {
    /// Logical names of connection references, in lower case, sorted.
    pub connection_references: Vec<String>,
    /// Ids of flows that it runs, without braces, sorted.
    pub child_flows: Vec<String>,
    /// Schema names of environment variables, in lower case, sorted.
    pub variables: Vec<String>,
    /// Tables, as the steps of the Dataverse connector name them, in lower case, sorted: triggers
    /// by the logical name, actions by the name of the entity set.
    pub tables: Vec<String>,
}

/// Reads a cloud flow's definition (the column `clientdata`, or its JSON part).
///
/// A definition that is not JSON refers to nothing.
pub fn flow_references(definition: &[u8]) -> FlowReferences {
    let text = String::from_utf8_lossy(definition);
    let Ok(root) = serde_json::from_str::<Value>(text.trim_start_matches('\u{feff}')) else {
        return FlowReferences::default();
    };
    let properties = root.get("properties").unwrap_or(&root);
    let mut connections = BTreeSet::new();
    let mut variables = BTreeSet::new();
    if let Some(Value::Object(map)) = properties.get("connectionReferences") {
        for reference in map.values() {
            let name = reference
                .pointer("/connection/connectionReferenceLogicalName")
                .or_else(|| reference.get("connectionReferenceLogicalName"));
            connections.extend(name.and_then(Value::as_str).map(str::to_ascii_lowercase));
        }
    }
    if let Some(Value::Object(map)) = properties.pointer("/definition/parameters") {
        for parameter in map.values() {
            let name = parameter
                .pointer("/metadata/schemaName")
                .and_then(Value::as_str);
            variables.extend(name.map(str::to_ascii_lowercase));
        }
    }
    let mut children = BTreeSet::new();
    let mut tables = BTreeSet::new();
    if let Some(definition) = properties.get("definition") {
        child_flows(definition, &mut children);
        tables_of(definition, &mut tables);
    }
    FlowReferences {
        connection_references: connections.into_iter().collect(),
        child_flows: children.into_iter().collect(),
        variables: variables.into_iter().collect(),
        tables: tables.into_iter().collect(),
    }
}

/// Finds the tables that steps of the Dataverse connector work with; a name that is computed when
/// the flow runs is none.
fn tables_of(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for name in ["entityName", "subscriptionRequest/entityname"] {
                let table = value
                    .pointer("/inputs/parameters")
                    .and_then(|p| p.get(name));
                let table = table
                    .and_then(Value::as_str)
                    .filter(|name| !name.contains('@'));
                found.extend(table.map(str::to_ascii_lowercase));
            }
            map.values().for_each(|inner| tables_of(inner, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| tables_of(inner, found)),
        _ => {}
    }
}

/// Finds `inputs.host.workflowReferenceName` of the actions of type `Workflow`, however deep.
fn child_flows(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            let is_call = map
                .get("type")
                .and_then(Value::as_str)
                .is_some_and(|kind| kind.eq_ignore_ascii_case("Workflow"));
            if is_call {
                let name = value.pointer("/inputs/host/workflowReferenceName");
                found.extend(name.and_then(Value::as_str).map(plain_id));
            }
            map.values().for_each(|inner| child_flows(inner, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| child_flows(inner, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_names_its_connections_children_and_variables() {
        let flow = serde_json::json!({"properties": {
        "connectionReferences": {"a": {"connection": {"connectionReferenceLogicalName": "New_Ref"}}},
        "definition": {
            "parameters": {"X (new_X)": {"metadata": {"schemaName": "new_X"}}},
            "actions": {"If": {"actions": {"Run": {"type": "Workflow", "inputs": {"host": {
                "workflowReferenceName": "096175F7-d8bc-ed11-83fe-00224807864e"}}},
                "List": {"inputs": {"parameters": {"entityName": "New_Things"}}},
                "Any": {"inputs": {"parameters": {"entityName": "@variables('x')"}}}}}}
        }}});
        let found = flow_references(flow.to_string().as_bytes());
        assert_eq!(found.connection_references, ["new_ref"]);
        assert_eq!(found.child_flows, ["096175f7-d8bc-ed11-83fe-00224807864e"]);
        assert_eq!(found.variables, ["new_x"]);
        assert_eq!(found.tables, ["new_things"]);
        assert_eq!(flow_references(b"not json"), FlowReferences::default());
    }
}
