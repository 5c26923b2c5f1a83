//! git's smart HTTP protocol, spoken by `git upload-pack` and `git receive-pack`
//! (facts/git-hosts.md, section 12).
//!
//! What git reads comes from a file and what it writes goes out as it is written, so that neither
//! a push nor a clone is ever in this process's memory.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use bytes::Bytes;
use http_body_util::Either;
use http_body_util::channel::{Channel, Sender};
use tokio::runtime::Handle;

use super::super::Tenant;
use super::super::azure_devops::{self, RefusedPush};
use super::super::call::Call;
use super::admission::refuse;
use super::body::{Intake, TakenBody};
use super::{WebResponse, web, whole};
use crate::transport::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Url};

/// Forty zeros: no commit, in a push.
const NO_COMMIT: &[u8] = b"0000000000000000000000000000000000000000";
/// The largest push, in bytes.
const LARGEST_PUSH: u64 = 1024 * 1024 * 1024;
/// The largest list of what a clone wants and has, in bytes.
const LARGEST_WISH: u64 = 16 * 1024 * 1024;
/// The longest list of references that one push moves, in bytes.
const LONGEST_COMMANDS: u64 = 1024 * 1024;
/// The longest report of a push, in bytes.
const LONGEST_REPORT: u64 = 16 * 1024 * 1024;
/// In what pieces git's output is sent on, in bytes, and how many of them may wait.
const PIECE: usize = 32 * 1024;
const WAITING_PIECES: usize = 4;

/// Whether an address is one of a repository as `git` uses it.
pub(super) fn is_git(url: &Url) -> bool {
    let mut segments = url.path_segments().into_iter().flatten();
    segments.any(|part| part == "_git")
}

/// How large the body of a request of git may be.
pub(super) fn largest(request: &Request) -> u64 {
    if request.url.path().ends_with("/git-receive-pack") {
        LARGEST_PUSH
    } else {
        LARGEST_WISH
    }
}

/// How the body of a request is encoded, if it is.
pub(super) fn encoding(request: &Request) -> Option<&str> {
    let value = request.headers.get(http::header::CONTENT_ENCODING)?;
    let name = value.to_str().unwrap_or("?").trim();
    (!name.eq_ignore_ascii_case("identity")).then_some(name)
}

/// Answers `git clone`, `fetch` and `push`: hands the answer to `tell` and returns when all of it
/// was taken. Waits for git; `runtime` is where the answer is sent from.
pub(super) fn answer(
    tenant: &Tenant,
    intake: &Intake,
    request: Request,
    body: TakenBody,
    tell: impl FnOnce(WebResponse),
    runtime: &Handle,
) {
    let service = match plain(intake, &request, body) {
        Ok(body) => choose(tenant, request, body),
        Err(refusal) => Err(refusal),
    };
    match service {
        Ok(Service::Done(response)) => tell(whole(response)),
        Ok(Service::Running(running)) => running.pass_on(tell, runtime),
        Err(refusal) => tell(whole(refusal)),
    }
}

/// What a request of git leads to.
enum Service {
    /// The answer is there.
    Done(Response),
    /// git is writing it.
    Running(Running),
}

fn choose(tenant: &Tenant, request: Request, mut body: TakenBody) -> Result<Service, Response> {
    let call = tenant.introduce(request).map_err(broken)?;
    let repositories = tenant.repositories();
    let access = tenant
        .store()
        .write(|tx| azure_devops::repository_access(&call, tx, &repositories))
        .map_err(broken)??;
    let service: Vec<&str> = access.service.iter().map(String::as_str).collect();
    match (call.method.clone(), service.as_slice()) {
        (Method::GET, ["info", "refs"]) => match call.parameter("service") {
            Some(name @ ("git-upload-pack" | "git-receive-pack")) => {
                advertise(&call, &access.folder, name)
            }
            _ => Err(refuse(
                StatusCode::FORBIDDEN,
                "Only the smart protocol is spoken here.",
            )),
        },
        (Method::POST, ["git-upload-pack"]) => {
            let input = Stdio::from(body.into_file().map_err(unreadable)?);
            let (child, output) = start(&call, &access.folder, "upload-pack", &[], input)?;
            Ok(Service::Running(Running {
                child,
                output,
                kind: "application/x-git-upload-pack-result",
                before: Vec::new(),
            }))
        }
        (Method::POST, ["git-receive-pack"]) => {
            let commands = body.start(LONGEST_COMMANDS).map_err(unreadable)?;
            receive(tenant, &call, &access.folder, &commands, body).map(Service::Done)
        }
        _ => Err(refuse(
            StatusCode::NOT_FOUND,
            "This is no address of a git repository.",
        )),
    }
}

