//! Events, their schemas and the catalogue in `docs/events/` say the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use jsonschema::{Registry, Validator};
use serde_json::{Value, json};
use tidings::{config::EventTransport, consumers::Role, dapr::Settings};
use tidings_domain::event::{Event, EventType, Topic};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    kit::{PASSWORD, Person, TestApp},
    live::tab::DEADLINE,
};

const TASK: &str = "task-events, task-updates";

/// The types of events, and the topics of each.
const TYPES: [(&str, &str); 17] = [
    ("task.created", TASK),
    ("task.updated", TASK),
    ("task.completed", TASK),
    ("task.deleted", TASK),
    ("task.restored", TASK),
    ("reminder.due", "reminders"),
    ("notification.created", "task-updates"),
    ("user.registered", "user-events"),
    ("user.deleted", "user-events"),
    ("audit.user.logged_in", "audit-logs"),
    ("audit.user.login_failed", "audit-logs"),
    ("audit.user.logged_out", "audit-logs"),
    ("audit.user.password_changed", "audit-logs"),
    ("audit.token.created", "audit-logs"),
    ("audit.token.revoked", "audit-logs"),
    ("audit.data.exported", "audit-logs"),
    ("audit.data.imported", "audit-logs"),
];

/// What [`journey`] makes.
const MADE: [&str; 13] = [
    "task.created",
    "task.updated",
    "task.completed",
    "task.deleted",
    "task.restored",
    "user.registered",
    "user.deleted",
    "audit.user.logged_in",
    "audit.user.login_failed",
    "audit.user.logged_out",
    "audit.user.password_changed",
    "audit.token.created",
    "audit.token.revoked",
];

/// Where people reach the server.
const PUBLIC: &str = "https://tidings.example";

