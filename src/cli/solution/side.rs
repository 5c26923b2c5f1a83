//! One side of a comparison: a package, a folder, a folder of a git revision, or a solution in an
//! environment.

use std::path::Path;

use super::super::env::connect;
use super::super::failure::Failure;
use super::super::interrupt::on_interrupt;
use super::super::options::Options;
use super::report::read_package;
use super::revision;
use super::source::{self, Source};
use crate::environment::ExportOptions;
use crate::solution::{
    Finding, Kind, Limits, Managed, PackOptions, Package, SourceTree, UnpackOptions, pack, unpack,
};
use crate::workspace::Action;

/// A source tree, and whether it came from a package of one kind.
pub struct Side {
    /// The files.
    pub tree: SourceTree,
    /// What reading a folder in the YAML layout had to tell.
    pub findings: Vec<Finding>,
    from_package: bool,
}

/// What begins the name of a side that is a solution in an environment.
const ENVIRONMENT: &str = "env:";

/// The environments of the workspace as far as a comparison needs them.
pub struct Environments<'a> {
    /// Which workspace, and as whom.
    pub options: &'a Options,
    /// Whether solutions are exported managed.
    pub managed: bool,
}

impl Environments<'_> {
    /// Exports `ENVIRONMENT/SOLUTION`, if the persona may.
    fn export(&self, place: &str) -> Result<Package, Failure> {
        let Some((name, solution)) = place.split_once('/') else {
            let message = format!("`{ENVIRONMENT}{place}` names no solution");
            let hint = format!("write {ENVIRONMENT}ENVIRONMENT/SOLUTION");
            return Err(Failure::usage("ALM-C001", message).hint(hint));
        };
        let (workspace, persona) = self.options.open_as()?;
        let of_export = (name, Action::Export);
        let (client, _) = connect(&workspace, &persona, of_export, &on_interrupt())?;
        let options = ExportOptions {
            managed: self.managed,
        };
        Ok(Package::from_zip(
            &client.export_solution(solution, options)?,
        )?)
    }
}

impl Side {
    fn of_folder(source: Source) -> Self {
        Self {
            tree: source.tree,
            findings: source.findings,
            from_package: false,
        }
    }
}

/// Reads a side: the path of a package or folder, `REVISION:FOLDER` in the repository that the
/// current folder belongs to, or, with `environments`, `env:ENVIRONMENT/SOLUTION`.
/// `solution` names one of several in a folder.
pub fn read(
    text: &str,
    solution: Option<&str>,
    environments: Option<&Environments<'_>>,
) -> Result<Side, Failure> {
    let path = Path::new(text);
    if let (Some(place), Some(environments)) = (text.strip_prefix(ENVIRONMENT), environments) {
        let package = environments.export(place)?;
        return Ok(Side {
            tree: unpack(&package, &UnpackOptions::default())?.tree,
            findings: Vec::new(),
            from_package: true,
        });
    }
    if path.is_dir() {
        let source = source::read(path, solution, None, &Limits::default(), |_, _| Ok(()))?;
        return Ok(Side::of_folder(source));
    }
    if path.is_file() {
        let package = read_package(path, &Limits::default())?;
        return Ok(Side {
            tree: unpack(&package, &UnpackOptions::default())?.tree,
            findings: Vec::new(),
            from_package: true,
        });
    }
    match text.split_once(':') {
        Some((revision, folder)) if !revision.is_empty() => {
            let (tree, layout) = revision::tree(revision, folder)?;
            let source = source::in_xml(tree, layout, solution, None)?;
            Ok(Side::of_folder(source))
        }
        _ => Err(Failure::usage(
            "ALM-C001",
            format!("`{text}` is neither a file, nor a folder, nor REVISION:FOLDER"),
        )),
    }
}

/// Brings two sides to the same kind: a folder that holds the managed and the unmanaged solution
/// is taken as what the package on the other side is.
pub fn alike(old: Side, new: Side) -> Result<(SourceTree, SourceTree), Failure> {
    let kind = |side: &Side| side.tree.manifest().map(|manifest| manifest.kind);
    let (a, b) = (kind(&old)?, kind(&new)?);
    let taken = |side: Side, own: Managed, other: Managed, other_is_package: bool| {
        let wanted = match other {
            Managed::Managed => Kind::Managed,
            _ => Kind::Unmanaged,
        };
        if side.from_package || own != Managed::Both || !other_is_package {
            return Ok(side.tree);
        }
        let options = PackOptions {
            kind: Some(wanted),
            ..PackOptions::default()
        };
        let package = pack(&side.tree, &options)?.into_package();
        unpack(&package, &UnpackOptions::default()).map(|unpacked| unpacked.tree)
    };
    let (old_is_package, new_is_package) = (old.from_package, new.from_package);
    Ok((
        taken(old, a, b, new_is_package)?,
        taken(new, b, a, old_is_package)?,
    ))
}
