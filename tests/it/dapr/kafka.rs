//! With Kafka behind the sidecar: messages of a person are in one partition, and so in order.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    kit::{Place, Replica, until},
    scene::Scene,
    watchers::Subscriber,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kafka_keeps_the_order_of_each_person_and_loses_nothing() {
    let place = Place::on_kafka().await;
    let one = Replica::start(&place, "one", &[]).await;
    let two = Replica::start(&place, "two", &[]).await;
    let subscriber = Subscriber::start(&place).await;
    let mut scene = Scene::open(&[&one, &two]).await;
    scene.joined().await;
    scene.work_for(1_000).await;
    // In the midst of them, in everybody's partition, what can never be handled.
    let users: Vec<_> = scene
        .logs()
        .await
        .into_iter()
        .map(|(user, _)| user)
        .collect();
    for user in &users {
        poison(&one, user).await;
    }
    scene.work_for(1_000).await;
    let logs = scene.agrees().await;
    subscriber.has(&logs).await;
    subscriber.had_it_in_order(&logs);
    until("the dead letters", async || {
        let letters = one.metric("tidings_dead_letters").await;
        (letters == Some(users.len() as f64)).then_some(())
    })
    .await;
    for replica in [&one, &two] {
        assert_eq!(replica.metric("tidings_outbox_dead").await, Some(0.0));
        replica.ready("ok").await;
    }
}

/// Publishes an event of a version that nobody knows yet.
async fn poison(replica: &Replica, user: &str) {
    let event = json!({ "event_id": Uuid::now_v7(), "event_type": "task.created", "version": "9.0",
        "timestamp": "2026-12-10T13:30:00.000Z", "user_id": user, "seq": Value::Null });
    let event = json!({ "specversion": "1.0", "id": event["event_id"], "source": "/elsewhere",
        "type": "task.created", "data": event });
    let path = format!("/v1.0/publish/todo-pubsub/task-events?metadata.partitionKey={user}");
    let headers = [("content-type", "application/cloudevents+json")];
    let api = replica.api();
    api.send("POST", &path, &headers, event.to_string())
        .await
        .status(204);
}
