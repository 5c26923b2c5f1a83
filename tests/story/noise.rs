//! Saving without noise.

use super::{SOLUTION, Workspace};

/// Gives the flow in the development environment another layout, which means nothing.
const NOISE: &str = r##"//! Make noise.
let dev = environment::named("dev");
let pkg = dev.export_solution("PowerAutomateSamples");
let flow = pkg.components("cloud flow")[0];
let text = flow.file(".json");
text.replace("\n", "\n ");
flow.set_file(".json", text);
dev.install(pkg.with_component(flow));
"##;

#[test]
fn noise_is_no_change_for_those_who_take_it_out() {
    let workspace = Workspace::example();
    let save = |message: &str, more: &[&str]| {
        let own = [
            "run",
            "commit",
            "--as",
            "admin",
            "--environment",
            "dev",
            "--to-branch",
            "own",
            "--solution",
            SOLUTION,
            "--message",
            message,
        ];
        workspace.ok(&[&own, more].concat())
    };
    let first = save("First", &["--normalise"]);
    assert!(
        first.contains("Take the noise out") && first.contains("Saved"),
        "{first}"
    );
    workspace.script("noise", NOISE);
    workspace.ok(&["run", "noise", "--as", "admin"]);
    let quiet = save("Quiet", &["--normalise"]);
    assert!(quiet.contains("Nothing to commit"), "{quiet}");
    let loud = save("Loud", &[]);
    assert!(loud.contains("Saved"), "{loud}");
}

#[test]
fn a_solution_in_an_environment_is_compared_if_the_persona_may_export_it() {
    let workspace = Workspace::example();
    workspace.save("First");
    let development = format!("env:dev/{SOLUTION}");
    let told = workspace.ok(&[
        "solution",
        "diff",
        &development,
        &development,
        "--as",
        "admin",
    ]);
    assert!(told.contains("no differences"), "{told}");
    let managed = [
        "solution",
        "diff",
        &development,
        &development,
        "--managed",
        "--as",
        "admin",
    ];
    assert!(workspace.ok(&managed).contains("no differences"));
    let production = format!("env:prod/{SOLUTION}");
    let refused = [
        "solution",
        "diff",
        &production,
        &development,
        "--as",
        "new-maker",
    ];
    let ended = workspace.alm(&refused);
    assert_eq!(ended.code, Some(5), "{}", ended.text);
    workspace.fails(
        2,
        &["solution", "diff", "env:dev", &development],
        &["names no solution"],
    );
    workspace.fails(
        2,
        &[
            "solution",
            "diff",
            "env:def/X",
            &development,
            "--as",
            "admin",
        ],
        &["did you mean `dev`?"],
    );
}
