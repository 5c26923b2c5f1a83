//! The `branch::` primitives, run by scripts in a workspace with an emulated organisation.

use std::path::Path;

use almscript::emulator::Tenant;
use almscript::git::BareRepository;
use almscript::run::{Host, Outcome};
use almscript::script::reference::{Needs, entries};
use almscript::transport::{Method, Request, Service};
use serde_json::{Value, json};

use crate::tenant::definition;

const ALM_TOML: &str = r#"
[tenant]
emulated = true
[identities.maya]
user = "maya@contoso.example"
[identities.olga]
user = "olga@contoso.example"
[hosts.contoso]
kind = "azure-devops"
url = "https://dev.azure.com/contoso"
identity = "maya"
[repositories.apps]
host = "contoso"
project = "ALM Team"
[environments.validation]
url = "https://contoso-validation.crm4.dynamics.com"
identity = "maya"
[environments.test]
url = "https://contoso-test.crm4.dynamics.com"
identity = "maya"
[environments.prod]
url = "https://contoso.crm4.dynamics.com"
identity = "maya"
[profiles.standard]
repository = "apps"
stages = [
    { name = "validation", environment = "validation", deployable = false },
    { name = "test", environment = "test" },
    { name = "prod", environment = "prod", approval = "environment", approvers = ["olga@contoso.example"] },
]
[personas.maker]
identity = "maya"
[personas.operator]
identity = "olga"
"#;

/// A workspace with an emulated tenant whose repository has a first commit.
fn workspace() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("alm.toml"), ALM_TOML).unwrap();
    let tenant = Tenant::create(&dir.path().join(".alm/tenant"), &definition()).unwrap();
    let push = json!({
        "refUpdates": [{ "name": "refs/heads/main", "oldObjectId": "0".repeat(40) }],
        "commits": [{ "comment": "first", "changes": [{
            "changeType": "add",
            "item": { "path": "/README.md" },
            "newContent": { "content": "hello", "contentType": "rawtext" },
        }] }],
    });
    let url = "https://dev.azure.com/contoso/ALM%20Team/_apis/git/repositories/apps/pushes";
    let mut request = Request::new(Method::POST, url.parse().unwrap()).json(&push);
    request
        .headers
        .insert("authorization", "Basic Om1heWE=".parse().unwrap());
    assert_eq!(tenant.answer(request).status, 201);
    dir
}

fn run(dir: &Path, persona: Option<&str>, script: &str) -> Result<Value, String> {
    let mut host = Host::open(dir).unwrap();
    if let Some(persona) = persona {
        let persona = host.workspace().persona(Some(persona), None).unwrap();
        host.act_as(persona);
    }
    host.script("example", script);
    let finished = host.run("example").go().unwrap();
    match finished.outcome {
        Outcome::Succeeded => Ok(finished.value),
        _ => Err(finished
            .failure
            .map(|failure| failure.render(false))
            .unwrap_or_default()),
    }
}

