//! Which texts of a template have a file of their own, for unpacking and packing (facts §7.3).

use super::names;

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
