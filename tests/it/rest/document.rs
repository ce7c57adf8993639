//! The OpenAPI document and the router are one.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::changes::add;
use crate::{kit::TestApp, notifications::reminder};

#[tokio::test]
async fn the_document_names_every_route_and_no_other() {
    let app = TestApp::new().await;
    let document = app.nobody().get("/api/openapi.json").await.expect(200);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut written = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{method} {path}");
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} names two operations");
            written.insert((method.to_uppercase(), path.clone()));
        }
    }
    let routed = tidings::http::table()
        .into_iter()
        .filter(|(_, path)| path.starts_with("/api/"))
        .map(|(method, path)| (method.to_string(), path.to_owned()))
        .collect();
    assert_eq!(written, routed);
}

#[tokio::test]
async fn what_is_written_has_the_fields_that_are_documented() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let document = ada.get("/api/openapi.json").await.expect(200);
    let task = json!({ "title": "A", "due_date": "2026-12-10", "recurrence": "daily" });
    let task = add(&ada, task).await;
    let list = ada.get("/api/tasks").await.expect(200);
    let history = format!("/api/tasks/{}/history", task["id"].as_str().unwrap());
    let history = ada.get(&history).await.expect(200);
    let feed = ada.get("/api/events").await.expect(200);
    let token = ada
        .post("/api/tokens", json!({ "name": "T" }))
        .await
        .expect(201);
    let tokens = ada.get("/api/tokens").await.expect(200);
    let notification = reminder(&app, &ada).await;
    let notifications = ada.get("/api/notifications").await.expect(200);
    let settings = ada.get("/api/me/notifications").await.expect(200);
    let key = ada.get("/api/push/key").await.expect(200);
    let stats = ada.get("/api/stats").await.expect(200);
    let problem = ada.get("/api/nothing").await.expect(404);
    for (shape, value) in [
        ("Task", &task),
        ("Recurrence", &task["recurrence"]),
        ("TaskList", &list),
        ("Feed", &list["feed"]),
        ("History", &history),
        ("HistoryItem", &history["items"][0]),
        ("Events", &feed),
        ("EventData", &feed["items"][0]),
        ("Metadata", &feed["items"][0]["metadata"]),
        ("User", &ada.get("/api/me").await.expect(200)),
        ("NewToken", &token),
        ("Tokens", &tokens),
        ("Token", &tokens["items"][0]),
        ("Notifications", &notifications),
        ("Notification", &notification),
        ("NotificationSettings", &settings),
        ("Channels", &settings["streak"]),
        ("PushKey", &key),
        ("Problem", &problem),
        ("Statistics", &stats),
        ("DayCount", &stats["created"][0]),
    ] {
        let schema = &document["components"]["schemas"][shape]["properties"];
        let names = |value: &Value| -> BTreeSet<String> {
            let object = value.as_object();
            object
                .unwrap_or_else(|| panic!("{shape}: {value}"))
                .keys()
                .cloned()
                .collect()
        };
        assert_eq!(names(schema), names(value), "{shape}");
    }
}

#[tokio::test]
async fn references_lead_somewhere() {
    let app = TestApp::new().await;
    let document = app.nobody().get("/api/openapi.json").await.expect(200);
    let mut waiting = vec![&document];
    while let Some(value) = waiting.pop() {
        if let Some(reference) = value["$ref"].as_str() {
            let target = document.pointer(reference.strip_prefix('#').unwrap());
            assert!(target.is_some(), "{reference}");
        }
        match value {
            Value::Object(members) => waiting.extend(members.values()),
            Value::Array(items) => waiting.extend(items),
            _ => {}
        }
    }
}

#[tokio::test]
async fn the_document_can_be_read_without_another_host() {
    let app = TestApp::new().await;
    let page = app.nobody().get("/api/docs").await;
    page.status(200);
    assert!(page.header("content-type").starts_with("text/html"));
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(!page.text.contains("://") && !page.text.contains("<script"));
    for path in ["/api/tasks/{id}/permanently", "/api/tokens", "HistoryItem"] {
        assert!(page.text.contains(path), "{path}");
    }
}
