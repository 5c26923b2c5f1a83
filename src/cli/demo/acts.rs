//! The acts of the story, in their order.

use serde_json::{Value, json};

use super::portal::Portal;
use super::proof::{self, ARCHIVE, SITE, SOLUTION, expect, untrue};
use super::stage::Stage;
use crate::cli::failure::Failure;
use crate::transport::{Method, Request, Url};

/// The library whose folders the maker's flow hides after her change.
pub(super) const LIBRARY: &str = "Archived Documents";

/// Maya's own branch for the solution.
const BRANCH: &str = "maya@contoso.example-PowerAutomateSamples";

/// Plays the story.
pub(super) fn play(stage: &mut Stage) -> Result<(), Failure> {
    opening(stage)?;
    change(stage)?;
    save(stage)?;
    send_to_test(stage)?;
    promote(stage)?;
    remove_a_component(stage)?;
    second_developer(stage)?;
    history(stage)
}

fn opening(stage: &mut Stage) -> Result<(), Failure> {
    stage.act("A workspace with an emulated tenant");
    let dir = stage.dir().display().to_string();
    stage.tell(&format!(
        "`alm new {dir} --example` made five Dataverse environments, an Azure DevOps"
    ));
    stage.tell(
        "organisation with a git repository, people, groups and connections: all on this machine,",
    );
    stage.tell("spoken to in the services' own wire formats. A real solution is installed in dev.");
    stage.type_in(&["env", "list"])?;
    proof::solution_is_in(stage, "dev", false)
}

fn change(stage: &mut Stage) -> Result<(), Failure> {
    stage.act("Maya, a maker, changes her solution in dev");
    stage.tell(
        "In the maker portal she points the flow at another library, writes a default value for",
    );
    stage.tell("one environment variable and adds a second one.");
    let portal = Portal::of(stage, "dev", "maya")?;
    let flows = portal.rows(
        "workflows",
        &[
            ("$select", "workflowid,name,clientdata"),
            ("$filter", "category eq 5"),
        ],
    )?;
    let flow = flows
        .iter()
        .find(|flow| {
            flow["name"]
                .as_str()
                .is_some_and(|name| name.contains("Hide folders"))
        })
        .ok_or_else(|| untrue("the example has no flow to change"))?;
    portal.change(
        "workflows",
        text(flow, "workflowid")?,
        &json!({ "clientdata": changed(flow)? }),
    )?;

    portal.change(
        "environmentvariabledefinitions",
        &variable(&portal, SITE)?,
        &json!({ "defaultvalue": "https://contoso.sharepoint.com/sites/home" }),
    )?;
    portal.create_in(
        SOLUTION,
        "environmentvariabledefinitions",
        &json!({
            "schemaname": ARCHIVE,
            "displayname": "Archive library",
            "type": 100_000_000,
            "defaultvalue": LIBRARY,
        }),
    )?;
    proof::archive_is_in(stage, "dev", true)
}

fn save(stage: &mut Stage) -> Result<(), Failure> {
    stage.act("She saves her work");
    stage.type_in(&["scripts", "--as", "new-maker"])?;
    let message = "Hide the archived documents, as #123 asks";
    stage.type_in(&[
        "run",
        "commit",
        "--as",
        "new-maker",
        "--solution",
        SOLUTION,
        "--message",
        message,
    ])?;
    let last = ["log", "-1", "--format=%an <%ae> %s", BRANCH];
    proof::git_says(
        stage,
        "the commit on her own branch carries her name",
        &last,
        &["Maya Lind <maya@contoso.example>", message],
    )?;
    let flow = format!("{BRANCH}:{SOLUTION}/SolutionPackage/src/Other/Solution.xml");
    proof::git_says(
        stage,
        "the solution is there as readable files",
        &["show", &flow],
        &[SOLUTION],
    )?;
    let item = work_item(stage)?;
    stage.claim("work item 123 is linked to the commit", &item);
    stage.tell("Saving again finds nothing to save, and says so:");
    stage.type_in(&[
        "run",
        "commit",
        "--as",
        "new-maker",
        "--solution",
        SOLUTION,
        "--message",
        message,
    ])
}

