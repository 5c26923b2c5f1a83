//! What scripts can do: parameters, steps, modules, hooks, other scripts, limits.

use std::time::{Duration, Instant};

use almscript::run::{Event, Outcome, RunError};
use almscript::transport::Cancel;
use serde_json::json;

use crate::bench::{Bench, tell};

#[test]
fn parameters_arrive_typed_and_what_is_left_out_is_unit() {
    let bench = Bench::new(&[(
        "scripts/show.rhai",
        "//! Show.\n//! @param count integer  how many\n//! @param note text?  what else\n\
         //! @param wait duration = 2m  how long\n\
         [params.count + 1, params.note, params.wait]",
    )]);
    let host = bench.host();
    let told = tell(host.run("show").parameter("count", 41));
    assert_eq!(told.finished.value, json!([42, null, 120]));
}

#[test]
fn steps_nest_and_return_their_value() {
    let bench = Bench::new(&[(
        "scripts/a.rhai",
        r#"let sum = step("Outer", || { let a = step("Inner", || 20); a + step("Inner", || 22) });
           notice(`sum is ${sum}`); sum"#,
    )]);
    let told = bench.run("a");
    assert_eq!(told.finished.value, 42);
    assert_eq!(
        told.steps(),
        [
            "0 Outer",
            "1 Inner",
            "Inner Finished",
            "1 Inner",
            "Inner Finished",
            "Outer Finished"
        ]
    );
    assert!(
        told.events
            .iter()
            .any(|e| matches!(e, Event::Notice { text, .. } if text == "sum is 42"))
    );
}

#[test]
fn a_misspelt_parameter_is_an_error_wherever_it_stands() {
    let bench = Bench::new(&[(
        "scripts/a.rhai",
        "//! A.\n//! @param name text = x  n\nparams.nmae",
    )]);
    assert_eq!(bench.run("a").finished.failure.unwrap().code, "ALM-S019");
    bench.write(
        "scripts/a.rhai",
        "//! A.\n//! @param name text = x  n\nstep(\"S\", || params.nmae)",
    );
    assert_eq!(bench.run("a").finished.failure.unwrap().code, "ALM-S019");
}

#[test]
fn a_step_sees_parameters_and_earlier_values() {
    let bench = Bench::new(&[(
        "scripts/a.rhai",
        "//! A.\n//! @param name text = x  a name\nlet n = 1;\n\
         let r = step(\"S\", || { n += 1; `${params.name}${n}` });\n[r, n]",
    )]);
    assert_eq!(bench.run("a").finished.value, json!(["x2", 2]));
}

#[test]
fn modules_come_from_the_workspace_and_their_errors_name_them() {
    let bench = Bench::new(&[
        (
            "scripts/a.rhai",
            "import \"lib/math\" as math;\nmath::double(21)",
        ),
        ("scripts/lib/math.rhai", "fn double(x) { x * 2 }"),
    ]);
    assert_eq!(bench.run("a").finished.value, 42);
    bench.write("scripts/lib/math.rhai", "fn double(x) { x * nothing }");
    let page = bench.run("a").page();
    assert!(page.contains("scripts/lib/math.rhai:1:20"), "{page}");
}

#[test]
fn an_import_cannot_leave_the_workspace() {
    let bench = Bench::new(&[
        ("secret.rhai", "fn x() { 1 }"),
        ("scripts/a.rhai", "import \"../secret\" as s;\ns::x()"),
    ]);
    let told = bench.run("a");
    assert_eq!(told.finished.failure.unwrap().code, "ALM-S003");
}

#[test]
fn modules_that_import_each_other_are_an_error_and_no_crash() {
    let bench = Bench::new(&[
        ("scripts/a.rhai", "import \"b\" as b;\n1"),
        ("scripts/b.rhai", "import \"c\" as c;\nfn x() { 1 }"),
        ("scripts/c.rhai", "import \"b\" as b;\nfn x() { 1 }"),
    ]);
    let failure = bench.run("a").finished.failure.unwrap();
    assert_eq!(failure.code, "ALM-S007");
    assert_eq!(failure.message, "modules import each other: b -> c -> b");
}

