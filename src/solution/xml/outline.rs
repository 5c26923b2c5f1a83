//! Where elements begin and end, without looking inside them.

use std::borrow::Cow;
use std::ops::Range;

use super::scan::{Attributes, Scanner, Token, attribute};
use super::{Fault, unescape};

/// An element as a range of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    /// Its name with prefix.
    pub name: &'a str,
    /// Its attributes as they stand.
    pub attributes: &'a str,
    /// From `<` of the start tag to behind the end tag.
    pub span: Range<usize>,
    /// What stands between the tags; empty for `<a/>`.
    pub inner: Range<usize>,
}

impl<'a> Element<'a> {
    /// The value of an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        attribute(self.attributes, name)
    }

    /// The name in its end tag.
    fn closing_name(&self, text: &'a str) -> &'a str {
        let tag = &text[self.inner.end..self.span.end];
        let name = tag.trim_start_matches("</").trim_end_matches('>');
        name.trim_end_matches(super::scan::is_space)
    }

    /// The prefixes that the element declares: `xmlns:…` with the raw value, in order.
    pub(crate) fn namespaces(&self) -> Result<Vec<(&'a str, &'a str)>, Fault> {
        let at = self.span.start + 1 + self.name.len();
        let mut attributes = Attributes::new(self.attributes, at);
        let mut found = Vec::new();
        while let Some((name, value)) = attributes.next()? {
            if name.starts_with("xmlns:") {
                found.push((name, value));
            }
        }
        Ok(found)
    }
}

/// The upper layers of a document: the root, its children, and theirs.
#[derive(Debug, Clone)]
pub(crate) struct Layers<'a> {
    /// The root element.
    pub root: Element<'a>,
    /// Each child of the root with its own children.
    pub children: Vec<(Element<'a>, Vec<Element<'a>>)>,
}

/// The texts that are read while looking for elements, and how deep they may nest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outline<'a> {
    /// The whole text.
    pub text: &'a str,
    /// Bound for nested elements.
    pub deepest: u64,
}

