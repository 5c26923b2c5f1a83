//! What a file of the tree is made of, and the making of all files on all cores.

use std::borrow::Cow;

use bytes::Bytes;
use rayon::prelude::*;

use super::entity;
use super::source::Source;
use crate::solution::order;
use crate::solution::xml::Fault;
use crate::solution::xml::outline::{Element, Outline};
use crate::solution::xml::scan::{Scanner, Tag};
use crate::solution::xml::write::{Divert, Namespaces, Writer};
use crate::solution::{Finding, PackageError};

/// How a file of the managed package meets one of the unmanaged package (facts §10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Precedence {
    /// Both are kept, the managed one as a twin under another name.
    Twin,
    /// The managed one overwrites the unmanaged one.
    ManagedWins,
    /// The managed one is not written.
    UnmanagedWins,
}

/// A finished file.
pub(super) struct Output {
    pub path: String,
    pub data: Bytes,
    pub precedence: Precedence,
}

/// Finished files, and what there is to tell about them.
#[derive(Default)]
pub(super) struct Written {
    pub outputs: Vec<Output>,
    pub findings: Vec<Finding>,
}

impl From<Output> for Written {
    fn from(output: Output) -> Self {
        Self {
            outputs: vec![output],
            findings: Vec::new(),
        }
    }
}

/// A file still to be written.
pub(super) enum Recipe<'a> {
    /// Bytes of a part.
    Payload { path: String, data: Bytes },
    /// XML carved out of `customizations.xml`.
    Carve(Carve<'a>),
    /// A table, which becomes several files.
    Entity {
        folder: String,
        element: Element<'a>,
    },
}

/// An XML file of one or more elements of the package.
pub(super) struct Carve<'a> {
    pub path: String,
    pub precedence: Precedence,
    /// Root element around the elements; without one there is exactly one element.
    pub wrapper: Option<&'static str>,
    pub elements: Vec<Element<'a>>,
    pub form: Form,
}

/// Peculiarities of a carved file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is.
    Plain,
    /// Without the namespace of the root (facts §3, exceptions).
    Bare,
    /// The same, with `AppModuleComponents` in order (facts §9.1).
    App,
    /// A list that holds only the `Name` of each element (facts §7.1).
    NamesOnly,
    /// The texts of these grandchildren are left out, for they have files of their own (facts
    /// §7.3).
    Emptied(&'static [&'static str]),
}

/// Writes all files; their order is that of the recipes, whatever the number of threads.
pub(super) fn carry_out<'a>(
    source: &Source<'a>,
    recipes: Vec<Recipe<'a>>,
) -> Result<Written, PackageError> {
    let written = recipes
        .into_par_iter()
        .map(|recipe| match recipe {
            Recipe::Payload { path, data } => Ok(Written::from(Output {
                path,
                data,
                precedence: Precedence::UnmanagedWins,
            })),
            Recipe::Carve(carve) => carve.write(source).map(Written::from),
            Recipe::Entity { folder, element } => entity::write(source, &folder, &element),
        })
        .collect::<Result<Vec<_>, PackageError>>()?;
    let mut all = Written::default();
    for one in written {
        all.outputs.extend(one.outputs);
        all.findings.extend(one.findings);
    }
    Ok(all)
}

impl<'a> Carve<'a> {
    /// Writes the file.
    pub fn write(self, source: &Source<'a>) -> Result<Output, PackageError> {
        let size: usize = self.elements.iter().map(|element| element.span.len()).sum();
        // Most of what is added is indentation and the second half of the line ends.
        let mut writer = Writer::file(source.newline, size + size / 8);
        self.fill(&mut writer, source)
            .map_err(|fault| source.error(fault))?;
        Ok(Output {
            path: self.path,
            data: writer.finish().into(),
            precedence: self.precedence,
        })
    }

