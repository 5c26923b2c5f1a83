//! Templates, with the texts put back that have files of their own (facts §7.3).

use super::built::{Bench, Built, Page};
use super::files::{join, strip_suffix, text};
use crate::solution::template_texts::{self, TextFiles, text_files};
use crate::solution::xml::outline::Element;
use crate::solution::xml::scan::{Scanner, Tag};
use crate::solution::xml::write::{Divert, Namespaces, Whole, Writer};
use crate::solution::xml::{Fault, decode};
use crate::solution::{Finding, PackageError};

/// Builds the collection.
pub(super) fn build(bench: &Bench<'_>) -> Result<Built, PackageError> {
    let mut files = bench.listing.directly_in("Templates");
    files.retain(|file| strip_suffix(file.path, ".xml").is_some());
    join(files, |file| {
        bench.read(file, |page, root| {
            let mut writer = bench.fragment(2, root.span.len() * 2);
            let mut built = Built::default();
            match text_files(root.name) {
                None => page.copy(&mut writer, &root)?,
                Some(texts) => {
                    let found = texts_of(bench, page, &root, texts, &mut built)?;
                    let mut restore = Restore {
                        found: found.into_iter(),
                        texts,
                    };
                    page.copy_diverting(&mut writer, &root, &mut restore)?;
                }
            }
            built.xml = text(writer.finish());
            Ok(built)
        })
    })
}

/// The texts in the order in which their elements stand; none where the element has its own.
fn texts_of<'p>(
    bench: &Bench<'_>,
    page: &Page<'p>,
    root: &Element<'p>,
    texts: &TextFiles,
    built: &mut Built,
) -> Result<Vec<Option<String>>, PackageError> {
    let mut found = Vec::new();
    for template in page.children(root)? {
        let id = page.child_text(&template, texts.id)?.unwrap_or_default();
        let language = page
            .child_text(&template, "languagecode")?
            .unwrap_or_default();
        for child in page.children(&template)? {
            let Some(name) = texts.file_of(child.name) else {
                continue;
            };
            if !page.text(&child)?.is_empty() {
                found.push(None);
                continue;
            }
            let path = format!("Templates/{}/{name}", texts.folder(&language, &id));
            match bench.listing.get(&path) {
                Some(file) => {
                    let content = decode(file.path, file.data)?;
                    let folded = template_texts::folded(name, &content);
                    found.push(Some(folded.unwrap_or_else(|| content.into_owned())));
                }
                None => {
                    let message = format!("`{}` has no text, for `{path}` is missing", child.name);
                    let line = page.line(&child);
                    built
                        .findings
                        .push(Finding::note("ALM-P132", page.file, message).at(line));
                    found.push(Some(String::new()));
                }
            }
        }
    }
    Ok(found)
}

struct Restore<'x> {
    found: std::vec::IntoIter<Option<String>>,
    texts: &'x TextFiles,
}

impl<'p> Divert<'p> for Restore<'_> {
    type Error = Fault;

    fn wants(&self, depth: usize, name: &str) -> bool {
        depth == 2 && self.texts.elements.contains(&name)
    }

    fn take(
        &mut self,
        writer: &mut Writer<'p>,
        scanner: &mut Scanner<'p>,
        tag: Tag<'p>,
    ) -> Result<(), Fault> {
        match self.found.next().flatten() {
            Some(content) => {
                let element = scanner.element(tag)?;
                writer.begin(element.name, element.attributes);
                writer.text(&content);
                writer.end();
            }
            // It has kept its own text.
            None => writer.element(scanner, tag, Namespaces::Keep, &mut Whole)?,
        }
        Ok(())
    }
}
