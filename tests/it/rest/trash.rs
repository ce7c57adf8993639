//! Into the trash and back, and back to an earlier version.

use serde_json::{Value, json};

use super::changes::{add, path};
use crate::kit::TestApp;

#[tokio::test]
async fn the_trash_gives_back_until_it_is_emptied() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let task = add(&ada, json!({ "title": "A" })).await;
    let path = path(&task);
    let permanently = format!("{path}/permanently");
    ada.delete(&permanently).await.refused(409, "conflict", &[]);
    let deleted = ada.delete(&path).await;
    assert_eq!(deleted.header("tidings-seq"), "2");
    assert!(deleted.text.is_empty());
    deleted.status(204);
    // In the trash it is there for restore, history and permanently alone.
    ada.get(&path).await.refused(404, "not_found", &[]);
    ada.delete(&path).await.refused(404, "not_found", &[]);
    ada.put(&path, json!({ "title": "B" }))
        .await
        .refused(404, "not_found", &[]);
    ada.patch(&path, json!({ "title": "B" }))
        .await
        .refused(404, "not_found", &[]);
    let complete = format!("{path}/complete");
    ada.patch(&complete, json!({}))
        .await
        .refused(404, "not_found", &[]);
    let trash = ada.get("/api/tasks?view=trash").await.expect(200);
    assert_eq!(trash["items"][0]["id"], task["id"]);
    let history = ada.get(&format!("{path}/history")).await.expect(200);
    assert_eq!(history["items"].as_array().unwrap().len(), 2);
    let restore = format!("{path}/restore");
    let back = ada.send("POST", &restore, &[], String::new()).await;
    let back = back.expect(200);
    assert_eq!(
        (&back["deleted_at"], &back["version"]),
        (&Value::Null, &json!(3))
    );
    ada.delete(&path).await.status(204);
    let gone = ada.delete(&permanently).await;
    assert_eq!(gone.header("tidings-seq"), "4");
    gone.status(204);
    for (method, path) in [
        ("DELETE", &permanently),
        ("POST", &restore),
        ("GET", &format!("{path}/history")),
        ("GET", &path),
    ] {
        let answer = ada.send(method, path, &[], String::new()).await;
        answer.refused(404, "not_found", &[]);
    }
    let trash = ada.get("/api/tasks?view=trash").await.expect(200);
    assert_eq!(trash["items"], json!([]));
    // Its events stay without contents.
    let feed = ada.get("/api/events").await.expect(200);
    assert_eq!(feed["head"], 4);
    assert!(!feed.to_string().contains("\"A\""));
    assert!(
        feed["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|e| e["task_data"].is_null())
    );
}

#[tokio::test]
async fn an_earlier_version_comes_back() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let task = add(&ada, json!({ "title": "A", "tags": ["x"] })).await;
    let path = path(&task);
    ada.patch(&path, json!({ "title": "B", "completed": true }))
        .await
        .expect(200);
    let restore = format!("{path}/restore");
    let back = ada
        .post(&restore, json!({ "version": 1 }))
        .await
        .expect(200);
    assert_eq!(
        (&back["title"], &back["completed"], &back["version"]),
        (&json!("A"), &json!(false), &json!(4))
    );
    for wrong in [json!(0), json!(9), json!("one")] {
        ada.post(&restore, json!({ "version": wrong }))
            .await
            .refused(422, "validation_failed", &["version"]);
    }
}
