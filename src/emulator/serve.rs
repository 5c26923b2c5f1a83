//! The emulated tenant on loopback, for other people's clients: HTTP tools, SDKs, `git`.
//!
//! `http://127.0.0.1:PORT/<host>/…` is `https://<host>/…` of the tenant. Which requests are heard is
//! decided by their headers ([`admission`]), and who sent them too: only then is a body taken in
//! ([`body`]). Web API requests go to the tenant as they are; git's own protocol ([`git`]) is spoken
//! by the `git` program's services, while the organisation decides who may read what and which
//! branch a push may move.
//!
//! Only this file and its children are asynchronous (ARCHITECTURE, D7).

mod admission;
mod body;
mod connections;
mod git;

use std::convert::Infallible;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http_body_util::channel::Channel;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use tokio::sync::Semaphore;

use self::admission::refuse;
use self::body::{Intake, TakenBody};
use super::Tenant;
use crate::problem::Problem;
use crate::transport::{HeaderValue, Method, Request, Response, StatusCode, Url, delay_of};

/// The largest request that is taken, in bytes: twice the largest package that Dataverse takes.
const LARGEST: u64 = 256 * 1024 * 1024;
/// The largest request to sign in, whose sender nobody knows yet, in bytes.
const LARGEST_SIGN_IN: u64 = 64 * 1024;
/// How many requests are answered at a time. The tenant's database answers one after the other;
/// more would only hold their bodies.
const ANSWERED_AT_ONCE: u32 = 8;
/// How much of a request's body counts as one more request, in bytes: the largest is alone.
const COUNTS_AS_ONE: u64 = 8 * 1024 * 1024;
/// How many processes of git run at a time.
const GITS_AT_ONCE: usize = 4;
/// How many threads wait for the database or for git: enough for all that are counted above, and
/// for the sign-in of further requests.
const WAITING_THREADS: usize = 24;

/// A body that goes out: whole, or as git writes it.
type Outgoing = Either<Full<Bytes>, Channel<Bytes, Infallible>>;
/// An answer as it goes out.
type WebResponse = http::Response<Outgoing>;

/// A tenant that is about to be served: the port is taken, nothing is answered yet.
pub struct Server {
    tenant: Arc<Tenant>,
    listener: TcpListener,
    address: SocketAddr,
}

/// Why a tenant cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The port is taken, or may not be used.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Port {
        /// The port.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// The server stopped by itself.
    #[error("the server stopped: {0}")]
    Stopped(#[from] std::io::Error),
}

impl Problem for ServeError {
    fn code(&self) -> &'static str {
        match self {
            Self::Port { .. } => "ALM-X020",
            Self::Stopped(_) => "ALM-X021",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Port { .. } => Some("choose another port, or 0 for any that is free".into()),
            Self::Stopped(_) => None,
        }
    }
}

