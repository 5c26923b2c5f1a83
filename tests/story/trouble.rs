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
