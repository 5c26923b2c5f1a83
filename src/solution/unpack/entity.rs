//! A table: `Entity.xml`, its ribbon, and a file for each form, view and chart (facts §5).
//!
//! The table is read once from its first to its last tag; each sub-component goes to a writer of its
//! own on the way.

use super::recipe::{Output, Precedence, Written};
use super::source::Source;
use crate::solution::xml::outline::Element;
use crate::solution::xml::scan::{Scanner, Tag};
use crate::solution::xml::write::{Divert, Namespaces, Whole, Writer};
use crate::solution::xml::{Fault, line_at};
use crate::solution::{Finding, PackageError, names};

/// Writes all files of a table into `Entities/<folder>/`.
pub(super) fn write<'a>(
    source: &Source<'a>,
    folder: &str,
    entity: &Element<'a>,
) -> Result<Written, PackageError> {
    let mut split = Split {
        source,
        folder,
        written: Written::default(),
    };
    let mut writer = Writer::file(source.newline, entity.span.len() / 2);
    let declare = Namespaces::Declare(&source.namespaces);
    writer
        .copy_diverting(source.outline, entity, declare, &mut split)
        .map_err(|fault| source.error(fault))?;
    split.written.outputs.push(Output {
        path: format!("{folder}/Entity.xml"),
        data: writer.finish().into(),
        precedence: Precedence::ManagedWins,
    });
    Ok(split.written)
}

/// Writes the children of a table that have files of their own.
struct Split<'s, 'a> {
    source: &'s Source<'a>,
    folder: &'s str,
    written: Written,
}

impl<'a> Divert<'a> for Split<'_, 'a> {
    type Error = Fault;

    fn wants(&self, depth: usize, name: &str) -> bool {
        depth == 1
            && matches!(
                name,
                "FormXml" | "SavedQueries" | "Visualizations" | "RibbonDiffXml"
            )
    }

    fn take(
        &mut self,
        writer: &mut Writer<'a>,
        scanner: &mut Scanner<'a>,
        tag: Tag<'a>,
    ) -> Result<(), Fault> {
        let (start, known) = (scanner.clone(), self.written.outputs.len());
        let split = match tag.name {
            "RibbonDiffXml" => self.ribbon(scanner, tag),
            "Visualizations" => {
                let folder = format!("{}/Visualizations", self.folder);
                self.members(scanner, tag, &CHARTS, &folder)
            }
            "FormXml" => self.lists(scanner, tag, &FORMS),
            _ => self.lists(scanner, tag, &VIEWS),
        };
        match split {
            Ok(()) => {
                // The placeholder says on pack that the files are to be put back here.
                writer.empty(tag.name);
                Ok(())
            }
            Err(Stop::Fault(fault)) => Err(fault),
            Err(Stop::Unexpected { at, reason }) => {
                // What Microsoft's tool does then is not known; packing takes them from here.
                self.written.outputs.truncate(known);
                *scanner = start;
                writer.element(scanner, tag, Namespaces::Keep, &mut Whole)?;
                let message = format!(
                    "{reason}; all of `{}` stays in {}/Entity.xml",
                    tag.name, self.folder
                );
                let line = line_at(self.source.outline.text, at);
                let finding = Finding::warning("ALM-P105", self.source.file, message);
                self.written.findings.push(finding.at(line));
                Ok(())
            }
        }
    }
}

/// Why a list is not split.
enum Stop {
    /// The text is not XML.
    Fault(Fault),
    /// It holds what has no place in files.
    Unexpected { at: usize, reason: String },
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

fn unexpected(tag: Tag<'_>, reason: String) -> Stop {
    Stop::Unexpected { at: tag.at, reason }
}

/// A kind of sub-component.
struct Kind {
    /// The element around the components.
    list: &'static str,
    element: &'static str,
    /// The child element that names the file.
    id: &'static str,
    precedence: Precedence,
    /// Whether a file has the list's element around the component.
    wrapped: bool,
}

const FORMS: Kind = Kind {
    list: "forms",
    element: "systemform",
    id: "formid",
    precedence: Precedence::Twin,
    wrapped: true,
};

const VIEWS: Kind = Kind {
    list: "savedqueries",
    element: "savedquery",
    id: "savedqueryid",
    precedence: Precedence::UnmanagedWins,
    wrapped: true,
};

const CHARTS: Kind = Kind {
    list: "Visualizations",
    element: "visualization",
    id: "savedqueryvisualizationid",
    precedence: Precedence::UnmanagedWins,
    wrapped: false,
};

impl<'a> Split<'_, 'a> {
    fn ribbon(&mut self, scanner: &mut Scanner<'a>, tag: Tag<'a>) -> Result<(), Stop> {
        let mut writer = Writer::file(self.source.newline, 1024);
        let declare = Namespaces::Declare(&self.source.namespaces);
        writer.element(scanner, tag, declare, &mut Whole)?;
        self.written.outputs.push(Output {
            path: format!("{}/RibbonDiff.xml", self.folder),
            data: writer.finish().into(),
            precedence: Precedence::ManagedWins,
        });
        Ok(())
    }

