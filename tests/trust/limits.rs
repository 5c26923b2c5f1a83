//! Time and memory reach into everything that a script can do.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::workspace::{Workspace, command};

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
        "let big = []; big.pad(300_000, 0); let a = [[]]; loop { a.push([a.pop()]); }",
        "fn g() { loop { this.push([this.pop()]) } } let a = [[]]; a.g()",
        "fn g() { loop { this = [take(this)] } } let a = [[]]; a.g()",
        "fn g() { loop { this.push(this.drain(|| true)) } } let a = [[]]; a.g()",
        "fn g() { loop { this.push(this.split(0)) } } let a = [[]]; a.g()",
        r#"fn g() { loop { this.a = #{ a: this.remove("a") } } } let a = #{ a: 1 }; a.g()"#,
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

/// What grows or takes long in few operations, and how the first ones of it work all the same.
const NASTY: &[&str] = &[
    // One call that asks for everything.
    r#"let t = "x"; t.pad(1_000_000_000_000, "y"); t"#,
    r#"let t = "x"; t.pad(10_000_000_000, 'y'); t"#,
    r#"let t = "x"; t.pad(10, ""); loop {}"#,
    "let a = []; a.pad(1_000_000_000_000, 0); a.len",
    "let b = []; b.pad(100_000, 0); let a = []; a.pad(100_000, b); a.len",
    "let b = blob(1_000_000_000_000); b.len",
    "let b = blob(); b.pad(1_000_000_000_000, 1); b.len",
    "let b = blob(300_000_000); loop { let a = b.to_array(); }",
    r#"let t = "x"; t.pad(1_000_000, "x"); let u = t; loop { u.replace("x", t); }"#,
    r#"let t = "x"; t.pad(60_000_000, "x"); loop { let a = t.split(""); }"#,
    r#"let t = "x"; t.pad(60_000_000, "x"); loop { let a = t.to_chars(); }"#,
    // Doubling.
    r#"let t = "x"; loop { t += t; }"#,
    r#"let t = "x"; loop { t = `${t}${t}${t}${t}`; }"#,
    "let a = [1]; loop { a += a; }",
    "let a = [1]; loop { a.append(a); }",
    "let a = [1]; loop { a = [a, a]; }",
    "let a = [1]; loop { a = #{ a: a, b: a }; }",
    "let b = blob(1000); loop { b += b; }",
    "let a = [1]; loop { a.push(a); }",
    // Long loops inside one call.
    "let a = []; a.pad(3_000_000, 1); loop { a.sort(|x, y| y - x); }",
    "let a = []; a.pad(3_000_000, 1); loop { a.sort(); a.reverse(); }",
    "let a = []; a.pad(3_000_000, 1); loop { a.order_desc(); }",
    "let a = []; a.pad(3_000_000, 1); loop { a.dedup(|x, y| false); }",
    "let a = []; a.pad(3_000_000, 1); loop { a.contains(2); }",
    "let a = []; a.pad(3_000_000, 1); let b = a; loop { if a != b { break; } }",
    "let a = []; a.pad(3_000_000, 1); loop { a.map(|x| x + 1); }",
    "let a = []; a.pad(3_000_000, 1); loop { a.reduce(|s, x| s + x, 0); }",
    "let a = []; a.pad(3_000_000, 1); loop { let t = `${a}`; }",
    "let a = []; a.pad(1_000_000, 1); let m = #{ a: a }; loop { let t = m.to_json(); }",
    "for x in 0..1_000_000_000_000 { let y = x; }",
    "let x = 0; loop { x += 1; }",
    "loop {}",
    // Waiting.
    "sleep(100_000)",
    "sleep(9_223_372_036_854_775_807)",
    r#"step("Wait", || sleep(100_000))"#,
    "try { sleep(100_000) } catch { loop {} }",
    "fn f() { try { loop {} } catch { f() } } f()",
];

/// Starts the script `x` of `workspace` and returns how long it lived after `stop` was due and the
/// most memory that it took, in bytes (zero where the system does not tell).
struct Watched {
    code: Option<i32>,
    text: String,
    late: Duration,
    memory: u64,
}

