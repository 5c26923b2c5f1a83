//! From a package to a source tree, as SolutionPackager lays it out (facts §4 to §10).
//!
//! The text of `customizations.xml` is never held as a tree. The components are found by searching
//! for their end tags; then every component is read once, on all cores, and written to its files as
//! it is read. Where the tags inside a component turn out not to pair, the search was wrong (or the
//! text is), and the components are found again by counting tags.

mod components;
mod entity;
mod merge;
mod recipe;
mod relationships;
mod source;
mod templates;

use super::limits;
use super::manifest::Managed;
use super::xml::growth;
use super::xml::outline::Ends;
use super::{Finding, Limits, Package, PackageError, SourceTree};
use recipe::Written;
use source::Source;

/// Which package is unpacked, or packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The unmanaged package.
    Unmanaged,
    /// The managed package.
    Managed,
    /// Both, in one folder.
    Both,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Unmanaged => "unmanaged",
            Self::Managed => "managed",
            Self::Both => "both",
        })
    }
}

/// The line ends of the XML files that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LineEnds {
    /// As SolutionPackager on Windows, whatever system this is.
    #[default]
    CrLf,
    /// As `pac` on macOS and Linux.
    Lf,
}

impl LineEnds {
    /// The characters themselves.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::CrLf => "\r\n",
            Self::Lf => "\n",
        }
    }
}

/// How a package is unpacked.
#[derive(Debug, Clone, Default)]
pub struct UnpackOptions {
    /// The type the package must have; none takes what is there. [`Kind::Both`] needs two
    /// packages, see [`unpack_both`].
    pub kind: Option<Kind>,
    /// Line ends of the written XML files; other files keep theirs.
    pub line_ends: LineEnds,
    /// Bounds for what is read.
    pub limits: Limits,
}

/// A source tree, and what is worth knowing about how it came about.
#[derive(Debug, Clone)]
pub struct Unpacked {
    /// The files.
    pub tree: SourceTree,
    /// What was left out, overridden or suspicious.
    pub findings: Vec<Finding>,
}

/// Unpacks one package.
///
/// # Errors
///
/// [`PackageError::TypeMismatch`] if the package is not of the type asked for (always for
/// [`Kind::Both`]), [`PackageError::MissingPart`], [`PackageError::MissingFile`],
/// [`PackageError::Xml`], [`PackageError::Component`], [`PackageError::Collision`].
pub fn unpack(package: &Package, options: &UnpackOptions) -> Result<Unpacked, PackageError> {
    let managed = package.manifest()?.managed;
    let found = if managed {
        Kind::Managed
    } else {
        Kind::Unmanaged
    };
    match options.kind {
        Some(Kind::Both) => Err(mismatch(Kind::Both, "one package only")),
        Some(asked) if asked != found => Err(mismatch(asked, &found.to_string())),
        _ => {
            let Written {
                outputs,
                mut findings,
            } = outputs(package, managed, None, options)?;
            let tree = merge::single(outputs, &mut findings)?;
            Ok(Unpacked { tree, findings })
        }
    }
}

/// Unpacks the unmanaged and the managed package of one solution into one tree (facts §10).
///
/// # Errors
///
/// [`PackageError::TypeMismatch`] if the packages are not one unmanaged and one managed package of
/// the same solution, else as [`unpack`].
pub fn unpack_both(
    unmanaged: &Package,
    managed: &Package,
    options: &UnpackOptions,
) -> Result<Unpacked, PackageError> {
    let (first, second) = (unmanaged.manifest()?, managed.manifest()?);
    if first.managed || !second.managed {
        let found = |managed| if managed { "managed" } else { "unmanaged" };
        return Err(mismatch(
            Kind::Both,
            &format!("{} and {}", found(first.managed), found(second.managed)),
        ));
    }
    if first.unique_name != second.unique_name {
        return Err(mismatch(
            Kind::Both,
            &format!(
                "the solutions `{}` and `{}`",
                first.unique_name, second.unique_name
            ),
        ));
    }
    let both = Some(Managed::Both);
    let plain = outputs(unmanaged, false, both, options)?;
    let twins = outputs(managed, true, both, options)?;
    let mut findings = plain.findings;
    findings.extend(twins.findings);
    if first.version != second.version {
        findings.push(Finding::warning(
            "ALM-P110",
            super::SOLUTION_FILE,
            format!(
                "the packages have different versions: {} and {}",
                first.version, second.version
            ),
        ));
    }
    let tree = merge::pair(plain.outputs, twins.outputs, &mut findings)?;
    Ok(Unpacked { tree, findings })
}

fn mismatch(asked: Kind, found: &str) -> PackageError {
    PackageError::TypeMismatch {
        asked: asked.to_string(),
        found: found.to_owned(),
    }
}

/// All files of one package, with how they meet those of the other package.
fn outputs(
    package: &Package,
    managed: bool,
    stamp: Option<Managed>,
    options: &UnpackOptions,
) -> Result<Written, PackageError> {
    let part = package.required(super::CUSTOMIZATIONS_XML)?;
    let text = super::xml::decode(&part.name, &part.data)?;
    check_growth(&part.name, &text, &options.limits)?;
    let read = |ends| {
        let mut source = Source::open(package, &part.name, &text, managed, options, ends)?;
        let recipes = components::plan(&mut source)?;
        let mut written = recipe::carry_out(&source, recipes)?;
        written.outputs.push(source.customizations_file()?);
        let solution = source::solution_file(package, stamp, options)?;
        written.outputs.push(solution);
        written.outputs.extend(source.pass_through());
        source.undeclared();
        written.findings.splice(0..0, source.findings);
        Ok(written)
    };
    read(Ends::Searched).or_else(|_: PackageError| read(Ends::Counted))
}

/// Refuses a text whose files would be larger than what all parts together may be.
fn check_growth(part: &str, text: &str, limits: &Limits) -> Result<(), PackageError> {
    let size = growth::indented_size(text, limits.xml_depth, limits.total_bytes)
        .map_err(|fault| fault.in_file(part, text))?;
    if size > limits.total_bytes {
        return Err(PackageError::Limit {
            subject: part.to_owned(),
            limit: limits::ALL_FILES,
            found: size,
            allowed: limits.total_bytes,
        });
    }
    Ok(())
}
