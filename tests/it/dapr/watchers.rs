//! Who looks on from outside: a service of its own, and tabs that come back.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{get, post},
};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::kit::{Place, Process, until};
use crate::{kit::Person, live::tab::Tab};

/// What came: topic and event.
type Seen = Arc<Mutex<Vec<(String, Value)>>>;

/// Another service that subscribes to everything, under an app id and with a sidecar of its own.
pub(crate) struct Subscriber {
    seen: Seen,
    _serving: AbortOnDropHandle<()>,
    _sidecar: Process,
}

impl Subscriber {
    /// Starts one, and waits until it is subscribed.
    pub(crate) async fn start(place: &Place) -> Self {
        let seen = Seen::default();
        let router = Router::new()
            .route("/healthz", get(|| async {}))
            .route("/dapr/subscribe", get(|| async { Json(subscriptions()) }))
            .route("/events/{topic}", post(take))
            .with_state(seen.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        // One of those that the components are open to.
        let (sidecar, [http, ..]) = place.sidecar("subscriber", "tidings-analytics", port);
        let api = Person::at(&format!("http://127.0.0.1:{http}"));
        let wanted = subscriptions().as_array().unwrap().len();
        until("the subscriber is subscribed", async || {
            let told = api.try_get("/v1.0/metadata").await?;
            let told: Value = serde_json::from_str(&told.text).ok()?;
            (told["subscriptions"].as_array()?.len() == wanted).then_some(())
        })
        .await;
        Self {
            seen,
            _serving: AbortOnDropHandle::new(serving),
            _sidecar: sidecar,
        }
    }

    /// Waits until it has every event of these logs, and that the people came. Of the broadcast nobody
    /// is promised everything.
    pub(crate) async fn has(&self, logs: &[(String, Vec<Value>)]) {
        for (user, log) in logs {
            until("the subscriber has every event", async || {
                let mut seqs = self.seqs("task-events", user);
                seqs.sort_unstable();
                seqs.dedup();
                seqs.into_iter().eq(1..=log.len() as i64).then_some(())
            })
            .await;
            let seen = self.seen.lock().unwrap();
            let came = |(topic, event): &&(String, Value)| {
                topic == "user-events" && event["user_id"] == **user
            };
            assert!(seen.iter().any(|one| came(&one)));
        }
    }

    /// Holds what came by each topic to each person's order, whatever came again.
    pub(crate) fn had_it_in_order(&self, logs: &[(String, Vec<Value>)]) {
        for (user, _) in logs {
            for topic in ["task-events", "task-updates"] {
                let mut had = BTreeSet::new();
                for seq in self.seqs(topic, user) {
                    let head = had.last().copied().unwrap_or(0);
                    let is_new = had.insert(seq);
                    assert!(!is_new || seq > head, "{head} overtook {seq} in {topic}");
                }
                assert!(!had.is_empty());
            }
        }
    }

    /// As they came.
    fn seqs(&self, topic: &str, user: &str) -> Vec<i64> {
        let seen = self.seen.lock().unwrap();
        let of = seen
            .iter()
            .filter(|(t, event)| t == topic && event["user_id"] == user);
        of.map(|(_, event)| event["seq"].as_i64().unwrap())
            .collect()
    }
}

fn subscriptions() -> Value {
    let one = |pubsub: &str, topic: &str| json!({ "pubsubname": pubsub, "topic": topic, "route": format!("/events/{topic}") });
    json!([
        one("todo-pubsub", "task-events"),
        one("todo-pubsub", "user-events"),
        one("todo-broadcast", "task-updates"),
    ])
}

async fn take(
    State(seen): State<Seen>,
    Path(topic): Path<String>,
    Json(mut event): Json<Value>,
) -> Json<Value> {
    // What is no event of ours is nothing to it.
    if event["data"]["seq"].is_i64() || topic == "user-events" {
        seen.lock().unwrap().push((topic, event["data"].take()));
    }
    Json(json!({ "status": "SUCCESS" }))
}

/// A tab that comes back whenever its server does.
pub(crate) struct Follower {
    seen: Arc<Mutex<View>>,
    task: AbortOnDropHandle<()>,
}

/// What a tab has seen: everything after a place in the log.
#[derive(Default)]
struct View {
    from: Option<i64>,
    items: Vec<Value>,
}

impl View {
    fn cursor(&self) -> Option<i64> {
        Some(self.from? + self.items.len() as i64)
    }
}

impl Follower {
    /// Opens one, and waits until it is live.
    pub(crate) async fn start(base: &str, token: &str) -> Self {
        let seen = Arc::<Mutex<View>>::default();
        let task = tokio::spawn(follow(base.to_owned(), token.to_owned(), seen.clone()));
        until("the tab is live", async || {
            seen.lock().unwrap().cursor().map(|_| ())
        })
        .await;
        Self {
            seen,
            task: AbortOnDropHandle::new(task),
        }
    }

    /// Waits until it has seen all of a log, each event once and as the log has it.
    pub(crate) async fn has(&self, log: &[Value]) {
        until("the tab has seen it", async || {
            assert!(!self.task.is_finished(), "the tab is gone");
            let cursor = self.seen.lock().unwrap().cursor();
            (cursor >= Some(log.len() as i64)).then_some(())
        })
        .await;
        let seen = self.seen.lock().unwrap();
        let from = seen.from.unwrap() as usize;
        assert_eq!(seen.items, log[from..]);
    }
}

async fn follow(base: String, token: String, seen: Arc<Mutex<View>>) {
    let mut epoch = Value::Null;
    loop {
        // Not a wait for anything: how soon it comes back.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let Ok(mut tab) = Tab::try_open(&base, &[("Authorization", &token)]).await else {
            continue;
        };
        let cursor = seen.lock().unwrap().cursor();
        let resume = cursor.map(|cursor| json!({ "epoch": epoch, "cursor": cursor }));
        let hello = json!({ "t": "hello", "client_id": Uuid::now_v7(), "tab_id": Uuid::now_v7(), "resume": resume });
        // Where it is gone again, so is the next frame.
        let _ = tab.ws.send(Message::text(hello.to_string())).await;
        while let Some(Ok(message)) = tab.ws.next().await {
            let Message::Text(text) = message else {
                continue;
            };
            let mut frame: Value = serde_json::from_str(&text).unwrap();
            let mut seen = seen.lock().unwrap();
            match frame["t"].as_str().unwrap() {
                "welcome" => epoch = frame["epoch"].take(),
                "reset" => assert_eq!(seen.from, None, "{frame}"),
                "snapshot" => seen.from = frame["cursor"].as_i64(),
                "events" => {
                    assert_eq!(frame["from"].as_i64(), seen.cursor().map(|c| c + 1));
                    let items = frame["items"].as_array_mut().unwrap();
                    seen.items.append(items);
                }
                _ => {}
            }
        }
    }
}
