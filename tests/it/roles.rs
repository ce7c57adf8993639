//! What each role makes of a person's first morning, by either transport and on either database.

use serde_json::{Value, json};
use tidings::{consumers::Role, service::tasks::samples::SAMPLES};
use tidings_domain::series::next_id;

use crate::{
    dapr::kit::{Place, Replica},
    kit::Person,
    mail::{
        app_with, header,
        server::{Mood, SmtpServer},
    },
    notifications::soon,
    rest::stats::{once, sum},
};

/// The subjects of what was sent, in order of the alphabet.
fn subjects(smtp: &SmtpServer) -> Vec<String> {
    let got = smtp.got();
    let mut subjects: Vec<_> = got.iter().map(|m| header(&m.message, "Subject")).collect();
    subjects.sort_unstable();
    subjects
}

async fn items(person: &Person, path: &str) -> Vec<Value> {
    let list = person.get(path).await.expect(200);
    list["items"].as_array().unwrap().clone()
}

/// A server at `base`, whose sidecar would reach it at `side`, and whose mail goes to `smtp`.
async fn each_role_has_its_effect(base: &str, side: &str, smtp: &SmtpServer) {
    let ada = Person::registered(base, "Ada").await;
    let side = Person::at(side);

    // Who signs up is welcomed, and that is recorded.
    let welcomed = soon(async || {
        let tasks = items(&ada, "/api/tasks?view=inbox").await;
        (tasks.len() == SAMPLES.len()).then_some(tasks)
    });
    for (task, sample) in welcomed.await.iter().zip(&SAMPLES) {
        assert_eq!(task["title"], sample.title);
    }
    soon(async || (subjects(smtp) == ["Welcome to Tidings"]).then_some(())).await;

    // What is done and repeats comes again, and is counted.
    let task =
        json!({ "title": "Water the plants", "due_date": "2026-01-01", "recurrence": "daily" });
    let task = ada.post("/api/tasks", task).await.expect(201);
    let id = task["id"].as_str().unwrap();
    let path = format!("/api/tasks/{id}/complete");
    ada.patch(&path, json!({})).await.status(200);
    let next = format!("/api/tasks/{}", next_id(id.parse().unwrap()));
    let next = soon(async || {
        let answer = ada.get(&next).await;
        (answer.code == 200).then(|| answer.expect(200))
    });
    let next = next.await;
    assert_eq!(
        (&next["series_id"], &next["completed"]),
        (&task["id"], &json!(false))
    );
    let counts = |stats: &Value| (sum(&stats["created"]), sum(&stats["completed"]));
    once(&ada, "/api/stats", |stats| counts(stats) == (5, 1)).await;

    // What is due is told of, in the app and by mail.
    let task = json!({ "title": "Call mom", "remind_at": "2026-01-01T12:00:00Z" });
    let task = ada.post("/api/tasks", task).await.expect(201);
    side.post("/reminder-cron", json!({})).await.status(200);
    let told = soon(async || items(&ada, "/api/notifications").await.first().cloned()).await;
    assert_eq!(
        (&told["kind"], &told["task_id"]),
        (&json!("reminder"), &task["id"])
    );
    let both = ["Reminder: Call mom", "Welcome to Tidings"];
    soon(async || (subjects(smtp) == both).then_some(())).await;

    // All of it stands in the trail: the sign-up and its session, six tasks, one of them done.
    let trail = soon(async || {
        let trail = items(&ada, "/api/audit").await;
        (trail.len() == 9).then_some(trail)
    });
    let of = |kind: &str, trail: &[Value]| {
        let of = trail.iter().filter(|row| row["event_type"] == kind);
        of.count()
    };
    let trail = trail.await;
    assert_eq!(
        ["user.registered", "task.created", "task.completed"].map(|kind| of(kind, &trail)),
        [1, 6, 1]
    );
    // Each was told, the one too whose effect a commit here may have had before.
    for role in Role::CONSUMERS {
        let consumer = role.as_str();
        let line = format!("{{consumer=\"{consumer}\",outcome=\"success\"}} ");
        soon(async || {
            let text = side.get("/metrics").await.text;
            let mut lines = text.lines().filter(|l| l.contains("events_consumed_total"));
            lines.find_map(|l| {
                l.split_once(&line)?
                    .1
                    .parse::<u64>()
                    .ok()
                    .filter(|n| *n > 0)
            })
        })
        .await;
    }
}

async fn in_process(postgres: bool) {
    let smtp = SmtpServer::start(Mood::Kind).await;
    let app = app_with(&smtp, postgres, |config| config.sample_tasks = true).await;
    each_role_has_its_effect(&app.base, &app.side, &smtp).await;
}

async fn by_dapr(place: Place) {
    let smtp = SmtpServer::start(Mood::Kind).await;
    let variables = [
        ("SAMPLE_TASKS", "true"),
        ("SMTP_URL", &*smtp.url),
        ("MAIL_FROM", "tidings@mail.test"),
    ];
    let replica = Replica::start(&place, "one", &variables).await;
    each_role_has_its_effect(&replica.base, &replica.side(), &smtp).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_has_its_effect_in_process_on_sqlite() {
    in_process(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_has_its_effect_in_process_on_postgres() {
    in_process(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_has_its_effect_by_dapr_on_sqlite() {
    by_dapr(Place::new().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_has_its_effect_by_dapr_on_postgres() {
    by_dapr(Place::on_postgres().await).await;
}
