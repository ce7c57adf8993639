//! What a socket is closed for, and who may not open one.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tidings::http::ws::Timing;
use tidings_domain::event::EventType;
use tidings_domain::{
    command::{Command, TaskPatch},
    id::TaskId,
};
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use super::tab::{DEADLINE, Tab, titles};
use crate::desk::{Desk, loose};

#[tokio::test]
async fn what_is_no_frame_closes_the_socket() {
    let desk = Desk::new().await;
    let ann = desk.person("ann").await;
    let bad = [
        Message::text("hello"),
        Message::text(r#"{"t":"shout"}"#),
        Message::text(r#"{"t":"sync","cursor":-1}"#),
        Message::text(r#"{"t":"sync"}"#),
        Message::text(r#"[]"#),
        Message::binary(&b"{\"t\":\"ping\"}"[..]),
        Message::text(format!(
            r#"{{"t":"ping","pad":"{}"}}"#,
            "x".repeat(64 * 1024)
        )),
    ];
    for message in bad {
        let mut tab = desk.open(&ann).await;
        tab.hello(desk.resume(0)).await;
        tab.events_until_live(0).await;
        tab.ws.send(message.clone()).await.unwrap();
        assert_eq!(tab.closed().await, 4000, "{message:?}");
        let mut tab = desk.open(&ann).await;
        tab.ws.send(message.clone()).await.unwrap();
        assert_eq!(tab.closed().await, 4000, "before the hello: {message:?}");
    }
    let mut tab = desk.open(&ann).await;
    tab.send(json!({ "t": "sync", "cursor": 0 })).await;
    assert_eq!(tab.closed().await, 4000, "before the hello");
}

#[tokio::test]
async fn a_tab_that_asks_too_fast_is_closed() {
    let desk = Desk::new().await;
    let ann = desk.person("ann").await;
    let mut tab = desk.open(&ann).await;
    tab.hello(desk.resume(0)).await;
    for _ in 0..1_000 {
        // Fails once the server has closed.
        if tab.ws.send(Message::text(r#"{"t":"ping"}"#)).await.is_err() {
            break;
        }
    }
    assert_eq!(tab.closed().await, 4008);
}

#[tokio::test]
async fn a_tab_that_asks_to_go_on_too_often_is_closed() {
    let desk = Desk::new().await;
    let ann = desk.person("ann").await;
    let mut tab = desk.open(&ann).await;
    tab.hello(desk.resume(0)).await;
    tab.events_until_live(0).await;
    for _ in 0..3 {
        tab.send(json!({ "t": "sync", "cursor": 0 })).await;
        tab.events_until_live(0).await;
    }
    for _ in 0..100 {
        let sync = Message::text(r#"{"t":"sync","cursor":0}"#);
        // Fails once the server has closed.
        if tab.ws.send(sync).await.is_err() {
            break;
        }
    }
    assert_eq!(tab.closed().await, 4008);
}

#[tokio::test]
async fn silence_closes_the_socket_and_signs_of_life_keep_it() {
    let timing = Timing {
        hello: Duration::from_millis(300),
        heartbeat: Duration::from_millis(100),
        ..Timing::default()
    };
    let desk = Desk::with(timing).await;
    let ann = desk.person("ann").await;
    let mut mute = desk.open(&ann).await;
    assert_eq!(mute.closed().await, 4008, "no hello");

    let (mut silent, mut lively) = (desk.open(&ann).await, desk.open(&ann).await);
    silent.hello(desk.resume(0)).await;
    lively.hello(desk.resume(0)).await;
    lively.events_until_live(0).await;
    let mut pings = tokio::time::interval(Duration::from_millis(50));
    let closed = silent.closed();
    tokio::pin!(closed);
    loop {
        tokio::select! {
            code = &mut closed => break assert_eq!(code, 4008),
            _ = pings.tick() => {
                lively.send(json!({ "t": "ping" })).await;
                assert_eq!(lively.frame().await["t"], "pong");
            }
        }
    }
    lively.send(json!({ "t": "ping" })).await;
    assert_eq!(lively.frame().await["t"], "pong");
}

#[tokio::test]
async fn a_socket_does_not_outlive_its_session() {
    let timing = Timing {
        heartbeat: Duration::from_millis(200),
        ..Timing::default()
    };
    let desk = Desk::with(timing).await;
    let ann = desk.person("ann").await;
    let mut tab = desk.open(&ann).await;
    tab.hello(desk.resume(0)).await;
    let event = loose(EventType::LoggedOut, ann.id);
    desk.store
        .end_session(&ann.session, ann.id, false, &event)
        .await
        .unwrap();
    assert_eq!(tab.closed().await, 4001);
    let refused = Tab::open(&desk.base, &[("Cookie", &ann.cookie)]).await;
    assert_eq!(refused.err(), Some(401));
}

#[tokio::test]
async fn twenty_sockets_are_enough() {
    let desk = Desk::new().await;
    let ann = desk.person("ann").await;
    let mut tabs = Vec::new();
    for _ in 0..20 {
        let mut tab = desk.open(&ann).await;
        tab.hello(desk.resume(0)).await;
        tab.events_until_live(0).await;
        tabs.push(tab);
    }
    let mut one_more = desk.open(&ann).await;
    assert_eq!(one_more.closed().await, 4008);
    let mut of_bob = desk.open(&desk.person("bob").await).await;
    of_bob.hello(desk.resume(0)).await;

    desk.add(&ann, "One").await;
    for tab in &mut tabs {
        assert_eq!(titles(&tab.events_to(0, 1).await), ["One"]);
    }
    let mut closing = tabs.pop().unwrap();
    closing.ws.close(None).await.unwrap();
    let deadline = Instant::now() + DEADLINE;
    while desk.hub.sockets() > 20 {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut again = desk.open(&ann).await;
    again.hello(desk.resume(0)).await;
}

#[tokio::test]
async fn a_server_that_stops_says_so() {
    let desk = Desk::new().await;
    let ann = desk.person("ann").await;
    let mut tab = desk.open(&ann).await;
    tab.hello(desk.resume(0)).await;
    let waiting = desk.open(&ann).await;
    desk.stop.cancel();
    for mut tab in [tab, waiting] {
        assert_eq!(tab.closed().await, 1012);
    }
    desk.hub.drained().await;
    desk.serving.await.unwrap();
}

#[tokio::test]
async fn a_tab_that_reads_nothing_is_closed() {
    let timing = Timing {
        write: Duration::from_millis(200),
        ..Timing::default()
    };
    let desk = Desk::with(timing).await;
    let ann = desk.person("ann").await;
    let mut tab = desk.open(&ann).await;
    tab.hello(desk.resume(0)).await;
    tab.events_until_live(0).await;
    let task = TaskId(Uuid::now_v7());
    let long = |n: usize| TaskPatch {
        title: Some(format!("Task {n}")),
        description: Some(format!("{n} ").repeat(2_000)),
        ..TaskPatch::default()
    };
    let mut command = Command::Create(long(0));
    let deadline = Instant::now() + DEADLINE;
    for n in 1.. {
        desk.change(&ann, task, command).await;
        command = Command::Edit(long(n));
        if desk.hub.sockets() == 0 {
            break;
        }
        assert!(Instant::now() < deadline, "still open");
    }
    // What was on its way arrives, and then the reason or the end.
    loop {
        match tokio::time::timeout(DEADLINE, tab.ws.next()).await.unwrap() {
            Some(Ok(Message::Text(_))) => {}
            Some(Ok(Message::Close(Some(close)))) => break assert_eq!(u16::from(close.code), 4009),
            Some(Err(_)) | None => break,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_refused_before_the_upgrade() {
    let desk = Desk::new().await;
    assert_eq!(Tab::open(&desk.base, &[]).await.err(), Some(401));
    for header in [
        ("Cookie", "auth_token=wrong"),
        ("Authorization", "Bearer wrong"),
        ("Authorization", "Basic wrong"),
    ] {
        assert_eq!(
            Tab::open(&desk.base, &[header]).await.err(),
            Some(401),
            "{header:?}"
        );
    }
}
