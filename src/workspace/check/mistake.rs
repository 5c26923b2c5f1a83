//! One mistake in `alm.toml`, and how a list of them is shown.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::concealed::Concealed;
use crate::problem::Problem;

/// One mistake: what is wrong, where, what was expected, and what may help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The stable code.
    pub code: &'static str,
    /// What is wrong, in one line.
    pub message: String,
    /// The bytes of the file that it is about; none when something is missing as a whole.
    pub span: Option<Range<usize>>,
    /// What stands beside the place: what was expected there.
    pub expected: String,
    /// What may help, such as the nearest known name.
    pub help: Option<String>,
}

impl Mistake {
    pub(super) fn syntax(error: &toml::de::Error) -> Self {
        Self {
            code: "ALM-W003",
            message: "this is not TOML".into(),
            span: error.span(),
            expected: error.message().to_owned(),
            help: None,
        }
    }

    /// Something that serde refuses and the schema does not know.
    pub(super) fn form(error: &toml::de::Error) -> Self {
        Self {
            code: "ALM-W006",
            message: "this value cannot be used".into(),
            span: error.span(),
            expected: error.message().to_owned(),
            help: None,
        }
    }
}

/// All mistakes of one file, with the file's text to show them in.
#[derive(Debug, Clone)]
pub struct Mistakes {
    path: PathBuf,
    text: String,
    list: Vec<Mistake>,
}

impl Mistakes {
    /// The mistakes `list` of the file at `path`, which holds `text`. Secrets in the text are
    /// neither kept nor shown.
    pub fn new(path: impl Into<PathBuf>, text: &str, mut list: Vec<Mistake>) -> Self {
        let concealed = Concealed::of(text);
        list.iter_mut()
            .for_each(|mistake| concealed.hide_in(mistake));
        Self {
            path: path.into(),
            text: concealed.text,
            list,
        }
    }

    /// The mistakes in the order of the file; never empty when it comes from reading a file.
    pub fn list(&self) -> &[Mistake] {
        &self.list
    }

    /// The file that they are in.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All mistakes with the lines that they are in, with colours if asked.
    pub fn render(&self, colours: bool) -> String {
        let renderer = if colours {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let name = self
            .path
            .file_name()
            .unwrap_or(self.path.as_os_str())
            .to_string_lossy();
        let mut shown = String::new();
        for mistake in &self.list {
            let title = Level::ERROR
                .primary_title(mistake.message.as_str())
                .id(mistake.code);
            let mut group = match &mistake.span {
                Some(span) => title.element(
                    Snippet::source(self.text.as_str())
                        .path(name.as_ref())
                        .annotation(
                            AnnotationKind::Primary
                                .span(self.within(span))
                                .label(mistake.expected.as_str()),
                        ),
                ),
                None => title.element(Level::NOTE.message(mistake.expected.as_str())),
            };
            if let Some(help) = &mistake.help {
                group = group.element(Level::HELP.message(help.as_str()));
            }
            shown.push_str(&renderer.render(&[group]));
            shown.push_str("\n\n");
        }
        let count = self.list.len();
        let noun = if count == 1 { "mistake" } else { "mistakes" };
        shown.push_str(&format!("{count} {noun} in {}", self.path.display()));
        shown
    }

    /// The first line of `span`, so that a table that goes over many lines is not underlined
    /// whole; clipped to the text.
    fn within(&self, span: &Range<usize>) -> Range<usize> {
        let start = span.start.min(self.text.len());
        let end = span.end.clamp(start, self.text.len());
        let end = match self.text.get(start..end).and_then(|part| part.find('\n')) {
            Some(length) if length > 0 => start + length,
            _ => end,
        };
        start..end
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Mistakes {}

impl Problem for Mistakes {
    /// The code of the first mistake; each of them is shown with its own.
    fn code(&self) -> &'static str {
        self.list.first().map_or("ALM-W003", |mistake| mistake.code)
    }
}
