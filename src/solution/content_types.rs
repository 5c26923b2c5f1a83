//! `[Content_Types].xml`: which parts of a package are visible to Microsoft's readers.

use std::collections::HashSet;

use super::xml::outline::Outline;

/// The declaration that SolutionPackager writes for these parts in their order (facts §2.3).
///
/// UTF-8 with a byte-order mark and no line break. `[Content_Types].xml` itself is skipped.
pub(crate) fn declare<'a>(parts: impl Iterator<Item = &'a str> + Clone) -> Vec<u8> {
    let mut out = String::from(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
         <Default Extension=\"xml\" ContentType=\"text/xml\" />",
    );
    let parts = parts.filter(|name| *name != super::container::CONTENT_TYPES_XML);
    let mut met = HashSet::from(["xml".to_owned()]);
    for extension in parts.clone().filter_map(extension) {
        if met.insert(extension.to_lowercase()) {
            out.push_str("<Default Extension=\"");
            push_attribute(&mut out, extension);
            out.push_str("\" ContentType=\"application/octet-stream\" />");
        }
    }
    for name in parts {
        let overridden = match extension(name) {
            None => true,
            Some(extension) => extension.eq_ignore_ascii_case("xml") && name.contains('/'),
        };
        if overridden {
            out.push_str("<Override PartName=\"/");
            push_attribute(&mut out, &super::names::entry_name_of_part(name));
            out.push_str("\" ContentType=\"application/octet-stream\" />");
        }
    }
    out.push_str("</Types>");
    out.into_bytes()
}

/// The parts that a declaration does not cover. One that cannot be read covers everything, for it
/// is nobody's hint.
pub(crate) fn undeclared<'a>(
    declaration: &[u8],
    parts: impl Iterator<Item = &'a str>,
) -> Vec<&'a str> {
    let Ok(text) = super::xml::decode(super::container::CONTENT_TYPES_XML, declaration) else {
        return Vec::new();
    };
    let outline = Outline {
        text: &text,
        deepest: 16,
    };
    let Ok(entries) = outline
        .root()
        .and_then(|root| outline.children(root.inner.clone()))
    else {
        return Vec::new();
    };
    let values = |element, attribute| -> HashSet<String> {
        let named = entries.iter().filter(|entry| entry.name == element);
        named
            .filter_map(|entry| Some(entry.attribute(attribute)?.to_lowercase()))
            .collect()
    };
    let extensions = values("Default", "Extension");
    let names: HashSet<String> = values("Override", "PartName")
        .iter()
        .map(|name| super::names::part_name_of_entry(name.trim_start_matches('/')).to_lowercase())
        .collect();
    parts
        .filter(|name| *name != super::container::CONTENT_TYPES_XML)
        .filter(|name| {
            !names.contains(&name.to_lowercase())
                && !extension(name).is_some_and(|e| extensions.contains(&e.to_lowercase()))
        })
        .collect()
}

/// A declaration that also tells the type of the part `name`; nothing if it does already or cannot
/// be read. Every byte that is there stays.
pub(crate) fn with_part(declaration: &[u8], name: &str) -> Option<Vec<u8>> {
    undeclared(declaration, std::iter::once(name)).first()?;
    let end = std::str::from_utf8(declaration).ok()?.rfind("</")?;
    let mut new = String::new();
    match extension(name) {
        Some(extension) => {
            new.push_str("<Default Extension=\"");
            push_attribute(&mut new, extension);
        }
        None => {
            new.push_str("<Override PartName=\"/");
            push_attribute(&mut new, &super::names::entry_name_of_part(name));
        }
    }
    new.push_str("\" ContentType=\"application/octet-stream\" />");
    let (before, after) = declaration.split_at(end);
    Some([before, new.as_bytes(), after].concat())
}

/// What follows the last dot of the file name; a name that ends in a dot has none.
fn extension(name: &str) -> Option<&str> {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.rsplit_once('.')
        .map(|(_, extension)| extension)
        .filter(|e| !e.is_empty())
}

fn push_attribute(out: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_declared_by_extension_or_by_name() {
        let names = [
            "customizations.xml",
            "solution.xml",
            "Workflows/a.json",
            "CanvasApps/x_BackgroundImageUri",
            "Connector/i.Png",
            "b/i.png",
            "customapis/a/customapi.xml",
        ];
        let text = String::from_utf8(declare(names.into_iter())).unwrap();
        assert!(text.ends_with(
            "<Default Extension=\"json\" ContentType=\"application/octet-stream\" />\
             <Default Extension=\"Png\" ContentType=\"application/octet-stream\" />\
             <Override PartName=\"/CanvasApps/x_BackgroundImageUri\" ContentType=\"application/octet-stream\" />\
             <Override PartName=\"/customapis/a/customapi.xml\" ContentType=\"application/octet-stream\" /></Types>"
        ));
    }
}
