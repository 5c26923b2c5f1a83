//! What pack and unpack tell: findings, files and totals, on the screen and in a log.

use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::render::Output;
use super::arguments::{Common, ErrorLevel};
use crate::solution::{Finding, Limits, Package, PackageError, Severity, repair};
use crate::whole_file;

/// Tells as much as was asked for.
pub struct Report {
    output: Output,
    level: ErrorLevel,
    log: Option<std::fs::File>,
}

/// A finding as it is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Told {
    severity: Severity,
    text: String,
    finding: Value,
}

impl From<&Finding> for Told {
    fn from(finding: &Finding) -> Self {
        Self {
            severity: finding.severity,
            text: finding.to_string(),
            finding: json!(finding),
        }
    }
}

impl Report {
    /// Opens the log, if one is wanted.
    pub fn open(common: &Common, output: Output) -> Result<Self, Failure> {
        let log = match &common.log {
            None => None,
            Some(path) => {
                let file = std::fs::OpenOptions::new()
                    .create(true)
                    .append(true)
                    .open(path);
                Some(file.map_err(|error| unusable(path, &error))?)
            }
        };
        Ok(Self {
            output,
            level: common.errorlevel,
            log,
        })
    }

    /// Tells what was noticed.
    pub fn findings(&mut self, findings: &[Finding]) {
        findings
            .iter()
            .for_each(|finding| self.tell(&Told::from(finding)));
    }

    /// Undoes what an earlier command left half done in a folder, and tells it, for a command that
    /// has no report.
    ///
    /// # Errors
    ///
    /// As [`repair`].
    pub fn repaired(folder: &Path, output: Output) -> Result<(), Failure> {
        let mut report = Self {
            output,
            level: ErrorLevel::Info,
            log: None,
        };
        report.findings(&repair(folder)?);
        Ok(())
    }

    /// Tells one finding.
    pub fn tell(&mut self, told: &Told) {
        let (level, word, style) = match told.severity {
            Severity::Error => (ErrorLevel::Error, "error", "1;31"),
            Severity::Warning => (ErrorLevel::Warning, "warning", "1;33"),
            Severity::Note => (ErrorLevel::Info, "note", "1;36"),
        };
        if level > self.level {
            return;
        }
        self.output
            .note(format!("{}: {}", self.output.paint(style, word), told.text));
        self.output
            .object(&json!({ "event": "finding", "finding": told.finding }));
        self.write(&format!("{word}: {}", told.text));
    }

    /// Tells about every file of a list, if everything is to be told.
    pub fn files(&mut self, what: &str, paths: &[String]) {
        if self.level == ErrorLevel::Verbose {
            for path in paths {
                self.output.note(format!("{what}: {path}"));
                self.write(&format!("{what}: {path}"));
            }
        }
    }

    /// Tells the outcome.
    pub fn outcome(&mut self, text: &str, object: &Value) {
        if self.level >= ErrorLevel::Info {
            self.output.line(text);
        }
        self.output.object(object);
        self.write(text);
    }

    /// The failure for an error; findings in it are told first, all of them.
    pub fn failure(&mut self, error: PackageError) -> Failure {
        if let PackageError::Checks { findings } | PackageError::NoYamlForm { findings } = &error {
            self.findings(findings);
        }
        self.write(&format!("error: {error}"));
        let exit = if error.is_failed_check() {
            Exit::Findings
        } else {
            Exit::Failed
        };
        Failure::from(error).exit(exit)
    }

    /// Puts a failure of the command into the log.
    pub fn failed(&mut self, failure: Failure) -> Failure {
        self.write(&format!("error: {failure}"));
        failure
    }

    fn write(&mut self, line: &str) {
        if let Some(log) = &mut self.log {
            // A log that cannot be written any more must not undo the work that it tells about.
            let _ = writeln!(log, "{line}");
        }
    }
}

/// Reads a package of the command line; the message names the file.
pub fn read_package(path: &Path, limits: &Limits) -> Result<Package, Failure> {
    open_package(path, &read_file(path)?, limits)
}

/// The package that a file of the command line holds; the message names the file.
pub fn open_package(path: &Path, bytes: &[u8], limits: &Limits) -> Result<Package, Failure> {
    Package::from_zip_within(bytes, limits).map_err(|error| {
        let mut failure = Failure::from(error);
        failure.message = format!("{}: {}", path.display(), failure.message);
        failure
    })
}

/// The bytes of a file of the command line.
pub fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    whole_file::read(path, whole_file::MOST).map_err(|error| unusable(path, &error))
}

/// A file of the command line that cannot be used.
pub fn unusable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(
        "ALM-C002",
        format!("cannot use `{}`: {error}", path.display()),
    )
    .exit(Exit::Failed)
}
