//! What must hold between the manifest and the components before a package is made (facts §11).

use std::collections::HashSet;

use super::manifest::{Manifest, RootComponent};
use super::xml::Fault;
use super::xml::line_at;
use super::xml::outline::{Element, Outline};
use super::{Finding, PackageError, SOLUTION_FILE, SourceTree};

/// Code of the finding that a required file is missing; it makes the exit code 1, not 3.
pub(crate) const MISSING_FILE: &str = "ALM-P120";
const NO_ROOT_COMPONENT: &str = "ALM-P121";
const NO_COMPONENT: &str = "ALM-P122";

/// A component that the package has, under every name a root component can give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Present {
    component_type: u32,
    keys: Vec<String>,
    /// Whether an id, and whether a name, is among the keys.
    has_id: bool,
    has_name: bool,
    file: String,
    /// Whether a missing root component is an error.
    required: bool,
}

/// How the components of a collection are known to the manifest.
struct Identity {
    collection: &'static str,
    component_type: u32,
    /// Attributes and child elements that hold an id or a schema name.
    keys: &'static [&'static str],
    required: bool,
}

const fn identity(
    collection: &'static str,
    component_type: u32,
    keys: &'static [&'static str],
    required: bool,
) -> Identity {
    Identity {
        collection,
        component_type,
        keys,
        required,
    }
}

const IDENTITIES: &[Identity] = &[
    identity("Entities", 1, &["Name"], true),
    identity("optionsets", 9, &["Name"], true),
    identity("Roles", 20, &["id"], true),
    identity("Workflows", 29, &["WorkflowId"], true),
    identity("Reports", 31, &["reportid"], false),
    identity("Dashboards", 60, &["FormId"], true),
    identity("InteractionCentricDashboards", 60, &["FormId"], true),
    identity("Dialogs", 60, &["FormId"], false),
    identity("WebResources", 61, &["Name"], true),
    identity("AppModuleSiteMaps", 62, &["SiteMapUniqueName"], true),
    identity("CustomControls", 66, &["Name"], true),
    identity(
        "FieldSecurityProfiles",
        70,
        &["fieldsecurityprofileid"],
        true,
    ),
    identity("AppModules", 80, &["UniqueName"], true),
    identity(
        "SolutionPluginAssemblies",
        91,
        &["PluginAssemblyId", "FullName"],
        true,
    ),
    identity(
        "SdkMessageProcessingSteps",
        92,
        &["SdkMessageProcessingStepId"],
        true,
    ),
    identity("ServiceEndpoints", 95, &["ServiceEndpointId"], true),
    identity("EntityDataSources", 183, &["EntityDataSourceId"], true),
    identity("CanvasApps", 300, &["Name"], true),
];

/// Key of the one site map of an environment, whatever its root component says.
const SITE_MAP: &str = "(site map)";

impl Present {
    /// The classic site map, which has no name.
    pub fn site_map(file: &str) -> Self {
        Self {
            component_type: 62,
            keys: vec![SITE_MAP.to_owned()],
            has_id: true,
            has_name: true,
            file: file.to_owned(),
            required: true,
        }
    }
}

/// What a component of a collection is known by.
pub(crate) fn present<'a>(
    collection: &str,
    file: &str,
    outline: Outline<'a>,
    component: &Element<'a>,
) -> Result<Option<Present>, Fault> {
    let Some(identity) = IDENTITIES
        .iter()
        .find(|identity| identity.collection == collection)
    else {
        return Ok(None);
    };
    let mut keys = Vec::new();
    let (mut has_id, mut has_name) = (false, false);
    for key in identity.keys {
        let value = match component.attribute(key) {
            Some(value) => Some(value),
            None => outline.child_text(component, key)?,
        };
        if let Some(value) = value {
            keys.push(normal(&value));
            let is_id = key.to_ascii_lowercase().ends_with("id");
            has_id |= is_id;
            has_name |= !is_id;
        }
    }
    // One without any key, such as the mappings of reports, is no component of the manifest.
    Ok((!keys.is_empty()).then(|| Present {
        component_type: identity.component_type,
        keys,
        has_id,
        has_name,
        file: file.to_owned(),
        required: identity.required,
    }))
}

/// Ids and schema names compare without braces and ignoring case.
fn normal(key: &str) -> String {
    key.trim()
        .trim_start_matches('{')
        .trim_end_matches('}')
        .to_lowercase()
}

