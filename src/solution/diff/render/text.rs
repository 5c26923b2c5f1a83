//! For a terminal.

use std::fmt::Write;

use super::{
    Diff, Status, What, change_mark, deletion, gone, heading, mark, sentence, title, totals,
};

const GREEN: &str = "32";
const RED: &str = "31";
const YELLOW: &str = "33";
const BOLD: &str = "1";

/// The diff as lines; with ANSI colours if wanted.
pub fn text(diff: &Diff, colours: bool) -> String {
    let paint = |style: &str, text: &str| {
        if colours {
            format!("\u{1b}[{style}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    };
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{}: {}", paint(BOLD, &title(diff)), totals(diff));
    for component in &diff.components {
        let style = match component.status {
            Status::Added => GREEN,
            Status::Removed => RED,
            Status::Changed => YELLOW,
        };
        let head = format!("{} {}", mark(component.status), heading(component));
        let _ = writeln!(out, "\n{}", paint(style, &head));
        for line in &component.details {
            let _ = writeln!(out, "    {line}");
        }
        for change in &component.changes {
            let style = match change.what {
                What::Added => GREEN,
                What::Removed => RED,
                _ => YELLOW,
            };
            let line = format!("{} {}", change_mark(change.what), sentence(change));
            let _ = writeln!(out, "  {}", paint(style, &line));
            for line in change.lines.iter().flat_map(|lines| lines.lines()) {
                let style = match line.as_bytes().first() {
                    Some(b'+') => GREEN,
                    Some(b'-') => RED,
                    _ => "0",
                };
                let _ = writeln!(out, "      {}", paint(style, line));
            }
        }
    }
    if let Some(deletions) = gone(diff) {
        let _ = writeln!(out, "\n{}", paint(BOLD, "An upgrade would delete:"));
        for one in deletions {
            let _ = writeln!(out, "  {}", paint(RED, &deletion(one)));
        }
    }
    out
}
