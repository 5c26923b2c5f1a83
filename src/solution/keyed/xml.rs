//! Reads an XML text into nodes.

use std::borrow::Cow;

use super::{Content, Document, Form, Node, identity, number};
use crate::solution::Limits;
use crate::solution::xml::scan::{Attributes, Scanner, Tag, Token};
use crate::solution::xml::{Fault, too_deep, unescape};

/// Reads a whole document. A byte-order mark may stand before it.
///
/// # Errors
/// What is not well formed, and what the scanner refuses (document types, deep nesting).
pub(crate) fn read(text: &str) -> Result<Document<'_>, Fault> {
    let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let deepest = Limits::default().xml_depth;
    let mut scanner = Scanner::new(text, start..text.len(), deepest);
    loop {
        let at = scanner.position();
        match scanner.next()? {
            None => return Err(Fault::new(at, "there is no element")),
            Some(Token::Start(tag)) => {
                let mut reader = Reader { text, deepest };
                let root = reader.element(&mut scanner, "", tag, 1)?;
                let end = scanner.position();
                only_comments(&mut scanner)?;
                return Ok(Document {
                    before: &text[..at],
                    root,
                    after: &text[end..],
                });
            }
            Some(Token::Comment(_) | Token::Instruction(_) | Token::Space(_)) => {}
            Some(_) => return Err(Fault::new(at, "there is text outside of the root element")),
        }
    }
}

