//! History, and the tasks as they were.

use serde_json::{Value, json};

use super::changes::{add, path};
use crate::kit::{Person, TestApp};

async fn as_of(person: &Person, moment: &str) -> Vec<String> {
    let list = person.get(&format!("/api/tasks?as_of={moment}")).await;
    let list = list.expect(200);
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|t| t["title"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn history_tells_each_version() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let program = ada.program().await;
    let task = add(&ada, json!({ "title": "A", "tags": ["x"] })).await;
    let path = path(&task);
    program
        .patch(&path, json!({ "title": "B", "priority": "high" }))
        .await
        .expect(200);
    ada.patch(&format!("{path}/complete"), json!({}))
        .await
        .expect(200);
    ada.delete(&path).await.status(204);
    ada.post(&format!("{path}/restore"), json!({}))
        .await
        .expect(200);
    let history = ada.get(&format!("{path}/history")).await.expect(200);
    let items = history["items"].as_array().unwrap();
    let told: Vec<_> = items
        .iter()
        .map(|i| {
            let text = |name: &str| i[name].as_str().unwrap().to_owned();
            (
                i["version"].as_i64().unwrap(),
                text("event_type"),
                text("actor"),
            )
        })
        .collect();
    let expected = [
        (1, "task.created", "user"),
        (2, "task.updated", "api"),
        (3, "task.completed", "user"),
        (4, "task.deleted", "user"),
        (5, "task.restored", "user"),
    ];
    assert_eq!(
        told,
        expected.map(|(v, e, a)| (v, e.to_owned(), a.to_owned()))
    );
    assert_eq!(
        items[0]["changes"],
        json!({ "title": { "old": null, "new": "A" }, "tags": { "old": null, "new": ["x"] } })
    );
    assert_eq!(
        items[1]["changes"],
        json!({ "title": { "old": "A", "new": "B" }, "priority": { "old": "none", "new": "high" } })
    );
    let done = &items[2]["changes"];
    assert_eq!(done["completed"], json!({ "old": false, "new": true }));
    assert_eq!(done["completed_at"]["old"], Value::Null);
    assert_eq!(items[3]["changes"]["deleted_at"]["old"], Value::Null);
    assert_eq!(items[4]["changes"]["deleted_at"]["new"], Value::Null);
    assert!(items[4]["changes"]["deleted_at"]["old"].is_string());
    for (n, item) in items.iter().enumerate() {
        assert_eq!(item["seq"], n + 1);
        assert!(item["event_id"].is_string() && item["timestamp"].is_string());
    }
    // In parts it is the same.
    let mut walked = Vec::new();
    let mut cursor = String::new();
    loop {
        let part = ada
            .get(&format!("{path}/history?limit=2&cursor={cursor}"))
            .await;
        let part = part.expect(200);
        walked.extend(part["items"].as_array().unwrap().clone());
        match part["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(&walked, items);
    for bad in ["limit=0", "limit=201", "cursor=x"] {
        let named = bad.split('=').next().unwrap();
        ada.get(&format!("{path}/history?{bad}"))
            .await
            .refused(422, "validation_failed", &[named]);
    }
}

#[tokio::test]
async fn the_past_is_folded_from_the_events() {
    let app = TestApp::new().await;
    app.clock.set("2026-12-01T10:00:00Z");
    let ada = app.person("Ada").await;
    let a = add(&ada, json!({ "title": "A" })).await;
    app.clock.set("2026-12-01T11:00:00Z");
    add(&ada, json!({ "title": "B" })).await;
    ada.patch(&path(&a), json!({ "title": "A2" }))
        .await
        .expect(200);
    app.clock.set("2026-12-01T12:00:00Z");
    ada.delete(&path(&a)).await.status(204);
    assert_eq!(as_of(&ada, "seq:0").await, [""; 0]);
    assert_eq!(as_of(&ada, "seq:1").await, ["A"]);
    assert_eq!(as_of(&ada, "seq:2").await, ["B", "A"]);
    assert_eq!(as_of(&ada, "seq:3").await, ["B", "A2"]);
    assert_eq!(as_of(&ada, "seq:4").await, ["B"]);
    assert_eq!(as_of(&ada, "2026-12-01T09:59:59.999Z").await, [""; 0]);
    assert_eq!(as_of(&ada, "2026-12-01T10:00:00Z").await, ["A"]);
    assert_eq!(as_of(&ada, "2026-12-01T11:30:00Z").await, ["B", "A2"]);
    assert_eq!(as_of(&ada, "2026-12-01T13:00:00%2B01:00").await, ["B"]);
    assert_eq!(as_of(&ada, "seq:3&view=all&sort=-title").await, ["B", "A2"]);
    let part = ada.get("/api/tasks?as_of=seq:3&limit=1").await.expect(200);
    let cursor = part["next_cursor"].as_str().unwrap();
    let rest = as_of(&ada, &format!("seq:3&limit=1&cursor={cursor}")).await;
    assert_eq!(rest, ["A2"]);
    for with in [
        "view=inbox",
        "q=a",
        "tag=x",
        "priority=low",
        "completed=false",
    ] {
        ada.get(&format!("/api/tasks?as_of=seq:3&{with}"))
            .await
            .refused(422, "validation_failed", &["as_of"]);
    }
}
