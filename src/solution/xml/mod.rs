//! XML as the packager needs it: slices of the source, and a writer with fixed rules.
//!
//! No tree is ever built. [`scan`] cuts a text into tokens that borrow it, [`outline`] finds where
//! elements begin and end without looking inside, [`write`] copies tokens by the rules of facts §3.
//! The scanner is our own, because every token must be a slice with a position, and because what is
//! refused (document types, entities, deep nesting, characters outside XML 1.0) must be refused in
//! the same single pass. Tests hold it against an independent parser.

use std::borrow::Cow;

use rayon::prelude::*;

use super::PackageError;

mod escape;
pub(crate) mod growth;
#[cfg(test)]
mod oracle;
pub(crate) mod outline;
pub(crate) mod scan;
pub(crate) mod write;

pub(crate) use escape::{escape_attribute, escape_text, unescape};

/// The byte-order mark that every file of a folder begins with.
pub(crate) const BOM: &str = "\u{feff}";
/// The declaration that every written file begins with, before a line break.
pub(crate) const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>";
/// The namespace of `xsi:nil`.
pub(crate) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Where a text is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Byte offset in the whole text.
    pub at: usize,
    /// What is wrong, for a person.
    pub reason: String,
}

impl Fault {
    pub(crate) fn new(at: usize, reason: impl Into<String>) -> Self {
        Self {
            at,
            reason: reason.into(),
        }
    }

    /// The fault as an error about `file`, whose whole text is given.
    pub(crate) fn in_file(self, file: &str, text: &str) -> PackageError {
        PackageError::Xml {
            file: file.to_owned(),
            line: line_at(text, self.at),
            reason: self.reason,
        }
    }
}

/// What is said of a text whose elements nest deeper than the limit.
pub(crate) fn too_deep(deepest: u64) -> String {
    format!("more than {deepest} nested elements; `--maxXmlDepth` raises the limit")
}

/// The line of a byte offset, counted from 1.
pub(crate) fn line_at(text: &str, at: usize) -> u32 {
    let before = &text.as_bytes()[..at.min(text.len())];
    let breaks = memchr::memchr_iter(b'\n', before).count();
    u32::try_from(breaks).unwrap_or(u32::MAX).saturating_add(1)
}

/// The text of an XML part without its byte-order mark: UTF-8, or UTF-16 with a mark.
///
/// # Errors
///
/// [`PackageError::Xml`] for broken encodings and for characters that XML 1.0 does not know, such
/// as NUL.
pub(crate) fn decode<'a>(file: &str, bytes: &'a [u8]) -> Result<Cow<'a, str>, PackageError> {
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => Cow::Owned(utf16(file, rest, u16::from_le_bytes)?),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(utf16(file, rest, u16::from_be_bytes)?),
        _ => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            let text = std::str::from_utf8(bytes).map_err(|error| {
                let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
                Fault::new(valid.len(), "the text is not valid UTF-8").in_file(file, &valid)
            })?;
            Cow::Borrowed(text)
        }
    };
    match illegal_character(&text) {
        Some(at) => {
            let c = text[at..].chars().next().unwrap_or_default();
            let reason = format!("the character U+{:04X} is not allowed in XML", u32::from(c));
            Err(Fault::new(at, reason).in_file(file, &text))
        }
        None => Ok(text),
    }
}

fn utf16(file: &str, bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, PackageError> {
    let refuse = || Fault::new(0, "the text is not valid UTF-16").in_file(file, "");
    if !bytes.len().is_multiple_of(2) {
        return Err(refuse());
    }
    char::decode_utf16(bytes.chunks_exact(2).map(|two| unit([two[0], two[1]])))
        .collect::<Result<String, _>>()
        .map_err(|_| refuse())
}

/// Where the first character stands that XML 1.0 forbids even as it is.
fn illegal_character(text: &str) -> Option<usize> {
    /// Enough for one core at a time.
    const PIECE: usize = 1 << 20;
    let bytes = text.as_bytes();
    if bytes.len() <= PIECE {
        return illegal_in(bytes);
    }
    (0..bytes.len().div_ceil(PIECE))
        .into_par_iter()
        .find_map_first(|piece| {
            let start = piece * PIECE;
            // A character of three bytes can begin in this piece and end in the next one.
            let end = bytes.len().min(start + PIECE + 2);
            illegal_in(&bytes[start..end]).map(|at| start + at)
        })
}

fn illegal_in(bytes: &[u8]) -> Option<usize> {
    // Chunked, so that the compiler can test many bytes at once; a text almost never has one.
    for (index, chunk) in bytes.chunks(4096).enumerate() {
        let suspicious = chunk.iter().fold(0u8, |found, byte| {
            let control = u8::from(*byte < 0x20)
                & u8::from(*byte != b'\t')
                & u8::from(*byte != b'\n')
                & u8::from(*byte != b'\r');
            found | control
        });
        if suspicious != 0 {
            let offset = chunk
                .iter()
                .position(|byte| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r'))?;
            return Some(index * 4096 + offset);
        }
    }
    // U+FFFE and U+FFFF are the only ones outside the control characters.
    memchr::memmem::find_iter(bytes, b"\xef\xbf")
        .find(|at| matches!(bytes.get(at + 2), Some(0xbe | 0xbf)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn illegal_characters_are_found_wherever_they_stand() {
        let piece = 1 << 20;
        for at in [0, 1, piece - 3, piece - 1, piece, 2 * piece - 2] {
            for bad in ["\u{1}", "\u{fffe}", "\u{ffff}"] {
                let text = format!("{}{bad}{}", "x".repeat(at), "y".repeat(5));
                assert_eq!(illegal_character(&text), Some(at), "{bad:?}");
            }
            let fine = format!("{}\u{fffd}\u{feff}y", "x".repeat(at));
            assert_eq!(illegal_character(&fine), None);
        }
        assert_eq!(illegal_character(""), None);
    }

    #[test]
    fn texts_are_decoded_and_illegal_characters_named_by_line() {
        assert_eq!(decode("f", "\u{feff}<a/>".as_bytes()).unwrap(), "<a/>");
        assert_eq!(decode("f", b"\xff\xfe<\0a\0/\0>\0").unwrap(), "<a/>");
        for bad in [
            &b"<a>\n\0</a>"[..],
            b"<a>\n\x1f</a>",
            b"<a>\n\xef\xbf\xbf</a>",
            b"<a>\n\xff</a>",
        ] {
            assert!(
                matches!(decode("f", bad), Err(PackageError::Xml { line: 2, .. })),
                "{bad:?}"
            );
        }
    }
}