fn only_comments(scanner: &mut Scanner<'_>) -> Result<(), Fault> {
    loop {
        let at = scanner.position();
        match scanner.next()? {
            None => return Ok(()),
            Some(Token::Comment(_) | Token::Instruction(_) | Token::Space(_)) => {}
            Some(_) => return Err(Fault::new(at, "something stands behind the root element")),
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    deepest: u64,
}

impl<'a> Reader<'a> {
    fn element(
        &mut self,
        scanner: &mut Scanner<'a>,
        lead: &'a str,
        tag: Tag<'a>,
        depth: u64,
    ) -> Result<Node<'a>, Fault> {
        let Tag {
            at,
            name,
            attributes: raw,
            empty,
            ..
        } = tag;
        if depth > self.deepest {
            return Err(Fault::new(at, too_deep(self.deepest)));
        }
        let inner = scanner.position();
        let raw_at = at + 1 + name.len();
        let (attributes, attributes_end) = self.attributes(raw, raw_at)?;
        let mut node = Node {
            form: Form::Element,
            name: Cow::Borrowed(name),
            key: None,
            ordinal: 0,
            positional: false,
            at,
            lead,
            whole: "",
            head: &self.text[at..raw_at],
            attributes,
            mid: &self.text[attributes_end..inner],
            content: Content::Nothing,
            tail: "",
            close: "",
        };
        if !empty {
            self.inside(scanner, &mut node, inner, depth)?;
        }
        node.whole = &self.text[at..scanner.position()];
        node.key = identity::of_element(&node);
        Ok(node)
    }

    /// Reads up to and with the end tag of `node`.
    fn inside(
        &mut self,
        scanner: &mut Scanner<'a>,
        node: &mut Node<'a>,
        inner: usize,
        depth: u64,
    ) -> Result<(), Fault> {
        let mut children = Vec::new();
        let mut texts: Vec<Cow<'a, str>> = Vec::new();
        let mut last = inner;
        let end = loop {
            let at = scanner.position();
            match scanner.next()? {
                None => return Err(Fault::new(node.at, "an element is not closed")),
                Some(Token::Start(tag)) => {
                    let lead = &self.text[last..at];
                    children.push(self.element(scanner, lead, tag, depth + 1)?);
                    last = scanner.position();
                }
                Some(Token::End { name }) if name == node.name => break at,
                Some(Token::End { name }) => {
                    let reason = format!("`</{name}>` closes `<{}>`", node.name);
                    return Err(Fault::new(at, reason));
                }
                Some(Token::Space(_)) => {}
                Some(Token::Text(text)) => texts.push(unescape(text)),
                Some(Token::CData(text)) => texts.push(Cow::Borrowed(text)),
                Some(Token::Comment(_) | Token::Instruction(_)) => {}
            }
        };
        let raw = &self.text[inner..end];
        node.close = &self.text[end..scanner.position()];
        node.content = if texts.is_empty() && children.is_empty() {
            node.tail = raw;
            Content::Nothing
        } else if texts.is_empty() {
            node.tail = &self.text[last..end];
            number(&mut children);
            Content::Nodes(children)
        } else {
            let value = if children.is_empty() && texts.len() == 1 {
                texts.remove(0)
            } else if children.is_empty() {
                Cow::Owned(texts.concat())
            } else {
                Cow::Borrowed(raw)
            };
            Content::Value {
                raw,
                value: one_line_end(value),
            }
        };
        Ok(())
    }

    /// The attributes of a start tag as nodes, and where the last one ends.
    fn attributes(&self, raw: &'a str, at: usize) -> Result<(Vec<Node<'a>>, usize), Fault> {
        let mut attributes = Attributes::new(raw, at);
        let mut found: Vec<Node<'a>> = Vec::new();
        let mut last = at;
        while let Some((name, value)) = attributes.next()? {
            // Both are slices of the text, so their addresses tell where they stand in it.
            let start = offset_in(self.text, name);
            let value_at = offset_in(self.text, value);
            let end = value_at + value.len() + 1;
            if found.iter().any(|other| other.name == name) {
                let reason = format!("the attribute `{name}` stands twice");
                return Err(Fault::new(start, reason));
            }
            found.push(Node {
                form: Form::Attribute,
                name: Cow::Borrowed(name),
                key: None,
                ordinal: 0,
                positional: false,
                at: start,
                lead: &self.text[last..start],
                whole: &self.text[start..end],
                head: &self.text[start..value_at],
                attributes: Vec::new(),
                mid: "",
                content: Content::Value {
                    raw: value,
                    value: unescape(value),
                },
                tail: "",
                close: &self.text[end - 1..end],
            });
            last = end;
        }
        Ok((found, last))
    }
}

/// Where a slice of `text` begins in it.
fn offset_in(text: &str, slice: &str) -> usize {
    slice.as_ptr() as usize - text.as_ptr() as usize
}

/// `\r\n` and `\r` mean `\n`, as every XML reader takes them.
fn one_line_end(value: Cow<'_, str>) -> Cow<'_, str> {
    if value.contains('\r') {
        Cow::Owned(value.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::super::Node;
    use super::*;

    /// The text of a node, put together from its pieces.
    fn rebuilt(node: &Node<'_>, out: &mut String) {
        out.push_str(node.head);
        for attribute in &node.attributes {
            out.push_str(attribute.lead);
            rebuilt(attribute, out);
        }
        out.push_str(node.mid);
        match &node.content {
            Content::Nothing => {}
            Content::Value { raw, .. } => out.push_str(raw),
            Content::Nodes(nodes) => {
                for child in nodes {
                    out.push_str(child.lead);
                    rebuilt(child, out);
                }
            }
        }
        out.push_str(node.tail);
        out.push_str(node.close);
    }

    #[test]
    fn a_document_is_the_sum_of_its_pieces() {
        let text = "\u{feff}<?xml version='1.0'?>\r\n<!-- c --><a  x=\"1\" y='&lt;' >\r\n <b /><!-- d -->\r\n\
                    <c></c><d>t&amp;<i>m</i> </d>\r\n<e><![CDATA[<]]></e> </a >\n";
        let document = read(text).unwrap();
        let mut out = String::from(document.before);
        rebuilt(&document.root, &mut out);
        out.push_str(document.after);
        assert_eq!(out, text);
        assert_eq!(document.root.attribute("y"), Some("<"));
        assert_eq!(document.root.at_path("e"), Some("<"));
    }

    #[test]
    fn white_space_order_of_attributes_and_empty_forms_mean_nothing() {
        let a = read("<a x='1' y='2'>\r\n  <b />\r\n  <c>1\r\n2</c></a>").unwrap();
        let b = read("<a y=\"2\" x=\"1\"><b></b><c>1\n2</c></a>").unwrap();
        assert!(a.root.same(&b.root));
        let c = read("<a y=\"2\" x=\"1\"><b></b><c>1\n3</c></a>").unwrap();
        assert!(!a.root.same(&c.root));
    }

    #[test]
    fn broken_documents_are_refused() {
        for bad in [
            "<a><b></a></b>",
            "<a x='1' x='2'/>",
            "<a>",
            "x",
            "<a/><b/>",
            "<a/>t",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
