//! Which folder and file each kind of component has, and whether that is documented.

use super::element::Element;

/// How the components of a collection become files.
pub(super) struct Form {
    /// The element below the root of `customizations.xml`.
    pub collection: &'static str,
    /// The element of a component.
    pub element: &'static str,
    /// Its folder.
    pub folder: &'static str,
    /// What names the component's own folder.
    pub key: Key,
    /// The folder of the parts that its elements name, in a package; empty for none.
    pub parts: &'static str,
}

/// What names a component.
#[derive(Clone, Copy)]
pub(super) enum Key {
    Attribute(&'static str),
    Child(&'static str),
}

impl Key {
    /// The name of a component as part of a path: an id without braces in lower case.
    pub fn of(self, element: &Element) -> Option<String> {
        let key = match self {
            Self::Attribute(name) => element.attribute(name).map(str::to_owned),
            Self::Child(name) => element.child_text(name),
        };
        key.map(|key| plain(&key)).filter(|key| !key.is_empty())
    }
}

/// A name as part of a path.
pub(super) fn plain(key: &str) -> String {
    let inner = key.trim().trim_start_matches('{').trim_end_matches('}');
    match uuid::Uuid::try_parse(inner) {
        Ok(id) => id.hyphenated().to_string(),
        Err(_) => crate::solution::names::file_name(key.trim()).into_owned(),
    }
}

const fn form(
    collection: &'static str,
    element: &'static str,
    folder: &'static str,
    key: Key,
    parts: &'static str,
) -> Form {
    Form {
        collection,
        element,
        folder,
        key,
        parts,
    }
}

use Key::{Attribute, Child};

/// The kinds that Microsoft's reference lists and whose folders were seen. Tables have a form of
/// their own; cloud flows are workflows in another folder.
pub(super) const FORMS: &[Form] = &[
    form("Roles", "Role", "roles", Attribute("name"), ""),
    form(
        "Workflows",
        "Workflow",
        "workflows",
        Attribute("WorkflowId"),
        "Workflows",
    ),
    form("Dashboards", "Dashboard", "dashboards", Child("FormId"), ""),
    form(
        "EntityRelationships",
        "EntityRelationship",
        "entityrelationships",
        Attribute("Name"),
        "",
    ),
    form(
        "optionsets",
        "optionset",
        "optionsets",
        Attribute("Name"),
        "",
    ),
    form(
        "WebResources",
        "WebResource",
        "webresources",
        Child("WebResourceId"),
        "WebResources",
    ),
    form(
        "AppModuleSiteMaps",
        "AppModuleSiteMap",
        "appmodulesitemaps",
        Child("SiteMapUniqueName"),
        "",
    ),
    form(
        "AppModules",
        "AppModule",
        "appmodules",
        Child("UniqueName"),
        "",
    ),
    form(
        "CanvasApps",
        "CanvasApp",
        "canvasapps",
        Child("Name"),
        "CanvasApps",
    ),
    form(
        "Connectors",
        "Connector",
        "connectors",
        Child("name"),
        "Connector",
    ),
    form(
        "SolutionPluginAssemblies",
        "PluginAssembly",
        "pluginassemblies",
        Attribute("PluginAssemblyId"),
        "PluginAssemblies",
    ),
    form(
        "SdkMessageProcessingSteps",
        "SdkMessageProcessingStep",
        "sdkmessageprocessingsteps",
        Attribute("SdkMessageProcessingStepId"),
        "",
    ),
];

/// The folder of cloud flows.
pub(super) const CLOUD_FLOWS: &str = "modernflows";
/// The folder of tables.
pub(super) const TABLES: &str = "entities";
/// Pass-through folders whose files are documented to stay as they are.
pub(super) const DOCUMENTED_PARTS: &[&str] = &["environmentvariabledefinitions"];
/// Folders that hold no components.
pub(super) const RESERVED: &[&str] = &["solutions", "publishers", "resources"];

/// The form of a documented folder.
pub(super) fn by_folder(folder: &str) -> Option<&'static Form> {
    let wanted = if folder == CLOUD_FLOWS {
        "workflows"
    } else {
        folder
    };
    FORMS.iter().find(|form| form.folder == wanted)
}

/// The form of a collection.
pub(super) fn by_collection(collection: &str) -> Option<&'static Form> {
    FORMS.iter().find(|form| form.collection == collection)
}

