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
pub(crate) fn sentence(change: &Change) -> String {
    let within = match change.what {
        What::Moved => "",
        _ => change.within.as_str(),
    };
    let mut head = where_about(&change.subject, within, &change.property);
    if head.is_empty() {
        head = if change.place.is_empty() {
            "content".to_owned()
        } else {
            change.place.clone()
        };
    }
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
            "{head} in another order: {} → {}",
            old.unwrap_or_default(),
            new.unwrap_or_default()
        ),
        (What::Changed, Some(old), Some(new)) => {
            format!("{head} {} → {}", shown(&old), shown(&new))
        }
        (_, Some(value), None) | (_, None, Some(value)) => format!("{head}: {value}"),
        _ => head,
    }
}

/// `field contoso_name in tab General / section Dates: label (1033)`.
pub(crate) fn where_about(subject: &str, within: &str, property: &str) -> String {
    let mut head = subject.to_owned();
    if !within.is_empty() {
        head.push_str(if head.is_empty() { "in " } else { " in " });
        head.push_str(within);
    }
    if !property.is_empty() {
        if !head.is_empty() {
            head.push_str(": ");
        }
        head.push_str(&vocabulary::setting(property));
    }
    head
}

/// A value of a property as people read it, in one line.
pub(crate) fn readable(property: &str, value: String) -> String {
    shown(&short(&vocabulary::meaning(property, value)))
}

/// `added`, `removed`, `changed`: for those who see no colours and know no marks.
fn word(what: What) -> &'static str {
    match what {
        What::Added => "added",
        What::Removed => "removed",
        What::Changed => "changed",
        What::Moved => "moved",
        What::Reordered => "reordered",
    }
}

/// How many lines of a text are shown without being asked for.
const UNFOLDED: usize = 20;

/// `61 lines added, 2 removed`: what a folded text says of itself.
fn line_counts(lines: &str) -> String {
    let count = |sign: char| lines.lines().filter(|line| line.starts_with(sign)).count();
    match (count('+'), count('-')) {
        (added, 0) => format!("{added} lines added"),
        (0, removed) => format!("{removed} lines removed"),
        (added, removed) => format!("{added} lines added, {removed} removed"),
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
