//! The same request again, under the same key.

use serde_json::{Value, json};
use uuid::Uuid;

use super::changes::{add, path};
use crate::kit::{Answer, Person, TestApp, on_each_database};

async fn keyed(person: &Person, key: &str, method: &str, path: &str, body: Value) -> Answer {
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", key),
    ];
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    person.send(method, path, &headers, body).await
}

on_each_database!(TestApp:
    a_retry_is_answered_as_the_first_time,
    every_change_of_a_task_can_be_tried_again,
    a_key_is_for_one_request,
    a_refusal_is_not_kept,
    doubles_at_once_do_one_thing,
    a_retry_outlives_what_it_made,
);

async fn a_retry_is_answered_as_the_first_time(app: TestApp) {
    let ada = app.person("Ada").await;
    let uuid = Uuid::now_v7().to_string();
    for key in ["order-7", &uuid, "a/b~c!"] {
        let fields = json!({ "title": key });
        let first = keyed(&ada, key, "POST", "/api/tasks", fields.clone()).await;
        // Later changes do not change the answer.
        let task: Value = serde_json::from_str(&first.text).unwrap();
        ada.patch(&path(&task), json!({ "title": "Changed" }))
            .await
            .expect(200);
        let again = keyed(&ada, key, "POST", "/api/tasks", fields).await;
        for name in ["location", "etag", "tidings-seq", "content-type"] {
            assert_eq!(first.header(name), again.header(name), "{name}");
        }
        assert_eq!(first.expect(201), again.expect(201));
    }
    let list = ada.get("/api/tasks").await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 3);
}

async fn every_change_of_a_task_can_be_tried_again(app: TestApp) {
    let ada = app.person("Ada").await;
    let again = json!({ "title": "A", "due_date": "2026-12-10", "recurrence": "daily" });
    let task = add(&ada, again).await;
    let path = path(&task);
    for (n, (method, end, body)) in [
        ("POST", "/skip", Value::Null),
        ("PATCH", "/complete", Value::Null),
        ("PUT", "", json!({ "title": "B" })),
        ("PATCH", "", json!({ "title": "C" })),
        ("DELETE", "", Value::Null),
        ("POST", "/restore", Value::Null),
        ("POST", "/restore", json!({ "version": 1 })),
        ("DELETE", "", Value::Null),
        ("DELETE", "/permanently", Value::Null),
    ]
    .into_iter()
    .enumerate()
    {
        let at = format!("{path}{end}");
        let key = format!("key-{n}");
        let first = keyed(&ada, &key, method, &at, body.clone()).await;
        let events = events_of(&ada, &task).await;
        let again = keyed(&ada, &key, method, &at, body).await;
        assert!(first.code < 300, "{method} {end}: {}", first.text);
        assert_eq!(first.code, again.code);
        assert_eq!(first.text, again.text);
        assert_eq!(first.header("tidings-seq"), again.header("tidings-seq"));
        assert_eq!(events_of(&ada, &task).await, events);
    }
}

/// How many events a task has: its successor comes by itself, whenever it does.
async fn events_of(person: &Person, task: &Value) -> usize {
    let events = person.get("/api/events").await.expect(200);
    let events = events["items"].as_array().unwrap().iter();
    events
        .filter(|event| event["task_id"] == task["id"])
        .count()
}

async fn a_key_is_for_one_request(app: TestApp) {
    let ada = app.person("Ada").await;
    let first = keyed(&ada, "k", "POST", "/api/tasks", json!({ "title": "A" })).await;
    let task = first.expect(201);
    let mismatch = |answer: Answer| answer.refused(422, "idempotency_mismatch", &[]);
    mismatch(keyed(&ada, "k", "POST", "/api/tasks", json!({ "title": "B" })).await);
    mismatch(keyed(&ada, "k", "PATCH", &path(&task), json!({ "title": "A" })).await);
    mismatch(keyed(&ada, "k", "DELETE", &path(&task), Value::Null).await);
    // Another person's key is another key.
    let bob = app.person("Bob").await;
    keyed(&bob, "k", "POST", "/api/tasks", json!({ "title": "B" }))
        .await
        .expect(201);
    for bad in ["", "two words", &"x".repeat(256)] {
        keyed(&ada, bad, "POST", "/api/tasks", json!({ "title": "C" }))
            .await
            .refused(422, "validation_failed", &["Idempotency-Key"]);
    }
    keyed(
        &ada,
        &"x".repeat(255),
        "POST",
        "/api/tasks",
        json!({ "title": "C" }),
    )
    .await
    .expect(201);
}

async fn a_refusal_is_not_kept(app: TestApp) {
    let ada = app.person("Ada").await;
    let id = Uuid::now_v7();
    let at = format!("/api/tasks/{id}");
    let edit = || keyed(&ada, "k", "PATCH", &at, json!({ "title": "B" }));
    edit().await.refused(404, "not_found", &[]);
    add(&ada, json!({ "id": id, "title": "A" })).await;
    assert_eq!(edit().await.expect(200)["version"], 2);
    assert_eq!(edit().await.expect(200)["version"], 2);
}

async fn doubles_at_once_do_one_thing(app: TestApp) {
    let ada = app.person("Ada").await;
    let fields = json!({ "title": "Once" });
    let doubles = (0..16).map(|_| keyed(&ada, "k", "POST", "/api/tasks", fields.clone()));
    let answers = futures_util::future::join_all(doubles).await;
    let bodies: Vec<_> = answers.into_iter().map(|a| a.expect(201)).collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    assert_eq!(ada.get("/api/events").await.expect(200)["head"], 1);
}

async fn a_retry_outlives_what_it_made(app: TestApp) {
    let ada = app.person("Ada").await;
    let fields = json!({ "title": "A" });
    let first = keyed(&ada, "k", "POST", "/api/tasks", fields.clone()).await;
    let task = first.expect(201);
    ada.delete(&path(&task)).await.status(204);
    // In the trash, the answer is as it was.
    let again = keyed(&ada, "k", "POST", "/api/tasks", fields.clone()).await;
    assert_eq!(again.expect(201), task);
    ada.delete(&format!("{}/permanently", path(&task)))
        .await
        .status(204);
    // Gone for good, so are its contents; but nothing is made again.
    let again = keyed(&ada, "k", "POST", "/api/tasks", fields).await;
    again.refused(404, "not_found", &[]);
    let list = ada.get("/api/tasks").await.expect(200);
    assert_eq!(list["items"], json!([]));
}
