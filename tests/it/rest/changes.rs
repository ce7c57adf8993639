//! Making tasks, and what every call refuses.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::kit::{Person, TestApp};

/// A task of this person's.
pub(super) async fn add(person: &Person, fields: Value) -> Value {
    person.post("/api/tasks", fields).await.expect(201)
}

pub(super) fn path(task: &Value) -> String {
    format!("/api/tasks/{}", task["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_new_task_is_answered_whole() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let id = Uuid::now_v7();
    let answer = ada
        .post(
            "/api/tasks",
            json!({
                "id": id, "title": "  Buy groceries ", "description": "Milk, eggs", "priority": "high",
                "tags": ["home", " home ", "food"], "due_date": "2026-12-10", "due_time": "15:00",
                "time_zone": "Europe/Berlin", "remind_at": "2026-12-10T14:30:00+01:00",
                "recurrence": "weekly"
            }),
        )
        .await;
    assert_eq!(answer.header("location"), format!("/api/tasks/{id}"));
    assert_eq!(answer.header("etag"), "\"1\"");
    assert_eq!(answer.header("tidings-seq"), "1");
    let task = answer.expect(201);
    assert_eq!(task["title"], "Buy groceries");
    assert_eq!(task["tags"], json!(["home", "food"]));
    assert_eq!(task["remind_at"], "2026-12-10T13:30:00.000Z");
    assert_eq!(
        task["recurrence"],
        json!({ "rule": "FREQ=WEEKLY", "from": "due" })
    );
    assert_eq!(task["series_id"], json!(id));
    assert_eq!(
        (&task["version"], &task["completed"]),
        (&json!(1), &json!(false))
    );
    for none in ["completed_at", "deleted_at"] {
        assert_eq!(task[none], Value::Null);
    }
    let read = ada.get(&path(&task)).await;
    assert_eq!(read.header("etag"), "\"1\"");
    assert_eq!(read.expect(200), task);
    ada.post("/api/tasks", json!({ "id": id, "title": "Again" }))
        .await
        .refused(409, "conflict", &[]);
    // Another person's task of that id is no conflict and shows nothing.
    let bob = app.person("Bob").await;
    let other = add(&bob, json!({ "id": id, "title": "Mine" })).await;
    assert_eq!(other["title"], "Mine");
    assert_eq!(ada.get(&path(&task)).await.expect(200), task);
}

#[tokio::test]
async fn a_new_task_goes_first_and_takes_its_defaults() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let first = add(&ada, json!({ "title": "First" })).await;
    let second = add(&ada, json!({ "title": "Second" })).await;
    assert!(second["position"].as_str() < first["position"].as_str());
    assert_eq!(first["priority"], "none");
    assert_eq!(first["tags"], json!([]));
    assert_eq!(first["time_zone"], "UTC");
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let id = "0198c0de-0000-4000-8000-000000000001";
    // Lengths count characters, not bytes.
    let exact = json!({ "title": "é".repeat(200), "description": "🦀".repeat(10_000),
        "tags": (0..20).map(|n| format!("{n:02}{}", "ß".repeat(38))).collect::<Vec<_>>() });
    add(&ada, exact).await;
    for (fields, named) in [
        (json!({}), "title"),
        (json!({ "title": " \n " }), "title"),
        (json!({ "title": null }), "title"),
        (json!({ "title": 7 }), "title"),
        (json!({ "title": "é".repeat(201) }), "title"),
        (json!({ "title": "a\u{0}b" }), "title"),
        (json!({ "title": "a\u{7}b" }), "title"),
        (
            json!({ "title": "x", "description": "🦀".repeat(10_001) }),
            "description",
        ),
        (json!({ "title": "x", "tags": ["ß".repeat(41)] }), "tags"),
        (json!({ "title": "x", "tags": [""] }), "tags"),
        (
            json!({ "title": "x", "tags": (0..21).map(|n| n.to_string()).collect::<Vec<_>>() }),
            "tags",
        ),
        (json!({ "title": "x", "priority": "huge" }), "priority"),
        (json!({ "title": "x", "completed": "yes" }), "completed"),
        (
            json!({ "title": "x", "due_date": "10.12.2026" }),
            "due_date",
        ),
        (
            json!({ "title": "x", "due_date": "2026-02-30" }),
            "due_date",
        ),
        (json!({ "title": "x", "due_time": "15:00" }), "due_time"),
        (
            json!({ "title": "x", "due_date": "2026-12-10", "due_time": "24:00" }),
            "due_time",
        ),
        (
            json!({ "title": "x", "time_zone": "Mars/Olympus" }),
            "time_zone",
        ),
        (
            json!({ "title": "x", "remind_at": "tomorrow" }),
            "remind_at",
        ),
        (
            json!({ "title": "x", "recurrence": "weekly" }),
            "recurrence",
        ),
        (
            json!({ "title": "x", "due_date": "2026-12-10", "recurrence": { "rule": "FREQ=HOURLY" } }),
            "recurrence",
        ),
        (json!({ "title": "x", "position": "ä" }), "position"),
        (json!({ "title": "x", "colour": "red" }), "colour"),
        (json!({ "title": "x", "version": 3 }), "version"),
        (
            json!({ "title": "x", "created_at": "2026-01-01T00:00:00Z" }),
            "created_at",
        ),
        (json!({ "title": "x", "id": id }), "id"),
        (json!({ "title": "x", "id": "seven" }), "id"),
    ] {
        ada.post("/api/tasks", fields.clone())
            .await
            .refused(422, "validation_failed", &[named]);
    }
    // All faults at once, and nothing was made.
    ada.post(
        "/api/tasks",
        json!({ "colour": 1, "priority": 2, "tags": 3 }),
    )
    .await
    .refused(422, "validation_failed", &["colour", "priority", "tags"]);
    let list = ada.get("/api/tasks").await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_body_is_a_json_object_of_a_type_that_is_read() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let send = async |kind: &str, body: &str| {
        let kind = [("content-type", kind)];
        ada.send("POST", "/api/tasks", &kind, body.into()).await
    };
    let json = "application/json";
    send(json, "{\"title\":")
        .await
        .refused(400, "malformed_json", &[]);
    send(json, "").await.refused(400, "malformed_json", &[]);
    send(json, "[]")
        .await
        .refused(422, "validation_failed", &[]);
    send("text/plain", "{\"title\":\"x\"}")
        .await
        .refused(415, "unsupported_media_type", &[]);
    send("application/json; charset=utf-8", "{\"title\":\"x\"}")
        .await
        .expect(201);
    let large = format!("{{\"title\":\"{}\"}}", "x".repeat(1024 * 1024));
    ada.send("POST", "/api/tasks", &[("content-type", json)], large)
        .await
        .refused(413, "payload_too_large", &[]);
}

#[tokio::test]
async fn what_is_not_ones_own_is_not_there() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let bob = app.person("Bob").await;
    let task = add(&ada, json!({ "title": "Ada's" })).await;
    let path = path(&task);
    let body = json!({ "title": "Bob's" }).to_string();
    let json = [("content-type", "application/json")];
    for (method, end, body) in [
        ("GET", "", ""),
        ("PUT", "", &*body),
        ("PATCH", "", &body),
        ("DELETE", "", ""),
        ("PATCH", "/complete", ""),
        ("POST", "/restore", ""),
        ("DELETE", "/permanently", ""),
        ("GET", "/history", ""),
    ] {
        let at = format!("{path}{end}");
        let answer = bob.send(method, &at, &json, body.to_owned()).await;
        answer.refused(404, "not_found", &[]);
        let bare = path.replace('-', "");
        let bare = bare.rsplit('/').next().unwrap();
        for id in ["42", bare, &"x".repeat(40)] {
            let at = format!("/api/tasks/{id}{end}");
            let answer = bob.send(method, &at, &json, body.to_owned()).await;
            answer.refused(404, "not_found", &[]);
        }
        let nobody = app.nobody();
        let answer = nobody.send(method, &at, &json, body.to_owned()).await;
        answer.refused(401, "unauthenticated", &[]);
    }
    assert_eq!(ada.get(&path).await.expect(200), task);
    assert_eq!(bob.get("/api/events").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_method_that_a_path_lacks_is_told() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    ada.delete("/api/tasks")
        .await
        .refused(405, "method_not_allowed", &[]);
    ada.post("/api/events", json!({}))
        .await
        .refused(405, "method_not_allowed", &[]);
    ada.get("/api/nothing").await.refused(404, "not_found", &[]);
}