impl Server {
    /// Takes `port` on loopback; 0 takes any that is free.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn bind(tenant: Arc<Tenant>, port: u16) -> Result<Self, ServeError> {
        let listen = || -> std::io::Result<(TcpListener, SocketAddr)> {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) = listen().map_err(|source| ServeError::Port { port, source })?;
        Ok(Self {
            tenant,
            listener,
            address,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of a host of the tenant, for example of `dev.azure.com`.
    pub fn url_of(&self, host: &str) -> String {
        format!("http://{}/{host}", self.address)
    }

    /// Answers requests until `stop` is done; what is being answered then has a second left.
    ///
    /// # Errors
    /// When the server cannot be started or breaks.
    pub fn run(self, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        self.run_until(stop, std::future::pending())
    }

    /// Answers requests until Ctrl-C; a second one ends at once what is still being answered.
    ///
    /// # Errors
    /// Those of [`Server::run`].
    pub fn run_until_interrupted(self) -> Result<(), ServeError> {
        self.run_until(interrupted(), interrupted())
    }

    fn run_until(
        self,
        stop: impl Future<Output = ()>,
        at_once: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(WAITING_THREADS)
            .enable_all()
            .build()?;
        let served = Arc::new(Served {
            intake: Intake::new(self.tenant.folder().to_owned()),
            tenant: self.tenant,
            turns: Semaphore::new(ANSWERED_AT_ONCE as usize),
            gits: Semaphore::new(GITS_AT_ONCE),
        });
        let answer = move |request| answer(served.clone(), request);
        let done = runtime.block_on(connections::serve(self.listener, answer, stop, at_once));
        // A thread that waits for git or the database cannot be stopped; what it has not finished is
        // undone, as when the process is killed.
        runtime.shutdown_timeout(Duration::from_millis(100));
        Ok(done?)
    }
}

async fn interrupted() {
    // Without a handler there is nothing to wait for but the end of the process.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// What every request needs.
struct Served {
    tenant: Arc<Tenant>,
    intake: Intake,
    turns: Semaphore,
    gits: Semaphore,
}

async fn answer(served: Arc<Served>, request: http::Request<Incoming>) -> WebResponse {
    let (parts, body) = request.into_parts();
    let answered = match admission::admit(&parts) {
        Ok(url) => admitted(served, head(parts, url), body).await,
        Err(refusal) => Err(refusal),
    };
    match answered {
        Ok(answer) => answer,
        Err(refusal) => {
            let mut response = whole(refusal);
            // The rest of a refused body is not wanted.
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert("connection", close);
            response
        }
    }
}

/// The request without its body.
fn head(parts: Parts, url: Url) -> Request {
    let mut request = Request::new(parts.method, url);
    request.headers = parts.headers;
    request
}

async fn admitted(
    served: Arc<Served>,
    request: Request,
    body: Incoming,
) -> Result<WebResponse, Response> {
    let is_git = git::is_git(&request.url);
    let largest = if is_known(&served, &request).await? {
        if is_git {
            git::largest(&request)
        } else {
            LARGEST
        }
    } else if admission::is_sign_in(&request.url) && request.method == Method::POST {
        LARGEST_SIGN_IN
    } else {
        0
    };
    // Who is not known gets the service's own refusal, for which no service reads a body.
    let taken = match largest {
        0 => served.intake.nothing(),
        _ => served.intake.take(body, largest).await?,
    };
    let response = if is_git {
        git(served, request, taken).await
    } else {
        web_api(served, request, taken).await
    }?;
    if largest == 0 {
        let (mut parts, body) = response.into_parts();
        let close = HeaderValue::from_static("close");
        parts.headers.insert("connection", close);
        return Ok(WebResponse::from_parts(parts, body));
    }
    Ok(response)
}

/// Whether the tenant knows who sent a request, by its headers.
async fn is_known(served: &Arc<Served>, request: &Request) -> Result<bool, Response> {
    if !request.headers.contains_key(http::header::AUTHORIZATION) {
        return Ok(false);
    }
    let (served, request) = (served.clone(), request.clone());
    let call = blocking(move || served.tenant.introduce(request)).await?;
    call.map(|call| call.caller.is_some())
        .map_err(|error| refuse(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()))
}

async fn web_api(
    served: Arc<Served>,
    mut request: Request,
    body: TakenBody,
) -> Result<WebResponse, Response> {
    if git::encoding(&request).is_some() {
        let message = "Compressed bodies are not taken here.";
        return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let turns = u32::try_from(body.len() / COUNTS_AS_ONE).unwrap_or(ANSWERED_AT_ONCE);
    let turns = turns.clamp(1, ANSWERED_AT_ONCE);
    let for_answer = served.clone();
    let _turn = served.turns.acquire_many(turns).await;
    let response = blocking(move || {
        request.body = body.into_bytes()?;
        Ok(for_answer.tenant.answer_over_socket(request))
    })
    .await?;
    let mut response = response.map_err(|error: std::io::Error| {
        refuse(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())
    })?;
    tokio::time::sleep(delay_of(&mut response)).await;
    Ok(whole(response))
}

async fn git(
    served: Arc<Served>,
    request: Request,
    body: TakenBody,
) -> Result<WebResponse, Response> {
    let (told, answered) = tokio::sync::oneshot::channel();
    let for_answer = served.clone();
    let runtime = tokio::runtime::Handle::current();
    // The process goes on after the answer's first line was sent, and so does its place.
    tokio::spawn(async move {
        let _place = served.gits.acquire().await;
        let work = tokio::task::spawn_blocking(move || {
            git::answer(
                &for_answer.tenant,
                &for_answer.intake,
                request,
                body,
                |outgoing| {
                    // Whoever asked may be gone.
                    let _ = told.send(outgoing);
                },
                &runtime,
            );
        });
        // A panic drops `told`, which the request notices.
        let _ = work.await;
    });
    answered.await.map_err(|_| defect())
}

/// Does on a thread of its own what waits.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Response> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| defect())
}

/// The answer where this program has panicked. The request's transaction was undone.
fn defect() -> Response {
    let message =
        "The emulated tenant has a defect, and nothing was done. Please report the request.";
    refuse(StatusCode::INTERNAL_SERVER_ERROR, message)
}

fn whole(response: Response) -> WebResponse {
    web(
        response.status,
        response.headers,
        Either::Left(Full::from(response.body)),
    )
}

fn web(status: StatusCode, headers: crate::transport::HeaderMap, body: Outgoing) -> WebResponse {
    let mut answer = WebResponse::new(body);
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}
