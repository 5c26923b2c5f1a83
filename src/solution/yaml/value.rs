//! YAML as the layout uses it: texts, lists and maps; nothing that points elsewhere.
//!
//! Reading works event by event, so that depth is bounded before anything is built, and refuses
//! what no tool writes into this layout and what makes files hostile: anchors and aliases, tags,
//! several documents, doubled keys. Every scalar is the text that stands in the file (`1.0` stays
//! `1.0`), because every one of them ends as XML text.

use std::collections::HashSet;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use crate::solution::{Limits, PackageError};

/// A value with the line it begins on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// Line in the file, counted from 1.
    pub line: u32,
    /// The value.
    pub value: Value,
}

/// A YAML value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Nothing, or `null` or `~` without quotes.
    Null,
    /// Any other scalar, as it stands.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of the file.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// A value that was not read from a file.
    pub fn new(value: Value) -> Self {
        Self { line: 0, value }
    }

    /// A text that was not read from a file.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Value::Text(text.into()))
    }

    /// The value of a key in any case.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => entries
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(key))
                .map(|(_, node)| node),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list; a single value counts as a list of one, nothing as an empty one.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            Value::Null => &[],
            Value::Map(entries) if entries.is_empty() => &[],
            _ => std::slice::from_ref(self),
        }
    }
}

/// A mistake in a YAML file.
pub(super) fn error(file: &str, line: u32, reason: impl Into<String>) -> PackageError {
    PackageError::Yaml {
        file: file.to_owned(),
        line,
        reason: reason.into(),
    }
}

/// Reads a file with one document.
///
/// # Errors
///
/// [`PackageError::Yaml`] for what is not YAML, not UTF-8, or not used in this layout.
pub(super) fn parse(file: &str, bytes: &[u8]) -> Result<Node, PackageError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|fault| {
        let valid = &bytes[..fault.valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        error(file, line_number(line), "the text is not valid UTF-8")
    })?;
    let mut builder = Builder {
        file,
        deepest: usize::try_from(Limits::default().xml_depth).unwrap_or(usize::MAX),
        open: Vec::new(),
        done: None,
    };
    let mut parser = Parser::new_from_str(text);
    loop {
        let step = parser.next_event().transpose();
        let Some((event, span)) = step.map_err(|fault| builder.scan_error(&fault))? else {
            break;
        };
        if event == Event::StreamEnd {
            break;
        }
        builder.take(event, span)?;
    }
    Ok(builder.done.unwrap_or(Node {
        line: 1,
        value: Value::Null,
    }))
}

fn line_number(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

/// A collection that is being read.
enum Open {
    List(u32, Vec<Node>),
    Map {
        line: u32,
        entries: Vec<(String, Node)>,
        keys: HashSet<String>,
        key: Option<String>,
    },
}

struct Builder<'f> {
    file: &'f str,
    deepest: usize,
    open: Vec<Open>,
    done: Option<Node>,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), PackageError> {
        let line = line_number(span.start.line());
        let refuse = |what: &str| {
            Err(error(
                self.file,
                line,
                format!("{what} are not used in this layout"),
            ))
        };
        match event {
            Event::Alias(_) => refuse("aliases"),
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _)
                if anchor > 0 =>
            {
                refuse("anchors")
            }
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => refuse("tags"),
            Event::DocumentStart(_) if self.done.is_some() => refuse("several documents"),
            Event::Scalar(text, style, _, _) => {
                if let Some(bad) = text.chars().find(|c| !is_xml(*c)) {
                    let reason = format!("the character U+{:04X} is not allowed", u32::from(bad));
                    return Err(error(self.file, line, reason));
                }
                let plain = style == ScalarStyle::Plain;
                if let Some(Open::Map {
                    key: key @ None,
                    keys,
                    ..
                }) = self.open.last_mut()
                {
                    if !keys.insert(text.to_string()) {
                        let reason = format!("the key `{text}` comes twice");
                        return Err(error(self.file, line, reason));
                    }
                    *key = Some(text.into_owned());
                    return Ok(());
                }
                let value = match &*text {
                    "" | "~" | "null" | "Null" | "NULL" if plain => Value::Null,
                    _ => Value::Text(text.into_owned()),
                };
                self.put(Node { line, value });
                Ok(())
            }
            Event::SequenceStart(..) => self.enter(line, Open::List(line, Vec::new())),
            Event::MappingStart(..) => self.enter(
                line,
                Open::Map {
                    line,
                    entries: Vec::new(),
                    keys: HashSet::new(),
                    key: None,
                },
            ),
            Event::SequenceEnd | Event::MappingEnd => {
                let node = match self.open.pop() {
                    Some(Open::List(line, items)) => Node {
                        line,
                        value: Value::List(items),
                    },
                    Some(Open::Map { line, entries, .. }) => Node {
                        line,
                        value: Value::Map(entries),
                    },
                    None => return Ok(()),
                };
                self.put(node);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn enter(&mut self, line: u32, open: Open) -> Result<(), PackageError> {
        if self.open.len() >= self.deepest {
            let reason = format!("more than {} nested collections", self.deepest);
            return Err(error(self.file, line, reason));
        }
        if let Some(Open::Map { key: None, .. }) = self.open.last() {
            return Err(error(self.file, line, "a key must be a text"));
        }
        self.open.push(open);
        Ok(())
    }

    fn put(&mut self, node: Node) {
        match self.open.last_mut() {
            Some(Open::List(_, items)) => items.push(node),
            Some(Open::Map { entries, key, .. }) => {
                if let Some(key) = key.take() {
                    entries.push((key, node));
                }
            }
            None => self.done = Some(node),
        }
    }

    fn scan_error(&self, fault: &ScanError) -> PackageError {
        let line = line_number(fault.marker().line());
        error(self.file, line, fault.info())
    }
}

/// Whether XML 1.0 has the character, where every scalar ends.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r') || (c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}'))
}

