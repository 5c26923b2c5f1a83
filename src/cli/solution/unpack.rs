//! `alm solution unpack`.

use std::path::Path;

use clap::Args;
use serde_json::json;

use super::super::failure::Failure;
use super::super::render::Output;
use super::arguments::{Common, PackageType, Switch};
use super::report::{Report, unusable};
use crate::solution::canvas::mirror;
use crate::solution::normalise::{NormaliseOptions, normalise};
use crate::solution::{
    Mapping, Package, PackageError, SourceTree, UnpackOptions, Unpacked, WriteOptions, unpack,
    unpack_both,
};

/// Unpack a solution package into a folder, as `pac solution unpack` does
///
/// Only files that changed are touched, and either all of them or none. Exit codes: 0 done,
/// 1 failed, 2 wrong command line.
#[derive(Debug, Args)]
pub struct UnpackArgs {
    #[command(flatten)]
    common: Common,

    /// Delete files that the package does not have; never dot files or files elsewhere
    #[arg(long = "allowDelete", alias = "allowdelete", num_args = 0..=1,
          default_missing_value = "true", value_name = "BOOL", ignore_case = true)]
    allow_delete: Option<Switch>,

    /// Write files; with `false` only report what would be written
    #[arg(long = "allowWrite", alias = "allowwrite", num_args = 0..=1,
          default_missing_value = "true", value_name = "BOOL", ignore_case = true)]
    allow_write: Option<Switch>,

    /// Replace and delete read-only files too
    #[arg(long, short = 'c', num_args = 0..=1, default_missing_value = "true",
          value_name = "BOOL", ignore_case = true)]
    clobber: Option<Switch>,

    /// Take the noise out, as `alm solution normalise` does
    #[arg(long)]
    normalise: bool,

    /// Write the YAML source of each canvas app into CanvasApps/APP_src, for reading
    #[arg(long = "mirrorCanvasApps")]
    mirror_canvas_apps: bool,
}

/// Runs `alm solution unpack`.
pub fn run(arguments: &UnpackArgs, output: Output) -> Result<(), Failure> {
    arguments.common.check()?;
    let mut report = Report::open(&arguments.common, output)?;
    carry_out(arguments, &mut report).map_err(|error| match error {
        Refused::Package(error) => report.failure(error),
        Refused::Command(failure) => failure,
    })
}

enum Refused {
    Package(PackageError),
    Command(Failure),
}

impl From<PackageError> for Refused {
    fn from(error: PackageError) -> Self {
        Self::Package(error)
    }
}

fn carry_out(arguments: &UnpackArgs, report: &mut Report) -> Result<(), Refused> {
    let common = &arguments.common;
    let options = UnpackOptions {
        kind: common.packagetype.map(Into::into),
        line_ends: common.line_ends.into(),
        ..UnpackOptions::default()
    };
    let first = read_package(&common.zipfile)?;
    let unpacked = if common.packagetype == Some(PackageType::Both) {
        unpack_both(&first, &read_package(&common.managed_zipfile())?, &options)?
    } else {
        unpack(&first, &options)?
    };
    let Unpacked { mut tree, findings } = unpacked;
    report.findings(&findings);
    if arguments.normalise {
        let done = normalise(&tree, &NormaliseOptions::default());
        tree = done.map_err(|error| Refused::Command(error.into()))?.tree;
    }
    if arguments.mirror_canvas_apps {
        tree = mirror(&tree)?;
    }
    if let Some(folders) = common.single_component.folders() {
        tree = tree
            .iter()
            .filter(|(path, _)| folders.contains(&path.split('/').next().unwrap_or_default()))
            .map(|(path, data)| (path.to_owned(), data.clone()))
            .collect::<SourceTree>();
    }
    let mut options = WriteOptions {
        // With one kind of component, what is missing says nothing about the others.
        delete_unneeded: Switch::is_on(arguments.allow_delete, false)
            && common.single_component.folders().is_none(),
        overwrite_read_only: Switch::is_on(arguments.clobber, false),
        dry_run: !Switch::is_on(arguments.allow_write, true),
        ..WriteOptions::default()
    };
    if let Some(path) = &common.map {
        let bytes = std::fs::read(path).map_err(|e| Refused::Command(unusable(path, &e)))?;
        let variable = |name: &str| std::env::var(name).ok();
        let (mapping, findings) = Mapping::parse(&path.to_string_lossy(), &bytes, variable)?;
        report.findings(&findings);
        let mapped = mapping.withhold(&mut tree, &common.folder);
        report.findings(&mapped.findings);
        report.files("mapped", &mapped.paths);
        options.keep = mapped.paths.into_iter().collect();
    }
    let done = tree.write_to_dir(&common.folder, &options)?;
    report.files("written", &done.written);
    report.files("deleted", &done.deleted);
    report.files("unnecessary", &done.unneeded);
    let verb = if options.dry_run {
        "would write"
    } else {
        "wrote"
    };
    let mut text = format!(
        "{verb} {} of {} files into {}",
        done.written.len(),
        tree.len(),
        common.folder.display()
    );
    if !done.deleted.is_empty() {
        text.push_str(&format!("; deleted {}", done.deleted.len()));
    }
    if !done.unneeded.is_empty() {
        text.push_str(&format!(
            "; {} unnecessary files were left",
            done.unneeded.len()
        ));
    }
    let object = json!({ "event": "unpacked", "plan": options.dry_run, "files": tree.len(), "report": done });
    report.outcome(&text, &object);
    Ok(())
}

fn read_package(path: &Path) -> Result<Package, Refused> {
    let bytes = std::fs::read(path).map_err(|error| Refused::Command(unusable(path, &error)))?;
    Ok(Package::from_zip(&bytes)?)
}
