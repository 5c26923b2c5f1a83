use super::*;
use crate::workspace::{Workspace, check};

const FILE: &str = r#"
[tenant]
emulated = true
[identities.pipeline]
application = "6a0c6f9e-1f5c-4c6e-9d1c-0d9d8b6f2a11"
secret = { env = "X" }
[identities.maya]
user = "maya@contoso.example"
[environments.dev]
url = "https://dev.example"
kind = "development"
identity = "pipeline"
[environments.prod]
url = "https://prod.example"
identity = "pipeline"
[hosts.contoso]
kind = "azure-devops"
url = "https://dev.azure.com/contoso"
identity = "pipeline"
[repositories.apps]
host = "contoso"
project = "ALM"
[profiles.standard]
repository = "apps"
[[profiles.standard.stages]]
name = "prod"
environment = "prod"
[personas.new-maker]
identity = "maya"
[personas.new-maker.permissions]
delete = false
advanced_commit = false
advanced_deploy = false
import_managed = false
publish = { allowed = false, default = true }
bypass_approval = false
[personas.new-maker.environments]
dev = ["read", "export", "publish", "import", "import-managed", "delete"]
[personas.free]
[policy]
protected_branches = ["main", "release/*"]
[policy.environments]
prod = ["read", "import-managed"]
"#;

fn persona(name: &str) -> Persona {
    let (config, _) = check::read(FILE).unwrap();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("alm.toml"), FILE).unwrap();
    assert!(config.personas.contains(name));
    Workspace::open(dir.path())
        .unwrap()
        .persona(Some(name), None)
        .unwrap()
}

fn refused(name: &str, effect: Effect) -> String {
    persona(name)
        .may(&effect)
        .expect_err("should be refused")
        .to_string()
}

#[test]
fn a_function_that_is_not_allowed_refuses_its_effect_and_names_its_line() {
    let text = refused("new-maker", Effect::on_environment(Action::Delete, "dev"));
    assert_eq!(
        text,
        "persona `new-maker` may not delete on environment `dev`: `delete` is not allowed \
         (alm.toml line 31, `personas.new-maker.permissions.delete`)"
    );
}

#[test]
fn a_function_that_always_happens_is_not_refused() {
    persona("new-maker")
        .may(&Effect::on_environment(Action::Publish, "dev"))
        .unwrap();
    let rule = persona("new-maker").parameter("commit", "publish");
    assert!(rule.hidden);
    assert_eq!(rule.fixed, Some(true.into()));
}

#[test]
fn without_advanced_commit_only_ones_own_branches_change() {
    let maker = persona("new-maker");
    let own = "maya@contoso.example-HideFolders";
    maker
        .may(&Effect::on_repository(Action::Commit, "apps").branch(own))
        .unwrap();
    maker
        .may(&Effect::on_repository(Action::CreateBranch, "apps").branch(own))
        .unwrap();
    let text = refused(
        "new-maker",
        Effect::on_repository(Action::Commit, "apps").branch("HideFolders"),
    );
    assert!(
        text.contains("begin with `maya@contoso.example-`"),
        "{text}"
    );
}

#[test]
fn without_advanced_deploy_a_pull_request_goes_where_a_stage_goes() {
    let maker = persona("new-maker");
    maker
        .may(&Effect::on_repository(Action::OpenPullRequest, "apps").branch("HideFolders"))
        .unwrap();
    refused(
        "new-maker",
        Effect::on_repository(Action::OpenPullRequest, "apps").branch("main"),
    );
    refused(
        "new-maker",
        Effect::on_repository(Action::CompletePullRequest, "apps"),
    );
}

#[test]
fn import_as_managed_is_refused_in_development_only_by_its_function() {
    refused(
        "new-maker",
        Effect::on_environment(Action::ImportManaged, "dev"),
    );
    persona("new-maker")
        .may(&Effect::on_environment(Action::Import, "dev"))
        .unwrap();
}

#[test]
fn an_environment_that_a_persona_does_not_list_is_closed() {
    let text = refused("new-maker", Effect::on_environment(Action::Read, "prod"));
    assert!(
        text.contains("not among its environments (alm.toml line 37"),
        "{text}"
    );
}

#[test]
fn the_policy_binds_everybody() {
    let everybody = persona("free").workspace().unrestricted();
    let effect = Effect::on_environment(Action::Delete, "prod");
    let text = everybody.may(&effect).unwrap_err().to_string();
    assert!(text.starts_with("a script may not delete on environment `prod`: allowed there: read"));
    for branch in ["main", "release/1.0"] {
        let effect = Effect::on_repository(Action::Commit, "apps").branch(branch);
        assert!(everybody.may(&effect).is_err(), "{branch}");
    }
    everybody
        .may(&Effect::on_repository(Action::Commit, "apps").branch("release"))
        .unwrap();
}

#[test]
fn what_nothing_mentions_is_allowed() {
    for action in Action::ALL {
        persona("free")
            .may(&Effect::on_environment(action, "dev"))
            .unwrap();
    }
}
