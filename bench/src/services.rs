//! What follows from events: reminders, what consumers make of them, replays, and a person who goes.

use std::{
    net::SocketAddr,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;
use tempfile::TempDir;
use tidings_domain::time::Timestamp;
use tokio::{task::JoinSet, time::sleep};

use crate::{
    Outcome,
    database::Database,
    http::{Connection, post, send},
    load::{Until, drive},
    person::Person,
    place::text,
    postgres::Postgres,
    process::{Process, free},
    replays, report,
};

/// Measures the services behind the events.
pub(crate) const ARGUMENT: &str = "services";

/// People, each of whom is told of 200 reminders.
const PEOPLE: usize = 50;
const REMINDERS: usize = 10_000;
/// How far ahead they are, in milliseconds: so long may it take to set them.
const AHEAD_MS: i64 = 25_000;
/// Tasks that are made for the consumers, and recurring ones that are completed.
const CREATED: usize = 20_000;
const COMPLETED: usize = 2_000;
/// The most tasks that a person may have.
const TASKS: usize = 20_000;
/// How long the creates of somebody else are timed beforehand.
const BEFORE: Duration = Duration::from_secs(1);
/// Whoever consumes, and what; how many, where the others it passes over.
const CONSUMERS: [(&str, &str, Option<usize>); 6] = [
    ("live", "changes of tasks", None),
    ("audit", "changes of tasks", None),
    ("analytics", "changes of tasks", None),
    ("recurring", "tasks completed", Some(COMPLETED)),
    ("notifications", "changes of tasks", None),
    ("onboarding", "people", Some(PEOPLE)),
];
/// Whether anything waits for a consumer.
const WAITS: &str =
    "SELECT CAST(CASE WHEN EXISTS (SELECT 1 FROM outbox) THEN 1 ELSE 0 END AS BIGINT)";

/// Everything.
pub(crate) async fn figures() -> Outcome {
    let postgres = match Postgres::is_there() {
        true => Some(Postgres::start().await?),
        false => None,
    };
    let mut databases = vec![("SQLite", None)];
    databases.extend(postgres.as_ref().map(|own| ("PostgreSQL", Some(own))));
    report::head("Tidings", "beside");
    for (name, postgres) in databases {
        consumers(name, postgres).await?;
        leaving(name, postgres).await?;
        replays::figures(name, &House::new(postgres, "replays").await?).await?;
    }
    Ok(())
}

/// A database, and servers on it.
pub(crate) struct House {
    pub(crate) database: String,
    /// What SQLite's file lies in.
    _folder: TempDir,
}

impl House {
    async fn new(postgres: Option<&Postgres>, name: &str) -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let database = match postgres {
            Some(postgres) => postgres.database(name).await?,
            None => format!("sqlite://{}/tidings.db", folder.path().display()),
        };
        Ok(Self {
            database,
            _folder: folder,
        })
    }

    /// A server that consumes nothing: events wait for a sidecar that is not there.
    pub(crate) async fn filling(&self) -> Outcome<Process> {
        let variables = [
            ("EVENT_TRANSPORT", "dapr".into()),
            ("DAPR_HTTP_PORT", free()?.port().to_string()),
            ("ROLES", "web".into()),
            ("RUST_LOG", "error".into()),
        ];
        Process::tidings_on(&self.database, &variables, tempfile::tempdir()?).await
    }

    /// A server of all roles, and where its metrics are.
    async fn serving(&self) -> Outcome<(Process, SocketAddr)> {
        let side = free()?;
        let variables = [
            ("EVENT_TRANSPORT", "in-process".into()),
            ("SIDECAR_ADDR", side.to_string()),
            ("SAMPLE_TASKS", "true".into()),
            ("RUST_LOG", "error".into()),
        ];
        let server = Process::tidings_on(&self.database, &variables, tempfile::tempdir()?);
        Ok((server.await?, side))
    }
}

