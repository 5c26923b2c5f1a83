//! What belongs to a package as a whole: its manifest and the frame of `customizations.xml`.

use std::collections::HashSet;

use roxmltree::{Document, Node};
use serde::{Deserialize, Serialize};

use super::fragment::{
    Edits, child, content_range, elements, escape_attribute, escape_text, value,
};
use super::kind::{self, Root, code};
use super::split::identity_of;
use super::{Component, ComponentError, Identity, Place};
use crate::solution::Manifest;

/// The package without its components.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outline {
    /// The text of `solution.xml`, without a byte order mark.
    pub manifest: String,
    /// The attributes of the root of `customizations.xml`, as written.
    pub attributes: String,
    /// The collections, in their order.
    pub frames: Vec<Frame>,
    /// How the package breaks lines.
    pub line_end: String,
}

/// A collection of `customizations.xml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// Its element's name.
    pub name: String,
    /// Its attributes, as written.
    pub attributes: String,
    /// Whether it is written `<Roles />` when it is empty, instead of `<Roles></Roles>`.
    pub closes_itself: bool,
    /// Its content, where that is carried as it is and holds no components.
    pub inner: Option<String>,
}

/// A root component of the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootComponent {
    /// Which component.
    pub identity: Identity,
    /// 0 with all parts, 1 without parts, 2 only the shell.
    pub behavior: u8,
    /// Its element, as written.
    pub text: String,
}

/// What the manifest of a solution that never was in a package is written from.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // The names are those of the manifest's elements.
pub struct NewSolution {
    pub unique_name: String,
    pub display_name: String,
    pub description: String,
    pub version: String,
    pub publisher_name: String,
    pub publisher_display_name: String,
    pub publisher_prefix: String,
    pub publisher_option_prefix: i64,
    pub language: u32,
}

impl Outline {
    /// The outline of a solution that was made in an environment.
    pub fn new(solution: &NewSolution) -> Self {
        let frames = kind::ALWAYS.iter().map(|name| Frame {
            name: (*name).to_owned(),
            attributes: String::new(),
            closes_itself: [
                "Templates",
                "EntityMaps",
                "EntityRelationships",
                "OrganizationSettings",
                "optionsets",
                "CustomControls",
                "EntityDataProviders",
            ]
            .contains(name),
            inner: (*name == "Languages")
                .then(|| format!("\r\n    <Language>{}</Language>\r\n  ", solution.language)),
        });
        Self {
            manifest: new_manifest(solution),
            attributes: format!(" xmlns:xsi=\"{}\"", super::fragment::XSI),
            frames: frames.collect(),
            line_end: "\r\n".into(),
        }
    }

    /// The root components, in the order of the manifest.
    ///
    /// # Errors
    /// When the manifest is not readable XML; so for all methods here.
    pub fn roots(&self) -> Result<Vec<RootComponent>, ComponentError> {
        self.read(|manifest, text| {
            let list = child(manifest, "RootComponents")
                .into_iter()
                .flat_map(elements);
            list.map(|root| RootComponent {
                identity: manifest_identity(root),
                behavior: root
                    .attribute("behavior")
                    .and_then(|b| b.parse().ok())
                    .unwrap_or(0),
                text: text[root.range()].to_owned(),
            })
            .collect()
        })
    }

    /// The text of an element of the manifest, by its path below `SolutionManifest`.
    pub fn manifest_value(&self, place: &str) -> Result<Option<String>, ComponentError> {
        self.read(|manifest, _| value(manifest, place).map(|text| text.trim().to_owned()))
    }

