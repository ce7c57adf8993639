//! What the program and its sidecar show each other, and what a wrong one does.

use super::{
    add, audited,
    kit::{Place, Replica, until},
};
use crate::{doctor::said, kit::Person};

const TOKENS: [(&str, &str); 2] = [("DAPR_API_TOKEN", "out"), ("APP_API_TOKEN", "in")];

#[tokio::test]
async fn each_side_shows_its_token_and_a_wrong_one_is_told_of_and_loses_nothing() {
    let place = Place::new().await;
    let mut replica = Replica::start(&place, "one", &TOKENS).await;
    let ann = Person::registered(&replica.base, "ann").await;
    add(&ann, 3).await;
    audited(&ann, 3).await;

    // Nothing goes out with this one.
    replica.kill_program();
    replica.set("DAPR_API_TOKEN", "wrong");
    replica.start_program();
    let told = until("it is told of", async || {
        let told = replica.ready("degraded").await;
        told["dapr"]["missing"][0].as_str().map(str::to_owned)
    })
    .await;
    assert!(told.contains("401"), "{told}");
    let output = replica.doctor();
    assert!(said(&output, "sidecar").contains("DAPR_API_TOKEN"));
    add(&ann, 3).await;

    // And nothing comes in with this one.
    replica.kill_program();
    replica.set("DAPR_API_TOKEN", "out");
    replica.set("APP_API_TOKEN", "wrong");
    replica.start_program();
    let waits = "tidings_outbox_pending{topic=\"task-events\"}";
    until("it is published", async || {
        (replica.metric(waits).await == Some(0.0)).then_some(())
    })
    .await;
    add(&ann, 3).await;

    replica.kill_program();
    replica.set("APP_API_TOKEN", "in");
    replica.start_program();
    replica.ready("ok").await;
    audited(&ann, 9).await;
    assert_eq!(replica.metric("tidings_dead_letters").await, Some(0.0));
}
