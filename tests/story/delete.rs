//! Deleting a solution, stopped at every point and gone on with.

use almscript::emulator::Tenant;
use almscript::emulator::fault::{Fault, FaultAction, FaultPattern};

use super::{SOLUTION, Workspace};

const DELETE: [&str; 6] = [
    "run",
    "delete",
    "--as",
    "advanced-maker",
    "--solution",
    SOLUTION,
];

/// Makes the next call of a kind in *dev* fail.
fn next_fails(workspace: &Workspace, path: &str, action: FaultAction) {
    let on = FaultPattern {
        method: Some("POST".to_owned()),
        host: Some("contoso-dev.crm4.dynamics.com".to_owned()),
        path: Some(path.to_owned()),
    };
    let tenant = Tenant::open(&workspace.dir().join(".alm/tenant")).unwrap();
    tenant
        .inject(Fault {
            on,
            at: 1,
            times: 1,
            action,
        })
        .unwrap();
}

fn refusal(message: &str) -> FaultAction {
    FaultAction::Status {
        status: 400,
        code: "0x80048033".to_owned(),
        message: message.to_owned(),
        retry_after: None,
    }
}

/// How many flows *dev* has with the name of the solution's.
fn flows(workspace: &Workspace) -> String {
    workspace.script(
        "flows",
        "//! Count.\nenvironment::named(\"dev\").rows(\"workflows\", #{ filter: #{ name: \"SharePoint Hide folders in document library view\" } }).len()",
    );
    let told = workspace.ok(&["run", "flows", "--as", "admin"]);
    told.lines()
        .find(|line| line.parse::<u32>().is_ok())
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_deletion_that_stops_says_what_the_environment_holds_and_goes_on_when_run_again() {
    let workspace = Workspace::example();
    next_fails(
        &workspace,
        "ImportSolutionAsync",
        refusal("an app is open in the studio"),
    );
    workspace.fails(
        1,
        &DELETE,
        &[
            "could not be converted to managed",
            "an app is open in the studio",
            "dev still holds it as unmanaged; nothing is lost",
            "run this again",
        ],
    );

    // The conversion takes place, but nobody hears of it.
    next_fails(
        &workspace,
        "ImportSolutionAsync",
        FaultAction::Drop { after_effect: true },
    );
    workspace.fails(
        1,
        &DELETE,
        &["dev holds it as managed now; its components are still there; the job ImportSolution was"],
    );
    assert_eq!(flows(&workspace), "1");

    next_fails(
        &workspace,
        "UninstallSolutionAsync",
        refusal("another job is running"),
    );
    let told = workspace.fails(
        1,
        &DELETE,
        &[
            "could not be deleted",
            "another job is running",
            "dev holds it as managed now",
        ],
    );
    assert!(!told.contains("Convert to managed"), "{told}");

    let told = workspace.ok(&DELETE);
    assert!(told.contains("its components are gone from dev"), "{told}");
    assert_eq!(flows(&workspace), "0");
    let backups = std::fs::read_dir(workspace.dir().join("backups/dev")).unwrap();
    assert_eq!(
        backups.count(),
        2,
        "one for each time that it was unmanaged"
    );
    workspace.fails(
        1,
        &DELETE,
        &[
            "there is no solution PowerAutomateSamples in dev",
            "nothing is left to delete",
        ],
    );
}

#[test]
fn a_dependent_outside_of_the_solution_blocks_before_anything_is_changed() {
    let workspace = Workspace::example();
    workspace.script("depend", DEPEND);
    workspace.ok(&["run", "depend", "--as", "admin"]);
    let told = workspace.fails(
        1,
        &DELETE,
        &[
            "1 components outside of PowerAutomateSamples need it, among them Archive it too",
            "dev still holds it as unmanaged; nothing is lost",
            "remove them first",
        ],
    );
    assert!(!told.contains("Export"), "{told}");
    workspace.script("depend", "//! Let go.\nlet dev = environment::named(\"dev\");\ndev.delete_row(\"workflows\", dev.rows(\"workflows\", #{ filter: #{ name: \"Archive it too\" } })[0].workflowid);");
    workspace.ok(&["run", "depend", "--as", "admin"]);
    workspace.ok(&DELETE);
}

/// A flow of no solution that uses the solution's connection reference.
const DEPEND: &str = r##"//! Depend.
environment::named("dev").create_row("workflows", #{
    name: "Archive it too", category: 5, type: 1, primaryentity: "none",
    clientdata: `{"properties":{"connectionReferences":{"shared_sharepointonline":{"runtimeSource":"embedded","connection":{"connectionReferenceLogicalName":"exp_sharedsharepointonline_e5efa"},"api":{"name":"shared_sharepointonline"}}},"definition":{"$schema":"https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#","contentVersion":"1.0.0.0","triggers":{},"actions":{}}},"schemaVersion":"1.0.0.0"}`,
})
"##;
