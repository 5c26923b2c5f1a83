//! The tenant on loopback: ordinary git, an ordinary HTTP client, and the mirror of the branch
//! service.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::thread::JoinHandle;

use almscript::branch::remote::GitProgram;
use almscript::branch::{AzureDevOps, BranchError, NewCommit, Repository};
use almscript::emulator::serve::Server;
use almscript::transport::https::{Https, Timeouts};
use almscript::transport::{
    Cancel, HeaderValue, Method, Request, Response, Secret, Transport, TransportError,
};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::tenant::{Fixture, MAYA};

struct Served {
    fixture: Fixture,
    address: SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    fn new() -> Self {
        let fixture = Fixture::new();
        let server = Server::bind(fixture.tenant.clone(), 0).unwrap();
        let address = server.address();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            server
                .run(async {
                    let _ = stopped.await;
                })
                .unwrap();
        });
        Self {
            fixture,
            address,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    fn organisation(&self) -> String {
        format!("http://{}/dev.azure.com/contoso", self.address)
    }

    /// The repository's address with a user's token in it, as `git` takes it.
    fn remote(&self, who: &str) -> String {
        let address = self.address;
        format!("http://x:{who}@{address}/dev.azure.com/contoso/ALM%20Team/_git/apps")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The server ends when it is told to, whatever the test did.
            thread.join().unwrap();
        }
    }
}

fn git(folder: &Path, arguments: &[&str]) -> Output {
    Command::new("git")
        .arg("-C")
        .arg(folder)
        .args([
            "-c",
            "user.name=Maya",
            "-c",
            "user.email=maya@contoso.example",
        ])
        .args(arguments)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap()
}

fn works(folder: &Path, arguments: &[&str]) -> String {
    let output = git(folder, arguments);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "git {arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn git_clones_pushes_and_sets_off_builds() {
    let it = Served::new();
    it.fixture
        .push("main", "main", &[("Sales/a.txt", "one\n")], "first");
    let body = json!({
        "name": "deploy-test-Sales",
        "repository": { "name": "apps", "type": "TfsGit" },
        "triggers": [{ "triggerType": "continuousIntegration", "branchFilters": ["+refs/heads/main"] }],
    });
    it.fixture.post("ALM%20Team/_apis/build/definitions", body);
    let folder = tempfile::tempdir().unwrap();
    works(
        folder.path(),
        &["clone", "--quiet", &it.remote(MAYA), "copy"],
    );
    let copy = folder.path().join("copy");
    assert_eq!(
        std::fs::read_to_string(copy.join("Sales/a.txt")).unwrap(),
        "one\n"
    );

    // More than git's post buffer, so that it probes and sends in chunks.
    let mut large = vec![0_u8; 3 * 1024 * 1024];
    let mut seed = 1_u64;
    for byte in &mut large {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        *byte = (seed >> 33) as u8;
    }
    std::fs::write(copy.join("large.bin"), &large).unwrap();
    works(&copy, &["add", "."]);
    works(&copy, &["commit", "--quiet", "-m", "large"]);
    works(&copy, &["push", "--quiet", "origin", "main"]);
    let head = works(&copy, &["rev-parse", "HEAD"]);
    assert_eq!(it.fixture.head("main"), head.trim());
    let builds = it.fixture.get("ALM%20Team/_apis/build/builds");
    assert_eq!(builds["value"][0]["sourceVersion"], head.trim());
    assert_eq!(
        builds["value"][0]["requestedBy"]["displayName"],
        "Maya Maker"
    );

    let stranger = git(folder.path(), &["clone", &it.remote("nobody"), "other"]);
    assert!(!stranger.status.success());
}

