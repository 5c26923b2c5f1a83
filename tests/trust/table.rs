//! The table of persona × effect × way: whatever a persona may not do is refused by every way there
//! is, and nothing reaches a service.
//!
//! What is forbidden is asked of the code ([`Persona::may`]), for every action, place and persona of
//! the example workspace; each forbidden cell is then tried for real on the emulated tenant, by each
//! way. `cargo test --test trust table -- --nocapture` prints the table.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use almscript::run::{Finished, Host};
use almscript::transport::{Cancel, Method, Request, Response, Transport, TransportError};
use almscript::workspace::{Action, Effect, Persona};

use crate::workspace::Workspace;

const ENVIRONMENTS: [&str; 4] = ["dev", "validation", "test", "prod"];
const REPOSITORY: &str = "apps";
const NOBODYS_BRANCH: &str = "main";

/// The script lines that do `action` to the environment `e` or the repository `apps`; none where no
/// primitive does it.
fn attempt(action: Action) -> Option<&'static str> {
    Some(match action {
        Action::Read => "e.solutions();",
        Action::Export => r#"e.export_solution("PowerAutomateSamples");"#,
        Action::Publish => "e.publish_all();",
        Action::Import => r#"e.install(solution::read("unmanaged.zip"));"#,
        Action::ImportManaged => r#"e.install(solution::read("managed.zip"));"#,
        Action::Delete => r#"e.delete_solution("PowerAutomateSamples");"#,
        Action::Configure => r#"e.set_variable("exp_SPOSiteCollection_PowerUsers", "x");"#,
        Action::WriteRows => r#"e.create_row("accounts", #{ name: "x" });"#,
        Action::Commit => r#"b.commit(#{ message: "x", files: #{ "x.txt": "x" } });"#,
        Action::CreateBranch => r#"apps.branch("somebodys-own").create_from(apps.branch("main"));"#,
        Action::OpenPullRequest => r#"b.open_pull_request(#{ into: "release", title: "x" });"#,
        Action::AbandonPullRequest => "apps.pull_request(1).abandon();",
        Action::ApprovePullRequest => "apps.pull_request(1).approve();",
        Action::CompletePullRequest => "apps.pull_request(1).complete();",
        Action::ManagePipelines => {
            r#"apps.ensure_pipelines(#{ solution: "PowerAutomateSamples", stages: [] });"#
        }
        Action::QueueBuild => {
            r#"apps.queue_build("deploy-test-PowerAutomateSamples", #{ branch: "main" });"#
        }
        Action::Approve => r#"apps.approve("1", "");"#,
        // No primitive does one of these yet.
        Action::Settings | Action::PowerPages | Action::CreateProfiles | Action::UpdateProfiles => {
            return None;
        }
    })
}

/// Every action with every place that it can be done to.
fn effects() -> Vec<Effect> {
    let mut effects = Vec::new();
    for action in Action::ALL {
        if Action::ON_ENVIRONMENTS.contains(&action) {
            effects.extend(ENVIRONMENTS.map(|name| Effect::on_environment(action, name)));
        }
        if !Action::ON_ENVIRONMENTS.contains(&action) {
            let effect = Effect::on_repository(action, REPOSITORY);
            effects.push(match action {
                Action::Commit => effect.branch(NOBODYS_BRANCH),
                Action::CreateBranch => effect.branch("somebodys-own"),
                Action::OpenPullRequest => effect.branch("release"),
                // The branch that the pull request of the story goes into.
                Action::AbandonPullRequest
                | Action::ApprovePullRequest
                | Action::CompletePullRequest => effect.branch(crate::workspace::SOLUTION),
                _ => effect,
            });
        }
    }
    effects
}

/// The lines of a script that try `effect`.
fn lines(effect: &Effect) -> Option<String> {
    let place = match &effect.target {
        almscript::workspace::Target::Environment(name) => {
            format!("let e = environment::named(\"{name}\");")
        }
        _ => format!(
            "let apps = branch::repository(\"{REPOSITORY}\"); let b = apps.branch(\"{NOBODYS_BRANCH}\");"
        ),
    };
    Some(format!("{place} {}", attempt(effect.action)?))
}

/// A way in which a script can come to do something.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// The script itself, in the place of a bundled one.
    Script,
    /// A module that it imports.
    Module,
    /// A hook on one of its steps.
    Hook,
    /// A script that it runs.
    Nested,
    /// A function of its own that is called through a pointer, inside a step, after a failure.
    Caught,
}

impl Way {
    const ALL: [Self; 5] = [
        Self::Script,
        Self::Module,
        Self::Hook,
        Self::Nested,
        Self::Caught,
    ];

