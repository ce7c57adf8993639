//! From a change to the frames that tell of it, and what a socket costs.

use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    sync::mpsc::{self, Receiver, Sender},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};
use uuid::Uuid;

use crate::{Outcome, http::Connection, person::Person, process::Process, report};

/// The most that one person may have.
const SOCKETS_EACH: usize = 20;
/// People with sockets: a thousand sockets together.
const PEOPLE: usize = 50;
/// Changes of each person that are timed.
const ROUNDS: usize = 8;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Latencies and memory.
pub(crate) async fn figures() -> Outcome {
    report::group("From sending a create to its frame (commit to frame is less)");
    let server = Process::tidings().await?;
    let people = Person::several(server.address, PEOPLE + 1).await?;
    let (one, people) = people.split_first().ok_or("nobody")?;

    let mut watch = Watch::default();
    watch.open(&server, one, 1).await?;
    let times = watch
        .time(&server, std::slice::from_ref(one), 1, 500, Duration::ZERO)
        .await?;
    report::time("1 socket", part(&times, 50), part(&times, 99));

    watch.open(&server, one, SOCKETS_EACH - 1).await?;
    let one = std::slice::from_ref(one);
    let times = watch
        .time(&server, one, SOCKETS_EACH, 100, Duration::ZERO)
        .await?;
    report::time(
        "20 sockets of one person",
        part(&times, 50),
        part(&times, 99),
    );

    // What signing up took for a moment is given back by now.
    sleep(Duration::from_secs(2)).await;
    let before = server.memory()?;
    for person in people {
        watch.open(&server, person, SOCKETS_EACH).await?;
    }
    // What opening them took for a moment is given back by now.
    sleep(Duration::from_secs(1)).await;
    let each = server.memory()?.saturating_sub(before) as f64 / (PEOPLE * SOCKETS_EACH) as f64;
    let times = watch
        .time(&server, people, SOCKETS_EACH, ROUNDS, Duration::ZERO)
        .await?;
    report::time(
        "1,000 sockets of 50 people",
        part(&times, 50),
        part(&times, 99),
    );
    report::group("Memory");
    report::size("an idle socket (aim: 8 KB)", each);
    Ok(())
}

/// Open sockets, and when each got a frame.
pub(crate) struct Watch {
    sender: Sender<Instant>,
    frames: Receiver<Instant>,
    tasks: JoinSet<()>,
}

impl Default for Watch {
    fn default() -> Self {
        let (sender, frames) = mpsc::channel(PEOPLE * SOCKETS_EACH);
        Self {
            sender,
            frames,
            tasks: JoinSet::new(),
        }
    }
}

impl Watch {
    /// Opens more sockets of a person, each until it has caught up.
    pub(crate) async fn open(
        &mut self,
        server: &Process,
        person: &Person,
        count: usize,
    ) -> Outcome {
        for _ in 0..count {
            let mut socket = connect(server, person).await?;
            let sender = self.sender.clone();
            self.tasks.spawn(async move {
                while let Some(Ok(message)) = socket.next().await {
                    let text = message.to_text().unwrap_or_default();
                    if text.contains("\"t\":\"events\"") {
                        let _ = sender.send(Instant::now()).await;
                    }
                }
            });
        }
        Ok(())
    }

    /// Creates a task as each person in turn, after a pause, and times the frame of each of their
    /// sockets.
    pub(crate) async fn time(
        &mut self,
        server: &Process,
        people: &[Person],
        sockets: usize,
        rounds: usize,
        pause: Duration,
    ) -> Outcome<Vec<Duration>> {
        let mut connection = Connection::open(server.address).await?;
        let mut times = Vec::with_capacity(people.len() * sockets * rounds);
        for _ in 0..rounds {
            for person in people {
                sleep(pause).await;
                let sent = Instant::now();
                connection.send(&person.create(false)).await?;
                for _ in 0..sockets {
                    let frame = timeout(Duration::from_secs(5), self.frames.recv()).await?;
                    times.push(frame.ok_or("no frame")?.duration_since(sent));
                }
            }
        }
        times.sort_unstable();
        Ok(times)
    }
}

async fn connect(server: &Process, person: &Person) -> Outcome<Socket> {
    let mut request = format!("ws://{}/ws", server.address).into_client_request()?;
    let headers = request.headers_mut();
    headers.insert("cookie", person.cookie.parse()?);
    headers.insert("sec-websocket-protocol", "tidings.v1".parse()?);
    let (mut socket, _) = connect_async(request).await?;
    let hello = json!({ "t": "hello", "client_id": Uuid::now_v7(), "tab_id": Uuid::now_v7(), "resume": null });
    socket.send(Message::text(hello.to_string())).await?;
    loop {
        let message = socket.next().await.ok_or("the socket closed")??;
        let frame: Value = serde_json::from_str(message.to_text()?).unwrap_or_default();
        if frame.get("t").and_then(Value::as_str) == Some("live") {
            return Ok(socket);
        }
    }
}

/// The time that `percent` of a hundred stay within.
pub(crate) fn part(sorted: &[Duration], percent: usize) -> Duration {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default()
}
