//! From a reminder to what a person is told of it, on a real server.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::{
    kit::{Person, TestApp, on_each_database},
    live::tab::Tab,
};

on_each_database!(TestApp:
    a_reminder_rings_once,
    a_notification_is_read_and_put_off,
    people_choose_what_they_are_told,
    a_streak_is_told_of,
    the_bell_of_every_tab_is_told,
);

/// What there is once it is so, within a while.
pub(crate) async fn soon<T>(mut what: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = what().await {
            return found;
        }
        assert!(Instant::now() < deadline, "it did not come to be");
        sleep(Duration::from_millis(20)).await;
    }
}

async fn list(person: &Person) -> Vec<Value> {
    let list = person.get("/api/notifications").await.expect(200);
    list["items"].as_array().unwrap().clone()
}

/// Adds a task with a reminder that is due, and has it told of: the notification.
pub(crate) async fn reminder(app: &TestApp, person: &Person) -> Value {
    let before = list(person).await.len();
    let task = json!({ "title": "Secret reminder", "remind_at": "2026-01-01T12:00:00Z" });
    person.post("/api/tasks", task).await.status(201);
    app.sidecar()
        .post("/reminder-cron", json!({}))
        .await
        .status(200);
    soon(async || {
        let list = list(person).await;
        (list.len() > before).then(|| list[0].clone())
    })
    .await
}

async fn a_reminder_rings_once(app: TestApp) {
    let ada = app.person_in("Ada", "Europe/Berlin").await;
    app.clock.set("2026-12-10T13:00:00.000Z");
    let task = json!({ "title": "Call mom", "due_date": "2026-12-10", "due_time": "15:00",
        "remind_at": "2026-12-10T13:30:00Z" });
    let task = ada.post("/api/tasks", task).await.expect(201);
    app.sidecar()
        .post("/reminder-cron", json!({}))
        .await
        .status(200);
    app.clock.set("2026-12-10T13:31:00.000Z");
    for _ in 0..3 {
        app.sidecar()
            .post("/reminder-cron", json!({}))
            .await
            .status(200);
    }
    let told = soon(async || list(&ada).await.first().cloned()).await;
    assert_eq!(told["kind"], "reminder");
    assert_eq!(told["title"], "Call mom");
    assert_eq!(told["body"], "Due Thu 10 Dec, 15:00.");
    assert_eq!(told["task_id"], task["id"]);
    assert_eq!(told["read_at"], Value::Null);
    // It stands in the feed, after the task, and nothing else does.
    let feed = ada.get("/api/events").await.expect(200);
    assert_eq!(feed["head"], 2);
    let event = &feed["items"][1];
    assert_eq!(event["event_type"], "notification.created");
    assert_eq!(event["task_data"], Value::Null);
    for member in ["id", "kind", "title", "body", "task_id"] {
        assert_eq!(event["data"][member], told[member], "{member}");
    }
    assert_eq!(event["data"].as_object().unwrap().len(), 5);
    // Another time is another reminder, and a late one says so.
    let path = format!("/api/tasks/{}", task["id"].as_str().unwrap());
    let moved = json!({ "remind_at": "2026-12-10T13:40:00Z" });
    ada.patch(&path, moved).await.status(200);
    app.clock.set("2026-12-10T14:00:00.000Z");
    app.sidecar()
        .post("/reminder-cron", json!({}))
        .await
        .status(200);
    let late = soon(async || {
        let list = list(&ada).await;
        (list.len() == 2).then(|| list[0].clone())
    });
    let late = late.await;
    let words = "Due Thu 10 Dec, 15:00. This reminder was for Thu 10 Dec, 14:40 and comes late.";
    assert_eq!(late["body"], words);
    assert_eq!(
        app.inside.store.check().await.unwrap().faults,
        Vec::<String>::new()
    );
}

