//! Names of parts and of components as names of files: what is replaced, what is encoded. What is
//! refused, and when two names are one, stands in [`crate::portable_path`].

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::PackageError;
pub(crate) use crate::portable_path::fold;
use crate::portable_path::{self, DotNames, is_forbidden};

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

/// Asks the gate for the name of a part, or with [`DotNames::Refused`] for a file of a source tree.
///
/// # Errors
///
/// [`PackageError::UnsafeName`].
pub(crate) fn check(path: &str, dots: DotNames) -> Result<(), PackageError> {
    portable_path::check(path, dots).map_err(|reason| PackageError::UnsafeName {
        entry: path.to_owned(),
        reason,
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_names_are_decoded_and_encoded_as_uri_paths() {
        assert_eq!(part_name_of_entry("Connector\\a%5Fb"), "Connector/a_b");
        assert_eq!(part_name_of_entry("a/100%.txt"), "a/100%.txt");
        for name in ["a b/c#d.txt", "50%25/ü.xml", "a!b!c/d.xml"] {
            assert_eq!(part_name_of_entry(&entry_name_of_part(name)), name);
        }
    }
}
