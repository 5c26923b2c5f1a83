//! Templates: one file per kind, and files for the texts in them (facts §7.3).

use super::recipe::{Carve, Form, Precedence, Recipe};
use super::source::Source;
use crate::solution::template_texts::{self, TextFiles, text_files};
use crate::solution::xml::BOM;
use crate::solution::xml::outline::Element;
use crate::solution::{Finding, PackageError, names};

/// Splits the collection `Templates`.
pub(super) fn plan<'a>(
    source: &mut Source<'a>,
    kinds: &[Element<'a>],
) -> Result<Vec<Recipe<'a>>, PackageError> {
    let mut recipes = Vec::new();
    for kind in kinds {
        let mut form = Form::Plain;
        if let Some(texts) = text_files(kind.name) {
            let templates = source.children(kind)?;
            match folders(source, texts, &templates)? {
                Ok(folders) => {
                    for (template, folder) in templates.iter().zip(folders) {
                        text_recipes(source, texts, template, &folder, &mut recipes)?;
                    }
                    form = Form::Emptied(texts.elements);
                }
                Err(line) => {
                    let message = format!(
                        "a template has no `{}` or no `languagecode`, which name the files of its \
                         texts; the texts stay in Templates/{}.xml",
                        texts.id, kind.name
                    );
                    let finding = Finding::warning("ALM-P105", source.file, message);
                    source.findings.push(finding.at(line));
                }
            }
        }
        recipes.push(Recipe::Carve(Carve {
            path: format!("Templates/{}.xml", names::file_name(kind.name)),
            precedence: Precedence::UnmanagedWins,
            wrapper: None,
            elements: vec![kind.clone()],
            form,
        }));
    }
    Ok(recipes)
}

/// The folder of each template, or the line of the first one that has none.
fn folders<'a>(
    source: &Source<'a>,
    texts: &TextFiles,
    templates: &[Element<'a>],
) -> Result<Result<Vec<String>, u32>, PackageError> {
    let mut folders = Vec::with_capacity(templates.len());
    for template in templates {
        let id = source.child_text(template, texts.id)?;
        let language = source.child_text(template, "languagecode")?;
        match (language, id) {
            (Some(language), Some(id)) => folders.push(texts.folder(&language, &id)),
            _ => return Ok(Err(source.line(template))),
        }
    }
    Ok(Ok(folders))
}

fn text_recipes<'a>(
    source: &Source<'a>,
    texts: &TextFiles,
    template: &Element<'a>,
    folder: &str,
    recipes: &mut Vec<Recipe<'a>>,
) -> Result<(), PackageError> {
    for child in source.children(template)? {
        let Some(file) = texts.file_of(child.name) else {
            continue;
        };
        let text = source.whole_text(&child)?;
        if text.trim().is_empty() {
            continue;
        }
        let data = match template_texts::laid_out(file, &text, source.newline) {
            Some(data) => data,
            None => format!("{BOM}{}", lines(&text, source.newline)).into_bytes(),
        };
        recipes.push(Recipe::Payload {
            path: format!("Templates/{folder}/{file}"),
            data: data.into(),
        });
    }
    Ok(())
}

/// The text with the file's line ends.
fn lines(text: &str, newline: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .replace('\n', newline)
}