/// The schemas that a server has, by the types that they are of.
struct Schemas(BTreeMap<&'static str, Validator>);

impl Schemas {
    async fn of(person: &Person) -> Self {
        let names = ["event", "task"];
        let names = names.into_iter().chain(TYPES.map(|(name, _)| name));
        let mut registry = Registry::new();
        for name in names {
            let path = format!("/schemas/{name}/1.0.json");
            let answer = person.get(&path).await;
            assert_eq!(answer.header("content-type"), "application/schema+json");
            assert!(answer.header("cache-control").starts_with("public"));
            let schema = answer.expect(200);
            assert!(jsonschema::meta::is_valid(&schema), "{name}");
            registry = registry.add(address(name), schema).unwrap();
        }
        let registry = registry.prepare().unwrap();
        let options = jsonschema::options()
            .with_registry(&registry)
            .should_validate_formats(true);
        let validator = |(name, _)| {
            let schema = json!({ "$ref": address(name) });
            (name, options.build(&schema).unwrap())
        };
        Self(TYPES.into_iter().map(validator).collect())
    }

    /// What is wrong with an event of this type.
    fn faults(&self, name: &str, event: &Value) -> Vec<String> {
        let faults = self.0[name].iter_errors(event);
        faults.map(|fault| fault.to_string()).collect()
    }
}

fn address(name: &str) -> String {
    format!("{PUBLIC}/schemas/{name}/1.0.json")
}

/// A sidecar that keeps what is published: topic and event.
#[derive(Clone, Default)]
struct Sidecar(Arc<Mutex<Vec<(String, Value)>>>);

async fn one(
    State(sidecar): State<Sidecar>,
    Path((_, topic)): Path<(String, String)>,
    body: String,
) -> StatusCode {
    let event = serde_json::from_str(&body).unwrap();
    sidecar.0.lock().unwrap().push((topic, event));
    StatusCode::NO_CONTENT
}

async fn bulk(
    State(sidecar): State<Sidecar>,
    Path((component, topic)): Path<(String, String)>,
    Json(entries): Json<Vec<Value>>,
) -> StatusCode {
    let events = entries.into_iter().map(|mut entry| entry["event"].take());
    let events = events.map(|event| {
        // A real one passes it on as it is.
        let names = (&event["pubsubname"], &event["topic"]);
        assert_eq!(names, (&json!(component), &json!(topic)));
        (topic.clone(), event)
    });
    sidecar.0.lock().unwrap().extend(events);
    StatusCode::NO_CONTENT
}

impl Sidecar {
    /// Starts it; its port.
    async fn start(&self) -> (u16, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new()
            .route("/v1.0/healthz/outbound", get(StatusCode::NO_CONTENT))
            .route("/v1.0/publish/{component}/{topic}", post(one))
            .route("/v1.0/publish/bulk/{component}/{topic}", post(bulk))
            .with_state(self.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (port, serving)
    }

    /// What was published, once it is of each of these types.
    async fn all_of(&self, types: &[&str]) -> Vec<(String, Value)> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let published = self.0.lock().unwrap().clone();
            let of = |name: &str| published.iter().any(|(_, event)| event["type"] == name);
            let missing: Vec<_> = types.iter().filter(|name| !of(name)).collect();
            if missing.is_empty() {
                return published;
            }
            assert!(Instant::now() < deadline, "not published: {missing:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A person does everything there is to do.
async fn journey(app: &TestApp) {
    let ada = app.person("Ada").await;
    let tasks = "/api/tasks";
    ada.post(tasks, json!({ "title": "Bare" }))
        .await
        .status(201);
    let full = json!({ "title": "Full", "description": "All of it", "priority": "high",
        "tags": ["home"], "due_date": "2026-12-10", "due_time": "15:00",
        "time_zone": "Europe/Berlin", "remind_at": "2026-12-10T13:30:00.000Z",
        "recurrence": "weekly" });
    let task = ada.post(tasks, full).await.expect(201);
    let path = format!("{tasks}/{}", task["id"].as_str().unwrap());
    let whole = json!({ "title": "Other", "completed": true, "position": "a5" });
    ada.put(&path, whole).await.status(200);
    ada.patch(&format!("{path}/complete"), json!({}))
        .await
        .status(200);
    ada.patch(&format!("{path}/complete"), json!({}))
        .await
        .status(200);
    ada.post(&format!("{path}/restore"), json!({ "version": 1 }))
        .await
        .status(200);
    ada.delete(&path).await.status(204);
    ada.post(&format!("{path}/restore"), json!({}))
        .await
        .status(200);
    let program = ada.program().await;
    let task = json!({ "title": "Of a program" });
    let task = program.post(tasks, task).await.expect(201);
    // Gone for good, perhaps before it was published.
    let path = format!("{tasks}/{}", task["id"].as_str().unwrap());
    ada.delete(&path).await.status(204);
    ada.delete(&format!("{path}/permanently")).await.status(204);
    let token = ada.get("/api/tokens").await.expect(200)["items"][0]["id"].clone();
    let token = format!("/api/tokens/{}", token.as_str().unwrap());
    ada.delete(&token).await.status(204);
    let other = "another good one";
    let passwords = json!({ "current": PASSWORD, "new": other });
    ada.post("/api/me/password", passwords).await.status(204);
    for email in ["Ada@example.com", "nobody@example.com"] {
        let form = json!({ "email": email, "password": PASSWORD });
        let login = app.nobody().post("/api/auth/login", form).await;
        login.status(401);
    }
    ada.post("/api/auth/logout", json!({ "everywhere": true }))
        .await
        .status(204);
    let form = json!({ "email": "Ada@example.com", "password": other });
    let login = app.nobody().post("/api/auth/login", form).await;
    login.status(200);
    let cookie = login.header("set-cookie");
    let (cookie, _) = cookie.split_once(';').unwrap();
    let body = json!({ "password": other }).to_string();
    let headers = [("content-type", "application/json")];
    let ada = app.nobody().known_by("cookie", cookie);
    ada.send("DELETE", "/api/me", &headers, body)
        .await
        .status(204);
}

#[tokio::test]
async fn what_is_published_is_as_its_schema_says() {
    let sidecar = Sidecar::default();
    let (port, serving) = sidecar.start().await;
    let app = TestApp::with(|config| {
        config.transport = EventTransport::Dapr;
        config.public_url = Some(PUBLIC.parse().unwrap());
        config.dapr = Settings {
            host: "127.0.0.1".into(),
            port,
            ..Settings::default()
        };
    })
    .await;
    let schemas = Schemas::of(&app.nobody()).await;
    journey(&app).await;
    let topics: BTreeMap<_, _> = TYPES.into_iter().collect();
    for (topic, event) in sidecar.all_of(&MADE).await {
        let name = event["type"].as_str().unwrap();
        assert!(topics[name].split(", ").any(|t| t == topic), "{name}");
        assert_eq!(event["dataschema"], address(name));
        let data = &event["data"];
        assert_eq!(event["id"], data["event_id"]);
        assert_eq!(event["time"], data["timestamp"]);
        let faults = schemas.faults(name, data);
        assert!(faults.is_empty(), "{faults:#?} in {data:#}");
        let read: Event = serde_json::from_value(data.clone()).unwrap();
        assert_eq!(read.event_type.as_str(), name);
        refuses_what_is_more_or_less(&schemas, name, data);
    }
    serving.abort();
}

/// Holds a schema to telling of a field that is new, and of one that is gone.
fn refuses_what_is_more_or_less(schemas: &Schemas, name: &str, event: &Value) {
    for object in ["", "/data", "/metadata", "/task_data"] {
        let Some(fields) = event.pointer(object).and_then(Value::as_object) else {
            continue;
        };
        for field in fields.keys().map(String::as_str).chain(["more"]) {
            let mut other = event.clone();
            let fields = other.pointer_mut(object).unwrap().as_object_mut().unwrap();
            if fields.remove(field).is_none() {
                fields.insert(field.to_owned(), json!(1));
            }
            let faults = schemas.faults(name, &other);
            assert!(!faults.is_empty(), "{name} {object}/{field}");
        }
    }
}

#[test]
fn every_type_goes_to_its_topics() {
    let table: BTreeMap<_, _> = TYPES.into_iter().collect();
    for event_type in EventType::ALL {
        let topics: Vec<_> = event_type.topics().iter().map(|t| t.as_str()).collect();
        let name = event_type.as_str();
        assert_eq!(table.get(name), Some(&&*topics.join(", ")), "{name}");
    }
}

#[tokio::test]
async fn the_catalogue_says_what_there_is() {
    let text = include_str!("../../docs/events/README.md");
    let app = TestApp::new().await;
    let schemas = Schemas::of(&app.nobody()).await;
    let code = |text: &str| -> Value {
        let (_, code) = text.split_once("```json\n").unwrap();
        let (code, _) = code.split_once("```").unwrap();
        serde_json::from_str(code).unwrap_or_else(|error| panic!("{error}: {code}"))
    };
    let example = code(text);
    let faults = schemas.faults("task.completed", &example["data"]);
    assert!(faults.is_empty(), "{faults:#?}");

    let mut named = Vec::new();
    for section in text.split("\n### [").skip(1) {
        let (name, rest) = section.split_once(']').unwrap();
        assert!(rest.starts_with(&format!("({name}/1.0.json)\n")), "{name}");
        let (_, topics) = rest.split_once("\nOn ").unwrap();
        let (topics, _) = topics.split_once(".\n").unwrap();
        let mut event = example["data"].clone();
        event["event_type"] = json!(name);
        event["data"] = code(rest);
        if !name.starts_with("task.") {
            event["task_data"] = Value::Null;
            event["task_id"] = event["data"]["task_id"].clone();
            if name != "notification.created" {
                event["seq"] = Value::Null;
            }
        }
        let faults = schemas.faults(name, &event);
        assert!(faults.is_empty(), "{name}: {faults:#?}");
        named.push((name, topics));
    }
    assert_eq!(named, TYPES);

    for topic in Topic::ALL {
        let name = topic.as_str();
        let row = text.lines().find(|l| l.starts_with(&format!("| {name} |")));
        let row = row.unwrap_or_else(|| panic!("{name} is not in the catalogue"));
        let written = row.split('|').nth(3).unwrap().split(',').map(str::trim);
        let written: BTreeSet<_> = written.filter(|role| !role.is_empty()).collect();
        let roles = Role::ALL.into_iter();
        let roles = roles.filter(|role| role.topics().contains(&topic));
        let roles: BTreeSet<_> = roles.map(Role::as_str).collect();
        assert_eq!(written, roles, "roles that read {name}, in the catalogue");
    }
}

#[tokio::test]
async fn what_is_no_schema_is_not_found() {
    let app = TestApp::new().await;
    for path in [
        "task.created/2.0.json",
        "task.created/1.0",
        "x/1.0.json",
        "task.created",
    ] {
        let answer = app.nobody().get(&format!("/schemas/{path}")).await;
        answer.refused(404, "not_found", &[]);
    }
}
