//! The YAML layout of Dataverse Git integration and of `pac` from 2.4.1 on (facts §17).
//!
//! A folder of this layout holds one or several solutions: `solutions/<name>/` says what each is
//! and lists, in `solutioncomponents.yml`, which of the shared component folders belong to it. The
//! files mirror the XML of a package element by element ([`element`]). So a folder is read into a
//! [`Package`], and a package is written as a folder; everything else (checks, plug-in names,
//! differences) goes through the package.
//!
//! What is known comes from Microsoft's reference of the layout, from what people found who pack
//! such folders with Microsoft's tool, and from published folders: which components have a folder,
//! the names of most files, and how XML is mirrored. [`forms`] marks each kind of component as
//! documented or not. Reading takes every kind that it can place. Writing refuses, all at once, a
//! package with kinds whose form is not documented, unless it is told to write them by the pattern
//! of the others.

mod element;
mod forms;
mod manifest;
mod reader;
mod value;
mod writer;

use super::{
    Finding, Kind, LineEnds, Managed, Package, PackageError, SOLUTION_FILE, SourceTree,
    UnpackOptions, unpack,
};
use crate::solution::Limits;
use crate::solution::component::fragment::Edits;
use crate::solution::xml::outline::Outline;
use crate::solution::xml::{Fault, decode};

/// A component that `solutioncomponents.yml` lists has no files.
const LISTED_ONLY: &str = "ALM-P180";
/// Files of a listed table that no solution lists.
const NOT_LISTED: &str = "ALM-P181";
/// A kind of component whose form in this layout is not documented.
const UNDOCUMENTED: &str = "ALM-P182";
/// The list of languages cannot be kept.
const LANGUAGES: &str = "ALM-P183";
/// Something has no place in this layout.
const NO_PLACE: &str = "ALM-P184";
/// A YAML file that stands for no component that is known.
const NOT_UNDERSTOOD: &str = "ALM-P185";

/// How a package is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriteOptions {
    /// Also write kinds of components whose form is not documented, by the pattern of the others.
    pub undocumented: bool,
    /// Line ends of the files.
    pub line_ends: LineEnds,
}

/// The names of the solutions in a folder of this layout, sorted; none if it is another layout.
pub fn solutions(tree: &SourceTree) -> Vec<String> {
    let names = tree.paths().filter_map(|path| {
        let steps: Vec<&str> = path.split('/').collect();
        match steps.as_slice() {
            [top, name, file]
                if top.eq_ignore_ascii_case("solutions")
                    && file.eq_ignore_ascii_case("solution.yml") =>
            {
                Some((*name).to_owned())
            }
            _ => None,
        }
    });
    names.collect()
}

/// A solution of a folder as a package, and what was left out or could not be understood.
///
/// `solution` names it if the folder holds several.
///
/// # Errors
///
/// [`PackageError::WhichSolution`], [`PackageError::NotATree`] if a manifest is missing,
/// [`PackageError::Yaml`], [`PackageError::Xml`], [`PackageError::Collision`].
pub fn read(
    tree: &SourceTree,
    solution: Option<&str>,
) -> Result<(Package, Vec<Finding>), PackageError> {
    reader::read(tree, solution)
}

/// A solution of a folder in the XML layout. `kind` is what shall be made of it: the layout has no
/// separate managed files, so that a managed package is made from the same ones.
///
/// # Errors
///
/// As [`read`] and [`unpack`].
pub fn read_tree(
    tree: &SourceTree,
    solution: Option<&str>,
    kind: Option<Kind>,
) -> Result<(SourceTree, Vec<Finding>), PackageError> {
    let (package, mut findings) = read(tree, solution)?;
    let unpacked = unpack(&package, &UnpackOptions::default())?;
    findings.extend(unpacked.findings);
    let mut xml = unpacked.tree;
    let wants_managed = matches!(kind, Some(Kind::Managed | Kind::Both));
    if wants_managed && xml.manifest()?.kind == Managed::Unmanaged {
        let both = as_both(xml.get(SOLUTION_FILE).unwrap_or_default())?;
        xml.insert(SOLUTION_FILE, both)?;
    }
    for (path, data) in tree.iter() {
        if path.starts_with("Resources/") {
            xml.insert(path, data.clone())?;
        }
    }
    Ok((xml, findings))
}

/// `Other/Solution.xml` of a folder that packs into either type.
fn as_both(data: &[u8]) -> Result<String, PackageError> {
    let text = decode(SOLUTION_FILE, data)?;
    let outline = Outline {
        text: &text,
        deepest: Limits::default().xml_depth,
    };
    let place = || -> Result<Option<std::ops::Range<usize>>, Fault> {
        let root = outline.root()?;
        let Some(manifest) = outline.child(root.inner, "SolutionManifest")? else {
            return Ok(None);
        };
        Ok(outline.child(manifest.inner, "Managed")?.map(|e| e.inner))
    };
    let place = place().map_err(|fault| fault.in_file(SOLUTION_FILE, &text))?;
    let mut edits = Edits::default();
    if let Some(place) = place {
        edits.replace(place.start, place.end, "2");
    }
    Ok(format!("\u{feff}{}", edits.apply(&text)))
}

/// A package as a folder of this layout.
///
/// # Errors
///
/// [`PackageError::NoYamlForm`] with all kinds that have no documented form,
/// [`PackageError::Component`] for an element that YAML cannot mirror, [`PackageError::Xml`],
/// [`PackageError::Collision`].
pub fn write(
    package: &Package,
    options: &WriteOptions,
) -> Result<(SourceTree, Vec<Finding>), PackageError> {
    writer::write(package, options)
}
