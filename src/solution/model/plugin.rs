//! Server-side code: plug-in assemblies with their types, and the steps that run them.

use serde::Serialize;

use super::{id_of, list, text, words};
use crate::solution::keyed::Node;

/// A plug-in assembly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PluginAssembly {
    /// Id, without braces.
    pub id: String,
    /// Its name: `Contoso.Plugins`.
    pub name: String,
    /// Its version: `1.0.0.0`.
    pub version: String,
    /// Its culture, mostly `neutral`.
    pub culture: String,
    /// The token of the key that signed it; `null` for an unsigned one.
    pub public_key_token: String,
    /// Whether it runs in the sandbox and not with full trust.
    pub sandbox: bool,
    /// The part of the package that holds its code.
    pub file: String,
    /// The classes that it registers.
    pub types: Vec<PluginType>,
}

/// A class of an assembly that steps or processes can run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PluginType {
    /// Id, without braces.
    pub id: String,
    /// The full name of the class: `Contoso.Plugins.LockPermit`.
    pub name: String,
    /// What people see; often a GUID that a tool made.
    pub friendly_name: String,
    /// Under which heading processes offer it, if it is a workflow activity.
    pub workflow_group: Option<String>,
}

impl PluginAssembly {
    /// Reads a `PluginAssembly` element.
    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        let full_name = node.attribute("FullName")?;
        let mut pieces = full_name.split(',').map(str::trim);
        let name = pieces.next().unwrap_or_default().to_owned();
        let named = |wanted: &str| {
            let mut pieces = full_name.split(',').skip(1);
            pieces
                .find_map(|piece| piece.trim().strip_prefix(wanted)?.strip_prefix('='))
                .unwrap_or_default()
                .to_owned()
        };
        Some(Self {
            id: id_of(node.attribute("PluginAssemblyId").unwrap_or_default()),
            name,
            version: named("Version"),
            culture: named("Culture"),
            public_key_token: named("PublicKeyToken"),
            sandbox: node.at_path("IsolationMode") == Some("2"),
            file: text(node, "FileName").trim_start_matches('/').to_owned(),
            types: list(node, "PluginTypes")
                .iter()
                .map(|plugin_type| PluginType {
                    id: id_of(plugin_type.attribute("PluginTypeId").unwrap_or_default()),
                    name: text(plugin_type, "@Name"),
                    friendly_name: text(plugin_type, "FriendlyName"),
                    workflow_group: plugin_type
                        .at_path("WorkflowActivityGroupName")
                        .filter(|group| !group.is_empty())
                        .map(str::to_owned),
                })
                .collect(),
        })
    }
}

/// A plug-in step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PluginStep {
    /// Id, without braces.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The class it runs, with the assembly.
    pub plugin_type: String,
    /// The operation that sets it off: `Create`, `Update`. A package gives only the id; the name
    /// is known for Microsoft's common ones, else taken from the step's own name when a tool made
    /// that, else nothing.
    pub message: Option<String>,
    /// The id of the operation.
    pub message_id: String,
    /// The table it watches; empty for all.
    pub table: String,
    /// The columns that set it off; empty for all.
    pub columns: Vec<String>,
    /// 10 before validation, 20 before, 40 after the operation.
    pub stage: String,
    /// Whether it runs later, in the background.
    pub asynchronous: bool,
    /// Place among steps of the same stage.
    pub rank: i64,
    /// The copies of the row that it gets.
    pub images: Vec<StepImage>,
}

/// A copy of the row that a step gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepImage {
    /// Its name.
    pub name: String,
    /// Under which name the code finds it.
    pub alias: String,
    /// `pre` (as the row was), `post` (as it became) or `both`.
    #[serde(rename = "type")]
    pub image_type: String,
    /// The columns in it; empty for all.
    pub columns: Vec<String>,
}

impl PluginStep {
    /// Reads an `SdkMessageProcessingStep` element.
    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        let name = text(node, "@Name");
        let message_id = id_of(&text(node, "SdkMessageId"));
        Some(Self {
            id: id_of(node.attribute("SdkMessageProcessingStepId")?),
            plugin_type: text(node, "PluginTypeName"),
            message: message_name(&message_id).or_else(|| message_in(&name)),
            message_id,
            table: text(node, "PrimaryEntity"),
            columns: words(&text(node, "FilteringAttributes")),
            stage: text(node, "Stage"),
            asynchronous: node.at_path("Mode") == Some("1"),
            rank: text(node, "Rank").parse().unwrap_or_default(),
            images: list(node, "SdkMessageProcessingStepImages")
                .iter()
                .map(StepImage::read)
                .collect(),
            name,
        })
    }
}

impl StepImage {
    fn read(node: &Node<'_>) -> Self {
        Self {
            name: text(node, "@Name"),
            alias: text(node, "EntityAlias"),
            image_type: match node.at_path("ImageType") {
                Some("0") => "pre".into(),
                Some("1") => "post".into(),
                Some("2") => "both".into(),
                other => other.unwrap_or_default().to_owned(),
            },
            columns: words(&text(node, "Attributes")),
        }
    }
}

/// Operations whose ids are the same in every environment (Microsoft's list of the messages of the
/// organisation service).
fn message_name(id: &str) -> Option<String> {
    let name = match id.strip_suffix("-ea3e-db11-86a7-000a3a5473e8")? {
        "8cbdbb1b" => "Assign",
        "9ebdbb1b" => "Create",
        "a1bdbb1b" => "Delete",
        "c5bdbb1b" => "GrantAccess",
        "dbbdbb1b" => "Merge",
        "dcbdbb1b" => "ModifyAccess",
        "f2bdbb1b" => "Retrieve",
        "03bebb1b" => "RetrieveMultiple",
        "11bebb1b" => "RevokeAccess",
        "1cbebb1b" => "SetState",
        "1dbebb1b" => "SetStateDynamicEntity",
        "20bebb1b" => "Update",
        _ => return None,
    };
    Some(name.to_owned())
}

/// The operation in a name that the registration tool made: `Contoso.Lock: Update of contoso_permit`.
fn message_in(name: &str) -> Option<String> {
    let (_, what) = name.rsplit_once(": ")?;
    let (message, _) = what.split_once(" of ")?;
    (!message.is_empty() && !message.contains(' ')).then(|| message.to_owned())
}
