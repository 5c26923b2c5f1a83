//! A mirror of a real remote, fetched and pushed by the `git` program.
//!
//! The program knows every protocol and credential helper there is. Its token travels in the
//! environment of the child process, for this one address, and never on its command line
//! (ARCHITECTURE, D11).

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use super::Remote;
use crate::branch::BranchError;
use crate::git::{BareRepository, Expected, ObjectId};
use crate::transport::{Cancel, Secret};

/// The oldest `git` that does all that is asked of it here.
const OLDEST: (u32, u32) = (2, 41);
/// How often a running child is looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// Who the `git` program is to the remote: the value of an `Authorization` header, made anew for
/// every command since tokens end. Without one, git's own credential helpers are asked.
pub type SignIn = Box<dyn Fn() -> Result<Option<Secret>, BranchError> + Send + Sync>;

/// A mirror of a remote repository.
pub struct GitProgram {
    store: BareRepository,
    address: String,
    sign_in: SignIn,
}

impl GitProgram {
    /// The mirror in `folder` of the repository at `address`, made when it is not there. Nothing is
    /// fetched yet.
    ///
    /// # Errors
    /// When there is no usable `git`, or the folder cannot be written.
    pub fn open(
        folder: &Path,
        address: &str,
        default_branch: &str,
        sign_in: SignIn,
    ) -> Result<Self, BranchError> {
        check_version()?;
        if address.starts_with('-') {
            return Err(BranchError::Invalid(format!(
                "`{address}` is not an address"
            )));
        }
        let store = if folder.join("HEAD").is_file() {
            BareRepository::open(folder)?
        } else {
            std::fs::create_dir_all(folder).map_err(|source| BranchError::File {
                path: folder.to_owned(),
                source,
            })?;
            BareRepository::init(folder, default_branch)?
        };
        Ok(Self {
            store,
            address: address.to_owned(),
            sign_in,
        })
    }

    /// Runs a command in the mirror and returns what it wrote.
    fn run(&self, arguments: &[&str], cancel: &Cancel) -> Result<Output, BranchError> {
        let mut command = quiet(Command::new("git"));
        command
            .arg("--git-dir")
            .arg(self.store.path())
            .args(arguments);
        let mut settings = vec![
            // A hook or a signing set-up of this machine's user has no place in a mirror.
            (
                "core.hooksPath".to_owned(),
                PathBuf::from("hooks-off").display().to_string(),
            ),
            ("gc.auto".to_owned(), "0".to_owned()),
        ];
        if let Some(authorization) = (self.sign_in)()? {
            let key = format!("http.{}.extraHeader", self.address);
            settings.push((key, format!("Authorization: {}", authorization.expose())));
        }
        command.env("GIT_CONFIG_COUNT", settings.len().to_string());
        for (index, (key, value)) in settings.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{index}"), key);
            command.env(format!("GIT_CONFIG_VALUE_{index}"), value);
        }
        let name = arguments.first().copied().unwrap_or_default();
        wait(command, name, cancel)
    }
}

impl Remote for GitProgram {
    fn store(&self) -> &BareRepository {
        &self.store
    }

    fn refresh(&self, more: &[&str], cancel: &Cancel) -> Result<(), BranchError> {
        let more: Vec<String> = more.iter().map(|name| format!("+{name}:{name}")).collect();
        let mut arguments = vec![
            "fetch",
            "--prune",
            "--no-write-fetch-head",
            "--quiet",
            &self.address,
            "+refs/heads/*:refs/heads/*",
            "+refs/tags/*:refs/tags/*",
        ];
        arguments.extend(more.iter().map(String::as_str));
        let output = self.run(&arguments, cancel)?;
        if output.success {
            Ok(())
        } else {
            Err(understand("fetch", &output))
        }
    }

    fn publish(
        &self,
        name: &str,
        old: Option<ObjectId>,
        new: Option<ObjectId>,
        cancel: &Cancel,
    ) -> Result<(), BranchError> {
        let hex = |id: Option<ObjectId>| id.map_or_else(String::new, |id| id.to_string());
        // An empty lease means that the reference must not exist.
        let lease = format!("--force-with-lease={name}:{}", hex(old));
        let what = format!("{}:{name}", hex(new));
        let arguments = ["push", "--porcelain", &lease, &self.address, &what];
        let output = self.run(&arguments, cancel)?;
        if !output.success {
            if output.text().contains("stale info") && old.is_none() {
                let branch = name.trim_start_matches("refs/heads/");
                return Err(BranchError::BranchExists(branch.to_owned()));
            }
            return Err(understand("push", &output));
        }
        self.store.update_reference(name, Expected::Any, new)?;
        Ok(())
    }
}

