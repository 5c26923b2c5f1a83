//! A process that is killed between what it had a service do and writing that down.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::{asked, imports, merged, newest_run};
use crate::workspace::{SOLUTION, Workspace, command};

/// Starts a command whose hook waits where it is to be killed, and kills it there.
fn killed_in_hook(workspace: &Workspace, arguments: &[&str], hook: (&str, &str)) {
    let (script, text) = hook;
    let hooks = workspace.dir().join("scripts/hooks");
    std::fs::create_dir_all(&hooks).unwrap();
    let file = hooks.join(format!("{script}.rhai"));
    std::fs::write(&file, text).unwrap();
    let mut child: Child = command(&workspace.dir(), arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The hook says that it is there.
    let started = Instant::now();
    let mut output = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("in the hook") {
        line.clear();
        let read = std::io::BufRead::read_line(&mut output, &mut line).unwrap();
        assert!(
            read > 0 && started.elapsed() < Duration::from_secs(60),
            "the hook of {script} was not reached"
        );
    }
    child.kill().unwrap();
    child.wait().unwrap();
    std::fs::remove_file(file).unwrap();
}

const AFTER_IMPORT: &str = "fn after_import(report) { print(\"in the hook\"); sleep(2); }";

#[test]
fn an_import_that_took_effect_is_taken_up() {
    for mode in ["no", "yes"] {
        let workspace = merged();
        workspace.ok(&["agent", "--once"]);
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
        killed_in_hook(&workspace, &release, ("release", AFTER_IMPORT));
        let run = newest_run(&workspace);
        // As often as one likes.
        workspace.ok(&["run", "--resume", &run, "--as", "admin"]);
        workspace.fails(
            1,
            &["run", "--resume", &run, "--as", "admin"],
            &["ALM-R006"],
        );
        assert_eq!(imports(&workspace, "test"), "2", "upgrade: {mode}");
        let upgrade =
            "environment::named(\"test\").solution(\"PowerAutomateSamples_Upgrade\") == ()";
        assert_eq!(asked(&workspace, upgrade), "true");
    }
}

/// The next agent of the workspace goes on with the run of the build, and says how it ended.
#[test]
fn a_build_that_an_agent_left_is_finished_by_the_next() {
    let workspace = Workspace::example();
    workspace.save("First save");
    workspace.ok(&["run", "deploy", "--as", "new-maker", "--solution", SOLUTION]);
    let hook = "fn before_import() { print(\"in the hook\"); sleep(2); }";
    killed_in_hook(&workspace, &["agent", "--once"], ("validate", hook));
    let told = workspace.ok(&["agent", "--once"]);
    assert!(told.contains("goes on"), "{told}");
    assert!(told.contains("build 1 succeeded"), "{told}");
    workspace.ok(&["pr", "complete", "1", "--as", "admin"]);
}

/// The run is over, and only its agent could not say so any more.
#[test]
fn a_build_whose_run_was_resumed_by_hand_is_finished_by_the_next_agent() {
    let workspace = merged();
    killed_in_hook(&workspace, &["agent", "--once"], ("release", AFTER_IMPORT));
    let run = newest_run(&workspace);
    workspace.ok(&["run", "--resume", &run, "--as", "admin"]);
    let told = workspace.ok(&["agent", "--once"]);
    assert!(told.contains("build 2 succeeded"), "{told}");
    assert_eq!(imports(&workspace, "test"), "1");
}
