//! The real program with good and bad input: what it writes, and how it ends.

mod new;
mod output;
mod reference;
mod run;
mod workspace_file;

use std::path::{Path, PathBuf};

use assert_cmd::Command;

/// A folder of its own, and the program started in it.
struct Place {
    dir: tempfile::TempDir,
}

/// What the program wrote and how it ended.
struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl Place {
    /// An empty folder.
    fn empty() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// A folder with this `alm.toml`.
    fn with(alm_toml: &str) -> Self {
        let place = Self::empty();
        place.write("alm.toml", alm_toml);
        place
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs `alm` here. Nothing of the surroundings reaches it.
    fn alm(&self, arguments: &[&str]) -> Ended {
        let output = Command::new(env!("CARGO_BIN_EXE_alm"))
            .current_dir(self.path())
            .args(arguments)
            .env_remove("ALM_WORKSPACE")
            .env_remove("ALM_PERSONA")
            .env_remove("ALM_IDENTITY")
            .env("ALM_TEST_PIPELINE_SECRET", "secret")
            .env("USER", "tester")
            .timeout(std::time::Duration::from_secs(60))
            .output()
            .unwrap();
        let here = self.path().canonicalize().unwrap();
        let text = |bytes: &[u8]| {
            String::from_utf8(bytes.to_vec())
                .unwrap()
                .replace(&*here.to_string_lossy(), "[here]")
                .replace(&*self.path().to_string_lossy(), "[here]")
                .replace("[here]\\", "[here]/")
        };
        Ended {
            code: output.status.code().expect("it ended by itself"),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }
}

impl Ended {
    /// Everything at once, for snapshots.
    fn shown(&self) -> String {
        format!(
            "exit code {}\n--- out\n{}--- err\n{}",
            self.code, self.out, self.err
        )
    }

    #[track_caller]
    fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.shown());
        self
    }

    #[track_caller]
    fn says(self, text: &str) -> Self {
        assert!(
            self.err.contains(text) || self.out.contains(text),
            "{}",
            self.shown()
        );
        self
    }
}

/// A small workspace that is right.
pub const GOOD: &str = r#"
[workspace]
name = "small"

[tenant]
emulated = true

[identities.pipeline]
application = "6a0c6f9e-1f5c-4c6e-9d1c-0d9d8b6f2a11"
secret = { env = "ALM_TEST_PIPELINE_SECRET" }

[identities.maya]
user = "maya@contoso.example"

[environments.dev]
url = "https://contoso-dev.crm4.dynamics.com"
kind = "development"
identity = "pipeline"

[environments.prod]
url = "https://contoso.crm4.dynamics.com"
identity = "pipeline"

[personas.maker]
identity = "maya"
scripts = ["commit", "greet", "publish"]
environments = { dev = ["read", "export"] }

[personas.admin]

[policy.environments]
prod = ["read", "import-managed"]
"#;
