//! `alm solution info`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::super::failure::Failure;
use super::super::render::{Output, Table};
use super::report::read_package;
use super::source;
use crate::solution::{Limits, Managed, Manifest};

/// Tell what a package or a folder holds: name, version, publisher, root components
#[derive(Debug, Args)]
pub struct InfoArgs {
    /// A solution package or a folder
    path: PathBuf,

    /// Which solution, if the folder holds several
    #[arg(long = "solutionName", value_name = "NAME")]
    solution_name: Option<String>,
}

/// Runs `alm solution info`.
pub fn run(arguments: &InfoArgs, output: Output) -> Result<(), Failure> {
    let (manifest, files) = read(&arguments.path, arguments.solution_name.as_deref())?;
    let kind = match manifest.kind {
        Managed::Unmanaged => "unmanaged",
        Managed::Managed => "managed",
        Managed::Both => "both",
    };
    output.object(&json!({ "event": "solution", "files": files, "manifest": manifest }));
    output.line(format!(
        "{} {} ({kind})\n  {}\n  publisher {} (prefix {})\n  {files} files, {} root components, {} missing dependencies",
        manifest.unique_name,
        manifest.version,
        manifest.display_name,
        manifest.publisher.unique_name,
        manifest.publisher.prefix,
        manifest.root_components.len(),
        manifest.missing_dependencies.len(),
    ));
    if !output.json() && !manifest.root_components.is_empty() {
        output.line("");
        let mut table = Table::new(["type", "component", "behavior"]);
        for root in &manifest.root_components {
            let name = root.schema_name.as_ref().or(root.id.as_ref());
            table.row([
                json!(root.component_type),
                json!(name),
                json!(root.behavior),
            ]);
        }
        table.write(output, "");
    }
    Ok(())
}

fn read(path: &Path, solution: Option<&str>) -> Result<(Manifest, usize), Failure> {
    if path.is_dir() {
        let tree = source::read(path, solution, None, &Limits::default(), |_, _| Ok(()))?.tree;
        return Ok((tree.manifest()?, tree.len()));
    }
    let package = read_package(path, &Limits::default())?;
    Ok((package.manifest()?, package.parts().len()))
}
