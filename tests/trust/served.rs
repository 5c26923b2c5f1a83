//! The emulated tenant on a socket: who is heard there, and what those who are not can use up.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use almscript::emulator::token::Claims;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::workspace::{Workspace, command};

const PROD: &str = "contoso.crm4.dynamics.com";
const DEV: &str = "contoso-dev.crm4.dynamics.com";
const APPS: &str = "dev.azure.com/contoso/ALM/_git/apps";

/// `alm tenant serve` of an example workspace.
struct Served {
    workspace: Workspace,
    process: Child,
    address: SocketAddr,
    password: String,
}

impl Served {
    fn start() -> Self {
        let workspace = Workspace::example();
        let mut process = command(&workspace.dir(), &["tenant", "serve", "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let event: Value = serde_json::from_str(&line).unwrap();
        let address = event["address"].as_str().unwrap().parse().unwrap();
        let password = std::fs::read_to_string(event["password_file"].as_str().unwrap()).unwrap();
        Self {
            workspace,
            process,
            address,
            password,
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        let patience = Some(Duration::from_secs(30));
        stream.set_read_timeout(patience).unwrap();
        stream.set_write_timeout(patience).unwrap();
        stream
    }

    /// Sends a request as a program of this machine does, with more headers, and returns the
    /// answer's status and body.
    fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> (u16, String) {
        let mut text = format!("{method} /{path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            write!(text, "Host: {}\r\n", self.address).unwrap();
        }
        for (name, value) in headers {
            write!(text, "{name}: {value}\r\n").unwrap();
        }
        write!(text, "Content-Length: {}\r\n\r\n", body.len()).unwrap();
        let mut stream = self.connect();
        stream.write_all(text.as_bytes()).unwrap();
        // A server that has refused the request does not read its body.
        let _ = stream.write_all(body);
        answer(&mut stream)
    }

    /// A token of `user` for `resource`, as curl's `-d` asks for one.
    fn sign_in(&self, user: &str, password: &str, resource: &str) -> Result<String, String> {
        let form = format!(
            "grant_type=password&client_id=x&username={user}@contoso.example&password={password}\
             &scope={resource}/.default"
        );
        let path = "login.microsoftonline.com/contoso.example/oauth2/v2.0/token";
        let kind = [("Content-Type", "application/x-www-form-urlencoded")];
        let (_, body) = self.ask("POST", path, &kind, form.as_bytes());
        let answer: Value = serde_json::from_str(&body).unwrap();
        match answer["access_token"].as_str() {
            Some(token) => Ok(token.to_owned()),
            None => Err(body),
        }
    }

    fn token(&self, user: &str, resource: &str) -> String {
        self.sign_in(user, &self.password, resource).unwrap()
    }

    /// The status of a `GET` with this token.
    fn get(&self, path: &str, token: &str) -> u16 {
        self.ask(
            "GET",
            path,
            &[("Authorization", &format!("Bearer {token}"))],
            b"",
        )
        .0
    }

    /// Interrupts the server as Ctrl-C does.
    fn interrupt(&self) {
        let interrupt = format!("kill -INT {}", self.process.id());
        assert!(
            Command::new("sh")
                .args(["-c", &interrupt])
                .status()
                .unwrap()
                .success()
        );
    }

    /// How long the server takes to end, at most ten seconds.
    fn ends_within(&mut self) -> Duration {
        let started = Instant::now();
        while self.process.try_wait().unwrap().is_none() {
            assert!(started.elapsed() < Duration::from_secs(10), "it still runs");
            std::thread::sleep(Duration::from_millis(20));
        }
        started.elapsed()
    }

    fn remote(&self, user: &str, password: &str) -> String {
        format!("http://{user}:{password}@{}/{APPS}", self.address)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The status and the body of an answer; status 0 when the connection ended without one.
fn answer(stream: &mut TcpStream) -> (u16, String) {
    let mut bytes = Vec::new();
    // A server that closes on unread bytes may take its last words with it.
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let status = text.split(' ').nth(1).and_then(|it| it.parse().ok());
    let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    (status.unwrap_or(0), body.unwrap_or_default())
}

fn git(folder: &Path, arguments: &[&str]) -> Output {
    Command::new("git")
        .current_dir(folder)
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
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "git {arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_web_page_a_known_password_and_a_token_for_another_service_open_nothing() {
    let it = Served::start();
    let who = format!("{PROD}/api/data/v9.2/WhoAmI");
    let prod = format!("https://{PROD}");
    let ada = it.token("ada", &prod);
    assert_eq!(it.get(&who, &ada), 200);

    // A page in a browser: by its address, by a name that points to this machine, by a form.
    let bearer = format!("Bearer {ada}");
    let signed_in = ("Authorization", bearer.as_str());
    for (header, value, status) in [
        ("Host", "evil.example", 421),
        ("Host", PROD, 421),
        ("Origin", "http://evil.example", 403),
        ("Origin", "null", 403),
        ("Sec-Fetch-Site", "cross-site", 403),
        ("Access-Control-Request-Method", "GET", 403),
    ] {
        let refused = it.ask("GET", &who, &[signed_in, (header, value)], b"");
        assert_eq!(refused.0, status, "{header}: {value}: {}", refused.1);
    }
    let login = "login.microsoftonline.com/contoso.example/oauth2/v2.0/token";
    let form = format!(
        "grant_type=password&password={}&username=ada@contoso.example&scope={prod}/.default",
        it.password
    );
    let from_page = it.ask(
        "POST",
        login,
        &[("Origin", "http://evil.example")],
        form.as_bytes(),
    );
    assert_eq!(from_page.0, 403);
    let rows = format!("{PROD}/api/data/v9.2/accounts");
    let as_form = [signed_in, ("Content-Type", "text/plain")];
    assert_eq!(it.ask("POST", &rows, &as_form, b"{\"name\":\"a\"}").0, 415);

    // What everybody knows.
    let refused = it.sign_in("ada", "emulated", &prod).unwrap_err();
    assert!(refused.contains("AADSTS50126"), "{refused}");
    let basic = |password: &str| {
        let it_is = BASE64_STANDARD.encode(format!("ada:{password}"));
        format!("Basic {it_is}")
    };
    let projects = "dev.azure.com/contoso/_apis/projects";
    let suppress = ("X-TFS-FedAuthRedirect", "Suppress");
    for (password, status) in [
        ("emulated-token-of-ada", 401),
        ("", 401),
        (&it.password, 200),
    ] {
        let header = ("Authorization", &*basic(password));
        assert_eq!(it.ask("GET", projects, &[header, suppress], b"").0, status);
    }
    let mut claims = Claims::decode(&ada).unwrap();
    assert_eq!(
        it.get(&who, &claims.encode()),
        401,
        "a token that nobody signed"
    );
    claims.exp += 1_000_000;
    let (_, signature) = ada.rsplit_once('.').unwrap();
    let unsigned = claims.encode();
    let (message, _) = unsigned.rsplit_once('.').unwrap();
    assert_eq!(
        it.get(&who, &format!("{message}.{signature}")),
        401,
        "a changed token"
    );

    // Another service's token.
    let azure = it.token("ada", "499b84ac-1321-427f-aa17-267ca6975798");
    let apps = it.token("ada", "https://service.powerapps.com");
    let environments = "api.bap.microsoft.com/providers/Microsoft.BusinessAppPlatform/environments?api-version=2021-04-01";
    for (path, right) in [
        (who.as_str(), &ada),
        (projects, &azure),
        (environments, &apps),
    ] {
        for token in [&ada, &azure, &apps] {
            let bearer = format!("Bearer {token}");
            let status = it
                .ask("GET", path, &[("Authorization", &bearer), suppress], b"")
                .0;
            assert_eq!(status == 200, token == right, "{path}: {status}");
            assert!([200, 401].contains(&status), "{path}: {status}");
        }
    }
    assert_eq!(it.get(&format!("{DEV}/api/data/v9.2/WhoAmI"), &ada), 401);

    // The password is nowhere but in its file, which is its owner's.
    let file = it.workspace.dir().join(".alm/secrets/people");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }
    for name in ["tenant.sqlite", "tenant.sqlite-wal"] {
        let bytes = std::fs::read(it.workspace.dir().join(".alm/tenant").join(name)).unwrap();
        let found = bytes
            .windows(it.password.len())
            .any(|it_is| it_is == it.password.as_bytes());
        assert!(!found, "the password is in {name}");
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), it.password);
}

#[test]
fn git_clones_with_the_password_and_pushes_no_tree_that_leads_out_of_its_folder() {
    let it = Served::start();
    let folder = tempfile::tempdir().unwrap();
    let remote = it.remote("maya", &it.password);
    works(folder.path(), &["clone", "--quiet", &remote, "copy"]);
    let copy = folder.path().join("copy");
    assert!(copy.join(".gitattributes").is_file());
    for (user, password) in [
        ("maya", "emulated-token-of-maya"),
        ("nobody", it.password.as_str()),
    ] {
        let refused = git(
            folder.path(),
            &["clone", &it.remote(user, password), "other"],
        );
        assert!(!refused.status.success(), "{user}");
    }
    works(
        &copy,
        &["commit", "--quiet", "--allow-empty", "-m", "honest"],
    );
    works(
        &copy,
        &["push", "--quiet", "origin", "HEAD:refs/heads/honest"],
    );

    let blob = works(&copy, &["hash-object", "-w", ".gitattributes"]);
    let id: Vec<u8> = (0..40)
        .step_by(2)
        .map(|at| u8::from_str_radix(&blob[at..at + 2], 16).unwrap())
        .collect();
    let entry = |mode: &str, name: &str| {
        let mut entry = format!("{mode} {name}\0").into_bytes();
        entry.extend(&id);
        entry
    };
    let twice = [entry("100644", "a"), entry("100644", "a")].concat();
    for (what, tree) in [
        ("parent", entry("100644", "..")),
        ("git", entry("100644", ".git")),
        ("capitals", entry("100644", ".GIT")),
        ("short", entry("100644", "git~1")),
        ("ignorable", entry("100644", ".g\u{200c}it")),
        ("path", entry("100644", "a/b")),
        ("modules", entry("120000", ".gitmodules")),
        ("padded", entry("0100644", "a")),
        ("twice", twice),
    ] {
        let file = folder.path().join("tree");
        std::fs::write(&file, tree).unwrap();
        let file = file.to_string_lossy().into_owned();
        let tree = works(
            &copy,
            &["hash-object", "-t", "tree", "--literally", "-w", &file],
        );
        let commit = works(&copy, &["commit-tree", &tree, "-m", what]);
        let to = format!("{commit}:refs/heads/{what}");
        let pushed = git(&copy, &["push", "origin", &to]);
        let said = String::from_utf8_lossy(&pushed.stderr).into_owned();
        assert!(!pushed.status.success(), "{what}: {said}");
        assert!(said.contains("rejected"), "{what}: {said}");
    }
    let branches = works(
        &it.workspace.repository(),
        &["for-each-ref", "--format=%(refname)"],
    );
    assert_eq!(branches, "refs/heads/honest\nrefs/heads/main");
}

#[test]
fn ctrl_c_ends_a_server_that_waits_for_the_rest_of_requests() {
    let mut it = Served::start();
    let token = it.token("maya", &format!("https://{DEV}"));
    let mut waiting: Vec<TcpStream> = (0..3).map(|_| it.connect()).collect();
    let host = it.address;
    write!(waiting[0], "GET /x HTTP/1.1\r\nHost: {host}\r\n").unwrap();
    write!(waiting[1], "POST /{DEV}/api/data/v9.2/accounts HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Length: 10\r\n\r\nabc").unwrap();
    // It has heard them all.
    assert_eq!(it.get(&format!("{DEV}/api/data/v9.2/WhoAmI"), &token), 200);
    it.interrupt();
    let took = it.ends_within();
    assert!(took < Duration::from_secs(3), "{took:?}");
}

/// The largest and the present memory of a process, in megabytes.
#[cfg(target_os = "linux")]
fn memory(process: u32) -> (u64, u64) {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let read = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kilobytes / 1024
    };
    (read("VmHWM:"), read("VmRSS:"))
}

/// What hostile clients send at once, some 200 of them: each keeps its connection.
#[cfg(target_os = "linux")]
fn hostile(it: &Served, number: usize, bomb: &[u8]) -> TcpStream {
    let host = it.address;
    let basic = BASE64_STANDARD.encode(format!("maya:{}", it.password));
    let mut stream = it.connect();
    stream
        .set_write_timeout(Some(Duration::from_secs(2)))
        .unwrap();
    let mut send = |bytes: &[u8]| {
        // The server may have refused it already.
        let _ = stream.write_all(bytes);
    };
    match number % 8 {
        0 => send(format!("GET /{DEV}/api HTTP/1.1\r\nHost: {host}\r\nX-Slow: ").as_bytes()),
        1 => send(format!("POST /{DEV}/api/data/v9.2/accounts HTTP/1.1\r\nHost: {host}\r\nContent-Length: 200000000\r\n\r\n{{").as_bytes()),
        2 => {
            send(format!("POST /{APPS}/git-upload-pack HTTP/1.1\r\nHost: {host}\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", bomb.len()).as_bytes());
            send(bomb);
        }
        3 => {
            send(format!("POST /{APPS}/git-receive-pack HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {basic}\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", bomb.len()).as_bytes());
            send(bomb);
        }
        4 => {
            // A push that stops in the middle, of somebody who is signed in.
            send(format!("POST /{APPS}/git-receive-pack HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {basic}\r\nContent-Length: 300000000\r\n\r\n").as_bytes());
            let piece = vec![b'x'; 1024 * 1024];
            (0..10).for_each(|_| send(&piece));
        }
        5 => send("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n".as_bytes()),
        6 => {
            let many: String = (0..5000).fold(String::new(), |mut text, at| {
                let _ = write!(text, "X-{at}: {at}\r\n");
                text
            });
            send(format!("GET / HTTP/1.1\r\nHost: {host}\r\n{many}\r\n").as_bytes());
        }
        _ => send(format!("GET /{} HTTP/1.1\r\nHost: {host}\r\n", "a".repeat(2_000_000)).as_bytes()),
    }
    stream
}

#[cfg(target_os = "linux")]
#[test]
fn two_hundred_hostile_clients_take_little_memory_and_no_honest_clients_turn() {
    let it = Served::start();
    // 1 MB that becomes 1 GB.
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1024 * 1024];
    (0..1000).for_each(|_| packer.write_all(&zeros).unwrap());
    let bomb = packer.finish().unwrap();
    let token = it.token("maya", &format!("https://{DEV}"));
    let (before, _) = memory(it.process.id());
    let (it, token, bomb) = (&it, &token, &bomb);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..200)
            .map(|number| scope.spawn(move || hostile(it, number, bomb)))
            .collect();
        let mut slowest = Duration::ZERO;
        for _ in 0..20 {
            let started = Instant::now();
            assert_eq!(it.get(&format!("{DEV}/api/data/v9.2/WhoAmI"), token), 200);
            slowest = slowest.max(started.elapsed());
            std::thread::sleep(Duration::from_millis(50));
        }
        let kept: Vec<TcpStream> = clients.into_iter().map(|it| it.join().unwrap()).collect();
        let started = Instant::now();
        assert_eq!(it.get(&format!("{DEV}/api/data/v9.2/WhoAmI"), token), 200);
        slowest = slowest.max(started.elapsed());
        let (most, now) = memory(it.process.id());
        println!(
            "{} hostile clients: at most {most} MB (before them {before} MB), {now} MB now; \
             the slowest honest answer took {slowest:?}",
            kept.len()
        );
        assert!(most < 200, "{most} MB");
        assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    });
}
