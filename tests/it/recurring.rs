//! Recurring tasks over a whole server: completed at the front door, the next one made behind it.

use std::time::Instant;

use serde_json::{Value, json};
use tidings_domain::{id::TaskId, series::next_id};

use crate::{
    kit::{Person, TestApp, on_each_database},
    live::tab::DEADLINE,
    notifications::soon,
};

on_each_database!(TestApp:
    the_next_one_comes_and_goes_with_its_predecessor,
    a_plain_form_skips_one,
    a_reminder_that_is_put_off_bends_no_series,
);

fn repeating() -> Value {
    json!({ "title": "Water the plants", "due_date": "2026-12-10", "due_time": "09:00", "recurrence": "daily" })
}

fn id(task: &Value) -> TaskId {
    task["id"].as_str().unwrap().parse().unwrap()
}

/// The task, once it is so.
async fn until(person: &Person, id: TaskId, so: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let answer = person.get(&format!("/api/tasks/{id}")).await;
        let task = match answer.code {
            200 => answer.expect(200),
            _ => Value::Null,
        };
        if so(&task) {
            return task;
        }
        assert!(Instant::now() < deadline, "{task}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

async fn the_next_one_comes_and_goes_with_its_predecessor(app: TestApp) {
    app.clock.set("2026-12-10T12:00:00.000Z");
    let ada = app.person("Ada").await;
    let task = ada.post("/api/tasks", repeating()).await.expect(201);
    let path = format!("/api/tasks/{}/complete", id(&task));
    ada.patch(&path, json!({})).await.expect(200);
    let next = until(&ada, next_id(id(&task)), Value::is_object).await;
    assert_eq!(
        (&next["due_date"], &next["due_time"]),
        (&json!("2026-12-11"), &json!("09:00"))
    );
    assert_eq!(
        (&next["series_id"], &next["version"]),
        (&task["id"], &json!(1))
    );
    let events = ada.get("/api/events").await.expect(200);
    let [_, completed, made] = events["items"].as_array().unwrap().as_slice() else {
        panic!("{events}")
    };
    assert_eq!(made["event_type"], "task.created");
    assert_eq!(made["metadata"]["actor"], "recurring");
    assert_eq!(
        made["metadata"]["traceparent"],
        completed["metadata"]["traceparent"]
    );
    // Whoever opens it again finds the next one gone with the answer, and back once it is done again.
    let opened = ada.patch(&path, json!({ "completed": false })).await;
    assert_eq!(opened.header("tidings-seq"), "5");
    until(&ada, id(&next), Value::is_null).await;
    ada.patch(&path, json!({ "completed": true }))
        .await
        .expect(200);
    let back = until(&ada, id(&next), Value::is_object).await;
    assert_eq!(back["version"], 3);
    // Whoever stops it has no more.
    let stop = json!({ "recurrence": "none" });
    ada.patch(&format!("/api/tasks/{}", id(&next)), stop)
        .await
        .expect(200);
    let path = format!("/api/tasks/{}/complete", id(&next));
    let done = ada.patch(&path, json!({})).await;
    let seq: i64 = done.header("tidings-seq").parse().unwrap();
    let metrics = app.sidecar();
    let deadline = Instant::now() + DEADLINE;
    // It was told of all of them.
    loop {
        let text = metrics.get("/metrics").await.text;
        let line = "tidings_events_consumed_total{consumer=\"recurring\",outcome=\"success\"}";
        let told = text
            .lines()
            .find_map(|l| l.strip_prefix(line)?.trim().parse::<i64>().ok());
        if told >= Some(seq) {
            break;
        }
        assert!(Instant::now() < deadline, "{text}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(ada.get("/api/events").await.expect(200)["head"], seq);
}

async fn a_plain_form_skips_one(app: TestApp) {
    app.clock.set("2026-12-10T12:00:00.000Z");
    let ada = app.person("Ada").await;
    let task = ada.post("/api/tasks", repeating()).await.expect(201);
    let path = format!("/tasks/{}", id(&task));
    let page = ada.get(&path).await;
    assert!(page.text.contains("formaction=\"/rpc/skip_task\""));
    let seed = uuid::Uuid::now_v7().to_string();
    let fields = [("task_id", task["id"].as_str().unwrap()), ("seed", &seed)];
    // Sent twice, it skips one.
    for _ in 0..2 {
        let answer = ada.form("/rpc/skip_task", &path, &fields).await;
        assert_eq!(
            (answer.code, answer.header("location")),
            (302, path.clone())
        );
    }
    let skipped = ada.get(&format!("/api{path}")).await.expect(200);
    assert_eq!(
        (&skipped["due_date"], &skipped["version"]),
        (&json!("2026-12-11"), &json!(2))
    );
    let call = format!("/api{path}/skip");
    ada.post(&call, json!({ "to": "2027" }))
        .await
        .refused(422, "validation_failed", &["to"]);
    let answer = ada.post(&call, json!({})).await;
    assert_eq!(answer.header("etag"), "\"3\"");
    assert_eq!(answer.expect(200)["due_date"], "2026-12-12");
    ada.patch(&format!("/api{path}"), json!({ "recurrence": "none" }))
        .await
        .expect(200);
    ada.post(&call, json!({}))
        .await
        .refused(409, "conflict", &[]);
    let page = ada.get(&path).await;
    assert!(!page.text.contains("/rpc/skip_task"));
}

async fn a_reminder_that_is_put_off_bends_no_series(app: TestApp) {
    app.clock.set("2026-12-10T07:00:00.000Z");
    let ada = app.person_in("Ada", "Europe/Berlin").await;
    let mut task = repeating();
    task["remind_at"] = json!("2026-12-10T08:00:00Z");
    let task = ada.post("/api/tasks", task).await.expect(201);
    app.clock.set("2026-12-10T08:05:23.000Z");
    let ring = app.sidecar().post("/reminder-cron", json!({})).await;
    ring.status(200);
    let told = soon(async || {
        let list = ada.get("/api/notifications").await.expect(200);
        list["items"][0]["id"].as_str().map(str::to_owned)
    });
    let snooze = format!("/api/notifications/{}/snooze", told.await);
    for (wanted, at) in [
        ("10m", "2026-12-10T08:15:23.000Z"),
        ("1h", "2026-12-10T09:05:23.000Z"),
    ] {
        let put_off = ada.post(&snooze, json!({ "for": wanted })).await;
        assert_eq!(put_off.expect(200)["remind_at"], at);
    }
    let path = format!("/api/tasks/{}/complete", id(&task));
    ada.patch(&path, json!({})).await.expect(200);
    let next = until(&ada, next_id(id(&task)), Value::is_object).await;
    assert_eq!(next["remind_at"], "2026-12-11T08:00:00.000Z");
    // What is done is not told of again.
    let done = ada.post(&snooze, json!({ "for": "1h" })).await;
    done.refused(409, "conflict", &[]);
}
