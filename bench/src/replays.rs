//! Replays of a long log: how fast, and in how much memory beside a tenth of it.

use std::{
    net::SocketAddr,
    process::Stdio,
    time::{Duration, Instant},
};

use serde::Serialize;
use serde_json::Value;
use tokio::{io::AsyncReadExt as _, time::sleep};
use uuid::Uuid;

use crate::{
    Outcome,
    database::Database,
    http::{Connection, send},
    person::Person,
    process::{memory, program},
    report,
    services::House,
};

/// Types of events, in the order in which a task has them.
const KINDS: [&str; 3] = ["task.created", "task.updated", "task.completed"];
/// Events of a task: it is made, edited and completed.
const EACH: usize = 10;
/// A tenth of the log, and the rest: tasks of one person, people, and tasks of each of these.
const TENTH: (usize, usize, usize) = (2_000, 100, 80);
const REST: (usize, usize, usize) = (18_000, 900, 80);
/// Rows that are inserted at once.
const ROWS: usize = 10_000;
/// Between two looks at the memory.
const LOOK: Duration = Duration::from_millis(20);

/// Both consumers whose rows can be made anew.
pub(crate) async fn figures(name: &str, house: &House) -> Outcome {
    let server = house.filling().await?;
    let kinds = kinds(server.address, house).await?;
    server.stop().await?;
    let mut database = Database::open(&house.database).await?;
    let mut log = Log {
        kinds,
        heavy: (Uuid::now_v7(), 0),
        rows: Vec::with_capacity(ROWS),
    };
    log.people(&mut database, &[log.heavy.0]).await?;
    log.go_on(&mut database, TENTH).await?;
    let mut before = Vec::new();
    for consumer in ["analytics", "audit"] {
        before.push(replay(house, consumer).await?);
    }
    log.go_on(&mut database, REST).await?;
    let (tenth, all) = (events(TENTH), events(TENTH) + events(REST));
    report::group(&format!(
        "{name}: replay of {all} events, {} of one person, beside {tenth}",
        (TENTH.0 + REST.0) * EACH
    ));
    for (consumer, tenth) in ["analytics", "audit"].into_iter().zip(before) {
        let whole = replay(house, consumer).await?;
        report::kept(&format!("{consumer}, events"), tenth.rate, whole.rate);
        report::grown("  memory at most", tenth.peak, whole.peak);
        report::grown(
            "  memory at most, beside by half of the time",
            whole.half,
            whole.peak,
        );
    }
    Ok(())
}

/// Events of a part of the log.
fn events((heavy, people, each): (usize, usize, usize)) -> usize {
    (heavy + people * each) * EACH
}

