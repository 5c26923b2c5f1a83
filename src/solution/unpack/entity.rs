//! A table: `Entity.xml`, its ribbon, and a file for each form, view and chart (facts §5).

use rayon::prelude::*;

use super::recipe::{Carve, Form, Output, Precedence, Written};
use super::source::Source;
use crate::solution::xml::outline::Element;
use crate::solution::xml::write::{Divert, Namespaces, Writer};
use crate::solution::xml::{Fault, line_at};
use crate::solution::{Finding, PackageError, names};

/// The children of a table that move into files of their own.
struct Moved<'s, 'a> {
    source: &'s Source<'a>,
    folder: &'s str,
    carves: Vec<Carve<'a>>,
    findings: Vec<Finding>,
}

impl<'a> Divert<'a> for Moved<'_, 'a> {
    fn wants(&self, depth: usize, name: &str) -> bool {
        depth == 1
            && matches!(
                name,
                "FormXml" | "SavedQueries" | "Visualizations" | "RibbonDiffXml"
            )
    }

    fn take(&mut self, writer: &mut Writer<'a>, element: Element<'a>) -> Result<(), Fault> {
        match self.split(&element)? {
            Ok(carves) => {
                // The placeholder says on pack that the files are to be put back here.
                writer.empty(element.name);
                self.carves.extend(carves);
            }
            Err(unexpected) => {
                // What Microsoft's tool does then is not known; packing takes them from here.
                writer.copy(self.source.outline, &element, Namespaces::Keep)?;
                let message = format!(
                    "{}; all of `{}` stays in {}/Entity.xml",
                    unexpected.reason, element.name, self.folder
                );
                let line = line_at(self.source.outline.text, unexpected.at);
                let finding = Finding::warning("ALM-P105", self.source.file, message);
                self.findings.push(finding.at(line));
            }
        }
        Ok(())
    }
}

/// The files of a list, or where and why it cannot be split. A fault is an error of the XML.
type Split<'a> = Result<Result<Vec<Carve<'a>>, Fault>, Fault>;

impl<'a> Moved<'_, 'a> {
    fn split(&self, element: &Element<'a>) -> Split<'a> {
        let outline = self.source.outline;
        match element.name {
            "RibbonDiffXml" => Ok(Ok(vec![Carve {
                path: format!("{}/RibbonDiff.xml", self.folder),
                precedence: Precedence::ManagedWins,
                wrapper: None,
                elements: vec![element.clone()],
                form: Form::Plain,
            }])),
            "FormXml" => self.lists(element, "forms", "systemform"),
            "SavedQueries" => self.lists(element, "savedqueries", "savedquery"),
            _ => {
                let charts = outline.children(element.inner.clone())?;
                self.members(charts, "visualization", |id| {
                    (format!("Visualizations/{id}.xml"), None)
                })
            }
        }
    }

    /// Forms and views, which lie in one or more lists.
    fn lists(&self, element: &Element<'a>, list_name: &'static str, member: &str) -> Split<'a> {
        let mut carves = Vec::new();
        for (list, members) in self.source.outline.two_layers(element.inner.clone())? {
            if list.name != list_name {
                let reason = format!("`<{}>` is not expected in `{}`", list.name, element.name);
                return Ok(Err(Fault::new(list.span.start, reason)));
            }
            let split = if list_name == "forms" {
                let Some(kind) = list.attribute("type").filter(|kind| !kind.is_empty()) else {
                    let reason = "a list of forms has no type".to_owned();
                    return Ok(Err(Fault::new(list.span.start, reason)));
                };
                let kind = names::file_name(&kind).into_owned();
                let twin = if self.source.managed { "_managed" } else { "" };
                self.members(members, member, |id| {
                    (format!("FormXml/{kind}/{id}{twin}.xml"), Some("forms"))
                })?
            } else {
                self.members(members, member, |id| {
                    (format!("SavedQueries/{id}.xml"), Some("savedqueries"))
                })?
            };
            match split {
                Ok(more) => carves.extend(more),
                Err(unexpected) => return Ok(Err(unexpected)),
            }
        }
        Ok(Ok(carves))
    }

    /// A file for each member of a list; all must be of one name and have an id.
    fn members(
        &self,
        members: Vec<Element<'a>>,
        name: &str,
        place: impl Fn(&str) -> (String, Option<&'static str>),
    ) -> Split<'a> {
        let id_name = match name {
            "systemform" => "formid",
            "savedquery" => "savedqueryid",
            _ => "savedqueryvisualizationid",
        };
        let mut carves = Vec::with_capacity(members.len());
        for member in members {
            if member.name != name {
                let reason = format!("`<{}>` is not expected beside `<{name}>`", member.name);
                return Ok(Err(Fault::new(member.span.start, reason)));
            }
            let Some(id) = self.source.outline.child_text(&member, id_name)? else {
                let reason = format!("a `<{name}>` has no `{id_name}`, which names its file");
                return Ok(Err(Fault::new(member.span.start, reason)));
            };
            let (path, wrapper) = place(&names::file_name(&id));
            carves.push(Carve {
                path: format!("{}/{path}", self.folder),
                precedence: if name == "systemform" {
                    Precedence::Twin
                } else {
                    Precedence::UnmanagedWins
                },
                wrapper,
                elements: vec![member],
                form: Form::Plain,
            });
        }
        Ok(Ok(carves))
    }
}

/// Writes all files of a table into `Entities/<folder>/`.
pub(super) fn write<'a>(
    source: &Source<'a>,
    folder: &str,
    entity: &Element<'a>,
) -> Result<Written, PackageError> {
    let mut moved = Moved {
        source,
        folder,
        carves: Vec::new(),
        findings: Vec::new(),
    };
    let mut writer = Writer::file(source.newline, 4096);
    let declare = Namespaces::Declare(&source.namespaces);
    writer
        .copy_diverting(source.outline, entity, declare, &mut moved)
        .map_err(|fault| source.error(fault))?;
    let mut outputs = vec![Output {
        path: format!("{folder}/Entity.xml"),
        data: writer.finish().into(),
        precedence: Precedence::ManagedWins,
    }];
    let Moved {
        carves, findings, ..
    } = moved;
    let carved = carves
        .into_par_iter()
        .map(|carve| carve.write(source))
        .collect::<Result<Vec<_>, PackageError>>()?;
    outputs.extend(carved);
    Ok(Written { outputs, findings })
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
