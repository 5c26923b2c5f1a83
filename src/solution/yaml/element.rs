//! XML elements, and how YAML mirrors them.
//!
//! The mirror is that of Newtonsoft's `JsonConvert`, which Microsoft's packager uses: an attribute
//! is a key with `@`, text beside attributes is `#text`, children of one name are one key, with a
//! list if there are several. `<a />` is nothing, `<a></a>` is `''`.

use crate::solution::xml::outline::Outline;
use crate::solution::xml::scan::{Attributes, Scanner, Tag, Token, is_name, is_space};
use crate::solution::xml::write::{Namespaces, Writer};
use crate::solution::xml::{Fault, XSI, decode, escape_attribute, escape_text, line_at, unescape};
use crate::solution::{Limits, PackageError};

use super::value::{Node, Value, error};

/// An element that belongs to nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub content: Vec<Content>,
    /// Whether it is written `<a />` when it has no content.
    pub closed: bool,
    /// Line in the XML it was read from, counted from 1.
    pub line: u32,
}

/// What stands inside an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    Element(Element),
    Text(String),
    CData(String),
}

impl Element {
    /// An element without content.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            attributes: Vec::new(),
            content: Vec::new(),
            closed: true,
            line: 0,
        }
    }

    /// An element with children.
    pub fn with(name: impl Into<String>, children: impl IntoIterator<Item = Self>) -> Self {
        let mut element = Self::new(name);
        element.content = children.into_iter().map(Content::Element).collect();
        element
    }

    /// The elements directly inside.
    pub fn children(&self) -> impl Iterator<Item = &Self> {
        self.content.iter().filter_map(|content| match content {
            Content::Element(element) => Some(element),
            _ => None,
        })
    }

    /// The elements directly inside, to keep.
    pub fn into_children(self) -> impl Iterator<Item = Self> {
        self.content
            .into_iter()
            .filter_map(|content| match content {
                Content::Element(element) => Some(element),
                _ => None,
            })
    }

    /// The first child of a name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children().find(|child| child.name == name)
    }

    /// The first child of a name, to change.
    pub fn child_mut(&mut self, name: &str) -> Option<&mut Self> {
        self.content.iter_mut().find_map(|content| match content {
            Content::Element(element) if element.name == name => Some(element),
            _ => None,
        })
    }

    /// Adds a child at the end.
    pub fn push(&mut self, child: Self) {
        self.content.push(Content::Element(child));
    }

    /// Takes the children of a name out.
    pub fn take(&mut self, name: &str) -> Vec<Self> {
        let (taken, kept) = std::mem::take(&mut self.content)
            .into_iter()
            .partition(|content| matches!(content, Content::Element(e) if e.name == name));
        self.content = kept;
        let taken: Vec<Content> = taken;
        taken
            .into_iter()
            .filter_map(|content| match content {
                Content::Element(element) => Some(element),
                _ => None,
            })
            .collect()
    }

    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Its text without white space around it.
    pub fn text(&self) -> String {
        let text: String = self
            .content
            .iter()
            .filter_map(|content| match content {
                Content::Text(text) | Content::CData(text) => Some(text.as_str()),
                Content::Element(_) => None,
            })
            .collect();
        text.trim().to_owned()
    }

    /// The text of a child.
    pub fn child_text(&self, name: &str) -> Option<String> {
        let text = self.child(name).map(Self::text);
        text.filter(|text| !text.is_empty())
    }

    /// Sets its text.
    pub fn set_text(&mut self, text: impl Into<String>) {
        self.content = vec![Content::Text(text.into())];
    }

    /// This element and all below, each to be changed.
    pub fn for_each_mut(&mut self, change: &mut impl FnMut(&mut Self)) {
        change(self);
        for content in &mut self.content {
            if let Content::Element(element) = content {
                element.for_each_mut(change);
            }
        }
    }

    /// This element and all below.
    pub fn for_each<'e>(&'e self, look: &mut impl FnMut(&'e Self)) {
        look(self);
        self.children().for_each(|child| child.for_each(look));
    }
}

