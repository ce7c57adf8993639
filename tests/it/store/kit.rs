//! What the contract tests share: a store on a clock that stands still, and short words for what
//! they do to it.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, Ordering},
};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use tempfile::TempDir;
use tidings::{
    clock::{Ambient, Clock, RandomIds},
    error::{Error, Result},
    store::{
        Account, LooseEvent, Mutation, OnCommit, Outcome, PostgresStore, SharedStore, SqliteStore,
        StoredEvent,
    },
};
use tidings_domain::{
    account::User,
    command::{Command, TaskPatch},
    error::Code,
    event::{Event, EventType, Metadata},
    id::{EventId, Ids, MutationId, TaskId, UserId},
    task::Task,
    time::Timestamp,
};

use crate::postgres;

/// Noon of a Saturday in November 2026, UTC.
pub(crate) const NOON: Timestamp = Timestamp(1_795_262_400_000);

/// A clock that moves when it is told to.
pub(crate) struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

impl TestClock {
    pub(crate) fn set(&self, at: Timestamp) {
        self.0.store(at.0, Ordering::SeqCst);
    }

    pub(crate) fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

/// A clock that is broken.
pub(crate) struct Broken;

impl Clock for Broken {
    fn now(&self) -> Timestamp {
        panic!("the clock is broken");
    }
}

/// Remembers who was named in commits, and whose account changed.
#[derive(Default)]
pub(crate) struct Commits(
    pub(crate) Mutex<Vec<Vec<UserId>>>,
    pub(crate) Mutex<Vec<UserId>>,
);

impl OnCommit for Commits {
    fn committed(&self, users: &[UserId]) {
        self.0.lock().unwrap().push(users.to_vec());
    }

    fn account_changed(&self, user: UserId) {
        self.1.lock().unwrap().push(user);
    }
}

/// A store to test.
pub(crate) trait TestStore: Sized + Send {
    /// An empty one.
    async fn new() -> Self;
    /// What everybody uses.
    fn kit(&self) -> &Kit;
    /// Closes it, and opens what it left behind.
    async fn reopen(&mut self);
    /// What the store's own check finds wrong.
    async fn faults(&self) -> Vec<String>;
    /// How many rows a table has.
    async fn rows(&self, table: &str) -> i64;
    /// Runs statements past the store.
    async fn run(&self, sql: &str);
    /// Makes every write to the feeds fail, until [`Self::mend`].
    async fn trip(&self);
    async fn mend(&self);
}

/// A store and what surrounds it.
pub(crate) struct Kit {
    pub(crate) store: SharedStore,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) commits: Arc<Commits>,
    pub(crate) ids: RandomIds,
}

/// SQLite in a temporary folder.
pub(crate) struct Sqlite {
    folder: TempDir,
    kit: Kit,
}

impl Sqlite {
    pub(crate) fn path(&self) -> String {
        self.folder
            .path()
            .join("deep/tidings.db")
            .to_string_lossy()
            .into_owned()
    }

    /// A connection past the store.
    async fn other(&self) -> SqliteConnection {
        SqliteConnection::connect(&self.path()).await.unwrap()
    }

    async fn open(folder: TempDir, clock: Arc<TestClock>) -> Self {
        let commits = Arc::new(Commits::default());
        let ambient = Ambient {
            clock: clock.clone(),
            ids: Arc::new(RandomIds),
        };
        let url = format!(
            "sqlite://{}",
            folder.path().join("deep/tidings.db").display()
        );
        let store = SqliteStore::open(&url, ambient, commits.clone())
            .await
            .unwrap();
        let kit = Kit {
            store: Arc::new(store),
            clock,
            commits,
            ids: RandomIds,
        };
        Self { folder, kit }
    }
}

impl TestStore for Sqlite {
    async fn new() -> Self {
        let clock = Arc::new(TestClock(AtomicI64::new(NOON.0)));
        Self::open(tempfile::tempdir().unwrap(), clock).await
    }

    fn kit(&self) -> &Kit {
        &self.kit
    }

    async fn reopen(&mut self) {
        self.kit.store.close().await;
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        *self = Self::open(folder, self.kit.clock.clone()).await;
    }

    async fn faults(&self) -> Vec<String> {
        self.kit.store.check().await.unwrap().faults
    }

    async fn rows(&self, table: &str) -> i64 {
        let sql = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        let mut other = self.other().await;
        sqlx::query_scalar(sql).fetch_one(&mut other).await.unwrap()
    }

    async fn run(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        self.other().await.execute(sql).await.unwrap();
    }

    async fn trip(&self) {
        let sql =
            "CREATE TRIGGER trip BEFORE UPDATE ON feeds BEGIN SELECT raise(ABORT, 'trip'); END";
        self.other().await.execute(sql).await.unwrap();
    }

    async fn mend(&self) {
        let sql = "DROP TRIGGER trip";
        self.other().await.execute(sql).await.unwrap();
    }
}

/// PostgreSQL, a database of its own.
pub(crate) struct Postgres {
    url: String,
    kit: Kit,
}

