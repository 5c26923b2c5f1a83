//! Pieces of XML text that keep their bytes: reading them, cutting them, setting values in them.
//!
//! A fragment is cut out of `customizations.xml` as it stands there. It may use the prefix `xsi`
//! that only the package's root declares, so it is read inside a root that declares it again.

use std::ops::Range;

use roxmltree::{Document, Node};

/// The namespace that the prefix `xsi` stands for.
pub(crate) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

const OPEN: &str = "<r xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">";

/// A fragment with the root that makes it readable by itself.
pub(crate) struct Wrapped(String);

impl Wrapped {
    /// Prepares `fragment` for reading. A byte order mark and a declaration are left out.
    pub(crate) fn new(fragment: &str) -> Self {
        let body = fragment.trim_start_matches('\u{feff}');
        let body = match body.strip_prefix("<?xml").and_then(|rest| rest.find("?>")) {
            Some(end) => &body[end + 7..],
            None => body,
        };
        Self(format!("{OPEN}{body}</r>"))
    }

    /// Reads it.
    pub(crate) fn document(&self) -> Result<Document<'_>, roxmltree::Error> {
        Document::parse(&self.0)
    }
}

/// The outermost element of a document made by [`Wrapped`].
pub(crate) fn top<'a, 'input>(document: &'a Document<'input>) -> Option<Node<'a, 'input>> {
    document.root_element().children().find(Node::is_element)
}

/// The bytes of `node` in `source`, the text that its document was read from.
pub(crate) fn text_of<'a>(source: &'a str, node: Node<'_, '_>) -> &'a str {
    &source[node.range()]
}

/// The element children of `node`.
pub(crate) fn elements<'a, 'input>(
    node: Node<'a, 'input>,
) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(Node::is_element)
}

/// The first child element called `name`; `name[attribute=value]` is the first one of that name
/// whose attribute has that value.
pub(crate) fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    let (name, wanted) = match name.strip_suffix(']').and_then(|step| step.split_once('[')) {
        Some((name, condition)) => (name, condition.split_once('=')),
        None => (name, None),
    };
    node.children().find(|child| {
        child.is_element()
            && child.tag_name().name() == name
            && wanted.is_none_or(|(attribute, value)| child.attribute(attribute) == Some(value))
    })
}

/// The value at `place`: an attribute when it begins with `@`, a child element's text otherwise.
/// Steps of a path are separated by slashes: `LocalizedNames/LocalizedName/@description`.
pub(crate) fn value<'a>(node: Node<'a, '_>, place: &str) -> Option<&'a str> {
    let (step, rest) = place.split_once('/').unwrap_or((place, ""));
    if let Some(attribute) = step.strip_prefix('@') {
        return node.attribute(attribute);
    }
    let found = child(node, step)?;
    if rest.is_empty() {
        Some(found.text().unwrap_or(""))
    } else {
        value(found, rest)
    }
}

/// A GUID as it is compared: no braces, lower case.
pub fn plain_id(text: &str) -> String {
    text.trim()
        .trim_start_matches('{')
        .trim_end_matches('}')
        .to_ascii_lowercase()
}

/// Where the content of an element begins and ends in `source`, or `None` for `<a />`.
pub(crate) fn content_range(source: &str, node: Node<'_, '_>) -> Option<(usize, usize)> {
    let range = node.range();
    let whole = &source[range.clone()];
    let start = open_tag_end(whole)?;
    let end = whole.rfind("</")?;
    Some((range.start + start, range.start + end))
}

/// The length of the opening tag of `element`, or `None` when it closes itself.
fn open_tag_end(element: &str) -> Option<usize> {
    let mut quote = None;
    for (index, byte) in element.bytes().enumerate() {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            (None, b'>') => {
                return (element.as_bytes()[index - 1] != b'/').then_some(index + 1);
            }
            _ => {}
        }
    }
    None
}

/// The text between an element's name and the `>` of its opening tag, without a closing slash.
pub(crate) fn attribute_text<'a>(source: &'a str, node: Node<'_, '_>) -> &'a str {
    let whole = &source[node.range()];
    let mut quote = None;
    let mut end = whole.len();
    for (index, byte) in whole.bytes().enumerate() {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            (None, b'>') => {
                end = index;
                break;
            }
            _ => {}
        }
    }
    let tag = whole[..end].trim_end_matches('/').trim_end();
    let name = tag.find(char::is_whitespace).unwrap_or(tag.len());
    &tag[name..]
}