#[test]
fn a_push_to_a_protected_branch_is_refused_as_the_service_does() {
    let it = Served::new();
    it.fixture.push("main", "main", &[("a", "1")], "first");
    let repository = it.fixture.get("ALM%20Team/_apis/git/repositories/apps")["id"].clone();
    let body = json!({
        "type": { "id": "fa4e907d-c16b-4a4c-9dfa-4906e5d171dd" },
        "settings": { "minimumApproverCount": 1, "scope": [{
            "repositoryId": repository, "refName": "refs/heads/main", "matchKind": "Exact" }] },
    });
    it.fixture
        .post("ALM%20Team/_apis/policy/configurations", body);
    let before = it.fixture.head("main");
    let folder = tempfile::tempdir().unwrap();
    works(folder.path(), &["clone", "--quiet", &it.remote(MAYA), "."]);
    works(
        folder.path(),
        &["commit", "--quiet", "--allow-empty", "-m", "direct"],
    );
    let refused = git(folder.path(), &["push", "origin", "main"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success());
    assert!(
        said.contains("! [remote rejected] main -> main (TF402455"),
        "{said}"
    );
    assert_eq!(it.fixture.head("main"), before);
    works(
        folder.path(),
        &["push", "--quiet", "origin", "main:refs/heads/mine"],
    );
    assert_ne!(it.fixture.head("mine"), "0".repeat(40));
}

struct As(Https, String);

impl Transport for As {
    fn send(&self, mut request: Request) -> Result<Response, TransportError> {
        let value = HeaderValue::try_from(self.1.clone()).unwrap();
        request.headers.insert("authorization", value);
        self.0.send(request)
    }
}

#[test]
fn the_git_program_mirrors_a_remote_and_pushes_what_was_committed_without_a_work_tree() {
    let it = Served::new();
    it.fixture.push("main", "main", &[("a", "1")], "first");
    let header = format!("Basic {}", BASE64_STANDARD.encode(format!(":{MAYA}")));
    let cancel = Cancel::new();
    let https = Https::new(Timeouts::default(), cancel.clone());
    let host = Arc::new(AzureDevOps::new(
        Arc::new(As(https, header.clone())),
        it.organisation().parse().unwrap(),
        "ALM Team",
        "apps",
    ));
    let folder = tempfile::tempdir().unwrap();
    let open = |name: &str| {
        let header = header.clone();
        let sign_in = Box::new(move || Ok(Some(Secret::new(header.clone()))));
        let address = format!(
            "http://{}/dev.azure.com/contoso/ALM%20Team/_git/apps",
            it.address
        );
        let mirror = folder.path().join(name);
        let remote = GitProgram::open(&mirror, &address, "main", sign_in).unwrap();
        Repository::open(name, host.clone(), Box::new(remote), cancel.clone()).unwrap()
    };
    let (one, two) = (open("one"), open("two"));
    assert_eq!(one.branch("main").read("a").unwrap().unwrap(), b"1");
    let file = |path: &str, text: &str| NewCommit {
        message: "It's \"here\"\n\nwith more".into(),
        files: vec![(path.into(), text.as_bytes().to_vec().into())],
        ..NewCommit::default()
    };
    let mine = one.branch("mine");
    mine.create_from(&one.branch("main")).unwrap();
    let commit = mine.commit(&file("b", "2")).unwrap();
    assert_eq!(it.fixture.head("mine"), commit.id);
    two.refresh().unwrap();
    let exists = two
        .branch("mine")
        .create_from(&two.branch("main"))
        .unwrap_err();
    assert!(matches!(exists, BranchError::BranchExists(_)), "{exists}");
    assert_eq!(two.branch("mine").read("b").unwrap().unwrap(), b"2");
    // Somebody else's push comes in between: different files go together.
    it.fixture.push("mine", "mine", &[("c", "3")], "theirs");
    one.branch("mine").commit(&file("b", "22")).unwrap();
    two.refresh().unwrap();
    assert_eq!(two.branch("mine").read("c").unwrap().unwrap(), b"3");
    two.branch("mine").delete().unwrap();
    one.refresh().unwrap();
    assert_eq!(one.branch("mine").head().unwrap(), None);

    let cancelled = Cancel::new();
    cancelled.cancel();
    let stopped = Repository::open(
        "three",
        host.clone(),
        Box::new(
            GitProgram::open(
                &folder.path().join("three"),
                "http://127.0.0.1:1/x",
                "main",
                Box::new(|| Ok(None)),
            )
            .unwrap(),
        ),
        cancelled,
    );
    assert!(
        matches!(stopped, Err(BranchError::Transport(_))),
        "{stopped:?}"
    );
}

#[test]
fn an_ordinary_client_reads_the_tenant_with_links_that_lead_back() {
    let it = Served::new();
    let token = BASE64_STANDARD.encode(format!(":{MAYA}"));
    let path = "/dev.azure.com/contoso/_apis/projects?api-version=7.1";
    let mut stream = TcpStream::connect(it.address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {token}\r\nConnection: close\r\n\r\n",
        it.address
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let base = format!("\"url\":\"{}/_apis/projects/", it.organisation());
    assert!(answer.contains(&base), "{answer}");
    let options = Request::new(
        Method::OPTIONS,
        format!("{}/_apis", it.organisation()).parse().unwrap(),
    );
    let https = Https::new(Timeouts::default(), Cancel::new());
    let answer = As(https, format!("Basic {token}")).send(options).unwrap();
    let locations = answer.to_json().unwrap();
    assert!(locations["count"].as_i64().unwrap() > 30);
}
