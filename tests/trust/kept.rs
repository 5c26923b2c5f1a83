//! What is kept is true and for its owner; what is shown has no secrets.

use crate::workspace::{SOLUTION, Workspace, command};

#[test]
fn the_first_use_by_several_at_once_is_refused_to_none() {
    for _ in 0..4 {
        let workspace = Workspace::example();
        let save = |persona: &str| {
            let save = ["run", "commit", "--as", persona, "--solution", SOLUTION];
            command(&workspace.dir(), &[&save[..], &["--message", "m"]].concat())
        };
        let first: Vec<_> = ["new-maker", "advanced-maker", "admin"]
            .into_iter()
            .map(|persona| {
                let mut save = save(persona);
                save.stdout(std::process::Stdio::null());
                save.stderr(std::process::Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for started in first {
            let ended = started.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&ended.stderr);
            assert!(!said.contains("locked"), "{said}");
        }
    }
}

#[test]
fn a_secret_in_the_workspace_file_is_not_repeated_in_the_error_about_it() {
    let workspace = Workspace::example();
    let file = workspace.dir().join("alm.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let kept = "secret = { file = \".alm/secrets/pipeline\" }";
    for literal in [
        "secret = \"Zx9-Literal\"",
        "secret = Zx9-Literal",
        "secert = 'Zx9-Literal'",
    ] {
        assert!(text.contains(kept));
        std::fs::write(&file, text.replacen(kept, literal, 1)).unwrap();
        let said = workspace.fails(4, &["env", "list"], &["error[ALM-W", "alm.toml"]);
        assert!(!said.contains("Zx9"), "{said}");
    }
}

#[test]
fn a_secret_of_a_stage_reaches_its_environment_and_nothing_that_is_kept() {
    let workspace = Workspace::example();
    let secret = "a-value-that-only-the-target-sees";
    let file = workspace.dir().join("stage-secret");
    std::fs::write(&file, secret).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let alm_toml = workspace.dir().join("alm.toml");
    let text = std::fs::read_to_string(&alm_toml).unwrap();
    let site = "site = \"https://contoso.sharepoint.com/sites/dev2\"";
    assert!(text.contains(site));
    std::fs::write(
        &alm_toml,
        text.replacen(site, "site = { file = \"stage-secret\" }", 1),
    )
    .unwrap();
    workspace.save("m");
    workspace.script(
        "set",
        r##"
        let apps = branch::repository("apps");
        let from = apps.branch("maya@contoso.example-PowerAutomateSamples");
        let stage = deployment::profile("standard").stage("dev2");
        if "site" in stage.variables { fail("the secret is handed to scripts") }
        let settings = step("Read the settings", || {
            deployment::settings(from, #{ solution: "PowerAutomateSamples", stage: stage })
        });
        let dev = environment::named("dev");
        step("Set", || {
            for it in settings.variables { dev.set_variable(it.name, it.value); }
            settings.variables[0].value
        })
        "##,
    );
    let said = workspace.ok(&["run", "set", "--as", "admin"]);
    assert!(!said.contains(secret), "{said}");
    let shown = workspace.ok(&["show", "2", "--json"]);
    assert!(
        shown.contains("Read the settings") && !shown.contains(secret),
        "{shown}"
    );
    workspace.script(
        "look",
        r##"environment::named("dev").rows("environmentvariablevalues").map(|it| it.value.len)"##,
    );
    let lengths = workspace.ok(&["run", "look", "--as", "admin"]);
    assert!(lengths.contains(&secret.len().to_string()), "{lengths}");
}

/// Runs the program until its output has `text` and then kills it.
fn killed_at(workspace: &Workspace, arguments: &[&str], text: &str) {
    use std::io::BufRead as _;
    let mut started = command(&workspace.dir(), arguments)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = std::io::BufReader::new(started.stderr.take().unwrap()).lines();
    let reached = lines.map_while(Result::ok).any(|line| line.contains(text));
    started.kill().unwrap();
    started.wait().unwrap();
    assert!(reached, "it never came to `{text}`");
}

#[test]
fn a_resumed_run_writes_what_it_was_asked_to_and_no_stars() {
    let workspace = Workspace::example();
    let site = "https://h.example/run?sp=1&sig=AbCdEf123456&x=1";
    workspace.script(
        "seed",
        &format!(
            r##"let apps = branch::repository("apps");
            let mine = apps.branch("ada@contoso.example-{SOLUTION}");
            mine.create_from(apps.branch("main"));
            mine.commit(#{{ message: "seed", files: #{{ "{SOLUTION}/config/test/deploymentSettings.json":
                `{{"EnvironmentVariables":[{{"SchemaName":"exp_SPOSiteCollection_PowerUsers","Value":"{site}"}}],"ConnectionReferences":[]}}` }} }});"##
        ),
    );
    workspace.ok(&["run", "seed", "--as", "admin"]);
    std::fs::create_dir_all(workspace.dir().join("scripts/hooks")).unwrap();
    workspace.script("hooks/commit", "fn before_commit() { sleep(2); }");
    let message = "Mend password: reset form";
    killed_at(
        &workspace,
        &[
            "run",
            "commit",
            "--as",
            "admin",
            "--solution",
            SOLUTION,
            "--message",
            message,
        ],
        "- Commit",
    );
    workspace.script("hooks/commit", "");
    // The hook is part of what was recorded, so the time is given to the run instead.
    let resumed = workspace.alm(&["run", "--resume", "2", "--as", "admin", "--timeout", "50s"]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.text);
    let branch = format!("ada@contoso.example-{SOLUTION}");
    let repository = workspace.repository();
    let said = crate::workspace::git(&repository, &["log", "-1", "--format=%s", &branch]);
    assert_eq!(said.trim(), message);
    let file = format!("{branch}:{SOLUTION}/config/test/deploymentSettings.json");
    let kept = crate::workspace::git(&repository, &["show", &file]);
    assert!(kept.contains(site), "{kept}");
    for shown in [resumed.text, workspace.ok(&["show", "2", "--json"])] {
        assert!(!shown.contains("AbCdEf123456"), "{shown}");
    }
}

#[test]
fn a_parameter_that_is_a_secret_is_neither_shown_nor_kept_and_given_again() {
    let workspace = Workspace::example();
    let secret = "Zx9-SuperSecret";
    workspace.script(
        "sign",
        "//! Sign in\n//! @param password text  the secret\n\
         step(\"Look\", || params.password.len);\n\
         print(\"it is \" + params.password);\n\
         if run::wait_for(\"a look\", #{ about: params.password, self_approval: true }).approved {\n\
         step(\"End\", || params.password);\nfail(\"failed with \" + params.password) }",
    );
    let started = workspace.fails(
        6,
        &["run", "sign", "--as", "admin", "--password", secret],
        &[],
    );
    let refused = workspace.fails(2, &["approve", "1", "--as", "admin"], &["ALM-R033"]);
    let again = [
        "run",
        "sign",
        "--as",
        "admin",
        "--resume",
        "1",
        "--password",
        secret,
    ];
    let ended = workspace.fails(1, &again, &["failed with ***"]);
    let replayed = workspace.fails(1, &again, &["ALM-R034"]);
    let shown = workspace.ok(&["show", "1", "--json"]);
    for text in [started, refused, ended, replayed, shown] {
        assert!(!text.contains("SuperSecret"), "{text}");
    }
    let mut open = vec![workspace.dir().join(".alm")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "{} holds the secret", path.display());
        }
    }
}

