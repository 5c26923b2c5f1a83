//! What file systems take for git's own folder.

use unicode_normalization::UnicodeNormalization;

use super::fold::{fold, is_ignored};

/// Whether some file system opens git's own folder under this name: `.git` in any case, with dots
/// and spaces at its end or a stream behind it (Windows), as a short name (`git~1`, NTFS), with
/// characters that HFS+ and others pass over, or in letters that are folded to these.
///
/// Git refuses a part of these itself (`core.protectNTFS`, `core.protectHFS`); names that it would
/// not mind, such as `git~2` or full-width letters, have no use that would be missed.
pub fn is_git_folder(name: &str) -> bool {
    if name.is_ascii() {
        return is_git_in_ascii(name);
    }
    // Compatibility forms too: they are what a code page or a share makes of such letters.
    let plain: String = name
        .chars()
        .filter(|c| !is_ignored(*c))
        .nfkc()
        .filter(|c| !is_ignored(*c))
        .map(|c| match c {
            'ı' | 'İ' => 'i',
            c => c,
        })
        .collect();
    is_git_in_ascii(&plain)
}

fn is_git_in_ascii(name: &str) -> bool {
    let without_stream = name.split(':').next().unwrap_or(name);
    let kept = without_stream.trim_end_matches(['.', ' ']);
    if kept.eq_ignore_ascii_case(".git") {
        return true;
    }
    kept.split_once('~').is_some_and(|(stem, number)| {
        stem.eq_ignore_ascii_case("git")
            && !number.is_empty()
            && number.bytes().all(|digit| digit.is_ascii_digit())
    })
}

/// Whether some file system opens a file under this name that git reads in every tree. Git takes no
/// tree in which it is a folder (`git fsck`: `gitmodulesBlob`, `gitattributesBlob`).
pub(super) fn is_git_file(name: &str) -> bool {
    let folded = fold(name);
    // The short names that NTFS gives, and those that it makes up when these are taken.
    const SHORT: [&str; 4] = ["GITMOD~", "GITATT~", "GI7EBA~", "GI7D29~"];
    [".GITMODULES", ".GITATTRIBUTES"].contains(&folded.as_str())
        || SHORT.iter().any(|short| folded.starts_with(short))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_reads_is_no_folder() {
        for name in [
            ".gitmodules",
            ".GitModules",
            ".gitmod\u{200c}ules",
            ".gitattributes",
            "gitmod~1",
            "gi7d29~1",
        ] {
            assert!(is_git_file(name), "{name:?}");
        }
        for other in [".gitignore", "gitmodules", ".gitmodules.txt"] {
            assert!(!is_git_file(other), "{other:?}");
        }
    }

    #[test]
    fn every_spelling_of_the_folder_is_known() {
        for alias in [
            ".git",
            ".GiT",
            ".git.",
            ".git . .",
            ".git::$INDEX_ALLOCATION",
            ".git:x",
            "git~1",
            "GIT~12",
            "git~1.",
            "git~1::$INDEX_ALLOCATION",
            ".g\u{200c}it",
            "\u{feff}.git",
            ".git\u{202e}",
            ".gi\u{200d}t ",
            ".g\u{00ad}it",
            ".gıt",
            ".gİt",
            "．ｇｉｔ",
            ".ᵍit",
        ] {
            assert!(is_git_folder(alias), "{alias:?}");
        }
    }

    #[test]
    fn names_that_only_look_alike_are_let_be() {
        for other in [
            "git",
            ".gitignore",
            ".github",
            "a.git",
            "git~",
            "git~a",
            "..git",
            " .git",
            "digit~1",
            ".gît",
        ] {
            assert!(!is_git_folder(other), "{other:?}");
        }
    }
}
