use crate::{GOOD, Place};

/// A workspace with some scripts.
fn place() -> Place {
    let place = Place::with(GOOD);
    place.write(
        "scripts/greet.rhai",
        "//! Say hello.\n//!\n//! Greets somebody by name.\n//!\n\
         //! @param name   text         whom to greet\n\
         //! @param times  integer = 1  how often\n\
         //! @param where  environment? the place\n\
         step(\"Say it\", || notice(`Hello ${params.name}`));\n\
         `greeted ${params.name} ${params.times} times`\n",
    );
    place.write(
        "scripts/broken.rhai",
        "//! Break.\nlet x = 1;\n\nstep(\"Count\", || x + nothing);\n",
    );
    place.write("scripts/endless.rhai", "//! Never end.\nloop { }\n");
    place.write(
        "scripts/publish.rhai",
        "//! Publish.\nenvironment::named(\"dev\").publish_all();\n",
    );
    place.write("scripts/empty.rhai", "//! Do nothing.\n");
    place
}

#[test]
fn a_script_runs_with_its_parameters_as_options() {
    let ended = place().alm(&[
        "run",
        "greet",
        "--as",
        "maker",
        "--name",
        "Åse",
        "--times=3",
    ]);
    insta::assert_snapshot!(ended.shown());
}

#[test]
fn options_of_every_run_may_stand_before_and_behind_the_name() {
    let place = place();
    place
        .alm(&["--as", "maker", "run", "greet", "--name", "x"])
        .ends_with(0);
    place
        .alm(&["run", "--as=maker", "greet", "--name", "x"])
        .ends_with(0);
    place
        .alm(&["run", "greet", "--name", "x", "--as", "maker"])
        .ends_with(0);
    place
        .alm(&["run", "greet", "--name", "x", "--as", "nobody"])
        .ends_with(2)
        .says("ALM-W015");
}

#[test]
fn the_help_of_a_script_is_made_from_its_declaration() {
    let ended = place().alm(&["run", "greet", "--help", "--as", "maker"]);
    insta::assert_snapshot!(ended.shown());
}

#[test]
fn json_lines_tell_the_whole_run() {
    let ended = place()
        .alm(&["run", "greet", "--name", "x", "--as", "maker", "--json"])
        .ends_with(0);
    let events: Vec<serde_json::Value> = ended
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let names: Vec<&str> = events
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "run_started",
            "step_started",
            "notice",
            "step_finished",
            "run_finished"
        ],
        "{}",
        ended.out
    );
    assert_eq!(events[4]["value"], "greeted x 1 times");
    assert_eq!(ended.err, "");
}

#[test]
fn an_unknown_script_names_the_nearest() {
    let ended = place().alm(&["run", "gret", "--as", "admin"]);
    insta::assert_snapshot!(ended.shown());
}

#[test]
fn a_missing_or_mistyped_parameter_is_a_wrong_command_line() {
    let place = place();
    place
        .alm(&["run", "greet", "--as", "maker"])
        .ends_with(2)
        .says("parameter `name` is missing: whom to greet");
    place
        .alm(&[
            "run", "greet", "--as", "maker", "--name", "x", "--times", "many",
        ])
        .ends_with(2)
        .says("parameter `times` must be a whole number, not `many`");
    place
        .alm(&[
            "run", "greet", "--as", "maker", "--name", "x", "--tims", "2",
        ])
        .ends_with(2)
        .says("--times");
    place
        .alm(&[
            "run", "greet", "--as", "maker", "--name", "x", "--where", "dve",
        ])
        .ends_with(2)
        .says("dev");
}

#[test]
fn a_script_error_shows_the_scripts_own_lines() {
    let ended = place().alm(&["run", "broken", "--as", "admin"]);
    insta::assert_snapshot!(ended.shown());
}

#[test]
fn an_endless_script_ends_at_its_time_limit() {
    let started = std::time::Instant::now();
    place()
        .alm(&["run", "endless", "--as", "admin", "--timeout", "300ms"])
        .ends_with(124)
        .says("ALM-R012")
        .says("the time limit of 300ms was over");
    assert!(started.elapsed() < std::time::Duration::from_secs(20));
    place()
        .alm(&["run", "endless", "--as", "admin", "--timeout", "soon"])
        .ends_with(2)
        .says("not a length of time");
}

