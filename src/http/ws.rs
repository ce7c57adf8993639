//! `GET /ws`: the socket that carries a person's events to a tab. From where one may be opened is
//! settled at the edge, by whom is settled here, both before the upgrade; the conversation itself is
//! in [`socket`].

mod access;
mod socket;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{
        State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::HeaderMap,
    response::Response,
    routing::get,
};
use tidings_domain::{
    error::{Code, Fault},
    live::{HEARTBEAT_MS, PROTOCOL},
};

use self::socket::Socket;
use crate::{clock::Ambient, error::Result, live::Hub, store::SharedStore};

/// What a client may send at once, in bytes.
const FRAME_IN_MAX: usize = 64 * 1024;
/// What is read at once at most. Past this the connection breaks; between the two limits the client
/// is told why.
const READ_MAX: usize = 4 * FRAME_IN_MAX;
/// What is read at once, in bytes; every open socket has a buffer of this size.
const READ_BUFFER: usize = 2 * 1024;

/// How patient sockets are.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Until the hello must have come.
    pub hello: Duration,
    /// From one look at the session to the next; three times that long a client may be silent.
    pub heartbeat: Duration,
    /// How long a client may take to accept one frame.
    pub write: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            hello: Duration::from_secs(5),
            heartbeat: Duration::from_millis(HEARTBEAT_MS.into()),
            write: Duration::from_secs(10),
        }
    }
}

/// What every socket needs.
pub struct Sockets {
    /// Wakes them.
    pub hub: Arc<Hub>,
    /// The log, snapshots and sessions.
    pub store: SharedStore,
    /// Time.
    pub ambient: Ambient,
    /// How patient they are.
    pub timing: Timing,
}

/// The route.
pub fn routes(sockets: Arc<Sockets>) -> Router {
    Router::new().route("/ws", get(open)).with_state(sockets)
}

async fn open(
    State(sockets): State<Arc<Sockets>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response> {
    let admitted = sockets.admit(&headers).await?;
    let (user, via) = admitted.ok_or(Code::Unauthenticated)?;
    let words = "This address is for WebSockets, version 13.";
    let upgrade = upgrade.map_err(|_| Fault::new(Code::ValidationFailed, words))?;
    // Taken now, so that a server that stops waits for a socket that is just being opened.
    let counted = sockets.hub.tasks().token();
    let response = upgrade
        .protocols([PROTOCOL])
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_frame_size(READ_MAX)
        .max_message_size(READ_MAX)
        .on_upgrade(move |ws| async move {
            Socket::new(ws, sockets, user, via).run().await;
            drop(counted);
        });
    Ok(response)
}
