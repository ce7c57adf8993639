use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use proptest::prelude::*;
use tidings_domain::{error::Code, id::UserId};
use uuid::Uuid;

use super::*;
use crate::store::{AuditEntry, AuditRow, AuditTrail, OnCommit, SqliteStore};

fn delivery(n: u128, user: u128) -> Delivery {
    versioned(n, user, "1.3")
}

fn versioned(n: u128, user: u128, version: &str) -> Delivery {
    let json = serde_json::json!({
        "event_id": Uuid::from_u128(n),
        "event_type": "task.of_the_future",
        "version": version,
        "timestamp": "2026-12-10T13:30:00.000Z",
        "user_id": Uuid::from_u128(user),
        "seq": n,
        "data": { "anything": [1, 2, 3] },
    });
    Delivery::read(json.to_string().into()).unwrap()
}

/// A trail with its inbox, as the store's trait describes it.
#[derive(Default)]
struct Trail(Mutex<Vec<AuditEntry>>);

#[async_trait]
impl AuditTrail for Trail {
    async fn record_audit(&self, entries: &[AuditEntry], _: bool) -> Result<()> {
        let mut rows = self.0.lock().unwrap();
        for entry in entries {
            if rows.iter().all(|row| row.event_id != entry.event_id) {
                rows.push(entry.clone());
            }
        }
        Ok(())
    }

    async fn audit(&self, _: UserId, _: i64, _: usize) -> Result<Vec<AuditRow>> {
        Ok(Vec::new())
    }
}

/// A consumer that fails on some events, and remembers the rest.
#[derive(Default)]
struct Picky {
    refuses: BTreeSet<u128>,
    breaks_on: BTreeSet<u128>,
    is_away: bool,
    calls: AtomicUsize,
    handled: Mutex<Vec<u128>>,
}

#[async_trait]
impl Consumer for Picky {
    fn name(&self) -> &'static str {
        "picky"
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::TaskEvents]
    }

    async fn handle(&self, deliveries: &[Delivery]) -> Result<()> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.is_away {
            return Err(Error::Unavailable("away".into()));
        }
        let ids: Vec<_> = deliveries.iter().map(|d| d.event_id.0.as_u128()).collect();
        if ids.iter().any(|id| self.refuses.contains(id)) {
            return Err(Code::ValidationFailed.into());
        }
        if ids.iter().any(|id| self.breaks_on.contains(id)) {
            return Err(Error::internal("broken"));
        }
        self.handled.lock().unwrap().extend(ids);
        Ok(())
    }
}

fn kinds(verdicts: &[Verdict]) -> String {
    let kind = |verdict: &Verdict| match verdict {
        Verdict::Success => 'S',
        Verdict::Retry(_) => 'R',
        Verdict::Drop(_) => 'D',
    };
    verdicts.iter().map(kind).collect()
}

#[tokio::test]
async fn a_bad_delivery_holds_up_only_what_stands_behind_it() {
    let picky = Arc::new(Picky {
        refuses: [2].into(),
        breaks_on: [4].into(),
        ..Picky::default()
    });
    let consumers = Consumers::new(vec![picky.clone()]);
    let batch = [
        delivery(1, 7),
        delivery(2, 7),
        delivery(3, 7),
        delivery(4, 7),
        delivery(5, 7),
        delivery(6, 8),
    ];
    let verdicts = consumers.deliver(Topic::TaskEvents, &batch).await;
    assert_eq!(kinds(&verdicts), "SDSRRS");
    assert_eq!(*picky.handled.lock().unwrap(), [1, 3, 6]);
}

#[tokio::test]
async fn what_is_out_of_reach_is_asked_once_a_batch() {
    let picky = Arc::new(Picky {
        is_away: true,
        ..Picky::default()
    });
    let consumers = Consumers::new(vec![picky.clone()]);
    let batch: Vec<_> = (0..9).map(|n| delivery(n, 7)).collect();
    let verdicts = consumers.deliver(Topic::TaskEvents, &batch).await;
    assert_eq!(kinds(&verdicts), "R".repeat(9));
    assert_eq!(picky.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn topics_without_a_consumer_and_unknown_versions() {
    let picky = Arc::new(Picky {
        is_away: true,
        ..Picky::default()
    });
    let consumers = Consumers::new(vec![picky.clone()]);
    let verdicts = consumers
        .deliver(Topic::UserEvents, &[delivery(1, 7)])
        .await;
    assert_eq!(kinds(&verdicts), "S");
    let strange = [versioned(1, 7, "2.0"), delivery(2, 7), versioned(3, 7, "x")];
    let verdicts = consumers.deliver(Topic::TaskEvents, &strange).await;
    assert_eq!(kinds(&verdicts), "DRD");
}

proptest! {
    #[test]
    fn audit_records_each_event_once_however_it_is_delivered(
        order in prop::collection::vec(0u128..20, 0..80),
        size in 1usize..9,
    ) {
        let trail = Arc::new(Trail::default());
        let ambient = Ambient::default();
        let hub = Hub::new(None, tokio_util::sync::CancellationToken::new());
        let consumers = Consumers::new(vec![
            Arc::new(live::Live::new(hub)),
            Arc::new(audit::Audit::new(trail.clone(), ambient.clock)),
        ]);
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
            for batch in order.chunks(size) {
                let batch: Vec<_> = batch.iter().map(|n| delivery(*n, 7)).collect();
                let verdicts = consumers.deliver(Topic::TaskEvents, &batch).await;
                assert!(verdicts.iter().all(|v| *v == Verdict::Success));
                consumers.deliver(Topic::TaskUpdates, &batch).await;
            }
        });
        let mut recorded: Vec<_> = trail.0.lock().unwrap().iter().map(|e| e.event_id.0.as_u128()).collect();
        recorded.sort_unstable();
        let expected: Vec<_> = order.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        prop_assert_eq!(recorded, expected);
    }
}

/// Whom nobody tells.
struct Nobody;

impl OnCommit for Nobody {
    fn committed(&self, _: &[UserId]) {}
    fn account_changed(&self, _: UserId) {}
}

#[tokio::test]
async fn the_roles_that_consume_are_those_with_a_consumer_and_no_other_runs() {
    let folder = tempfile::tempdir().unwrap();
    let url = folder.path().join("t.db").to_string_lossy().into_owned();
    let ambient = Ambient::default();
    let store = SqliteStore::open(&url, ambient.clone(), Arc::new(Nobody)).await;
    let store: SharedStore = Arc::new(store.unwrap());
    let hub = Hub::new(None, tokio_util::sync::CancellationToken::new());
    for role in Role::ALL {
        let roles: Roles = role.as_str().parse().unwrap();
        let consumers = Consumers::of_roles(&roles, &hub, &store, &ambient, false);
        let names: Vec<_> = consumers.list.iter().map(|c| c.name()).collect();
        let own = Role::CONSUMERS.contains(&role).then(|| role.as_str());
        assert_eq!(names, Vec::from_iter(own));
    }
}
