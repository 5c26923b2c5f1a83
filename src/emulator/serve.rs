//! The emulated tenant on loopback, for other people's clients: HTTP tools, SDKs, `git`.
//!
//! `http://127.0.0.1:PORT/<host>/…` is `https://<host>/…` of the tenant. Web API requests go to the
//! tenant as they are; git's own protocol ([`git`]) is spoken by the `git` program's services, while
//! the organisation decides who may read what and which branch a push may move.
//!
//! Only this file and its child are asynchronous (ARCHITECTURE, D7).

mod git;

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as WebRequest, State};
use axum::response::Response as WebResponse;

use super::Tenant;
use crate::problem::Problem;
use crate::transport::{Request, Response, Service, StatusCode, Url};

/// The largest request that is taken, in bytes: twice the largest package that Dataverse takes.
const LARGEST: usize = 256 * 1024 * 1024;

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

    /// Answers requests until `stop` is done; what is being answered then is answered to its end.
    ///
    /// # Errors
    /// When the server cannot be started or breaks.
    pub fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), ServeError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        let served = Served {
            tenant: self.tenant,
            address: self.address,
        };
        let router = Router::new().fallback(answer).with_state(served);
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(self.listener)?;
            axum::serve(listener, router)
                .with_graceful_shutdown(stop)
                .await?;
            Ok(())
        })
    }

    /// Answers requests until Ctrl-C.
    ///
    /// # Errors
    /// Those of [`Server::run`].
    pub fn run_until_interrupted(self) -> Result<(), ServeError> {
        self.run(async {
            // Without a handler there is nothing to wait for but the end of the process.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}

/// What every request needs.
#[derive(Clone)]
struct Served {
    tenant: Arc<Tenant>,
    address: SocketAddr,
}

async fn answer(State(served): State<Served>, request: WebRequest) -> WebResponse {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST).await else {
        return web(Response::new(StatusCode::PAYLOAD_TOO_LARGE));
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let Ok(url) = Url::parse(&format!("http://{}{path}", served.address)) else {
        return web(Response::new(StatusCode::BAD_REQUEST));
    };
    let mut request = Request::new(parts.method, url);
    request.headers = parts.headers;
    request.body = body.into();
    // The tenant waits for its database and `git` for its processes.
    let answered = tokio::task::spawn_blocking(move || {
        if git::is_git(&request.url) {
            git::answer(&served.tenant, request)
        } else {
            served.tenant.answer(request)
        }
    });
    match answered.await {
        Ok(response) => web(response),
        Err(_) => web(Response::new(StatusCode::INTERNAL_SERVER_ERROR)),
    }
}

fn web(response: Response) -> WebResponse {
    let mut answer = WebResponse::new(Body::from(response.body));
    *answer.status_mut() = response.status;
    *answer.headers_mut() = response.headers;
    answer
}
