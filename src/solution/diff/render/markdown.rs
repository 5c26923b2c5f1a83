//! For the description or a comment of a pull request.

use std::fmt::Write;

use super::{
    Diff, UNFOLDED, change_mark, deletion, gone, heading, line_counts, mark, sentence, title,
    totals,
};

/// The diff as Markdown that GitHub and Azure DevOps show alike.
pub fn markdown(diff: &Diff) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(out, "## {}\n\n{}", escape(&title(diff)), totals(diff));
    if let Some(deletions) = gone(diff) {
        let _ = writeln!(out, "\n**An upgrade would delete:**\n");
        for one in deletions {
            let _ = writeln!(out, "- {}", escape(&deletion(one)));
        }
    }
    for component in &diff.components {
        let head = escape(&heading(component));
        let _ = writeln!(out, "\n### `{}` {head}\n", mark(component.status));
        if !component.details.is_empty() {
            let count = format!("{} lines", component.details.len());
            let block = folded("text", &component.details.join("\n"), &count);
            let _ = writeln!(out, "{block}");
        }
        for change in &component.changes {
            let told = escape(&sentence(change));
            let _ = writeln!(out, "- `{}` {told}", change_mark(change.what));
            if let Some(lines) = &change.lines {
                let block = folded("diff", lines.trim_end(), &line_counts(lines));
                let _ = writeln!(out, "\n{}", indented(&block));
            }
        }
    }
    out
}

/// Text that means itself: what Markdown or HTML would take as markup is escaped.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A zero-width joiner keeps people and issues from being mentioned.
            '@' => out.push_str("@\u{200d}"),
            '\n' | '\r' => out.push(' '),
            _ => out.push(c),
        }
    }
    out
}

/// A code block that is shown on demand if it is long; `about` is what is shown instead.
fn folded(language: &str, text: &str, about: &str) -> String {
    let block = fenced(language, text);
    if text.lines().count() <= UNFOLDED {
        return block;
    }
    // The empty lines make the hosts read the block as Markdown again.
    format!("<details><summary>{about}</summary>\n\n{block}\n</details>\n")
}

/// A code block whose fence is longer than any run of back-ticks inside.
fn fenced(language: &str, text: &str) -> String {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat((longest + 1).max(3));
    format!("{fence}{language}\n{text}\n{fence}\n")
}

fn indented(block: &str) -> String {
    let indented = |line: &str| match line {
        "" => "\n".to_owned(),
        line => format!("  {line}\n"),
    };
    block.lines().map(indented).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_become_markup() {
        assert_eq!(escape("a_b*<i>@x#1"), "a\\_b\\*&lt;i&gt;@\u{200d}x\\#1");
        // Between two of them GitHub reads a formula.
        assert_eq!(escape("$filter=a|b"), "\\$filter=a\\|b");
        assert!(fenced("text", "a ```` b").starts_with("`````text\n"));
    }
}
