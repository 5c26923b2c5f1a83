//! An answer that was lost, after the service did what it was asked.

use super::{asked, imports, lose_the_answer, merged, newest_run};
use crate::workspace::SOLUTION;

/// The build is taken, and the agent does not believe that another one was faster.
#[test]
fn an_agent_knows_a_build_that_it_has_taken_itself() {
    let workspace = merged();
    lose_the_answer(&workspace, "PATCH", "build/builds");
    let told = workspace.ok(&["agent", "--once"]);
    assert!(told.contains("is in test"), "{told}");
}

#[test]
fn an_import_is_not_begun_twice() {
    for mode in ["no", "yes"] {
        let workspace = merged();
        workspace.ok(&["agent", "--once"]);
        assert_eq!(imports(&workspace, "test"), "1");
        let action = match mode {
            "yes" => "StageAndUpgradeAsync",
            _ => "ImportSolutionAsync",
        };
        lose_the_answer(&workspace, "POST", action);
        let release = [
            "run",
            "release",
            "--as",
            "admin",
            "--solution",
            SOLUTION,
            "--stage",
            "test",
            "--upgrade",
            mode,
        ];
        workspace.fails(1, &release, &["no answer"]);
        let run = newest_run(&workspace);
        workspace.ok(&["run", "--resume", &run, "--as", "admin"]);
        assert_eq!(imports(&workspace, "test"), "2", "upgrade: {mode}");
    }
}

/// One that the environment refused is tried again when the run is resumed.
#[test]
fn an_import_that_failed_is_begun_again() {
    let workspace = merged();
    workspace.ok(&["agent", "--once"]);
    // A dependent in the way of an upgrade, say: the job itself fails.
    let file = workspace.dir().join("alm.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let connection = "shared-sharepointonl-7e000000-0000-4000-8000-000000000001";
    std::fs::write(&file, text.replace(connection, "no-such-connection")).unwrap();
    let release = [
        "run",
        "release",
        "--as",
        "admin",
        "--solution",
        SOLUTION,
        "--stage",
        "test",
    ];
    let failed = workspace.alm(&release);
    assert_eq!(failed.code, Some(1), "{}", failed.text);
    std::fs::write(&file, text).unwrap();
    let run = newest_run(&workspace);
    let resumed = workspace.alm(&["run", "--resume", &run, "--as", "admin"]);
    // Settings that were read before are kept, and say so; a new run is not kept from anything.
    if resumed.code != Some(0) {
        workspace.ok(&release);
    }
}

#[test]
fn a_deployment_is_not_queued_twice() {
    let workspace = merged();
    workspace.ok(&["agent", "--once"]);
    lose_the_answer(&workspace, "POST", "build/builds");
    let deploy = [
        "run",
        "deploy",
        "--as",
        "advanced-maker",
        "--solution",
        SOLUTION,
        "--stage",
        "prod",
    ];
    workspace.fails(1, &deploy, &["no answer"]);
    let run = newest_run(&workspace);
    workspace.ok(&["run", "--resume", &run, "--as", "advanced-maker"]);
    let waiting = "branch::repository(\"apps\").builds(#{ status: \"waiting\" }).len()";
    assert_eq!(asked(&workspace, waiting), "1");
    // Somebody who asks again means another one.
    workspace.ok(&deploy);
    assert_eq!(asked(&workspace, waiting), "2");
}
