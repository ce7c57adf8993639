//! A tab's end of a socket.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest, http::HeaderValue},
};
use uuid::Uuid;

/// Whatever is promised must have come within this.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A tab's end of a socket.
pub(crate) struct Tab {
    pub(crate) ws: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) protocol: Option<String>,
}

/// What came.
#[derive(Debug)]
pub(crate) enum Came {
    Frame(Value),
    Closed(u16),
}

impl Tab {
    /// Opens a socket; the status where that is refused.
    pub(crate) async fn open(base: &str, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        Self::try_open(base, headers)
            .await
            .map_err(|error| match error {
                tungstenite::Error::Http(response) => response.status().as_u16(),
                error => panic!("{error}"),
            })
    }

    /// Opens a socket of a server that may not be there.
    pub(crate) async fn try_open(
        base: &str,
        headers: &[(&'static str, &str)],
    ) -> tungstenite::Result<Self> {
        let url = format!("{}/ws", base.replacen("http", "ws", 1));
        let mut request = url.into_client_request().unwrap();
        let protocol = HeaderValue::from_static("tidings.v1");
        request
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", protocol);
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (ws, response) = connect_async(request).await?;
        let protocol = response.headers().get("Sec-WebSocket-Protocol");
        Ok(Self {
            protocol: protocol.map(|p| p.to_str().unwrap().to_owned()),
            ws,
        })
    }

    pub(crate) async fn send(&mut self, frame: Value) {
        self.ws
            .send(Message::text(frame.to_string()))
            .await
            .unwrap();
    }

    /// Says hello and waits for the welcome.
    pub(crate) async fn hello(&mut self, resume: Value) -> Value {
        self.send(json!({
            "t": "hello", "client_id": Uuid::now_v7(), "tab_id": Uuid::now_v7(), "resume": resume,
        }))
        .await;
        let welcome = self.frame().await;
        assert_eq!(welcome["t"], "welcome");
        assert_eq!(welcome["heartbeat_ms"], 25_000);
        welcome
    }

    pub(crate) async fn next(&mut self) -> Came {
        let next = async {
            loop {
                match self.ws.next().await {
                    Some(Ok(Message::Text(text))) => {
                        return Came::Frame(serde_json::from_str(&text).unwrap());
                    }
                    Some(Ok(Message::Close(Some(close)))) => {
                        return Came::Closed(close.code.into());
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    other => panic!("{other:?}"),
                }
            }
        };
        tokio::time::timeout(DEADLINE, next).await.expect("in time")
    }

    pub(crate) async fn frame(&mut self) -> Value {
        match self.next().await {
            Came::Frame(frame) => frame,
            Came::Closed(code) => panic!("closed {code}"),
        }
    }

    /// Reads on until it is told that its person has so many tabs.
    pub(crate) async fn counts(&mut self, tabs: u32) {
        while self.frame().await != json!({ "t": "tabs", "count": tabs }) {}
    }

    /// The code that the server closes with, whatever it says before.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            if let Came::Closed(code) = self.next().await {
                return code;
            }
        }
    }

    /// Reads frames up to `live` and checks that events go on from `cursor`; their items.
    pub(crate) async fn events_until_live(&mut self, mut cursor: i64) -> Vec<Value> {
        let mut items = Vec::new();
        loop {
            let frame = self.frame().await;
            match frame["t"].as_str().unwrap() {
                "events" => {
                    items.extend(contiguous(&frame, &mut cursor));
                }
                "live" => {
                    assert_eq!(frame["cursor"], cursor);
                    return items;
                }
                other => panic!("{other}"),
            }
        }
    }

    /// Reads events up to `seq`.
    pub(crate) async fn events_to(&mut self, mut cursor: i64, seq: i64) -> Vec<Value> {
        let mut items = Vec::new();
        while cursor < seq {
            let frame = self.frame().await;
            if frame["t"] == "events" {
                items.extend(contiguous(&frame, &mut cursor));
            }
        }
        items
    }

    /// Reads a reset with its snapshot: the reason, the cursor, the tasks, the chunks' sizes.
    pub(crate) async fn snapshot(&mut self) -> (String, i64, Vec<Value>, Vec<usize>) {
        let reset = self.frame().await;
        assert_eq!(reset["t"], "reset");
        let reason = reset["reason"].as_str().unwrap().to_owned();
        let (mut tasks, mut sizes) = (Vec::new(), Vec::new());
        loop {
            let chunk = self.frame().await;
            assert_eq!(chunk["t"], "snapshot");
            let items = chunk["items"].as_array().unwrap();
            sizes.push(items.len());
            tasks.extend(items.iter().cloned());
            if chunk["last"].as_bool().unwrap() {
                return (reason, chunk["cursor"].as_i64().unwrap(), tasks, sizes);
            }
        }
    }
}

fn contiguous(frame: &Value, cursor: &mut i64) -> Vec<Value> {
    assert_eq!(frame["from"], *cursor + 1);
    let items = frame["items"].as_array().unwrap();
    for (item, seq) in items.iter().zip(*cursor + 1..) {
        assert_eq!(item["seq"], seq);
    }
    *cursor += items.len() as i64;
    assert_eq!(frame["to"], *cursor);
    items.clone()
}

/// The titles of tasks in events.
pub(crate) fn titles(items: &[Value]) -> Vec<&str> {
    items
        .iter()
        .map(|item| item["task_data"]["title"].as_str().unwrap())
        .collect()
}
