//! A process that is killed in the middle of a run.
//!
//! The test starts itself as the process to kill: with `ALM_TEST_WORKSPACE` set, the first test
//! below carries a run instead of testing.

use std::process::{Command, Stdio};
use std::time::Duration;

use almscript::run::{Event, Host, Outcome};

use crate::bench::{Bench, tell};

const WORKSPACE: &str = "ALM_TEST_WORKSPACE";

#[test]
fn carry_a_run_for_the_other_tests() {
    let Ok(folder) = std::env::var(WORKSPACE) else {
        return;
    };
    Host::open(folder).unwrap().run("long").go().unwrap();
}

#[test]
fn a_killed_run_is_found_interrupted_and_goes_on_wherever_it_was_killed() {
    let bench = Bench::new(&[(
        "scripts/long.rhai",
        "let n = 0;\nfor i in 0..40 { n += step(`Step ${i}`, || { sleep(0.002); 1 }); }\nn",
    )]);
    let mut interrupted = 0;
    for round in 0..12_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::carry_a_run_for_the_other_tests"])
            .env(WORKSPACE, bench.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(10 + round * 9));
        child.kill().unwrap();
        child.wait().unwrap();
        let host = bench.host();
        let found: Vec<_> = host.interrupted().to_vec();
        for record in &found {
            interrupted += 1;
            let steps = host.history().steps(record.id).unwrap();
            let done = steps.iter().filter(|step| step.state == "finished").count();
            assert!(
                steps.iter().all(|step| step.state != "running"),
                "{steps:?}"
            );
            let told = tell(host.resume(record.id));
            assert_eq!(
                told.finished.outcome,
                Outcome::Succeeded,
                "{:?}",
                told.finished
            );
            assert_eq!(told.finished.value, 40);
            let replayed = told
                .steps()
                .iter()
                .filter(|s| s.ends_with("Replayed"))
                .count();
            assert_eq!(replayed, done);
        }
        assert!(bench.host().interrupted().is_empty());
    }
    assert!(
        interrupted > 0,
        "no kill hit a run; the pauses above no longer fit"
    );
}

#[test]
fn a_run_of_a_living_process_is_left_alone() {
    let bench = Bench::new(&[("scripts/a.rhai", "inside(); 1")]);
    let path = bench.path().to_owned();
    let mut host = bench.host();
    host.register(move |engine| {
        let path = path.clone();
        engine.register_fn("inside", move || {
            assert!(Host::open(&path).unwrap().interrupted().is_empty());
        });
    });
    assert_eq!(tell(host.run("a")).finished.outcome, Outcome::Succeeded);
}

#[test]
fn the_next_run_says_what_was_found() {
    let bench = Bench::new(&[
        ("scripts/long.rhai", "step(\"Wait\", || sleep(60))"),
        ("scripts/b.rhai", "1"),
    ]);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::carry_a_run_for_the_other_tests"])
        .env(WORKSPACE, bench.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let waiting = || {
        let host = bench.host();
        let steps = host.history().steps(almscript::run::RunId(1)).unwrap();
        steps.iter().any(|step| step.name == "Wait")
    };
    while !waiting() {
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let told = bench.run("b");
    let found = told.events.iter().find_map(|event| match event {
        Event::RunInterrupted { run, script, step } => Some((run.0, script.clone(), step.clone())),
        _ => None,
    });
    assert_eq!(found, Some((1, "long".to_owned(), Some("Wait".to_owned()))));
}
