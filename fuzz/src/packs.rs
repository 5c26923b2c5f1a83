//! Packs that are pushed with git's own protocol to the served organisation.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use almscript::emulator::serve::Server;
use almscript::transport::Service;
use arbitrary::{Result, Unstructured};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use sha1::{Digest, Sha1};

use super::pushes::{beside, git_is_there, inspect, name, tip};
use super::requests::{HONEST, check};
use super::tenants::{ACCESS_TOKEN, Visit, with_tenant};

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(8);
/// Modes of entries, the usual ones and others.
const MODES: &[&str] = &[
    "100644", "40000", "120000", "160000", "100755", "100664", "0100644", "777", "",
];
/// Who made a commit, in ways that git does not take.
const ODD_PEOPLE: &[&str] = &[
    "M <m@x> 99999999999999999999 +0000",
    "M <m@x> 1 +9999999",
    "<> 0 +0000",
    "M m@x 1 +0000",
    "",
    "é\u{0} <m> 1 -0000",
];

/// A push is done or refused, however its objects are made; what is done is a repository that git
/// finds nothing wrong with, and that the organisation goes on to serve.
pub fn packs(data: &[u8]) {
    let mut u = Unstructured::new(data);
    if data.is_empty() || !git_is_there() {
        return;
    }
    with_tenant(|visit| {
        let tip = tip(visit);
        let Ok(body) = push(&mut u, &tip) else { return };
        let before = beside(visit);
        let status = serve(visit, &body);
        assert!(
            (200..500).contains(&status),
            "a push is answered with {status}"
        );
        inspect(&visit.tenant.folder().join(super::pushes::REPOSITORY));
        assert_eq!(
            beside(visit),
            before,
            "something lies beside the repository"
        );
        for honest in HONEST {
            let asked = String::from_utf8_lossy(honest);
            let request = visit.request(honest).expect("a request");
            check(&asked, &visit.tenant.answer(request));
        }
    });
}

/// Serves the tenant for one request and returns the status of the answer.
fn serve(visit: &Visit<'_>, body: &[u8]) -> u16 {
    let server = Server::bind(Arc::clone(visit.tenant), 0).expect("a free port");
    let address = server.address();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let stop = async { drop(stopped.await) };
            server.run(stop).expect("the server runs");
        });
        let answer = send(address, body);
        drop(stop);
        let answer = answer.expect("an answer");
        let line = String::from_utf8_lossy(&answer[..answer.len().min(12)]).into_owned();
        let status = line.split(' ').nth(1).and_then(|it| it.parse().ok());
        status.unwrap_or_else(|| panic!("{line:?} is no answer"))
    })
}

