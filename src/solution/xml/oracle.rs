//! Holds the scanner and the writer against an independent parser, on generated texts.

use proptest::prelude::*;
use roxmltree::{Document, Node, NodeType};

use super::outline::Outline;
use super::write::{Namespaces, Writer};
use super::{BOM, decode};

/// What our code makes of a text: the root element written again.
fn written(text: &str) -> Option<String> {
    let decoded = decode("f", text.as_bytes()).ok()?;
    let outline = Outline {
        text: &decoded,
        deepest: 100,
    };
    let root = outline.root().ok()?;
    let mut writer = Writer::file("\n", 0);
    writer.prolog(&decoded, 0..root.span.start).ok()?;
    writer.copy(outline, &root, Namespaces::Keep).ok()?;
    writer.prolog(&decoded, root.span.end..decoded.len()).ok()?;
    String::from_utf8(writer.finish())
        .ok()
        .map(|all| all.trim_start_matches(BOM).to_owned())
}

/// The meaning of a document: names, attributes, texts; white space alone is none.
fn meaning(document: &Document<'_>) -> String {
    fn push(node: Node<'_, '_>, out: &mut String) {
        match node.node_type() {
            NodeType::Element => {
                let attributes: Vec<_> = node.attributes().map(|a| (a.name(), a.value())).collect();
                out.push_str(&format!("<{} {attributes:?}>", node.tag_name().name()));
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
            NodeType::Comment => out.push_str(&format!("!{:?}", node.text())),
            NodeType::PI => out.push_str(&format!("?{:?}", node.pi())),
            NodeType::Root | NodeType::Text => {}
        }
    }
    // Runs of text and CDATA are split differently by the two, so only their letters count.
    fn flush(text: &mut String, out: &mut String) {
        let letters: String = text
            .chars()
            .filter(|c| !super::scan::is_space(*c))
            .collect();
        if !letters.is_empty() {
            out.push_str(&format!("{letters:?}"));
        }
        text.clear();
    }
    let mut out = String::new();
    push(document.root_element(), &mut out);
    out
}

/// Texts that are XML or nearly so.
fn nearly_xml() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<a>",
        "</a>",
        "<b>",
        "</b>",
        "<a/>",
        "<b />",
        "<a k='v'>",
        "<b k=\"&amp;\" j='\"'/>",
        "<c\n>",
        "</c >",
        "text",
        " ",
        "\n",
        "\r\n",
        "&lt;",
        "&#65;",
        "&#x20;",
        "&quot;",
        ">",
        "]]",
        "]]>",
        "&x;",
        "&",
        "<",
        "'",
        "\"",
        "<!-- c -->",
        "<!-- -- -->",
        "<![CDATA[x<&]]>",
        "<![CDATA[]]>",
        "<?pi x?>",
        "<!DOCTYPE a>",
        "é",
        "\u{1}",
        "<a k>",
        "<a k=v>",
        "<a k='1' k='2'>",
        "<1>",
        "xml:space=\"preserve\"",
        "<a xml:space=\"preserve\">",
        "&#0;",
    ]);
    let random = prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat());
    prop_oneof![
        1 => random.clone(),
        4 => random.clone().prop_map(|inner| format!("<r>{inner}</r>")),
        3 => (random.clone(), random).prop_map(|(one, two)| format!("<r><a>{one}</a><b>{two}</b></r>")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_parsers_accept_the_same_texts_and_mean_the_same(text in nearly_xml()) {
        match (written(&text), Document::parse(&text)) {
            (Some(ours), Ok(theirs)) => {
                let again = Document::parse(&ours);
                prop_assert!(again.is_ok(), "{text:?} became {ours:?}");
                prop_assert_eq!(meaning(&again.unwrap()), meaning(&theirs), "{:?} became {:?}", text, ours);
                prop_assert_eq!(written(&ours), Some(ours.clone()), "writing twice changes {:?}", ours);
            }
            (None, Ok(_)) => prop_assert!(false, "{text:?} was refused"),
            (Some(ours), Err(error)) => prop_assert!(false, "{text:?} was accepted as {ours:?}: {error}"),
            (None, Err(_)) => {}
        }
    }
}
