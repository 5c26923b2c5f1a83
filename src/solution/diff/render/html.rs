//! A web page in one file.

use std::fmt::Write;

use super::{
    Diff, Status, UNFOLDED, What, deletion, gone, heading, line_counts, sentence, title, totals,
    word,
};

const STYLE: &str = "\
:root{color-scheme:light dark;--add:#1a7f37;--del:#cf222e;--chg:#9a6700;--line:#8884}\
@media(prefers-color-scheme:dark){:root{--add:#3fb950;--del:#f85149;--chg:#d29922}}\
body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.4rem}details{border:1px solid var(--line);border-radius:6px;margin:.5rem 0;padding:.4rem .8rem}\
summary{cursor:pointer;font-weight:600}ul{list-style:none;padding-left:.6rem;margin:.4rem 0}\
li{overflow-wrap:anywhere;border-left:3px solid var(--line);padding-left:.6rem;margin:.15rem 0}\
.added{color:var(--add)}.removed{color:var(--del)}.changed{color:var(--chg)}\
li.added{border-color:var(--add);color:inherit}li.removed{border-color:var(--del);color:inherit}\
li.changed{border-color:var(--chg);color:inherit}\
.gone{border:1px solid var(--del);border-radius:6px;padding:.4rem .8rem}\
pre{overflow:auto;font-size:13px;margin:.3rem 0}pre .added{color:var(--add)}pre .removed{color:var(--del)}\
.what{font-size:.8em;border:1px solid;border-radius:1em;padding:0 .5em;margin-right:.4em;font-weight:400}\
details details{border:0;margin:0;padding:0}details details summary{font-weight:400;color:var(--chg)}\
input{font:inherit;width:100%;padding:.4rem;box-sizing:border-box}";

/// Hides the components whose text does not contain what was typed.
const SCRIPT: &str = "\
const box=document.querySelector('input');box.addEventListener('input',()=>{\
const wanted=box.value.toLowerCase();for(const part of document.querySelectorAll('body>details'))\
part.hidden=!part.textContent.toLowerCase().includes(wanted)});";

/// The diff as a page that needs nothing beside itself.
pub fn html(diff: &Diff) -> String {
    let mut out = String::new();
    let name = escape(&title(diff));
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{name}</title><style>{STYLE}</style></head><body>\n<h1>{name}</h1>\n<p>{}</p>",
        escape(&totals(diff))
    );
    if let Some(deletions) = gone(diff) {
        out.push_str("<div class=\"gone\"><b>An upgrade would delete</b><ul>\n");
        for one in deletions {
            let _ = writeln!(out, "<li class=\"removed\">{}</li>", escape(&deletion(one)));
        }
        out.push_str("</ul></div>\n");
    }
    out.push_str("<p><input type=\"search\" placeholder=\"Show only what contains…\" aria-label=\"Filter\"></p>\n");
    for component in &diff.components {
        let class = match component.status {
            Status::Added => "added",
            Status::Removed => "removed",
            Status::Changed => "changed",
        };
        let _ = writeln!(
            out,
            "<details open><summary class=\"{class}\"><span class=\"what\">{class}</span>{}</summary>",
            escape(&heading(component))
        );
        if !component.details.is_empty() {
            let _ = writeln!(out, "<pre>{}</pre>", escape(&component.details.join("\n")));
        }
        out.push_str("<ul>\n");
        for change in &component.changes {
            let class = match change.what {
                What::Added => "added",
                What::Removed => "removed",
                _ => "changed",
            };
            let line = change.line.map_or(String::new(), |line| format!(":{line}"));
            let _ = write!(
                out,
                "<li class=\"{class}\" title=\"{}{line}\"><span class=\"what {class}\">{}</span>{}",
                escape(&change.file),
                word(change.what),
                escape(&sentence(change))
            );
            if let Some(lines) = &change.lines {
                let is_long = lines.lines().count() > UNFOLDED;
                if is_long {
                    let about = line_counts(lines);
                    let _ = write!(out, "<details><summary>{about}</summary>");
                }
                out.push_str("<pre>");
                for line in lines.lines() {
                    let class = match line.as_bytes().first() {
                        Some(b'+') => "added",
                        Some(b'-') => "removed",
                        _ => "",
                    };
                    let _ = writeln!(out, "<span class=\"{class}\">{}</span>", escape(line));
                }
                out.push_str(if is_long {
                    "</pre></details>"
                } else {
                    "</pre>"
                });
            }
            out.push_str("</li>\n");
        }
        out.push_str("</ul></details>\n");
    }
    let _ = writeln!(out, "<script>{SCRIPT}</script></body></html>");
    out
}

/// Text that means itself in HTML, also inside quotes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}
