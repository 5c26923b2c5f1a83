//! `alm solution check`.

use clap::Args;
use serde_json::json;

use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::render::Output;
use super::side;
use crate::solution::{
    Finding, Limits, PackOptions, PackageError, Severity, canvas, pack, secrets,
};

/// Look for mistakes before anything is packed or imported
///
/// Tells likely secrets in flows, variables and scripts, sizes and names that a service refuses,
/// what packing would refuse, and what the app checker said about canvas apps, each with its file
/// and line. SOLUTION is a package, a folder or REVISION:FOLDER. Exit codes: 0 nothing but notes,
/// 1 failed, 2 wrong command line, 3 warnings or errors were found.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// What to check
    #[arg(default_value = ".")]
    solution: String,

    /// Which solution, if the folder holds several
    #[arg(long = "solutionName", value_name = "NAME")]
    solution_name: Option<String>,

    /// Show notes too
    #[arg(long)]
    notes: bool,
}

/// Runs `alm solution check`.
pub fn run(arguments: &CheckArgs, output: Output) -> Result<(), Failure> {
    let side = side::read(
        &arguments.solution,
        arguments.solution_name.as_deref(),
        None,
    )?;
    let tree = side.tree;
    let mut findings = match pack(&tree, &PackOptions::default()) {
        Ok(packed) => packed.findings,
        Err(PackageError::Checks { findings }) => findings,
        Err(error) => return Err(error.into()),
    };
    findings.extend(side.findings);
    findings.extend(secrets::secrets(&tree));
    findings.extend(secrets::limits(&tree));
    findings.extend(canvas::findings(&tree, &Limits::default()));
    findings.sort_by(|a, b| (b.severity, &a.file, a.line).cmp(&(a.severity, &b.file, b.line)));
    findings.dedup();
    let (notes, serious): (Vec<&Finding>, Vec<&Finding>) = findings
        .iter()
        .partition(|finding| finding.severity == Severity::Note);
    let shown = serious
        .iter()
        .chain(notes.iter().filter(|_| arguments.notes));
    for finding in shown {
        let (word, style) = match finding.severity {
            Severity::Error => ("error", "1;31"),
            Severity::Warning => ("warning", "1;33"),
            Severity::Note => ("note", "1;36"),
        };
        output.object(&json!({ "event": "finding", "finding": finding }));
        output.line(format!("{}: {finding}", output.paint(style, word)));
    }
    let counted = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    };
    let text = format!(
        "{}, {}",
        counted(serious.len(), "finding"),
        counted(notes.len(), "note")
    );
    output.object(&json!({ "event": "checked", "findings": serious.len(), "notes": notes.len() }));
    output.line(text);
    if serious.is_empty() {
        Ok(())
    } else {
        Err(Failure::already_shown(Exit::Findings))
    }
}