/// An XML file as an element, and how many comments and instructions in it were passed over.
///
/// # Errors
///
/// [`PackageError::Xml`].
pub(super) fn from_xml(file: &str, bytes: &[u8]) -> Result<(Element, usize), PackageError> {
    let text = decode(file, bytes)?;
    read(&text).map_err(|fault| fault.in_file(file, &text))
}

fn read(text: &str) -> Result<(Element, usize), Fault> {
    let outline = Outline {
        text,
        deepest: Limits::default().xml_depth,
    };
    // Checks what stands around the root.
    let root = outline.root()?;
    let mut scanner = Scanner::new(text, root.span, outline.deepest);
    let mut open: Vec<Element> = Vec::new();
    let mut comments = 0;
    // Counted as the scanner moves on, since a file can have a million elements.
    let (mut counted, mut line) = (0, 1);
    loop {
        let at = scanner.position();
        let Some(token) = scanner.next()? else {
            return Err(Fault::new(at, "an element is not closed"));
        };
        let done = match token {
            Token::Start(Tag {
                name,
                attributes,
                empty,
                ..
            }) => {
                if open.len() as u64 >= outline.deepest {
                    let reason = format!("more than {} nested elements", outline.deepest);
                    return Err(Fault::new(at, reason));
                }
                let mut element = Element::new(name);
                element.closed = empty;
                line += line_at(&text[counted..], at - counted) - 1;
                counted = at;
                element.line = line;
                element.attributes = read_attributes(attributes, at + 1 + name.len())?;
                if !empty {
                    open.push(element);
                    continue;
                }
                element
            }
            Token::End { name } => match open.pop() {
                Some(element) if element.name == name => element,
                _ => return Err(Fault::new(at, format!("`</{name}>` closes nothing"))),
            },
            Token::Text(raw) => {
                if let Some(parent) = open.last_mut()
                    && !raw.trim_matches(is_space).is_empty()
                {
                    parent
                        .content
                        .push(Content::Text(line_feeds(&unescape(raw))));
                }
                continue;
            }
            Token::CData(raw) => {
                if let Some(parent) = open.last_mut() {
                    parent.content.push(Content::CData(line_feeds(raw)));
                }
                continue;
            }
            Token::Space(_) => continue,
            Token::Comment(_) | Token::Instruction(_) => {
                comments += 1;
                continue;
            }
        };
        match open.last_mut() {
            Some(parent) => parent.push(done),
            None => return Ok((done, comments)),
        }
    }
}

fn read_attributes(raw: &str, at: usize) -> Result<Vec<(String, String)>, Fault> {
    let mut attributes = Attributes::new(raw, at);
    let mut found: Vec<(String, String)> = Vec::new();
    while let Some((name, value)) = attributes.next()? {
        // The packager declares this namespace itself, and makes prefixes up (facts §3).
        if name.starts_with("xmlns:") && value == XSI {
            continue;
        }
        let name = match name.split_once(':') {
            Some((prefix, "nil")) if prefix.starts_with('p') => "xsi:nil",
            _ => name,
        };
        let value = unescape(&value.replace(['\n', '\r', '\t'], " ")).into_owned();
        found.push((name.to_owned(), value));
    }
    Ok(found)
}

