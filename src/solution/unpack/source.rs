//! The package being unpacked: its text, its parts, and which of them were named.

use std::borrow::Cow;
use std::collections::HashSet;

use bytes::Bytes;

use super::UnpackOptions;
use super::recipe::{Output, Precedence, SortKey, sorted_list};
use crate::solution::layout::{self, Shape};
use crate::solution::manifest::Managed;
use crate::solution::xml::outline::{Element, Ends, Layers, Outline};
use crate::solution::xml::scan::{Scanner, Tag};
use crate::solution::xml::write::{Divert, Namespaces, Writer};
use crate::solution::xml::{Fault, decode, line_at};
use crate::solution::{CUSTOMIZATIONS_FILE, SOLUTION_FILE, SOLUTION_XML};
use crate::solution::{Finding, Package, PackageError, names};

/// One package while it is unpacked.
pub(super) struct Source<'a> {
    pub package: &'a Package,
    /// Name of the part with the components, for messages.
    pub file: &'a str,
    pub outline: Outline<'a>,
    pub layers: Layers<'a>,
    /// Namespace declarations of the root, which carved-out files repeat.
    pub namespaces: Vec<(&'a str, &'a str)>,
    pub newline: &'static str,
    pub managed: bool,
    pub findings: Vec<Finding>,
    /// Folded names of the parts that a component has named.
    named: HashSet<String>,
    /// Folded names of the zip folders that a collection has claimed (facts §7.5).
    claimed: HashSet<String>,
    /// Collections that stay in `Other/Customizations.xml`.
    pub inline: HashSet<&'a str>,
}

impl<'a> Source<'a> {
    /// Finds the collections and components of a package.
    pub fn open(
        package: &'a Package,
        file: &'a str,
        text: &'a str,
        managed: bool,
        options: &UnpackOptions,
        ends: Ends,
    ) -> Result<Self, PackageError> {
        let outline = Outline {
            text,
            deepest: options.limits.xml_depth,
        };
        let layers = outline
            .layers(ends)
            .map_err(|fault| fault.in_file(file, text))?;
        let namespaces = layers
            .root
            .namespaces()
            .map_err(|fault| fault.in_file(file, text))?;
        let mut claimed = HashSet::new();
        for (collection, _) in &layers.children {
            match layout::rule_of(collection.name) {
                Some(rule) => {
                    let folders = [rule.folder, rule.zip_folder];
                    claimed.extend(
                        folders
                            .iter()
                            .filter(|f| !f.is_empty())
                            .map(|f| names::fold(f)),
                    );
                }
                None => {
                    claimed.insert(names::fold(collection.name));
                }
            }
        }
        Ok(Self {
            package,
            file,
            outline,
            layers,
            namespaces,
            newline: options.line_ends.text(),
            managed,
            findings: Vec::new(),
            named: HashSet::new(),
            claimed,
            inline: HashSet::new(),
        })
    }

    /// A fault in the text as an error with its line.
    pub fn error(&self, fault: Fault) -> PackageError {
        fault.in_file(self.file, self.outline.text)
    }

    /// A component that cannot be unpacked.
    pub fn refuse(&self, element: &Element<'_>, reason: String) -> PackageError {
        self.refuse_at(element.span.start, reason)
    }

    /// The same for a component whose start tag stands at an offset.
    pub fn refuse_at(&self, at: usize, reason: String) -> PackageError {
        PackageError::Component {
            file: self.file.to_owned(),
            line: line_at(self.outline.text, at),
            reason,
        }
    }

    /// The declarations of the root as attributes.
    pub fn declarations(&self) -> String {
        self.namespaces
            .iter()
            .map(|(name, value)| format!(" {name}=\"{value}\""))
            .collect()
    }

    /// The line that an element begins in.
    pub fn line(&self, element: &Element<'_>) -> u32 {
        line_at(self.outline.text, element.span.start)
    }

