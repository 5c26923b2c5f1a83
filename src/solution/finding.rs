//! What packing or unpacking has to tell without failing.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing; nothing is lost.
    Note,
    /// Something is left out, overridden or suspicious.
    Warning,
    /// The package would not be importable; packing fails when all findings are gathered.
    Error,
}

/// One thing that packing or unpacking noticed, with where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A stable code, `ALM-P1xx`.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What was noticed, for a person.
    pub message: String,
    /// The part or file it concerns, with `/`.
    pub file: String,
    /// Line in that file, counted from 1, if it is about a place in a text.
    pub line: Option<u32>,
}

impl Finding {
    /// Something worth knowing about `file`.
    pub(crate) fn note(code: &'static str, file: impl Into<String>, message: String) -> Self {
        Self {
            code,
            severity: Severity::Note,
            message,
            file: file.into(),
            line: None,
        }
    }

    /// Something left out, overridden or suspicious in `file`.
    pub(crate) fn warning(code: &'static str, file: impl Into<String>, message: String) -> Self {
        Self {
            code,
            severity: Severity::Warning,
            message,
            file: file.into(),
            line: None,
        }
    }

    /// Something that makes the package unusable.
    pub(crate) fn error(code: &'static str, file: impl Into<String>, message: String) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message,
            file: file.into(),
            line: None,
        }
    }

    /// The same finding at a line of its file, counted from 1.
    pub(crate) fn at(mut self, line: u32) -> Self {
        self.line = Some(line);
        self
    }

    /// Whether packing must fail because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(
                out,
                "{}:{line}: {} [{}]",
                self.file, self.message, self.code
            ),
            None => write!(out, "{}: {} [{}]", self.file, self.message, self.code),
        }
    }
}