impl Postgres {
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A connection past the store.
    pub(crate) async fn other(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.unwrap()
    }

    /// Another process's store on the database at `url`.
    pub(crate) async fn open(url: String, clock: Arc<TestClock>) -> Self {
        let commits = Arc::new(Commits::default());
        let ambient = Ambient {
            clock: clock.clone(),
            ids: Arc::new(RandomIds),
        };
        let store = PostgresStore::open(&url, ambient, commits.clone()).await;
        let kit = Kit {
            store: Arc::new(store.unwrap()),
            clock,
            commits,
            ids: RandomIds,
        };
        Self { url, kit }
    }
}

impl TestStore for Postgres {
    async fn new() -> Self {
        let clock = Arc::new(TestClock(AtomicI64::new(NOON.0)));
        Self::open(postgres::database().await, clock).await
    }

    fn kit(&self) -> &Kit {
        &self.kit
    }

    async fn reopen(&mut self) {
        self.kit.store.close().await;
        *self = Self::open(self.url.clone(), self.kit.clock.clone()).await;
    }

    async fn faults(&self) -> Vec<String> {
        self.kit.store.check().await.unwrap().faults
    }

    async fn rows(&self, table: &str) -> i64 {
        let sql = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        let mut other = self.other().await;
        sqlx::query_scalar(sql).fetch_one(&mut other).await.unwrap()
    }

    async fn run(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        self.other().await.execute(sql).await.unwrap();
    }

    async fn trip(&self) {
        let sql = "ALTER TABLE feeds ADD CONSTRAINT trip CHECK (seq = 0)";
        self.other().await.execute(sql).await.unwrap();
    }

    async fn mend(&self) {
        let sql = "ALTER TABLE feeds DROP CONSTRAINT trip";
        self.other().await.execute(sql).await.unwrap();
    }
}

impl Kit {
    pub(crate) fn task_id(&self) -> TaskId {
        TaskId(self.ids.next())
    }

    /// Signs somebody up.
    pub(crate) async fn person(&self, name: &str) -> UserId {
        self.person_in(name, "Europe/Berlin").await
    }

    pub(crate) async fn person_in(&self, name: &str, zone: &str) -> UserId {
        let account = self.account(name, zone);
        let event = self.loose(EventType::UserRegistered, Some(account.user.id));
        self.store.register(&account, &event, None).await.unwrap();
        account.user.id
    }

    pub(crate) fn account(&self, name: &str, zone: &str) -> Account {
        Account {
            user: User {
                id: UserId(self.ids.next()),
                email: format!("{name}@Example.org"),
                name: name.to_owned(),
                time_zone: zone.to_owned(),
                created_at: self.clock.now(),
            },
            password_hash: "$argon2id$secret".into(),
            theme: "system".into(),
        }
    }

    pub(crate) fn loose(&self, event_type: EventType, user: Option<UserId>) -> LooseEvent {
        LooseEvent {
            event_id: EventId(self.ids.next()),
            event_type,
            timestamp: self.clock.now(),
            user_id: user,
            data: serde_json::json!({ "user_id": user }),
            metadata: Metadata::default(),
        }
    }

    /// A mutation under a new id that is kept.
    pub(crate) fn mutation(&self, user: UserId, task: TaskId, command: Command) -> Mutation {
        Mutation {
            user_id: user,
            task_id: task,
            command,
            if_match: None,
            fingerprint: Some([7; 32]),
            metadata: Metadata::default(),
            mutation_id: MutationId(self.ids.next()),
        }
    }

    pub(crate) async fn change(
        &self,
        user: UserId,
        task: TaskId,
        command: Command,
    ) -> Result<Outcome> {
        self.store.mutate(self.mutation(user, task, command)).await
    }

    /// Adds a task.
    pub(crate) async fn add(&self, user: UserId, patch: TaskPatch) -> Task {
        let done = self
            .change(user, self.task_id(), Command::Create(patch))
            .await;
        done.unwrap().task.unwrap()
    }

    pub(crate) async fn add_titled(&self, user: UserId, title: &str) -> Task {
        self.add(user, titled(title)).await
    }

    /// The whole feed.
    pub(crate) async fn feed(&self, user: UserId) -> Vec<Event> {
        let (head, events) = self.store.events(user, 0, 1_000_000).await.unwrap();
        assert_eq!(head, events.len() as i64, "the feed has gaps");
        events.iter().map(read).collect()
    }
}

pub(crate) fn titled(title: &str) -> TaskPatch {
    TaskPatch {
        title: Some(title.to_owned()),
        ..TaskPatch::default()
    }
}

pub(crate) fn read(event: &StoredEvent) -> Event {
    let read: Event = serde_json::from_str(&event.json).unwrap();
    assert_eq!(read.seq, Some(event.seq));
    read
}

/// The code of a refusal.
pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T>) -> Code {
    match result {
        Err(Error::Refused(fault)) => fault.code,
        other => panic!("expected a refusal, got {other:?}"),
    }
}