    /// The text of a child element, if there is one.
    pub fn child_text(
        &self,
        element: &Element<'a>,
        name: &str,
    ) -> Result<Option<Cow<'a, str>>, PackageError> {
        self.outline
            .child_text(element, name)
            .map_err(|fault| self.error(fault))
    }

    /// The child elements of an element.
    pub fn children(&self, element: &Element<'a>) -> Result<Vec<Element<'a>>, PackageError> {
        self.outline
            .children(element.inner.clone())
            .map_err(|fault| self.error(fault))
    }

    /// The text of an element.
    pub fn text(&self, element: &Element<'a>) -> Result<Cow<'a, str>, PackageError> {
        self.outline
            .text_of(element)
            .map_err(|fault| self.error(fault))
    }

    /// The text of an element with the white space around it.
    pub fn whole_text(&self, element: &Element<'a>) -> Result<Cow<'a, str>, PackageError> {
        self.outline
            .whole_text_of(element)
            .map_err(|fault| self.error(fault))
    }

    /// The content of a part that a component names by a path from the root, and marks it as named.
    pub fn payload(&mut self, path: &str, element: &Element<'_>) -> Result<Bytes, PackageError> {
        self.optional_payload(path)
            .ok_or_else(|| PackageError::MissingFile {
                path: path.trim_start_matches('/').to_owned(),
                named_in: self.file.to_owned(),
                line: self.line(element),
            })
    }

    /// The same for a part that may be missing.
    pub fn optional_payload(&mut self, path: &str) -> Option<Bytes> {
        let name = path.trim_start_matches('/').replace('\\', "/");
        let part = self.package.find(&name).or_else(|| {
            let decoded = names::part_name_of_entry(&name).into_owned();
            self.package.find(&decoded)
        })?;
        self.named.insert(names::fold(&part.name));
        Some(part.data.clone())
    }

    /// All parts below a folder, marked as named.
    pub fn payload_folder(&mut self, folder: &str) -> Vec<(String, Bytes)> {
        let prefix = names::fold(&format!("{}/", folder.trim_end_matches('/')));
        let mut found = Vec::new();
        for part in self.package.parts() {
            let folded = names::fold(&part.name);
            if folded.starts_with(&prefix) {
                self.named.insert(folded);
                found.push((part.name.clone(), part.data.clone()));
            }
        }
        found
    }

    /// `Other/Customizations.xml`: the document with a placeholder for each collection that was
    /// moved out (facts §6).
    pub fn customizations_file(&self) -> Result<Output, PackageError> {
        struct Placeholders<'s, 'a>(&'s Source<'a>);
        impl<'a> Divert<'a> for Placeholders<'_, 'a> {
            type Error = Fault;

            fn wants(&self, depth: usize, name: &str) -> bool {
                depth == 1 && !self.0.inline.contains(name)
            }

            fn take(
                &mut self,
                writer: &mut Writer<'a>,
                scanner: &mut Scanner<'a>,
                tag: Tag<'a>,
            ) -> Result<(), Fault> {
                writer.empty(tag.name);
                // Its end is known, so its content need not be read again.
                let children = &self.0.layers.children;
                let place = children.binary_search_by_key(&tag.at, |(child, _)| child.span.start);
                match place {
                    Ok(index) => scanner.jump(children[index].0.span.end),
                    Err(_) => {
                        scanner.element(tag)?;
                    }
                }
                Ok(())
            }
        }
        let mut writer = Writer::file(self.newline, 4096);
        let root = &self.layers.root;
        let text = self.outline.text;
        let written = writer
            .prolog(text, 0..root.span.start)
            .and_then(|()| {
                let mut divert = Placeholders(self);
                writer.copy_diverting(self.outline, root, Namespaces::Keep, &mut divert)
            })
            .and_then(|()| writer.prolog(text, root.span.end..text.len()));
        written.map_err(|fault| self.error(fault))?;
        Ok(Output {
            path: CUSTOMIZATIONS_FILE.to_owned(),
            data: writer.finish().into(),
            precedence: Precedence::ManagedWins,
        })
    }

    /// The parts that no component names: copied, or reported where Microsoft's tool drops them.
    pub fn pass_through(&mut self) -> Vec<Output> {
        let package = self.package;
        let mut kept = Vec::new();
        for part in package.parts() {
            if self.named.contains(&names::fold(&part.name)) {
                continue;
            }
            let Some((top, _)) = part.name.split_once('/') else {
                self.root_part(&part.name);
                continue;
            };
            let mut drop = |reason: &str| {
                let message = format!("the part is left out: {reason}");
                self.findings
                    .push(Finding::warning("ALM-P101", &*part.name, message));
            };
            if self.claimed.contains(&names::fold(top)) {
                drop("no component names it, and its folder belongs to a component type");
            } else if layout::NEVER_PACKED
                .iter()
                .any(|folder| folder.eq_ignore_ascii_case(top))
            {
                drop("the folder is reserved for the unpacked form");
            } else if is_left_by_a_mac(&part.name) {
                drop("the zip program of a Mac has added it");
            } else {
                kept.push(Output {
                    path: part.name.clone(),
                    data: part.data.clone(),
                    precedence: Precedence::ManagedWins,
                });
            }
        }
        kept
    }

    /// Reports parts that Microsoft's readers do not see, for `[Content_Types].xml` does not name
    /// their type (facts §2.3). They are taken all the same.
    pub fn undeclared(&mut self) {
        let package = self.package;
        let Some(declaration) = package.part(crate::solution::CONTENT_TYPES_XML) else {
            return;
        };
        let left_out: HashSet<String> = self.findings.iter().map(|f| f.file.clone()).collect();
        let names = package.parts().iter().map(|part| &*part.name);
        let names = names.filter(|name| !left_out.contains(*name));
        for name in crate::solution::content_types::undeclared(declaration, names) {
            let message = "[Content_Types].xml does not declare the part, so Microsoft's tools do \
                           not see it; it is taken all the same";
            self.findings
                .push(Finding::warning("ALM-P107", name, message.to_owned()));
        }
    }

    fn root_part(&mut self, name: &str) {
        let known = [
            SOLUTION_XML,
            crate::solution::CUSTOMIZATIONS_XML,
            crate::solution::CONTENT_TYPES_XML,
        ];
        if !known.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            let message =
                "the part is left out: parts in the root have no place in a folder".to_owned();
            self.findings
                .push(Finding::warning("ALM-P102", name, message));
        }
    }
}

/// `Other/Solution.xml`: the manifest with its lists in the order of facts §9.1.
pub(super) fn solution_file(
    package: &Package,
    stamp: Option<Managed>,
    options: &UnpackOptions,
) -> Result<Output, PackageError> {
    struct Lists {
        stamp: Option<Managed>,
    }
    impl<'a> Divert<'a> for Lists {
        type Error = Fault;

        fn wants(&self, depth: usize, name: &str) -> bool {
            depth == 2
                && (matches!(name, "RootComponents" | "MissingDependencies")
                    || (name == "Managed" && self.stamp == Some(Managed::Both)))
        }

        fn take(
            &mut self,
            writer: &mut Writer<'a>,
            scanner: &mut Scanner<'a>,
            tag: Tag<'a>,
        ) -> Result<(), Fault> {
            let element = scanner.element(tag)?;
            let outline = Outline::of(scanner);
            match element.name {
                "RootComponents" => sorted_list(
                    writer,
                    outline,
                    &element,
                    SortKey::Attributes(&["type", "schemaName", "id"]),
                ),
                "MissingDependencies" => sorted_list(writer, outline, &element, SortKey::Required),
                name => {
                    writer.begin(name, "");
                    writer.text("2");
                    writer.end();
                    Ok(())
                }
            }
        }
    }
    let part = package.required(SOLUTION_XML)?;
    let text = decode(&part.name, &part.data)?;
    let outline = Outline {
        text: &text,
        deepest: options.limits.xml_depth,
    };
    let mut writer = Writer::file(options.line_ends.text(), text.len() + text.len() / 4);
    let written = outline.root().and_then(|root| {
        writer.prolog(&text, 0..root.span.start)?;
        let mut lists = Lists { stamp };
        writer.copy_diverting(outline, &root, Namespaces::Keep, &mut lists)?;
        writer.prolog(&text, root.span.end..text.len())
    });
    written.map_err(|fault| fault.in_file(&part.name, &text))?;
    Ok(Output {
        path: SOLUTION_FILE.to_owned(),
        data: writer.finish().into(),
        precedence: Precedence::ManagedWins,
    })
}

/// Whether a collection moves out of `Other/Customizations.xml` whatever it holds.
pub(super) fn has_a_place(shape: Shape) -> bool {
    !matches!(shape, Shape::Inline | Shape::Unknown)
}

/// Whether a part is no part of a solution but what macOS adds to archives that people make by hand.
fn is_left_by_a_mac(part: &str) -> bool {
    let file = part.rsplit('/').next().unwrap_or(part);
    part.starts_with("__MACOSX/") || file.starts_with("._") || file == ".DS_Store"
}