/// A text with line feeds, whatever the file has.
fn line_feeds(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// An element as a file of its own: indented, with a byte-order mark (facts §3).
pub(super) fn to_xml(element: &Element, newline: &'static str) -> Result<Vec<u8>, Fault> {
    let mut text = String::new();
    push(&mut text, element, Some(XSI));
    let outline = Outline {
        text: &text,
        deepest: Limits::default().xml_depth + 8,
    };
    let root = outline.root()?;
    let mut writer = Writer::file(newline, text.len() + text.len() / 4);
    writer.copy(outline, &root, Namespaces::Keep)?;
    Ok(writer.finish())
}

/// An element as a pass-through part: no mark, no declaration (facts §2.7).
pub(super) fn to_part(element: &Element) -> Vec<u8> {
    let mut text = String::new();
    push(&mut text, element, None);
    text.into_bytes()
}

fn push(out: &mut String, element: &Element, xsi: Option<&str>) {
    out.push('<');
    out.push_str(&element.name);
    for (name, value) in &element.attributes {
        out.push_str(&format!(" {name}=\"{}\"", escape_attribute(value)));
    }
    if let Some(xsi) = xsi {
        out.push_str(&format!(" xmlns:xsi=\"{xsi}\""));
    }
    if element.content.is_empty() && element.closed {
        out.push_str(" />");
        return;
    }
    out.push('>');
    for content in &element.content {
        match content {
            Content::Element(child) => push(out, child, None),
            Content::Text(text) => out.push_str(&escape_text(text)),
            Content::CData(text) => {
                out.push_str("<![CDATA[");
                out.push_str(&text.replace("]]>", "]]]]><![CDATA[>"));
                out.push_str("]]>");
            }
        }
    }
    out.push_str(&format!("</{}>", element.name));
}

/// An element as YAML, under its name.
///
/// # Errors
///
/// The line of an element whose content YAML has no place for, and why.
pub(super) fn to_yaml(element: &Element) -> Result<Node, (u32, String)> {
    let value = value_of(element, false)?;
    Ok(Node::new(Value::Map(vec![(element.name.clone(), value)])))
}

fn value_of(element: &Element, in_fetch: bool) -> Result<Node, (u32, String)> {
    let in_fetch = in_fetch || element.name == "fetch";
    let mut entries: Vec<(String, Node)> = element
        .attributes
        .iter()
        .map(|(name, value)| (format!("@{name}"), Node::text(value)))
        .collect();
    // Whoever reads one file alone must know the prefix.
    if element.attribute("xsi:nil").is_some() {
        entries.push(("@xmlns:xsi".to_owned(), Node::text(XSI)));
    }
    let has_elements = element.children().next().is_some();
    let mut last: Option<&str> = None;
    for content in &element.content {
        match content {
            Content::Text(text) if has_elements => {
                let shown: String = text.trim().chars().take(30).collect();
                let reason = format!("text beside elements in `{}`: {shown}", element.name);
                return Err((element.line, reason));
            }
            Content::Text(text) => append(&mut entries, "#text", text),
            Content::CData(text) => append(&mut entries, "#cdata-section", text),
            Content::Element(child) => {
                let value = value_of(child, in_fetch)?;
                let known = entries.iter_mut().find(|(key, _)| *key == child.name);
                match known {
                    None => entries.push((child.name.clone(), value)),
                    Some((key, list)) => {
                        // Lists keep the order of one name only. In a query the order of columns,
                        // conditions and links among each other has no meaning.
                        if last != Some(key.as_str()) && !in_fetch {
                            let reason = format!(
                                "elements `{key}` of `{}` stand among others, and their order may matter",
                                element.name
                            );
                            return Err((child.line, reason));
                        }
                        match &mut list.value {
                            Value::List(items) => items.push(value),
                            _ => {
                                let first = std::mem::replace(list, Node::new(Value::Null));
                                *list = Node::new(Value::List(vec![first, value]));
                            }
                        }
                    }
                }
                last = Some(&child.name);
            }
        }
    }
    Ok(match entries.as_slice() {
        [] if element.closed => Node::new(Value::Null),
        [] => Node::text(""),
        [(key, only)] if key == "#text" => only.clone(),
        _ => Node::new(Value::Map(entries)),
    })
}

fn append(entries: &mut Vec<(String, Node)>, key: &str, text: &str) {
    match entries.iter_mut().find(|(known, _)| known == key) {
        Some((
            _,
            Node {
                value: Value::Text(known),
                ..
            },
        )) => known.push_str(text),
        _ => entries.push((key.to_owned(), Node::text(text))),
    }
}

/// The element that YAML mirrors.
///
/// # Errors
///
/// [`PackageError::Yaml`] for what stands for no element.
pub(super) fn from_yaml(file: &str, name: &str, node: &Node) -> Result<Element, PackageError> {
    if !is_name(name) {
        let reason = format!("`{name}` is no name of an element");
        return Err(error(file, node.line, reason));
    }
    let mut element = Element::new(name);
    element.line = node.line;
    match &node.value {
        Value::Null => {}
        Value::Text(text) => {
            element.closed = false;
            if !text.is_empty() {
                element.set_text(line_feeds(text));
            }
        }
        Value::List(_) => {
            let reason = format!("`{name}` is a list inside a list");
            return Err(error(file, node.line, reason));
        }
        Value::Map(entries) => {
            for (key, node) in entries {
                if let Some(attribute) = key.strip_prefix('@') {
                    add_attribute(file, &mut element, attribute, node)?;
                    continue;
                }
                match (key.as_str(), node.as_text()) {
                    ("#text", text) => {
                        element.closed = false;
                        let text = line_feeds(text.unwrap_or_default());
                        element.content.push(Content::Text(text));
                    }
                    ("#cdata-section", Some(text)) => {
                        element.content.push(Content::CData(line_feeds(text)));
                    }
                    ("#comment", _) => {}
                    _ => {
                        let items = match &node.value {
                            Value::List(items) => items.as_slice(),
                            _ => std::slice::from_ref(node),
                        };
                        for item in items {
                            element.push(from_yaml(file, key, item)?);
                        }
                    }
                }
            }
        }
    }
    // As exports have it (facts §2.4).
    if element.attribute("xsi:nil") == Some("true") {
        element.closed = false;
    }
    Ok(element)
}

fn add_attribute(
    file: &str,
    element: &mut Element,
    name: &str,
    node: &Node,
) -> Result<(), PackageError> {
    let value = match &node.value {
        Value::Null => "",
        Value::Text(text) => text,
        _ => {
            let reason = format!("the attribute `{name}` is not a text");
            return Err(error(file, node.line, reason));
        }
    };
    if !is_name(name) {
        let reason = format!("`{name}` is no name of an attribute");
        return Err(error(file, node.line, reason));
    }
    if !(name.starts_with("xmlns:") && value == XSI) {
        element.attributes.push((name.to_owned(), value.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::value;
    use super::*;

    fn there_and_back(xml: &str) -> String {
        let (element, _) = from_xml("f", xml.as_bytes()).unwrap();
        let yaml = value::write(&to_yaml(&element).unwrap(), "\n");
        let node = value::parse("f", yaml.as_bytes()).unwrap();
        let Value::Map(entries) = &node.value else {
            panic!("{yaml}")
        };
        let back = from_yaml("f", &entries[0].0, &entries[0].1).unwrap();
        String::from_utf8(to_part(&back)).unwrap()
    }

    #[test]
    fn elements_survive() {
        for xml in [
            "<a b=\"1\" c=\"&lt;&amp;&quot;\"><d>1.0</d><d>true</d><e /><f></f><g h=\"x\">t</g></a>",
            "<a xsi:nil=\"true\"></a>",
            "<a><b><![CDATA[ <x> ]]></b></a>",
            "<a> kept  spaces </a>",
            "<a><b x=\"1\" /><b x=\"2\" /><c><b>null</b></c></a>",
            "<fetch><entity name=\"t\"><attribute name=\"a\" /><attribute name=\"b\" /><order /></entity></fetch>",
            "<a>line\nline\n</a>",
        ] {
            assert_eq!(there_and_back(xml), xml);
        }
    }

    #[test]
    fn what_yaml_would_reorder_is_refused_except_in_queries() {
        let (element, _) = from_xml("f", b"<a><b /><c /><b /></a>").unwrap();
        assert!(to_yaml(&element).unwrap_err().1.contains("order"));
        let (element, _) = from_xml("f", b"<a>text<b /></a>").unwrap();
        assert!(to_yaml(&element).unwrap_err().1.contains("text beside"));
        let query = "<fetch><entity><attribute name=\"a\" /><order /><attribute name=\"b\" /></entity></fetch>";
        let grouped = "<fetch><entity><attribute name=\"a\" /><attribute name=\"b\" /><order /></entity></fetch>";
        assert_eq!(there_and_back(query), grouped);
    }

    #[test]
    fn values_that_are_no_elements_are_refused() {
        for yaml in [
            "a b: 1",
            "a: {'@b': [1]}",
            "a: {b: [[1]]}",
            "a: {'@1': x}",
            "a: [1]",
        ] {
            let node = value::parse("f", yaml.as_bytes()).unwrap();
            let Value::Map(entries) = &node.value else {
                panic!()
            };
            assert!(
                from_yaml("f", &entries[0].0, &entries[0].1).is_err(),
                "{yaml}"
            );
        }
    }
}