fn send_to_test(stage: &mut Stage) -> Result<(), Failure> {
    stage.act("She sends it to test: pull request, validation, merge, release");
    stage.type_in(&["run", "deploy", "--as", "new-maker", "--solution", SOLUTION])?;
    stage.tell("The branch policy has queued a build, which an agent takes:");
    stage.type_in(&["agent", "--once"])?;
    proof::solution_is_in(stage, "validation", true)?;
    let request = newest_pull_request(stage)?;
    stage.tell("Ada reviews and completes the pull request; the merge queues the release to test.");
    stage.type_in(&["pr", "approve", &request, "--as", "admin"])?;
    stage.type_in(&["pr", "complete", &request, "--as", "admin"])?;
    stage.type_in(&["agent", "--once"])?;
    proof::git_says(
        stage,
        "the merge is on the solution's branch",
        &["log", "-1", "--format=%s", SOLUTION],
        &[&request],
    )?;
    proof::solution_is_in(stage, "test", true)?;
    proof::site_is(stage, "test", "https://contoso.sharepoint.com/sites/test")?;
    proof::flow_is_on(stage, "test")
}

fn promote(stage: &mut Stage) -> Result<(), Failure> {
    stage.act("Alex promotes it to production, through an approval");
    to_production(stage)?;
    proof::solution_is_in(stage, "prod", true)?;
    proof::site_is(
        stage,
        "prod",
        "https://contoso.sharepoint.com/sites/power-users",
    )?;
    proof::flow_is_on(stage, "prod")?;
    proof::archive_is_in(stage, "prod", true)
}

fn remove_a_component(stage: &mut Stage) -> Result<(), Failure> {
    stage.act("A component is removed: an upgrade takes it out of production too");
    stage.tell("Maya deletes her second variable in dev and saves that.");
    let portal = Portal::of(stage, "dev", "maya")?;
    portal.delete(
        "environmentvariabledefinitions",
        &variable(&portal, ARCHIVE)?,
    )?;
    let message = "Remove the archive variable, nobody reads it";
    stage.type_in(&[
        "run",
        "commit",
        "--as",
        "new-maker",
        "--solution",
        SOLUTION,
        "--message",
        message,
    ])?;
    stage.tell("The pull request carries the label solution-upgrade, so that the release removes what is gone.");
    stage.type_in(&[
        "run",
        "deploy",
        "--as",
        "advanced-maker",
        "--solution",
        SOLUTION,
        "--stage",
        "test",
        "--source-branch",
        BRANCH,
        "--labels",
        "solution-upgrade",
    ])?;
    stage.type_in(&["agent", "--once"])?;
    let request = newest_pull_request(stage)?;
    stage.type_in(&["pr", "complete", &request, "--as", "admin"])?;
    stage.type_in(&["agent", "--once"])?;
    proof::archive_is_in(stage, "test", false)?;
    to_production(stage)?;
    proof::archive_is_in(stage, "prod", false)?;
    proof::solution_is_in(stage, "prod", true)?;
    proof::flow_is_on(stage, "prod")
}

fn second_developer(stage: &mut Stage) -> Result<(), Failure> {
    stage.act("A second developer takes the branch into her own environment, and clears it away");
    stage.type_in(&[
        "run",
        "import",
        "--as",
        "advanced-maker",
        "--solution",
        SOLUTION,
        "--environment",
        "dev2",
        "--configuration",
        "dev2",
    ])?;
    proof::solution_is_in(stage, "dev2", false)?;
    proof::site_is(stage, "dev2", "https://contoso.sharepoint.com/sites/dev2")?;
    proof::flow_is_on(stage, "dev2")?;
    stage.type_in(&[
        "run",
        "delete",
        "--as",
        "advanced-maker",
        "--solution",
        SOLUTION,
        "--environment",
        "dev2",
    ])?;
    proof::solution_is_gone_from(stage, "dev2")
}

