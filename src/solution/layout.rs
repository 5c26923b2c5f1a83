//! Where each collection of `customizations.xml` lives in a folder (facts §4).

/// How the components of a collection become files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Tables: several files each (facts §5).
    Entities,
    /// One file per component, named by a key.
    Each(Key, &'static str),
    /// One file for the whole collection, at a fixed path.
    Whole(&'static str),
    /// One file for the whole collection, with a twin in managed packages. Path without extension.
    WholeTwin(&'static str),
    /// A file beside the payload that an element names: `<path>.data.xml`. Names of the elements.
    BesidePayload(&'static [&'static str]),
    /// Web resources: their own name, not that of the part.
    WebResources,
    /// A folder per component with one file and its twin: key element, file name.
    FolderTwin(&'static str, &'static str),
    /// Canvas apps: a file, and the parts its `…Uri` elements name.
    CanvasApps,
    /// Connectors: a file, and the parts its elements name, in another folder than in the zip.
    Connectors,
    /// Relationships: a list, and files by table (facts §7.1).
    Relationships,
    /// Reports and their mappings (facts §7.2).
    Reports,
    /// Templates (facts §7.3).
    Templates,
    /// Stays in `Other/Customizations.xml`.
    Inline,
    /// Not known: files if every component has a name (facts §7.4).
    Unknown,
}

/// What names a component's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// The value of an attribute.
    Attribute(&'static str),
    /// The text of a child element.
    Child(&'static str),
    /// The first of several attributes and child elements that there is.
    Any(&'static [&'static str]),
}

impl Key {
    /// The name to tell a person who misses it.
    pub(crate) fn first(self) -> &'static str {
        match self {
            Self::Attribute(name) | Self::Child(name) => name,
            Self::Any(names) => names.first().copied().unwrap_or_default(),
        }
    }
}

/// A collection and its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    /// Name of the element below the root.
    pub collection: &'static str,
    /// Its folder, which the element claims even if it is empty (facts §7.5).
    pub folder: &'static str,
    /// Its folder in the zip, if there are parts of it.
    pub zip_folder: &'static str,
    /// How its components become files.
    pub shape: Shape,
}

const fn rule(
    collection: &'static str,
    folder: &'static str,
    zip_folder: &'static str,
    shape: Shape,
) -> Rule {
    Rule {
        collection,
        folder,
        zip_folder,
        shape,
    }
}

use Key::{Any, Attribute, Child};

