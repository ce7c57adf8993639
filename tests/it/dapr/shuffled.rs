//! What was really published, delivered in any order, doubled and at once.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use serde_json::Value;
use tidings::config::EventTransport;

use super::{
    kit::{Place, Replica, until},
    scene::Scene,
};
use crate::kit::{Person, TestApp};

const ROUNDS: usize = 4;
/// Deliveries under way.
const AT_ONCE: usize = 16;
/// Those that one of the replicas gets, and in the end the one that all of them do.
const TOPICS: [&str; 4] = ["task-events", "user-events", "audit-logs", "task-updates"];

/// A replica that hears of nothing but what a test delivers.
async fn deaf(place: &Place) -> TestApp {
    TestApp::with(|config| {
        config.database_url = place.database();
        config.live_poll = None;
        config.transport = EventTransport::Dapr;
        // Nobody is there.
        config.dapr.port = 1;
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_shuffled_doubled_and_at_once_end_as_those_in_order_once() {
    let seed = rand::random();
    println!("seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let place = Place::on_postgres().await;
    let roles = [("APP_ID", "tidings-web"), ("ROLES", "web,live")];
    let publisher = Replica::start(&place, "publisher", &roles).await;
    let replicas = [deaf(&place).await, deaf(&place).await];
    let bases = replicas.each_ref().map(|replica| &*replica.base);
    let mut scene = Scene::looking_at(&bases, &[&publisher]).await;
    let mut delivered: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..ROUNDS {
        scene.work_for(rng.random_range(50..300)).await;
        let mut deliveries = Vec::new();
        for topic in TOPICS {
            let metric = format!("tidings_outbox_pending{{topic=\"{topic}\"}}");
            until("all of it is published", async || {
                (publisher.metric(&metric).await == Some(0.0)).then_some(())
            })
            .await;
            let events = place.cloud_events(topic);
            let before = delivered.insert(topic, events.len()).unwrap_or(0);
            for event in &events[before..] {
                let targets = match topic {
                    "task-updates" => vec![0, 1],
                    _ => vec![rng.random_range(0..2)],
                };
                for target in targets {
                    deliveries.push((replicas[target].sidecar(), topic, event.clone()));
                    // Again, where it may be the other's turn.
                    let target = match topic {
                        "task-updates" => target,
                        _ => rng.random_range(0..2),
                    };
                    deliveries.push((replicas[target].sidecar(), topic, event.clone()));
                }
            }
        }
        deliveries.shuffle(&mut rng);
        stream::iter(deliveries)
            .for_each_concurrent(AT_ONCE, deliver)
            .await;
        scene.seen().await;
    }
    let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for topic in &TOPICS[..3] {
        for event in place.stream(topic) {
            let [user, id] = ["user_id", "event_id"].map(|key| event[key].as_str().unwrap().into());
            expected.entry(user).or_default().push(id);
        }
    }
    for (user, mut trail) in scene.trails().await {
        let mut expected = expected.remove(&user).unwrap();
        expected.sort_unstable();
        trail.sort_unstable();
        assert_eq!(trail, expected, "each once");
    }
    scene.agrees().await;
}

async fn deliver((sidecar, topic, event): (Person, &str, Value)) {
    let answer = sidecar.post(&format!("/events/{topic}"), event).await;
    assert_eq!(answer.expect(200)["status"], "SUCCESS");
}
