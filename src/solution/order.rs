//! The orders that SolutionPackager puts lists and files in (facts §9).

use std::cmp::Ordering;

use super::names;

/// Compares two texts as .NET on Windows does with the invariant culture, as far as schema names
/// need it: case is ignored at first (lower before upper on a tie), punctuation comes before digits
/// and digits before letters, and hyphens and apostrophes only decide between equal texts.
pub(crate) fn by_culture(a: &str, b: &str) -> Ordering {
    weights(a)
        .cmp(weights(b))
        .then_with(|| cases(a).cmp(cases(b)))
        .then_with(|| {
            a.chars()
                .filter(|c| is_minimal(*c))
                .count()
                .cmp(&b.chars().filter(|c| is_minimal(*c)).count())
        })
        .then_with(|| a.cmp(b))
}

fn is_minimal(c: char) -> bool {
    matches!(c, '-' | '\'')
}

fn weights(text: &str) -> impl Iterator<Item = u32> + '_ {
    text.chars()
        .filter(|c| !is_minimal(*c))
        .flat_map(char::to_lowercase)
        .map(weight)
}

/// Lower case sorts before upper case.
fn cases(text: &str) -> impl Iterator<Item = bool> + '_ {
    text.chars()
        .filter(|c| !is_minimal(*c))
        .map(char::is_uppercase)
}

/// Punctuation in the order of the Windows sort tables, then digits, then letters.
fn weight(c: char) -> u32 {
    const PUNCTUATION: &str = " !\"#$%&()*,./:;?@[\\]^_`{|}~+<=>";
    if c.is_ascii_digit() {
        return 1000 + u32::from(c);
    }
    match PUNCTUATION.find(c) {
        Some(place) => 100 + u32::try_from(place).unwrap_or_default(),
        None => 2000 + u32::from(c),
    }
}

/// Compares two file names as a Windows file system lists them: upper-case ordinals.
pub(crate) fn by_listing(a: &str, b: &str) -> Ordering {
    names::fold(a).cmp(&names::fold(b)).then_with(|| a.cmp(b))
}

/// Sorts paths below one folder as a walk meets them: level by level, the files of the upper
/// folders first, and each level by name (facts §2.2).
pub(crate) fn sort_walk(paths: &mut [&str]) {
    paths.sort_by_cached_key(|path| {
        let segments: Vec<String> = path.split('/').map(names::fold).collect();
        (segments.len(), segments, path.to_string())
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(mut texts: Vec<&str>, order: fn(&str, &str) -> Ordering) -> Vec<&str> {
        texts.sort_by(|a, b| order(a, b));
        texts
    }

    #[test]
    fn culture_order_is_that_of_the_facts() {
        assert_eq!(
            sorted(vec!["ab", "AB", "a_b", "a.b", "aB", "a1", "b"], by_culture),
            ["a.b", "a_b", "a1", "ab", "aB", "AB", "b"]
        );
        assert_eq!(
            sorted(vec!["jquery-ui.min", "jquery214"], by_culture),
            ["jquery214", "jquery-ui.min"]
        );
        assert_eq!(
            sorted(vec!["91", "300", "1", "29", "20"], by_culture),
            ["1", "20", "29", "300", "91"]
        );
    }

    #[test]
    fn listings_compare_upper_case_ordinals() {
        assert_eq!(
            sorted(
                vec!["a_b", "ab", "contoso_Permit", "contoso_newbuildsite"],
                by_listing
            ),
            ["ab", "a_b", "contoso_newbuildsite", "contoso_Permit"]
        );
    }

    #[test]
    fn a_walk_visits_level_by_level() {
        let mut paths = ["c/b/z/1", "c/a/x/1", "c/b/f", "c/a/f", "c/Z"];
        sort_walk(&mut paths);
        assert_eq!(paths, ["c/Z", "c/a/f", "c/b/f", "c/a/x/1", "c/b/z/1"]);
    }
}
