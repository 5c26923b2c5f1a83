//! Rules about single files and values.

use super::{Edit, Edits};
use crate::solution::keyed::{Document, Node, xml};
use crate::solution::{CUSTOMIZATIONS_FILE, PackageError, SOLUTION_FILE, SourceTree};

const BOM: &[u8] = b"\xef\xbb\xbf";

pub(super) fn form(tree: &SourceTree) -> Result<Edits, PackageError> {
    let mut edits = Vec::new();
    for path in [SOLUTION_FILE, CUSTOMIZATIONS_FILE] {
        let Some(data) = tree.get(path) else {
            continue;
        };
        // UTF-16 has a mark of its own.
        if std::str::from_utf8(data).is_err() {
            continue;
        }
        let mut body = data.strip_prefix(BOM).unwrap_or(data);
        body = body.trim_ascii_end();
        edits.push((path.to_owned(), Some([BOM, body].concat())));
    }
    Ok(edits)
}

/// The class that a process without an id of its own is given.
const NO_CLASS: &str = "XrmWorkflow00000000000000000000000000000000";

pub(super) fn class_id(tree: &SourceTree) -> Result<Edits, PackageError> {
    let mut edits = Vec::new();
    for (path, data) in tree.iter() {
        // Formulas of columns have the zero id by nature.
        let stem = path
            .strip_prefix("Workflows/")
            .and_then(|file| file.strip_suffix(".xaml"));
        let id = stem.and_then(|stem| stem.get(stem.len().checked_sub(36)?..));
        let id = id.and_then(|id| uuid::Uuid::try_parse(id).ok());
        if let (Some(id), Ok(text)) = (id, std::str::from_utf8(data))
            && text.contains(NO_CLASS)
        {
            let class = format!("XrmWorkflow{}", id.simple());
            let text = text.replace(NO_CLASS, &class);
            edits.push((path.to_owned(), Some(text.into_bytes())));
        }
    }
    Ok(edits)
}

pub(super) fn version(tree: &SourceTree) -> Result<Edits, PackageError> {
    let mut copy = tree.clone();
    copy.set_version("0.0.0.0".parse()?)?;
    let data = copy.get(SOLUTION_FILE).map(<[u8]>::to_vec);
    Ok(vec![(SOLUTION_FILE.to_owned(), data)])
}

pub(super) fn variable_values(tree: &SourceTree) -> Result<Edits, PackageError> {
    let is_value = |path: &&str| {
        path.starts_with("environmentvariabledefinitions/")
            && path.ends_with("/environmentvariablevalues.json")
    };
    let paths = tree.paths().filter(is_value);
    Ok(paths.map(|path| (path.to_owned(), None)).collect())
}

pub(super) fn connector_code(tree: &SourceTree) -> Result<Edits, PackageError> {
    let mut edits = Vec::new();
    for (path, data) in tree.iter() {
        let Some(file) = path.strip_prefix("Connectors/") else {
            continue;
        };
        if file.ends_with("_customcode.csx") {
            edits.push((path.to_owned(), None));
        } else if file.ends_with(".xml") {
            let removed = |node: &Node<'_>| {
                matches!(
                    &*node.name,
                    "scriptoperations" | "customcodeblobcontent" | "customcode"
                )
            };
            edits.extend(without(path, data, |document| {
                let children = document.root.children();
                let gone = children.iter().filter(|child| removed(child));
                gone.map(span_with_lead).collect()
            })?);
        }
    }
    Ok(edits)
}

pub(super) fn server_version(tree: &SourceTree) -> Result<Edits, PackageError> {
    let Some(data) = tree.get(SOLUTION_FILE) else {
        return Ok(Vec::new());
    };
    let edit = without(SOLUTION_FILE, data, |document| {
        let attributes = document.root.attributes.iter();
        attributes
            .filter(|attribute| {
                matches!(
                    &*attribute.name,
                    "OrganizationVersion"
                        | "OrganizationSchemaType"
                        | "CRMServerServiceabilityVersion"
                )
            })
            .map(span_with_lead)
            .collect()
    })?;
    Ok(edit.into_iter().collect())
}

fn span_with_lead(node: &Node<'_>) -> std::ops::Range<usize> {
    node.at - node.lead.len()..node.at + node.whole.len()
}

/// A file without some spans of its text; nothing if none are to go.
fn without(
    path: &str,
    data: &[u8],
    spans: impl FnOnce(&Document<'_>) -> Vec<std::ops::Range<usize>>,
) -> Result<Option<Edit>, PackageError> {
    let Ok(text) = std::str::from_utf8(data) else {
        return Ok(None);
    };
    let document = xml::read(text).map_err(|fault| fault.in_file(path, text))?;
    let spans = spans(&document);
    if spans.is_empty() {
        return Ok(None);
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for span in spans {
        out.push_str(&text[at..span.start]);
        at = span.end;
    }
    out.push_str(&text[at..]);
    Ok(Some((path.to_owned(), Some(out.into_bytes()))))
}
