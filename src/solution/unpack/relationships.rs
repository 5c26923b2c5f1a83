//! Relationships: a list of names, and a file per table with the full elements (facts §7.1).

use std::collections::HashMap;

use super::recipe::{Carve, Form, Precedence, Recipe};
use super::source::Source;
use crate::solution::xml::outline::Element;
use crate::solution::{Finding, PackageError, names};

/// Splits the collection; the order of the source is kept in each file.
pub(super) fn plan<'a>(
    source: &mut Source<'a>,
    collection: &Element<'a>,
    relationships: &[Element<'a>],
) -> Result<Vec<Recipe<'a>>, PackageError> {
    if relationships.is_empty() {
        return Ok(Vec::new());
    }
    let mut files: Vec<(String, Vec<Element<'a>>)> = Vec::new();
    let mut index: HashMap<String, usize> = HashMap::new();
    for relationship in relationships {
        let table = match source.child_text(relationship, "ReferencedEntityName")? {
            Some(table) => Some(table),
            None => source.child_text(relationship, "FirstEntityName")?,
        };
        let Some(table) = table else {
            // A bare `<EntityRelationship Name="…" />` has its place in the list only.
            if source.children(relationship)?.is_empty() {
                continue;
            }
            let message = "a relationship names no table, which names its file; all relationships \
                           stay in Other/Customizations.xml"
                .to_owned();
            let finding = Finding::warning("ALM-P105", source.file, message);
            let line = source.line(relationship);
            source.findings.push(finding.at(line));
            source.inline.insert(collection.name);
            return Ok(Vec::new());
        };
        let name = names::file_name(&table).into_owned();
        let place = *index.entry(names::fold(&name)).or_insert_with(|| {
            files.push((name, Vec::new()));
            files.len() - 1
        });
        files[place].1.push(relationship.clone());
    }
    let carve = |path, form, elements| {
        Recipe::Carve(Carve {
            path,
            precedence: Precedence::UnmanagedWins,
            wrapper: Some("EntityRelationships"),
            elements,
            form,
        })
    };
    let mut recipes = vec![carve(
        "Other/Relationships.xml".to_owned(),
        Form::NamesOnly,
        relationships.to_vec(),
    )];
    for (table, elements) in files {
        recipes.push(carve(
            format!("Other/Relationships/{table}.xml"),
            Form::Plain,
            elements,
        ));
    }
    Ok(recipes)
}
