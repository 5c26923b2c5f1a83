//! A folder with an unpacked solution in either layout, as the commands read it.

use std::path::Path;

use crate::solution::{
    Finding, Kind, Layout, Limits, PackageError, SourceTree, locate_layout, repair, yaml,
};

/// A solution in the XML layout, and what was left out when it came from the other one.
pub struct Source {
    /// The files.
    pub tree: SourceTree,
    /// What reading the YAML layout had to tell, and a write that was cut off.
    pub findings: Vec<Finding>,
    /// The layout of the folder.
    pub layout: Layout,
}

/// Reads the solution in a folder. `prepare` may change the files as they lie there.
///
/// # Errors
///
/// As [`locate_layout`], [`SourceTree::from_dir_within`] and [`yaml::read_tree`].
pub fn read(
    folder: &Path,
    solution: Option<&str>,
    kind: Option<Kind>,
    limits: &Limits,
    prepare: impl FnOnce(&mut SourceTree, &Path) -> Result<(), PackageError>,
) -> Result<Source, PackageError> {
    let (home, layout) = locate_layout(folder)?;
    let mut repaired = repair(&home)?;
    let mut tree = SourceTree::from_dir_within(&home, limits)?;
    prepare(&mut tree, &home)?;
    let mut source = in_xml(tree, layout, solution, kind)?;
    repaired.append(&mut source.findings);
    source.findings = repaired;
    Ok(source)
}

/// A tree of either layout in the XML layout.
///
/// # Errors
///
/// As [`yaml::read_tree`].
pub fn in_xml(
    tree: SourceTree,
    layout: Layout,
    solution: Option<&str>,
    kind: Option<Kind>,
) -> Result<Source, PackageError> {
    let (tree, findings) = match layout {
        Layout::Xml => (tree, Vec::new()),
        Layout::Yaml => yaml::read_tree(&tree, solution, kind)?,
    };
    Ok(Source {
        tree,
        findings,
        layout,
    })
}
