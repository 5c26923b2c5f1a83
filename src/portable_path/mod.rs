//! Names that become files: the one gate that every relative path passes before it is written.
//!
//! Names come from the entries of a zip, from components, mapping files, scripts, merges, pushed
//! trees, answers of a service; none of them is to be believed. [`check`] decides, and there is no
//! second place that does: [`crate::solution::SourceTree`] and [`crate::solution::Package`] ask it for
//! each name, the writer of folders asks it again for all that it is about to write, a commit asks
//! it for each file, and so do scripts. The rules are the same on every system, so that what is
//! written on Linux can be checked out on Windows and on macOS.
//!
//! Git's own folder is the name that matters most, since a configuration in it runs commands:
//! [`is_git_folder`] knows what file systems take for `.git`, and [`check_git_entry`] is the
//! question for one name of a git tree.

mod dot;
mod fold;
mod git_folder;

pub use dot::{hide_dots, show_dots};
pub use fold::fold;
use git_folder::is_git_file;
pub use git_folder::is_git_folder;

/// The longest path in bytes.
const LONGEST: usize = 4096;

/// Whether a path may have parts that begin with a dot, such as `.gitignore`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DotNames {
    /// Source trees of solutions: a packager passes over dot files, so one would be lost, and
    /// other programs take their orders from such files. [`hide_dots`] gives them another name.
    Refused,
    /// Repositories and parts of packages. What [`is_git_folder`] is refused all the same.
    Allowed,
}

/// Which rule a path breaks; reads as the end of a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnsafePath {
    /// There is no name.
    #[error("it is empty")]
    Empty,
    /// It begins with a slash.
    #[error("it is absolute")]
    Absolute,
    /// It is longer than any system takes.
    #[error("it is longer than 4,096 bytes")]
    Long,
    /// Two slashes follow each other, or one is the last character.
    #[error("it has an empty folder name")]
    EmptyPart,
    /// A part is `.` or `..`.
    #[error("`{0}` leaves the folder")]
    Leaves(String),
    /// A character that Windows does not allow; `:` makes drives and streams, `\` is a separator.
    #[error("the character {0:?} is not allowed in a file name")]
    Character(char),
    /// A part that Windows would write without its end.
    #[error("`{0}` ends with a dot or a space, which Windows drops")]
    End(String),
    /// A part that is a device on Windows.
    #[error("`{0}` is a reserved name on Windows")]
    Reserved(String),
    /// What Windows and macOS can hold; a system that counts bytes says so itself.
    #[error("a file name in it is longer than 255 characters")]
    LongPart,
    /// A part that some file system takes for git's own folder.
    #[error("`{0}` is git's own folder, or would be on some file system")]
    GitFolder(String),
    /// A folder with the name of a file that git itself reads.
    #[error("`{0}` is a file that git reads, so it cannot be a folder")]
    GitFile(String),
    /// A part that begins with a dot.
    #[error("`{0}` begins with a dot, which makes it a hidden file that packagers pass over")]
    Dot(String),
    /// The bytes are no text.
    #[error("it is not Unicode")]
    NotUnicode,
}

/// Decides whether a relative path, with `/` between its parts, may be written: it stays inside of
/// its folder, every file system can hold it, and no part of it is git's own folder.
///
/// # Errors
///
/// The first rule that the path breaks.
///
/// ```
/// use almscript::portable_path::{DotNames, check};
/// assert!(check("Roles/Sales.xml", DotNames::Refused).is_ok());
/// assert!(check(".azure/pipeline.yml", DotNames::Allowed).is_ok());
/// assert!(check("web/GIT~1/config", DotNames::Allowed).is_err());
/// ```
pub fn check(path: &str, dots: DotNames) -> Result<(), UnsafePath> {
    if path.is_empty() {
        return Err(UnsafePath::Empty);
    }
    if path.starts_with('/') {
        return Err(UnsafePath::Absolute);
    }
    if path.len() > LONGEST {
        return Err(UnsafePath::Long);
    }
    path.split('/')
        .try_for_each(|part| check_part(part, dots))?;
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    match folders.split('/').find(|folder| is_git_file(folder)) {
        Some(folder) => Err(UnsafePath::GitFile(folder.to_owned())),
        None => Ok(()),
    }
}

fn check_part(part: &str, dots: DotNames) -> Result<(), UnsafePath> {
    match part {
        "" => return Err(UnsafePath::EmptyPart),
        "." | ".." => return Err(UnsafePath::Leaves(part.to_owned())),
        _ => {}
    }
    // Before the characters, since `.git::$INDEX_ALLOCATION` is more than a bad character.
    if is_git_folder(part) {
        return Err(UnsafePath::GitFolder(part.to_owned()));
    }
    if let Some(bad) = part.chars().find(|c| is_forbidden(*c)) {
        return Err(UnsafePath::Character(bad));
    }
    if part.ends_with(['.', ' ']) {
        return Err(UnsafePath::End(part.to_owned()));
    }
    if is_reserved(part) {
        return Err(UnsafePath::Reserved(part.to_owned()));
    }
    if part.encode_utf16().count() > 255 {
        return Err(UnsafePath::LongPart);
    }
    if dots == DotNames::Refused && part.starts_with('.') {
        return Err(UnsafePath::Dot(part.to_owned()));
    }
    Ok(())
}

