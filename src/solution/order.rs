//! The orders that SolutionPackager puts lists and files in (facts §9).

use std::cmp::Ordering;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Compares two texts as .NET on Windows does with the invariant culture (facts §9.1).
///
/// The rule has four levels, each asked only if those before find no difference: the characters
/// (punctuation before digits before letters, hyphens and apostrophes left out), the accents, the
/// case (lower before upper), and the hyphens and apostrophes. That it is this collation, and not
/// the one of newer runtimes, shows in published trees: `.` stands before `_`, and `jquery214`
/// before `jquery-ui.min`; newer runtimes have both the other way round.
///
/// Letters outside Latin script compare by code point, which keeps scripts together and is right
/// within the alphabets; schema names have none.
pub(crate) fn by_culture(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() {
        return by_characters(a, b);
    }
    let (a, b): (String, String) = (a.nfd().collect(), b.nfd().collect());
    by_characters(&a, &b)
}

fn by_characters(a: &str, b: &str) -> Ordering {
    weights(a)
        .cmp(weights(b))
        .then_with(|| accents(a).cmp(accents(b)))
        .then_with(|| cases(a).cmp(cases(b)))
        .then_with(|| hyphens(a).cmp(hyphens(b)))
        .then_with(|| a.cmp(b))
}

fn is_minimal(c: char) -> bool {
    matches!(c, '-' | '\'')
}

/// The characters that count at first.
fn bases(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars()
        .filter(|c| !is_minimal(*c) && !is_combining_mark(*c))
}

fn weights(text: &str) -> impl Iterator<Item = u32> + '_ {
    bases(text).flat_map(char::to_lowercase).map(weight)
}

/// The accents, each with the number of the character that it stands on.
fn accents(text: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    text.chars()
        .filter(|c| !is_minimal(*c))
        .scan(0, |place, c| {
            let accent = is_combining_mark(c);
            *place += usize::from(!accent);
            Some((*place, c, accent))
        })
        .filter(|(_, _, accent)| *accent)
        .map(|(place, c, _)| (place, c))
}

/// Lower case sorts before upper case.
fn cases(text: &str) -> impl Iterator<Item = bool> + '_ {
    bases(text).map(char::is_uppercase)
}

/// Where hyphens and apostrophes stand: a text without any comes first.
fn hyphens(text: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    text.chars().enumerate().filter(|(_, c)| is_minimal(*c))
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
    upper_case(a).cmp(&upper_case(b)).then_with(|| a.cmp(b))
}

/// What NTFS compares by: each letter with one upper-case form as that. Unlike names that are looked
/// up ([`fold`](crate::portable_path::fold)), accents stay as they are written.
fn upper_case(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_uppercase();
    }
    name.chars()
        .map(|c| {
            let mut upper = c.to_uppercase();
            match (upper.next(), upper.next()) {
                (Some(one), None) => one,
                _ => c,
            }
        })
        .collect()
}

/// Sorts paths below one folder as a walk meets them: level by level, the files of the upper
/// folders first, and each level by name (facts §2.2).
pub(crate) fn sort_walk(paths: &mut [&str]) {
    paths.sort_by_cached_key(|path| {
        let segments: Vec<String> = path.split('/').map(upper_case).collect();
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
        // A hyphen only decides between texts that are the same without it, case included.
        assert_eq!(
            sorted(
                vec!["co-op", "coop", "Coop", "coo-p", "coops", "co-Op"],
                by_culture
            ),
            ["coop", "co-op", "coo-p", "co-Op", "Coop", "coops"]
        );
        // An accent decides before case does, and after all letters.
        assert_eq!(
            sorted(
                vec!["caféb", "Cafe", "café", "cafe", "cafea", "Café"],
                by_culture
            ),
            ["cafe", "Cafe", "café", "Café", "cafea", "caféb"]
        );
        assert_eq!(
            sorted(
                vec![
                    "a/b", "a b", "a,b", "ab", "a.b", "a_b", "a=b", "a1b", "日", "ab日"
                ],
                by_culture
            ),
            [
                "a b", "a,b", "a.b", "a/b", "a_b", "a=b", "a1b", "ab", "ab日", "日"
            ]
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
