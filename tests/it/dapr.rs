//! With a real sidecar and Redis behind it: nothing is lost, nothing happens twice, order holds.

mod broker;
mod faults;
mod files;
mod kafka;
pub(crate) mod kit;
mod presence;
mod scene;
mod shuffled;
mod split;
mod tokens;
mod watchers;

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use serde_json::{Value, json};
use uuid::Uuid;

use self::kit::{Place, Replica, until};
use crate::{
    doctor::said,
    kit::{Person, on_each_database},
    live::tab::Tab,
};

on_each_database!(Place:
    a_change_on_one_replica_wakes_a_socket_on_the_other,
    what_can_never_be_handled_becomes_a_dead_letter_that_operators_see,
);

async fn add(person: &Person, count: usize) {
    for n in 0..count {
        let task = json!({ "title": format!("Task {n}") });
        person.post("/api/tasks", task).await.status(201);
    }
}

/// Waits until the audit trail has as many events of tasks; holds it to having each once.
async fn audited(person: &Person, count: usize) {
    let what = format!("{count} events in the audit trail");
    until(&what, async || {
        let trail = person.get("/api/audit?limit=200").await.expect(200);
        let rows = trail["items"].as_array().unwrap().iter();
        let seqs: Vec<_> = rows.filter_map(|row| row["seq"].as_i64()).collect();
        let once: HashSet<_> = seqs.iter().collect();
        assert_eq!(once.len(), seqs.len(), "recorded twice");
        (seqs.len() == count).then_some(())
    })
    .await;
}

/// Holds a stream to having every event of each person, the first time in order.
fn in_order(events: &[Value], count: i64) {
    let mut heads: HashMap<&str, i64> = HashMap::new();
    for event in events {
        let head = heads.entry(event["user_id"].as_str().unwrap()).or_default();
        let seq = event["seq"].as_i64().unwrap();
        assert!(seq <= *head + 1, "{seq} overtook");
        *head = seq.max(*head);
    }
    assert!(heads.values().all(|head| *head == count), "{heads:?}");
}

#[tokio::test]
async fn events_go_by_the_broker_to_their_consumers_and_in_order() {
    let place = Place::new().await;
    let replica = Replica::start(&place, "one", &[]).await;
    let (ann, bob) = tokio::join!(
        Person::registered(&replica.base, "ann"),
        Person::registered(&replica.base, "bob")
    );
    tokio::join!(add(&ann, 30), add(&bob, 30));
    tokio::join!(audited(&ann, 30), audited(&bob, 30));
    in_order(&place.stream("task-events"), 30);
    let taken = "tidings_events_published_total{topic=\"task-events\",outcome=\"taken\"}";
    assert_eq!(replica.metric(taken).await, Some(60.0));
    let handled = "tidings_events_consumed_total{consumer=\"audit\",outcome=\"success\"}";
    assert!(replica.metric(handled).await >= Some(60.0));
}

async fn a_change_on_one_replica_wakes_a_socket_on_the_other(place: Place) {
    let one = Replica::start(&place, "one", &[]).await;
    let two = Replica::start(&place, "two", &[]).await;
    let ann = Person::registered(&one.base, "ann").await;
    let (_, cookie) = ann.credential.clone().unwrap();
    let mut tabs = Vec::new();
    for replica in [&one, &two] {
        let mut tab = Tab::open(&replica.base, &[("Cookie", &cookie)])
            .await
            .unwrap();
        tab.hello(Value::Null).await;
        tab.snapshot().await;
        assert_eq!(tab.frame().await["t"], "live");
        tabs.push(tab);
    }
    let there = ann.at_base(&two.base);
    for n in 0..10 {
        let person = if n % 2 == 0 { &ann } else { &there };
        add(person, 1).await;
        for tab in &mut tabs {
            assert_eq!(tab.events_to(n, n + 1).await.len(), 1);
        }
    }
    // Of the replicas, one recorded each.
    audited(&ann, 10).await;
}

