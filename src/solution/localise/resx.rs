//! Resource files, as .NET's `ResXResourceWriter` writes them.

use std::borrow::Cow;

use super::ExtractOptions;
use super::texts::document;
use crate::solution::PackageError;
use crate::solution::component::fragment::{child, elements};
use crate::solution::xml::{BOM, decode, escape_attribute, escape_text};

/// A text with its name.
pub(super) struct Resource<'t> {
    pub name: &'t str,
    pub value: &'t str,
    pub comment: &'t str,
}

/// The schema and the headers that every resource file begins with.
const HEAD: &str = include_str!("head.resx");

/// The version that Microsoft's packager writes into resource files, whatever its own is; it
/// refuses a file without one.
const VERSION: &str = "9.0.0.0";

/// A resource file.
pub(super) fn write<'t>(
    language: u32,
    options: &ExtractOptions,
    resources: impl Iterator<Item = Resource<'t>>,
) -> String {
    let mut out = String::from(BOM);
    out.push_str(HEAD);
    let language = language.to_string();
    let facts = [
        ("Source LCID", language.as_str()),
        ("Source file", &options.source_file),
        ("Source package type", &options.package_type),
        ("SolutionPackager Version String", VERSION),
    ];
    for (name, value) in facts {
        entry(&mut out, "metadata", name, value, None);
    }
    for resource in resources {
        entry(
            &mut out,
            "data",
            resource.name,
            resource.value,
            Some(resource.comment),
        );
    }
    out.push_str("</root>");
    out.replace('\n', options.line_ends.text())
}

fn entry(out: &mut String, tag: &str, name: &str, value: &str, comment: Option<&str>) {
    let name = escape_attribute(name);
    out.push_str(&format!(
        "  <{tag} name=\"{name}\" xml:space=\"preserve\">\n"
    ));
    match value {
        "" => out.push_str("    <value />\n"),
        _ => out.push_str(&format!("    <value>{}</value>\n", lines(value))),
    }
    if let Some(comment) = comment {
        out.push_str(&format!("    <comment>{}</comment>\n", lines(comment)));
    }
    out.push_str(&format!("  </{tag}>\n"));
}

/// A text as the content of an element, with line feeds that become those of the file.
fn lines(text: &str) -> Cow<'_, str> {
    Cow::Owned(escape_text(&text.replace("\r\n", "\n").replace('\r', "\n")))
}

/// A resource file that was read.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// `Source LCID`.
    pub language: Option<u32>,
    /// Name and text, in the order of the file.
    pub texts: Vec<(String, String)>,
}

/// Reads a resource file. Visual Studio's editor turns `metadata` into `data`; both are read.
///
/// # Errors
///
/// [`PackageError::Xml`].
pub(super) fn read(path: &str, data: &[u8]) -> Result<Read, PackageError> {
    let text = decode(path, data)?;
    let document = document(path, &text)?;
    let mut read = Read::default();
    for entry in elements(document.root_element()) {
        let Some(name) = entry.attribute("name") else {
            continue;
        };
        if !matches!(entry.tag_name().name(), "data" | "metadata") {
            continue;
        }
        let value = child(entry, "value").and_then(|value| value.text());
        let value = value.unwrap_or_default();
        if name == "Source LCID" {
            read.language = value.trim().parse().ok();
        } else if entry.has_tag_name("data") && name.contains(':') {
            read.texts.push((name.to_owned(), value.to_owned()));
        }
    }
    Ok(read)
}
