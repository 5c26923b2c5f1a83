//! Text, CDATA sections, comments and processing instructions.

use crate::solution::xml::Fault;
use crate::solution::xml::escape::{push_text, reference};
use crate::solution::xml::scan::{is_space, is_space_byte};

use super::Writer;

impl Writer<'_> {
    pub(super) fn copy_text(&mut self, raw: &str, at: usize) -> Result<(), Fault> {
        if !raw.bytes().any(|byte| TEXT_SPECIAL[usize::from(byte)]) {
            self.before_text();
            self.keep(at..at + raw.len());
            return Ok(());
        }
        if !self.preserve && is_blank(raw) {
            return Ok(());
        }
        self.before_text();
        self.flush();
        let mut run = TextRun::new(self.newline);
        let mut rest = raw;
        loop {
            let plain = rest
                .bytes()
                .position(|byte| matches!(byte, b'&' | b'>' | b'\r' | b'\n'))
                .unwrap_or(rest.len());
            if plain > 0 {
                run.plain(&mut self.out, &rest[..plain]);
            }
            rest = &rest[plain..];
            match rest.bytes().next() {
                None => return Ok(()),
                Some(b'&') => {
                    let at = at + (raw.len() - rest.len());
                    let (c, length) = reference(rest, at)?;
                    run.push(&mut self.out, c);
                    rest = &rest[length..];
                }
                Some(b'>') => {
                    if raw[..raw.len() - rest.len()].ends_with("]]") {
                        return Err(Fault::new(at, "`]]>` is not allowed in a text"));
                    }
                    run.push(&mut self.out, '>');
                    rest = &rest[1..];
                }
                // Reading makes one line feed of every literal line break.
                Some(_) => {
                    run.push(&mut self.out, '\n');
                    rest = rest.strip_prefix("\r\n").unwrap_or(&rest[1..]);
                }
            }
        }
    }

    pub(super) fn before_text(&mut self) {
        self.mixed = true;
        self.fresh = false;
    }

    pub(super) fn between(&mut self, open: &str, text: &str, close: &str) {
        if !self.mixed {
            self.indent();
        }
        self.flush();
        self.out.push_str(open);
        self.lines(text);
        self.out.push_str(close);
        self.fresh = false;
    }

    /// Writes text that knows no references, with the file's line ends.
    pub(super) fn lines(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find(['\r', '\n']) {
            self.out.push_str(&rest[..at]);
            self.out.push_str(self.newline);
            rest = rest[at..].strip_prefix("\r\n").unwrap_or(&rest[at + 1..]);
        }
        self.out.push_str(rest);
    }
}

/// The bytes of a text that are not written as they stand.
static TEXT_SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let special = b"&>\r\n";
    let mut index = 0;
    while index < special.len() {
        table[special[index] as usize] = true;
        index += 1;
    }
    table
};

/// A text being written: a carriage return that was given as a reference makes one line break with
/// the line feed after it.
pub(super) struct TextRun {
    newline: &'static str,
    after_return: bool,
}

impl TextRun {
    pub(super) fn new(newline: &'static str) -> Self {
        Self {
            newline,
            after_return: false,
        }
    }

    fn plain(&mut self, out: &mut String, text: &str) {
        out.push_str(text);
        self.after_return = false;
    }

    pub(super) fn push(&mut self, out: &mut String, c: char) {
        match c {
            '\n' if self.after_return => self.after_return = false,
            '\n' | '\r' => {
                out.push_str(self.newline);
                self.after_return = c == '\r';
            }
            other => {
                push_text(out, other);
                self.after_return = false;
            }
        }
    }
}

/// Whether a raw text is white space only, references to white space included.
fn is_blank(raw: &str) -> bool {
    if raw.bytes().all(is_space_byte) {
        return true;
    }
    // Only then can a reference make the difference.
    raw.bytes().find(|byte| !is_space_byte(*byte)) == Some(b'&')
        && crate::solution::xml::unescape(raw).chars().all(is_space)
}
