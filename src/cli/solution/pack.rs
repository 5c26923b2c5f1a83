//! `alm solution pack`.

use clap::Args;
use serde_json::json;

use super::super::failure::Failure;
use super::super::render::Output;
use super::arguments::Common;
use super::report::{Report, read_file, unusable};
use super::source;
use crate::solution::{Layout, Mapping, PackOptions, PackageError, Packed, canvas, localise, pack};
use crate::whole_file;

/// Pack a folder into a solution package, as `pac solution pack` does
///
/// The folder can also be one that contains `SolutionPackage/src`, `SolutionPackage` or `src`, in
/// the XML layout or in the YAML layout of Dataverse Git integration.
/// Exit codes: 0 done, 1 failed, 2 wrong command line, 3 a check of the source failed.
#[derive(Debug, Args)]
pub struct PackArgs {
    #[command(flatten)]
    common: Common,

    /// Refuse a folder without the files of a component that its manifest lists; otherwise that is a
    /// warning
    #[arg(long)]
    complete: bool,
}

/// Runs `alm solution pack`.
pub fn run(arguments: &PackArgs, output: Output) -> Result<(), Failure> {
    let common = &arguments.common;
    let mut report = Report::open(common, output)?;
    let packed = make(arguments, &mut report)?;
    report.findings(&packed.findings);
    let both = packed.managed.is_some() && packed.unmanaged.is_some();
    let managed_file = if both {
        common.managed_zipfile()
    } else {
        common.zipfile.clone()
    };
    let made = [
        (packed.unmanaged, common.zipfile.clone()),
        (packed.managed, managed_file),
    ];
    for (package, path) in made {
        let Some(package) = package else { continue };
        let bytes = package.to_zip().map_err(|error| report.failure(error))?;
        whole_file::write(&path, &bytes).map_err(|error| unusable(&path, &error))?;
        let manifest = package.manifest().map_err(|error| report.failure(error))?;
        let kind = if manifest.managed {
            "managed"
        } else {
            "unmanaged"
        };
        let text = format!(
            "packed {} {} ({kind}, {} parts) into {}",
            manifest.unique_name,
            manifest.version,
            package.parts().len(),
            path.display()
        );
        let object = json!({
            "event": "packed",
            "solution": manifest.unique_name,
            "version": manifest.version,
            "managed": manifest.managed,
            "parts": package.parts().len(),
            "file": path,
        });
        report.outcome(&text, &object);
    }
    Ok(())
}

fn make(arguments: &PackArgs, report: &mut Report) -> Result<Packed, Failure> {
    let common = &arguments.common;
    let limits = common.bounds.limits();
    let mut told = Vec::new();
    let mut mapped_files = Vec::new();
    let mapping = match &common.map {
        None => None,
        Some(path) => {
            let bytes = read_file(path)?;
            let variable = |name: &str| std::env::var(name).ok();
            let parsed = Mapping::parse(&path.to_string_lossy(), &bytes, variable);
            let (mapping, findings) = parsed.map_err(|error| report.failure(error))?;
            report.findings(&findings);
            Some(mapping)
        }
    };
    let kind = common.packagetype.map(Into::into);
    let solution = common.solution_name.as_deref();
    let read = source::read(&common.folder, solution, kind, &limits, |tree, home| {
        if let Some(mapping) = &mapping {
            let mapped = mapping.apply(tree, home)?;
            told = mapped.findings;
            mapped_files = mapped.paths;
        }
        Ok(())
    });
    let source = read.map_err(|error| report.failure(error))?;
    report.findings(&told);
    report.files("mapped", &mapped_files);
    report.findings(&source.findings);
    let mut tree = source.tree;
    if common.localize() {
        let merged = localise::merge(&tree).map_err(|error| report.failure(error))?;
        report.findings(&merged.1);
        tree = merged.0;
    }
    if common.process_canvas_apps() {
        report.findings(&canvas::not_put_together(&tree));
    }
    if let Some(kind) = common.single_component() {
        tree = kind.narrow(&tree).map_err(|error| report.failure(error))?;
    }
    let options = PackOptions {
        kind,
        line_ends: common.line_ends.into(),
        // The YAML layout has no managed files of its own.
        plain_for_missing_twin: common.use_unmanaged() || source.layout == Layout::Yaml,
        remap_plugins: common.remap_plugins(),
        complete: arguments.complete,
        limits,
    };
    pack(&tree, &options).map_err(|error: PackageError| report.failure(error))
}
