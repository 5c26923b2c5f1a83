//! Relationships from their list and the files of the tables (facts §7.1).

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use super::built::{Bench, Built};
use super::files::text;
use crate::solution::xml::escape_attribute;
use crate::solution::{Finding, PackageError};

const LIST: &str = "Other/Relationships.xml";
const FOLDER: &str = "Other/Relationships";

/// A full element, with where it stands.
struct Full {
    name: String,
    xml: String,
    file: String,
    line: u32,
}

/// Builds the collection: the list decides what is written, and in what order.
pub(super) fn build(bench: &Bench<'_>) -> Result<Built, PackageError> {
    let full = full_elements(bench)?;
    let mut by_name: HashMap<&str, &Full> = HashMap::with_capacity(full.len());
    for element in &full {
        if let Some(first) = by_name.insert(&element.name, element) {
            let reason = format!(
                "the relationship `{}` stands here and in {}:{}",
                element.name, first.file, first.line
            );
            return Err(PackageError::Component {
                file: element.file.clone(),
                line: element.line,
                reason,
            });
        }
    }
    let mut built = Built::default();
    let mut listed = HashSet::new();
    if let Some(file) = bench.listing.get(LIST) {
        for (name, line) in names(bench, file)? {
            match by_name.get(name.as_str()) {
                Some(element) => built.xml.push_str(&element.xml),
                None => {
                    let mut writer = bench.fragment(2, 128);
                    writer.empty_with(
                        "EntityRelationship",
                        &format!(" Name=\"{}\"", escape_attribute(&name)),
                    );
                    built.xml.push_str(&text(writer.finish()));
                    let message =
                        format!("the relationship `{name}` has no full element in `{FOLDER}`");
                    built
                        .findings
                        .push(Finding::note("ALM-P130", LIST, message).at(line));
                }
            }
            if !listed.insert(name.clone()) {
                let reason = format!("the relationship `{name}` is listed twice");
                return Err(PackageError::Component {
                    file: LIST.to_owned(),
                    line,
                    reason,
                });
            }
        }
    }
    for element in full
        .iter()
        .filter(|element| !listed.contains(&element.name))
    {
        let message = format!(
            "the relationship `{}` is not in {LIST}; it is left out",
            element.name
        );
        built
            .findings
            .push(Finding::warning("ALM-P131", &*element.file, message).at(element.line));
    }
    Ok(built)
}

fn names(
    bench: &Bench<'_>,
    file: super::listing::File<'_>,
) -> Result<Vec<(String, u32)>, PackageError> {
    bench.read(file, |page, root| {
        let children = page.children(&root)?;
        // Lines are counted forward, for a list can have many thousands.
        let (mut at, mut line) = (0, 1);
        Ok(children
            .iter()
            .filter_map(|child| {
                let between = &page.outline.text.as_bytes()[at..child.span.start];
                line += u32::try_from(memchr::memchr_iter(b'\n', between).count()).unwrap_or(0);
                at = child.span.start;
                Some((child.attribute("Name")?.into_owned(), line))
            })
            .collect())
    })
}

fn full_elements(bench: &Bench<'_>) -> Result<Vec<Full>, PackageError> {
    let files = bench.listing.directly_in(FOLDER);
    let read = files
        .into_par_iter()
        .map(|file| {
            bench.read(file, |page, root| {
                let (mut at, mut line) = (0, 1);
                let mut found = Vec::new();
                for child in page.children(&root)? {
                    let between = &page.outline.text.as_bytes()[at..child.span.start];
                    line += u32::try_from(memchr::memchr_iter(b'\n', between).count()).unwrap_or(0);
                    at = child.span.start;
                    let mut writer = bench.fragment(2, child.span.len() + child.span.len() / 4);
                    page.copy(&mut writer, &child)?;
                    found.push(Full {
                        name: child.attribute("Name").unwrap_or_default().into_owned(),
                        xml: text(writer.finish()),
                        file: page.file.to_owned(),
                        line,
                    });
                }
                Ok(found)
            })
        })
        .collect::<Result<Vec<_>, PackageError>>()?;
    Ok(read.into_iter().flatten().collect())
}
