//! The events feed and the audit trail.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::changes::{add, path};
use crate::kit::TestApp;

#[tokio::test]
async fn the_feed_is_read_on_from_a_seq() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let empty = ada.get("/api/events").await.expect(200);
    assert_eq!((&empty["head"], &empty["items"]), (&json!(0), &json!([])));
    for n in 1..=5 {
        add(&ada, json!({ "title": format!("t{n}") })).await;
    }
    let seqs = |feed: &Value| -> Vec<i64> {
        let items = feed["items"].as_array().unwrap().iter();
        items.map(|e| e["seq"].as_i64().unwrap()).collect()
    };
    let feed = ada.get("/api/events?after=1&limit=3").await.expect(200);
    assert_eq!(seqs(&feed), [2, 3, 4]);
    assert_eq!(feed["head"], 5);
    let list = ada.get("/api/tasks").await.expect(200);
    assert_eq!(list["feed"], json!({ "epoch": feed["epoch"], "seq": 5 }));
    assert_eq!(
        seqs(&ada.get("/api/events?after=5").await.expect(200)),
        [0; 0]
    );
    assert_eq!(
        seqs(&ada.get("/api/events?after=99").await.expect(200)),
        [0; 0]
    );
    for (bad, named) in [
        ("after=-1", "after"),
        ("after=x", "after"),
        ("limit=0", "limit"),
    ] {
        ada.get(&format!("/api/events?{bad}"))
            .await
            .refused(422, "validation_failed", &[named]);
    }
}

#[tokio::test]
async fn an_event_is_as_the_contract_has_it() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let me = ada.get("/api/me").await.expect(200);
    let client = Uuid::now_v7().to_string();
    let key = Uuid::now_v7().to_string();
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = [
        ("content-type", "application/json"),
        ("tidings-client", &*client),
        ("idempotency-key", &*key),
        ("traceparent", trace),
    ];
    let body = json!({ "title": "A" }).to_string();
    let task = ada
        .send("POST", "/api/tasks", &headers, body)
        .await
        .expect(201);
    let both = json!({ "title": "B", "completed": true });
    let done = ada.program().await.patch(&path(&task), both).await;
    assert_eq!(done.header("tidings-seq"), "3");
    let done = done.expect(200);
    let feed = ada.get("/api/events").await.expect(200);
    let [created, updated, completed] = &feed["items"].as_array().unwrap()[..] else {
        panic!("three events: {feed}");
    };
    assert_eq!(created["event_type"], "task.created");
    assert_eq!(created["version"], "1.0");
    assert_eq!(created["user_id"], me["id"]);
    assert_eq!(created["task_id"], task["id"]);
    assert_eq!(created["task_data"], task);
    assert_eq!(created["data"]["title"], "A");
    assert_eq!(
        created["metadata"],
        json!({ "mutation_id": key, "client_id": client, "actor": "user", "traceparent": trace })
    );
    assert_eq!(updated["event_type"], "task.updated");
    assert_eq!(
        updated["data"]["changes"],
        json!({ "title": { "old": "A", "new": "B" } })
    );
    assert_eq!(updated["metadata"]["actor"], "api");
    assert!(updated["metadata"]["mutation_id"].is_string());
    assert_eq!(completed["event_type"], "task.completed");
    assert_eq!(completed["data"]["duration_minutes"], 0);
    assert_eq!(completed["task_data"], done);
}

#[tokio::test]
async fn a_client_says_who_it_is_with_a_uuid() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let headers = [
        ("content-type", "application/json"),
        ("tidings-client", "my laptop"),
    ];
    ada.send("POST", "/api/tasks", &headers, "{\"title\":\"A\"}".into())
        .await
        .refused(422, "validation_failed", &["Tidings-Client"]);
}

#[tokio::test]
async fn the_audit_trail_records_what_happened() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let bob = app.person("Bob").await;
    add(&ada, json!({ "title": "A" })).await;
    add(&bob, json!({ "title": "B" })).await;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    let rows = loop {
        let trail = ada.get("/api/audit").await.expect(200);
        let rows = trail["items"].as_array().unwrap().clone();
        if rows.len() >= 3 {
            break rows;
        }
        assert!(tokio::time::Instant::now() < deadline, "{rows:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let mut types: Vec<_> = rows
        .iter()
        .map(|r| r["event_type"].as_str().unwrap())
        .collect();
    types.sort_unstable();
    assert_eq!(
        types,
        ["audit.user.logged_in", "task.created", "user.registered"]
    );
    let feed = ada.get("/api/events").await.expect(200);
    let recorded = rows
        .iter()
        .find(|r| r["event_type"] == "task.created")
        .unwrap();
    assert_eq!(recorded["event_id"], feed["items"][0]["event_id"]);
    assert_eq!(recorded["seq"], 1);
    assert!(recorded["recorded_at"].is_string());
    let n: Vec<_> = rows.iter().map(|r| r["n"].as_i64().unwrap()).collect();
    assert!(n.is_sorted_by(|a, b| a < b));
    let rest = ada.get(&format!("/api/audit?after={}&limit=1", n[0])).await;
    assert_eq!(rest.expect(200)["items"], json!([rows[1]]));
}
