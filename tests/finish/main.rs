//! Work that can be finished, and success that is true: whatever broke off, the run that is resumed, or
//! the next agent, looks at what became of it and goes on from there; nothing is done twice, and what
//! could not be done is no success.

mod answers;
mod kills;
mod truth;

#[path = "../fixtures/workspace.rs"]
mod workspace;

use almscript::emulator::Tenant;
use almscript::emulator::fault::{Fault, FaultAction, FaultPattern};
use workspace::{SOLUTION, Workspace};

/// A workspace whose solution was saved and merged; its release to test is queued.
fn merged() -> Workspace {
    let workspace = Workspace::example();
    workspace.save("First save");
    workspace.ok(&["run", "deploy", "--as", "new-maker", "--solution", SOLUTION]);
    workspace.ok(&["agent", "--once"]);
    workspace.ok(&["pr", "complete", "1", "--as", "admin"]);
    workspace
}

/// Loses the answer of the next request of this kind, which has its effect all the same.
fn lose_the_answer(workspace: &Workspace, method: &str, path: &str) {
    let tenant = Tenant::open(&workspace.dir().join(".alm/tenant")).unwrap();
    let on = FaultPattern {
        method: Some(method.into()),
        path: Some(path.into()),
        ..FaultPattern::default()
    };
    let fault = Fault {
        on,
        at: 1,
        times: 1,
        action: FaultAction::Drop { after_effect: true },
    };
    tenant.inject(fault).unwrap();
}

/// What a script of one line says of the tenant.
fn asked(workspace: &Workspace, line: &str) -> String {
    workspace.script("ask", &format!("print({line})"));
    let told = workspace.ok(&["run", "ask", "--as", "admin"]);
    let line = told.lines().find(|line| !line.contains("`ask`")).unwrap();
    line.trim().to_owned()
}

/// How many imports were begun in an environment.
fn imports(workspace: &Workspace, environment: &str) -> String {
    let line = format!("environment::named(\"{environment}\").rows(\"importjobs\").len()");
    asked(workspace, &line)
}

/// The number of the newest run.
fn newest_run(workspace: &Workspace) -> String {
    let told = workspace.ok(&["history", "--json", "--limit", "1"]);
    let run: serde_json::Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
    run["id"].to_string()
}
