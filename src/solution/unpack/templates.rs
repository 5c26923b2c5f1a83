//! Templates: one file per kind, and files for the texts in them (facts §7.3).

use super::recipe::{Carve, Form, Precedence, Recipe};
use super::source::Source;
use crate::solution::PackageError;
use crate::solution::names;
use crate::solution::template_texts::{TextFiles, text_files};
use crate::solution::xml::BOM;
use crate::solution::xml::outline::Element;

/// Splits the collection `Templates`.
pub(super) fn plan<'a>(
    source: &Source<'a>,
    kinds: &[Element<'a>],
) -> Result<Vec<Recipe<'a>>, PackageError> {
    let mut recipes = Vec::new();
    for kind in kinds {
        let texts = text_files(kind.name);
        if let Some(texts) = texts {
            for template in source.children(kind)? {
                text_recipes(source, texts, &template, &mut recipes)?;
            }
        }
        recipes.push(Recipe::Carve(Carve {
            path: format!("Templates/{}.xml", names::file_name(kind.name)),
            precedence: Precedence::UnmanagedWins,
            wrapper: None,
            elements: vec![kind.clone()],
            form: texts.map_or(Form::Plain, |texts| Form::Emptied(texts.elements)),
        }));
    }
    Ok(recipes)
}

fn text_recipes<'a>(
    source: &Source<'a>,
    texts: &TextFiles,
    template: &Element<'a>,
    recipes: &mut Vec<Recipe<'a>>,
) -> Result<(), PackageError> {
    let Some(id) = source.child_text(template, texts.id)? else {
        return Err(source.refuse(template, format!("a template has no `{}`", texts.id)));
    };
    let language = source
        .child_text(template, "languagecode")?
        .unwrap_or_default();
    for child in source.children(template)? {
        let Some(file) = texts.file_of(child.name) else {
            continue;
        };
        let text = source.text(&child)?;
        if text.is_empty() {
            continue;
        }
        let folder = texts.folder(&language, &id);
        let text = lines(&text, source.newline);
        recipes.push(Recipe::Payload {
            path: format!("Templates/{folder}/{file}"),
            data: format!("{BOM}{text}").into_bytes().into(),
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
