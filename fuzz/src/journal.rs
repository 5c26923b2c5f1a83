//! What a run keeps, and what its history reads back.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};

use almscript::run::{Host, Outcome, RunFilter, RunId};
use almscript::transport::redact::Redactor;
use rhai::{Dynamic, EvalAltResult};
use serde_json::{Value, json};

use super::requests::split;

/// What separates the parts of an input: the result of a step as JSON, and texts.
const NEXT: &[u8] = b"\n%%%\n";

/// Keeps what it is given, stops once, and goes on when it is resumed.
const SCRIPT: &str = "//! Keep.\n//! @param name text  the name of a step\n\
    let kept = step(params.name, || given());\n\
    seen(kept);\n\
    notice(said());\n\
    step(\"Stop\", || stop_once());\n\
    step(params.name, || kept)";

/// What the functions of the script hand out.
#[derive(Default)]
struct Given {
    value: Dynamic,
    /// What the script had of it last.
    seen: Dynamic,
    said: String,
    stopped: bool,
    asked: usize,
}

type Shared = Arc<Mutex<Given>>;

thread_local! {
    static PLACE: RefCell<(Host, Shared)> = RefCell::new(place());
}

fn place() -> (Host, Shared) {
    let shared = Shared::default();
    let mut host = Host::in_memory().expect("a host");
    let given = Arc::clone(&shared);
    host.register(move |engine| {
        let (value, said, stop) = (Arc::clone(&given), Arc::clone(&given), Arc::clone(&given));
        let seen = Arc::clone(&given);
        engine.register_fn("seen", move |value: Dynamic| lock(&seen).seen = value);
        engine.register_fn("given", move || {
            let mut given = lock(&value);
            given.asked += 1;
            given.value.clone()
        });
        engine.register_fn("said", move || lock(&said).said.clone());
        engine.register_fn("stop_once", move || -> Result<(), Box<EvalAltResult>> {
            let mut given = lock(&stop);
            let first = !std::mem::replace(&mut given.stopped, true);
            if first {
                Err(given.said.as_str().into())
            } else {
                Ok(())
            }
        });
    });
    host.script("keep", SCRIPT);
    (host, shared)
}

fn lock(shared: &Shared) -> std::sync::MutexGuard<'_, Given> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A step's result comes back as it was when its run is resumed, or is refused when the step ends;
/// whatever was said, the history of this run and of all others is read back.
pub fn journal(data: &[u8]) {
    let mut parts = split(data, NEXT).map(String::from_utf8_lossy);
    let value = parts.next().unwrap_or_default();
    let name = parts.next().unwrap_or_default();
    let said = parts.next().unwrap_or_default();
    // What is no JSON is a text.
    let value: Value = serde_json::from_str(&value).unwrap_or_else(|_| Value::from(&*value));
    PLACE.with_borrow(|(host, shared)| keep(host, shared, &value, &name, &said));
}

fn keep(host: &Host, shared: &Shared, value: &Value, name: &str, said: &str) {
    let value = rhai::serde::to_dynamic(value).expect("JSON is a value of a script");
    *lock(shared) = Given {
        value: value.clone(),
        said: said.to_owned(),
        ..Given::default()
    };
    let first = host.run("keep").parameter("name", name).go();
    // A name that no parameter may have is refused before there is a run.
    let Ok(first) = first else { return };
    assert_eq!(first.outcome, Outcome::Failed, "it stops once");
    let run = first.run;
    if lock(shared).stopped {
        let again = host.resume(run).go().expect("a run that stopped goes on");
        assert_eq!(again.outcome, Outcome::Succeeded, "{:?}", again.failure);
        assert_eq!(lock(shared).asked, 1, "the step is done again");
        let expected: Value = rhai::serde::from_dynamic(&value).expect("JSON");
        // What a run ended with is shown, so it has no secrets; what its script goes on with is true.
        let seen: Value = rhai::serde::from_dynamic(&lock(shared).seen).expect("JSON");
        assert_eq!(seen, expected, "what was kept comes back as another value");
    }
    read_back(host, run, name);
}

/// Whether a text is shown as it is.
fn looks_harmless(text: &str) -> bool {
    let redactor = Redactor::new();
    let member = json!({ "name": text }).to_string();
    redactor.redact(text) == text && redactor.redact(&member) == member
}

fn read_back(host: &Host, run: RunId, name: &str) {
    let history = host.history();
    let record = history.run(run).expect("the run is in the history");
    // What is kept is true, and what is shown has no secrets.
    let as_it_is = looks_harmless(name);
    if as_it_is {
        assert_eq!(record.parameters["name"], name, "a parameter");
    }
    let newest = RunFilter {
        limit: Some(3),
        ..RunFilter::default()
    };
    let runs = history.runs(&newest).expect("all runs are read");
    assert!(runs.iter().any(|it| it.id == run), "the run is in the list");
    let steps = history.steps(run).expect("its steps are read");
    assert!(
        !as_it_is || steps.iter().any(|step| step.name == name),
        "the step's name"
    );
    let events = history.events(run).expect("its events are read");
    assert!(!events.is_empty(), "nothing happened");
    serde_json::to_string(&(record, steps)).expect("and written as JSON");
}
