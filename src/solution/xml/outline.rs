//! Where elements begin and end, without looking inside them.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;

use super::escape::reference;
use super::scan::{Attributes, Scanner, Tag, Token, attribute};
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
    /// The outline of the text that a scanner goes through.
    pub(crate) fn of(scanner: &Scanner<'a>) -> Self {
        Self {
            text: scanner.text(),
            deepest: scanner.deepest(),
        }
    }

    /// A scanner over a range of the text.
    pub(crate) fn scanner(&self, range: Range<usize>) -> Scanner<'a> {
        Scanner::new(self.text, range, self.deepest)
    }

    /// The root element of a document; only comments and instructions may stand around it.
    pub(crate) fn root(&self) -> Result<Element<'a>, Fault> {
        let mut scanner = self.scanner(0..self.text.len());
        let tag = root_tag(&mut scanner)?;
        let root = scanner.element(tag)?;
        nothing_more(&mut scanner)?;
        Ok(root)
    }

    /// The root element, found by its two tags without looking between them.
    ///
    /// Only for a reader that goes through the whole inside afterwards and fails if the tags there
    /// do not pair; nothing if the text does not end with the root's end tag.
    pub(crate) fn root_by_tags(&self) -> Result<Option<Element<'a>>, Fault> {
        let mut scanner = self.scanner(0..self.text.len());
        let tag = root_tag(&mut scanner)?;
        let inner = scanner.position();
        if tag.empty {
            return Ok(None);
        }
        let trimmed = self.text.trim_end_matches(super::scan::is_space);
        let end = trimmed
            .strip_suffix('>')
            .and_then(|rest| rest.strip_suffix(tag.name))
            .and_then(|rest| rest.strip_suffix("</"));
        Ok(end.filter(|rest| rest.len() >= inner).map(|rest| Element {
            name: tag.name,
            attributes: tag.attributes,
            span: tag.at..trimmed.len(),
            inner: inner..rest.len(),
        }))
    }

    /// The root element with its children and their children.
    ///
    /// With [`Ends::Searched`] the ends of the innermost are only looked up.
    pub(crate) fn layers(&self, ends: Ends) -> Result<Layers<'a>, Fault> {
        let mut scanner = self.scanner(0..self.text.len());
        let tag = root_tag(&mut scanner)?;
        let inner = scanner.position();
        let mut finder = EndFinder::new(ends);
        let mut children = Vec::new();
        let end = scanner.layer(tag, |scanner, tag| {
            children.push(with_children(scanner, tag, &mut finder)?);
            Ok::<(), Fault>(())
        })?;
        let root = Element {
            name: tag.name,
            attributes: tag.attributes,
            span: tag.at..scanner.position(),
            inner: inner..end,
        };
        nothing_more(&mut scanner)?;
        Ok(Layers { root, children })
    }

    /// Visits the start tags directly inside a range.
    pub(crate) fn inside(
        &self,
        inner: Range<usize>,
        mut visit: impl FnMut(&mut Scanner<'a>, Tag<'a>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut scanner = self.scanner(inner);
        loop {
            let at = scanner.position();
            match scanner.next()? {
                None => return Ok(()),
                Some(Token::Start(tag)) => visit(&mut scanner, tag)?,
                Some(Token::End { name }) => {
                    return Err(Fault::new(at, format!("`</{name}>` closes nothing")));
                }
                Some(Token::Text(text)) => check_text(text, at)?,
                Some(_) => {}
            }
        }
    }

    /// The elements directly inside a range.
    pub(crate) fn children(&self, inner: Range<usize>) -> Result<Vec<Element<'a>>, Fault> {
        let mut found = Vec::new();
        self.inside(inner, |scanner, tag| {
            found.push(scanner.element(tag)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// The first element of a name directly inside a range; what follows it is not looked at.
    pub(crate) fn child(
        &self,
        inner: Range<usize>,
        wanted: &str,
    ) -> Result<Option<Element<'a>>, Fault> {
        let mut scanner = self.scanner(inner);
        loop {
            let at = scanner.position();
            match scanner.next()? {
                None => return Ok(None),
                Some(Token::Start(tag)) => {
                    let element = scanner.element(tag)?;
                    if tag.name == wanted {
                        return Ok(Some(element));
                    }
                }
                Some(Token::End { name }) => {
                    return Err(Fault::new(at, format!("`</{name}>` closes nothing")));
                }
                Some(Token::Text(text)) => check_text(text, at)?,
                Some(_) => {}
            }
        }
    }

    /// The text of an element: its own text and CDATA, trimmed; nothing of its children.
    pub(crate) fn text_of(&self, element: &Element<'a>) -> Result<Cow<'a, str>, Fault> {
        Ok(trimmed(self.whole_text_of(element)?))
    }

    /// The same with the white space around it.
    pub(crate) fn whole_text_of(&self, element: &Element<'a>) -> Result<Cow<'a, str>, Fault> {
        self.text_before_end(self.scanner(element.inner.clone()))
    }

    /// The trimmed text of the element whose start tag ends at an offset.
    pub(crate) fn text_from(&self, start: usize) -> Result<Cow<'a, str>, Fault> {
        let text = self.text_before_end(self.scanner(start..self.text.len()))?;
        Ok(trimmed(text))
    }

    fn text_before_end(&self, mut scanner: Scanner<'a>) -> Result<Cow<'a, str>, Fault> {
        let mut parts: Vec<Cow<'a, str>> = Vec::new();
        loop {
            match scanner.next()? {
                None | Some(Token::End { .. }) => break,
                Some(Token::Text(text) | Token::Space(text)) => parts.push(unescape(text)),
                Some(Token::CData(text)) => parts.push(Cow::Borrowed(text)),
                Some(Token::Start(tag)) => {
                    scanner.element(tag)?;
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
}

impl<'a> Scanner<'a> {
    /// The element whose start tag was just read; moves behind it.
    pub(crate) fn element(&mut self, tag: Tag<'a>) -> Result<Element<'a>, Fault> {
        let start = self.position();
        let end = if tag.empty {
            start
        } else {
            self.skip_content()?
        };
        let element = Element {
            name: tag.name,
            attributes: tag.attributes,
            span: tag.at..self.position(),
            inner: start..end,
        };
        let closing = element.closing_name(self.text());
        if !tag.empty && closing != tag.name {
            let reason = format!("`<{}>` is closed by `</{closing}>`", tag.name);
            return Err(Fault::new(end, reason));
        }
        Ok(element)
    }

    /// Visits the start tags directly inside the element whose start tag was just read, and moves
    /// behind its end tag; returns where that stands.
    pub(crate) fn layer<E: From<Fault>>(
        &mut self,
        open: Tag<'a>,
        mut visit: impl FnMut(&mut Self, Tag<'a>) -> Result<(), E>,
    ) -> Result<usize, E> {
        if open.empty {
            return Ok(self.position());
        }
        loop {
            let at = self.position();
            match self.next()? {
                Some(Token::Start(tag)) => visit(self, tag)?,
                Some(Token::End { name }) if name == open.name => return Ok(at),
                Some(Token::End { name }) => {
                    let reason = format!("`<{}>` is closed by `</{name}>`", open.name);
                    return Err(Fault::new(at, reason).into());
                }
                Some(Token::Text(text)) => check_text(text, at)?,
                Some(_) => {}
                None => return Err(Fault::new(at, "an element is not closed").into()),
            }
        }
    }
}

/// The element whose start tag was just read, with its children.
fn with_children<'a>(
    scanner: &mut Scanner<'a>,
    tag: Tag<'a>,
    finder: &mut EndFinder<'a>,
) -> Result<(Element<'a>, Vec<Element<'a>>), Fault> {
    let inner = scanner.position();
    let mut below = Vec::new();
    let end = scanner.layer(tag, |scanner, tag| {
        below.push(match finder.element(scanner, tag) {
            Some(element) => element,
            None => scanner.element(tag)?,
        });
        Ok::<(), Fault>(())
    })?;
    let element = Element {
        name: tag.name,
        attributes: tag.attributes,
        span: tag.at..scanner.position(),
        inner: inner..end,
    };
    Ok((element, below))
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// The start tag of the root; only comments and instructions may stand before it.
fn root_tag<'a>(scanner: &mut Scanner<'a>) -> Result<Tag<'a>, Fault> {
    loop {
        let at = scanner.position();
        match scanner.next()? {
            Some(Token::Start(tag)) => return Ok(tag),
            Some(Token::Comment(_) | Token::Instruction(_) | Token::Space(_)) => {}
            Some(_) => return Err(Fault::new(at, "there is text outside of the root element")),
            None => return Err(Fault::new(at, "there is no element")),
        }
    }
}

/// Checks that only comments and instructions stand behind the root.
fn nothing_more(scanner: &mut Scanner<'_>) -> Result<(), Fault> {
    loop {
        let at = scanner.position();
        match scanner.next()? {
            None => return Ok(()),
            Some(Token::Start(_)) => {
                return Err(Fault::new(at, "there is a second root element"));
            }
            Some(Token::Comment(_) | Token::Instruction(_) | Token::Space(_)) => {}
            Some(_) => return Err(Fault::new(at, "there is text outside of the root element")),
        }
    }
}

/// Checks a text that nobody copies, because it stands between components.
fn check_text(text: &str, at: usize) -> Result<(), Fault> {
    if let Some(end) = text.find("]]>") {
        return Err(Fault::new(at + end, "`]]>` is not allowed in a text"));
    }
    text.match_indices('&')
        .try_for_each(|(from, _)| reference(&text[from..], at + from).map(|_| ()))
}

/// How the end of an element is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// By counting the tags in between.
    Counted,
    /// By searching for the next end tag of its name, which is many times faster and wrong if the
    /// element holds another of its name, or such a tag in a comment or CDATA section. Then the
    /// tags inside do not pair. So it is right if every element found is read through afterwards
    /// without a fault; else read the text again by counting.
    Searched,
}

/// Finds the ends of elements by their name.
struct EndFinder<'a> {
    ends: Ends,
    /// The end tag searched for last, up to its name.
    last: Option<(&'a str, memmem::Finder<'static>)>,
}

impl<'a> EndFinder<'a> {
    fn new(ends: Ends) -> Self {
        Self { ends, last: None }
    }

    /// The element whose start tag was just read, with the scanner moved behind it; nothing if its
    /// end is to be counted.
    fn element(&mut self, scanner: &mut Scanner<'a>, tag: Tag<'a>) -> Option<Element<'a>> {
        if self.ends == Ends::Counted || tag.empty {
            return None;
        }
        if self.last.as_ref().is_none_or(|(name, _)| *name != tag.name) {
            let finder = memmem::Finder::new(&format!("</{}>", tag.name)).into_owned();
            self.last = Some((tag.name, finder));
        }
        let (name, finder) = self.last.as_ref()?;
        let inner = scanner.position();
        let end = inner + finder.find(&scanner.text().as_bytes()[inner..scanner.end()])?;
        scanner.jump(end + name.len() + 3);
        Some(Element {
            name: tag.name,
            attributes: tag.attributes,
            span: tag.at..scanner.position(),
            inner: inner..end,
        })
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

    #[test]
    fn texts_that_nobody_copies_are_read_all_the_same() {
        for bad in [
            "<r>&x;<b/></r>",
            "<r><b>&<c/></b></r>",
            "<r>]]></r>",
            "<r><b>&#0;</b></r>",
        ] {
            for ends in [Ends::Counted, Ends::Searched] {
                let outline = Outline {
                    text: bad,
                    deepest: 10,
                };
                assert!(outline.layers(ends).is_err(), "{bad}");
            }
        }
    }
}
