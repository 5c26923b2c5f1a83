//! `alm explain`: what a code means and what to do about it.

mod codes;

use clap::Args;
use serde_json::json;

use super::failure::Failure;
use super::render::{Output, Table};
use crate::nearest::nearest;
use codes::CODES;

/// Explain a code such as ALM-W009; without one, list all
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The code that a message showed
    code: Option<String>,
}

/// What one code means.
#[derive(Debug, Clone, Copy)]
struct Code {
    code: &'static str,
    title: &'static str,
    text: &'static str,
}

/// Runs `alm explain`.
pub fn run(arguments: &ExplainArgs, output: Output) -> Result<(), Failure> {
    let Some(wanted) = &arguments.code else {
        let mut table = Table::new(["code", "title"]);
        for one in CODES {
            table.row([json!(one.code), json!(one.title)]);
        }
        table.write(output, "");
        return Ok(());
    };
    let upper = wanted.to_uppercase();
    let full = if upper.starts_with("ALM-") {
        upper
    } else {
        format!("ALM-{upper}")
    };
    let Some(found) = CODES.iter().find(|one| one.code == full) else {
        let failure = Failure::usage("ALM-C001", format!("there is no code `{wanted}`"));
        return Err(match nearest(&full, CODES.iter().map(|one| one.code)) {
            Some(near) => failure.hint(format!("did you mean `{near}`? `alm explain` lists all")),
            None => failure.hint("`alm explain` lists all codes"),
        });
    };
    output.object(&json!({ "code": found.code, "title": found.title, "text": found.text }));
    output.line(format!(
        "{}: {}\n\n{}",
        output.paint("1", found.code),
        found.title,
        found.text
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_code_in_the_source_is_explained_and_none_is_invented() {
        let mut used = BTreeSet::new();
        collect(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut used,
        );
        let explained: BTreeSet<String> = CODES.iter().map(|one| one.code.to_owned()).collect();
        assert_eq!(
            explained.len(),
            CODES.len(),
            "a code stands twice in the table"
        );
        let missing: Vec<_> = used.difference(&explained).collect();
        let invented: Vec<_> = explained.difference(&used).collect();
        assert!(
            missing.is_empty(),
            "not in src/cli/explain/codes.rs: {missing:?}"
        );
        assert!(
            invented.is_empty(),
            "in src/cli/explain/codes.rs but nowhere used: {invented:?}"
        );
    }

    #[test]
    fn codes_are_in_order() {
        assert!(CODES.is_sorted_by_key(|one| one.code));
    }

    #[test]
    fn what_is_said_about_packages_also_says_what_to_do() {
        for one in CODES.iter().filter(|one| one.code.starts_with("ALM-P")) {
            let sentences = one.text.matches(". ").count() + 1;
            assert!(
                one.text.ends_with('.') && sentences >= 2 && one.text.len() >= 90,
                "{} says too little: {}",
                one.code,
                one.text
            );
            assert!(!one.text.contains("  "), "{} has a gap", one.code);
        }
    }

    /// Collects all quoted codes of the sources, the table itself left out.
    fn collect(folder: &Path, used: &mut BTreeSet<String>) {
        let Ok(entries) = fs::read_dir(folder) else {
            return;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, used);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "rs" || extension == "rhai")
                && !path.ends_with("cli/explain/codes.rs")
            {
                let text = fs::read_to_string(&path).unwrap();
                for (at, _) in text.match_indices("\"ALM-") {
                    let code = &text[at + 1..];
                    let Some(end) = code.find('"') else { continue };
                    let code = &code[..end];
                    let digits = code.get(5..).unwrap_or_default();
                    if code.len() == 8 && digits.chars().all(|c| c.is_ascii_digit()) {
                        used.insert(code.to_owned());
                    }
                }
            }
        }
    }
}
