//! Making, changing and removing tasks.

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