    /// The same outline with `Version`, `Managed` and, where given, the friendly name replaced.
    pub fn stamped(
        &self,
        version: &str,
        managed: bool,
        display_name: Option<&str>,
    ) -> Result<Self, ComponentError> {
        let mut edits = Edits::default();
        self.read(|manifest, text| {
            let mut set = |name: &str, new: &str| {
                if let Some(range) =
                    child(manifest, name).and_then(|node| content_range(text, node))
                {
                    edits.replace(range.0, range.1, escape_text(new));
                }
            };
            set("Version", version);
            set("Managed", if managed { "1" } else { "0" });
            let label = child(manifest, "LocalizedNames").and_then(|names| elements(names).next());
            if let (Some(label), Some(new)) = (label, display_name)
                && let Some(attribute) = label.attribute_node("description")
            {
                let range = attribute.range_value();
                edits.replace(range.start, range.end, escape_attribute(new));
            }
        })?;
        Ok(Self {
            manifest: edits.apply(&self.manifest),
            ..self.clone()
        })
    }

    /// The same outline whose root components are those of `components`.
    ///
    /// Entries that stay keep their text and order. New ones get the place that their type and
    /// name have among the others. An entry whose component is not there goes when `gone` says so:
    /// servers list some forms that they do not write. `behavior` says how a table is included.
    pub fn with_roots_of(
        &self,
        components: &[Component],
        behavior: impl Fn(&Component) -> u8,
        gone: impl Fn(&Identity) -> bool,
    ) -> Result<Self, ComponentError> {
        let old = self.roots()?;
        let here: HashSet<Identity> = components.iter().map(Component::identity).collect();
        let listed: HashSet<Identity> = old.iter().map(|root| root.identity.clone()).collect();
        let staying = old
            .into_iter()
            .filter(|root| here.contains(&root.identity) || !gone(&root.identity));
        let mut new: Vec<RootComponent> = components
            .iter()
            .filter(|component| !listed.contains(&component.identity()))
            .filter_map(|component| {
                let behavior = behavior(component);
                let text = root_text(component, &here, behavior)?;
                Some(RootComponent {
                    identity: component.identity(),
                    behavior,
                    text,
                })
            })
            .collect();
        new.sort_by(|left, right| left.identity.cmp(&right.identity));
        let mut new = new.into_iter().peekable();
        let mut roots: Vec<RootComponent> = Vec::new();
        for root in staying {
            while let Some(before) = new.next_if(|new| new.identity < root.identity) {
                roots.push(before);
            }
            roots.push(root);
        }
        roots.extend(new);
        let mut edits = Edits::default();
        self.read(|manifest, text| {
            let Some(list) = child(manifest, "RootComponents") else {
                return;
            };
            let texts: Vec<&str> = roots.iter().map(|root| root.text.as_str()).collect();
            if elements(list)
                .map(|root| &text[root.range()])
                .eq(texts.iter().copied())
            {
                return;
            }
            let end = &self.line_end;
            let body: String = texts
                .iter()
                .map(|text| format!("{end}      {text}"))
                .collect();
            let range = list.range();
            let new = if body.is_empty() {
                "<RootComponents />".to_owned()
            } else {
                format!("<RootComponents>{body}{end}    </RootComponents>")
            };
            edits.replace(range.start, range.end, new);
        })?;
        Ok(Self {
            manifest: edits.apply(&self.manifest),
            ..self.clone()
        })
    }

    /// The same outline that also says that these components must be in the target: each with the
    /// text of its `MissingDependency` element's children. What is listed already stays as it is.
    pub fn requiring(&self, needed: &[(Identity, [String; 2])]) -> Result<Self, ComponentError> {
        let listed: HashSet<Identity> = required_components(self)?
            .into_iter()
            .map(|(identity, _, _)| identity)
            .collect();
        let end = &self.line_end;
        let mut said = HashSet::new();
        let new: String = needed
            .iter()
            .filter(|(identity, _)| !listed.contains(identity))
            .filter(|(identity, text)| said.insert((identity, &text[1])))
            .map(|(_, [required, dependent])| {
                format!(
                    "{end}      <MissingDependency>{end}        {required}{end}        \
                     {dependent}{end}      </MissingDependency>"
                )
            })
            .collect();
        if new.is_empty() {
            return Ok(self.clone());
        }
        let mut edits = Edits::default();
        self.read(|manifest, text| {
            let Some(list) = child(manifest, "MissingDependencies") else {
                return;
            };
            match content_range(text, list) {
                Some((start, stop)) => {
                    let at = start + text[start..stop].trim_end().len();
                    edits.replace(at, stop, format!("{new}{end}    "));
                }
                None => {
                    let range = list.range();
                    let list = format!("<MissingDependencies>{new}{end}    </MissingDependencies>");
                    edits.replace(range.start, range.end, list);
                }
            }
        })?;
        Ok(Self {
            manifest: edits.apply(&self.manifest),
            ..self.clone()
        })
    }