    /// The lists of forms, one for each type, or the list of views.
    fn lists(&mut self, scanner: &mut Scanner<'a>, tag: Tag<'a>, kind: &Kind) -> Result<(), Stop> {
        scanner.layer(tag, |scanner, list| {
            if list.name != kind.list {
                let reason = format!("`<{}>` is not expected in `{}`", list.name, tag.name);
                return Err(unexpected(list, reason));
            }
            let folder = if kind.list == FORMS.list {
                let Some(kind) = list.attribute("type").filter(|kind| !kind.is_empty()) else {
                    return Err(unexpected(list, "a list of forms has no type".to_owned()));
                };
                format!("{}/FormXml/{}", self.folder, names::file_name(&kind))
            } else {
                format!("{}/SavedQueries", self.folder)
            };
            self.members(scanner, list, kind, &folder)
        })?;
        Ok(())
    }

    /// The components of one list, each into a file of that folder.
    fn members(
        &mut self,
        scanner: &mut Scanner<'a>,
        list: Tag<'a>,
        kind: &Kind,
        folder: &str,
    ) -> Result<(), Stop> {
        scanner.layer(list, |scanner, tag| {
            if tag.name == kind.element {
                self.member(scanner, tag, kind, folder)
            } else {
                let reason = format!(
                    "`<{}>` is not expected beside `<{}>`",
                    tag.name, kind.element
                );
                Err(unexpected(tag, reason))
            }
        })?;
        Ok(())
    }

    fn member(
        &mut self,
        scanner: &mut Scanner<'a>,
        tag: Tag<'a>,
        kind: &Kind,
        folder: &str,
    ) -> Result<(), Stop> {
        let mut id = Id {
            name: kind.id,
            start: None,
        };
        let mut writer = Writer::file(self.source.newline, 4096);
        if kind.wrapped {
            writer.begin(kind.list, &self.source.declarations());
            writer.element(scanner, tag, Namespaces::Keep, &mut id)?;
            writer.end();
        } else {
            let declare = Namespaces::Declare(&self.source.namespaces);
            writer.element(scanner, tag, declare, &mut id)?;
        }
        let outline = self.source.outline;
        let text = id.start.map(|start| outline.text_from(start)).transpose()?;
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            let (element, id) = (kind.element, kind.id);
            let reason = format!("a `<{element}>` has no `{id}`, which names its file");
            return Err(unexpected(tag, reason));
        };
        let twin = if self.source.managed && kind.precedence == Precedence::Twin {
            "_managed"
        } else {
            ""
        };
        self.written.outputs.push(Output {
            path: format!("{folder}/{}{twin}.xml", names::file_name(&text)),
            data: writer.finish().into(),
            precedence: kind.precedence,
        });
        Ok(())
    }
}

/// Writes everything, and notes where the text of the child stands that names the file.
struct Id {
    name: &'static str,
    start: Option<usize>,
}

impl<'a> Divert<'a> for Id {
    type Error = Fault;

    fn wants(&self, depth: usize, name: &str) -> bool {
        depth == 1 && name == self.name && self.start.is_none()
    }

    fn take(
        &mut self,
        writer: &mut Writer<'a>,
        scanner: &mut Scanner<'a>,
        tag: Tag<'a>,
    ) -> Result<(), Fault> {
        self.start = (!tag.empty).then(|| scanner.position());
        writer.element(scanner, tag, Namespaces::Keep, &mut Whole)
    }
}

/// The paths of the formulas that the columns of a table name, such as `/Formulas/a-b.xaml`.
pub(super) fn formulas<'a>(
    source: &Source<'a>,
    entity: &Element<'a>,
) -> Result<Vec<Element<'a>>, PackageError> {
    const TAG: &str = "<FormulaDefinitionFileName";
    let text = source.outline.text;
    let mut found = Vec::new();
    let mut at = entity.inner.start;
    while let Some(next) =
        memchr::memmem::find(&text.as_bytes()[at..entity.inner.end], TAG.as_bytes())
    {
        at += next;
        let rest = at..entity.inner.end;
        let element = source
            .outline
            .child(rest, "FormulaDefinitionFileName")
            .map_err(|fault| source.error(fault))?;
        match element {
            Some(element) => {
                at = element.span.end;
                found.push(element);
            }
            None => break,
        }
    }
    Ok(found)
}
