//! The kinds of components: their numbers, their tables and where a package keeps them.
//!
//! One table for all readers and writers (facts, solution-package-format §2.4 and §4;
//! dataverse-web-api §3.4 and §3.10). A kind that is not listed is still carried: as a generic
//! component of its collection or folder.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What kind of component something is: a fixed number, or, for tables whose rows can live in
/// solutions without having one, the table's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ComponentType {
    /// A number of the choice `componenttype`, such as 29 for a workflow.
    Code(u16),
    /// The logical name of the table, such as `connectionreference` or `bot`.
    Table(String),
}

impl ComponentType {
    /// A framework component of `table`.
    pub fn table(table: &str) -> Self {
        Self::Table(table.to_owned())
    }

    /// The number, where the kind has a fixed one.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Code(code) => Some(*code),
            Self::Table(_) => None,
        }
    }

    /// The table that holds the rows of this kind: `workflow`, `entity`, `connectionreference`.
    pub fn table_name(&self) -> &str {
        match self {
            Self::Code(code) => kind_of(*code).map_or("component", |kind| kind.table),
            Self::Table(table) => table,
        }
    }

    /// The name of this kind in layer tables: `Workflow`, `Entity`, `connectionreference`.
    pub fn layer_name(&self) -> &str {
        match self {
            Self::Code(code) => kind_of(*code).map_or("Component", |kind| kind.layer),
            Self::Table(table) => table,
        }
    }

    /// What a person calls it: "cloud flow or process", "table".
    pub fn label(&self) -> &str {
        match self {
            Self::Code(code) => kind_of(*code).map_or("component", |kind| kind.label),
            Self::Table(table) => table,
        }
    }

    /// The kind that a solution history, a layer query or a manifest calls `name`: a number, a
    /// table name or a layer name.
    pub fn named(name: &str) -> Self {
        if let Ok(code) = name.parse() {
            return Self::Code(code);
        }
        KINDS
            .iter()
            .find(|kind| {
                kind.layer.eq_ignore_ascii_case(name) || kind.table.eq_ignore_ascii_case(name)
            })
            .map_or_else(
                || Self::Table(name.to_ascii_lowercase()),
                |kind| Self::Code(kind.code),
            )
    }
}

impl fmt::Display for ComponentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "{code}"),
            Self::Table(table) => f.write_str(table),
        }
    }
}

impl FromStr for ComponentType {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.parse().map_or_else(|_| Self::table(text), Self::Code))
    }
}

impl Serialize for ComponentType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ComponentType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(text
            .parse()
            .unwrap_or_else(|never: std::convert::Infallible| match never {}))
    }
}

/// Numbers that the code names.
#[allow(missing_docs)] // The names say it; the numbers are those of `componenttype`.
pub mod code {
    pub const TABLE: u16 = 1;
    pub const COLUMN: u16 = 2;
    pub const OPTION_SET: u16 = 9;
    pub const RELATIONSHIP: u16 = 10;
    pub const ROLE: u16 = 20;
    pub const VIEW: u16 = 26;
    pub const WORKFLOW: u16 = 29;
    pub const REPORT: u16 = 31;
    pub const TABLE_MAP: u16 = 46;
    pub const CHART: u16 = 59;
    pub const FORM: u16 = 60;
    pub const WEB_RESOURCE: u16 = 61;
    pub const SITE_MAP: u16 = 62;
    pub const CONNECTION_ROLE: u16 = 63;
    pub const CONTROL: u16 = 66;
    pub const FIELD_SECURITY_PROFILE: u16 = 70;
    pub const APP: u16 = 80;
    pub const PLUGIN_TYPE: u16 = 90;
    pub const PLUGIN_ASSEMBLY: u16 = 91;
    pub const STEP: u16 = 92;
    pub const SERVICE_ENDPOINT: u16 = 95;
    pub const DATA_SOURCE: u16 = 183;
    pub const CANVAS_APP: u16 = 300;
    pub const CONNECTOR: u16 = 372;
    pub const VARIABLE: u16 = 380;
    pub const VARIABLE_VALUE: u16 = 381;
    pub const AI_MODEL: u16 = 401;
    pub const COLUMN_IMAGE: u16 = 431;
    pub const TABLE_IMAGE: u16 = 432;
}

/// One kind with a fixed number.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) code: u16,
    pub(crate) table: &'static str,
    pub(crate) layer: &'static str,
    pub(crate) label: &'static str,
    /// The collection in `customizations.xml`; inner collections after a slash; empty for parts
    /// of tables and for pass-through components.
    pub(crate) collection: &'static str,
    /// Where its element says who it is.
    pub(crate) key: Key,
    /// Whether the manifest lists it as a root component, and by what.
    pub(crate) root: Root,
}