/// What a finished child left.
struct Output {
    success: bool,
    stdout: String,
    stderr: String,
}

impl Output {
    fn text(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }
}

/// The error that a failed command stands for.
fn understand(command: &str, output: &Output) -> BranchError {
    let text = output.text();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let reason = reason(&text);
    if has(&["TF402455", "TF402463", "protected branch", "GH006"]) {
        return BranchError::Policy { reason };
    }
    if has(&[
        "stale info",
        "[rejected]",
        "non-fast-forward",
        "cannot lock ref",
    ]) {
        return BranchError::Changed { reason };
    }
    if has(&[
        "Authentication failed",
        "could not read Username",
        "HTTP 401",
        "error: 401",
    ]) {
        return BranchError::SignIn {
            reason,
            request: crate::problem::FailedRequest {
                method: format!("git {command}"),
                url: String::new(),
                status: Some(401),
                service_code: None,
            },
        };
    }
    BranchError::GitCommand {
        command: command.to_owned(),
        reason,
    }
}

/// The lines that matter of what git wrote.
fn reason(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| {
            ["fatal:", "error:", "remote:", "!"]
                .iter()
                .any(|start| line.starts_with(start))
        })
        .collect();
    if lines.is_empty() {
        text.trim().replace('\n', "; ")
    } else {
        lines.join("; ")
    }
}

/// A command that asks nothing and shows no window.
fn quiet(mut command: Command) -> Command {
    command
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GCM_INTERACTIVE", "never")
        .env("GIT_ASKPASS", "")
        .env("SSH_ASKPASS", "")
        .env("LC_ALL", "C")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    #[cfg(windows)]
    {
        use std::os::windows::process::CommandExt as _;
        /// `CREATE_NO_WINDOW`
        const NO_WINDOW: u32 = 0x0800_0000;
        command.creation_flags(NO_WINDOW);
    }
    command
}

/// Runs a command to its end, or kills it when `cancel` is raised.
fn wait(mut command: Command, name: &str, cancel: &Cancel) -> Result<Output, BranchError> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => BranchError::GitProgram("git is not installed".into()),
        _ => BranchError::GitCommand {
            command: name.to_owned(),
            reason: error.to_string(),
        },
    };
    cancel.check()?;
    let mut child = command.spawn().map_err(failed)?;
    let (stdout, stderr) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let status = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        }
        if let Err(cancelled) = cancel.wait(GLANCE) {
            end(&mut child);
            return Err(cancelled.into());
        }
    };
    let text = |reader: Option<thread::JoinHandle<Vec<u8>>>| {
        let bytes = reader
            .and_then(|reader| reader.join().ok())
            .unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Ok(Output {
        success: status.success(),
        stdout: text(stdout),
        stderr: text(stderr),
    })
}

fn end(child: &mut Child) {
    // It may have ended by itself in between; then there is nothing to end.
    let _ = child.kill();
    let _ = child.wait();
}

/// Reads a pipe to its end on another thread, so that the child never blocks on a full one.
fn drain(pipe: Option<impl Read + Send + 'static>) -> Option<thread::JoinHandle<Vec<u8>>> {
    let mut pipe = pipe?;
    Some(thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before a broken pipe still tells something.
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    }))
}

/// Checks, once per process, that there is a `git` that is new enough.
fn check_version() -> Result<(), BranchError> {
    static VERSION: OnceLock<Result<(), String>> = OnceLock::new();
    let result = VERSION.get_or_init(|| {
        let mut command = quiet(Command::new("git"));
        command.arg("--version");
        let output =
            wait(command, "--version", &Cancel::new()).map_err(|error| error.to_string())?;
        match version(&output.stdout) {
            Some(version) if version >= OLDEST => Ok(()),
            _ => Err(format!(
                "git {}.{} or newer is needed; this one says: {}",
                OLDEST.0,
                OLDEST.1,
                output.stdout.trim()
            )),
        }
    });
    result.clone().map_err(BranchError::GitProgram)
}

/// The first two numbers of `git version 2.47.3`.
fn version(text: &str) -> Option<(u32, u32)> {
    let text = text.trim().strip_prefix("git version ")?;
    let mut numbers = text.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_all_builds_are_understood() {
        assert_eq!(version("git version 2.47.3"), Some((2, 47)));
        assert_eq!(version("git version 2.39.2.windows.1\r\n"), Some((2, 39)));
        assert_eq!(version("git version 2.39.5 (Apple Git-154)"), Some((2, 39)));
        assert_eq!(version("something else"), None);
    }
}
