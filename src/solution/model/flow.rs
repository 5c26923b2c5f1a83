//! A cloud flow as its steps in the order they run, not as JSON.

use serde::Serialize;
use serde_json::{Map, Value};

use super::as_object;
use crate::solution::PackageError;
use crate::solution::xml::Fault;

/// A cloud flow's definition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Flow {
    /// What starts it; one, but the format allows several.
    pub triggers: Vec<Step>,
    /// What it does, in the order it runs.
    pub steps: Vec<Step>,
    /// The connections it uses.
    pub connections: Vec<FlowConnection>,
}

/// A connection that a flow uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FlowConnection {
    /// How its steps name it.
    pub key: String,
    /// The connector, for example `shared_office365`.
    pub connector: String,
    /// The logical name of the connection reference, if it goes through one.
    pub reference: Option<String>,
}

/// A trigger or an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its name, unique in the flow.
    pub name: String,
    /// Its type as written: `OpenApiConnection`, `If`, `Compose`.
    #[serde(rename = "type")]
    pub step_type: String,
    /// What it does, for a person.
    pub what: String,
    /// The steps it waits for, each with the outcomes it accepts.
    #[serde(serialize_with = "as_object")]
    pub runs_after: Vec<(String, Vec<String>)>,
    /// What it passes on: names with values; texts as they are, everything else as JSON.
    #[serde(serialize_with = "as_object")]
    pub inputs: Vec<(String, String)>,
    /// What runs inside it.
    pub branches: Vec<Branch>,
}

/// A list of steps inside a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Branch {
    /// `yes` and `no` of a condition, the case of a switch, nothing for loops and scopes.
    pub label: String,
    /// Its steps in the order they run.
    pub steps: Vec<Step>,
}

impl Flow {
    /// Reads the JSON of a flow, as a package has it or as the column `clientdata` holds it.
    ///
    /// # Errors
    /// [`PackageError::Xml`] with the line if `bytes` is not JSON.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, PackageError> {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_start_matches('\u{feff}');
        let root: Value = serde_json::from_str(text).map_err(|error| {
            let lines = text.split_inclusive('\n').take(error.line().max(1) - 1);
            Fault::new(
                lines.map(str::len).sum(),
                format!("the flow is not JSON: {error}"),
            )
            .in_file(file, text)
        })?;
        let properties = root.get("properties").unwrap_or(&root);
        let definition = properties.get("definition").unwrap_or(properties);
        Ok(Self {
            triggers: steps(definition.get("triggers")),
            steps: steps(definition.get("actions")),
            connections: connections(properties.get("connectionReferences")),
        })
    }

    /// Every step at any depth with the names of the steps around it, in the order they run;
    /// triggers first.
    pub fn all_steps(&self) -> Vec<(Vec<&str>, &Step)> {
        fn walk<'a>(
            steps: &'a [Step],
            around: &mut Vec<&'a str>,
            found: &mut Vec<(Vec<&'a str>, &'a Step)>,
        ) {
            for step in steps {
                found.push((around.clone(), step));
                around.push(&step.name);
                for branch in &step.branches {
                    walk(&branch.steps, around, found);
                }
                around.pop();
            }
        }
        let mut found = Vec::new();
        walk(&self.triggers, &mut Vec::new(), &mut found);
        walk(&self.steps, &mut Vec::new(), &mut found);
        found
    }

    /// The flow as indented lines, one for each step.
    pub fn outline(&self) -> String {
        let mut out = String::new();
        for trigger in &self.triggers {
            out.push_str(&format!(
                "when  {}: {}\n",
                spoken(&trigger.name),
                trigger.what
            ));
        }
        write_steps(&self.steps, 0, &mut out);
        out
    }
}

fn write_steps(steps: &[Step], depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    for (number, step) in steps.iter().enumerate() {
        let line = format!(
            "{indent}{}. {}: {}\n",
            number + 1,
            spoken(&step.name),
            step.what
        );
        out.push_str(&line);
        for branch in &step.branches {
            if branch.label.is_empty() {
                write_steps(&branch.steps, depth + 1, out);
            } else if !branch.steps.is_empty() {
                out.push_str(&format!("{indent}  {}:\n", branch.label));
                write_steps(&branch.steps, depth + 2, out);
            }
        }
    }
}

/// The name as the designer shows it.
fn spoken(name: &str) -> String {
    name.replace('_', " ")
}

