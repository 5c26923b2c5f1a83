//! Every function that scripts can call is documented, and its examples run.

use almscript::run::{Host, Outcome};
use almscript::script::reference::{Needs, entries, markdown};

use crate::bench::Bench;

#[test]
fn every_function_has_a_text_and_an_example() {
    let host = Host::in_memory().unwrap();
    let entries = entries(&host.engine());
    assert!(
        entries.iter().any(|entry| entry.name == "step"),
        "the list is empty"
    );
    let bare: Vec<&str> = entries
        .iter()
        .filter(|entry| entry.text.is_empty() || entry.examples.is_empty())
        .map(|entry| entry.signature.as_str())
        .collect();
    assert!(bare.is_empty(), "without text or example: {bare:#?}");
}

#[test]
fn the_examples_run_and_hold() {
    let mut wrong = Vec::new();
    let host = Host::in_memory().unwrap();
    let bench = Bench::new(&[]);
    bench.copy("04-column-security/unmanaged.zip", "contoso.zip");
    bench.copy("04-column-security/managed.zip", "contoso_managed.zip");
    bench.write(
        "scripts/unpack.rhai",
        "solution::read(\"contoso.zip\").unpack().save(\"Contoso/SolutionPackage/src\")",
    );
    assert_eq!(bench.run("unpack").finished.outcome, Outcome::Succeeded);
    for entry in entries(&host.engine()) {
        for example in entry
            .examples
            .iter()
            .filter(|example| example.needs == Needs::Nothing)
        {
            bench.write("scripts/example.rhai", &example.script);
            let told = bench.run("example");
            let holds = told.finished.value != serde_json::Value::Bool(false);
            if told.finished.outcome != Outcome::Succeeded || !holds {
                let why = told.finished.failure.map(|failure| failure.render(false));
                wrong.push(format!("{}: {}", entry.signature, why.unwrap_or_default()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn examples_that_cannot_run_here_still_compile() {
    let host = Host::in_memory().unwrap();
    let mut engine = host.engine();
    let mut scope = rhai::Scope::new();
    scope.push("params", ());
    let mut wrong = Vec::new();
    for entry in entries(&host.engine()) {
        for example in &entry.examples {
            // What only somebody can run may begin in the middle of a script.
            engine.set_strict_variables(example.needs != Needs::Somebody);
            if let Err(error) = engine.compile_with_scope(&scope, &example.script) {
                wrong.push(format!("{}: {error}\n{}", entry.signature, example.script));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_reference_speaks_the_words_of_scripts() {
    let page = markdown(&Host::in_memory().unwrap().engine());
    assert!(
        page.contains("#### `step(name: text, work: closure) -> any`"),
        "{page}"
    );
    assert!(page.contains("#### `error.code -> text`"), "{page}");
    assert!(page.contains("#### `run::record(entries: map)`"), "{page}");
    for rust in [
        "&str",
        "Box<",
        "EvalAltResult",
        "ImmutableString",
        "NativeCallContext",
        "Dynamic",
    ] {
        assert!(!page.contains(rust), "`{rust}` is no word of scripts");
    }
}

/// The examples of environments, branches and deployments, in the example workspace.
#[test]
fn the_examples_that_need_a_tenant_run_and_hold() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("contoso");
    almscript::workspace::create::example(&folder).unwrap();
    let mut wrong = Vec::new();
    let mut tried = 0;
    for entry in entries(&Host::in_memory().unwrap().engine()) {
        for example in entry
            .examples
            .iter()
            .filter(|example| example.needs == Needs::Tenant)
        {
            tried += 1;
            std::fs::write(folder.join("scripts/example.rhai"), &example.script).unwrap();
            let told = crate::bench::tell(Host::open(&folder).unwrap().run("example"));
            let holds = told.finished.value != serde_json::Value::Bool(false);
            if told.finished.outcome != Outcome::Succeeded || !holds {
                let why = told.finished.failure.map(|failure| failure.render(false));
                wrong.push(format!("{}: {}", entry.signature, why.unwrap_or_default()));
            }
        }
    }
    assert!(tried > 50, "only {tried} examples were found");
    assert!(
        wrong.is_empty(),
        "{} of them:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