/// The references, with the announcement that the protocol puts before them.
fn advertise(call: &Call, folder: &Path, name: &str) -> Result<Service, Response> {
    let (service, kind) = match name {
        "git-upload-pack" => ("upload-pack", "application/x-git-upload-pack-advertisement"),
        _ => (
            "receive-pack",
            "application/x-git-receive-pack-advertisement",
        ),
    };
    let more = ["--http-backend-info-refs"];
    let (child, output) = start(call, folder, service, &more, Stdio::null())?;
    let mut before = packet(format!("# service={name}\n").as_bytes());
    before.extend_from_slice(b"0000");
    Ok(Service::Running(Running {
        child,
        output,
        kind,
        before,
    }))
}

/// A push: what the organisation does not allow is refused before `git` sees it, and what was
/// pushed is taken note of afterwards, which queues builds and updates pull requests.
fn receive(
    tenant: &Tenant,
    call: &Call,
    folder: &Path,
    commands: &[u8],
    body: TakenBody,
) -> Result<Response, Response> {
    const KIND: &str = "application/x-git-receive-pack-result";
    // A client that only asks whether it may push sends a flush and nothing else.
    let Some(push) = Push::read(commands) else {
        let message = "This is no list of references to move.";
        return Err(refuse(StatusCode::BAD_REQUEST, message));
    };
    let repositories = tenant.repositories();
    let moves: Vec<(String, bool)> = push
        .moves
        .iter()
        .map(|it| (it.name.clone(), it.creates))
        .collect();
    let refused = tenant
        .store()
        .write(|tx| azure_devops::refused_pushes(call, tx, &repositories, &moves))
        .map_err(broken)??;
    if !refused.is_empty() {
        return Ok(typed(KIND, push.refusal(&refused)));
    }
    let input = Stdio::from(body.into_file().map_err(unreadable)?);
    let (mut child, output) = start(call, folder, "receive-pack", &[], input)?;
    let mut report = Vec::new();
    let read = output.take(LONGEST_REPORT).read_to_end(&mut report);
    let ended = child.wait();
    // A push that is not noted now is noted at the next request.
    let _ = tenant
        .store()
        .write(|tx| azure_devops::repository_access(call, tx, &repositories));
    read.and(ended).map_err(unreadable)?;
    Ok(typed(KIND, report))
}

/// Starts one of git's services on a repository.
fn start(
    call: &Call,
    folder: &Path,
    service: &str,
    more: &[&str],
    input: Stdio,
) -> Result<(Child, ChildStdout), Response> {
    let mut command = Command::new("git");
    command
        // Trees with `..` or `.git` in them, and all else that git would not make, are refused.
        .args(["-c", "receive.fsckObjects=true"])
        .arg(service)
        .arg("--stateless-rpc")
        .args(more)
        .arg(folder)
        .env_remove("GIT_DIR")
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if let Some(protocol) = call.header("git-protocol") {
        command.env("GIT_PROTOCOL", protocol);
    }
    let mut child = command.spawn().map_err(|_| no_git())?;
    match child.stdout.take() {
        Some(output) => Ok((child, output)),
        None => Err(no_git()),
    }
}

/// One of git's services whose output is the answer.
struct Running {
    child: Child,
    output: ChildStdout,
    kind: &'static str,
    before: Vec<u8>,
}

impl Running {
    /// Sends on what git writes. A client that is gone, or takes nothing, ends it.
    fn pass_on(mut self, tell: impl FnOnce(WebResponse), runtime: &Handle) {
        let (mut sender, body) = Channel::new(WAITING_PIECES);
        tell(web(StatusCode::OK, headers(self.kind), Either::Right(body)));
        if self.send_all(&mut sender, runtime).is_err() {
            // It may have ended already.
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }

    fn send_all(&mut self, sender: &mut Sender<Bytes>, runtime: &Handle) -> io::Result<()> {
        let mut send = |piece: Bytes| {
            let sent = runtime.block_on(sender.send_data(piece));
            sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
        };
        if !self.before.is_empty() {
            send(Bytes::from(std::mem::take(&mut self.before)))?;
        }
        let mut piece = vec![0; PIECE];
        loop {
            match self.output.read(&mut piece)? {
                0 => return Ok(()),
                read => send(Bytes::copy_from_slice(&piece[..read]))?,
            }
        }
    }
}

/// The commands of a push.
#[derive(Debug, Default)]
struct Push {
    moves: Vec<Move>,
    capabilities: String,
}

#[derive(Debug)]
struct Move {
    name: String,
    creates: bool,
}

impl Push {
    /// Reads the packets before the first flush: `old new name`, and after a zero byte the
    /// client's capabilities. `None` when there is anything else, or no flush: then git might read
    /// a command that was not seen here.
    fn read(mut body: &[u8]) -> Option<Self> {
        let mut push = Self::default();
        loop {
            if body.starts_with(b"0000") {
                return Some(push);
            }
            let (line, rest) = next_packet(body)?;
            body = rest;
            if line.starts_with(b"shallow ") {
                continue;
            }
            let (command, capabilities) = match line.iter().position(|byte| *byte == 0) {
                Some(end) => (&line[..end], &line[end + 1..]),
                None => (line, &[][..]),
            };
            if !capabilities.is_empty() {
                push.capabilities = String::from_utf8_lossy(capabilities).into_owned();
            }
            let mut parts = command.splitn(3, |byte| *byte == b' ');
            let (old, new, name) = (parts.next()?, parts.next()?, parts.next()?);
            if !is_id(old) || !is_id(new) {
                return None;
            }
            let name = std::str::from_utf8(name).ok()?.trim_end().to_owned();
            push.moves.push(Move {
                name,
                creates: old == NO_COMMIT,
            });
        }
    }

