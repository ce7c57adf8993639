//! A store with everything that follows it, without the rest of a server: what happens is told to
//! the store itself.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tempfile::TempDir;
use tidings::{
    auth::secret,
    clock::{Ambient, Clock, SystemClock},
    events::Commits,
    http::ws::{self, Sockets, Timing},
    live::Hub,
    store::{self, Account, LooseEvent, Mutation, Session, SharedStore},
};
use tidings_domain::{
    account::User,
    command::{Command, TaskPatch},
    event::{EventType, Metadata},
    id::{EventId, MutationId, TaskId, UserId},
    time::Timestamp,
};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{live::tab::Tab, postgres};

/// A server of sockets alone, over a real store, with timing of its own.
pub(crate) struct Desk {
    pub(crate) base: String,
    pub(crate) store: SharedStore,
    pub(crate) hub: Arc<Hub>,
    pub(crate) ambient: Ambient,
    /// Notified of every commit.
    pub(crate) wake: Arc<Notify>,
    pub(crate) stop: CancellationToken,
    pub(crate) serving: JoinHandle<()>,
    _folder: TempDir,
}

/// Someone with a session.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) cookie: String,
    pub(crate) session: [u8; 32],
}

impl Desk {
    pub(crate) async fn new() -> Self {
        Self::with(Timing::default()).await
    }

    pub(crate) async fn with(timing: Timing) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("live.db").display());
        Self::over(&url, folder, timing).await
    }

    /// Over the database at `url`, as it is.
    pub(crate) async fn at(url: &str) -> Self {
        Self::over(url, tempfile::tempdir().unwrap(), Timing::default()).await
    }

    pub(crate) async fn on_postgres() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = postgres::database().await;
        Self::over(&url, folder, Timing::default()).await
    }

    async fn over(url: &str, folder: TempDir, timing: Timing) -> Self {
        let stop = CancellationToken::new();
        let hub = Hub::new(None, stop.clone());
        let wake = Arc::new(Notify::new());
        let commits = Commits::new(wake.clone(), hub.clone(), Arc::default());
        let ambient = Ambient::default();
        let store = store::open(url, ambient.clone(), Arc::new(commits)).await;
        let store = store.unwrap();
        let sockets = Sockets {
            hub: hub.clone(),
            store: store.clone(),
            ambient: ambient.clone(),
            timing,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = ws::routes(Arc::new(sockets));
        let ended = stop.clone().cancelled_owned();
        let serving = tokio::spawn(async move {
            let serve = axum::serve(listener, router).with_graceful_shutdown(ended);
            serve.await.unwrap();
        });
        Self {
            base,
            store,
            hub,
            ambient,
            wake,
            stop,
            serving,
            _folder: folder,
        }
    }

    pub(crate) async fn person(&self, name: &str) -> Person {
        let id = UserId(Uuid::now_v7());
        let user = User {
            id,
            email: format!("{name}@example.com"),
            name: name.into(),
            time_zone: "Europe/Berlin".into(),
            created_at: now(),
        };
        let account = Account {
            user,
            password_hash: String::new(),
            theme: "system".into(),
        };
        let event = loose(EventType::UserRegistered, id);
        self.store.register(&account, &event, None).await.unwrap();
        self.sign_in(id).await
    }

    pub(crate) async fn sign_in(&self, id: UserId) -> Person {
        let token = Uuid::now_v7().to_string();
        let session = Session {
            token_hash: secret::digest(&token),
            user_id: id,
            created_at: now(),
            expires_at: now().plus_ms(86_400_000),
        };
        let event = loose(EventType::LoggedIn, id);
        self.store
            .create_session(&session, "", &event)
            .await
            .unwrap();
        Person {
            id,
            cookie: format!("auth_token={token}"),
            session: session.token_hash,
        }
    }

    pub(crate) async fn open(&self, person: &Person) -> Tab {
        Tab::open(&self.base, &[("Cookie", &person.cookie)])
            .await
            .unwrap()
    }

    pub(crate) async fn add(&self, person: &Person, title: &str) -> i64 {
        let patch = TaskPatch {
            title: Some(title.into()),
            ..TaskPatch::default()
        };
        let task = TaskId(Uuid::now_v7());
        self.change(person, task, Command::Create(patch)).await
    }

    pub(crate) async fn change(&self, person: &Person, task_id: TaskId, command: Command) -> i64 {
        let mutation_id = MutationId(Uuid::now_v7());
        let mutation = Mutation {
            user_id: person.id,
            task_id,
            action: command.into(),
            if_match: None,
            fingerprint: None,
            metadata: Metadata {
                mutation_id: Some(mutation_id),
                ..Metadata::default()
            },
            mutation_id,
            receipt: None,
        };
        self.store.mutate(mutation).await.unwrap().seq
    }

    /// So many tasks, made at once.
    pub(crate) async fn add_many(&self, person: &Person, count: usize) {
        let titles: Vec<_> = (0..count).map(|n| format!("Task {n}")).collect();
        join_all(titles.iter().map(|title| self.add(person, title))).await;
    }

    pub(crate) fn resume(&self, cursor: i64) -> Value {
        json!({ "epoch": self.store.epoch(), "cursor": cursor })
    }
}

fn now() -> Timestamp {
    SystemClock.now()
}

pub(crate) fn loose(event_type: EventType, user: UserId) -> LooseEvent {
    LooseEvent {
        event_id: EventId(Uuid::now_v7()),
        event_type,
        timestamp: now(),
        user_id: Some(user),
        data: json!({}),
        metadata: Metadata::default(),
    }
}
