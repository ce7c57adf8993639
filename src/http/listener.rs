//! Connections: accepts them, speaks HTTP on them, and lets requests finish when the server stops.
//! `axum::serve` would do, but that it sets no limit on how long headers may take, on how many
//! connections there are, or on how long stopping may take.

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body, http::Request};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use super::edge::Peer;

/// Connections open at once, those of sockets among them; more wait to be accepted.
const CONNECTIONS_MAX: usize = 16_384;
/// How long a client may take to send the head of a request; idle connections close after it too.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// Bytes of a request's head.
const HEAD_MAX: usize = 64 * 1024;
/// Requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 100;
/// How long requests may go on after the server was told to stop.
const FINISH_WITHIN: Duration = Duration::from_secs(10);

/// Serves until `stop`, then until the requests under way are answered, for at most 10 s.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_MAX as u32)
        .keep_alive_interval(HEAD_WITHIN)
        // For sockets, should a browser open one over HTTP/2.
        .enable_connect_protocol();
    let builder = Arc::new(builder);
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let connections = TaskTracker::new();
    let late = CancellationToken::new();
    loop {
        let accepted = async {
            let room = room
                .clone()
                .acquire_owned()
                .await
                .map_err(io::Error::other)?;
            listener
                .accept()
                .await
                .map(|(stream, peer)| (stream, peer, room))
        };
        let (stream, peer, room) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accepted => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    pause(&error).await;
                    continue;
                }
            },
        };
        // Without this, an answer in several parts waits for the client's acknowledgements.
        let _ = stream.set_nodelay(true);
        let connection = talk(builder.clone(), stream, peer, router.clone(), stop.clone());
        let late = late.clone();
        connections.spawn(async move {
            tokio::select! {
                () = connection => {}
                () = late.cancelled() => {}
            }
            drop(room);
        });
    }
    drop(listener);
    connections.close();
    if timeout(FINISH_WITHIN, connections.wait()).await.is_err() {
        tracing::warn!("requests were cut off: they were not answered in time");
        late.cancel();
        connections.wait().await;
    }
}

async fn talk(
    builder: Arc<Builder<TokioExecutor>>,
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    stop: CancellationToken,
) {
    // hyper's own limit begins with the first byte.
    if timeout(HEAD_WITHIN, stream.readable()).await.is_err() {
        return;
    }
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        let answer = router.clone().oneshot(request);
        async move { answer.await.map_err(|never: Infallible| never) }
    });
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error, "a connection broke");
    }
}

/// A connection that broke while it was accepted is nobody's fault; anything else, such as too many
/// open files, may take a moment to pass.
async fn pause(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    ) {
        tracing::warn!(%error, "no connection could be accepted");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
