//! Cuts an XML text into tokens that borrow it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use memchr::{memchr, memmem};

use super::{Fault, too_deep};

/// A piece of markup, or the text between two of them. All slices are as they stand in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// `<name attributes>` or `<name attributes/>`.
    Start(Tag<'a>),
    /// `</name>`.
    End { name: &'a str },
    /// Literal white space alone, between two pieces of markup.
    Space(&'a str),
    /// Any other text, with its references.
    Text(&'a str),
    /// What stands between `<![CDATA[` and `]]>`.
    CData(&'a str),
    /// What stands between `<!--` and `-->`.
    Comment(&'a str),
    /// What stands between `<?` and `?>`; the declaration is one of them.
    Instruction(&'a str),
}

/// A start tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag<'a> {
    /// Offset of its `<`.
    pub at: usize,
    /// The element's name with prefix.
    pub name: &'a str,
    /// Its attributes as they stand.
    pub attributes: &'a str,
    /// Whether it is `<name/>`, which needs no end tag.
    pub empty: bool,
    /// Whether it already stands as it would be written: one space before each attribute, double
    /// quotes, no name with a prefix, no name twice, no character in a value that needs an escape.
    /// Nearly all tags do, and only the others are read attribute by attribute.
    pub plain: bool,
}

impl<'a> Tag<'a> {
    /// The value of an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        attribute(self.attributes, name)
    }
}

/// A position in a text that moves from token to token.
///
/// Checks what can be checked on a single token; that the elements nest is for the caller.
#[derive(Debug, Clone)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    end: usize,
    deepest: u64,
}

impl<'a> Scanner<'a> {
    /// Scans a range of a text; positions are those of the whole text. `deepest` is the bound for
    /// nested elements.
    pub(crate) fn new(text: &'a str, range: Range<usize>, deepest: u64) -> Self {
        Self {
            text,
            at: range.start,
            end: range.end,
            deepest,
        }
    }

    /// Offset of the next token.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Where the range ends.
    pub(crate) fn end(&self) -> usize {
        self.end
    }

    /// Goes on at a place further behind.
    pub(crate) fn jump(&mut self, to: usize) {
        self.at = to;
    }

    /// The whole text.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// The bound for nested elements.
    pub(crate) fn deepest(&self) -> u64 {
        self.deepest
    }

    /// The next token, or none at the end of the range.
    pub(crate) fn next(&mut self) -> Result<Option<Token<'a>>, Fault> {
        let bytes = &self.text.as_bytes()[self.at..self.end];
        match bytes.first() {
            None => Ok(None),
            Some(b'<') => self.markup(&self.text[self.at..self.end]).map(Some),
            Some(_) => {
                let space = skip_space(bytes, 0);
                let all_space = bytes.get(space).is_none_or(|byte| *byte == b'<');
                let length = if all_space {
                    space
                } else {
                    memchr(b'<', &bytes[space..]).map_or(bytes.len(), |more| space + more)
                };
                let text = &self.text[self.at..self.at + length];
                self.at += length;
                Ok(Some(if all_space {
                    Token::Space(text)
                } else {
                    Token::Text(text)
                }))
            }
        }
    }

    fn markup(&mut self, rest: &'a str) -> Result<Token<'a>, Fault> {
        match rest.as_bytes().get(1) {
            Some(b'/') => self.end_tag(rest),
            Some(b'!') => self.declaration(rest),
            Some(b'?') => {
                let inner = self.delimited(rest, 2, "?>", "a processing instruction")?;
                let target = inner.split(is_space).next().unwrap_or_default();
                self.check_name(target)?;
                Ok(Token::Instruction(inner))
            }
            _ => self.start(rest),
        }
    }

    fn end_tag(&mut self, rest: &'a str) -> Result<Token<'a>, Fault> {
        let after = name_end(rest.as_bytes(), 2);
        if rest.as_bytes().get(after) == Some(&b'>') && starts_name(rest.as_bytes(), 2) {
            self.at += after + 1;
            return Ok(Token::End {
                name: &rest[2..after],
            });
        }
        let close =
            memchr(b'>', rest.as_bytes()).ok_or_else(|| self.fault("an end tag is not closed"))?;
        let name = rest[2..close].trim_end_matches(is_space);
        self.check_name(name)?;
        self.at += close + 1;
        Ok(Token::End { name })
    }

    fn declaration(&mut self, rest: &'a str) -> Result<Token<'a>, Fault> {
        if rest.starts_with("<![CDATA[") {
            return self
                .delimited(rest, 9, "]]>", "a CDATA section")
                .map(Token::CData);
        }
        if rest.starts_with("<!--") {
            let comment = self.delimited(rest, 4, "-->", "a comment")?;
            if comment.contains("--") || comment.ends_with('-') {
                return Err(self.fault("`--` is not allowed inside a comment"));
            }
            return Ok(Token::Comment(comment));
        }
        if rest.starts_with("<!DOCTYPE") {
            return Err(self.fault("document types are refused; they can declare entities"));
        }
        Err(self.fault("`<!` begins neither a comment nor a CDATA section"))
    }

    fn delimited(
        &mut self,
        rest: &'a str,
        skip: usize,
        end: &str,
        what: &str,
    ) -> Result<&'a str, Fault> {
        let length = memmem::find(&rest.as_bytes()[skip..], end.as_bytes())
            .ok_or_else(|| self.fault(&format!("{what} is not closed")))?;
        self.at += skip + length + end.len();
        Ok(&rest[skip..skip + length])
    }

    fn start(&mut self, rest: &'a str) -> Result<Token<'a>, Fault> {
        let at = self.at;
        if let Some((name, attributes, empty, length)) = plain_tag(rest) {
            self.at += length;
            return Ok(Token::Start(Tag {
                at,
                name,
                attributes,
                empty,
                plain: true,
            }));
        }
        let close = tag_end(rest.as_bytes()).ok_or_else(|| self.fault("a tag is not closed"))?;
        let empty = rest.as_bytes()[close - 1] == b'/';
        let inner = &rest[1..if empty { close - 1 } else { close }];
        let length = inner.bytes().position(is_space_byte).unwrap_or(inner.len());
        let (name, attributes) = inner.split_at(length);
        self.check_name(name)?;
        once_each(attributes, at + 1 + length)?;
        self.at += close + 1;
        Ok(Token::Start(Tag {
            at,
            name,
            attributes,
            empty,
            plain: false,
        }))
    }

    fn check_name(&self, name: &str) -> Result<(), Fault> {
        if is_name(name) {
            Ok(())
        } else {
            Err(self.fault(&format!("`{}` is not a name", shorten(name))))
        }
    }

    fn fault(&self, reason: &str) -> Fault {
        Fault::new(self.at, reason)
    }

    /// Moves behind the end tag of the element whose start tag was just read.
    ///
    /// Only counts depth: whoever reads the inside checks it. Returns where the content ends.
    pub(crate) fn skip_content(&mut self) -> Result<usize, Fault> {
        let bytes = &self.text.as_bytes()[..self.end];
        let mut at = self.at;
        let mut depth = 1u64;
        loop {
            let Some(found) = memchr(b'<', &bytes[at..]) else {
                return Err(self.fault("an element is not closed"));
            };
            at += found;
            match bytes.get(at + 1) {
                Some(b'/') => {
                    let Some(close) = memchr(b'>', &bytes[at..]) else {
                        return Err(Fault::new(at, "an end tag is not closed"));
                    };
                    depth -= 1;
                    if depth == 0 {
                        self.at = at + close + 1;
                        return Ok(at);
                    }
                    at += close + 1;
                }
                Some(b'!' | b'?') => {
                    self.at = at;
                    self.next()?;
                    at = self.at;
                }
                _ => {
                    let Some(close) = tag_end(&bytes[at..]) else {
                        return Err(Fault::new(at, "a tag is not closed"));
                    };
                    if bytes[at + close - 1] != b'/' {
                        depth += 1;
                        if depth > self.deepest {
                            return Err(Fault::new(at, too_deep(self.deepest)));
                        }
                    }
                    at += close + 1;
                }
            }
        }
    }
}

/// Where the `>` of a tag stands that begins at the first byte; quoted ones do not count.
fn tag_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        // Names are short, so a plain loop finds the next of the three sooner than a search does.
        match bytes.get(at)? {
            b'>' => return Some(at),
            quote @ (b'"' | b'\'') => at += memchr(*quote, &bytes[at + 1..])? + 2,
            _ => at += 1,
        }
    }
}

/// Most attributes that a plain tag can have; a tag with more is read the slow way.
const MOST_PLAIN: usize = 16;

/// Reads a start tag that is [`Tag::plain`]: its name, attributes, emptiness, and length.
fn plain_tag(rest: &str) -> Option<(&str, &str, bool, usize)> {
    let bytes = rest.as_bytes();
    let name_end = name_end(bytes, 1);
    if !starts_name(bytes, 1) {
        return None;
    }
    // Small offsets, for the array is cleared for every tag.
    let mut names = [(0u16, 0u16); MOST_PLAIN];
    let mut count = 0;
    let mut at = name_end;
    loop {
        match bytes.get(at)? {
            b'>' => return Some((&rest[1..name_end], &rest[name_end..at], false, at + 1)),
            b'/' if bytes.get(at + 1) == Some(&b'>') => {
                return Some((&rest[1..name_end], &rest[name_end..at], true, at + 2));
            }
            b' ' if bytes[at + 1..].starts_with(b"/>") => {
                return Some((&rest[1..name_end], &rest[name_end..at], true, at + 3));
            }
            b' ' => {}
            _ => return None,
        }
        let start = at + 1;
        let mut end = start;
        while PLAIN_NAME[usize::from(*bytes.get(end)?)] {
            end += 1;
        }
        if !bytes[end..].starts_with(b"=\"") || !starts_name(bytes, start) {
            return None;
        }
        let name = &bytes[start..end];
        let twice = names[..count]
            .iter()
            .any(|(from, to)| &bytes[usize::from(*from)..usize::from(*to)] == name);
        if twice || count == MOST_PLAIN {
            return None;
        }
        names[count] = (u16::try_from(start).ok()?, u16::try_from(end).ok()?);
        count += 1;
        at = end + 2;
        while PLAIN_VALUE[usize::from(*bytes.get(at)?)] {
            at += 1;
        }
        if bytes[at] != b'"' {
            return None;
        }
        at += 1;
    }
}

/// Refuses an attribute that stands twice: readers do not agree on which of the two holds. Plain tags
/// are checked as they are read. What else may be wrong is told where the attributes are read.
fn once_each(raw: &str, offset: usize) -> Result<(), Fault> {
    let mut attributes = Attributes::new(raw, offset);
    let mut seen = HashSet::new();
    while let Ok(Some((name, _))) = attributes.next() {
        if !seen.insert(name) {
            return Err(attributes.fault(&format!("the attribute `{name}` stands twice")));
        }
    }
    Ok(())
}

/// Where the name ends that begins at `at`.
fn name_end(bytes: &[u8], mut at: usize) -> usize {
    while bytes
        .get(at)
        .is_some_and(|byte| NAME[usize::from(*byte)] != OTHER)
    {
        at += 1;
    }
    at
}

/// Whether a name can begin with the byte at `at`.
fn starts_name(bytes: &[u8], at: usize) -> bool {
    bytes
        .get(at)
        .is_some_and(|byte| NAME[usize::from(*byte)] == STARTS)
}

/// The four characters that XML calls white space.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// The same for a byte.
pub(crate) fn is_space_byte(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Whether this can name an element or an attribute. Characters outside ASCII are taken as letters.
pub(crate) fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let starts = bytes
        .next()
        .is_some_and(|first| NAME[usize::from(first)] == STARTS);
    starts && bytes.all(|byte| NAME[usize::from(byte)] != OTHER)
}

const OTHER: u8 = 0;
const CONTINUES: u8 = 1;
const STARTS: u8 = 2;

/// What each byte may do in a name. A table, for every tag and attribute asks.
static NAME: [u8; 256] = {
    let mut table = [OTHER; 256];
    let mut byte = 0;
    while byte < 256 {
        let c = byte as u8;
        if c.is_ascii_alphabetic() || c == b'_' || c == b':' || c >= 0x80 {
            table[byte] = STARTS;
        } else if c.is_ascii_digit() || c == b'-' || c == b'.' {
            table[byte] = CONTINUES;
        }
        byte += 1;
    }
    table
};

/// The bytes of an attribute's name without a prefix.
static PLAIN_NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = NAME[byte] != OTHER && byte as u8 != b':';
        byte += 1;
    }
    table
};

/// The bytes of a value that are written as they stand.
static PLAIN_VALUE: [bool; 256] = {
    let mut table = [true; 256];
    let special = b"\"&<>\t\r\n";
    let mut index = 0;
    while index < special.len() {
        table[special[index] as usize] = false;
        index += 1;
    }
    table
};

fn shorten(name: &str) -> String {
    name.chars().take(40).collect()
}

/// The attributes of a start tag: name and raw value, in order.
///
/// `at` is the offset of `raw` in the whole text, for the fault.
pub(crate) struct Attributes<'a> {
    raw: &'a str,
    at: usize,
    offset: usize,
}