    fn read<T>(&self, look: impl FnOnce(Node<'_, '_>, &str) -> T) -> Result<T, ComponentError> {
        let unreadable = |reason: String| ComponentError::Xml {
            part: "solution.xml".into(),
            reason,
        };
        let document =
            Document::parse(&self.manifest).map_err(|error| unreadable(error.to_string()))?;
        let manifest = child(document.root_element(), "SolutionManifest")
            .ok_or_else(|| unreadable("it has no SolutionManifest".into()))?;
        Ok(look(manifest, &self.manifest))
    }
}

/// The components that the manifest says must be in the target, each with the element that says it
/// and the solution that brings it (`Name (version)`).
///
/// # Errors
/// When the manifest is not readable XML.
pub fn required_components(
    outline: &Outline,
) -> Result<Vec<(Identity, String, String)>, ComponentError> {
    outline.read(|manifest, text| {
        let list = child(manifest, "MissingDependencies")
            .into_iter()
            .flat_map(elements);
        list.filter_map(|dependency| {
            let required = child(dependency, "Required")?;
            let identity = manifest_identity(required);
            let solution = required
                .attribute("solution")
                .unwrap_or_default()
                .to_owned();
            Some((identity, solution, text[dependency.range()].to_owned()))
        })
        .collect()
    })
}

/// Which component a `RootComponent`, `Required` or `Dependent` of the manifest means.
pub(crate) fn manifest_identity(end: Node<'_, '_>) -> Identity {
    let attributes = end.attributes();
    meant(attributes.map(|attribute| (attribute.name(), attribute.value())))
}

/// The components that the manifest says must be in the target.
pub fn declared_components(manifest: &Manifest) -> Vec<Identity> {
    let missing = manifest.missing_dependencies.iter();
    missing
        .map(|missing| {
            let attributes = missing.required.attributes.iter();
            meant(attributes.map(|(name, value)| (name.as_str(), value.as_str())))
        })
        .collect()
}

/// The component that these attributes of a manifest's element mean.
fn meant<'a>(attributes: impl Iterator<Item = (&'a str, &'a str)>) -> Identity {
    let attributes: Vec<(&str, &str)> = attributes.collect();
    let value = |wanted: &str| {
        let own = attributes.iter().find(|(name, _)| *name == wanted);
        own.map(|(_, value)| *value)
    };
    // Framework components are named by `id.<key column>` or `<table>.<key column>`.
    let natural = attributes.iter().find(|(name, _)| name.contains('.'));
    let own = identity_of(
        value("type").unwrap_or_default(),
        natural.map(|(_, value)| *value).or(value("id")),
        value("schemaName"),
    );
    match (own.component_type.code(), value("parentSchemaName")) {
        // A column is named beside its table.
        (Some(code::COLUMN), Some(table)) => {
            Identity::coded(code::COLUMN, &format!("{table}.{}", own.key))
        }
        _ => own,
    }
}