fn send(address: SocketAddr, body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let token = BASE64_STANDARD.encode(format!("x:{ACCESS_TOKEN}"));
    let head = format!(
        "POST /dev.azure.com/contoso/ALM/_git/apps/git-receive-pack HTTP/1.1\r\nHost: {address}\r\n\
         Authorization: Basic {token}\r\nContent-Type: application/x-git-receive-pack-request\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

/// The body of a push: commands, a flush, a pack.
fn push(u: &mut Unstructured<'_>, tip: &str) -> Result<Vec<u8>> {
    let mut pack = Pack::default();
    let blob = pack.add(3, &u.arbitrary::<[u8; 3]>()?);
    let mut tree = pack.tree(u, "100644", &blob)?;
    if u.arbitrary()? {
        tree = pack.tree(u, "40000", &tree)?;
    }
    let commit = pack.commit(u, &tree, tip)?;
    let mut body = Vec::new();
    for index in 0..u.int_in_range(1..=2u8)? {
        let new = u
            .choose(&[&commit, &commit, &commit, &tree, &blob])?
            .to_string();
        let reference = match u.int_in_range(0..=4u8)? {
            0 => name(u)?,
            1 => format!("refs/heads/{}", name(u)?),
            2 => "refs/tags/t".to_owned(),
            3 => "refs/heads/new".to_owned(),
            _ => "refs/heads/main".to_owned(),
        };
        let old = match (u.ratio(1, 5)?, reference.as_str()) {
            (true, _) => "1".repeat(40),
            (false, "refs/heads/main") => tip.to_owned(),
            (false, _) => "0".repeat(40),
        };
        let mut line = format!("{old} {new} {reference}").into_bytes();
        if index == 0 {
            line.extend(b"\0 report-status side-band-64k");
        }
        body.extend(format!("{:04x}", line.len() + 4).into_bytes());
        body.extend(line);
    }
    body.extend(b"0000");
    body.extend(pack.finish());
    if u.ratio(1, 8)? {
        let at = u.choose_index(body.len())?;
        body[at] ^= u.int_in_range(1..=255u8)?;
    }
    Ok(body)
}

/// A pack under construction.
#[derive(Default)]
struct Pack {
    objects: u32,
    data: Vec<u8>,
}

impl Pack {
    /// Adds an object of git's `kind` (1 is a commit, 2 a tree, 3 a blob) and returns its id.
    fn add(&mut self, kind: u8, content: &[u8]) -> String {
        let mut length = content.len();
        let mut byte = kind << 4 | (length & 15) as u8;
        length >>= 4;
        while length > 0 {
            self.data.push(byte | 128);
            byte = (length & 127) as u8;
            length >>= 7;
        }
        self.data.push(byte);
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(content).expect("memory");
        self.data.extend(zlib.finish().expect("memory"));
        self.objects += 1;
        let word = ["", "commit", "tree", "blob"][usize::from(kind)];
        let mut hash = Sha1::new();
        hash.update(format!("{word} {}\0", content.len()));
        hash.update(content);
        hash.finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Adds a tree whose entries are all `id`, mostly of this mode.
    fn tree(&mut self, u: &mut Unstructured<'_>, mode: &str, id: &str) -> Result<String> {
        let raw: Vec<u8> = (0..20)
            .map(|at| u8::from_str_radix(&id[2 * at..2 * at + 2], 16).unwrap_or_default())
            .collect();
        let mut content = Vec::new();
        for _ in 0..u.int_in_range(1..=3u8)? {
            let mode = match u.ratio(4, 5)? {
                true => mode,
                false => u.choose(MODES)?,
            };
            content.extend(mode.bytes());
            content.push(b' ');
            if u.ratio(1, 2)? {
                content.extend(*u.choose(&[b"a", b"b", b"c"])?);
            } else {
                content.extend(u.arbitrary::<[u8; 4]>()?.iter().filter(|byte| **byte != 0));
                content.extend(name(u)?.bytes().filter(|byte| *byte != 0));
            }
            content.push(0);
            content.extend(&raw);
        }
        Ok(self.add(2, &content))
    }

    fn commit(&mut self, u: &mut Unstructured<'_>, tree: &str, tip: &str) -> Result<String> {
        let who = match u.ratio(3, 4)? {
            true => "M <m@x> 1700000000 +0000",
            false => u.choose(ODD_PEOPLE)?,
        };
        let parent = match u.int_in_range(0..=3u8)? {
            0 => String::new(),
            1 => format!("parent {tree}\n"),
            _ => format!("parent {tip}\n"),
        };
        let message = *u.choose(&["Add\n", "", "\0", "\u{fffd}\n\n#1"])?;
        let text = format!("tree {tree}\n{parent}author {who}\ncommitter {who}\n\n{message}");
        Ok(self.add(1, text.as_bytes()))
    }

    fn finish(self) -> Vec<u8> {
        let mut pack = b"PACK\0\0\0\x02".to_vec();
        pack.extend(self.objects.to_be_bytes());
        pack.extend(self.data);
        let sum = Sha1::digest(&pack);
        pack.extend(sum);
        pack
    }
}