#[test]
fn the_examples_of_the_branch_group_hold() {
    let dir = workspace();
    let mut wrong = Vec::new();
    let mut count = 0;
    let entries = entries(&Host::in_memory().unwrap().engine());
    for entry in entries.iter().filter(|entry| entry.group == "branch") {
        for example in entry
            .examples
            .iter()
            .filter(|example| example.needs == Needs::Tenant)
        {
            count += 1;
            match run(dir.path(), None, &example.script) {
                Ok(Value::Bool(false)) => wrong.push(format!("{}: false", entry.signature)),
                Ok(_) => {}
                Err(error) => wrong.push(format!("{}: {error}", entry.signature)),
            }
        }
    }
    assert!(count > 20, "{count}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_script_commits_in_the_makers_name_and_steps_keep_what_they_made() {
    let dir = workspace();
    let script = r#"
        let apps = step("Open", || branch::repository("apps"));
        let mine = step("Branch", || {
            let mine = apps.branch("maya");
            mine.create_from(apps.branch("main"));
            mine
        });
        let commit = step("Commit", || mine.commit(#{
            message: "It's done #1", files: #{ "a/ü.txt": "x", "README.md": () },
        }));
        let request = step("Request", || mine.open_pull_request(#{ into: "main", title: "Mine" }));
        let done = step("Complete", || request.complete(#{ strategy: "squash" }));
        #{ files: commit.files, items: commit.work_items, status: done.status,
           left: apps.branch("main").files(""), author: done.author, id: commit.id }
    "#;
    let value = run(dir.path(), Some("maker"), script).unwrap();
    assert_eq!(value["files"], json!(["README.md", "a/ü.txt"]));
    assert_eq!(value["items"], json!([1]));
    assert_eq!(
        (&value["status"], &value["left"]),
        (&json!("completed"), &json!(["a/ü.txt"]))
    );
    assert_eq!(value["author"], "Maya Maker");
    let folder = dir
        .path()
        .join(".alm/tenant/repositories/contoso/ALM Team/apps.git");
    let log = std::process::Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["log", "-1", "--format=%ae", value["id"].as_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&log.stdout).trim(),
        "maya@contoso.example"
    );
}

#[test]
fn failures_reach_a_script_with_code_and_hint() {
    let dir = workspace();
    let script = r#"
        let apps = branch::repository("apps");
        let said = [];
        for it in [
            || apps.branch("no").commit(#{ message: "x", files: #{ a: "b" } }),
            || apps.branch("main").create_from(apps.branch("main")),
            || apps.branch("main").commit(#{ massage: "x" }),
            || apps.branch("main").commit(#{ message: "x", files: #{ "../up": "b" } }),
            || branch::repository("appz"),
            || apps.build(99),
            || apps.at(apps.branch("main").head).commit(#{ message: "x" }),
        ] {
            try { it.call(); said += "nothing" } catch (err) { said += err.code }
        }
        said
    "#;
    let codes = run(dir.path(), None, script).unwrap();
    let expected = json!([
        "ALM-B020", "ALM-B019", "ALM-S020", "ALM-B005", "ALM-B030", "ALM-B012", "ALM-B036",
    ]);
    assert_eq!(codes, expected);
}

#[test]
fn the_author_is_the_person_and_others_are_co_authors() {
    let dir = workspace();
    let start = r#"
        let mine = branch::repository("apps").branch("mine");
        mine.create_from(branch::repository("apps").branch("main"));"#;
    let commit = r#"mine.commit(#{ message: "Together #1", files: #{ "x": "y" }, PEOPLE }).id"#;
    let olga = r##"#{ name: "Olga", email: "olga@contoso.example" }"##;
    let forged = commit.replace("PEOPLE", &format!("author: {olga}"));
    let error = run(dir.path(), Some("maker"), &format!("{start}{forged}")).unwrap_err();
    assert!(error.contains("unknown option `author`"), "{error}");

    let others =
        format!("co_authors: [{olga}, #{{ name: \"A\\nSigned-off-by: B\", email: \"a>b\" }}]");
    let commit = commit.replace("PEOPLE", &others);
    let script = format!(r#"let mine = branch::repository("apps").branch("mine"); {commit}"#);
    let id = run(dir.path(), Some("maker"), &script).unwrap();
    let store = dir
        .path()
        .join(".alm/tenant/repositories/contoso/ALM Team/apps.git");
    let store = BareRepository::open(&store).unwrap();
    let made = store
        .commit_info(store.resolve(id.as_str().unwrap()).unwrap())
        .unwrap();
    assert_eq!(made.author.email, "maya@contoso.example");
    assert_eq!(made.committer.email, "maya@contoso.example");
    assert_eq!(
        made.message.trim_end(),
        "Together #1\n\nCo-authored-by: Olga <olga@contoso.example>\n\
         Co-authored-by: A Signed-off-by: B <a b>"
    );
}