    fn fill(&self, writer: &mut Writer<'a>, source: &Source<'a>) -> Result<(), Fault> {
        let outline = source.outline;
        let declare = Namespaces::Declare(&source.namespaces);
        let inner = match self.wrapper {
            Some(name) => {
                writer.begin(name, &source.declarations());
                Namespaces::Keep
            }
            None => declare,
        };
        for element in &self.elements {
            match self.form {
                Form::Plain => writer.copy(outline, element, inner)?,
                Form::Bare => writer.copy(outline, element, Namespaces::Invent)?,
                Form::App => {
                    let invent = Namespaces::Invent;
                    writer.copy_diverting(outline, element, invent, &mut AppComponents)?;
                }
                Form::NamesOnly => {
                    let name = element.attribute("Name").unwrap_or_default();
                    let name = crate::solution::xml::escape_attribute(&name);
                    writer.empty_with(element.name, &format!(" Name=\"{name}\""));
                }
                Form::Emptied(names) => {
                    writer.copy_diverting(outline, element, inner, &mut Emptied(names))?;
                }
            }
        }
        if self.wrapper.is_some() {
            writer.end();
        }
        Ok(())
    }
}

struct AppComponents;

impl<'a> Divert<'a> for AppComponents {
    type Error = Fault;

    fn wants(&self, depth: usize, name: &str) -> bool {
        depth == 1 && name == "AppModuleComponents"
    }

    fn take(
        &mut self,
        writer: &mut Writer<'a>,
        scanner: &mut Scanner<'a>,
        tag: Tag<'a>,
    ) -> Result<(), Fault> {
        let element = scanner.element(tag)?;
        sorted_list(
            writer,
            Outline::of(scanner),
            &element,
            SortKey::Attributes(&["type", "schemaName"]),
        )
    }
}

struct Emptied(&'static [&'static str]);

impl<'a> Divert<'a> for Emptied {
    type Error = Fault;

    fn wants(&self, depth: usize, name: &str) -> bool {
        depth == 2 && self.0.contains(&name)
    }

    fn take(
        &mut self,
        writer: &mut Writer<'a>,
        scanner: &mut Scanner<'a>,
        tag: Tag<'a>,
    ) -> Result<(), Fault> {
        let element = scanner.element(tag)?;
        writer.begin(element.name, element.attributes);
        writer.end();
        Ok(())
    }
}

/// What a list is sorted by.
#[derive(Debug, Clone, Copy)]
pub(super) enum SortKey {
    /// These attributes of each child; one that is absent counts as empty.
    Attributes(&'static [&'static str]),
    /// `type` and `schemaName` of the child `Required` of each child.
    Required,
}

/// Copies an element with its children in order; ties keep the order of the source.
pub(super) fn sorted_list<'a>(
    writer: &mut Writer<'a>,
    outline: Outline<'a>,
    list: &Element<'a>,
    key: SortKey,
) -> Result<(), Fault> {
    let children = outline.children(list.inner.clone())?;
    if children.is_empty() {
        return writer.copy(outline, list, Namespaces::Keep);
    }
    let mut keyed = children
        .into_iter()
        .map(|child| Ok((sort_keys(outline, &child, key)?, child)))
        .collect::<Result<Vec<_>, Fault>>()?;
    keyed.sort_by(|(a, _), (b, _)| {
        let pairs = a.iter().zip(b);
        pairs
            .map(|(a, b)| order::by_culture(a, b))
            .find(|o| o.is_ne())
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    writer.begin(list.name, list.attributes);
    for (_, child) in &keyed {
        writer.copy(outline, child, Namespaces::Keep)?;
    }
    writer.end();
    Ok(())
}

fn sort_keys<'a>(
    outline: Outline<'a>,
    child: &Element<'a>,
    key: SortKey,
) -> Result<Vec<Cow<'a, str>>, Fault> {
    let values = |element: &Element<'a>, names: &[&str]| {
        names
            .iter()
            .map(|name| element.attribute(name).unwrap_or_default())
            .collect()
    };
    Ok(match key {
        SortKey::Attributes(names) => values(child, names),
        SortKey::Required => match outline.child(child.inner.clone(), "Required")? {
            Some(required) => values(&required, &["type", "schemaName"]),
            None => vec![Cow::Borrowed(""), Cow::Borrowed("")],
        },
    })
}
