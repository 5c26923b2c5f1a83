//! From a package to its components.

use std::collections::{HashMap, HashSet};

use roxmltree::{Document, Node};

use super::fragment::{attribute_text, content_range, elements, text_of, value};
use super::identify::Named;
use super::kind::{self, Key, code};
use super::names::display_name;
use super::outline::{Frame, Outline};
use super::{
    Component, ComponentError, ComponentType, Identity, Payload, Place, folder, fragment, table,
};
use crate::solution::Package;

/// A package in pieces.
#[derive(Debug, Clone)]
pub struct Split {
    /// What belongs to the package as a whole.
    pub outline: Outline,
    /// The components, in the order of the package. Parts of a table follow it.
    pub components: Vec<Component>,
    /// Parts in a folder that a collection claims but that no component names. Microsoft's tools
    /// drop them (facts, solution-package-format §7.5), and so does this.
    pub unclaimed: Vec<String>,
}

/// The components of `package`, in its order.
///
/// # Errors
/// As [`split`].
pub fn components(package: &Package) -> Result<Vec<Component>, ComponentError> {
    Ok(split(package)?.components)
}

/// The parts of a package by name, and which of them have found their component.
pub(super) struct Parts<'a> {
    by_name: HashMap<&'a str, &'a [u8]>,
    order: Vec<&'a str>,
    taken: HashSet<&'a str>,
}

impl<'a> Parts<'a> {
    pub fn new(package: &'a Package) -> Self {
        let mut parts = Self {
            by_name: HashMap::new(),
            order: Vec::new(),
            taken: HashSet::new(),
        };
        for part in package.parts() {
            parts.by_name.insert(&part.name, &part.data);
            parts.order.push(&part.name);
        }
        parts
    }

    /// Takes the part that a path in the XML names, if the package has it.
    fn take(&mut self, path: &str) -> Option<Payload> {
        let name = path.trim().trim_start_matches('/');
        let (&name, &bytes) = self.by_name.get_key_value(name)?;
        self.taken.insert(name);
        Some(Payload {
            name: name.to_owned(),
            bytes: bytes.to_vec(),
        })
    }

    /// Takes every part below `folder`, in the order of the package.
    fn take_below(&mut self, folder: &str) -> Vec<Payload> {
        let names: Vec<&str> = self
            .order
            .iter()
            .copied()
            .filter(|name| name.starts_with(folder))
            .collect();
        names
            .into_iter()
            .filter_map(|name| self.take(name))
            .collect()
    }

    /// The parts outside the root that nobody took, in the order of the package.
    fn left(&self) -> Vec<(&'a str, &'a [u8])> {
        self.order
            .iter()
            .filter(|name| name.contains('/') && !self.taken.contains(*name))
            .map(|name| (*name, self.by_name[name]))
            .collect()
    }
}

/// Cuts `package` into its outline and its components.
///
/// # Errors
/// When `solution.xml` or `customizations.xml` is missing or not readable XML, when a component
/// has nothing that identifies it, or when two have the same identity.
pub fn split(package: &Package) -> Result<Split, ComponentError> {
    let manifest = text_part(package, "solution.xml")?;
    let source = text_part(package, "customizations.xml")?;
    let document = Document::parse(&source).map_err(|error| ComponentError::Xml {
        part: "customizations.xml".into(),
        reason: error.to_string(),
    })?;
    let mut parts = Parts::new(package);
    let mut cutter = Cutter {
        source: &source,
        parts: &mut parts,
        found: Vec::new(),
    };
    let root = document.root_element();
    let mut frames = Vec::new();
    for collection in elements(root) {
        frames.push(cutter.collection(collection)?);
    }
    let mut found = cutter.found;
    let claimed: HashSet<&str> = frames
        .iter()
        .flat_map(|frame| claims(&frame.name).iter().copied())
        .collect();
    let (pass, unclaimed): (Vec<_>, Vec<_>) = parts.left().into_iter().partition(|(name, _)| {
        let top = name.split('/').next().unwrap_or_default();
        !claimed.contains(top) && !["Other", "Resources"].contains(&top)
    });
    folder::split(&pass, &mut found);
    only_once(&found)?;
    let outline = Outline {
        manifest,
        attributes: attribute_text(&source, root).to_owned(),
        frames,
        line_end: if source.contains("\r\n") {
            "\r\n".into()
        } else {
            "\n".into()
        },
    };
    let unclaimed = unclaimed
        .into_iter()
        .map(|(name, _)| name.to_owned())
        .collect();
    Ok(Split {
        outline,
        components: found,
        unclaimed,
    })
}

/// The folders of the zip that a collection claims.
fn claims(collection: &str) -> &'static [&'static str] {
    match collection {
        "Entities" => &["Formulas"],
        "Workflows" => &["Workflows"],
        "WebResources" => &["WebResources"],
        "CustomControls" => &["Controls"],
        "SolutionPluginAssemblies" => &["PluginAssemblies"],
        "Reports" => &["Reports"],
        "CanvasApps" => &["CanvasApps"],
        "Connectors" => &["Connector"],
        _ => &[],
    }
}

