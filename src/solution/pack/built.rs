//! What one file of the tree contributes to the package.

use bytes::Bytes;

use super::PackOptions;
use super::listing::{File, Listing};
use super::plugin_remap::Rename;
use crate::solution::checks::Present;
use crate::solution::xml::outline::{Element, Outline};
use crate::solution::xml::write::{Divert, Namespaces, Whole, Writer};
use crate::solution::xml::{Fault, decode, line_at};
use crate::solution::{Finding, PackageError};

/// A part that a component names.
pub(super) struct Payload {
    /// Name of the part, from the XML.
    pub part: String,
    /// File that its bytes come from.
    pub file: String,
    pub data: Bytes,
}

/// The contribution of one or more files, in order.
#[derive(Default)]
pub(super) struct Built {
    /// Elements, written for their place in `customizations.xml`.
    pub xml: String,
    pub payloads: Vec<Payload>,
    pub present: Vec<Present>,
    pub findings: Vec<Finding>,
    /// Assemblies with another identity than their data file says.
    pub renames: Vec<Rename>,
}

impl Built {
    /// Appends another contribution.
    pub fn append(&mut self, other: Self) {
        self.xml.push_str(&other.xml);
        self.append_beside_xml(other);
    }

    /// Appends everything of another contribution but its elements.
    pub fn append_beside_xml(&mut self, other: Self) {
        self.payloads.extend(other.payloads);
        self.present.extend(other.present);
        self.findings.extend(other.findings);
        self.renames.extend(other.renames);
    }
}

/// What everything that reads files needs.
pub(super) struct Bench<'t> {
    pub listing: Listing<'t>,
    pub managed: bool,
    /// Namespace declarations of the package's root, which files repeat.
    pub namespaces: Vec<(&'t str, &'t str)>,
    pub options: &'t PackOptions,
}

impl Bench<'_> {
    pub fn newline(&self) -> &'static str {
        self.options.line_ends.text()
    }

    /// Reads a file and hands its root element over, which the visitor reads to its end.
    pub fn read<R>(
        &self,
        file: File<'_>,
        visit: impl for<'p> FnOnce(&Page<'p>, Element<'p>) -> Result<R, PackageError>,
    ) -> Result<R, PackageError> {
        let text = decode(file.path, file.data)?;
        let page = Page {
            file: file.path,
            outline: Outline {
                text: &text,
                deepest: self.options.limits.xml_depth,
            },
            namespaces: &self.namespaces,
        };
        let by_tags = page.outline.root_by_tags();
        match by_tags.map_err(|fault| page.error(fault))? {
            // If the visitor fails, the reason may be that there is no one root element.
            Some(root) => visit(&page, root).or_else(|error| {
                let root = page.outline.root();
                root.map_err(|fault| page.error(fault)).and(Err(error))
            }),
            None => {
                let root = page.outline.root().map_err(|fault| page.error(fault))?;
                visit(&page, root)
            }
        }
    }

    /// A fragment writer for elements at an indentation level.
    pub fn fragment<'t>(&self, level: usize, capacity: usize) -> Writer<'t> {
        Writer::fragment(self.newline(), level, capacity)
    }

    /// The content of a payload, or an error finding that names who asks for it.
    pub fn payload(
        &self,
        page: &Page<'_>,
        asking: &Element<'_>,
        part: &str,
        file: &str,
        built: &mut Built,
    ) {
        let part = part.trim_start_matches('/').replace('\\', "/");
        match self.listing.get(file) {
            Some(found) => built.payloads.push(Payload {
                part,
                file: found.path.to_owned(),
                data: found.data.clone(),
            }),
            None => {
                let why = if file.ends_with(".msapp") {
                    "; an app that an old tool unpacked (`--processCanvasApps`) can only be \
                     rebuilt by that tool"
                } else {
                    ""
                };
                let message = format!("cannot find the required file `{file}`{why}");
                built.findings.push(
                    Finding::error(crate::solution::checks::MISSING_FILE, page.file, message)
                        .at(page.line(asking)),
                );
            }
        }
    }
}

/// An XML file of the tree.
pub(super) struct Page<'p> {
    pub file: &'p str,
    pub outline: Outline<'p>,
    namespaces: &'p [(&'p str, &'p str)],
}

impl<'p> Page<'p> {
    pub fn error(&self, fault: Fault) -> PackageError {
        fault.in_file(self.file, self.outline.text)
    }

    pub fn line(&self, element: &Element<'_>) -> u32 {
        line_at(self.outline.text, element.span.start)
    }

    pub fn children(&self, element: &Element<'p>) -> Result<Vec<Element<'p>>, PackageError> {
        self.outline
            .children(element.inner.clone())
            .map_err(|fault| self.error(fault))
    }

    pub fn text(&self, element: &Element<'p>) -> Result<String, PackageError> {
        self.outline
            .text_of(element)
            .map(Into::into)
            .map_err(|fault| self.error(fault))
    }

    pub fn child_text(
        &self,
        element: &Element<'p>,
        name: &str,
    ) -> Result<Option<String>, PackageError> {
        let text = self.outline.child_text(element, name);
        text.map(|text| text.map(Into::into))
            .map_err(|fault| self.error(fault))
    }

    /// Writes an element; declarations that the package's root has are folded into it.
    pub fn copy(&self, writer: &mut Writer<'p>, element: &Element<'p>) -> Result<(), PackageError> {
        let fold = Namespaces::Fold(self.namespaces);
        writer
            .copy(self.outline, element, fold)
            .map_err(|fault| self.error(fault))
    }

    /// Writes the elements inside of an element, and nothing else that stands there.
    pub fn copy_children(
        &self,
        writer: &mut Writer<'p>,
        element: &Element<'p>,
    ) -> Result<(), PackageError> {
        let fold = Namespaces::Fold(self.namespaces);
        self.outline
            .inside(element.inner.clone(), |scanner, tag| {
                writer.element(scanner, tag, fold, &mut Whole)
            })
            .map_err(|fault| self.error(fault))
    }

    /// The same, with elements handed over.
    pub fn copy_diverting(
        &self,
        writer: &mut Writer<'p>,
        element: &Element<'p>,
        divert: &mut impl Divert<'p, Error = Fault>,
    ) -> Result<(), PackageError> {
        let fold = Namespaces::Fold(self.namespaces);
        writer
            .copy_diverting(self.outline, element, fold, divert)
            .map_err(|fault| self.error(fault))
    }
}
