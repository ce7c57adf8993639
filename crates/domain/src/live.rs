//! Frames of the socket, sub-protocol `tidings.v1`: JSON objects that name their kind in `t`.

use serde::{Deserialize, Serialize, de::IgnoredAny};
use uuid::Uuid;

use crate::{event::Event, id::ClientId, task::Task, time::Timestamp};

/// The sub-protocol that both sides name.
pub const PROTOCOL: &str = "tidings.v1";
/// Silence after which a client pings, in milliseconds.
pub const HEARTBEAT_MS: u32 = 25_000;
/// More missed events than this are answered with a snapshot.
pub const RESUME_MAX: i64 = 1_000;
/// Tasks in one frame of a snapshot.
pub const SNAPSHOT_CHUNK: usize = 500;

/// Why a socket closes.
pub mod close {
    /// A malformed or unknown frame.
    pub const MALFORMED: u16 = 4000;
    /// Not signed in any more.
    pub const SIGNED_OUT: u16 = 4001;
    /// Too many sockets, too many frames, or silence.
    pub const LIMIT: u16 = 4008;
    /// Too slow to take what it is sent.
    pub const SLOW: u16 = 4009;
    /// The server restarts.
    pub const RESTART: u16 = 1012;
}

/// Where a client was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// The database that the cursor belongs to.
    pub epoch: Uuid,
    /// The last seq that the client has.
    pub cursor: i64,
}

/// What a client sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum ClientFrame {
    /// The first frame.
    Hello {
        /// The browser profile.
        client_id: ClientId,
        /// The tab.
        tab_id: Uuid,
        /// Where to go on from, or nothing for a snapshot.
        resume: Option<Resume>,
        /// Whether it counts as a tab and is told how many there are.
        #[serde(default)]
        tabs: bool,
        /// Whether it is told how many notifications are unread.
        #[serde(default)]
        unread: bool,
    },
    /// Ask again from here.
    Sync {
        /// The last seq that the client has.
        cursor: i64,
    },
    /// Are you there.
    Ping,
    /// I am.
    Pong,
}

/// Why a snapshot follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetReason {
    /// The client had nothing.
    New,
    /// The client's cursor is of another database.
    Epoch,
    /// The client's cursor lies after the head.
    Ahead,
    /// Too much was missed.
    TooMany,
}

/// What a server sends. The server writes events as the raw JSON of the log; see its socket code.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The answer to a hello.
    Welcome {
        /// The database's own id.
        epoch: Uuid,
        /// The feed's last seq.
        head: i64,
        /// The server's clock.
        server_time: Timestamp,
        /// How often to ping.
        heartbeat_ms: u32,
    },
    /// Contiguous events.
    Events {
        /// The first seq.
        from: i64,
        /// The last seq.
        to: i64,
        /// In order.
        items: Vec<Event<IgnoredAny>>,
    },
    /// Caught up.
    Live {
        /// The last seq sent.
        cursor: i64,
    },
    /// How many tabs the person has, for who asked in the hello.
    Tabs {
        /// Tabs, this one among them.
        count: u32,
    },
    /// How many notifications are unread, for who asked in the hello.
    Unread {
        /// Those in the app.
        count: u32,
    },
    /// Forget everything; a snapshot follows.
    Reset {
        /// Why.
        reason: ResetReason,
    },
    /// Open tasks, a chunk of them.
    Snapshot {
        /// The seq that they stand at.
        cursor: i64,
        /// Up to [`SNAPSHOT_CHUNK`].
        items: Vec<Task>,
        /// Whether this is the last chunk.
        last: bool,
    },
    /// Are you there.
    Ping,
    /// I am.
    Pong,
}
