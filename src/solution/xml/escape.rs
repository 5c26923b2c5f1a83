//! Character references: what they stand for, and which ones the writer uses (facts §3).

use std::borrow::Cow;

use super::Fault;

/// The character of a reference at the start of `text` (`&amp;`, `&#10;`, `&#xA;`), and the
/// reference's length in bytes. `at` is the offset of `text`, for the fault.
pub(crate) fn reference(text: &str, at: usize) -> Result<(char, usize), Fault> {
    // The longest is `&#1114111;`, leading zeros aside.
    let Some(end) = text
        .as_bytes()
        .iter()
        .take(40)
        .position(|byte| *byte == b';')
    else {
        return Err(Fault::new(
            at,
            "an `&` is not followed by the name of a character",
        ));
    };
    let name = &text[1..end];
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => match name.strip_prefix('#') {
            Some(number) => numbered(number).ok_or_else(|| {
                Fault::new(at, format!("`&{name};` is no character that XML allows"))
            })?,
            None => {
                return Err(Fault::new(
                    at,
                    format!("the entity `&{name};` is not declared"),
                ));
            }
        },
    };
    Ok((c, end + 1))
}

fn numbered(number: &str) -> Option<char> {
    let (digits, radix) = match number.strip_prefix('x') {
        Some(hex) => (hex, 16),
        None => (number, 10),
    };
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let c = char::from_u32(u32::from_str_radix(digits, radix).ok()?)?;
    (matches!(c, '\t' | '\n' | '\r') || (c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}')))
        .then_some(c)
}

/// The text that a raw text or attribute value stands for. A broken reference is kept as it is:
/// whoever writes the text reports it.
pub(crate) fn unescape(raw: &str) -> Cow<'_, str> {
    if !raw.contains('&') {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match reference(rest, 0) {
            Ok((c, length)) => {
                out.push(c);
                rest = &rest[length..];
            }
            Err(_) => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// A text as the content of an element.
pub(crate) fn escape_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| push_text(&mut out, c));
    out
}

/// A text as the value of an attribute in double quotes.
pub(crate) fn escape_attribute(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| push_attribute(&mut out, c));
    out
}

/// Writes one character of an element's content; line breaks are the caller's.
pub(super) fn push_text(out: &mut String, c: char) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        other => out.push(other),
    }
}

/// Writes one character of an attribute's value.
pub(super) fn push_attribute(out: &mut String, c: char) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\n' => out.push_str("&#xA;"),
        '\r' => out.push_str("&#xD;"),
        '\t' => out.push_str("&#x9;"),
        other => out.push(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_survive_escaping() {
        for text in [
            "a & b < c > \"d\" 'e'",
            "tab\tline\r\n",
            "ü 日本 😀",
            "&amp;",
            "",
        ] {
            assert_eq!(unescape(&escape_attribute(text)), text);
            assert_eq!(unescape(&escape_text(text)), text);
        }
    }

    #[test]
    fn only_declared_and_legal_references_are_read() {
        assert_eq!(reference("&#x41;b", 0).unwrap(), ('A', 6));
        for bad in [
            "&", "&x", "&foo;", "&#x1F;", "&#0;", "&#xD800;", "&#;", "&#x+1;", "& amp;",
        ] {
            assert!(reference(bad, 0).is_err(), "{bad}");
        }
    }
}
