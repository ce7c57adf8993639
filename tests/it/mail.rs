//! Mail, to a server that talks SMTP.

mod peer;
pub(crate) mod server;
mod trust;

use serde_json::{Value, json};
use tidings::{
    config::Config,
    mail::{Smtp, sender},
};

use self::server::{Mood, SmtpServer};
use crate::{
    kit::{Person, TestApp},
    notifications::{reminder, soon},
    postgres,
};

/// A server whose mail goes there; nobody is welcomed.
pub(crate) async fn app(smtp: &SmtpServer, postgres: bool) -> TestApp {
    let roles = "web,live,audit,recurring,reminders,notifications,analytics";
    app_with(smtp, postgres, |config| {
        config.roles = roles.parse().unwrap()
    })
    .await
}

/// A server whose mail goes there, and whose configuration is another.
pub(crate) async fn app_with(
    smtp: &SmtpServer,
    postgres: bool,
    change: impl FnOnce(&mut Config),
) -> TestApp {
    let from = sender("Tidings <tidings@mail.test>").unwrap();
    let smtp = Smtp::new(&smtp.url, from).unwrap();
    let url = match postgres {
        true => Some(postgres::database().await),
        false => None,
    };
    TestApp::with(|config| {
        config.smtp = Some(smtp);
        config.public_url = Some("http://tidings.test".parse().unwrap());
        if let Some(url) = url {
            config.database_url = url;
        }
        change(config);
    })
    .await
}

/// A header of a message, unfolded.
pub(crate) fn header(message: &str, name: &str) -> String {
    let head = message.split("\n\n").next().unwrap().replace("\n ", " ");
    let prefix = format!("{name}: ");
    let found = head.lines().find_map(|line| line.strip_prefix(&prefix));
    found
        .unwrap_or_else(|| panic!("no {name} in {head}"))
        .to_owned()
}

/// The text of a message, as it is read.
pub(crate) fn read(message: &str) -> String {
    message.replace("=\n", "").replace("=3D", "=")
}

/// Turns the clock on from where the machine's is.
pub(crate) fn turn_on(app: &TestApp, minutes: i64) {
    use tidings::clock::Clock as _;
    let now = tidings::clock::SystemClock.now().plus_ms(minutes * 60_000);
    app.clock.set(&now.to_string());
}

/// Waits until all mail is sent or set aside; how much is.
pub(crate) async fn settled(app: &TestApp) -> i64 {
    soon(async || {
        let depth = app.inside.store.mail_depth().await.unwrap();
        (depth.waiting == 0).then_some(depth.aside)
    })
    .await
}

/// Waits until the mail that waits could not be sent so often.
async fn failures(app: &TestApp, least: i64) {
    let sql = "SELECT attempts FROM mails WHERE aside = 0 AND due_at > created_at";
    soon(async || {
        let mut database = app.database().await;
        let attempts = sqlx::query_scalar(sql).fetch_optional(&mut database).await;
        attempts
            .unwrap()
            .filter(|attempts: &i64| *attempts >= least)
    })
    .await;
}