#[tokio::test]
async fn nothing_is_lost_when_the_sidecar_dies_under_load() {
    let place = Place::new().await;
    let mut replica = Replica::start(&place, "one", &[]).await;
    let (ann, bob) = tokio::join!(
        Person::registered(&replica.base, "ann"),
        Person::registered(&replica.base, "bob")
    );
    let load = async |person: &Person| {
        for _ in 0..150 {
            add(person, 1).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let trouble = async {
        for _ in 0..3 {
            let taken = "tidings_events_published_total{topic=\"task-events\",outcome=\"taken\"}";
            let before = replica.metric(taken).await;
            until("it publishes", async || {
                (replica.metric(taken).await > before).then_some(())
            })
            .await;
            replica.kill_sidecar();
            let told = replica.ready("degraded").await;
            assert!(told["dapr"]["sidecar"].is_string(), "{told}");
            replica.start_sidecar();
            replica.ready("ok").await;
        }
    };
    tokio::join!(load(&ann), load(&bob), trouble);
    tokio::join!(audited(&ann, 150), audited(&bob, 150));
    in_order(&place.stream("task-events"), 150);
    assert_eq!(replica.metric("tidings_outbox_dead").await, Some(0.0));
}

#[tokio::test]
async fn processes_of_one_app_id_that_run_other_roles_are_told_of() {
    let place = Place::new().await;
    let one = Replica::start(&place, "one", &[]).await;
    let state = one.client();
    until("it notes its roles", async || {
        let noted = state.state::<String>("todo-state", "roles-tidings").await;
        noted.unwrap().filter(|noted| noted.value.contains("audit"))
    })
    .await;
    let other = [("ROLES", "web,live")];
    let two = Replica::start_unwell(&place, "two", &other).await;
    until("the other is told of it", async || {
        let told = two.ready("degraded").await;
        let roles = told["dapr"]["other_roles"].as_str()?;
        roles.contains("audit").then_some(())
    })
    .await;
    let words = said(&two.doctor(), "server");
    assert!(words.contains("other ROLES"), "{words}");
    one.ready("ok").await;
    let three = Replica::start(&place, "three", &[]).await;
    three.ready("ok").await;
}

#[tokio::test]
async fn what_is_added_while_the_sidecar_is_gone_waits_and_then_goes() {
    let place = Place::new().await;
    let mut replica = Replica::start(&place, "one", &[]).await;
    let ann = Person::registered(&replica.base, "ann").await;
    replica.kill_sidecar();
    replica.ready("degraded").await;
    add(&ann, 20).await;
    let waits = "tidings_outbox_pending{topic=\"task-events\"}";
    assert_eq!(replica.metric(waits).await, Some(20.0));
    replica.start_sidecar();
    audited(&ann, 20).await;
    replica.ready("ok").await;
    assert_eq!(replica.metric(waits).await, Some(0.0));
}

#[tokio::test]
async fn nothing_is_lost_while_the_program_or_the_broker_is_gone() {
    let mut place = Place::new().await;
    let mut replica = Replica::start(&place, "one", &[]).await;
    let ann = Person::registered(&replica.base, "ann").await;
    add(&ann, 10).await;
    replica.kill_program();
    replica.start_program();
    replica.ready("ok").await;
    place.redis().signal("-STOP");
    add(&ann, 10).await;
    place.redis().signal("-CONT");
    add(&ann, 10).await;
    audited(&ann, 30).await;
    in_order(&place.stream("task-events"), 30);
    assert_eq!(replica.metric("tidings_outbox_dead").await, Some(0.0));
}

#[tokio::test]
async fn secrets_are_read_from_the_store_of_the_sidecar() {
    let place = Place::new().await;
    let store = [("DAPR_SECRET_STORE", "todo-secrets")];
    let replica = Replica::start(&place, "one", &store).await;
    Person::registered(&replica.base, "ann").await;
    // Not where it would be without: in data/ of the folder that it runs in.
    assert!(place.folder.path().join("t.db").exists());
    assert!(!place.folder.path().join("data").exists());
}

#[tokio::test]
async fn a_topic_that_is_refused_pauses_and_says_so_and_people_notice_nothing() {
    let place = Place::new().await;
    // The broadcast takes task-updates alone.
    let wrong = [("DAPR_PUBSUB_NAME", "todo-broadcast")];
    let replica = Replica::start(&place, "one", &wrong).await;
    let ann = Person::registered(&replica.base, "ann").await;
    add(&ann, 5).await;
    let told = replica.ready("degraded").await;
    let paused = until("all are told of", async || {
        let told = replica.ready("degraded").await;
        let paused = told["dapr"]["paused"].clone();
        (paused["task-events"].is_string() && paused["user-events"].is_string()).then_some(paused)
    })
    .await;
    assert!(
        paused["task-events"].as_str().unwrap().contains("403"),
        "{told}"
    );
    assert!(paused["task-updates"].is_null());
    assert_eq!(replica.metric("tidings_outbox_dead").await, Some(0.0));
}

#[tokio::test]
async fn a_component_that_is_not_there_is_told_of() {
    let place = Place::new().await;
    let wrong = [("DAPR_PUBSUB_NAME", "nowhere")];
    let replica = Replica::start(&place, "one", &wrong).await;
    let ann = Person::registered(&replica.base, "ann").await;
    add(&ann, 1).await;
    until("what the sidecar lacks", async || {
        let told = replica.ready("degraded").await;
        let missing = told["dapr"]["missing"].to_string();
        let paused = told["dapr"]["paused"]["task-events"].is_string();
        (missing.contains("component nowhere") && paused).then_some(())
    })
    .await;
    let output = replica.doctor();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output, "components").contains("has no component nowhere"));
    assert!(said(&output, "server").contains("topics pause"));
}

