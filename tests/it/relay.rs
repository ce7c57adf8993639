//! The relay over a real store: what is committed reaches the audit trail, once.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::json;
use tidings::{
    clock::{Ambient, Clock, SystemClock},
    consumers::{Consumers, Roles},
    events::{Commits, InProcess, Relay},
    live::Hub,
    store::{
        Account, Accounts, AuditTrail, Feeds, LooseEvent, Mutation, Outbox, SqliteStore, Tasks,
    },
};
use tidings_domain::{
    account::User,
    command::{Command, TaskPatch},
    event::{EventType, Metadata},
    id::{EventId, MutationId, TaskId, UserId},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const DEADLINE: Duration = Duration::from_secs(20);

struct Desk {
    store: Arc<SqliteStore>,
    wake: Arc<Notify>,
    hub: Arc<Hub>,
    ambient: Ambient,
    _folder: tempfile::TempDir,
}

impl Desk {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hub = Hub::new(None, CancellationToken::new());
        let wake = Arc::new(Notify::new());
        let commits = Arc::new(Commits::new(wake.clone(), hub.clone()));
        let ambient = Ambient::default();
        let url = format!("sqlite://{}", folder.path().join("relay.db").display());
        let store = SqliteStore::open(&url, ambient.clone(), commits).await;
        Self {
            store: Arc::new(store.unwrap()),
            wake,
            hub,
            ambient,
            _folder: folder,
        }
    }

    fn relay(&self) -> Relay {
        let store = self.store.clone();
        let consumers = Consumers::of_roles(&Roles::all(), &self.hub, store.clone(), &self.ambient);
        Relay::new(
            store.clone(),
            Arc::new(InProcess::new(consumers)),
            self.ambient.clock.clone(),
            self.wake.clone(),
            store.epoch(),
        )
    }

    async fn person(&self, n: usize) -> UserId {
        let id = UserId(Uuid::now_v7());
        let now = SystemClock.now();
        let account = Account {
            user: User {
                id,
                email: format!("person{n}@example.com"),
                name: format!("Person {n}"),
                time_zone: "UTC".into(),
                created_at: now,
            },
            password_hash: String::new(),
            theme: "system".into(),
        };
        let event = LooseEvent {
            event_id: EventId(Uuid::now_v7()),
            event_type: EventType::UserRegistered,
            timestamp: now,
            user_id: Some(id),
            data: json!({}),
            metadata: Metadata::default(),
        };
        self.store.register(&account, &event).await.unwrap();
        id
    }

    async fn add(&self, user_id: UserId) {
        let mutation_id = MutationId(Uuid::now_v7());
        let patch = TaskPatch {
            title: Some("Task".into()),
            ..TaskPatch::default()
        };
        let mutation = Mutation {
            user_id,
            task_id: TaskId(Uuid::now_v7()),
            command: Command::Create(patch),
            if_match: None,
            fingerprint: None,
            metadata: Metadata {
                mutation_id: Some(mutation_id),
                ..Metadata::default()
            },
            mutation_id,
        };
        self.store.mutate(mutation).await.unwrap();
    }

    async fn pending(&self) -> i64 {
        let depth = self.store.depth().await.unwrap();
        depth.iter().map(|topic| topic.pending).sum()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_dies_anywhere_is_taken_over_from_and_nothing_is_recorded_twice() {
    const PEOPLE: usize = 5;
    const ROUNDS: usize = 20;
    const EACH: usize = 10;
    let desk = Desk::new().await;
    let people = join_all((0..PEOPLE).map(|n| desk.person(n))).await;
    for round in 0..ROUNDS {
        // A task that is dropped wherever it is, as when the process is killed.
        let relay = tokio::spawn(desk.relay().run(CancellationToken::new()));
        let adding = people
            .iter()
            .flat_map(|id| [*id; EACH])
            .map(|id| desk.add(id));
        join_all(adding).await;
        tokio::time::sleep(Duration::from_millis(round as u64)).await;
        relay.abort();
        let _ = relay.await;
    }
    let stop = CancellationToken::new();
    let relay = tokio::spawn(desk.relay().run(stop.clone()));
    let deadline = Instant::now() + DEADLINE;
    while desk.pending().await > 0 {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for id in people {
        let trail = desk.store.audit(id, 0, 1_000).await.unwrap();
        let ids: HashSet<_> = trail.iter().map(|row| row.event_id).collect();
        assert_eq!(
            (trail.len(), ids.len()),
            (ROUNDS * EACH + 1, ROUNDS * EACH + 1)
        );
        let mut seqs: Vec<_> = trail.iter().filter_map(|row| row.seq).collect();
        seqs.sort_unstable();
        assert_eq!(seqs, (1..=(ROUNDS * EACH) as i64).collect::<Vec<_>>());
    }
    stop.cancel();
    relay.await.unwrap();
}

#[tokio::test]
async fn what_waits_when_the_server_stops_is_published_first() {
    let desk = Desk::new().await;
    let id = desk.person(0).await;
    join_all((0..50).map(|_| desk.add(id))).await;
    let stop = CancellationToken::new();
    stop.cancel();
    desk.relay().run(stop).await;
    assert_eq!(desk.pending().await, 0);
    assert_eq!(desk.store.audit(id, 0, 100).await.unwrap().len(), 51);
}
