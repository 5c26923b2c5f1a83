//! `alm solution unpack`.

use clap::{Args, ValueEnum};
use serde_json::json;

use super::super::failure::Failure;
use super::super::render::Output;
use super::arguments::{Common, PackageType};
use super::remembered::Remembered;
use super::report::{Report, Told, open_package, read_file, unusable};
use crate::solution::canvas;
use crate::solution::localise::{ExtractOptions, Template, extract};
use crate::solution::normalise::{NormaliseOptions, normalise};
use crate::solution::{
    Finding, Managed, Mapping, PackOptions, PackageError, SourceTree, UnpackOptions, Unpacked,
    WriteOptions, WriteReport, pack, repair, unpack, unpack_both, yaml,
};

/// Unpack a solution package into a folder, as `pac solution unpack` does
///
/// Only files that changed are touched, and either all of them or none. Exit codes: 0 done,
/// 1 failed, 2 wrong command line.
#[derive(Debug, Args)]
pub struct UnpackArgs {
    #[command(flatten)]
    common: Common,

    /// Which layout to write
    #[arg(long, value_name = "LAYOUT", ignore_case = true, default_value = "xml")]
    layout: LayoutArg,

    /// In the YAML layout, also write components whose form there is not documented
    ///
    /// They follow the pattern of the others, with a warning each; this program reads them back,
    /// other tools may not. Without it a solution that has such components is refused.
    #[arg(long)]
    undocumented: bool,

    /// Take the noise out, as `alm solution normalise` does
    #[arg(long)]
    normalise: bool,

    /// Write the YAML source of each canvas app into CanvasApps/APP_src, for reading
    #[arg(long = "mirrorCanvasApps")]
    mirror_canvas_apps: bool,
}

/// A layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LayoutArg {
    /// XML files, as SolutionPackager has always written them
    Xml,
    /// YAML files, as Dataverse Git integration writes them
    Yaml,
}

/// Runs `alm solution unpack`.
pub fn run(arguments: &UnpackArgs, output: Output) -> Result<(), Failure> {
    let mut report = Report::open(&arguments.common, output)?;
    carry_out(arguments, &mut report).map_err(|error| match error {
        Refused::Package(error) => report.failure(error),
        Refused::Command(failure) => report.failed(failure),
    })
}

enum Refused {
    Package(PackageError),
    Command(Failure),
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Command(failure)
    }
}

impl From<PackageError> for Refused {
    fn from(error: PackageError) -> Self {
        Self::Package(error)
    }
}

fn carry_out(arguments: &UnpackArgs, report: &mut Report) -> Result<(), Refused> {
    let common = &arguments.common;
    let mut archives = vec![read_file(&common.zipfile)?];
    if common.packagetype == Some(PackageType::Both) {
        archives.push(read_file(&common.managed_zipfile())?);
    }
    // What mapped files are like is not known beforehand, and a rehearsal is not worth remembering.
    // In the YAML layout the folder can belong to other solutions too.
    let is_yaml = arguments.layout == LayoutArg::Yaml;
    report.findings(&repair(&common.folder)?);
    let remembered = if common.map.is_none() && common.allow_write() && !is_yaml {
        let archives: Vec<&[u8]> = archives.iter().map(Vec::as_slice).collect();
        Remembered::call(&common.folder, arguments, &archives)
    } else {
        None
    };
    let known = remembered.as_ref();
    if let Some(outcome) = known.and_then(|known| known.recall(&common.folder)) {
        outcome.told.iter().for_each(|told| report.tell(told));
        let unchanged = WriteReport {
            unchanged: outcome.imprint.len(),
            ..WriteReport::default()
        };
        tell(common, report, outcome.imprint.len(), &unchanged);
        return Ok(());
    }
    let (mut tree, findings) = unpacked(arguments, &archives, report)?;
    drop(archives);
    let mut options = WriteOptions {
        // With one kind of component, what is missing says nothing about the others.
        delete_unneeded: common.allow_delete()
            && common.single_component().is_none()
            && !(is_yaml && holds_others(common, &tree)?),
        overwrite_read_only: common.clobber(),
        dry_run: !common.allow_write(),
        ..WriteOptions::default()
    };
    if let Some(path) = &common.map {
        let bytes = read_file(path).map_err(Refused::Command)?;
        let variable = |name: &str| std::env::var(name).ok();
        let (mapping, more) = Mapping::parse(&path.to_string_lossy(), &bytes, variable)?;
        report.findings(&more);
        let mapped = mapping.withhold(&mut tree, &common.folder);
        report.findings(&mapped.findings);
        report.files("mapped", &mapped.paths);
        options.keep = mapped.paths.into_iter().collect();
    }
    let done = tree.write_to_dir(&common.folder, &options)?;
    tell(common, report, tree.len(), &done);
    if let Some(remembered) = remembered.filter(|_| done.unneeded.is_empty()) {
        remembered.keep(&tree, findings.iter().map(Told::from).collect());
    }
    Ok(())
}