/// A value as a file, in the style of the files that Dataverse writes: block collections, lists at
/// the indentation of their key, quotes only where a text would be read as something else.
pub(super) fn write(node: &Node, newline: &str) -> String {
    let mut out = String::new();
    match &node.value {
        Value::Map(entries) if !entries.is_empty() => map(&mut out, entries, 0, true),
        Value::List(items) if !items.is_empty() => list(&mut out, items, 0),
        value => {
            scalar(&mut out, value, 0);
            out.push('\n');
        }
    }
    match newline {
        "\n" => out,
        _ => out.replace('\n', newline),
    }
}

fn indent(out: &mut String, level: usize) {
    out.extend(std::iter::repeat_n("  ", level));
}

fn map(out: &mut String, entries: &[(String, Node)], level: usize, first_indented: bool) {
    for (n, (key, node)) in entries.iter().enumerate() {
        if n > 0 || first_indented {
            indent(out, level);
        }
        text(out, key, level, true);
        out.push(':');
        match &node.value {
            Value::Map(entries) if !entries.is_empty() => {
                out.push('\n');
                map(out, entries, level + 1, true);
            }
            Value::List(items) if !items.is_empty() => {
                out.push('\n');
                list(out, items, level);
            }
            Value::Null => out.push('\n'),
            value => {
                out.push(' ');
                scalar(out, value, level + 1);
                out.push('\n');
            }
        }
    }
}

fn list(out: &mut String, items: &[Node], level: usize) {
    for item in items {
        indent(out, level);
        out.push('-');
        match &item.value {
            Value::Map(entries) if !entries.is_empty() => {
                out.push(' ');
                map(out, entries, level + 1, false);
            }
            Value::List(items) if !items.is_empty() => {
                out.push('\n');
                list(out, items, level + 1);
            }
            Value::Null => out.push('\n'),
            value => {
                out.push(' ');
                scalar(out, value, level + 1);
                out.push('\n');
            }
        }
    }
}

fn scalar(out: &mut String, value: &Value, level: usize) {
    match value {
        Value::Null => out.push('~'),
        Value::List(_) => out.push_str("[]"),
        Value::Map(_) => out.push_str("{}"),
        Value::Text(value) => text(out, value, level, false),
    }
}

fn text(out: &mut String, value: &str, level: usize, key: bool) {
    let special = value
        .chars()
        .any(|c| c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}'));
    if !special {
        if is_plain(value) {
            out.push_str(value);
        } else {
            out.push('\'');
            out.push_str(&value.replace('\'', "''"));
            out.push('\'');
        }
    } else if !key && is_literal(value) {
        let body = value.strip_suffix('\n');
        out.push_str(if body.is_some() { "|" } else { "|-" });
        for line in body.unwrap_or(value).split('\n') {
            out.push('\n');
            if !line.is_empty() {
                indent(out, level);
                out.push_str(line);
            }
        }
    } else {
        out.push('"');
        for c in value.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                c if c.is_control()
                    || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}') =>
                {
                    out.push_str(&format!("\\u{:04x}", u32::from(c)));
                }
                c => out.push(c),
            }
        }
        out.push('"');
    }
}

