//! `alm solution info`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::super::failure::Failure;
use super::super::render::{Output, Table};
use super::report::read_package;
use super::source;
use crate::problem::Problem;
use crate::solution::component::{
    Component, ComponentError, components, components_of_tree, kinds,
};
use crate::solution::{Limits, Managed, Manifest};

/// Tell what a package or a folder holds: name, version, publisher, components by kind
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
    let Held {
        manifest,
        files,
        components,
    } = read(&arguments.path, arguments.solution_name.as_deref())?;
    let kind = match manifest.kind {
        Managed::Unmanaged => "unmanaged",
        Managed::Managed => "managed",
        Managed::Both => "both",
    };
    let counts = components.as_deref().map(kinds).unwrap_or_default();
    let told: serde_json::Map<String, serde_json::Value> = counts
        .iter()
        .map(|(kind, count)| (kind.clone(), json!(count)))
        .collect();
    output.object(&json!({
        "event": "solution",
        "files": files,
        "components": components.is_ok().then_some(told),
        "manifest": manifest,
    }));
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
    if let Err(error) = &components {
        // The manifest can be read, which is what the command is mostly asked for.
        output.note(format!(
            "warning: {}: the components are not counted: {error}",
            error.code()
        ));
    }
    if !output.json() && !counts.is_empty() {
        output.line("");
        let mut table = Table::new(["components", "count"]);
        for (kind, count) in &counts {
            table.row([json!(kind), json!(count)]);
        }
        table.write(output, "");
    }
    if !output.json() && !manifest.root_components.is_empty() {
        output.line("");
        let mut table = Table::new(["type", "root component", "behavior"]);
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

/// What a package or a folder holds.
struct Held {
    manifest: Manifest,
    files: usize,
    components: Result<Vec<Component>, ComponentError>,
}

fn read(path: &Path, solution: Option<&str>) -> Result<Held, Failure> {
    if path.is_dir() {
        let tree = source::read(path, solution, None, &Limits::default(), |_, _| Ok(()))?.tree;
        return Ok(Held {
            manifest: tree.manifest()?,
            files: tree.len(),
            components: components_of_tree(&tree),
        });
    }
    let package = read_package(path, &Limits::default())?;
    Ok(Held {
        manifest: package.manifest()?,
        files: package.parts().len(),
        components: components(&package),
    })
}
