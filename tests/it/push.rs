//! What browsers are told with every tab closed, by a push service that reads it.

mod service;

use std::pin::pin;

use serde_json::{Value, json};
use tidings::{
    mail::{Smtp, sender},
    metrics::Metrics,
    push::{self, Reach},
    queue,
    store::{Notice, QueueDepth},
};
use tidings_domain::{
    id::{EventId, UserId},
    notice::{Channels, Kind},
};
use tokio::{io::AsyncReadExt, net::TcpListener};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::service::{Browser, Mood, PushService, claims};
use crate::{
    kit::{Person, TestApp, on_each_database},
    mail::turn_on,
    notifications::{reminder, soon},
    postgres,
};

on_each_database!(Near:
    a_reminder_reaches_a_browser,
    a_browser_that_is_gone_is_forgotten,
);

/// A server whose push services may be on this machine.
struct Near(TestApp);

impl Near {
    async fn new() -> Self {
        Self(TestApp::with(|config| config.push = Reach { loopback: true }).await)
    }

    async fn on_postgres() -> Self {
        let url = postgres::database().await;
        let app = TestApp::with(|config| {
            config.push = Reach { loopback: true };
            config.database_url = url;
            // Nobody is there; the welcome waits.
            let from = sender("Tidings <push@mail.test>").unwrap();
            config.smtp = Some(Smtp::new("smtp://127.0.0.1:1", from).unwrap());
        });
        Self(app.await)
    }
}

const SUBSCRIPTIONS: &str = "/api/push/subscriptions";

/// Has a browser of somebody told.
async fn subscribed(person: &Person, service: &PushService, name: &str) -> Browser {
    let browser = Browser::at(format!("{}/{name}", service.base));
    let told = person.post(SUBSCRIPTIONS, browser.subscription()).await;
    told.status(204);
    browser
}

async fn unsubscribe(person: &Person, endpoint: &str) -> crate::kit::Answer {
    let json = [("content-type", "application/json")];
    let body = json!({ "endpoint": endpoint }).to_string();
    person.send("DELETE", SUBSCRIPTIONS, &json, body).await
}

/// Waits until nothing waits; how much was set aside.
async fn settled(app: &TestApp) -> i64 {
    soon(async || {
        let depth = app.inside.store.push_depth().await.unwrap();
        (depth.waiting == 0).then_some(depth.aside)
    })
    .await
}

/// Waits until what waits could not be sent so often.
async fn failures(app: &TestApp, least: i64) {
    let sql = "SELECT max(attempts) FROM pushes WHERE aside = 0";
    soon(async || {
        let mut database = app.database().await;
        let attempts = sqlx::query_scalar::<_, Option<i64>>(sql);
        let attempts = attempts.fetch_one(&mut database).await.unwrap();
        attempts.filter(|attempts| *attempts >= least)
    })
    .await;
}

/// Waits until metrics have a line.
async fn counted(app: &TestApp, line: &str) {
    soon(async || {
        let metrics = app.sidecar().get("/metrics").await.text;
        metrics.contains(line).then_some(())
    })
    .await;
}

async fn a_reminder_reaches_a_browser(Near(app): Near) {
    let service = PushService::start().await;
    let ada = app.person("Ada").await;
    let (phone, desk) = (
        subscribed(&ada, &service, "phone").await,
        subscribed(&ada, &service, "desk").await,
    );
    let told = reminder(&app, &ada).await;
    assert_eq!(settled(&app).await, 0);
    let got = service.got();
    assert_eq!(got.len(), 2);
    let key = ada.get("/api/push/key").await.expect(200);
    let key = key["key"].as_str().unwrap();
    for browser in [&phone, &desk] {
        let path = &browser.endpoint[service.base.len()..];
        let it = got.iter().find(|got| got.path == path).unwrap();
        let task = told["task_id"].as_str().unwrap();
        assert_eq!(
            browser.read(it),
            json!({ "id": told["id"], "title": told["title"], "body": told["body"],
                "path": format!("/tasks/{task}") })
        );
        let claims = claims(it, key);
        assert_eq!(claims["aud"], service.base);
        let valid = claims["exp"].as_i64().unwrap() - app.inside.ambient.clock.now().0 / 1_000;
        assert!((3_600..86_400).contains(&valid), "{valid}");
        let contact = match app.inside.config.smtp {
            Some(_) => json!("mailto:push@mail.test"),
            None => Value::Null,
        };
        assert_eq!(claims["sub"], contact);
        let ttl: i64 = it.header("ttl").parse().unwrap();
        assert!((86_000..=86_400).contains(&ttl), "{ttl}");
        assert_eq!(it.header("urgency"), "high");
        let topic = it.header("topic");
        assert!(topic.len() == 32 && topic != task.replace('-', ""));
        // Neither the text nor whose it is can be read on the way.
        let body = String::from_utf8_lossy(&it.body);
        assert!(!body.contains("Secret") && !body.contains(task));
    }
    assert_ne!(got[0].header("topic"), got[1].header("topic"));
    // What is not wanted from the browser does not go there.
    let quiet = json!({ "reminder": { "app": true, "browser": false, "mail": false } });
    ada.put("/api/me/notifications", quiet).await.status(200);
    reminder(&app, &ada).await;
    let none = QueueDepth::default();
    assert_eq!(app.inside.store.push_depth().await.unwrap(), none);
    assert_eq!(service.got().len(), 2);
}

