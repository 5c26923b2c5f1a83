//! The whole way of a solution with the real program: the story, what survives a killed process, a
//! repository of the ALM Accelerator, and everything that can be in the way.

mod accelerator;
mod configure;
mod delete;
mod demo;
mod deploy;
mod killed;
mod noise;
mod trouble;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The solution of the story.
const SOLUTION: &str = "PowerAutomateSamples";

/// An example workspace of its own.
struct Workspace {
    folder: tempfile::TempDir,
}

/// What the program wrote and how it ended.
struct Ended {
    code: Option<i32>,
    text: String,
}

impl Workspace {
    /// A new example workspace.
    fn example() -> Self {
        let workspace = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let dir = workspace.dir();
        let made = alm(
            workspace.folder.path(),
            &["new", &dir.to_string_lossy(), "--example"],
        );
        assert_eq!(made.code, Some(0), "{}", made.text);
        workspace
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("contoso")
    }

    /// The bare repository of the emulated organisation.
    fn repository(&self) -> PathBuf {
        self.dir()
            .join(".alm/tenant/repositories/contoso/ALM/apps.git")
    }

    /// Runs the program in the workspace.
    fn alm(&self, arguments: &[&str]) -> Ended {
        alm(&self.dir(), arguments)
    }

    /// Runs the program, which must succeed.
    fn ok(&self, arguments: &[&str]) -> String {
        let ended = self.alm(arguments);
        assert_eq!(ended.code, Some(0), "alm {arguments:?}:\n{}", ended.text);
        ended.text
    }

    /// Runs the program, which must fail with this exit code and say all of this.
    fn fails(&self, code: i32, arguments: &[&str], says: &[&str]) -> String {
        let ended = self.alm(arguments);
        assert_eq!(ended.code, Some(code), "alm {arguments:?}:\n{}", ended.text);
        for text in says {
            assert!(ended.text.contains(text), "no `{text}` in:\n{}", ended.text);
        }
        ended.text
    }

    /// Writes a script of the workspace.
    fn script(&self, name: &str, text: &str) {
        std::fs::write(
            self.dir().join("scripts").join(format!("{name}.rhai")),
            text,
        )
        .unwrap();
    }

    /// Saves the solution of the story as its maker.
    fn save(&self, message: &str) -> String {
        self.ok(&[
            "run",
            "commit",
            "--as",
            "new-maker",
            "--solution",
            SOLUTION,
            "--message",
            message,
        ])
    }
}

/// Runs the program in a folder; nothing of the surroundings reaches it.
fn alm(folder: &Path, arguments: &[&str]) -> Ended {
    let output = command(folder, arguments).output().unwrap();
    Ended {
        code: output.status.code(),
        text: both(&output),
    }
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alm"));
    command.current_dir(folder).args(arguments);
    for name in ["ALM_WORKSPACE", "ALM_PERSONA", "ALM_IDENTITY"] {
        command.env_remove(name);
    }
    command
}

/// Asks ordinary git, which must succeed.
fn git(repository: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(repository)
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        both(&output)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn both(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}
