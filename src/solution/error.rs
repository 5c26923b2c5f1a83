//! What can go wrong with a package or a source folder, with a stable code for each cause.

use std::path::PathBuf;

use super::finding::Finding;
use super::limits;
use crate::portable_path::UnsafePath;
use crate::problem::Problem;

/// Why a package or a source folder was refused, or could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The bytes are no zip archive, or one whose directory cannot be read.
    #[error("this is not a readable zip archive: {reason}")]
    NotAnArchive {
        /// What the reader met.
        reason: String,
    },
    /// An entry's name would leave the folder or cannot exist on every file system.
    #[error("the entry `{entry}` has a name that is refused: {reason}")]
    UnsafeName {
        /// The name as it stands in the archive, or the path in the folder.
        entry: String,
        /// Which rule it breaks.
        reason: UnsafePath,
    },
    /// An entry, or a file in the way, is a link.
    #[error("`{path}` is a link; links are neither followed nor written")]
    Link {
        /// The entry or path.
        path: String,
    },
    /// A pipe, a device or a socket stands where a file belongs.
    #[error("`{path}` is neither a file nor a folder")]
    NotAFile {
        /// The path.
        path: String,
    },
    /// The entry needs a password.
    #[error("the entry `{entry}` is encrypted")]
    Encrypted {
        /// Its name.
        entry: String,
    },
    /// Two entries, or two components, have the same name on a case-insensitive file system.
    #[error("`{second}` has the same name as `{first}`; one of them would be lost")]
    Collision {
        /// What came first.
        first: String,
        /// What came second.
        second: String,
    },
    /// A limit of [`Limits`](super::Limits) was passed.
    #[error("`{subject}` passes the limit for {limit}: {found} is more than {allowed}")]
    Limit {
        /// The entry or file, or `the archive`.
        subject: String,
        /// Which limit.
        limit: &'static str,
        /// What was found.
        found: u64,
        /// What is allowed.
        allowed: u64,
    },
    /// An entry's bytes do not fit its checksum or size, or end too early.
    #[error("the entry `{entry}` is damaged: {reason}")]
    Damaged {
        /// Its name.
        entry: String,
        /// What does not fit.
        reason: String,
    },
    /// A part that every package needs is missing.
    #[error("the package has no `{name}`")]
    MissingPart {
        /// The part.
        name: String,
    },
    /// An XML file is not well formed, or uses something that is refused.
    #[error("{file}:{line}: {reason}")]
    Xml {
        /// The part or file.
        file: String,
        /// Line, counted from 1.
        line: u32,
        /// What is wrong.
        reason: String,
    },
    /// The package or folder is of another type than the one asked for.
    #[error("the package type does not match: {asked} was asked for, {found} was found")]
    TypeMismatch {
        /// What the caller asked for.
        asked: String,
        /// What is there.
        found: String,
    },
    /// A payload that the XML names is not there.
    #[error("cannot find the required file `{path}`, named in {named_in}:{line}")]
    MissingFile {
        /// Path in the folder or name of the part.
        path: String,
        /// The XML that names it.
        named_in: String,
        /// Line in it, counted from 1.
        line: u32,
    },
    /// A component lacks what its place in the folder is made of.
    #[error("{file}:{line}: {reason}")]
    Component {
        /// The XML.
        file: String,
        /// Line in it, counted from 1.
        line: u32,
        /// What is missing or doubled.
        reason: String,
    },
    /// The folder is no unpacked solution.
    #[error("this folder holds no unpacked solution: `{missing}` is missing")]
    NotATree {
        /// The file looked for.
        missing: String,
    },
    /// The folder has a layout that is recognised but not supported.
    #[error("this folder has the {layout} layout: {reason}")]
    Layout {
        /// Its name.
        layout: &'static str,
        /// What is not possible.
        reason: String,
    },
    /// A file of the YAML layout cannot be read.
    #[error("{file}:{line}: {reason}")]
    Yaml {
        /// The file.
        file: String,
        /// Line in it, counted from 1.
        line: u32,
        /// What is wrong.
        reason: String,
    },
    /// A folder of the YAML layout holds several solutions, or not the one asked for.
    #[error("{}", which(asked.as_deref(), found))]
    WhichSolution {
        /// The name that was asked for.
        asked: Option<String>,
        /// The solutions in the folder.
        found: Vec<String>,
    },
    /// The package has components whose form in the YAML layout is not documented.
    #[error(
        "this solution cannot be written in the YAML layout: {}",
        places(findings)
    )]
    NoYamlForm {
        /// What has no form, by component.
        findings: Vec<Finding>,
    },
    /// A check of the source failed (facts §11); the findings say where.
    #[error("{} of this solution cannot be packed", count(findings))]
    Checks {
        /// All findings, warnings included.
        findings: Vec<Finding>,
    },
    /// A version is not of the form `1.2.3.4`.
    #[error("`{text}` is not a version: {reason}")]
    Version {
        /// The text.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// `solution.xml` lacks something that every manifest has.
    #[error("{file}: {reason}")]
    Manifest {
        /// The part or file.
        file: String,
        /// What is missing.
        reason: String,
    },
    /// A mapping file cannot be used.
    #[error("{file}:{line}: {reason}")]
    Mapping {
        /// The mapping file.
        file: String,
        /// Line in it, counted from 1.
        line: u32,
        /// What is wrong.
        reason: String,
    },
    /// A file or folder could not be read or written.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Writing met files that must not be overwritten.
    #[error(
        "{} in the folder may not be overwritten, the first is `{}`",
        files(paths),
        first(paths)
    )]
    ReadOnly {
        /// The files, relative to the folder.
        paths: Vec<String>,
    },
    /// Another process is writing into the folder and does not come to an end.
    #[error("another process is writing into `{}`", folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
    },
}