async fn a_notification_is_read_and_put_off(app: TestApp) {
    let ada = app.person_in("Ada", "Europe/Berlin").await;
    let told: Vec<Value> = [
        reminder(&app, &ada).await,
        reminder(&app, &ada).await,
        reminder(&app, &ada).await,
    ]
    .into();
    let path = |n: usize, what: &str| {
        let id = told[n]["id"].as_str().unwrap();
        format!("/api/notifications/{id}/{what}")
    };
    let read = ada.post(&path(0, "read"), json!({})).await.expect(200);
    assert!(read["read_at"].is_string());
    let again = ada.send("POST", &path(0, "read"), &[], String::new()).await;
    assert_eq!(again.expect(200), read);
    let unread = "/api/notifications?unread=true&limit=1";
    let first = ada.get(unread).await.expect(200);
    assert_eq!(first["items"][0], told[2]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let next = ada
        .get(&format!("{unread}&cursor={cursor}"))
        .await
        .expect(200);
    assert_eq!(next["items"][0], told[1]);
    assert_eq!(next["next_cursor"], Value::Null);
    for (wrong, field) in [
        ("unread=1", "unread"),
        ("limit=0", "limit"),
        ("cursor=x", "cursor"),
    ] {
        let answer = ada.get(&format!("/api/notifications?{wrong}")).await;
        answer.refused(422, "validation_failed", &[field]);
    }
    // Put off: a change of the task as any other, once a key.
    app.clock.set("2026-12-10T13:00:00.000Z");
    let later = json!({ "for": "tomorrow" }).to_string();
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", "snooze-1"),
    ];
    let put_off = async || {
        let path = path(1, "snooze");
        ada.send("POST", &path, &headers, later.clone()).await
    };
    let answer = put_off().await;
    let seq = answer.header("tidings-seq");
    let task = answer.expect(200);
    assert_eq!(task["id"], told[1]["task_id"]);
    assert_eq!(task["remind_at"], "2026-12-11T08:00:00.000Z");
    assert_eq!(task["version"], 2);
    app.clock.set("2026-12-10T15:00:00.000Z");
    let again = put_off().await;
    assert_eq!(again.header("tidings-seq"), seq);
    assert_eq!(again.expect(200), task);
    assert!(list(&ada).await[1]["read_at"].is_string());
    let wrong = ada.post(&path(2, "snooze"), json!({ "for": "ever" })).await;
    wrong.refused(422, "validation_failed", &["for"]);
    let all = ada.post("/api/notifications/read", json!({})).await;
    assert_eq!(all.expect(200), json!({ "read": 1 }));
    let unread = ada.get("/api/notifications?unread=true").await.expect(200);
    assert_eq!(unread["items"], json!([]));
    // What is gone for good cannot be put off.
    let task = format!("/api/tasks/{}", told[2]["task_id"].as_str().unwrap());
    ada.delete(&task).await.status(204);
    let gone = ada.post(&path(2, "snooze"), json!({ "for": "1h" })).await;
    gone.refused(404, "not_found", &[]);
    ada.delete(&format!("{task}/permanently")).await.status(204);
    assert_eq!(list(&ada).await.len(), 2);
}