    /// The files under `scripts/` for it.
    fn files(self, lines: &str) -> Vec<(&'static str, String)> {
        match self {
            Self::Script => vec![("commit.rhai", lines.to_owned())],
            Self::Module => vec![
                (
                    "commit.rhai",
                    "import \"theirs\" as theirs; theirs::try_it()".into(),
                ),
                ("theirs.rhai", format!("fn try_it() {{ {lines} }}")),
            ],
            Self::Hook => vec![
                ("commit.rhai", "step(\"Go\", || 1)".into()),
                ("hooks/commit.rhai", format!("fn before_go() {{ {lines} }}")),
            ],
            Self::Nested => vec![
                ("commit.rhai", "run::script(\"deploy\", #{})".into()),
                ("deploy.rhai", lines.to_owned()),
            ],
            Self::Caught => vec![(
                "commit.rhai",
                format!(
                    "fn try_it() {{ {lines} }}\n\
                     step(\"Try\", || {{ try {{ Fn(\"try_it\").call() }} catch (e) {{ Fn(\"try_it\").call() }} }})"
                ),
            )],
        }
    }
}

/// Lets requests through and remembers those that change something.
struct Counting<T> {
    inner: T,
    changes: Arc<Mutex<Vec<String>>>,
}

impl<T: Transport> Transport for Counting<T> {
    fn send(&self, request: Request) -> Result<Response, TransportError> {
        let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(&request.method);
        let sign_in = request.url.path().ends_with("/token");
        if !reads && !sign_in {
            let what = format!("{} {}", request.method, request.url);
            self.changes.lock().unwrap().push(what);
        }
        self.inner.send(request)
    }
}

/// The example workspace with a pull request in it, and what its tenant was asked to change.
struct Table {
    workspace: Workspace,
    changes: Arc<Mutex<Vec<String>>>,
}

impl Table {
    fn new() -> Self {
        let workspace = Workspace::example();
        workspace.save("x");
        workspace.ok(&[
            "run",
            "deploy",
            "--as",
            "new-maker",
            "--solution",
            crate::workspace::SOLUTION,
        ]);
        let corpus = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures/corpus/05-permit-management");
        for name in ["managed.zip", "unmanaged.zip"] {
            std::fs::copy(corpus.join(name), workspace.dir().join(name)).unwrap();
        }
        Self {
            workspace,
            changes: Arc::default(),
        }
    }

    fn opened(&self) -> almscript::workspace::Workspace {
        almscript::workspace::Workspace::find(&self.workspace.dir()).unwrap()
    }

    fn personas(&self) -> Vec<String> {
        let opened = self.opened();
        opened
            .config()
            .personas
            .names()
            .map(str::to_owned)
            .collect()
    }

    fn persona(&self, name: &str) -> Persona {
        self.opened().persona(Some(name), None).unwrap()
    }

    fn host(&self, persona: &str) -> Host {
        let opened = self.opened();
        let transport = Counting {
            inner: opened.transport(&Cancel::new()),
            changes: self.changes.clone(),
        };
        let persona = opened.persona(Some(persona), None).unwrap();
        let mut host = Host::of(opened).unwrap();
        host.act_as(persona);
        host.send_through(Arc::new(transport));
        host
    }

    fn write(&self, files: &[(&'static str, String)]) {
        let scripts = self.workspace.dir().join("scripts");
        std::fs::create_dir_all(scripts.join("hooks")).unwrap();
        for old in [
            "commit.rhai",
            "deploy.rhai",
            "theirs.rhai",
            "hooks/commit.rhai",
        ] {
            let _ = std::fs::remove_file(scripts.join(old));
        }
        for (name, text) in files {
            std::fs::write(scripts.join(name), text).unwrap();
        }
    }

    /// Tries something and tells whether it was refused with nothing changed.
    fn refused(&self, persona: &str, way: Way, effect: &Effect) -> Result<(), String> {
        let Some(lines) = lines(effect) else {
            return Ok(());
        };
        self.write(&way.files(&lines));
        self.changes.lock().unwrap().clear();
        let finished = self.host(persona).run("commit").go();
        let finished = finished.map_err(|error| format!("it did not start: {error}"))?;
        self.judge(&finished)
    }

    fn judge(&self, finished: &Finished) -> Result<(), String> {
        let changes = self.changes.lock().unwrap().join(", ");
        match &finished.failure {
            _ if !changes.is_empty() => Err(format!("it reached the service: {changes}")),
            Some(failure) if failure.code == "ALM-W017" => Ok(()),
            Some(failure) => Err(format!("it failed of something else: {failure}")),
            None => Err(format!("it ended as {}", finished.outcome)),
        }
    }
}

#[test]
fn what_a_persona_may_not_do_is_refused_by_every_way() {
    let table = Table::new();
    let mut wrong = Vec::new();
    let mut forbidden = 0;
    for name in table.personas() {
        let persona = table.persona(&name);
        for effect in effects() {
            if persona.may(&effect).is_ok() || attempt(effect.action).is_none() {
                continue;
            }
            for way in Way::ALL {
                forbidden += 1;
                let cell = format!("{name} × {effect} × {way:?}");
                match table.refused(&name, way, &effect) {
                    Ok(()) => println!("{cell}: refused"),
                    Err(why) => wrong.push(format!("{cell}: {why}")),
                }
            }
        }
    }
    println!("{forbidden} forbidden cells");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // The example's personas differ; a table without forbidden cells would prove nothing.
    assert!(forbidden > 100, "only {forbidden} cells are forbidden");
}