fn which(asked: Option<&str>, found: &[String]) -> String {
    let names = found.join(", ");
    match asked {
        Some(asked) => format!("the folder has no solution `{asked}`, but {names}"),
        None => format!("the folder has several solutions: {names}"),
    }
}

fn places(findings: &[Finding]) -> String {
    match findings {
        [only] => only.to_string(),
        _ => format!(
            "{} kinds of things have no documented form there",
            findings.len()
        ),
    }
}

fn count(findings: &[Finding]) -> String {
    let errors = findings.iter().filter(|finding| finding.is_error()).count();
    if errors == 1 {
        "1 part".to_owned()
    } else {
        format!("{errors} parts")
    }
}

fn files(paths: &[String]) -> String {
    if paths.len() == 1 {
        "1 read-only file".to_owned()
    } else {
        format!("{} read-only files", paths.len())
    }
}

fn first(paths: &[String]) -> &str {
    paths.first().map_or("", String::as_str)
}

impl PackageError {
    /// Whether the package was read well and only the checks of facts §11 failed, which has an exit
    /// code of its own (3; a missing file has 1).
    pub fn is_failed_check(&self) -> bool {
        match self {
            Self::Checks { findings } => findings
                .iter()
                .all(|finding| finding.code != super::checks::MISSING_FILE),
            _ => false,
        }
    }

    /// Wraps a failure of the file system with what was tried and where.
    pub(crate) fn io(action: &'static str, path: &std::path::Path, source: std::io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }
}

impl Problem for PackageError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotAnArchive { .. } => "ALM-P001",
            Self::UnsafeName { .. } => "ALM-P002",
            Self::Link { .. } => "ALM-P003",
            Self::Encrypted { .. } => "ALM-P004",
            Self::Collision { .. } => "ALM-P005",
            Self::Limit { .. } => "ALM-P006",
            Self::Damaged { .. } => "ALM-P007",
            Self::MissingPart { .. } => "ALM-P008",
            Self::Xml { .. } => "ALM-P009",
            Self::TypeMismatch { .. } => "ALM-P010",
            Self::MissingFile { .. } => "ALM-P011",
            Self::Component { .. } => "ALM-P012",
            Self::NotATree { .. } => "ALM-P013",
            Self::Layout { .. } => "ALM-P014",
            Self::Checks { .. } => "ALM-P015",
            Self::Version { .. } => "ALM-P016",
            Self::Manifest { .. } => "ALM-P017",
            Self::Mapping { .. } => "ALM-P018",
            Self::Io { .. } => "ALM-P019",
            Self::ReadOnly { .. } => "ALM-P020",
            Self::Busy { .. } => "ALM-P021",
            Self::Yaml { .. } => "ALM-P031",
            Self::WhichSolution { .. } => "ALM-P032",
            Self::NoYamlForm { .. } => "ALM-P033",
            Self::NotAFile { .. } => "ALM-P034",
        }
    }

    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::NotAnArchive { .. } => {
                "Export the solution again, or fetch the file again; it may be cut off."
            }
            Self::UnsafeName { .. } | Self::Collision { .. } => {
                "Rename one of yours; do not trust a package of somebody else's before you know who made it and why."
            }
            Self::Link { .. } => {
                "Put the file itself there; in a package, ask who made it and why."
            }
            Self::NotAFile { .. } => "Take it away; only files and folders are read and written.",
            Self::Encrypted { .. } => {
                "Solution packages are never encrypted; save it again without a password."
            }
            Self::Limit { limit, .. } => {
                let option = match *limit {
                    limits::ENTRIES | limits::FILES => "--maxEntries",
                    limits::PART | limits::FILE => "--maxPartSize",
                    limits::RATIO => "--maxRatio",
                    _ => "--maxTotalSize",
                };
                return Some(format!(
                    "If you know the package and it is meant to be that large, raise the limit with `{option}`."
                ));
            }
            Self::Damaged { .. } => "Fetch or export the package again.",
            Self::MissingPart { .. } => {
                "A solution package has `solution.xml`, `customizations.xml` and `[Content_Types].xml` at its root."
            }
            Self::TypeMismatch { .. } => {
                "Ask for the type that is there, or export the solution as the other type."
            }
            Self::MissingFile { path, .. } if path.ends_with(".msapp") => {
                "If the app was unpacked by an old tool (`--processCanvasApps`), only that tool can rebuild the .msapp; \
                 export the solution again and keep the .msapp in source control."
            }
            Self::MissingFile { .. } => "Restore the file, or remove the component that names it.",
            Self::NotATree { .. } => "Name the folder that contains `Other/Solution.xml`.",
            Self::WhichSolution { .. } => "Name one of them with `--solutionName`.",
            Self::NoYamlForm { .. } => {
                "Unpack into the XML layout (`--layout xml`), or write these too with `--undocumented`; other tools may not read them."
            }
            Self::Checks { .. } => {
                "Each finding names a file and a line; restore the component or remove its root component."
            }
            Self::ReadOnly { .. } => {
                "Make the files writable, or allow overwriting them with `--clobber`."
            }
            Self::Busy { .. } => "Wait for it, or end it; then try again.",
            _ => return None,
        };
        Some(text.to_owned())
    }
}
