//! What can be seen of a running server from outside: one trace from a request to its effects, and
//! logs that tell of ids, and of nothing else.

mod collector;

use std::{fs::File, path::Path};

use serde_json::{Value, json};
use tokio::process::Child;

use self::collector::{Collector, Spanned};
use crate::{
    dapr::kit::{Place, Replica, until},
    kit::{PASSWORD, Person, TestApp},
    postgres,
    process::{end, free, tidings},
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// The program, with a log in its folder; where it is, and where a sidecar would reach it.
async fn serve(folder: &Path, variables: &[(&str, &str)]) -> (Child, String, String) {
    let (site, side) = (free().await, free().await);
    let addresses = [("LEPTOS_SITE_ADDR", &*site), ("SIDECAR_ADDR", &*side)];
    let mut command = tidings(folder, &["serve"], &addresses);
    let log = File::create(folder.join("log")).unwrap();
    let child = command.envs(variables.iter().copied()).stderr(log).spawn();
    let base = format!("http://{site}");
    let nobody = Person::at(&base);
    until("the server is ready", async || {
        let answer = nobody.try_get("/readyz").await?;
        (answer.code == 200).then_some(())
    })
    .await;
    (child.unwrap(), base, format!("http://{side}"))
}

/// Waits until the audit trail has an event of a task.
async fn audited(person: &Person, event_type: &str) {
    until("the event in the audit trail", async || {
        let trail = person.get("/api/audit?limit=200").await.expect(200);
        let rows = trail["items"].as_array().unwrap();
        rows.iter().find(|row| row["event_type"] == event_type)?;
        Some(())
    })
    .await;
}

/// Adds a task in a trace that began elsewhere; the place in it that the event tells of.
async fn add_traced(person: &Person) -> String {
    let from = format!("00-{TRACE}-{SPAN}-01");
    let headers = [
        ("content-type", "application/json"),
        ("traceparent", &*from),
    ];
    let task = json!({ "title": "A secret plan" }).to_string();
    person
        .send("POST", "/api/tasks", &headers, task)
        .await
        .status(201);
    let feed = person.get("/api/events").await.expect(200);
    let made = &feed["items"][0]["metadata"]["traceparent"];
    made.as_str().unwrap().to_owned()
}

#[track_caller]
fn named<'a>(spans: &'a [Spanned], name: &str) -> &'a Spanned {
    let mut found = spans.iter().filter(|span| span.name == name);
    let span = found.next();
    assert!(found.next().is_none(), "{name} twice: {spans:#?}");
    span.unwrap_or_else(|| panic!("no {name}: {spans:#?}"))
}

#[tokio::test]
async fn a_request_and_all_that_comes_of_it_are_one_trace() {
    let sqlite = "sqlite://t.db".to_owned();
    for database in [sqlite, postgres::database().await] {
        let collector = Collector::new().await;
        let folder = tempfile::tempdir().unwrap();
        let variables = [
            ("DATABASE_URL", &*database),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url),
            ("OTEL_SERVICE_NAME", "tidings-here"),
            // Nothing is sent but what is left at the end.
            ("OTEL_BSP_SCHEDULE_DELAY", "600000"),
        ];
        let (server, base, _) = serve(folder.path(), &variables).await;
        let ann = Person::registered(&base, "ann").await;
        let made = add_traced(&ann).await;
        audited(&ann, "task.created").await;
        assert!(collector.all().is_empty());
        assert_eq!(end(server, "-TERM").await, Some(0));

        let spans = collector.of(TRACE);
        let request = named(&spans, "POST /api/tasks");
        assert_eq!(request.parent, SPAN);
        assert_eq!(request.told["http.response.status_code"], "201");
        assert_eq!(made, format!("00-{TRACE}-{}-01", request.id));
        let chains = [
            &["change", "commit"][..],
            &[
                "publish task-events",
                "deliver task-events",
                "audit",
                "commit",
            ],
            &["publish task-updates", "deliver task-updates", "live"],
        ];
        for chain in chains {
            chain.iter().fold(request.id.clone(), |parent, name| {
                let children = spans.iter().filter(|span| span.parent == parent);
                let children: Vec<_> = children.cloned().collect();
                let child = named(&children, name);
                assert_eq!(child.service, "tidings-here");
                child.id.clone()
            });
        }
        assert!(request.told.contains_key("user.id"));
        assert!(request.told.contains_key("tidings.task_id"));
        // A request that says nothing begins a trace of its own.
        let all = collector.all();
        let came = named(&all, "POST /api/auth/register");
        assert_eq!(came.parent, "");
        let of_came = collector.of(&came.trace);
        assert_eq!(named(&of_came, "register").parent, came.id);
        // What the server does for nobody is not in any, and nothing is told that is anybody's.
        let roots = all.iter().filter(|span| span.parent.is_empty());
        let mut names = roots.map(|span| &*span.name);
        assert!(names.all(|name| name.contains(" /api/")), "{all:#?}");
        for word in ["secret", "ann@", "readyz", PASSWORD] {
            assert!(!format!("{all:?}").contains(word), "{word}");
        }
    }
}

