//! Time and memory reach into everything that a script can do.

use crate::workspace::Workspace;

/// A workspace with one script, called `x`.
fn workspace(script: &str) -> Workspace {
    let workspace = Workspace::example();
    workspace.script("x", script);
    workspace
}

#[test]
fn a_script_that_runs_itself_is_an_error() {
    let workspace = workspace(r#"run::script("x", #{})"#);
    for mode in [&["run", "x"][..], &["run", "x", "--sandbox"]] {
        workspace.fails(1, mode, &["ALM-S012", "too many calls inside calls"]);
    }
}

#[test]
fn a_hook_whose_own_step_calls_it_is_an_error() {
    let workspace = workspace(r#"step("Begin", || 1)"#);
    std::fs::create_dir_all(workspace.dir().join("scripts/hooks")).unwrap();
    std::fs::write(
        workspace.dir().join("scripts/hooks/x.rhai"),
        r#"fn before_begin() { run::script("x", #{}); }"#,
    )
    .unwrap();
    workspace.fails(
        1,
        &["run", "x"],
        &["ALM-S012", "too many calls inside calls"],
    );
    workspace.ok(&["history"]);
}

#[test]
fn a_script_inside_scripts_cannot_catch_that_it_is_too_deep() {
    let workspace = workspace(r#"try { run::script("x", #{}) } catch { run::script("x", #{}) }"#);
    workspace.fails(1, &["run", "x"], &["ALM-S012"]);
}

#[test]
fn a_value_nested_too_deep_is_neither_returned_nor_kept() {
    let nested = "let a = []; for i in 0..200 { a = [a]; } a";
    let returned = workspace(nested);
    returned.fails(1, &["run", "x", "--sandbox"], &["ALM-S056", "100 levels"]);
    returned.ok(&["history"]);
    let kept = workspace(&format!(r#"step("Nest", || {{ {nested} }}); 1"#));
    kept.fails(1, &["run", "x"], &["ALM-S056", "in the step `Nest`"]);
    kept.ok(&["history"]);
    kept.ok(&["show", "1"]);
}

#[test]
fn a_value_that_grows_into_itself_ends_the_script_and_not_the_program() {
    for script in [
        "let a = []; for i in 0..10_000 { a = [a]; } a",
        "let a = []; loop { a = [a]; }",
        "let a = #{}; loop { a = #{ a: a }; }",
        "let a = [[]]; loop { a.push([a.pop()]); }",
        "fn wrap(f) { || f } let f = || 1; loop { f = wrap(f); }",
        r#"let f = Fn("x"); loop { f = Fn("x").curry(f); }"#,
    ] {
        for mode in [&["run", "x"][..], &["run", "x", "--sandbox"]] {
            workspace(script).fails(1, mode, &["ALM-S012", "levels deep"]);
        }
    }
}

#[test]
fn a_script_cannot_catch_that_an_inner_one_waits() {
    let workspace = workspace(r#"try { run::script("ask", #{}); } catch {} print("went on");"#);
    workspace.script("ask", r#"run::wait_for("approval", #{ stage: "prod" })"#);
    let ended = workspace.alm(&["run", "x"]);
    assert!(!ended.text.contains("went on"), "{}", ended.text);
    assert!(ended.text.contains("waits"), "{}", ended.text);
}