fn watch(workspace: &Workspace, arguments: &[&str], due: Duration, interrupt: bool) -> Watched {
    let mut child = command(&workspace.dir(), arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let (mut memory, mut interrupted) = (0, false);
    let status = loop {
        memory = peak_memory(child.id()).max(memory);
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if interrupt && !interrupted && started.elapsed() >= due {
            interrupt_process(child.id());
            interrupted = true;
        }
        if started.elapsed() > due + Duration::from_secs(60) {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let late = started.elapsed().saturating_sub(due);
    let output = child.wait_with_output().unwrap();
    Watched {
        code: status.code(),
        text: crate::workspace::both(&output),
        late,
        memory,
    }
}

/// What Ctrl-C does.
#[cfg(unix)]
fn interrupt_process(process: u32) {
    let sent = std::process::Command::new("sh")
        .args(["-c", &format!("kill -INT {process}")])
        .status();
    assert!(sent.unwrap().success());
}

#[cfg(not(unix))]
fn interrupt_process(_process: u32) {}

/// The most memory that a process has taken so far, where the system tells.
fn peak_memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

/// How late a stop may be: 200 ms on a machine with nothing else to do, as
/// `ALM_LATE=200 cargo test --release --test trust limits -- --test-threads=1` tries it, and room for
/// the tests that run beside this one.
fn late() -> Duration {
    let given = std::env::var("ALM_LATE").ok();
    let milliseconds = given.and_then(|text| text.parse().ok()).unwrap_or(2000);
    Duration::from_millis(milliseconds)
}

/// The most memory that a script under a limit of 512 MiB may take, what the program itself needs
/// and one operation too many included.
const MEMORY: u64 = 1 << 30;

#[test]
fn the_time_limit_ends_every_script_in_time_and_memory() {
    let workspace = Workspace::example();
    for script in NASTY {
        workspace.script("x", script);
        let arguments = ["run", "x", "--timeout", "1s", "--sandbox"];
        let ended = watch(&workspace, &arguments, Duration::from_secs(1), false);
        // Over time, or over another limit before.
        let code = ended.code;
        assert!(
            matches!(code, Some(124 | 1)),
            "{script}: {code:?}\n{}",
            ended.text
        );
        let told = ["ALM-R012", "ALM-S012"]
            .iter()
            .any(|code| ended.text.contains(code));
        assert!(told, "{script}\n{}", ended.text);
        assert!(ended.late < late(), "{script}: {:?}", ended.late);
        assert!(ended.memory < MEMORY, "{script}: {}", ended.memory);
    }
    workspace.ok(&["history"]);
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_every_script_at_once() {
    let workspace = Workspace::example();
    let config = workspace.dir().join("alm.toml");
    let mut text = std::fs::read_to_string(&config).unwrap();
    text.push_str("\n[limits]\nmemory = 536870912\n");
    std::fs::write(&config, text).unwrap();
    for script in NASTY {
        workspace.script("x", script);
        let ended = watch(&workspace, &["run", "x"], Duration::from_millis(300), true);
        // It may have reached a limit before.
        let code = ended.code;
        let told = code == Some(130) || ended.text.contains("ALM-S012");
        assert!(told, "{script}: {code:?}\n{}", ended.text);
        assert!(ended.late < late(), "{script}: {:?}", ended.late);
        assert!(ended.memory < MEMORY, "{script}: {}", ended.memory);
    }
    workspace.ok(&["history"]);
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_what_waits() {
    let workspace = workspace("sleep(100_000)");
    for arguments in [&["watch", "x"][..], &["agent"]] {
        let ended = watch(&workspace, arguments, Duration::from_millis(700), true);
        assert!(ended.late < late(), "{arguments:?}: {:?}", ended.late);
        assert!(ended.code.is_some(), "{arguments:?}\n{}", ended.text);
    }
}

#[test]
fn a_closure_that_holds_itself_is_printed_thrown_and_returned() {
    for (script, code) in [
        (
            "let a = (); let f = || a; a = f; print(a); print(to_debug([a])); a",
            0,
        ),
        ("let a = (); let f = || a; a = f; throw [a]", 1),
        ("let a = (); let f = || a; a = f; step(\"Keep\", || a)", 1),
    ] {
        let ended = workspace(script).alm(&["run", "x"]);
        assert_eq!(ended.code, Some(code), "{script}\n{}", ended.text);
    }
}
