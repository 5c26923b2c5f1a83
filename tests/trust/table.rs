//! The table of persona × effect × way: whatever a persona may not do is refused by every way there
//! is, and nothing reaches a service.
//!
//! What is forbidden is asked of the code ([`Persona::could`]), for every action, place and persona of
//! the example workspace; each forbidden cell is then tried for real on the emulated tenant, by each
//! way. `cargo test --test trust table -- --nocapture` prints the table.
//!
//! Three ways are not everywhere: a command or a row does what it can do and no more, and a build has
//! a persona of its own.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use almscript::branch::{Build, Repository};
use almscript::run::{Agent, Done, Finished, Host, Observer, Watcher};
use almscript::transport::{Cancel, Method, Request, Response, Transport, TransportError};
use almscript::workspace::{Action, Connections, Effect, Persona, Target};
use serde_json::json;

use crate::detours::host::Client;
use crate::workspace::{SOLUTION, Workspace};

const ENVIRONMENTS: [&str; 4] = ["dev", "validation", "test", "prod"];
const REPOSITORY: &str = "apps";
const NOBODYS_BRANCH: &str = "main";

/// The script lines that do `action` to the environment `e` or the repository `apps`.
fn attempt(action: Action) -> &'static str {
    match action {
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
        Action::Settings => {
            r#"b.commit(#{ message: "x", files: #{ "a/config/test/deploymentSettings.json": "{}" } });"#
        }
        Action::PowerPages => {
            r#"b.commit(#{ message: "x", files: #{ "a/PowerPages/site/x": "" } });"#
        }
        Action::CreateProfiles => r#"b.commit(#{ message: "x", files: #{ "alm.toml": "" } });"#,
        Action::UpdateProfiles => r#"b.commit(#{ message: "x", delete: ["alm.toml"] });"#,
    }
}

/// The same done to rows of the environment `e`, for what has a table.
fn attempt_on_rows(action: Action) -> Option<&'static str> {
    const DELETE: &str = r#"e.delete_row("solutions", "00000000-0000-4000-8000-000000000001");"#;
    Some(match action {
        Action::Read => r#"e.rows("accounts");"#,
        Action::Delete => DELETE,
        Action::Configure => {
            r#"e.update_row("workflows", "00000000-0000-4000-8000-000000000001", #{ statecode: 1 });"#
        }
        Action::Import => {
            r#"e.create_row("webresourceset", #{ name: "x_x", webresourcetype: 3, content: "" });"#
        }
        Action::WriteRows => r#"e.delete_row("accounts", "00000000-0000-4000-8000-000000000001");"#,
        _ => return None,
    })
}

/// The command that does it, for what has one.
fn command(effect: &Effect) -> Option<Vec<&str>> {
    Some(match (effect.action, &effect.target) {
        (Action::Read, Target::Environment(name)) => vec!["env", "show", name],
        (Action::ApprovePullRequest, _) => vec!["pr", "approve", "1"],
        (Action::CompletePullRequest, _) => vec!["pr", "complete", "1"],
        (Action::Approve, _) => vec!["approve", "1", "--build"],
        _ => return None,
    })
}

