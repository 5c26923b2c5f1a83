//! `alm solution merge`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;

use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::options::Options;
use super::super::render::Output;
use super::report::unusable;
use super::side::{self, Environments};
use crate::solution::merge::{Choices, ComponentChoice, Side, choices, merge};
use crate::solution::{Managed, PackOptions, SourceTree, WriteOptions, locate_source, pack};
use crate::whole_file;

/// Merge what THEIRS changed since BASE into OURS, by component
///
/// Each is a package, a folder, REVISION:FOLDER in the git repository of the current folder, or
/// env:ENVIRONMENT/SOLUTION. Columns, fields, steps of flows and the like are merged one by one, and
/// versions to the higher one. What both sides changed differently is shown as a choice, and nothing
/// is written until all is decided; no file ever holds conflict marks.
///
/// Exit codes: 0 merged and written, 1 there is something to decide or it failed, 2 wrong command
/// line.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// What both sides come from
    base: String,

    /// The side to merge into
    ours: String,

    /// The side that is merged
    theirs: String,

    /// Where to write the result: a new folder, the folder of OURS, or a package (.zip)
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,

    /// Decide on a component or on one place in it, by the id that the choice is shown with
    #[arg(long, value_name = "ID=ours|theirs", value_parser = decision)]
    choose: Vec<(String, Side)>,

    /// Decide on everything else that both sides changed differently
    #[arg(long, value_name = "SIDE")]
    take: Option<Taken>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Taken {
    /// What OURS has
    Ours,
    /// What THEIRS has
    Theirs,
}

/// Reads `29:<id>=ours`. Ids may hold an equals sign themselves.
fn decision(text: &str) -> Result<(String, Side), String> {
    let (id, side) = text.rsplit_once('=').ok_or("write ID=ours or ID=theirs")?;
    let side = match side.to_ascii_lowercase().as_str() {
        "ours" => Side::Ours,
        "theirs" => Side::Theirs,
        "base" => Side::Base,
        _ => return Err(format!("`{side}` is neither ours nor theirs")),
    };
    Ok((id.to_owned(), side))
}

/// Runs `alm solution merge`.
pub fn run(arguments: &MergeArgs, options: &Options, output: Output) -> Result<(), Failure> {
    let place = place(arguments)?;
    let environments = Environments {
        options,
        managed: false,
    };
    let read = |text: &str| side::read(text, None, Some(&environments));
    let base = read(&arguments.base)?.tree;
    let (ours, theirs) = (read(&arguments.ours)?.tree, read(&arguments.theirs)?.tree);
    let mut decided = Choices {
        others: arguments.take.map(|taken| match taken {
            Taken::Ours => Side::Ours,
            Taken::Theirs => Side::Theirs,
        }),
        ..Choices::default()
    };
    for (id, side) in &arguments.choose {
        decided.conflicts.insert(id.clone(), *side);
        decided.components.insert(id.clone(), *side);
    }
    let merged = merge(&base, &ours, &theirs, &decided);
    let unused = arguments.choose.iter().find(|(id, _)| {
        !merged
            .conflicts
            .iter()
            .any(|conflict| conflict.id() == *id || conflict.component.to_string() == *id)
    });
    if let Some((id, _)) = unused {
        let message = format!("there is nothing to decide about `{id}`");
        return Err(Failure::usage("ALM-C001", message)
            .hint("without --choose, the command shows what is to be decided"));
    }
    let open = choices(&merged, &base, &ours, &theirs)?;
    if !open.is_empty() {
        show(&open, output);
        return Err(Failure::already_shown(Exit::Failed));
    }
    let changed = write(&merged.tree, &place)?;
    output.object(&json!({
        "event": "merged",
        "decided": merged.conflicts.len(),
        "output": arguments.output,
        "written": changed,
    }));
    let decided = match merged.conflicts.len() {
        0 => String::new(),
        1 => ", 1 place as chosen".to_owned(),
        count => format!(", {count} places as chosen"),
    };
    output.line(format!(
        "merged into {}{decided}",
        arguments.output.display()
    ));
    Ok(())
}

/// Where the result goes.
enum Place {
    Folder(PathBuf),
    Package(PathBuf),
}

/// Refuses places with something in them that would be lost, before anything is read.
fn place(arguments: &MergeArgs) -> Result<Place, Failure> {
    let out = &arguments.output;
    let is_package = out
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("zip"));
    if is_package {
        return Ok(Place::Package(out.clone()));
    }
    let ours = Path::new(&arguments.ours);
    let same = |a: &Path, b: &Path| match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    };
    if ours.is_dir() && same(out, ours) {
        return Ok(Place::Folder(locate_source(ours)?));
    }
    let is_empty = match out.read_dir() {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    if is_empty {
        return Ok(Place::Folder(out.clone()));
    }
    let message = format!("`{}` is not empty", out.display());
    Err(Failure::usage("ALM-C001", message).hint("give a new folder, or the folder of OURS"))
}

/// Writes the result and tells how many files changed.
fn write(tree: &SourceTree, place: &Place) -> Result<usize, Failure> {
    match place {
        Place::Folder(folder) => {
            let options = WriteOptions {
                // What a side deleted must go from the folder of OURS, too.
                delete_unneeded: true,
                ..WriteOptions::default()
            };
            let report = tree.write_to_dir(folder, &options)?;
            Ok(report.written.len() + report.deleted.len())
        }
        Place::Package(file) => {
            if tree.manifest()?.kind == Managed::Both {
                let message = "the solution is for both package types, so it makes two packages";
                return Err(Failure::usage("ALM-C001", message)
                    .hint("write a folder, and pack it with `alm solution pack`"));
            }
            let bytes = pack(tree, &PackOptions::default())?
                .into_package()
                .to_zip()?;
            whole_file::write(file, &bytes).map_err(|error| unusable(file, &error))?;
            Ok(1)
        }
    }
}

/// Shows what must be decided, each component with what both sides have.
fn show(open: &[ComponentChoice], output: Output) {
    let mut places = 0;
    for choice in open {
        output.object(&json!({ "event": "conflict", "choice": choice }));
        output.line(output.paint("1", &choice.name));
        for decision in &choice.conflicts {
            places += 1;
            let side = |value: &Option<String>| match (value, &decision.base) {
                (Some(value), _) => value.clone(),
                (None, Some(_)) => "(deleted)".to_owned(),
                (None, None) => "(nothing)".to_owned(),
            };
            output.line(format!("  {}", decision.place));
            output.line(format!("    before  {}", side(&decision.base)));
            output.line(format!("    ours    {}", side(&decision.ours)));
            output.line(format!("    theirs  {}", side(&decision.theirs)));
            if choice.conflicts.len() > 1 {
                output.line(format!("    id      {}", decision.id));
            }
        }
        let component = &choice.component;
        output.line(format!(
            "  choose  --choose '{component}=ours' or --choose '{component}=theirs'\n"
        ));
    }
    output.object(&json!({ "event": "undecided", "components": open.len(), "places": places }));
    let word = |count: usize, one: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    };
    output.line(format!(
        "{} to decide in {}; nothing was written (--take ours or --take theirs decides all)",
        word(places, "place"),
        word(open.len(), "component")
    ));
}
