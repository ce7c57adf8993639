//! Frames of the socket.

use serde::de::IgnoredAny;
use tidings_domain::{
    event::{Event, Metadata},
    id::EventId,
    live::{ClientFrame, ResetReason, Resume, ServerFrame},
    time::Timestamp,
};
use uuid::Uuid;

use super::{FromJson, Json, ToJson};

impl FromJson for ServerFrame {
    fn read(json: &Json) -> Option<Self> {
        Some(match json.field::<String>("t")?.as_str() {
            "welcome" => Self::Welcome {
                epoch: json.field("epoch")?,
                head: json.field("head")?,
                server_time: json.field("server_time")?,
                heartbeat_ms: json.field("heartbeat_ms")?,
            },
            "events" => Self::Events {
                from: json.field("from")?,
                to: json.field("to")?,
                items: json.field("items")?,
            },
            "live" => Self::Live {
                cursor: json.field("cursor")?,
            },
            "tabs" => Self::Tabs {
                count: json.field("count")?,
            },
            "unread" => Self::Unread {
                count: json.field("count")?,
            },
            "reset" => Self::Reset {
                reason: json.field("reason")?,
            },
            "snapshot" => Self::Snapshot {
                cursor: json.field("cursor")?,
                items: json.field("items")?,
                last: json.field("last")?,
            },
            "ping" => Self::Ping,
            "pong" => Self::Pong,
            _ => return None,
        })
    }
}

/// With what a tab asks for alone: what happened to which task, by which mutation.
impl FromJson for Event<IgnoredAny> {
    fn read(json: &Json) -> Option<Self> {
        Some(Self {
            event_id: EventId(Uuid::nil()),
            event_type: json.field("event_type")?,
            version: String::new(),
            timestamp: Timestamp::default(),
            user_id: None,
            task_id: json.field("task_id")?,
            seq: json.field("seq")?,
            task_data: json.field("task_data")?,
            data: IgnoredAny,
            metadata: Metadata {
                mutation_id: json.get("metadata").field("mutation_id")?,
                ..Metadata::default()
            },
        })
    }
}

impl FromJson for ResetReason {
    fn read(json: &Json) -> Option<Self> {
        match String::read(json)?.as_str() {
            "new" => Some(Self::New),
            "epoch" => Some(Self::Epoch),
            "ahead" => Some(Self::Ahead),
            "too_many" => Some(Self::TooMany),
            _ => None,
        }
    }
}

impl ToJson for ClientFrame {
    fn write(&self) -> Json {
        match self {
            Self::Hello {
                client_id,
                tab_id,
                resume,
                tabs,
                unread,
            } => Json::object(&[
                ("t", "hello".write()),
                ("client_id", client_id.write()),
                ("tab_id", tab_id.write()),
                ("resume", resume.write()),
                ("tabs", tabs.write()),
                ("unread", unread.write()),
            ]),
            Self::Sync { cursor } => {
                Json::object(&[("t", "sync".write()), ("cursor", cursor.write())])
            }
            Self::Ping => Json::object(&[("t", "ping".write())]),
            Self::Pong => Json::object(&[("t", "pong".write())]),
        }
    }
}

impl ToJson for Resume {
    fn write(&self) -> Json {
        Json::object(&[
            ("epoch", self.epoch.write()),
            ("cursor", self.cursor.write()),
        ])
    }
}
