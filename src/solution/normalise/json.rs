//! Lays out JSON and sorts members where their order means nothing.

use super::Edits;
use crate::solution::keyed::{Content, Node, json};
use crate::solution::{PackageError, SourceTree};

pub(super) fn flows(tree: &SourceTree) -> Result<Edits, PackageError> {
    laid_out(tree, false, |path| path.starts_with("Workflows/"))
}

pub(super) fn settings(tree: &SourceTree) -> Result<Edits, PackageError> {
    laid_out(tree, true, |path| {
        let file = path.rsplit('/').next().unwrap_or(path);
        matches!(
            file,
            "environmentvariablevalues.json" | "configuration.json" | "dependencies.json"
        ) || file.ends_with("_policytemplateinstances.json")
            || (path.starts_with("CanvasApps/") && file.ends_with("_identity.json"))
    })
}

pub(super) fn everywhere(tree: &SourceTree) -> Result<Edits, PackageError> {
    laid_out(tree, true, |path| {
        !path.starts_with("CanvasApps/") && !path.starts_with("Workflows/")
    })
}

fn laid_out(
    tree: &SourceTree,
    sort: bool,
    wanted: impl Fn(&str) -> bool,
) -> Result<Edits, PackageError> {
    let mut edits = Vec::new();
    for (path, data) in tree.iter() {
        if !path.ends_with(".json") || !wanted(path) {
            continue;
        }
        let Ok(text) = std::str::from_utf8(data) else {
            continue;
        };
        // Not every payload that is called JSON is some; what cannot be read is left alone.
        let Ok(document) = json::read(text) else {
            continue;
        };
        // A text in one line gets the line ends of an export.
        let line_end = if text.contains('\n') && !text.contains("\r\n") {
            "\n"
        } else {
            "\r\n"
        };
        let mut out = String::with_capacity(text.len() * 2);
        out.push_str(if text.starts_with('\u{feff}') {
            "\u{feff}"
        } else {
            ""
        });
        write(&document.root, sort, line_end, 0, &mut out);
        if document.after.contains('\n') {
            out.push_str(line_end);
        }
        edits.push((path.to_owned(), Some(out.into_bytes())));
    }
    Ok(edits)
}

/// Writes a value as Dataverse indents it: two spaces, `{}` and `[]` for nothing.
fn write(node: &Node<'_>, sort: bool, line_end: &str, depth: usize, out: &mut String) {
    let Content::Nodes(children) = &node.content else {
        if let Content::Value { raw, .. } = &node.content {
            out.push_str(raw);
        }
        return;
    };
    out.push_str(node.mid);
    let mut children: Vec<&Node<'_>> = children.iter().collect();
    if sort && node.mid == "{" {
        children.sort_by(|a, b| a.name.cmp(&b.name));
    }
    let last = children.len();
    for (index, child) in children.into_iter().enumerate() {
        out.push_str(line_end);
        out.push_str(&"  ".repeat(depth + 1));
        if let Some(end) = child.head.rfind('"') {
            out.push_str(&child.head[..=end]);
            out.push_str(": ");
        }
        write(child, sort, line_end, depth + 1, out);
        if index + 1 < last {
            out.push(',');
        }
    }
    if last > 0 {
        out.push_str(line_end);
        out.push_str(&"  ".repeat(depth));
    }
    out.push_str(node.close);
}
