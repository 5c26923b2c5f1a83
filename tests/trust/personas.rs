//! A persona is its people's: `--as` chooses among one's own.

use crate::workspace::{SOLUTION, Workspace, alm};

/// The example, with personas that belong to people and to a group.
fn owned() -> Workspace {
    let workspace = Workspace::example();
    change(&workspace, |text| {
        text.replace(
            "identity = \"maya\"\n",
            "identity = \"maya\"\ngroups = [\"makers\"]\n",
        )
        .replace(
            "identity = \"ada\"\n",
            "identity = \"ada\"\npeople = [\"ADA@contoso.example\"]\n",
        ) + "\n[groups]\nmakers = [\"maya\", \"alex@contoso.example\"]\n"
    });
    workspace
}

fn change(workspace: &Workspace, change: impl Fn(&str) -> String) {
    let file = workspace.dir().join("alm.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let changed = change(&text);
    assert_ne!(changed, text);
    std::fs::write(&file, changed).unwrap();
}

#[test]
fn nobody_acts_as_a_persona_of_others() {
    let workspace = owned();
    workspace.script("who", "`${run::persona()} for ${run::who()}`");
    let who = |persona: &str, identity: &str| {
        workspace.alm(&["run", "who", "--as", persona, "--identity", identity])
    };
    let maya = who("admin", "maya");
    assert_eq!(maya.code, Some(5), "{}", maya.text);
    for text in ["ALM-W023", "maya@contoso.example", "new-maker"] {
        assert!(maya.text.contains(text), "no `{text}` in:\n{}", maya.text);
    }
    // A persona that names nobody is everybody's.
    for (persona, identity) in [
        ("admin", "ada"),
        ("new-maker", "alex"),
        ("new-maker", "maya"),
        ("advanced-maker", "maya"),
    ] {
        let ended = who(persona, identity);
        // `new-maker` does not have the script; the persona itself is hers.
        let refused = ended.text.contains("ALM-W023");
        assert!(!refused, "{persona} for {identity}: {}", ended.text);
    }
    assert_eq!(who("new-maker", "ada").code, Some(5));
    // Nobody named: the persona's own person acts, as before.
    let own = workspace.ok(&["run", "who", "--as", "admin"]);
    assert!(own.contains("admin for ada@contoso.example"), "{own}");
    // Everything that opens a workspace asks: lists, pull requests, approvals, the agent.
    for arguments in [
        &["scripts"][..],
        &["pr", "list"],
        &["approve", "1"],
        &["agent", "--once"],
    ] {
        let as_admin = [arguments, &["--as", "admin", "--identity", "maya"]].concat();
        workspace.fails(5, &as_admin, &["ALM-W023"]);
    }
}

#[test]
fn without_a_persona_ones_own_is_taken() {
    let workspace = owned();
    change(&workspace, |text| {
        text.replace(
            "identity = \"alex\"\n",
            "identity = \"alex\"\npeople = [\"alex\"]\n",
        )
    });
    let shown = |identity: &str| workspace.alm(&["scripts", "--identity", identity]);
    // The default persona is Alex's; Maya and Ada have one each.
    assert_eq!(shown("alex").code, Some(0), "{}", shown("alex").text);
    let maya = shown("maya");
    assert!(maya.text.contains("Save solution"), "{}", maya.text);
    assert!(!maya.text.contains("release"), "{}", maya.text);
    assert_eq!(shown("ada").code, Some(0));
}

#[test]
fn people_and_groups_that_lead_nowhere_are_mistakes_at_their_lines() {
    let workspace = owned();
    for (people, says) in [
        ("people = [\"mayaa\"]", "did you mean `maya`?"),
        ("people = [\"pipeline\"]", "is not a person"),
        ("groups = [\"nobody\"]", "no group called `nobody`"),
        ("people = [\"maya\"]", "is not among its people"),
    ] {
        let other = Workspace::example();
        change(&other, |text| {
            text.replace(
                "identity = \"ada\"\n",
                &format!("identity = \"ada\"\n{people}\n"),
            )
        });
        other.fails(4, &["scripts"], &[says, "alm.toml:"]);
    }
    change(&workspace, |text| text.replace("\"maya\", ", "\"mayo\", "));
    workspace.fails(4, &["scripts"], &["did you mean `maya`?"]);
}

#[test]
fn completion_offers_ones_own_personas() {
    let workspace = owned();
    let offered = alm(
        &workspace.dir(),
        &["complete", "--", "run", "--identity", "maya", "--as", ""],
    );
    assert!(offered.text.contains("new-maker"), "{}", offered.text);
    assert!(!offered.text.contains("admin"), "{}", offered.text);
}

/// Settings, sites and profiles in the source are effects of their own, whatever writes them.
#[test]
fn who_may_not_change_settings_sites_or_profiles_commits_none() {
    let workspace = Workspace::example();
    let file = workspace.dir().join("alm.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let persona = "\n[personas.careful]\nidentity = \"maya\"\n\
        permissions = { deployment_configuration = false, commit_power_pages = false, update_profiles = false }\n";
    std::fs::write(&file, format!("{text}{persona}")).unwrap();
    let own = format!("maya@contoso.example-{SOLUTION}");
    workspace.script(
        "write",
        &format!(
            "//! @param path text  where\nbranch::repository(\"apps\").branch(\"{own}\").commit(\
             #{{ message: \"x\", files: [[params.path, \"x\"]].reduce(|all, it| {{ all[it[0]] = it[1]; all }}, #{{}}) }}).id"
        ),
    );
    // The bundled script leaves out what she may not save.
    let save = [
        "run",
        "commit",
        "--as",
        "careful",
        "--solution",
        SOLUTION,
        "--message",
        "m",
    ];
    workspace.ok(&save);
    let saved = crate::workspace::git(
        &workspace.repository(),
        &["diff", "--name-only", "main", &own],
    );
    assert!(
        saved.contains(&format!("{SOLUTION}/SolutionPackage")),
        "{saved}"
    );
    assert!(!saved.contains(&format!("{SOLUTION}/config/")), "{saved}");
    for (path, action) in [
        ("a/config/test/deploymentSettings.json", "settings"),
        ("deploymentSettings.json", "settings"),
        ("a/PowerPages/site/page.yml", "power-pages"),
        ("alm.toml", "create-profiles"),
    ] {
        let write = ["run", "write", "--as", "careful", "--path", path];
        workspace.fails(5, &write, &["ALM-W017", action]);
        workspace.ok(&[
            "run",
            "write",
            "--as",
            "admin",
            "--identity",
            "maya",
            "--path",
            path,
        ]);
    }
    let write = ["run", "write", "--as", "careful", "--path", "alm.toml"];
    workspace.fails(5, &write, &["ALM-W017", "update-profiles"]);
    let harmless = "a/SolutionPackage/src/config/alm.toml";
    workspace.ok(&["run", "write", "--as", "careful", "--path", harmless]);
}
