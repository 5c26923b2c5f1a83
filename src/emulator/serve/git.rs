//! git's smart HTTP protocol, spoken by `git upload-pack` and `git receive-pack`
//! (facts/git-hosts.md, section 12).

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use flate2::read::GzDecoder;

use super::super::Tenant;
use super::super::azure_devops::{self, RefusedPush};
use super::super::call::Call;
use crate::transport::{HeaderValue, Method, Request, Response, StatusCode, Url};

/// Forty zeros: no commit, in a push.
const NO_COMMIT: &[u8] = b"0000000000000000000000000000000000000000";

/// Whether an address is one of a repository as `git` uses it.
pub(super) fn is_git(url: &Url) -> bool {
    let mut segments = url.path_segments().into_iter().flatten();
    segments.any(|part| part == "_git")
}

/// Answers `git clone`, `fetch` and `push`.
pub(super) fn answer(tenant: &Tenant, request: Request) -> Response {
    let body = match plain(&request) {
        Ok(body) => body,
        Err(_) => return Response::new(StatusCode::BAD_REQUEST),
    };
    let call = match tenant.introduce(request) {
        Ok(call) => call,
        Err(error) => return text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    };
    let repositories = tenant.repositories();
    let access = tenant
        .store()
        .write(|tx| azure_devops::repository_access(&call, tx, &repositories));
    let access = match access {
        Ok(Ok(access)) => access,
        Ok(Err(refusal)) => return refusal,
        Err(error) => return text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    };
    let service: Vec<&str> = access.service.iter().map(String::as_str).collect();
    match (call.method.clone(), service.as_slice()) {
        (Method::GET, ["info", "refs"]) => match call.parameter("service") {
            Some(name @ ("git-upload-pack" | "git-receive-pack")) => {
                advertise(&call, &access.folder, name)
            }
            _ => text(
                StatusCode::FORBIDDEN,
                "Only the smart protocol is spoken here.".into(),
            ),
        },
        (Method::POST, ["git-upload-pack"]) => speak(&call, &access.folder, "upload-pack", &body),
        (Method::POST, ["git-receive-pack"]) => receive(tenant, &call, &access.folder, &body),
        _ => text(
            StatusCode::NOT_FOUND,
            "This is no address of a git repository.".into(),
        ),
    }
}

/// The references, with the announcement that the protocol puts before them.
fn advertise(call: &Call, folder: &Path, name: &str) -> Response {
    let service = name.trim_start_matches("git-");
    let output = run(call, folder, service, &["--http-backend-info-refs"], &[]);
    let Ok(output) = output else { return no_git() };
    let mut body = packet(format!("# service={name}\n").as_bytes());
    body.extend_from_slice(b"0000");
    body.extend(output);
    typed(&format!("application/x-{name}-advertisement"), body)
}

fn speak(call: &Call, folder: &Path, service: &str, body: &[u8]) -> Response {
    match run(call, folder, service, &[], body) {
        Ok(output) => typed(&format!("application/x-git-{service}-result"), output),
        Err(_) => no_git(),
    }
}

/// A push: what the organisation does not allow is refused before `git` sees it, and what was
/// pushed is taken note of afterwards, which queues builds and updates pull requests.
fn receive(tenant: &Tenant, call: &Call, folder: &Path, body: &[u8]) -> Response {
    let push = Push::read(body);
    let repositories = tenant.repositories();
    let moves: Vec<(String, bool)> = push
        .moves
        .iter()
        .map(|it| (it.name.clone(), it.creates))
        .collect();
    let refused = tenant
        .store()
        .write(|tx| azure_devops::refused_pushes(call, tx, &repositories, &moves));
    match refused {
        Ok(Ok(refused)) if refused.is_empty() => {}
        Ok(Ok(refused)) => {
            let result = "application/x-git-receive-pack-result";
            return typed(result, push.refusal(&refused));
        }
        Ok(Err(response)) => return response,
        Err(error) => return text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
    let response = speak(call, folder, "receive-pack", body);
    let noted = tenant
        .store()
        .write(|tx| azure_devops::repository_access(call, tx, &repositories));
    match noted {
        // A push that is not noted now is noted at the next request.
        Ok(_) | Err(_) => response,
    }
}

/// Runs one of git's services on a repository.
fn run(
    call: &Call,
    folder: &Path,
    service: &str,
    more: &[&str],
    input: &[u8],
) -> std::io::Result<Vec<u8>> {
    let mut command = Command::new("git");
    command
        .arg(service)
        .arg("--stateless-rpc")
        .args(more)
        .arg(folder)
        .env_remove("GIT_DIR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if let Some(protocol) = call.header("git-protocol") {
        command.env("GIT_PROTOCOL", protocol);
    }
    let mut child = command.spawn()?;
    let mut stdin = child.stdin.take();
    let mut output = Vec::new();
    thread::scope(|scope| {
        scope.spawn(move || {
            // A service that has heard enough closes its end.
            if let Some(stdin) = stdin.as_mut() {
                let _ = stdin.write_all(input);
            }
        });
        match child.stdout.take() {
            Some(mut stdout) => stdout.read_to_end(&mut output).map(|_| ()),
            None => Ok(()),
        }
    })?;
    child.wait()?;
    Ok(output)
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
    /// client's capabilities.
    fn read(mut body: &[u8]) -> Self {
        let mut push = Self::default();
        while let Some((line, rest)) = next_packet(body) {
            body = rest;
            let (command, capabilities) = match line.iter().position(|byte| *byte == 0) {
                Some(end) => (&line[..end], &line[end + 1..]),
                None => (line, &[][..]),
            };
            if !capabilities.is_empty() {
                push.capabilities = String::from_utf8_lossy(capabilities).into_owned();
            }
            let mut parts = command.splitn(3, |byte| *byte == b' ');
            if let (Some(old), Some(_new), Some(name)) = (parts.next(), parts.next(), parts.next())
            {
                let name = String::from_utf8_lossy(name).trim_end().to_owned();
                push.moves.push(Move {
                    name,
                    creates: old == NO_COMMIT,
                });
            }
        }
        push
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
fn plain(request: &Request) -> std::io::Result<Vec<u8>> {
    let gzip = request
        .headers
        .get("content-encoding")
        .is_some_and(|it| it == "gzip");
    if !gzip {
        return Ok(request.body.clone());
    }
    let mut plain = Vec::new();
    let limit = super::LARGEST as u64;
    GzDecoder::new(request.body.as_slice())
        .take(limit)
        .read_to_end(&mut plain)?;
    Ok(plain)
}

fn typed(kind: &str, body: Vec<u8>) -> Response {
    let mut response = Response::new(StatusCode::OK);
    if let Ok(kind) = HeaderValue::from_str(kind) {
        response.headers.insert("content-type", kind);
    }
    response
        .headers
        .insert("cache-control", HeaderValue::from_static("no-cache"));
    response.body = body;
    response
}

fn text(status: StatusCode, message: String) -> Response {
    let mut response = Response::new(status);
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers.insert("content-type", kind);
    response.body = message.into_bytes();
    response
}

fn no_git() -> Response {
    text(
        StatusCode::NOT_IMPLEMENTED,
        "The emulated tenant serves git only where the git program is installed.".into(),
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
        let push = Push::read(&body);
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
}