async fn people_choose_what_they_are_told(app: TestApp) {
    let ada = app.person("Ada").await;
    let path = "/api/me/notifications";
    let all = json!({ "app": true, "browser": true, "mail": true });
    let none = json!({ "app": false, "browser": false, "mail": false });
    let app_only = json!({ "app": true, "browser": false, "mail": false });
    let settings = ada.get(path).await.expect(200);
    let default = json!({ "reminder": all, "task_created": none, "task_completed": none,
        "streak": app_only });
    assert_eq!(settings, default);
    let chosen = json!({ "task_created": app_only, "task_completed": app_only,
        "reminder": none, "streak": none });
    assert_eq!(ada.put(path, chosen.clone()).await.expect(200), chosen);
    assert_eq!(ada.get(path).await.expect(200), chosen);
    let task = json!({ "title": "Milk", "remind_at": "2026-01-01T12:00:00Z" });
    let task = ada.post("/api/tasks", task).await.expect(201);
    app.sidecar()
        .post("/reminder-cron", json!({}))
        .await
        .status(200);
    let complete = format!("/api/tasks/{}/complete", task["id"].as_str().unwrap());
    ada.patch(&complete, json!({})).await.status(200);
    let told = soon(async || Some(list(&ada).await).filter(|list| list.len() == 2)).await;
    assert_eq!(told[0]["kind"], "task_completed");
    assert_eq!(told[1]["kind"], "task_created");
    assert_eq!(told[1]["title"], "Milk");
    let wrong = json!({ "pigeon": all, "streak": { "app": 1 }, "reminder": all });
    let wrong = ada.put(path, wrong).await;
    wrong.refused(422, "validation_failed", &["pigeon", "streak"]);
    assert_eq!(ada.put(path, json!({})).await.expect(200), default);
}

async fn a_streak_is_told_of(app: TestApp) {
    let ada = app.person_in("Ada", "Asia/Kathmandu").await;
    for day in ["07", "08", "09"] {
        // Just after midnight there.
        app.clock.set(&format!("2026-12-{day}T18:30:00.000Z"));
        for title in ["one", "two"] {
            let task = json!({ "title": title, "completed": false });
            let task = ada.post("/api/tasks", task).await.expect(201);
            let complete = format!("/api/tasks/{}/complete", task["id"].as_str().unwrap());
            ada.patch(&complete, json!({})).await.status(200);
        }
    }
    let told = soon(async || list(&ada).await.first().cloned()).await;
    assert_eq!(
        (&told["kind"], &told["title"]),
        (&json!("streak"), &json!("3 days in a row"))
    );
    assert_eq!(told["task_id"], Value::Null);
    let id = told["id"].as_str().unwrap();
    let snooze = format!("/api/notifications/{id}/snooze");
    let answer = ada.post(&snooze, json!({ "for": "10m" })).await;
    answer.refused(409, "conflict", &[]);
    // What comes later that day adds none.
    let task = ada.post("/api/tasks", json!({ "title": "three" })).await;
    let task = task.expect(201);
    let complete = format!("/api/tasks/{}/complete", task["id"].as_str().unwrap());
    ada.patch(&complete, json!({})).await.status(200);
    soon(async || {
        let depths = app.inside.store.depth().await.unwrap();
        depths.iter().all(|depth| depth.pending == 0).then_some(())
    })
    .await;
    assert_eq!(list(&ada).await.len(), 1);
}

/// Reads on until a tab is told how many are unread.
async fn unread(tab: &mut Tab) -> Value {
    loop {
        let frame = tab.frame().await;
        if frame["t"] == "unread" {
            return frame["count"].clone();
        }
    }
}

async fn the_bell_of_every_tab_is_told(app: TestApp) {
    let ada = app.person("Ada").await;
    let (name, value) = ada.credential.as_ref().unwrap();
    let mut tabs = Vec::new();
    for _ in 0..2 {
        let mut tab = Tab::open(&app.base, &[(*name, value)]).await.unwrap();
        tab.send(
            json!({ "t": "hello", "client_id": Uuid::now_v7(), "tab_id": Uuid::now_v7(),
            "resume": null, "unread": true }),
        )
        .await;
        assert_eq!(unread(&mut tab).await, 0);
        tabs.push(tab);
    }
    let told = reminder(&app, &ada).await;
    for tab in &mut tabs {
        assert_eq!(unread(tab).await, 1);
    }
    let read = format!("/api/notifications/{}/read", told["id"].as_str().unwrap());
    ada.post(&read, json!({})).await.status(200);
    for tab in &mut tabs {
        assert_eq!(unread(tab).await, 0);
    }
    // What the browser alone shows is read from the start, and yet tabs hear of it.
    let chosen = json!({ "reminder": { "app": false, "browser": true, "mail": false } });
    ada.put("/api/me/notifications", chosen).await.status(200);
    reminder(&app, &ada).await;
    for tab in &mut tabs {
        assert_eq!(unread(tab).await, 0);
    }
    // Who does not ask hears of none of it.
    let mut other = Tab::open(&app.base, &[(*name, value)]).await.unwrap();
    other.hello(Value::Null).await;
    other.snapshot().await;
    other.events_until_live(4).await;
    reminder(&app, &ada).await;
    other.events_to(4, 6).await;
    other.send(json!({ "t": "ping" })).await;
    assert_eq!(other.frame().await["t"], "pong");
}

