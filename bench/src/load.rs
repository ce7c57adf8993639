//! Requests a second over many kept connections.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use crate::{
    Outcome,
    http::{Connection, get, post},
    person::Person,
    process::Process,
    report,
};

/// How long one figure is measured.
const SPAN: Duration = Duration::from_secs(3);
/// People who create, so that nobody reaches the most that one may have.
const WRITERS: usize = 50;

/// When to stop.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    /// After this long.
    Passed(Duration),
    /// After this many requests on each connection.
    Sent(usize),
}

/// Sends what `request` makes for each connection over and over, and counts the answers a second.
pub(crate) async fn drive(
    address: SocketAddr,
    connections: usize,
    until: Until,
    request: impl Fn(usize) -> Vec<u8>,
) -> Outcome<f64> {
    let mut tasks = JoinSet::new();
    let mut opened = Vec::with_capacity(connections);
    for _ in 0..connections {
        opened.push(Connection::open(address).await?);
    }
    let start = Instant::now();
    for (number, mut connection) in opened.into_iter().enumerate() {
        let request = request(number);
        tasks.spawn(async move {
            let mut sent = 0;
            while match until {
                Until::Passed(span) => start.elapsed() < span,
                Until::Sent(count) => sent < count,
            } {
                connection.send(&request).await?;
                sent += 1;
            }
            Outcome::Ok(sent)
        });
    }
    let mut total = 0;
    while let Some(sent) = tasks.join_next().await {
        total += sent??;
    }
    Ok(total as f64 / start.elapsed().as_secs_f64())
}

/// Creates and reads.
pub(crate) async fn figures() -> Outcome {
    let (bare, tidings) = (Process::bare().await?, Process::tidings().await?);
    let people = Person::several(tidings.address, WRITERS + 1).await?;
    let (reader, writers) = people.split_first().ok_or("nobody")?;
    let task = reader.fill(tidings.address, 50).await?;
    let until = Until::Passed(SPAN);

    for (connections, aim) in [(1, None), (64, Some(0.2)), (256, None)] {
        let same = writers.first().ok_or("nobody")?.create(false);
        let empty = same.len();
        // The same number of bytes, to the bare handler's only path.
        let body = "x".repeat(empty.saturating_sub(post("/", "", "").len()));
        let base = drive(bare.address, connections, until, |_| post("/", "", &body)).await?;
        let rate = drive(tidings.address, connections, until, |n| {
            writers
                .get(n % WRITERS)
                .map(|w| w.create(false))
                .unwrap_or_default()
        });
        let what = format!("create, acknowledged, {connections} connections");
        report::rate(&what, rate.await?, base, aim);
    }
    let base = drive(bare.address, 64, until, |_| get("/", "")).await?;
    for (what, path, aim) in [
        ("get one, 64 connections", format!("/api/tasks/{task}"), 0.4),
        (
            "list 50, 64 connections",
            "/api/tasks?limit=50".into(),
            0.15,
        ),
        ("Inbox page of 50, 64 connections", "/inbox".into(), 0.12),
    ] {
        let request = |_| get(&path, &reader.cookie);
        let rate = drive(tidings.address, 64, until, request).await?;
        report::rate(what, rate, base, Some(aim));
    }
    Ok(())
}
