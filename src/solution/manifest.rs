//! Who a solution is: what `solution.xml`, or `Other/Solution.xml` in a folder, says.

use std::ops::Range;

use roxmltree::{Document, Node, ParsingOptions};
use serde::Serialize;

use super::{PackageError, SolutionVersion};

/// Whether a package is managed. A folder can also hold both (facts §10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Managed {
    /// `0`: a package to go on working with.
    Unmanaged,
    /// `1`: a package to deploy.
    Managed,
    /// `2`, only in a folder: both can be packed from it.
    Both,
}

/// The manifest of a solution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// Unique name, for example `ContosoSales`.
    pub unique_name: String,
    /// First localized name, or the unique name.
    pub display_name: String,
    /// Localized names as pairs of language code and text.
    pub localized_names: Vec<(u32, String)>,
    /// Localized descriptions as pairs of language code and text.
    pub descriptions: Vec<(u32, String)>,
    /// Version of the solution.
    pub version: SolutionVersion,
    /// Whether this is a managed package.
    pub managed: bool,
    /// The same with the third state that only a folder has.
    pub kind: Managed,
    /// Who publishes it.
    pub publisher: Publisher,
    /// What it is made of, in file order.
    pub root_components: Vec<RootComponent>,
    /// What it needs from elsewhere, in file order.
    pub missing_dependencies: Vec<MissingDependency>,
    /// `SolutionPackageVersion` of the root, for example `9.2`.
    pub package_version: Option<String>,
    /// `languagecode` of the root: the base language of the environment it was exported from.
    pub language: Option<u32>,
}

/// A publisher as the manifest describes it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Publisher {
    /// Unique name.
    pub unique_name: String,
    /// First localized name, or the unique name.
    pub display_name: String,
    /// Prefix of schema names, without the underscore.
    pub prefix: String,
    /// First digits of the values of choices.
    pub option_value_prefix: Option<u32>,
    /// Localized descriptions as pairs of language code and text.
    pub descriptions: Vec<(u32, String)>,
    /// E-mail address, if given.
    pub email: Option<String>,
    /// Web site, if given.
    pub website: Option<String>,
}

/// A `RootComponent` (facts §2.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RootComponent {
    /// Number of the component type, for example 29 for workflows.
    pub component_type: u32,
    /// Id as it stands, usually with braces.
    pub id: Option<String>,
    /// Schema name as it stands.
    pub schema_name: Option<String>,
    /// Id of the component that it belongs to.
    pub parent_id: Option<String>,
    /// 0 with all sub-components, 1 without, 2 shell only.
    pub behavior: Option<u32>,
}

/// A `MissingDependency`: what the target must have before this solution is imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingDependency {
    /// What is needed.
    pub required: DependencyEnd,
    /// Which component of this solution needs it.
    pub dependent: DependencyEnd,
}

/// One end of a missing dependency; every attribute as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct DependencyEnd {
    /// Number of the component type.
    pub component_type: u32,
    /// All attributes in file order: `key`, `schemaName`, `displayName`, `solution`, `id` …
    pub attributes: Vec<(String, String)>,
}

impl DependencyEnd {
    /// The value of an attribute, for example `schemaName` or `solution`.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

impl Manifest {
    /// Reads a manifest; `file` is its name for errors.
    ///
    /// # Errors
    ///
    /// [`PackageError::Xml`] if the text is not well formed, [`PackageError::Manifest`] if the
    /// name or version is missing, [`PackageError::Version`].
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, PackageError> {
        let text = super::xml::decode(file, bytes)?;
        let document = open(file, &text)?;
        let manifest = manifest_node(file, &document)?;
        let unique_name = required_text(file, manifest, "UniqueName")?;
        let version = required_text(file, manifest, "Version")?.parse()?;
        let kind = match required_text(file, manifest, "Managed")?.as_str() {
            "0" | "false" => Managed::Unmanaged,
            "1" | "true" => Managed::Managed,
            "2" => Managed::Both,
            other => {
                let reason = format!("`Managed` is `{other}`, expected 0, 1 or 2");
                return Err(PackageError::Manifest {
                    file: file.to_owned(),
                    reason,
                });
            }
        };
        let localized_names = localized(manifest, "LocalizedNames");
        let display_name = display(&localized_names, &unique_name);
        let root = document.root_element();
        Ok(Self {
            display_name,
            localized_names,
            descriptions: localized(manifest, "Descriptions"),
            version,
            managed: kind == Managed::Managed,
            kind,
            publisher: child(manifest, "Publisher")
                .map(publisher)
                .unwrap_or_default(),
            root_components: children(manifest, "RootComponents", "RootComponent")
                .map(root_component)
                .collect(),
            missing_dependencies: children(manifest, "MissingDependencies", "MissingDependency")
                .map(|node| MissingDependency {
                    required: dependency_end(node, "Required"),
                    dependent: dependency_end(node, "Dependent"),
                })
                .collect(),
            package_version: root.attribute("SolutionPackageVersion").map(str::to_owned),
            language: root
                .attribute("languagecode")
                .and_then(|code| code.parse().ok()),
            unique_name,
        })
    }
}

/// The manifest with another version; every other byte stays.
///
/// # Errors
///
/// As [`Manifest::parse`].
pub(crate) fn replace_version(
    file: &str,
    bytes: &[u8],
    version: SolutionVersion,
) -> Result<Vec<u8>, PackageError> {
    replace_text(file, bytes, "Version", &version.to_string())
}

/// The manifest with another text in a direct child of `SolutionManifest`; every other byte stays.
///
/// # Errors
///
/// As [`Manifest::parse`].
pub(crate) fn replace_text(
    file: &str,
    bytes: &[u8],
    element: &str,
    value: &str,
) -> Result<Vec<u8>, PackageError> {
    let text = super::xml::decode(file, bytes)?;
    let document = open(file, &text)?;
    let manifest = manifest_node(file, &document)?;
    let node = child(manifest, element).ok_or_else(|| PackageError::Manifest {
        file: file.to_owned(),
        reason: format!("`{element}` is missing"),
    })?;
    let (range, replacement) = content_of(&text, node, element, value);
    let mut out = Vec::with_capacity(bytes.len() + value.len());
    if bytes.starts_with(b"\xef\xbb\xbf") {
        out.extend_from_slice(b"\xef\xbb\xbf");
    }
    out.extend_from_slice(&text.as_bytes()[..range.start]);
    out.extend_from_slice(replacement.as_bytes());
    out.extend_from_slice(&text.as_bytes()[range.end..]);
    Ok(out)
}

/// Where the content of a leaf element stands, and what to put there.
fn content_of(text: &str, node: Node<'_, '_>, name: &str, value: &str) -> (Range<usize>, String) {
    let range = node.range();
    let source = &text[range.clone()];
    let escaped = super::xml::escape_text(value);
    match (source.find('>'), source.rfind("</")) {
        (Some(open), Some(close)) if close > open => {
            (range.start + open + 1..range.start + close, escaped)
        }
        _ => (range, format!("<{name}>{escaped}</{name}>")),
    }
}

fn open<'a>(file: &str, text: &'a str) -> Result<Document<'a>, PackageError> {
    let options = ParsingOptions {
        allow_dtd: false,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).map_err(|error| PackageError::Xml {
        file: file.to_owned(),
        line: error.pos().row,
        reason: error.to_string(),
    })
}

