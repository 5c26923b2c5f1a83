//! Agents (Copilot Studio) and what they are made of.

use serde::Serialize;
use serde_json::Value;

use super::text;
use crate::solution::component::Component;
use crate::solution::keyed::Node;

/// An agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bot {
    /// Schema name.
    pub name: String,
    /// What people see.
    pub display_name: String,
    /// The number of its language: 1033 is English.
    pub language: String,
    /// How people sign in: `none`, `integrated`, `custom Entra ID`, `OAuth 2`, `unspecified`; the
    /// number for others.
    pub authentication: String,
    /// The template it was made from, where the package says it.
    pub template: Option<String>,
    /// Whether a model chooses the topics and tools that answer, where the configuration says it.
    pub generative: Option<bool>,
}

impl Bot {
    /// Reads a `bot` element with the configuration beside it.
    pub(crate) fn read(node: &Node<'_>, component: &Component) -> Option<Self> {
        let name = node.attribute("schemaname")?.to_owned();
        let configuration = component.payload_ending("/configuration.json");
        let configuration: Option<Value> = configuration.and_then(|file| {
            let text = String::from_utf8_lossy(&file.bytes);
            serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()
        });
        let generative = configuration
            .as_ref()
            .and_then(|read| read.pointer("/settings/GenerativeActionsEnabled"));
        Some(Self {
            display_name: node.at_path("name").unwrap_or(&name).to_owned(),
            language: text(node, "language"),
            authentication: match node.at_path("authenticationmode") {
                Some("0") => "unspecified".into(),
                Some("1") => "none".into(),
                Some("2") => "integrated".into(),
                Some("3") => "custom Entra ID".into(),
                Some("4") => "OAuth 2".into(),
                other => other.unwrap_or_default().to_owned(),
            },
            template: node.at_path("template").map(str::to_owned),
            generative: generative.and_then(Value::as_bool),
            name,
        })
    }
}

/// A part of an agent: a topic, a tool, a knowledge source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BotComponent {
    /// Schema name.
    pub name: String,
    /// What people see.
    pub display_name: String,
    /// What it is: `topic`, `entity`, `variable`, `knowledge source` …; the number for others.
    #[serde(rename = "type")]
    pub component_type: String,
    /// What it does; may be empty.
    pub description: String,
    /// The kind of its definition as the data beside it says: `AdaptiveDialog`, `TaskDialog`,
    /// `AgentDialog` …
    pub definition: Option<String>,
    /// The schema name of its agent. Parts that several agents share name none; a package tells of
    /// them in `Assets/bot_botcomponentset.xml`.
    pub agent: Option<String>,
    /// The schema name of the part that it belongs to.
    pub parent: Option<String>,
    /// Whether it is on.
    pub active: bool,
}

impl BotComponent {
    /// Reads a `botcomponent` element with the data beside it.
    pub(crate) fn read(node: &Node<'_>, component: &Component) -> Option<Self> {
        let name = node.attribute("schemaname")?.to_owned();
        let data = component.payload_ending("/data");
        let data = data.map(|file| String::from_utf8_lossy(&file.bytes).into_owned());
        let definition = data.as_deref().and_then(|data| {
            // The data is YAML; what it is stands at its very top.
            let mut lines = data.trim_start_matches('\u{feff}').lines();
            lines.find_map(|line| line.strip_prefix("kind:"))
        });
        Some(Self {
            display_name: node.at_path("name").unwrap_or(&name).to_owned(),
            component_type: what(node.at_path("componenttype").unwrap_or_default()),
            description: text(node, "description"),
            definition: definition.map(|kind| kind.trim().to_owned()),
            agent: node.at_path("parentbotid/schemaname").map(str::to_owned),
            parent: node
                .at_path("parentbotcomponentid/schemaname")
                .map(str::to_owned),
            active: node.at_path("statecode") != Some("1"),
            name,
        })
    }
}

/// The choice `botcomponent_componenttype`. The second generation of an agent's parts has numbers of
/// its own.
fn what(number: &str) -> String {
    match number {
        "0" | "9" => "topic",
        "1" | "13" => "skill",
        "2" | "12" => "variable",
        "3" | "11" => "entity",
        "4" => "dialog",
        "5" => "trigger",
        "6" => "language understanding",
        "7" => "language generation",
        "8" => "dialog schema",
        "10" => "translations",
        "14" => "file",
        "15" => "instructions",
        "16" => "knowledge source",
        "17" => "external trigger",
        "18" => "settings",
        "19" => "test case",
        other => other,
    }
    .to_owned()
}
