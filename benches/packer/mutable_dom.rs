//! The straightforward program that the packer is held against: one thread, a document in memory
//! that is taken apart and put together again, one step after the other. It does the bulk of the
//! work (components to files and back, with placeholders), not the rules.

use std::fs;
use std::io::{Cursor, Read, Write as _};
use std::path::Path;

use almscript::solution::Part;
use xmltree::{Element, EmitterConfig, XMLNode};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// What moves out of a table into files of its own.
const MOVED: [&str; 4] = ["FormXml", "SavedQueries", "Visualizations", "RibbonDiffXml"];

/// Inflates, parses, writes a file for each component, and what is left of the document.
pub fn unpack(zip: &[u8], dir: &Path) {
    let mut archive = ZipArchive::new(Cursor::new(zip)).expect("sound");
    let mut customizations = Vec::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).expect("sound");
        let name = file.name().expect("text").into_owned();
        let mut data = Vec::new();
        file.read_to_end(&mut data).expect("sound");
        if name == "customizations.xml" {
            customizations = data;
        } else {
            put(dir, &name, &data);
        }
    }
    let mut document = Element::parse(&customizations[..]).expect("well formed");
    for collection in elements(&mut document) {
        let name = collection.name.clone();
        for (number, node) in std::mem::take(&mut collection.children)
            .into_iter()
            .enumerate()
        {
            let XMLNode::Element(mut component) = node else {
                continue;
            };
            let folder = format!("{name}/{number}");
            if name == "Entities" {
                table(dir, &folder, &mut component);
            }
            save(dir, &format!("{folder}.xml"), &component);
        }
    }
    save(dir, "Other/Customizations.xml", &document);
}

fn table(dir: &Path, folder: &str, entity: &mut Element) {
    for part in elements(entity) {
        if MOVED.contains(&part.name.as_str()) {
            let name = part.name.clone();
            for list in elements(part) {
                for (number, form) in elements(list).enumerate() {
                    save(dir, &format!("{folder}/{name}/{number}.xml"), form);
                }
            }
            part.children.clear();
        }
    }
}

fn elements(element: &mut Element) -> impl Iterator<Item = &mut Element> {
    element
        .children
        .iter_mut()
        .filter_map(XMLNode::as_mut_element)
}

fn save(dir: &Path, path: &str, element: &Element) {
    let mut out = Vec::from("\u{feff}");
    write(element, &mut out);
    put(dir, path, &out);
}

fn write(element: &Element, out: &mut Vec<u8>) {
    let layout = EmitterConfig::new()
        .perform_indent(true)
        .line_separator("\r\n");
    element.write_with_config(out, layout).expect("writable");
}

pub fn put(dir: &Path, path: &str, data: &[u8]) {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().expect("it has a folder")).expect("writable");
    fs::write(path, data).expect("writable");
}

/// Reads and parses every XML file, puts all into one document, deflates all parts in turn.
pub fn pack(dir: &Path, parts: &[Part]) -> Vec<u8> {
    let mut document = Element::new("ImportExportXml");
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
                let file = Element::parse(&data[..]).expect("well formed");
                document.children.push(XMLNode::Element(file));
            }
        }
    }
    let mut customizations = Vec::new();
    write(&document, &mut customizations);
    archive(&customizations, parts)
}

/// Deflates the document and all other parts, one after the other.
pub fn archive(customizations: &[u8], parts: &[Part]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_level(Some(6));
    let others = parts
        .iter()
        .filter(|part| part.name != "customizations.xml");
    zip.start_file("customizations.xml", options)
        .expect("sound");
    zip.write_all(customizations).expect("sound");
    for part in others {
        zip.start_file(&*part.name, options).expect("sound");
        zip.write_all(&part.data).expect("sound");
    }
    zip.finish().expect("sound").into_inner()
}
