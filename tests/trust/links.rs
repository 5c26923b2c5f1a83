//! Links in a workspace, whether they are there before a script writes or are made while it does.

#[cfg(unix)]
#[test]
fn a_link_in_the_workspace_lets_no_script_write_the_scripts_of_others() {
    let workspace = crate::workspace::Workspace::example();
    std::os::unix::fs::symlink("scripts", workspace.dir().join("out")).unwrap();
    workspace.script(
        "plant",
        r#"environment::development().export_solution("PowerAutomateSamples").unpack()
            .with_text("personas/admin/commit.rhai", "print(\"planted\")").save("out")"#,
    );
    let said = workspace.fails(1, &["run", "plant", "--sandbox"], &["ALM-S050"]);
    assert!(!workspace.dir().join("scripts/personas").exists(), "{said}");
}

/// Somebody puts a link in the place of the folder while a script writes into it, again and again.
#[cfg(unix)]
#[test]
fn a_link_that_is_made_during_a_write_leads_nowhere() {
    use std::sync::atomic::{AtomicBool, Ordering};

    let workspace = crate::workspace::Workspace::example();
    let dir = workspace.dir();
    workspace.script(
        "plant",
        r#"let pkg = environment::development().export_solution("PowerAutomateSamples");
        let tree = pkg.unpack();
        for n in 0..60 {
            // Refused while it is a link, which is right; it must not get through.
            try {
                tree.with_text("personas/admin/commit.rhai", `print("planted ${n}")`).save("out");
                pkg.save("out/deep/planted.rhai");
            } catch {}
        }"#,
    );
    std::fs::create_dir(dir.join("out")).unwrap();
    let before = names(&dir.join("scripts"));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let _ = std::fs::rename(dir.join("out"), dir.join("aside"));
                let _ = std::os::unix::fs::symlink("scripts", dir.join("out"));
                let _ = std::fs::remove_file(dir.join("out"));
                let _ = std::fs::rename(dir.join("aside"), dir.join("out"));
            }
        });
        let ended = workspace.alm(&["run", "plant", "--timeout", "60s"]);
        done.store(true, Ordering::Relaxed);
        assert_eq!(ended.code, Some(0), "{}", ended.text);
    });
    assert_eq!(names(&dir.join("scripts")), before);
}

#[cfg(unix)]
fn names(folder: &std::path::Path) -> Vec<std::ffi::OsString> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}