/// Whether a text of one line needs no quotes and is no number, truth value or nothing.
fn is_plain(text: &str) -> bool {
    let begins = text
        .chars()
        .next()
        .is_some_and(|c| c.is_alphabetic() || matches!(c, '_' | '/'));
    let reserved = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    begins
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !reserved.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Whether a text of several lines can stand as a literal block and is read back the same.
fn is_literal(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let other = body.chars().any(|c| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
    });
    !other
        && !body.is_empty()
        && !body.starts_with([' ', '\n'])
        && !body.ends_with('\n')
        && body.lines().all(|line| !line.ends_with(' '))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn strip(node: &Node) -> Node {
        let value = match &node.value {
            Value::List(items) => Value::List(items.iter().map(strip).collect()),
            Value::Map(entries) => Value::Map(
                entries
                    .iter()
                    .map(|(key, node)| (key.clone(), strip(node)))
                    .collect(),
            ),
            other => other.clone(),
        };
        Node::new(value)
    }

    fn values() -> impl Strategy<Value = Node> {
        let words = prop_oneof![
            "[ -~äß日\n\t\r]{0,12}",
            Just("null".to_owned()),
            Just("1.0".to_owned()),
            Just("- a".to_owned()),
            Just("a: b\nc".to_owned()),
            Just("'".to_owned()),
        ];
        let leaf = prop_oneof![Just(Value::Null), words.clone().prop_map(Value::Text)];
        leaf.prop_map(Node::new)
            .prop_recursive(4, 24, 5, move |inner| {
                let lists = proptest::collection::vec(inner.clone(), 0..4);
                let maps = proptest::collection::btree_map("[a-zA-Z@#:. ']{1,6}", inner, 0..4);
                prop_oneof![
                    lists.prop_map(Value::List),
                    maps.prop_map(|map| Value::Map(map.into_iter().collect())),
                ]
                .prop_map(Node::new)
            })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(node in values()) {
            for newline in ["\n", "\r\n"] {
                let text = write(&node, newline);
                let read = parse("f", text.as_bytes()).unwrap();
                prop_assert_eq!(strip(&read), node.clone(), "{}", text);
            }
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse("f", &bytes);
        }
    }

    #[test]
    fn hostile_files_are_refused_with_their_line() {
        let deep = format!("a:\n  {}", "[".repeat(200_000));
        let blocks = "- ".repeat(2_000);
        let bomb = "a: &a [x, x]\nb: [*a, *a, *a]\n";
        for (text, line, reason) in [
            (deep.as_bytes(), 2, "limit"),
            (blocks.as_bytes(), 1, "nested"),
            (bomb.as_bytes(), 1, "anchors"),
            (b"a: 1\nb: *x\n", 2, ""),
            (b"a: 1\na: 2\n", 2, "twice"),
            (b"a: !!binary x\n", 1, "tags"),
            (b"a: 1\n---\nb: 2\n", 2, "documents"),
            (b"? [a]\n: b\n", 1, "key"),
            (b"a: b\nc: \xff\n", 2, "UTF-8"),
            (b"a: \"\\x01\"\n", 1, "U+0001"),
            (b"a: [1\n", 2, ""),
        ] {
            match parse("f.yml", text) {
                Err(PackageError::Yaml {
                    line: found,
                    reason: why,
                    ..
                }) => {
                    assert!(why.contains(reason), "{why}");
                    assert!(found == line || reason.is_empty(), "{found}: {why}");
                }
                other => panic!(
                    "{:?} gave {other:?}",
                    String::from_utf8_lossy(&text[..text.len().min(40)])
                ),
            }
        }
    }

    #[test]
    fn scalars_stay_as_they_stand() {
        let node = parse(
            "f",
            b"a: 1.0\nb: '1'\nc: true\nd:\ne: ''\nf: null\ng: 'null'\n",
        )
        .unwrap();
        let text = |key: &str| node.get(key).unwrap().as_text();
        assert_eq!(text("a"), Some("1.0"));
        assert_eq!(text("b"), Some("1"));
        assert_eq!(text("c"), Some("true"));
        assert_eq!((text("d"), text("e"), text("f")), (None, Some(""), None));
        assert_eq!(text("g"), Some("null"));
    }

    #[test]
    fn the_style_is_that_of_published_files() {
        let text = "SolutionComponents:\n  Component:\n  - '@path': /entities/a\n    '@behavior': '0'\n  - '@path': b\nDescriptions:\nEntityColor: ''\nName: My name\nTags: '{\"a\": 1}'\n";
        let node = parse("f", text.as_bytes()).unwrap();
        assert_eq!(write(&node, "\n"), text);
    }
}
