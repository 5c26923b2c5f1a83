//! XML and JSON documents as trees whose pieces have an identity and keep their bytes.
//!
//! Diff, merge and normalisation ask the same question: which piece of one document is which piece
//! of another? A column is known by its name, a form's cell by its id, a flow's action by its
//! member name. [`xml`] and [`json`] read a text into [`Node`]s that borrow it, [`identity`] knows
//! what identifies the elements of a solution, [`compare`] tells two documents apart by meaning.
//! Writing is concatenating slices, so what nobody changed keeps every byte.

use std::borrow::Cow;

use super::PackageError;

pub(crate) mod compare;
mod identity;
pub(crate) mod json;
pub(crate) mod xml;

pub(crate) use identity::order_matters;

/// What a node is made from; its name is the same in diff and merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// An XML element.
    Element,
    /// An attribute of an element.
    Attribute,
    /// A JSON value: the document itself, a member of an object or an item of an array.
    Json,
}

/// A piece of a document: an element, an attribute, a JSON member or item.
///
/// Its text is `head`, the attributes, `mid`, the content, `tail` and `close`, in this order; each
/// piece below a node has its own `lead` before it.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    /// What it is made from.
    pub form: Form,
    /// Name of the element, attribute or member; empty for items of an array.
    pub name: Cow<'a, str>,
    /// What tells it from siblings of the same name.
    pub key: Option<String>,
    /// Which one it is among siblings with the same name and key, from 0.
    pub ordinal: u32,
    /// Whether only its position tells it from siblings of the same name.
    pub positional: bool,
    /// Offset of its text.
    pub at: usize,
    /// White space and comments before it.
    pub lead: &'a str,
    /// Its text.
    pub whole: &'a str,
    /// `<name`, `name="` or `"name": `.
    pub head: &'a str,
    /// The attributes of an element.
    pub attributes: Vec<Node<'a>>,
    /// What opens the content: `>`, ` />`, `{`, `[`, or nothing.
    pub mid: &'a str,
    /// What is inside.
    pub content: Content<'a>,
    /// White space and comments behind the last piece of the content.
    pub tail: &'a str,
    /// What closes it: `</name>`, `"`, `}`, `]`, or nothing.
    pub close: &'a str,
}

/// What is inside a node.
#[derive(Debug, Clone)]
pub(crate) enum Content<'a> {
    /// Nothing: `<a />`, `<a></a>`.
    Nothing,
    /// A text or a JSON scalar, as it stands and what it means. Line breaks mean the same however
    /// they are written. Text mixed with elements means itself.
    Value {
        /// The text as it stands.
        raw: &'a str,
        /// What it means.
        value: Cow<'a, str>,
    },
    /// Further pieces. Objects and arrays without content are this too.
    Nodes(Vec<Node<'a>>),
}

/// A whole document.
#[derive(Debug, Clone)]
pub(crate) struct Document<'a> {
    /// What stands before the outermost piece: byte-order mark, declaration, comments.
    pub before: &'a str,
    /// The outermost piece.
    pub root: Node<'a>,
    /// What stands behind it.
    pub after: &'a str,
}

/// Which of its siblings a node is.
pub(crate) type Id<'n> = (&'n str, Option<&'n str>, u32);

