//! The listener that the sidecar reaches, without a sidecar: what it is told, and what it delivers.

use serde_json::{Value, json};
use tidings::dapr::Token;
use uuid::Uuid;

use crate::kit::{Person, TestApp};

/// A CloudEvent as a sidecar delivers it.
fn cloud_event(topic: &str, data: Value) -> Value {
    json!({ "specversion": "1.0", "id": data["event_id"], "source": "/tidings",
        "type": data["event_type"], "topic": topic, "pubsubname": "todo-pubsub",
        "datacontenttype": "application/json", "traceid": "", "data": data })
}

fn event(version: &str) -> Value {
    json!({ "event_id": Uuid::now_v7(), "event_type": "user.registered", "version": version,
        "timestamp": "2026-12-10T13:30:00.000Z", "user_id": Uuid::now_v7(), "seq": null,
        "data": {}, "metadata": {} })
}

async fn deliver(sidecar: &Person, topic: &str, event: Value) -> String {
    let path = format!("/events/{topic}");
    let answer = sidecar.post(&path, cloud_event(topic, event)).await;
    answer.expect(200)["status"].as_str().unwrap().to_owned()
}

async fn audited(app: &TestApp, event: &Value) -> i64 {
    let rows = "SELECT count(*) FROM audit WHERE event_id = ?1";
    sqlx::query_scalar(rows)
        .bind(event["event_id"].as_str().unwrap())
        .fetch_one(&mut app.database().await)
        .await
        .unwrap()
}

async fn metric(app: &TestApp, line: &str) -> String {
    let text = app.sidecar().get("/metrics").await.text;
    let found = text.lines().find_map(|l| l.strip_prefix(line));
    found
        .unwrap_or_else(|| panic!("no {line} in {text}"))
        .trim()
        .to_owned()
}