async fn a_reminder_comes_by_mail(postgres: bool) {
    let smtp = SmtpServer::start(Mood::Kind).await;
    let app = app(&smtp, postgres).await;
    let ada = app.person("Ada").await;
    let told = reminder(&app, &ada).await;
    let got = soon(async || smtp.got().first().cloned()).await;
    assert_eq!(got.to, "Ada@example.com");
    assert_eq!(header(&got.message, "Subject"), "Reminder: Secret reminder");
    assert_eq!(header(&got.message, "From"), "Tidings <tidings@mail.test>");
    assert_eq!(header(&got.message, "To"), "Ada <Ada@example.com>");
    assert!(header(&got.message, "Message-ID").ends_with("@mail.test>"));
    assert_eq!(
        header(&got.message, "List-Unsubscribe-Post"),
        "List-Unsubscribe=One-Click"
    );
    let parts = read(&got.message);
    let task = told["task_id"].as_str().unwrap();
    let link = format!("http://tidings.test/tasks/{task}");
    assert!(
        parts.contains("text/plain") && parts.contains("text/html"),
        "{parts}"
    );
    assert_eq!(parts.matches(&link).count(), 2, "{parts}");
    assert_eq!(settled(&app).await, 0);
    // The link unsubscribes: to look at it changes nothing, one POST of nobody does.
    let link = header(&got.message, "List-Unsubscribe");
    let link = link
        .trim_matches(['<', '>'])
        .strip_prefix("http://tidings.test");
    let link = link.unwrap();
    assert!(parts.contains(&link.replace('&', "&amp;")));
    let nobody = app.nobody();
    let page = nobody.get(link).await;
    assert!(
        page.text.contains("No more mail about reminders?"),
        "{}",
        page.text
    );
    page.status(200);
    let settings =
        async |person: &Person| -> Value { person.get("/api/me/notifications").await.expect(200) };
    assert_eq!(settings(&ada).await["reminder"]["mail"], true);
    let one_click = "List-Unsubscribe=One-Click".to_owned();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for wrong in [
        link.replace("reminder", "streak"),
        format!("{link}x"),
        link.replace("key", "k"),
    ] {
        nobody.get(&wrong).await.status(404);
        nobody
            .send("POST", &wrong, &form, one_click.clone())
            .await
            .status(404);
    }
    nobody
        .send("POST", link, &form, one_click)
        .await
        .status(200);
    let all = json!({ "app": true, "browser": true, "mail": false });
    assert_eq!(settings(&ada).await["reminder"], all);
    reminder(&app, &ada).await;
    assert_eq!(settled(&app).await, 0);
    assert_eq!(smtp.got().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reminder_comes_by_mail_on_sqlite() {
    a_reminder_comes_by_mail(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reminder_comes_by_mail_on_postgres() {
    a_reminder_comes_by_mail(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passing_faults_are_tried_again_and_final_ones_set_aside() {
    let smtp = SmtpServer::start(Mood::Busy).await;
    let app = app(&smtp, false).await;
    let ada = app.person("Ada").await;
    reminder(&app, &ada).await;
    failures(&app, 1).await;
    // Who does not know us, or hangs up, may think better of it.
    for (n, mood) in [
        (2, Mood::Strict),
        (3, Mood::Drops),
        (4, Mood::Closed),
        (5, Mood::Doubts),
        (6, Mood::Grumbles),
    ] {
        smtp.be(mood);
        turn_on(&app, 20 * n);
        failures(&app, n).await;
    }
    smtp.be(Mood::Slow);
    turn_on(&app, 140);
    assert_eq!(settled(&app).await, 0);
    // What was dropped had come all the same: it is the same mail.
    let got = smtp.got();
    assert_eq!(got.len(), 2);
    let id = |n: usize| header(&got[n].message, "Message-ID");
    assert_eq!(id(0), id(1));
    smtp.be(Mood::Refuses);
    reminder(&app, &ada).await;
    assert_eq!(settled(&app).await, 1);
    let metrics = app.sidecar().get("/metrics").await.text;
    for line in [
        "tidings_mails_aside 1",
        "tidings_mails_pending 0",
        "tidings_mails_sent_total{outcome=\"sent\"} 1",
        "tidings_mails_sent_total{outcome=\"retry\"} 6",
        "tidings_mails_sent_total{outcome=\"aside\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    let aside = app.inside.store.mails_unsent(0, 10).await.unwrap();
    assert!(aside[0].error.contains("no such mailbox"), "{aside:?}");
    // An operator has it sent once more.
    smtp.be(Mood::Kind);
    let now = app.inside.ambient.clock.now();
    let back = app.inside.store.put_mails_back(Some(aside[0].n), now).await;
    assert_eq!(back.unwrap(), 1);
    assert_eq!(settled(&app).await, 0);
    assert_eq!(smtp.got().len(), 3);
    // One that took mail may refuse one for whatever reason; but hardly each.
    smtp.be(Mood::Grumbles);
    reminder(&app, &ada).await;
    assert_eq!(settled(&app).await, 1);
    reminder(&app, &ada).await;
    failures(&app, 1).await;
    smtp.be(Mood::Kind);
    turn_on(&app, 160);
    assert_eq!(settled(&app).await, 1);
    assert_eq!(smtp.got().len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_reminded_late_of_what_is_done() {
    let smtp = SmtpServer::start(Mood::Busy).await;
    let app = app(&smtp, false).await;
    let ada = app.person("Ada").await;
    let told = reminder(&app, &ada).await;
    failures(&app, 1).await;
    let complete = format!("/api/tasks/{}/complete", told["task_id"].as_str().unwrap());
    ada.patch(&complete, json!({})).await.status(200);
    smtp.be(Mood::Kind);
    turn_on(&app, 20);
    assert_eq!(settled(&app).await, 0);
    assert!(smtp.got().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_server_holds_nobody_else_up() {
    let smtp = SmtpServer::start(Mood::Slow).await;
    let app = app(&smtp, false).await;
    let ada = app.person("Ada").await;
    for _ in 0..10 {
        reminder(&app, &ada).await;
    }
    let list = ada.get("/api/notifications").await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 10);
    assert!(smtp.got().len() < 10);
    // Told to stop, it does, and what it did not get to is sent by the next.
    let folder = app.stop().await;
    drop(folder);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_server_mail_goes_nowhere() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    reminder(&app, &ada).await;
    assert_eq!(settled(&app).await, 0);
}
