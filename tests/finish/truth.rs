//! What could not be done is no success.

use super::merged;
use crate::workspace::{SOLUTION, Workspace};

/// Settings that are named and not there are no reason to release without any.
#[test]
fn a_settings_folder_that_does_not_exist_is_an_error_that_lists_those_that_do() {
    let workspace = merged();
    let own = format!("maya@contoso.example-{SOLUTION}");
    workspace.script(
        "move",
        &format!(
            "let own = branch::repository(\"apps\").branch(\"{own}\");\n\
             let name = \"{SOLUTION}/config/deploymentSettings.json\";\n\
             let files = #{{}};\n\
             for folder in [\"Test\", \"Prod\"] {{ files[`{SOLUTION}/config/${{folder}}/deploymentSettings.json`] = own.read(name); }}\n\
             own.commit(#{{ message: \"m\", files: files, delete: [name, \"{SOLUTION}/config/customDeploymentSettings.json\"] }}).id"
        ),
    );
    workspace.ok(&["run", "move", "--as", "admin", "--identity", "maya"]);
    let import = |configuration: &[&str]| {
        let import = [
            "run",
            "import",
            "--as",
            "advanced-maker",
            "--solution",
            SOLUTION,
            "--environment",
            "dev2",
            "--branch",
            &own,
        ];
        workspace.alm(&[&import[..], configuration].concat())
    };
    let told = import(&["--configuration", "nonsense"]);
    assert_eq!(told.code, Some(1), "{}", told.text);
    for text in ["ALM-D006", "config/nonsense", "there are: Prod, Test"] {
        assert!(told.text.contains(text), "no `{text}` in:\n{}", told.text);
    }
    let dev2 = workspace.ok(&["env", "show", "dev2", "--as", "admin"]);
    assert!(!dev2.contains(SOLUTION), "nothing was imported: {dev2}");
    // A folder in another letter case is the same one.
    let release = |settings: &str| {
        let file = workspace.dir().join("alm.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let stage = "prerequisite = \"validation\"";
        let changed = text.replacen(stage, &format!("{stage}\n{settings}"), 1);
        std::fs::write(&file, changed).unwrap();
        let release = [
            "run",
            "release",
            "--as",
            "admin",
            "--solution",
            SOLUTION,
            "--stage",
            "test",
            "--branch",
            &own,
        ];
        let ended = workspace.alm(&release);
        std::fs::write(&file, text).unwrap();
        ended
    };
    let told = release("settings = \"Tset\"");
    assert!(
        told.code == Some(1) && told.text.contains("config/Tset"),
        "{}",
        told.text
    );
    let told = release("settings = \"test\"");
    assert_eq!(told.code, Some(0), "{}", told.text);
}

/// Without any settings a solution is released as it is, and without a folder of its own a target takes
/// those that are for all.
#[test]
fn settings_for_all_targets_do_for_one_without_a_folder() {
    let workspace: Workspace = merged();
    let told = workspace.ok(&["agent", "--once"]);
    assert!(told.contains("is in test"), "{told}");
}
