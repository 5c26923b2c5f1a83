//! Names of parts and files: what is refused, what is replaced, how they are compared.
//!
//! One rule set for every system, so that a package that unpacks on Linux unpacks on Windows too.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// Characters that a part name carries percent-encoded in an archive (a part name is a URI path).
///
/// Facts §20, 2 leaves open how Microsoft's tool writes them. The names of parts are URIs in the
/// packaging library of .NET, which encodes these and all that is not ASCII. Servers make such names:
/// the app actions of ribbon buttons have `{!EntityLogicalName}` in theirs, and published trees have
/// it decoded.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The name of a part from the name of its archive entry: `\` becomes `/`, `%5F` becomes `_`.
///
/// Tolerated because people re-zip by hand (facts §2.1) and because part names are URI-encoded
/// (facts §2.3). A name with a broken escape is taken as it is.
pub(crate) fn part_name_of_entry(entry: &str) -> Cow<'_, str> {
    let slashes = if entry.contains('\\') {
        Cow::Owned(entry.replace('\\', "/"))
    } else {
        Cow::Borrowed(entry)
    };
    if !slashes.contains('%') {
        return slashes;
    }
    match percent_decode_str(&slashes).decode_utf8() {
        Ok(decoded) => Cow::Owned(decoded.into_owned()),
        Err(_) => slashes,
    }
}

/// The archive entry name of a part: what a URI path does not allow is percent-encoded.
///
/// `[Content_Types].xml` is not a part but a fixed name of the container, and stays as it is.
pub(crate) fn entry_name_of_part(part: &str) -> Cow<'_, str> {
    utf8_percent_encode(part, ENCODED).into()
}

/// Checks that a relative path stays inside its folder and can exist on every file system.
///
/// # Errors
///
/// Returns the rule that the path breaks, as the end of a sentence.
pub(crate) fn check(path: &str) -> Result<(), String> {
    if path.is_empty() {
        return Err("it is empty".to_owned());
    }
    if path.starts_with('/') {
        return Err("it is absolute".to_owned());
    }
    if path.len() > 4096 {
        return Err("it is longer than 4,096 bytes".to_owned());
    }
    path.split('/').try_for_each(check_segment)
}

fn check_segment(segment: &str) -> Result<(), String> {
    match segment {
        "" => return Err("it has an empty folder name".to_owned()),
        "." | ".." => return Err(format!("`{segment}` leaves the folder")),
        _ => {}
    }
    if let Some(bad) = segment.chars().find(|c| is_forbidden(*c)) {
        return Err(format!(
            "the character {bad:?} is not allowed in a file name"
        ));
    }
    if segment.ends_with(['.', ' ']) {
        return Err(format!(
            "`{segment}` ends with a dot or a space, which Windows drops"
        ));
    }
    if is_reserved(segment) {
        return Err(format!("`{segment}` is a reserved name on Windows"));
    }
    // What Windows and macOS can hold; a system that counts bytes says so itself when it is written.
    if segment.encode_utf16().count() > 255 {
        return Err("a file name in it is longer than 255 characters".to_owned());
    }
    Ok(())
}

/// Whether Windows forbids the character in file names; `/` is a separator and counts too.
fn is_forbidden(c: char) -> bool {
    matches!(c, '<' | '>' | ':' | '"' | '/' | '\\' | '|' | '?' | '*') || c < ' '
}

/// Whether Windows keeps the name for a device, whatever its extension.
fn is_reserved(segment: &str) -> bool {
    let stem = segment
        .split('.')
        .next()
        .unwrap_or(segment)
        .trim_end_matches(' ');
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

/// A file name from a component's name: each character that Windows forbids becomes `_` (facts §4).
pub(crate) fn file_name(component: &str) -> Cow<'_, str> {
    if component.chars().any(is_forbidden) {
        Cow::Owned(
            component
                .chars()
                .map(|c| if is_forbidden(c) { '_' } else { c })
                .collect(),
        )
    } else {
        Cow::Borrowed(component)
    }
}

/// The path under which Windows keeps a file that is written to this path: dots and spaces at the
/// end of a name are dropped. `.` and `..` stay, so that they are refused.
pub(crate) fn as_windows_keeps(path: &str) -> Cow<'_, str> {
    let kept = |segment: &'_ str| match segment {
        "." | ".." => segment.len(),
        _ => segment.trim_end_matches(['.', ' ']).len(),
    };
    if path
        .split('/')
        .all(|segment| kept(segment) == segment.len())
    {
        return Cow::Borrowed(path);
    }
    let segments: Vec<&str> = path
        .split('/')
        .map(|segment| &segment[..kept(segment)])
        .collect();
    Cow::Owned(segments.join("/"))
}

/// The form under which two names are the same on a case-insensitive file system.
pub(crate) fn fold(name: &str) -> String {
    if name.is_ascii() {
        name.to_ascii_uppercase()
    } else {
        // One character for one, as file systems have it: `ß` is no `SS`.
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
        ] {
            assert!(check(bad).is_err(), "{bad:?} was accepted");
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
        ] {
            assert!(check(bad).is_err(), "{bad:?} was accepted");
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
        ] {
            assert_eq!(check(good), Ok(()), "{good:?}");
        }
    }

    #[test]
    fn entry_names_are_decoded_and_encoded_as_uri_paths() {
        assert_eq!(part_name_of_entry("Connector\\a%5Fb"), "Connector/a_b");
        assert_eq!(part_name_of_entry("a/100%.txt"), "a/100%.txt");
        for name in ["a b/c#d.txt", "50%25/ü.xml", "a!b!c/d.xml"] {
            assert_eq!(part_name_of_entry(&entry_name_of_part(name)), name);
        }
    }
}
