//! The audit log: what was done and refused, each entry chained to the one before.

use crate::workspace::{SOLUTION, Workspace};

fn entries(workspace: &Workspace) -> Vec<serde_json::Value> {
    let told = workspace.ok(&["audit", "--json", "--limit", "1000"]);
    let lines = told.lines().map(|line| serde_json::from_str(line).unwrap());
    let mut entries: Vec<serde_json::Value> = lines.collect();
    entries.reverse();
    entries
}

/// The digest of the newest entry.
fn head(workspace: &Workspace) -> String {
    let told = workspace.ok(&["audit", "--verify"]);
    told.lines().last().unwrap().to_owned()
}

fn history(workspace: &Workspace) -> rusqlite::Connection {
    rusqlite::Connection::open(workspace.dir().join(".alm/history.sqlite")).unwrap()
}

#[test]
fn the_way_to_production_is_in_the_log_with_everybody_who_decided() {
    let workspace = Workspace::example();
    workspace.save("First save");
    workspace.ok(&["run", "deploy", "--as", "new-maker", "--solution", SOLUTION]);
    workspace.ok(&["agent", "--once"]);
    workspace.fails(
        5,
        &["pr", "complete", "1", "--as", "new-maker"],
        &["ALM-W017"],
    );
    workspace.ok(&["pr", "complete", "1", "--as", "admin"]);
    workspace.ok(&["agent", "--once"]);
    let to_production = [
        "run",
        "deploy",
        "--as",
        "advanced-maker",
        "--solution",
        SOLUTION,
        "--stage",
        "prod",
    ];
    workspace.ok(&to_production);
    workspace.ok(&[
        "approve",
        "3",
        "--build",
        "--as",
        "admin",
        "--comment",
        "go",
    ]);
    workspace.ok(&["agent", "--once"]);
    workspace.fails(
        2,
        &[
            "run",
            "release",
            "--as",
            "new-maker",
            "--solution",
            SOLUTION,
        ],
        &["ALM-R010"],
    );

    let entries = entries(&workspace);
    let has = |event: &str, who: &str, about: &[(&str, serde_json::Value)]| {
        let found = entries.iter().any(|entry| {
            entry["event"] == event
                && entry["who"] == who
                && about.iter().all(|(name, value)| entry[*name] == *value)
        });
        assert!(found, "no {event} by {who} with {about:?}");
    };
    let (maya, ada) = ("maya@contoso.example", "ada@contoso.example");
    has("policy-changed", "somebody", &[]);
    has(
        "run-started",
        maya,
        &[("script", "commit".into()), ("persona", "new-maker".into())],
    );
    has(
        "run-ended",
        maya,
        &[("run", 1.into()), ("outcome", "succeeded".into())],
    );
    has(
        "host-policy-changed",
        maya,
        &[("repository", "apps".into())],
    );
    has(
        "effect-refused",
        maya,
        &[(
            "rule",
            "personas.new-maker.permissions.bypass_approval".into(),
        )],
    );
    has("pull-request-completed", ada, &[("pull_request", 1.into())]);
    has(
        "build-decided",
        ada,
        &[("approved", true.into()), ("comment", "go".into())],
    );
    has("run-refused", maya, &[("code", "ALM-R010".into())]);
    let text = workspace.ok(&["audit"]);
    assert!(
        text.contains("completed pull request 1 of apps into PowerAutomateSamples"),
        "{text}"
    );

    // Later entries do not change what is known of the earlier ones.
    let known = head(&workspace);
    let alm_toml = workspace.dir().join("alm.toml");
    let changed = format!(
        "{}\n# looser\n",
        std::fs::read_to_string(&alm_toml).unwrap()
    );
    std::fs::write(&alm_toml, changed).unwrap();
    workspace.ok(&["scripts"]);
    workspace.save("Again");
    assert_ne!(head(&workspace), known);
    workspace.ok(&["audit", "--verify", "--known", &known]);
    let text = workspace.ok(&["audit"]);
    assert!(text.contains("alm.toml was changed from"), "{text}");
}

#[test]
fn a_log_that_was_changed_or_made_anew_is_found_out() {
    let workspace = Workspace::example();
    workspace.script("wait", "run::wait_for(\"a look\", #{}).approved");
    workspace.fails(6, &["run", "wait", "--as", "advanced-maker"], &["waits"]);
    workspace.fails(5, &["approve", "1", "--as", "new-maker"], &[]);
    workspace.ok(&[
        "approve",
        "1",
        "--as",
        "admin",
        "--comment",
        "fine, password=Zx9-Secret",
    ]);
    for shown in [workspace.ok(&["audit"]), workspace.ok(&["audit", "--json"])] {
        assert!(shown.contains("fine") && !shown.contains("Zx9"), "{shown}");
    }
    let known = head(&workspace);
    let statement = "UPDATE audit SET event = replace(event, 'alex', 'maya')";
    let refused = history(&workspace).execute(statement, []).unwrap_err();
    assert!(refused.to_string().contains("only grows"), "{refused}");
    workspace.ok(&["audit", "--verify", "--known", &known]);

    let connection = history(&workspace);
    connection.execute("DROP TRIGGER audit_stays", []).unwrap();
    assert!(connection.execute(statement, []).unwrap() > 0);
    let hit = entries(&workspace)
        .iter()
        .find(|entry| entry["requester"] == "maya@contoso.example")
        .map(|entry| entry["number"].to_string())
        .unwrap();
    workspace.fails(3, &["audit", "--verify"], &["ALM-R039"]);
    assert!(hit.parse::<i64>().unwrap() > 1);

    for file in ["history.sqlite", "history.sqlite-wal", "history.sqlite-shm"] {
        let _ = std::fs::remove_file(workspace.dir().join(".alm").join(file));
    }
    workspace.fails(6, &["run", "wait", "--as", "advanced-maker"], &["waits"]);
    workspace.ok(&["audit", "--verify"]);
    workspace.fails(3, &["audit", "--verify", "--known", &known], &["ALM-R039"]);
}

/// A script that is refused without end does not fill the disk.
#[test]
fn endless_refusals_are_kept_up_to_a_limit() {
    let workspace = Workspace::example();
    workspace.script(
        "try",
        r#"for n in 0..500 {
            try { branch::repository("apps").branch(`main`).commit(#{ message: `${n}`, files: #{ "a": "b" } }); } catch {}
        }"#,
    );
    workspace.ok(&["run", "try", "--as", "advanced-maker"]);
    let refused = entries(&workspace)
        .iter()
        .filter(|entry| entry["event"] == "effect-refused")
        .count();
    assert_eq!(refused, 200);
}