/// Events as the program writes them, with names in place of what differs: made, edited, completed.
async fn kinds(address: SocketAddr, house: &House) -> Outcome<[String; 3]> {
    let people = Person::several(address, 1).await?;
    let person = people.first().ok_or("nobody")?;
    let mut connection = Connection::open(address).await?;
    let made = connection.send(&person.create(false)).await?;
    let task: Value = serde_json::from_slice(&made.body)?;
    let id = task.get("id").and_then(Value::as_str).ok_or("no id")?;
    let path = format!("/api/tasks/{id}");
    let edit = send("PATCH", &path, &person.cookie, r#"{"priority":"low"}"#);
    connection.send(&edit).await?;
    let done = send("PATCH", &format!("{path}/complete"), &person.cookie, "{}");
    connection.send(&done).await?;
    let mut database = Database::open(&house.database).await?;
    let mut kinds = Vec::new();
    for kind in KINDS {
        let sql = format!("SELECT json FROM events WHERE event_type = '{kind}'");
        let json = database.text(&sql).await?;
        let event: Value = serde_json::from_str(&json)?;
        let of = |name: &str| event.get(name).and_then(Value::as_str).ok_or("no event");
        let seq = event.get("seq").and_then(Value::as_i64).ok_or("no seq")?;
        let json = json.replace(of("event_id")?, "@event");
        let json = json.replace(of("task_id")?, "@task");
        let json = json.replace(of("user_id")?, "@user");
        kinds.push(json.replace(&format!("\"seq\":{seq},"), "\"seq\":@seq,"));
    }
    kinds.try_into().map_err(|_| "not all events".into())
}

/// A log that is written faster than by people: no task, outbox or answer goes with it.
struct Log {
    kinds: [String; 3],
    /// Somebody with a fifth of it, and how many events so far.
    heavy: (Uuid, usize),
    rows: Vec<Row>,
}

/// Event, person, place, task, version, type.
#[derive(Serialize)]
struct Row(Uuid, Uuid, usize, Uuid, usize, &'static str);

impl Log {
    /// Writes a part: first the one person, then the others, one after the other.
    async fn go_on(
        &mut self,
        database: &mut Database,
        (heavy, people, each): (usize, usize, usize),
    ) -> Outcome {
        let others = Vec::from_iter((0..people).map(|_| Uuid::now_v7()));
        self.people(database, &others).await?;
        database.run("BEGIN").await?;
        let (user, seq) = self.heavy;
        self.heavy.1 = self.tell(database, user, seq, heavy).await?;
        for user in others {
            self.tell(database, user, 0, each).await?;
        }
        self.write(database).await?;
        database.run("COMMIT").await?;
        database.settle().await
    }

    async fn people(&self, database: &mut Database, people: &[Uuid]) -> Outcome {
        let sql = "INSERT INTO users (id, email, email_key, name, time_zone, theme, \
            password_hash, created_at) SELECT (value->>0)$uuid, value->>0, value->>0, 'Bench', \
            'UTC', 'system', '', 0 FROM $json";
        let people: Vec<_> = people.iter().map(|id| [id]).collect();
        database.fill(sql, &people).await
    }

    /// The events of so many tasks of a person; the place of the last.
    async fn tell(
        &mut self,
        database: &mut Database,
        user: Uuid,
        mut seq: usize,
        tasks: usize,
    ) -> Outcome<usize> {
        for _ in 0..tasks {
            let task = Uuid::now_v7();
            for version in 1..=EACH {
                let kind = match version {
                    1 => KINDS[0],
                    EACH => KINDS[2],
                    _ => KINDS[1],
                };
                seq += 1;
                let row = Row(Uuid::now_v7(), user, seq, task, version, kind);
                self.rows.push(row);
                if self.rows.len() == ROWS {
                    self.write(database).await?;
                }
            }
        }
        Ok(seq)
    }

    async fn write(&mut self, database: &mut Database) -> Outcome {
        let [created, updated, completed] = self.kinds.each_ref().map(|k| k.replace('\'', "''"));
        let sql = format!(
            "INSERT INTO events (event_id, user_id, seq, task_id, version, event_type, at, json) \
             SELECT (value->>0)$uuid, (value->>1)$uuid, (value->>2)$int, (value->>3)$uuid, \
             (value->>4)$int, value->>5, 0, replace(replace(replace(replace( \
             CASE value->>5 WHEN 'task.created' THEN '{created}' \
             WHEN 'task.updated' THEN '{updated}' ELSE '{completed}' END, '@event', value->>0), \
             '@user', value->>1), '@seq', value->>2), '@task', value->>3) FROM $json"
        );
        database.fill(&sql, &self.rows).await?;
        self.rows.clear();
        Ok(())
    }
}

/// What a replay took.
struct Replay {
    /// Events a second.
    rate: f64,
    /// Bytes of memory at most, and by half of the time.
    peak: u64,
    half: u64,
}

/// Replays all of the log.
async fn replay(house: &House, consumer: &str) -> Outcome<Replay> {
    let mut command = program()?;
    command
        .args(["replay", "--consumer", consumer])
        .env("DATABASE_URL", &house.database)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let start = Instant::now();
    let mut child = command.spawn()?;
    let mut peaks = Vec::new();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        peaks.extend(memory(&child, "VmHWM:")?);
        sleep(LOOK).await;
    };
    let time = start.elapsed().as_secs_f64();
    let mut told = String::new();
    let out = child.stdout.as_mut().ok_or("no output")?;
    out.read_to_string(&mut told).await?;
    let count = told.split(' ').next().map(str::parse::<u64>);
    match (count, &peaks[..]) {
        (Some(Ok(count)), [.., peak]) if status.success() => Ok(Replay {
            rate: count as f64 / time,
            peak: *peak,
            half: peaks[peaks.len() / 2],
        }),
        _ => Err(format!("a replay failed: {told}").into()),
    }
}
