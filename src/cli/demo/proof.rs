//! Reads back what the story claims: the tenant through its Web API, the repository with git.

use std::process::Command;

use serde_json::Value;

use super::portal::Portal;
use super::stage::Stage;
use crate::cli::Exit;
use crate::cli::failure::Failure;

/// The solution that the story is about.
pub(super) const SOLUTION: &str = "PowerAutomateSamples";
/// The environment variable that came with the solution.
pub(super) const SITE: &str = "exp_SPOSiteCollection_PowerUsers";
/// The environment variable that the maker adds, and later removes.
pub(super) const ARCHIVE: &str = "exp_ArchiveLibrary";

/// Claims that the solution is in `environment`, managed or not.
pub(super) fn solution_is_in(
    stage: &mut Stage,
    environment: &str,
    managed: bool,
) -> Result<(), Failure> {
    let filter = format!("uniquename eq '{SOLUTION}'");
    let query = [
        ("$select", "uniquename,version,ismanaged"),
        ("$filter", filter.as_str()),
    ];
    let (rows, source) = read(stage, environment, "solutions", &query)?;
    let row = first(&rows, &format!("{SOLUTION} is not in {environment}"))?;
    expect(
        row["ismanaged"] == managed,
        "the solution is of the wrong kind",
    )?;
    let kind = if managed { "managed" } else { "unmanaged" };
    let version = row["version"].as_str().unwrap_or_default();
    stage.claim(
        &format!("{environment} has {SOLUTION} {version}, {kind}"),
        &source,
    );
    Ok(())
}

/// Claims that the solution is not in `environment`.
pub(super) fn solution_is_gone_from(stage: &mut Stage, environment: &str) -> Result<(), Failure> {
    let filter = format!("uniquename eq '{SOLUTION}'");
    let query = [("$select", "uniquename"), ("$filter", filter.as_str())];
    let (rows, source) = read(stage, environment, "solutions", &query)?;
    expect(rows.is_empty(), "the solution is still there")?;
    stage.claim(
        &format!("{environment} has no solution {SOLUTION}"),
        &source,
    );
    let flows = [("$select", "name"), ("$filter", "category eq 5")];
    let (rows, source) = read(stage, environment, "workflows", &flows)?;
    expect(rows.is_empty(), "a flow of the solution was left behind")?;
    stage.claim(&format!("{environment} has none of its flows"), &source);
    Ok(())
}

/// Claims that the solution's flow is on in `environment`.
pub(super) fn flow_is_on(stage: &mut Stage, environment: &str) -> Result<(), Failure> {
    let query = [
        ("$select", "name,statecode,clientdata"),
        ("$filter", "category eq 5"),
    ];
    let (rows, source) = read(stage, environment, "workflows", &query)?;
    let row = first(&rows, "there is no flow")?;
    expect(row["statecode"] == 1, "the flow is off")?;
    let holds = row["clientdata"]
        .as_str()
        .is_some_and(|text| text.contains(super::acts::LIBRARY));
    expect(holds, "the flow is not the one that the maker changed")?;
    let name = row["name"].as_str().unwrap_or_default();
    stage.claim(
        &format!("the flow “{name}” is on there, with the new library"),
        &source,
    );
    Ok(())
}

/// Claims the value of the solution's variable in `environment`.
pub(super) fn site_is(stage: &mut Stage, environment: &str, value: &str) -> Result<(), Failure> {
    let filter = format!("EnvironmentVariableDefinitionId/schemaname eq '{SITE}'");
    let query = [("$select", "value"), ("$filter", filter.as_str())];
    let (rows, source) = read(stage, environment, "environmentvariablevalues", &query)?;
    let row = first(&rows, "the variable has no value")?;
    expect(row["value"] == value, "the variable has another value")?;
    stage.claim(&format!("{SITE} is {value} there"), &source);
    Ok(())
}

/// Claims that the variable which the maker added is, or is not, in `environment`.
pub(super) fn archive_is_in(
    stage: &mut Stage,
    environment: &str,
    there: bool,
) -> Result<(), Failure> {
    let filter = format!("schemaname eq '{ARCHIVE}'");
    let query = [("$select", "schemaname"), ("$filter", filter.as_str())];
    let (rows, source) = read(stage, environment, "environmentvariabledefinitions", &query)?;
    expect(
        rows.is_empty() != there,
        "the variable is not as it should be",
    )?;
    let verb = if there { "is in" } else { "is gone from" };
    stage.claim(
        &format!("the variable {ARCHIVE} {verb} {environment}"),
        &source,
    );
    Ok(())
}

/// Claims what ordinary git says about the repository: every line of `expected` is in its answer.
pub(super) fn git_says(
    stage: &mut Stage,
    what: &str,
    arguments: &[&str],
    expected: &[&str],
) -> Result<(), Failure> {
    let repository = stage
        .workspace
        .tenant()
        .join("repositories/contoso/ALM/apps.git");
    let answer = Command::new("git")
        .arg("-C")
        .arg(&repository)
        .args(arguments)
        .output();
    let shown = format!("git {}", arguments.join(" "));
    let answer = answer.map_err(|error| untrue(&format!("{shown} cannot be run: {error}")))?;
    let text = String::from_utf8_lossy(&answer.stdout).into_owned();
    for line in expected {
        expect(
            text.contains(line),
            &format!("{shown} does not say `{line}` but: {text}"),
        )?;
    }
    let said = text.lines().next().unwrap_or_default().to_owned();
    stage.claim(what, &format!("{shown} → {said}"));
    Ok(())
}

/// The error of a claim that is not true, which would be a defect of this program.
pub(super) fn untrue(what: &str) -> Failure {
    Failure::usage("ALM-C017", format!("the story went wrong: {what}")).exit(Exit::Failed)
}

/// Fails with `what` unless `holds`.
pub(super) fn expect(holds: bool, what: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(untrue(what)) }
}

fn read(
    stage: &Stage,
    environment: &str,
    set: &str,
    query: &[(&str, &str)],
) -> Result<(Vec<Value>, String), Failure> {
    let portal = Portal::of(stage, environment, "pipeline")?;
    let rows = portal.rows(set, query)?;
    let url = portal.address(set, query);
    let host = url.host_str().unwrap_or_default();
    // Shown as a person would write it; it is sent encoded.
    let words: Vec<String> = query
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    Ok((
        rows,
        format!("GET https://{host}/api/data/v9.2/{set}?{}", words.join("&")),
    ))
}

fn first<'r>(rows: &'r [Value], otherwise: &str) -> Result<&'r Value, Failure> {
    rows.first().ok_or_else(|| untrue(otherwise))
}