#[test]
fn one_row_that_cannot_be_read_does_not_hide_the_others() {
    let workspace = Workspace::example();
    workspace.script("one", "1");
    workspace.ok(&["run", "one", "--as", "admin"]);
    workspace.ok(&["run", "one", "--as", "admin"]);
    let history = workspace.dir().join(".alm/history.sqlite");
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    rusqlite::Connection::open(history)
        .unwrap()
        .execute(
            "UPDATE run SET value = ?1, failure = 'x', parameters = ?1 WHERE id = 1",
            [deep],
        )
        .unwrap();
    let listed = workspace.ok(&["history"]);
    assert_eq!(listed.matches("one").count(), 2, "{listed}");
    workspace.ok(&["show", "1"]);
}

/// The secret of the pipeline is in one file, and no other file under `.alm` is anybody's but the owner's.
#[cfg(unix)]
#[test]
fn the_pipelines_secret_lies_in_one_file_and_all_that_is_kept_is_its_owners() {
    use std::os::unix::fs::PermissionsExt as _;
    let workspace = Workspace::example();
    workspace.save("m");
    let alm = workspace.dir().join(".alm");
    let secret = std::fs::read(alm.join("secrets/pipeline")).unwrap();
    let mut open = vec![alm.clone()];
    let mut with_secret = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let mode = path.metadata().unwrap().permissions().mode();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            if bytes.windows(secret.len()).any(|window| window == secret) {
                with_secret.push(path.clone());
            }
            // A bare repository lies in a folder that is closed.
            if !path.starts_with(alm.join("tenant/repositories")) {
                assert_eq!(mode & 0o077, 0, "{}: {mode:o}", path.display());
            }
        }
    }
    assert_eq!(with_secret, [alm.join("secrets/pipeline")]);
    for folder in ["", "secrets", "tenant", "artifacts"] {
        let mode = alm.join(folder).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{folder}");
    }
}