/// The bundled script that a build could be told to run for it, by parameters at queue time.
fn script_for(action: Action) -> Option<&'static str> {
    Some(match action {
        Action::Delete => "delete",
        Action::Import => "import",
        Action::ImportManaged => "release",
        Action::Configure => "configure",
        _ => return None,
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
fn lines(effect: &Effect, attempt: &str) -> String {
    let place = match &effect.target {
        Target::Environment(name) => format!("let e = environment::named(\"{name}\");"),
        _ => format!(
            "let apps = branch::repository(\"{REPOSITORY}\"); let b = apps.branch(\"{NOBODYS_BRANCH}\");"
        ),
    };
    format!("{place} {attempt}")
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
    /// What comes after a wait that somebody else has answered with a yes.
    Approval,
    /// What comes after a failure, in a run that somebody else resumes.
    Resume,
    /// Rows instead of the primitive that is meant for it.
    Row,
    /// A command.
    Command,
    /// A build that is told by parameters at queue time to do something else, somewhere else.
    QueueParameter,
}

impl Way {
    const ALL: [Self; 10] = [
        Self::Script,
        Self::Module,
        Self::Hook,
        Self::Nested,
        Self::Caught,
        Self::Approval,
        Self::Resume,
        Self::Row,
        Self::Command,
        Self::QueueParameter,
    ];

    /// The files under `scripts/` for it.
    fn files(self, lines: &str) -> Vec<(&'static str, String)> {
        match self {
            Self::Script | Self::Row => vec![("commit.rhai", lines.to_owned())],
            Self::Approval => vec![(
                "commit.rhai",
                format!("run::wait_for(\"a look\", #{{ self_approval: true }}); {lines}"),
            )],
            Self::Resume => vec![(
                "commit.rhai",
                format!("solution::read(\"go.zip\"); {lines}"),
            )],
            Self::Command | Self::QueueParameter => Vec::new(),
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
        workspace.ok(&["agent", "--once"]);
        workspace.ok(&["pr", "complete", "1", "--as", "admin"]);
        workspace.ok(&["agent", "--once"]);
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
            "release.rhai",
            "hooks/commit.rhai",
        ] {
            let _ = std::fs::remove_file(scripts.join(old));
        }
        for (name, text) in files {
            std::fs::write(scripts.join(name), text).unwrap();
        }
    }

    /// Tries something and tells whether it was refused with nothing changed; `None` where the way
    /// does not lead there.
    fn refused(&self, persona: &str, way: Way, effect: &Effect) -> Option<Result<(), String>> {
        let attempt = match way {
            Way::Row => attempt_on_rows(effect.action)?,
            _ => attempt(effect.action),
        };
        self.write(&way.files(&lines(effect, attempt)));
        self.changes.lock().unwrap().clear();
        Some(match way {
            Way::Command => self.commanded(persona, &command(effect)?),
            Way::QueueParameter => self.queued(persona, effect, script_for(effect.action)?),
            Way::Approval | Way::Resume => self.gone_on_with(persona, way),
            _ => {
                let finished = self.host(persona).run("commit").go();
                finished
                    .map_err(|error| format!("it did not start: {error}"))
                    .and_then(|finished| self.judge(&finished))
            }
        })
    }

    /// A run that somebody with all rights has go on.
    fn gone_on_with(&self, persona: &str, way: Way) -> Result<(), String> {
        let begun = self.host(persona).run("commit").go();
        let begun = begun.map_err(|error| format!("it did not start: {error}"))?;
        let admin = self.host("admin");
        let go = self.workspace.dir().join("go.zip");
        if matches!(way, Way::Approval) {
            admin
                .answer(begun.run, true, "go on", None)
                .map_err(|error| format!("it was not approved: {error}"))?;
        } else {
            std::fs::copy(self.workspace.dir().join("managed.zip"), &go).unwrap();
        }
        self.changes.lock().unwrap().clear();
        let finished = admin.resume(begun.run).go();
        let _ = std::fs::remove_file(go);
        let finished = finished.map_err(|error| format!("it did not go on: {error}"))?;
        self.judge(&finished)
    }

    fn commanded(&self, persona: &str, words: &[&str]) -> Result<(), String> {
        let ended = self.workspace.alm(&[words, &["--as", persona]].concat());
        if ended.code == Some(5) && ended.text.contains("ALM-W017") {
            return Ok(());
        }
        Err(format!("it ended with {:?}: {}", ended.code, ended.text))
    }

    /// The pipeline of the test stage, told by whoever queues a build of it to do something else.
    fn queued(&self, persona: &str, effect: &Effect, script: &str) -> Result<(), String> {
        let Target::Environment(environment) = &effect.target else {
            return Err("no build is about it".into());
        };
        let identity = self.persona(persona).person().unwrap().identity.clone();
        let client = Client::of(&self.workspace, &identity);
        let parameters = json!({
            "AlmScript": script, "EnvironmentName": environment, "AlmStage": environment,
        });
        self.queue(&client, &parameters.to_string());
        let done = self.drained();
        let changes = self.changes.lock().unwrap().join(", ");
        if !changes.is_empty() {
            return Err(format!("it reached the service: {changes}"));
        }
        match done.iter().find(|done| done.finished.is_some()) {
            Some(done) => Err(format!("build {} was run", done.build.id)),
            None => Ok(()),
        }
    }

    fn queue(&self, client: &Client, parameters: &str) {
        let definition = client.definition(&format!("deploy-test-{SOLUTION}"));
        client.send(
            Method::POST,
            "build/builds?api-version=7.1",
            Some(json!({
                "definition": { "id": definition },
                "sourceBranch": format!("refs/heads/{SOLUTION}"),
                "parameters": parameters,
            })),
        );
    }

    /// What an agent makes of everything that is queued.
    fn drained(&self) -> Vec<Done> {
        let host = self.host("admin");
        let cancel = Cancel::new();
        let opened = self.opened();
        let connections = Arc::new(Connections::of(&opened, &cancel));
        let repository =
            Repository::connect(&connections, &opened.unrestricted(), REPOSITORY).unwrap();
        let agent = Agent::new(&host, vec![repository], None, cancel, 1);
        agent.drain(&Silent).unwrap()
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

/// An agent that nobody listens to.
struct Silent;

impl Watcher for Silent {
    fn taken(&self, _: &Build, _: &str) -> Option<Arc<dyn Observer>> {
        None
    }
    fn done(&self, _: &Done) {}
    fn left(&self, _: &Build, _: &str) {}
}

#[test]
fn what_a_persona_may_not_do_is_refused_by_every_way() {
    let table = Table::new();
    let mut wrong = Vec::new();
    let mut forbidden = 0;
    for name in table.personas() {
        let persona = table.persona(&name);
        for effect in effects() {
            if persona.could(&effect).is_ok() {
                continue;
            }
            for way in Way::ALL {
                let cell = format!("{name} × {effect} × {way:?}");
                let Some(tried) = table.refused(&name, way, &effect) else {
                    continue;
                };
                forbidden += 1;
                match tried {
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

/// A build that its profile allows runs as a persona of its own, whatever its script has become.
#[test]
fn what_a_build_may_not_do_is_refused_to_its_script() {
    let table = Table::new();
    let client = Client::of(&table.workspace, "maya");
    let persona = table.opened().agent_for("test");
    let mut wrong = Vec::new();
    let mut forbidden = 0;
    for effect in effects() {
        if persona.could(&effect).is_ok() {
            continue;
        }
        let lines = lines(&effect, attempt(effect.action));
        table.write(&[("release.rhai", lines)]);
        table.queue(&client, "{}");
        table.changes.lock().unwrap().clear();
        let done = table.drained();
        forbidden += 1;
        let cell = format!("agent for test × {effect}");
        let finished = done.iter().find_map(|done| done.finished.as_ref());
        let tried = match finished {
            Some(finished) => table.judge(finished),
            None => Err(format!("no build was run: {done:?}")),
        };
        match tried {
            Ok(()) => println!("{cell}: refused"),
            Err(why) => wrong.push(format!("{cell}: {why}")),
        }
    }
    println!("{forbidden} forbidden cells");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(forbidden > 20, "only {forbidden} cells are forbidden");
}