/// The members of an object of steps, sorted into the order they run.
fn steps(value: Option<&Value>) -> Vec<Step> {
    let Some(Value::Object(members)) = value else {
        return Vec::new();
    };
    let mut waiting: Vec<Step> = members
        .iter()
        .map(|(name, step)| read_step(name, step))
        .collect();
    let mut sorted: Vec<Step> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let ready = waiting.iter().position(|step| {
            step.runs_after
                .iter()
                .all(|(name, _)| !waiting.iter().any(|other| other.name == *name))
        });
        // Steps that wait for each other in a circle keep the order of the file.
        sorted.push(waiting.remove(ready.unwrap_or(0)));
    }
    sorted
}

fn read_step(name: &str, step: &Value) -> Step {
    let step_type = text(step.get("type"));
    let runs_after = step.get("runAfter").and_then(Value::as_object);
    Step {
        name: name.to_owned(),
        what: what(&step_type, step),
        runs_after: runs_after.map(outcomes).unwrap_or_default(),
        inputs: inputs(step),
        branches: branches(&step_type, step),
        step_type,
    }
}

fn outcomes(members: &Map<String, Value>) -> Vec<(String, Vec<String>)> {
    members
        .iter()
        .map(|(name, accepted)| {
            let accepted = accepted.as_array().map(Vec::as_slice).unwrap_or_default();
            (
                name.clone(),
                accepted.iter().map(|one| text(Some(one))).collect(),
            )
        })
        .collect()
}

fn branches(step_type: &str, step: &Value) -> Vec<Branch> {
    let branch = |label: &str, value: Option<&Value>| Branch {
        label: label.to_owned(),
        steps: steps(value),
    };
    let mut found = Vec::new();
    let is_condition = step_type.eq_ignore_ascii_case("If");
    if step.get("actions").is_some() {
        found.push(branch(
            if is_condition { "yes" } else { "" },
            step.get("actions"),
        ));
    }
    if let Some(otherwise) = step.pointer("/else/actions") {
        found.push(branch("no", Some(otherwise)));
    }
    if let Some(Value::Object(cases)) = step.get("cases") {
        for (name, case) in cases {
            let label = format!("case {} ({})", spoken(name), text(case.get("case")));
            found.push(branch(&label, case.get("actions")));
        }
    }
    if let Some(otherwise) = step.pointer("/default/actions") {
        found.push(branch("otherwise", Some(otherwise)));
    }
    found.retain(|branch| !branch.steps.is_empty());
    found
}

/// One line that says what a step does, from its JSON.
pub(crate) fn describe(step: &Value) -> String {
    what(&text(step.get("type")), step)
}

fn what(step_type: &str, step: &Value) -> String {
    let input = |path: &str| text(step.pointer(&format!("/inputs/{path}")));
    match step_type.to_ascii_lowercase().as_str() {
        "openapiconnection"
        | "openapiconnectionwebhook"
        | "openapiconnectionnotification"
        | "apiconnection"
        | "apiconnectionwebhook" => {
            let api = input("host/apiId");
            let connector = api.rsplit('/').next().unwrap_or_default();
            let operation = input("host/operationId");
            format!("{} {operation}", connector.trim_start_matches("shared_"))
                .trim()
                .to_owned()
        }
        "if" => format!("if {}", condition(step.get("expression"))),
        "foreach" => format!("for each of {}", text(step.get("foreach"))),
        "until" => format!("until {}", condition(step.get("expression"))),
        "switch" => format!("by the value of {}", text(step.get("expression"))),
        "scope" => "scope".to_owned(),
        "compose" => format!("compose {}", text(step.get("inputs"))),
        "initializevariable" => format!(
            "variable {} ({}) = {}",
            input("variables/0/name"),
            input("variables/0/type"),
            input("variables/0/value")
        ),
        "setvariable"
        | "incrementvariable"
        | "decrementvariable"
        | "appendtoarrayvariable"
        | "appendtostringvariable" => {
            format!(
                "{} {} with {}",
                words(step_type),
                input("name"),
                input("value")
            )
        }
        "http" => format!("{} {}", input("method"), input("uri")),
        "workflow" => format!("run the flow {}", input("host/workflowReferenceName")),
        "recurrence" => {
            let recurrence = |name: &str| text(step.pointer(&format!("/recurrence/{name}")));
            format!(
                "every {} {}",
                recurrence("interval"),
                recurrence("frequency")
            )
        }
        "terminate" => format!("end as {}", input("runStatus")),
        "request" => format!("request {}", text(step.get("kind")))
            .trim()
            .to_owned(),
        _ => words(step_type),
    }
}

