//! Which texts of a template have a file of their own, for unpacking and packing (facts §7.3).
//!
//! The facts do not say how the texts are laid out. A tree published in 2025 (e-mail templates of
//! 9.2) shows it: `*.xsl` is the text as it is, white space at its end included; `*.xml` is written
//! as every other XML file, indented and with a declaration. The elements in
//! `Templates/EmailTemplates.xml` are left as `<body></body>` there, never as `<body />`.

use super::names;
use super::xml::outline::Outline;
use super::xml::write::{Namespaces, Writer};

/// How deep the XML of a text may nest; one that is deeper is kept as a mere text.
const DEEPEST: u64 = 512;

/// The texts of one kind of template.
#[derive(Debug)]
pub(crate) struct TextFiles {
    /// Child element with the template's id.
    pub id: &'static str,
    /// Folder below `Templates/`.
    folder: &'static str,
    /// Child elements that are emptied.
    pub elements: &'static [&'static str],
    /// Their files, in the same order.
    files: &'static [&'static str],
}

const EMAIL: TextFiles = TextFiles {
    id: "templateid",
    folder: "EmailDocuments",
    elements: &[
        "subject",
        "subjectpresentationxml",
        "body",
        "presentationxml",
    ],
    files: &[
        "subject.xsl",
        "subjectpresentationxml.xml",
        "body.xsl",
        "presentationxml.xml",
    ],
};

const ARTICLE: TextFiles = TextFiles {
    id: "kbarticletemplateid",
    folder: "KbArticleDocuments",
    elements: &["structurexml", "formatxml"],
    files: &["structurexml.xml", "formatxml.xsl"],
};

/// The texts of a kind of template, if they have files.
pub(crate) fn text_files(kind: &str) -> Option<&'static TextFiles> {
    match kind {
        "EmailTemplates" => Some(&EMAIL),
        "KBArticleTemplates" => Some(&ARTICLE),
        _ => None,
    }
}

impl TextFiles {
    /// The folder of one template below `Templates/`.
    pub(crate) fn folder(&self, language: &str, id: &str) -> String {
        format!(
            "{}/{}/{}",
            self.folder,
            names::file_name(language),
            names::file_name(id)
        )
    }

    /// The file of an element's text.
    pub(crate) fn file_of(&self, element: &str) -> Option<&'static str> {
        self.elements
            .iter()
            .position(|name| *name == element)
            .map(|index| self.files[index])
    }
}

/// The text of an `.xml` file laid out as SolutionPackager writes XML; nothing if it is a mere text.
pub(crate) fn laid_out(file: &str, text: &str, newline: &'static str) -> Option<Vec<u8>> {
    rewritten(file, text, Writer::file(newline, text.len() * 2))
}

/// The text that a laid-out `.xml` file goes back to: no declaration, no indentation. Nothing if
/// the file is a mere text.
pub(crate) fn folded(file: &str, text: &str) -> Option<String> {
    String::from_utf8(rewritten(file, text, Writer::compact(text.len()))?).ok()
}

fn rewritten<'t>(file: &str, text: &'t str, mut writer: Writer<'t>) -> Option<Vec<u8>> {
    if !file.ends_with(".xml") {
        return None;
    }
    let outline = Outline {
        text,
        deepest: DEEPEST,
    };
    let root = outline.root().ok()?;
    writer.prolog(text, 0..root.span.start).ok()?;
    writer.copy(outline, &root, Namespaces::Keep).ok()?;
    writer.prolog(text, root.span.end..text.len()).ok()?;
    Some(writer.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_texts_are_laid_out_and_folded_back() {
        let text = "<t><text><![CDATA[<p>a\n\tb</p>]]></text><default /></t>";
        let file = String::from_utf8(laid_out("presentationxml.xml", text, "\n").unwrap()).unwrap();
        assert_eq!(
            file,
            "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<t>\n  <text><![CDATA[<p>a\n\tb</p>]]></text>\n  <default />\n</t>"
        );
        let back = folded("presentationxml.xml", file.trim_start_matches('\u{feff}')).unwrap();
        assert_eq!(back, text);
        assert_eq!(laid_out("body.xsl", text, "\n"), None);
        assert_eq!(laid_out("presentationxml.xml", "no <xml", "\n"), None);
    }
}
