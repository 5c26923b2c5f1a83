//! The connections of a served tenant: how many there are, how long each may keep something
//! waiting, and how they end.

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;

/// How many connections there are at a time; further ones wait to be accepted.
const MOST_CONNECTIONS: usize = 400;
/// How long the headers of a request may take, and how long a connection may wait for a request.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);
/// The largest headers of a request together with its address, in bytes: twice the longest
/// address that Dataverse takes.
const LARGEST_HEADERS: usize = 64 * 1024;
/// How many headers a request may have.
const MOST_HEADERS: usize = 100;
/// How long a client may take nothing of its answer.
const TAKEN_WITHIN: Duration = Duration::from_secs(30);
/// How long what is under way may go on after the server was told to end.
const END_WITHIN: Duration = Duration::from_secs(1);

type BoxError = Box<dyn Error + Send + Sync>;

/// Answers the requests that come to `listener` with `answer` until `stop` is done. What is being
/// answered then has a second left; nothing is waited for once `at_once` is done too.
///
/// # Errors
/// When the listener cannot be used.
pub(super) async fn serve<A, F, B>(
    listener: TcpListener,
    answer: A,
    stop: impl Future<Output = ()>,
    at_once: impl Future<Output = ()>,
) -> std::io::Result<()>
where
    A: Fn(http::Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = http::Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let (end, ending) = watch::channel(());
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let accept = async {
            // The semaphore is never closed.
            let place = places.clone().acquire_owned().await.ok();
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = &mut stop => break,
            accepted = accept => accepted,
        };
        // What has ended is let go, so that the set does not grow.
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, _)) => {
                let (answer, ending) = (answer.clone(), ending.clone());
                connections.spawn(async move {
                    connection(stream, answer, ending).await;
                    drop(place);
                });
            }
            // The system is short of something, such as open files, and will have it again.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    drop(listener);
    drop(end);
    let all_over = async { while connections.join_next().await.is_some() {} };
    tokio::select! {
        () = all_over => {}
        () = tokio::time::sleep(END_WITHIN) => {}
        () = at_once => {}
    }
    Ok(())
}

async fn connection<A, F, B>(stream: TcpStream, answer: A, mut ending: watch::Receiver<()>)
where
    A: Fn(http::Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = http::Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    // An answer that waits for more to send with it comes late; without this it comes all the same.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(TAKEN_WITHIN));
    let service = service_fn(move |request| {
        let answered = answer(request);
        async move { Ok::<_, Infallible>(answered.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_headers(MOST_HEADERS)
        .max_header_size(LARGEST_HEADERS)
        .max_buf_size(2 * LARGEST_HEADERS)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    tokio::pin!(connection);
    tokio::select! {
        // How a connection ends concerns its client only.
        _ = &mut connection => return,
        // The other end is dropped, not sent to, when the server ends.
        _ = ending.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}
