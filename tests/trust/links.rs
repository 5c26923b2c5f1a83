//! Links, devices and odd files in a workspace, and workspaces that are made whole or not at all.

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
