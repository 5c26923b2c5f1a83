//! `alm solution normalise`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::render::{Output, Table};
use super::report::Report;
use crate::solution::normalise::{NormaliseOptions, RULES, normalise};
use crate::solution::{SourceTree, WriteOptions, locate_source};

/// Take the noise out of an unpacked solution, so that a commit shows only what was done
///
/// Applies named rules; `--list` tells what each does. Those that are on by default never change
/// what the packed solution means. Exit codes: 0 done, 1 failed, 2 wrong command line, 3 with
/// --check there is noise.
#[derive(Debug, Args)]
pub struct NormaliseArgs {
    /// The folder of the unpacked solution
    #[arg(default_value = ".")]
    folder: PathBuf,

    /// Apply this rule too
    #[arg(long, value_name = "RULE")]
    with: Vec<String>,

    /// Do not apply this rule; `all` for none of the usual ones
    #[arg(long, value_name = "RULE")]
    without: Vec<String>,

    /// Show all rules
    #[arg(long)]
    list: bool,

    /// Change nothing; tell what would be changed
    #[arg(long)]
    plan: bool,

    /// Change nothing; fail if something would be changed
    #[arg(long)]
    check: bool,
}

/// Runs `alm solution normalise`.
pub fn run(arguments: &NormaliseArgs, output: Output) -> Result<(), Failure> {
    if arguments.list {
        let mut table = Table::new(["rule", "default", "keeps meaning", "about"]);
        for rule in RULES {
            let default = if rule.by_default { "on" } else { "off" };
            let keeps = if rule.keeps_meaning { "yes" } else { "no" };
            table.row([
                json!(rule.name),
                json!(default),
                json!(keeps),
                json!(rule.about),
            ]);
        }
        table.write(output, "");
        return Ok(());
    }
    let folder = locate_source(&arguments.folder)?;
    let options = NormaliseOptions {
        with: arguments.with.clone(),
        without: arguments.without.clone(),
    };
    Report::repaired(&folder, output)?;
    let done = normalise(&SourceTree::from_dir(&folder)?, &options)?;
    let dry_run = arguments.plan || arguments.check;
    let write = WriteOptions {
        // All files of the folder are in the tree, so what is missing is what a rule left out.
        delete_unneeded: true,
        dry_run,
        ..WriteOptions::default()
    };
    let report = done.tree.write_to_dir(&folder, &write)?;
    for (rule, files) in &done.changed {
        output.object(&json!({ "event": "rule", "rule": rule, "files": files }));
        output.line(format!("{rule}:"));
        files
            .iter()
            .for_each(|file| output.line(format!("  {file}")));
    }
    let count = report.written.len() + report.deleted.len();
    let verb = if dry_run { "would change" } else { "changed" };
    output.object(&json!({ "event": "normalised", "plan": dry_run, "report": report }));
    output.line(format!("{verb} {count} of {} files", done.tree.len()));
    if arguments.check && count > 0 {
        return Err(Failure::already_shown(Exit::Findings));
    }
    Ok(())
}