fn manifest_node<'a, 'i>(
    file: &str,
    document: &'a Document<'i>,
) -> Result<Node<'a, 'i>, PackageError> {
    child(document.root_element(), "SolutionManifest").ok_or_else(|| PackageError::Manifest {
        file: file.to_owned(),
        reason: "`SolutionManifest` is missing".to_owned(),
    })
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn children<'a, 'i: 'a>(
    node: Node<'a, 'i>,
    list: &str,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'i>> + use<'a, 'i> {
    child(node, list).into_iter().flat_map(move |list| {
        list.children()
            .filter(move |child| child.has_tag_name(name))
    })
}

fn text_of(node: Node<'_, '_>, name: &str) -> Option<String> {
    let node = child(node, name)?;
    let text: String = node.children().filter_map(|part| part.text()).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn required_text(file: &str, node: Node<'_, '_>, name: &str) -> Result<String, PackageError> {
    text_of(node, name).ok_or_else(|| PackageError::Manifest {
        file: file.to_owned(),
        reason: format!("`{name}` is missing or empty"),
    })
}

fn localized(node: Node<'_, '_>, list: &str) -> Vec<(u32, String)> {
    let Some(list) = child(node, list) else {
        return Vec::new();
    };
    list.children()
        .filter_map(|entry| {
            let language = entry.attribute("languagecode")?.parse().ok()?;
            Some((language, entry.attribute("description")?.to_owned()))
        })
        .collect()
}

fn display(names: &[(u32, String)], unique_name: &str) -> String {
    names
        .first()
        .map_or_else(|| unique_name.to_owned(), |(_, name)| name.clone())
}

fn publisher(node: Node<'_, '_>) -> Publisher {
    let unique_name = text_of(node, "UniqueName").unwrap_or_default();
    Publisher {
        display_name: display(&localized(node, "LocalizedNames"), &unique_name),
        prefix: text_of(node, "CustomizationPrefix").unwrap_or_default(),
        option_value_prefix: text_of(node, "CustomizationOptionValuePrefix")
            .and_then(|text| text.parse().ok()),
        descriptions: localized(node, "Descriptions"),
        email: text_of(node, "EMailAddress"),
        website: text_of(node, "SupportingWebsiteUrl"),
        unique_name,
    }
}

fn number(node: Node<'_, '_>, name: &str) -> Option<u32> {
    node.attribute(name)?.parse().ok()
}

fn root_component(node: Node<'_, '_>) -> RootComponent {
    RootComponent {
        component_type: number(node, "type").unwrap_or_default(),
        id: node.attribute("id").map(str::to_owned),
        schema_name: node.attribute("schemaName").map(str::to_owned),
        parent_id: node.attribute("parentId").map(str::to_owned),
        behavior: number(node, "behavior"),
    }
}

fn dependency_end(node: Node<'_, '_>, name: &str) -> DependencyEnd {
    let Some(end) = child(node, name) else {
        return DependencyEnd::default();
    };
    DependencyEnd {
        component_type: number(end, "type").unwrap_or_default(),
        attributes: end
            .attributes()
            .map(|attribute| (attribute.name().to_owned(), attribute.value().to_owned()))
            .collect(),
    }
}
