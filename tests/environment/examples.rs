//! The examples of the script reference that need a tenant, run in the example workspace.

use almscript::run::{Host, Outcome};
use almscript::script::reference::{Needs, entries};
use almscript::workspace::create::example;

#[test]
fn the_examples_of_environment_and_deployment_run_and_hold() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("contoso");
    example(&folder).unwrap();
    let mut wrong = Vec::new();
    let mut run = 0;
    let mut host = Host::open(&folder).unwrap();
    let everybody = host.workspace().unrestricted();
    host.act_as(everybody);
    for entry in entries(&host.engine()) {
        let examples = entry
            .examples
            .iter()
            .filter(|example| example.needs == Needs::Tenant);
        for (number, example) in examples.enumerate() {
            if !matches!(entry.group.as_str(), "environment" | "deployment") {
                continue;
            }
            let name = format!("example-{run}-{number}");
            host.script(&name, example.script.as_str());
            let finished = host.run(&name).go().unwrap();
            run += 1;
            let holds = finished.value != serde_json::Value::Bool(false);
            if finished.outcome != Outcome::Succeeded || !holds {
                let why = finished.failure.map(|failure| failure.render(false));
                wrong.push(format!(
                    "{}: {}",
                    entry.signature,
                    why.unwrap_or("false".into())
                ));
            }
        }
    }
    assert!(run > 30, "only {run} examples were found");
    assert!(
        wrong.is_empty(),
        "{} of {run}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
