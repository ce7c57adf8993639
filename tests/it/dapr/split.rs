//! A split deployment: sets of roles as apps of their own, on one Redis and one PostgreSQL.

use serde_json::Value;

use super::{
    add, audited,
    kit::{Place, Replica},
};
use crate::{kit::Person, live::tab::Tab};

/// The topics that a replica's sidecar brings.
async fn topics(replica: &Replica) -> Vec<String> {
    let metadata = replica.client().metadata().await.unwrap();
    let mut topics: Vec<_> = metadata
        .subscriptions
        .into_iter()
        .map(|s| s.topic)
        .collect();
    topics.sort();
    topics
}

/// Deliveries that a consumer handled on a replica.
async fn handled(replica: &Replica, consumer: &str) -> Option<f64> {
    let metric = "tidings_events_consumed_total";
    let line = format!("{metric}{{consumer=\"{consumer}\",outcome=\"success\"}}");
    replica.metric(&line).await
}

#[tokio::test]
async fn roles_of_different_apps_each_do_their_own_and_nothing_else() {
    let place = Place::on_postgres().await;
    let web = [("APP_ID", "tidings-web"), ("ROLES", "web,live")];
    let trail = [("APP_ID", "tidings-audit"), ("ROLES", "audit")];
    let one = Replica::start(&place, "one", &web).await;
    let two = Replica::start(&place, "two", &web).await;
    let audit = Replica::start(&place, "audit", &trail).await;

    let ann = Person::registered(&one.base, "ann").await;
    let (_, cookie) = ann.credential.clone().unwrap();
    let mut tab = Tab::open(&two.base, &[("Cookie", &cookie)]).await.unwrap();
    tab.hello(Value::Null).await;
    tab.snapshot().await;
    assert_eq!(tab.frame().await["t"], "live");
    for n in 0..10 {
        add(&ann, 1).await;
        // Made on the other one, so that only what was delivered can tell of it.
        assert_eq!(tab.events_to(n, n + 1).await.len(), 1);
    }
    audited(&ann, 10).await;

    assert_eq!(topics(&one).await, ["task-updates"]);
    let topics = topics(&audit).await;
    assert!(topics.contains(&"task-events".to_owned()), "{topics:?}");
    assert!(!topics.contains(&"task-updates".to_owned()), "{topics:?}");
    // The sign-up is recorded too.
    assert!(handled(&audit, "audit").await >= Some(10.0));
    assert!(handled(&two, "live").await >= Some(10.0));
    assert_eq!(handled(&audit, "live").await, None);
    for web in [&one, &two] {
        assert_eq!(handled(web, "audit").await, None);
    }
    // Nothing is told to have other roles: they are other apps.
    for replica in [&one, &two, &audit] {
        replica.ready("ok").await;
    }

    let nobody = Person::at(&audit.base);
    for path in ["/", "/sign-in", "/inbox", "/api/tasks", "/ws"] {
        nobody.get(path).await.refused(404, "not_found", &[]);
    }
    assert_eq!(Tab::open(&audit.base, &[]).await.err(), Some(404));
}