impl<'a> Attributes<'a> {
    pub(crate) fn new(raw: &'a str, offset: usize) -> Self {
        Self { raw, at: 0, offset }
    }

    /// The next attribute, or none.
    pub(crate) fn next(&mut self) -> Result<Option<(&'a str, &'a str)>, Fault> {
        let bytes = self.raw.as_bytes();
        let start = self.at;
        let mut at = skip_space(bytes, start);
        if at == bytes.len() {
            return Ok(None);
        }
        if at == start {
            return Err(self.fault("white space is missing between two attributes"));
        }
        let name_start = at;
        while at < bytes.len() && bytes[at] != b'=' && !is_space_byte(bytes[at]) {
            at += 1;
        }
        let name = &self.raw[name_start..at];
        if !is_name(name) {
            return Err(self.fault(&format!(
                "`{}` is not the name of an attribute",
                shorten(name)
            )));
        }
        at = skip_space(bytes, at);
        if bytes.get(at) != Some(&b'=') {
            return Err(self.fault(&format!("the attribute `{name}` has no value")));
        }
        at = skip_space(bytes, at + 1);
        let Some(quote) = bytes
            .get(at)
            .copied()
            .filter(|byte| matches!(byte, b'"' | b'\''))
        else {
            return Err(self.fault(&format!("the value of `{name}` is not quoted")));
        };
        let value_start = at + 1;
        let Some(length) = memchr(quote, &bytes[value_start..]) else {
            return Err(self.fault(&format!("the value of `{name}` is not closed")));
        };
        self.at = value_start + length + 1;
        let value = &self.raw[value_start..value_start + length];
        if memchr(b'<', value.as_bytes()).is_some() {
            return Err(self.fault(&format!("the value of `{name}` has a `<`")));
        }
        Ok(Some((name, value)))
    }

    /// Offset of the value last returned, in the whole text.
    pub(crate) fn fault(&self, reason: &str) -> Fault {
        Fault::new(self.offset + self.at, reason)
    }
}

fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && is_space_byte(bytes[at]) {
        at += 1;
    }
    at
}

/// The value of one attribute of a start tag as a reader sees it: literal white space is a space,
/// references are resolved.
pub(crate) fn attribute<'a>(raw: &'a str, wanted: &str) -> Option<Cow<'a, str>> {
    let mut attributes = Attributes::new(raw, 0);
    while let Ok(Some((name, value))) = attributes.next() {
        if name == wanted {
            if !value
                .bytes()
                .any(|byte| matches!(byte, b'\r' | b'\n' | b'\t'))
            {
                return Some(super::unescape(value));
            }
            let spaced = value.replace("\r\n", " ").replace(['\r', '\n', '\t'], " ");
            return Some(Cow::Owned(super::unescape(&spaced).into_owned()));
        }
    }
    None
}
