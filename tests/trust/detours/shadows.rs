//! What a script or a hook defines changes nothing that the bundled modules do.

use std::collections::BTreeSet;
use std::path::Path;

use almscript::run::{Host, Outcome};

use crate::workspace::{SOLUTION, Workspace};

/// What is called in the bundled texts without a namespace, read from the files by its looks and not
/// by the parser that the refusal uses.
fn called_names() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = BTreeSet::new();
    for folder in ["scripts", "stdlib"] {
        for file in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|it| it != "rhai") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            for line in code {
                names.extend(called_in(line));
            }
        }
    }
    names
}

fn called_in(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices('(') {
        let before = &line[..at];
        let name = before
            .rsplit(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
            .unwrap_or_default();
        let rest = &before[..before.len() - name.len()];
        let word = name.starts_with(|c: char| c.is_alphabetic());
        let is_call = word && !rest.ends_with("::") && !rest.ends_with("fn ");
        if is_call && !["if", "while", "in", "return", "catch", "switch"].contains(&name) {
            found.push(name.to_owned());
        }
    }
    found
}

/// Whether a script that defines a function of that name and so many parameters is refused.
fn is_refused(name: &str, parameters: usize) -> bool {
    let given: Vec<String> = (0..parameters).map(|index| format!("p{index}")).collect();
    let mut host = Host::in_memory().unwrap();
    host.script(
        "mine",
        format!("//! Mine.\nfn {name}({}) {{ 1 }}\n2", given.join(", ")),
    );
    let finished = host.run("mine").go().unwrap();
    match finished.failure {
        None => false,
        Some(failure) => {
            let text = failure.render(false);
            // Some names are words of the language: they cannot be defined at all.
            assert!(
                text.contains("ALM-S005") || text.contains("ALM-S010"),
                "{name}: {text}"
            );
            true
        }
    }
}

#[test]
fn no_function_that_the_bundle_calls_can_be_defined_again() {
    // Functions of the bundle's own modules, which they find before anything of a script.
    let own: BTreeSet<String> = {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("stdlib");
        let files = std::fs::read_dir(root)
            .unwrap()
            .map(|file| file.unwrap().path());
        let texts = files.filter_map(|path| std::fs::read_to_string(path).ok());
        texts
            .flat_map(|text| {
                let names = text.lines().filter_map(|line| line.strip_prefix("fn "));
                names
                    .map(|rest| rest.split('(').next().unwrap_or_default().to_owned())
                    .collect::<Vec<_>>()
            })
            .collect()
    };
    let called = called_names();
    for known in [
        "extract",
        "step",
        "fail",
        "notice",
        "export_solution",
        "split",
        "push",
        "trim",
    ] {
        assert!(called.contains(known), "{known} is not among {called:?}");
    }
    let open: Vec<&String> = called
        .iter()
        .filter(|name| !own.contains(*name))
        .filter(|name| (0..=4).all(|parameters| !is_refused(name, parameters)))
        .collect();
    assert!(open.is_empty(), "a script may define {open:?}");
}

#[test]
fn the_names_of_the_bundles_own_functions_are_free_and_change_nothing() {
    let mut host = Host::in_memory().unwrap();
    host.script(
        "mine",
        r#"//! Mine.
           import "std/release" as release;
           fn join(texts) { "shadow" }
           fn check_target(a, b) { "shadow" }
           release::join(["a", "b", "c", "d", "e", "f"])"#,
    );
    let finished = host.run("mine").go().unwrap();
    assert_eq!(finished.outcome, Outcome::Succeeded);
    assert_eq!(finished.value, "a, b, c, d, e, …");
}

#[test]
fn modules_under_the_names_of_the_bundles_own_change_nothing() {
    let mut host = Host::in_memory().unwrap();
    host.script("mine", "//! Mine.\nfn own_branch(solution) { \"theirs\" }");
    host.script(
        "start",
        r#"//! Start.
           import "mine" as source;
           import "std/promotion" as promotion;
           let branches = ();
           try { branches = promotion::branches(1, #{}, #{}); } catch (e) { branches = e.message; }
           import "std/source" as other;
           [source::own_branch("x"), other::own_branch("x") != "theirs"]"#,
    );
    let finished = host.run("start").go().unwrap();
    let why = finished.failure.map(|failure| failure.render(false));
    assert_eq!(why, None);
    assert_eq!(finished.value, serde_json::json!(["theirs", true]));
}

#[test]
fn hooks_and_modules_of_a_workspace_are_held_to_the_same() {
    let workspace = Workspace::example();
    let save = [
        "run",
        "commit",
        "--as",
        "new-maker",
        "--solution",
        SOLUTION,
        "--message",
        "x",
    ];
    let refused = [
        "ALM-S005",
        "`extract` with 2 parameters is called by the bundled scripts",
    ];
    std::fs::create_dir_all(workspace.dir().join("scripts/hooks")).unwrap();
    let hooks = workspace.dir().join("scripts/hooks/commit.rhai");
    let shadow = "fn extract(a, b) { [] }\n";
    std::fs::write(&hooks, format!("{shadow}fn before_unpack() {{ }}")).unwrap();
    workspace.fails(1, &save, &refused);
    std::fs::write(&hooks, "import \"mine\" as mine;\nfn before_unpack() { }").unwrap();
    workspace.script("mine", shadow);
    workspace.fails(1, &save, &refused);
    workspace.script("mine", "fn excerpt(a, b) { [] }");
    workspace.ok(&save);
}
