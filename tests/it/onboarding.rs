//! What somebody finds who has just signed up.

use serde_json::{Value, json};
use tidings::service::tasks::samples::SAMPLES;

use crate::{
    kit::{Person, TestApp, on_each_database},
    mail::{
        app_with, header, read,
        server::{Mood, SmtpServer},
        settled,
    },
    notifications::soon,
};

/// A server with sample tasks, whose mail goes somewhere.
struct Welcoming {
    app: TestApp,
    smtp: SmtpServer,
}

impl Welcoming {
    async fn with(postgres: bool, samples: bool) -> Self {
        let smtp = SmtpServer::start(Mood::Kind).await;
        let app = app_with(&smtp, postgres, |config| {
            config.sample_tasks = samples;
            config.public_url = None;
        })
        .await;
        Self { app, smtp }
    }

    async fn new() -> Self {
        Self::with(false, true).await
    }

    async fn on_postgres() -> Self {
        Self::with(true, true).await
    }

    /// Tells of a person's sign-up, as a broker does, perhaps not for the first time.
    async fn tell(&self, user: &str, event_id: &str) {
        let data = json!({ "event_id": event_id, "event_type": "user.registered", "version": "1.0",
            "timestamp": "2026-12-10T13:30:00.000Z", "user_id": user, "task_id": null, "seq": null,
            "task_data": null, "data": {}, "metadata": { "actor": "user" } });
        let event = json!({ "specversion": "1.0", "id": event_id, "source": "/tidings",
            "type": "user.registered", "data": data });
        let answer = self
            .app
            .sidecar()
            .post("/events/user-events", event)
            .await
            .expect(200);
        assert_eq!(answer["status"], "SUCCESS");
    }
}

on_each_database!(Welcoming:
    three_tasks_and_a_mail_come_once,
    one_click_removes_what_nobody_touched,
);

async fn tasks(person: &Person, view: &str) -> Vec<Value> {
    let list = person.get(&format!("/api/tasks?view={view}")).await;
    list.expect(200)["items"].as_array().unwrap().clone()
}

async fn samples(person: &Person) -> Vec<Value> {
    soon(async || {
        let tasks = tasks(person, "inbox").await;
        (tasks.len() == SAMPLES.len()).then_some(tasks)
    })
    .await
}

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

async fn three_tasks_and_a_mail_come_once(world: Welcoming) {
    let ada = world.app.person("Ada").await;
    let found = samples(&ada).await;
    for (task, sample) in found.iter().zip(&SAMPLES) {
        assert_eq!(task["title"], sample.title);
        assert_eq!(task["description"], sample.description);
        assert_eq!(task["tags"], json!(["welcome"]));
    }
    let events = ada.get("/api/events").await.expect(200);
    let events = events["items"].as_array().unwrap().clone();
    for event in &events {
        assert_eq!(event["event_type"], "task.created");
        assert_eq!(event["metadata"]["actor"], "onboarding");
    }
    let mail = soon(async || world.smtp.got().first().cloned()).await;
    assert_eq!(mail.to, "Ada@example.com");
    assert_eq!(header(&mail.message, "Subject"), "Welcome to Tidings");
    let text = read(&mail.message);
    let link = format!("{}/inbox", world.app.base);
    assert!(text.contains(&link), "{text}");
    assert!(text.contains("Three tasks"), "{text}");
    assert!(!text.contains("List-Unsubscribe"), "{text}");

    // Told again and again, nothing more comes of it; nor if they are gone.
    let registered = soon(async || {
        let trail = ada.get("/api/audit").await.expect(200);
        let mut rows = trail["items"].as_array().unwrap().clone().into_iter();
        rows.find(|row| row["event_type"] == "user.registered")
    })
    .await;
    let (user, event) = (
        ada.get("/api/me").await.expect(200),
        &registered["event_id"],
    );
    let event = event.as_str().unwrap();
    ada.patch(
        &format!("/api/tasks/{}", id(&found[0])),
        json!({ "title": "Mine" }),
    )
    .await
    .status(200);
    tokio::join!(
        world.tell(id(&user), event),
        world.tell(id(&user), event),
        world.tell(id(&user), event)
    );
    world.tell(&uuid::Uuid::now_v7().to_string(), event).await;
    assert_eq!(tasks(&ada, "inbox").await.len(), SAMPLES.len());
    assert_eq!(ada.get("/api/events").await.expect(200)["head"], 4);
    assert_eq!(settled(&world.app).await, 0);
    assert_eq!(world.smtp.got().len(), 1);
    // Even if the inbox has forgotten it: the tasks are there still.
    world
        .tell(id(&user), &uuid::Uuid::now_v7().to_string())
        .await;
    assert_eq!(ada.get("/api/events").await.expect(200)["head"], 4);
}

async fn one_click_removes_what_nobody_touched(world: Welcoming) {
    let ada = world.app.person("Ada").await;
    let found = samples(&ada).await;
    let touched = format!("/api/tasks/{}", id(&found[1]));
    ada.patch(&touched, json!({ "priority": "high" }))
        .await
        .status(200);
    let page = ada.get("/account").await;
    assert!(page.text.contains("action=\"/rpc/remove_samples\""));
    for _ in 0..2 {
        let answer = ada.form("/rpc/remove_samples", "/account", &[]).await;
        assert_eq!(answer.header("location"), "/account?done=samples");
    }
    let left = tasks(&ada, "inbox").await;
    assert_eq!((left.len(), &left[0]["id"]), (1, &found[1]["id"]));
    let trash = tasks(&ada, "trash").await;
    assert_eq!(trash.len(), 2);
    let page = ada.get("/account?done=samples").await;
    assert!(page.text.contains("The sample tasks are in the trash."));
    assert!(!page.text.contains("/rpc/remove_samples"));
    // It can be undone.
    let back = format!("/api/tasks/{}/restore", id(&trash[0]));
    ada.post(&back, json!({})).await.status(200);
    assert_eq!(tasks(&ada, "inbox").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_samples_only_the_mail_comes() {
    let world = Welcoming::with(false, false).await;
    let ada = world.app.person("Ada").await;
    let mail = soon(async || world.smtp.got().first().cloned()).await;
    assert!(!read(&mail.message).contains("Three tasks"));
    assert_eq!(ada.get("/api/events").await.expect(200)["head"], 0);
    let page = ada.get("/account").await;
    assert!(!page.text.contains("/rpc/remove_samples"));
}