/// `text` as XML text.
pub fn escape_text(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// `text` as the inside of a double-quoted attribute.
pub fn escape_attribute(text: &str) -> String {
    escape_text(text)
        .replace('"', "&quot;")
        .replace('\n', "&#xA;")
        .replace('\r', "&#xD;")
        .replace('\t', "&#x9;")
}

/// Changes to a text at known places, applied together.
#[derive(Debug, Default)]
pub(crate) struct Edits(Vec<(usize, usize, String)>);

impl Edits {
    /// Replaces the bytes from `start` to `end`.
    pub(crate) fn replace(&mut self, start: usize, end: usize, with: impl Into<String>) {
        self.0.push((start, end, with.into()));
    }

    /// `source` with all changes made. Changes must not overlap.
    pub(crate) fn apply(self, source: &str) -> String {
        self.apply_within(source, 0..source.len())
    }

    /// The bytes `range` of `source` with all changes made, which all lie inside.
    pub(crate) fn apply_within(mut self, source: &str, range: Range<usize>) -> String {
        self.0.sort_by_key(|(start, end, _)| (*start, *end));
        let mut out = String::with_capacity(range.len());
        let mut at = range.start;
        for (start, end, with) in &self.0 {
            out.push_str(&source[at..*start]);
            out.push_str(with);
            at = *end;
        }
        out.push_str(&source[at..range.end]);
        out
    }
}

/// `fragment` with the value at `place` set, everything else untouched.
///
/// `place` is as for [`value`]. A missing last element is added at the end of its parent; a
/// missing attribute after the others. `None` empties an element and removes an attribute. Returns `None` when the
/// path before the last step does not exist, the last one has elements inside, or the fragment cannot be read.
pub(crate) fn with_value(fragment: &str, place: &str, new: Option<&str>) -> Option<String> {
    let wrapped = Wrapped::new(fragment);
    let document = wrapped.document().ok()?;
    let mut node = top(&document)?;
    let steps: Vec<&str> = place.split('/').collect();
    let (last, path) = steps.split_last()?;
    for step in path {
        node = child(node, step)?;
    }
    let source = wrapped.0.as_str();
    let mut edits = Edits::default();
    if let Some(attribute) = last.strip_prefix('@') {
        match (node.attribute_node(attribute), new) {
            (Some(found), Some(new)) => {
                let range = found.range_value();
                edits.replace(range.start, range.end, escape_attribute(new));
            }
            (Some(found), None) => {
                let range = found.range();
                let before = source[..range.start].trim_end().len();
                edits.replace(before, range.end, "");
            }
            (None, Some(new)) => {
                let at = node.range().start + 1 + node.tag_name().name().len();
                let at = at + attribute_text(source, node).len();
                edits.replace(
                    at,
                    at,
                    format!(" {attribute}=\"{}\"", escape_attribute(new)),
                );
            }
            (None, None) => return Some(fragment.to_owned()),
        }
    } else if let Some(found) = child(node, last) {
        if elements(found).next().is_some() {
            return None;
        }
        let is_nil = found.has_attribute((XSI, "nil"));
        if !is_nil && new == Some(found.text().unwrap_or_default()) {
            // Written in another way, it means the same.
            return Some(fragment.to_owned());
        }
        let attributes = attribute_text(source, found);
        let attributes = match new {
            // A value and a mark that there is none exclude each other.
            Some(_) => without_nil(attributes),
            None => attributes.to_owned(),
        };
        let text = escape_text(new.unwrap_or_default());
        let element = format!("<{last}{attributes}>{text}</{last}>");
        edits.replace(found.range().start, found.range().end, element);
    } else if let Some(new) = new {
        let element = format!("<{last}>{}</{last}>", escape_text(new));
        insert_last(source, node, &element, &mut edits);
    } else {
        return Some(fragment.to_owned());
    }
    let changed = edits.apply(source);
    Some(changed[OPEN.len()..changed.len() - "</r>".len()].to_owned())
}

/// Puts `element` behind the last child of `node`, indented as that one.
pub(crate) fn insert_last(source: &str, node: Node<'_, '_>, element: &str, edits: &mut Edits) {
    let Some((_, end)) = content_range(source, node) else {
        let range = node.range();
        let name = node.tag_name().name();
        let attributes = attribute_text(source, node);
        edits.replace(
            range.start,
            range.end,
            format!("<{name}{attributes}>{element}</{name}>"),
        );
        return;
    };
    match node.children().rev().find(Node::is_element) {
        Some(last) => {
            let start = last.range().start;
            let indent = start - source[..start].trim_end().len();
            let space = &source[start - indent..start];
            let at = last.range().end;
            edits.replace(at, at, format!("{space}{element}"));
        }
        None => edits.replace(end, end, element),
    }
}

fn without_nil(attributes: &str) -> String {
    attributes
        .replace(" xsi:nil=\"true\"", "")
        .replace(" xsi:nil='true'", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOW: &str = "<Workflow WorkflowId=\"{1}\" Name=\"a &amp; b\">\r\n  <StateCode>1</StateCode>\r\n  <X xsi:nil=\"true\"></X>\r\n</Workflow>";

    #[test]
    fn setting_a_value_leaves_the_rest_of_the_fragment_alone() {
        let changed = with_value(FLOW, "StateCode", Some("0")).unwrap();
        assert_eq!(changed, FLOW.replace(">1<", ">0<"));
        let nasty = "x \"quoted\" <tag> & 'é'\nline";
        let changed = with_value(FLOW, "@Name", Some(nasty)).unwrap();
        let wrapped = Wrapped::new(&changed);
        let document = wrapped.document().unwrap();
        assert_eq!(value(top(&document).unwrap(), "@Name"), Some(nasty));
    }

    #[test]
    fn a_value_can_be_added_emptied_and_given_to_a_nil_element() {
        let added = with_value(FLOW, "Description", Some("<new>")).unwrap();
        assert!(added.contains("</X>\r\n  <Description>&lt;new&gt;</Description>\r\n</Workflow>"));
        let emptied = with_value(FLOW, "StateCode", None).unwrap();
        assert!(emptied.contains("<StateCode></StateCode>"));
        let given = with_value(FLOW, "X", Some("1")).unwrap();
        assert!(given.contains("<X>1</X>"), "{given}");
        let attribute = with_value(FLOW, "@Description", Some("d")).unwrap();
        assert!(
            attribute
                .starts_with("<Workflow WorkflowId=\"{1}\" Name=\"a &amp; b\" Description=\"d\">")
        );
    }

    #[test]
    fn the_same_value_gives_the_same_bytes() {
        assert_eq!(with_value(FLOW, "StateCode", Some("1")).unwrap(), FLOW);
        assert_eq!(with_value(FLOW, "@Name", Some("a & b")).unwrap(), FLOW);
    }
}
