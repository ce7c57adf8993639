//! A person's tabs are counted across replicas.

use serde_json::json;
use uuid::Uuid;

use super::{
    add,
    kit::{Place, Replica, until},
};
use crate::{kit::Person, live::tab::Tab};

/// A tab with a pill.
async fn open(person: &Person, base: &str) -> Tab {
    let (_, cookie) = person.credential.clone().unwrap();
    let mut tab = Tab::open(base, &[("Cookie", &cookie)]).await.unwrap();
    tab.send(
        json!({ "t": "hello", "client_id": Uuid::now_v7(), "tab_id": Uuid::now_v7(),
        "resume": null, "tabs": true }),
    )
    .await;
    assert_eq!(tab.frame().await["t"], "welcome");
    tab
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tabs_are_counted_across_replicas() {
    let place = Place::on_postgres().await;
    let mut one = Replica::start(&place, "one", &[]).await;
    let two = Replica::start(&place, "two", &[]).await;
    let (ann, bob) = tokio::join!(
        Person::registered(&one.base, "ann"),
        Person::registered(&one.base, "bob")
    );
    let mut here = open(&ann, &one.base).await;
    here.counts(1).await;
    let mut there = open(&ann, &two.base).await;
    there.counts(2).await;
    here.counts(2).await;
    open(&bob, &two.base).await.counts(1).await;
    let again = open(&ann, &two.base).await;
    there.counts(3).await;
    here.counts(3).await;
    drop(again);
    here.counts(2).await;
    there.counts(2).await;
    let metric = "tidings_presence_faults_total";
    assert_eq!(one.metric(metric).await, Some(0.0));
    assert_eq!(two.metric(metric).await, Some(0.0));

    // Without its sidecar a replica counts what it has; with it, all again.
    one.kill_sidecar();
    here.counts(1).await;
    one.start_sidecar();
    here.counts(2).await;
    drop(there);
    here.counts(1).await;
}

#[tokio::test]
async fn without_a_state_store_each_replica_counts_its_own() {
    let place = Place::new().await;
    let nowhere = [("DAPR_STATE_STORE", "nowhere")];
    let replica = Replica::start(&place, "one", &nowhere).await;
    let ann = Person::registered(&replica.base, "ann").await;
    let mut one = open(&ann, &replica.base).await;
    let mut two = open(&ann, &replica.base).await;
    one.counts(2).await;
    two.counts(2).await;
    until("a fault is counted", async || {
        let faults = replica.metric("tidings_presence_faults_total").await;
        (faults > Some(0.0)).then_some(())
    })
    .await;
    // Nothing else is the worse for it.
    add(&ann, 1).await;
    while two.frame().await["t"] != "events" {}
}
