//! What can be in the way: each with a clear message and a non-zero exit.

use super::{SOLUTION, Workspace};

#[test]
fn a_new_branch_that_exists_is_refused_with_a_way_out() {
    let workspace = Workspace::example();
    workspace.fails(
        1,
        &[
            "run",
            "commit",
            "--as",
            "advanced-maker",
            "--solution",
            SOLUTION,
            "--message",
            "Twice",
            "--to-branch",
            "main",
            "--from-branch",
            "main",
        ],
        &["the branch main exists already", "leave out --from-branch"],
    );
}

#[test]
fn a_missing_connection_is_named_and_the_run_can_be_resumed() {
    let workspace = Workspace::example();
    workspace.save("First save");
    let toml = workspace.dir().join("alm.toml");
    let text = std::fs::read_to_string(&toml).unwrap();
    let broken = text.replace(
        "shared-sharepointonl-7e000000-0000-4000-8000-000000000001",
        "no-such-connection",
    );
    assert_ne!(text, broken);
    std::fs::write(&toml, broken).unwrap();
    let own = format!("maya@contoso.example-{SOLUTION}");
    workspace.fails(
        1,
        &[
            "run",
            "release",
            "--as",
            "admin",
            "--solution",
            SOLUTION,
            "--branch",
            &own,
            "--stage",
            "test",
        ],
        &["no-such-connection", "ALM-"],
    );
}

#[test]
fn a_dependency_that_the_target_lacks_is_named_and_nothing_is_imported() {
    let workspace = Workspace::example();
    workspace.save("First save");
    workspace.script("need", NEED);
    workspace.ok(&["run", "need", "--as", "admin"]);
    let own = format!("maya@contoso.example-{SOLUTION}");
    let release = [
        "run",
        "release",
        "--as",
        "admin",
        "--stage",
        "test",
        "--solution",
        SOLUTION,
        "--branch",
        &own,
    ];
    let told = workspace.fails(
        1,
        &release,
        &[
            "test lacks 1 components that PowerAutomateSamples needs: base_ledger of ContosoBase",
            "install ContosoBase",
            "in test first",
        ],
    );
    assert!(!told.contains("- Import"), "{told}");
    let environment = workspace.ok(&["env", "show", "test", "--as", "admin"]);
    assert!(!environment.contains(SOLUTION), "{environment}");
}

/// Makes the saved solution need a table of another one.
const NEED: &str = r##"//! Need another solution.
let own = branch::repository("apps").branch("maya@contoso.example-PowerAutomateSamples");
let path = "PowerAutomateSamples/SolutionPackage/src/Other/Solution.xml";
let text = own.read(path);
text.replace("<MissingDependencies />", `<MissingDependencies><MissingDependency><Required type="1" schemaName="base_ledger" displayName="Ledger" solution="ContosoBase (1.2.0.0)" /><Dependent type="29" displayName="SharePoint Hide folders in document library view" id="{096175f7-d8bc-ed11-83fe-00224807864e}" /></MissingDependency></MissingDependencies>`);
let files = #{};
files[path] = text;
own.commit(#{ message: "Need the base", files: files });
"##;

#[test]
fn a_merge_conflict_is_told_and_the_pull_request_stays_open() {
    let workspace = Workspace::example();
    workspace.script(
        "conflict",
        r##"//! Make a conflict.
let apps = branch::repository("apps");
for side in ["left", "right"] {
    let one = apps.branch(side);
    one.create_from(apps.branch("main"));
    one.commit(#{ message: side, files: #{ "shared.txt": side } });
    one.open_pull_request(#{ into: "main", title: side });
}
apps.pull_request(1).complete();
"##,
    );
    workspace.ok(&["run", "conflict", "--as", "admin"]);
    workspace.fails(1, &["pr", "complete", "2", "--as", "admin"], &["conflict"]);
    assert!(
        workspace
            .ok(&["pr", "list", "--as", "admin"])
            .contains("right")
    );
}

#[test]
fn a_forbidden_effect_is_refused_by_the_host_even_from_a_hand_written_script() {
    let workspace = Workspace::example();
    workspace.script(
        "sneaky",
        "//! Sneak.\nenvironment::named(\"dev\").delete_solution(\"PowerAutomateSamples\")",
    );
    let alm = workspace.alm(&["run", "sneaky", "--as", "new-maker"]);
    assert_ne!(alm.code, Some(0), "{}", alm.text);
    let toml = workspace.dir().join("alm.toml");
    let text = std::fs::read_to_string(&toml).unwrap();
    std::fs::write(
        &toml,
        text.replace(
            "scripts = [\"commit\", \"deploy\"]",
            "scripts = [\"commit\", \"deploy\", \"sneaky\"]",
        ),
    )
    .unwrap();
    workspace.fails(
        5,
        &["run", "sneaky", "--as", "new-maker"],
        &["new-maker", "delete", "dev"],
    );
}

/// The sign-in service is busy or breaks off: it is asked again, since asking for a token changes
/// nothing.
#[test]
fn a_sign_in_that_fails_for_a_moment_is_repeated() {
    use almscript::emulator::Tenant;
    use almscript::emulator::fault::{Fault, FaultAction, FaultPattern};
    let workspace = Workspace::example();
    let tenant = Tenant::open(&workspace.dir().join(".alm/tenant")).unwrap();
    let busy = FaultAction::Status {
        status: 503,
        code: String::new(),
        message: String::new(),
        retry_after: None,
    };
    let lost = FaultAction::Drop { after_effect: true };
    for action in [busy, lost] {
        let on = FaultPattern {
            path: Some("/oauth2/v2.0/token".into()),
            ..FaultPattern::default()
        };
        let fault = Fault {
            on,
            at: 1,
            times: 1,
            action,
        };
        tenant.inject(fault).unwrap();
        workspace.ok(&["env", "show", "dev"]);
    }
}
