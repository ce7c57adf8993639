//! Connections: accepts them, speaks HTTP on them, and lets requests finish when the server stops.
//! `axum::serve` would do, but that it sets no limit on how long headers may take, on how many
//! connections there are, or on how long stopping may take.

use std::{
    convert::Infallible,
    io::{self, Cursor},
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::{Router, body::Body, http::Request};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, join},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use super::edge::Peer;

/// Connections open at once, those of sockets among them; more wait to be accepted.
const CONNECTIONS_MAX: usize = 16_384;
/// What a client that speaks HTTP/2 begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How long a client may take to say which HTTP it speaks, and then to send the head of a request;
/// idle connections close after it too.
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
    mut stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    stop: CancellationToken,
) {
    // hyper's own limit begins where it knows which HTTP it is.
    let Ok(Ok(opening)) = timeout(HEAD_WITHIN, opening(&mut stream)).await else {
        return;
    };
    let (rest, write) = stream.into_split();
    let stream = join(Cursor::new(opening).chain(rest), write);
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

/// Reads until it is clear whether the client speaks HTTP/2.
async fn opening(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut opening = Vec::with_capacity(PREFACE.len());
    while opening.len() < PREFACE.len() && PREFACE.starts_with(&opening) {
        let missing = (PREFACE.len() - opening.len()) as u64;
        if stream.take(missing).read_buf(&mut opening).await? == 0 {
            break;
        }
    }
    Ok(opening)
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

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncWriteExt, duplex},
        time::Instant,
    };

    use super::*;

    #[tokio::test]
    async fn what_a_client_speaks_shows_at_its_first_other_byte() {
        let request = b"POST / HTTP/1.1\r\nhost: x\r\n\r\n";
        let frames = [PREFACE, b"frames"].concat();
        for (sent, read) in [
            (&request[..], &request[..PREFACE.len()]),
            (b"G", b"G"),
            (b"PUT", b"PUT"),
            (&frames, PREFACE),
        ] {
            let (mut client, mut server) = duplex(64);
            client.write_all(sent).await.unwrap();
            assert_eq!(opening(&mut server).await.unwrap(), read);
        }
        let (mut client, mut server) = duplex(64);
        client.write_all(b"PRI").await.unwrap();
        drop(client);
        assert_eq!(opening(&mut server).await.unwrap(), b"PRI");
    }

    #[tokio::test]
    async fn a_client_that_never_says_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(listener, Router::new(), stop.clone()));
        for said in ["", "P", "PRI * HTTP/2.0\r\n\r\nSM\r\n"] {
            let mut client = TcpStream::connect(addr).await.unwrap();
            client.write_all(said.as_bytes()).await.unwrap();
            tokio::time::pause();
            let begun = Instant::now();
            let answer = client.read(&mut [0; 1]).await;
            assert!(answer.is_err() || answer.is_ok_and(|bytes| bytes == 0));
            let waited = begun.elapsed().as_secs_f64();
            assert!((HEAD_WITHIN.as_secs_f64() - waited).abs() < 1.0, "{said:?}");
            tokio::time::resume();
        }
        // Who goes on in time is served, however it comes.
        let mut client = TcpStream::connect(addr).await.unwrap();
        client.set_nodelay(true).unwrap();
        let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
        for part in [&PREFACE[..9], &PREFACE[9..], &settings] {
            client.write_all(part).await.unwrap();
            tokio::task::yield_now().await;
        }
        let mut frame = [0; 9];
        client.read_exact(&mut frame).await.unwrap();
        assert_eq!(frame[3], 4, "settings");
        drop(client);
        stop.cancel();
        serving.await.unwrap();
    }
}