/// The tree of the archives after everything that was asked for, and what there was to tell, which
/// has been told.
fn unpacked(
    arguments: &UnpackArgs,
    archives: &[Vec<u8>],
    report: &mut Report,
) -> Result<(SourceTree, Vec<Finding>), Refused> {
    let common = &arguments.common;
    let options = UnpackOptions {
        kind: common.packagetype.map(Into::into),
        line_ends: common.line_ends.into(),
        limits: common.bounds.limits(),
    };
    let first = open_package(&common.zipfile, &archives[0], &options.limits)?;
    let unpacked = match archives.get(1) {
        Some(managed) => {
            let managed = open_package(&common.managed_zipfile(), managed, &options.limits)?;
            unpack_both(&first, &managed, &options)?
        }
        None => unpack(&first, &options)?,
    };
    let Unpacked {
        mut tree,
        mut findings,
    } = unpacked;
    report.findings(&findings);
    let mut tell = |more: Vec<Finding>| {
        report.findings(&more);
        findings.extend(more);
    };
    if arguments.normalise {
        let done = normalise(&tree, &NormaliseOptions::default());
        tree = done.map_err(|error| Refused::Command(error.into()))?.tree;
    }
    if common.process_canvas_apps() {
        tell(canvas::not_taken_apart(&tree));
    }
    let is_yaml = arguments.layout == LayoutArg::Yaml;
    if arguments.mirror_canvas_apps || (common.process_canvas_apps() && !is_yaml) {
        tree = canvas::mirror(&tree, &common.bounds.limits())?;
    }
    if let Some(options) = localising(common, &tree)? {
        let (localised, findings) = extract(&tree, &options)?;
        tell(findings);
        tree = localised;
    }
    if let Some(kind) = common.single_component() {
        tree = kind.files(&tree);
    }
    if is_yaml {
        let (written, findings) = in_yaml(arguments, &tree)?;
        tell(findings);
        tree = written;
    }
    Ok((tree, findings))
}

/// Tells what was written, or would be.
fn tell(common: &Common, report: &mut Report, files: usize, done: &WriteReport) {
    report.files("written", &done.written);
    report.files("deleted", &done.deleted);
    report.files("unnecessary", &done.unneeded);
    let plan = !common.allow_write();
    let mut text = format!(
        "{} {} of {files} files into {}",
        if plan { "would write" } else { "wrote" },
        done.written.len(),
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
    let object = json!({ "event": "unpacked", "plan": plan, "files": files, "report": done });
    report.outcome(&text, &object);
}

/// The tree in the YAML layout, with the resource files that it has.
fn in_yaml(
    arguments: &UnpackArgs,
    tree: &SourceTree,
) -> Result<(SourceTree, Vec<Finding>), Refused> {
    let common = &arguments.common;
    let refused = |what: &str| {
        let message = format!("{what} cannot be written in the YAML layout");
        Err(Refused::Command(Failure::usage("ALM-C003", message)))
    };
    if common.packagetype == Some(PackageType::Both) {
        return refused("the managed package beside the unmanaged one");
    }
    if common.single_component().is_some() {
        return refused("a single kind of component");
    }
    if arguments.mirror_canvas_apps {
        return refused("copies of canvas apps' source");
    }
    let package = pack(tree, &PackOptions::default())?.into_package();
    let options = yaml::WriteOptions {
        undocumented: arguments.undocumented,
        line_ends: common.line_ends.into(),
    };
    let (mut written, findings) = yaml::write(&package, &options)?;
    for (path, data) in tree.iter() {
        if path.starts_with("Resources/") {
            written.insert(path, data.clone())?;
        }
    }
    Ok((written, findings))
}

/// Whether the folder holds other solutions, whose components nothing here knows.
fn holds_others(common: &Common, tree: &SourceTree) -> Result<bool, Refused> {
    let own = yaml::solutions(tree);
    let entries = match std::fs::read_dir(common.folder.join("solutions")) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Refused::Command(unusable(&common.folder, &error))),
    };
    Ok(entries.flatten().any(|entry| {
        let name = entry.file_name();
        !own.iter().any(|own| **own == *name)
    }))
}

/// How texts are extracted, if they are.
fn localising(common: &Common, tree: &SourceTree) -> Result<Option<ExtractOptions>, Refused> {
    let template = match &common.source_loc {
        None => None,
        Some(language) => Some(Template::parse(language).ok_or_else(|| {
            let message = format!("`{language}` is no language that is known");
            let hint = "Give `auto`, a name such as `en-US`, or a number such as `1033`.";
            Refused::Command(Failure::usage("ALM-C003", message).hint(hint))
        })?),
    };
    if !common.localize() && template.is_none() {
        return Ok(None);
    }
    if common.single_component().is_some() {
        let message = "resource files hold the texts of all components";
        let failure = Failure::usage("ALM-C003", message);
        let hint = "Leave out --localize and --sourceLoc, or --singleComponent.";
        return Err(Refused::Command(failure.hint(hint)));
    }
    let both = common.packagetype == Some(PackageType::Both);
    let source = match both {
        true => common.managed_zipfile(),
        false => common.zipfile.clone(),
    };
    let package_type = match (both, tree.manifest()?.kind) {
        (true, _) | (_, Managed::Both) => "Both",
        (_, Managed::Managed) => "Managed",
        (_, Managed::Unmanaged) => "Unmanaged",
    };
    Ok(Some(ExtractOptions {
        languages: common.localize(),
        template,
        by_number: common.use_lcid(),
        source_file: source
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        package_type: package_type.to_owned(),
        line_ends: common.line_ends.into(),
    }))
}
