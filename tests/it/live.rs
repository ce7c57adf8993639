//! The socket, over a real server.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt, future::join_all};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tidings::{
    clock::{Ambient, Clock, SystemClock},
    events::Commits,
    http::ws::{self, Sockets, Timing},
    live::Hub,
    store::{
        Account, Accounts, Feeds, LooseEvent, Mutation, Session, Sessions, SqliteStore, Tasks,
    },
};
use tidings_domain::{
    account::User,
    command::{Command, TaskPatch},
    event::{EventType, Metadata},
    id::{EventId, MutationId, TaskId, UserId},
    time::Timestamp,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest, http::HeaderValue},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Whatever is promised must have come within this.
const DEADLINE: Duration = Duration::from_secs(20);

/// A tab's end of a socket.
struct Tab {
    ws: WebSocketStream<MaybeTlsStream<TcpStream>>,
    protocol: Option<String>,
}

/// What came.
#[derive(Debug)]
enum Came {
    Frame(Value),
    Closed(u16),
}

impl Tab {
    /// Opens a socket; the status where that is refused.
    async fn open(base: &str, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let url = format!("{}/ws", base.replacen("http", "ws", 1));
        let mut request = url.into_client_request().unwrap();
        let protocol = HeaderValue::from_static("tidings.v1");
        request
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", protocol);
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((ws, response)) => Ok(Self {
                ws,
                protocol: response
                    .headers()
                    .get("Sec-WebSocket-Protocol")
                    .map(|p| p.to_str().unwrap().to_owned()),
            }),
            Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    async fn send(&mut self, frame: Value) {
        self.ws
            .send(Message::text(frame.to_string()))
            .await
            .unwrap();
    }

    /// Says hello and waits for the welcome.
    async fn hello(&mut self, resume: Value) -> Value {
        self.send(json!({
            "t": "hello", "client_id": Uuid::now_v7(), "tab_id": Uuid::now_v7(), "resume": resume,
        }))
        .await;
        let welcome = self.frame().await;
        assert_eq!(welcome["t"], "welcome");
        assert_eq!(welcome["heartbeat_ms"], 25_000);
        welcome
    }

    async fn next(&mut self) -> Came {
        let next = async {
            loop {
                match self.ws.next().await {
                    Some(Ok(Message::Text(text))) => {
                        return Came::Frame(serde_json::from_str(&text).unwrap());
                    }
                    Some(Ok(Message::Close(Some(close)))) => {
                        return Came::Closed(close.code.into());
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    other => panic!("{other:?}"),
                }
            }
        };
        tokio::time::timeout(DEADLINE, next).await.expect("in time")
    }

    async fn frame(&mut self) -> Value {
        match self.next().await {
            Came::Frame(frame) => frame,
            Came::Closed(code) => panic!("closed {code}"),
        }
    }

    /// The code that the server closes with, whatever it says before.
    async fn closed(&mut self) -> u16 {
        loop {
            if let Came::Closed(code) = self.next().await {
                return code;
            }
        }
    }

    /// Reads frames up to `live` and checks that events go on from `cursor`; their items.
    async fn events_until_live(&mut self, mut cursor: i64) -> Vec<Value> {
        let mut items = Vec::new();
        loop {
            let frame = self.frame().await;
            match frame["t"].as_str().unwrap() {
                "events" => {
                    items.extend(contiguous(&frame, &mut cursor));
                }
                "live" => {
                    assert_eq!(frame["cursor"], cursor);
                    return items;
                }
                other => panic!("{other}"),
            }
        }
    }

    /// Reads events up to `seq`.
    async fn events_to(&mut self, mut cursor: i64, seq: i64) -> Vec<Value> {
        let mut items = Vec::new();
        while cursor < seq {
            let frame = self.frame().await;
            if frame["t"] == "events" {
                items.extend(contiguous(&frame, &mut cursor));
            }
        }
        items
    }

    /// Reads a reset with its snapshot: the reason, the cursor, the tasks, the chunks' sizes.
    async fn snapshot(&mut self) -> (String, i64, Vec<Value>, Vec<usize>) {
        let reset = self.frame().await;
        assert_eq!(reset["t"], "reset");
        let reason = reset["reason"].as_str().unwrap().to_owned();
        let (mut tasks, mut sizes) = (Vec::new(), Vec::new());
        loop {
            let chunk = self.frame().await;
            assert_eq!(chunk["t"], "snapshot");
            let items = chunk["items"].as_array().unwrap();
            sizes.push(items.len());
            tasks.extend(items.iter().cloned());
            if chunk["last"].as_bool().unwrap() {
                return (reason, chunk["cursor"].as_i64().unwrap(), tasks, sizes);
            }
        }
    }
}

fn contiguous(frame: &Value, cursor: &mut i64) -> Vec<Value> {
    assert_eq!(frame["from"], *cursor + 1);
    let items = frame["items"].as_array().unwrap();
    for (item, seq) in items.iter().zip(*cursor + 1..) {
        assert_eq!(item["seq"], seq);
    }
    *cursor += items.len() as i64;
    assert_eq!(frame["to"], *cursor);
    items.clone()
}

/// A server of sockets alone, over a real store, with timing of its own.
struct Desk {
    base: String,
    store: Arc<SqliteStore>,
    hub: Arc<Hub>,
    stop: CancellationToken,
    serving: JoinHandle<()>,
    _folder: TempDir,
}

/// Someone with a session.
#[derive(Clone)]
struct Person {
    id: UserId,
    cookie: String,
    session: [u8; 32],
}

impl Desk {
    async fn new() -> Self {
        Self::with(Timing::default()).await
    }

    async fn with(timing: Timing) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stop = CancellationToken::new();
        let hub = Hub::new(None, stop.clone());
        let commits = Commits::new(Arc::default(), hub.clone());
        let ambient = Ambient::default();
        let url = format!("sqlite://{}", folder.path().join("live.db").display());
        let store = SqliteStore::open(&url, ambient.clone(), Arc::new(commits)).await;
        let store = Arc::new(store.unwrap());
        let sockets = Sockets {
            hub: hub.clone(),
            store: store.clone(),
            ambient,
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
            stop,
            serving,
            _folder: folder,
        }
    }

    async fn person(&self, name: &str) -> Person {
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
        self.store.register(&account, &event).await.unwrap();
        let token = Uuid::now_v7().to_string();
        let session = Session {
            token_hash: Sha256::digest(token.as_bytes()).into(),
            user_id: id,
            created_at: now(),
            expires_at: now().plus_ms(86_400_000),
        };
        let event = loose(EventType::LoggedIn, id);
        self.store.create_session(&session, &event).await.unwrap();
        Person {
            id,
            cookie: format!("auth_token={token}"),
            session: session.token_hash,
        }
    }

    async fn open(&self, person: &Person) -> Tab {
        Tab::open(&self.base, &[("Cookie", &person.cookie)])
            .await
            .unwrap()
    }

    async fn add(&self, person: &Person, title: &str) -> i64 {
        let patch = TaskPatch {
            title: Some(title.into()),
            ..TaskPatch::default()
        };
        let task = TaskId(Uuid::now_v7());
        self.change(person, task, Command::Create(patch)).await
    }

    async fn change(&self, person: &Person, task_id: TaskId, command: Command) -> i64 {
        let mutation_id = MutationId(Uuid::now_v7());
        let mutation = Mutation {
            user_id: person.id,
            task_id,
            command,
            if_match: None,
            fingerprint: None,
            metadata: Metadata {
                mutation_id: Some(mutation_id),
                ..Metadata::default()
            },
            mutation_id,
        };
        self.store.mutate(mutation).await.unwrap().seq
    }

    /// So many tasks, made at once.
    async fn add_many(&self, person: &Person, count: usize) {
        let titles: Vec<_> = (0..count).map(|n| format!("Task {n}")).collect();
        join_all(titles.iter().map(|title| self.add(person, title))).await;
    }

    fn resume(&self, cursor: i64) -> Value {
        json!({ "epoch": self.store.epoch(), "cursor": cursor })
    }
}

fn now() -> Timestamp {
    SystemClock.now()
}

fn loose(event_type: EventType, user: UserId) -> LooseEvent {
    LooseEvent {
        event_id: EventId(Uuid::now_v7()),
        event_type,
        timestamp: now(),
        user_id: Some(user),
        data: json!({}),
        metadata: Metadata::default(),
    }
}

fn titles(items: &[Value]) -> Vec<&str> {
    items
        .iter()
        .map(|item| item["task_data"]["title"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_new_tab_gets_a_snapshot_and_then_every_change() {
    let desk = Desk::new().await;
    let ann = desk.person("ann").await;
    desk.add(&ann, "One").await;
    let done = TaskId(Uuid::now_v7());
    let patch = TaskPatch {
        title: Some("Done".into()),
        completed: Some(true),
        ..TaskPatch::default()
    };
    desk.change(&ann, done, Command::Create(patch)).await;
    let mut tab = desk.open(&ann).await;
    assert_eq!(tab.protocol.as_deref(), Some("tidings.v1"));
    let welcome = tab.hello(Value::Null).await;
    assert_eq!(welcome["head"], 2);
    assert_eq!(welcome["epoch"], desk.store.epoch().to_string());
    let (reason, cursor, tasks, _) = tab.snapshot().await;
    assert_eq!((reason.as_str(), cursor), ("new", 2));
    assert_eq!(tasks.len(), 1, "open tasks alone");
    assert_eq!(tasks[0]["title"], "One");
    assert!(tab.events_until_live(2).await.is_empty());

    let seq = desk.add(&ann, "Two").await;
    let items = tab.events_to(2, seq).await;
    assert_eq!(titles(&items), ["Two"]);
    let (_, log) = desk.store.events(ann.id, 2, 10).await.unwrap();
    let logged: Value = serde_json::from_str(&log[0].json).unwrap();
    assert_eq!(items, [logged], "as the log has it");
}

#[tokio::test]
async fn a_tab_resumes_from_where_it_was_and_may_ask_again() {
    let desk = Desk::new().await;
    let ann = desk.person("ann").await;
    for title in ["One", "Two", "Three"] {
        desk.add(&ann, title).await;
    }
    let mut tab = desk.open(&ann).await;
    tab.hello(desk.resume(1)).await;
    assert_eq!(titles(&tab.events_until_live(1).await), ["Two", "Three"]);
    tab.send(json!({ "t": "sync", "cursor": 2 })).await;
    assert_eq!(titles(&tab.events_until_live(2).await), ["Three"]);
    desk.add(&ann, "Four").await;
    assert_eq!(titles(&tab.events_to(3, 4).await), ["Four"]);

    let mut tab = desk.open(&ann).await;
    tab.hello(desk.resume(4)).await;
    assert!(tab.events_until_live(4).await.is_empty(), "nothing missed");
}

#[tokio::test]
async fn a_tab_that_cannot_go_on_starts_anew() {
    let desk = Desk::new().await;
    let ann = desk.person("ann").await;
    desk.add(&ann, "One").await;
    let other = json!({ "epoch": Uuid::now_v7(), "cursor": 1 });
    for (resume, expected) in [(other, "epoch"), (desk.resume(2), "ahead")] {
        let mut tab = desk.open(&ann).await;
        tab.hello(resume).await;
        let (reason, cursor, tasks, sizes) = tab.snapshot().await;
        assert_eq!((reason.as_str(), cursor, tasks.len()), (expected, 1, 1));
        assert_eq!(sizes, [1]);
        tab.events_until_live(1).await;
    }
    let mut tab = desk.open(&desk.person("bob").await).await;
    tab.hello(Value::Null).await;
    let (_, cursor, tasks, sizes) = tab.snapshot().await;
    assert_eq!(
        (cursor, tasks.len(), sizes),
        (0, 0, vec![0]),
        "even of nothing"
    );
}

#[tokio::test]
async fn too_much_missed_is_a_snapshot_in_chunks() {
    let desk = Desk::new().await;
    let ann = desk.person("ann").await;
    desk.add_many(&ann, 1_001).await;
    let mut tab = desk.open(&ann).await;
    tab.hello(desk.resume(0)).await;
    let (reason, cursor, tasks, sizes) = tab.snapshot().await;
    assert_eq!((reason.as_str(), cursor), ("too_many", 1_001));
    assert!(
        sizes.iter().all(|size| (1..=500).contains(size)),
        "{sizes:?}"
    );
    let ids: HashSet<_> = tasks.iter().map(|task| task["id"].to_string()).collect();
    assert_eq!((tasks.len(), ids.len()), (1_001, 1_001));
    tab.events_until_live(cursor).await;

    tab.send(json!({ "t": "sync", "cursor": 1 })).await;
    assert_eq!(tab.events_until_live(1).await.len(), 1_000, "not too much");
}

#[tokio::test]
async fn nobody_gets_anothers_events() {
    let desk = Desk::new().await;
    let (ann, bob) = (desk.person("ann").await, desk.person("bob").await);
    let (mut of_ann, mut of_bob) = (desk.open(&ann).await, desk.open(&bob).await);
    for tab in [&mut of_ann, &mut of_bob] {
        tab.hello(desk.resume(0)).await;
        tab.events_until_live(0).await;
    }
    for n in 1..=20 {
        desk.add(&ann, &format!("ann {n}")).await;
        desk.add(&bob, &format!("bob {n}")).await;
    }
    for (tab, person, name) in [(&mut of_ann, &ann, "ann"), (&mut of_bob, &bob, "bob")] {
        let items = tab.events_to(0, 20).await;
        assert!(titles(&items).iter().all(|title| title.starts_with(name)));
        assert!(
            items
                .iter()
                .all(|item| item["user_id"] == person.id.to_string())
        );
        // Nothing else came in between or after.
        tab.send(json!({ "t": "ping" })).await;
        assert_eq!(tab.frame().await["t"], "pong");
    }
}

#[tokio::test]
async fn what_is_no_frame_closes_the_socket() {
    let desk = Desk::new().await;
    let ann = desk.person("ann").await;
    let bad = [
        Message::text("hello"),
        Message::text(r#"{"t":"shout"}"#),
        Message::text(r#"{"t":"sync","cursor":-1}"#),
        Message::text(r#"{"t":"sync"}"#),
        Message::text(r#"[]"#),
        Message::binary(&b"{\"t\":\"ping\"}"[..]),
        Message::text(format!(
            r#"{{"t":"ping","pad":"{}"}}"#,
            "x".repeat(64 * 1024)
        )),
    ];
    for message in bad {
        let mut tab = desk.open(&ann).await;
        tab.hello(desk.resume(0)).await;
        tab.events_until_live(0).await;
        tab.ws.send(message.clone()).await.unwrap();
        assert_eq!(tab.closed().await, 4000, "{message:?}");
        let mut tab = desk.open(&ann).await;
        tab.ws.send(message.clone()).await.unwrap();
        assert_eq!(tab.closed().await, 4000, "before the hello: {message:?}");
    }
    let mut tab = desk.open(&ann).await;
    tab.send(json!({ "t": "sync", "cursor": 0 })).await;
    assert_eq!(tab.closed().await, 4000, "before the hello");
}

#[tokio::test]
async fn a_tab_that_asks_too_fast_is_closed() {
    let desk = Desk::new().await;
    let ann = desk.person("ann").await;
    let mut tab = desk.open(&ann).await;
    tab.hello(desk.resume(0)).await;
    for _ in 0..1_000 {
        // Fails once the server has closed.
        if tab.ws.send(Message::text(r#"{"t":"ping"}"#)).await.is_err() {
            break;
        }
    }
    assert_eq!(tab.closed().await, 4008);
}

#[tokio::test]
async fn silence_closes_the_socket_and_signs_of_life_keep_it() {
    let timing = Timing {
        hello: Duration::from_millis(300),
        heartbeat: Duration::from_millis(100),
        ..Timing::default()
    };
    let desk = Desk::with(timing).await;
    let ann = desk.person("ann").await;
    let mut mute = desk.open(&ann).await;
    assert_eq!(mute.closed().await, 4008, "no hello");

    let (mut silent, mut lively) = (desk.open(&ann).await, desk.open(&ann).await);
    silent.hello(desk.resume(0)).await;
    lively.hello(desk.resume(0)).await;
    lively.events_until_live(0).await;
    let mut pings = tokio::time::interval(Duration::from_millis(50));
    let closed = silent.closed();
    tokio::pin!(closed);
    loop {
        tokio::select! {
            code = &mut closed => break assert_eq!(code, 4008),
            _ = pings.tick() => {
                lively.send(json!({ "t": "ping" })).await;
                assert_eq!(lively.frame().await["t"], "pong");
            }
        }
    }
    lively.send(json!({ "t": "ping" })).await;
    assert_eq!(lively.frame().await["t"], "pong");
}

#[tokio::test]
async fn a_socket_does_not_outlive_its_session() {
    let timing = Timing {
        heartbeat: Duration::from_millis(200),
        ..Timing::default()
    };
    let desk = Desk::with(timing).await;
    let ann = desk.person("ann").await;
    let mut tab = desk.open(&ann).await;
    tab.hello(desk.resume(0)).await;
    let event = loose(EventType::LoggedOut, ann.id);
    desk.store
        .end_session(&ann.session, ann.id, false, &event)
        .await
        .unwrap();
    assert_eq!(tab.closed().await, 4001);
    let refused = Tab::open(&desk.base, &[("Cookie", &ann.cookie)]).await;
    assert_eq!(refused.err(), Some(401));
}

#[tokio::test]
async fn twenty_sockets_are_enough() {
    let desk = Desk::new().await;
    let ann = desk.person("ann").await;
    let mut tabs = Vec::new();
    for _ in 0..20 {
        let mut tab = desk.open(&ann).await;
        tab.hello(desk.resume(0)).await;
        tab.events_until_live(0).await;
        tabs.push(tab);
    }
    let mut one_more = desk.open(&ann).await;
    assert_eq!(one_more.closed().await, 4008);
    let mut of_bob = desk.open(&desk.person("bob").await).await;
    of_bob.hello(desk.resume(0)).await;

    desk.add(&ann, "One").await;
    for tab in &mut tabs {
        assert_eq!(titles(&tab.events_to(0, 1).await), ["One"]);
    }
    let mut closing = tabs.pop().unwrap();
    closing.ws.close(None).await.unwrap();
    let deadline = Instant::now() + DEADLINE;
    while desk.hub.sockets() > 20 {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut again = desk.open(&ann).await;
    again.hello(desk.resume(0)).await;
}

#[tokio::test]
async fn a_server_that_stops_says_so() {
    let desk = Desk::new().await;
    let ann = desk.person("ann").await;
    let mut tab = desk.open(&ann).await;
    tab.hello(desk.resume(0)).await;
    let waiting = desk.open(&ann).await;
    desk.stop.cancel();
    for mut tab in [tab, waiting] {
        assert_eq!(tab.closed().await, 1012);
    }
    desk.hub.drained().await;
    desk.serving.await.unwrap();
}

#[tokio::test]
async fn a_tab_that_reads_slowly_misses_nothing() {
    let desk = Desk::new().await;
    let ann = desk.person("ann").await;
    let mut tab = desk.open(&ann).await;
    tab.hello(desk.resume(0)).await;
    tab.events_until_live(0).await;
    // More than the connection holds, so that the server has to wait.
    let task = TaskId(Uuid::now_v7());
    let long = |n: usize| TaskPatch {
        title: Some(format!("Task {n}")),
        description: Some(format!("{n} ").repeat(2_000)),
        ..TaskPatch::default()
    };
    let mut seq = desk.change(&ann, task, Command::Create(long(0))).await;
    for n in 1..900 {
        seq = desk.change(&ann, task, Command::Edit(long(n))).await;
    }
    let items = tab.events_to(0, seq).await;
    assert_eq!(items.len(), 900);
}

#[tokio::test]
async fn a_tab_that_reads_nothing_is_closed() {
    let timing = Timing {
        write: Duration::from_millis(200),
        ..Timing::default()
    };
    let desk = Desk::with(timing).await;
    let ann = desk.person("ann").await;
    let mut tab = desk.open(&ann).await;
    tab.hello(desk.resume(0)).await;
    tab.events_until_live(0).await;
    let task = TaskId(Uuid::now_v7());
    let long = |n: usize| TaskPatch {
        title: Some(format!("Task {n}")),
        description: Some(format!("{n} ").repeat(2_000)),
        ..TaskPatch::default()
    };
    let mut command = Command::Create(long(0));
    let deadline = Instant::now() + DEADLINE;
    for n in 1.. {
        desk.change(&ann, task, command).await;
        command = Command::Edit(long(n));
        if desk.hub.sockets() == 0 {
            break;
        }
        assert!(Instant::now() < deadline, "still open");
    }
    // What was on its way arrives, and then the reason or the end.
    loop {
        match tokio::time::timeout(DEADLINE, tab.ws.next()).await.unwrap() {
            Some(Ok(Message::Text(_))) => {}
            Some(Ok(Message::Close(Some(close)))) => break assert_eq!(u16::from(close.code), 4009),
            Some(Err(_)) | None => break,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_refused_before_the_upgrade() {
    let desk = Desk::new().await;
    assert_eq!(Tab::open(&desk.base, &[]).await.err(), Some(401));
    for header in [
        ("Cookie", "auth_token=wrong"),
        ("Authorization", "Bearer wrong"),
        ("Authorization", "Basic wrong"),
    ] {
        assert_eq!(
            Tab::open(&desk.base, &[header]).await.err(),
            Some(401),
            "{header:?}"
        );
    }
}
