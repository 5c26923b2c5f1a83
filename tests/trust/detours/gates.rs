//! The policy that validates pull requests is made whatever happened before, and missed where it is
//! not there.

use almscript::emulator::Tenant;
use almscript::emulator::fault::{Fault, FaultAction, FaultPattern};

use super::host::Client;
use crate::workspace::{SOLUTION, Workspace};

const SAVE: [&str; 8] = [
    "run",
    "commit",
    "--as",
    "new-maker",
    "--solution",
    SOLUTION,
    "--message",
    "First save",
];
const DEPLOY: [&str; 6] = ["run", "deploy", "--as", "new-maker", "--solution", SOLUTION];

/// Makes one call of a kind to the git host go wrong, the `at`th, and all after it until
/// [`whole_again`].
fn breaks(workspace: &Workspace, path: &str, at: u64, action: FaultAction) {
    let on = FaultPattern {
        method: Some("POST".to_owned()),
        host: None,
        path: Some(path.to_owned()),
    };
    let tenant = Tenant::open(&workspace.dir().join(".alm/tenant")).unwrap();
    let times = 1;
    tenant
        .inject(Fault {
            on,
            at,
            times,
            action,
        })
        .unwrap();
}

fn whole_again(workspace: &Workspace) {
    let tenant = Tenant::open(&workspace.dir().join(".alm/tenant")).unwrap();
    tenant.clear_faults().unwrap();
}

fn down() -> FaultAction {
    FaultAction::Status {
        status: 500,
        code: String::new(),
        message: "down".to_owned(),
        retry_after: None,
    }
}

/// The pull request waits for its validation, is validated, merged and released.
fn goes_through_the_gate(workspace: &Workspace) {
    workspace.ok(&DEPLOY);
    workspace.fails(
        6,
        &["pr", "complete", "1", "--as", "admin"],
        &["still waits for Build Validation"],
    );
    let told = workspace.ok(&["agent", "--once"]);
    assert!(told.contains("installs in validation"), "{told}");
    workspace.ok(&["pr", "complete", "1", "--as", "admin"]);
    let told = workspace.ok(&["agent", "--once"]);
    assert!(told.contains("is in test"), "{told}");
}

#[test]
fn a_save_after_one_that_failed_makes_the_pipelines() {
    let workspace = Workspace::example();
    breaks(&workspace, "build/definitions", 1, down());
    workspace.fails(1, &SAVE, &["Prepare the pipelines"]);
    whole_again(&workspace);
    let told = workspace.ok(&SAVE);
    assert!(
        told.contains("Nothing to commit") && told.contains("Made what was missing"),
        "{told}"
    );
    goes_through_the_gate(&workspace);
}

#[test]
fn a_save_whose_answer_was_lost_makes_the_pipelines_when_it_goes_on() {
    let workspace = Workspace::example();
    breaks(
        &workspace,
        "/refs",
        2,
        FaultAction::Drop { after_effect: true },
    );
    assert_ne!(workspace.alm(&SAVE).code, Some(0));
    whole_again(&workspace);
    workspace.ok(&["run", "--resume", "1", "--as", "new-maker"]);
    goes_through_the_gate(&workspace);
}

#[test]
fn nothing_is_sent_to_a_branch_that_validates_nothing() {
    let workspace = Workspace::example();
    workspace.ok(&SAVE);
    let host = Client::of(&workspace, "ada");
    host.remove_policies();
    let missing = "pull requests into PowerAutomateSamples are not validated";
    workspace.fails(1, &DEPLOY, &[missing, "save the solution again"]);
    // The save is what makes it again.
    workspace.ok(&SAVE);
    workspace.ok(&DEPLOY);
    host.remove_policies();
    workspace.fails(
        1,
        &["pr", "complete", "1", "--as", "admin"],
        &["ALM-B027", "alm run commit"],
    );
    workspace.fails(
        1,
        &["pr", "complete", "1", "--as", "admin", "--when-ready"],
        &["ALM-B027"],
    );
    for how in ["complete()", "complete_when_ready(#{})"] {
        workspace.script(
            "x",
            &format!("branch::repository(\"apps\").pull_request(1).{how}"),
        );
        workspace.fails(1, &["run", "x", "--as", "admin"], &["ALM-B027"]);
    }
    workspace.ok(&SAVE);
    workspace.fails(
        6,
        &["pr", "complete", "1", "--as", "admin"],
        &["still waits for Build Validation"],
    );
}

#[test]
fn a_merge_that_nothing_validated_is_not_released() {
    let workspace = Workspace::example();
    workspace.ok(&SAVE);
    workspace.ok(&DEPLOY);
    // The host's own page completes it once the policy is gone.
    let host = Client::of(&workspace, "ada");
    host.remove_policies();
    host.complete(1);
    let told = workspace.alm(&["agent", "--once"]);
    assert!(
        told.text
            .contains("no validation of pull request 1 has succeeded"),
        "{}",
        told.text
    );
    let test = workspace.ok(&["env", "show", "test", "--as", "admin"]);
    assert!(!test.contains(SOLUTION), "{test}");
}