/// Compares the components with the root components, in both directions. A root component without a
/// component is an error only where the tree has to be `complete`.
pub(crate) fn check(
    tree: &SourceTree,
    manifest: &Manifest,
    present: &[Present],
    complete: bool,
) -> Result<Vec<Finding>, PackageError> {
    let mut roots = HashSet::new();
    for root in &manifest.root_components {
        for key in root.id.iter().chain(&root.schema_name) {
            roots.insert((root.component_type, normal(key)));
        }
        // The id of the classic site map is the same everywhere, and some exports give a name.
        if root.component_type == 62 {
            roots.insert((62, SITE_MAP.to_owned()));
        }
    }
    let mut findings = Vec::new();
    let mut known = HashSet::new();
    let doubt = Doubt::read(manifest);
    for component in present {
        let kind = component.component_type;
        if component.required
            && !component
                .keys
                .iter()
                .any(|key| roots.contains(&(kind, key.clone())))
        {
            let name = component.keys.first().map_or("", String::as_str);
            let message = format!(
                "{} `{name}` has no root component in {SOLUTION_FILE}",
                type_name(kind)
            );
            let finding = if doubt.of(component) {
                Finding::warning(NO_ROOT_COMPONENT, &*component.file, message)
            } else {
                Finding::error(NO_ROOT_COMPONENT, &*component.file, message)
            };
            findings.push(finding.at(1));
        }
        known.extend(component.keys.iter().map(|key| (kind, key.clone())));
    }
    let text = tree
        .get(SOLUTION_FILE)
        .map(|bytes| super::xml::decode(SOLUTION_FILE, bytes))
        .transpose()?;
    let site_map = known.contains(&(62, SITE_MAP.to_owned()));
    for root in &manifest.root_components {
        let kind = root.component_type;
        // Forms inside tables, and types that stay in `Other/Customizations.xml`, are not looked
        // for one by one (facts §11).
        if kind == 60
            || !IDENTITIES
                .iter()
                .any(|identity| identity.component_type == kind)
        {
            continue;
        }
        let keys: Vec<String> = root
            .id
            .iter()
            .chain(&root.schema_name)
            .map(|key| normal(key))
            .collect();
        let found =
            keys.iter().any(|key| known.contains(&(kind, key.clone()))) || (kind == 62 && site_map);
        if !found {
            let name = root
                .schema_name
                .as_ref()
                .or(root.id.as_ref())
                .map_or("", String::as_str);
            let called = match name {
                "" => "that has no name".to_owned(),
                name => format!("`{name}`"),
            };
            let message = format!(
                "{} {called} is a root component without a component",
                type_name(kind)
            );
            let line = text
                .as_deref()
                .and_then(|text| line_of(text, name))
                .unwrap_or(1);
            let finding = match complete {
                true => Finding::error(NO_COMPONENT, SOLUTION_FILE, message),
                false => Finding::warning(NO_COMPONENT, SOLUTION_FILE, message),
            };
            findings.push(finding.at(line));
        }
    }
    Ok(findings)
}

/// Why a component without a root component of its own may still be meant to be there. The check of
/// facts §11 is about a list that is complete; refusing a package that a server has made is worse
/// than missing a mistake.
struct Doubt {
    /// Types of root components that are named by an id alone.
    by_id: HashSet<u32>,
    /// Types of root components that are named by a schema name alone.
    by_name: HashSet<u32>,
    /// Whether parts of tables are listed, as patches and segmented solutions do.
    table_parts: bool,
}

impl Doubt {
    /// Column, relationship, key, view, chart and hierarchy: what a patch lists instead of a table.
    const TABLE_PARTS: [u32; 8] = [2, 3, 10, 14, 26, 59, 65, 68];

    fn read(manifest: &Manifest) -> Self {
        let roots = &manifest.root_components;
        let types = |wanted: fn(&RootComponent) -> bool| {
            let found = roots.iter().filter(|root| wanted(root));
            found.map(|root| root.component_type).collect()
        };
        Self {
            by_id: types(|root| root.schema_name.is_none()),
            by_name: types(|root| root.id.is_none()),
            table_parts: roots
                .iter()
                .any(|root| Self::TABLE_PARTS.contains(&root.component_type)),
        }
    }

    /// Whether a component that has no root component may have one under another kind of key, or
    /// through one of its parts.
    fn of(&self, component: &Present) -> bool {
        let kind = component.component_type;
        (kind == 1 && self.table_parts)
            || (self.by_id.contains(&kind) && !component.has_id)
            || (self.by_name.contains(&kind) && !component.has_name)
    }
}

fn line_of(text: &str, key: &str) -> Option<u32> {
    let list = text.find("<RootComponents")?;
    let quoted = format!("\"{}\"", super::xml::escape_attribute(key));
    Some(line_at(text, list + text[list..].find(&quoted)?))
}

fn type_name(component_type: u32) -> &'static str {
    match component_type {
        1 => "the table",
        9 => "the choice",
        20 => "the role",
        29 => "the workflow",
        31 => "the report",
        60 => "the dashboard",
        61 => "the web resource",
        62 => "the site map",
        66 => "the custom control",
        70 => "the field security profile",
        80 => "the app",
        91 => "the plug-in assembly",
        92 => "the plug-in step",
        95 => "the service endpoint",
        183 => "the data source",
        300 => "the canvas app",
        _ => "the component",
    }
}
