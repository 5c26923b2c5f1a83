//! When two names are one file.

use unicode_normalization::{UnicodeNormalization, is_nfd};

/// The form under which two names are the same on some file system: without regard to case (NTFS,
/// APFS), to whether an accent is a character of its own (HFS+, APFS), and to characters that HFS+
/// passes over. So `K` and the Kelvin sign are one, `s` and the long `ſ`, `é` and `e` with an accent.
pub fn fold(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_uppercase();
    }
    let folded = |c: char| upper(lower(c));
    if is_nfd(name) && !name.chars().any(is_ignored) {
        name.chars().map(folded).collect()
    } else {
        // Before they are put in order: what is passed over must not keep two accents apart.
        let kept = name.chars().filter(|c| !is_ignored(*c));
        kept.nfd().map(folded).collect()
    }
}

/// One character for one, as file systems have it: `ß` is no `SS`.
fn upper(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

fn lower(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

/// Characters that HFS+ passes over when it compares names (Apple's Technical Note 1150), and others
/// that are drawn as nothing.
pub(super) fn is_ignored(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_some_file_system_takes_for_one_fold_together() {
        for (a, b) in [
            ("Clerk", "cLERK"),
            ("K", "\u{212a}"),
            ("Straſe", "STRASE"),
            ("Å", "\u{212b}"),
            ("Größe", "Gro\u{308}ße"),
            ("ς", "σ"),
            ("e\u{301}", "É"),
            ("a\u{200d}b", "ab"),
            ("e\u{301}\u{200c}\u{329}", "e\u{329}\u{301}"),
            ("\u{ac00}", "\u{1100}\u{1161}"),
        ] {
            assert_eq!(fold(a), fold(b), "{a} {b}");
        }
    }

    #[test]
    fn names_that_only_a_dictionary_takes_for_one_stay_apart() {
        for (a, b) in [("Straße", "Strasse"), ("a", "á"), ("ﬁ", "fi"), ("²", "2")] {
            assert_ne!(fold(a), fold(b), "{a} {b}");
        }
    }
}