fn text_part(package: &Package, part: &'static str) -> Result<String, ComponentError> {
    let bytes = package.part(part).ok_or(ComponentError::NoPart { part })?;
    let text = std::str::from_utf8(bytes).map_err(|error| ComponentError::Xml {
        part: part.into(),
        reason: error.to_string(),
    })?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

pub(super) fn only_once(components: &[Component]) -> Result<(), ComponentError> {
    let mut seen = HashSet::new();
    for component in components {
        if !seen.insert((&component.component_type, &component.key)) {
            return Err(ComponentError::Twice {
                kind: component.component_type.label().to_owned(),
                key: component.key.clone(),
            });
        }
    }
    Ok(())
}

pub(super) struct Cutter<'a, 'p> {
    pub source: &'a str,
    pub parts: &'a mut Parts<'p>,
    pub found: Vec<Component>,
}

impl Cutter<'_, '_> {
    /// Cuts a collection below the root of `customizations.xml`.
    pub fn collection(&mut self, node: Node<'_, '_>) -> Result<Frame, ComponentError> {
        let name = node.tag_name().name().to_owned();
        let whole = kind::WHOLE.contains(&name.as_str());
        let content = content_range(self.source, node);
        let frame = Frame {
            attributes: attribute_text(self.source, node).to_owned(),
            closes_itself: content.is_none(),
            inner: whole.then(|| {
                content
                    .map_or("", |(start, end)| &self.source[start..end])
                    .into()
            }),
            name: name.clone(),
        };
        if !whole {
            self.children(node, &name)?;
        }
        Ok(frame)
    }

    /// Cuts the components of the collection `path`.
    pub fn children(&mut self, node: Node<'_, '_>, path: &str) -> Result<(), ComponentError> {
        for (index, element) in elements(node).enumerate() {
            let inner = format!("{path}/{}", element.tag_name().name());
            if !path.contains('/') && kind::is_nested(&inner) {
                self.children(element, &inner)?;
            } else if path == "Entities" {
                self.table(element)?;
            } else {
                let component = self.component(element, path, index)?;
                self.found.push(component);
            }
        }
        Ok(())
    }

    /// Cuts a table.
    pub fn table(&mut self, entity: Node<'_, '_>) -> Result<(), ComponentError> {
        let name = value(entity, "Name").unwrap_or_default().trim();
        if name.is_empty() {
            return Err(ComponentError::NoKey {
                collection: "Entities".into(),
                key: "Name".into(),
            });
        }
        let identity = Identity::table(name);
        let mut found = Vec::new();
        let shell = table::split(self.source, entity, &identity, &mut found);
        self.found.push(Component {
            component_type: identity.component_type,
            key: identity.key,
            id: None,
            schema_name: Some(name.to_owned()),
            display_name: display_name(entity).unwrap_or_else(|| name.to_owned()),
            parent: None,
            place: Place::Collection("Entities".into()),
            fragment: shell,
            payload: Vec::new(),
        });
        for (mut part, node) in found {
            if part.key.is_empty() || part.key.ends_with('.') {
                return Err(ComponentError::NoKey {
                    collection: format!("table {name}"),
                    key: format!("id of a {}", part.component_type.label()),
                });
            }
            part.payload = self.payload(node);
            self.found.push(part);
        }
        Ok(())
    }

    /// The component that `node` of `collection` defines.
    pub fn component(
        &mut self,
        node: Node<'_, '_>,
        collection: &str,
        index: usize,
    ) -> Result<Component, ComponentError> {
        let Named {
            component_type,
            key,
            id,
            schema_name,
        } = Named::of(node, collection, index)?;
        let payload = if component_type == ComponentType::Code(code::CONTROL) {
            // A control owns its whole folder.
            let manifest = value(node, "FileName").unwrap_or_default();
            match manifest.trim_start_matches('/').rsplit_once('/') {
                Some((folder, _)) => self.parts.take_below(&format!("{folder}/")),
                None => self.payload(node),
            }
        } else {
            self.payload(node)
        };
        Ok(Component {
            display_name: display_name(node)
                .or_else(|| schema_name.clone())
                .unwrap_or_else(|| key.clone()),
            component_type,
            key,
            id: id.and_then(|id| id.parse().ok()),
            schema_name,
            parent: None,
            place: Place::Collection(collection.to_owned()),
            fragment: text_of(self.source, node).to_owned(),
            payload,
        })
    }

    /// The parts that texts below `node` name: every path in a package begins with a slash.
    fn payload(&mut self, node: Node<'_, '_>) -> Vec<Payload> {
        let texts = node
            .descendants()
            .filter(Node::is_text)
            .filter_map(|text| text.text());
        texts
            .filter(|text| text.trim_start().starts_with('/'))
            .filter_map(|text| self.parts.take(text))
            .collect()
    }
}

/// The identity that a root component or a dependency of the manifest means.
pub(super) fn identity_of(
    component_type: &str,
    id: Option<&str>,
    schema: Option<&str>,
) -> Identity {
    let component_type = ComponentType::named(component_type);
    let by_name = component_type
        .code()
        .and_then(kind::kind_of)
        .is_some_and(|kind| matches!(kind.key, Key::Name(_) | Key::NameAndId(..) | Key::Pair(..)));
    let key = match (by_name, id, schema) {
        (true, _, Some(schema)) | (_, None, Some(schema)) => schema,
        (_, Some(id), _) => id,
        // The classic site map is listed without any name.
        (_, None, None) if component_type.code() == Some(code::SITE_MAP) => kind::CLASSIC_SITE_MAP,
        (_, None, None) => "",
    };
    Identity {
        component_type,
        key: fragment::plain_id(key),
    }
}
