//! Custom connectors, as their OpenAPI definition describes them.

use serde::Serialize;
use serde_json::Value;

use super::{id_of, text};
use crate::solution::component::Component;
use crate::solution::keyed::Node;

/// A custom connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Connector {
    /// Id, without braces.
    pub id: String,
    /// Its name in the environment.
    pub name: String,
    /// What people see.
    pub display_name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// The server that it calls.
    pub host: String,
    /// The path on that server that all operations begin with.
    pub base_path: String,
    /// What it can do, in the order of the definition.
    pub operations: Vec<Operation>,
    /// The names of what a connection asks its maker for: `api_key`, `token`.
    pub connection_parameters: Vec<String>,
    /// Whether it brings code of its own.
    pub custom_code: bool,
    /// Why the definition could not be read; operations are empty then.
    pub problem: Option<String>,
}

/// An operation of a connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Operation {
    /// Its id, by which flows call it.
    pub id: String,
    /// `get`, `post` …
    pub method: String,
    /// Its path below the base path.
    pub path: String,
    /// What people see; may be empty.
    pub summary: String,
}

impl Connector {
    /// Reads a `Connector` element with the files beside it.
    pub(crate) fn read(node: &Node<'_>, component: &Component) -> Option<Self> {
        let name = node.at_path("name")?.to_owned();
        let display_name = node.at_path("displayname").filter(|name| !name.is_empty());
        let mut connector = Self {
            id: id_of(&text(node, "connectorid")),
            display_name: display_name.unwrap_or(&name).to_owned(),
            description: text(node, "description"),
            host: String::new(),
            base_path: String::new(),
            operations: Vec::new(),
            connection_parameters: Vec::new(),
            custom_code: component.payload_ending("_customcode.csx").is_some(),
            problem: None,
            name,
        };
        let json = |ending: &str| -> Result<Option<Value>, String> {
            let Some(file) = component.payload_ending(ending) else {
                return Ok(None);
            };
            let text = String::from_utf8_lossy(&file.bytes);
            serde_json::from_str(text.trim_start_matches('\u{feff}'))
                .map(Some)
                .map_err(|error| format!("{} is not JSON: {error}", file.name))
        };
        match json("_openapidefinition.json") {
            Ok(Some(definition)) => connector.take(&definition),
            Ok(None) => connector.problem = Some("its OpenAPI definition is not there".into()),
            Err(problem) => connector.problem = Some(problem),
        }
        match json("_connectionparameters.json") {
            Ok(Some(Value::Object(parameters))) => {
                connector.connection_parameters = parameters.keys().cloned().collect();
            }
            Ok(_) => {}
            Err(problem) => connector.problem = Some(problem),
        }
        Some(connector)
    }

    fn take(&mut self, definition: &Value) {
        let string = |value: Option<&Value>| {
            let text = value.and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        self.host = string(definition.get("host"));
        self.base_path = string(definition.get("basePath"));
        let paths = definition.get("paths").and_then(Value::as_object);
        for (path, methods) in paths.into_iter().flatten() {
            for (method, operation) in methods.as_object().into_iter().flatten() {
                // Beside the methods stand parameters that all of them share.
                if let Some(id) = operation.get("operationId").and_then(Value::as_str) {
                    self.operations.push(Operation {
                        id: id.to_owned(),
                        method: method.clone(),
                        path: path.clone(),
                        summary: string(operation.get("summary")),
                    });
                }
            }
        }
    }
}
