//! Records, resume, waiting.

use almscript::run::{Outcome, RunError, RunFilter};
use serde_json::json;

use crate::bench::{Bench, tell};

/// Appends a line to `log` for every time a step really runs.
const TWO_STEPS: &str = "//! Two.\n//! @param solution solution  which\n\
    let a = step(\"One\", || { notice(\"one ran\"); #{ n: 20, list: [1.5, ()] } });\n\
    let b = step(\"Two\", || { if fails() { fail(\"not yet\") } a.n + 22 });\n\
    run::record(#{ pull_request: 12, target_branch: \"main\" });\nb\n";

fn noticed(told: &crate::bench::Told, wanted: &str) -> bool {
    told.events
        .iter()
        .any(|event| matches!(event, almscript::run::Event::Notice { text, .. } if text == wanted))
}

#[test]
fn a_failed_run_goes_on_after_its_last_finished_step() {
    let bench = Bench::new(&[("scripts/two.rhai", TWO_STEPS)]);
    let mut host = bench.host();
    let flag = bench.path().join("fail");
    std::fs::write(&flag, "").unwrap();
    let seen = flag.clone();
    host.register(move |engine| {
        let seen = seen.clone();
        engine.register_fn("fails", move || seen.exists());
    });
    let first = tell(host.run("two").parameter("solution", "Contoso"));
    assert_eq!(first.finished.outcome, Outcome::Failed);
    std::fs::remove_file(&flag).unwrap();
    let again = tell(host.resume(first.finished.run));
    assert_eq!(again.finished.outcome, Outcome::Succeeded);
    assert_eq!(again.finished.value, 42);
    assert_eq!(again.steps(), ["One Replayed", "0 Two", "Two Finished"]);
    assert!(noticed(&first, "one ran") && !noticed(&again, "one ran"));
    let record = host.history().run(first.finished.run).unwrap();
    assert_eq!(
        (record.attempts, record.about.solution.as_deref()),
        (2, Some("Contoso"))
    );
    assert_eq!(record.about.pull_request, Some(12));
    assert!(matches!(
        host.resume(record.id).go(),
        Err(RunError::Succeeded(_))
    ));
}

#[test]
fn a_run_goes_on_with_the_texts_that_it_began_with() {
    let bench = Bench::new(&[
        (
            "scripts/a.rhai",
            "import \"b\" as b;\nstep(\"One\", || 1);\nb::stop()",
        ),
        ("scripts/b.rhai", "fn stop() { fail(\"no\") }"),
    ]);
    let run = bench.run("a").finished.run;
    bench.write("scripts/b.rhai", "fn stop() { 1 }");
    let again = tell(bench.host().resume(run));
    assert_eq!(again.finished.outcome, Outcome::Failed);
    assert_eq!(again.finished.failure.unwrap().message, "no");
    let warned = again.events.iter().any(|event| {
        matches!(event, almscript::run::Event::Warning { text, .. }
            if text.starts_with("scripts/b.rhai was changed"))
    });
    assert!(warned);
}

#[test]
fn a_waiting_run_goes_on_with_the_answer() {
    let bench = Bench::new(&[(
        "scripts/a.rhai",
        "step(\"Before\", || 1);\n\
         let d = step(\"Approval\", || { try { run::wait_for(\"approval\", #{ stage: \"prod\" }) } catch { 0 } 1 });\n\
         let e = run::wait_for(\"approval\", #{ stage: \"prod\" });\ne.by\n",
    )]);
    let told = bench.run("a");
    assert_eq!(told.finished.outcome, Outcome::Waiting);
    assert_eq!(
        told.finished.waiting.as_ref().unwrap().reference,
        json!({ "stage": "prod" })
    );
    assert_eq!(
        told.steps(),
        ["0 Before", "Before Finished", "0 Approval", "Approval Left"]
    );
    let host = bench.host();
    let run = told.finished.run;
    let waits = RunFilter {
        outcome: Some(Outcome::Waiting),
        ..RunFilter::default()
    };
    assert_eq!(host.history().runs(&waits).unwrap().len(), 1);
    host.answer(run, true, "", Some("ada")).unwrap();
    let told = tell(host.resume(run));
    assert_eq!(told.finished.value, "ada");
    assert!(matches!(
        host.answer(run, true, "", Some("ada")),
        Err(RunError::NotWaiting(_))
    ));
}

#[test]
fn secrets_are_not_on_record() {
    let bench = Bench::new(&[(
        "scripts/a.rhai",
        "//! A.\n//! @param url text  where\n\
         print(params.url);\nstep(\"S\", || #{ password: \"geheim sein\", url: params.url });\nparams.url",
    )]);
    let host = bench.host();
    let url = "https://h/p?sv=1&sig=topsecret1";
    let told = tell(host.run("a").parameter("url", url));
    assert_eq!(told.finished.value, "https://h/p?sv=1&sig=***");
    let everything = format!(
        "{:?}{:?}{:?}{:?}",
        host.history().run(told.finished.run),
        host.history().steps(told.finished.run),
        host.history().events(told.finished.run),
        told.events,
    );
    assert!(
        !everything.contains("topsecret1") && !everything.contains("geheim"),
        "{everything}"
    );
}

#[test]
fn runs_are_listed_newest_first_and_by_what_they_are_about() {
    let bench = Bench::new(&[
        ("scripts/a.rhai", "run::record(#{ solution: \"S\" });"),
        ("scripts/b.rhai", "1"),
    ]);
    bench.run("a");
    bench.run("b");
    let host = bench.host();
    let all = host.history().runs(&RunFilter::default()).unwrap();
    assert_eq!(
        all.iter().map(|r| r.script.as_str()).collect::<Vec<_>>(),
        ["b", "a"]
    );
    let about = RunFilter {
        solution: Some("S".into()),
        ..RunFilter::default()
    };
    assert_eq!(host.history().runs(&about).unwrap().len(), 1);
}
