//! Code components (PCF controls), as their manifest describes them.

use serde::Serialize;

use super::text;
use crate::solution::keyed::{Node, xml};

/// A code component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Control {
    /// Its name in the environment: `contoso_Contoso.Timeline`.
    pub name: String,
    /// The namespace of its code.
    pub namespace: String,
    /// The class of its code.
    pub constructor: String,
    /// Its version; an environment takes over a new bundle only with a higher one.
    pub version: String,
    /// `standard` or `virtual`.
    #[serde(rename = "type")]
    pub control_type: String,
    /// Its properties in their order.
    pub properties: Vec<ControlProperty>,
    /// The lists of rows that it can be bound to.
    pub data_sets: Vec<String>,
    /// The files that it loads.
    pub resources: Vec<String>,
    /// Why the manifest could not be read; the rest is empty then.
    pub problem: Option<String>,
}

/// A property of a code component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ControlProperty {
    /// Its name.
    pub name: String,
    /// What it takes: `SingleLine.Text`, `TwoOptions`, or the name of a group of types.
    #[serde(rename = "type")]
    pub property_type: String,
    /// `bound` to a column, `input` or `output`.
    pub usage: String,
    /// Whether it must be given.
    pub required: bool,
}

impl Control {
    /// Reads a `CustomControl` element with the `ControlManifest.xml` beside it.
    pub(crate) fn read(node: &Node<'_>, manifest: Option<&[u8]>) -> Option<Self> {
        let mut control = Self {
            name: node.at_path("Name")?.to_owned(),
            namespace: String::new(),
            constructor: String::new(),
            version: String::new(),
            control_type: String::new(),
            properties: Vec::new(),
            data_sets: Vec::new(),
            resources: Vec::new(),
            problem: None,
        };
        let Some(manifest) = manifest else {
            control.problem = Some("its ControlManifest.xml is not there".into());
            return Some(control);
        };
        let manifest = String::from_utf8_lossy(manifest);
        match xml::read(&manifest) {
            Ok(document) => control.take(&document.root),
            Err(fault) => {
                let error = fault.in_file("ControlManifest.xml", &manifest);
                control.problem = Some(error.to_string());
            }
        }
        Some(control)
    }

    fn take(&mut self, manifest: &Node<'_>) {
        let Some(control) = manifest.child("control") else {
            self.problem = Some("its ControlManifest.xml describes no control".into());
            return;
        };
        self.namespace = text(control, "@namespace");
        self.constructor = text(control, "@constructor");
        self.version = text(control, "@version");
        // A manifest without a type means a standard control.
        self.control_type = control
            .attribute("control-type")
            .unwrap_or("standard")
            .to_owned();
        for child in control.children() {
            match &*child.name {
                "property" => self.properties.push(ControlProperty {
                    name: text(child, "@name"),
                    property_type: child
                        .attribute("of-type")
                        .or_else(|| child.attribute("of-type-group"))
                        .unwrap_or_default()
                        .to_owned(),
                    usage: text(child, "@usage"),
                    required: child.attribute("required") == Some("true"),
                }),
                "data-set" => self.data_sets.push(text(child, "@name")),
                "resources" => {
                    let files = child.children().iter();
                    self.resources
                        .extend(files.filter_map(|file| file.attribute("path").map(str::to_owned)));
                }
                _ => {}
            }
        }
    }
}