#[tokio::test]
async fn a_sidecar_is_in_the_trace_too() {
    let collector = Collector::new().await;
    let place = Place::new().await;
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_INSECURE", "true"),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ("OTEL_SERVICE_NAME", "tidings-here"),
    ];
    let replica = Replica::start(&place, "one", &variables).await;
    let ann = Person::registered(&replica.base, "ann").await;
    add_traced(&ann).await;
    audited(&ann, "task.created").await;
    // As the sidecar names them.
    let sidecar = [
        "/v1.0/publish/todo-pubsub/task-events",
        "pubsub/task-events",
        "pubsub/task-updates",
    ];
    let names = [
        "POST /api/tasks",
        "change",
        "publish task-events",
        "deliver task-events",
        "audit",
        "live",
    ];
    let spans = until("every span is collected", async || {
        let spans = collector.of(TRACE);
        let has = |name: &&str| spans.iter().any(|span| span.name == **name);
        names.iter().chain(&sidecar).all(has).then_some(spans)
    })
    .await;
    let published = named(&spans, "publish task-events");
    for name in &sidecar[..2] {
        let span = named(&spans, name);
        assert_eq!(span.parent, published.id, "{name}");
    }
    let delivered = named(&spans, "deliver task-events");
    assert_eq!(delivered.parent, named(&spans, sidecar[1]).id);
    assert_eq!(named(&spans, "audit").parent, delivered.id);
}

#[tokio::test]
async fn without_a_collector_each_request_is_a_trace_all_the_same() {
    let app = TestApp::new().await;
    let ann = app.person("ann").await;
    for title in ["One", "Two"] {
        let task = json!({ "title": title });
        ann.post("/api/tasks", task).await.status(201);
    }
    let feed = ann.get("/api/events").await.expect(200);
    let trace = |n: usize| {
        let made = feed["items"][n]["metadata"]["traceparent"].as_str();
        let parts: Vec<_> = made.unwrap().split('-').collect();
        // Nobody has collected it.
        assert_eq!((parts[0], parts[3]), ("00", "00"));
        parts[1].to_owned()
    };
    assert_ne!(trace(0), trace(1));
}

#[tokio::test]
async fn a_log_tells_of_ids_and_of_nothing_that_is_anybodys() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [("RUST_LOG", "debug"), ("LOG_FORMAT", "json")];
    let (server, base, side) = serve(folder.path(), &variables).await;
    let ann = Person::registered(&base, "Annabella").await;
    let wrong = json!({ "email": "annabella@example.com", "password": "Wrongword of hers" });
    ann.post("/api/auth/login", wrong).await.status(401);
    let task = json!({ "title": "Titleword", "description": "Bodyword", "tags": ["tagword"] });
    let task = ann.post("/api/tasks", task).await.expect(201);
    let id = task["id"].as_str().unwrap();
    let path = format!("/api/tasks/{id}");
    ann.patch(&path, json!({ "title": "Othertitle" }))
        .await
        .status(200);
    ann.patch(&path, json!({ "Fieldword": 1 }))
        .await
        .status(422);
    ann.post("/api/tasks", json!({ "title": ["Titleword"] }))
        .await
        .status(422);
    ann.get("/api/tasks?q=Findword").await.status(200);
    ann.get("/search?q=Findword").await.status(200);
    ann.get("/Pathword").await.status(404);
    ann.get(&format!("/tasks/{id}")).await.status(200);
    let fields = [("email", "annabella@example.com"), ("password", PASSWORD)];
    ann.form("/rpc/sign_in", "/sign-in", &fields)
        .await
        .status(302);
    let program = ann.program().await;
    program.get("/api/me").await.status(200);
    let poison = json!({ "id": "1", "data": { "event_id": "Titleword", "event_type": 1 } });
    let sidecar = Person::at(&side);
    sidecar
        .post("/events/task-events", poison)
        .await
        .status(200);
    audited(&ann, "task.updated").await;
    assert_eq!(end(server, "-TERM").await, Some(0));

    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    let secrets = [ann, program].map(|person| person.credential.unwrap().1);
    let secrets = secrets
        .iter()
        .map(|secret| secret.rsplit(['=', ' ']).next().unwrap());
    let words = [
        "annabella",
        "titleword",
        "bodyword",
        "tagword",
        "othertitle",
        "fieldword",
        "findword",
        "pathword",
        "wrongword",
        "program\"",
        PASSWORD,
    ];
    for word in words.into_iter().chain(secrets) {
        let found = log
            .lines()
            .find(|l| l.to_lowercase().contains(&word.to_lowercase()));
        assert_eq!(found, None, "{word}");
    }
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let telling = |message: &str| {
        let mut found = lines.iter().filter(|l| l["message"] == message);
        let found = found.find(|l| l["task_id"] == id);
        found.unwrap_or_else(|| panic!("no {message:?}: {log}"))
    };
    let changed = telling("a task was changed");
    for (message, others) in [
        ("a request was answered", &["user_id"][..]),
        ("an event was published", &["user_id", "event_id"]),
        ("an event was handled", &["user_id", "event_id"]),
    ] {
        let line = telling(message);
        assert_eq!(line["trace_id"], changed["trace_id"], "{line}");
        assert_eq!(line["user_id"], changed["user_id"], "{line}");
        assert!(others.iter().all(|other| line[other].is_string()), "{line}");
    }
}

#[tokio::test]
async fn a_collector_that_is_away_is_told_of_once_and_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = format!("http://{}", free().await);
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*nowhere),
        ("OTEL_BSP_SCHEDULE_DELAY", "10"),
    ];
    let (server, base, _) = serve(folder.path(), &variables).await;
    let ann = Person::registered(&base, "ann").await;
    let log = || std::fs::read_to_string(folder.path().join("log")).unwrap();
    until("it is told of", async || {
        ann.get("/api/me").await.status(200);
        log().contains("traces are not collected").then_some(())
    })
    .await;
    for _ in 0..50 {
        ann.get("/api/me").await.status(200);
    }
    assert_eq!(end(server, "-TERM").await, Some(0));
    assert_eq!(log().matches("traces are not collected").count(), 1);
}