/// Decides whether one name of a pushed git tree may be kept, as `git fsck` does: names that only
/// Windows cannot hold are a repository's own affair, git's own folder and the way out are not.
/// A backslash counts as a separator, since it is one for whoever checks the tree out on Windows.
///
/// # Errors
///
/// The first rule that the name breaks.
pub fn check_git_entry(name: &[u8]) -> Result<(), UnsafePath> {
    if name.is_empty() {
        return Err(UnsafePath::Empty);
    }
    if let Some(bad) = name.iter().find(|byte| matches!(byte, b'/' | 0)) {
        return Err(UnsafePath::Character(char::from(*bad)));
    }
    // Names in other encodings are allowed in git; what is looked for is in ASCII or in UTF-8.
    let name = String::from_utf8_lossy(name);
    for part in name.split('\\') {
        if matches!(part, "." | "..") {
            return Err(UnsafePath::Leaves(part.to_owned()));
        }
        if is_git_folder(part) {
            return Err(UnsafePath::GitFolder(part.to_owned()));
        }
    }
    Ok(())
}

/// Whether Windows forbids the character in file names; `/` is a separator and counts too.
pub fn is_forbidden(c: char) -> bool {
    matches!(c, '<' | '>' | ':' | '"' | '/' | '\\' | '|' | '?' | '*') || c < ' '
}

/// Whether Windows keeps the name for a device, whatever its extension.
fn is_reserved(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part).trim_end_matches(' ');
    let upper = stem.to_ascii_uppercase();
    match upper.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" => true,
        _ => {
            let device = upper
                .strip_prefix("COM")
                .or_else(|| upper.strip_prefix("LPT"));
            matches!(device, Some(d) if d.chars().count() == 1
                && d.chars().all(|c| c.is_ascii_digit() || matches!(c, '¹' | '²' | '³')))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_the_folder_are_refused() {
        for bad in [
            "../a",
            "a/../b",
            "/etc/passwd",
            "C:/x",
            "a//b",
            "./a",
            "",
            "a/.",
            "a\0b",
            "a\\..\\b",
        ] {
            assert!(check(bad, DotNames::Allowed).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_that_windows_cannot_hold_are_refused() {
        for bad in [
            "CON",
            "a/nul.txt",
            "Com1.json",
            "LPT9",
            "a/b.",
            "b /c",
            "x?y",
            "COM¹",
            "a.txt:stream",
        ] {
            assert!(check(bad, DotNames::Allowed).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn ordinary_names_are_accepted() {
        for good in [
            "[Content_Types].xml",
            "a/console.txt",
            "appactions/a!b!0/x.xml",
            "COM10",
            "日本/ボ.json",
            "git/config",
            "a.git/HEAD",
            "git~x",
        ] {
            assert_eq!(check(good, DotNames::Refused), Ok(()), "{good:?}");
        }
    }

    #[test]
    fn a_file_that_git_reads_is_no_folder() {
        for name in [".gitmodules", "a/.gitattributes"] {
            assert_eq!(check(name, DotNames::Allowed), Ok(()), "{name}");
            let below = check(&format!("{name}/x"), DotNames::Allowed);
            assert!(matches!(below, Err(UnsafePath::GitFile(_))), "{name}");
        }
    }

    #[test]
    fn dot_names_are_for_repositories() {
        for path in [".gitignore", "a/.keep", ".NET Developers.xml"] {
            assert_eq!(check(path, DotNames::Allowed), Ok(()), "{path}");
            let refused = check(path, DotNames::Refused);
            assert!(matches!(refused, Err(UnsafePath::Dot(_))), "{path}");
        }
    }

    #[test]
    fn a_git_tree_may_hold_what_only_windows_cannot() {
        for good in [&b"a:b"[..], b"con", b"x ", b"\xff", b".gitmodules", b"a\\b"] {
            assert_eq!(check_git_entry(good), Ok(()), "{good:?}");
        }
        for bad in [
            &b""[..],
            b".",
            b"..",
            b"a/b",
            b"a\0b",
            b".git",
            b"GIT~1",
            b".git ",
            b".git::$INDEX_ALLOCATION",
            b"..\\..\\x",
            b"a\\.git\\config",
            ".g\u{200c}it".as_bytes(),
        ] {
            assert!(check_git_entry(bad).is_err(), "{bad:?}");
        }
    }
}
