//! Pipes, devices, endless files and names that are no text, wherever a workspace has files: a clear
//! error at once, and nothing is waited for.

#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::workspace::{Workspace, command};

/// What no file of a workspace should be.
const ODD: [&str; 3] = ["a pipe", "an endless device", "a folder"];

fn put(path: &Path, odd: &str) {
    let _ = std::fs::remove_file(path);
    match odd {
        "a pipe" => {
            let made = std::process::Command::new("mkfifo").arg(path).status();
            assert!(made.unwrap().success());
        }
        "an endless device" => std::os::unix::fs::symlink("/dev/zero", path).unwrap(),
        _ => std::fs::create_dir(path).unwrap(),
    }
}

fn take_away(path: &Path) {
    if path.is_dir() {
        std::fs::remove_dir(path).unwrap();
    } else {
        let _ = std::fs::remove_file(path);
    }
}

/// Runs a command that must fail with some code within seconds.
fn fails_at_once(workspace: &Workspace, arguments: &[&str], says: &str, about: &str) {
    let mut child = command(&workspace.dir(), arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > Duration::from_secs(20) {
            child.kill().unwrap();
            panic!("{about}: alm {arguments:?} waits");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    let text = crate::workspace::both(&output);
    assert_ne!(output.status.code(), Some(0), "{about}: {text}");
    assert!(
        text.contains("error[ALM-") && text.contains(says),
        "{about}: {text}"
    );
}

#[test]
fn no_file_of_a_workspace_is_waited_for() {
    let workspace = Workspace::example();
    let dir = workspace.dir();
    let scripts = dir.join("scripts");
    for folder in ["hooks", "personas/new-maker", "lib"] {
        std::fs::create_dir_all(scripts.join(folder)).unwrap();
    }
    workspace.script("uses", "import \"lib/odd\" as odd; print(\"x\");");
    let places: [(PathBuf, &[&str], &str); 6] = [
        (dir.join("alm.toml"), &["env", "list"], "alm.toml"),
        (
            dir.join(".alm/secrets/pipeline"),
            &["agent", "--once"],
            "pipeline",
        ),
        (scripts.join("odd.rhai"), &["run", "odd"], "odd"),
        (scripts.join("lib/odd.rhai"), &["run", "uses"], "odd"),
        (
            scripts.join("hooks/commit.rhai"),
            &[
                "run",
                "commit",
                "--solution",
                "PowerAutomateSamples",
                "--message",
                "m",
            ],
            "commit",
        ),
        (
            scripts.join("personas/new-maker/commit.rhai"),
            &[
                "run",
                "commit",
                "--as",
                "new-maker",
                "--solution",
                "PowerAutomateSamples",
                "--message",
                "m",
            ],
            "commit",
        ),
    ];
    for (path, arguments, says) in &places {
        let before = std::fs::read(path).ok();
        for odd in ODD {
            // A folder where a script could be is a folder of scripts.
            if odd == "a folder" && path.extension().is_some_and(|end| end == "rhai") {
                continue;
            }
            put(path, odd);
            fails_at_once(
                &workspace,
                arguments,
                says,
                &format!("{odd} as {}", path.display()),
            );
            take_away(path);
        }
        if let Some(before) = before {
            std::fs::write(path, before).unwrap();
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(path, mode).unwrap();
        }
    }
    workspace.ok(&["scripts"]);
}

#[test]
fn names_that_are_no_text_are_passed_over_or_named() {
    use std::os::unix::ffi::OsStrExt as _;
    let workspace = Workspace::example();
    let odd = std::ffi::OsStr::from_bytes(b"caf\xe9.rhai");
    std::fs::write(workspace.dir().join("scripts").join(odd), "print(1)").unwrap();
    workspace.ok(&["scripts"]);
    workspace.script(
        "take",
        r#"let pkg = environment::development().export_solution("PowerAutomateSamples");
        pkg.save("a.zip"); pkg.unpack().save("src");"#,
    );
    workspace.ok(&["run", "take"]);
    let role = std::ffi::OsStr::from_bytes(b"caf\xe9.xml");
    std::fs::create_dir_all(workspace.dir().join("src/Roles")).unwrap();
    std::fs::write(workspace.dir().join("src/Roles").join(role), "<a/>").unwrap();
    workspace.fails(
        1,
        &["solution", "pack", "-z", "b.zip", "-f", "src"],
        &["not Unicode"],
    );
}
