//! Small components: choices, roles, steps, variables, references and apps.

use serde::Serialize;

use super::label_of;
use crate::solution::keyed::Node;

/// A choice (option set).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// Its name.
    pub name: String,
    /// What people see.
    pub display_name: String,
    /// Its options in their order: value and label.
    pub options: Vec<(String, String)>,
}

impl Choice {
    /// Reads an `optionset` element.
    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        let name = node.attribute("Name")?.to_owned();
        let options = node
            .child("options")
            .map(Node::children)
            .unwrap_or_default();
        Some(Self {
            display_name: label_of(node, "displaynames").unwrap_or_else(|| name.clone()),
            options: options
                .iter()
                .map(|option| {
                    let value = option.attribute("value").unwrap_or_default().to_owned();
                    (value, label_of(option, "labels").unwrap_or_default())
                })
                .collect(),
            name,
        })
    }
}

/// A security role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Role {
    /// Id, without braces.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Privileges with how far they reach: `Basic` (own rows), `Local` (business unit), `Deep`
    /// (units below too), `Global` (everything).
    pub privileges: Vec<(String, String)>,
}

impl Role {
    /// Reads a `Role` element.
    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        let privileges = node
            .child("RolePrivileges")
            .map(Node::children)
            .unwrap_or_default();
        Some(Self {
            id: node
                .attribute("id")?
                .trim_matches(['{', '}'])
                .to_lowercase(),
            name: node.attribute("name")?.to_owned(),
            privileges: privileges
                .iter()
                .filter_map(|privilege| {
                    let text = |name| privilege.attribute(name).map(str::to_owned);
                    Some((text("name")?, text("level")?))
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
}

impl PluginStep {
    /// Reads an `SdkMessageProcessingStep` element.
    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        let text = |path: &str| node.at_path(path).unwrap_or_default().to_owned();
        let id = node.attribute("SdkMessageProcessingStepId")?;
        Some(Self {
            id: id.trim_matches(['{', '}']).to_lowercase(),
            name: text("@Name"),
            plugin_type: text("PluginTypeName"),
            table: text("PrimaryEntity"),
            columns: text("FilteringAttributes")
                .split(',')
                .map(str::trim)
                .filter(|column| !column.is_empty())
                .map(str::to_owned)
                .collect(),
            stage: text("Stage"),
            asynchronous: node.at_path("Mode") == Some("1"),
            rank: text("Rank").parse().unwrap_or_default(),
        })
    }
}

/// An environment variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Variable {
    /// Schema name.
    pub name: String,
    /// What people see.
    pub display_name: String,
    /// 100000000 text, 100000001 number, 100000002 yes/no, 100000003 JSON, 100000004 data source,
    /// 100000005 secret.
    #[serde(rename = "type")]
    pub variable_type: String,
    /// The value where an environment has none of its own.
    pub default_value: Option<String>,
    /// The value that the package brings along.
    pub value: Option<String>,
}

impl Variable {
    /// Reads an `environmentvariabledefinition` element; the value stands in another file.
    pub(crate) fn read(node: &Node<'_>, value: Option<String>) -> Option<Self> {
        let name = node.attribute("schemaname")?.to_owned();
        Some(Self {
            display_name: node
                .at_path("displayname/@default")
                .unwrap_or(&name)
                .to_owned(),
            variable_type: node.at_path("type").unwrap_or_default().to_owned(),
            default_value: node.at_path("defaultvalue").map(str::to_owned),
            value,
            name,
        })
    }
}

/// A connection reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConnectionReference {
    /// Logical name.
    pub name: String,
    /// What people see.
    pub display_name: String,
    /// The connector: `/providers/Microsoft.PowerApps/apis/shared_office365`.
    pub connector: String,
}

impl ConnectionReference {
    /// Reads a `connectionreference` element.
    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        let name = node.attribute("connectionreferencelogicalname")?.to_owned();
        Some(Self {
            display_name: node
                .at_path("connectionreferencedisplayname")
                .unwrap_or(&name)
                .to_owned(),
            connector: node.at_path("connectorid").unwrap_or_default().to_owned(),
            name,
        })
    }
}

/// A model-driven app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct App {
    /// Unique name.
    pub name: String,
    /// What people see.
    pub display_name: String,
    /// What it is made of: the type's number and the schema name or id.
    pub components: Vec<(String, String)>,
    /// Ids of the roles that may use it.
    pub roles: Vec<String>,
}

impl App {
    /// Reads an `AppModule` element.
    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        let name = node.at_path("UniqueName")?.to_owned();
        let list = |name: &str| node.child(name).map(Node::children).unwrap_or_default();
        Some(Self {
            display_name: label_of(node, "LocalizedNames").unwrap_or_else(|| name.clone()),
            components: list("AppModuleComponents")
                .iter()
                .map(|component| {
                    let key = component
                        .attribute("schemaName")
                        .or_else(|| component.attribute("id"));
                    (
                        component.attribute("type").unwrap_or_default().to_owned(),
                        key.unwrap_or_default().to_owned(),
                    )
                })
                .collect(),
            roles: list("AppModuleRoleMaps")
                .iter()
                .filter_map(|role| role.key.clone())
                .collect(),
            name,
        })
    }
}
