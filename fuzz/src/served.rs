//! Bytes on a socket of the served tenant.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use almscript::emulator::Tenant;
use almscript::emulator::serve::Server;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::tenants::{ACCESS_TOKEN, definition};

/// In an input, where the server listens: the port is another one each time.
const HERE: &[u8] = b"@HERE@";
/// In an input, what somebody shows to git and to Azure DevOps whom the tenant knows.
const KNOWN: &[u8] = b"@KNOWN@";
/// How long the end of a connection may take: far longer than the server's own limits.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long an input is given before no more is sent. The server takes a client that says so for one
/// that is gone, so it is not said at once.
const PAUSE: Duration = Duration::from_millis(15);

/// Serves one tenant for as long as the process lives.
fn address() -> SocketAddr {
    static ADDRESS: OnceLock<SocketAddr> = OnceLock::new();
    *ADDRESS.get_or_init(|| {
        let home = tempfile::tempdir().expect("a folder").keep();
        let tenant = Tenant::create(&home, &definition()).expect("a tenant");
        let server = Server::bind(Arc::new(tenant), 0).expect("a port");
        let address = server.address();
        std::thread::spawn(move || server.run(std::future::pending()));
        address
    })
}

/// Whatever arrives on a connection, what comes back is HTTP and says whose fault it is; the
/// connection ends, and everybody else is still served.
pub fn served(data: &[u8]) {
    let address = address();
    let known = BASE64_STANDARD.encode(format!("maya:{ACCESS_TOKEN}"));
    let bytes = replaced(data, HERE, address.to_string().as_bytes());
    let bytes = replaced(&bytes, KNOWN, known.as_bytes());
    let answer = exchange(address, &bytes);
    check(&bytes, &answer);
    let honest = format!(
        "GET /dev.azure.com/contoso/_apis/projects HTTP/1.1\r\nHost: {address}\r\n\
         Authorization: Basic {known}\r\nConnection: close\r\n\r\n"
    );
    let answer = exchange(address, honest.as_bytes());
    let said = String::from_utf8_lossy(&answer);
    assert!(
        said.starts_with("HTTP/1.1 200"),
        "somebody else got: {said}"
    );
}

/// Sends everything, takes what is answered, says that no more comes, and takes the rest until the end.
fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    let _ = stream.set_write_timeout(Some(PATIENCE));
    // The server may close as soon as it has read enough to refuse it.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    // An honest request asks for the end of the connection, and is waited for.
    let honest = bytes.ends_with(b"Connection: close\r\n\r\n");
    if honest || !ends(&mut stream, &mut answer, PAUSE) {
        if !honest {
            let _ = stream.shutdown(Shutdown::Write);
        }
        let ended = ends(&mut stream, &mut answer, PATIENCE);
        let asked = String::from_utf8_lossy(bytes);
        assert!(ended, "no end after {PATIENCE:?}: {asked}");
    }
    answer
}

/// Reads until the connection ends, or nothing comes for so long.
fn ends(stream: &mut TcpStream, answer: &mut Vec<u8>, patience: Duration) -> bool {
    let _ = stream.set_read_timeout(Some(patience));
    let read = stream.take(1 << 22).read_to_end(answer);
    !read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

fn check(asked: &[u8], answer: &[u8]) {
    let said = String::from_utf8_lossy(answer);
    let is_http = answer.is_empty() || said.starts_with("HTTP/1.");
    assert!(is_http, "{}: {said}", String::from_utf8_lossy(asked));
    let status = said.split(' ').nth(1).unwrap_or_default();
    assert_ne!(status, "500", "{}: {said}", String::from_utf8_lossy(asked));
}

fn replaced(data: &[u8], mark: &[u8], by: &[u8]) -> Vec<u8> {
    let mut pieces = super::requests::split(data, mark);
    let mut whole = pieces.next().unwrap_or_default().to_vec();
    for piece in pieces {
        whole.extend_from_slice(by);
        whole.extend_from_slice(piece);
    }
    whole
}
