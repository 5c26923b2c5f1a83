//! A diff for a terminal, for a pull request and as a web page. As JSON it writes itself.

mod html;
mod markdown;
mod text;

pub use html::html;
pub use markdown::markdown;
pub use text::text;

use super::{Change, ComponentDiff, Deletion, Diff, Status, What, vocabulary};

/// How long a value may be before the middle of it is left out; JSON has all of it.
const LONGEST: usize = 160;

/// `+`, `-`, `~`.
fn mark(status: Status) -> &'static str {
    match status {
        Status::Added => "+",
        Status::Removed => "-",
        Status::Changed => "~",
    }
}

fn change_mark(what: What) -> &'static str {
    match what {
        What::Added => "+",
        What::Removed => "-",
        What::Changed => "~",
        What::Moved => ">",
        What::Reordered => "%",
    }
}

/// `table Permit (contoso_permit)`.
pub(crate) fn heading(component: &ComponentDiff) -> String {
    let mut out = format!("{} {}", component.kind, component.name);
    let plain_key = component.identity.key.len() != 36 || component.identity.key.contains(' ');
    if plain_key
        && !component.identity.key.eq_ignore_ascii_case(&component.name)
        && component.kind != "solution"
    {
        out.push_str(&format!(" ({})", component.identity.key));
    }
    if let Some(table) = &component.table {
        out.push_str(&format!(" of {table}"));
    }
    out
}

/// A change as one sentence without its mark.
fn sentence(change: &Change) -> String {
    let mut head = change.subject.clone();
    if !change.property.is_empty() {
        if !head.is_empty() {
            head.push_str(": ");
        }
        head.push_str(&vocabulary::setting(&change.property));
    }
    if head.is_empty() {
        head = if change.place.is_empty() {
            "content".to_owned()
        } else {
            change.place.clone()
        };
    }
    let within = if change.within.is_empty() || change.what == What::Moved {
        String::new()
    } else {
        format!(" in {}", change.within)
    };
    let shown_value = |value: &Option<String>| {
        let value = value.clone()?;
        Some(short(&vocabulary::meaning(&change.property, value)))
    };
    let (old, new) = (shown_value(&change.old), shown_value(&change.new));
    match (change.what, old, new) {
        (What::Moved, old, new) => format!(
            "{head} moved from {} to {}",
            old.unwrap_or_default(),
            new.unwrap_or_default()
        ),
        (What::Reordered, old, new) => format!(
            "{head}{within} in another order: {} → {}",
            old.unwrap_or_default(),
            new.unwrap_or_default()
        ),
        (What::Changed, Some(old), Some(new)) => {
            format!("{head} {} → {}{within}", shown(&old), shown(&new))
        }
        (_, Some(value), None) | (_, None, Some(value)) => format!("{head}{within}: {value}"),
        _ => format!("{head}{within}"),
    }
}

/// Everything that happened to a component, in sentences.
pub(crate) fn sentences(component: &ComponentDiff) -> Vec<String> {
    match component.status {
        Status::Added => vec!["added it".to_owned()],
        Status::Removed => vec!["deleted it".to_owned()],
        Status::Changed => component
            .changes
            .iter()
            .map(|change| format!("{} {}", change_mark(change.what), sentence(change)))
            .collect(),
    }
}

/// An empty value is shown as such.
fn shown(value: &str) -> String {
    if value.is_empty() {
        "(nothing)".to_owned()
    } else {
        value.to_owned()
    }
}

/// One line, not longer than a person reads.
fn short(value: &str) -> String {
    let line = value.split_whitespace().collect::<Vec<_>>().join(" ");
    let length = line.chars().count();
    if length <= LONGEST {
        return line;
    }
    let begin: String = line.chars().take(LONGEST * 2 / 3).collect();
    let end: String = line.chars().skip(length - LONGEST / 3).collect();
    format!("{begin} … {end}")
}

/// What an upgrade would delete, if that was asked and is something.
fn gone(diff: &Diff) -> Option<&[Deletion]> {
    diff.deletions.as_deref().filter(|gone| !gone.is_empty())
}

fn deletion(deletion: &Deletion) -> String {
    let of = deletion
        .table
        .as_ref()
        .map_or(String::new(), |table| format!(" of {table}"));
    let data = if deletion.loses_data {
        ", with its data"
    } else {
        ""
    };
    format!("{} {}{of}{data}", deletion.kind, deletion.name)
}

/// `Sales 1.0.0.1 → 1.0.0.2`.
fn title(diff: &Diff) -> String {
    if diff.old.name == diff.new.name {
        format!(
            "{} {} → {}",
            diff.new.name, diff.old.version, diff.new.version
        )
    } else {
        format!(
            "{} {} → {} {}",
            diff.old.name, diff.old.version, diff.new.name, diff.new.version
        )
    }
}

/// `1 added, 2 removed, 3 changed`.
fn totals(diff: &Diff) -> String {
    let (added, removed, changed) = diff.counts();
    let parts: Vec<String> = [(added, "added"), (removed, "removed"), (changed, "changed")]
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if parts.is_empty() {
        "no differences".to_owned()
    } else {
        parts.join(", ")
    }
}

/// The whole diff as one line of JSON.
pub fn json(diff: &Diff) -> String {
    serde_json::to_string(diff).expect("the fields of a diff are texts, numbers and lists of them")
}