/// Each consumer by itself, and reminders from their time to what is told of them.
async fn consumers(name: &str, postgres: Option<&Postgres>) -> Outcome {
    let house = House::new(postgres, "services").await?;
    let server = house.filling().await?;
    let address = server.address;
    let people = Person::several(address, PEOPLE).await?;
    let each = Until::Sent(CREATED / PEOPLE);
    drive(address, PEOPLE, each, |n| people[n].create(false)).await?;
    complete(address, &people).await?;
    server.stop().await?;

    let mut database = Database::open(&house.database).await?;
    let bare = database.bare().await?;
    let (server, side) = house.serving().await?;
    at_rest(&mut database).await?;
    report::group(&format!(
        "{name}: events a second of each consumer, beside rows inserted and no more"
    ));
    let metrics = text(side, "/metrics").await?;
    for (consumer, what, of) in CONSUMERS {
        let (all, time) = consumed(&metrics, consumer);
        let count = of.map_or(all, |of| of as f64);
        report::rate(&format!("{consumer}: {what}"), count / time, bare, None);
    }

    report::group(&format!(
        "{name}: {REMINDERS} reminders of {PEOPLE} people, due at once"
    ));
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let due = Timestamp(i64::try_from(now)? + AHEAD_MS);
    let body = format!(r#"{{"title":"Call mom","remind_at":"{due}"}}"#);
    let each = Until::Sent(REMINDERS / PEOPLE);
    drive(server.address, PEOPLE, each, |n| {
        post("/api/tasks", &people[n].cookie, &body)
    })
    .await?;
    at_rest(&mut database).await?;
    let told = database
        .number("SELECT count(*) FROM notifications")
        .await?;
    let before = consumed(&text(side, "/metrics").await?, "notifications");
    let at = UNIX_EPOCH + Duration::from_millis(due.0.unsigned_abs());
    let early = "too slow: reminders were due before they were set";
    sleep(at.duration_since(SystemTime::now()).map_err(|_| early)?).await;
    let start = Instant::now();
    let mut cron = Connection::open(side).await?;
    cron.send(&post("/reminder-cron", "", "{}")).await?;
    let waits = format!(
        "SELECT count(*) FROM tasks WHERE remind_at <= {} AND NOT reminded \
         AND completed_at IS NULL AND deleted_at IS NULL",
        due.0
    );
    database.until_at_most(&waits, 0).await?;
    let committed = start.elapsed();
    let all = told + i64::try_from(REMINDERS)?;
    let missing = format!("SELECT {all} - count(*) FROM notifications");
    database.until_at_most(&missing, 0).await?;
    report::took("to reminder.due, committed", REMINDERS, committed);
    report::took("to the notification", REMINDERS, start.elapsed());
    at_rest(&mut database).await?;
    let after = consumed(&text(side, "/metrics").await?, "notifications");
    let rate = (after.0 - before.0) / (after.1 - before.1);
    report::rate("notifications: reminders due", rate, bare, None);
    server.stop().await
}

/// Makes recurring tasks and completes each.
async fn complete(address: SocketAddr, people: &[Person]) -> Outcome {
    let mut tasks = JoinSet::new();
    for person in people.iter().cloned() {
        tasks.spawn(async move {
            let mut connection = Connection::open(address).await?;
            let body =
                r#"{"title":"Water the plants","due_date":"2026-12-10","recurrence":"daily"}"#;
            for _ in 0..COMPLETED / PEOPLE {
                let made = post("/api/tasks", &person.cookie, body);
                let task: Value = serde_json::from_slice(&connection.send(&made).await?.body)?;
                let id = task.get("id").and_then(Value::as_str).ok_or("no id")?;
                let path = format!("/api/tasks/{id}/complete");
                let done = send("PATCH", &path, &person.cookie, "{}");
                connection.send(&done).await?;
            }
            Outcome::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

/// Waits until nothing waits for a consumer, nor for what another one made of it.
async fn at_rest(database: &mut Database) -> Outcome {
    for _ in 0..2 {
        database.until_at_most(WAITS, 0).await?;
        sleep(Duration::from_millis(500)).await;
    }
    Ok(())
}

/// How many events a consumer took in, and in how many seconds.
fn consumed(metrics: &str, consumer: &str) -> (f64, f64) {
    let name = format!("consumer=\"{consumer}\"");
    let of = |metric: &str, label: &str| {
        let meant = |l: &&str| l.starts_with(metric) && l.contains(&name) && l.contains(label);
        let lines = metrics.lines().filter(meant);
        let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        values.sum::<f64>()
    };
    (
        of("tidings_events_consumed_total", "outcome=\"success\""),
        of("tidings_consume_seconds_sum", ""),
    )
}

/// How long others wait while a person with as many tasks as one may have deletes their account.
async fn leaving(name: &str, postgres: Option<&Postgres>) -> Outcome {
    let house = House::new(postgres, "leaving").await?;
    let (server, _) = house.serving().await?;
    let address = server.address;
    let people = Person::several(address, 2).await?;
    let [heavy, other] = &people[..] else {
        return Err("nobody".into());
    };
    drive(address, 50, Until::Sent(TASKS / 50 - 1), |_| {
        heavy.create(false)
    })
    .await?;
    at_rest(&mut Database::open(&house.database).await?).await?;

    let body = r#"{"password":"a few plain words"}"#;
    let delete = send("DELETE", "/api/me", &heavy.cookie, body);
    let deleting = tokio::spawn(async move {
        sleep(BEFORE).await;
        let start = Instant::now();
        Connection::open(address).await?.send(&delete).await?;
        Outcome::Ok((start, start.elapsed()))
    });
    let mut connection = Connection::open(address).await?;
    let mut times = Vec::new();
    while !deleting.is_finished() {
        let sent = Instant::now();
        connection.send(&other.create(false)).await?;
        times.push((sent, sent.elapsed()));
    }
    let (start, time) = deleting.await??;
    let mut database = Database::open(&house.database).await?;
    let left = database.number("SELECT count(*) FROM tasks").await?;
    if left > i64::try_from(times.len() + PEOPLE)? {
        return Err("tasks of somebody who is gone are left".into());
    }
    let longest = |meanwhile: bool| {
        let of = times
            .iter()
            .filter(|(sent, t)| (*sent + *t >= start) == meanwhile);
        of.map(|(_, time)| *time).max().unwrap_or_default()
    };
    report::group(&format!("{name}: an account of {TASKS} tasks is deleted"));
    report::took("its tasks", TASKS, time);
    let what = "a create of another at most, beside before";
    report::longest(what, longest(true), longest(false));
    server.stop().await
}
