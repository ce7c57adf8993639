//! Changing tasks.

use serde_json::{Value, json};
use uuid::Uuid;

use super::changes::{add, path};
use crate::kit::TestApp;

#[tokio::test]
async fn a_merge_patch_changes_what_it_names_and_clears_nulls() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let task = add(
        &ada,
        json!({ "title": "A", "description": "B", "priority": "low", "tags": ["t"],
            "due_date": "2026-12-10", "due_time": "15:00", "remind_at": "2026-12-10T10:00:00Z",
            "recurrence": "daily" }),
    )
    .await;
    let patch = json!({ "title": "C" }).to_string();
    let merge = [("content-type", "application/merge-patch+json")];
    let answer = ada.send("PATCH", &path(&task), &merge, patch).await;
    assert_eq!(answer.header("etag"), "\"2\"");
    assert_eq!(answer.header("tidings-seq"), "2");
    let changed = answer.expect(200);
    assert_eq!(
        (&changed["title"], &changed["description"]),
        (&json!("C"), &json!("B"))
    );
    let clear = json!({ "description": null, "priority": null, "tags": null, "due_date": null,
        "due_time": null, "remind_at": null, "recurrence": null });
    let cleared = ada.patch(&path(&task), clear).await.expect(200);
    assert_eq!(cleared["description"], "");
    assert_eq!(cleared["priority"], "none");
    assert_eq!(cleared["tags"], json!([]));
    for none in ["due_date", "due_time", "remind_at", "recurrence"] {
        assert_eq!(cleared[none], Value::Null, "{none}");
    }
    assert_eq!(cleared["series_id"], task["id"]);
    let refused = |fields, named: &'static [&'static str]| {
        let (ada, path) = (&ada, path(&task));
        async move {
            let answer = ada.patch(&path, fields).await;
            answer.refused(422, "validation_failed", named);
        }
    };
    refused(json!({ "title": null }), &["title"]).await;
    refused(json!({ "id": task["id"] }), &["id"]).await;
    refused(
        json!({ "updated_at": "2026-01-01T00:00:00Z", "x": 1 }),
        &["updated_at", "x"],
    )
    .await;
    // What changes nothing makes no event and leaves the version.
    let same = ada.patch(&path(&task), json!({ "title": "C" })).await;
    assert_eq!(same.header("tidings-seq"), "3");
    assert_eq!(same.expect(200)["version"], 3);
}

#[tokio::test]
async fn put_sets_the_whole_and_makes_nothing() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let task = add(
        &ada,
        json!({ "title": "A", "description": "B", "tags": ["t"], "priority": "high" }),
    )
    .await;
    // What was read can be sent back: fields that cannot be set are passed over.
    let mut whole = task.clone();
    whole["title"] = json!("B");
    whole["version"] = json!(99);
    let put = ada.put(&path(&task), whole).await.expect(200);
    assert_eq!((&put["title"], &put["version"]), (&json!("B"), &json!(2)));
    let put = ada
        .put(&path(&task), json!({ "title": "C" }))
        .await
        .expect(200);
    assert_eq!(put["description"], "");
    assert_eq!(put["tags"], json!([]));
    assert_eq!(put["priority"], "none");
    assert_eq!(put["position"], task["position"]);
    ada.put(&path(&task), json!({ "description": "no title" }))
        .await
        .refused(422, "validation_failed", &["title"]);
    ada.put(&path(&task), json!({ "title": "D", "colour": "red" }))
        .await
        .refused(422, "validation_failed", &["colour"]);
    let nowhere = format!("/api/tasks/{}", Uuid::now_v7());
    ada.put(&nowhere, json!({ "title": "New" }))
        .await
        .refused(404, "not_found", &[]);
}

#[tokio::test]
async fn completing_turns_round_or_is_set() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let task = add(&ada, json!({ "title": "A" })).await;
    let complete = format!("{}/complete", path(&task));
    let done = ada.send("PATCH", &complete, &[], String::new()).await;
    let done = done.expect(200);
    assert_eq!(done["completed"], true);
    assert!(done["completed_at"].is_string());
    let open = ada.patch(&complete, json!({})).await.expect(200);
    assert_eq!(
        (&open["completed"], &open["completed_at"]),
        (&json!(false), &Value::Null)
    );
    let done = ada.patch(&complete, json!({ "completed": true })).await;
    assert_eq!(done.expect(200)["version"], 4);
    let same = ada.patch(&complete, json!({ "completed": true })).await;
    assert_eq!(same.expect(200)["version"], 4);
    ada.patch(&complete, json!({ "completed": "yes" }))
        .await
        .refused(422, "validation_failed", &["completed"]);
    ada.patch(&complete, json!({ "done": true })).await.refused(
        422,
        "validation_failed",
        &["done"],
    );
}

#[tokio::test]
async fn if_match_guards_a_version() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let task = add(&ada, json!({ "title": "A" })).await;
    let path = path(&task);
    let edit = |tag: &'static str, title: &str| {
        let headers = [("content-type", "application/json"), ("if-match", tag)];
        let body = json!({ "title": title }).to_string();
        let (ada, path) = (&ada, &path);
        async move { ada.send("PATCH", path, &headers, body).await }
    };
    edit("\"1\"", "B").await.expect(200);
    for stale in ["\"1\"", "W/\"2\"", "\"7\", \"8\"", "nonsense"] {
        edit(stale, "C").await.refused(412, "version_mismatch", &[]);
    }
    edit("\"9\", \"2\"", "C").await.expect(200);
    edit("*", "D").await.expect(200);
    let get = ada.send("GET", &path, &[("if-match", "\"3\"")], String::new());
    get.await.refused(412, "version_mismatch", &[]);
    let stale = [("if-match", "\"3\"")];
    for method in ["DELETE", "PATCH"] {
        let at = if method == "PATCH" {
            format!("{path}/complete")
        } else {
            path.clone()
        };
        let answer = ada.send(method, &at, &stale, String::new()).await;
        answer.refused(412, "version_mismatch", &[]);
    }
    let nowhere = format!("/api/tasks/{}", Uuid::now_v7());
    let answer = ada.send("DELETE", &nowhere, &[("if-match", "*")], String::new());
    answer.await.refused(404, "not_found", &[]);
}