#[tokio::test]
async fn it_is_told_what_to_subscribe_to() {
    let app = TestApp::new().await;
    let told = app.sidecar().get("/dapr/subscribe").await.expect(200);
    let told = told.as_array().unwrap();
    let topics: Vec<_> = told.iter().map(|s| s["topic"].as_str().unwrap()).collect();
    for topic in ["task-events", "user-events", "audit-logs"] {
        assert!(topics.contains(&topic) && topics.contains(&&*format!("{topic}.dlq")));
    }
    let live = told.iter().find(|s| s["topic"] == "task-updates").unwrap();
    assert_eq!(live["pubsubname"], "todo-broadcast");
    assert!(live["deadLetterTopic"].is_null());

    let app = TestApp::with(|config| config.roles = "web,live".parse().unwrap()).await;
    let told = app.sidecar().get("/dapr/subscribe").await.expect(200);
    assert_eq!(told.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_delivery_has_its_effect_once_however_often_it_comes() {
    let app = TestApp::new().await;
    let sidecar = app.sidecar();
    let events = [event("1.0"), event("1.7"), event("1.0")];
    for round in 0..3 {
        for n in 0..events.len() {
            let event = events[(n + round) % events.len()].clone();
            assert_eq!(deliver(&sidecar, "user-events", event).await, "SUCCESS");
        }
    }
    for event in &events {
        assert_eq!(audited(&app, event).await, 1);
    }
    let line = "tidings_events_consumed_total{consumer=\"audit\",outcome=\"success\"}";
    assert_eq!(metric(&app, line).await, "9");
}

#[tokio::test]
async fn what_can_never_be_handled_is_dropped_and_its_dead_letter_knows_why() {
    let app = TestApp::new().await;
    let sidecar = app.sidecar();
    let future = event("2.0");
    assert_eq!(
        deliver(&sidecar, "user-events", future.clone()).await,
        "DROP"
    );
    assert_eq!(audited(&app, &future).await, 0);
    let strange = json!({ "event_id": "7", "event_type": 7 });
    assert_eq!(
        deliver(&sidecar, "task-events", strange.clone()).await,
        "DROP"
    );
    let malformed = sidecar
        .send("POST", "/events/task-events", &[], "{".into())
        .await;
    assert_eq!(malformed.expect(200)["status"], "DROP");
    sidecar
        .post("/events/nonsense", json!({}))
        .await
        .status(404);

    // As Dapr leaves the topic, and as it might be.
    for (topic, event) in [("user-events", &future), ("task-events.dlq", &strange)] {
        for _ in 0..2 {
            let letter = cloud_event(topic, event.clone());
            let answer = sidecar.post("/events/dead-letter", letter).await;
            assert_eq!(answer.expect(200)["status"], "SUCCESS");
        }
    }
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT topic, error, payload->>'$.data.event_id' FROM dead_letters ORDER BY id",
    )
    .fetch_all(&mut app.database().await)
    .await
    .unwrap();
    assert_eq!(rows.len(), 2, "each once: {rows:?}");
    assert_eq!(
        (&*rows[0].0, &*rows[0].1),
        ("user-events", "unknown version 2.0")
    );
    assert_eq!(rows[0].2, future["event_id"].as_str().unwrap());
    assert!(rows[1].1.contains("no event"), "{rows:?}");
    assert_eq!(metric(&app, "tidings_dead_letters").await, "2");
}

#[tokio::test]
async fn a_fault_of_ours_is_tried_again() {
    let app = TestApp::new().await;
    let event = event("1.0");
    let mut database = app.database().await;
    sqlx::query("ALTER TABLE audit RENAME TO gone")
        .execute(&mut database)
        .await
        .unwrap();
    assert_eq!(
        deliver(&app.sidecar(), "user-events", event.clone()).await,
        "RETRY"
    );
    sqlx::query("ALTER TABLE gone RENAME TO audit")
        .execute(&mut database)
        .await
        .unwrap();
    assert_eq!(
        deliver(&app.sidecar(), "user-events", event.clone()).await,
        "SUCCESS"
    );
    assert_eq!(audited(&app, &event).await, 1);
}

#[tokio::test]
async fn only_who_shows_the_token_is_let_in() {
    let app = TestApp::with(|config| config.app_token = Token::new("s3cret")).await;
    let stranger = app.sidecar();
    let wrong = stranger.known_by("dapr-api-token", "s3cres");
    for person in [&stranger, &wrong] {
        for (method, path) in [
            ("GET", "/dapr/subscribe"),
            ("POST", "/events/task-events"),
            ("POST", "/events/dead-letter"),
            ("POST", "/reminder-cron"),
            ("GET", "/nothing"),
        ] {
            person
                .send(method, path, &[], "{}".into())
                .await
                .status(401);
        }
        person.get("/healthz").await.status(200);
        person.get("/metrics").await.status(200);
    }
    let right = stranger.known_by("dapr-api-token", "s3cret");
    assert_eq!(
        deliver(&right, "user-events", event("1.0")).await,
        "SUCCESS"
    );
    right.post("/reminder-cron", json!({})).await.status(200);
    right.get("/dapr/subscribe").await.status(200);
    right.get("/nothing").await.status(404);
    right.get("/reminder-cron").await.status(405);
}

#[tokio::test]
async fn bodies_are_bounded_and_its_routes_are_not_public() {
    let app = TestApp::new().await;
    let large = "x".repeat(1024 * 1024 + 1);
    let answer = app
        .sidecar()
        .send("POST", "/events/task-events", &[], large)
        .await;
    answer.status(413);
    for path in ["/dapr/subscribe", "/metrics"] {
        app.nobody().get(path).await.status(404);
    }
    app.sidecar().get("/readyz").await.status(404);
}

#[tokio::test]
async fn what_has_not_happened_yet_is_counted_as_nothing() {
    let app = TestApp::new().await;
    let published = "tidings_events_published_total{topic=\"reminders\",outcome=\"taken\"}";
    assert_eq!(metric(&app, published).await, "0");
    let consumed = "tidings_events_consumed_total{consumer=\"live\",outcome=\"success\"}";
    assert_eq!(metric(&app, consumed).await, "0");
    let plain = app.sidecar().get("/metrics").await;
    assert!(plain.header("content-type").starts_with("text/plain"));
    let newer = app
        .sidecar()
        .known_by("accept", "application/openmetrics-text;q=1,*/*;q=0.1");
    let newer = newer.get("/metrics").await.header("content-type");
    assert!(newer.starts_with("application/openmetrics-text"));
}

#[tokio::test]
async fn metrics_are_named_as_promised_and_hold_no_id() {
    let app = TestApp::new().await;
    let ann = app.person("ann").await;
    let id = Uuid::now_v7();
    ann.post("/api/tasks", json!({ "id": id, "title": "Milk" }))
        .await
        .status(201);
    ann.get(&format!("/api/tasks/{id}")).await.status(200);
    ann.get(&format!("/nowhere/{id}")).await.status(404);
    let waits = "tidings_outbox_pending{topic=\"task-events\"}";
    let deadline = std::time::Instant::now() + crate::live::tab::DEADLINE;
    while metric(&app, waits).await != "0" {
        assert!(std::time::Instant::now() < deadline);
    }
    let text = app.sidecar().get("/metrics").await.text;
    for name in [
        "tidings_events_published_total{topic=\"task-events\",outcome=\"taken\"} 1",
        "tidings_publish_seconds_count{topic=\"task-events\"}",
        "tidings_outbox_oldest_seconds{topic=\"task-events\"} 0",
        "tidings_outbox_dead 0",
        "tidings_consume_seconds_count{consumer=\"audit\"}",
        "tidings_delivery_seconds_count{consumer=\"live\"}",
        "tidings_dead_letters 0",
        "tidings_live_sockets 0",
        "tidings_live_wake_seconds_count",
        "http_requests_total{method=\"GET\",route=\"/api/tasks/{id}\",status=\"200\"} 1",
        "http_requests_total{method=\"GET\",route=\"none\",status=\"404\"} 1",
        "http_request_seconds_count{method=\"POST\",route=\"/api/tasks\"} 1",
    ] {
        assert!(text.contains(name), "no {name} in {text}");
    }
    assert!(!text.contains(&id.to_string()));
}
