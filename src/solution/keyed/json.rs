//! Reads a JSON text into nodes that keep every number and string as it is written.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::{Content, Document, Form, Node, identity, number};
use crate::solution::xml::Fault;

/// Reads a whole document. A byte-order mark may stand before it.
///
/// # Errors
/// What is no JSON, or nested more than 128 deep.
pub(crate) fn read(text: &str) -> Result<Document<'_>, Fault> {
    let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
    // The reader below may rely on what this accepts.
    if let Err(error) = serde_json::from_str::<IgnoredAny>(&text[start..]) {
        let line = text[start..]
            .split_inclusive('\n')
            .take(error.line().saturating_sub(1));
        let at = start + line.map(str::len).sum::<usize>();
        return Err(Fault::new(at, format!("the text is not JSON: {error}")));
    }
    let mut reader = Reader { text, at: start };
    let before = reader.space();
    let before = &text[..before.end];
    let root = reader.value("", reader.at, Cow::Borrowed(""));
    Ok(Document {
        before,
        after: &text[reader.at..],
        root,
    })
}

/// Moves over a text that is known to be JSON.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    fn space(&mut self) -> std::ops::Range<usize> {
        let start = self.at;
        while matches!(self.peek(), b' ' | b'\t' | b'\r' | b'\n') {
            self.at += 1;
        }
        start..self.at
    }

    /// Moves over a string, its quotes included, and returns it with them.
    fn string(&mut self) -> &'a str {
        let start = self.at;
        self.at += 1;
        while !matches!(self.peek(), b'"' | 0) {
            self.at += if self.peek() == b'\\' { 2 } else { 1 };
        }
        self.at = (self.at + 1).min(self.text.len());
        &self.text[start..self.at]
    }

    /// A value whose member name, if any, begins at `start`.
    fn value(&mut self, lead: &'a str, start: usize, name: Cow<'a, str>) -> Node<'a> {
        let head = &self.text[start..self.at];
        let mut node = Node {
            form: Form::Json,
            name,
            key: None,
            ordinal: 0,
            positional: false,
            at: start,
            lead,
            whole: "",
            head,
            attributes: Vec::new(),
            mid: "",
            content: Content::Nothing,
            tail: "",
            close: "",
        };
        match self.peek() {
            open @ (b'{' | b'[') => self.container(&mut node, open),
            b'"' => {
                let raw = self.string();
                let value = serde_json::from_str(raw).map_or(Cow::Borrowed(raw), Cow::Owned);
                node.content = Content::Value { raw, value };
            }
            _ => {
                let from = self.at;
                while !matches!(
                    self.peek(),
                    b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n' | 0
                ) {
                    self.at += 1;
                }
                let raw = &self.text[from..self.at];
                let value = Cow::Borrowed(raw);
                node.content = Content::Value { raw, value };
            }
        }
        node.whole = &self.text[start..self.at];
        node
    }

    fn container(&mut self, node: &mut Node<'a>, open: u8) {
        node.mid = &self.text[self.at..=self.at];
        self.at += 1;
        let mut nodes = Vec::new();
        loop {
            let lead = self.space();
            let lead = &self.text[lead];
            match self.peek() {
                b'}' | b']' | 0 => {
                    node.tail = lead;
                    break;
                }
                b',' => {
                    self.at += 1;
                    continue;
                }
                _ => {}
            }
            let start = self.at;
            let name = if open == b'{' {
                let raw = self.string();
                self.space();
                self.at += 1; // the colon
                self.space();
                serde_json::from_str(raw).map_or(Cow::Borrowed(raw), Cow::Owned)
            } else {
                Cow::Borrowed("")
            };
            let mut child = self.value(lead, start, name);
            if open == b'[' {
                child.key = identity::of_item(&child);
            }
            nodes.push(child);
        }
        node.close = &self.text[self.at..(self.at + 1).min(self.text.len())];
        self.at += node.close.len();
        number(&mut nodes);
        node.content = Content::Nodes(nodes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_strings_keep_their_spelling() {
        let document =
            read("\u{feff}{ \"a\\u0041\": 1.00, \"b\": [1e999, \"\\\"\\\\\"] }\n").unwrap();
        let names: Vec<_> = document.root.children().iter().map(|n| &*n.name).collect();
        assert_eq!(names, ["aA", "b"]);
        assert_eq!(document.root.children()[0].value(), Some("1.00"));
        let items = document.root.children()[1].children();
        assert_eq!(
            (items[0].value(), items[1].value()),
            (Some("1e999"), Some("\"\\"))
        );
        assert_eq!(document.after, "\n");
    }

    #[test]
    fn members_have_no_order_but_items_have() {
        let a = read("{\"a\":1,\"b\":[1,2]}").unwrap();
        let b = read("{ \"b\" : [ 1, 2 ], \"a\": 1 }").unwrap();
        let c = read("{\"a\":1,\"b\":[2,1]}").unwrap();
        assert!(a.root.same(&b.root));
        assert!(!a.root.same(&c.root));
        let text_and_number = (read("{\"a\":\"1\"}").unwrap(), read("{\"a\":1}").unwrap());
        assert!(!text_and_number.0.root.same(&text_and_number.1.root));
    }

    #[test]
    fn broken_texts_are_refused_with_their_line() {
        let fault = read("{\n \"a\": 1,\n}").unwrap_err();
        assert_eq!(
            crate::solution::xml::line_at("{\n \"a\": 1,\n}", fault.at),
            3
        );
    }
}
