//! Settings and data as the results of steps: kept when a run ends, there when it is resumed.

use almscript::run::{Finished, Host, Outcome};

const CUSTOM: &str = r#"{"SDKMessages": [{"Config": "sec.00000000-0000-0000-0000-0000000000d1", "Value": "geheim-und-lang"}]}"#;
const SCHEMA: &str =
    r#"<entities><entity name="account" primaryidfield="accountid"><fields/></entity></entities>"#;
const SCRIPT: &str = r#"
let which = #{ solution: "S", environment: "test" };
let settings = step("Read settings", || deployment::settings("source", which));
let data = step("Read data", || deployment::find_data("source", which));
if deployment::layout("source").len() < 2 { fail("not yet") }
[settings.steps[0].value.len(), data.tables[0]]
"#;

fn run(host: &Host, resume: Option<&Finished>) -> Finished {
    match resume {
        Some(finished) => host.resume(finished.run).go().unwrap(),
        None => host.run("keeping").go().unwrap(),
    }
}

#[test]
fn a_resumed_run_has_its_settings_and_data_and_the_journal_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("alm.toml", "");
    write("scripts/keeping.rhai", SCRIPT);
    write("source/S/SolutionPackage/src/Other/Solution.xml", "");
    write("source/S/config/test/customDeploymentSettings.json", CUSTOM);
    write(
        "source/S/config/ConfigurationMigrationData/data_schema.xml",
        SCHEMA,
    );
    write(
        "source/S/config/ConfigurationMigrationData/data.xml",
        "<entities/>",
    );
    let first = run(&Host::open(folder.path()).unwrap(), None);
    assert_eq!(first.outcome, Outcome::Failed);
    write("source/T/SolutionPackage/src/Other/Solution.xml", "");
    let host = Host::open(folder.path()).unwrap();
    let second = run(&host, Some(&first));
    assert_eq!(second.outcome, Outcome::Succeeded, "{:?}", second.failure);
    assert_eq!(
        second.value,
        serde_json::json!(["geheim-und-lang".len(), "account"])
    );
    let kept = walk(&folder.path().join(".alm"));
    assert!(
        kept.iter().any(|bytes| contains(bytes, "Read settings")),
        "the journal was not found"
    );
    assert!(!kept.iter().any(|bytes| contains(bytes, "geheim-und-lang")));
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

/// The contents of all files below a folder.
fn walk(folder: &std::path::Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else {
            found.push(std::fs::read(path).unwrap());
        }
    }
    found
}
