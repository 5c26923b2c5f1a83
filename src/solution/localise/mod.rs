//! Texts through resource files: a solution's labels as one `.resx` per language, and edited ones
//! back into the XML (facts §14).
//!
//! The XML files keep all labels; the resource files are a copy for translators. Which label a
//! resource stands for is told by its name alone, `<component type>:<element>,<identifier>`, so
//! [`texts`] builds the same names when a folder is unpacked and when it is packed.
//!
//! The names, comments and the order were read off resource files that Microsoft published with the
//! XML they were made from (industry accelerators, 2018 to 2021). What no sample showed has no
//! name here: the labels of charts, of dashboards' fields, of the classic site map, of options'
//! descriptions, and those of pass-through parts, whose identifier is a hash of something unknown.

mod cultures;
mod merge;
mod resx;
mod texts;

use std::collections::{BTreeMap, BTreeSet};

pub use merge::merge;

use super::{Finding, LineEnds, PackageError, SOLUTION_FILE, SourceTree};
use texts::{Text, texts_of};

/// Labels that no known rule gives a name.
const UNNAMED: &str = "ALM-P170";
/// Two labels have the same name and different texts.
const AMBIGUOUS: &str = "ALM-P171";
/// The language asked for as template is not in the solution.
const NO_TEMPLATE: &str = "ALM-P172";
/// A resource that stands for no label of the folder.
const UNRESOLVED: &str = "ALM-P173";
/// A resource file that cannot be merged.
const UNUSABLE: &str = "ALM-P174";

/// How texts are extracted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExtractOptions {
    /// Write `Resources/<culture>/resources.<culture>.resx` for every language.
    pub languages: bool,
    /// Write `Resources/template_resources.resx` with the texts of this language.
    pub template: Option<Template>,
    /// Name folders and files by language number (`1033`) instead of by culture (`en-US`).
    pub by_number: bool,
    /// Name of the package, which the resource files mention.
    pub source_file: String,
    /// `Unmanaged`, `Managed` or `Both`, which the resource files mention.
    pub package_type: String,
    /// Line ends of the resource files.
    pub line_ends: LineEnds,
}

/// The language of the neutral resource file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    /// The base language of the solution.
    Base,
    /// A language by its number.
    Language(u32),
}

impl Template {
    /// Reads `auto`, a language number (`1033`) or a culture (`en-US`), in any case; nothing if it
    /// is none of these.
    pub fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("auto") {
            return Some(Self::Base);
        }
        let number = text.parse().ok().filter(|number| *number > 0);
        number.or_else(|| cultures::lcid(text)).map(Self::Language)
    }
}

/// The tree with resource files for its texts.
///
/// # Errors
///
/// [`PackageError::Xml`] for a file of the tree that is not well formed.
pub fn extract(
    tree: &SourceTree,
    options: &ExtractOptions,
) -> Result<(SourceTree, Vec<Finding>), PackageError> {
    let found = texts_of(tree)?;
    let mut findings = Vec::new();
    for (file, count) in &found.unnamed {
        let message = format!(
            "{count} labels stay in the XML only; how resource files name them is not known"
        );
        findings.push(Finding::note(UNNAMED, file, message));
    }
    let mut by_name: BTreeMap<String, &Text> = BTreeMap::new();
    for text in &found.texts {
        // The order of .NET's `OrdinalIgnoreCase`, in which the published files are.
        let key = text.name.to_uppercase();
        let first = *by_name.entry(key).or_insert(text);
        if first.values() != text.values() && !is_twin(&first.file, &text.file) {
            let message = format!(
                "the text `{}` is also in {} and differs there; resource files hold the first",
                text.name, first.file
            );
            findings.push(Finding::note(AMBIGUOUS, &text.file, message));
        }
    }
    let languages: BTreeSet<u32> = found.texts.iter().flat_map(Text::languages).collect();
    let file_of = |language: u32| {
        let texts = by_name.values().map(|text| resx::Resource {
            name: &text.name,
            value: text.value(language).unwrap_or_default(),
            comment: &text.comment,
        });
        resx::write(language, options, texts)
    };
    let mut tree = tree.clone();
    if options.languages {
        for language in &languages {
            let culture = match cultures::name(*language).filter(|_| !options.by_number) {
                Some(name) => name.to_owned(),
                None => language.to_string(),
            };
            let path = format!("Resources/{culture}/resources.{culture}.resx");
            tree.insert(path, file_of(*language))?;
        }
    }
    let template = match options.template {
        None => None,
        Some(Template::Language(number)) => Some(number),
        Some(Template::Base) => texts::base_language(&tree),
    };
    match template {
        Some(language) if languages.contains(&language) => {
            tree.insert(TEMPLATE, file_of(language))?;
        }
        Some(language) => {
            let message = format!(
                "there is no template, for the solution has no texts in language {language}"
            );
            findings.push(Finding::warning(NO_TEMPLATE, SOLUTION_FILE, message));
        }
        None if options.template.is_some() => {
            let message = "there is no template, for the solution names no base language";
            findings.push(Finding::warning(
                NO_TEMPLATE,
                SOLUTION_FILE,
                message.to_owned(),
            ));
        }
        None => {}
    }
    Ok((tree, findings))
}

/// The neutral resource file, which is written for translators and never merged.
const TEMPLATE: &str = "Resources/template_resources.resx";

/// Whether two files are the unmanaged and the managed form of one component.
fn is_twin(a: &str, b: &str) -> bool {
    let plain = |path: &str| path.replace("_managed.xml", ".xml");
    plain(a) == plain(b)
}
