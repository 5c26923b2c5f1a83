//! Writing settings files: what a solution in an environment needs to be told in its targets,
//! merged with what the files say already (ALM Accelerator notes, 1.3 steps 3 and 4, and 2.5).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::DeploymentError;
use super::settings_file::{SettingsFile, member};
use crate::environment::{Environment, Flow, flow_order};

/// Values that somebody gave for a target, by the names of the ALM Accelerator:
/// `environmentvariable.<schema>`, `connectionreference.<logical>`,
/// `connectionreference.user.<logical>`.
pub type SettingValues = BTreeMap<String, String>;

/// What a solution needs settings for.
#[derive(Debug, Clone, PartialEq)]
pub struct Collected {
    /// Schema names of its environment variables.
    pub variables: Vec<String>,
    /// Its connection references: logical name and connector.
    pub connections: Vec<(String, String)>,
    /// Its flows, in the order in which they can be turned on.
    pub flows: Vec<Flow>,
}

/// Asks `environment` what the solution called `solution` needs settings for.
///
/// # Errors
/// When the environment cannot be asked, or flows call each other in a circle.
pub fn collect(environment: &Environment, solution: &str) -> Result<Collected, DeploymentError> {
    let variables = environment
        .variables(solution)?
        .into_iter()
        .map(|v| v.schema_name)
        .collect();
    let flows = flow_order(
        &environment.flows(solution)?,
        &std::collections::HashMap::new(),
    )?;
    let connections = environment
        .connection_references_of(solution)?
        .into_iter()
        .map(|reference| (reference.logical_name, reference.connector))
        .collect();
    Ok(Collected {
        variables,
        connections,
        flows,
    })
}

impl Collected {
    /// Adds what is missing in `deploymentSettings.json` and sets what `values` gives. Entries
    /// that are there keep their place, their other members and, without a new value, their
    /// value. With `tokens`, values become tokens `#{…}#` of the same name, to be given by the
    /// stage.
    pub fn merge_deployment(&self, file: &mut SettingsFile, values: &SettingValues, tokens: bool) {
        let variables = entries_mut(file, "EnvironmentVariables");
        for name in &self.variables {
            let entry = entry_mut(variables, "SchemaName", name, &["Value"]);
            set(
                entry,
                "Value",
                values,
                &format!("environmentvariable.{name}"),
                tokens,
            );
        }
        let references = entries_mut(file, "ConnectionReferences");
        for (name, connector) in &self.connections {
            let entry = entry_mut(
                references,
                "LogicalName",
                name,
                &["ConnectionId", "ConnectorId"],
            );
            set(
                entry,
                "ConnectionId",
                values,
                &format!("connectionreference.{name}"),
                tokens,
            );
            put(entry, "ConnectorId", connector.clone().into());
            let owner = format!("connectionreference.user.{name}");
            if values.contains_key(&owner) {
                set(entry, "ConnectionOwner", values, &owner, tokens);
            }
        }
    }

    /// Adds the flows that are missing in `customDeploymentSettings.json`, with the state that
    /// they have now and their place in the order.
    pub fn merge_custom(&self, file: &mut SettingsFile) {
        let entries = entries_mut(file, "ActivateFlowConfiguration");
        for (place, flow) in self.flows.iter().enumerate() {
            let id = flow.id.to_string();
            let known = entries
                .iter()
                .any(|entry| has(entry, "solutionComponentUniqueName", &id));
            if !known {
                entries.push(json!({
                    "solutionComponentName": flow.name,
                    "solutionComponentUniqueName": id,
                    "sortOrder": place + 1,
                    "activate": if flow.on { "true" } else { "false" },
                }));
            }
        }
    }

    /// Entries of a file for things that the solution does not have any more. They are kept,
    /// since somebody wrote them.
    pub fn stale(&self, file: &SettingsFile) -> Vec<String> {
        let mut stale = Vec::new();
        for entry in file.list("EnvironmentVariables") {
            let name = text(&entry, "SchemaName");
            if !name.is_empty()
                && !self
                    .variables
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(&name))
            {
                stale.push(format!("environment variable {name}"));
            }
        }
        for entry in file.list("ConnectionReferences") {
            let name = text(&entry, "LogicalName");
            let known = self
                .connections
                .iter()
                .any(|(known, _)| known.eq_ignore_ascii_case(&name));
            if !name.is_empty() && !known {
                stale.push(format!("connection reference {name}"));
            }
        }
        stale
    }
}

/// The list called `name`, made when it is missing.
fn entries_mut<'a>(file: &'a mut SettingsFile, name: &str) -> &'a mut Vec<Value> {
    let key = file
        .members
        .keys()
        .find(|key| key.eq_ignore_ascii_case(name))
        .cloned();
    let value = file
        .members
        .entry(key.unwrap_or_else(|| name.to_owned()))
        .or_insert(Value::Null);
    if !value.is_array() {
        // A list of one element is sometimes written without its brackets.
        *value = match value.take() {
            single @ Value::Object(_) => Value::Array(vec![single]),
            _ => Value::Array(Vec::new()),
        };
    }
    value.as_array_mut().expect("it was just made a list")
}