#[test]
fn hooks_run_inside_their_step_and_a_slip_in_a_name_is_told() {
    let bench = Bench::new(&[
        ("scripts/a.rhai", "step(\"Say it (twice)\", || 21)"),
        (
            "scripts/hooks/a.rhai",
            "fn before_say_it_twice() { notice(\"before\") }\n\
             fn after_say_it_twice(result) { notice(`after ${result}`) }\n\
             fn after_sya_it() {}",
        ),
    ]);
    let told = bench.run("a");
    let said: Vec<String> = told
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Notice { text, .. } | Event::Warning { text, .. } => Some(text.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(
        said,
        [
            "before",
            "after 21",
            "the hook `after_sya_it` belongs to no step of this run"
        ]
    );
}

#[test]
fn a_hook_that_fails_fails_its_step() {
    let bench = Bench::new(&[
        ("scripts/a.rhai", "step(\"Export\", || 21)"),
        (
            "scripts/hooks/a.rhai",
            "fn before_export() {\n  fail(\"not today\")\n}",
        ),
    ]);
    let told = bench.run("a");
    assert_eq!(told.steps(), ["0 Export", "Export Failed"]);
    let page = told.page();
    assert!(
        page.contains("not today") && page.contains("in the step `Export`"),
        "{page}"
    );
}

#[test]
fn a_replacement_can_still_run_what_it_replaces() {
    let bench = Bench::new(&[
        (
            "scripts/inner.rhai",
            "//! I.\n//! @param n integer  n\nstep(\"Double\", || params.n * 2)",
        ),
        (
            "scripts/outer.rhai",
            "run::script(\"inner\", #{ n: 4 }) + 1",
        ),
    ]);
    let told = bench.run("outer");
    assert_eq!(told.finished.value, 9);
    assert_eq!(told.steps(), ["0 Double", "Double Finished"]);
}

#[test]
fn a_script_cannot_take_the_place_of_a_host_function() {
    let bench = Bench::new(&[("scripts/a.rhai", "fn notice(text) { 1 }\nnotice(\"x\")")]);
    let failure = bench.run("a").finished.failure.unwrap();
    assert_eq!(failure.code, "ALM-S005");
    assert_eq!(failure.place.unwrap().line, 1);
    bench.write("scripts/a.rhai", "import \"b\" as run;\n1");
    bench.write("scripts/b.rhai", "fn x() { 1 }");
    assert_eq!(bench.run("a").finished.failure.unwrap().code, "ALM-S006");
}

#[test]
fn an_endless_script_ends_at_the_time_limit() {
    let bench = Bench::new(&[("scripts/a.rhai", "step(\"Spin\", || { loop { } })")]);
    let started = Instant::now();
    let host = bench.host();
    let told = tell(host.run("a").time_limit(Duration::from_millis(40)));
    assert!(started.elapsed() < Duration::from_secs(20));
    assert_eq!(told.finished.outcome, Outcome::Failed);
    let failure = told.finished.failure.unwrap();
    assert_eq!(failure.code, "ALM-R012");
    assert_eq!(failure.place.unwrap().line, 1);
}

#[test]
fn cancelling_ends_a_wait_and_cannot_be_caught() {
    let bench = Bench::new(&[(
        "scripts/a.rhai",
        "try { sleep(60); } catch (err) { notice(\"caught\") }\nlet i = 0; while i < 10000 { i += 1 }\ni",
    )]);
    let host = bench.host();
    let cancel = Cancel::new();
    let other = cancel.clone();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        other.cancel();
    });
    let started = Instant::now();
    let told = tell(host.run("a").cancel(cancel));
    assert!(started.elapsed() < Duration::from_secs(20));
    assert_eq!(told.finished.outcome, Outcome::Cancelled);
}

#[test]
fn endless_recursion_and_operations_are_limits() {
    let bench = Bench::new(&[("scripts/a.rhai", "fn f(x) { f(x + 1) }\nf(0)")]);
    let failure = bench.run("a").finished.failure.unwrap();
    assert_eq!(failure.code, "ALM-S012");
    bench.write("alm.toml", "[limits]\noperations = 1000\n");
    bench.write("scripts/a.rhai", "loop { }");
    assert_eq!(bench.run("a").finished.failure.unwrap().code, "ALM-S012");
}

#[test]
fn sizes_are_limited_in_the_sandbox_only() {
    let bench = Bench::new(&[(
        "scripts/a.rhai",
        "let t = \"x\"; for i in 0..27 { t += t; } t.len()",
    )]);
    assert_eq!(bench.run("a").finished.value, 1 << 27);
    let host = bench.host();
    let told = tell(host.run("a").sandbox());
    assert_eq!(told.finished.failure.unwrap().code, "ALM-S012");
}

#[test]
fn eval_is_no_function() {
    let bench = Bench::new(&[("scripts/a.rhai", "eval(\"1\")")]);
    assert_eq!(bench.run("a").finished.outcome, Outcome::Failed);
}

#[test]
fn what_is_given_wrongly_is_refused_before_anything_is_on_record() {
    let bench = Bench::new(&[(
        "scripts/a.rhai",
        "//! A.\n//! @param to environment  where\n1",
    )]);
    bench.write("alm.toml", "[tenant]\nemulated = true\n[environments.test]\nurl = \"https://x.crm4.dynamics.com\"\nkind = \"target\"\nidentity = \"me\"\n[identities.me]\nuser = \"a@b.c\"\n");
    let host = bench.host();
    let error = host.run("a").parameter("to", "tset").go().unwrap_err();
    assert_eq!(
        error.to_string(),
        "parameter `to`: there is no environment `tset`, did you mean `test`?"
    );
    assert!(matches!(host.run("b").go(), Err(RunError::Library(_))));
    assert!(host.history().runs(&Default::default()).unwrap().is_empty());
}
