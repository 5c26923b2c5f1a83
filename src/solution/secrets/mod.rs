//! Likely secrets, and sizes and names that a service refuses, found before a package is made.
//!
//! A solution is a bad place for a secret: everybody who can read the repository or export the
//! solution has it. The rules look at names that promise a secret beside a literal value, and at
//! values whose form is that of a secret. What they find is never repeated in the message.

mod limits;
mod patterns;

use super::keyed::{Form, Node, with_document};
use super::xml::line_at;
use super::{Finding, SourceTree};

pub use limits::limits;

/// The code of a finding about a likely secret.
const SECRET: &str = "ALM-P210";

/// Likely secrets in flows, environment variables, connectors, plug-in steps and scripts, each with
/// file and line.
pub fn secrets(tree: &SourceTree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, data) in tree.iter() {
        if !is_searched(path) {
            continue;
        }
        let structured = with_document(path, data, |document, text| {
            let mut search = Search {
                path,
                text,
                found: Vec::new(),
            };
            search.node(&document.root, None);
            search.found
        });
        match structured {
            Ok(Some(more)) => found.extend(more),
            // Not well formed, or plain text: line by line.
            _ => found.extend(in_lines(path, data)),
        }
    }
    found
}

fn is_searched(path: &str) -> bool {
    let folder = path.split('/').next().unwrap_or_default();
    let in_text = |ends: &[&str]| ends.iter().any(|end| path.ends_with(end));
    match folder {
        "Workflows" => path.ends_with(".json"),
        "environmentvariabledefinitions" | "SdkMessageProcessingSteps" => true,
        "Connectors" => in_text(&[".json", ".csx", ".xml"]),
        "WebResources" => in_text(&[".js", ".ts", ".html", ".htm", ".json", ".config"]),
        "bots" | "botcomponents" => true,
        _ => false,
    }
}

struct Search<'s> {
    path: &'s str,
    text: &'s str,
    found: Vec<Finding>,
}

impl Search<'_> {
    fn node(&mut self, node: &Node<'_>, parent: Option<&Node<'_>>) {
        if let Some(value) = node.value()
            && let Some(reason) = self.reason(node, parent, value)
        {
            let message = format!(
                "{reason}; keep it in a secret environment variable (Azure Key Vault) or in the connection"
            );
            let line = line_at(self.text, node.at);
            self.found
                .push(Finding::warning(SECRET, self.path, message).at(line));
        }
        for piece in node.attributes.iter().chain(node.children()) {
            self.node(piece, Some(node));
        }
    }

    fn reason(&self, node: &Node<'_>, parent: Option<&Node<'_>>, value: &str) -> Option<String> {
        if let Some(form) = patterns::form_of_secret(value) {
            return Some(match &*node.name {
                "" => format!("a value looks like {form}"),
                name => format!("`{name}` looks like {form}"),
            });
        }
        if node.form == Form::Json && !node.is_text() {
            return None;
        }
        let named = if self.path.starts_with("environmentvariabledefinitions/") {
            // The variable's name stands in the path, its value in an element of a fixed name.
            matches!(&*node.name, "defaultvalue" | "value")
                .then(|| self.path.split('/').nth(1))
                .flatten()
        } else {
            Some(&*node.name)
        };
        // A query parameter or header as `{ "name": "api-key", "value": "…" }`.
        let beside = parent
            .filter(|_| matches!(&*node.name, "value" | "Value" | "defaultValue"))
            .and_then(|parent| parent.at_path("name").or_else(|| parent.at_path("key")));
        let is_secure_parameter = &*node.name == "defaultValue"
            && parent.is_some_and(|parent| {
                parent
                    .at_path("type")
                    .is_some_and(|kind| kind.eq_ignore_ascii_case("securestring"))
            });
        let names = [named, beside];
        let name = names
            .into_iter()
            .flatten()
            .find(|name| patterns::promises_secret(name));
        if (name.is_some() || is_secure_parameter) && patterns::is_literal(value) {
            let name = name.unwrap_or("the default of a secure parameter");
            return Some(format!(
                "`{name}` holds a literal value that is probably a secret"
            ));
        }
        None
    }
}

fn in_lines(path: &str, data: &[u8]) -> Vec<Finding> {
    let Ok(text) = std::str::from_utf8(data) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (line, number) in text.lines().zip(1u32..) {
        let reason = patterns::form_of_secret(line)
            .map(|form| format!("the line holds what looks like {form}"))
            .or_else(|| {
                let name = patterns::assigned_secret(line)?;
                Some(format!(
                    "`{name}` is given a literal value that is probably a secret"
                ))
            });
        if let Some(reason) = reason {
            let message = format!("{reason}; whoever can open the app can read it");
            found.push(Finding::warning(SECRET, path, message).at(number));
        }
    }
    found
}