async fn what_can_never_be_handled_becomes_a_dead_letter_that_operators_see(place: Place) {
    let replica = Replica::start(&place, "one", &[]).await;
    let poison = json!({ "specversion": "1.0", "id": Uuid::now_v7(), "source": "/elsewhere",
        "type": "user.registered", "data": { "event_id": Uuid::now_v7(), "version": "9.0",
            "event_type": "user.registered", "timestamp": "2026-12-10T13:30:00.000Z" } });
    let headers = [("content-type", "application/cloudevents+json")];
    let path = "/v1.0/publish/todo-pubsub/user-events";
    let api = replica.api();
    api.send("POST", path, &headers, poison.to_string())
        .await
        .status(204);
    until("a dead letter", async || {
        (replica.metric("tidings_dead_letters").await == Some(1.0)).then_some(())
    })
    .await;
    let output = replica.doctor();
    assert_eq!(output.status.code(), Some(1));
    for check in [
        "database",
        "server",
        "sidecar",
        "components",
        "subscriptions",
    ] {
        assert!(said(&output, check).starts_with("ok"), "{output:?}");
    }
    assert!(said(&output, "set aside").contains("1 dead letters"));
    let text = |arguments: &[&str]| {
        let output = place.run(arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), text)
    };
    let (code, list) = text(&["dead-letters", "list"]);
    assert_eq!(code, Some(0));
    assert!(
        list.contains("user-events") && list.contains("unknown version 9.0"),
        "{list}"
    );
    assert_eq!(text(&["dead-letters", "retry", "--all"]).0, Some(1));
    assert_eq!(text(&["dead-letters", "drop", "1"]).0, Some(0));
    assert_eq!(text(&["dead-letters", "list"]), (Some(0), String::new()));
    assert_eq!(text(&["dead-letters", "drop", "1"]).0, Some(1));
}

#[tokio::test]
async fn state_secrets_and_metadata_are_as_the_client_reads_them() {
    let place = Place::new().await;
    let secret = [("SOME_SECRET", "hush")];
    let replica = Replica::start(&place, "one", &secret).await;
    let (client, store) = (replica.client(), "todo-state");
    assert_eq!(client.state::<Value>(store, "a b").await.unwrap(), None);
    assert!(
        client
            .save_state(store, "a b", &json!({ "n": 1 }), None, None)
            .await
            .unwrap()
    );
    let first = client.state::<Value>(store, "a b").await.unwrap().unwrap();
    assert_eq!(first.value["n"], 1);
    // The first to write wins: against what is there, and against another.
    assert!(
        !client
            .save_state(store, "a b", &2, None, None)
            .await
            .unwrap()
    );
    let etag = Some(&*first.etag);
    assert!(
        client
            .save_state(store, "a b", &json!({ "n": 2 }), etag, None)
            .await
            .unwrap()
    );
    assert!(
        !client
            .save_state(store, "a b", &3, etag, None)
            .await
            .unwrap()
    );
    assert!(
        !client
            .delete_state(store, "a b", &first.etag)
            .await
            .unwrap()
    );
    let second = client.state::<Value>(store, "a b").await.unwrap().unwrap();
    assert_eq!(second.value["n"], 2);
    assert!(
        client
            .delete_state(store, "a b", &second.etag)
            .await
            .unwrap()
    );
    assert_eq!(client.state::<Value>(store, "a b").await.unwrap(), None);
    let ttl = Some(Duration::from_secs(1));
    assert!(
        client
            .save_state(store, "brief", &1, None, ttl)
            .await
            .unwrap()
    );
    until("its time is over", async || {
        client
            .state::<Value>(store, "brief")
            .await
            .unwrap()
            .is_none()
            .then_some(())
    })
    .await;

    let parts = client.secret("todo-secrets", "SOME_SECRET").await.unwrap();
    assert_eq!(parts["SOME_SECRET"], "hush");
    let metadata = client.metadata().await.unwrap();
    assert_eq!(metadata.id, "tidings");
    assert!(metadata.components.iter().any(|c| c.kind == "state.redis"));
    let error = client.state::<Value>("nowhere", "k").await.unwrap_err();
    assert_eq!((error.call, &*error.component), ("state get", "nowhere"));
    assert!(error.to_string().contains("ERR_STATE_STORE"), "{error}");
}
