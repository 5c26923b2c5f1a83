//! A repository of the ALM Accelerator, as its pipelines left it, imports and releases unchanged.

use super::{SOLUTION, Workspace, git};

/// Takes the folders of `solution` on a branch back to what older pipelines wrote: the package
/// directly in `SolutionPackage`, a pipeline file, tokens, all in one commit.
const LEGACY: &str = r##"
//! Make a legacy branch.
let apps = branch::repository("apps");
let from = apps.branch(params.from);
let old = apps.branch("legacy");
old.create_from(apps.branch("main"));
let tree = from.source_tree("PowerAutomateSamples/SolutionPackage/src");
old.commit(#{
    message: "As the accelerator left it",
    folder: "PowerAutomateSamples/SolutionPackage",
    tree: tree,
    files: #{
        "PowerAutomateSamples/deploy-test-PowerAutomateSamples.yml": "trigger: none\n",
        "PowerAutomateSamples/config/test/deploymentSettings.json":
            "{\r\n  \"EnvironmentVariables\": [ { \"SchemaName\": \"exp_SPOSiteCollection_PowerUsers\", \"Value\": \"#{site}#\" } ],\r\n  \"ConnectionReferences\": [ { \"LogicalName\": \"exp_sharedsharepointonline_e5efa\", \"ConnectionId\": \"#{sharepoint}#\", \"ConnectorId\": \"/providers/Microsoft.PowerApps/apis/shared_sharepointonline\", \"ConnectionOwner\": \"#{owner}#\" } ]\r\n}",
    },
});
"##;

#[test]
fn a_legacy_repository_imports_and_releases_with_no_change_to_it() {
    let workspace = Workspace::example();
    workspace.save("First save");
    let script = LEGACY.replacen(
        "//! Make a legacy branch.\n",
        "//! Make a legacy branch.\n//! @param from branch  where from\n",
        1,
    );
    workspace.script("legacy", script.trim_start());
    let own = format!("maya@contoso.example-{SOLUTION}");
    workspace.ok(&["run", "legacy", "--as", "admin", "--from", &own]);
    let before = git(&workspace.repository(), &["rev-parse", "legacy"]);
    let files = git(
        &workspace.repository(),
        &["ls-tree", "-r", "--name-only", "legacy"],
    );
    assert!(
        files.contains(&format!("{SOLUTION}/SolutionPackage/Other/Solution.xml")),
        "{files}"
    );

    workspace.ok(&[
        "run",
        "import",
        "--as",
        "advanced-maker",
        "--solution",
        SOLUTION,
        "--branch",
        "legacy",
        "--environment",
        "dev2",
        "--configuration",
        "dev2",
    ]);
    let told = workspace.ok(&[
        "run",
        "release",
        "--as",
        "admin",
        "--solution",
        SOLUTION,
        "--branch",
        "legacy",
        "--stage",
        "test",
    ]);
    assert!(told.contains("is in test"), "{told}");
    assert_eq!(
        git(&workspace.repository(), &["rev-parse", "legacy"]),
        before
    );
}