#[test]
fn a_forbidden_effect_is_refused_even_from_a_script_written_by_hand() {
    let ended = place().alm(&["run", "publish", "--as", "maker"]);
    insta::assert_snapshot!(ended.shown());
}

#[test]
fn a_persona_runs_only_the_scripts_that_it_has() {
    let place = place();
    place
        .alm(&["run", "endless", "--as", "maker"])
        .ends_with(2)
        .says("ALM-R010");
    let ended = place.alm(&["scripts", "--as", "maker"]).ends_with(0);
    assert!(
        ended.out.contains("greet") && !ended.out.contains("endless"),
        "{}",
        ended.out
    );
}

#[test]
fn runs_are_in_the_history_and_can_be_shown() {
    let place = place();
    place
        .alm(&["run", "greet", "--name", "x", "--as", "maker"])
        .ends_with(0);
    place.alm(&["run", "broken", "--as", "admin"]).ends_with(1);
    let ended = place.alm(&["history", "--json"]).ends_with(0);
    let runs: Vec<serde_json::Value> = ended
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[0]["script"], "broken");
    assert_eq!(runs[0]["outcome"], "failed");
    assert_eq!(runs[1]["who"], "maya@contoso.example");
    place
        .alm(&["history", "--outcome", "succeeded"])
        .ends_with(0)
        .says("greet");
    place
        .alm(&["show", "1"])
        .ends_with(0)
        .says("Say it")
        .says("note: Hello x")
        .says("name = x");
    place.alm(&["show", "2"]).ends_with(0).says("nothing");
    place
        .alm(&["show", "3"])
        .ends_with(2)
        .says("there is no run 3");
}

#[test]
fn a_failed_run_is_resumed_after_its_finished_steps() {
    let place = place();
    place.write(
        "scripts/twice.rhai",
        "//! Fail once.\nstep(\"First\", || { notice(\"first\"); 1 });\n\
         step(\"Second\", || environment::named(\"prod\").publish_all());\n",
    );
    place
        .alm(&["run", "twice", "--as", "admin"])
        .ends_with(5)
        .says("note: first");
    let ended = place
        .alm(&["run", "--resume", "1", "--as", "admin"])
        .ends_with(5);
    assert!(!ended.err.contains("note: first"), "{}", ended.err);
    assert!(
        ended.err.contains("First: kept from before"),
        "{}",
        ended.err
    );
    place.alm(&["run", "empty", "--as", "admin"]).ends_with(0);
}

#[test]
fn a_run_that_waits_goes_on_when_it_is_approved() {
    let place = place();
    place.write(
        "scripts/ask.rhai",
        "//! Ask.\nstep(\"Before\", || notice(\"before\"));\n\
         let decision = run::wait_for(\"approval\", #{ stage: \"prod\" });\n\
         `${decision.approved} by ${decision.by}: ${decision.comment}`\n",
    );
    place
        .alm(&["run", "ask", "--as", "admin"])
        .ends_with(6)
        .says("run 1 waits for approval");
    place
        .alm(&["history", "--outcome", "waiting"])
        .ends_with(0)
        .says("ask");
    let ended = place
        .alm(&[
            "approve",
            "1",
            "--as",
            "admin",
            "--identity",
            "maya",
            "--comment",
            "fine",
        ])
        .ends_with(0)
        .says("true by maya@contoso.example: fine");
    assert!(
        !ended.err.contains("note: before"),
        "a finished step was repeated: {}",
        ended.err
    );
    place
        .alm(&["approve", "1", "--as", "admin"])
        .ends_with(1)
        .says("does not wait");
    place
        .alm(&["approve", "9", "--as", "admin"])
        .ends_with(2)
        .says("there is no run 9");
}

#[test]
fn a_watch_checks_what_was_typed_before_it_watches() {
    let place = place();
    place
        .alm(&["watch", "gret", "--as", "admin"])
        .ends_with(2)
        .says("did you mean `greet`?");
    place
        .alm(&["watch", "greet", "--as", "admin", "--tims", "2"])
        .ends_with(2)
        .says("--times");
}
