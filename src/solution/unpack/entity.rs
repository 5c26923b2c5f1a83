//! A table: `Entity.xml`, its ribbon, and a file for each form, view and chart (facts §5).

use rayon::prelude::*;

use super::recipe::{Carve, Form, Output, Precedence};
use super::source::Source;
use crate::solution::PackageError;
use crate::solution::names;
use crate::solution::xml::Fault;
use crate::solution::xml::outline::Element;
use crate::solution::xml::write::{Divert, Namespaces, Writer};

/// The children of a table that move into files of their own.
#[derive(Default)]
struct Moved<'a> {
    elements: Vec<Element<'a>>,
}

impl<'a> Divert<'a> for Moved<'a> {
    fn wants(&self, depth: usize, name: &str) -> bool {
        depth == 1
            && matches!(
                name,
                "FormXml" | "SavedQueries" | "Visualizations" | "RibbonDiffXml"
            )
    }

    fn take(&mut self, writer: &mut Writer<'a>, element: Element<'a>) -> Result<(), Fault> {
        // The placeholder says on pack that the files are to be put back here.
        writer.empty(element.name);
        self.elements.push(element);
        Ok(())
    }
}

/// Writes all files of a table into `Entities/<folder>/`.
pub(super) fn write<'a>(
    source: &Source<'a>,
    folder: &str,
    entity: &Element<'a>,
) -> Result<Vec<Output>, PackageError> {
    let mut moved = Moved::default();
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
    let mut carves = Vec::new();
    for element in &moved.elements {
        match element.name {
            "RibbonDiffXml" => carves.push(Carve {
                path: format!("{folder}/RibbonDiff.xml"),
                precedence: Precedence::ManagedWins,
                wrapper: None,
                elements: vec![element.clone()],
                form: Form::Plain,
            }),
            "FormXml" => forms(source, folder, element, &mut carves)?,
            "SavedQueries" => {
                for (list, views) in source.two_layers(element)? {
                    for view in expect(source, &list, views, "savedqueries", "savedquery")? {
                        let id = id_of(source, &view, "savedqueryid")?;
                        let path = format!("{folder}/SavedQueries/{id}.xml");
                        carves.push(carve(
                            path,
                            Precedence::UnmanagedWins,
                            Some("savedqueries"),
                            view,
                        ));
                    }
                }
            }
            _ => {
                for chart in expect(
                    source,
                    element,
                    source.children(element)?,
                    "Visualizations",
                    "visualization",
                )? {
                    let id = id_of(source, &chart, "savedqueryvisualizationid")?;
                    let path = format!("{folder}/Visualizations/{id}.xml");
                    carves.push(carve(path, Precedence::UnmanagedWins, None, chart));
                }
            }
        }
    }
    let carved = carves
        .into_par_iter()
        .map(|carve| carve.write(source))
        .collect::<Result<Vec<_>, PackageError>>()?;
    outputs.extend(carved);
    Ok(outputs)
}

fn forms<'a>(
    source: &Source<'a>,
    folder: &str,
    element: &Element<'a>,
    carves: &mut Vec<Carve<'a>>,
) -> Result<(), PackageError> {
    for (list, forms) in source.two_layers(element)? {
        let Some(kind) = list.attribute("type").filter(|kind| !kind.is_empty()) else {
            return Err(source.refuse(&list, "a list of forms has no type".to_owned()));
        };
        let kind = names::file_name(&kind).into_owned();
        for form in expect(source, &list, forms, "forms", "systemform")? {
            let id = id_of(source, &form, "formid")?;
            let twin = if source.managed { "_managed" } else { "" };
            let path = format!("{folder}/FormXml/{kind}/{id}{twin}.xml");
            carves.push(carve(path, Precedence::Twin, Some("forms"), form));
        }
    }
    Ok(())
}

fn carve<'a>(
    path: String,
    precedence: Precedence,
    wrapper: Option<&'static str>,
    element: Element<'a>,
) -> Carve<'a> {
    Carve {
        path,
        precedence,
        wrapper,
        elements: vec![element],
        form: Form::Plain,
    }
}

/// The children of a list, which must all be of one name: another one would be lost.
fn expect<'a>(
    source: &Source<'a>,
    list: &Element<'a>,
    children: Vec<Element<'a>>,
    list_name: &str,
    name: &str,
) -> Result<Vec<Element<'a>>, PackageError> {
    let unexpected = |element: &Element<'a>, place: &str| {
        source.refuse(
            element,
            format!("`<{}>` is not expected {place}", element.name),
        )
    };
    if list.name != list_name {
        return Err(unexpected(list, "here"));
    }
    match children.iter().find(|child| child.name != name) {
        Some(child) => Err(unexpected(child, &format!("in `<{list_name}>`"))),
        None => Ok(children),
    }
}

fn id_of<'a>(
    source: &Source<'a>,
    element: &Element<'a>,
    name: &str,
) -> Result<String, PackageError> {
    match source.child_text(element, name)? {
        Some(id) => Ok(names::file_name(&id).into_owned()),
        None => Err(source.refuse(element, format!("a `<{}>` has no `{name}`", element.name))),
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
