//! The same with a read-only document, the fastest parser there is for Rust: a harder mark than the
//! straightforward program, and shown beside it. It cannot take a document apart, so it writes every
//! component as text of its own.

use std::fmt::Write as _;
use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;

use almscript::solution::Part;
use roxmltree::{Document, Node};
use zip::ZipArchive;

use super::mutable_dom::{archive, put};

/// Inflates, parses, and writes a file for each component.
pub fn unpack(zip: &[u8], dir: &Path) {
    let mut archive = ZipArchive::new(Cursor::new(zip)).expect("sound");
    let mut customizations = String::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).expect("sound");
        let name = file.name().expect("text").into_owned();
        if name == "customizations.xml" {
            file.read_to_string(&mut customizations).expect("text");
        } else {
            let mut data = Vec::new();
            file.read_to_end(&mut data).expect("sound");
            put(dir, &name, &data);
        }
    }
    let document = Document::parse(&customizations).expect("well formed");
    for collection in document.root_element().children().filter(Node::is_element) {
        for (number, component) in collection.children().filter(Node::is_element).enumerate() {
            let folder = format!("{}/{number}", collection.tag_name().name());
            if collection.has_tag_name("Entities") {
                table(dir, &folder, component);
            } else {
                save(dir, &format!("{folder}.xml"), component);
            }
        }
    }
}

fn table(dir: &Path, folder: &str, entity: Node<'_, '_>) {
    for (number, node) in entity.descendants().enumerate() {
        let name = node.tag_name().name();
        if [
            "systemform",
            "savedquery",
            "visualization",
            "RibbonDiffXml",
            "EntityInfo",
        ]
        .contains(&name)
        {
            save(dir, &format!("{folder}/{name}/{number}.xml"), node);
        }
    }
}

fn save(dir: &Path, path: &str, node: Node<'_, '_>) {
    let mut out = String::from("\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>");
    write(node, 0, &mut out);
    put(dir, path, out.as_bytes());
}

/// Reads and parses every XML file, writes them into one document, deflates all parts in turn.
pub fn pack(dir: &Path, parts: &[Part]) -> Vec<u8> {
    let mut customizations = String::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("readable") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let data = fs::read(&path).expect("readable");
            if path.extension().is_some_and(|extension| extension == "xml") {
                let text = String::from_utf8(data).expect("text");
                let document =
                    Document::parse(text.trim_start_matches('\u{feff}')).expect("well formed");
                write(document.root_element(), 2, &mut customizations);
            }
        }
    }
    archive(customizations.as_bytes(), parts)
}

fn write(node: Node<'_, '_>, level: usize, out: &mut String) {
    let name = node.tag_name().name();
    let _ = write!(out, "\r\n{}<{name}", "  ".repeat(level));
    for attribute in node.attributes() {
        let _ = write!(
            out,
            " {}=\"{}\"",
            attribute.name(),
            escape(attribute.value())
        );
    }
    if !node.has_children() {
        out.push_str(" />");
        return;
    }
    out.push('>');
    let mut mixed = false;
    for child in node.children() {
        if child.is_element() {
            write(child, level + 1, out);
        } else if let Some(text) = child.text().filter(|text| !text.trim().is_empty()) {
            mixed = true;
            out.push_str(&escape(text));
        }
    }
    if !mixed {
        let _ = write!(out, "\r\n{}", "  ".repeat(level));
    }
    let _ = write!(out, "</{name}>");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
