//! What differs between two versions of a canvas app.

use std::collections::BTreeSet;

use super::{Change, What, lines};
use crate::solution::canvas::{CanvasApp, CheckLevel};

/// The differences inside an `.msapp`; nothing if one of them cannot be read, or if all that can be
/// read is the same.
pub(super) fn compare(path: &str, old: &[u8], new: &[u8]) -> Option<Vec<Change>> {
    let (old, new) = (CanvasApp::read(old).ok()?, CanvasApp::read(new).ok()?);
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
    if old.checks != new.checks {
        let mut told = change(What::Changed, String::new(), "app checker");
        told.old = Some(checks(&old));
        told.new = Some(checks(&new));
        changes.push(told);
    }
    (!changes.is_empty()).then_some(changes)
}

/// `2 high, 5 medium, 0 low`.
fn checks(app: &CanvasApp) -> String {
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
