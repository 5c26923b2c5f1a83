//! A run has the rights of its start, whoever approves or resumes it.

use crate::workspace::{SOLUTION, Workspace};

/// A run of new-maker that waits and would then do what she may not.
fn waiting(workspace: &Workspace) {
    workspace.script(
        "commit",
        r#"//! Save a solution
        let answer = run::wait_for("somebody to look at my save", #{ next: "nothing much" });
        print(`${answer.by} said ${answer.comment}`);
        environment::named("dev").delete_solution("PermitManagement");
        environment::named("prod").create_row("accounts", #{ name: "by new-maker" })"#,
    );
    workspace.fails(6, &["run", "commit", "--as", "new-maker"], &["waits"]);
}

#[test]
fn an_approval_lends_no_rights_and_says_who_when_and_why() {
    let workspace = Workspace::example();
    waiting(&workspace);
    let said = workspace.fails(
        5,
        &["approve", "1", "--as", "admin", "--comment", "fine"],
        &["ALM-W017", "new-maker", "delete"],
    );
    assert!(said.contains("ada@contoso.example said fine"), "{said}");
    let solutions = r#"environment::named("dev").solutions().map(|it| it.unique_name)"#;
    workspace.script("look", solutions);
    let there = workspace.ok(&["run", "look", "--as", "admin"]);
    assert!(there.contains("PermitManagement"), "{there}");
    for shown in [
        workspace.ok(&["show", "1"]),
        workspace.ok(&["show", "1", "--json"]),
        workspace.ok(&["history"]),
        workspace.ok(&["history", "--json"]),
    ] {
        for text in ["maya@contoso.example", "ada@contoso.example", "fine"] {
            assert!(shown.contains(text), "no `{text}` in:\n{shown}");
        }
    }
}

#[test]
fn nobody_approves_her_own_run_or_one_that_waits_for_others() {
    let workspace = Workspace::example();
    let wait = |options: &str| {
        workspace.script(
            "wait",
            &format!("run::wait_for(\"a look\", #{{ {options} }}).approved"),
        );
        workspace.fails(6, &["run", "wait", "--as", "admin"], &["waits"]);
    };
    wait("");
    workspace.fails(5, &["approve", "1", "--as", "admin"], &["ALM-R037"]);
    workspace.fails(5, &["approve", "1", "--as", "new-maker"], &["ALM-W017"]);
    workspace.ok(&["approve", "1", "--as", "advanced-maker"]);
    wait("self_approval: true");
    workspace.ok(&["approve", "2", "--as", "admin"]);
    wait("approvers: [\"ada@contoso.example\"]");
    workspace.fails(
        5,
        &["approve", "3", "--as", "advanced-maker"],
        &["ALM-R036", "ada@"],
    );
    let shown = workspace.ok(&["show", "3"]);
    assert!(shown.contains("from: ada@contoso.example"), "{shown}");
    // A group of alm.toml can be named as well.
    let file = workspace.dir().join("alm.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\n[groups]\nreleasers = [\"alex\"]\n")).unwrap();
    wait("approvers: [\"releasers\"]");
    workspace.fails(5, &["approve", "4", "--as", "new-maker"], &["ALM-W017"]);
    workspace.ok(&["approve", "4", "--as", "advanced-maker"]);
}

#[test]
fn what_was_approved_is_what_runs_although_the_files_were_changed() {
    let workspace = Workspace::example();
    workspace.script("part", "fn told() { \"the old part\" }");
    let text = |word: &str| {
        format!(
            "import \"part\" as part;\n\
             run::wait_for(\"a look\", #{{}});\nprint(`{word}, ${{part::told()}}, ${{run::script(\"inner\", #{{}})}}`)"
        )
    };
    workspace.script("inner", "\"the old inner\"");
    workspace.script("asked", &text("the old text"));
    workspace.fails(6, &["run", "asked", "--as", "advanced-maker"], &["waits"]);
    workspace.script("part", "fn told() { \"another part\" }");
    workspace.script("inner", "\"another inner\"");
    workspace.script("asked", &text("another text"));
    let said = workspace.ok(&["approve", "1", "--as", "admin"]);
    assert!(
        said.contains("the old text, the old part, the old inner"),
        "{said}"
    );
    for changed in [
        "scripts/asked.rhai was changed",
        "scripts/part.rhai was changed",
    ] {
        assert!(said.contains(changed), "{said}");
    }
}

#[test]
fn a_run_is_resumed_by_its_own_person_or_an_approver_with_its_own_parameters() {
    let workspace = Workspace::example();
    // The persona of the case: she may queue, but her stage is fixed.
    let file = workspace.dir().join("alm.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let more = text
        .replace(
            "\"open-pull-request\"]",
            "\"open-pull-request\", \"queue-build\"]",
        )
        .replace(
            "\ntest = [\"read\"]\n",
            "\ntest = [\"read\"]\nprod = [\"read\"]\n",
        );
    std::fs::write(&file, &more).unwrap();
    workspace.save("m");
    let deploy = ["run", "deploy", "--solution", SOLUTION];
    let failed = workspace.alm(&[&deploy[..], &["--as", "admin", "--stage", "prod"]].concat());
    assert_eq!(failed.code, Some(1), "{}", failed.text);
    workspace.fails(
        5,
        &["run", "--resume", "2", "--as", "new-maker"],
        &["ALM-R031", "ada@"],
    );
    // Nor in the name of the person who began it, as another persona.
    let as_ada = [
        "run",
        "--resume",
        "2",
        "--as",
        "new-maker",
        "--identity",
        "ada",
    ];
    workspace.fails(5, &as_ada, &["ALM-R031"]);
    let shown = workspace.ok(&["show", "2"]);
    assert!(!shown.contains("attempts"), "it was opened again: {shown}");

    // Her own run, from before the stage was fixed for her.
    let open = more.replace("stage = { fixed = \"test\", hidden = true }", "");
    std::fs::write(&file, &open).unwrap();
    let failed = workspace.alm(&[&deploy[..], &["--as", "new-maker", "--stage", "prod"]].concat());
    assert_eq!(failed.code, Some(1), "{}", failed.text);
    std::fs::write(&file, &more).unwrap();
    workspace.fails(
        5,
        &["run", "--resume", "3", "--as", "new-maker"],
        &["ALM-R032", "stage"],
    );
}
