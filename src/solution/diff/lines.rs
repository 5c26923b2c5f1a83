//! Files without a structure that is known here: by lines, or by size.

use similar::TextDiff;

use super::{Change, What};

/// What differs between two files; nothing if only line ends do.
pub(super) fn compare(path: &str, old: &[u8], new: &[u8]) -> Option<Change> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let mut change = Change {
        what: What::Changed,
        subject: format!("file {name}"),
        within: String::new(),
        property: "content".to_owned(),
        old: None,
        new: None,
        lines: None,
        file: path.to_owned(),
        line: None,
        place: String::new(),
    };
    match (text(old), text(new)) {
        (Some(old), Some(new)) => {
            if old == new {
                return None;
            }
            change.lines = Some(unified(&old, &new));
        }
        _ => {
            change.old = Some(size(old));
            change.new = Some(size(new));
        }
    }
    Some(change)
}

/// The changed lines with three lines around them.
pub(super) fn unified(old: &str, new: &str) -> String {
    let diff = TextDiff::from_lines(old, new);
    let text = diff.unified_diff().context_radius(3).to_string();
    text.lines()
        .filter(|line| !line.starts_with("\\ No newline"))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// The text with one kind of line end, if it is one.
fn text(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let plain = !text.contains('\0');
    plain.then(|| text.trim_start_matches('\u{feff}').replace("\r\n", "\n"))
}

fn size(bytes: &[u8]) -> String {
    match bytes.len() {
        0..=9_999 => format!("{} bytes", bytes.len()),
        length => format!("{} KB", length / 1024),
    }
}
