//! What a build may do comes from the profile, whatever its pipeline or its parameters say.

use almscript::transport::Method;

use super::host::Client;
use crate::workspace::{SOLUTION, Workspace};

const OWN: &str = "maya@contoso.example-PowerAutomateSamples";

/// A workspace whose solution was saved, merged and released to test.
fn released_to_test() -> Workspace {
    let workspace = Workspace::example();
    workspace.save("First save");
    workspace.ok(&["run", "deploy", "--as", "new-maker", "--solution", SOLUTION]);
    workspace.ok(&["agent", "--once"]);
    workspace.ok(&["pr", "complete", "1", "--as", "admin"]);
    workspace.ok(&["agent", "--once"]);
    let test = workspace.ok(&["env", "show", "test", "--as", "admin"]);
    assert!(test.contains(SOLUTION), "{test}");
    workspace
}

fn production_is_empty(workspace: &Workspace) {
    let prod = workspace.ok(&["env", "show", "prod", "--as", "admin"]);
    assert!(!prod.contains(SOLUTION), "{prod}");
}

#[test]
fn a_release_is_approved_and_then_runs() {
    let workspace = released_to_test();
    workspace.ok(&[
        "run",
        "deploy",
        "--as",
        "advanced-maker",
        "--solution",
        SOLUTION,
        "--stage",
        "prod",
    ]);
    workspace.ok(&["agent", "--once"]);
    production_is_empty(&workspace);
    workspace.ok(&["approve", "3", "--build", "--as", "admin"]);
    let told = workspace.ok(&["agent", "--once"]);
    assert!(told.contains("is in prod"), "{told}");
    let told = workspace.ok(&["show", "6", "--as", "admin"]);
    assert!(told.contains("agent for prod"), "{told}");
}

#[test]
fn a_script_makes_no_pipeline_that_no_profile_knows() {
    let workspace = Workspace::example();
    workspace.save("First save");
    for (stage, says) in [
        (
            r#"environment: "elsewhere", script: "release""#,
            "no stage with builds in environment `elsewhere`",
        ),
        (
            r#"environment: "elsewhere", script: "release", starts: "push", variables: #{ AlmStage: "prod" }"#,
            "no stage called `prod` with builds in environment `elsewhere`",
        ),
        (
            r#"environment: "prod", script: "delete""#,
            "the script of stage `prod` is `release`, not `delete`",
        ),
        (
            r#"environment: "prod", script: "release", starts: "push""#,
            "the start of stage `prod` is `by-hand`",
        ),
        (
            r#"environment: "test", script: "release", starts: "push", branch: "mine""#,
            "the branch of stage `test` is `PowerAutomateSamples`, not `mine`",
        ),
        (
            r#"environment: "prod", script: "release", approvers: []"#,
            "the approval of stage `prod`",
        ),
        (
            r#"environment: "test", script: "release", starts: "push", variables: #{ Solution: "PermitManagement" }"#,
            "`Solution` is set by the profile",
        ),
        (
            r#"environment: "test", script: "release", starts: "push", variables: #{ AlmProfile: "main" }"#,
            "the pipelines of profile `standard`",
        ),
    ] {
        workspace.script(
            "commit",
            &format!("//! Save.\nbranch::repository(\"apps\").ensure_pipelines(#{{ solution: \"{SOLUTION}\", stages: [#{{ {stage} }}] }});"),
        );
        workspace.fails(
            1,
            &["run", "commit", "--as", "new-maker"],
            &["ALM-B038", says],
        );
    }
}

#[test]
fn a_script_cannot_say_for_one_build_what_its_pipeline_does() {
    let workspace = released_to_test();
    for (pipeline, parameter) in [
        ("test", "AlmStage: \"prod\""),
        ("test", "almstage: \"prod\""),
        ("prod", "EnvironmentName: \"x\""),
        ("test", "AlmScript: \"delete\""),
        ("test", "Solution: \"PermitManagement\""),
        ("test", "AlmProfile: \"main\""),
        ("test", "whatever: \"x\""),
    ] {
        workspace.script(
            "x",
            &format!("branch::repository(\"apps\").queue_build(\"deploy-{pipeline}-{SOLUTION}\", #{{ branch: \"{SOLUTION}\", parameters: #{{ {parameter} }} }})"),
        );
        workspace.fails(
            1,
            &["run", "x", "--as", "advanced-maker"],
            &["ALM-B038", "cannot be set for one build"],
        );
    }
    assert!(
        workspace
            .ok(&["agent", "--once"])
            .contains("No build is queued")
    );
}

