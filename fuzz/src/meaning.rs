//! What an XML document says, as an independent parser reads it.

use roxmltree::{Document, Error, Node, NodeType};

/// Names, attributes and texts of a document; white space is left out of texts, since the packager
/// may change it, and so is where it has line breaks.
pub fn meaning(document: &Document<'_>) -> String {
    let mut out = String::new();
    push(document.root_element(), &mut out);
    out
}

fn push(node: Node<'_, '_>, out: &mut String) {
    match node.node_type() {
        NodeType::Element => {
            let attributes: Vec<_> = node.attributes().map(|a| (a.name(), a.value())).collect();
            out.push_str(&format!("<{} {attributes:?}>", node.tag_name().name()));
            // Runs of text and CDATA are split differently, so only their letters count.
            let mut text = String::new();
            for child in node.children() {
                match child.text().filter(|_| child.is_text()) {
                    Some(part) => text.push_str(part),
                    None => {
                        flush(&mut text, out);
                        push(child, out);
                    }
                }
            }
            flush(&mut text, out);
            out.push_str("</>");
        }
        NodeType::Comment => out.push_str(&format!("!{:?}", letters(node.text()))),
        NodeType::PI => {
            let target = node.pi().map(|pi| pi.target);
            let value = letters(node.pi().and_then(|pi| pi.value));
            out.push_str(&format!("?{target:?}{value:?}"));
        }
        NodeType::Root | NodeType::Text => {}
    }
}

fn letters(text: Option<&str>) -> String {
    let is_space = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
    text.unwrap_or_default()
        .chars()
        .filter(|c| !is_space(*c))
        .collect()
}

fn flush(text: &mut String, out: &mut String) {
    let letters = letters(Some(text));
    if !letters.is_empty() {
        out.push_str(&format!("{letters:?}"));
    }
    text.clear();
}

/// Whether the error is about namespaces, which the packager copies without looking at them.
pub fn is_about_namespaces(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidXmlPrefixUri(_)
            | Error::UnexpectedXmlUri(_)
            | Error::UnexpectedXmlnsUri(_)
            | Error::InvalidElementNamePrefix(_)
            | Error::DuplicatedNamespace(..)
            | Error::UnknownNamespace(..)
            | Error::DuplicatedAttribute(..)
    )
}
