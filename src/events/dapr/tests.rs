use std::{
    collections::HashSet,
    sync::{Mutex, atomic::AtomicU16},
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use tidings_domain::id::UserId;
use tokio::{net::TcpListener, task::JoinHandle};
use uuid::Uuid;

use super::*;

/// A sidecar that takes events, but for those that it is told not to.
#[derive(Default)]
struct Sidecar {
    /// What it answers; 0: as it should.
    status: AtomicU16,
    /// Ids of events that fail.
    stuck: Mutex<HashSet<String>>,
    /// Calls: where to, and which events.
    calls: Mutex<Vec<(String, Vec<Value>)>>,
}

impl Sidecar {
    fn answer(&self, uri: &Uri, events: Vec<Value>) -> Response {
        let status = self.status.load(Ordering::SeqCst);
        let stuck = self.stuck.lock().unwrap();
        let failed = events
            .iter()
            .filter(|e| stuck.contains(e["id"].as_str().unwrap()));
        let failed: Vec<_> = failed.map(|e| e["id"].clone()).collect();
        let everything = failed.len() == events.len();
        self.calls.lock().unwrap().push((uri.to_string(), events));
        if let Ok(status) = StatusCode::from_u16(status) {
            return status.into_response();
        }
        if failed.is_empty() {
            return StatusCode::NO_CONTENT.into_response();
        }
        // The id of an entry is its row's, which is the event's here.
        let entry = |id: &Value| {
            let row = id.as_str().unwrap().parse::<Uuid>().unwrap().as_u128();
            json!({ "entryId": row.to_string(), "error": "stuck" })
        };
        let failed: Vec<_> = failed.iter().map(entry).collect();
        let body = Json(json!({ "failedEntries": failed }));
        let status = if everything {
            StatusCode::CONFLICT
        } else {
            StatusCode::INTERNAL_SERVER_ERROR
        };
        (status, body).into_response()
    }
}

async fn one(State(sidecar): State<Arc<Sidecar>>, uri: Uri, body: String) -> Response {
    sidecar.answer(&uri, vec![serde_json::from_str(&body).unwrap()])
}

async fn bulk(
    State(sidecar): State<Arc<Sidecar>>,
    Path(_): Path<(String, String)>,
    uri: Uri,
    Json(entries): Json<Vec<Value>>,
) -> Response {
    let events = entries.into_iter().map(|mut entry| entry["event"].take());
    sidecar.answer(&uri, events.collect())
}

struct Bench {
    sidecar: Arc<Sidecar>,
    standing: Arc<Standing>,
    transport: Dapr,
    serving: JoinHandle<()>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Bench {
    async fn new() -> Self {
        let sidecar = Arc::new(Sidecar::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let settings = Settings {
            host: "127.0.0.1".into(),
            port: listener.local_addr().unwrap().port(),
            ..Settings::default()
        };
        let router = Router::new()
            .route("/v1.0/publish/{component}/{topic}", post(one))
            .route("/v1.0/publish/bulk/{component}/{topic}", post(bulk))
            .with_state(sidecar.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let standing = Arc::new(Standing::default());
        let client = Client::new(&settings).unwrap();
        let public_url = "https://tidings.example".parse().unwrap();
        Self {
            sidecar,
            transport: Dapr::new(client, &settings, Some(&public_url), standing.clone()),
            standing,
            serving,
        }
    }

    fn answer(&self, status: u16) {
        self.sidecar.status.store(status, Ordering::SeqCst);
    }

    fn calls(&self) -> Vec<(String, usize)> {
        let calls = std::mem::take(&mut *self.sidecar.calls.lock().unwrap());
        calls
            .into_iter()
            .map(|(uri, events)| (uri, events.len()))
            .collect()
    }
}

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn row(id: u128) -> OutboxRow {
    let json = json!({ "event_id": Uuid::from_u128(id), "version": "1.0",
        "metadata": { "traceparent": TRACE } });
    OutboxRow {
        id: id as i64,
        topic: Topic::TaskEvents,
        user_id: Some(UserId(Uuid::from_u128(id))),
        event_id: EventId(Uuid::from_u128(id)),
        event_type: "task.created".into(),
        subject: "subject".into(),
        timestamp: Timestamp(0),
        json: json.to_string().into(),
        attempts: 0,
    }
}

fn rows(ids: std::ops::Range<u128>) -> Vec<OutboxRow> {
    ids.map(row).collect()
}

#[tokio::test]
async fn a_row_becomes_a_cloud_event_for_the_component_of_its_topic() {
    let bench = Bench::new().await;
    let rows = rows(7..8);
    for topic in [Topic::TaskEvents, Topic::TaskUpdates] {
        let published = bench.transport.publish(topic, &rows).await;
        assert_eq!(published, [Published::Taken]);
    }
    let calls = bench.sidecar.calls.lock().unwrap();
    let user = Uuid::from_u128(7);
    let key = format!("?metadata.partitionKey={user}");
    assert_eq!(
        calls[0].0,
        format!("/v1.0/publish/todo-pubsub/task-events{key}")
    );
    assert_eq!(
        calls[1].0,
        format!("/v1.0/publish/todo-broadcast/task-updates{key}")
    );
    let expected = json!({
        "specversion": "1.0", "id": user, "source": "/tidings", "type": "task.created",
        "subject": "subject", "time": "1970-01-01T00:00:00.000Z",
        "datacontenttype": "application/json", "traceparent": TRACE, "traceid": TRACE,
        "dataschema": "https://tidings.example/schemas/task.created/1.0.json",
        "topic": "task-events", "pubsubname": "todo-pubsub",
        "data": { "event_id": user, "version": "1.0", "metadata": { "traceparent": TRACE } },
    });
    assert_eq!(calls[0].1, [expected]);
}

#[tokio::test]
async fn many_go_in_one_call_and_each_has_its_own_end() {
    let bench = Bench::new().await;
    let mut rows = rows(1..251);
    rows[3].json = "no event".into();
    let stuck = Uuid::from_u128(9).to_string();
    bench.sidecar.stuck.lock().unwrap().insert(stuck);
    let published = bench.transport.publish(Topic::TaskEvents, &rows).await;
    assert_eq!(published.len(), 250);
    assert!(matches!(published[3], Published::Unfit(_)));
    assert_eq!(published[8], Published::Passing("stuck".into()));
    let taken = published.iter().filter(|p| **p == Published::Taken);
    assert_eq!(taken.count(), 248);
    let mut sizes: Vec<_> = bench.calls().into_iter().map(|(_, size)| size).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [49, 100, 100]);
    // What failed before goes alone.
    rows.truncate(3);
    rows[1].attempts = ALONE_AFTER + 1;
    bench.transport.publish(Topic::TaskEvents, &rows).await;
    assert_eq!(bench.calls().len(), 3);
}

#[tokio::test]
async fn a_refused_topic_pauses_and_others_do_not() {
    for status in [400, 401, 403, 404] {
        let bench = Bench::new().await;
        bench.answer(status);
        let published = bench
            .transport
            .publish(Topic::TaskEvents, &rows(1..4))
            .await;
        assert!(published.iter().all(|p| matches!(p, Published::Refused(_))));
        assert_eq!(bench.calls().len(), 1);
        bench.answer(0);
        let published = bench
            .transport
            .publish(Topic::TaskEvents, &rows(1..4))
            .await;
        assert!(published.iter().all(|p| matches!(p, Published::Refused(_))));
        assert!(bench.calls().is_empty(), "it pauses");
        assert!(bench.standing.report().paused["task-events"].contains(&status.to_string()));
        let published = bench
            .transport
            .publish(Topic::UserEvents, &rows(1..4))
            .await;
        assert!(published.iter().all(|p| *p == Published::Taken));
    }
}

#[tokio::test]
async fn a_topic_that_takes_nothing_is_told_of_and_is_tried() {
    let bench = Bench::new().await;
    bench.standing.found();
    for ids in [1..2, 1..4] {
        let rows = rows(ids);
        let stuck = rows.iter().map(|row| row.event_id.0.to_string());
        bench.sidecar.stuck.lock().unwrap().extend(stuck);
        for _ in 0..2 {
            let published = bench.transport.publish(Topic::TaskEvents, &rows).await;
            assert!(published.iter().all(|p| matches!(p, Published::Passing(_))));
            let failing = bench.standing.report().failing;
            assert_eq!(Vec::from_iter(failing.keys()), [&"task-events"]);
        }
        bench.sidecar.stuck.lock().unwrap().clear();
        bench.transport.publish(Topic::TaskEvents, &rows).await;
        assert!(bench.standing.report().is_fine());
    }
}

#[tokio::test]
async fn only_what_is_too_large_alone_can_never_be_taken() {
    let bench = Bench::new().await;
    bench.answer(413);
    let published = bench
        .transport
        .publish(Topic::TaskEvents, &rows(1..3))
        .await;
    assert!(published.iter().all(|p| matches!(p, Published::Unfit(_))));
    let sizes: Vec<_> = bench.calls().into_iter().map(|(_, size)| size).collect();
    assert_eq!(sizes, [2, 1, 1]);
}

#[tokio::test]
async fn where_the_sidecar_is_gone_the_rest_is_not_tried() {
    let bench = Bench::new().await;
    bench.standing.found();
    assert!(bench.transport.is_open());
    bench.serving.abort();
    while !bench.serving.is_finished() {
        tokio::task::yield_now().await;
    }
    let published = bench
        .transport
        .publish(Topic::TaskEvents, &rows(1..1001))
        .await;
    assert!(matches!(published[0], Published::Passing(_)));
    assert_eq!(published[999], Published::Untried);
    assert!(!bench.transport.is_open());
    assert!(bench.standing.report().sidecar.is_some());
}