#[test]
fn a_build_that_the_host_was_made_to_queue_is_held_against_the_profile() {
    let workspace = released_to_test();
    let host = Client::of(&workspace, "alex");
    let test = host.definition(&format!("deploy-test-{SOLUTION}"));
    let prod = host.definition(&format!("deploy-prod-{SOLUTION}"));
    let own = host.commit_of(OWN);
    for (definition, branch, commit, parameters, says) in [
        (
            test,
            SOLUTION,
            None,
            r#"{"AlmStage":"prod"}"#,
            "`AlmStage` was set when the build was queued",
        ),
        (
            test,
            SOLUTION,
            None,
            r#"{"AlmScript":"delete","Solution":"PermitManagement"}"#,
            "was set when the build was queued",
        ),
        (
            prod,
            SOLUTION,
            None,
            r#"{"EnvironmentName":"x"}"#,
            "`EnvironmentName` was set when the build was queued",
        ),
        (
            test,
            OWN,
            None,
            "",
            "stage `test` takes `PowerAutomateSamples`, the build is of `maya@",
        ),
        (
            test,
            SOLUTION,
            Some(own.as_str()),
            "",
            "is not the merge of a completed pull request into `PowerAutomateSamples`",
        ),
    ] {
        let build = host.queue(definition, branch, commit, parameters);
        let told = workspace.alm(&["agent", "--once"]);
        assert_eq!(told.code, Some(1), "{}", told.text);
        assert!(
            told.text.contains("ALM-R030") && told.text.contains(says),
            "no `{says}` in {}",
            told.text
        );
        assert!(!told.text.contains("runs `"), "{}", told.text);
        assert_eq!(host.result_of(build), "failed");
        assert!(host.log_of(build).contains(says));
    }
    production_is_empty(&workspace);
}

#[test]
fn a_pipeline_that_the_host_was_made_to_have_is_held_against_the_profile() {
    let workspace = released_to_test();
    let host = Client::of(&workspace, "maya");
    for (variables, says) in [
        (
            r#"{"AlmScript":"release","AlmStage":"prod","AlmProfile":"standard","EnvironmentName":"elsewhere","Solution":"PowerAutomateSamples"}"#,
            "stage `prod` is in prod, the pipeline says elsewhere",
        ),
        (
            r#"{"AlmScript":"delete","AlmStage":"test","AlmProfile":"standard","EnvironmentName":"test","Solution":"PowerAutomateSamples"}"#,
            "builds of stage `test` run `release`, the pipeline says `delete`",
        ),
        (
            r#"{"AlmScript":"release","AlmStage":"prod","AlmProfile":"mine","EnvironmentName":"prod2","Solution":"PowerAutomateSamples"}"#,
            "is called `mine`",
        ),
        (
            r#"{"AlmScript":"release","AlmStage":"dev2","AlmProfile":"standard","EnvironmentName":"dev2","Solution":"PowerAutomateSamples"}"#,
            "no stage `dev2` with builds of its own",
        ),
        (
            r#"{"AlmScript":"release","EnvironmentName":"test"}"#,
            "has no variable `Solution`",
        ),
    ] {
        let definition = host.make_definition(variables);
        let build = host.queue(definition, OWN, None, "");
        let told = workspace.alm(&["agent", "--once"]);
        assert!(told.text.contains(says), "no `{says}` in {}", told.text);
        assert_eq!(host.result_of(build), "failed");
    }
    production_is_empty(&workspace);
}

#[test]
fn production_without_the_approval_on_record_is_refused() {
    let workspace = released_to_test();
    let host = Client::of(&workspace, "ada");
    // Somebody takes the approval check off the environment.
    host.remove_approval_checks();
    let prod = host.definition(&format!("deploy-prod-{SOLUTION}"));
    host.queue(prod, SOLUTION, None, "");
    let told = workspace.alm(&["agent", "--once"]);
    assert!(
        told.text
            .contains("stage `prod` needs the approval of `ada@contoso.example`"),
        "{}",
        told.text
    );
    production_is_empty(&workspace);
}

