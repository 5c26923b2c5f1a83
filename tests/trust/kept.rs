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
