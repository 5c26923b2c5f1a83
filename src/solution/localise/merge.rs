//! Edited resource files back into the XML.

use std::collections::{BTreeMap, BTreeSet};

use super::texts::{Text, texts_of};
use super::{AMBIGUOUS, TEMPLATE, UNRESOLVED, UNUSABLE, cultures, is_twin, resx};
use crate::solution::component::fragment::Edits;
use crate::solution::xml::outline::Outline;
use crate::solution::xml::{BOM, decode, escape_attribute};
use crate::solution::{CUSTOMIZATIONS_FILE, Finding, Limits, PackageError, SourceTree};

/// The tree with the texts of its `Resources/<culture>/resources.<culture>.resx` in the XML.
///
/// Only what differs is changed, and every other byte stays. A language that a label does not have
/// yet is added to it. What stands for no label of the tree is reported, by file.
///
/// # Errors
///
/// [`PackageError::Xml`] for a file of the tree that is not well formed.
pub fn merge(tree: &SourceTree) -> Result<(SourceTree, Vec<Finding>), PackageError> {
    let mut findings = Vec::new();
    let mut wanted: BTreeMap<String, BTreeMap<u32, (String, String)>> = BTreeMap::new();
    for (path, data) in tree.iter() {
        let is_resource = path.starts_with("Resources/") && path.ends_with(".resx");
        if !is_resource || path == TEMPLATE {
            continue;
        }
        let read = match resx::read(path, data) {
            Ok(read) => read,
            Err(error) => {
                let message = format!("it is not merged: {error}");
                findings.push(Finding::error(UNUSABLE, path, message));
                continue;
            }
        };
        let Some(language) = read.language.or_else(|| language_of(path)) else {
            let message = "it is not merged, for nothing tells its language (`Source LCID`)";
            findings.push(Finding::error(UNUSABLE, path, message.to_owned()));
            continue;
        };
        for (name, value) in read.texts {
            let languages = wanted.entry(name).or_default();
            languages.insert(language, (value, path.to_owned()));
        }
    }
    let errors: Vec<Finding> = findings.iter().filter(|f| f.is_error()).cloned().collect();
    if !errors.is_empty() {
        return Err(PackageError::Checks { findings: errors });
    }
    let found = texts_of(tree)?;
    let mut places: BTreeMap<&str, Vec<&Text>> = BTreeMap::new();
    for text in &found.texts {
        places.entry(&text.name).or_default().push(text);
    }
    let mut unresolved: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut edits: BTreeMap<&str, Edits> = BTreeMap::new();
    let mut added = BTreeSet::new();
    for (name, languages) in &wanted {
        let Some(texts) = places.get(name.as_str()) else {
            for (_, path) in languages.values() {
                let names = unresolved.entry(path.clone()).or_default();
                names.push(name.clone());
            }
            continue;
        };
        let first = texts[0];
        for (language, (value, path)) in languages {
            let value = value.replace("\r\n", "\n");
            if first
                .value(*language)
                .unwrap_or_default()
                .replace("\r\n", "\n")
                == value
            {
                continue;
            }
            if let Some(other) = texts
                .iter()
                .find(|text| text.values() != first.values() && !is_twin(&text.file, &first.file))
            {
                let message = format!(
                    "`{name}` is not merged: it stands for a text in {} and for another in {}",
                    first.file, other.file
                );
                findings.push(Finding::warning(AMBIGUOUS, path, message));
                continue;
            }
            for text in texts {
                let source = file_text(tree, &text.file)?;
                let edits = edits.entry(&text.file).or_default();
                if set(text, *language, &value, &source, edits) {
                    added.insert(*language);
                }
            }
        }
    }
    for (path, names) in unresolved {
        let examples = names.iter().take(3).map(|name| format!("`{name}`"));
        let message = format!(
            "{} texts stand for nothing that is known in this folder and are not merged, for example {}",
            names.len(),
            examples.collect::<Vec<_>>().join(", ")
        );
        findings.push(Finding::warning(UNRESOLVED, path, message));
    }
    let mut merged = tree.clone();
    for (path, edits) in edits {
        let data = tree.get(path).unwrap_or_default();
        let mark = if data.starts_with(BOM.as_bytes()) {
            BOM
        } else {
            ""
        };
        let text = edits.apply(&file_text(tree, path)?);
        merged.insert(path, format!("{mark}{text}"))?;
    }
    add_languages(&mut merged, &added)?;
    Ok((merged, findings))
}

fn file_text(tree: &SourceTree, path: &str) -> Result<String, PackageError> {
    Ok(decode(path, tree.get(path).unwrap_or_default())?.into_owned())
}

/// Changes or adds a label; whether it was added.
fn set(text: &Text, language: u32, value: &str, source: &str, edits: &mut Edits) -> bool {
    let escaped = escape_attribute(value);
    if let Some(label) = text.labels.iter().find(|label| label.language == language) {
        edits.replace(label.value_at.start, label.value_at.end, escaped);
        return false;
    }
    let Some(last) = text.labels.last() else {
        return false;
    };
    // A new label is a copy of the last one on a line of its own.
    let mut copy = Edits::default();
    copy.replace(last.value_at.start, last.value_at.end, escaped);
    copy.replace(
        last.language_at.start,
        last.language_at.end,
        language.to_string(),
    );
    let copy = copy.apply_within(source, last.whole.clone());
    let before = &source[..last.whole.start];
    let lead = &before[before.trim_end().len()..];
    edits.replace(last.whole.end, last.whole.end, format!("{lead}{copy}"));
    true
}

/// `Resources/de-DE/…` or `Resources/1031/…`.
fn language_of(path: &str) -> Option<u32> {
    let culture = path.split('/').nth(1)?;
    culture.parse().ok().or_else(|| cultures::lcid(culture))
}

/// Names languages that the solution did not have in the list of its languages.
fn add_languages(tree: &mut SourceTree, added: &BTreeSet<u32>) -> Result<(), PackageError> {
    let Some(data) = tree.get(CUSTOMIZATIONS_FILE).filter(|_| !added.is_empty()) else {
        return Ok(());
    };
    let mark = if data.starts_with(BOM.as_bytes()) {
        BOM
    } else {
        ""
    };
    let text = file_text(tree, CUSTOMIZATIONS_FILE)?;
    let outline = Outline {
        text: &text,
        deepest: Limits::default().xml_depth,
    };
    let listed = outline.root().and_then(|root| {
        let Some(list) = outline.child(root.inner, "Languages")? else {
            return Ok(Vec::new());
        };
        let listed = outline.children(list.inner)?;
        listed
            .into_iter()
            .map(|language| Ok((outline.text_of(&language)?.into_owned(), language.span)))
            .collect()
    });
    let listed = listed
        .map_err(|fault: crate::solution::xml::Fault| fault.in_file(CUSTOMIZATIONS_FILE, &text))?;
    let Some((_, last)) = listed.last() else {
        return Ok(());
    };
    let before = &text[..last.start];
    let lead = &before[before.trim_end().len()..];
    let mut edits = Edits::default();
    for language in added {
        let number = language.to_string();
        if listed.iter().all(|(known, _)| *known != number) {
            let element = format!("{lead}<Language>{number}</Language>");
            edits.replace(last.end, last.end, element);
        }
    }
    let text = edits.apply(&text);
    tree.insert(CUSTOMIZATIONS_FILE, format!("{mark}{text}"))
}