    /// The answer to a push of which something is refused: then nothing of it is done.
    fn refusal(&self, refused: &[RefusedPush]) -> Vec<u8> {
        let mut report = packet(b"unpack ok\n");
        for it in &self.moves {
            let reason = refused.iter().find(|refused| refused.name == it.name);
            let reason = reason.map_or("another branch of this push was refused", |it| &it.reason);
            report.extend(packet(format!("ng {} {reason}\n", it.name).as_bytes()));
        }
        report.extend_from_slice(b"0000");
        if !self.capabilities.contains("side-band-64k") {
            return report;
        }
        // Channel 1 of the side band, in pieces that fit.
        let mut body = Vec::new();
        for piece in report.chunks(65_000) {
            let mut framed = vec![1];
            framed.extend_from_slice(piece);
            body.extend(packet(&framed));
        }
        body.extend_from_slice(b"0000");
        body
    }
}

/// A packet: four hexadecimal digits with its length, themselves included, then the data.
fn packet(data: &[u8]) -> Vec<u8> {
    let mut packet = format!("{:04x}", data.len() + 4).into_bytes();
    packet.extend_from_slice(data);
    packet
}

/// The first packet and the rest; `None` at a flush or at what is no packet.
fn next_packet(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = std::str::from_utf8(body.get(..4)?).ok()?;
    let length = usize::from_str_radix(length, 16).ok()?;
    if length < 4 {
        return None;
    }
    Some((body.get(4..length)?, &body[length..]))
}

/// The body as it was before compression.
fn plain(intake: &Intake, request: &Request, body: TakenBody) -> Result<TakenBody, Response> {
    match encoding(request) {
        None => Ok(body),
        Some(name) if name.eq_ignore_ascii_case("gzip") => intake.unpack(body, largest(request)),
        Some(name) => {
            let message = format!("The encoding {name} is not taken here, only gzip.");
            Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, &message))
        }
    }
}

fn is_id(text: &[u8]) -> bool {
    text.len() == NO_COMMIT.len() && text.iter().all(u8::is_ascii_hexdigit)
}

fn headers(kind: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static(kind));
    headers.insert("cache-control", HeaderValue::from_static("no-cache"));
    headers
}

fn typed(kind: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(StatusCode::OK);
    response.headers = headers(kind);
    response.body = body;
    response
}

fn broken(error: impl std::fmt::Display) -> Response {
    refuse(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())
}

fn unreadable(error: io::Error) -> Response {
    broken(format_args!("git cannot be spoken to: {error}"))
}

fn no_git() -> Response {
    refuse(
        StatusCode::NOT_IMPLEMENTED,
        "The emulated tenant serves git only where the git program is installed.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_of_a_push_are_read_up_to_the_flush() {
        let zero = String::from_utf8_lossy(NO_COMMIT).into_owned();
        let one = "1".repeat(40);
        let mut body =
            packet(format!("{zero} {one} refs/heads/new\0 report-status side-band-64k").as_bytes());
        body.extend(packet(format!("{one} {zero} refs/heads/old\n").as_bytes()));
        body.extend_from_slice(b"0000PACK....");
        let push = Push::read(&body).unwrap();
        let moves: Vec<_> = push
            .moves
            .iter()
            .map(|it| (it.name.as_str(), it.creates))
            .collect();
        assert_eq!(moves, [("refs/heads/new", true), ("refs/heads/old", false)]);
        let refused = [RefusedPush {
            name: "refs/heads/old".into(),
            reason: "no".into(),
        }];
        let answer = push.refusal(&refused);
        let (framed, _) = next_packet(&answer).unwrap();
        assert_eq!(framed[0], 1);
        let report = String::from_utf8_lossy(&framed[1..]).into_owned();
        assert!(report.contains("ng refs/heads/old no\n"), "{report}");
    }

    #[test]
    fn a_list_that_git_might_read_otherwise_is_refused() {
        let one = "1".repeat(40);
        let command = packet(format!("{one} {one} refs/heads/a").as_bytes());
        for other in [
            // No flush: the list may go on.
            &b""[..],
            b"zz",
            b"0003",
            b"ffff",
            // A signed push holds commands of its own.
            &packet(b"push-cert\0 report-status\n"),
            &packet(b"1 2 refs/heads/b"),
        ] {
            let mut body = command.clone();
            body.extend_from_slice(other);
            assert!(Push::read(&body).is_none(), "{other:?}");
        }
    }
}