/// `AppendToArrayVariable` as `append to array variable`.
fn words(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// A condition as a person writes it: `a equals b and not c`.
pub(crate) fn condition(value: Option<&Value>) -> String {
    let Some(Value::Object(members)) = value else {
        return text(value);
    };
    let parts: Vec<String> = members
        .iter()
        .map(|(operator, operands)| match (operator.as_str(), operands) {
            ("and" | "or", Value::Array(items)) => {
                let inner: Vec<String> = items.iter().map(|item| condition(Some(item))).collect();
                match inner.len() {
                    1 => inner.concat(),
                    _ => format!("({})", inner.join(&format!(" {operator} "))),
                }
            }
            ("not", inner) => format!("not {}", condition(Some(inner))),
            (operator, Value::Array(items)) if items.len() == 2 => {
                let side = |item: &Value| match item {
                    Value::String(text) if !text.starts_with('@') => format!("'{text}'"),
                    other => text(Some(other)),
                };
                format!("{} {operator} {}", side(&items[0]), side(&items[1]))
            }
            (operator, other) => format!("{operator} {}", text(Some(other))),
        })
        .collect();
    parts.join(" and ")
}

/// The named values of a step. Parameters stand for themselves; what the designer writes (host,
/// authentication) is left out.
fn inputs(step: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    match step.get("inputs") {
        Some(Value::Object(members)) => {
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("host" | "authentication", _) => {}
                    ("parameters", Value::Object(parameters)) => found.extend(
                        parameters
                            .iter()
                            .map(|(name, value)| (name.clone(), text(Some(value)))),
                    ),
                    _ => found.push((name.clone(), text(Some(value)))),
                }
            }
        }
        Some(value) => found.push(("inputs".to_owned(), text(Some(value)))),
        None => {}
    }
    found
}

/// A text as it is, everything else as JSON in one line, nothing as nothing.
fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn connections(value: Option<&Value>) -> Vec<FlowConnection> {
    let Some(Value::Object(members)) = value else {
        return Vec::new();
    };
    members
        .iter()
        .map(|(key, connection)| {
            let reference = connection
                .pointer("/connection/connectionReferenceLogicalName")
                .or_else(|| connection.get("connectionReferenceLogicalName"))
                .and_then(Value::as_str);
            let connector = connection
                .pointer("/api/name")
                .or_else(|| connection.get("id"))
                .and_then(Value::as_str)
                .unwrap_or(key);
            FlowConnection {
                key: key.clone(),
                connector: connector.rsplit('/').next().unwrap_or(connector).to_owned(),
                reference: reference.map(str::to_owned),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stand_in_the_order_they_run_with_their_branches() {
        let flow = Flow::read(
            "f.json",
            br#"{"properties":{"connectionReferences":{"c":{"api":{"name":"shared_x"},"connection":{"connectionReferenceLogicalName":"a_b"}}},
            "definition":{"triggers":{"Daily":{"type":"Recurrence","recurrence":{"interval":1,"frequency":"Day"}}},
            "actions":{"Last":{"type":"Compose","inputs":"@x","runAfter":{"Check":["Succeeded"]}},
              "Check":{"type":"If","expression":{"and":[{"equals":["@a","b"]},{"not":{"equals":["@c",1]}}]},"runAfter":{"First":["Succeeded"]},
                "actions":{"Send_it":{"type":"OpenApiConnection","inputs":{"host":{"apiId":"/p/shared_x","operationId":"Send"},"parameters":{"to":"me"}}}},
                "else":{"actions":{"Stop":{"type":"Terminate","inputs":{"runStatus":"Failed"}}}}},
              "First":{"type":"InitializeVariable","inputs":{"variables":[{"name":"v","type":"string","value":"1"}]}}}}}}"#,
        )
        .unwrap();
        assert_eq!(
            flow.outline(),
            "when  Daily: every 1 Day\n\
             1. First: variable v (string) = 1\n\
             2. Check: if (@a equals 'b' and not @c equals 1)\n  yes:\n    1. Send it: x Send\n  no:\n    1. Stop: end as Failed\n\
             3. Last: compose @x\n"
        );
        assert_eq!(flow.connections[0].reference.as_deref(), Some("a_b"));
        let inside = flow.all_steps();
        assert_eq!(inside[3].0, ["Check"]);
        assert_eq!(inside[3].1.inputs, [("to".to_owned(), "me".to_owned())]);
    }

    #[test]
    fn steps_that_wait_for_each_other_do_not_hang() {
        let flow = Flow::read(
            "f.json",
            br#"{"definition":{"actions":{"A":{"runAfter":{"B":[]}},"B":{"runAfter":{"A":[]}}}}}"#,
        )
        .unwrap();
        assert_eq!(flow.steps.len(), 2);
    }
}
