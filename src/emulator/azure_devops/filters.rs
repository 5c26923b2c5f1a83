//! Branch and path filters as policies and triggers write them.
//!
//! A pattern may hold `*`, which stands for any run of characters, slashes too, and begins with
//! `+` (the default) or `-`/`!` for "but not these"; the last pattern that matches decides.

/// Whether `path` (without its first slash) is meant by file name patterns such as `/Sales/*`.
pub(super) fn matches_any(patterns: &[&str], path: &str) -> bool {
    decide(patterns, |pattern| {
        let pattern = pattern.trim_start_matches('/');
        // A folder in a trigger's path filter means all that is below it.
        wild(pattern, path)
            || path
                .strip_prefix(pattern.trim_end_matches('/'))
                .is_some_and(|rest| pattern.is_empty() || rest.starts_with('/'))
    })
}

/// Whether the branch `name` (full) is meant by a trigger's branch filters.
pub(super) fn matches_branch(patterns: &[&str], name: &str) -> bool {
    let short = name.trim_start_matches("refs/heads/");
    decide(patterns, |pattern| {
        wild(pattern.trim_start_matches("refs/heads/"), short)
    })
}

fn decide(patterns: &[&str], fits: impl Fn(&str) -> bool) -> bool {
    let negative = |pattern: &str| pattern.starts_with(['-', '!']);
    // With exclusions only, everything else is meant.
    let mut included = patterns.iter().all(|pattern| negative(pattern));
    for pattern in patterns {
        if fits(pattern.trim_start_matches(['+', '-', '!'])) {
            included = !negative(pattern);
        }
    }
    included
}

/// Whether `text` fits `pattern`, in which `*` stands for any characters.
fn wild(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(start) else {
        return false;
    };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return text.ends_with(part);
        }
        match text.find(part) {
            Some(position) => text = &text[position + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_pattern_covers_its_folder_and_not_its_namesake() {
        assert!(matches_any(
            &["/Sales/*"],
            "Sales/SolutionPackage/src/a.xml"
        ));
        assert!(!matches_any(&["/Sales/*"], "Sales2/a.xml"));
        assert!(matches_any(
            &["+/Sales/config/"],
            "Sales/config/test/x.json"
        ));
        assert!(!matches_any(&["+/Sales/config"], "Sales/configuration"));
        assert!(!matches_any(
            &["/Sales/*", "!/Sales/docs/*"],
            "Sales/docs/a.md"
        ));
        assert!(matches_any(&["*.xml"], "deep/er/a.xml"));
        assert!(matches_any(&["-docs/*"], "other"));
    }

    #[test]
    fn a_branch_pattern_is_the_whole_name_unless_it_has_a_star() {
        assert!(matches_branch(&["+refs/heads/main"], "refs/heads/main"));
        assert!(!matches_branch(&["+refs/heads/main"], "refs/heads/main2"));
        assert!(matches_branch(&["feature/*"], "refs/heads/feature/a/b"));
        assert!(!matches_branch(
            &["*", "-refs/heads/tmp/*"],
            "refs/heads/tmp/x"
        ));
    }
}
