//! Sending a solution to a stage.

use super::{SOLUTION, Workspace};

#[test]
fn a_pull_request_that_completes_by_itself_is_validated_merged_and_released() {
    let workspace = Workspace::example();
    workspace.save("First save");
    let own = format!("maya@contoso.example-{SOLUTION}");
    workspace.ok(&[
        "run",
        "deploy",
        "--as",
        "advanced-maker",
        "--solution",
        SOLUTION,
        "--stage",
        "test",
        "--source-branch",
        &own,
        "--complete",
    ]);
    workspace.ok(&["agent", "--once", "--as", "admin"]);
    let request = workspace.ok(&["pr", "show", "1", "--as", "admin"]);
    assert!(request.contains("completed"), "{request}");
    let test = workspace.ok(&["env", "show", "test", "--as", "admin"]);
    assert!(test.contains(SOLUTION), "{test}");
}
