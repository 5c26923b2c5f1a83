//! From a source tree to a package, as SolutionPackager packs it (facts §5 to §11).
//!
//! First the files of each collection are listed in the order they are packed in, then every file
//! is read and written as a fragment on all cores, then the fragments are joined.

mod assemble;
mod built;
mod entity;
mod files;
mod listing;
mod plugin_remap;
mod relationships;
mod templates;

use super::checks;
use super::container::Part;
use super::manifest::Managed;
use super::xml::outline::Outline;
use super::xml::scan::{Scanner, Tag};
use super::xml::write::{Divert, Namespaces, Writer};
use super::xml::{Fault, decode};
use super::{
    CUSTOMIZATIONS_FILE, CUSTOMIZATIONS_XML, Finding, Kind, Limits, LineEnds, Package,
    PackageError, SOLUTION_FILE, SOLUTION_XML, SourceTree,
};
use crate::portable_path::hide_dots;
use listing::Listing;

/// How a tree is packed.
#[derive(Debug, Clone)]
pub struct PackOptions {
    /// The type to make; none makes what the tree says, which can be both.
    pub kind: Option<Kind>,
    /// Line ends of the two XML files at the root of the package.
    pub line_ends: LineEnds,
    /// For a managed package, take the plain file where the twin is missing (facts §10).
    pub plain_for_missing_twin: bool,
    /// Rewrite the names of plug-in types if an assembly has another identity than its data file
    /// says (facts §15).
    pub remap_plugins: bool,
    /// Whether it is an error, and no warning as in Microsoft's packager, that the tree has no files of
    /// a component which the manifest lists.
    pub complete: bool,
    /// Bounds for what is read.
    pub limits: Limits,
}

impl Default for PackOptions {
    fn default() -> Self {
        Self {
            kind: None,
            line_ends: LineEnds::default(),
            plain_for_missing_twin: true,
            remap_plugins: true,
            complete: false,
            limits: Limits::default(),
        }
    }
}

/// One or two packages, and what is worth knowing about how they came about.
#[derive(Debug, Clone)]
pub struct Packed {
    /// The unmanaged package, if it was asked for.
    pub unmanaged: Option<Package>,
    /// The managed package, if it was asked for.
    pub managed: Option<Package>,
    /// What was left out or is suspicious.
    pub findings: Vec<Finding>,
}

impl Packed {
    /// The only package, or the unmanaged one of two.
    pub fn into_package(self) -> Package {
        self.unmanaged.or(self.managed).unwrap_or_default()
    }
}

/// Packs a tree.
///
/// # Errors
///
/// [`PackageError::NotATree`] or [`PackageError::Layout`] if this is no unpacked solution,
/// [`PackageError::TypeMismatch`] if the tree cannot give the type asked for,
/// [`PackageError::Checks`] with all findings at once if the package would not be importable,
/// [`PackageError::Xml`], [`PackageError::Component`], [`PackageError::Collision`].
pub fn pack(tree: &SourceTree, options: &PackOptions) -> Result<Packed, PackageError> {
    super::locate::require_xml_layout(tree)?;
    let manifest = tree.manifest()?;
    let kind = match (options.kind, manifest.kind) {
        (None, Managed::Unmanaged) => Kind::Unmanaged,
        (None, Managed::Managed) => Kind::Managed,
        (None, Managed::Both) => Kind::Both,
        (Some(Kind::Unmanaged), Managed::Unmanaged | Managed::Both) => Kind::Unmanaged,
        (Some(Kind::Managed), Managed::Managed | Managed::Both) => Kind::Managed,
        (Some(Kind::Both), Managed::Both) => Kind::Both,
        (Some(asked), found) => {
            return Err(PackageError::TypeMismatch {
                asked: asked.to_string(),
                found: match found {
                    Managed::Unmanaged => "a folder of an unmanaged package".to_owned(),
                    Managed::Managed => "a folder of a managed package".to_owned(),
                    Managed::Both => "a folder of both".to_owned(),
                },
            });
        }
    };
    let mut packed = Packed {
        unmanaged: None,
        managed: None,
        findings: Vec::new(),
    };
    if kind != Kind::Managed {
        packed.unmanaged = Some(one(tree, false, options, &mut packed.findings)?);
    }
    if kind != Kind::Unmanaged {
        let mut findings = Vec::new();
        packed.managed = Some(one(tree, true, options, &mut findings)?);
        findings.retain(|finding| !packed.findings.contains(finding));
        packed.findings.extend(findings);
    }
    Ok(packed)
}

/// Packs one of the two packages.
fn one(
    tree: &SourceTree,
    managed: bool,
    options: &PackOptions,
    findings: &mut Vec<Finding>,
) -> Result<Package, PackageError> {
    let shown = listing::shown(tree);
    let listing = Listing::new(&shown)?;
    let skeleton = tree
        .get(CUSTOMIZATIONS_FILE)
        .ok_or_else(|| PackageError::NotATree {
            missing: CUSTOMIZATIONS_FILE.to_owned(),
        })?;
    let skeleton = decode(CUSTOMIZATIONS_FILE, skeleton)?;
    let mut assembled = assemble::customizations(&skeleton, listing, managed, options)?;
    let solution = solution_part(tree, managed, options)?;
    let manifest = tree.manifest()?;
    assembled.findings.extend(checks::check(
        tree,
        &manifest,
        &assembled.present,
        options.complete,
    )?);
    for finding in &mut assembled.findings {
        // Said of the file that is there to be looked at.
        finding.file = hide_dots(&finding.file).into_owned();
    }
    if assembled.findings.iter().any(Finding::is_error) {
        findings.extend(assembled.findings);
        return Err(PackageError::Checks {
            findings: std::mem::take(findings),
        });
    }
    findings.extend(assembled.findings);
    let mut parts = vec![
        Part {
            name: CUSTOMIZATIONS_XML.to_owned(),
            data: assembled.customizations.into(),
        },
        Part {
            name: SOLUTION_XML.to_owned(),
            data: solution.into(),
        },
    ];
    parts.extend(assembled.parts);
    let mut package = Package::from_parts(parts)?;
    package.declare_content_types();
    Ok(package)
}

/// `solution.xml`: the file as it stands with the type of this package.
fn solution_part(
    tree: &SourceTree,
    managed: bool,
    options: &PackOptions,
) -> Result<Vec<u8>, PackageError> {
    struct Stamp(bool);
    impl<'a> Divert<'a> for Stamp {
        type Error = Fault;

        fn wants(&self, depth: usize, name: &str) -> bool {
            depth == 2 && name == "Managed"
        }
        fn take(
            &mut self,
            writer: &mut Writer<'a>,
            scanner: &mut Scanner<'a>,
            tag: Tag<'a>,
        ) -> Result<(), Fault> {
            scanner.element(tag)?;
            writer.begin(tag.name, "");
            writer.text(if self.0 { "1" } else { "0" });
            writer.end();
            Ok(())
        }
    }
    let data = tree.get(SOLUTION_FILE).unwrap_or_default();
    let text = decode(SOLUTION_FILE, data)?;
    let outline = Outline {
        text: &text,
        deepest: options.limits.xml_depth,
    };
    let mut writer = Writer::file(options.line_ends.text(), text.len());
    let written = outline.root().and_then(|root| {
        writer.prolog(&text, 0..root.span.start)?;
        writer.copy_diverting(outline, &root, Namespaces::Keep, &mut Stamp(managed))?;
        writer.prolog(&text, root.span.end..text.len())
    });
    written.map_err(|fault| fault.in_file(SOLUTION_FILE, &text))?;
    Ok(writer.finish())
}