/// The `RootComponent` element of a component, if its kind has one.
fn root_text(component: &Component, all: &HashSet<Identity>, behavior: u8) -> Option<String> {
    let number = component.component_type.code()?;
    let kind = kind::kind_of(number)?;
    let schema = component.schema_name.as_deref().unwrap_or(&component.key);
    let name = if number == code::TABLE {
        component.key.as_str()
    } else {
        schema
    };
    let name = format!(" schemaName=\"{}\"", escape_attribute(name));
    let id = component.id.map(|id| format!(" id=\"{{{id}}}\""));
    let identity = match kind.root {
        Root::No => return None,
        Root::Id => id?,
        Root::Name if component.key == kind::CLASSIC_SITE_MAP => String::new(),
        Root::Name => name,
        Root::Both => format!("{}{name}", id.unwrap_or_default()),
        Root::Loose => {
            if let (Place::Table { .. }, Some(parent)) = (&component.place, &component.parent) {
                let whole = all.contains(parent) && behavior == 0;
                if whole {
                    return None;
                }
            }
            id?
        }
    };
    Some(format!(
        "<RootComponent type=\"{number}\"{identity} behavior=\"{behavior}\" />"
    ))
}

fn new_manifest(solution: &NewSolution) -> String {
    let nil = |names: &[&str]| -> String {
        names
            .iter()
            .map(|name| format!("          <{name} xsi:nil=\"true\"></{name}>\r\n"))
            .collect()
    };
    let address = |number: u8| {
        let before = nil(&[
            "City",
            "County",
            "Country",
            "Fax",
            "FreightTermsCode",
            "ImportSequenceNumber",
            "Latitude",
            "Line1",
            "Line2",
            "Line3",
            "Longitude",
            "Name",
            "PostalCode",
            "PostOfficeBox",
            "PrimaryContactName",
        ]);
        let after = nil(&[
            "StateOrProvince",
            "Telephone1",
            "Telephone2",
            "Telephone3",
            "TimeZoneRuleVersionNumber",
            "UPSZone",
            "UTCOffset",
            "UTCConversionTimeZoneCode",
        ]);
        format!(
            "        <Address>\r\n          <AddressNumber>{number}</AddressNumber>\r\n          <AddressTypeCode>1</AddressTypeCode>\r\n{before}          <ShippingMethodCode>1</ShippingMethodCode>\r\n{after}        </Address>\r\n"
        )
    };
    let language = solution.language;
    let label = |indent: &str, element: &str, text: &str| {
        let list = if element == "Description" {
            "Descriptions"
        } else {
            "LocalizedNames"
        };
        if text.is_empty() {
            return format!("{indent}<{list} />\r\n");
        }
        let text = escape_attribute(text);
        format!(
            "{indent}<{list}>\r\n{indent}  <{element} description=\"{text}\" languagecode=\"{language}\" />\r\n{indent}</{list}>\r\n"
        )
    };
    [
        format!(
            "<ImportExportXml version=\"9.2.25063.198\" SolutionPackageVersion=\"9.2\" languagecode=\"{language}\" generatedBy=\"CrmLive\" xmlns:xsi=\"{}\">\r\n  <SolutionManifest>\r\n    <UniqueName>{}</UniqueName>\r\n",
            super::fragment::XSI,
            escape_text(&solution.unique_name)
        ),
        label("    ", "LocalizedName", &solution.display_name),
        label("    ", "Description", &solution.description),
        format!(
            "    <Version>{}</Version>\r\n    <Managed>0</Managed>\r\n    <Publisher>\r\n      <UniqueName>{}</UniqueName>\r\n",
            escape_text(&solution.version),
            escape_text(&solution.publisher_name)
        ),
        label("      ", "LocalizedName", &solution.publisher_display_name),
        label("      ", "Description", ""),
        format!(
            "      <EMailAddress xsi:nil=\"true\"></EMailAddress>\r\n      <SupportingWebsiteUrl xsi:nil=\"true\"></SupportingWebsiteUrl>\r\n      <CustomizationPrefix>{}</CustomizationPrefix>\r\n      <CustomizationOptionValuePrefix>{}</CustomizationOptionValuePrefix>\r\n      <Addresses>\r\n",
            escape_text(&solution.publisher_prefix),
            solution.publisher_option_prefix
        ),
        address(1),
        address(2),
        "      </Addresses>\r\n    </Publisher>\r\n    <RootComponents />\r\n    <MissingDependencies />\r\n  </SolutionManifest>\r\n</ImportExportXml>".to_owned(),
    ]
    .concat()
}
