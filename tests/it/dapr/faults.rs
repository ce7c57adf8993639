//! Brokers that go away, and programs that are killed, under load.

use std::time::Duration;

use rand::Rng;
use serde_json::Value;

use super::{
    add, in_order,
    kit::{Place, Replica, until},
    scene::Scene,
    watchers::Subscriber,
};
use crate::{kit::Person, live::tab::Tab};

const WAKES: &str = "tidings_live_wake_seconds_count";
const RECOVERED: &str = "tidings_events_consumed_total{consumer=\"audit\",outcome=\"recovered\"}";

/// Waits until nothing is left to publish.
async fn published(replica: &Replica) {
    for topic in ["task-events", "task-updates", "user-events", "audit-logs"] {
        let metric = format!("tidings_outbox_pending{{topic=\"{topic}\"}}");
        until("all of it is published", async || {
            (replica.metric(&metric).await == Some(0.0)).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_gone_for_a_while_is_told_of_and_then_gets_everything() {
    let mut place = Place::on_postgres().await;
    let one = Replica::start(&place, "one", &[]).await;
    let two = Replica::start(&place, "two", &[]).await;
    let subscriber = Subscriber::start(&place).await;
    let mut scene = Scene::open(&[&one, &two]).await;
    scene.work_for(500).await;
    place.redis().stop();
    scene
        .work(async {
            let told = one.ready("degraded").await;
            let failing = told["dapr"]["failing"].as_object();
            assert!(failing.is_some_and(|topics| !topics.is_empty()), "{told}");
            tokio::time::sleep(Duration::from_secs(1)).await;
        })
        .await;
    place.redis().start_again().await;
    scene.work_for(500).await;
    let logs = scene.agrees().await;
    subscriber.has(&logs).await;
    published(&one).await;
    in_each_order(&place, &logs);
    for replica in [&one, &two] {
        replica.ready("ok").await;
    }
    assert_eq!(one.metric("tidings_outbox_dead").await, Some(0.0));
}

/// Holds the stream to each person's order, with nothing missing.
fn in_each_order(place: &Place, logs: &[(String, Vec<Value>)]) {
    let stream = place.stream("task-events");
    for (user, log) in logs {
        let mine = stream.iter().filter(|event| event["user_id"] == **user);
        let mine: Vec<_> = mine.cloned().collect();
        in_order(&mine, log.len() as i64);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_broker_lost_is_in_the_audit_trail_all_the_same() {
    let mut place = Place::on_postgres().await;
    let web = [("APP_ID", "tidings-web"), ("ROLES", "web,live")];
    let one = Replica::start(&place, "one", &web).await;
    let two = Replica::start(&place, "two", &web).await;
    let worker = [
        ("APP_ID", "tidings-audit"),
        ("ROLES", "audit"),
        ("CATCH_UP_SECONDS", "1"),
    ];
    let mut audit = Replica::start(&place, "audit", &worker).await;
    let mut scene = Scene::open(&[&one, &two]).await;
    scene.work_for(500).await;
    // Published, and nobody has it.
    audit.kill_program();
    audit.kill_sidecar();
    scene.work_for(500).await;
    published(&one).await;
    place.redis().lose();
    place.redis().start_again().await;
    audit.start_program();
    audit.start_sidecar();
    // Sockets hear of each other's changes again, by groups that the sidecars made anew.
    scene.work_for(500).await;
    let before = scene.logs().await;
    scene.work_for(500).await;
    scene.agrees().await;
    assert!(audit.metric(RECOVERED).await > Some(0.0));
    // It is not by the log that all of it comes from now on.
    published(&one).await;
    let stream = place.stream("task-events");
    for (user, log) in scene.logs().await {
        let seen = before.iter().find(|(other, _)| *other == user).unwrap();
        let new = log.iter().skip(seen.1.len());
        for event in new {
            assert!(stream.iter().any(|e| e["event_id"] == event["event_id"]));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_is_killed_under_load_loses_nothing_and_doubles_nothing() {
    let place = Place::on_postgres().await;
    let mut one = Replica::start(&place, "one", &[]).await;
    let two = Replica::start(&place, "two", &[]).await;
    let subscriber = Subscriber::start(&place).await;
    let mut scene = Scene::open(&[&one, &two]).await;
    for _ in 0..4 {
        // Not a wait for anything: the random point at which it is killed.
        let point = Duration::from_millis(rand::rng().random_range(50..500));
        scene
            .work(async {
                tokio::time::sleep(point).await;
                one.kill_program();
                one.start_program();
                let nobody = Person::at(&one.base);
                until("it is up again", async || nobody.try_get("/readyz").await).await;
            })
            .await;
    }
    let logs = scene.agrees().await;
    subscriber.has(&logs).await;
    published(&two).await;
    in_each_order(&place, &logs);
    assert_eq!(two.metric("tidings_outbox_dead").await, Some(0.0));
    assert_eq!(two.metric("tidings_dead_letters").await, Some(0.0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_broker_is_covered_by_the_poll_and_makes_no_storm_when_it_speaks() {
    const CHANGES: usize = 200;
    let mut place = Place::on_postgres().await;
    let one = Replica::start(&place, "one", &[]).await;
    let polls = [("LIVE_POLL_SECONDS", "1")];
    let two = Replica::start(&place, "two", &polls).await;
    let ann = Person::registered(&one.base, "ann").await;
    let (_, cookie) = ann.credential.clone().unwrap();
    let mut tab = Tab::open(&two.base, &[("Cookie", &cookie)]).await.unwrap();
    tab.hello(Value::Null).await;
    tab.snapshot().await;
    assert_eq!(tab.frame().await["t"], "live");
    published(&one).await;
    place.redis().signal("-STOP");
    add(&ann, CHANGES).await;
    tab.events_to(0, CHANGES as i64).await;
    let woken = two.metric(WAKES).await;
    let consumed = "tidings_events_consumed_total{consumer=\"live\",outcome=\"success\"}";
    let before = two.metric(consumed).await.unwrap();
    place.redis().signal("-CONT");
    until("the messages have come", async || {
        (two.metric(consumed).await >= Some(before + CHANGES as f64)).then_some(())
    })
    .await;
    assert_eq!(two.metric(WAKES).await, woken, "there was nothing new");
    add(&ann, 1).await;
    tab.events_to(CHANGES as i64, CHANGES as i64 + 1).await;
}
