//! The relay over a real store: what is committed reaches the audit trail, once.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use tidings::{
    consumers::{Consumers, Roles},
    events::{InProcess, Relay},
};
use tokio_util::sync::CancellationToken;

use crate::{desk::Desk, kit::on_each_database, live::tab::DEADLINE};

fn relay(desk: &Desk) -> Relay {
    let store = desk.store.clone();
    let (roles, ambient) = (Roles::all(), &desk.ambient);
    let consumers = Consumers::of_roles(&roles, &desk.hub, &store, ambient, false);
    Relay::new(
        store.clone(),
        Arc::new(InProcess::new(consumers)),
        desk.ambient.clock.clone(),
        desk.wake.clone(),
        store.epoch(),
    )
}

async fn pending(desk: &Desk) -> i64 {
    let depth = desk.store.depth().await.unwrap();
    depth.iter().map(|topic| topic.pending).sum()
}

on_each_database!(Desk:
    a_relay_that_dies_anywhere_is_taken_over_from_and_nothing_is_recorded_twice,
    what_waits_when_the_server_stops_is_published_first,
);

async fn a_relay_that_dies_anywhere_is_taken_over_from_and_nothing_is_recorded_twice(desk: Desk) {
    const PEOPLE: usize = 5;
    const ROUNDS: usize = 20;
    const EACH: usize = 10;
    let names: Vec<_> = (0..PEOPLE).map(|n| format!("person{n}")).collect();
    let people = join_all(names.iter().map(|name| desk.person(name))).await;
    for round in 0..ROUNDS {
        // A task that is dropped wherever it is, as when the process is killed.
        let relay = tokio::spawn(relay(&desk).run(CancellationToken::new()));
        join_all(people.iter().map(|person| desk.add_many(person, EACH))).await;
        tokio::time::sleep(Duration::from_millis(round as u64)).await;
        relay.abort();
        let _ = relay.await;
    }
    let stop = CancellationToken::new();
    let relay = tokio::spawn(relay(&desk).run(stop.clone()));
    let deadline = Instant::now() + DEADLINE;
    while pending(&desk).await > 0 {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for person in people {
        let trail = desk.store.audit(person.id, 0, 1_000).await.unwrap();
        let ids: HashSet<_> = trail.iter().map(|row| row.event_id).collect();
        // And that the person came, and signed in.
        assert_eq!(
            (trail.len(), ids.len()),
            (ROUNDS * EACH + 2, ROUNDS * EACH + 2)
        );
        let mut seqs: Vec<_> = trail.iter().filter_map(|row| row.seq).collect();
        seqs.sort_unstable();
        assert_eq!(seqs, (1..=(ROUNDS * EACH) as i64).collect::<Vec<_>>());
    }
    stop.cancel();
    relay.await.unwrap();
}

async fn what_waits_when_the_server_stops_is_published_first(desk: Desk) {
    let ann = desk.person("ann").await;
    desk.add_many(&ann, 50).await;
    let stop = CancellationToken::new();
    stop.cancel();
    relay(&desk).run(stop).await;
    assert_eq!(pending(&desk).await, 0);
    assert_eq!(desk.store.audit(ann.id, 0, 100).await.unwrap().len(), 52);
}