fn history(stage: &mut Stage) -> Result<(), Failure> {
    stage.act("Who did what");
    stage.type_in(&["history"])?;
    stage.act("Where to look next");
    let dir = stage.dir().display().to_string();
    stage.tell(&format!("cd {dir}"));
    stage.tell("alm show 1                        one run with its steps and timings");
    stage.tell("alm run commit --help             what a script takes; `alm scripts` lists them");
    stage.tell(
        "alm tenant serve                  the same tenant for curl, a browser and `git clone`",
    );
    stage.tell("alm reference                     everything that a script of yours can call");
    stage
        .tell("$EDITOR alm.toml scripts/         environments, stages, personas; your own scripts");
    Ok(())
}

/// Queues the deployment to prod, approves it, and lets an agent carry it out.
fn to_production(stage: &mut Stage) -> Result<(), Failure> {
    stage.type_in(&[
        "run",
        "deploy",
        "--as",
        "advanced-maker",
        "--solution",
        SOLUTION,
        "--stage",
        "prod",
    ])?;
    let build = newest_build(stage)?;
    stage.tell("Nothing happens before the approval; Ada gives it.");
    stage.type_in(&["approve", &build, "--as", "admin"])?;
    stage.type_in(&["agent", "--once"])
}

/// The id of an environment variable by its schema name.
fn variable(portal: &Portal<'_>, name: &str) -> Result<String, Failure> {
    let filter = format!("schemaname eq '{name}'");
    let select = ("$select", "environmentvariabledefinitionid");
    let found = portal.rows(
        "environmentvariabledefinitions",
        &[select, ("$filter", &filter)],
    )?;
    let row = found
        .first()
        .ok_or_else(|| untrue(&format!("there is no variable {name}")))?;
    Ok(text(row, "environmentvariabledefinitionid")?.to_owned())
}

/// The flow's definition with another library, as the designer saves it.
fn changed(flow: &Value) -> Result<String, Failure> {
    let mut definition: Value = serde_json::from_str(text(flow, "clientdata")?)
        .map_err(|error| untrue(&format!("the flow's definition is no JSON: {error}")))?;
    let variable = definition
        .pointer_mut("/properties/definition/actions/Initialize_variable_-_LibraryName/inputs/variables/0/value")
        .ok_or_else(|| untrue("the flow has no step to change"))?;
    *variable = json!(LIBRARY);
    Ok(definition.to_string())
}

/// The links of work item 123, which must name the newest commit of Maya's branch.
fn work_item(stage: &Stage) -> Result<String, Failure> {
    let url = "https://dev.azure.com/contoso/ALM/_apis/wit/workitems/123?$expand=relations";
    let item = devops(stage, url)?;
    let links = item["relations"].as_array().cloned().unwrap_or_default();
    let linked = links
        .iter()
        .any(|link| link["attributes"]["name"] == "Fixed in Commit");
    expect(linked, "work item 123 has no link to a commit")?;
    Ok(format!("GET {url}"))
}

fn newest_pull_request(stage: &Stage) -> Result<String, Failure> {
    let url = "https://dev.azure.com/contoso/ALM/_apis/git/repositories/apps/pullrequests?searchCriteria.status=active";
    number(&devops(stage, url)?, "pullRequestId")
}

fn newest_build(stage: &Stage) -> Result<String, Failure> {
    let url = "https://dev.azure.com/contoso/ALM/_apis/build/builds?queryOrder=queueTimeDescending&$top=1";
    number(&devops(stage, url)?, "id")
}

fn number(list: &Value, key: &str) -> Result<String, Failure> {
    list["value"][0][key]
        .as_i64()
        .map(|id| id.to_string())
        .ok_or_else(|| untrue(&format!("the organisation lists no {key}")))
}

fn devops(stage: &Stage, url: &str) -> Result<Value, Failure> {
    let parsed = Url::parse(url).map_err(|error| untrue(&error.to_string()))?;
    let response = stage
        .signed_in("pipeline")?
        .send(Request::new(Method::GET, parsed))?;
    response
        .to_json()
        .map_err(|error| untrue(&format!("{url} was not answered with JSON: {error}")))
}

fn text<'v>(row: &'v Value, column: &str) -> Result<&'v str, Failure> {
    row[column]
        .as_str()
        .ok_or_else(|| untrue(&format!("a row has no {column}")))
}