/// Where an element says who it is. Names with `@` are attributes, others child elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// A GUID: compared without braces, in lower case.
    Id(&'static str),
    /// A name: compared in lower case.
    Name(&'static str),
    /// A name, beside which an id stands.
    NameAndId(&'static str, &'static str),
    /// A GUID, beside which a name stands.
    IdAndName(&'static str, &'static str),
    /// Two names that only together identify: `table column`.
    Pair(&'static str, &'static str),
    /// There is only one, always with this id or name.
    Only(&'static str),
    /// Not found in one element (columns and other parts of tables).
    Elsewhere,
}

/// How a root component of the manifest names a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Root {
    /// Not listed.
    No,
    /// By `id="{…}"`.
    Id,
    /// By `schemaName`.
    Name,
    /// By both.
    Both,
    /// By `id`, but only when it is not included through its table (forms).
    Loose,
}

/// The fixed id of the classic site map (facts, solution-package-format §2.4).
pub(crate) const CLASSIC_SITE_MAP: &str = "d5684797-805b-4188-b8fa-1028cfbef003";

macro_rules! kinds {
    ($($code:literal $table:literal $layer:literal $label:literal $collection:literal $key:expr, $root:expr;)*) => {
        &[$(Kind {
            code: $code, table: $table, layer: $layer, label: $label,
            collection: $collection, key: $key, root: $root,
        }),*]
    };
}

use Key::{Elsewhere, Id, IdAndName, Name, NameAndId, Only, Pair};

#[rustfmt::skip] // One line per kind, in columns, is what makes this readable.
pub(crate) const KINDS: &[Kind] = kinds![
    1 "entity" "Entity" "table" "Entities" Name("Name"), Root::Name;
    2 "attribute" "Attribute" "column" "" Elsewhere, Root::No;
    9 "optionset" "OptionSet" "choice" "optionsets" Name("@Name"), Root::Name;
    10 "entityrelationship" "EntityRelationship" "relationship" "EntityRelationships" Name("@Name"), Root::No;
    20 "role" "Role" "security role" "Roles" IdAndName("@id", "@name"), Root::Id;
    26 "savedquery" "SavedQuery" "view" "" Elsewhere, Root::No;
    29 "workflow" "Workflow" "process" "Workflows" IdAndName("@WorkflowId", "@Name"), Root::Id;
    31 "report" "Report" "report" "Reports" IdAndName("reportid", "name"), Root::Id;
    36 "template" "EmailTemplate" "email template" "Templates/EmailTemplates" Id("templateid"), Root::No;
    37 "contracttemplate" "ContractTemplate" "contract template" "Templates/ContractTemplates" Id("contracttemplateid"), Root::No;
    38 "kbarticletemplate" "KBArticleTemplate" "article template" "Templates/KBArticleTemplates" Id("kbarticletemplateid"), Root::No;
    39 "mailmergetemplate" "MailMergeTemplate" "mail merge template" "Templates/MailMergeTemplates" Id("mailmergetemplateid"), Root::No;
    46 "entitymap" "EntityMap" "table map" "EntityMaps" Pair("EntitySource", "EntityTarget"), Root::No;
    59 "savedqueryvisualization" "SavedQueryVisualization" "chart" "" Elsewhere, Root::No;
    60 "systemform" "SystemForm" "form or dashboard" "Dashboards" Id("FormId"), Root::Loose;
    61 "webresource" "WebResource" "web resource" "WebResources" NameAndId("Name", "WebResourceId"), Root::Name;
    62 "sitemap" "SiteMap" "site map" "AppModuleSiteMaps" Name("SiteMapUniqueName"), Root::Name;
    63 "connectionrole" "ConnectionRole" "connection role" "ConnectionRoles/ConnectionRoles" IdAndName("connectionroleid", "name"), Root::Id;
    66 "customcontrol" "CustomControl" "code component" "CustomControls" Name("Name"), Root::Name;
    70 "fieldsecurityprofile" "FieldSecurityProfile" "column security profile" "FieldSecurityProfiles" IdAndName("@fieldsecurityprofileid", "@name"), Root::Id;
    80 "appmodule" "AppModule" "model-driven app" "AppModules" Name("UniqueName"), Root::Name;
    90 "plugintype" "PluginType" "plug-in type" "" Elsewhere, Root::No;
    91 "pluginassembly" "PluginAssembly" "plug-in assembly" "SolutionPluginAssemblies" IdAndName("@PluginAssemblyId", "@FullName"), Root::Both;
    92 "sdkmessageprocessingstep" "SdkMessageProcessingStep" "plug-in step" "SdkMessageProcessingSteps" IdAndName("@SdkMessageProcessingStepId", "@Name"), Root::Id;
    95 "serviceendpoint" "ServiceEndpoint" "service endpoint" "ServiceEndpoints" IdAndName("@ServiceEndpointId", "@Name"), Root::Id;
    152 "sla" "SLA" "service level agreement" "SLAs" Id("slaid"), Root::Id;
    161 "mobileofflineprofile" "MobileOfflineProfile" "mobile offline profile" "MobileOfflineProfiles" Name("@Name"), Root::Name;
    183 "entitydatasource" "EntityDataSource" "virtual table data source" "EntityDataSources" IdAndName("@EntityDataSourceId", "Name"), Root::Both;
    300 "canvasapp" "CanvasApp" "canvas app" "CanvasApps" Name("Name"), Root::Name;
    372 "connector" "Connector" "custom connector" "Connectors" NameAndId("name", "connectorid"), Root::Both;
    380 "environmentvariabledefinition" "EnvironmentVariableDefinition" "environment variable" "" Elsewhere, Root::No;
    381 "environmentvariablevalue" "EnvironmentVariableValue" "environment variable value" "" Elsewhere, Root::No;
    401 "msdyn_aimodel" "AIModel" "AI model" "AIModels" Id("msdyn_aimodelid"), Root::Id;
    431 "attributeimageconfig" "AttributeImageConfig" "image column configuration" "AttributeImageConfigs" Pair("parententitylogicalname", "attributelogicalname"), Root::Name;
    432 "entityimageconfig" "EntityImageConfig" "table image configuration" "EntityImageConfigs" Name("parententitylogicalname"), Root::Name;
];

/// Collections that hold components of a kind under another name, and components without a number.
#[rustfmt::skip]
const MORE: &[(&str, &str, Key)] = &[
    // collection, number or table, key
    ("InteractionCentricDashboards", "60", Id("FormId")),
    ("SiteMap", "62", Only(CLASSIC_SITE_MAP)),
    ("connectionreferences", "connectionreference", Name("@connectionreferencelogicalname")),
    ("ConnectionRoles/ConnectionRoleAssociations", "connectionroleassociation", Pair("connectionroleid", "associatedconnectionroleid")),
    ("Reports/ReportSignatureIdMappings", "reportsignatureidmapping", Name("@reportid")),
    ("EntityDataProviders", "entitydataprovider", Id("@EntityDataProviderId")),
];

/// Collections that hold collections.
pub(crate) const NESTED: &[&str] = &["ConnectionRoles", "Templates"];

/// Children of an ordinary collection that are collections themselves.
pub(crate) fn is_nested(path: &str) -> bool {
    path == "Reports/ReportSignatureIdMappings"
        || path
            .split_once('/')
            .is_some_and(|(outer, _)| NESTED.contains(&outer))
}

/// Collections whose content belongs to the package as a whole and is carried as it is.
pub(crate) const WHOLE: &[&str] = &[
    "OrganizationSettings",
    "Languages",
    "IsvConfig",
    "RibbonDiffXml",
];

pub(crate) fn kind_of(code: u16) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.code == code)
}