async fn a_browser_that_is_gone_is_forgotten(Near(app): Near) {
    let service = PushService::start().await;
    let ada = app.person("Ada").await;
    let phone = subscribed(&ada, &service, "phone").await;
    for status in [410, 404] {
        service.be(&[Mood::Says(status)]);
        reminder(&app, &ada).await;
        assert_eq!(settled(&app).await, 0);
        unsubscribe(&ada, &phone.endpoint)
            .await
            .refused(404, "not_found", &[]);
        reminder(&app, &ada).await;
        let waiting = app.inside.store.push_depth().await.unwrap().waiting;
        assert_eq!(waiting, 0);
        let again = ada.post(SUBSCRIPTIONS, phone.subscription()).await;
        again.status(204);
    }
    assert_eq!(service.got().len(), 2);
    reminder(&app, &ada).await;
    assert_eq!(settled(&app).await, 0);
    assert_eq!(service.got().len(), 3);
    counted(&app, "tidings_pushes_sent_total{outcome=\"gone\"} 2").await;
    counted(&app, "tidings_pushes_sent_total{outcome=\"sent\"} 1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passing_faults_are_tried_again_and_final_ones_set_aside() {
    let service = PushService::start().await;
    let Near(app) = Near::new().await;
    let ada = app.person("Ada").await;
    let phone = subscribed(&ada, &service, "phone").await;
    service.be(&[Mood::Says(500), Mood::Busy(3_000), Mood::Says(503)]);
    let told = reminder(&app, &ada).await;
    failures(&app, 1).await;
    // What comes meanwhile does not overtake it.
    let next = reminder(&app, &ada).await;
    turn_on(&app, 20);
    failures(&app, 2).await;
    // Longer than it waits by itself: it was asked to.
    let due = soon(async || {
        let mut database = app.database().await;
        let sql = "SELECT min(due_at) FROM pushes WHERE attempts = 2";
        let due = sqlx::query_scalar::<_, Option<i64>>(sql);
        due.fetch_one(&mut database).await.unwrap()
    })
    .await;
    let wait = due - app.inside.ambient.clock.now().0;
    assert!((2_000_000..=3_000_000).contains(&wait), "{wait}");
    turn_on(&app, 80);
    failures(&app, 3).await;
    turn_on(&app, 120);
    assert_eq!(settled(&app).await, 0);
    let got = service.got();
    assert_eq!(got.len(), 5);
    for (got, told) in got.iter().zip([&told, &told, &told, &told, &next]) {
        assert_eq!(phone.read(got)["id"], told["id"]);
    }
    // Less of its day is left.
    let ttl: i64 = got[3].header("ttl").parse().unwrap();
    assert!(ttl <= 86_400 - 119 * 60, "{ttl}");
    // It refuses, or leads elsewhere, where nobody follows.
    for (n, status) in [(1, 400), (2, 302), (3, 413)] {
        service.be(&[Mood::Says(status)]);
        reminder(&app, &ada).await;
        assert_eq!(settled(&app).await, n);
    }
    assert!(service.got().iter().all(|got| got.path == "/phone"));
    let aside = app.inside.store.pushes_unsent(0, 10).await.unwrap();
    assert!(aside[0].error.starts_with("400"), "{aside:?}");
    assert!(aside.iter().all(|aside| aside.error.len() < 300));
    assert!(!format!("{aside:?}").contains("/phone"));
    counted(&app, "tidings_pushes_aside 3").await;
    counted(&app, "tidings_pushes_sent_total{outcome=\"aside\"} 3").await;
    counted(&app, "tidings_pushes_sent_total{outcome=\"retry\"} 3").await;
    // An operator has one sent once more.
    let now = app.inside.ambient.clock.now();
    let back = app
        .inside
        .store
        .put_pushes_back(Some(aside[0].n), now)
        .await;
    assert_eq!(back.unwrap(), 1);
    assert_eq!(settled(&app).await, 2);
    assert_eq!(service.got().len(), 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_told_of_yesterday_or_of_what_is_read() {
    let service = PushService::start().await;
    let Near(app) = Near::new().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    subscribed(&ada, &service, "ada").await;
    subscribed(&bob, &service, "bob").await;
    service.be(&[Mood::Says(500), Mood::Says(500)]);
    let told = reminder(&app, &ada).await;
    failures(&app, 1).await;
    reminder(&app, &bob).await;
    soon(async || (service.got().len() == 2).then_some(())).await;
    let read = format!("/api/notifications/{}/read", told["id"].as_str().unwrap());
    ada.post(&read, json!({})).await.status(200);
    turn_on(&app, 25 * 60);
    assert_eq!(settled(&app).await, 0);
    assert_eq!(service.got().len(), 2);
    counted(&app, "tidings_pushes_sent_total{outcome=\"moot\"} 2").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_service_holds_nobody_else_up() {
    let (slow, quick) = (PushService::start().await, PushService::start().await);
    slow.be(&[Mood::Silent; 50]);
    let Near(app) = Near::new().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    for n in 0..5 {
        subscribed(&ada, &slow, &n.to_string()).await;
    }
    subscribed(&bob, &quick, "bob").await;
    // Both in one turn of the sender, and then one that comes while it waits.
    let (_, _) = tokio::join!(reminder(&app, &ada), reminder(&app, &bob));
    soon(async || (slow.got().len() == 5).then_some(())).await;
    reminder(&app, &bob).await;
    soon(async || (quick.got().len() == 2).then_some(())).await;
    let list = bob.get("/api/notifications").await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    // Told to stop, it does, and what it did not get to is sent by the next.
    drop(app.stop().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_service_has_so_many_requests_at_once_and_no_more() {
    let (slow, quick) = (PushService::start().await, PushService::start().await);
    slow.be(&[Mood::Silent; 50]);
    // Nobody sends but the test.
    let app = TestApp::with(|config| {
        config.push = Reach { loopback: true };
        config.roles = "web".parse().unwrap();
    });
    let app = app.await;
    let (store, clock) = (app.inside.store.clone(), app.inside.ambient.clock.clone());
    for name in ["Ada", "Cem", "Bob"] {
        let person = app.person(name).await;
        match name {
            "Bob" => drop(subscribed(&person, &quick, "bob").await),
            _ => {
                for n in 0..10 {
                    subscribed(&person, &slow, &format!("{name}{n}")).await;
                }
            }
        }
        let me = person.get("/api/me").await.expect(200);
        let notice = Notice {
            event_id: EventId(Uuid::now_v7()),
            user_id: UserId(me["id"].as_str().unwrap().parse().unwrap()),
            kind: Kind::Streak,
            task_id: None,
            remind_at: None,
            channels: Channels::ALL,
            title: "3 days".into(),
            body: "On each.".into(),
            subject: "3 days".into(),
            traceparent: None,
        };
        store.notify(&[notice], &[]).await.unwrap();
    }
    let vapid = push::signer(&*store, &app.inside.config).await.unwrap();
    let metrics = Metrics::new(app.inside.hub.wakes());
    let reach = Reach { loopback: true };
    let sender = push::Sender::new(store.clone(), clock, metrics, vapid, reach).unwrap();
    let stop = CancellationToken::new();
    let mut turn = pin!(queue::turn(&sender, &stop));
    tokio::select! {
        done = turn.as_mut() => panic!("nobody was slow: {done:?}"),
        () = soon(async || (quick.got().len() == 1).then_some(())) => {}
    }
    assert!(slow.got().len() <= 16, "{}", slow.got().len());
    assert_eq!(turn.await.unwrap(), 21);
    // Whoever found no place is put off, and not lost.
    assert_eq!(slow.got().len(), 16);
    let depth = store.push_depth().await.unwrap();
    assert_eq!((depth.waiting, depth.aside), (20, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_everybody_reaches_is_called() {
    let inside = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = inside.local_addr().unwrap().port();
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    for endpoint in [
        format!("http://127.0.0.1:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        format!("https://[::1]:{port}/"),
        "http://push.example/".into(),
        "https://10.0.0.1/".into(),
        "https://169.254.169.254/latest/meta-data".into(),
        format!("https://push.example/{}", "a".repeat(2_000)),
    ] {
        let browser = Browser::at(endpoint).subscription();
        let refused = ada.post(SUBSCRIPTIONS, browser).await;
        refused.refused(422, "validation_failed", &["endpoint"]);
    }
    // A name is looked up when it is called.
    let browser = Browser::at(format!("https://localhost:{port}/"));
    let told = ada.post(SUBSCRIPTIONS, browser.subscription()).await;
    told.status(204);
    reminder(&app, &ada).await;
    assert_eq!(settled(&app).await, 0);
    counted(&app, "tidings_pushes_sent_total{outcome=\"closed\"} 1").await;
    tokio::select! {
        biased;
        _ = inside.accept() => panic!("somebody within was called"),
        () = std::future::ready(()) => {}
    }
    unsubscribe(&ada, &browser.endpoint)
        .await
        .refused(404, "not_found", &[]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_said_before_tls() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let Near(app) = Near::new().await;
    let ada = app.person("Ada").await;
    let browser = Browser::at(format!("https://localhost:{port}/"));
    let told = ada.post(SUBSCRIPTIONS, browser.subscription()).await;
    told.status(204);
    let (_, mut stream) = tokio::join!(reminder(&app, &ada), async {
        listener.accept().await.unwrap().0
    });
    let mut hello = [0; 6];
    stream.read_exact(&mut hello).await.unwrap();
    // A handshake, and in it a greeting.
    assert_eq!((hello[0], hello[5]), (22, 1));
    drop((stream, listener));
    failures(&app, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_is_told_while_its_person_is_signed_in() {
    let service = PushService::start().await;
    let Near(app) = Near::new().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let program = ada.program().await;
    let phone = Browser::at(format!("{}/phone", service.base));
    let body = phone.subscription();
    program
        .post(SUBSCRIPTIONS, body.clone())
        .await
        .refused(403, "forbidden", &[]);
    unsubscribe(&program, &phone.endpoint)
        .await
        .refused(403, "forbidden", &[]);
    for (path, value, field) in [
        ("/endpoint", json!(null), "endpoint"),
        ("/endpoint", json!(7), "endpoint"),
        ("/keys/auth", json!("AAAA"), "keys"),
        ("/keys/p256dh", json!("A".repeat(87)), "keys"),
        ("/keys/p256dh", json!("A".repeat(100_000)), "keys"),
        ("/keys/p256dh", json!(null), "keys.p256dh"),
    ] {
        let mut wrong = body.clone();
        *wrong.pointer_mut(path).unwrap() = value;
        let refused = ada.post(SUBSCRIPTIONS, wrong).await;
        refused.refused(422, "validation_failed", &[field]);
    }
    let mut more = body.clone();
    more["user_id"] = json!("x");
    let refused = ada.post(SUBSCRIPTIONS, more).await;
    refused.refused(422, "validation_failed", &["user_id"]);
    // Another page cannot, nor another person end it.
    let foreign = [
        ("content-type", "application/json"),
        ("origin", "https://elsewhere.example"),
    ];
    let forged = ada.send("POST", SUBSCRIPTIONS, &foreign, body.to_string());
    forged.await.refused(403, "forbidden", &[]);
    ada.post(SUBSCRIPTIONS, body.clone()).await.status(204);
    unsubscribe(&bob, &phone.endpoint)
        .await
        .refused(404, "not_found", &[]);
    reminder(&app, &ada).await;
    assert_eq!(settled(&app).await, 0);
    assert_eq!(service.got().len(), 1);
    // It goes with the session, and to whoever is signed in there then.
    ada.post("/api/auth/logout", json!({})).await.status(204);
    bob.post(SUBSCRIPTIONS, body).await.status(204);
    let told = reminder(&app, &bob).await;
    assert_eq!(settled(&app).await, 0);
    assert_eq!(phone.read(&service.got()[1])["id"], told["id"]);
    unsubscribe(&bob, &phone.endpoint).await.status(204);
    reminder(&app, &bob).await;
    let waiting = app.inside.store.push_depth().await.unwrap().waiting;
    assert_eq!((waiting, service.got().len()), (0, 2));
}
