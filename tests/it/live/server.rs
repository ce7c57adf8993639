//! Sockets of a whole server.

use serde_json::{Value, json};

use super::tab::{Tab, titles};
use crate::kit::{Person, TestApp, on_each_database};

/// A tab of this person.
async fn open(app: &TestApp, person: &Person) -> Tab {
    let (name, value) = person.credential.as_ref().unwrap();
    Tab::open(&app.base, &[(*name, value)]).await.unwrap()
}

on_each_database!(TestApp:
    every_tab_sees_a_change_whoever_made_it,
);

async fn every_tab_sees_a_change_whoever_made_it(app: TestApp) {
    let ann = app.person("ann").await;
    let bob = app.person("bob").await;
    let program = ann.program().await;
    let mut tabs = [
        open(&app, &ann).await,
        open(&app, &ann).await,
        open(&app, &program).await,
    ];
    for tab in &mut tabs {
        tab.hello(Value::Null).await;
        tab.snapshot().await;
        tab.events_until_live(0).await;
    }
    bob.post("/api/tasks", json!({ "title": "Of Bob" }))
        .await
        .status(201);
    ann.post("/api/tasks", json!({ "title": "By hand" }))
        .await
        .status(201);
    program
        .post("/api/tasks", json!({ "title": "By program" }))
        .await
        .status(201);
    let feed = ann.get("/api/events?after=0").await.expect(200);
    for tab in &mut tabs {
        let items = tab.events_to(0, 2).await;
        assert_eq!(titles(&items), ["By hand", "By program"]);
        assert_eq!(Value::Array(items), feed["items"], "as the feed has it");
    }
}

#[tokio::test]
async fn sockets_are_opened_by_pages_of_ours_and_by_whoever_is_signed_in() {
    let app = TestApp::new().await;
    let ann = app.person("ann").await;
    let program = ann.program().await;
    let (_, cookie) = ann.credential.as_ref().unwrap();
    let (_, bearer) = program.credential.as_ref().unwrap();
    let cookie = ("Cookie", cookie.as_str());
    let bearer = ("Authorization", bearer.as_str());
    let ours = ("Origin", app.base.as_str());
    let theirs = ("Origin", "https://evil.example");
    type Case<'a> = (&'a [(&'static str, &'a str)], Option<u16>);
    let table: [Case<'_>; 11] = [
        (&[cookie], None),
        (&[cookie, ours], None),
        (&[cookie, theirs], Some(403)),
        (&[cookie, ("Origin", "null")], Some(403)),
        (&[cookie, ours, ("Sec-Fetch-Site", "same-origin")], None),
        (&[cookie, ours, ("Sec-Fetch-Site", "cross-site")], Some(403)),
        (&[bearer, theirs], None),
        (&[cookie, ("Authorization", "Bearer wrong")], Some(401)),
        (&[theirs], Some(403)),
        (&[ours], Some(401)),
        (&[], Some(401)),
    ];
    for (headers, refused) in table {
        let opened = Tab::open(&app.base, headers).await;
        assert_eq!(opened.err(), refused, "{headers:?}");
    }
    ann.get("/ws").await.refused(422, "validation_failed", &[]);
    app.nobody()
        .get("/ws")
        .await
        .refused(401, "unauthenticated", &[]);
}

#[tokio::test]
async fn a_tab_outlives_a_restart_and_misses_nothing() {
    let app = TestApp::new().await;
    let ann = app.person("ann").await;
    let mut tab = open(&app, &ann).await;
    let welcome = tab.hello(Value::Null).await;
    tab.snapshot().await;
    tab.events_until_live(0).await;
    ann.post("/api/tasks", json!({ "title": "Before" }))
        .await
        .status(201);
    tab.events_to(0, 1).await;
    let folder = app.stop().await;
    assert_eq!(tab.closed().await, 1012);

    let url = format!("sqlite://{}", folder.path().join("t.db").display());
    let app = TestApp::with(|config| config.database_url = url).await;
    let mut again = app.nobody();
    again.credential = ann.credential.clone();
    let ann = again;
    ann.post("/api/tasks", json!({ "title": "Meanwhile" }))
        .await
        .status(201);
    let mut tab = open(&app, &ann).await;
    tab.hello(json!({ "epoch": welcome["epoch"], "cursor": 1 }))
        .await;
    assert_eq!(titles(&tab.events_until_live(1).await), ["Meanwhile"]);
}

#[tokio::test]
async fn tabs_that_ask_are_told_how_many_they_are_and_others_are_not() {
    let app = TestApp::new().await;
    let ann = app.person("ann").await;
    let mut other = open(&app, &ann).await;
    other.hello(Value::Null).await;
    other.snapshot().await;
    other.events_until_live(0).await;
    let mut tabs = Vec::<Tab>::new();
    for count in 1..=3 {
        let mut tab = open(&app, &ann).await;
        tab.send(json!({ "t": "hello", "client_id": uuid::Uuid::now_v7(),
            "tab_id": uuid::Uuid::now_v7(), "resume": null, "tabs": true }))
            .await;
        assert_eq!(tab.frame().await["t"], "welcome");
        let told = tab.frame().await;
        assert_eq!(told, json!({ "t": "tabs", "count": count }));
        for before in &mut tabs {
            before.counts(count).await;
        }
        tabs.push(tab);
    }
    drop(tabs.pop());
    for tab in &mut tabs {
        tab.counts(2).await;
    }
    other.send(json!({ "t": "ping" })).await;
    assert_eq!(other.frame().await["t"], "pong");
}

#[tokio::test]
async fn no_socket_outlives_its_account() {
    let heartbeat = std::time::Duration::from_millis(200);
    let app = TestApp::with(|config| config.timing.heartbeat = heartbeat).await;
    let ann = app.person("ann").await;
    let program = ann.program().await;
    let mut tabs = [open(&app, &ann).await, open(&app, &program).await];
    for tab in &mut tabs {
        tab.send(json!({ "t": "hello", "client_id": uuid::Uuid::now_v7(), "tab_id": uuid::Uuid::now_v7() })).await;
    }
    let body = json!({ "password": crate::kit::PASSWORD }).to_string();
    let headers = [("content-type", "application/json")];
    ann.send("DELETE", "/api/me", &headers, body)
        .await
        .status(204);
    for tab in &mut tabs {
        assert_eq!(tab.closed().await, 4001);
    }
}