#[test]
fn an_agent_leaves_the_builds_that_its_persona_may_not_run() {
    let workspace = Workspace::example();
    workspace.save("First save");
    workspace.ok(&["run", "deploy", "--as", "new-maker", "--solution", SOLUTION]);
    let told = workspace.ok(&["agent", "--once", "--as", "new-maker"]);
    assert!(told.contains("build 1 of deploy-validation-PowerAutomateSamples stays queued: persona `new-maker` has no script `validate`"), "{told}");
    assert!(!told.contains("No build is queued"), "{told}");
    let told = workspace.ok(&["agent", "--once", "--as", "advanced-maker"]);
    assert!(told.contains("stays queued: persona `advanced-maker` may not import-managed on environment `validation`"), "{told}");
    let told = workspace.ok(&["agent", "--once"]);
    assert!(told.contains("build 1 succeeded"), "{told}");
}

/// Whoever asks for production does not approve it, at the host and again when the build is run.
#[test]
fn nobody_approves_a_build_that_she_asked_for() {
    let workspace = released_to_test();
    let to_production = [
        "run",
        "deploy",
        "--as",
        "admin",
        "--solution",
        SOLUTION,
        "--stage",
        "prod",
    ];
    workspace.ok(&to_production);
    let approve = ["approve", "3", "--build", "--as", "admin"];
    workspace.fails(
        1,
        &approve,
        &["Whoever requested the run cannot approve it"],
    );
    production_is_empty(&workspace);
    // An approval that the host lets through all the same counts for nothing.
    let ada = Client::of(&workspace, "ada");
    let checks = "pipelines/checks/configurations";
    let found = ada.send(
        Method::GET,
        &format!("{checks}?resourceType=environment&resourceId=1"),
        None,
    );
    let mut check = found["value"][0].clone();
    assert_eq!(check["settings"]["requesterCannotBeApprover"], true);
    check["settings"]["requesterCannotBeApprover"] = false.into();
    let path = format!("{checks}/{}", check["id"]);
    ada.send(Method::PATCH, &path, Some(check));
    workspace.ok(&to_production);
    workspace.ok(&["approve", "4", "--build", "--as", "admin"]);
    workspace.fails(
        1,
        &["agent", "--once"],
        &["somebody else than ada@contoso.example"],
    );
    production_is_empty(&workspace);
    // The stage may allow it; a save brings the host into line.
    let alm_toml = workspace.dir().join("alm.toml");
    let text = std::fs::read_to_string(&alm_toml).unwrap();
    let approvers = "approvers = [\"ada@contoso.example\"]";
    let own = format!("{approvers}\nself_approval = true");
    std::fs::write(&alm_toml, text.replacen(approvers, &own, 1)).unwrap();
    workspace.ok(&to_production);
    workspace.ok(&["approve", "5", "--build", "--as", "admin"]);
    let told = workspace.ok(&["agent", "--once"]);
    assert!(told.contains("is in prod"), "{told}");
}

/// The machine's own identity says no yes.
#[test]
fn a_build_is_approved_by_a_person() {
    let workspace = released_to_test();
    workspace.ok(&[
        "run",
        "deploy",
        "--as",
        "advanced-maker",
        "--solution",
        SOLUTION,
        "--stage",
        "prod",
    ]);
    let alm_toml = workspace.dir().join("alm.toml");
    let text = std::fs::read_to_string(&alm_toml).unwrap();
    std::fs::write(&alm_toml, format!("{text}\n[personas.nobody]\n")).unwrap();
    workspace.fails(
        2,
        &["approve", "3", "--build", "--as", "nobody"],
        &["ALM-R035"],
    );
    workspace.script("wait", "run::wait_for(\"a look\", #{}).approved");
    workspace.fails(6, &["run", "wait", "--as", "admin"], &["waits"]);
    let run = workspace.ok(&["history", "--outcome", "waiting", "--json"]);
    let run: serde_json::Value = serde_json::from_str(run.lines().next().unwrap()).unwrap();
    let run = run["id"].to_string();
    workspace.fails(2, &["approve", &run, "--as", "nobody"], &["ALM-R035"]);
}
