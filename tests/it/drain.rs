//! What is under way: how much of it there may be, and how it ends when the server stops.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tidings::error::Error;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};
use uuid::Uuid;

use crate::kit::{Answer, PASSWORD, TestApp, on_each_database};

on_each_database!(TestApp: a_server_does_not_go_on_without_one_of_its_tasks);

const DEADLINE: Duration = Duration::from_secs(20);

/// A sign-up that is held back: its last byte is still to be sent.
struct Held {
    stream: TcpStream,
    last: String,
}

impl Held {
    async fn sign_up(app: &TestApp, name: &str) -> Self {
        let address = app.base.strip_prefix("http://").unwrap();
        let body = json!({ "email": format!("{name}@example.com"), "name": name,
            "password": PASSWORD });
        let body = body.to_string();
        let (most, last) = body.split_at(body.len() - 1);
        let length = body.len();
        let head = format!(
            "POST /api/auth/register HTTP/1.1\r\nhost: {address}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{most}"
        );
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let last = last.to_owned();
        Self { stream, last }
    }

    /// Lets it go on, and reads the answer.
    async fn answer(mut self) -> String {
        self.stream.write_all(self.last.as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let read = timeout(DEADLINE, self.stream.read(&mut answer)).await;
        answer.truncate(read.unwrap().unwrap());
        String::from_utf8(answer).unwrap()
    }
}

/// Waits until as many requests are under way as there may be; the answer to one too many.
async fn full(app: &TestApp) -> Answer {
    let nobody = app.nobody();
    let deadline = Instant::now() + DEADLINE;
    loop {
        let answer = nobody.get("/api/docs").await;
        if answer.code == 503 {
            assert_eq!(answer.header("retry-after"), "1");
            return answer;
        }
        assert!(Instant::now() < deadline);
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn one_request_too_many_is_turned_away() {
    let app = TestApp::with(|config| config.requests = 2).await;
    let held = [
        Held::sign_up(&app, "Ada").await,
        Held::sign_up(&app, "Bob").await,
    ];
    let nobody = app.nobody();
    full(&app).await.refused(503, "unavailable", &[]);
    // It lives all the same, and says so.
    nobody.get("/healthz").await.status(200);
    for held in held {
        assert!(held.answer().await.starts_with("HTTP/1.1 201"));
    }
    nobody.get("/api/docs").await.status(200);
}

#[tokio::test]
async fn requests_are_answered_and_sockets_told_before_the_server_is_gone() {
    let app = TestApp::with(|config| config.requests = 1).await;
    let ada = app.person("Ada").await;
    let mut request = app.base.replacen("http", "ws", 1);
    request.push_str("/ws");
    let mut request = request.into_client_request().unwrap();
    let (name, value) = ada.credential.clone().unwrap();
    request.headers_mut().insert(name, value.parse().unwrap());
    let (mut socket, _) = connect_async(request).await.unwrap();
    let hello = json!({ "t": "hello", "client_id": Uuid::now_v7(), "tab_id": Uuid::now_v7(),
        "resume": null });
    socket.send(Message::text(hello.to_string())).await.unwrap();
    assert!(socket.next().await.unwrap().unwrap().is_text());

    let held = Held::sign_up(&app, "Bob").await;
    full(&app).await;
    let address = app.base.strip_prefix("http://").unwrap().to_owned();
    let stopping = tokio::spawn(app.stop());
    let closed = timeout(DEADLINE, async {
        loop {
            if let Message::Close(Some(frame)) = socket.next().await.unwrap().unwrap() {
                return frame.code;
            }
        }
    });
    assert_eq!(u16::from(closed.await.unwrap()), 1012);
    let deadline = Instant::now() + DEADLINE;
    while TcpStream::connect(&address).await.is_ok() {
        assert!(Instant::now() < deadline);
        sleep(Duration::from_millis(5)).await;
    }
    assert!(!stopping.is_finished());
    assert!(held.answer().await.starts_with("HTTP/1.1 201"));
    timeout(DEADLINE, stopping).await.unwrap().unwrap();
}

async fn a_server_does_not_go_on_without_one_of_its_tasks(app: TestApp) {
    let address = app.base.strip_prefix("http://").unwrap().to_owned();
    app.person("Ada").await;
    // The relay looks at it each time it looks for work.
    app.clock.smash();
    let error = timeout(DEADLINE, app.failed()).await.unwrap();
    assert!(matches!(error, Error::Internal(_)), "{error}");
    assert!(TcpStream::connect(&address).await.is_err());
}