/// The entry whose `key` is `name`, added at the end with empty `fields` when it is missing.
fn entry_mut<'a>(
    entries: &'a mut Vec<Value>,
    key: &str,
    name: &str,
    fields: &[&str],
) -> &'a mut Map<String, Value> {
    let at = match entries.iter().position(|entry| has(entry, key, name)) {
        Some(at) => at,
        None => {
            let mut entry = Map::new();
            entry.insert(key.to_owned(), name.into());
            for field in fields {
                entry.insert((*field).to_owned(), "".into());
            }
            entries.push(Value::Object(entry));
            entries.len() - 1
        }
    };
    entries[at]
        .as_object_mut()
        .expect("an entry with a key is an object")
}

fn set(
    entry: &mut Map<String, Value>,
    field: &str,
    values: &SettingValues,
    name: &str,
    tokens: bool,
) {
    if tokens {
        let empty = member(entry, field)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .is_empty();
        if empty || values.contains_key(name) {
            put(entry, field, format!("#{{{name}}}#").into());
        }
    } else if let Some(value) = values.get(name) {
        put(entry, field, value.clone().into());
    }
}

fn put(entry: &mut Map<String, Value>, field: &str, value: Value) {
    let key = entry
        .keys()
        .find(|key| key.eq_ignore_ascii_case(field))
        .cloned();
    entry.insert(key.unwrap_or_else(|| field.to_owned()), value);
}

fn has(entry: &Value, key: &str, name: &str) -> bool {
    text(entry, key)
        .trim_matches(['{', '}'])
        .eq_ignore_ascii_case(name)
}

fn text(entry: &Value, key: &str) -> String {
    let value = entry.as_object().and_then(|members| member(members, key));
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collected() -> Collected {
        Collected {
            variables: vec!["new_A".into(), "new_B".into()],
            connections: vec![("new_ref".into(), "/providers/x/apis/shared_x".into())],
            flows: Vec::new(),
        }
    }

    #[test]
    fn known_entries_keep_place_value_and_unknown_members() {
        let text = br#"{"Note": "ours", "environmentVariables": [{"SchemaName": "new_b", "Value": "kept", "x": 1}], "ConnectionReferences": null}"#;
        let mut file = SettingsFile::parse("f", text).unwrap();
        collected().merge_deployment(&mut file, &SettingValues::new(), false);
        let json = Value::Object(file.members.clone());
        assert_eq!(
            json,
            json!({
                "Note": "ours",
                "environmentVariables": [
                    {"SchemaName": "new_b", "Value": "kept", "x": 1},
                    {"SchemaName": "new_A", "Value": ""},
                ],
                "ConnectionReferences": [
                    {"LogicalName": "new_ref", "ConnectionId": "", "ConnectorId": "/providers/x/apis/shared_x"},
                ],
            })
        );
        let before = file.to_bytes();
        collected().merge_deployment(&mut file, &SettingValues::new(), false);
        assert_eq!(file.to_bytes(), before, "a second time changes nothing");
    }

    #[test]
    fn values_survive_as_tokens_or_raw() {
        let value = "a \"quoted\" \\ value\n# ü";
        let values =
            SettingValues::from([("environmentvariable.new_A".to_owned(), value.to_owned())]);
        let mut raw = SettingsFile::new("S/config/test/deploymentSettings.json");
        collected().merge_deployment(&mut raw, &values, false);
        let read = SettingsFile::parse(&raw.path, &raw.to_bytes()).unwrap();
        assert_eq!(read.list("EnvironmentVariables")[0]["Value"], value);
        let mut tokens = SettingsFile::new("S/config/test/deploymentSettings.json");
        collected().merge_deployment(&mut tokens, &values, true);
        let token = "#{environmentvariable.new_A}#";
        assert_eq!(tokens.list("EnvironmentVariables")[0]["Value"], token);
        let mut missing = Vec::new();
        let all = BTreeMap::from([
            ("environmentvariable.new_A".to_owned(), value.to_owned()),
            ("environmentvariable.new_B".to_owned(), String::new()),
            ("connectionreference.new_ref".to_owned(), String::new()),
        ]);
        tokens.replace_tokens(&all, &mut missing);
        assert_eq!(tokens.list("EnvironmentVariables")[0]["Value"], value);
        assert_eq!(missing, []);
    }

    #[test]
    fn entries_without_their_thing_are_reported() {
        let text = br#"{"EnvironmentVariables": [{"SchemaName": "new_Gone", "Value": "1"}]}"#;
        let file = SettingsFile::parse("f", text).unwrap();
        assert_eq!(collected().stale(&file), ["environment variable new_Gone"]);
    }
}