impl<'a> Node<'a> {
    /// Which of its siblings it is.
    pub fn id(&self) -> Id<'_> {
        (&self.name, self.key.as_deref(), self.ordinal)
    }

    /// The pieces inside it.
    pub fn children(&self) -> &[Node<'a>] {
        match &self.content {
            Content::Nodes(nodes) => nodes,
            _ => &[],
        }
    }

    /// The text inside it, or the scalar.
    pub fn value(&self) -> Option<&str> {
        match &self.content {
            Content::Value { value, .. } => Some(value),
            _ => None,
        }
    }

    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == name)
            .and_then(Node::value)
    }

    /// The first piece inside it of that name.
    pub fn child(&self, name: &str) -> Option<&Node<'a>> {
        self.children().iter().find(|child| child.name == name)
    }

    /// The value at a path such as `Required/@type`; `.` is the node's own text.
    pub fn at_path(&self, path: &str) -> Option<&str> {
        match path.split_once('/') {
            Some((step, rest)) => self.child(step)?.at_path(rest),
            None => match path.strip_prefix('@') {
                Some(attribute) => self.attribute(attribute),
                None if path == "." => self.value(),
                None => self.child(path)?.value(),
            },
        }
    }

    /// What separates the pieces inside it.
    pub fn separator(&self) -> &'static str {
        if self.form == Form::Json { "," } else { "" }
    }

    /// Whether it is an object or array of JSON.
    pub fn is_container(&self) -> bool {
        matches!(self.mid, "{" | "[")
    }

    fn mid_of_json(&self) -> &str {
        if self.form == Form::Json {
            self.mid
        } else {
            ""
        }
    }

    /// Whether it is a JSON text, so that `"1"` and `1` are told apart.
    pub fn is_text(&self) -> bool {
        self.form == Form::Json
            && matches!(&self.content, Content::Value { raw, .. } if raw.starts_with('"'))
    }

    /// How a person finds it: `attribute[contoso_name]`, `row[2]`, `actions`.
    pub fn label(&self) -> String {
        match (&self.key, self.form) {
            (_, Form::Attribute) => format!("@{}", self.name),
            (Some(key), _) if self.ordinal == 0 => format!("{}[{key}]", self.name),
            (Some(key), _) => format!("{}[{key}#{}]", self.name, self.ordinal + 1),
            (None, _) if self.positional => format!("{}[{}]", self.name, self.ordinal + 1),
            (None, _) => self.name.clone().into_owned(),
        }
    }

    /// Whether two nodes mean the same. The order of attributes and members, white space between
    /// elements, line ends and the form of empty elements have no meaning.
    pub fn same(&self, other: &Node<'_>) -> bool {
        self.whole == other.whole || (self.name == other.name && self.same_content(other))
    }

    /// Whether two nodes mean the same apart from their names.
    pub fn same_content(&self, other: &Node<'_>) -> bool {
        if self.is_container() != other.is_container() {
            return false;
        }
        let attributes = |a: &Node<'_>, b: &Node<'_>| {
            a.attributes.iter().all(|attribute| {
                b.attributes
                    .iter()
                    .any(|other| other.name == attribute.name && other.value() == attribute.value())
            })
        };
        if self.attributes.len() != other.attributes.len() || !attributes(self, other) {
            return false;
        }
        let (a, b) = (self.children(), other.children());
        if a.is_empty() && b.is_empty() {
            let (a, b) = (
                self.value().unwrap_or_default(),
                other.value().unwrap_or_default(),
            );
            return a == b
                && self.mid_of_json() == other.mid_of_json()
                && self.is_text() == other.is_text();
        }
        if a.len() != b.len() {
            return false;
        }
        if order_matters(self) {
            a.iter().zip(b).all(|(a, b)| a.same(b))
        } else {
            let by_id: std::collections::HashMap<Id<'_>, &Node<'_>> =
                b.iter().map(|node| (node.id(), node)).collect();
            a.iter()
                .all(|node| by_id.get(&node.id()).is_some_and(|other| node.same(other)))
        }
    }
}

/// Gives each node its ordinal among siblings, once all keys are known.
fn number(nodes: &mut [Node<'_>]) {
    use std::collections::HashMap;
    let mut seen: HashMap<(String, Option<String>), u32> = HashMap::new();
    for node in nodes.iter_mut() {
        let count = seen
            .entry((node.name.clone().into_owned(), node.key.clone()))
            .or_default();
        node.ordinal = *count;
        *count += 1;
    }
    for node in nodes {
        node.positional = node.key.is_none()
            && (node.name.is_empty() || seen[&(node.name.clone().into_owned(), None)] > 1);
    }
}

/// What kind of text a file holds, as far as its structure is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// XML.
    Xml,
    /// JSON.
    Json,
    /// Lines of text.
    Text,
    /// Anything else.
    Binary,
}

impl Format {
    /// What a file of this name and content is.
    pub fn of(path: &str, bytes: &[u8]) -> Self {
        let extension = path.rsplit('/').next().unwrap_or(path).rsplit_once('.');
        let extension = extension.map(|(_, end)| end.to_ascii_lowercase());
        let text = std::str::from_utf8(bytes).ok();
        let first = text.and_then(|text| {
            let text = text.trim_start_matches('\u{feff}').trim_start();
            text.bytes().next()
        });
        match (extension.as_deref(), first) {
            // Roles and option sets with a dot in their name have no extension (facts §4).
            (Some("xml" | "xaml" | "rdl"), Some(b'<')) => Self::Xml,
            (Some("json"), Some(b'{' | b'[')) => Self::Json,
            (_, Some(b'<')) if path.starts_with("Roles/") || path.starts_with("OptionSets/") => {
                Self::Xml
            }
            _ if text.is_some_and(|text| !text.contains('\0')) => Self::Text,
            (Some("xml"), None)
                if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") =>
            {
                Self::Xml
            }
            _ => Self::Binary,
        }
    }
}

/// Decodes and reads a file, and hands the document on; `None` if the file has no structure here.
///
/// # Errors
/// [`PackageError::Xml`] with the line for a document that is not well formed.
pub(crate) fn with_document<T>(
    path: &str,
    bytes: &[u8],
    use_it: impl FnOnce(&Document<'_>, &str) -> T,
) -> Result<Option<T>, PackageError> {
    match Format::of(path, bytes) {
        Format::Xml => {
            let text = super::xml::decode(path, bytes)?;
            let document = xml::read(&text).map_err(|fault| fault.in_file(path, &text))?;
            Ok(Some(use_it(&document, &text)))
        }
        Format::Json => {
            let text = std::str::from_utf8(bytes).unwrap_or_default();
            let document = json::read(text).map_err(|fault| fault.in_file(path, text))?;
            Ok(Some(use_it(&document, text)))
        }
        Format::Text | Format::Binary => Ok(None),
    }
}