/// Every collection with a place of its own.
pub(crate) const RULES: &[Rule] = &[
    rule("Entities", "Entities", "Formulas", Shape::Entities),
    rule(
        "Roles",
        "Roles",
        "Roles",
        Shape::Each(Attribute("name"), ""),
    ),
    rule(
        "Workflows",
        "Workflows",
        "Workflows",
        Shape::BesidePayload(&["JsonFileName", "XamlFileName"]),
    ),
    rule(
        "FieldSecurityProfiles",
        "",
        "",
        Shape::Whole("Other/FieldSecurityProfiles.xml"),
    ),
    rule("Templates", "Templates", "Templates", Shape::Templates),
    rule(
        "ConnectionRoles",
        "",
        "",
        Shape::Whole("Other/ConnectionRoles.xml"),
    ),
    rule("SiteMap", "", "", Shape::WholeTwin("Other/SiteMap")),
    rule(
        "RibbonDiffXml",
        "",
        "",
        Shape::Whole("Other/RibbonCustomization.xml"),
    ),
    rule("EntityMaps", "", "", Shape::Whole("Other/EntityMaps.xml")),
    rule("EntityRelationships", "", "", Shape::Relationships),
    rule(
        "optionsets",
        "OptionSets",
        "OptionSets",
        Shape::Each(Attribute("Name"), ""),
    ),
    rule(
        "Dashboards",
        "Dashboards",
        "Dashboards",
        Shape::Each(Child("FormId"), ""),
    ),
    rule(
        "InteractionCentricDashboards",
        "InteractionCentricDashboards",
        "InteractionCentricDashboards",
        Shape::Each(Child("FormId"), ""),
    ),
    // Not in facts §4: published trees of 2025 have `<Dialogs />` and `Dialogs/{FormId}.xml`, laid
    // out as dashboards are.
    rule(
        "Dialogs",
        "Dialogs",
        "Dialogs",
        Shape::Each(Child("FormId"), ""),
    ),
    rule(
        "WebResources",
        "WebResources",
        "WebResources",
        Shape::WebResources,
    ),
    rule(
        "CustomControls",
        "Controls",
        "Controls",
        Shape::BesidePayload(&["FileName"]),
    ),
    rule(
        "SolutionPluginAssemblies",
        "PluginAssemblies",
        "PluginAssemblies",
        Shape::BesidePayload(&["FileName"]),
    ),
    rule(
        "SdkMessageProcessingSteps",
        "SdkMessageProcessingSteps",
        "SdkMessageProcessingSteps",
        Shape::Each(Attribute("SdkMessageProcessingStepId"), ""),
    ),
    rule(
        "ServiceEndpoints",
        "",
        "",
        Shape::Whole("PluginAssemblies/ServiceEndpoints.xml"),
    ),
    rule("Reports", "Reports", "Reports", Shape::Reports),
    rule(
        "AppModuleSiteMaps",
        "AppModuleSiteMaps",
        "AppModuleSiteMaps",
        Shape::FolderTwin("SiteMapUniqueName", "AppModuleSiteMap"),
    ),
    rule(
        "AppModules",
        "AppModules",
        "AppModules",
        Shape::FolderTwin("UniqueName", "AppModule"),
    ),
    rule("CanvasApps", "CanvasApps", "CanvasApps", Shape::CanvasApps),
    rule("Connectors", "Connectors", "Connector", Shape::Connectors),
    rule(
        "EntityDataProviders",
        "EntityDataProviders",
        "EntityDataProviders",
        Shape::Each(
            Any(&["EntityDataProviderId", "entitydataproviderid", "id", "Id"]),
            "",
        ),
    ),
    rule(
        "EntityDataSources",
        "EntityDataSources",
        "EntityDataSources",
        Shape::Each(Attribute("EntityDataSourceId"), ""),
    ),
    rule(
        "MobileOfflineProfiles",
        "MobileOfflineProfiles",
        "MobileOfflineProfiles",
        Shape::Each(Attribute("Name"), ""),
    ),
    rule(
        "ChannelAccessProfiles",
        "ChannelAccess",
        "ChannelAccess",
        Shape::Each(Attribute("Name"), "Profiles"),
    ),
    rule(
        "ComplexControls",
        "ComplexControls",
        "ComplexControls",
        Shape::Each(
            Any(&["ComplexControlId", "complexcontrolid", "id", "Id"]),
            "",
        ),
    ),
    rule("OrganizationSettings", "", "", Shape::Inline),
    rule("Languages", "", "", Shape::Inline),
    rule("connectionreferences", "", "", Shape::Inline),
    rule("AIModels", "", "", Shape::Inline),
    rule("EntityImageConfigs", "", "", Shape::Inline),
    rule("AttributeImageConfigs", "", "", Shape::Inline),
    rule("msdyn_dataflows", "", "", Shape::Inline),
    rule("IsvConfig", "", "", Shape::Inline),
];

/// The rule of a collection. One that is not listed is taken as [`Shape::Unknown`], with its own
/// name as folder, which the caller knows.
pub(crate) fn rule_of(collection: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.collection == collection)
}

/// Folders of pass-through parts that real packages have (facts §2.7).
const PASS_THROUGH: &[&str] = &[
    "appactions",
    "aiplugins",
    "Assets",
    "botcomponentcollections",
    "botcomponents",
    "bots",
    "customapis",
    "dvtablesearchs",
    "dvtablesearchentities",
    "environmentvariabledefinitions",
    "maskingrules",
    "pluginpackages",
];

/// Folders whose content never takes part in packing (facts §7.5).
pub(crate) const NEVER_PACKED: &[&str] = &["Other", "Resources"];

/// Whether a folder of this name belongs to an unpacked solution, so that files in it that a
/// package does not have may be deleted on request. `Resources` does not: its texts are edited.
pub(crate) fn is_known_folder(name: &str) -> bool {
    let same = |other: &str| other.eq_ignore_ascii_case(name);
    same("Other")
        || RULES
            .iter()
            .any(|rule| !rule.folder.is_empty() && same(rule.folder))
        || PASS_THROUGH.iter().any(|folder| same(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_a_solution_are_known_and_others_are_not() {
        for known in ["Other", "entities", "Connectors", "bots", "ChannelAccess"] {
            assert!(is_known_folder(known), "{known}");
        }
        for other in ["docs", "Resources", ".git", "src", ""] {
            assert!(!is_known_folder(other), "{other}");
        }
    }
}