impl<'a> Outline<'a> {
    /// The root element of a document; only comments and instructions may stand around it.
    pub(crate) fn root(&self) -> Result<Element<'a>, Fault> {
        let mut scanner = Scanner::new(self.text, 0..self.text.len());
        let mut root = None;
        loop {
            let at = scanner.position();
            match scanner.next()? {
                None => return root.ok_or_else(|| Fault::new(at, "there is no element")),
                Some(Token::Start {
                    name,
                    attributes,
                    empty,
                }) => {
                    if root.is_some() {
                        return Err(Fault::new(at, "there is a second root element"));
                    }
                    root = Some(self.element(&mut scanner, at, name, attributes, empty)?);
                }
                Some(Token::Comment(_) | Token::Instruction(_)) => {}
                Some(Token::Text(text)) if text.trim_matches(super::scan::is_space).is_empty() => {}
                Some(_) => return Err(Fault::new(at, "there is text outside of the root element")),
            }
        }
    }

    /// The root element with its children and their children, in one pass over the text.
    pub(crate) fn layers(&self) -> Result<Layers<'a>, Fault> {
        let mut scanner = Scanner::new(self.text, 0..self.text.len());
        let (start, name, attributes, empty) = loop {
            let at = scanner.position();
            match scanner.next()? {
                Some(Token::Start {
                    name,
                    attributes,
                    empty,
                }) => break (at, name, attributes, empty),
                Some(Token::Comment(_) | Token::Instruction(_)) => {}
                Some(Token::Text(text)) if text.trim_matches(super::scan::is_space).is_empty() => {}
                Some(_) => return Err(Fault::new(at, "there is text outside of the root element")),
                None => return Err(Fault::new(at, "there is no element")),
            }
        };
        let inner = scanner.position();
        let mut children = Vec::new();
        let end = if empty {
            inner
        } else {
            self.layer(&mut scanner, name, |outline, scanner, at, tag| {
                children.push(outline.with_children(scanner, at, tag)?);
                Ok(())
            })?
        };
        let root = Element {
            name,
            attributes,
            span: start..scanner.position(),
            inner: inner..end,
        };
        let tail = Self {
            text: self.text,
            deepest: self.deepest,
        };
        match tail.children(root.span.end..self.text.len())?.first() {
            Some(second) => Err(Fault::new(
                second.span.start,
                "there is a second root element",
            )),
            None => Ok(Layers { root, children }),
        }
    }

    /// The elements directly inside a range with their children, in one pass.
    pub(crate) fn two_layers(
        &self,
        inner: Range<usize>,
    ) -> Result<Vec<(Element<'a>, Vec<Element<'a>>)>, Fault> {
        let mut scanner = Scanner::new(self.text, inner);
        let mut found = Vec::new();
        loop {
            let at = scanner.position();
            match scanner.next()? {
                None => return Ok(found),
                Some(Token::Start {
                    name,
                    attributes,
                    empty,
                }) => {
                    found.push(self.with_children(&mut scanner, at, (name, attributes, empty))?);
                }
                Some(Token::End { name }) => {
                    return Err(Fault::new(at, format!("`</{name}>` closes nothing")));
                }
                Some(_) => {}
            }
        }
    }

    /// The element whose start tag was just read, with its children.
    fn with_children(
        &self,
        scanner: &mut Scanner<'a>,
        at: usize,
        (name, attributes, empty): (&'a str, &'a str, bool),
    ) -> Result<(Element<'a>, Vec<Element<'a>>), Fault> {
        let inner = scanner.position();
        let mut below = Vec::new();
        let end = if empty {
            inner
        } else {
            self.layer(scanner, name, |outline, scanner, at, tag| {
                below.push(outline.element(scanner, at, tag.0, tag.1, tag.2)?);
                Ok(())
            })?
        };
        let span = at..scanner.position();
        Ok((
            Element {
                name,
                attributes,
                span,
                inner: inner..end,
            },
            below,
        ))
    }

    /// Visits the start tags of one layer up to the end tag above it, which must be of that name;
    /// returns where it stands.
    fn layer(
        &self,
        scanner: &mut Scanner<'a>,
        open: &str,
        mut visit: impl FnMut(
            &Self,
            &mut Scanner<'a>,
            usize,
            (&'a str, &'a str, bool),
        ) -> Result<(), Fault>,
    ) -> Result<usize, Fault> {
        loop {
            let at = scanner.position();
            match scanner.next()? {
                Some(Token::Start {
                    name,
                    attributes,
                    empty,
                }) => {
                    visit(self, scanner, at, (name, attributes, empty))?;
                }
                Some(Token::End { name }) if name == open => return Ok(at),
                Some(Token::End { name }) => {
                    return Err(Fault::new(
                        at,
                        format!("`<{open}>` is closed by `</{name}>`"),
                    ));
                }
                Some(_) => {}
                None => return Err(Fault::new(at, "an element is not closed")),
            }
        }
    }

    /// The elements directly inside a range.
    pub(crate) fn children(&self, inner: Range<usize>) -> Result<Vec<Element<'a>>, Fault> {
        let mut scanner = Scanner::new(self.text, inner);
        let mut found = Vec::new();
        loop {
            let at = scanner.position();
            match scanner.next()? {
                None => return Ok(found),
                Some(Token::Start {
                    name,
                    attributes,
                    empty,
                }) => {
                    found.push(self.element(&mut scanner, at, name, attributes, empty)?);
                }
                Some(Token::End { name }) => {
                    return Err(Fault::new(at, format!("`</{name}>` closes nothing")));
                }
                Some(_) => {}
            }
        }
    }

    /// The first element of a name directly inside a range; what follows it is not looked at.
    pub(crate) fn child(
        &self,
        inner: Range<usize>,
        wanted: &str,
    ) -> Result<Option<Element<'a>>, Fault> {
        let mut scanner = Scanner::new(self.text, inner);
        loop {
            let at = scanner.position();
            match scanner.next()? {
                None => return Ok(None),
                Some(Token::Start {
                    name,
                    attributes,
                    empty,
                }) => {
                    let element = self.element(&mut scanner, at, name, attributes, empty)?;
                    if name == wanted {
                        return Ok(Some(element));
                    }
                }
                Some(Token::End { name }) => {
                    return Err(Fault::new(at, format!("`</{name}>` closes nothing")));
                }
                Some(_) => {}
            }
        }
    }

    /// The text of an element: its own text and CDATA, trimmed; nothing of its children.
    pub(crate) fn text_of(&self, element: &Element<'a>) -> Result<Cow<'a, str>, Fault> {
        Ok(match self.whole_text_of(element)? {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        })
    }

    /// The same with the white space around it.
    pub(crate) fn whole_text_of(&self, element: &Element<'a>) -> Result<Cow<'a, str>, Fault> {
        let mut scanner = Scanner::new(self.text, element.inner.clone());
        let mut parts: Vec<Cow<'a, str>> = Vec::new();
        loop {
            let at = scanner.position();
            match scanner.next()? {
                None => break,
                Some(Token::Text(text)) => parts.push(unescape(text)),
                Some(Token::CData(text)) => parts.push(Cow::Borrowed(text)),
                Some(Token::Start {
                    name,
                    attributes,
                    empty,
                }) => {
                    self.element(&mut scanner, at, name, attributes, empty)?;
                }
                Some(_) => {}
            }
        }
        Ok(match parts.len() {
            1 => parts.remove(0),
            _ => Cow::Owned(parts.concat()),
        })
    }

    /// The text of a child element, if there is such a child and it has a text.
    pub(crate) fn child_text(
        &self,
        element: &Element<'a>,
        name: &str,
    ) -> Result<Option<Cow<'a, str>>, Fault> {
        match self.child(element.inner.clone(), name)? {
            Some(child) => Ok(Some(self.text_of(&child)?).filter(|text| !text.is_empty())),
            None => Ok(None),
        }
    }

    /// The element whose start tag the scanner has just read; the scanner moves behind it.
    pub(crate) fn element(
        &self,
        scanner: &mut Scanner<'a>,
        at: usize,
        name: &'a str,
        attributes: &'a str,
        empty: bool,
    ) -> Result<Element<'a>, Fault> {
        let start = scanner.position();
        let end = if empty {
            start
        } else {
            scanner.skip_content(self.deepest)?
        };
        let element = Element {
            name,
            attributes,
            span: at..scanner.position(),
            inner: start..end,
        };
        let closing = element.closing_name(self.text);
        if !empty && closing != name {
            return Err(Fault::new(
                end,
                format!("`<{name}>` is closed by `</{closing}>`"),
            ));
        }
        Ok(element)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_by_their_tags_alone() {
        let text = "<?xml version='1.0'?><r a='>'><!-- <x> --><b><b/></b><c k=\"1&amp;2\"/>\
                    <d><![CDATA[</d>]]> t&lt; </d></r>";
        let outline = Outline { text, deepest: 10 };
        let root = outline.root().unwrap();
        let children = outline.children(root.inner.clone()).unwrap();
        assert_eq!(
            children.iter().map(|c| c.name).collect::<Vec<_>>(),
            ["b", "c", "d"]
        );
        assert_eq!(children[1].attribute("k").unwrap(), "1&2");
        assert_eq!(outline.child_text(&root, "d").unwrap().unwrap(), "</d> t<");
        assert_eq!(&text[children[0].span.clone()], "<b><b/></b>");
    }

    #[test]
    fn broken_documents_are_refused() {
        let deep = format!("{}{}", "<a>".repeat(20), "</a>".repeat(20));
        for bad in [
            "",
            "x",
            "<a>",
            "<a/><b/>",
            "<a",
            "<a b='>",
            "<!DOCTYPE a><a/>",
            "</a>",
            "<a/>x",
            &deep,
        ] {
            let outline = Outline {
                text: bad,
                deepest: 10,
            };
            assert!(outline.root().is_err(), "{bad}");
        }
    }
}