/// The kind and key rule of the components in `collection`, when it is a known one.
pub(crate) fn kind_in(collection: &str) -> Option<(ComponentType, Key)> {
    if let Some(kind) = KINDS.iter().find(|kind| kind.collection == collection) {
        return Some((ComponentType::Code(kind.code), kind.key));
    }
    MORE.iter()
        .find(|(name, _, _)| *name == collection)
        .map(|(_, kind, key)| {
            (
                kind.parse()
                    .unwrap_or_else(|never: std::convert::Infallible| match never {}),
                *key,
            )
        })
}

/// The order in which a server writes collections, as far as the corpus shows it. The list in
/// facts, solution-package-format §2.5 contradicts four packages of the corpus, so this follows
/// the packages. A package's own order wins; this only places what it did not have.
#[rustfmt::skip]
pub(crate) const ORDER: &[&str] = &[
    "Entities", "Roles", "Workflows", "FieldSecurityProfiles", "Templates", "SiteMap", "RibbonDiffXml",
    "ConnectionRoles", "EntityImageConfigs", "AttributeImageConfigs", "EntityMaps", "EntityRelationships",
    "OrganizationSettings", "optionsets", "Reports", "Dashboards", "InteractionCentricDashboards",
    "WebResources", "CustomControls", "SolutionPluginAssemblies", "SdkMessageProcessingSteps",
    "ServiceEndpoints", "AppModuleSiteMaps", "AppModules", "EntityDataProviders", "EntityDataSources",
    "CanvasApps", "AIModels", "Connectors", "connectionreferences", "msdyn_dataflows", "Languages",
];

/// Collections that a server writes even when they are empty.
#[rustfmt::skip]
pub(crate) const ALWAYS: &[&str] = &[
    "Entities", "Roles", "Workflows", "FieldSecurityProfiles", "Templates", "EntityMaps",
    "EntityRelationships", "OrganizationSettings", "optionsets", "CustomControls",
    "EntityDataProviders", "Languages",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_found_by_number_table_and_layer_name() {
        assert_eq!(ComponentType::named("Workflow"), ComponentType::Code(29));
        assert_eq!(ComponentType::named("systemform"), ComponentType::Code(60));
        assert_eq!(ComponentType::named("61"), ComponentType::Code(61));
        assert_eq!(ComponentType::named("Bot"), ComponentType::table("bot"));
    }

    #[test]
    fn no_number_and_no_collection_is_listed_twice() {
        for (index, kind) in KINDS.iter().enumerate() {
            for other in &KINDS[index + 1..] {
                assert_ne!(kind.code, other.code);
                assert!(kind.collection.is_empty() || kind.collection != other.collection);
            }
        }
    }
}