/// Every collection that is known, in the order of exports (facts §2.5). A folder whose name is one
/// of these in lower case holds components of that collection.
pub(super) const COLLECTIONS: &[&str] = &[
    "Entities",
    "Roles",
    "Workflows",
    "FieldSecurityProfiles",
    "Templates",
    "RibbonDiffXml",
    "AttributeImageConfigs",
    "ConnectionRoles",
    "SiteMap",
    "EntityMaps",
    "Dashboards",
    "EntityImageConfigs",
    "EntityRelationships",
    "OrganizationSettings",
    "optionsets",
    "InteractionCentricDashboards",
    "WebResources",
    "CustomControls",
    "ServiceEndpoints",
    "AppModuleSiteMaps",
    "AppModules",
    "EntityDataProviders",
    "CanvasApps",
    "AIModels",
    "Connectors",
    "EntityDataSources",
    "Reports",
    "SolutionPluginAssemblies",
    "SdkMessageProcessingSteps",
    "connectionreferences",
    "msdyn_dataflows",
    "MobileOfflineProfiles",
    "ChannelAccessProfiles",
    "ComplexControls",
    "IsvConfig",
    "Languages",
];

/// The collection of a folder that is not documented.
pub(super) fn collection_of(folder: &str) -> Option<&'static str> {
    let found = COLLECTIONS.iter().find(|name| {
        name.eq_ignore_ascii_case(folder) && by_collection(name).is_none() && **name != "Entities"
    });
    found.copied()
}

/// What names a component of a kind that has no documented form, best first.
pub(super) const USUAL_KEYS: &[Key] = &[
    Attribute("connectionreferencelogicalname"),
    Attribute("fieldsecurityprofileid"),
    Attribute("EntityDataSourceId"),
    Child("FormId"),
    Child("reportid"),
    Child("Name"),
    Attribute("Name"),
    Attribute("name"),
];

/// The parts of a table that are files of their own: the path inside the table's element, the
/// element, the folder, the file's name if each has a folder, and whether that is documented.
pub(super) struct Section {
    pub path: &'static [&'static str],
    pub element: &'static str,
    pub folder: &'static str,
    pub documented: bool,
}

const fn section(
    path: &'static [&'static str],
    element: &'static str,
    folder: &'static str,
    documented: bool,
) -> Section {
    Section {
        path,
        element,
        folder,
        documented,
    }
}

/// See [`Section`]. Forms lie one folder deeper, by their type; the ribbon is one file.
pub(super) const SECTIONS: &[Section] = &[
    section(
        &["EntityInfo", "entity", "attributes"],
        "attribute",
        "attributes",
        true,
    ),
    section(
        &["EntityInfo", "entity", "EntityKeys"],
        "EntityKey",
        "entitykeys",
        false,
    ),
    section(&["FormXml"], "systemform", "formxml", true),
    section(
        &["SavedQueries", "savedqueries"],
        "savedquery",
        "savedqueries",
        true,
    ),
    section(
        &["Visualizations"],
        "visualization",
        "visualizations",
        false,
    ),
    section(&[], "RibbonDiffXml", "ribbondiffs", true),
];

/// Form types as exports spell them; folders may be in lower case.
pub(super) const FORM_TYPES: &[&str] = &[
    "main",
    "quick",
    "card",
    "quickCreate",
    "mobile",
    "appointmentBook",
    "taskBasedForm",
];