/// The page's own id, of which its forms derive theirs.
fn seed(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"seed\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_page_works_without_script() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let empty = ada.get("/notifications").await;
    assert!(empty.text.contains("Nothing to tell"), "{}", empty.text);
    assert!(empty.text.contains("aria-label=\"Notifications\""));
    let told = [reminder(&app, &ada).await, reminder(&app, &ada).await];
    let id = |n: usize| told[n]["id"].as_str().unwrap();
    // The bell is on every page, with its count.
    assert!(
        ada.get("/today")
            .await
            .text
            .contains("Notifications, 2 unread")
    );
    let page = ada.get("/notifications").await;
    let task = format!("href=\"/tasks/{}\"", told[0]["task_id"].as_str().unwrap());
    assert!(page.text.contains(&task) && page.text.contains("Secret reminder"));
    let at = "/notifications";
    let back = ada
        .form("/rpc/read_notification", at, &[("id", id(0))])
        .await;
    assert_eq!((back.code, &*back.header("location")), (302, at));
    assert!(ada.get(at).await.text.contains("Notifications, 1 unread"));
    // Put off, once however often it is sent.
    let seed = seed(&page.text);
    let fields = [("id", id(1)), ("seed", &*seed), ("until", "1h")];
    for _ in 0..2 {
        let back = ada.form("/rpc/snooze_notification", at, &fields).await;
        assert_eq!((back.code, &*back.header("location")), (302, at));
    }
    let task = format!("/api/tasks/{}", told[1]["task_id"].as_str().unwrap());
    let task = ada.get(&task).await.expect(200);
    assert_eq!(task["version"], 2);
    assert_ne!(task["remind_at"], "2026-01-01T12:00:00.000Z");
    reminder(&app, &ada).await;
    let back = ada.form("/rpc/read_notifications", at, &[]).await;
    assert_eq!((back.code, &*back.header("location")), (302, at));
    let page = ada.get(at).await.text;
    assert!(page.contains("All are read.") && !page.contains("Mark read"));
    assert!(!ada.get("/inbox").await.text.contains("unread"));
    let wrong = ada.get("/notifications?cursor=x").await;
    wrong.status(422);
}

#[tokio::test]
async fn the_settings_are_a_plain_form() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let page = ada.get("/account").await.text;
    assert!(page.contains("name=\"reminder[mail]\"") && page.contains("name=\"streak[app]\""));
    let ticked = [("reminder[app]", "true"), ("task_created[mail]", "true")];
    let done = ada
        .form("/rpc/set_notifications", "/account", &ticked)
        .await;
    assert_eq!(done.header("location"), "/account?done=notifications");
    let chosen = ada.get("/api/me/notifications").await.expect(200);
    for kind in ["reminder", "task_created", "task_completed", "streak"] {
        for way in ["app", "browser", "mail"] {
            let name = format!("{kind}[{way}]");
            let on = ticked.iter().any(|(ticked, _)| *ticked == name);
            assert_eq!(chosen[kind][way], on, "{name}");
        }
    }
    assert!(
        ada.get("/account?done=notifications")
            .await
            .text
            .contains("Saved.")
    );
}
