//! What differs between two versions of a canvas app.

use std::collections::BTreeSet;

use super::{Change, What, lines};
use crate::solution::NestedBudget;
use crate::solution::canvas::{CanvasApp, CheckLevel, CheckResult};

/// The differences inside an `.msapp`; nothing if one of them cannot be read, or if all that can be
/// read is the same.
pub(super) fn compare(
    path: &str,
    old: &[u8],
    new: &[u8],
    budget: &NestedBudget,
) -> Option<Vec<Change>> {
    let read = |app| CanvasApp::read(app, budget).ok();
    let (old, new) = (read(old)?, read(new)?);
    let change = |what, subject: String, property: &str| Change {
        what,
        subject,
        within: String::new(),
        property: property.to_owned(),
        old: None,
        new: None,
        lines: None,
        file: path.to_owned(),
        line: None,
        place: String::new(),
    };
    let mut changes = Vec::new();
    // Two kinds of source tell the same; the YAML is the one to read.
    let in_yaml = !old.sources.is_empty() && !new.sources.is_empty();
    let (before, after) = if in_yaml {
        (&old.sources, &new.sources)
    } else {
        (&old.formulas, &new.formulas)
    };
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        let (was, is) = (before.get(name), after.get(name));
        if was == is {
            continue;
        }
        let what = match (was, is) {
            (None, _) => What::Added,
            (_, None) => What::Removed,
            _ => What::Changed,
        };
        let word = if in_yaml { "source" } else { "formula" };
        let mut told = change(what, format!("{word} {name}"), "");
        if in_yaml {
            let text =
                |side: Option<&String>| side.map_or(String::new(), |t| t.replace("\r\n", "\n"));
            told.lines = Some(lines::unified(&text(was), &text(is)));
        } else {
            told.old = was.cloned();
            told.new = is.cloned();
        }
        changes.push(told);
    }
    let (came, went) = (only_in(&new.checks, &old), only_in(&old.checks, &new));
    if !came.is_empty() || !went.is_empty() {
        let mut told = change(What::Changed, String::new(), "app checker");
        told.old = Some(counts(&old));
        told.new = Some(counts(&new));
        changes.push(told);
    }
    for (what, findings) in [(What::Added, came), (What::Removed, went)] {
        for finding in findings {
            let mut told = change(what, "app checker".to_owned(), "");
            let text = Some(worded(finding));
            if what == What::Added {
                told.new = text;
            } else {
                told.old = text;
            }
            finding.place.clone_into(&mut told.within);
            changes.push(told);
        }
    }
    (!changes.is_empty()).then_some(changes)
}

/// The findings that the other version has not, or not as often, worst first.
fn only_in<'a>(checks: &'a [CheckResult], other: &CanvasApp) -> Vec<&'a CheckResult> {
    let mut known: Vec<&CheckResult> = other.checks.iter().collect();
    let mut found: Vec<&CheckResult> = checks
        .iter()
        .filter(|check| match known.iter().position(|one| one == check) {
            Some(at) => {
                known.swap_remove(at);
                false
            }
            None => true,
        })
        .collect();
    found.sort_by(|a, b| (a.level, &a.place, &a.rule).cmp(&(b.level, &b.place, &b.rule)));
    found
}

/// `Missing accessible label (medium, acc-AccessibleLabelNeeded)`.
fn worded(check: &CheckResult) -> String {
    let level = match check.level {
        CheckLevel::High => "high",
        CheckLevel::Medium => "medium",
        CheckLevel::Low => "low",
    };
    let message = check.message.trim().trim_end_matches('.');
    if message == check.rule {
        format!("{message} ({level})")
    } else {
        format!("{message} ({level}, {})", check.rule)
    }
}

/// `2 high, 5 medium, 0 low`.
fn counts(app: &CanvasApp) -> String {
    let count = |level| {
        app.checks
            .iter()
            .filter(|check| check.level == level)
            .count()
    };
    format!(
        "{} high, {} medium, {} low",
        count(CheckLevel::High),
        count(CheckLevel::Medium),
        count(CheckLevel::Low)
    )
}
